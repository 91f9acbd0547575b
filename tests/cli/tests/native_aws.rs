//! The native AWS provider beside hashicorp/aws 3.39.0: where a type has the same schema in both (but for `region`, which 6 has
//! added to most), the same configuration gives the same plan and the same state, and each goes on with the other's state.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::collections::BTreeMap;

use serde_json::Value;
use terrace_test_services::{Aws, Mirror};
use terrace_test_support::{Project, available, has_terraform, in_full_size};

/// What the two say otherwise, by type (of all, where none is named) and attribute, and why.
const DIFFERENCES: [(&str, &str, &str); 11] = [
    ("", "region", "6 has it, 3.39 does not"),
    (
        "",
        "name_prefix",
        "computed since 4: nobody knows it before the object is there, and it is empty where nobody set it",
    ),
    (
        "aws_iam_policy",
        "attachment_count",
        "6 has it, 3.39 does not",
    ),
    (
        "aws_ecr_repository",
        "force_delete",
        "6 has it, 3.39 does not",
    ),
    (
        "aws_ecr_repository",
        "image_tag_mutability_exclusion_filter",
        "6 has it, 3.39 does not",
    ),
    ("aws_iam_policy", "policy_id", "AWS draws it"),
    ("aws_iam_role", "unique_id", "AWS draws it"),
    (
        "aws_iam_role",
        "create_date",
        "the two are made at different times",
    ),
    (
        "aws_iam_role",
        "inline_policy",
        "3.39 stores an empty block where there is none, 6 stores none",
    ),
    (
        "aws_iam_role",
        "permissions_boundary",
        "6 stores an empty text where there is none, 3.39 nothing",
    ),
    (
        "aws_iam_role_policy_attachment",
        "id",
        "3.39 drew one, 6 has role and policy, by which it imports",
    ),
];

const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "endpoint" {
  type = string
}

variable "path" {
  type    = string
  default = "/"
}

variable "description" {
  type    = string
  default = "Works orders"
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true

  endpoints {
    cloudwatch = var.endpoint
    ecr        = var.endpoint
    iam        = var.endpoint
    sts        = var.endpoint
  }
}

resource "aws_iam_role" "worker" {
  name        = "worker"
  description = var.description

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })

  tags = {
    team = "orders"
  }
}

resource "aws_iam_policy" "read" {
  name = "read"
  path = var.path

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["dynamodb:GetItem"]
      Resource = "*"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "read" {
  role       = aws_iam_role.worker.name
  policy_arn = aws_iam_policy.read.arn
}

resource "aws_iam_role_policy" "write" {
  name = "write"
  role = aws_iam_role.worker.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = "*"
    }]
  })
}

resource "aws_iam_openid_connect_provider" "github" {
  url             = "https://token.actions.githubusercontent.com"
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
}

resource "aws_ecr_repository" "orders" {
  name = "orders"
}

resource "aws_ecr_lifecycle_policy" "orders" {
  repository = aws_ecr_repository.orders.name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Left over"
      selection = {
        tagStatus   = "untagged"
        countType   = "sinceImagePushed"
        countUnit   = "days"
        countNumber = 7
      }
      action = { type = "expire" }
    }]
  })
}

resource "aws_ecr_repository_policy" "orders" {
  repository = aws_ecr_repository.orders.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["ecr:BatchGetImage"]
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "errors"
  alarm_description   = var.description
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  metric_name         = "Errors"
  namespace           = "AWS/Lambda"
  period              = 60
  statistic           = "Sum"
  threshold           = 0

  dimensions = {
    FunctionName = "orders"
  }
}
"#;

/// One program with its own provider, its own directory and its own AWS.
struct Side {
    project: Project,
    terraform: bool,
    aws: Aws,
}

impl Side {
    fn terrace() -> Option<Self> {
        let aws = available("moto", Aws::start())?;
        let mut project = Project::with(CONFIGURATION);
        let settings = project.outer().join("native.tfrc");
        let text =
            "provider_installation {\n  native {\n    include = [\"hashicorp/aws\"]\n  }\n}\n";
        std::fs::write(&settings, text).unwrap();
        project.set("TF_CLI_CONFIG_FILE", settings);
        project.set("TF_VAR_endpoint", aws.endpoint());
        project.terrace(&["init"]).success();
        Some(Self {
            project,
            terraform: false,
            aws,
        })
    }

    fn terraform(mirror: &Mirror) -> Option<Self> {
        let aws = available("moto", Aws::start())?;
        let mut project = Project::with(CONFIGURATION);
        project.set("TF_CLI_CONFIG_FILE", mirror.cli_config().unwrap());
        project.set("TF_VAR_endpoint", aws.endpoint());
        project.set("AWS_EC2_METADATA_DISABLED", "true");
        project
            .other("terraform", &["init", "-input=false"])
            .success();
        Some(Self {
            project,
            terraform: true,
            aws,
        })
    }

    fn run(&self, arguments: &[&str]) -> terrace_test_support::Said {
        if self.terraform {
            self.project.other("terraform", arguments).success()
        } else {
            self.project.terrace(arguments).success()
        }
    }

    /// What is planned of each object.
    fn plan(&self) -> BTreeMap<String, Value> {
        self.run(&["plan", "-input=false", "-out=plan"]);
        let plan = self.run(&["show", "-json", "plan"]).json();
        let changes = plan["resource_changes"].as_array().unwrap();
        changes
            .iter()
            .map(|change| {
                let address = change["address"].as_str().unwrap().to_owned();
                (address, change["change"].clone())
            })
            .collect()
    }

    fn apply(&self) {
        self.run(&["apply", "-input=false", "plan"]);
    }

    /// The attributes of each object in the state.
    fn state(&self) -> BTreeMap<String, Value> {
        let state = self.project.state();
        let resources = state["resources"].as_array().unwrap();
        resources
            .iter()
            .map(|resource| {
                let address = format!(
                    "{}.{}",
                    resource["type"].as_str().unwrap(),
                    resource["name"].as_str().unwrap()
                );
                (address, resource["instances"][0]["attributes"].clone())
            })
            .collect()
    }

    fn unchanged(&self) {
        self.run(&["plan", "-input=false", "-detailed-exitcode"])
            .says("No changes.");
    }
}

/// Every difference between the two that has no reason.
fn compare(what: &str, ours: &BTreeMap<String, Value>, theirs: &BTreeMap<String, Value>) {
    let addresses: Vec<&String> = ours.keys().collect();
    assert_eq!(addresses, theirs.keys().collect::<Vec<_>>(), "{what}");
    let mut found = Vec::new();
    for (address, ours) in ours {
        differences(address, "", ours, &theirs[address], &mut found);
    }
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

fn differences(address: &str, path: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    let name = path.rsplit('.').next().unwrap_or_default();
    let type_name = address.split('.').next().unwrap_or_default();
    let known = DIFFERENCES
        .iter()
        .any(|(of, attribute, _)| (of.is_empty() || *of == type_name) && *attribute == name);
    if ours == theirs || known {
        return;
    }
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let names = ours.keys().chain(theirs.keys());
            let names: std::collections::BTreeSet<&String> = names.collect();
            for name in names {
                let (ours, theirs) = (ours.get(name), theirs.get(name));
                let null = &Value::Null;
                let path = format!("{path}.{name}");
                differences(
                    address,
                    &path,
                    ours.unwrap_or(null),
                    theirs.unwrap_or(null),
                    found,
                );
            }
        }
        _ => found.push(format!(
            "{address}{path}: {ours}, and hashicorp/aws says {theirs}"
        )),
    }
}

#[test]
fn plans_and_states_are_those_of_the_plugin() {
    if !has_terraform() {
        println!("SKIPPED: terraform is not installed");
        return;
    }
    let Some(mirror) = available("aws", Mirror::new().and_then(Mirror::with_aws)) else {
        return;
    };
    let (Some(mut ours), Some(mut theirs)) = (Side::terrace(), Side::terraform(&mirror)) else {
        return;
    };
    let steps = [
        ("made", "", ""),
        ("changed", "TF_VAR_description", "Works all orders"),
        ("replaced", "TF_VAR_path", "/orders/"),
    ];
    // At CI's size the plugin, which takes seconds to start, is asked for the first step alone.
    let count = if in_full_size("updating and replacing beside hashicorp/aws 3.39.0") {
        steps.len()
    } else {
        1
    };
    for (step, variable, value) in steps.into_iter().take(count) {
        if !variable.is_empty() {
            ours.project.set(variable, value);
            theirs.project.set(variable, value);
        }
        compare(&format!("plan, {step}"), &ours.plan(), &theirs.plan());
        ours.apply();
        theirs.apply();
        ours.unchanged();
        theirs.unchanged();
        compare(&format!("state, {step}"), &ours.state(), &theirs.state());
        println!(
            "EVIDENCE | native aws beside 3.39.0 | {step} | {} objects | equal |",
            ours.state().len()
        );
    }
    // Each goes on with the state of the other, over the same AWS.
    let (native, plugin) = (
        ours.project.read("terraform.tfstate"),
        theirs.project.read("terraform.tfstate"),
    );
    let (ours_at, theirs_at) = (ours.aws.endpoint(), theirs.aws.endpoint());
    ours.project.set("TF_VAR_endpoint", theirs_at);
    theirs.project.set("TF_VAR_endpoint", ours_at);
    ours.project.write("terraform.tfstate", plugin);
    theirs.project.write("terraform.tfstate", native);
    ours.unchanged();
    theirs.unchanged();
    println!(
        "EVIDENCE | native aws beside 3.39.0 | each takes over the other's state | {} objects | no changes |",
        ours.state().len()
    );
    ours.run(&["destroy", "-auto-approve"]);
    theirs.run(&["destroy", "-auto-approve"]);
}

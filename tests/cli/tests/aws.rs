//! hashicorp/aws 3.39.0 through the command line, against moto.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

mod beside;

use std::io::Write as _;

use beside::{Beside, with_actions};
use terrace_test_services::{Mirror, Moto};
use terrace_test_support::{Project, available, has_terraform, in_full_size};

const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "3.39.0"
    }
  }
}

variable "endpoint" {
  type = string
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  s3_force_path_style         = true
  max_retries                 = 1
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
  skip_get_ec2_platforms      = true

  endpoints {
    s3       = var.endpoint
    dynamodb = var.endpoint
    ssm      = var.endpoint
    ecr      = var.endpoint
    sts      = var.endpoint
  }
}

variable "mutability" {
  type    = string
  default = "MUTABLE"
}

resource "aws_s3_bucket" "artifacts" {
  bucket = "terrace-artifacts"

  versioning {
    enabled = true
  }

  tags = {
    owner = "terrace"
  }
}

resource "aws_dynamodb_table" "orders" {
  name         = "orders"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_ssm_parameter" "settings" {
  for_each = {
    bucket = aws_s3_bucket.artifacts.bucket
    table  = aws_dynamodb_table.orders.arn
    secret = "correct horse battery staple"
  }

  name  = "/shop/${each.key}"
  type  = each.key == "secret" ? "SecureString" : "String"
  value = each.value
}

resource "aws_ecr_repository" "images" {
  name                 = "shop/images"
  image_tag_mutability = var.mutability
}

output "repository" {
  value = aws_ecr_repository.images.repository_url
}
"#;

/// The provider's mirror, the server that stands for AWS, and a project that uses both.
fn project(configuration: &str) -> Option<(Mirror, Moto, Project)> {
    let mirror = available("aws", Mirror::new().and_then(Mirror::with_aws))?;
    let moto = available("moto", Moto::start())?;
    let mut project = Project::with(configuration);
    project.set("TF_CLI_CONFIG_FILE", mirror.cli_config().unwrap());
    project.set("AWS_EC2_METADATA_DISABLED", "true");
    project.set("TF_VAR_endpoint", moto.endpoint());
    Some((mirror, moto, project))
}

#[test]
fn aws_from_init_to_destroy() {
    let Some((_mirror, _moto, mut project)) = project(CONFIGURATION) else {
        return;
    };

    project.terrace(&["init"]).success();
    assert!(project.read(".terraform.lock.hcl").contains("\"h1:"));
    let planned = project.terrace(&["plan", "-detailed-exitcode"]).fails(2);
    planned
        .says("Plan: 6 to add, 0 to change, 0 to destroy.")
        .omits("correct horse");
    let applied = project.terrace(&["apply", "-auto-approve"]).success();
    applied
        .says("Resources: 6 added, 0 changed, 0 destroyed.")
        .omits("correct horse");
    project
        .terrace(&["plan", "-detailed-exitcode"])
        .success()
        .says("No changes.");

    let versioning = &project.state()["resources"];
    let bucket = versioning
        .as_array()
        .unwrap()
        .iter()
        .find(|resource| resource["type"] == "aws_s3_bucket")
        .unwrap();
    assert_eq!(
        bucket["instances"][0]["attributes"]["versioning"][0]["enabled"],
        true
    );

    project.set("TF_VAR_mutability", "IMMUTABLE");
    let changed = project.terrace(&["apply", "-auto-approve"]).success();
    changed.says("Resources: 0 added, 1 changed, 0 destroyed.");
    project
        .terrace(&["plan", "-detailed-exitcode"])
        .success()
        .says("No changes.");

    project
        .terrace(&["destroy", "-auto-approve"])
        .success()
        .says("6 destroyed");
    assert!(project.instances().is_empty());
    project
        .terrace(&["plan", "-detailed-exitcode"])
        .fails(2)
        .says("Plan: 6 to add");
}

#[test]
fn terraform_goes_on_with_the_state_of_aws_and_back() {
    let Some((_mirror, _moto, mut project)) = project(CONFIGURATION) else {
        return;
    };
    if !has_terraform() {
        eprintln!("SKIPPED: terraform is not installed");
        return;
    }
    project.terrace(&["init"]).success();
    project.terrace(&["apply", "-auto-approve"]).success();
    let lock = project.read(".terraform.lock.hcl");

    // Terraform finds nothing to do, and changes something.
    project
        .other("terraform", &["init", "-input=false"])
        .success();
    let schemas = ["providers", "schema", "-json"];
    let ours = project.terrace(&schemas).success().stdout;
    assert!(
        ours == project.other("terraform", &schemas).success().stdout,
        "both tell the same schemas"
    );
    assert_eq!(
        project.read(".terraform.lock.hcl"),
        lock,
        "both write the same lock file"
    );
    let plan = ["plan", "-input=false", "-detailed-exitcode"];
    project
        .other("terraform", &plan)
        .success()
        .says("No changes.");
    project.set("TF_VAR_mutability", "IMMUTABLE");
    let apply = ["apply", "-input=false", "-auto-approve"];
    project
        .other("terraform", &apply)
        .success()
        .says("0 added, 1 changed, 0 destroyed");

    // Terrace finds nothing to do, and changes it back; Terraform agrees and destroys it all.
    project
        .terrace(&["plan", "-detailed-exitcode"])
        .success()
        .says("No changes.");
    project.set("TF_VAR_mutability", "MUTABLE");
    project
        .terrace(&["apply", "-auto-approve"])
        .success()
        .says("0 added, 1 changed, 0 destroyed");
    project
        .other("terraform", &plan)
        .success()
        .says("No changes.");
    project
        .other("terraform", &["destroy", "-input=false", "-auto-approve"])
        .success();
    assert!(project.instances().is_empty());
    project
        .terrace(&["plan", "-destroy", "-detailed-exitcode"])
        .success()
        .says("No changes.");
}

/// The story's project.
fn story() -> Option<(Beside, Mirror, Moto)> {
    if !in_full_size("the story on aws") {
        return None;
    }
    let (mirror, moto, project) = project(include_str!("aws/story.tf"))?;
    let mut archive = Vec::new();
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(&mut archive));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file("index.js", options).unwrap();
    writer
        .write_all(b"exports.handler = async () => 'ok'")
        .unwrap();
    writer.finish().unwrap();
    project.write("worker.zip", &archive);
    Some((
        Beside::new(project, "hashicorp/aws", "3.39.0"),
        mirror,
        moto,
    ))
}

/// Objects that are imported, and their ids.
const IMPORTS: &[(&str, &str)] = &[
    ("aws_s3_bucket.artifacts", "terrace-artifacts"),
    ("aws_dynamodb_table.orders", "orders-b"),
    ("aws_ssm_parameter.settings[\"bucket\"]", "/shop/bucket"),
    ("aws_iam_role.worker", "worker"),
    ("aws_cloudwatch_log_group.worker", "/aws/lambda/worker"),
    ("aws_cloudwatch_event_rule.nightly", "nightly"),
];

#[test]
fn the_story_is_created_changed_replaced_imported_and_destroyed() {
    let Some((mut story, _mirror, _moto)) = story() else {
        return;
    };
    let plan = story.plan("create", &[]);
    assert_eq!(with_actions(&plan, &["create"]).len(), 20);
    story.apply("Resources: 20 added, 0 changed, 0 destroyed.");
    story.plan("plan anew", &[]);

    story.project.set("TF_VAR_revision", "2");
    let plan = story.plan("change", &[]);
    assert!(with_actions(&plan, &["create"]).is_empty());
    let changed = with_actions(&plan, &["update"]);
    assert_eq!(changed.len(), 11, "{changed:?}");
    // The policy turns out to stay as it is, once its document has been read.
    story.apply("Resources: 0 added, 10 changed, 0 destroyed.");

    story.project.set("TF_VAR_suffix", "b");
    let plan = story.plan("replace", &[]);
    assert_eq!(
        with_actions(&plan, &["delete", "create"]),
        ["aws_dynamodb_table.orders"]
    );
    story.apply("Resources: 1 added, 2 changed, 1 destroyed.");

    let mut imports = String::new();
    for (address, id) in IMPORTS {
        story.project.terrace(&["state", "rm", address]).success();
        imports = format!("{imports}import {{\n  to = {address}\n  id = {id:?}\n}}\n");
    }
    story.project.write("imports.tf", imports);
    let plan = story.plan("import blocks", &[]);
    assert!(with_actions(&plan, &["create"]).is_empty());
    assert!(with_actions(&plan, &["delete", "create"]).is_empty());
    story.apply("Resources: 6 imported, 0 added");
    story.import(IMPORTS);
    let plan = story.plan("after the command", &[]);
    assert!(with_actions(&plan, &["create"]).is_empty());
    story.apply("Resources: 0 added");

    story.terraform_goes_on(("TF_VAR_revision", "3"), "0 added, 8 changed, 0 destroyed");

    let plan = story.plan("destroy", &["-destroy"]);
    assert_eq!(with_actions(&plan, &["delete"]).len(), 20);
    story.destroy("20 destroyed");
    story.finish();
}

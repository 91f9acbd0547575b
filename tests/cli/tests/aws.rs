//! hashicorp/aws 3.39.0 through the command line, against moto.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use terrace_test_services::{Mirror, Moto};
use terrace_test_support::{Project, available};

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
fn project() -> Option<(Mirror, Moto, Project)> {
    let mirror = available("aws", Mirror::new().and_then(Mirror::with_aws))?;
    let moto = available("moto", Moto::start())?;
    let mut project = Project::with(CONFIGURATION);
    project.set("TF_CLI_CONFIG_FILE", mirror.cli_config().unwrap());
    project.set("AWS_EC2_METADATA_DISABLED", "true");
    project.set("TF_VAR_endpoint", moto.endpoint());
    Some((mirror, moto, project))
}

#[test]
fn aws_from_init_to_destroy() {
    let Some((_mirror, _moto, mut project)) = project() else {
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
    let Some((_mirror, _moto, mut project)) = project() else {
        return;
    };
    if !std::process::Command::new("terraform")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success())
    {
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

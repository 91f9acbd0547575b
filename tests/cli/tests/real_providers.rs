//! Providers that nobody here wrote, through the command line: null 2.1.2 and time 0.14.2 from a mirror.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::process::Command;

use terrace_test_services::Mirror;
use terrace_test_support::{Project, available};

const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    null = {
      source  = "hashicorp/null"
      version = "2.1.2"
    }
    time = {
      source  = "hashicorp/time"
      version = "~> 0.14"
    }
  }
}

variable "trigger" {
  type    = string
  default = "one"
}

resource "null_resource" "each" {
  for_each = toset(["a", "b"])
  triggers = {
    name    = each.key
    trigger = var.trigger
  }
}

data "null_data_source" "values" {
  inputs = {
    first = null_resource.each["a"].id
  }
}

resource "time_static" "now" {
  triggers = {
    both = "${null_resource.each["a"].id} ${null_resource.each["b"].id}"
  }
}

resource "time_offset" "later" {
  base_rfc3339 = time_static.now.rfc3339
  offset_days  = 7
}

output "later" {
  value = time_offset.later.rfc3339
}

output "first" {
  value = data.null_data_source.values.outputs["first"]
}
"#;

/// A project that takes its providers from the mirror.
fn project(mirror: &Mirror) -> Project {
    let mut project = Project::with(CONFIGURATION);
    project.set("TF_CLI_CONFIG_FILE", mirror.cli_config().unwrap());
    project
}

fn mirror() -> Option<Mirror> {
    available(
        "null and time",
        Mirror::new().and_then(Mirror::with_small_providers),
    )
}

#[test]
fn null_and_time_from_init_to_destroy() {
    let Some(mirror) = mirror() else { return };
    let project = project(&mirror);
    project
        .terrace(&["init"])
        .success()
        .says("successfully initialized");
    let lock = project.read(".terraform.lock.hcl");
    assert!(
        lock.contains("registry.terraform.io/hashicorp/null\" {\n  version     = \"2.1.2\""),
        "{lock}"
    );
    assert!(
        lock.contains("registry.terraform.io/hashicorp/time\" {\n  version     = \"0.14.2\""),
        "{lock}"
    );
    assert_eq!(lock.matches("\"h1:").count(), 2, "{lock}");

    project
        .terrace(&["plan", "-detailed-exitcode"])
        .fails(2)
        .says("Plan: 4 to add, 0 to change, 0 to destroy.");
    project
        .terrace(&["apply", "-auto-approve"])
        .success()
        .says("Resources: 4 added, 0 changed, 0 destroyed.");
    project
        .terrace(&["plan", "-detailed-exitcode"])
        .success()
        .says("No changes.");

    let replaced = project
        .terrace(&["apply", "-auto-approve", "-var", "trigger=two"])
        .success();
    replaced.says("Resources: 3 added, 1 changed, 3 destroyed.");
    project
        .terrace(&["plan", "-detailed-exitcode", "-var", "trigger=two"])
        .success();
    project.terrace(&["plan", "-detailed-exitcode"]).fails(2);

    project.terrace(&["init"]).success();
    assert_eq!(
        project.read(".terraform.lock.hcl"),
        lock,
        "a second init changes nothing"
    );
    project
        .terrace(&["destroy", "-auto-approve", "-var", "trigger=two"])
        .success()
        .says("4 destroyed");
    assert!(project.instances().is_empty());
}

#[test]
fn terraform_goes_on_with_the_state_and_back() {
    let Some(mirror) = mirror() else { return };
    if !Command::new("terraform")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        eprintln!("SKIPPED: terraform is not installed");
        return;
    }
    let project = project(&mirror);
    project.terrace(&["init"]).success();
    project.terrace(&["apply", "-auto-approve"]).success();
    let ours = project.read("terraform.tfstate");
    let lock = project.read(".terraform.lock.hcl");

    project
        .other("terraform", &["init", "-input=false"])
        .success();
    assert_eq!(
        project.read(".terraform.lock.hcl"),
        lock,
        "both write the same lock file"
    );
    let planned = project.other("terraform", &["plan", "-input=false", "-detailed-exitcode"]);
    planned.success().says("No changes.");
    project
        .other(
            "terraform",
            &[
                "apply",
                "-input=false",
                "-auto-approve",
                "-var",
                "trigger=two",
            ],
        )
        .success();
    assert_ne!(project.read("terraform.tfstate"), ours);

    project
        .terrace(&["plan", "-detailed-exitcode", "-var", "trigger=two"])
        .success()
        .says("No changes.");
    project
        .terrace(&["apply", "-auto-approve", "-var", "trigger=three"])
        .success();
    let planned = project.other(
        "terraform",
        &[
            "plan",
            "-input=false",
            "-detailed-exitcode",
            "-var",
            "trigger=three",
        ],
    );
    planned.success().says("No changes.");
    project
        .other("terraform", &["destroy", "-input=false", "-auto-approve"])
        .success();
    project
        .terrace(&["plan", "-destroy", "-detailed-exitcode"])
        .success()
        .says("No changes.");
}

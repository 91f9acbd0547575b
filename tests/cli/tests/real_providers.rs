//! Providers that nobody here wrote, through the command line: null 2.1.2, and today's time, random, local, tls and http.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::process::Command;

use serde_json::Value;
use terrace_test_services::{Mirror, Reply, Web};
use terrace_test_support::{Project, available, in_full_size};

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
        println!("SKIPPED: terraform is not installed");
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

/// What Terraform says of the schemas of the same providers, where it is there.
fn schemas_of_terraform(project: &Project) -> Option<String> {
    if !Command::new("terraform")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        println!("SKIPPED: terraform is not installed");
        return None;
    }
    project
        .other("terraform", &["init", "-input=false"])
        .success();
    let told = project
        .other("terraform", &["providers", "schema", "-json"])
        .success();
    Some(told.stdout)
}

#[test]
fn schemas_are_told_as_terraform_tells_them() {
    let Some(mirror) = mirror() else { return };
    let project = project(&mirror);
    project.terrace(&["init"]).success();
    let ours = project
        .terrace(&["providers", "schema", "-json"])
        .success()
        .stdout;
    // What is kept on disk has no descriptions, and is not what is told.
    project.terrace(&["validate"]).success();
    let again = project
        .terrace(&["providers", "schema", "-json"])
        .success()
        .stdout;
    assert_eq!(ours, again);
    if let Some(theirs) = schemas_of_terraform(&project) {
        assert!(ours == theirs, "{ours}\n{theirs}");
    }
}

#[test]
fn schemas_are_remembered_and_providers_start_when_they_have_something_to_do() {
    let Some(mirror) = mirror() else { return };
    let mut project = project(&mirror);
    project.set("TERRACE_CACHE_DIR", project.outer().join("cache"));
    project.terrace(&["init"]).success();
    project.terrace(&["apply", "-auto-approve"]).success();
    project.set("TF_LOG", "debug");
    let n_starts = |arguments: &[&str]| {
        let told = project.terrace(arguments).success().all();
        told.matches("was started").count()
    };
    assert_eq!(n_starts(&["show"]), 0);
    assert_eq!(n_starts(&["show", "-json"]), 0);
    assert_eq!(n_starts(&["plan"]), 2, "one process for each provider");
    std::fs::remove_dir_all(project.outer().join("cache/schemas")).unwrap();
    assert_eq!(n_starts(&["show", "-json"]), 2, "nothing is remembered");
    assert_eq!(n_starts(&["show", "-json"]), 0);
}

/// A round of a provider: the revisions of a configuration with what applying each one says.
struct Round {
    provider: &'static str,
    configuration: &'static str,
    revisions: &'static [&'static str],
    /// Addresses, and the attributes whose values are their ids for import.
    imports: &'static [(&'static str, &'static str)],
    destroyed: &'static str,
}

/// A project that takes null, time and the named providers from a mirror.
fn current(providers: &[&str]) -> Option<(Mirror, Project)> {
    let mirror = Mirror::new()
        .and_then(Mirror::with_small_providers)
        .and_then(|mirror| mirror.with_current(providers));
    let mirror = available(&providers.join(", "), mirror)?;
    let mut project = Project::new();
    project.set("TF_CLI_CONFIG_FILE", mirror.cli_config().unwrap());
    Some((mirror, project))
}

fn unchanged(project: &Project) {
    let plan = ["plan", "-detailed-exitcode"];
    project.terrace(&plan).success().says("No changes.");
}

impl Round {
    /// Creates, changes, replaces, imports and destroys.
    fn go(&self) {
        if !in_full_size(self.provider) {
            return;
        }
        let others: Vec<&str> = [self.provider]
            .into_iter()
            .filter(|name| *name != "time")
            .collect();
        let Some((_mirror, mut project)) = current(&others) else {
            return;
        };
        project.write("main.tf", self.configuration);
        project.write(
            "variables.tf",
            "variable \"revision\" {\n  type = number\n}\n",
        );
        project.terrace(&["init"]).success();
        for (index, summary) in self.revisions.iter().enumerate() {
            project.set("TF_VAR_revision", (index + 1).to_string());
            let apply = ["apply", "-auto-approve"];
            project.terrace(&apply).success().says(summary);
            unchanged(&project);
        }
        let before = project.instances();
        let mut imports = String::new();
        for (address, attribute) in self.imports {
            let found = before.iter().find(|(known, _)| known == address);
            let id = found.unwrap().1[attribute].as_str().unwrap().to_owned();
            project.terrace(&["state", "rm", address]).success();
            imports = format!("{imports}import {{\n  to = {address}\n  id = {id:?}\n}}\n");
        }
        project.write("imports.tf", imports);
        project.terrace(&["apply", "-auto-approve"]).success();
        assert_eq!(project.instances(), before);
        let destroy = ["destroy", "-auto-approve"];
        project.terrace(&destroy).success().says(self.destroyed);
        assert!(project.instances().is_empty());
    }
}

#[test]
fn a_round_of_time() {
    let round = Round {
        provider: "time",
        configuration: r#"
resource "time_static" "epoch" {
  rfc3339 = "2026-01-0${var.revision < 3 ? 1 : 2}T00:00:00Z"
}

resource "time_offset" "later" {
  base_rfc3339 = time_static.epoch.rfc3339
  offset_days  = var.revision
}

resource "time_sleep" "short" {
  create_duration = "${var.revision * 10}ms"
  triggers = {
    later = time_static.epoch.rfc3339
  }
}
"#,
        revisions: &[
            "3 added, 0 changed, 0 destroyed",
            "0 added, 2 changed, 0 destroyed",
            "2 added, 1 changed, 2 destroyed",
        ],
        imports: &[("time_static.epoch", "rfc3339")],
        destroyed: "3 destroyed",
    };
    round.go();
}

#[test]
fn a_round_of_random() {
    let round = Round {
        provider: "random",
        configuration: r#"
resource "random_pet" "name" {
  length = var.revision < 3 ? 2 : 3
}

resource "random_string" "text" {
  length  = 12
  special = var.revision > 1
  keepers = {
    pet = random_pet.name.id
  }
}

resource "random_password" "secret" {
  length = 20
}

resource "random_integer" "number" {
  min  = 1
  max  = 10 * var.revision
  seed = "seed"
}

resource "random_uuid" "id" {
}

resource "random_shuffle" "order" {
  input = ["a", "b", "c"]
  seed  = "seed"
}
"#,
        revisions: &[
            "6 added, 0 changed, 0 destroyed",
            "2 added, 0 changed, 2 destroyed",
            "3 added, 0 changed, 3 destroyed",
        ],
        imports: &[
            ("random_uuid.id", "result"),
            ("random_password.secret", "result"),
        ],
        destroyed: "6 destroyed",
    };
    round.go();
}

#[test]
fn a_round_of_local() {
    let round = Round {
        provider: "local",
        configuration: r#"
resource "local_file" "text" {
  filename = "${path.module}/out/text"
  content  = "revision ${var.revision}"
}

resource "local_sensitive_file" "secret" {
  filename        = "${path.module}/out/secret"
  content         = "secret"
  file_permission = var.revision < 3 ? "0600" : "0400"
}

data "local_file" "text" {
  filename = local_file.text.filename
}

output "text" {
  value = data.local_file.text.content
}
"#,
        revisions: &[
            "2 added, 0 changed, 0 destroyed",
            "1 added, 0 changed, 1 destroyed",
            "2 added, 0 changed, 2 destroyed",
        ],
        imports: &[],
        destroyed: "2 destroyed",
    };
    round.go();
}

#[test]
fn a_round_of_tls() {
    let round = Round {
        provider: "tls",
        configuration: r#"
resource "tls_private_key" "key" {
  algorithm   = "ECDSA"
  ecdsa_curve = var.revision < 3 ? "P256" : "P384"
}

resource "tls_self_signed_cert" "root" {
  private_key_pem       = tls_private_key.key.private_key_pem
  validity_period_hours = 48
  early_renewal_hours   = var.revision
  is_ca_certificate     = true
  allowed_uses          = ["cert_signing"]

  subject {
    common_name = "root"
  }
}

resource "tls_cert_request" "leaf" {
  private_key_pem = tls_private_key.key.private_key_pem
  dns_names       = ["leaf.test"]

  subject {
    common_name = "leaf"
  }
}

resource "tls_locally_signed_cert" "leaf" {
  cert_request_pem      = tls_cert_request.leaf.cert_request_pem
  ca_private_key_pem    = tls_private_key.key.private_key_pem
  ca_cert_pem           = tls_self_signed_cert.root.cert_pem
  validity_period_hours = 24
  allowed_uses          = ["server_auth"]
}

data "tls_public_key" "key" {
  private_key_pem = tls_private_key.key.private_key_pem
}

output "fingerprint" {
  value = data.tls_public_key.key.public_key_fingerprint_sha256
}
"#,
        revisions: &[
            "4 added, 0 changed, 0 destroyed",
            "0 added, 1 changed, 0 destroyed",
            "4 added, 0 changed, 4 destroyed",
        ],
        imports: &[],
        destroyed: "4 destroyed",
    };
    round.go();
}

#[test]
fn a_round_of_http() {
    if !in_full_size("http") {
        return;
    }
    let Some((_mirror, mut project)) = current(&["http"]) else {
        return;
    };
    let web = Web::start().unwrap();
    web.on("/page", Reply::of("a page"));
    project.write(
        "main.tf",
        r#"
variable "url" {
  type = string
}

data "http" "page" {
  url = "${var.url}/page"

  request_headers = {
    Accept = "text/plain"
  }

  lifecycle {
    postcondition {
      condition     = self.status_code == 200
      error_message = "The page is not there."
    }
  }
}

output "body" {
  value = data.http.page.response_body
}
"#,
    );
    project.set("TF_VAR_url", web.url(""));
    project.terrace(&["init"]).success();
    project.terrace(&["apply", "-auto-approve"]).success();
    let said = project.terrace(&["output", "-json"]).success();
    assert_eq!(said.json()["body"]["value"], Value::from("a page"));
    project.terrace(&["destroy", "-auto-approve"]).success();
}

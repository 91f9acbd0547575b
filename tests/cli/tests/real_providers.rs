//! Providers that nobody here wrote, through the command line: null 2.1.2, and today's time, random, local, tls and http.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

mod beside;

use std::{thread::sleep, time::Duration};

use beside::Beside;
use serde_json::Value;
use terrace_test_services::{Mirror, Reply, Web};
use terrace_test_support::{Project, available, has_terraform, in_full_size};

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

    // `time_static` counts in seconds: one that is replaced within its second has the same value
    // again, and what depends on it does not change.
    sleep(Duration::from_millis(1100));
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
    if !has_terraform() {
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
    if !has_terraform() {
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
    version: &'static str,
    configuration: &'static str,
    revisions: &'static [&'static str],
    /// Addresses, and the attributes whose values are their ids for import.
    imports: &'static [(&'static str, &'static str)],
    /// What applying the first revision again says.
    back: &'static str,
    destroyed: &'static str,
}

const VARIABLE: &str = "variable \"revision\" {\n  type = number\n}\n";

/// A project that takes null, time and the named provider from a mirror.
fn current(provider: &str) -> Option<(Mirror, Project)> {
    let others: Vec<&str> = [provider]
        .into_iter()
        .filter(|name| *name != "time")
        .collect();
    let mirror = Mirror::new()
        .and_then(Mirror::with_small_providers)
        .and_then(|mirror| mirror.with_current(&others));
    let mirror = available(provider, mirror)?;
    let mut project = Project::new();
    project.set("TF_CLI_CONFIG_FILE", mirror.cli_config().unwrap());
    Some((mirror, project))
}

/// What the attribute of a stored instance says.
fn id_of(project: &Project, address: &str, attribute: &str) -> String {
    let instances = project.instances();
    let found = instances.iter().find(|(known, _)| known == address);
    found.unwrap().1[attribute].as_str().unwrap().to_owned()
}

impl Round {
    /// Creates, changes, replaces, imports and destroys.
    fn go(&self) {
        if !in_full_size(self.provider) {
            return;
        }
        let Some((_mirror, mut project)) = current(self.provider) else {
            return;
        };
        project.write("main.tf", self.configuration);
        project.write("variables.tf", VARIABLE);
        project.set("TF_VAR_revision", "1");
        let provider = format!("hashicorp/{}", self.provider);
        let mut round = Beside::new(project, &provider, self.version);
        for (index, summary) in self.revisions.iter().enumerate() {
            let revision = (index + 1).to_string();
            round.project.set("TF_VAR_revision", &revision);
            round.plan(&format!("revision {revision}"), &[]);
            round.apply(summary);
        }
        round.plan("plan anew", &[]);
        self.import(&mut round);
        round.terraform_goes_on(("TF_VAR_revision", "1"), self.back);
        round.plan("destroy", &["-destroy"]);
        round.destroy(self.destroyed);
        round.finish();
    }

    fn import(&self, round: &mut Beside) {
        if self.imports.is_empty() {
            return;
        }
        let before = round.project.instances();
        let mut ids = Vec::new();
        let mut imports = String::new();
        for (address, attribute) in self.imports {
            let id = id_of(&round.project, address, attribute);
            round.project.terrace(&["state", "rm", address]).success();
            imports = format!("{imports}import {{\n  to = {address}\n  id = {id:?}\n}}\n");
            ids.push((*address, id));
        }
        round.project.write("imports.tf", imports);
        round.plan("import blocks", &[]);
        round.apply(&format!("{} imported", ids.len()));
        assert_eq!(round.project.instances(), before);
        let ids: Vec<(&str, &str)> = ids.iter().map(|(address, id)| (*address, &**id)).collect();
        round.import(&ids);
        round.plan("after the command", &[]);
        round.apply("0 added");
    }
}

const TIME: &str = r#"
resource "time_static" "epoch" {
  rfc3339  = "2026-01-0${var.revision < 3 ? 1 : 2}T00:00:00Z"
  triggers = {}
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
"#;

#[test]
fn a_round_of_time() {
    let round = Round {
        provider: "time",
        version: "0.14.2",
        configuration: TIME,
        revisions: &[
            "3 added, 0 changed, 0 destroyed",
            "0 added, 2 changed, 0 destroyed",
            "2 added, 1 changed, 2 destroyed",
        ],
        imports: &[("time_static.epoch", "rfc3339")],
        back: "2 added, 1 changed, 2 destroyed",
        destroyed: "3 destroyed",
    };
    round.go();
}

const RANDOM: &str = r#"
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

resource "random_id" "bytes" {
  byte_length = 4
}

resource "random_shuffle" "order" {
  input = ["a", "b", "c"]
  seed  = "seed"
}
"#;

#[test]
fn a_round_of_random() {
    let round = Round {
        provider: "random",
        version: "3.99.0",
        configuration: RANDOM,
        revisions: &[
            "7 added, 0 changed, 0 destroyed",
            "2 added, 0 changed, 2 destroyed",
            "3 added, 0 changed, 3 destroyed",
        ],
        imports: &[("random_uuid.id", "result"), ("random_id.bytes", "b64_url")],
        back: "3 added, 0 changed, 3 destroyed",
        destroyed: "7 destroyed",
    };
    round.go();
}

const LOCAL: &str = r#"
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
"#;

#[test]
fn a_round_of_local() {
    let round = Round {
        provider: "local",
        version: "2.99.0",
        configuration: LOCAL,
        revisions: &[
            "2 added, 0 changed, 0 destroyed",
            "1 added, 0 changed, 1 destroyed",
            "2 added, 0 changed, 2 destroyed",
        ],
        imports: &[],
        back: "2 added, 0 changed, 2 destroyed",
        destroyed: "2 destroyed",
    };
    round.go();
}

const TLS: &str = r#"
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
"#;

#[test]
fn a_round_of_tls() {
    let round = Round {
        provider: "tls",
        version: "4.99.0",
        configuration: TLS,
        revisions: &[
            "4 added, 0 changed, 0 destroyed",
            "0 added, 1 changed, 0 destroyed",
            "4 added, 0 changed, 4 destroyed",
        ],
        imports: &[],
        back: "4 added, 0 changed, 4 destroyed",
        destroyed: "4 destroyed",
    };
    round.go();
}

const PAGE: &str = r#"
variable "url" {
  type = string
}

variable "revision" {
  type = number
}

data "http" "page" {
  url = "${var.url}/page/${var.revision}"

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
"#;

/// Pages of two revisions.
fn pages() -> Web {
    let web = Web::start().unwrap();
    for revision in ["1", "2"] {
        let page = Reply::of(format!("page {revision}"));
        web.on(&format!("/page/{revision}"), page);
    }
    web
}

#[test]
fn a_round_of_http() {
    if !in_full_size("http") {
        return;
    }
    let Some((_mirror, mut project)) = current("http") else {
        return;
    };
    let web = pages();
    project.write("main.tf", PAGE);
    project.set("TF_VAR_url", web.url(""));
    project.set("TF_VAR_revision", "1");
    let mut round = Beside::new(project, "hashicorp/http", "3.99.0");
    for revision in ["1", "2"] {
        round.project.set("TF_VAR_revision", revision);
        round.plan(&format!("revision {revision}"), &[]);
        round.apply("0 added, 0 changed, 0 destroyed");
        let said = round.project.terrace(&["output", "-json"]).success();
        let expected = Value::from(format!("page {revision}"));
        assert_eq!(said.json()["body"]["value"], expected);
    }
    round.terraform_goes_on(("TF_VAR_revision", "1"), "0 added, 0 changed, 0 destroyed");
    round.plan("destroy", &["-destroy"]);
    round.destroy("0 destroyed");
    round.finish();
}

/// The state of a native provider is the plugin's, and back: neither finds anything to do over what the other left.
fn exchange(provider: &str, configuration: &str, settings: &[(&str, &str)]) {
    if !in_full_size(provider) {
        return;
    }
    let Some((mirror, mut project)) = current(provider) else {
        return;
    };
    let plugins = mirror.cli_config().unwrap();
    let native = project.outer().join("native.tfrc");
    let include = format!("registry.terraform.io/hashicorp/{provider}");
    let text = std::fs::read_to_string(&plugins).unwrap().replacen(
        "provider_installation {",
        &format!("provider_installation {{\n  native {{\n    include = [{include:?}]\n  }}"),
        1,
    );
    std::fs::write(&native, text).unwrap();
    project.write("main.tf", configuration);
    for (name, value) in settings {
        project.set(name, value);
    }
    let told = format!("hashicorp/{provider} | native");
    let init = ["init", "-upgrade", "-input=false"];
    let plan = ["plan", "-input=false", "-detailed-exitcode"];
    let apply = ["apply", "-input=false", "-auto-approve"];

    project.set("TF_CLI_CONFIG_FILE", &native);
    project.terrace(&init).success().says("native");
    project.terrace(&apply).success();
    project.terrace(&plan).success().says("No changes.");
    let made = project.instances();
    project.set("TF_CLI_CONFIG_FILE", &plugins);
    project.terrace(&init).success().omits("native");
    project.terrace(&plan).success().says("No changes.");
    println!(
        "EVIDENCE | {told} | the plugin takes over from the native provider | none | no changes |"
    );
    if has_terraform() {
        project.other("terraform", &init).success();
        project
            .other("terraform", &plan)
            .success()
            .says("No changes.");
        println!(
            "EVIDENCE | {told} | Terraform takes over from the native provider | none | no changes |"
        );
    }
    project
        .terrace(&["apply", "-input=false", "-auto-approve", "-refresh-only"])
        .success();
    assert_eq!(project.instances(), made);

    // What the plugin makes is the native provider's.
    project
        .terrace(&["destroy", "-input=false", "-auto-approve"])
        .success();
    project.terrace(&apply).success();
    let made = project.instances();
    project.set("TF_CLI_CONFIG_FILE", &native);
    project.terrace(&init).success().says("native");
    project.terrace(&plan).success().says("No changes.");
    project
        .terrace(&["apply", "-input=false", "-auto-approve", "-refresh-only"])
        .success();
    assert_eq!(project.instances(), made);
    println!(
        "EVIDENCE | {told} | the native provider takes over from the plugin | none | no changes |"
    );
    project
        .terrace(&["destroy", "-input=false", "-auto-approve"])
        .success();
    assert!(project.instances().is_empty());
}

/// The first revision of a round's configuration.
fn first_revision(configuration: &str) -> String {
    format!("{VARIABLE}{configuration}")
}

#[test]
fn states_of_the_native_providers_are_those_of_the_plugins() {
    let revision = ("TF_VAR_revision", "1");
    for (provider, configuration) in [
        ("time", TIME),
        ("random", RANDOM),
        ("local", LOCAL),
        ("tls", TLS),
    ] {
        exchange(provider, &first_revision(configuration), &[revision]);
    }
    let web = pages();
    exchange("http", PAGE, &[revision, ("TF_VAR_url", &web.url(""))]);
}

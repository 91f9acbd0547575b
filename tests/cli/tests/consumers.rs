//! Programs of others that read what `terrace` writes, or call it: each is the real one.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use terrace_test_services::{
    Mirror, Unavailable, cdktf, checkov, conftest, opa, terragrunt, tflint,
};
use terrace_test_support::{Project, Said, available, in_full_size, terrace};

const CONFIGURATION: &str = r#"
terraform {
  required_version = ">= 1.5"
  required_providers {
    null = {
      source  = "hashicorp/null"
      version = "2.1.2"
    }
  }
}

variable "names" {
  type    = set(string)
  default = ["a", "b"]
}

resource "null_resource" "each" {
  for_each = var.names
  triggers = {
    name = each.key
  }
}

module "child" {
  source = "./child"
  name   = "c"
}

output "ids" {
  value = { for name, instance in null_resource.each : name => instance.id }
}
"#;

const CHILD: &str = r#"
terraform {
  required_version = ">= 1.5"
  required_providers {
    null = {
      source  = "hashicorp/null"
      version = "2.1.2"
    }
  }
}

variable "name" {
  type = string
}

variable "unused" {
  type    = string
  default = "x"
}

resource "null_resource" "only" {
  triggers = {
    name = var.name
  }
}
"#;

/// A tool that takes minutes to build or install is asked for in full size alone.
fn heavy<T>(what: &str, install: impl FnOnce() -> Result<T, Unavailable>) -> Option<T> {
    in_full_size(what).then(|| available(what, install()))?
}

/// Says what a tool was called with, and of how many answers how many were right; `cargo dev consumers` reads it.
fn tell(tool: &str, calls: &str, count: usize, what: &str) {
    println!("consumer | {tool} | {calls} | {count} of {count} | {what}");
}

/// A project that takes the provider null from a mirror.
fn project() -> Option<(Mirror, Project)> {
    let mirror = available("null", Mirror::new().and_then(Mirror::with_small_providers))?;
    let mut project = Project::with(CONFIGURATION);
    project.write("child/main.tf", CHILD);
    project.set("TF_CLI_CONFIG_FILE", mirror.cli_config().unwrap());
    Some((mirror, project))
}

/// The plan's document in `plan.json`, which is also returned.
fn planned(project: &Project, arguments: &[&str]) -> Value {
    let mut plan = vec!["plan", "-input=false", "-out", "plan"];
    plan.extend(arguments);
    project.terrace(&plan).success();
    let shown = project.terrace(&["show", "-json", "plan"]).success();
    project.write("plan.json", &shown.stdout);
    shown.json()
}

/// Plans with Terrace and with Terraform, and lets `judge` look at each one's document: it must say the same of both.
/// What it says, and whether there is a Terraform to compare with.
fn judged_alike<T: PartialEq + std::fmt::Debug>(
    project: &Project,
    arguments: &[&str],
    judge: impl Fn(&Project) -> T,
) -> (T, bool) {
    planned(project, arguments);
    let ours = judge(project);
    let terraform = Path::new("terraform");
    let compared = has_terraform();
    if compared {
        run(project, terraform, &["init", "-input=false"]).success();
        let mut plan = vec!["plan", "-input=false", "-out", "theirs"];
        plan.extend(arguments);
        run(project, terraform, &plan).success();
        let shown = run(project, terraform, &["show", "-json", "theirs"]).success();
        project.write("plan.json", &shown.stdout);
        assert_eq!(ours, judge(project), "what is said of Terraform's plan");
    }
    (ours, compared)
}

fn has_terraform() -> bool {
    let found = std::process::Command::new("terraform")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        println!("SKIPPED the comparison: terraform is not installed");
    }
    found
}

/// What a count is about, as [`tell`] says it.
fn alike(what: &str, compared: bool) -> String {
    if compared {
        format!("{what}, the same for Terraform's plan")
    } else {
        format!("{what}, with no Terraform to compare with")
    }
}

/// The lines of `init -json` without what differs from engine to engine and from run to run: what each is about, and what it
/// says of a provider or a module. Providers stand in no order.
fn steps(said: &Said) -> Vec<String> {
    let mut steps: Vec<String> = said
        .json_lines()
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            match &*text("type") {
                "log" => text("@message"),
                "diagnostic" => text("type") + &text("@level"),
                kind => format!("{kind} {}", text("message_code")),
            }
        })
        .collect();
    steps.sort();
    steps
}

#[test]
fn init_tells_programs_its_steps_as_terraform_does() {
    let Some((_mirror, project)) = project() else {
        return;
    };
    let again = ["init", "-input=false", "-json"];
    let first = steps(&project.terrace(&again).success());
    let second = steps(&project.terrace(&again).success());
    let says = |steps: &[String], what: &str| {
        assert!(steps.iter().any(|step| step == what), "{what}: {steps:#?}");
    };
    says(&first, "version ");
    says(&first, "init_output initializing_modules_message");
    says(&first, "- child in child");
    says(&first, "init_output initializing_provider_plugin_message");
    says(
        &first,
        "Finding matching versions for provider: hashicorp/null, version_constraint: \"2.1.2\"",
    );
    says(
        &first,
        "Installed provider version: hashicorp/null v2.1.2 (unauthenticated)",
    );
    says(&first, "init_output lock_info");
    says(
        &second,
        "hashicorp/null v2.1.2: Using previously-installed provider version",
    );
    if has_terraform() {
        for left in [".terraform", ".terraform.lock.hcl"] {
            let left = project.path().join(left);
            if left.is_dir() {
                std::fs::remove_dir_all(left).unwrap();
            } else {
                std::fs::remove_file(left).unwrap();
            }
        }
        let terraform = || steps(&run(&project, Path::new("terraform"), &again).success());
        assert_eq!(first, terraform());
        assert_eq!(second, terraform());
    }
}

#[test]
fn the_version_can_be_read_where_programs_look_for_it() {
    let Some((_mirror, project)) = project() else {
        return;
    };
    project.terrace(&["init", "-input=false"]).success();
    for asked in ["version", "-v", "-version", "--version"] {
        let said = project.terrace(&[asked]).success();
        assert!(said.stdout.starts_with("Terrace v"), "{}", said.stdout);
        assert!(said.stdout.contains("Terraform v1.11.4"), "{}", said.stdout);
        said.says("+ provider registry.terraform.io/hashicorp/null v2.1.2");
    }
    let link = project.outer().join("terraform");
    std::os::unix::fs::symlink(terrace(), &link).unwrap();
    let said = run(&project, &link, &["-version"]).success();
    assert!(
        said.stdout.starts_with("Terraform v1.11.4\non "),
        "{}",
        said.stdout
    );
    said.says("by Terrace v");
    let document = run(&project, &link, &["version", "-json"]).success().json();
    assert_eq!(document["terraform_version"], "1.11.4");
    assert_eq!(
        document["provider_selections"],
        serde_json::json!({ "registry.terraform.io/hashicorp/null": "2.1.2" })
    );
}

fn said_json(said: &str) -> Value {
    serde_json::from_str(said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn run(project: &Project, program: &Path, arguments: &[&str]) -> terrace_test_support::Ran {
    project.other(&program.to_string_lossy(), arguments)
}

/// What a plan deletes, what its modules hold, and all of the document apart from when it was made and what stands in no
/// order.
const POLICY: &str = r#"package terraform

import rego.v1

deleted contains change.address if {
  some change in input.resource_changes
  "delete" in change.change.actions
}

triggers[resource.address] := resource.values.triggers.name if {
  some resource in input.planned_values.root_module.resources
}

children contains resource.address if {
  some module in input.planned_values.root_module.child_modules
  some resource in module.resources
}

later contains name if {
  some name, change in input.output_changes
  change.after_unknown
}

sources[name] := call.source if {
  some name, call in input.configuration.root_module.module_calls
}

relevant contains attribute if {
  some attribute in input.relevant_attributes
}

document := object.remove(input, ["timestamp", "relevant_attributes"])
"#;

#[test]
fn opa_judges_a_plan() {
    let Some(opa) = available("opa", opa()) else {
        return;
    };
    let Some((_mirror, project)) = project() else {
        return;
    };
    project.write("policy.rego", POLICY);
    project.terrace(&["init", "-input=false"]).success();
    let judge = |project: &Project| {
        let arguments = [
            "eval",
            "--format",
            "json",
            "--data",
            "policy.rego",
            "--input",
            "plan.json",
            "data.terraform",
        ];
        let said = run(project, &opa, &arguments).success();
        said.json()["result"][0]["expressions"][0]["value"].clone()
    };

    let (judged, compared) = judged_alike(&project, &[], judge);
    assert_eq!(judged["deleted"], serde_json::json!([]));
    assert_eq!(
        judged["triggers"],
        serde_json::json!({ "null_resource.each[\"a\"]": "a", "null_resource.each[\"b\"]": "b" })
    );
    assert_eq!(
        judged["children"],
        serde_json::json!(["module.child.null_resource.only"])
    );
    assert_eq!(judged["later"], serde_json::json!(["ids"]));
    assert_eq!(judged["sources"], serde_json::json!({ "child": "./child" }));
    assert_eq!(judged["document"]["format_version"], "1.2");

    project
        .terrace(&["apply", "-input=false", "plan"])
        .success();
    let (second, _) = judged_alike(&project, &["-var", "names=[\"a\"]"], judge);
    assert_eq!(
        second["deleted"],
        serde_json::json!(["null_resource.each[\"b\"]"])
    );
    let rules = judged.as_object().unwrap().len() + second.as_object().unwrap().len();
    tell(
        "opa 1.22.0",
        "`opa eval --data policy.rego --input plan.json data.terraform`",
        rules,
        &alike("rules of two plans", compared),
    );
}

#[test]
fn conftest_refuses_a_plan_that_deletes() {
    let Some(conftest) = heavy("conftest", conftest) else {
        return;
    };
    let Some((_mirror, project)) = project() else {
        return;
    };
    project.write(
        "policy/main.rego",
        "package main\n\nimport rego.v1\n\ndeny contains message if {\n  some change in input.resource_changes\n  \"delete\" in change.change.actions\n  message := sprintf(\"%s would go\", [change.address])\n}\n\nwarn contains message if {\n  some change in input.resource_changes\n  \"create\" in change.change.actions\n  message := sprintf(\"%s is new, %v\", [change.address, change.change.after_unknown])\n}\n",
    );
    project.terrace(&["init", "-input=false"]).success();
    let call = [
        "test",
        "--output",
        "json",
        "--policy",
        "policy",
        "plan.json",
    ];
    let judge = |code| {
        let conftest = &conftest;
        move |project: &Project| {
            let mut said = run(project, conftest, &call).fails(code).json();
            for kind in ["warnings", "failures"] {
                if let Some(list) = said[0][kind].as_array_mut() {
                    list.sort_by_key(ToString::to_string);
                }
            }
            said
        }
    };
    let (first, compared) = judged_alike(&project, &[], judge(0));
    assert_eq!(first[0]["warnings"].as_array().unwrap().len(), 3, "{first}");
    project
        .terrace(&["apply", "-input=false", "plan"])
        .success();
    let (refused, _) = judged_alike(&project, &["-var", "names=[\"b\"]"], judge(1));
    assert_eq!(
        refused[0]["failures"][0]["msg"],
        "null_resource.each[\"a\"] would go"
    );
    tell(
        "conftest 0.71.1",
        "`conftest test --output json --policy policy plan.json`",
        4,
        &alike("warnings and refusals of two plans", compared),
    );
}

#[test]
fn tflint_looks_into_installed_modules() {
    let Some(tflint) = heavy("tflint", tflint) else {
        return;
    };
    let Some((_mirror, project)) = project() else {
        return;
    };
    let look = || {
        // It finds the module by the manifest that `init` wrote, and what is wrong with it by its call.
        let arguments = ["--format=json", "--call-module-type=all"];
        let child = [&arguments[..], &["--chdir=child"]].concat();
        let inside = run(&project, &tflint, &child).fails(2).json();
        let root = run(&project, &tflint, &arguments).success().json();
        (inside, root)
    };
    project.terrace(&["init", "-input=false"]).success();
    let (inside, root) = look();
    let issues = inside["issues"].as_array().unwrap();
    let mut rules = issues.iter().map(|issue| &issue["rule"]["name"]);
    assert!(
        rules.any(|rule| rule == "terraform_unused_declarations"),
        "{issues:?}"
    );
    assert_eq!(root["errors"], serde_json::json!([]));

    let compared = has_terraform();
    if compared {
        std::fs::remove_dir_all(project.path().join(".terraform")).unwrap();
        run(&project, Path::new("terraform"), &["init", "-input=false"]).success();
        assert_eq!((inside.clone(), root), look(), "after Terraform's init");
    }
    tell(
        "tflint 0.64.0",
        "`tflint --format=json --call-module-type=all`",
        issues.len(),
        if compared {
            "issues in a module, the same after Terraform's `init`"
        } else {
            "issues in a module, with no Terraform to compare with"
        },
    );
}

const BUCKET: &str = r#"
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "3.39.0"
    }
  }
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
  skip_get_ec2_platforms      = true
}

resource "aws_s3_bucket" "artifacts" {
  bucket = "artifacts"
  versioning {
    enabled = true
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

resource "aws_iam_policy" "all" {
  name = "all"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]
  })
}
"#;

#[test]
fn checkov_finds_the_same_in_a_plan_as_in_terraforms() {
    let Some(checkov) = heavy("checkov", checkov) else {
        return;
    };
    let Some(mirror) = available("aws", Mirror::new().and_then(Mirror::with_aws)) else {
        return;
    };
    let mut project = Project::with(BUCKET);
    project.set("TF_CLI_CONFIG_FILE", mirror.cli_config().unwrap());
    project.set("AWS_EC2_METADATA_DISABLED", "true");
    project.set("BC_SKIP_MAPPING", "TRUE");
    project.terrace(&["init", "-input=false"]).success();
    let (ours, compared) = judged_alike(&project, &[], |project| checks(project, &checkov));
    let has = |kind: &str, check: &str, resource: &str| {
        let wanted = (kind.to_owned(), check.to_owned(), resource.to_owned());
        assert!(ours.contains(&wanted), "no {wanted:?} in {ours:#?}");
    };
    has("passed_checks", "CKV_AWS_21", "aws_s3_bucket.artifacts");
    has("failed_checks", "CKV_AWS_145", "aws_s3_bucket.artifacts");
    has("failed_checks", "CKV_AWS_28", "aws_dynamodb_table.orders");
    has("failed_checks", "CKV_AWS_62", "aws_iam_policy.all");
    tell(
        "checkov 3.3.30",
        "`checkov --skip-download --output json --file plan.json`",
        ours.len(),
        &alike("checks passed or failed, by id and resource", compared),
    );
}

/// What checkov says of `plan.json`: kind, check and resource.
fn checks(project: &Project, checkov: &Path) -> Vec<(String, String, String)> {
    let arguments = ["--skip-download", "--output", "json", "--file", "plan.json"];
    let said = run(project, checkov, &arguments).fails(1);
    // One report, or one of each framework that had something to say.
    let reports = match said.json() {
        Value::Array(reports) => reports,
        report => vec![report],
    };
    let mut found = Vec::new();
    for report in &reports {
        for kind in ["passed_checks", "failed_checks"] {
            for check in report["results"][kind].as_array().into_iter().flatten() {
                let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
                found.push((kind.to_owned(), text("check_id"), text("resource")));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn terragrunt_applies_units_in_their_order() {
    let Some(terragrunt) = heavy("terragrunt", terragrunt) else {
        return;
    };
    let Some(mirror) = available("null", Mirror::new().and_then(Mirror::with_small_providers))
    else {
        return;
    };
    let mut project = Project::new();
    project.set("TF_CLI_CONFIG_FILE", mirror.cli_config().unwrap());
    // It asks for a version that is at least Terraform's 0.12, in the first line of `--version`: Terrace says it under the
    // name of Terraform.
    let terraform = project.outer().join("terraform");
    std::os::unix::fs::symlink(terrace(), &terraform).unwrap();
    project.set("TERRAGRUNT_TFPATH", &terraform);
    project.write(
        "first/main.tf",
        "terraform {\n  required_providers {\n    null = {\n      source  = \"hashicorp/null\"\n      version = \"2.1.2\"\n    }\n  }\n}\n\nresource \"null_resource\" \"a\" {\n}\n\noutput \"id\" {\n  value = null_resource.a.id\n}\n",
    );
    project.write("first/terragrunt.hcl", "");
    project.write(
        "second/main.tf",
        "variable \"first\" {\n  type = string\n}\n\nresource \"terraform_data\" \"b\" {\n  input = var.first\n}\n\noutput \"first\" {\n  value = terraform_data.b.output\n}\n",
    );
    project.write(
        "second/terragrunt.hcl",
        "dependency \"first\" {\n  config_path = \"../first\"\n}\n\ninputs = {\n  first = dependency.first.outputs.id\n}\n",
    );
    let ask = |arguments: &[&str]| run(&project, &terragrunt, arguments).success();
    ask(&["run-all", "apply", "--terragrunt-non-interactive"]);
    let output = |unit: &str, name: &str| {
        let directory = format!("--terragrunt-working-dir={unit}");
        let said = ask(&["output", "-json", &directory]);
        said_json(&said.stdout)[name]["value"].clone()
    };
    let id = output("first", "id");
    assert!(id.is_string(), "{id}");
    assert_eq!(output("second", "first"), id);
    ask(&["run-all", "plan", "--terragrunt-non-interactive"]);
    ask(&["run-all", "destroy", "--terragrunt-non-interactive"]);
    assert_eq!(output("first", "id"), Value::Null);
    tell(
        "terragrunt 0.54.0",
        "`run-all apply`, `run-all plan`, `run-all destroy` and `output -json` through a link `terraform` to `terrace`",
        6,
        "commands over two units, one of which takes the other's output",
    );
}

const STACK: &str = r#"
const { App, TerraformStack, TerraformResource, TerraformOutput } = require("cdktf");

const app = new App();
const stack = new TerraformStack(app, "stack");
const one = new TerraformResource(stack, "one", { terraformResourceType: "terraform_data" });
one.addOverride("input", process.env.TRIGGER);
one.addOverride("triggers_replace", process.env.TRIGGER);
new TerraformOutput(stack, "input", { value: one.getStringAttribute("output"), staticId: true });
app.synth();
"#;

#[test]
fn cdktf_deploys_and_destroys_a_stack() {
    let Some(modules) = heavy("cdktf", cdktf) else {
        return;
    };
    let mut project = Project::new();
    project.set("TERRAFORM_BINARY_NAME", terrace());
    project.set("NODE_PATH", &modules);
    project.set("TRIGGER", "one");
    project.set("CI", "1");
    project.write("main.js", STACK);
    project.write(
        "cdktf.json",
        "{ \"language\": \"typescript\", \"app\": \"node main.js\", \"projectId\": \"terrace\", \"sendCrashReports\": \"false\" }",
    );
    let program: PathBuf = modules.join(".bin/cdktf");
    let ask = |project: &Project, arguments: &[&str]| -> Said {
        run(project, &program, arguments).success()
    };

    ask(&project, &["diff", "stack"]).says("Plan: 1 to add, 0 to change, 0 to destroy.");
    ask(&project, &["deploy", "stack", "--auto-approve"])
        .says("Resources: 1 added, 0 changed, 0 destroyed.");
    ask(
        &project,
        &["output", "stack", "--outputs-file", "outputs.json"],
    );
    let outputs = said_json(&project.read("outputs.json"));
    assert_eq!(outputs["stack"]["input"], "one");

    project.set("TRIGGER", "two");
    ask(&project, &["deploy", "stack", "--auto-approve"])
        .says("Resources: 1 added, 0 changed, 1 destroyed.");
    ask(&project, &["destroy", "stack", "--auto-approve"]).says("Resources: 1 destroyed.");
    tell(
        "cdktf 0.21.0",
        "`cdktf diff`, `deploy`, `output`, `deploy` and `destroy` with `TERRAFORM_BINARY_NAME=terrace`",
        5,
        "commands on a stack",
    );
}

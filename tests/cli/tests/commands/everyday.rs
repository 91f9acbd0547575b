//! The everyday way: init, plan, apply, no changes, destroy; saved plans, exit codes, the stream of JSON.

use insta::assert_snapshot;
use terrace_test_support::Project;

const GREETING: &str = r#"
variable "name" {
  type    = string
  default = "world"
}

resource "terraform_data" "greeting" {
  input = "Hello, ${var.name}!"
}

resource "terraform_data" "each" {
  for_each = toset(["a", "b"])
  input    = { key = each.key, greeting = terraform_data.greeting.output }
}

output "greeting" {
  value = terraform_data.greeting.output
}
"#;

#[test]
fn from_init_to_destroy() {
    let project = Project::with(GREETING);
    assert_snapshot!("init", project.terrace(&["init"]).success().snapshot());
    assert_snapshot!("plan", project.terrace(&["plan"]).success().snapshot());
    let applied = project
        .terrace(&["apply", "-auto-approve", "-parallelism=1"])
        .success();
    applied
        .says("Apply complete! Resources: 3 added, 0 changed, 0 destroyed.")
        .says("greeting = \"Hello, world!\"");
    assert_snapshot!(
        "no_changes",
        project.terrace(&["plan"]).success().snapshot()
    );
    assert_snapshot!(
        "update",
        project
            .terrace(&["plan", "-var=name=moon"])
            .success()
            .snapshot()
    );
    assert_snapshot!("show", project.terrace(&["show"]).success().snapshot());
    let destroyed = project.terrace(&["destroy", "-auto-approve"]).success();
    destroyed.says("Destroy complete! Resources: 3 destroyed.");
    project
        .terrace(&["destroy", "-auto-approve"])
        .success()
        .says("Destroy complete! Resources: 0 destroyed.");
    project
        .terrace(&["plan", "-destroy"])
        .success()
        .says("No changes.");
}

#[test]
fn one_dash_and_two_are_equal() {
    let project = Project::with(GREETING);
    let one = project
        .terrace(&["plan", "-no-color", "-var", "name=x", "-detailed-exitcode"])
        .fails(2);
    let two = project
        .terrace(&[
            "plan",
            "--no-color",
            "--var",
            "name=x",
            "--detailed-exitcode",
        ])
        .fails(2);
    assert_eq!(one.stdout, two.stdout);
}

#[test]
fn detailed_exit_codes() {
    let project = Project::with(GREETING);
    project.terrace(&["plan", "-detailed-exitcode"]).fails(2);
    project.terrace(&["plan"]).success();
    project.terrace(&["apply", "-auto-approve"]).success();
    project.terrace(&["plan", "-detailed-exitcode"]).success();
    project.write("main.tf", "resource \"terraform_data\" {}\n");
    project.terrace(&["plan", "-detailed-exitcode"]).fails(1);
    project.terrace(&["plan", "-no-such-option"]).fails(1);
    project.terrace(&["no-such-command"]).fails(1);
    project.terrace(&[]).fails(1);
    project.terrace(&["--help"]).success();
    project.terrace(&["version"]).success();
}

#[test]
fn a_saved_plan_is_carried_out_once_and_as_it_was() {
    let project = Project::with(GREETING);
    project
        .terrace(&["plan", "-out=first.tfplan"])
        .success()
        .says("Saved the plan to: first.tfplan");
    project
        .terrace(&["plan", "-out=second.tfplan", "-var=name=moon"])
        .success();
    let shown = project
        .terrace(&["show", "-json", "first.tfplan"])
        .success()
        .json();
    assert_eq!(shown["format_version"], "1.2");
    assert_eq!(shown["resource_changes"].as_array().unwrap().len(), 3);

    // What the directory says meanwhile does not matter to a saved plan.
    project.write("main.tf", GREETING.replace("Hello", "Goodbye"));
    project
        .terrace(&["apply", "-destroy", "first.tfplan"])
        .fails(1)
        .says("saved plan");
    project
        .terrace(&["apply", "first.tfplan"])
        .success()
        .says("greeting = \"Hello, world!\"");
    project
        .terrace(&["apply", "second.tfplan"])
        .fails(1)
        .says("stale");
    project
        .terrace(&["apply", "first.tfplan"])
        .fails(1)
        .says("stale");
    project
        .terrace(&["apply", "no-such.tfplan"])
        .fails(1)
        .says("no-such.tfplan");
    project.write("broken.tfplan", "PK not a plan");
    project.terrace(&["apply", "broken.tfplan"]).fails(1);
    let mut bytes = std::fs::read(project.path().join("second.tfplan")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    project.write("damaged.tfplan", bytes);
    project.terrace(&["apply", "damaged.tfplan"]).fails(1);
}

#[test]
fn apply_asks_and_nothing_but_yes_is_yes() {
    let project = Project::with(GREETING);
    project
        .terrace(&["apply"])
        .fails(1)
        .says("Apply cancelled.");
    project
        .terrace(&["apply", "-input=false"])
        .fails(1)
        .says("-auto-approve");
    assert!(project.instances().is_empty());
}

#[test]
fn the_stream_is_json_line_by_line() {
    let project = Project::with(GREETING);
    let types = |lines: &[serde_json::Value]| -> Vec<String> {
        lines
            .iter()
            .map(|line| line["type"].as_str().unwrap().to_owned())
            .collect()
    };
    let planned = project.terrace(&["plan", "-json"]).success().json_lines();
    let kinds = types(&planned);
    assert_eq!(kinds[0], "version");
    for kind in ["planned_change", "change_summary"] {
        assert!(kinds.iter().any(|found| found == kind), "{kinds:?}");
    }
    let applied = project
        .terrace(&["apply", "-json", "-auto-approve"])
        .success()
        .json_lines();
    let kinds = types(&applied);
    for kind in ["apply_start", "apply_complete", "change_summary", "outputs"] {
        assert!(kinds.iter().any(|found| found == kind), "{kinds:?}");
    }
    for line in planned.iter().chain(&applied) {
        for name in ["@level", "@message", "@module", "@timestamp"] {
            assert!(line[name].is_string(), "{name} is missing in {line}");
        }
    }
    project.write(
        "main.tf",
        "resource \"terraform_data\" \"x\" {\n  input = nothing.at.all\n}\n",
    );
    let failed = project.terrace(&["plan", "-json"]).fails(1).json_lines();
    assert!(
        failed
            .iter()
            .any(|line| line["type"] == "diagnostic" && line["diagnostic"]["severity"] == "error"),
        "{failed:?}"
    );
}

#[test]
fn nothing_is_wider_than_the_terminal() {
    let project = Project::with(GREETING);
    for arguments in [
        &["plan"][..],
        &["apply", "-auto-approve"],
        &["plan", "-var=nope=1"],
        &["apply", "no-such.tfplan"],
        &["plan", "-help"],
        &["--help"],
        &["state", "show", "terraform_data.nothing"],
    ] {
        let said = project.terrace(arguments).all();
        // Addresses, ids and places are as wide as they are; everything else is folded.
        for line in said
            .lines()
            .filter(|line| !line.starts_with("  # <- ") && !line.contains("[id="))
        {
            assert!(
                line.chars().count() <= 80,
                "{} columns: {line:?} of {arguments:?}",
                line.chars().count()
            );
        }
    }
}

#[test]
fn a_secret_is_not_told() {
    let project = Project::with(
        r#"
variable "password" {
  type      = string
  sensitive = true
}

resource "terraform_data" "user" {
  input = { name = "ann", password = var.password }
}

resource "terraform_data" "copy" {
  input            = "copy of ${terraform_data.user.output.password}"
  triggers_replace = [var.password]
}

output "password" {
  value     = terraform_data.copy.output
  sensitive = true
}
"#,
    );
    let mut project = project;
    for (round, secret) in ["tr0ub4dor-and-3", "c0rrect-h0rse"].into_iter().enumerate() {
        project.set("TF_VAR_password", secret);
        let all = [
            project.terrace(&["plan"]).success(),
            project.terrace(&["plan", "-json"]).success(),
            project.terrace(&["apply", "-auto-approve"]).success(),
            project.terrace(&["plan", "-destroy"]).success(),
            project.terrace(&["show"]).success(),
            project.terrace(&["output"]).success(),
            project
                .terrace(&["state", "show", "terraform_data.copy"])
                .success(),
        ];
        for said in all {
            said.omits(secret);
        }
        assert_eq!(
            project
                .terrace(&["output", "-raw", "password"])
                .success()
                .stdout,
            format!("copy of {secret}"),
            "round {round}"
        );
    }
}

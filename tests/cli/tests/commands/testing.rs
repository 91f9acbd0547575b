//! `terrace test`

use terrace_test_support::Project;

const MODULE: &str = r#"
variable "name" {
  type    = string
  default = "shop"
}
resource "terraform_data" "named" {
  input = var.name
}
output "name" {
  value = terraform_data.named.output
}
"#;

#[test]
fn runs_see_what_came_before_and_leave_nothing() {
    let project = Project::with(MODULE);
    project.terrace(&["init"]).success();
    project.write(
        "tests/a.tftest.hcl",
        r#"
run "one" {}
run "two" {
  command = plan
  variables {
    name = "${run.one.name}s"
  }
  assert {
    condition     = terraform_data.named.input == "shops"
    error_message = "no"
  }
}
"#,
    );
    project
        .terrace(&["test"])
        .success()
        .says("run \"one\"... pass")
        .says("run \"two\"... pass")
        .says("Success! 2 passed, 0 failed.");
    assert!(!project.path().join("terraform.tfstate").exists());
}

#[test]
fn what_does_not_hold_fails_and_what_cannot_be_known_is_an_error() {
    let project = Project::with(MODULE);
    project.terrace(&["init"]).success();
    project.write(
        "tests/a.tftest.hcl",
        r#"
run "wrong" {
  command = plan
  assert {
    condition     = var.name == "other"
    error_message = "The name is ${var.name}."
  }
}
run "unknown" {
  command = plan
  assert {
    condition     = output.name == "shop"
    error_message = "no"
  }
}
run "skipped" {}
"#,
    );
    project
        .terrace(&["test"])
        .fails(1)
        .says("Test assertion failed")
        .says("The name is shop.")
        .says("Unknown condition value")
        .says("run \"skipped\"... skip")
        .says("Failure! 0 passed, 2 failed, 1 skipped.");
}

#[test]
fn what_cannot_be_destroyed_is_named_and_its_state_kept() {
    let project = Project::with(
        r#"
resource "terraform_data" "stays" {
  provisioner "local-exec" {
    when    = destroy
    command = "exit 1"
  }
}
"#,
    );
    project.terrace(&["init"]).success();
    project.write("tests/a.tftest.hcl", "run \"one\" {}\n");
    project
        .terrace(&["test"])
        .fails(1)
        .says("they need to be cleaned up manually")
        .says("  - terraform_data.stays");
    assert!(
        project
            .path()
            .join("left-by-tests-a.tftest.hcl.one.tfstate")
            .exists()
    );
}

#[test]
fn machines_are_told_line_by_line() {
    let project = Project::with(MODULE);
    project.terrace(&["init"]).success();
    project.write("tests/a.tftest.hcl", "run \"one\" {\n  command = plan\n}\n");
    project
        .terrace(&["test", "-json", "-junit-xml=report.xml"])
        .success()
        .says("\"type\":\"test_abstract\"")
        .says("\"@testrun\":\"one\"")
        .says("\"type\":\"test_summary\"");
    let report = std::fs::read_to_string(project.path().join("report.xml")).unwrap();
    assert!(report.contains("<testcase name=\"one\" classname=\"tests/a.tftest.hcl\""));
}

#[test]
fn an_interrupt_ends_the_tests_and_destroys_what_they_made() {
    let project = Project::with(
        r#"
resource "terraform_data" "first" {
  provisioner "local-exec" {
    when    = destroy
    command = "touch destroyed"
  }
}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "touch begun; while [ ! -e go ]; do sleep 0.1; done"
  }
}
"#,
    );
    project.terrace(&["init"]).success();
    project.write(
        "tests/a.tftest.hcl",
        "run \"one\" {}\nrun \"two\" {}\nrun \"three\" {}\n",
    );
    let begun = project.path().join("begun");
    let mut running = project.start(&["test"]);
    running.until("the provisioner", |_| begun.exists());
    running.interrupt();
    running.until("the notice", |running| {
        running.printed().contains("Interrupt received.")
    });
    project.write("go", "");
    running
        .wait()
        .fails(1)
        .says("run \"two\"... skip")
        .says("run \"three\"... skip")
        .omits("need to be cleaned up");
    assert!(project.path().join("destroyed").exists());
}

#[test]
fn variables_files_beside_tests_count_for_these() {
    let project = Project::with(MODULE);
    project.terrace(&["init"]).success();
    project.write("terraform.tfvars", "name = \"root\"\n");
    project.write("tests/terraform.tfvars", "name = \"there\"\nmore = 1\n");
    let asserting = |name: &str| {
        format!(
            "run \"one\" {{\n  command = plan\n  assert {{\n    condition     = var.name == \"{name}\"\n    error_message = \"It is ${{var.name}}.\"\n  }}\n}}\n"
        )
    };
    project.write("a.tftest.hcl", asserting("given"));
    project.write("tests/b.tftest.hcl", asserting("there"));
    project
        .terrace(&["test", "-var=name=given"])
        .success()
        .says("Success! 2 passed, 0 failed.");
}

#[test]
fn providers_in_json_make_room_for_those_of_tests() {
    let project = Project::with(MODULE);
    project.write(
        "providers.tf.json",
        r#"{"provider": {"terraform": {"unknown": true}}}"#,
    );
    project.terrace(&["init"]).success();
    project.write(
        "tests/a.tftest.hcl",
        "provider \"terraform\" {}\nrun \"one\" {\n  command = plan\n}\n",
    );
    project.terrace(&["test"]).success();
}

/// A variable that is null only once the string before it is known, and falls back on an object then.
const LATE_NULL: &str = r#"
variable "input" {
  type     = any
  nullable = false
  default  = { none = true }
}
output "given" {
  value = var.input != { none = true }
}
"#;

#[test]
fn what_a_plan_knew_of_a_modules_output_stays_so() {
    let project = Project::with(
        r#"
resource "terraform_data" "first" {
  input = "a"
}
module "late" {
  source = "./late"
  input  = terraform_data.first.output == "b" ? "b" : null
}
resource "terraform_data" "second" {
  input = [module.late.given, terraform_data.first.id]
}
output "given" {
  value = [module.late.given, terraform_data.second.output[0]]
}
"#,
    );
    project.write("late/main.tf", LATE_NULL);
    project.write(
        "tests/late.tftest.hcl",
        r#"
run "apply" {
  assert {
    condition     = module.late.given && terraform_data.second.output[0]
    error_message = "It was planned as given."
  }
}
"#,
    );
    project.terrace(&["init"]).success();
    project
        .terrace(&["test"])
        .success()
        .says("Success! 1 passed, 0 failed.");
    project.terrace(&["apply", "-auto-approve"]).success();
    project
        .terrace(&["output", "-json", "given"])
        .success()
        .says("[true,true]");
}

//! Bad input and bad luck: variables, damaged files, locks.

use insta::assert_snapshot;
use terrace_test_support::{Project, dev_override};

#[test]
fn variables_that_are_missing_unknown_wrong_or_refused() {
    let project = Project::with(
        r#"
variable "required" {
  type = number
}

variable "checked" {
  type    = string
  default = "ok"

  validation {
    condition     = length(var.checked) < 5
    error_message = "The text is too long."
  }
}

resource "terraform_data" "x" {
  input = [var.required, var.checked]
}
"#,
    );
    assert_snapshot!(
        "variable_missing",
        project
            .terrace(&["plan", "-input=false"])
            .fails(1)
            .snapshot()
    );
    assert_snapshot!(
        "variable_unknown",
        project
            .terrace(&["plan", "-var=required=1", "-var=unknown=1"])
            .fails(1)
            .snapshot()
    );
    assert_snapshot!(
        "variable_wrong_type",
        project
            .terrace(&["plan", "-var=required=many"])
            .fails(1)
            .snapshot()
    );
    assert_snapshot!(
        "variable_refused",
        project
            .terrace(&["plan", "-var=required=1", "-var=checked=far too long"])
            .fails(1)
            .snapshot()
    );
    project
        .terrace(&["plan", "-var-file=missing.tfvars"])
        .fails(1)
        .says("missing.tfvars");
    project
        .terrace(&["plan", "-var=required"])
        .fails(1)
        .says("required");
}

#[test]
fn several_mistakes_are_one_report() {
    let project = Project::with(
        "resource \"terraform_data\" \"a\" {\n  input = local.nothing\n}\n\nresource \"terraform_data\" \"b\" {\n  inputs = 1\n}\n\noutput \"c\" {\n  value = terraform_data.missing.id\n}\n",
    );
    assert_snapshot!(
        "several_mistakes",
        project.terrace(&["validate"]).fails(1).snapshot()
    );
    project.write(
        "main.tf",
        "locals {\n  x = local.y\n  y = local.x\n}\n\noutput \"x\" {\n  value = local.x\n}\n",
    );
    assert_snapshot!("cycle", project.terrace(&["plan"]).fails(1).snapshot());
    project.write("main.tf", "resource \"terraform_data\" \"a\" {\n}\n\nresource \"terraform_data\" \"a\" {\n}\n\nvariable \"v\" {\n  typo = 1\n}\n\noutput \"o\" {\n}\n");
    assert_snapshot!(
        "several_mistakes_of_blocks",
        project.terrace(&["plan"]).fails(1).snapshot()
    );
    project.write(
        "syntax.tf",
        "resource \"terraform_data\" \"d\" {\n  input = [1,\n",
    );
    project.terrace(&["plan"]).fails(1).says("syntax.tf");
}

#[test]
fn a_corrupt_state_is_told_and_left_alone() {
    let project = Project::with("resource \"terraform_data\" \"x\" {}\n");
    project.terrace(&["apply", "-auto-approve"]).success();
    let good = project.read("terraform.tfstate");
    for (bad, said) in [
        (&good[..good.len() / 2], "Error"),
        ("not a state", "Error"),
        ("{\"version\": 99}", "99"),
        ("{\"version\": 4, \"serial\": \"x\"}", "Error"),
        ("", ""),
    ] {
        project.write("terraform.tfstate", bad);
        for command in [
            &["plan"][..],
            &["apply", "-auto-approve"],
            &["state", "list"],
            &["state", "rm", "terraform_data.x"],
        ] {
            if bad.is_empty() {
                // An empty file is how other tools begin.
                project.terrace(&["plan"]).success();
                continue;
            }
            let told = project.terrace(command).fails(1);
            assert!(
                told.all().contains(said) && !told.all().contains("panicked"),
                "{}",
                told.all()
            );
            assert_eq!(project.read("terraform.tfstate"), bad, "{command:?}");
        }
    }
    project.write("terraform.tfstate", &good);
    project.terrace(&["plan", "-detailed-exitcode"]).success();
}

#[test]
fn a_damaged_embedded_store_is_told() {
    let project = Project::with(
        "terraform {\n  backend \"embedded\" {}\n}\nresource \"terraform_data\" \"x\" {}\n",
    );
    project.terrace(&["apply", "-auto-approve"]).success();
    let path = project.path().join(".terrace/store/store.redb");
    let good = std::fs::read(&path).unwrap();
    std::fs::write(&path, b"this is no database").unwrap();
    let told = project.terrace(&["plan"]).fails(1);
    told.says("store.redb").omits("panicked");
    std::fs::write(&path, &good[..good.len() / 3]).unwrap();
    project.terrace(&["plan"]).fails(1).omits("panicked");
    std::fs::write(&path, good).unwrap();
    project.terrace(&["plan", "-detailed-exitcode"]).success();
}

const SLOW: &str = r#"
terraform {
  required_providers {
    test = {
      source = "terrace/test"
    }
  }
  BACKEND
}

resource "test_object" "slow" {
  string = "slow"
}
"#;

#[test]
fn a_locked_state_shows_its_holder() {
    for backend in ["", "backend \"embedded\" {}"] {
        let mut project = Project::with(&SLOW.replace("BACKEND", backend));
        let cli_config = dev_override(project.outer());
        project.set("TF_CLI_CONFIG_FILE", cli_config);
        // Long enough for two commands that are refused meanwhile.
        project.set("FAKE_PROVIDER_SCRIPT", "create=delay 15000");
        project.set("FAKE_PROVIDER_WORLD", project.outer().join("world"));
        let mut running = project.start(&["apply", "-auto-approve"]);
        running.until("the creation to begin", |running| {
            running.printed().contains("Creating...")
        });

        let refused = project
            .terrace(&["state", "rm", "test_object.slow"])
            .fails(1);
        let refused = refused
            .says("Error acquiring the state lock")
            .says("OperationTypeApply")
            .says("tester@machine");
        insta::allow_duplicates! {
            if backend.is_empty() {
                assert_snapshot!("locked", refused.snapshot().replace(&project.outer().display().to_string(), "[PROJECT]"));
            }
        }
        project
            .terrace(&["plan", "-lock=true"])
            .fails(1)
            .says("state lock");
        project
            .terrace(&["plan", "-lock=true", "-lock-timeout=120s"])
            .success();
        running.wait().success();
        project
            .terrace(&["state", "list"])
            .success()
            .says("test_object.slow");
    }
}

#[test]
fn a_wrong_directory_or_backend_is_told() {
    let project = Project::new();
    project.terrace(&["init"]).success().says("empty directory");
    project
        .terrace(&["plan"])
        .fails(1)
        .says("No configuration files");
    project
        .terrace(&["-chdir=nowhere", "plan"])
        .fails(1)
        .says("nowhere");
    project.write(
        "main.tf",
        "terraform {\n  backend \"consul\" {\n    path = \"x\"\n  }\n}\n",
    );
    project
        .terrace(&["init"])
        .fails(1)
        .says("Not supported yet");
    project.write(
        "main.tf",
        "terraform {\n  backend \"local\" {\n    paht = \"x\"\n  }\n}\n",
    );
    project
        .terrace(&["init"])
        .fails(1)
        .says("An argument named \"paht\" is not expected here.");
    project.write(
        "main.tf",
        "terraform {\n  required_version = \">= 99\"\n}\n",
    );
    project.terrace(&["plan"]).fails(1).says("Unsupported");
    project
        .terrace(&["plan", "-env=prd"])
        .fails(1)
        .says("No project file");
}

#[test]
fn types_that_the_native_provider_does_not_have() {
    let mut project = Project::with(
        r#"
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

resource "aws_instance" "shop" {
  ami = "ami-1"
}

data "aws_vpc" "shop" {}
"#,
    );
    let settings = project.outer().join("native.tfrc");
    let text = "provider_installation {\n  native {\n    include = [\"hashicorp/aws\"]\n  }\n}\n";
    std::fs::write(&settings, text).unwrap();
    project.set("TF_CLI_CONFIG_FILE", settings);
    project.terrace(&["init"]).success();
    assert_snapshot!(
        "native_types",
        project.terrace(&["validate"]).fails(1).snapshot()
    );
}

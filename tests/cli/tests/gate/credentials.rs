//! Credentials of an environment: one set to plan with, another to apply with, which is taken after the gate alone.

use std::path::Path;

use terrace_test_support::{Project, Said, dev_override};

use crate::people::make_key;

const SEEN: &str = "#!/bin/sh\ncat > /dev/null\necho \"$1: $CLOUD_PROFILE $CLOUD_KEY $CLOUD_TOKEN $DEPLOY_KEY.\" >> seen.txt\necho '{}'\n";

const CONFIGURATION: &str = r#"
data "external" "now" {
  program = ["sh", "seen.sh", "data source"]
}

resource "terraform_data" "shop" {
  provisioner "local-exec" {
    command = "sh seen.sh provisioner"
  }
}

data "external" "later" {
  program    = ["sh", "seen.sh", "later data source"]
  depends_on = [terraform_data.shop]
}
"#;

const CREDENTIALS: &str = r#"
  credentials {
    plan {
      CLOUD_PROFILE = "read"
    }

    apply {
      CLOUD_PROFILE = "deploy"
      CLOUD_KEY     = { env = "DEPLOY_KEY" }
      command       = ["sh", "./token.sh"]
    }
  }
"#;

/// A project with stg, whose gate asks for one approval.
fn project() -> Project {
    let mut project = Project::with(CONFIGURATION);
    project.write("seen.sh", SEEN);
    project.write(
        "token.sh",
        "echo asked >> asked.txt\necho 'speaks to people' >&2\necho '{\"CLOUD_TOKEN\": \"t0ken\"}'\n",
    );
    project.write(
        "native.tfrc",
        "provider_installation {\n  native {\n    include = [\"hashicorp/*\"]\n  }\n}\n",
    );
    let path = project.path().join("native.tfrc");
    project.set("TF_CLI_CONFIG_FILE", path);
    let keys = project.outer().join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    let mut text = "project \"shop\" {}\n".to_owned();
    for person in ["ann", "ben"] {
        let key = make_key(&keys.join(person), person);
        text = format!("{text}\nperson {person:?} {{\n  ssh = [{key:?}]\n}}\n");
    }
    text = format!(
        "{text}\nenvironment \"dev\" {{}}\n\nenvironment \"stg\" {{{CREDENTIALS}\n  gate {{\n    approvals = 1\n  }}\n}}\n"
    );
    project.write("terrace.hcl", text);
    project.terrace(&["init"]).success();
    project
}

fn key(project: &Project, person: &str) -> String {
    format!(
        "-key={}",
        project.outer().join("keys").join(person).display()
    )
}

/// Plans for stg; the run's id.
fn plan(project: &Project) -> String {
    let said = project
        .terrace(&["plan", "-env=stg", &key(project, "ann")])
        .success();
    run_of(&said)
}

fn run_of(said: &Said) -> String {
    let line = said
        .stdout
        .lines()
        .find(|line| line.starts_with("Run ") && line.contains(" of environment "));
    let line = line.unwrap_or_else(|| panic!("no run\n{}", said.all()));
    line.split(' ').nth(1).unwrap().to_owned()
}

fn approve(project: &Project, run: &str) {
    project
        .terrace(&["approve", "-env=stg", &key(project, "ben"), run])
        .success();
}

fn seen(project: &Project) -> Vec<String> {
    project
        .read("seen.txt")
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn plans_and_applies_have_credentials_of_their_own() {
    let mut project = project();
    // A job that may do both has the key: plans do not see it all the same.
    project.set("DEPLOY_KEY", "s3cret");
    project.set("CLOUD_KEY", "of the shell");
    let run = plan(&project);
    assert_eq!(seen(&project), ["data source: read   ."]);
    approve(&project, &run);
    project
        .terrace(&["apply", "-env=stg", &run])
        .success()
        .omits("s3cret")
        .omits("t0ken");
    assert_eq!(
        seen(&project)[1..],
        [
            "provisioner: deploy s3cret t0ken .",
            "later data source: deploy s3cret t0ken ."
        ]
    );
    // Their names are told, and their values nowhere.
    project
        .terrace(&["audit", "list", "-env=stg", "-json"])
        .success()
        .says("CLOUD_KEY,CLOUD_PROFILE,CLOUD_TOKEN")
        .omits("s3cret");
    project
        .terrace(&["runs", "show", "-env=stg", &run])
        .success()
        .omits("s3cret");
    for secret in ["s3cret", "t0ken"] {
        assert!(!is_anywhere(&project.path().join(".terrace"), secret));
    }
}

/// Whether a text is in any file of a directory.
fn is_anywhere(directory: &Path, text: &str) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_anywhere(&path, text);
        }
        let bytes = std::fs::read(&path).unwrap();
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    })
}

#[test]
fn a_gate_that_refuses_leaves_the_credentials_of_apply_alone() {
    let mut project = project();
    project.set("DEPLOY_KEY", "s3cret");
    let run = plan(&project);
    project
        .terrace(&["apply", "-env=stg", &run])
        .fails(5)
        .says("Gate not satisfied");
    project
        .terrace(&["apply", "-env=stg", "-auto-approve", &key(&project, "ann")])
        .fails(5)
        .says("Gate not satisfied");
    assert!(!project.path().join("asked.txt").exists());
    for line in seen(&project) {
        assert_eq!(line, "data source: read   .");
    }
    approve(&project, &run);
    project.terrace(&["apply", "-env=stg", &run]).success();
    assert_eq!(project.read("asked.txt"), "asked\n");
}

#[test]
fn what_is_missing_is_told_before_anything_is_changed() {
    let mut project = project();
    // Who only plans needs none of it.
    let run = plan(&project);
    approve(&project, &run);
    project
        .terrace(&["apply", "-env=stg", &run])
        .fails(1)
        .says("Credentials are missing")
        .says("CLOUD_KEY, from DEPLOY_KEY");
    assert_eq!(seen(&project), ["data source: read   ."]);
    project.set("DEPLOY_KEY", "s3cret");
    project.write("token.sh", "echo 'nothing of use: t0ken'\n");
    project
        .terrace(&["apply", "-env=stg", &run])
        .fails(1)
        .says("Credentials cannot be had")
        .omits("t0ken");
    project.write("token.sh", "exit 3\n");
    project
        .terrace(&["apply", "-env=stg", &run])
        .fails(1)
        .says("it ended with exit code 3");
    project.write("token.sh", "echo 'export CLOUD_TOKEN=\"other\"'\n");
    project.terrace(&["apply", "-env=stg", &run]).success();
    assert_eq!(
        seen(&project).last().unwrap(),
        "later data source: deploy s3cret other ."
    );
}

#[test]
fn other_environments_do_not_see_the_key_either() {
    let mut project = project();
    project.set("DEPLOY_KEY", "s3cret");
    project
        .terrace(&["apply", "-env=dev", "-auto-approve"])
        .success();
    for line in seen(&project) {
        assert!(line.ends_with(":    ."), "{line}");
    }
}

#[test]
fn plugins_have_them_too() {
    let mut project = Project::with(
        "terraform {\n  required_providers {\n    test = {\n      source = \"terrace/test\"\n    }\n  }\n}\n\nresource \"test_object\" \"x\" {\n  string = \"x\"\n}\n",
    );
    let cli_config = dev_override(project.outer());
    project.set("TF_CLI_CONFIG_FILE", cli_config);
    let worlds = project.outer().to_owned();
    let (read, write) = (worlds.join("read"), worlds.join("write"));
    project.write(
        "terrace.hcl",
        format!(
            "project \"shop\" {{}}\n\nenvironment \"dev\" {{\n  credentials {{\n    plan {{\n      FAKE_PROVIDER_WORLD = {read:?}\n    }}\n    apply {{\n      FAKE_PROVIDER_WORLD = {write:?}\n    }}\n  }}\n}}\n"
        ),
    );
    project
        .terrace(&["apply", "-env=dev", "-auto-approve"])
        .success();
    let count = |directory: &Path| std::fs::read_dir(directory).map_or(0, Iterator::count);
    // What was made lies in the world of those who may change it; those who read look into another, where it is not.
    assert!(count(&write) > count(&read), "{read:?} {write:?}");
    project
        .terrace(&["plan", "-env=dev"])
        .fails(1)
        .says("There has never been an object");
}

#[test]
fn credentials_are_not_changed_behind_what_was_approved() {
    let mut project = project();
    project.set("DEPLOY_KEY", "s3cret");
    let run = plan(&project);
    approve(&project, &run);
    let good = project.read("terrace.hcl");
    let other = good.replace("./token.sh", "./other.sh");
    project.write("other.sh", "echo other >> asked.txt\necho '{}'\n");
    project.write("terrace.hcl", &other);
    project
        .terrace(&["apply", "-env=stg", &run])
        .fails(5)
        .says("neither those in force nor those that the plan was made with");
    assert!(!project.path().join("asked.txt").exists());
    project.write("terrace.hcl", &good);
    project.terrace(&["apply", "-env=stg", &run]).success();
    assert_eq!(project.read("asked.txt"), "asked\n");

    // A plan that is made with others says so, and so does its approval.
    project.write("terrace.hcl", &other);
    let said = project
        .terrace(&["plan", "-env=stg", "-destroy", &key(&project, "ann")])
        .success();
    assert!(
        said.all().contains("its credentials are others"),
        "{}",
        said.all()
    );
    let run = run_of(&said);
    project
        .terrace(&["approve", "-env=stg", &key(&project, "ben"), &run])
        .success()
        .says("its credentials are others");
    project.terrace(&["apply", "-env=stg", &run]).success();
    assert_eq!(project.read("asked.txt"), "asked\nother\n");
}

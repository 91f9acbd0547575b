//! `terrace import`: what it says, and what it leaves in the state, beside `terraform` where that is there.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use serde_json::Value;
use terrace_test_support::{Project, has_terraform};

const CONFIGURATION: &str = r#"
variable "text" {
  type    = string
  default = "a"
}

resource "terraform_data" "one" {
  input = var.text
}

resource "terraform_data" "keyed" {
  for_each = toset(["k"])
  input    = terraform_data.one.output
}

resource "terraform_data" "counted" {
  count = 2
}

module "inner" {
  source = "./inner"
  count  = 1
}

output "id" {
  value = terraform_data.one.id
}

output "text" {
  value = "text ${var.text}"
}
"#;

fn project() -> Project {
    let project = Project::with(CONFIGURATION);
    project.write("inner/main.tf", "resource \"terraform_data\" \"deep\" {}\n");
    project.terrace(&["init"]).success();
    project
}

/// A text with our name in place of the reference's, and without what only layout says.
fn words(text: &str) -> String {
    let text = text
        .replace("Terraform", "Terrace")
        .replace("terraform.", "terrace.");
    let drawn = ['╷', '│', '╵'];
    let words: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !word.chars().all(|letter| drawn.contains(&letter)))
        .collect();
    words.join(" ")
}

/// Both programs say the same of an import that goes well, and leave the same state but for what objects depend on.
#[test]
fn imports_say_and_leave_what_the_references_do() {
    let ours = project();
    let theirs = project();
    let beside = has_terraform();
    if beside {
        theirs.other("terraform", &["init"]).success();
    } else {
        println!("SKIPPED the comparison: terraform is not installed");
    }
    for (address, id) in [
        ("terraform_data.one", "first"),
        ("terraform_data.keyed[\"k\"]", "second"),
        ("terraform_data.counted[1]", "third"),
        ("module.inner[0].terraform_data.deep", "deep"),
    ] {
        let import = ["import", "-no-color", "-var", "text=b", address, id];
        let said = ours.terrace(&import).success().stdout;
        assert_eq!(
            said,
            format!(
                "{address}: Importing from ID \"{id}\"...\n{address}: Import prepared!\n  Prepared terraform_data for import\n{address}: Refreshing state... [id={id}]\n\nImport successful!\n\nThe resources that were imported are shown above. These resources are now in\nyour Terrace state and will henceforth be managed by Terrace.\n\n"
            )
        );
        if beside {
            let reference = theirs.other("terraform", &import).success().stdout;
            assert_eq!(words(&said), words(&reference));
            assert_eq!(state_of(&ours), state_of(&theirs), "{address}");
        }
    }
    let stored = state_of(&ours);
    assert_eq!(stored["outputs"]["id"]["value"], "first");
    assert_eq!(stored["outputs"]["text"]["value"], "text b");
    // Its dependencies are known, so that it is destroyed before what it depends on.
    let stored = ours.state();
    let keyed = stored["resources"].as_array().unwrap().iter();
    let keyed = keyed.filter(|resource| resource["name"] == "keyed");
    let dependencies: Vec<&Value> = keyed
        .map(|resource| &resource["instances"][0]["dependencies"])
        .collect();
    assert_eq!(dependencies, [&serde_json::json!(["terraform_data.one"])]);
    let planned = ours.terrace(&["plan", "-detailed-exitcode"]).fails(2);
    planned.says("1 to add, 2 to change, 0 to destroy");
}

fn state_of(project: &Project) -> Value {
    let text = project.read("terraform.tfstate");
    let mut state: Value = serde_json::from_str(&text).unwrap();
    state["lineage"] = Value::Null;
    for resource in state["resources"].as_array_mut().unwrap() {
        for instance in resource["instances"].as_array_mut().unwrap() {
            instance.as_object_mut().unwrap().remove("dependencies");
        }
    }
    state
}

#[test]
fn imports_that_cannot_be_are_refused_in_the_references_words() {
    let project = project();
    let beside = has_terraform();
    let import = ["import", "terraform_data.one", "first"];
    project.terrace(&import).success();
    if beside {
        project.other("terraform", &["init"]).success();
    }
    let before = project.read("terraform.tfstate");
    for (arguments, said) in [
        (
            ["terraform_data.one", "other"],
            "Terraform is already managing a remote object for terraform_data.one. To import to this address you must first remove the existing object from the state.",
        ),
        (
            ["terraform_data.keyed[\"z\"]", "x"],
            "The configuration for the given import terraform_data.keyed[\"z\"] does not exist. All target instances must have an associated configuration to be imported.",
        ),
        (
            ["terraform_data.keyed", "x"],
            "The configuration for the given import terraform_data.keyed does not exist. All target instances must have an associated configuration to be imported.",
        ),
        (
            ["terraform_data.counted[2]", "x"],
            "The configuration for the given import terraform_data.counted[2] does not exist. All target instances must have an associated configuration to be imported.",
        ),
        (
            ["terraform_data.none", "x"],
            "resource address \"terraform_data.none\" does not exist in the configuration.",
        ),
        (
            ["terraform_data.none", "x"],
            "Before importing this resource, please create its configuration in the root module. For example: resource \"terraform_data\" \"none\" { # (resource arguments) }",
        ),
        (
            ["module.inner[0].terraform_data.none", "x"],
            "please create its configuration in module.inner",
        ),
        (
            ["module.none.terraform_data.one", "x"],
            "module.none is not defined in the configuration. Please add configuration for this module before importing into it.",
        ),
        (
            ["data.terraform_remote_state.other", "x"],
            "A managed resource address is required. Importing into a data resource is not allowed",
        ),
        (["terraform_data", "x"], "Invalid address"),
        (
            ["-config=nowhere", "terraform_data.one"],
            "expects two arguments",
        ),
    ] {
        let line = [&["import", "-no-color"][..], &arguments].concat();
        let ours = project.terrace(&line).fails(1).all();
        if said != "expects two arguments" {
            let expected = words(said);
            assert!(words(&ours).contains(&expected), "{expected}\n{ours}");
        }
        if beside {
            let theirs = project.other("terraform", &line).fails(1).all();
            assert!(words(&theirs).contains(&words(said)), "{said}\n{theirs}");
        }
        assert_eq!(project.read("terraform.tfstate"), before);
    }
    project
        .terrace(&["import", "-config=nowhere", "terraform_data.one", "x"])
        .fails(1)
        .says("nowhere does not contain any Terrace configuration files (.tf or .tf.json). To specify a different configuration directory, use the -config=\"...\" command line option.");
}

#[test]
fn the_configuration_and_the_state_may_lie_elsewhere() {
    let project = Project::new();
    project.write("sub/main.tf", "resource \"terraform_data\" \"a\" {\n  input = path.root\n}\n\noutput \"root\" {\n  value = \"${path.module} ${path.root}\"\n}\n");
    let import = ["import", "-config=sub", "terraform_data.a", "x"];
    project.terrace(&import).success();
    let state = state_of(&project);
    assert_eq!(state["outputs"]["root"]["value"], "sub sub");
    assert_eq!(project.instances()[0].1["id"], "x");
    if has_terraform() {
        let theirs = Project::new();
        theirs.write("sub/main.tf", project.read("sub/main.tf"));
        theirs.other("terraform", &import).success();
        assert_eq!(state, state_of(&theirs));
    }

    // What is there stays as it is when the state is written elsewhere; and a backup may be named, or left out.
    let project = Project::with(
        "resource \"terraform_data\" \"a\" {}\nresource \"terraform_data\" \"b\" {}\n",
    );
    project
        .terrace(&["import", "-state=my.tfstate", "terraform_data.a", "x"])
        .success();
    let before = project.read("my.tfstate");
    let out = [
        "-state=my.tfstate",
        "-state-out=out.tfstate",
        "-backup=kept",
    ];
    let line = [&["import"], &out[..], &["terraform_data.b", "y"]].concat();
    project.terrace(&line).success();
    assert_eq!(project.read("my.tfstate"), before);
    assert_eq!(project.read("kept"), before);
    assert!(project.read("out.tfstate").contains("\"y\""));
    let line = [
        "import",
        "-state=my.tfstate",
        "-backup=-",
        "terraform_data.b",
        "z",
    ];
    project.terrace(&line).success();
    assert!(project.read("my.tfstate").contains("\"z\""));
    assert!(!project.path().join("my.tfstate.backup").exists());
    assert!(!project.path().join("terraform.tfstate").exists());
}

#[test]
fn an_import_is_a_run_of_its_environment() {
    let project = Project::with("resource \"terraform_data\" \"a\" {}\n");
    project.write(
        "terrace.hcl",
        "project \"shop\" {}\n\nenvironment \"dev\" {}\n",
    );
    let import = ["import", "-env=dev", "terraform_data.a", "x"];
    project.terrace(&import).success();
    let runs = project.terrace(&["runs", "-env=dev", "-json"]).success();
    let runs = runs.json();
    assert_eq!(runs[0]["mode"], "import", "{runs}");
    assert_eq!(runs[0]["status"], "applied", "{runs}");
    let log = project.terrace(&["audit", "list", "-env=dev"]).success();
    log.says("apply-end");
    project
        .terrace(&["state", "list", "-env=dev"])
        .success()
        .says("terraform_data.a");
    let refused = ["import", "-env=dev", "-state=x", "terraform_data.a", "x"];
    project
        .terrace(&refused)
        .fails(1)
        .says("says where its state is");
}

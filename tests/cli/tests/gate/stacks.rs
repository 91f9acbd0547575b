//! Many stacks of one project: their order, what they take from each other, and what is not to be believed of it.

use std::sync::Arc;

use terrace_backend_embedded::EmbeddedStore;
use terrace_port::{RunStore, StateStore as _};
use terrace_test_support::{Project, Ran, Said};

use crate::people::{make_key, wait};

const NETWORK: &str = r#"
variable "zone" {
  default = "a"
}

resource "terraform_data" "vpc" {
  input = "vpc-in-${var.zone}"
}

output "vpc_id" {
  value = terraform_data.vpc.output
}

output "subnets" {
  value = { for name in ["one", "two"] : name => { cidr = "10.0.0.0/8", size = 3 } }
}
"#;

const APP: &str = r#"
variable "vpc" {
  type = string
}

variable "subnets" {
  type = map(object({ cidr = string, size = number }))
}

resource "terraform_data" "app" {
  input = "app on ${var.vpc} with ${var.subnets["two"].size}"
}

output "address" {
  value = terraform_data.app.output
}
"#;

const WEB: &str = r#"
variable "address" {}

resource "terraform_data" "web" {
  input = var.address
}
"#;

const STACKS: &str = r#"
stack "app" {
  input "vpc" {
    stack  = "network"
    output = "vpc_id"
  }

  input "subnets" {
    stack = "stacks/network"
  }
}

stack "web" {
  input "address" {
    stack = "app"
  }
}
"#;

/// Stacks whose order by name is not that of their references, in dev, and in stg, where one person has to approve.
struct Estate {
    project: Project,
}

impl Estate {
    fn new() -> Self {
        Self::with(STACKS)
    }

    fn with(stacks: &str) -> Self {
        let project = Project::new();
        let keys = project.outer().join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        let mut text = "project \"estate\" {\n  stacks = [\"stacks/*\"]\n}\n".to_owned();
        for person in ["ann", "ben"] {
            let key = make_key(&keys.join(person), person);
            text = format!("{text}\nperson {person:?} {{\n  ssh = [{key:?}]\n}}\n");
        }
        make_key(&keys.join("stranger"), "stranger");
        text.push_str("\nenvironment \"dev\" {}\n\nenvironment \"stg\" {\n  gate {\n    approvals = 1\n  }\n}\n");
        project.write("terrace.hcl", format!("{text}{stacks}"));
        project.write("stacks/network/main.tf", NETWORK);
        project.write("stacks/app/main.tf", APP);
        project.write("stacks/web/main.tf", WEB);
        Self { project }
    }

    fn terrace(&self, arguments: &[&str]) -> Ran {
        self.project.terrace(arguments)
    }

    fn key(&self, person: &str) -> String {
        format!(
            "-key={}",
            self.project.outer().join("keys").join(person).display()
        )
    }

    fn apply(&self) -> Ran {
        self.terrace(&["apply", "-env=dev", "-auto-approve"])
    }

    /// In the directory of a stack.
    fn within(&self, stack: &str, arguments: &[&str]) -> Ran {
        let directory = format!("-chdir=stacks/{stack}");
        self.terrace(&[&[directory.as_str()], arguments].concat())
    }

    fn store(&self, stack: &str) -> Arc<dyn RunStore> {
        let path = self.project.path().join(".terrace/store/stacks");
        EmbeddedStore::new(path.join(stack)).runs("dev")
    }

    fn move_network(&self, zone: &str) -> Said {
        self.within(
            "network",
            &[
                "apply",
                "-env=dev",
                "-auto-approve",
                &format!("-var=zone={zone}"),
            ],
        )
        .success()
    }
}

/// What the table at the end says of a stack.
fn row(said: &Said, stack: &str) -> Vec<String> {
    let table = said
        .stdout
        .split_once("Stack  ")
        .unwrap_or_else(|| panic!("no table\n{}", said.all()))
        .1;
    let line = table
        .lines()
        .find(|line| line.split("  ").next() == Some(stack))
        .unwrap_or_else(|| panic!("no {stack}\n{}", said.all()));
    line.split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn all_stacks_are_applied_in_the_order_of_their_references() {
    let estate = Estate::new();
    let said = estate.apply().success();
    let place = |text: &str| said.stdout.find(text).unwrap();
    assert!(place("── network (stacks/network)") < place("── app (stacks/app)"));
    assert!(place("── app (stacks/app)") < place("── web (stacks/web)"));
    for stack in ["network", "app", "web"] {
        assert_eq!(
            row(&said, stack)[1..3],
            ["applied", "1 add, 0 change, 0 destroy"]
        );
    }
    estate.within("web", &["output", "-env=dev"]).whatever();
    estate
        .within("web", &["state", "pull", "-env=dev"])
        .success()
        .says("app on vpc-in-a with 3");
    let said = estate
        .terrace(&["plan", "-env=dev", "-detailed-exitcode"])
        .success();
    assert_eq!(row(&said, "app")[1], "no changes");
    let said = estate.terrace(&["drift", "-env=dev"]).success();
    assert_eq!(row(&said, "web")[1], "no changes");
}

#[test]
fn a_plan_of_stacks_that_were_never_applied_says_which_wait() {
    let estate = Estate::new();
    let said = estate
        .terrace(&["plan", "-env=dev", "-detailed-exitcode"])
        .fails(2);
    assert_eq!(row(&said, "network")[1], "planned");
    assert_eq!(row(&said, "app")[1], "waits for network");
    assert_eq!(row(&said, "web")[1], "waits for app");
    said.says("To apply them in this order: terrace apply -env=dev");
    // Alone, there is nothing that it could be planned with.
    estate
        .within("app", &["plan", "-env=dev"])
        .fails(1)
        .says("Stack has not been applied")
        .says("run `terrace -chdir=stacks/network apply -env=dev`");
    estate
        .within(
            "app",
            &[
                "plan",
                "-env=dev",
                "-var=vpc=mine",
                "-var=subnets={two={cidr=\"\",size=1}}",
            ],
        )
        .success()
        .says("app on mine with 1")
        .omits("From other stacks");
}

#[test]
fn a_plan_says_that_a_value_is_about_to_change() {
    let estate = Estate::new();
    estate.apply().success();
    estate
        .project
        .write("stacks/network/zone.auto.tfvars", "zone = \"b\"\n");
    let said = estate
        .terrace(&["plan", "-env=dev", "-detailed-exitcode"])
        .fails(2)
        .says("Value is about to change")
        .says("The stack \"network\" plans to change its output \"vpc_id\", from which var.vpc has its value.");
    assert_eq!(row(&said, "network")[1], "planned");
    assert_eq!(row(&said, "app")[1], "no changes");
    estate.apply().success();
    estate
        .within("web", &["state", "pull", "-env=dev"])
        .success()
        .says("app on vpc-in-b with 3");
}

#[test]
fn stacks_are_chosen_by_globs() {
    let estate = Estate::new();
    let said = estate
        .terrace(&["apply", "-env=dev", "-auto-approve", "-stack=net*"])
        .success();
    assert!(!said.stdout.contains("── app"), "{}", said.all());
    let said = estate
        .terrace(&["plan", "-env=dev", "-stack=app", "-stack=stacks/network"])
        .success();
    assert_eq!(row(&said, "app")[1], "planned");
    assert!(!said.stdout.contains("── web"), "{}", said.all());
    // From a folder below as well.
    let said = estate
        .within("web", &["plan", "-env=dev", "-stack=network"])
        .success();
    assert_eq!(row(&said, "network")[1], "no changes");
    estate
        .terrace(&["plan", "-env=dev", "-stack=db"])
        .fails(1)
        .says("No stack of the project is one of db. Its stacks are: network, app, web.");
    estate
        .terrace(&["plan", "-env=dev", "-out=x.plan"])
        .fails(1)
        .says("3 stacks are meant, and -out can be meant for one only.");
}

#[test]
fn a_stack_that_fails_keeps_back_what_depends_on_it() {
    let estate = Estate::new();
    estate.apply().success();
    estate.project.write(
        "stacks/app/main.tf",
        APP.replace("size\n", "size").replace(
            "resource \"terraform_data\" \"app\" {",
            "resource \"terraform_data\" \"app\" {\n  lifecycle {\n    precondition {\n      condition     = var.vpc == \"other\"\n      error_message = \"Not there.\"\n    }\n  }\n",
        ),
    );
    estate.project.write(
        "stacks/zoo/main.tf",
        "resource \"terraform_data\" \"zoo\" {}\n",
    );
    let said = estate.apply().fails(1).says("Not there.");
    assert_eq!(row(&said, "network")[1], "no changes");
    assert_eq!(row(&said, "app")[1], "failed");
    assert_eq!(row(&said, "web")[1], "waits for app");
    assert_eq!(row(&said, "zoo")[1], "applied");
}

#[test]
fn everything_is_destroyed_from_the_end() {
    let estate = Estate::new();
    estate.apply().success();
    let said = estate
        .terrace(&["destroy", "-env=dev", "-auto-approve"])
        .success();
    let place = |text: &str| said.stdout.find(text).unwrap();
    assert!(place("── web") < place("── app"));
    assert!(place("── app") < place("── network"));
    assert_eq!(
        row(&said, "network")[1..3],
        ["applied", "0 add, 0 change, 1 destroy"]
    );
    // What is gone is taken by nobody.
    estate
        .within("app", &["plan", "-env=dev"])
        .fails(1)
        .says("No such output");
}

#[test]
fn stacks_that_wait_for_each_other_are_told_with_the_way() {
    let estate = Estate::with(&format!(
        "{STACKS}\nstack \"network\" {{\n  after = [\"web\"]\n}}\n"
    ));
    estate
        .terrace(&["plan", "-env=dev"])
        .fails(1)
        .says("Cycle of stacks")
        .says("\"app\" after \"network\" after \"web\" after \"app\"");
}

#[test]
fn what_a_stack_has_not_cannot_be_taken() {
    let estate = Estate::with(
        "stack \"app\" {\n  input \"vpc\" {\n    stack = \"network\"\n  }\n  input \"more\" {\n    stack = \"network\"\n  }\n}\n",
    );
    estate
        .within("network", &["apply", "-env=dev", "-auto-approve"])
        .success();
    estate
        .within("app", &["plan", "-env=dev"])
        .fails(1)
        .says("which that stack did not have when it was applied in environment \"dev\"")
        .says("It had: subnets, vpc_id.")
        .says("its root module does not declare a variable of that name");
    let estate = Estate::with("stack \"app\" {\n  input \"vpc\" {\n    stack = \"net\"\n  }\n}\n");
    estate.within("app", &["plan", "-env=dev"]).fails(1).says(
        "The stack \"app\" takes \"vpc\" from \"net\", and the project has no stack of that name.",
    );
}

#[test]
fn outputs_that_were_tampered_with_are_not_taken() {
    let estate = Estate::new();
    estate.apply().success();
    let store = estate.store("network");
    let first = wait(store.get("outputs/current")).unwrap().unwrap();
    let refused = |estate: &Estate, why: &str| {
        estate
            .within("app", &["plan", "-env=dev"])
            .fails(1)
            .says("Outputs are not to be trusted")
            .says(why);
        estate
            .within("network", &["audit", "verify", "-env=dev"])
            .fails(1)
            .says("the outputs document");
    };
    // Another value, in the same form.
    let text = String::from_utf8(first.to_vec()).unwrap();
    let mut envelope: serde_json::Value = serde_json::from_str(&text).unwrap();
    let payload = envelope["payload"].as_str().unwrap().to_owned();
    assert!(payload.len() > 100);
    envelope["payload"] = payload.replacen('A', "B", 1).into();
    wait(store.put("outputs/current", envelope.to_string().as_bytes())).unwrap();
    refused(&estate, "its outputs document is not what was applied");
    // What was true before.
    wait(store.put("outputs/current", &first)).unwrap();
    estate.within("app", &["plan", "-env=dev"]).success();
    estate.move_network("b");
    wait(store.put("outputs/current", &first)).unwrap();
    refused(&estate, "its outputs document is not what was applied");
    // None at all.
    wait(store.delete("outputs/current")).unwrap();
    refused(&estate, "the audit log tells of one, and it is gone");
    // Applying again leaves what is true.
    estate.move_network("b");
    estate
        .within("app", &["plan", "-env=dev"])
        .success()
        .says("vpc-in-b");
}

#[test]
fn outputs_count_by_the_keys_of_listed_people_alone() {
    let estate = Estate::new();
    let apply = |key: &str| {
        estate
            .within(
                "network",
                &["apply", "-env=dev", "-auto-approve", &estate.key(key)],
            )
            .success()
    };
    apply("stranger");
    estate
        .within("app", &["plan", "-env=dev"])
        .fails(1)
        .says("a key that no person in the project file has");
    apply("ann");
    estate
        .within("app", &["plan", "-env=dev"])
        .success()
        .says("From other stacks:")
        .says("var.vpc is the output \"vpc_id\" of stacks/network (run ");
    let run = estate
        .within("network", &["runs", "-env=dev", "-status=applied", "-json"])
        .success()
        .json();
    let run = run[0]["id"].as_str().unwrap().to_owned();
    estate
        .within("network", &["runs", "verify", "-env=dev", &run])
        .whatever()
        .says("its outputs document has the digest")
        .says("signed by SHA256:");
}

#[test]
fn a_plan_is_stale_once_a_value_that_it_took_has_moved() {
    let estate = Estate::new();
    estate
        .within("network", &["apply", "-env=dev", "-auto-approve"])
        .success();
    estate
        .within("app", &["plan", "-env=dev", "-out=app.plan"])
        .success();
    estate.move_network("b");
    estate
        .within("app", &["apply", "-env=dev", "app.plan"])
        .fails(1)
        .says("Saved plan is stale")
        .says("var.vpc, the output \"vpc_id\" of stack \"stacks/network\"")
        .omits("var.subnets");
    // Another apply that leaves the value as it was moves nothing.
    estate.move_network("a");
    estate
        .within("app", &["apply", "-env=dev", "app.plan"])
        .success();
}

#[test]
fn secrets_are_taken_where_both_sides_say_so() {
    let secret = "\noutput \"token\" {\n  value     = \"hunter-two\"\n  sensitive = true\n}\n";
    let taking = |sensitive: &str| {
        format!(
            "stack \"web\" {{\n  input \"address\" {{\n    stack  = \"network\"\n    output = \"token\"\n{sensitive}  }}\n}}\n"
        )
    };
    let estate = Estate::with(&taking(""));
    estate
        .project
        .write("stacks/network/main.tf", format!("{NETWORK}{secret}"));
    let apply = |estate: &Estate| {
        estate
            .within("network", &["apply", "-env=dev", "-auto-approve"])
            .success();
    };
    apply(&estate);
    estate
        .within("web", &["plan", "-env=dev"])
        .fails(1)
        .says("Output is sensitive")
        .says("the input does not say that it may be");
    let rules = estate.project.read("terrace.hcl");
    let rules = rules.replace(&taking(""), &taking("    sensitive = true\n"));
    estate.project.write("terrace.hcl", rules);
    estate
        .within("web", &["plan", "-env=dev"])
        .fails(1)
        .says("the variable that has it is not declared with `sensitive = true`");
    estate.project.write(
        "stacks/web/main.tf",
        WEB.replace("{}", "{\n  sensitive = true\n}"),
    );
    estate
        .within("web", &["plan", "-env=dev"])
        .fails(1)
        .says("its value was not published");
    apply(&estate);
    estate
        .within("web", &["apply", "-env=dev", "-auto-approve"])
        .success()
        .omits("hunter-two");
    estate
        .within("web", &["state", "pull", "-env=dev"])
        .success()
        .says("hunter-two");
}

#[test]
fn what_waits_for_an_approval_keeps_back_the_rest_until_it_has_it() {
    let estate = Estate::new();
    let ann = estate.key("ann");
    let apply = |code: i32| {
        estate
            .terrace(&["apply", "-env=stg", ann.as_str()])
            .fails(code)
    };
    let approve = |stack: &str, run: &str| {
        estate
            .within(stack, &["approve", "-env=stg", &estate.key("ben"), run])
            .success()
    };
    let said = apply(5);
    let first = row(&said, "network");
    assert_eq!(first[1], "waits for approval");
    assert_eq!(row(&said, "app")[1], "waits for network");
    assert_eq!(row(&said, "web")[1], "waits for app");
    let run = first[3].clone();
    let said = said.says(&format!(
        "terrace -chdir=stacks/network approve -env=stg -key=FILE {run}"
    ));
    assert!(!said.stdout.contains("approve -env=stg -key=FILE -"));
    // Without an approval it is the same run that waits.
    assert_eq!(row(&apply(5), "network")[3], run);
    approve("network", &run);
    let said = apply(5).says("it goes on");
    assert_eq!(row(&said, "network")[1], "applied");
    assert_eq!(row(&said, "network")[3], run);
    let app = row(&said, "app");
    assert_eq!(app[1], "waits for approval");
    assert_eq!(row(&said, "web")[1], "waits for app");
    approve("app", &app[3]);
    let said = apply(5);
    assert_eq!(row(&said, "network")[1], "no changes");
    assert_eq!(row(&said, "app")[1], "applied");
    approve("web", &row(&said, "web")[3]);
    let said = apply(0);
    assert_eq!(row(&said, "web")[1], "applied");
    estate
        .within("web", &["state", "pull", "-env=stg"])
        .success()
        .says("app on vpc-in-a with 3");
}

#[test]
fn unsigned_outputs_pass_no_gate() {
    let estate = Estate::new();
    let ann = estate.key("ann");
    estate
        .within("network", &["plan", "-env=stg", &ann])
        .success();
    let runs = estate
        .within("network", &["runs", "-env=stg", "-json"])
        .success()
        .json();
    let run = runs[0]["id"].as_str().unwrap().to_owned();
    estate
        .within(
            "network",
            &["approve", "-env=stg", &estate.key("ben"), &run],
        )
        .success();
    // Nobody signs what is applied.
    estate
        .within("network", &["apply", "-env=stg", &run])
        .success();
    estate
        .within("app", &["plan", "-env=stg", &ann])
        .fails(1)
        .says("its outputs document is not signed, and there is a gate in that environment");
}

#[test]
fn programs_are_told_of_each_stack() {
    let estate = Estate::new();
    let lines = estate
        .terrace(&["apply", "-env=dev", "-auto-approve", "-json"])
        .success()
        .json_lines();
    let begun: Vec<&str> = lines
        .iter()
        .filter(|line| line["type"] == "stack")
        .filter_map(|line| line["stack"]["name"].as_str())
        .collect();
    assert_eq!(begun, ["network", "app", "web"]);
    let last = lines.last().unwrap();
    assert_eq!(last["type"], "stacks_summary");
    assert_eq!(last["stacks"][2]["result"], "applied");
    assert_eq!(last["stacks"][2]["changes"]["add"], 1);
}

//! `state`, `workspace`, `output`, `taint` and the rules of states.

use terrace_test_support::Project;

const THREE: &str = r#"
resource "terraform_data" "one" {
  input = "one"
}

resource "terraform_data" "many" {
  count = 2
  input = count.index
}

output "one" {
  value = terraform_data.one.output
}
"#;

fn applied(backend: &str) -> Project {
    let project = Project::with(&format!("{backend}{THREE}"));
    project.terrace(&["apply", "-auto-approve"]).success();
    project
}

const EMBEDDED: &str = "terraform {\n  backend \"embedded\" {}\n}\n";

#[test]
fn state_list_show_mv_and_rm() {
    for backend in ["", EMBEDDED] {
        let project = applied(backend);
        let listed = project.terrace(&["state", "list"]).success();
        assert_eq!(
            listed.stdout,
            "terraform_data.many[0]\nterraform_data.many[1]\nterraform_data.one\n"
        );
        insta::allow_duplicates! {
            insta::assert_snapshot!("state_show", project.terrace(&["state", "show", "terraform_data.many[1]"]).success().snapshot());
        }
        project
            .terrace(&["state", "show", "terraform_data.many[7]"])
            .fails(1)
            .says("No instance found");

        project
            .terrace(&[
                "state",
                "mv",
                "-dry-run",
                "terraform_data.one",
                "terraform_data.uno",
            ])
            .success();
        assert!(
            project
                .terrace(&["state", "list"])
                .success()
                .stdout
                .contains("terraform_data.one\n")
        );
        project
            .terrace(&["state", "mv", "terraform_data.one", "terraform_data.uno"])
            .success();
        project.write(
            "main.tf",
            format!(
                "{backend}{}",
                THREE
                    .replace("terraform_data\" \"one", "terraform_data\" \"uno")
                    .replace("terraform_data.one", "terraform_data.uno")
            ),
        );
        project.terrace(&["plan", "-detailed-exitcode"]).success();
        project
            .terrace(&["state", "mv", "terraform_data.nobody", "terraform_data.x"])
            .fails(1);

        project
            .terrace(&["state", "rm", "terraform_data.many"])
            .success();
        assert_eq!(
            project.terrace(&["state", "list"]).success().stdout,
            "terraform_data.uno\n"
        );
        project
            .terrace(&["plan", "-detailed-exitcode"])
            .fails(2)
            .says("Plan: 2 to add, 0 to change, 0 to destroy.");
        project
            .terrace(&["state", "rm", "not an address"])
            .fails(1)
            .says("address");
    }
}

#[test]
fn pull_and_push_follow_lineage_and_serial() {
    for backend in ["", EMBEDDED] {
        let project = applied(backend);
        let old = project.terrace(&["state", "pull"]).success().stdout;
        let serial = project.state()["serial"].as_u64().unwrap();
        project
            .terrace(&["state", "rm", "terraform_data.one"])
            .success();
        assert!(project.state()["serial"].as_u64().unwrap() > serial);
        project.write("old.tfstate", &old);
        project
            .terrace(&["state", "push", "old.tfstate"])
            .fails(1)
            .says("serial");
        project
            .terrace(&["state", "push", "-force", "old.tfstate"])
            .success();
        assert!(
            project
                .terrace(&["state", "list"])
                .success()
                .stdout
                .contains("terraform_data.one")
        );
        let lineage = project.state()["lineage"].as_str().unwrap().to_owned();
        project.write(
            "other.tfstate",
            old.replace(&lineage, "00000000-0000-0000-0000-000000000000")
                .replace(&format!("\"serial\": {serial}"), "\"serial\": 999"),
        );
        project
            .terrace(&["state", "push", "other.tfstate"])
            .fails(1)
            .says("lineage");
        project.write("nonsense.tfstate", "{ this is no state");
        project
            .terrace(&["state", "push", "nonsense.tfstate"])
            .fails(1);
    }
}

#[test]
fn taint_and_untaint() {
    let project = applied("");
    project.terrace(&["taint", "terraform_data.one"]).success();
    let planned = project.terrace(&["plan", "-detailed-exitcode"]).fails(2);
    planned.says("terraform_data.one is tainted, so must be replaced");
    project
        .terrace(&["untaint", "terraform_data.one"])
        .success();
    project.terrace(&["plan", "-detailed-exitcode"]).success();
    project
        .terrace(&["taint", "terraform_data.nobody"])
        .fails(1)
        .says("No such resource instance");
}

#[test]
fn workspaces_keep_their_states_apart() {
    for backend in ["", EMBEDDED] {
        let project = applied(backend);
        assert_eq!(
            project.terrace(&["workspace", "show"]).success().stdout,
            "default\n"
        );
        project
            .terrace(&["workspace", "new", "blue"])
            .success()
            .says("Created and switched to workspace \"blue\"!");
        assert!(project.instances().is_empty());
        project.terrace(&["apply", "-auto-approve"]).success();
        assert_eq!(
            project.terrace(&["workspace", "list"]).success().stdout,
            "* blue\n  default\n\n"
        );
        project
            .terrace(&["workspace", "new", "blue"])
            .fails(1)
            .says("already exists");
        project
            .terrace(&["workspace", "delete", "blue"])
            .fails(1)
            .says("active workspace");
        project
            .terrace(&["workspace", "select", "default"])
            .success();
        project
            .terrace(&["workspace", "delete", "blue"])
            .fails(1)
            .says("Workspace is not empty");
        project
            .terrace(&["workspace", "delete", "-force", "blue"])
            .success();
        project
            .terrace(&["workspace", "select", "blue"])
            .fails(1)
            .says("doesn't exist");
        project.terrace(&["workspace", "new", "../up"]).fails(1);
        assert_eq!(project.instances().len(), 3);
    }
}

#[test]
fn outputs_as_text_raw_and_json() {
    let project = applied("");
    assert_eq!(
        project.terrace(&["output"]).success().stdout,
        "one = \"one\"\n"
    );
    assert_eq!(
        project.terrace(&["output", "-raw", "one"]).success().stdout,
        "one"
    );
    assert_eq!(
        project
            .terrace(&["output", "-json", "one"])
            .success()
            .json(),
        "one"
    );
    assert_eq!(
        project.terrace(&["output", "-json"]).success().json()["one"]["value"],
        "one"
    );
    project
        .terrace(&["output", "two"])
        .fails(1)
        .says("Output \"two\" not found");
}

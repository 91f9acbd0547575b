//! `terrace module`: checking, documenting and beginning modules, and keeping those current that are called.

use std::process::Command;

use serde_json::Value;
use terrace_test_support::Project;

use super::repository;

fn git(project: &Project, arguments: &[&str]) {
    let status = Command::new("git")
        .args(["-c", "user.name=x", "-c", "user.email=x@example.com"])
        .args(arguments)
        .current_dir(project.path())
        .status();
    assert!(status.unwrap().success(), "git {arguments:?}");
}

const VARIABLES: &str = r#"variable "name" {
  description = "The name."
  type        = string
}

variable "size" {
  description = "How large."
  type        = number
  default     = 3
}
"#;

/// A module whose version 1.2.0 is tagged.
fn released() -> Project {
    let project = Project::new();
    project.write("variables.tf", VARIABLES);
    project.write(
        "main.tf",
        "terraform {\n  required_version = \">= 1.5\"\n}\n\nresource \"terraform_data\" \"main\" {\n  input = var.name\n}\n",
    );
    project.write(
        "outputs.tf",
        "output \"id\" {\n  description = \"The id.\"\n  value       = terraform_data.main.id\n}\n",
    );
    git(&project, &["init", "--quiet", "."]);
    git(&project, &["add", "--all"]);
    git(&project, &["commit", "--quiet", "--message", "x"]);
    git(&project, &["tag", "v1.2.0"]);
    project
}

const CHANGES: [&str; 4] = ["module", "check", "-json", "-only=changes"];

#[test]
fn breaking_changes_are_named_with_place_and_version() {
    let project = released();
    let before: Value = project.terrace(&CHANGES).success().json();
    assert_eq!(before["changes"]["step"], "none");
    project.write(
        "variables.tf",
        VARIABLES.replace("variable \"size\"", "variable \"count_of_nodes\""),
    );
    project.write(
        "main.tf",
        "terraform {\n  required_version = \">= 1.5\"\n}\n\nresource \"terraform_data\" \"this\" {\n  input = var.name\n}\n",
    );
    project.write(
        "outputs.tf",
        "output \"id\" {\n  description = \"The id.\"\n  value       = terraform_data.this.id\n}\n",
    );
    let answer: Value = project.terrace(&CHANGES).fails(1).json();
    let changes = &answer["changes"];
    assert_eq!(changes["against"], "v1.2.0");
    assert_eq!(changes["step"], "major");
    assert_eq!(changes["next_version"], "2.0.0");
    let found: Vec<(&str, &str)> = changes["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["step"] == "major")
        .map(|finding| {
            (
                finding["kind"].as_str().unwrap(),
                finding["subject"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(
        found.contains(&("variable-removed", "variable \"size\"")),
        "{found:?}"
    );
    assert!(
        found.contains(&("resource-lost", "terraform_data.main")),
        "{found:?}"
    );
    assert_eq!(found.len(), 2, "{found:?}");
    let text = project
        .terrace(&["module", "check", "-only=changes"])
        .fails(1)
        .all();
    assert!(
        text.contains("v1.2.0:main.tf line 5") || text.contains("v1.2.0:main.tf:5"),
        "{text}"
    );
    assert!(
        text.contains("The next version after 1.2.0 is 2.0.0 (major)."),
        "{text}"
    );
    for (release, code) in [("1.3.0", 1), ("2.0.0", 0)] {
        let release = format!("-release={release}");
        let arguments = ["module", "check", "-only=changes", &release];
        project.terrace(&arguments).fails(code);
    }
}

#[test]
fn earlier_versions_are_directories_and_references_too() {
    let project = released();
    project.write("old/main.tf", "variable \"gone\" {\n  default = 1\n}\n");
    let directory = project.terrace(&["module", "check", "-json", "-only=changes", "-against=old"]);
    assert_eq!(directory.fails(1).json()["changes"]["step"], "major");
    let head = project.terrace(&["module", "check", "-json", "-only=changes", "-against=HEAD"]);
    assert_eq!(head.success().json()["changes"]["step"], "none");
    let unknown = project.terrace(&["module", "check", "-only=changes", "-against=v9.9.9"]);
    assert!(unknown.fails(1).all().contains("Nothing to compare with"));
}

#[test]
fn a_readme_is_stale_until_it_is_written() {
    let project = released();
    project.write("README.md", "# Mine\n\nWords.\n");
    project.terrace(&["module", "docs", "-check"]).fails(3);
    project.terrace(&["module", "docs"]).success();
    let readme = project.read("README.md");
    assert!(
        readme.starts_with("# Mine\n\nWords.\n\n<!-- BEGIN_TERRACE_DOCS -->\n"),
        "{readme}"
    );
    for part in [
        "| <a id=\"input_name\"></a>`name` | The name. | `string` | n/a | yes |",
        "| <a id=\"output_id\"></a>`id` | The id. |",
        "```mermaid",
    ] {
        assert!(readme.contains(part), "{part}: {readme}");
    }
    project.terrace(&["module", "docs", "-check"]).success();
    project.write("more.tf", "output \"more\" {\n  value = 1\n}\n");
    project.terrace(&["module", "docs", "-check"]).fails(3);
    let data = project
        .terrace(&["module", "docs", "-json"])
        .success()
        .json();
    assert_eq!(data["inputs"][0]["name"], "name");
    assert_eq!(data["inputs"][0]["required"], true);
    assert_eq!(data["outputs"][1]["type"], "number");
}

#[test]
fn what_keeps_others_from_calling_a_module_is_told() {
    let project = Project::with(
        "provider \"random\" {}\n\nresource \"random_pet\" \"a\" {}\n\nvariable \"x\" {\n  type = string\n}\n",
    );
    let text = project
        .terrace(&["module", "check", "-only=guidelines"])
        .fails(1)
        .all();
    for summary in [
        "Provider configuration in a module",
        "Provider without version constraint",
        "Engine without version constraint",
        "No description",
    ] {
        assert!(text.contains(summary), "{summary}: {text}");
    }
}

#[test]
fn a_new_module_is_as_a_module_should_be() {
    let project = Project::new();
    project.terrace(&["module", "new", "static-site"]).success();
    let inside = |arguments: &[&str]| project.terrace_in("static-site", arguments);
    inside(&["init", "-backend=false"]).success();
    let answer = inside(&["module", "check", "-json", "-skip=tests"])
        .success()
        .json();
    let results: Vec<(&str, &str)> = answer["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["check"].as_str().unwrap(),
                one["result"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        results,
        [
            ("formatted", "pass"),
            ("valid", "pass"),
            ("guidelines", "pass"),
            ("documented", "pass"),
            ("changes", "skip"),
            ("examples", "pass"),
        ]
    );
    project.terrace(&["module", "new", "static-site"]).fails(1);
    project.terrace(&["module", "new", "Static"]).fails(1);
}

#[test]
fn calls_are_raised_where_they_stand() {
    let project = Project::new();
    let source = repository(&project, &[("main.tf", "output \"x\" {\n  value = 1\n}\n")]);
    let tagged = Command::new("git")
        .args(["tag", "v1.1.0"])
        .current_dir(project.outer().join("repository"))
        .status();
    assert!(tagged.unwrap().success());
    let call = |version: &str| {
        format!("# Ours.\nmodule \"one\" {{\n  source = \"{source}?ref={version}\" # pinned\n}}\n")
    };
    project.write("stacks/a/main.tf", call("v1.0.0"));
    project.write("stacks/b/main.tf", call("v1.1.0"));
    let list = project
        .terrace(&["module", "deps", "-json", "stacks"])
        .success()
        .json();
    let found: Vec<(&str, bool)> = list["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["directory"].as_str().unwrap(),
                row["outdated"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(found, [("stacks/a", true), ("stacks/b", false)]);
    let shown = project
        .terrace(&["module", "upgrade", "-dry-run", "-plan", "stacks"])
        .success();
    assert!(
        shown.all().contains("Nothing was written."),
        "{}",
        shown.all()
    );
    assert_eq!(project.read("stacks/a/main.tf"), call("v1.0.0"));
    project.terrace(&["module", "upgrade", "stacks"]).success();
    assert_eq!(project.read("stacks/a/main.tf"), call("v1.1.0"));
    assert_eq!(project.read("stacks/b/main.tf"), call("v1.1.0"));
}

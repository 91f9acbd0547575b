//! `terrace module`: checking, documenting and beginning modules, and keeping those current that are called.

use serde_json::Value;
use terrace_test_services::{Reply, Web};
use terrace_test_support::Project;

use super::{registry, repository, zip};

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
    project.commit(".", "x");
    project.git(&["tag", "v1.2.0"]);
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
    let repository = project.outer().join("repository");
    project.git(&["-C", repository.to_str().unwrap(), "tag", "v1.1.0"]);
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

/// A registry whose module breaks its callers between 1.0.0 and 1.2.0.
fn breaking_registry(project: &mut Project) -> Web {
    let web = registry(project);
    let version = |variable: &str, output: &str| {
        let text = format!(
            "variable \"{variable}\" {{\n  type    = string\n  default = \"a\"\n}}\n\noutput \"{output}\" {{\n  value = var.{variable}\n}}\n"
        );
        Reply::of(zip(&[("net/main.tf", &text)]))
    };
    web.on("/modules/acme/net/aws/1.0.0/net.zip", version("zone", "id"));
    web.on(
        "/modules/acme/net/aws/1.2.0/net.zip",
        version("region", "name"),
    );
    web
}

#[test]
fn an_upgrade_names_the_lines_that_it_breaks() {
    let mut project = Project::new();
    let web = breaking_registry(&mut project);
    let source = format!("{}/acme/net/aws", web.authority());
    let call = |arguments: &str| {
        format!(
            "module \"net\" {{\n  source  = \"{source}\"\n  version = \"1.0.0\"\n{arguments}}}\n"
        )
    };
    project.write(
        "stacks/a/main.tf",
        format!(
            "{}output \"id\" {{\n  value = module.net.id\n}}\n",
            call("  zone = \"b\"\n")
        ),
    );
    project.write("stacks/b/main.tf", call(""));
    let dry_run = ["module", "upgrade", "-dry-run", "-json", "stacks"];
    let answer = project.terrace(&dry_run).success().json();
    let breaks = |index: usize| -> Vec<(String, u64)> {
        answer["upgrades"][index]["breaks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (
                    one["kind"].as_str().unwrap().to_owned(),
                    one["line"].as_u64().unwrap(),
                )
            })
            .collect()
    };
    assert_eq!(
        breaks(0),
        [
            ("variable-removed".to_owned(), 4),
            ("output-removed".to_owned(), 7)
        ]
    );
    assert_eq!(breaks(1), []);
    let shown = project
        .terrace(&["module", "upgrade", "-dry-run", "stacks"])
        .success();
    for part in [
        "stacks/a/main.tf:4:3",
        "Version 1.2.0 of module.net breaks this.",
    ] {
        assert!(shown.all().contains(part), "{part}: {}", shown.all());
    }
}

#[test]
fn a_version_of_a_registry_is_compared_with() {
    let mut project = Project::new();
    let web = breaking_registry(&mut project);
    let source = format!("{}/acme/net/aws", web.authority());
    project.write(
        "main.tf",
        "variable \"region\" {\n  type    = string\n  default = \"a\"\n}\n\noutput \"name\" {\n  value = var.region\n}\n",
    );
    let compared = |against: &str| {
        let against = format!("-against={against}");
        project.terrace(&["module", "check", "-json", "-only=changes", &against])
    };
    let newest = compared(&source).success().json();
    assert_eq!(newest["changes"]["step"], "none");
    assert_eq!(newest["changes"]["version"], "1.2.0");
    let older = compared(&format!("{source}@1.0.0")).fails(1).json();
    assert_eq!(older["changes"]["next_version"], "2.0.0");
    let first = &older["changes"]["findings"][0];
    assert_eq!(first["before"]["file"], "main.tf");
    compared(&format!("{source}@newest")).fails(1);
    compared(&format!("{source}@3.0.0")).fails(1);
}

#[test]
fn a_shallow_clone_does_not_pass_for_an_unreleased_module() {
    let project = released();
    project.write("more.tf", "output \"more\" {\n  value = 1\n}\n");
    project.commit(".", "y");
    let from = format!("file://{}", project.path().display());
    let clone = ["clone", "--quiet", "--depth=1", "--no-tags", &from, "clone"];
    project.git(&clone);
    let said = project.terrace_in("clone", &["module", "check", "-only=changes"]);
    let text = said.fails(1).all();
    assert!(text.contains("fetch-depth: 0"), "{text}");
}

//! Tools for who writes a configuration: console, graph, fmt and validate. What they print is the reference's, word
//! for word, where it is not the product's name or how a problem is drawn.

use std::io::Write as _;
use std::process::Stdio;

use terrace_test_support::{Project, terrace};

const CONFIGURATION: &str = r#"
variable "a" {
  default = "x"
}

variable "secret" {
  default   = "s"
  sensitive = true
}

variable "missing" {
  type = number
}

locals {
  object = { a = 1, b = [1, "two", null], c = "x\ny" }
}

resource "terraform_data" "one" {
  input = local.object
}

resource "terraform_data" "many" {
  count = 2
  input = { index = count.index, one = terraform_data.one.id }
}
"#;

/// Runs Terrace with `typed` as its standard input: exit code, output, errors.
fn typed(project: &Project, arguments: &[&str], typed: &str) -> (Option<i32>, String, String) {
    let mut child = project
        .command(terrace(), arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(typed.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn value(project: &Project, arguments: &[&str], expression: &str) -> String {
    let arguments = [&["console"], arguments].concat();
    let (code, output, errors) = typed(project, &arguments, &format!("{expression}\n"));
    assert_eq!(code, Some(0), "{expression}: {errors}");
    output
}

#[test]
fn the_console_shows_values_and_types() {
    let project = Project::with(CONFIGURATION);
    project.terrace(&["init"]).success();
    let shown = |expression| value(&project, &[], expression);
    assert_eq!(
        shown("local.object"),
        "{\n  \"a\" = 1\n  \"b\" = [\n    1,\n    \"two\",\n    null,\n  ]\n  \"c\" = <<-EOT\n  x\n  y\n  EOT\n}\n"
    );
    assert_eq!(shown("[var.secret]"), "[\n  (sensitive value),\n]\n");
    assert_eq!(shown("var.missing + 1"), "(known after apply)\n");
    assert_eq!(shown("terraform_data.one.id"), "(known after apply)\n");
    assert_eq!(
        value(&project, &["-var=missing=4"], "var.missing + 1"),
        "5\n"
    );
    assert_eq!(shown("tostring(null)"), "tostring(null)\n");
    assert_eq!(
        shown("type(tolist([{ a = 1 }]))"),
        "list(\n    object({\n        a: number,\n    }),\n)\n"
    );
    // What is open goes on in the next line.
    assert_eq!(
        shown("[for x in [1, 2] :\n  x * 2\n]"),
        "[\n  2,\n  4,\n]\n"
    );
    // The last value is the answer.
    assert_eq!(shown("1\n2"), "2\n");
    assert_eq!(shown("1\nexit\n2"), "");
}

#[test]
fn the_console_ends_at_the_first_error_of_what_is_piped() {
    let project = Project::with(CONFIGURATION);
    project.terrace(&["init"]).success();
    let (code, output, errors) = typed(&project, &["console"], "1\nvar.b\n2\n");
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert!(
        errors.contains("Reference to undeclared input variable"),
        "{errors}"
    );
    let (code, _, errors) = typed(&project, &["console"], "[type(1)]\n");
    assert_eq!(code, Some(1));
    assert!(errors.contains("Invalid use of type function"), "{errors}");
}

#[test]
fn the_console_knows_the_state_and_the_plan() {
    let project = Project::with(CONFIGURATION);
    let given = ["-var=missing=1"];
    project.terrace(&["init"]).success();
    assert_eq!(
        value(
            &project,
            &["-plan", "-var=missing=1"],
            "length(terraform_data.many)"
        )
        .lines()
        .last(),
        Some("2")
    );
    project
        .terrace(&["apply", "-auto-approve", "-var=missing=1"])
        .success();
    assert_eq!(
        value(&project, &given, "terraform_data.many[*].output.index"),
        "[\n  0,\n  1,\n]\n"
    );
    assert_eq!(
        value(
            &project,
            &given,
            "terraform_data.many[1].input.one == terraform_data.one.id"
        ),
        "true\n"
    );
    project.write("elsewhere/main.tf", CONFIGURATION);
    assert_eq!(
        value(
            &project,
            &["-state=terraform.tfstate"],
            "length(terraform_data.one.id)"
        ),
        "36\n"
    );
}

#[test]
fn a_resource_without_objects_is_empty_in_a_plan_and_unknown_in_a_state() {
    let project = Project::with(
        r#"
resource "terraform_data" "one" {}

resource "terraform_data" "none" {
  count = 0
}

resource "terraform_data" "off" {
  lifecycle {
    enabled = false
  }
}
"#,
    );
    project.terrace(&["init"]).success();
    project.terrace(&["apply", "-auto-approve"]).success();
    let answers = |arguments: &[&str]| {
        ["terraform_data.none", "terraform_data.off"].map(|expression| {
            let shown = value(&project, arguments, expression);
            shown.lines().last().map(str::to_owned).unwrap_or_default()
        })
    };
    assert_eq!(
        answers(&["-plan"]),
        ["[]", "null"],
        "a plan has decided that there is none"
    );
    assert_eq!(
        answers(&[]),
        ["(known after apply)", "(known after apply)"],
        "a state does not say whether there is to be one"
    );
}

#[test]
fn a_graph_is_drawn_of_resources_or_of_everything() {
    let project = Project::with(CONFIGURATION);
    project.terrace(&["init"]).success();
    let drawn = project.terrace(&["graph"]).success();
    assert_eq!(
        drawn.stdout,
        "digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n  \"terraform_data.many\" [label=\"terraform_data.many\"];\n  \"terraform_data.one\" [label=\"terraform_data.one\"];\n  \"terraform_data.many\" -> \"terraform_data.one\";\n}\n"
    );
    project
        .terrace(&["graph", "-type=plan"])
        .success()
        .says("\t\t\"[root] terraform_data.one (expand)\" -> \"[root] local.object (expand)\"\n");
    let drawn = project.terrace(&["graph", "-format=mermaid"]).success();
    assert_eq!(
        drawn.stdout,
        "flowchart RL\n  n0[\"terraform_data.many\"]\n  n1[\"terraform_data.one\"]\n  n0 --> n1\n"
    );
    project
        .terrace(&["graph", "-type=eval"])
        .fails(1)
        .says("Graph type no longer available");
}

#[test]
fn fmt_lists_checks_and_refuses() {
    let project = Project::with("a=1\n");
    project.write("sub/b.tfvars", "b=1\n");
    project.write("sub/.hidden.tf", "c=1\n");
    project.write("sub/d.hcl", "d=1\n");
    let listed = |arguments: &[&str], code| project.terrace(arguments).fails(code).stdout;
    assert_eq!(listed(&["fmt", "-check"], 3), "main.tf\n");
    assert_eq!(
        listed(&["fmt", "-check", "-recursive"], 3),
        "main.tf\nsub/b.tfvars\n"
    );
    assert_eq!(listed(&["fmt", "-check", "-list=false"], 3), "");
    project
        .terrace(&["fmt", "sub/d.hcl"])
        .fails(2)
        .says("Only .tf, .tfvars, and .tftest.hcl files can be processed");
    project
        .terrace(&["fmt", "nowhere"])
        .fails(2)
        .says("No file or directory at nowhere");
    assert_eq!(
        project
            .terrace(&["fmt", "-diff", "-write=false", "./sub/../main.tf"])
            .success()
            .stdout,
        "main.tf\n--- old/main.tf\n+++ new/main.tf\n@@ -1 +1 @@\n-a=1\n+a = 1\n"
    );
    assert_eq!(
        typed(&project, &["fmt", "-"], "a=1\nbb=2").1,
        "a  = 1\nbb = 2\n"
    );
    project.terrace(&["fmt", "-recursive"]).success();
    assert_eq!(project.read("sub/b.tfvars"), "b = 1\n");
    assert_eq!(project.read("sub/.hidden.tf"), "c=1\n");
    project.write("broken.tf", "a = {\n");
    project.write("main.tf", "a=1\n");
    project.terrace(&["fmt"]).fails(2).says("broken.tf:2:1");
    assert_eq!(project.read("main.tf"), "a = 1\n");
}

#[test]
fn validate_tells_machines_where_and_with_which_values() {
    let project = Project::with(
        "locals {\n  a = \"x\"\n}\n\noutput \"o\" {\n  value = upper([\n    local.a\n  ])\n}\n",
    );
    project.terrace(&["init"]).success();
    let answer = project.terrace(&["validate", "-json"]).fails(1).json();
    assert_eq!(answer["format_version"], "1.0");
    assert_eq!(answer["error_count"], 1);
    assert_eq!(
        answer["diagnostics"][0]["snippet"],
        serde_json::json!({
            "context": "output \"o\"",
            "code": "  value = upper([\n    local.a\n  ])",
            "start_line": 6,
            "highlight_start_offset": 16,
            "highlight_end_offset": 17,
            "values": [{"traversal": "local.a", "statement": "is \"x\""}],
            "function_call": {
                "called_as": "upper",
                "signature": {
                    "name": "upper",
                    "params": [{"name": "str", "type": "string"}],
                    "return_type": "string",
                },
            },
        })
    );
}

#[test]
fn validate_looks_at_test_files() {
    let project = Project::with("output \"o\" {\n  value = 1\n}\n");
    project.terrace(&["init"]).success();
    project.write(
        "main.tftest.hcl",
        "run \"a\" {\n  command = plann\n}\n\nrun \"a\" {}\n",
    );
    project.write("other/b.tftest.hcl", "zz = 1\n");
    project
        .terrace(&["validate"])
        .fails(1)
        .says("Invalid \"command\" keyword")
        .says("Duplicate \"run\" block names")
        .omits("other/b.tftest.hcl");
    project
        .terrace(&["validate", "-test-directory=other"])
        .fails(1)
        .says("other/b.tftest.hcl:1:1");
    project.terrace(&["validate", "-no-tests"]).success();
}

//! The project file: what it gives, and every way in which it is wrong.

use terrace_diag::SourceId;
use terrace_gate::{Project, parse_project};
use terrace_value::Value;

const KEY_A: &str = "SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const KEY_B: &str = "SHA256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn parse(text: &str) -> (Project, Vec<String>) {
    let text = text.replace("KEY_A", KEY_A).replace("KEY_B", KEY_B);
    let (project, diagnostics) = parse_project(SourceId(0), text.as_bytes());
    let told = diagnostics.sorted().into_iter().map(|found| {
        let line = found.subject.map_or(0, |span| {
            text[..span.start as usize].matches('\n').count() + 1
        });
        format!("{line}: {}: {}", found.summary, found.detail)
    });
    (project, told.collect())
}

const WHOLE: &str = r#"
project "storefront" {
  stacks = ["stacks/*"]
}

person "ann" {
  ssh    = ["KEY_A"]
  github = "ann-at-hub"
}

person "ben" {
  ssh = ["KEY_B"]
}

role "lead" {
  members = ["ben"]
}

environment "dev" {
  variables = ["environments/dev.tfvars"]
  workspace = "dev"
}

environment "prd" {
  after = ["dev"]

  backend "s3" {
    bucket = "acme-${environment}"
    key    = "${stack}.tfstate"
    plain  = stack
    retry  = 3
  }

  gate {
    approvals = 1
    roles     = ["lead"]
  }
}
"#;

#[test]
fn a_whole_file() {
    let (project, told) = parse(WHOLE);
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(
        (project.name.as_str(), &project.stacks[..]),
        ("storefront", &["stacks/*".to_owned()][..])
    );
    assert_eq!(project.people["ann"].github.as_deref(), Some("ann-at-hub"));
    assert!(project.people["ben"].keys.contains(KEY_B));
    assert!(project.roles["lead"].contains("ben"));
    let dev = project.environment("dev").unwrap();
    assert_eq!(
        (dev.workspace.as_deref(), dev.gate.is_none()),
        (Some("dev"), true)
    );
    assert_eq!(dev.variables, ["environments/dev.tfvars"]);
    let prd = project.environment("prd").unwrap();
    let gate = prd.gate.as_ref().unwrap();
    assert_eq!(
        (gate.approvals, &gate.roles[..]),
        (1, &["lead".to_owned()][..])
    );
    let rules = project.rules(prd);
    assert_eq!(
        (rules.environment.as_str(), &rules.after[..]),
        ("prd", &["dev".to_owned()][..])
    );
    assert_eq!(rules.person_of(KEY_A), Some("ann"));
    assert_eq!(rules.person_of("SHA256:other"), None);
    assert!(rules.is_gated() && !project.rules(dev).is_gated());
    assert!(project.environment("tst").is_none());
}

#[test]
fn a_backends_arguments_are_those_of_stack_and_environment() {
    let (project, _) = parse(WHOLE);
    let backend = project
        .environment("prd")
        .unwrap()
        .backend
        .as_ref()
        .unwrap();
    assert_eq!(backend.type_name, "s3");
    let (arguments, diagnostics) = backend.arguments("prd", "web");
    assert!(diagnostics.is_empty());
    assert_eq!(arguments["bucket"], Value::string("acme-prd"));
    assert_eq!(arguments["key"], Value::string("web.tfstate"));
    assert_eq!(arguments["plain"], Value::string("web"));
    assert_eq!(arguments["retry"], Value::int(3));
}

#[test]
fn a_backends_argument_may_refer_to_nothing_else() {
    let (project, _) = parse(
        "project \"p\" {}\nenvironment \"dev\" {\n  backend \"local\" {\n    path = var.path\n  }\n}\n",
    );
    let backend = project.environments[0].backend.as_ref().unwrap();
    assert!(backend.arguments("dev", "").1.has_errors());
}

#[test]
fn roles_alone_ask_for_one_approval() {
    let text = "project \"p\" {}\nperson \"a\" {\n  ssh = [\"KEY_A\"]\n}\nperson \"b\" {\n  ssh = [\"KEY_B\"]\n}\nrole \"r\" {\n  members = [\"a\"]\n}\nenvironment \"e\" {\n  gate {\n    roles = [\"r\"]\n  }\n}\n";
    let (project, told) = parse(text);
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(project.environments[0].gate.as_ref().unwrap().approvals, 1);
}

const PEOPLE: &str = "project \"p\" {}\nperson \"a\" {\n  ssh = [\"KEY_A\"]\n}\nperson \"b\" {\n  ssh = [\"KEY_B\"]\n}\n";

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn every_mistake_is_told_where_it_stands() {
    // What follows the project block and two people, and what is told. The first line of the mistake is line 8.
    let table: &[(&str, &[&str])] = &[
        (
            "project \"q\" {}\n",
            &["8: Duplicate project block: A project file holds one project block."],
        ),
        (
            "person \"a\" {\n}\n",
            &["8: Duplicate person: The person \"a\" is listed twice."],
        ),
        (
            "person \"c\" {\n  ssh = [\"KEY_A\"]\n}\n",
            &[
                "8: Key of two people: The key SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is listed for \"a\" already. A key belongs to one person.",
            ],
        ),
        (
            "person \"c\" {\n  ssh = [\"MD5:aa\"]\n}\n",
            &[
                "8: Invalid key fingerprint: \"MD5:aa\" is not the fingerprint of an SSH key. `ssh-keygen -l -f KEY.pub` shows it, as SHA256: and 43 characters.",
            ],
        ),
        (
            "person \"c\" {\n  ssh = \"x\"\n}\n",
            &["9: Invalid argument: The argument \"ssh\" is a list of strings."],
        ),
        (
            "person \"c\" {\n  github = 1\n}\n",
            &["9: Invalid argument: The argument \"github\" is a string."],
        ),
        (
            "role \"r\" {\n  members = [\"a\"]\n}\nrole \"r\" {\n}\n",
            &["11: Duplicate role: The role \"r\" is defined twice."],
        ),
        (
            "role \"r\" {\n  members = [\"zoe\"]\n}\n",
            &[
                "8: Invalid project file: The role \"r\" has a member \"zoe\", and no person block has that name.",
            ],
        ),
        (
            "environment \"e\" {}\nenvironment \"e\" {}\n",
            &["9: Duplicate environment: The environment \"e\" is defined twice."],
        ),
        (
            "environment \"e\" {\n  after = [\"f\"]\n}\nenvironment \"f\" {}\n",
            &[
                "8: Invalid project file: Environment \"e\" comes after \"f\", which is not defined before it.",
            ],
        ),
        (
            "environment \"e\" {\n  after = [\"e\"]\n}\n",
            &[
                "8: Invalid project file: Environment \"e\" comes after \"e\", which is not defined before it.",
            ],
        ),
        (
            "environment \"e\" {\n  gate {\n    roles = [\"r\"]\n  }\n}\n",
            &[
                "8: Invalid project file: The gate of \"e\" asks for role \"r\", which is not defined.",
            ],
        ),
        (
            "environment \"e\" {\n  gate {\n    approvals = 2\n  }\n}\n",
            &[
                "8: Invalid project file: The gate of \"e\" asks for 2 approvals by people other than the author, and the project lists 2 people.",
            ],
        ),
        (
            "environment \"e\" {\n  gate {\n    approvals = -1\n  }\n}\n",
            &["10: Invalid number of approvals: The number of approvals is a whole number from 0."],
        ),
        (
            "environment \"e\" {\n  gate {\n    approvals = \"two\"\n  }\n}\n",
            &["10: Invalid number of approvals: The number of approvals is a whole number from 0."],
        ),
        (
            "environment \"e\" {\n  branch = \"main\"\n}\n",
            &[
                "9: Not supported yet: This version of Terrace does not carry out \"branch\" in a project file. Remove it, so that nobody relies on it.",
            ],
        ),
        (
            "environment \"e\" {\n  gate {\n    soak = \"24h\"\n    window {}\n  }\n}\n",
            &[
                "10: Not supported yet: This version of Terrace does not carry out \"soak\" in a project file. Remove it, so that nobody relies on it.",
                "11: Not supported yet: This version of Terrace does not carry out \"window\" in a project file. Remove it, so that nobody relies on it.",
            ],
        ),
        (
            "change \"standard\" {}\n",
            &[
                "8: Not supported yet: This version of Terrace does not carry out \"change\" in a project file. Remove it, so that nobody relies on it.",
            ],
        ),
        (
            "run {}\n",
            &[
                "8: Not supported yet: This version of Terrace does not carry out \"run\" in a project file. Remove it, so that nobody relies on it.",
            ],
        ),
    ];
    for (text, expected) in table {
        let (_, told) = parse(&format!("{PEOPLE}{text}"));
        assert_eq!(told, *expected, "{text}");
    }
}

#[test]
fn a_second_gate_or_backend_is_refused() {
    for (block, expected) in [
        ("gate {}", "8: Duplicate gate block: "),
        ("backend \"local\" {}", "8: Duplicate backend block: "),
    ] {
        let (_, told) = parse(&format!(
            "{PEOPLE}environment \"e\" {{\n  {block}\n  {block}\n}}\n"
        ));
        let expected = expected.replace("8:", "10:");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&expected), "{told:?}");
    }
}

#[test]
fn a_file_without_project_and_one_with_unknown_words() {
    let (_, told) = parse("");
    assert_eq!(
        told,
        [
            "1: Missing project block: A project file begins with a project block, such as: project \"storefront\" {}."
        ]
    );
    let (_, told) = parse("project \"p\" {\n  colour = 1\n}\nplanet \"x\" {}\n");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter().all(|line| line.contains("Unsupported")),
        "{told:?}"
    );
    let (_, told) = parse("project \"p\" {");
    assert_eq!(told.len(), 1, "{told:?}");
}

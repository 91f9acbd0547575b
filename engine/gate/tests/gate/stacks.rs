//! Stacks: how they are found, named and put in order, and credentials, which stand in the same file.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use terrace_diag::SourceId;
use terrace_gate::{CredentialSource, Pattern, Project, parse_project};
use terrace_port::{FileEntry, Files};

/// Folders with configurations.
struct Folders(&'static [&'static str]);

impl Files for Folders {
    fn read(&self, _path: &str) -> io::Result<Arc<[u8]>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn list(&self, path: &str) -> io::Result<Vec<FileEntry>> {
        let mut entries = BTreeMap::new();
        for folder in self.0 {
            let folder = format!("root/{folder}");
            let Some(rest) = folder.strip_prefix(path) else {
                continue;
            };
            if rest.is_empty() {
                entries.insert("main.tf".to_owned(), false);
            } else if let Some(rest) = rest.strip_prefix('/') {
                let name = rest.split('/').next().unwrap_or_default();
                entries.insert(name.to_owned(), true);
            }
        }
        let entries = entries
            .into_iter()
            .map(|(name, is_directory)| FileEntry { name, is_directory });
        Ok(entries.collect())
    }

    fn exists(&self, _path: &str) -> bool {
        false
    }

    fn absolute(&self, path: &str) -> String {
        path.to_owned()
    }
}

fn read(text: &str) -> (Project, Vec<String>) {
    let (project, diagnostics) = parse_project(SourceId(0), text.as_bytes());
    let told = diagnostics.sorted().into_iter();
    (project, told.map(|found| found.detail).collect())
}

/// The stacks as `name path`, in order; or what is wrong.
fn found(text: &str, folders: &'static [&'static str]) -> Result<Vec<String>, Vec<String>> {
    let (project, told) = read(text);
    assert_eq!(told, Vec::<String>::new(), "{text}");
    match project.find_stacks("root", &Folders(folders)) {
        Ok(stacks) => Ok(stacks
            .iter()
            .map(|stack| format!("{} {}", stack.name, stack.path))
            .collect()),
        Err(problems) => Err(problems
            .sorted()
            .into_iter()
            .map(|problem| problem.detail)
            .collect()),
    }
}

const FOLDERS: &[&str] = &[
    "stacks/app",
    "stacks/network",
    "stacks/.hidden",
    "teams/red/db",
    "teams/blue/db",
    "teams/blue/deep/er",
];

#[test]
fn globs_name_the_folders_that_hold_a_configuration() {
    let table: [(&str, &[&str]); 6] = [
        (
            "[\"stacks/*\"]",
            &["app stacks/app", "network stacks/network"],
        ),
        (
            "[\"./stacks/network/\", \"stacks/*\"]",
            &["network stacks/network", "app stacks/app"],
        ),
        ("[\"stacks/*p*\"]", &["app stacks/app"]),
        (
            "[\"teams/*/db\"]",
            &["teams/blue/db teams/blue/db", "teams/red/db teams/red/db"],
        ),
        (
            "[\"teams/**\"]",
            &[
                "teams/blue/db teams/blue/db",
                "er teams/blue/deep/er",
                "teams/red/db teams/red/db",
            ],
        ),
        ("[\"nowhere/*\"]", &[]),
    ];
    for (globs, expected) in table {
        let text = format!("project \"p\" {{\n  stacks = {globs}\n}}\n");
        assert_eq!(found(&text, FOLDERS).unwrap(), *expected, "{globs}");
    }
}

const HEAD: &str = "project \"p\" {\n  stacks = [\"stacks/*\", \"teams/*/db\"]\n}\n";

#[test]
fn references_make_the_order_and_are_by_name_or_folder() {
    let text = format!(
        "{HEAD}
stack \"app\" {{
  after = [\"teams/red/db\"]
  input \"vpc\" {{
    stack  = \"net\"
    output = \"vpc_id\"
  }}
}}
stack \"net\" {{
  path = \"stacks/network\"
  after = [\"blue\"]
}}
stack \"blue\" {{
  path = \"./teams/blue/db\"
}}
"
    );
    assert_eq!(
        found(&text, FOLDERS).unwrap(),
        [
            "blue teams/blue/db",
            "net stacks/network",
            "teams/red/db teams/red/db",
            "app stacks/app",
        ]
    );
    let (project, _) = read(&text);
    let stacks = project.find_stacks("root", &Folders(FOLDERS)).unwrap();
    let app = stacks.at("stacks/app/").unwrap();
    assert_eq!(app.inputs[0].path, "stacks/network");
    assert_eq!(app.inputs[0].output, "vpc_id");
    let chosen = stacks.select(&[Pattern::new("teams/*".into()), Pattern::new("net".into())]);
    let names: Vec<&str> = chosen.iter().map(|stack| stack.name.as_str()).collect();
    assert_eq!(names, ["blue", "net", "teams/red/db"]);
}

#[test]
fn references_to_nothing_and_circles_are_told() {
    let table: [(&str, &[&str]); 7] = [
        (
            "stack \"app\" {\n  after = [\"db\"]\n}\n",
            &["The stack \"app\" comes after \"db\", and the project has no stack of that name."],
        ),
        (
            "stack \"app\" {\n  after = [\"app\"]\n}\n",
            &[
                "Each of these stacks waits for the next, so that none can be first: \"app\" after \"app\".",
            ],
        ),
        (
            "stack \"app\" {\n  after = [\"network\"]\n}\nstack \"network\" {\n  input \"x\" {\n    stack = \"app\"\n  }\n}\n",
            &[
                "Each of these stacks waits for the next, so that none can be first: \"app\" after \"network\" after \"app\".",
            ],
        ),
        (
            "stack \"x\" {\n  path = \"stacks/none\"\n}\n",
            &["The folder \"stacks/none\" of stack \"x\" holds no configuration."],
        ),
        (
            "stack \"db\" {}\n",
            &[
                "Not exactly one folder of the project's stacks is named \"db\". Say which it is with `path`.",
            ],
        ),
        (
            "stack \"network\" {\n  path = \"stacks/app\"\n}\n",
            &[
                "The stacks in \"stacks/app\" and \"stacks/network\" have the same name \"network\".",
            ],
        ),
        (
            "stack \"a\" {\n  path = \"stacks/app\"\n}\nstack \"b\" {\n  path = \"stacks/app\"\n}\n",
            &["The stacks \"a\" and \"b\" have the same folder \"stacks/app\"."],
        ),
    ];
    for (text, expected) in table {
        let told = found(&format!("{HEAD}{text}"), FOLDERS).unwrap_err();
        assert_eq!(told, *expected, "{text}");
    }
    let told = found(
        "project \"p\" {\n  stacks = [\"stacks/none\"]\n}\n",
        FOLDERS,
    )
    .unwrap_err();
    assert_eq!(
        told,
        ["The project lists the stack \"stacks/none\", and that folder holds no configuration."]
    );
}

#[test]
fn what_a_stack_block_cannot_say_is_told() {
    let table: [(&str, &[&str]); 5] = [
        (
            "stack \"a\" {\n  path = \"../a\"\n}\n",
            &[
                "\"../a\" is not a folder of this project. Write it relative to the project file, without \"..\".",
            ],
        ),
        (
            "stack \"a\" {}\nstack \"a\" {}\n",
            &["The stack \"a\" is defined twice."],
        ),
        (
            "stack \"a\" {\n  input \"x\" {}\n}\n",
            &["The input \"x\" does not say from which stack it comes. Add `stack = \"NAME\"`."],
        ),
        (
            "stack \"a\" {\n  input \"x\" {\n    stack = \"b\"\n  }\n  input \"x\" {\n    stack = \"c\"\n  }\n}\n",
            &["The stack \"a\" has two inputs \"x\". A variable has one value."],
        ),
        (
            "stack \"a\" {\n  input \"x\" {\n    stack     = \"b\"\n    sensitive = \"yes\"\n  }\n}\n",
            &["The argument \"sensitive\" is true or false."],
        ),
    ];
    for (text, expected) in table {
        let (_, told) = read(&format!("{HEAD}{text}"));
        assert_eq!(told, *expected, "{text}");
    }
}

#[test]
fn credentials_are_texts_variables_and_programs() {
    let (project, told) = read(
        "project \"p\" {}
environment \"stg\" {
  credentials {
    plan {
      PROFILE = \"read\"
    }
    apply {
      KEY     = { env = \"STG_KEY\" }
      command = [\"vault\", \"read\"]
    }
  }
}
",
    );
    assert_eq!(told, Vec::<String>::new());
    let credentials = project.environments[0].credentials.as_ref().unwrap();
    assert_eq!(
        credentials.plan.variables["PROFILE"],
        CredentialSource::Literal("read".into())
    );
    assert_eq!(
        credentials.apply.variables["KEY"],
        CredentialSource::Environment("STG_KEY".into())
    );
    assert_eq!(credentials.apply.command, ["vault", "read"]);
    assert_eq!(
        project.credential_sources().into_iter().collect::<Vec<_>>(),
        ["STG_KEY"]
    );
    let table: [(&str, &str); 4] = [
        (
            "plan {\n KEY = 1\n}",
            "The credential \"KEY\" is a string, or { env = \"NAME\" } for the value that the variable NAME of Terrace's environment has.",
        ),
        (
            "plan {\n KEY = { file = \"x\" }\n}",
            "The credential \"KEY\" is a string, or { env = \"NAME\" } for the value that the variable NAME of Terrace's environment has.",
        ),
        (
            "apply {\n command = \"vault read\"\n}",
            "The argument \"command\" is a program with its arguments: a list of strings. No shell takes part.",
        ),
        ("plan {}\nplan {}", "Credentials hold one plan block."),
    ];
    for (text, expected) in table {
        let text = format!(
            "project \"p\" {{}}\nenvironment \"stg\" {{\n  credentials {{\n    {text}\n  }}\n}}\n"
        );
        assert_eq!(read(&text).1, [expected], "{text}");
    }
}

//! The commands of the README, in order, with `terraform`.
#![allow(
    clippy::disallowed_methods,
    reason = "tests start processes and write files"
)]
#![allow(
    clippy::unwrap_used,
    reason = "what a test sets up must succeed, or the test fails"
)]

use std::path::Path;
use std::process::{Command, Output};

/// The commands of the README.
fn commands() -> Vec<Vec<String>> {
    include_str!("../README.md")
        .lines()
        .filter_map(|line| line.strip_prefix("terraform "))
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

struct Tutorial {
    directory: tempfile::TempDir,
}

impl Tutorial {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(
            directory.path().join("main.tf"),
            include_str!("../demo/main.tf"),
        )
        .unwrap();
        let plugin = Path::new(env!("CARGO_BIN_EXE_terraform-provider-notes"));
        let plugins = plugin.parent().unwrap().display();
        let config = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"example/notes\" = \"{plugins}\"\n  }}\n  direct {{}}\n}}\n"
        );
        std::fs::write(directory.path().join("cli.tfrc"), config).unwrap();
        Self { directory }
    }

    fn run(&self, program: &str, arguments: &[String]) -> std::io::Result<Output> {
        Command::new(program)
            .args(arguments)
            .current_dir(self.directory.path())
            .env("TF_CLI_CONFIG_FILE", self.directory.path().join("cli.tfrc"))
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .output()
    }
}

#[test]
fn the_tutorial_goes_as_it_says_with_terraform() {
    let tutorial = Tutorial::new();
    if tutorial.run("terraform", &["version".into()]).is_err() {
        println!("SKIPPED the tutorial: there is no terraform on this machine");
        return;
    }
    let commands = commands();
    assert_eq!(commands.len(), 9);
    let mut said = Vec::new();
    for arguments in commands {
        let output = tutorial.run("terraform", &arguments).unwrap();
        let (stdout, stderr) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        assert!(
            output.status.success(),
            "terraform {arguments:?}: {}\n{stdout}\n{stderr}",
            output.status
        );
        if arguments[0] == "output" {
            said.push(stdout);
        }
        let note = tutorial
            .directory
            .path()
            .join("notes/shopping-this-week.txt");
        match (arguments[0].as_str(), arguments.last().map(String::as_str)) {
            ("apply", Some("body=Milk")) => {
                assert_eq!(std::fs::read_to_string(note).unwrap(), "#food #home\nMilk");
            }
            ("destroy", _) => assert!(!note.exists()),
            _ => {}
        }
        assert!(
            !tutorial.directory.path().join("notes/lock").exists(),
            "the lock is closed"
        );
    }
    assert_eq!(
        said,
        ["3", "shopping-this-week.txt", "shopping-this-week", "1"]
    );
}

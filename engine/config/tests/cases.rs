//! Configurations and what is wrong with them, in `tests/cases/*.txt`.
//!
//! A case is `### name`, files (`--- path`; text before the first is `main.tf`), and after `===` the diagnostics, one a
//! line: severity, place, summary in brackets, the first line of the detail. With `UPDATE_CASES` in the environment the
//! files are written anew with what is found; read the difference.

#[path = "support/mod.rs"]
mod support;

use std::fmt::Write as _;

use support::{Memory, load, render};

#[test]
fn cases_give_their_diagnostics() {
    let mut failures = String::new();
    let mut count = 0;
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases");
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        #[expect(clippy::disallowed_methods, reason = "a test reads its own cases")]
        let text = std::fs::read_to_string(&path).unwrap();
        let mut renewed = text.clone();
        for case in Case::read(&text) {
            count += 1;
            let (config, diagnostics) = load(&Memory::of(&case.files));
            let found = render(&config.sources, &diagnostics);
            if found != case.expected {
                renewed = case.renewed(&renewed, &found);
                writeln!(failures, "### {}", case.name).unwrap();
                for line in case.expected.iter().filter(|line| !found.contains(line)) {
                    writeln!(failures, "-{line}").unwrap();
                }
                for line in found.iter().filter(|line| !case.expected.contains(line)) {
                    writeln!(failures, "+{line}").unwrap();
                }
            }
        }
        #[expect(clippy::disallowed_methods, reason = "a test renews its own cases")]
        if renewed != text && std::env::var_os("UPDATE_CASES").is_some() {
            std::fs::write(&path, renewed).unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(count > 100, "only {count} cases were found");
}

/// One case of a file of cases.
struct Case {
    name: String,
    files: Vec<(String, String)>,
    expected: Vec<String>,
}

impl Case {
    fn read(text: &str) -> Vec<Self> {
        let text = format!("\n{text}");
        text.split("\n### ").skip(1).map(Self::one).collect()
    }

    /// A file of cases in which this one expects `found`.
    fn renewed(&self, text: &str, found: &[String]) -> String {
        let header = format!("### {}\n", self.name);
        let start = if text.starts_with(&header) {
            0
        } else {
            text.find(&format!("\n{header}"))
                .expect("the case stands in its file")
                + 1
        };
        let expected =
            start + text[start..].find("\n===\n").expect("a case has answers") + "\n===\n".len();
        let end = text[expected - 1..]
            .find("\n### ")
            .map_or(text.len(), |at| expected + at);
        let mut lines = found.join("\n");
        lines.push('\n');
        if end < text.len() {
            lines.push('\n');
        }
        format!("{}{lines}{}", &text[..expected], &text[end..])
    }

    fn one(text: &str) -> Self {
        let (name, rest) = text.split_once('\n').unwrap_or((text, ""));
        let mut files: Vec<(String, String)> = Vec::new();
        let mut expected = Vec::new();
        let mut in_expected = false;
        let mut path = "main.tf".to_owned();
        for line in rest.lines() {
            if line == "===" {
                in_expected = true;
            } else if in_expected {
                if !line.is_empty() {
                    expected.push(line.to_owned());
                }
            } else if let Some(next) = line.strip_prefix("--- ") {
                next.trim().clone_into(&mut path);
                files.push((path.clone(), String::new()));
            } else {
                if files.last().is_none_or(|(last, _)| *last != path) {
                    files.push((path.clone(), String::new()));
                }
                if let Some((_, text)) = files.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
        expected.sort();
        Self {
            name: name.to_owned(),
            files,
            expected,
        }
    }
}

//! What a command that has ended said.

use std::path::PathBuf;
use std::process::Output;
use std::sync::LazyLock;

use regex::Regex;

/// A command that has ended. What it did must be looked at: assert its exit code.
#[derive(Clone, Debug)]
#[must_use = "assert the exit code with .success() or .fails(code)"]
pub struct Ran(Said);

/// What a command said whose exit code was looked at.
#[derive(Clone, Debug)]
pub struct Said {
    line: String,
    code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it printed as an aside.
    pub stderr: String,
    directory: PathBuf,
}

impl Ran {
    pub(crate) fn new(line: String, output: &Output, directory: PathBuf) -> Self {
        Self(Said {
            line,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            directory,
        })
    }

    /// Its exit code; `None` where a signal ended it.
    pub const fn code(&self) -> Option<i32> {
        self.0.code
    }

    /// It ended with 0.
    #[track_caller]
    pub fn success(self) -> Said {
        self.fails(0)
    }

    /// It ended with this exit code.
    #[track_caller]
    pub fn fails(self, code: i32) -> Said {
        assert!(
            self.0.code == Some(code),
            "expected exit code {code}\n{}",
            self.0.report()
        );
        self.0
    }

    /// Everything it printed, asides last.
    pub fn all(&self) -> String {
        self.0.all()
    }

    /// It ended, however it did.
    pub fn whatever(self) -> Said {
        self.0
    }
}

impl Said {
    /// It said this, in any line breaks.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "it asserts")]
    pub fn says(self, text: &str) -> Self {
        assert!(
            flat(&self.all()).contains(&flat(text)),
            "expected to read {text:?}\n{}",
            self.report()
        );
        self
    }

    /// It did not say this.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "it asserts")]
    pub fn omits(self, text: &str) -> Self {
        assert!(
            !flat(&self.all()).contains(&flat(text)),
            "did not expect to read {text:?}\n{}",
            self.report()
        );
        self
    }

    /// Everything it printed, asides last.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Everything it printed as one JSON document.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("no JSON: {error}\n{}", self.report()),
        }
    }

    /// Each line of what it printed as a JSON document.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let line = |line: &str| match serde_json::from_str(line) {
            Ok(value) => value,
            Err(error) => panic!("no JSON in {line:?}: {error}\n{}", self.report()),
        };
        self.stdout.lines().map(line).collect()
    }

    /// A text for snapshots: the command, its exit code, what it printed; what differs from run to run is replaced.
    pub fn snapshot(&self) -> String {
        let code = self
            .code
            .map_or_else(|| "signal".to_owned(), |code| code.to_string());
        let mut text = format!("$ {}\n[exit {code}]\n", self.line);
        for (name, content) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !content.is_empty() {
                text = format!("{text}--- {name}\n{}\n", content.trim_end());
            }
        }
        self.normalise(&text)
    }

    fn normalise(&self, text: &str) -> String {
        static VARIABLE: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
            [
                (
                    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
                    "[UUID]",
                ),
                (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]"),
                (r"SHA256:[A-Za-z0-9+/]{43}", "[KEY]"),
                (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
                (r"\b[0-9a-f]{12}\b", "[RUN]"),
                (r"after \d+s", "after [N]s"),
            ]
            .map(|(pattern, name)| (Regex::new(pattern).expect("the pattern is one"), name))
            .into()
        });
        let text = text.replace(&*self.directory.to_string_lossy(), "[PROJECT]");
        VARIABLE.iter().fold(text, |text, (pattern, name)| {
            pattern.replace_all(&text, *name).into_owned()
        })
    }

    fn report(&self) -> String {
        format!(
            "$ {}\nexit code {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.line, self.code, self.stdout, self.stderr
        )
    }
}

/// The text without frames and line breaks.
fn flat(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() || "│╷╵".contains(c);
    text.split(blank)
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

//! The command lines of a page, each a process in the example's own directory.

use std::collections::BTreeMap;

use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};
use terrace_spec::{CommandLine, pick};
use terrace_test_support::{Project, Ran};

/// The directory of an example, where its commands run.
pub(crate) struct Shell {
    project: Project,
    /// The run that was told last, for which `[RUN]` stands in a command line.
    run: String,
}

impl Shell {
    pub(crate) fn new(files: &BTreeMap<String, String>) -> Self {
        let project = Project::new();
        for (path, content) in files {
            project.write(path, content);
        }
        Self {
            project,
            run: String::new(),
        }
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        self.project.write(path, content);
    }

    /// What a line prints, its exit code at the end unless it is 0.
    ///
    /// A line is `terrace …`, with `NAME=value` before it and `| jq .path` or `> file` after it; `cat FILE`, `rm FILE`;
    /// or `ssh-keygen -f NAME`, which makes the key that always belongs to that name and tells its fingerprint.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let command = CommandLine::parse(&line.replace("[RUN]", &self.run));
        let arguments: Vec<&str> = command.arguments.iter().map(String::as_str).collect();
        match (command.program.as_str(), arguments.as_slice()) {
            ("cat", [file]) => self.project.read(file).trim_end().to_owned(),
            ("rm", files) => {
                for file in files {
                    std::fs::remove_file(self.project.path().join(file))
                        .unwrap_or_else(|error| panic!("{line}: {error}"));
                }
                String::new()
            }
            ("ssh-keygen", arguments) => {
                let name = arguments.last().expect("a key has a name");
                let key = key_of(name);
                let text = key.to_openssh(LineEnding::LF);
                self.project
                    .write(name, text.expect("a key can be written").as_bytes());
                key.public_key().fingerprint(HashAlg::Sha256).to_string()
            }
            ("terrace", arguments) => {
                for (name, value) in &command.set {
                    self.project.set(name, value);
                }
                let ran = self.project.terrace(arguments);
                for (name, _) in &command.set {
                    self.project.unset(name);
                }
                self.shown(ran, &command)
            }
            _ => panic!("a page knows no command {line:?}"),
        }
    }

    fn shown(&mut self, ran: Ran, command: &CommandLine) -> String {
        let code = ran.code();
        let said = ran.whatever();
        let words = said.stdout.split_whitespace().rev();
        let mut runs = words.map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()));
        if let Some(run) = runs.find(|word| is_run(word)) {
            run.clone_into(&mut self.run);
        }
        if let Some(file) = &command.file {
            self.project.write(file, &said.stdout);
            return said.stderr;
        }
        let mut text = match &command.filter {
            Some(path) => pick(&said.json(), path),
            None => {
                let snapshot = said.snapshot();
                let lines = snapshot.lines().skip(2);
                let lines = lines.filter(|line| *line != "--- stdout" && *line != "--- stderr");
                lines.collect::<Vec<_>>().join("\n")
            }
        };
        let length = text.trim_end().len();
        text.truncate(length);
        let begin = text.len() - text.trim_start_matches('\n').len();
        text.drain(..begin);
        if code != Some(0) {
            text = format!("{text}\n[exit {}]", code.unwrap_or(-1));
        }
        text
    }
}

/// Whether a word is a run's id.
fn is_run(word: &str) -> bool {
    word.len() == 12
        && word
            .chars()
            .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

/// The key of a name is always the same, so that pages can show its fingerprint.
fn key_of(name: &str) -> PrivateKey {
    let mut seed = [0; 32];
    for (at, byte) in name.bytes().enumerate() {
        seed[at % 32] ^= byte;
    }
    let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    key.set_comment(name);
    key
}

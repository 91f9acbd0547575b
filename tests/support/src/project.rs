//! A root module in a temporary directory.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Ran, Running, terrace, terrace_with_test_clock};

/// A directory of configuration files with the environment in which commands run. It goes when it is dropped.
#[derive(Debug)]
pub struct Project {
    directory: tempfile::TempDir,
    environment: BTreeMap<OsString, OsString>,
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}

impl Project {
    /// An empty one. Commands see a home of its own, and nothing of this process's environment but the search path.
    pub fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("terrace-test-")
            .tempdir()
            .expect("a directory can be made");
        std::fs::create_dir_all(directory.path().join("home")).expect("a directory can be made");
        std::fs::create_dir_all(directory.path().join("work")).expect("a directory can be made");
        let mut project = Self {
            directory,
            environment: BTreeMap::new(),
        };
        let home = project.outer().join("home");
        let path = std::env::var_os("PATH").unwrap_or_default();
        for (name, value) in [
            ("HOME", home.into_os_string()),
            ("PATH", path),
            ("USER", "tester".into()),
            ("HOSTNAME", "machine".into()),
            ("COLUMNS", "80".into()),
            ("CHECKPOINT_DISABLE", "1".into()),
        ] {
            project.set(name, value);
        }
        project
    }

    /// With this configuration in `main.tf`.
    pub fn with(configuration: &str) -> Self {
        let project = Self::new();
        project.write("main.tf", configuration);
        project
    }

    /// The root module's directory.
    pub fn path(&self) -> PathBuf {
        self.outer().join("work")
    }

    /// The directory around it, for what is not to lie among the configuration.
    pub fn outer(&self) -> &Path {
        self.directory.path()
    }

    /// Sets a variable of the environment in which commands run.
    pub fn set(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        self.environment
            .insert(name.as_ref().to_owned(), value.as_ref().to_owned());
    }

    /// Removes one.
    pub fn unset(&mut self, name: impl AsRef<OsStr>) {
        self.environment.remove(name.as_ref());
    }

    /// Writes a file, with the directories that lead to it.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).expect("a directory can be made");
        }
        std::fs::write(path, content).expect("a file can be written");
    }

    /// Reads a file.
    #[track_caller]
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.path().join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A program in this project, with its environment.
    pub fn command(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(&self.environment);
        command
    }

    /// Runs `terrace` to its end.
    pub fn terrace(&self, arguments: &[&str]) -> Ran {
        self.run(
            "terrace",
            &mut self.command(terrace(), arguments),
            arguments,
        )
    }

    /// Runs `terrace` to its end in a directory below the root module's, or above it.
    pub fn terrace_in(&self, directory: impl AsRef<Path>, arguments: &[&str]) -> Ran {
        let directory = self.path().join(directory);
        self.run(
            "terrace",
            self.command(terrace(), arguments).current_dir(directory),
            arguments,
        )
    }

    /// Runs `terrace` to its end at a time, in RFC 3339, by the binary whose clock tests set.
    pub fn terrace_at(&self, time: &str, arguments: &[&str]) -> Ran {
        let mut command = self.command(terrace_with_test_clock(), arguments);
        command.env("TERRACE_TEST_CLOCK", time);
        self.run("terrace", &mut command, arguments)
    }

    /// Runs another program to its end.
    pub fn other(&self, program: &str, arguments: &[&str]) -> Ran {
        self.run(program, &mut self.command(program, arguments), arguments)
    }

    /// Runs git to its end, as an author, and gives what it printed.
    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        let author = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
        let arguments = [&author[..], arguments].concat();
        self.other("git", &arguments).success().stdout
    }

    /// Commits everything in a directory below the root module's, or above it. It becomes a repository where it is none.
    #[track_caller]
    pub fn commit(&self, directory: impl AsRef<Path>, message: &str) {
        let directory = self.path().join(directory);
        let directory = directory.to_str().expect("tests' paths are text");
        for arguments in [
            &["init", "--quiet", "."][..],
            &["add", "--all"],
            &["commit", "--quiet", "--message", message],
        ] {
            self.git(&[&["-C", directory], arguments].concat());
        }
    }

    fn run(&self, name: &str, command: &mut Command, arguments: &[&str]) -> Ran {
        Running::start(line(name, arguments), command, self.outer().to_owned()).wait()
    }

    /// Starts `terrace` and goes on.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(
            line("terrace", arguments),
            &mut self.command(terrace(), arguments),
            self.outer().to_owned(),
        )
    }

    /// Starts `terrace` as the leader of a group of processes, to which all belong that it starts, and goes on.
    pub fn start_group(&self, arguments: &[&str]) -> Running {
        Running::start(
            line("terrace", arguments),
            self.command(terrace(), arguments).process_group(0),
            self.outer().to_owned(),
        )
    }

    /// Starts another program and goes on.
    pub fn start_other(&self, program: &str, arguments: &[&str]) -> Running {
        Running::start(
            line(program, arguments),
            &mut self.command(program, arguments),
            self.outer().to_owned(),
        )
    }

    /// The state as it is stored; `null` where there is none.
    #[track_caller]
    pub fn state(&self) -> serde_json::Value {
        let pulled = self.terrace(&["state", "pull"]).success();
        if pulled.stdout.is_empty() {
            serde_json::Value::Null
        } else {
            pulled.json()
        }
    }

    /// The instances of the stored state: their addresses and their attributes.
    #[track_caller]
    pub fn instances(&self) -> Vec<(String, serde_json::Value)> {
        let state = self.state();
        let resources = state["resources"].as_array().cloned().unwrap_or_default();
        let mut found = Vec::new();
        for resource in resources
            .iter()
            .filter(|resource| resource["mode"] == "managed")
        {
            let module = resource["module"]
                .as_str()
                .map(|module| format!("{module}."))
                .unwrap_or_default();
            let name = format!(
                "{module}{}.{}",
                text(&resource["type"]),
                text(&resource["name"])
            );
            for instance in resource["instances"].as_array().into_iter().flatten() {
                let key = match &instance["index_key"] {
                    serde_json::Value::Null => String::new(),
                    key => format!("[{key}]"),
                };
                found.push((format!("{name}{key}"), instance["attributes"].clone()));
            }
        }
        found
    }
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn line(program: &str, arguments: &[&str]) -> String {
    std::iter::once(program)
        .chain(arguments.iter().copied())
        .collect::<Vec<_>>()
        .join(" ")
}

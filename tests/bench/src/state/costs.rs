//! What is written where a large state changes a little.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::servers::{Kind, Server};
use super::trace::{self, Sink, Watched, Written};
use crate::machine::Binaries;
use crate::{Arguments, Failure};

/// How many objects change.
const CHANGED: usize = 100;

/// How many Terraform changes, which writes the whole state to its file each time.
const CHANGED_BY_THE_REFERENCE: usize = 10;

/// A working directory, and the engine that works in it.
struct Place<'a> {
    program: PathBuf,
    plugin: &'a Path,
    directory: tempfile::TempDir,
}

/// What an apply wrote.
struct Cost {
    written: Written,
    /// The size of the state.
    state: u64,
    changes: usize,
    time: Duration,
}

impl Place<'_> {
    fn project(&self) -> PathBuf {
        self.directory.path().join("project")
    }

    fn command(&self, arguments: &[&str]) -> Result<Command, Failure> {
        let directory = self.plugin.parent().unwrap_or(Path::new("."));
        let configuration = self.directory.path().join("cli.tfrc");
        let text = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"example.com/terrace/test\" = {:?}\n  }}\n  direct {{}}\n}}\n",
            directory.display().to_string()
        );
        fs::write(&configuration, text)?;
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(self.project())
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_IN_AUTOMATION", "1")
            .env("FAKE_PROVIDER_WORLD", self.directory.path().join("world"))
            .env("FAKE_PROVIDER_SCRIPT", "update=delay 10")
            .env("TF_CLI_CONFIG_FILE", configuration);
        Ok(command)
    }

    fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
        let output = self.command(arguments)?.output()?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let told: String = told.chars().take(2000).collect();
        Err(format!("{}: {told}", arguments.join(" ")).into())
    }

    /// Makes a state of so many resources, of which few are configured.
    fn fill(&self, server: &Server, size: usize) -> Result<(), Failure> {
        let name = self
            .program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let text = format!(
            "terraform {{\n{}  required_providers {{\n    test = {{\n      source = \"example.com/terrace/test\"\n    }}\n  }}\n}}\n\nvariable \"generation\" {{\n  type = number\n}}\n\nresource \"test_object\" \"changed\" {{\n  count  = {CHANGED}\n  string = \"object ${{count.index}}\"\n  number = var.generation\n}}\n\nresource \"terraform_data\" \"kept_0\" {{\n  input = \"kept\"\n}}\n",
            server.block(&format!("large-{name}"))
        );
        fs::create_dir(self.project())?;
        fs::write(self.project().join("main.tf"), text)?;
        // Without a registry to ask, a provider of `dev_overrides` alone makes it complain, after the backend is there.
        self.command(&["init", "-input=false", "-no-color"])?
            .output()?;
        self.run(&[
            "apply",
            "-auto-approve",
            "-input=false",
            "-no-color",
            "-var=generation=1",
        ])?;
        let mut state: Json = serde_json::from_slice(&self.run(&["state", "pull"])?)?;
        multiply(&mut state, size)?;
        let path = self.directory.path().join("large.tfstate");
        fs::write(&path, serde_json::to_vec(&state)?)?;
        self.run(&["state", "push", &path.display().to_string()])?;
        // What is left of the first apply is not measured.
        Ok(())
    }

    /// Changes the first objects, one after the other.
    fn change(&self, server: &Server, changes: usize) -> Result<Cost, Failure> {
        let targets: Vec<String> = (0..changes)
            .map(|index| format!("-target=test_object.changed[{index}]"))
            .collect();
        let mut arguments = vec![
            "apply",
            "-auto-approve",
            "-input=false",
            "-no-color",
            "-refresh=false",
            "-parallelism=1",
            "-var=generation=2",
        ];
        arguments.extend(targets.iter().map(String::as_str));
        let port = server.port();
        let project = self.project().canonicalize()?;
        let watched = Watched {
            directory: &project,
            port: port.as_deref(),
        };
        let began = Instant::now();
        let written = trace::run(&self.command(&arguments)?, &watched)?;
        let time = began.elapsed();
        let state = self.run(&["state", "pull"])?.len() as u64;
        Ok(Cost {
            written,
            state,
            changes,
            time,
        })
    }
}

/// Fills a state with copies of one of its resources.
fn multiply(state: &mut Json, size: usize) -> Result<(), Failure> {
    state["serial"] = json!(state["serial"].as_u64().unwrap_or_default() + 1);
    let resources = state["resources"].as_array_mut().ok_or("no resources")?;
    let kept = resources
        .iter()
        .find(|resource| resource["name"] == "kept_0")
        .ok_or("the resource to multiply is not there")?
        .clone();
    for index in 1..size.saturating_sub(CHANGED) {
        let mut copy = kept.clone();
        copy["name"] = json!(format!("kept_{index}"));
        copy["instances"][0]["attributes"]["id"] = json!(format!("{index:036}"));
        resources.push(copy);
    }
    Ok(())
}

/// What was written, by what it was for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parts {
    journal: u64,
    /// The state's file and the copy of the one before; or the database.
    state: u64,
    server: u64,
}

fn parts(written: &Written) -> Parts {
    let mut parts = Parts::default();
    for (sink, bytes) in written {
        match sink {
            Sink::Server => parts.server += bytes,
            Sink::File(name) if name.contains("journal") || name.contains("staged") => {
                parts.journal += bytes;
            }
            Sink::File(_) => parts.state += bytes,
        }
    }
    parts
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A line of the table.
fn line(engine: &str, kind: Kind, cost: &Cost) -> Result<String, Failure> {
    let parts = parts(&cost.written);
    let all = parts.journal + parts.state + parts.server;
    // A state is written whole or not at all, except by the embedded store.
    let states = if kind == Kind::Embedded {
        0
    } else {
        (parts.state + parts.server) / cost.state
    };
    let rest = all - states * cost.state;
    let mut text = String::new();
    write!(
        text,
        "| {engine:9} | {:8} | {:>7} | {:>13} | {:>13} | {:>12} | {:>13} | {:>10} | {:>7.1} s |",
        kind.name(),
        cost.changes,
        thousands(cost.state),
        thousands(all),
        states,
        thousands(rest),
        thousands(rest / cost.changes as u64),
        cost.time.as_secs_f64(),
    )?;
    Ok(text)
}

fn one(
    binaries: &Binaries,
    program: &Path,
    kind: Kind,
    (size, changes): (usize, usize),
) -> Result<Cost, Failure> {
    let plugin = binaries
        .plugin
        .as_deref()
        .ok_or("the plugin is not built")?;
    let server = kind.start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(server.prepare())?;
    let place = Place {
        program: program.to_owned(),
        plugin,
        directory: tempfile::Builder::new()
            .prefix("terrace-bench-")
            .tempdir()?,
    };
    place.fill(&server, size)?;
    place.change(&server, changes)
}

/// A table of all stores.
pub(super) fn measure(binaries: &Binaries, arguments: &Arguments) -> Result<String, Failure> {
    let size = arguments.state_size();
    let mut table = format!(
        "## Changes of a large state\n\nA state of {} resources, of which objects of a plugin are changed one by one (`-parallelism=1 -refresh=false`, the same `-target`s for both engines); Terraform changes fewer, since it writes the whole state into its file after each. *Written* are all bytes that the engine handed to the system for files of its working directory and for the server, as `strace` saw them; the time is that of the traced command. *Whole states* is how many times the size of the state fits into what went to the state's place: the state once at the end, which other tools read, and for files a copy of the one before it; what is beside these is the *rest*. The embedded store keeps a row for each instance, and is counted whole.\n\n| engine    | store    | changes |         state |       written | whole states |          rest | per change |      time |\n| --------- | -------- | ------: | ------------: | ------------: | -----------: | ------------: | ---------: | --------: |\n",
        thousands(size as u64)
    );
    if !trace::is_possible() {
        println!("SKIPPED changes of a large state: strace is not installed");
        table.push_str("| not measured: strace is not installed | | | | | | | | |\n");
        return Ok(table);
    }
    for kind in Kind::ALL {
        let mut row = |engine: &str, program: &Path, changes| -> Result<(), Failure> {
            match one(binaries, program, kind, (size, changes)) {
                Ok(cost) => {
                    let line = line(engine, kind, &cost)?;
                    println!("{line}");
                    for (sink, bytes) in &cost.written {
                        println!("    {bytes:>12} {sink:?}");
                    }
                    writeln!(table, "{line}")?;
                }
                Err(why) => {
                    println!("SKIPPED {engine} {}: {why}", kind.name());
                    let why = why.to_string();
                    let first = why.lines().next().unwrap_or_default();
                    writeln!(
                        table,
                        "| {engine} | {} | not measured: {first} | | | | | | |",
                        kind.name()
                    )?;
                }
            }
            Ok(())
        };
        row("terrace", &binaries.terrace, CHANGED)?;
        if arguments.reference && kind != Kind::Embedded {
            row(
                "terraform",
                Path::new("terraform"),
                CHANGED_BY_THE_REFERENCE,
            )?;
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn a_state_is_filled_with_copies() {
        let mut state = json!({"serial": 3, "resources": [
            {"name": "changed", "instances": []},
            {"name": "kept_0", "instances": [{"attributes": {"id": "x"}}]},
        ]});
        multiply(&mut state, CHANGED + 5).unwrap();
        assert_eq!(state["resources"].as_array().unwrap().len(), 6);
        assert_eq!(state["serial"], 4);
    }
}

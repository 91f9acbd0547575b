//! Many processes that apply to one state at once: one writes at a time, all finish, no serial is left out.
//!
//! Eight processes a backend; fifty with `TERRACE_FULL=1`.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test"
)]

#[path = "../network/services.rs"]
#[allow(dead_code, reason = "another test program uses the rest")]
mod services;

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use services::{History, Service, Version};
use terrace_test_support::{Project, size, terrace};

/// While it is held, the lock's holder notes in a file that it came, which serial it found, and that it goes.
const RESOURCES: &str = r#"
variable "writer" {
  type = string
}

resource "terraform_data" "turn" {
  triggers_replace = var.writer

  provisioner "local-exec" {
    command = "sh ${path.module}/turn.sh ${var.writer}"
  }
}

output "writer" {
  value = var.writer
}
"#;

fn turn(terrace: &Path, notes: &Path) -> String {
    let (terrace, notes) = (terrace.display(), notes.display());
    format!(
        "echo \"enter $1\" >> {notes}\n{terrace} state pull | sed -n 's/.*\"serial\": *\\([0-9]*\\).*/found \\1/p' >> {notes}\necho \"leave $1\" >> {notes}\n"
    )
}

/// What the holders noted, one after the other: their names, and the serials that they found.
fn turns(notes: &Path) -> (Vec<String>, Vec<u64>) {
    let text = std::fs::read_to_string(notes).unwrap();
    let (mut names, mut serials) = (Vec::new(), Vec::new());
    let mut inside: Option<String> = None;
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "enter" => {
                assert_eq!(inside, None, "{rest} came while another wrote:\n{text}");
                inside = Some(rest.to_owned());
            }
            "found" => serials.push(rest.parse().unwrap()),
            _ => {
                assert_eq!(inside.as_deref(), Some(rest), "{text}");
                names.extend(inside.take());
            }
        }
    }
    (names, serials)
}

/// Has all apply at once, each in a directory of its own, and returns when all have succeeded.
fn contend(name: &str, block: &str) -> usize {
    let processes = size(8, 50);
    let directory = tempfile::tempdir().unwrap();
    let notes: PathBuf = directory.path().join("notes");
    let program = terrace();
    let projects: Vec<Project> = (0..processes)
        .map(|_| {
            let configuration = format!("terraform {{\n  {block}\n}}\n{RESOURCES}");
            let mut project = Project::with(&configuration);
            project.set("AWS_ACCESS_KEY_ID", "test");
            project.set("AWS_SECRET_ACCESS_KEY", "test");
            project.write("turn.sh", turn(&program, &notes));
            project.terrace(&["init", "-input=false"]).success();
            project
        })
        .collect();
    let logs: Vec<PathBuf> = (0..processes)
        .map(|index| directory.path().join(format!("log{index}")))
        .collect();
    let mut running: Vec<Child> = projects
        .iter()
        .zip(&logs)
        .enumerate()
        .map(|(index, (project, log))| {
            let variable = format!("-var=writer=w{index}");
            let arguments = ["apply", "-auto-approve", "-lock-timeout=30m", &variable];
            let log = std::fs::File::create(log).unwrap();
            let command = &mut project.command(&program, &arguments);
            let command = command
                .stdin(Stdio::null())
                .stdout(log.try_clone().unwrap());
            command.stderr(log).spawn().unwrap()
        })
        .collect();
    for (child, log) in running.iter_mut().zip(&logs) {
        let ended = child.wait().unwrap();
        assert!(
            ended.success(),
            "{}",
            std::fs::read_to_string(log).unwrap_or_default()
        );
    }
    let (mut names, serials) = turns(&notes);
    // The first one finds no state, and those behind it the serials of those before them.
    let expected: Vec<u64> = (1..processes as u64).collect();
    assert_eq!(serials, expected, "the serials that each found");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), processes, "each had its turn");
    let last = projects[0].state();
    assert_eq!(last["serial"], processes as u64);
    println!(
        "FIGURE contention, {name}: {processes} processes, one writer at a time, all finished, serials 1 to {processes} without a gap"
    );
    processes
}

/// The recorded history tells the same.
fn check(history: &History, processes: usize) {
    history.has_one_writer_at_a_time();
    assert_eq!(history.states.len(), processes);
    let mut writers: Vec<&Version> = history.states.iter().collect();
    writers.sort_by(|one, other| one.writer.cmp(&other.writer));
    writers.dedup_by(|one, other| one.writer == other.writer);
    assert_eq!(writers.len(), processes, "each wrote once");
}

fn contend_for(name: &str, service: &Service) {
    service.prepare("contended");
    let proxy = service.proxy();
    let processes = contend(name, &service.block(proxy.address(), "contended", ""));
    let history = service.history(&proxy, "contended");
    check(&history, processes);
    if !matches!(service, Service::Http(_)) {
        // A lock that was taken has an epoch, and nobody else has it.
        assert_eq!(history.epochs.len(), processes, "{:?}", history.epochs);
    }
}

#[test]
fn many_processes_contend_for_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("contended.tfstate");
    contend(
        "local",
        &format!("backend \"local\" {{\n    path = {path:?}\n  }}"),
    );
}

#[test]
fn many_processes_contend_for_an_embedded_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    contend(
        "embedded",
        &format!("backend \"embedded\" {{\n    path = {path:?}\n  }}"),
    );
}

#[test]
fn many_processes_contend_for_an_object() {
    if let Some(service) = Service::s3() {
        contend_for("s3", &service);
    }
}

#[test]
fn many_processes_contend_for_a_row() {
    if let Some(service) = Service::pg() {
        contend_for("pg", &service);
    }
}

#[test]
fn many_processes_contend_for_an_http_server() {
    contend_for("http", &Service::http());
}

//! Terraform and Terrace exclude each other. Without a `terraform` on the machine these tests say so and pass.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use futures::executor::block_on;
use terrace_backend_local::LocalStore;
use terrace_port::{LockInfo, StateStore as _, StateVersion, StoreError};

#[expect(clippy::disallowed_methods, reason = "the test runs the reference")]
fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("terraform");
    command
        .args(arguments)
        .current_dir(directory)
        .env("CHECKPOINT_DISABLE", "1")
        .stdin(Stdio::null());
    command
}

fn terraform(directory: &Path, arguments: &[&str]) -> Output {
    command(directory, arguments).output().unwrap()
}

/// A directory whose apply creates the file `started` and then waits for the file `go`.
fn project() -> Option<tempfile::TempDir> {
    let directory = tempfile::tempdir().unwrap();
    if command(directory.path(), &["version"]).output().is_err() {
        #[expect(clippy::print_stdout, reason = "a test that does not run says so")]
        let () = println!("SKIPPED: there is no terraform on this machine");
        return None;
    }
    let configuration = "resource \"terraform_data\" \"slow\" {\n  provisioner \"local-exec\" {\n    \
         command = \"touch started; while [ ! -e go ]; do sleep 0.02; done\"\n  }\n}\n";
    write(&directory.path().join("main.tf"), configuration);
    assert!(
        terraform(directory.path(), &["init", "-no-color"])
            .status
            .success()
    );
    Some(directory)
}

#[expect(clippy::disallowed_methods, reason = "the test makes a project")]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

fn wait_for(path: &Path, child: &mut Child) {
    let start = Instant::now();
    while !path.exists() {
        assert!(
            start.elapsed() < Duration::from_mins(3),
            "{} does not appear",
            path.display()
        );
        assert!(child.try_wait().unwrap().is_none(), "terraform ended early");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn info() -> LockInfo {
    LockInfo {
        id: "11111111-2222-3333-4444-555555555555".into(),
        operation: "OperationTypeApply".into(),
        who: "me@here".into(),
        ..LockInfo::default()
    }
}

#[test]
fn terraform_keeps_us_out_and_is_named() {
    let Some(directory) = project() else { return };
    let store = LocalStore::new(directory.path());
    let mut child = command(directory.path(), &["apply", "-auto-approve", "-no-color"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(&directory.path().join("started"), &mut child);
    let refused = block_on(store.lock("default", info()));
    let holder = match refused {
        Err(StoreError::Locked { holder }) => holder,
        other => panic!(
            "locked while terraform applies: {:?}",
            other.map(|locked| locked.epoch())
        ),
    };
    assert_eq!(
        (holder.operation.as_str(), holder.version.is_empty()),
        ("OperationTypeApply", false)
    );
    assert!(
        holder.who.contains('@') && holder.id.len() == 36,
        "{holder:?}"
    );
    assert_eq!(
        block_on(store.holder("default")).unwrap().unwrap().id,
        holder.id
    );
    write(&directory.path().join("go"), "");
    assert!(child.wait().unwrap().success());
    let locked = block_on(store.lock("default", info())).unwrap();
    assert!(block_on(locked.read()).unwrap().is_some());
}

#[test]
fn we_keep_terraform_out_and_are_named() {
    let Some(directory) = project() else { return };
    write(&directory.path().join("go"), "");
    let store = LocalStore::new(directory.path());
    let mut locked = block_on(store.lock("default", info())).unwrap();
    let refused = |when: &str| {
        let output = terraform(directory.path(), &["apply", "-auto-approve", "-no-color"]);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "terraform got the lock {when}");
        assert!(text.contains("Error acquiring the state lock"), "{text}");
        assert!(
            text.contains("11111111-2222-3333-4444-555555555555") && text.contains("me@here"),
            "{text}"
        );
    };
    refused("at first");
    // Writing puts another file in place; the lock is on that one too. Reading gives nothing away.
    let state = "{\"version\":4,\"terraform_version\":\"1.11.4\",\"serial\":1,\"lineage\":\"l\",\"outputs\":{},\"resources\":[]}";
    let version = StateVersion {
        lineage: "l".into(),
        serial: 1,
    };
    block_on(locked.write(state.as_bytes().into(), version)).unwrap();
    block_on(store.read("default")).unwrap();
    refused("after a write");
    block_on(locked.unlock()).unwrap();
    let output = terraform(directory.path(), &["apply", "-auto-approve", "-no-color"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let stored = block_on(store.read("default")).unwrap().unwrap();
    assert!(
        String::from_utf8_lossy(&stored.bytes).contains("\"lineage\": \"l\""),
        "terraform goes on with our state"
    );
}

//! The reference and Terrace take turns on the same states and are refused by each other's locks.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use terrace_port::{LockInfo, StateStore as _, StateVersion, StoreError};

use crate::support::{BUCKET, Server, TOKEN};

const LEASE: Duration = Duration::from_mins(1);

/// A working directory of the reference.
struct Theirs {
    directory: tempfile::TempDir,
}

impl Theirs {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("terraform");
        command
            .current_dir(self.directory.path())
            .args(arguments)
            .env("TF_CLI_ARGS", "-no-color")
            .env("CHECKPOINT_DISABLE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> (Output, String) {
        let output = self.command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output, said)
    }

    fn succeeds(&self, arguments: &[&str]) -> String {
        let (output, said) = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }
}

fn info(id: &str) -> LockInfo {
    LockInfo {
        id: id.into(),
        who: "us@here".into(),
        operation: "OperationTypeApply".into(),
        created: "2026-11-21T22:31:27Z".into(),
        ..LockInfo::default()
    }
}

pub(crate) async fn with_the_reference(server: &Server) {
    let is_there = Command::new("terraform").arg("version").output();
    if !is_there.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED interchange: there is no terraform here");
        return;
    }
    let prefix = server.new_prefix();
    let theirs = Theirs {
        directory: tempfile::tempdir().unwrap(),
    };
    let text = format!(
        "terraform {{\n  backend \"gcs\" {{\n    bucket = \"{BUCKET}\"\n    prefix = \"{prefix}\"\n    access_token = \"{TOKEN}\"\n    \
         storage_custom_endpoint = \"{}/storage/v1/b\"\n  }}\n}}\n\nvariable \"seconds\" {{\n  default = 0\n}}\n\n\
         resource \"terraform_data\" \"slow\" {{\n  triggers_replace = var.seconds\n  provisioner \"local-exec\" {{\n    \
         command = \"sleep ${{var.seconds}}\"\n  }}\n}}\n",
        server.storage.endpoint()
    );
    std::fs::write(theirs.directory.path().join("main.tf"), text).unwrap();
    theirs.succeeds(&["init", "-input=false"]);
    theirs.succeeds(&["apply", "-auto-approve", "-input=false"]);
    let ours = server.open(&prefix, LEASE).await;

    // We read and write what they wrote.
    let mut locked = ours.lock("default", info("ours")).await.unwrap();
    let state = locked.read().await.unwrap().unwrap();
    let mut state: serde_json::Value = serde_json::from_slice(&state.bytes).unwrap();
    let serial = state["serial"].as_u64().unwrap() + 1;
    let lineage = state["lineage"].as_str().unwrap().to_owned();
    state["serial"] = serial.into();
    state["outputs"]["ours"] = serde_json::json!({"value": "hello", "type": "string"});
    let bytes = serde_json::to_vec(&state).unwrap();
    locked
        .write(bytes.into(), StateVersion { lineage, serial })
        .await
        .unwrap();

    // They are refused by our lock, say whose it is, and release it by force.
    let (refused, said) = theirs.run(&["apply", "-auto-approve", "-input=false"]);
    assert!(
        !refused.status.success() && said.contains("us@here"),
        "{said}"
    );
    assert!(theirs.succeeds(&["output"]).contains("hello"));
    let id = said
        .split_once("ID:")
        .unwrap()
        .1
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned();
    theirs.succeeds(&["force-unlock", "-force", &id]);
    let refused = locked.overwrite(b"{}"[..].into()).await;
    assert!(
        matches!(refused, Err(StoreError::LockLost(_))),
        "{refused:?}"
    );
    drop(locked);

    // Their lock refuses us, and we release it by force, by the id that they show.
    let mut child = theirs
        .command(&["apply", "-auto-approve", "-input=false", "-var=seconds=30"])
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let id = loop {
        match ours.holder("default").await.unwrap() {
            Some(holder) => break holder.id,
            None => assert!(begun.elapsed() < Duration::from_secs(25), "never locked"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let refused = ours.lock("default", info("ours")).await;
    assert!(matches!(refused, Err(StoreError::Locked { .. })));
    child.kill().unwrap();
    child.wait().unwrap();
    ours.force_unlock("default", &id).await.unwrap();
    theirs.succeeds(&["apply", "-auto-approve", "-input=false"]);

    // Workspaces.
    theirs.succeeds(&["workspace", "new", "theirs"]);
    assert_eq!(ours.workspaces().await.unwrap(), ["default", "theirs"]);
    ours.journal("default")
        .append(&[b"frame".to_vec()])
        .await
        .unwrap();
    let (listed, _) = theirs.run(&["workspace", "list"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    let listed: Vec<&str> = listed
        .split_whitespace()
        .filter(|word| *word != "*")
        .collect();
    assert_eq!(listed, ["default", "theirs"]);
}

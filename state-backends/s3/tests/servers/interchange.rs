//! The reference and Terrace take turns on the same states and are refused by each other's locks.

use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use terrace_port::{LockInfo, StateStore as _, StateVersion, StoreError};

use crate::support::{BUCKET, Lock, Servers, Store, TABLE};

const LEASE: Duration = Duration::from_mins(1);

/// A working directory of the reference.
struct Theirs {
    directory: tempfile::TempDir,
}

impl Theirs {
    fn new(servers: &Servers, store: &Store) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut lines = String::new();
        if matches!(store.lock, Lock::Object | Lock::Both) {
            lines += "    use_lockfile = true\n";
        }
        if matches!(store.lock, Lock::Item | Lock::Both) {
            lines.extend(["    dynamodb_table = \"", TABLE, "\"\n"]);
        }
        let (access, secret) = servers.keys();
        let text = format!(
            "terraform {{\n  backend \"s3\" {{\n    bucket = \"{BUCKET}\"\n    key = \"{}\"\n    region = \"us-east-1\"\n    \
             access_key = \"{access}\"\n    secret_key = \"{secret}\"\n    use_path_style = true\n    \
             skip_credentials_validation = true\n    skip_requesting_account_id = true\n    skip_metadata_api_check = true\n    \
             endpoints = {{ s3 = \"{}\", dynamodb = \"{}\" }}\n{lines}  }}\n}}\n\nvariable \"seconds\" {{\n  default = 0\n}}\n\n\
             resource \"terraform_data\" \"slow\" {{\n  triggers_replace = var.seconds\n  provisioner \"local-exec\" {{\n    \
             command = \"sleep ${{var.seconds}}\"\n  }}\n}}\n",
            store.key, servers.s3, servers.dynamodb
        );
        std::fs::write(directory.path().join("main.tf"), text).unwrap();
        let theirs = Self { directory };
        theirs.succeeds(&["init", "-input=false"]);
        theirs
    }

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

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }

    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}: {said}");
        said
    }

    /// An apply that holds the lock for so many seconds.
    fn applying(&self, seconds: u32) -> Child {
        let variable = format!("-var=seconds={seconds}");
        self.command(&["apply", "-auto-approve", "-input=false", &variable])
            .spawn()
            .unwrap()
    }
}

fn is_there() -> bool {
    Command::new("terraform")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success())
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

pub(crate) async fn with_the_reference(servers: &Arc<Servers>) {
    if !is_there() {
        println!("SKIPPED interchange: there is no terraform here");
        return;
    }
    for lock in [Lock::Object, Lock::Item, Lock::Both] {
        takes_turns(servers, &servers.new_store(lock)).await;
    }
}

async fn takes_turns(servers: &Arc<Servers>, store: &Store) {
    let theirs = Theirs::new(servers, store);
    theirs.succeeds(&["apply", "-auto-approve", "-input=false"]);
    let ours = servers.open(store, LEASE).await.unwrap();

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

    // They are refused by our lock, and say whose it is; reading needs none.
    let said = theirs.fails(&["apply", "-auto-approve", "-input=false"]);
    assert!(
        said.contains("Error acquiring the state lock") && said.contains("us@here"),
        "{said}"
    );
    assert!(theirs.succeeds(&["output"]).contains("hello"));

    // They release it by force, and we do not write any more.
    theirs.succeeds(&["force-unlock", "-force", "ours"]);
    let refused = locked.overwrite(b"{}"[..].into()).await;
    assert!(
        matches!(refused, Err(StoreError::LockLost(_))),
        "{refused:?}"
    );
    drop(locked);
    theirs.succeeds(&["plan", "-input=false"]);

    // Their lock refuses us, and we say whose it is.
    let mut child = theirs.applying(30);
    let begun = Instant::now();
    let id = loop {
        match ours.holder("default").await.unwrap() {
            Some(holder) => break holder.id,
            None => assert!(begun.elapsed() < Duration::from_secs(25), "never locked"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let Err(StoreError::Locked { holder }) = ours.lock("default", info("ours")).await else {
        panic!("we were not refused");
    };
    assert_eq!(
        (holder.id.as_str(), holder.version.as_str(), holder.lease),
        (id.as_str(), "1.11.4", None)
    );

    // It dies; we release its lock by force, and write; they go on from there.
    child.kill().unwrap();
    child.wait().unwrap();
    ours.force_unlock("default", &id).await.unwrap();
    let mut locked = ours.lock("default", info("ours")).await.unwrap();
    let state = locked.read().await.unwrap().unwrap();
    locked.overwrite(state.bytes).await.unwrap();
    locked.unlock().await.unwrap();
    theirs.succeeds(&["apply", "-auto-approve", "-input=false"]);
    workspaces(&theirs, &ours).await;
}

/// Each sees the other's workspaces, and nothing else.
async fn workspaces(theirs: &Theirs, ours: &terrace_backend_remote::RemoteStore) {
    theirs.succeeds(&["workspace", "new", "theirs"]);
    let mut locked = ours.lock("ours", info("ours")).await.unwrap();
    let bytes = b"{\"version\": 4, \"terraform_version\": \"1.11.4\", \"serial\": 1, \"lineage\": \"l\", \"outputs\": {}, \"resources\": []}";
    let version = StateVersion {
        lineage: "l".into(),
        serial: 1,
    };
    locked.write(bytes[..].into(), version).await.unwrap();
    locked.unlock().await.unwrap();
    ours.journal("ours")
        .append(&[b"frame".to_vec()])
        .await
        .unwrap();
    assert_eq!(
        ours.workspaces().await.unwrap(),
        ["default", "ours", "theirs"]
    );
    let listed = theirs.run(&["workspace", "list"]).stdout;
    let listed = String::from_utf8(listed).unwrap();
    let listed: Vec<&str> = listed
        .split_whitespace()
        .filter(|word| *word != "*")
        .collect();
    assert_eq!(listed, ["default", "ours", "theirs"]);
    theirs.succeeds(&["workspace", "select", "ours"]);
    theirs.succeeds(&["workspace", "delete", "theirs"]);
    theirs.succeeds(&["workspace", "select", "default"]);
    ours.delete_workspace("ours").await.unwrap();
    assert_eq!(ours.workspaces().await.unwrap(), ["default"]);
}

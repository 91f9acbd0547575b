//! The reference and Terrace take turns on the same states and are refused by each other's locks.

#![expect(
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    reason = "a test of programs, which panics where it fails"
)]

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use terrace_backend_remote::RemoteStore;
use terrace_port::{LockInfo, StateStore as _, StateVersion, StoreError};

/// How long anything here may take that others do.
const PATIENCE: Duration = Duration::from_mins(3);

/// The id of our lock: as commands make it, since some stores take no other.
const OURS: &str = "5d3b9c1e-7a54-4d6f-9d9e-0f6a1c2b3d4e";

/// A working directory of the reference.
pub struct Theirs {
    directory: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// Whether there is a `terraform` to take turns with.
pub fn is_there() -> bool {
    Command::new("terraform")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success())
}

fn info() -> LockInfo {
    LockInfo {
        id: OURS.into(),
        who: "us@here".into(),
        operation: "OperationTypeApply".into(),
        created: "2026-11-21T22:31:27Z".into(),
        ..LockInfo::default()
    }
}

impl Theirs {
    /// A directory with this `backend` block, initialized.
    pub fn new(backend: &str, environment: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let text = format!(
            "terraform {{\n{backend}\n}}\n\nvariable \"seconds\" {{\n  default = 0\n}}\n\n\
             variable \"text\" {{\n  default = \"\"\n}}\n\n\
             resource \"terraform_data\" \"large\" {{\n  input = var.text\n}}\n\n\
             resource \"terraform_data\" \"slow\" {{\n  triggers_replace = var.seconds\n  provisioner \"local-exec\" {{\n    \
             command = \"sleep ${{var.seconds}}\"\n  }}\n}}\n"
        );
        std::fs::write(directory.path().join("main.tf"), text).expect("a file can be written");
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let theirs = Self {
            directory,
            environment,
        };
        theirs.succeeds(&["init", "-input=false"]);
        theirs
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("terraform");
        command
            .current_dir(self.directory.path())
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("TF_CLI_ARGS", "-no-color")
            .env("CHECKPOINT_DISABLE", "1")
            .env_remove("TF_CLI_CONFIG_FILE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> (Output, String) {
        let output = self.command(arguments).output().expect("terraform runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output, said)
    }

    /// What a command that must succeed says.
    pub fn succeeds(&self, arguments: &[&str]) -> String {
        let (output, said) = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }

    /// What a command that must fail says.
    pub fn fails(&self, arguments: &[&str]) -> String {
        let (output, said) = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}: {said}");
        said
    }

    /// An apply with a state that holds this text.
    pub fn applies(&self, text: &str) {
        let path = self.directory.path().join("terraform.tfvars.json");
        let variables = serde_json::json!({ "text": text });
        std::fs::write(path, variables.to_string()).expect("a file can be written");
        self.succeeds(&["apply", "-auto-approve", "-input=false"]);
    }

    /// An apply that holds the lock for so many seconds.
    fn applying(&self, seconds: u32) -> Child {
        let variable = format!("-var=seconds={seconds}");
        self.command(&["apply", "-auto-approve", "-input=false", &variable])
            .spawn()
            .expect("terraform runs")
    }

    fn workspaces(&self) -> Vec<String> {
        let (listed, _) = self.run(&["workspace", "list"]);
        String::from_utf8_lossy(&listed.stdout)
            .split_whitespace()
            .filter(|word| *word != "*")
            .map(str::to_owned)
            .collect()
    }
}

/// Both take turns on a state that lies in `ours` and that the `backend` block of the reference names.
pub async fn takes_turns(ours: &RemoteStore, backend: &str, environment: &[(&str, &str)]) {
    let theirs = Theirs::new(backend, environment);
    theirs.succeeds(&["apply", "-auto-approve", "-input=false"]);

    // We read and write what they wrote.
    let mut locked = ours.lock("default", info()).await.expect("it is free");
    let state = locked
        .read()
        .await
        .expect("it is read")
        .expect("it is there");
    let mut state: Json = serde_json::from_slice(&state.bytes).expect("it is a state");
    let serial = state["serial"].as_u64().expect("it has a serial") + 1;
    let lineage = state["lineage"].as_str().expect("it has one").to_owned();
    state["serial"] = serial.into();
    state["outputs"]["ours"] = serde_json::json!({"value": "hello", "type": "string"});
    let bytes = serde_json::to_vec(&state).expect("it is JSON");
    let version = StateVersion { lineage, serial };
    locked
        .write(bytes.into(), version)
        .await
        .expect("it is written");

    // They are refused by our lock, and say whose it is; reading needs none.
    let said = theirs.fails(&["apply", "-auto-approve", "-input=false"]);
    assert!(
        said.contains("Error acquiring the state lock") && said.contains("us@here"),
        "{said}"
    );
    assert!(theirs.succeeds(&["output"]).contains("hello"));

    // They release it by force, and we do not write any more.
    let shown = said.split_once("Lock Info:").map_or("", |(_, shown)| shown);
    let id = shown
        .split_once("ID:")
        .and_then(|(_, rest)| rest.split_whitespace().next());
    theirs.succeeds(&["force-unlock", "-force", id.expect("an id is shown")]);
    let refused = locked.overwrite(b"{}"[..].into()).await;
    assert!(
        matches!(refused, Err(StoreError::LockLost(_))),
        "{refused:?}"
    );
    drop(locked);
    theirs.succeeds(&["plan", "-input=false"]);

    // Their lock refuses us, and we say whose it is. It dies; we release its lock by force.
    let mut child = theirs.applying(600);
    let id = held(ours).await;
    match ours.lock("default", info()).await {
        Err(StoreError::Locked { holder }) => {
            assert_eq!((&holder.id, holder.lease), (&id, None));
            assert!(holder.version.starts_with("1."), "{}", holder.version);
        }
        _ => panic!("we were not refused"),
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    ours.force_unlock("default", &id)
        .await
        .expect("it is released");

    // We write, and they go on from there.
    let mut locked = ours.lock("default", info()).await.expect("it is free");
    let state = locked
        .read()
        .await
        .expect("it is read")
        .expect("it is there");
    locked.overwrite(state.bytes).await.expect("it is written");
    locked.unlock().await.expect("it is released");
    theirs.succeeds(&["apply", "-auto-approve", "-input=false"]);
    workspaces(&theirs, ours).await;
}

/// The id of the lock that is there, as soon as one is.
async fn held(ours: &RemoteStore) -> String {
    let begun = Instant::now();
    loop {
        match ours.holder("default").await.expect("the lock is read") {
            // A lock may be there before it says whose it is.
            Some(holder) if !holder.version.is_empty() => return holder.id,
            _ => assert!(begun.elapsed() < PATIENCE, "never locked"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Each sees the other's workspaces, and nothing else.
async fn workspaces(theirs: &Theirs, ours: &RemoteStore) {
    theirs.succeeds(&["workspace", "new", "theirs"]);
    let mut locked = ours.lock("ours", info()).await.expect("it is free");
    let bytes = b"{\"version\": 4, \"terraform_version\": \"1.11.4\", \"serial\": 1, \"lineage\": \"l\", \"outputs\": {}, \"resources\": []}";
    let version = StateVersion {
        lineage: "l".into(),
        serial: 1,
    };
    locked
        .write(bytes[..].into(), version)
        .await
        .expect("it is written");
    locked.unlock().await.expect("it is released");
    let journal = ours.journal("ours");
    journal
        .append(&[b"frame".to_vec()])
        .await
        .expect("it is appended");
    let all = ["default", "ours", "theirs"];
    assert_eq!(ours.workspaces().await.expect("they are listed"), all);
    assert_eq!(theirs.workspaces(), all);
    theirs.succeeds(&["workspace", "select", "ours"]);
    theirs.succeeds(&["workspace", "delete", "theirs"]);
    theirs.succeeds(&["workspace", "select", "default"]);
    ours.delete_workspace("ours").await.expect("it is deleted");
    assert_eq!(
        ours.workspaces().await.expect("they are listed"),
        ["default"]
    );
}

//! Programs that are no good plugins are told so, and do not stay behind.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use terrace_provider_client::{Launch, LogRecord, PluginProvider};

struct Script {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

fn script(text: &str) -> Script {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("terraform-provider-bad");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    Script {
        _directory: directory,
        path,
    }
}

async fn refusal(launch: &Launch) -> String {
    let start = Instant::now();
    // A script that was just written may still be open for writing in a process that a parallel test is starting.
    let message = loop {
        match PluginProvider::start(launch).await {
            Ok(_) => panic!("the provider started"),
            Err(error) if error.message.contains("Text file busy") => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) => break error.message,
        }
    };
    assert!(
        start.elapsed() < Duration::from_mins(1),
        "it took {:?}",
        start.elapsed()
    );
    message
}

#[tokio::test]
async fn one_that_says_nothing() {
    let script = script("#!/bin/sh\necho waiting for the moon >&2\nexec sleep 600\n");
    let mut launch = Launch::new("acme/hang", &script.path);
    launch.start_timeout = Duration::from_secs(1);
    let message = refusal(&launch).await;
    assert!(
        message
            .contains("The provider acme/hang could not be started: it said nothing within 1 s."),
        "{message}"
    );
    assert!(message.contains("waiting for the moon"), "{message}");
}

#[tokio::test]
async fn one_that_speaks_nonsense() {
    let script = script("#!/bin/sh\necho hello world\nexec sleep 600\n");
    let message = refusal(&Launch::new("acme/odd", &script.path)).await;
    assert!(
        message.contains("its first line is not a plugin's handshake"),
        "{message}"
    );
    assert!(message.contains("hello world"), "{message}");
}

#[tokio::test]
async fn one_that_ends_at_once() {
    let script = script("#!/bin/sh\necho missing library >&2\nexit 3\n");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&heard);
    let mut launch = Launch::new("acme/gone", &script.path);
    launch.log = Some(Arc::new(move |record: &LogRecord| {
        if record.from_plugin {
            sink.lock().unwrap().push(record.message.clone());
        }
    }));
    let message = refusal(&launch).await;
    assert!(
        message.contains("it ended without a handshake"),
        "{message}"
    );
    assert!(message.contains("exit status: 3"), "{message}");
    assert!(message.contains("missing library"), "{message}");
    assert_eq!(*heard.lock().unwrap(), ["missing library"]);
}

#[tokio::test]
async fn one_that_listens_nowhere() {
    let script = script("#!/bin/sh\necho '1|5|unix|/nowhere/at/all|grpc|'\nexec sleep 600\n");
    let message = refusal(&Launch::new("acme/deaf", &script.path)).await;
    assert!(
        message.contains("no connection to it came about"),
        "{message}"
    );
}

#[tokio::test]
async fn one_that_is_not_there_or_no_program() {
    let message = refusal(&Launch::new(
        "acme/none",
        "/nowhere/terraform-provider-none",
    ))
    .await;
    assert!(message.contains("the executable is not there"), "{message}");
    let script = script("\u{1}\u{2}\u{3}");
    let message = refusal(&Launch::new("acme/foreign", &script.path)).await;
    assert!(
        message.contains("not a program for this system"),
        "{message}"
    );
}

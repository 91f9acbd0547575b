//! A plugin's process, from its start to its end.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use terrace_port::ProviderError;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use crate::channel::connect;
use crate::guard::Guard;
use crate::handshake::{Handshake, MAGIC_COOKIE, PROTOCOL_VERSIONS, ProtocolVersion};
use crate::log::{LogLevel, LogRecord, LogSink};
use crate::output::{LastWords, forward};
use crate::reattach::Reattach;
use crate::schema_cache::SchemaCache;
use crate::tls::Identity;

/// The longest first line that is read.
const HANDSHAKE_LIMIT: u64 = 64 * 1024;
/// How long a process whose connection has ended may take to end.
const ENDING: Duration = Duration::from_secs(2);
/// How long a dead process's last output is waited for: it is there, and has but to be read.
const LAST_OUTPUT: Duration = Duration::from_secs(5);

/// How a provider's process is started.
#[derive(Clone)]
pub struct Launch {
    /// The provider as messages call it.
    pub name: String,
    /// The executable.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables added to the environment that it inherits.
    pub environment: Vec<(OsString, OsString)>,
    /// Variables that it does not inherit.
    pub removed: Vec<OsString>,
    /// How long it may take until it answers for the first time.
    pub start_timeout: Duration,
    /// Takes what it prints, and what happens to it.
    pub log: Option<LogSink>,
    /// Ends it where this process cannot.
    pub guard: Option<Arc<Guard>>,
    /// Where somebody else has started it, which then is all that happens.
    pub attach: Option<Reattach>,
    /// Whether it may put off what it cannot do yet.
    pub deferral_allowed: bool,
    /// Where schemas are kept, and the name of this program's content there.
    pub schema_cache: Option<(SchemaCache, String)>,
    /// The version of the engine as providers are told it, such as `1.11.4`.
    pub engine_version: String,
}

impl Launch {
    /// The name of the program's file.
    fn file(&self) -> Arc<str> {
        let name = self.program.file_name().unwrap_or_default();
        name.to_string_lossy().into()
    }

    /// A start of `program` without arguments, with a minute of patience.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            removed: Vec::new(),
            start_timeout: Duration::from_mins(1),
            log: None,
            guard: None,
            attach: None,
            deferral_allowed: false,
            schema_cache: None,
            engine_version: "1.11.4".into(),
        }
    }
}

/// A running plugin. Dropping it kills the process.
pub(crate) struct PluginProcess {
    name: String,
    id: Option<u32>,
    child: Mutex<Child>,
    words: LastWords,
    readers: Vec<JoinHandle<()>>,
    guard: Option<Arc<Guard>>,
    /// Whether the guard sees it off.
    left: AtomicBool,
    /// Whether it was seen to have ended.
    ended: AtomicBool,
    /// Where the plugin puts its socket; goes with the process.
    _socket_directory: tempfile::TempDir,
}

/// A plugin that has answered.
pub(crate) struct Started {
    pub(crate) process: PluginProcess,
    pub(crate) channel: Channel,
    pub(crate) version: ProtocolVersion,
}

impl PluginProcess {
    /// Starts a plugin, shakes hands and connects. Whatever goes wrong, the process does not stay behind.
    pub(crate) async fn start(launch: &Launch) -> Result<Started, ProviderError> {
        let identity =
            Identity::generate().map_err(|error| cannot_start(launch, &error.to_string()))?;
        let socket_directory = tempfile::Builder::new()
            .prefix("terrace-")
            .tempdir()
            .map_err(|error| {
                cannot_start(launch, &format!("no directory for its socket: {error}"))
            })?;
        let mut child = command(launch, &identity, &socket_directory)
            .spawn()
            .map_err(|error| cannot_start(launch, &explain_spawn(&error)))?;
        if let (Some(guard), Some(group)) = (&launch.guard, child.id()) {
            let watched = guard.watch(group, socket_directory.path());
            if let (Err(error), Some(log)) = (watched, &launch.log) {
                // All that is lost is its end where this process is killed.
                let message = format!("nothing watches over {}: {error}", launch.name);
                log(&LogRecord::own(LogLevel::Warn, message));
            }
        }
        if let Some(log) = &launch.log {
            log(
                &LogRecord::own(LogLevel::Debug, format!("{} was started", launch.name))
                    .with("path", launch.program.display())
                    .with("pid", child.id().unwrap_or_default()),
            );
        }
        let sink = launch.log.clone().map(|log| (log, launch.file()));
        let words = LastWords::default();
        let mut readers = Vec::new();
        if let Some(stderr) = child.stderr.take() {
            readers.push(tokio::spawn(forward(stderr, words.clone(), sink)));
        }
        let stdout = child.stdout.take();
        let mut process = Self {
            name: launch.name.clone(),
            id: child.id(),
            child: Mutex::new(child),
            words,
            readers,
            guard: launch.guard.clone(),
            left: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            _socket_directory: socket_directory,
        };
        let handshake =
            match tokio::time::timeout(launch.start_timeout, process.shake_hands(stdout, launch))
                .await
            {
                Ok(Ok(handshake)) => handshake,
                Ok(Err(why)) => return Err(process.refuse(&why).await),
                Err(_) => {
                    let why = format!(
                        "it said nothing within {} s",
                        launch.start_timeout.as_secs()
                    );
                    return Err(process.refuse(&why).await);
                }
            };
        let tls = match handshake
            .certificate
            .map(|pinned| identity.client_config(pinned))
            .transpose()
        {
            Ok(tls) => tls,
            Err(error) => {
                return Err(process
                    .refuse(&format!("its certificate cannot be used: {error}"))
                    .await);
            }
        };
        match connect(handshake.endpoint, tls, launch.start_timeout).await {
            Ok(channel) => Ok(Started {
                process,
                channel,
                version: handshake.version,
            }),
            Err(why) => Err(process
                .refuse(&format!("no connection to it came about: {why}"))
                .await),
        }
    }

    /// Reads the first line that the plugin prints.
    async fn shake_hands(
        &mut self,
        stdout: Option<ChildStdout>,
        launch: &Launch,
    ) -> Result<Handshake, String> {
        let Some(stdout) = stdout else {
            return Err("its output cannot be read".into());
        };
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        let read = (&mut reader)
            .take(HANDSHAKE_LIMIT)
            .read_until(b'\n', &mut line)
            .await;
        let line = String::from_utf8_lossy(&line).into_owned();
        match read {
            Err(error) => return Err(format!("its output cannot be read: {error}")),
            Ok(0) => return Err("it ended without a handshake".into()),
            Ok(_) => {}
        }
        let handshake = Handshake::parse(&line);
        if handshake.is_err() {
            self.words.push(line.trim_end());
        }
        // What it goes on to print there must not fill the pipe.
        self.readers.push(tokio::spawn(forward(
            reader,
            self.words.clone(),
            launch.log.clone().map(|log| (log, launch.file())),
        )));
        handshake
    }

    /// Ends a plugin that did not start well, and says so.
    async fn refuse(&self, why: &str) -> ProviderError {
        let status = self.exit_status().await;
        self.kill().await;
        self.finish_output().await;
        let ended = status.map_or_else(String::new, |status| {
            format!(" It had ended by itself ({status}).")
        });
        let mut message = format!(
            "The provider {} could not be started: {why}.{ended}",
            self.name
        );
        self.add_words(&mut message);
        ProviderError { message }
    }

    /// What is to be said of a call that got no answer; `broken` when the connection may have ended with the process.
    pub(crate) async fn lost(&self, call: &str, why: &str, broken: bool) -> ProviderError {
        let status = if broken {
            self.exit_status().await
        } else {
            None
        };
        let mut message = match status {
            Some(status) => {
                self.finish_output().await;
                format!(
                    "The provider {} ended ({status}) before it answered to {call}.",
                    self.name
                )
            }
            None => format!(
                "The provider {} failed to answer to {call}: {why}.",
                self.name
            ),
        };
        self.add_words(&mut message);
        ProviderError { message }
    }

    fn add_words(&self, message: &mut String) {
        if let Some(words) = self.words.text() {
            message.push_str(" Its last output was:\n");
            message.push_str(&words);
        }
    }

    /// How the process ended, if it has ended or is just about to.
    async fn exit_status(&self) -> Option<ExitStatus> {
        let mut child = self.child.lock().await;
        match tokio::time::timeout(ENDING, child.wait()).await {
            Ok(Ok(status)) => {
                self.ended.store(true, Ordering::Relaxed);
                Some(status)
            }
            _ => None,
        }
    }

    /// Waits a moment for what a process printed before it ended.
    async fn finish_output(&self) {
        let deadline = tokio::time::Instant::now() + LAST_OUTPUT;
        while !self.readers.iter().all(JoinHandle::is_finished)
            && tokio::time::Instant::now() < deadline
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Whether it was seen to have ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// The process id.
    pub(crate) const fn id(&self) -> Option<u32> {
        self.id
    }

    /// Leaves the process, which was told to end, to the guard; whether there is one that takes it. Who listens to what
    /// processes print does not leave them.
    pub(crate) fn leave(&self, log: Option<&LogSink>) -> bool {
        let (None, Some(guard), Some(group)) = (log, &self.guard, self.id) else {
            return false;
        };
        let left = guard.see_off(group).is_ok();
        self.left.store(left, Ordering::Relaxed);
        left
    }

    /// Waits for the process to end by itself, at most so long; whether it did.
    pub(crate) async fn ends_within(&self, patience: Duration) -> bool {
        let mut child = self.child.lock().await;
        matches!(
            tokio::time::timeout(patience, child.wait()).await,
            Ok(Ok(_))
        )
    }

    /// Ends the process by force and takes leave of it.
    pub(crate) async fn kill(&self) {
        // An error means that it has already ended.
        let _ended = self.child.lock().await.kill().await;
    }
}

impl Drop for PluginProcess {
    fn drop(&mut self) {
        if *self.left.get_mut() {
            return;
        }
        // An error means that it has already ended.
        self.child.get_mut().start_kill().ok();
        if let (Some(guard), Some(group)) = (&self.guard, self.id) {
            guard.forget(group);
        }
    }
}

fn command(launch: &Launch, identity: &Identity, socket_directory: &tempfile::TempDir) -> Command {
    let mut command = Command::new(&launch.program);
    for name in &launch.removed {
        command.env_remove(name);
    }
    command
        .args(&launch.arguments)
        .envs(launch.environment.iter().map(|(name, value)| (name, value)))
        .env(MAGIC_COOKIE.0, MAGIC_COOKIE.1)
        .env("PLUGIN_PROTOCOL_VERSIONS", PROTOCOL_VERSIONS)
        .env("PLUGIN_CLIENT_CERT", &identity.pem)
        .env("PLUGIN_MIN_PORT", "10000")
        .env("PLUGIN_MAX_PORT", "25000")
        .env("PLUGIN_UNIX_SOCKET_DIR", socket_directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Ctrl-C at a terminal goes to a whole process group: the engine decides when its providers end.
    #[cfg(unix)]
    command.process_group(0);
    command
}

fn cannot_start(launch: &Launch, why: &str) -> ProviderError {
    ProviderError {
        message: format!(
            "The provider {} could not be started: {why}. Its executable is {}.",
            launch.name,
            launch.program.display()
        ),
    }
}

fn explain_spawn(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "the executable is not there".into(),
        std::io::ErrorKind::PermissionDenied => "the file may not be executed".into(),
        _ if error.raw_os_error() == Some(8) => {
            "the file is not a program for this system; it may have been made for another processor"
                .into()
        }
        _ => error.to_string(),
    }
}

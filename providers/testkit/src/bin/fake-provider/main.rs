//! The strict provider as a plugin process that can fail.
//!
//! Variables of its environment say how it behaves:
//! - `FAKE_PROVIDER_WORLD`: the directory of its objects; they outlive it. Without it they end with the process.
//! - `FAKE_PROVIDER_PROTOCOL`: `5` or `6`; else the greatest that the host speaks.
//! - `FAKE_PROVIDER_PROCESSES`: a directory in which it leaves a file of its process id.
//! - `FAKE_PROVIDER_STAYS`: does not end with who started it, as other providers do not.
//! - `FAKE_PROVIDER_SCRIPT`: what goes wrong, as [`script::Script`] reads it.
#![allow(
    clippy::disallowed_methods,
    reason = "a process of its own reads its environment"
)]
#![allow(
    clippy::exit,
    reason = "it crashes when told to, and ends with its parent"
)]
#![allow(clippy::print_stderr, reason = "what it says there is what is tested")]

mod script;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use terrace_provider_testkit::serve::{Environment, serve};
use terrace_provider_testkit::{DirectoryWorld, StrictProvider};

use script::{Script, StartFault};

/// How a crash shows from outside.
const CRASH_CODE: i32 = 101;

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn main() -> ExitCode {
    if variable("TF_PLUGIN_MAGIC_COOKIE").as_deref()
        != Some("d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
    {
        eprintln!("This binary is a plugin. It is started by an engine, not by a person.");
        return ExitCode::FAILURE;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("fake-provider: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let script = Script::parse(&variable("FAKE_PROVIDER_SCRIPT").unwrap_or_default())?;
    match script.start_fault() {
        None => {}
        Some(StartFault::Hang) => loop {
            std::thread::park();
        },
        Some(StartFault::Crash) => crash("as it was told, at the start"),
        Some(StartFault::Nonsense) => {
            use std::io::Write as _;
            let mut stdout = std::io::stdout();
            writeln!(stdout, "I am not a plugin at all")
                .and_then(|()| stdout.flush())
                .map_err(|error| error.to_string())?;
            loop {
                std::thread::park();
            }
        }
        Some(StartFault::Delay(duration)) => std::thread::sleep(duration),
    }
    if variable("FAKE_PROVIDER_STAYS").is_none() {
        end_with_parent();
    }
    if let Some(directory) = variable("FAKE_PROVIDER_PROCESSES") {
        let path = std::path::Path::new(&directory).join(std::process::id().to_string());
        std::fs::write(path, "").map_err(|error| error.to_string())?;
    }
    let protocol = protocol()?;
    let mut provider = StrictProvider::new();
    if protocol == 5 {
        provider = provider.without_nested_attributes();
    }
    if let Some(directory) = variable("FAKE_PROVIDER_WORLD") {
        let world = DirectoryWorld::open(directory, provider.provider_schema())?;
        provider = provider.with_world(Arc::new(world));
    }
    let provider = provider.with_script(move |call| script.outcome(call));
    let environment = Environment {
        client_certificate: variable("PLUGIN_CLIENT_CERT"),
        socket_directory: variable("PLUGIN_UNIX_SOCKET_DIR"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let served = runtime.block_on(serve(
        Arc::new(provider),
        protocol,
        &environment,
        |message| crash(message),
    ));
    // Calls that hang as they were told must not keep the process.
    runtime.shutdown_background();
    served.map_err(|error| error.to_string())
}

/// The protocol version to speak: the one that is asked for, or the greatest that both sides know.
fn protocol() -> Result<u32, String> {
    let spoken = variable("PLUGIN_PROTOCOL_VERSIONS").unwrap_or_else(|| "5".into());
    let spoken: Vec<u32> = spoken
        .split(',')
        .filter_map(|version| version.trim().parse().ok())
        .collect();
    match variable("FAKE_PROVIDER_PROTOCOL").as_deref() {
        Some("5") => Ok(5),
        Some("6") => Ok(6),
        Some(other) => Err(format!("FAKE_PROVIDER_PROTOCOL is {other:?}, not 5 or 6")),
        None => [6, 5]
            .into_iter()
            .find(|version| spoken.contains(version))
            .ok_or_else(|| format!("the host speaks neither protocol 5 nor 6: {spoken:?}")),
    }
}

/// Ends the process as a crash does.
fn crash(message: &str) -> ! {
    eprintln!("panic: fake-provider crashed: {message}");
    std::process::exit(CRASH_CODE)
}

/// Ends the process soon after the one that started it, even if that one was killed.
fn end_with_parent() {
    let parent = std::os::unix::process::parent_id();
    std::thread::spawn(move || {
        while std::os::unix::process::parent_id() == parent {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::process::exit(0);
    });
}

//! Ctrl-C and SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::command_error::FAILURE;

/// How long a command may take to let go of its providers before the process ends without that.
const PATIENCE: Duration = Duration::from_millis(500);

/// Ends what is being done on a signal, unless an apply is being carried out, which ends by its own rules. Dropping
/// what is being done ends the providers that it has started.
pub(crate) fn watch(carrying_out: Arc<AtomicBool>) -> Arc<Notify> {
    let ended = Arc::new(Notify::new());
    let end = ended.clone();
    tokio::spawn(async move {
        let Ok(mut signals) = Signals::new() else {
            return;
        };
        while signals.next().await.is_some() {
            if !carrying_out.load(Ordering::SeqCst) {
                end.notify_one();
                // A command that waits for somebody's answer does not look up.
                tokio::time::sleep(PATIENCE).await;
                exit();
            }
        }
    });
    ended
}

#[expect(
    clippy::exit,
    reason = "the command does not react, and the user has asked for its end"
)]
fn exit() {
    std::process::exit(i32::from(FAILURE));
}

/// The signals that ask for an end. None is missed between two calls of [`Signals::next`].
#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Listens from now on.
    pub(crate) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next; `None` where there can be none any more.
    pub(crate) async fn next(&mut self) -> Option<()> {
        tokio::select! {
            received = self.interrupt.recv() => received,
            received = self.terminate.recv() => received,
        }
    }
}

/// The signals that ask for an end.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Listens from now on.
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next; `None` where there can be none any more.
    pub(crate) async fn next(&mut self) -> Option<()> {
        tokio::signal::ctrl_c().await.ok()
    }
}

//! Commands of this program as steps of another.

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::Ordering;

use serde_json::Value as Json;
use terrace_diag::Diagnostic;
use tokio::process::Command;

use crate::command_error::CommandError;
use crate::commands::recover::NOTHING;
use crate::session::Session;

/// Commands in one directory.
pub(super) struct Steps<'s> {
    session: &'s Session,
    directory: &'s Path,
}

impl<'s> Steps<'s> {
    pub(super) const fn new(session: &'s Session, directory: &'s Path) -> Self {
        Self { session, directory }
    }

    /// Carries out a command, which says what it does to the user. A signal is for it to heed: this program waits.
    pub(super) async fn carry_out(&self, arguments: &[&str]) -> Result<(), CommandError> {
        self.session.view.line(format!(
            "$ terrace -chdir={} {}\n",
            self.directory.display(),
            arguments.join(" ")
        ));
        self.session.carrying_out.store(true, Ordering::SeqCst);
        let ended = self.command(arguments)?.status().await;
        self.session.carrying_out.store(false, Ordering::SeqCst);
        let status = ended.map_err(|error| no_start(&error))?;
        if status.success() {
            return Ok(());
        }
        Err(unfinished(arguments))
    }

    /// Whether an apply was killed, and what it did is to be brought into the state first.
    pub(super) async fn needs_recovery(&self) -> Result<bool, CommandError> {
        let answer = self.answer(&["recover", "-dry-run"]).await?;
        Ok(String::from_utf8_lossy(&answer).trim() != NOTHING)
    }

    /// The outputs of what was applied.
    pub(super) async fn outputs(&self) -> Result<Json, CommandError> {
        let answer = self.answer(&["output", "-json"]).await?;
        serde_json::from_slice(&answer).map_err(|error| no_start(&error))
    }

    /// What a command prints that only looks.
    async fn answer(&self, arguments: &[&str]) -> Result<Vec<u8>, CommandError> {
        let answer = self
            .command(arguments)?
            .stderr(Stdio::inherit())
            .output()
            .await
            .map_err(|error| no_start(&error))?;
        if answer.status.success() {
            Ok(answer.stdout)
        } else {
            Err(unfinished(arguments))
        }
    }

    fn command(&self, arguments: &[&str]) -> Result<Command, CommandError> {
        let program = std::env::current_exe().map_err(|error| no_start(&error))?;
        let mut command = Command::new(program);
        command
            .arg(format!("-chdir={}", self.directory.display()))
            .args(arguments);
        Ok(command)
    }
}

fn no_start(error: &dyn std::fmt::Display) -> CommandError {
    CommandError::one(
        "bootstrap-unfinished",
        "The bootstrap is not finished",
        format!("A step could not be carried out: {error}."),
    )
}

fn unfinished(arguments: &[&str]) -> CommandError {
    Diagnostic::error(
        "bootstrap-unfinished",
        "The bootstrap is not finished",
        format!(
            "`terrace {}` did not succeed; what it says stands above. What was made before it is in the state and is not made again.",
            arguments.join(" ")
        ),
    )
    .hint("mend what it says, and give the same command again: it goes on where this one ended")
    .into()
}

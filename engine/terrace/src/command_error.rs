//! How a command fails, and what the process's exit code is then.

use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_gate::Refusal;
use terrace_port::{Clock as _, LockInfo, ProviderError, StoreError};
use terrace_state::{StateError, StorageError};

use crate::outside::SystemClock;

/// Exit code of success.
pub(crate) const SUCCESS: u8 = 0;
/// Exit code of an error, wrong usage included.
pub(crate) const FAILURE: u8 = 1;
/// Exit code of `plan -detailed-exitcode` where there are changes.
pub(crate) const CHANGES: u8 = 2;
/// Exit code of `fmt` where a file cannot be formatted.
pub(crate) const BROKEN: u8 = 2;
/// Exit code of `fmt -check` where a file is not in the usual form.
pub(crate) const UNFORMATTED: u8 = 3;
/// Exit code of an apply that the gate refused.
pub(crate) const REFUSED: u8 = 5;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// What to say.
    pub(crate) diagnostics: Diagnostics,
    /// The files that the diagnostics speak of.
    pub(crate) sources: SourceMap,
    /// The exit code.
    pub(crate) code: u8,
}

/// What a command gives: its exit code.
pub(crate) type Outcome = Result<u8, CommandError>;

impl CommandError {
    /// Several problems in files.
    pub(crate) fn new(diagnostics: Diagnostics, sources: SourceMap) -> Self {
        Self {
            diagnostics,
            sources,
            code: FAILURE,
        }
    }

    /// One problem.
    pub(crate) fn one(
        id: &'static str,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Diagnostic::error(id, summary, detail).into()
    }

    /// A refusal of the gate, with the way on.
    pub(crate) fn refused(refusal: &Refusal) -> Self {
        let subject = refusal.digest.map_or_else(
            || "The change".to_owned(),
            |digest| format!("Plan {}", digest.short()),
        );
        let reasons: Vec<String> = refusal
            .reasons
            .iter()
            .map(|reason| format!("  - {reason}"))
            .collect();
        let detail = format!(
            "{subject} does not pass the gate of environment {:?}:\n{}",
            refusal.environment,
            reasons.join("\n")
        );
        let mut diagnostic = Diagnostic::error("gate-refused", "Gate not satisfied", detail);
        let needs_approval = refusal.reasons.iter().any(|reason| {
            matches!(
                reason,
                terrace_gate::RefusalReason::Approvals { .. }
                    | terrace_gate::RefusalReason::Role { .. }
            )
        });
        diagnostic = match refusal.digest {
            Some(digest) if needs_approval => diagnostic.hint(format!(
                "someone else runs `terrace approve {} -env={} -key=FILE`, then apply again",
                digest.short(),
                refusal.environment
            )),
            Some(digest) => diagnostic.hint(format!(
                "`terrace gate explain {} -env={}` shows what is missing",
                digest.short(),
                refusal.environment
            )),
            None => diagnostic.hint(format!(
                "plan the change with `terrace plan -env={}`, have it approved, and apply it",
                refusal.environment
            )),
        };
        Self {
            diagnostics: diagnostic.into(),
            sources: SourceMap::new(),
            code: REFUSED,
        }
    }
}

impl From<Diagnostic> for CommandError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            diagnostics: diagnostic.into(),
            sources: SourceMap::new(),
            code: FAILURE,
        }
    }
}

impl From<Box<Refusal>> for CommandError {
    fn from(refusal: Box<Refusal>) -> Self {
        Self::refused(&refusal)
    }
}

impl From<StateError> for CommandError {
    fn from(error: StateError) -> Self {
        let mut diagnostic = Diagnostic::error("invalid-state", error.summary, error.detail);
        diagnostic.hint = error.hint;
        diagnostic.into()
    }
}

impl From<StorageError> for CommandError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Store(error) => error.into(),
            StorageError::State(error) => error.into(),
        }
    }
}

impl From<ProviderError> for CommandError {
    fn from(error: ProviderError) -> Self {
        Self::one("provider-failed", "Provider failed", error.message)
    }
}

/// Who holds a lock, as lines.
pub(crate) fn lock_lines(holder: &LockInfo) -> String {
    let rows = [
        ("ID", &holder.id),
        ("Path", &holder.path),
        ("Operation", &holder.operation),
        ("Who", &holder.who),
        ("Version", &holder.version),
        ("Created", &holder.created),
        ("Info", &holder.info),
    ];
    let mut lines: Vec<String> = rows
        .iter()
        .map(|(name, value)| {
            format!("  {:<10} {value}", format!("{name}:"))
                .trim_end()
                .to_owned()
        })
        .collect();
    if let Some(lease) = &holder.lease {
        lines.push(format!(
            "  {:<10} renewed {}, lasts {} s each time",
            "Lease:",
            lease.renewed,
            lease.lasts.as_secs()
        ));
    }
    lines.join("\n")
}

/// What to do about a lock that someone holds.
fn way_out(holder: &LockInfo) -> String {
    let force = format!(
        "if the holder is gone for good, release the lock with `terrace force-unlock {}`",
        holder.id
    );
    let Some(lease) = &holder.lease else {
        return format!("wait with -lock-timeout=60s; {force}");
    };
    let patience = lease.lasts.as_secs() + 15;
    let (now, _) = SystemClock.now();
    let lasts = i64::try_from(lease.lasts.as_secs()).unwrap_or(i64::MAX);
    // By the holder's clock, so it is no more than a guess; what takes over a lock watches whether it is renewed.
    let seems_dead = lease
        .expires
        .parse::<jiff::Timestamp>()
        .is_ok_and(|expires| now > expires.as_second().saturating_add(lasts));
    if seems_dead {
        format!(
            "the holder seems to be dead: with -lock-timeout={patience}s its lock is taken over; {force}"
        )
    } else {
        format!(
            "wait with -lock-timeout={patience}s, which also takes over the lock of a holder that is dead"
        )
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let diagnostic = match error {
            StoreError::Locked { holder } => {
                let detail = format!(
                    "Someone else is working with this state. Terrace acquires a state lock to protect the state from being written by multiple users at the same time.\n\nLock Info:\n{}",
                    lock_lines(&holder)
                );
                Diagnostic::error("state-locked", "Error acquiring the state lock", detail)
                    .hint(way_out(&holder))
            }
            StoreError::LockLost(why) => Diagnostic::error("lock-lost", "State lock lost", why)
                .hint("`terrace recover` brings what was done into the state"),
            StoreError::Conflict(why) => {
                Diagnostic::error("state-conflict", "State changed in between", why)
            }
            StoreError::Refused(why) => Diagnostic::error("state-refused", "State refused", why),
            StoreError::Corrupt(why) => {
                Diagnostic::error("store-corrupt", "Stored data is damaged", why)
                    .hint("the state's backup and `terrace runs` may help to restore it")
            }
            StoreError::KeptAside { path, why } => Diagnostic::error(
                "journal-failed",
                "Journal failed",
                format!("The journal could not be written: {why}. It is kept in the file {path} of this machine."),
            )
            .hint("once the store can be written again, run `terrace recover` in this directory"),
            error @ StoreError::Unavailable { .. } if error.is_disk_full() => Diagnostic::error(
                "store-unavailable",
                "Disk full",
                format!("{}. Nothing of it was written, and what was there before is unharmed.", error.told()),
            )
            .hint("free some space on the disk of that file, and run the command again"),
            error @ StoreError::Unavailable { .. } => Diagnostic::error(
                "store-unavailable",
                "State store unavailable",
                error.told(),
            ),
        };
        diagnostic.into()
    }
}

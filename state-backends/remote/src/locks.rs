//! The lock of a workspace, in the form that other tools see and make for a store.

use std::fmt;

use async_trait::async_trait;
use terrace_port::StoreError;

use crate::{Failure, LockRecord};

/// What its store needs to change or release a lock: a version of the lock's object, the id of a lease, the session that
/// holds it. Opaque outside of its adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token as its adapter writes it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As its adapter writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A lock that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who. Where the store knows nothing of its holder, a record that says so in `info`, with an empty id.
    pub record: LockRecord,
    /// Changes with everything that the holder does to the lock; renewing it above all, which is how others see that the
    /// holder lives. What [`Locks::replace`], [`Locks::release`] and [`Locks::take_over`] take.
    pub token: Token,
}

/// What came of [`Locks::acquire`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// The lock is the caller's.
    Yes(Token),
    /// Somebody has it already.
    Held(Box<Held>),
}

/// What came of [`Locks::replace`] and [`Locks::take_over`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The record is the new one. The token to use from now on, which may be the old one.
    Yes(Token),
    /// The lock is not (or no longer) as the token says: it was released, taken over or renewed. Nothing was changed.
    Lost,
}

/// What came of [`Locks::force`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forced {
    /// Nobody holds the lock now.
    Done,
    /// Nobody held it.
    Free,
    /// It has another id.
    Other(Box<Held>),
}

/// How a lock shows that its holder lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// The holder renews its record ([`Locks::replace`]); others may take it over once it has not changed for a whole lease.
    Lease,
    /// The lock ends with its holder's session. Nobody takes it over. [`Locks::replace`] asks whether the session still lives.
    Session,
    /// It cannot show it. The lock stays until it is released, by force if need be.
    Forever,
    /// There is no lock at all, since the settings ask for none. [`Locks::acquire`] always says yes.
    None,
}

/// The locks of the workspaces of one place.
///
/// The rule of tokens: [`acquire`](Self::acquire) and [`replace`](Self::replace) give the token that the next change needs,
/// and the token that [`read`](Self::read) gives of the same lock does as well, or else changing it with the old token again
/// does (a lease id that stays the same). By that the caller recovers when the answer to a change was lost: it makes the change
/// again with the same token, and where that says [`Replaced::Lost`], it reads, and where it reads its own record, it goes on with
/// that token. Likewise `acquire` where the record with the caller's own id is there already: [`Acquired::Held`] with it, or
/// [`Acquired::Yes`].
#[async_trait]
pub trait Locks: Send + Sync {
    /// How the lock shows that its holder lives.
    fn liveness(&self) -> Liveness {
        Liveness::Lease
    }

    /// The lock, where somebody holds it. Locks of other tools too: their records have no lease.
    async fn read(&self, workspace: &str) -> Result<Option<Held>, Failure>;

    /// Takes the lock if nobody has it, in one step. Does not wait and looks at no lease: a lock whose holder is dead is
    /// [`Acquired::Held`] like any other.
    async fn acquire(&self, workspace: &str, record: &LockRecord) -> Result<Acquired, Failure>;

    /// Replaces the record of a lock that the caller holds (a heartbeat), where the lock is as the token says.
    async fn replace(
        &self,
        workspace: &str,
        token: &Token,
        record: &LockRecord,
    ) -> Result<Replaced, Failure>;

    /// Makes the lock of a dead holder the caller's, where it is as it was when it was read; in one step, so that of several
    /// who try one succeeds.
    async fn take_over(
        &self,
        workspace: &str,
        held: &Held,
        record: &LockRecord,
    ) -> Result<Replaced, Failure> {
        self.replace(workspace, &held.token, record).await
    }

    /// Releases the lock where it is as the token says; otherwise nothing happens, and that is no failure.
    async fn release(&self, workspace: &str, token: &Token) -> Result<(), Failure>;

    /// Releases the lock with this id whoever holds it.
    async fn force(&self, workspace: &str, id: &str) -> Result<Forced, Failure> {
        // A holder that is alive renews its lock in between.
        for _ in 0..8 {
            let Some(held) = self.read(workspace).await? else {
                return Ok(Forced::Free);
            };
            if held.record.info.id != id {
                return Ok(Forced::Other(Box::new(held)));
            }
            self.release(workspace, &held.token).await?;
            match self.read(workspace).await? {
                Some(held) if held.record.info.id == id => {}
                _ => return Ok(Forced::Done),
            }
        }
        Err(StoreError::Refused(format!(
            "The lock {id} changes whenever it is about to be released: its holder is alive."
        ))
        .into())
    }

    /// Whether the lock is still the one with this id and token. Asked where a write was refused under a lock that cannot be
    /// renewed.
    async fn is_held(&self, workspace: &str, _token: &Token, id: &str) -> Result<bool, Failure> {
        let held = self.read(workspace).await?;
        Ok(held.is_some_and(|held| held.record.info.id == id))
    }
}

//! Requests that are made again, and whose lost answers are found out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::try_join_all;
use terrace_port::StoreError;
use tokio::time::Instant;

use super::{Parts, Waiting, Watcher, random};
use crate::{
    Acquired, Deleted, Failure, Forced, Held, LockRecord, Object, Put, Replaced, Token, Version,
    When, Write, chain,
};

/// From when on it is told that a store does not answer, and how often.
const QUIET: Duration = Duration::from_secs(2);
const REMINDER: Duration = Duration::from_secs(10);

/// How long a request is made again after another one was given up.
const SHORT: Duration = Duration::from_secs(3);

/// How many requests are made at the same time.
const AT_ONCE: usize = 16;

/// How long a request is made again.
struct Patience<'a> {
    is_down: &'a AtomicBool,
    begun: Instant,
    watcher: Option<Watcher>,
    told: Option<Instant>,
    limit: Duration,
    left: u32,
    pause: Duration,
    longest: Duration,
}

impl<'a> Patience<'a> {
    fn new(parts: &'a Parts) -> Self {
        let options = &parts.options;
        let limit = if parts.is_down.load(Ordering::Relaxed) {
            options.patience.min(SHORT)
        } else {
            options.patience
        };
        Self {
            is_down: &parts.is_down,
            begun: Instant::now(),
            watcher: options.watcher.clone(),
            told: None,
            limit,
            left: options.retries,
            pause: options.pauses.0,
            longest: options.pauses.1,
        }
    }

    /// Notes that the store has answered.
    fn answered(&self) {
        self.is_down.store(false, Ordering::Relaxed);
    }

    /// Waits before the next attempt, or gives up.
    async fn wait(&mut self, failure: Failure) -> Result<(), StoreError> {
        let Failure::Transient { after, .. } = &failure else {
            return Err(failure.into());
        };
        // Somewhere between half and all of it, so that those who were refused together do not come again together.
        let jitter = 500 + u32::try_from(random() % 501).unwrap_or_default();
        let pause = after.unwrap_or(self.pause * jitter / 1000);
        if self.left == 0 || self.begun.elapsed() + pause > self.limit {
            return Err(self.given_up(failure));
        }
        self.tell(&failure);
        tokio::time::sleep(pause).await;
        self.left -= 1;
        self.pause = (self.pause * 2).min(self.longest);
        Ok(())
    }
}

impl Patience<'_> {
    /// Tells who waits that the store does not answer, once that has taken a while.
    fn tell(&mut self, failure: &Failure) {
        let since = self.begun.elapsed();
        let is_due = match self.told {
            None => since + self.pause >= QUIET,
            Some(told) => told.elapsed() >= REMINDER,
        };
        let Some(watcher) = self.watcher.as_ref().filter(|_| is_due) else {
            return;
        };
        self.told = Some(Instant::now());
        watcher(&Waiting {
            why: &chain(failure),
            since,
            patience: self.limit,
        });
    }

    /// The error of a request that is not made again, with how long it was.
    fn given_up(&self, failure: Failure) -> StoreError {
        self.is_down.store(true, Ordering::Relaxed);
        let seconds = self.begun.elapsed().as_secs();
        match failure {
            Failure::Transient { what, source, .. } if seconds > 0 => StoreError::Unavailable {
                what: format!("{what} (tried for {seconds} s)"),
                source,
            },
            failure => failure.into(),
        }
    }
}

/// Makes a request until it is answered.
macro_rules! insist {
    ($parts:expr, $request:expr) => {{
        let mut patience = Patience::new($parts);
        loop {
            match $request.await {
                Ok(answer) => {
                    patience.answered();
                    break Ok(answer);
                }
                Err(failure) => {
                    if let Err(error) = patience.wait(failure).await {
                        break Err(error);
                    }
                }
            }
        }
    }};
}

impl Parts {
    pub(super) async fn get(&self, name: &str) -> Result<Option<Object>, StoreError> {
        insist!(self, self.objects.get(name))
    }

    pub(super) async fn get_all(
        &self,
        names: &[String],
    ) -> Result<Vec<Option<Object>>, StoreError> {
        match self.objects.get_all(names).await {
            Ok(found) => {
                self.is_down.store(false, Ordering::Relaxed);
                return Ok(found);
            }
            // Of many requests one may always fail: each is made again by itself.
            Err(Failure::Transient { .. }) => {}
            Err(failure) => return Err(failure.into()),
        }
        let mut found = Vec::with_capacity(names.len());
        for some in names.chunks(AT_ONCE) {
            let requests = some.iter().map(|name| self.get(name));
            found.extend(try_join_all(requests).await?);
        }
        Ok(found)
    }

    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        insist!(self, self.objects.list(prefix))
    }

    /// Writes where the condition holds. A refusal is somebody else's doing, never that of an attempt of this call whose answer
    /// was lost.
    pub(super) async fn put(
        &self,
        name: &str,
        bytes: &[u8],
        write: Write<'_>,
    ) -> Result<Put, StoreError> {
        let mut patience = Patience::new(self);
        let mut unsure = false;
        loop {
            match self.objects.put(name, bytes, write).await {
                Ok(Put::Refused) if unsure => {
                    let there = self.get(name).await?;
                    return Ok(match there {
                        Some(object) if *object.bytes == *bytes => Put::Written(object.version),
                        _ => Put::Refused,
                    });
                }
                Ok(put) => {
                    patience.answered();
                    return Ok(put);
                }
                Err(failure) => {
                    patience.wait(failure).await?;
                    unsure = true;
                }
            }
        }
    }

    /// Puts where a version, or nothing, is there.
    pub(super) async fn put_over(
        &self,
        name: &str,
        bytes: &[u8],
        over: Option<&Version>,
        under: Option<&Token>,
    ) -> Result<Put, StoreError> {
        let when = over.map_or(When::Absent, When::Is);
        self.put(name, bytes, Write { when, under }).await
    }

    pub(super) async fn delete(&self, name: &str, under: Option<&Token>) -> Result<(), StoreError> {
        let write = Write {
            when: When::Always,
            under,
        };
        match insist!(self, self.objects.delete(name, write))? {
            Deleted::Done => Ok(()),
            Deleted::Refused => Err(StoreError::LockLost(format!(
                "{} was not deleted, since the lock under which it was to be is no longer held",
                self.objects.place(name)
            ))),
        }
    }

    /// Deletes, in any case: by one request, or some at the same time.
    pub(super) async fn delete_all(&self, names: &[String]) -> Result<(), StoreError> {
        if names.is_empty() {
            return Ok(());
        }
        let left = insist!(self, self.objects.delete_many(names))?;
        for some in left.chunks(AT_ONCE) {
            let requests = some.iter().map(|name| self.delete(name, None));
            try_join_all(requests).await?;
        }
        Ok(())
    }

    pub(super) async fn read_lock(&self, workspace: &str) -> Result<Option<Held>, StoreError> {
        insist!(self, self.locks.read(workspace))
    }

    pub(super) async fn is_held(
        &self,
        workspace: &str,
        token: &Token,
        id: &str,
    ) -> Result<bool, StoreError> {
        insist!(self, self.locks.is_held(workspace, token, id))
    }

    pub(super) async fn release(&self, workspace: &str, token: &Token) -> Result<(), StoreError> {
        insist!(self, self.locks.release(workspace, token))
    }

    pub(super) async fn force(&self, workspace: &str, id: &str) -> Result<Forced, StoreError> {
        let held = self.read_lock(workspace).await?;
        let was_held = held.is_some_and(|held| held.record.info.id == id);
        let mut patience = Patience::new(self);
        let mut unsure = false;
        loop {
            match self.locks.force(workspace, id).await {
                // An attempt whose answer was lost has released it.
                Ok(Forced::Free) if unsure && was_held => return Ok(Forced::Done),
                Ok(forced) => return Ok(forced),
                Err(failure) => {
                    patience.wait(failure).await?;
                    unsure = true;
                }
            }
        }
    }

    pub(super) async fn acquire(
        &self,
        workspace: &str,
        record: &LockRecord,
    ) -> Result<Acquired, StoreError> {
        let acquired = insist!(self, self.locks.acquire(workspace, record))?;
        Ok(match acquired {
            // An attempt whose answer was lost had taken it.
            Acquired::Held(held) if held.record.info.id == record.info.id => {
                Acquired::Yes(held.token)
            }
            acquired => acquired,
        })
    }

    pub(super) async fn replace(
        &self,
        workspace: &str,
        token: &Token,
        record: &LockRecord,
    ) -> Result<Replaced, StoreError> {
        let replaced = insist!(self, self.locks.replace(workspace, token, record))?;
        self.found_out(workspace, replaced, record).await
    }

    pub(super) async fn take_over(
        &self,
        workspace: &str,
        held: &Held,
        record: &LockRecord,
    ) -> Result<Replaced, StoreError> {
        let replaced = insist!(self, self.locks.take_over(workspace, held, record))?;
        self.found_out(workspace, replaced, record).await
    }

    /// Whether a change that seems to be somebody else's was this one, whose answer was lost.
    async fn found_out(
        &self,
        workspace: &str,
        replaced: Replaced,
        record: &LockRecord,
    ) -> Result<Replaced, StoreError> {
        if replaced != Replaced::Lost {
            return Ok(replaced);
        }
        Ok(match self.read_lock(workspace).await? {
            Some(held) if held.record.info.id == record.info.id => Replaced::Yes(held.token),
            _ => Replaced::Lost,
        })
    }
}

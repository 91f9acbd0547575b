//! A lock that is held: renewed, proven and released.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use terrace_port::{LockLease, StoreError};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Parts, locked};
use crate::{Liveness, LockRecord, Replaced, Token};

/// How long a proof that the lock is held is good for, when nothing is written that the store itself would refuse without it.
const FRESH: Duration = Duration::from_secs(3);

/// A lock that is held.
pub(super) struct Holding {
    parts: Arc<Parts>,
    pub(super) workspace: String,
    pub(super) id: String,
    epoch: AtomicU64,
    /// One change of the lock at a time.
    current: tokio::sync::Mutex<Current>,
    /// When the lease ends by both clocks of this machine: the one that stands still while it sleeps, and the one that does
    /// not.
    ends: Mutex<(Instant, i64)>,
    /// Why the lock is no longer held.
    lost: Mutex<Option<String>>,
    stop: Notify,
    released: AtomicBool,
}

struct Current {
    token: Token,
    record: LockRecord,
}

impl Holding {
    /// Begins to hold a lock that was just acquired; `asked` is when the request was made.
    pub(super) fn begin(
        parts: &Arc<Parts>,
        workspace: &str,
        token: Token,
        record: LockRecord,
        asked: (Instant, i64),
    ) -> Arc<Self> {
        let epoch = record.lease.as_ref().map_or(0, |lease| lease.epoch);
        let holding = Arc::new(Self {
            parts: Arc::clone(parts),
            workspace: workspace.to_owned(),
            id: record.info.id.clone(),
            epoch: AtomicU64::new(epoch),
            current: tokio::sync::Mutex::new(Current { token, record }),
            ends: Mutex::new(asked),
            lost: Mutex::default(),
            stop: Notify::new(),
            released: AtomicBool::new(false),
        });
        holding.extend(asked);
        locked(&parts.held).insert(workspace.to_owned(), Arc::clone(&holding));
        if matches!(parts.locks.liveness(), Liveness::Lease | Liveness::Session) {
            tokio::spawn(Arc::clone(&holding).beat());
        }
        holding
    }

    /// A lease for a record that is written now.
    pub(super) fn lease(parts: &Parts, epoch: u64, run: &str) -> Option<LockLease> {
        (parts.locks.liveness() == Liveness::Lease).then(|| LockLease {
            epoch,
            lasts: parts.options.lease,
            renewed: parts.time(Duration::ZERO),
            expires: parts.time(parts.options.lease),
            run: run.to_owned(),
        })
    }

    /// Both clocks.
    pub(super) fn now(parts: &Parts) -> (Instant, i64) {
        (Instant::now(), parts.options.clock.now().0)
    }

    fn extend(&self, asked: (Instant, i64)) {
        let lease = self.parts.options.lease;
        let seconds = i64::try_from(lease.as_secs().max(1)).unwrap_or(i64::MAX);
        *locked(&self.ends) = (asked.0 + lease, asked.1.saturating_add(seconds));
    }

    fn may_have_ended(&self) -> bool {
        let (ends, wall_ends) = *locked(&self.ends);
        self.parts.locks.liveness() == Liveness::Lease
            && (Instant::now() >= ends || self.parts.options.clock.now().0 > wall_ends)
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    pub(super) fn set_epoch(&self, epoch: u64) {
        self.epoch.store(epoch, Ordering::Relaxed);
    }

    pub(super) async fn token(&self) -> Token {
        self.current.lock().await.token.clone()
    }

    fn lose(&self, why: String) -> StoreError {
        self.stop.notify_one();
        locked(&self.lost).get_or_insert_with(|| why.clone());
        StoreError::LockLost(why)
    }

    /// Fails where it is known that the lock is gone.
    fn known(&self) -> Result<(), StoreError> {
        if let Some(why) = &*locked(&self.lost) {
            return Err(StoreError::LockLost(why.clone()));
        }
        if self.released.load(Ordering::Acquire) {
            return Err(StoreError::LockLost("it was released".into()));
        }
        Ok(())
    }

    /// Fails where the lock is gone, which it asks about where the lease may have run out.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        self.known()?;
        if self.may_have_ended() {
            return self.renew().await;
        }
        Ok(())
    }

    /// Proves that the lock is held at this moment.
    pub(super) async fn prove(&self) -> Result<(), StoreError> {
        self.known()?;
        match self.parts.locks.liveness() {
            Liveness::Lease | Liveness::Session => self.renew().await,
            // The store itself refuses writes under a lock that is gone.
            Liveness::Forever | Liveness::None => Ok(()),
        }
    }

    /// Fails where the lock is gone, which it asks about unless it was proven a short while ago.
    ///
    /// A request may have been under way for long, and in the meantime somebody may have taken the lock over or released it by
    /// force: what was written then has no effect, and nothing may be begun because of it.
    pub(super) async fn confirm(&self) -> Result<(), StoreError> {
        self.confirm_within(FRESH).await
    }

    /// As [`confirm`](Self::confirm), for what undoes something: a proof is good for part of a lease only, in which nobody can
    /// have taken the lock over.
    pub(super) async fn confirm_soon(&self) -> Result<(), StoreError> {
        self.confirm_within(FRESH.min(self.parts.options.lease / 4))
            .await
    }

    async fn confirm_within(&self, fresh: Duration) -> Result<(), StoreError> {
        self.known()?;
        let liveness = self.parts.locks.liveness();
        if !matches!(liveness, Liveness::Lease | Liveness::Session) {
            return Ok(());
        }
        let proven = locked(&self.ends).0 - self.parts.options.lease;
        if proven.elapsed() < fresh {
            return Ok(());
        }
        self.renew().await
    }

    /// Tells whether a write was refused because the lock is gone.
    pub(super) async fn explain(&self) -> Result<(), StoreError> {
        if self.parts.locks.liveness() != Liveness::Forever {
            return self.prove().await;
        }
        let token = self.token().await;
        let held = self.parts.is_held(&self.workspace, &token, &self.id);
        if held.await? {
            return Ok(());
        }
        Err(self.lose(self.how_lost().await))
    }

    /// Renews the lock, if it is still held.
    async fn renew(&self) -> Result<(), StoreError> {
        let mut current = self.current.lock().await;
        self.known()?;
        let asked = Self::now(&self.parts);
        let run = current.record.lease.as_ref().map(|lease| lease.run.clone());
        current.record.lease = Self::lease(
            &self.parts,
            self.epoch(),
            run.as_deref().unwrap_or_default(),
        );
        let replaced = self
            .parts
            .replace(&self.workspace, &current.token, &current.record);
        match replaced.await? {
            Replaced::Yes(token) => {
                current.token = token;
                self.extend(asked);
                Ok(())
            }
            Replaced::Lost => Err(self.lose(self.how_lost().await)),
        }
    }

    async fn how_lost(&self) -> String {
        let how = match self.parts.read_lock(&self.workspace).await {
            Ok(Some(held)) => {
                let holder = held.record.info;
                format!(
                    "it was taken over by {} ({}), with the lock {}",
                    if holder.who.is_empty() {
                        "someone"
                    } else {
                        &holder.who
                    },
                    holder.operation,
                    holder.id
                )
            }
            _ => "it was released by force, or ended with its connection".to_owned(),
        };
        format!(
            "the lock {} of the workspace {:?} is no longer held: {how}",
            self.id, self.workspace
        )
    }

    /// Renews the lock until it is released or lost.
    async fn beat(self: Arc<Self>) {
        let heartbeat = self.parts.options.heartbeat;
        let mut pause = heartbeat;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.notified() => return,
            }
            match self.renew().await {
                Ok(()) => pause = heartbeat,
                Err(StoreError::LockLost(_)) => return,
                // The lease may run out, and may still be renewed after that if nobody has taken it.
                Err(_) => pause = heartbeat / 4,
            }
        }
    }

    /// Releases the lock, once.
    pub(super) async fn release(&self) -> Result<(), StoreError> {
        self.stop.notify_one();
        if self.released.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // A renewal that is under way ends first, so that its token is known.
        let current = self.current.lock().await;
        {
            let mut held = locked(&self.parts.held);
            if held
                .get(&self.workspace)
                .is_some_and(|held| held.id == self.id)
            {
                held.remove(&self.workspace);
            }
        }
        if locked(&self.lost).is_some() {
            return Ok(());
        }
        let released = self.parts.release(&self.workspace, &current.token).await;
        released.map_err(|error| self.left_behind(&error))
    }

    /// The error of a lock that could not be released: what becomes of it, and what to do.
    fn left_behind(&self, error: &StoreError) -> StoreError {
        let id = &self.id;
        let rest = match self.parts.locks.liveness() {
            Liveness::Lease => format!(
                "It ends by itself: whoever waits with -lock-timeout={}s takes it over. `terrace force-unlock {id}` ends it now",
                self.parts.options.lease.as_secs() + 15
            ),
            Liveness::Session => {
                "It ends once the server has noticed that this process is gone".into()
            }
            Liveness::Forever | Liveness::None => {
                format!("Nothing ends it but `terrace force-unlock {id}`")
            }
        };
        StoreError::Unavailable {
            what: format!("the lock {id} could not be released"),
            source: format!("{}. {rest}", error.told()).into(),
        }
    }

    pub(super) fn is_released(&self) -> bool {
        self.released.load(Ordering::Acquire)
    }
}

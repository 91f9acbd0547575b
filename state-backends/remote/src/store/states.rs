//! States and their locks.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_port::{
    JournalStore, LockInfo, LockedState, RunStore, StateStore, StoreError, StoredState,
};
use tokio::time::Instant;

use super::holding::Holding;
use super::journal::RemoteJournal;
use super::locked::LockedRemote;
use super::runs::RemoteRuns;
use super::{Parts, RemoteStore, Watched, locked, random};
use crate::{Acquired, Forced, Held, Liveness, LockRecord, Put, Replaced, Token, Version};

/// The state in an object's bytes: without what fencing put behind it, and `None` where that leaves nothing.
pub(super) fn content(bytes: &Arc<[u8]>) -> Option<Arc<[u8]>> {
    let length = bytes.trim_ascii_end().len();
    if length == 0 {
        return None;
    }
    // A text file ends with one newline.
    match &bytes[length..] {
        [b'\n', b'\n', ..] => Some(bytes[..=length].into()),
        _ => Some(Arc::clone(bytes)),
    }
}

impl Parts {
    /// The last epoch of a workspace, and the version of the object that says so.
    pub(super) async fn epoch(
        &self,
        workspace: &str,
    ) -> Result<(u64, Option<Version>), StoreError> {
        let Some(object) = self.get(&self.own(workspace, "epoch")).await? else {
            return Ok((0, None));
        };
        let text = String::from_utf8_lossy(&object.bytes).into_owned();
        let number = text.split_whitespace().next().unwrap_or_default();
        let epoch = number.parse().map_err(|_| {
            let place = self.objects.place(&self.own(workspace, "epoch"));
            StoreError::Corrupt(format!("{place} holds no epoch but {text:?}"))
        })?;
        Ok((epoch, Some(object.version)))
    }

    /// Takes the next epoch, larger than all before and than `above`, for who has the lock `id`.
    async fn next_epoch(
        &self,
        workspace: &str,
        id: &str,
        above: u64,
        mut last: (u64, Option<Version>),
    ) -> Result<u64, StoreError> {
        let name = self.own(workspace, "epoch");
        loop {
            let epoch = last.0.max(above) + 1;
            let text = format!("{epoch} {id}\n");
            let put = self
                .put_over(&name, text.as_bytes(), last.1.as_ref(), None)
                .await?;
            if let Put::Written(_) = put {
                return Ok(epoch);
            }
            last = self.epoch(workspace).await?;
        }
    }

    /// Changes the version of the state's object, so that writes of a former holder are refused that are still under way.
    async fn fence(&self, workspace: &str, under: Option<&Token>) -> Result<(), StoreError> {
        let name = self.layout.state(workspace);
        loop {
            let object = self.get(&name).await?;
            let bytes = match (&object, self.layout.no_state()) {
                (Some(object), _) => [&object.bytes, b"\n".as_slice()].concat(),
                (None, Some(bytes)) => bytes.to_vec(),
                (None, None) => return Ok(()),
            };
            let version = object.map(|object| object.version);
            let put = self.put_over(&name, &bytes, version.as_ref(), under);
            if let Put::Written(_) = put.await? {
                return Ok(());
            }
            // The former holder was quicker. What it wrote is whole, and the next round is for it.
        }
    }

    /// Whether somebody's lock has not changed for its whole lease, by this machine's clock, while this store was watching.
    fn is_dead(&self, workspace: &str, held: &Held) -> bool {
        let mut watched = locked(&self.watched);
        let Some(lease) = &held.record.lease else {
            watched.remove(workspace);
            return false;
        };
        match watched.get(workspace) {
            Some(seen) if seen.token == held.token && seen.id == held.record.info.id => {
                seen.since.elapsed() > lease.lasts
            }
            _ => {
                let seen = Watched {
                    token: held.token.clone(),
                    id: held.record.info.id.clone(),
                    since: Instant::now(),
                };
                watched.insert(workspace.to_owned(), seen);
                false
            }
        }
    }

    /// Takes the lock, or takes it over from a dead holder: then with what the dead holder's record was.
    async fn take(
        &self,
        workspace: &str,
        record: &LockRecord,
    ) -> Result<(Token, Option<Held>), StoreError> {
        let held = match self.acquire(workspace, record).await? {
            Acquired::Yes(token) => return Ok((token, None)),
            Acquired::Held(held) => held,
        };
        if self.locks.liveness() == Liveness::Lease && self.is_dead(workspace, &held) {
            if let Replaced::Yes(token) = self.take_over(workspace, &held, record).await? {
                return Ok((token, Some(*held)));
            }
        }
        Err(StoreError::Locked {
            holder: Box::new(held.record.holder()),
        })
    }

    /// Makes a lock that was just taken safe to write under.
    async fn settle(
        &self,
        holding: &Holding,
        last: (u64, Option<Version>),
        former: Option<&Held>,
    ) -> Result<(), StoreError> {
        let lease = former.and_then(|held| held.record.lease.as_ref());
        let above = lease.map_or(0, |lease| lease.epoch);
        let workspace = &holding.workspace;
        let epoch = self.next_epoch(workspace, &holding.id, above, last).await?;
        holding.set_epoch(epoch);
        if former.is_some() {
            let token = holding.token().await;
            self.fence(workspace, Some(&token)).await?;
        }
        Ok(())
    }
}

impl RemoteStore {
    async fn hold(&self, workspace: &str, mut info: LockInfo) -> Result<Arc<Holding>, StoreError> {
        let parts = &self.parts;
        parts.check(workspace)?;
        if info.path.is_empty() {
            info.path = parts.layout.lock_path(workspace);
        }
        let last = parts.epoch(workspace).await?;
        let lease = Holding::lease(parts, last.0 + 1, "");
        let record = LockRecord { info, lease };
        let asked = Holding::now(parts);
        let (token, former) = parts.take(workspace, &record).await?;
        locked(&parts.watched).remove(workspace);
        let holding = Holding::begin(parts, workspace, token, record, asked);
        if let Err(error) = parts.settle(&holding, last, former.as_ref()).await {
            holding.release().await.ok();
            return Err(error);
        }
        Ok(holding)
    }
}

#[async_trait]
impl StateStore for RemoteStore {
    fn kind(&self) -> &'static str {
        self.parts.options.kind
    }

    fn has_workspaces(&self) -> bool {
        self.parts.layout.prefix().is_some()
    }

    async fn workspaces(&self) -> Result<Vec<String>, StoreError> {
        let mut names = vec!["default".to_owned()];
        if let Some(prefix) = self.parts.layout.prefix() {
            let found = self.parts.list(&prefix).await?;
            names.extend(
                found
                    .iter()
                    .filter_map(|name| self.parts.layout.workspace(name)),
            );
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    async fn read(&self, workspace: &str) -> Result<Option<StoredState>, StoreError> {
        self.parts.check(workspace)?;
        let object = self.parts.get(&self.parts.layout.state(workspace)).await?;
        Ok(object
            .and_then(|object| content(&object.bytes))
            .map(|bytes| StoredState { bytes }))
    }

    async fn lock(
        &self,
        workspace: &str,
        info: LockInfo,
    ) -> Result<Box<dyn LockedState>, StoreError> {
        let holding = self.hold(workspace, info).await?;
        Ok(Box::new(LockedRemote::new(&self.parts, holding)))
    }

    async fn unlocked(&self, workspace: &str) -> Result<Box<dyn LockedState>, StoreError> {
        self.parts.check(workspace)?;
        let (epoch, _) = self.parts.epoch(workspace).await?;
        Ok(Box::new(LockedRemote::unlocked(
            &self.parts,
            workspace,
            epoch,
        )))
    }

    async fn holder(&self, workspace: &str) -> Result<Option<LockInfo>, StoreError> {
        self.parts.check(workspace)?;
        let held = self.parts.read_lock(workspace).await?;
        Ok(held.map(|held| held.record.holder()))
    }

    async fn force_unlock(&self, workspace: &str, id: &str) -> Result<(), StoreError> {
        let parts = &self.parts;
        parts.check(workspace)?;
        match parts.force(workspace, id).await? {
            Forced::Free => Err(StoreError::Refused("The state is not locked.".into())),
            Forced::Other(held) => Err(StoreError::Refused(format!(
                "lock ID {id:?} does not match existing lock ID {:?}",
                held.record.info.id
            ))),
            Forced::Done => {
                let last = parts.epoch(workspace).await?;
                parts.next_epoch(workspace, id, 0, last).await?;
                if parts.locks.liveness() == Liveness::Lease {
                    parts.fence(workspace, None).await?;
                }
                Ok(())
            }
        }
    }

    async fn delete_workspace(&self, workspace: &str) -> Result<(), StoreError> {
        if workspace == "default" {
            return Err(StoreError::Refused("cannot delete default state".into()));
        }
        let info = LockInfo {
            id: format!("{:016x}-{:016x}", random(), random()),
            operation: "state-delete".into(),
            created: self.parts.time(std::time::Duration::ZERO),
            ..LockInfo::default()
        };
        let holding = self.hold(workspace, info).await?;
        let deleted = self.delete_all(&holding).await;
        holding.release().await?;
        deleted
    }

    fn runs(&self, workspace: &str) -> Arc<dyn RunStore> {
        Arc::new(RemoteRuns {
            parts: Arc::clone(&self.parts),
            workspace: workspace.to_owned(),
        })
    }

    fn journal(&self, workspace: &str) -> Arc<dyn JournalStore> {
        Arc::new(RemoteJournal {
            parts: Arc::clone(&self.parts),
            workspace: workspace.to_owned(),
        })
    }
}

impl RemoteStore {
    /// Deletes a workspace, the state last: as long as it is there, so is the workspace.
    async fn delete_all(&self, holding: &Holding) -> Result<(), StoreError> {
        let parts = &self.parts;
        let workspace = &holding.workspace;
        holding.prove().await?;
        let own = parts.list(&parts.layout.own(workspace)).await?;
        parts.delete_all(&own).await?;
        let token = holding.token().await;
        parts
            .delete(&parts.layout.state(workspace), Some(&token))
            .await?;
        parts.journals.lock().await.remove(workspace);
        Ok(())
    }
}

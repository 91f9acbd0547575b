//! A store whose content is encrypted before it gets there.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_port::{
    JournalStore, LockInfo, LockedState, RunStore, StateStore, StateVersion, StoreError,
    StoredState,
};

use crate::cipher::{Cipher, Standing};
use crate::envelope::Metadata;
use crate::{Encryption, EncryptionError};

/// A store around another: states, plan files of runs and journals are encrypted before they reach it. What must be
/// readable without a key stays so: who holds the lock, lineage and serial, the audit log, approvals.
pub struct EncryptedStore {
    inner: Arc<dyn StateStore>,
    state: Option<Arc<Cipher>>,
    plan: Option<Arc<Cipher>>,
}

impl EncryptedStore {
    /// `inner`, behind the ciphers of states (journals too) and of plan files that are configured. Plan files hold
    /// what the state does: where only states have a cipher, those that are kept beside the state get the same.
    pub fn around(inner: Arc<dyn StateStore>, encryption: &Encryption) -> Arc<dyn StateStore> {
        let state = encryption.state().cloned();
        let plan = encryption.plan().or(encryption.state()).cloned();
        if state.is_none() && plan.is_none() {
            return inner;
        }
        Arc::new(Self { inner, state, plan })
    }

    /// A state that another configuration keeps, behind the cipher of other states, if one is configured.
    pub fn of_another(inner: Arc<dyn StateStore>, encryption: &Encryption) -> Arc<dyn StateStore> {
        match encryption.remote() {
            None => inner,
            Some(cipher) => Arc::new(Self {
                inner,
                state: Some(Arc::clone(cipher)),
                plan: None,
            }),
        }
    }
}

fn told(error: EncryptionError) -> StoreError {
    match error {
        EncryptionError::Damaged(why) => StoreError::Corrupt(why),
        EncryptionError::Refused(why) | EncryptionError::Key(why) => StoreError::Refused(why),
    }
}

async fn opened(
    cipher: Option<&Arc<Cipher>>,
    stored: Option<StoredState>,
) -> Result<Option<StoredState>, StoreError> {
    let Some(stored) = stored else {
        return Ok(None);
    };
    let Some(cipher) = cipher else {
        return Ok(Some(stored));
    };
    let opened = cipher.decrypt_state(&stored.bytes).await.map_err(told)?;
    Ok(Some(StoredState {
        bytes: opened.bytes.into(),
    }))
}

impl EncryptedStore {
    /// A state that may be written, through the cipher.
    fn encrypting(&self, inner: Box<dyn LockedState>) -> Box<dyn LockedState> {
        match &self.state {
            None => inner,
            Some(cipher) => Box::new(EncryptedLock {
                inner,
                cipher: Arc::clone(cipher),
            }),
        }
    }
}

#[async_trait]
impl StateStore for EncryptedStore {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn workspaces(&self) -> Result<Vec<String>, StoreError> {
        self.inner.workspaces().await
    }

    async fn read(&self, workspace: &str) -> Result<Option<StoredState>, StoreError> {
        opened(self.state.as_ref(), self.inner.read(workspace).await?).await
    }

    async fn lock(
        &self,
        workspace: &str,
        info: LockInfo,
    ) -> Result<Box<dyn LockedState>, StoreError> {
        let inner = self.inner.lock(workspace, info).await?;
        Ok(self.encrypting(inner))
    }

    async fn unlocked(&self, workspace: &str) -> Result<Box<dyn LockedState>, StoreError> {
        let inner = self.inner.unlocked(workspace).await?;
        Ok(self.encrypting(inner))
    }

    async fn holder(&self, workspace: &str) -> Result<Option<LockInfo>, StoreError> {
        self.inner.holder(workspace).await
    }

    async fn force_unlock(&self, workspace: &str, id: &str) -> Result<(), StoreError> {
        self.inner.force_unlock(workspace, id).await
    }

    async fn delete_workspace(&self, workspace: &str) -> Result<(), StoreError> {
        self.inner.delete_workspace(workspace).await
    }

    fn runs(&self, workspace: &str) -> Arc<dyn RunStore> {
        let inner = self.inner.runs(workspace);
        match &self.plan {
            None => inner,
            Some(cipher) => Arc::new(EncryptedRuns {
                inner,
                cipher: Arc::clone(cipher),
            }),
        }
    }

    fn journal(&self, workspace: &str) -> Arc<dyn JournalStore> {
        let inner = self.inner.journal(workspace);
        match &self.state {
            None => inner,
            Some(cipher) => Arc::new(EncryptedJournal {
                inner,
                cipher: Arc::clone(cipher),
            }),
        }
    }
}

struct EncryptedLock {
    inner: Box<dyn LockedState>,
    cipher: Arc<Cipher>,
}

#[async_trait]
impl LockedState for EncryptedLock {
    fn epoch(&self) -> u64 {
        self.inner.epoch()
    }

    async fn read(&self) -> Result<Option<StoredState>, StoreError> {
        opened(Some(&self.cipher), self.inner.read().await?).await
    }

    async fn write(&mut self, bytes: Arc<[u8]>, version: StateVersion) -> Result<(), StoreError> {
        let sealed: Arc<[u8]> = self
            .cipher
            .encrypt_state(&bytes)
            .await
            .map_err(told)?
            .into();
        match self.inner.write(Arc::clone(&sealed), version).await {
            Err(StoreError::Refused(why)) => {
                // The same state may be written again; encrypted anew it is not the same bytes.
                let Some(stored) = self.inner.read().await? else {
                    return Err(StoreError::Refused(why));
                };
                let stored = self
                    .cipher
                    .decrypt_state(&stored.bytes)
                    .await
                    .map_err(told)?;
                if *stored.bytes != *bytes {
                    return Err(StoreError::Refused(why));
                }
                match stored.standing {
                    Standing::Current => Ok(()),
                    Standing::Old => self.inner.overwrite(sealed).await,
                }
            }
            written => written,
        }
    }

    async fn overwrite(&mut self, bytes: Arc<[u8]>) -> Result<(), StoreError> {
        let sealed = self.cipher.encrypt_state(&bytes).await.map_err(told)?;
        self.inner.overwrite(sealed.into()).await
    }

    async fn unlock(self: Box<Self>) -> Result<(), StoreError> {
        self.inner.unlock().await
    }
}

struct EncryptedRuns {
    inner: Arc<dyn RunStore>,
    cipher: Arc<Cipher>,
}

/// Plan files hold values, and so do versions of the state and outputs documents; the rest of a run tells what happened, and is signed.
fn is_secret(name: &str) -> bool {
    let is_of_run = |kind: &str| name.starts_with("runs/") && name.ends_with(kind);
    is_of_run("/plan")
        || is_of_run("/outputs")
        || name.starts_with("history/versions/")
        || name.starts_with("outputs/")
}

impl EncryptedRuns {
    async fn open(&self, bytes: &[u8]) -> Result<Arc<[u8]>, StoreError> {
        let opened = self
            .cipher
            .decrypt_plan(bytes, |_| true)
            .await
            .map_err(told)?;
        Ok(opened.bytes.into())
    }
}

#[async_trait]
impl RunStore for EncryptedRuns {
    async fn get(&self, name: &str) -> Result<Option<Arc<[u8]>>, StoreError> {
        match self.inner.get(name).await? {
            Some(bytes) if is_secret(name) => self.open(&bytes).await.map(Some),
            other => Ok(other),
        }
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        if is_secret(name) {
            let sealed = self.cipher.encrypt_plan(bytes).await.map_err(told)?;
            return self.inner.put(name, &sealed).await;
        }
        self.inner.put(name, bytes).await
    }

    async fn compare_and_put(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        if !is_secret(name) {
            return self.inner.compare_and_put(name, expected, bytes).await;
        }
        let stored = self.inner.get(name).await?;
        let plain = match &stored {
            Some(stored) => Some(self.open(stored).await?),
            None => None,
        };
        if plain.as_deref() != expected {
            return Err(StoreError::Conflict(format!("{name} was changed")));
        }
        let sealed = self.cipher.encrypt_plan(bytes).await.map_err(told)?;
        self.inner
            .compare_and_put(name, stored.as_deref(), &sealed)
            .await
    }

    async fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.inner.delete(name).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        self.inner.list(prefix).await
    }
}

struct EncryptedJournal {
    inner: Arc<dyn JournalStore>,
    cipher: Arc<Cipher>,
}

/// What encrypted frames begin with; no plain frame does. A byte follows that says what the frame is.
const MARK: &[u8] = b"\0terrace-encrypted\0";
/// What names the key of the frames behind it, until the next one of these.
const KEYS: u8 = 0;
/// A frame, encrypted.
const DATA: u8 = 1;

fn frame(kind: u8, bytes: &[u8]) -> Vec<u8> {
    [MARK, &[kind], bytes].concat()
}

impl EncryptedJournal {
    /// The frames as they are stored.
    async fn seal(&self, frames: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut sealed = Vec::with_capacity(frames.len() + 1);
        for plain in frames {
            let (metadata, bytes) = self.cipher.seal(plain).await.map_err(told)?;
            if sealed.is_empty() {
                // Each batch names its key: whoever writes behind it may have another.
                let named =
                    serde_json::to_vec(&metadata).expect("names and bytes have a JSON form");
                sealed.push(frame(KEYS, &named));
            }
            sealed.push(frame(DATA, &bytes));
        }
        Ok(sealed)
    }
}

#[async_trait]
impl JournalStore for EncryptedJournal {
    async fn append(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        if self.cipher.writes_plain() {
            return self.inner.append(frames).await;
        }
        self.inner.append(&self.seal(frames).await?).await
    }

    async fn stage(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        if self.cipher.writes_plain() {
            return self.inner.stage(frames).await;
        }
        self.inner.stage(&self.seal(frames).await?).await
    }

    fn witness(&self) -> Option<String> {
        self.inner.witness()
    }

    async fn reserve(&self, bytes: u64) -> Result<(), StoreError> {
        // A frame becomes a little larger, and an append names its key.
        let room = if self.cipher.writes_plain() {
            bytes
        } else {
            bytes.saturating_mul(2)
        };
        self.inner.reserve(room).await
    }

    async fn read(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut metadata: Option<Metadata> = None;
        let mut frames = Vec::new();
        for stored in self.inner.read().await? {
            let Some((kind, bytes)) = stored.strip_prefix(MARK).and_then(<[u8]>::split_first)
            else {
                self.cipher.check_plain_is_allowed().map_err(told)?;
                frames.push(stored);
                continue;
            };
            let damaged = || {
                StoreError::Corrupt("an encrypted frame of the journal cannot be understood".into())
            };
            match *kind {
                KEYS => metadata = Some(serde_json::from_slice(bytes).map_err(|_| damaged())?),
                DATA => {
                    let metadata = metadata.as_ref().ok_or_else(damaged)?;
                    let opened = self.cipher.unseal(metadata, bytes).await.map_err(told)?;
                    frames.push(opened.bytes);
                }
                _ => return Err(damaged()),
            }
        }
        Ok(frames)
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.inner.clear().await
    }
}

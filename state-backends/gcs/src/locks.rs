//! The lock of a state: an object beside it.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_backend_remote::{
    Acquired, Failure, Forced, Held, LockRecord, Locks, Object, Put, Replaced, Token, Version, When,
};
use terrace_port::StoreError;

use crate::bucket::{Bucket, Sealed};
use crate::layout::Keys;

/// The locks of the states of a bucket. A lock's token is the generation of its object.
#[derive(Clone, Debug)]
pub(crate) struct BucketLocks {
    bucket: Bucket,
    layout: Arc<Keys>,
}

/// What an object says of a lock. To other tools a lock's id is its generation, and to us theirs is too.
fn held(object: &Object) -> Held {
    let mut record = LockRecord::from_json(&object.bytes);
    if record.lease.is_none() {
        object.version.as_str().clone_into(&mut record.info.id);
    }
    Held {
        record,
        token: Token::new(object.version.as_str()),
    }
}

impl BucketLocks {
    pub(crate) fn new(bucket: Bucket, layout: Arc<Keys>) -> Self {
        Self { bucket, layout }
    }
}

#[async_trait]
impl Locks for BucketLocks {
    async fn read(&self, workspace: &str) -> Result<Option<Held>, Failure> {
        let object = self
            .bucket
            .fetch(&self.layout.lock(workspace), Sealed::No)
            .await?;
        Ok(object.as_ref().map(held))
    }

    async fn acquire(&self, workspace: &str, record: &LockRecord) -> Result<Acquired, Failure> {
        let (name, text) = (self.layout.lock(workspace), record.to_json());
        for _ in 0..8 {
            let put = self
                .bucket
                .store(&name, text.as_bytes(), When::Absent, Sealed::No)
                .await?;
            if let Put::Written(version) = put {
                return Ok(Acquired::Yes(Token::new(version.as_str())));
            }
            // Released in between where there is nothing.
            if let Some(held) = self.read(workspace).await? {
                return Ok(Acquired::Held(Box::new(held)));
            }
        }
        Err(Failure::transient(
            format!("locking {name}"),
            "it is locked and released by others all the time",
        ))
    }

    async fn replace(
        &self,
        workspace: &str,
        token: &Token,
        record: &LockRecord,
    ) -> Result<Replaced, Failure> {
        let (name, text) = (self.layout.lock(workspace), record.to_json());
        let version = Version::new(token.as_str());
        Ok(
            match self
                .bucket
                .store(&name, text.as_bytes(), When::Is(&version), Sealed::No)
                .await?
            {
                Put::Written(version) => Replaced::Yes(Token::new(version.as_str())),
                Put::Refused => Replaced::Lost,
            },
        )
    }

    async fn release(&self, workspace: &str, token: &Token) -> Result<(), Failure> {
        let version = Version::new(token.as_str());
        let _released = self
            .bucket
            .remove(&self.layout.lock(workspace), When::Is(&version))
            .await?;
        Ok(())
    }

    /// Takes the lock's own id, and its generation, which is what other tools show.
    async fn force(&self, workspace: &str, id: &str) -> Result<Forced, Failure> {
        // A holder that is alive renews its lock in between.
        for _ in 0..8 {
            let Some(held) = self.read(workspace).await? else {
                return Ok(Forced::Free);
            };
            if held.record.info.id != id && held.token.as_str() != id {
                return Ok(Forced::Other(Box::new(held)));
            }
            self.release(workspace, &held.token).await?;
            match self.read(workspace).await? {
                Some(now) if now.record.info.id == held.record.info.id => {}
                _ => return Ok(Forced::Done),
            }
        }
        Err(StoreError::Refused(format!(
            "The lock {id} changes whenever it is about to be released: its holder is alive."
        ))
        .into())
    }
}

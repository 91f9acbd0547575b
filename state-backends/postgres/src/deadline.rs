//! Requests that end by themselves where the server does not answer.
//!
//! A connection whose other end has vanished stays open for a long time; without a deadline a holder would wait for it and not
//! notice that its lock is lost.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use terrace_backend_remote::{
    Acquired, Deleted, Failure, Forced, Held, Liveness, LockRecord, Locks, Object, Objects, Put,
    Replaced, Token, Write,
};

use crate::database::Database;

/// How long the server may take to answer.
const SILENCE: Duration = Duration::from_secs(30);

/// The database, which answers in time or fails.
#[derive(Clone)]
pub(crate) struct Timely(pub(crate) Arc<Database>);

impl Timely {
    async fn within<T>(
        &self,
        doing: &str,
        request: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        if let Ok(done) = tokio::time::timeout(SILENCE, request).await {
            return done;
        }
        self.0.abandon();
        let seconds = SILENCE.as_secs();
        Err(Failure::transient(
            self.0.what(doing),
            format!("the server has not answered for {seconds} s"),
        ))
    }
}

#[async_trait]
impl Objects for Timely {
    fn place(&self, name: &str) -> String {
        self.0.place(name)
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        self.within("reading", self.0.get(name)).await
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        self.within("writing", self.0.put(name, bytes, write)).await
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        self.within("deleting", self.0.delete(name, write)).await
    }

    async fn delete_many(&self, names: &[String]) -> Result<Vec<String>, Failure> {
        self.within("deleting", self.0.delete_many(names)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        self.within("listing", self.0.list(prefix)).await
    }
}

#[async_trait]
impl Locks for Timely {
    fn liveness(&self) -> Liveness {
        self.0.liveness()
    }

    async fn read(&self, workspace: &str) -> Result<Option<Held>, Failure> {
        self.within("asking who holds the lock", self.0.read(workspace))
            .await
    }

    async fn acquire(&self, workspace: &str, record: &LockRecord) -> Result<Acquired, Failure> {
        self.within("locking", self.0.acquire(workspace, record))
            .await
    }

    async fn replace(
        &self,
        workspace: &str,
        token: &Token,
        record: &LockRecord,
    ) -> Result<Replaced, Failure> {
        let request = self.0.replace(workspace, token, record);
        self.within("keeping the lock", request).await
    }

    async fn release(&self, workspace: &str, token: &Token) -> Result<(), Failure> {
        self.within("releasing the lock", self.0.release(workspace, token))
            .await
    }

    async fn force(&self, workspace: &str, id: &str) -> Result<Forced, Failure> {
        let request = self.0.force(workspace, id);
        self.within("releasing the lock by force", request).await
    }
}

//! Bytes under names, with conditional writes.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Failure, Token};

/// What tells one content of an object from another: an `ETag`, a generation, a hash. Opaque outside of its adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// A version as its store writes it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As the store writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What lies under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The content.
    pub bytes: Arc<[u8]>,
    /// Its version. Contents that differ have versions that differ; the same content written again may keep its version.
    pub version: Version,
}

/// When a write may happen. The store itself decides, in one step with the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When<'a> {
    /// In any case.
    Always,
    /// Only where nothing is under the name.
    Absent,
    /// Only where this version is under the name.
    Is(&'a Version),
}

/// How a write is made.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// The condition.
    pub when: When<'a>,
    /// The lock under which is written, for stores whose lock guards the object itself (a blob's lease, the id that an HTTP
    /// server asks for, the session that holds an advisory lock). Given for states that are written under a lock, and for
    /// nothing else. Stores whose lock is a thing of its own ignore it.
    pub under: Option<&'a Token>,
}

impl<'a> Write<'a> {
    /// A write under a condition and no lock.
    pub const fn when(when: When<'a>) -> Self {
        Self { when, under: None }
    }
}

/// What came of [`Objects::put`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// Written and durable; this version is there now.
    Written(Version),
    /// The condition does not hold, or the lock under which was written is no longer the holder's. Nothing was written.
    Refused,
}

/// What came of [`Objects::delete`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// Nothing is under the name now; there may have been nothing before.
    Done,
    /// The condition does not hold.
    Refused,
}

/// Bytes under names.
///
/// Names are keys of the store, with `/`, as [`Layout`](crate::Layout) makes them. What was written is what the next read
/// gives, to every client (all stores in question promise that). Requests end by themselves where nothing moves for a while
/// (30 seconds, say): a request that never ends would keep a holder from noticing that its lock is lost.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Where a name is, for messages: `s3://bucket/key`.
    fn place(&self, name: &str) -> String;

    /// What is under a name.
    async fn get(&self, name: &str) -> Result<Option<Object>, Failure>;

    /// Writes, durably, where the condition holds.
    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure>;

    /// Deletes, where the condition holds. Deleting what is not there is [`Deleted::Done`] with [`When::Always`], and may be
    /// either with [`When::Is`].
    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure>;

    /// All names that begin with `prefix`, sorted by their bytes, however many there are (paging is the adapter's).
    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure>;

    /// A request for each name, at the same time where that is cheap. In the order of the names.
    async fn get_all(&self, names: &[String]) -> Result<Vec<Option<Object>>, Failure> {
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            found.push(self.get(name).await?);
        }
        Ok(found)
    }

    /// Deletes what is under names, in any case, where one request can delete many. The names that are left, each of which
    /// takes a [`delete`](Self::delete).
    async fn delete_many(&self, names: &[String]) -> Result<Vec<String>, Failure> {
        Ok(names.to_vec())
    }
}

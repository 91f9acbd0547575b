//! Digests of states in the table, by which today's tools see that they read what was written last.
//!
//! A state and its digest cannot be written in one step. The digest of a state that is about to be written is announced first,
//! in an attribute of its own that other tools do not look at; so a writer that dies in between leaves a state whose digest is
//! known, and the next reader sets it right.

use std::fmt::Write as _;
use std::time::Duration;

use md5::{Digest as _, Md5};
use terrace_backend_remote::{Failure, Object};
use terrace_port::StoreError;

use crate::clients::Clients;
use crate::table::{Only, Table};

/// The digest, as today's tools have it.
const DIGEST: &str = "Digest";
/// The digest of what is being written.
const NEXT: &str = "Next";
/// Stands for "no state" there.
const NOTHING: &str = "none";
/// How often it is looked again where a state and its digest do not agree, and how long in between: ten seconds in all.
const LOOKS: u32 = 21;
const BETWEEN: Duration = Duration::from_millis(500);

/// The digests of the states of a bucket.
#[derive(Clone, Debug)]
pub(crate) struct Digests {
    table: Table,
    bucket: String,
}

/// The digest of a state. An empty object is no state.
fn digest(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return NOTHING.to_owned();
    }
    let mut text = String::new();
    for byte in Md5::digest(bytes) {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

impl Digests {
    pub(crate) fn new(clients: &Clients, table: &str, bucket: &str) -> Self {
        Self {
            table: Table::new(clients, table),
            bucket: bucket.to_owned(),
        }
    }

    fn key(&self, name: &str) -> String {
        format!("{}/{name}-md5", self.bucket)
    }

    /// Says what is about to be written.
    pub(crate) async fn announce(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.table.set(&self.key(name), NEXT, &digest(bytes)).await
    }

    /// Says that what was announced has been written, unless something else was announced or written in the meantime.
    pub(crate) async fn confirm(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let (key, digest) = (self.key(name), digest(bytes));
        let only = Only::Has(NEXT, &digest);
        let _confirmed = if digest == NOTHING {
            self.table.delete(&key, only).await?
        } else {
            self.table.put(&key, &[(DIGEST, &digest)], only).await?
        };
        Ok(())
    }

    /// What `fetch` gives, once it agrees with its digest.
    pub(crate) async fn checked<F>(
        &self,
        name: &str,
        place: &str,
        fetch: impl Fn() -> F + Send,
    ) -> Result<Option<Object>, Failure>
    where
        F: Future<Output = Result<Option<Object>, Failure>> + Send,
    {
        let mut looks = 1;
        loop {
            let object = fetch().await?;
            let item = self.table.get(&self.key(name)).await?.unwrap_or_default();
            let found = digest(object.as_ref().map_or(&[], |object| &object.bytes));
            let expected = item.get(DIGEST).filter(|digest| !digest.is_empty());
            if expected.is_none_or(|expected| *expected == found) {
                return Ok(object);
            }
            if item.get(NEXT) == Some(&found) {
                let bytes = object.as_ref().map_or(&[][..], |object| &object.bytes);
                self.confirm(name, bytes).await?;
                return Ok(object);
            }
            if looks == LOOKS {
                return Err(self.mismatch(
                    name,
                    place,
                    &found,
                    expected.map_or("", String::as_str),
                ));
            }
            looks += 1;
            tokio::time::sleep(BETWEEN).await;
        }
    }

    fn mismatch(&self, name: &str, place: &str, found: &str, expected: &str) -> Failure {
        let key = self.key(name);
        StoreError::Corrupt(format!(
            "state data in S3 does not have the expected content.\n\nThe checksum calculated for the state stored in S3 does not match \
             the checksum stored in DynamoDB.\n\nState: {place}\nItem: {key}\nCalculated checksum: {found}\nStored checksum: {expected}\n\n\
             Somebody has changed the state without its checksum, or has died in between. Where the state is the right one, set the \
             attribute Digest of the item to the calculated checksum; where it is not, restore the object's earlier version."
        ))
        .into()
    }
}

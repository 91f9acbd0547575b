//! The blobs of a container.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt as _, TryStreamExt as _};
use md5::{Digest as _, Md5};
use reqwest::Method;
use terrace_backend_remote::{Deleted, Failure, Object, Objects, Put, Version, When, Write};

use crate::blobs::{Answer, Ask, Container};
use crate::layout::Keys;
use crate::locks::lease_of;

/// How many blobs are read at the same time.
const AT_ONCE: usize = 16;

/// Blobs as objects.
///
/// The version of a state is the digest of its content, since a lock that is renewed changes the blob's `ETag`; what else is
/// there has its `ETag`.
#[derive(Clone, Debug)]
pub(crate) struct Blobs {
    container: Arc<Container>,
    layout: Arc<Keys>,
    snapshot: bool,
}

fn digest(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

impl Blobs {
    pub(crate) fn new(container: Arc<Container>, layout: Arc<Keys>, snapshot: bool) -> Self {
        Self {
            container,
            layout,
            snapshot,
        }
    }

    fn version(&self, name: &str, answer: &Answer, bytes: &[u8]) -> Version {
        if self.layout.is_state(name) {
            Version::new(digest(bytes))
        } else {
            Version::new(answer.header("etag").unwrap_or_default())
        }
    }

    async fn fetch(&self, name: &str) -> Result<Option<Answer>, Failure> {
        let what = format!("reading {}", self.place(name));
        match self
            .container
            .ask(&what, Ask::new(Method::GET, name))
            .await?
        {
            Ok(answer) => Ok(Some(answer)),
            Err(refusal) if refusal.code == "BlobNotFound" => Ok(None),
            Err(refusal) => Err(refusal.failure(&what)),
        }
    }

    /// One request that writes; `None` where its condition does not hold.
    async fn store(&self, ask: Ask<'_>) -> Result<Option<Answer>, Failure> {
        let what = format!("writing {}", self.place(ask.blob));
        let ask = ask
            .header("x-ms-blob-type", "BlockBlob")
            .header("content-type", "application/json");
        match self.container.ask(&what, ask).await? {
            Ok(answer) => Ok(Some(answer)),
            Err(refusal) if refusal.is_about_conditions() => Ok(None),
            Err(refusal) if refusal.code == "BlobNotFound" => Ok(None),
            Err(refusal) => Err(refusal.failure(&what)),
        }
    }

    /// Writes a state: where its content is as it was, with the metadata that the blob has by then.
    async fn store_state(
        &self,
        name: &str,
        bytes: &[u8],
        write: Write<'_>,
    ) -> Result<Put, Failure> {
        let lease = write.under.map(lease_of);
        // The lock may be renewed between looking and writing.
        for _ in 0..16 {
            let there = self.fetch(name).await?;
            let fits = match (write.when, &there) {
                (When::Always, _) => true,
                (When::Absent, there) => there.is_none(),
                (When::Is(version), Some(there)) => digest(&there.body) == version.as_str(),
                (When::Is(_), None) => false,
            };
            if !fits {
                return Ok(Put::Refused);
            }
            let mut ask = Ask::new(Method::PUT, name).maybe("x-ms-lease-id", lease);
            ask.body = bytes;
            ask = match &there {
                None => ask.header("if-none-match", "*"),
                Some(there) => {
                    if self.snapshot && !there.body.is_empty() {
                        self.take_snapshot(name, lease).await?;
                    }
                    let ask = ask.maybe("if-match", there.header("etag"));
                    let metadata = there.metadata().into_iter();
                    metadata.fold(ask, |ask, (name, value)| {
                        ask.header(&format!("x-ms-meta-{name}"), value)
                    })
                }
            };
            if self.store(ask).await?.is_some() {
                return Ok(Put::Written(Version::new(digest(bytes))));
            }
            // Whose lease is gone need not try again.
            if let Some(lease) = lease
                && !self.still_leased(name, lease).await?
            {
                return Ok(Put::Refused);
            }
        }
        Err(Failure::transient(
            format!("writing {}", self.place(name)),
            "the blob changes all the time",
        ))
    }

    async fn still_leased(&self, name: &str, lease: &str) -> Result<bool, Failure> {
        let what = format!("looking at the lease of {}", self.place(name));
        let ask = Ask::new(Method::HEAD, name).header("x-ms-lease-id", lease);
        match self.container.ask(&what, ask).await? {
            Ok(_) => Ok(true),
            Err(refusal) if matches!(refusal.status, 404 | 409 | 412) => Ok(false),
            Err(refusal) => Err(refusal.failure(&what)),
        }
    }

    async fn take_snapshot(&self, name: &str, lease: Option<&str>) -> Result<(), Failure> {
        let what = format!("taking a snapshot of {}", self.place(name));
        let ask = Ask::new(Method::PUT, name)
            .query("comp", "snapshot")
            .maybe("x-ms-lease-id", lease);
        match self.container.ask(&what, ask).await? {
            Ok(_) => Ok(()),
            Err(refusal) => Err(refusal.failure(&what)),
        }
    }
}

#[async_trait]
impl Objects for Blobs {
    fn place(&self, name: &str) -> String {
        self.container.address(name)
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        Ok(self.fetch(name).await?.map(|answer| Object {
            version: self.version(name, &answer, &answer.body),
            bytes: answer.body.into(),
        }))
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        if self.layout.is_state(name) {
            return self.store_state(name, bytes, write).await;
        }
        let mut ask = Ask::new(Method::PUT, name);
        ask.body = bytes;
        let ask = match write.when {
            When::Always => ask,
            When::Absent => ask.header("if-none-match", "*"),
            When::Is(version) => ask.header("if-match", version.as_str()),
        };
        Ok(match self.store(ask).await? {
            Some(answer) => Put::Written(self.version(name, &answer, bytes)),
            None => Put::Refused,
        })
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        let what = format!("deleting {}", self.place(name));
        let mut ask = Ask::new(Method::DELETE, name)
            .header("x-ms-delete-snapshots", "include")
            .maybe("x-ms-lease-id", write.under.map(lease_of));
        if let When::Is(version) = write.when {
            ask = if self.layout.is_state(name) {
                match self.fetch(name).await? {
                    None => return Ok(Deleted::Done),
                    Some(there) if digest(&there.body) != version.as_str() => {
                        return Ok(Deleted::Refused);
                    }
                    Some(there) => ask.maybe("if-match", there.header("etag")),
                }
            } else {
                ask.header("if-match", version.as_str())
            };
        }
        match self.container.ask(&what, ask).await? {
            Ok(_) => Ok(Deleted::Done),
            Err(refusal) if refusal.code == "BlobNotFound" => Ok(Deleted::Done),
            Err(refusal) if refusal.is_about_conditions() => Ok(Deleted::Refused),
            Err(refusal) => Err(refusal.failure(&what)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let what = format!("listing {}", self.place(prefix));
        let mut names = Vec::new();
        let mut marker = String::new();
        loop {
            let mut ask = Ask::new(Method::GET, "")
                .query("restype", "container")
                .query("comp", "list")
                .query("prefix", prefix);
            if !marker.is_empty() {
                ask = ask.query("marker", marker);
            }
            let answer = match self.container.ask(&what, ask).await? {
                Ok(answer) => answer,
                Err(refusal) => return Err(refusal.failure(&what)),
            };
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            names.extend(elements(&text, "Name"));
            marker = elements(&text, "NextMarker").next().unwrap_or_default();
            if marker.is_empty() {
                names.sort_unstable();
                return Ok(names);
            }
        }
    }

    async fn get_all(&self, names: &[String]) -> Result<Vec<Option<Object>>, Failure> {
        futures::stream::iter(names.to_vec())
            .map(|name| {
                let blobs = self.clone();
                async move { blobs.get(&name).await }
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }
}

/// The texts of all elements of a name.
fn elements(text: &str, name: &str) -> impl Iterator<Item = String> {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    let parts = text.split(&begin).skip(1);
    let found: Vec<String> = parts
        .filter_map(|part| Some(unescaped(part.split_once(&end)?.0)))
        .collect();
    found.into_iter()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

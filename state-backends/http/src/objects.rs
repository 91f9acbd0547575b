//! The state on the server, and everything else on this machine.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use reqwest::{Method, StatusCode};
use terrace_backend_remote::{
    Deleted, Failure, FileObjects, LockRecord, Object, Objects, Put, When, Write, content_version,
};
use terrace_port::StoreError;
use url::Url;

use crate::STATE;
use crate::client::{Answer, Client};
use crate::settings::shown;

pub(crate) struct HttpObjects {
    pub(crate) client: Arc<Client>,
    pub(crate) own: FileObjects,
}

impl HttpObjects {
    /// The state's address, with the lock under which is written.
    fn address(&self, write: Write<'_>) -> Url {
        let mut address = self.client.settings.address.clone();
        if let Some(token) = write.under {
            let id = LockRecord::from_json(token.as_str().as_bytes()).info.id;
            if !id.is_empty() {
                // As the reference does: parameters sorted, this one last of its name.
                let mut pairs: Vec<(String, String)> = address
                    .query_pairs()
                    .filter(|(name, _)| name != "ID")
                    .map(|(name, value)| (name.into_owned(), value.into_owned()))
                    .collect();
                pairs.push(("ID".into(), id));
                pairs.sort();
                address.query_pairs_mut().clear().extend_pairs(pairs);
            }
        }
        address
    }

    /// Whether the server refuses since the lock is not the writer's.
    fn lock_is_lost(answer: &Answer, write: Write<'_>) -> Option<Failure> {
        let statuses = [StatusCode::LOCKED, StatusCode::CONFLICT];
        if write.under.is_none() || !statuses.contains(&answer.status) {
            return None;
        }
        let holder = LockRecord::from_json(&answer.body).info;
        let holder = if holder.id.is_empty() {
            String::new()
        } else {
            format!("; {} holds it now, with the lock {}", holder.who, holder.id)
        };
        Some(
            StoreError::LockLost(format!(
                "the server refuses to write under this lock, which was released by force{holder}"
            ))
            .into(),
        )
    }

    async fn meets(&self, when: When<'_>) -> Result<bool, Failure> {
        let there = match when {
            When::Always => return Ok(true),
            _ => self.get(STATE).await?,
        };
        Ok(match when {
            When::Always => true,
            When::Absent => there.is_none(),
            When::Is(version) => there.is_some_and(|there| there.version == *version),
        })
    }
}

#[async_trait]
impl Objects for HttpObjects {
    fn place(&self, name: &str) -> String {
        if name == STATE {
            shown(&self.client.settings.address)
        } else {
            self.own.place(name)
        }
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        if name != STATE {
            return self.own.get(name).await;
        }
        let what = "reading the state";
        let request = self
            .client
            .request(&Method::GET, &self.client.settings.address);
        let answer = self.client.ask(what, request).await?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(self.client.refused(what, &answer)),
        }
        if answer.body.is_empty() {
            return Ok(None);
        }
        if let Some(expected) = answer.md5.as_deref() {
            if STANDARD.encode(Md5::digest(&answer.body)) != expected {
                return Err(Failure::transient(
                    format!("{what} {}", self.place(name)),
                    "what came does not have the checksum that the server states",
                ));
            }
        }
        Ok(Some(Object {
            version: content_version(&answer.body),
            bytes: answer.body.into(),
        }))
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        if name != STATE {
            return self.own.put(name, bytes, write).await;
        }
        // The server knows no conditions. It keeps everyone out who does not have the lock, and so does this check nearly.
        if !self.meets(write.when).await? {
            return Ok(Put::Refused);
        }
        let what = "writing the state";
        let request = self
            .client
            .request(&self.client.settings.update_method, &self.address(write))
            .header("content-type", "application/json")
            .header("content-md5", STANDARD.encode(Md5::digest(bytes)))
            .body(bytes.to_vec());
        let answer = self.client.ask(what, request).await?;
        if let Some(lost) = Self::lock_is_lost(&answer, write) {
            return Err(lost);
        }
        match answer.status {
            StatusCode::OK
            | StatusCode::CREATED
            | StatusCode::NO_CONTENT
            | StatusCode::ACCEPTED => Ok(Put::Written(content_version(bytes))),
            _ => Err(self.client.refused(what, &answer)),
        }
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        if name != STATE {
            return self.own.delete(name, write).await;
        }
        if !self.meets(write.when).await? {
            return Ok(Deleted::Refused);
        }
        let what = "deleting the state";
        let request = self.client.request(&Method::DELETE, &self.address(write));
        let answer = self.client.ask(what, request).await?;
        if let Some(lost) = Self::lock_is_lost(&answer, write) {
            return Err(lost);
        }
        match answer.status {
            StatusCode::OK | StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(Deleted::Done),
            _ => Err(self.client.refused(what, &answer)),
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        self.own.list(prefix).await
    }
}

//! `LOCK` and `UNLOCK`. A token is the lock's information, which the server is told to release it.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use reqwest::{Method, StatusCode};
use terrace_backend_remote::{
    Acquired, Failure, Forced, Held, Liveness, LockRecord, Locks, Replaced, Token,
};
use terrace_port::{LockInfo, StoreError};
use url::Url;

use crate::client::{Answer, Client};

pub(crate) struct HttpLocks {
    pub(crate) client: Arc<Client>,
}

impl HttpLocks {
    async fn send(&self, what: &str, to: &(Method, Url), body: &str) -> Result<Answer, Failure> {
        let request = self
            .client
            .request(&to.0, &to.1)
            .header("content-type", "application/json")
            .header("content-md5", STANDARD.encode(Md5::digest(body)))
            .body(body.to_owned());
        self.client.ask(what, request).await
    }

    async fn unlock(&self, information: &str) -> Result<(), Failure> {
        let Some(unlock) = &self.client.settings.unlock else {
            return Ok(());
        };
        let what = "releasing the lock of";
        let answer = self.send(what, unlock, information).await?;
        match answer.status {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
            // It is somebody else's now, or nobody's.
            StatusCode::LOCKED | StatusCode::CONFLICT | StatusCode::NOT_FOUND => Ok(()),
            _ => Err(self.client.refused(what, &answer)),
        }
    }
}

#[async_trait]
impl Locks for HttpLocks {
    fn liveness(&self) -> Liveness {
        if self.client.settings.lock.is_some() {
            Liveness::Forever
        } else {
            Liveness::None
        }
    }

    async fn read(&self, workspace: &str) -> Result<Option<Held>, Failure> {
        if self.client.settings.lock.is_none() || self.client.settings.unlock.is_none() {
            return Ok(None);
        }
        let record = LockRecord {
            info: LockInfo {
                id: "terrace-asks-who-holds-the-lock".into(),
                operation: "probe".into(),
                info: "Released at once.".into(),
                ..LockInfo::default()
            },
            lease: None,
        };
        match self.acquire(workspace, &record).await? {
            Acquired::Held(held) => Ok(Some(*held)),
            Acquired::Yes(token) => {
                self.unlock(token.as_str()).await?;
                Ok(None)
            }
        }
    }

    async fn acquire(&self, _: &str, record: &LockRecord) -> Result<Acquired, Failure> {
        let information = record.to_json();
        let Some(lock) = &self.client.settings.lock else {
            return Ok(Acquired::Yes(Token::new(information)));
        };
        let what = "locking";
        let answer = self.send(what, lock, &information).await?;
        match answer.status {
            StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => {
                Ok(Acquired::Yes(Token::new(information)))
            }
            StatusCode::LOCKED | StatusCode::CONFLICT => Ok(Acquired::Held(Box::new(Held {
                record: LockRecord::from_json(&answer.body),
                token: Token::new(String::from_utf8_lossy(&answer.body)),
            }))),
            _ => Err(self.client.refused(what, &answer)),
        }
    }

    async fn replace(&self, _: &str, _: &Token, _: &LockRecord) -> Result<Replaced, Failure> {
        Err(StoreError::Refused("An HTTP server's lock cannot be renewed.".into()).into())
    }

    async fn release(&self, _: &str, token: &Token) -> Result<(), Failure> {
        self.unlock(token.as_str()).await
    }

    async fn force(&self, workspace: &str, id: &str) -> Result<Forced, Failure> {
        if self.client.settings.unlock.is_none() {
            let why = "The backend has no unlock_address, by which a lock could be released.";
            return Err(StoreError::Refused(why.into()).into());
        }
        let Some(held) = self.read(workspace).await? else {
            return Ok(Forced::Free);
        };
        // A server that does not say who holds the lock leaves it to who releases it.
        if !held.record.info.id.is_empty() && held.record.info.id != id {
            return Ok(Forced::Other(Box::new(held)));
        }
        let information = if held.record.info.id.is_empty() {
            let mut record = LockRecord::default();
            record.info.id = id.to_owned();
            record.to_json()
        } else {
            held.token.as_str().to_owned()
        };
        self.unlock(&information).await?;
        match self.read(workspace).await? {
            Some(held) if held.record.info.id == id => Err(StoreError::Refused(format!(
                "The server did not release the lock {id}."
            ))
            .into()),
            _ => Ok(Forced::Done),
        }
    }
}

//! The locks: objects, items of a table, or both.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_backend_remote::{
    Acquired, Deleted, Failure, Forced, Held, Layout as _, LockRecord, Locks, Put, Replaced, Token,
    Version, When,
};

use terrace_port::StoreError;

use crate::clients::Clients;
use crate::layout::Keys;
use crate::objects::Bucket;
use crate::settings::Settings;
use crate::table::{Only, Table};

/// The attribute that tells of the holder.
const INFO: &str = "Info";

/// The locks of the states of a bucket.
#[derive(Clone, Debug)]
pub(crate) struct BucketLocks {
    bucket: Bucket,
    layout: Arc<Keys>,
    name: String,
    object: Option<Place>,
    table: Option<Table>,
}

/// Where the object of a lock is.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Where today's tools look for it.
    Shared,
    /// Where Terrace alone looks, since no lock was asked for.
    Own,
}

/// What the parts of a lock are now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Parts {
    /// The version of its object.
    object: Option<String>,
    /// The text in its item.
    item: Option<String>,
}

impl Parts {
    fn of_token(token: &Token) -> Self {
        let (object, item) = serde_json::from_str(token.as_str()).unwrap_or_default();
        Self { object, item }
    }

    fn token(&self) -> Token {
        Token::new(serde_json::json!([self.object, self.item]).to_string())
    }
}

impl BucketLocks {
    pub(crate) fn new(
        settings: &Settings,
        clients: &Clients,
        bucket: Bucket,
        layout: Arc<Keys>,
    ) -> Self {
        let table = settings
            .table
            .as_ref()
            .map(|table| Table::new(clients, table));
        let object = match (settings.use_lockfile, &table) {
            (true, _) => Some(Place::Shared),
            (false, Some(_)) => None,
            (false, None) => Some(Place::Own),
        };
        Self {
            bucket,
            layout,
            name: settings.bucket.clone(),
            object,
            table,
        }
    }

    /// The name of a lock's object, where it has one.
    fn object(&self, workspace: &str) -> Option<String> {
        Some(match self.object? {
            Place::Shared => format!("{}.tflock", self.layout.state(workspace)),
            Place::Own => format!("{}lock", self.layout.own(workspace)),
        })
    }

    /// The key of a lock's item.
    fn key(&self, workspace: &str) -> String {
        format!("{}/{}", self.name, self.layout.state(workspace))
    }

    async fn read_object(&self, name: &str) -> Result<Option<(LockRecord, String)>, Failure> {
        let object = self.bucket.fetch(name).await?;
        Ok(object.map(|object| {
            let record = LockRecord::from_json(&object.bytes);
            (record, object.version.as_str().to_owned())
        }))
    }

    async fn read_item(
        &self,
        table: &Table,
        workspace: &str,
    ) -> Result<Option<(LockRecord, String)>, Failure> {
        let item = table.get(&self.key(workspace)).await?;
        Ok(item.map(|mut item| {
            let text = item.remove(INFO).unwrap_or_default();
            (LockRecord::from_json(text.as_bytes()), text)
        }))
    }

    /// What both parts say.
    async fn read_parts(
        &self,
        workspace: &str,
    ) -> Result<[Option<(LockRecord, String)>; 2], Failure> {
        let object = match self.object(workspace) {
            Some(name) => self.read_object(&name).await?,
            None => None,
        };
        let item = match &self.table {
            Some(table) => self.read_item(table, workspace).await?,
            None => None,
        };
        Ok([object, item])
    }

    /// Takes the object of a lock. The version of the caller's own object, or who has it.
    async fn acquire_object(
        &self,
        name: &str,
        record: &LockRecord,
    ) -> Result<Result<String, Held>, Failure> {
        for _ in 0..8 {
            let put = self
                .bucket
                .store(name, record.to_json().as_bytes(), When::Absent)
                .await?;
            if let Put::Written(version) = put {
                return Ok(Ok(version.as_str().to_owned()));
            }
            // Released in between where there is nothing.
            if let Some((found, version)) = self.read_object(name).await? {
                if found.info.id == record.info.id {
                    return Ok(Ok(version));
                }
                let parts = Parts {
                    object: Some(version),
                    item: None,
                };
                return Ok(Err(Held {
                    record: found,
                    token: parts.token(),
                }));
            }
        }
        Err(self.restless(name))
    }

    /// Takes the item of a lock. The text of the caller's own item, or who has it.
    async fn acquire_item(
        &self,
        table: &Table,
        workspace: &str,
        record: &LockRecord,
    ) -> Result<Result<String, Held>, Failure> {
        let (key, text) = (self.key(workspace), record.to_json());
        for _ in 0..8 {
            if table.put(&key, &[(INFO, &text)], Only::Absent).await? {
                return Ok(Ok(text));
            }
            if let Some((found, text)) = self.read_item(table, workspace).await? {
                if found.info.id == record.info.id {
                    return Ok(Ok(text));
                }
                let parts = Parts {
                    object: None,
                    item: Some(text),
                };
                return Ok(Err(Held {
                    record: found,
                    token: parts.token(),
                }));
            }
        }
        Err(self.restless(&key))
    }

    fn restless(&self, what: &str) -> Failure {
        Failure::transient(
            format!("locking {what} in s3://{}", self.name),
            "it is locked and released by others all the time",
        )
    }

    /// Replaces the parts of a lock, each where it is as it was. Parts that were missing are made.
    async fn exchange(
        &self,
        workspace: &str,
        parts: &Parts,
        record: &LockRecord,
    ) -> Result<Replaced, Failure> {
        let text = record.to_json();
        let mut new = Parts::default();
        if let Some(name) = self.object(workspace) {
            let version = parts.object.as_ref().map(Version::new);
            let when = version.as_ref().map_or(When::Absent, When::Is);
            match self.bucket.store(&name, text.as_bytes(), when).await? {
                Put::Written(version) => new.object = Some(version.as_str().to_owned()),
                Put::Refused => return Ok(Replaced::Lost),
            }
        }
        if let Some(table) = &self.table {
            let only = parts
                .item
                .as_ref()
                .map_or(Only::Absent, |item| Only::Has(INFO, item));
            if !table
                .put(&self.key(workspace), &[(INFO, &text)], only)
                .await?
            {
                // Half a lock is none.
                self.give_back(workspace, &new).await?;
                return Ok(Replaced::Lost);
            }
            new.item = Some(text);
        }
        Ok(Replaced::Yes(new.token()))
    }
}

#[async_trait]
impl Locks for BucketLocks {
    async fn read(&self, workspace: &str) -> Result<Option<Held>, Failure> {
        let [object, item] = self.read_parts(workspace).await?;
        let parts = Parts {
            object: object.as_ref().map(|(_, version)| version.clone()),
            item: item.as_ref().map(|(_, text)| text.clone()),
        };
        let record = match (object, item) {
            (None, None) => return Ok(None),
            (Some((record, _)), None) | (None, Some((record, _))) => record,
            // The object is taken first. Where the item is another's, that one keeps the lock from being whole.
            (Some((object, _)), Some((item, _))) if object.info.id == item.info.id => object,
            (Some(_), Some((item, _))) => item,
        };
        Ok(Some(Held {
            record,
            token: parts.token(),
        }))
    }

    async fn acquire(&self, workspace: &str, record: &LockRecord) -> Result<Acquired, Failure> {
        let mut parts = Parts::default();
        if let Some(name) = self.object(workspace) {
            match self.acquire_object(&name, record).await? {
                Ok(version) => parts.object = Some(version),
                Err(held) => return self.shown(workspace, held).await,
            }
        }
        if let Some(table) = &self.table {
            match self.acquire_item(table, workspace, record).await {
                Ok(Ok(text)) => parts.item = Some(text),
                Ok(Err(held)) => {
                    self.give_back(workspace, &parts).await?;
                    return self.shown(workspace, held).await;
                }
                Err(failure @ Failure::Final(_)) => {
                    self.give_back(workspace, &parts).await?;
                    return Err(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(Acquired::Yes(parts.token()))
    }

    async fn replace(
        &self,
        workspace: &str,
        token: &Token,
        record: &LockRecord,
    ) -> Result<Replaced, Failure> {
        let parts = Parts::of_token(token);
        // A part that is gone was released by force, perhaps by a tool that knows of no other part.
        if parts.object.is_none() && self.object.is_some()
            || parts.item.is_none() && self.table.is_some()
        {
            self.release(workspace, token).await?;
            return Ok(Replaced::Lost);
        }
        self.exchange(workspace, &parts, record).await
    }

    async fn take_over(
        &self,
        workspace: &str,
        held: &Held,
        record: &LockRecord,
    ) -> Result<Replaced, Failure> {
        self.exchange(workspace, &Parts::of_token(&held.token), record)
            .await
    }

    async fn release(&self, workspace: &str, token: &Token) -> Result<(), Failure> {
        let parts = Parts::of_token(token);
        if let (Some(table), Some(item)) = (&self.table, &parts.item) {
            let _released = table
                .delete(&self.key(workspace), Only::Has(INFO, item))
                .await?;
        }
        self.give_back(workspace, &parts).await
    }

    async fn force(&self, workspace: &str, id: &str) -> Result<Forced, Failure> {
        // A holder that is alive renews its lock in between.
        for _ in 0..8 {
            let Some(held) = self.read(workspace).await? else {
                return Ok(Forced::Free);
            };
            let with_id = |part: Option<(LockRecord, String)>| {
                part.filter(|(record, _)| record.info.id == id)
                    .map(|(_, text)| text)
            };
            let [object, item] = self.read_parts(workspace).await?.map(with_id);
            if object.is_none() && item.is_none() {
                return Ok(Forced::Other(Box::new(held)));
            }
            self.release(workspace, &Parts { object, item }.token())
                .await?;
            let is_left = |part: &Option<(LockRecord, String)>| {
                part.as_ref()
                    .is_some_and(|(record, _)| record.info.id == id)
            };
            if !self.read_parts(workspace).await?.iter().any(is_left) {
                return Ok(Forced::Done);
            }
        }
        Err(StoreError::Refused(format!(
            "The lock {id} changes whenever it is about to be released: its holder is alive."
        ))
        .into())
    }

    async fn is_held(&self, workspace: &str, _token: &Token, id: &str) -> Result<bool, Failure> {
        let [object, item] = self.read_parts(workspace).await?;
        let ours = |part: Option<(LockRecord, String)>| {
            part.is_some_and(|(record, _)| record.info.id == id)
        };
        Ok((self.object.is_none() || ours(object)) && (self.table.is_none() || ours(item)))
    }
}

impl BucketLocks {
    /// Releases the object of a lock, where it is as it was.
    async fn give_back(&self, workspace: &str, parts: &Parts) -> Result<(), Failure> {
        let (Some(name), Some(version)) = (self.object(workspace), &parts.object) else {
            return Ok(());
        };
        // Servers that do not know conditional deletes delete in any case, so it is looked at first.
        let found = self.read_object(&name).await?;
        if found.is_some_and(|(_, found)| found == *version) {
            let version = Version::new(version);
            let _released: Deleted = self.bucket.remove(&name, When::Is(&version)).await?;
        }
        Ok(())
    }

    /// Who holds the lock, with all of its parts; as one part told, where it is gone by now.
    async fn shown(&self, workspace: &str, held: Held) -> Result<Acquired, Failure> {
        let now = self.read(workspace).await?;
        Ok(Acquired::Held(Box::new(now.unwrap_or(held))))
    }
}

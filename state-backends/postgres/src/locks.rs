//! Advisory locks. A token is the lock's id, by which the session is known that holds it.
//!
//! Two locks are held of a workspace: one of a pair of keys that only Terrace uses, which says whose record in `terrace_locks` counts; and the
//! reference's, of the row's id. While there is no row, the reference takes the lock `-1` of all who create one. Terrace takes that one
//! shared, so that several workspaces can be created at once by it, and none by the reference in the meantime.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use terrace_backend_remote::{
    Acquired, Failure, Forced, Held, Liveness, LockRecord, Locks, Replaced, Token,
};
use terrace_port::{LockInfo, StoreError};
use tokio_postgres::Client;

use crate::database::{Connection, Database, Session};
use crate::failure::failure;
use crate::objects::CREATION;

/// How a connection came out of trying to lock.
enum Tried {
    /// Both are held; `true` where the row has yet to be created.
    Yes(bool),
    No,
}

impl Database {
    async fn row(
        &self,
        client: &Client,
        workspace: &str,
    ) -> Result<Option<i64>, tokio_postgres::Error> {
        let statement = format!("SELECT id FROM {} WHERE name = $1", self.states());
        let row = client.query_opt(&statement, &[&workspace]).await?;
        Ok(row.map(|row| row.get(0)))
    }

    async fn try_lock(
        &self,
        client: &Client,
        workspace: &str,
        record: &LockRecord,
    ) -> Result<Tried, tokio_postgres::Error> {
        let (one, two) = self.keys(workspace);
        let locked = client
            .query_one("SELECT pg_try_advisory_lock($1, $2)", &[&one, &two])
            .await?;
        if !locked.get::<_, bool>(0) {
            return Ok(Tried::No);
        }
        let creates = loop {
            let row = self.row(client, workspace).await?;
            let locked = match &row {
                Some(id) => {
                    client
                        .query_one("SELECT pg_try_advisory_lock($1)", &[id])
                        .await?
                }
                None => {
                    client
                        .query_one("SELECT pg_try_advisory_lock_shared($1)", &[&CREATION])
                        .await?
                }
            };
            if !locked.get::<_, bool>(0) {
                client
                    .execute("SELECT pg_advisory_unlock_all()", &[])
                    .await?;
                return Ok(Tried::No);
            }
            // The row may have come or gone in between.
            if self.row(client, workspace).await? == row {
                break row.is_none();
            }
        };
        let statement = format!(
            "INSERT INTO {} (name, record) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET record = $2",
            self.own("terrace_locks")
        );
        let text = record.to_json();
        client.execute(&statement, &[&workspace, &text]).await?;
        Ok(Tried::Yes(creates))
    }

    /// Who holds either lock, and by which process of the server.
    async fn find(
        &self,
        client: &Client,
        workspace: &str,
    ) -> Result<Option<(Held, i32)>, tokio_postgres::Error> {
        const HOLDERS: &str = "SELECT l.pid, coalesce(a.usename, '')::text, coalesce(host(a.client_addr), 'local'), coalesce(a.application_name, ''), coalesce(to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '') FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.classid::bigint = $1 AND l.objid::bigint = $2 AND l.objsubid = $3 AND l.mode = 'ExclusiveLock'";
        let unsigned = |key: i32| i64::from(key.cast_unsigned());
        let (one, two) = self.keys(workspace);
        let ours = client
            .query_opt(HOLDERS, &[&unsigned(one), &unsigned(two), &2_i16])
            .await?;
        if let Some(row) = ours {
            let statement = format!(
                "SELECT record FROM {} WHERE name = $1",
                self.own("terrace_locks")
            );
            let record = client.query_opt(&statement, &[&workspace]).await?;
            let record = record.map_or_else(
                || LockRecord::unknown(workspace),
                |row| LockRecord::from_json(row.get::<_, String>(0).as_bytes()),
            );
            let token = Token::new(record.info.id.clone());
            return Ok(Some((Held { record, token }, row.get(0))));
        }
        let id = self.row(client, workspace).await?.unwrap_or(CREATION);
        let low = id & 0xffff_ffff;
        let high = (id >> 32) & 0xffff_ffff;
        let theirs = client.query_opt(HOLDERS, &[&high, &low, &1_i16]).await?;
        Ok(theirs.map(|row| {
            let process: i32 = row.get(0);
            let text = |index: usize| row.get::<_, String>(index);
            let record = LockRecord {
                info: LockInfo {
                    id: id.to_string(),
                    operation: String::new(),
                    info: format!("Another tool's session holds it ({}, process {process} of the server), which leaves no more information.", text(3)),
                    who: format!("{}@{}", text(1), text(2)),
                    created: text(4),
                    path: id.to_string(),
                    ..LockInfo::default()
                },
                lease: None,
            };
            let token = Token::new(format!("process {process}"));
            (Held { record, token }, process)
        }))
    }

    async fn found(&self, workspace: &str) -> Result<Option<(Held, i32)>, Failure> {
        let connection = self.connection().await?;
        let client = connection.client.lock().await;
        let found = self.find(&client, workspace).await;
        found.map_err(|error| failure(&self.what("asking who holds the lock"), &error))
    }

    fn hold(&self, record: &LockRecord, connection: Arc<Connection>, creates: bool) -> Token {
        let session = Session {
            connection,
            creates: AtomicBool::new(creates),
        };
        let id = record.info.id.clone();
        self.sessions().insert(id.clone(), Arc::new(session));
        Token::new(id)
    }
}

#[async_trait]
impl Locks for Database {
    fn liveness(&self) -> Liveness {
        Liveness::Session
    }

    async fn read(&self, workspace: &str) -> Result<Option<Held>, Failure> {
        Ok(self.found(workspace).await?.map(|(held, _)| held))
    }

    async fn acquire(&self, workspace: &str, record: &LockRecord) -> Result<Acquired, Failure> {
        let what = self.what("locking");
        for _ in 0..20 {
            let connection = self.take().await?;
            let tried = {
                let client = connection.client.lock().await;
                self.try_lock(&client, workspace, record).await
            };
            match tried {
                Ok(Tried::Yes(creates)) => {
                    return Ok(Acquired::Yes(self.hold(record, connection, creates)));
                }
                Ok(Tried::No) => self.give_back(connection).await,
                // What it may have locked ends with it.
                Err(error) => return Err(failure(&what, &error)),
            }
            if let Some((held, _)) = self.found(workspace).await? {
                return Ok(Acquired::Held(Box::new(held)));
            }
            // Released in between.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let record = LockRecord::unknown(workspace);
        let token = Token::new("");
        Ok(Acquired::Held(Box::new(Held { record, token })))
    }

    async fn replace(&self, _: &str, token: &Token, _: &LockRecord) -> Result<Replaced, Failure> {
        let Ok(session) = self.session(token) else {
            return Ok(Replaced::Lost);
        };
        let client = session.connection.client.lock().await;
        match client.simple_query("").await {
            Ok(_) => Ok(Replaced::Yes(token.clone())),
            Err(_) => {
                drop(client);
                self.sessions().remove(token.as_str());
                Ok(Replaced::Lost)
            }
        }
    }

    async fn release(&self, workspace: &str, token: &Token) -> Result<(), Failure> {
        let Some(session) = self.sessions().remove(token.as_str()) else {
            return Ok(());
        };
        let statement = format!("DELETE FROM {} WHERE name = $1", self.own("terrace_locks"));
        {
            let client = session.connection.client.lock().await;
            client.execute(&statement, &[&workspace]).await.ok();
            let unlocked = client.execute("SELECT pg_advisory_unlock_all()", &[]).await;
            if unlocked.is_err() {
                // The connection ends, and the locks with it.
                return Ok(());
            }
        }
        self.give_back(Arc::clone(&session.connection)).await;
        Ok(())
    }

    async fn force(&self, workspace: &str, id: &str) -> Result<Forced, Failure> {
        let Some((held, process)) = self.found(workspace).await? else {
            return Ok(Forced::Free);
        };
        if held.record.info.id != id {
            return Ok(Forced::Other(Box::new(held)));
        }
        let what = self.what("ending the session that holds the lock");
        {
            let connection = self.connection().await?;
            let client = connection.client.lock().await;
            let own = client.query_one("SELECT pg_backend_pid()", &[]).await;
            let own: i32 = own.map_err(|error| failure(&what, &error))?.get(0);
            if own == process {
                return Err(
                    StoreError::Refused("This process holds the lock itself.".into()).into(),
                );
            }
            let ended = client
                .query_one("SELECT pg_terminate_backend($1)", &[&process])
                .await;
            ended.map_err(|error| failure(&what, &error))?;
        }
        for _ in 0..100 {
            match self.found(workspace).await? {
                Some((_, there)) if there == process => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                _ => return Ok(Forced::Done),
            }
        }
        Err(Failure::lasting(what, "the server did not end it"))
    }
}

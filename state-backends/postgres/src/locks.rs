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

use crate::database::{Connection, Database, Session, Taken};
use crate::failure::failure;
use crate::objects::CREATION;

/// How a connection came out of trying to lock.
enum Tried {
    /// Both are held, by this process of the server.
    Yes {
        process: i32,
        /// Whether the row has yet to be created.
        creates: bool,
    },
    No,
    /// The record is no longer what it was: someone else has had the lock.
    Changed,
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
        again: bool,
    ) -> Result<Tried, tokio_postgres::Error> {
        let (one, two) = self.keys(workspace);
        let locked = client
            .query_one(
                "SELECT pg_try_advisory_lock($1, $2), pg_backend_pid()",
                &[&one, &two],
            )
            .await?;
        if !locked.get::<_, bool>(0) {
            return Ok(Tried::No);
        }
        let process = locked.get(1);
        if again {
            let last = self.last_record(client, workspace).await?;
            if last.is_none_or(|last| last.info.id != record.info.id) {
                unlock_all(client).await?;
                return Ok(Tried::Changed);
            }
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
                unlock_all(client).await?;
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
        Ok(Tried::Yes { process, creates })
    }

    /// The record of who took the lock last and has not released it.
    async fn last_record(
        &self,
        client: &Client,
        workspace: &str,
    ) -> Result<Option<LockRecord>, tokio_postgres::Error> {
        let statement = format!(
            "SELECT record FROM {} WHERE name = $1",
            self.own("terrace_locks")
        );
        let row = client.query_opt(&statement, &[&workspace]).await?;
        Ok(row.map(|row| LockRecord::from_json(row.get::<_, String>(0).as_bytes())))
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
            let record = self.last_record(client, workspace).await?;
            let record = record.unwrap_or_else(|| LockRecord::unknown(workspace));
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

    fn hold(
        &self,
        record: &LockRecord,
        connection: Arc<Connection>,
        (process, creates): (i32, bool),
    ) -> Arc<Session> {
        let session = Arc::new(Session {
            connection,
            creates: AtomicBool::new(creates),
        });
        let id = record.info.id.clone();
        let taken = Taken {
            record: record.clone(),
            process,
        };
        self.taken().insert(id.clone(), taken);
        self.sessions().insert(id, Arc::clone(&session));
        session
    }

    /// The session that holds a lock, as far as anybody knows without asking.
    pub(crate) async fn session(
        &self,
        workspace: &str,
        token: &Token,
    ) -> Result<Arc<Session>, Failure> {
        let known = self.sessions().get(token.as_str()).cloned();
        if let Some(session) = known {
            if !session.connection.client.lock().await.is_closed() {
                return Ok(session);
            }
            self.sessions().remove(token.as_str());
        }
        let resumed = self.resume(workspace, token).await?;
        resumed.ok_or_else(|| {
            let why = "the connection that held it was lost, and someone else has had it since";
            StoreError::LockLost(why.into()).into()
        })
    }

    /// Takes a lock again whose connection was lost, where nobody has had it since. Who takes a lock writes its record, and who
    /// releases it (by force as well) deletes it, so that the record tells.
    async fn resume(
        &self,
        workspace: &str,
        token: &Token,
    ) -> Result<Option<Arc<Session>>, Failure> {
        let _one_at_a_time = self.resuming.lock().await;
        let resumed = self.sessions().get(token.as_str()).cloned();
        if resumed.is_some() {
            return Ok(resumed);
        }
        let Some(taken) = self.taken().get(token.as_str()).cloned() else {
            return Ok(None);
        };
        let what = self.what("taking the lock again, whose connection was lost,");
        let fail = |error: tokio_postgres::Error| failure(&what, &error);
        let connection = self.connect().await?;
        let client = connection.client.lock().await;
        match self.try_lock(&client, workspace, &taken.record, true).await {
            Err(error) => return Err(fail(error)),
            Ok(Tried::Changed) => return Ok(None),
            Ok(Tried::Yes { process, creates }) => {
                drop(client);
                return Ok(Some(self.hold(
                    &taken.record,
                    connection,
                    (process, creates),
                )));
            }
            Ok(Tried::No) => {}
        }
        let held = self.find(&client, workspace).await.map_err(fail)?;
        match held {
            Some((_, process)) if process == taken.process => {
                // The server has not noticed yet that the connection is gone.
                let ended = client
                    .query_one("SELECT pg_terminate_backend($1)", &[&process])
                    .await;
                ended.map_err(fail)?;
                Err(Failure::transient(
                    what,
                    "the server still ends the connection that was lost",
                ))
            }
            Some(_) => Ok(None),
            None => Err(Failure::transient(what, "it was held until just now")),
        }
    }
}

/// Releases what a connection has locked.
async fn unlock_all(client: &Client) -> Result<(), tokio_postgres::Error> {
    client
        .execute("SELECT pg_advisory_unlock_all()", &[])
        .await
        .map(drop)
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
                self.try_lock(&client, workspace, record, false).await
            };
            match tried {
                Ok(Tried::Yes { process, creates }) => {
                    self.hold(record, connection, (process, creates));
                    return Ok(Acquired::Yes(Token::new(record.info.id.clone())));
                }
                Ok(Tried::No | Tried::Changed) => self.give_back(connection).await,
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

    async fn replace(
        &self,
        workspace: &str,
        token: &Token,
        _: &LockRecord,
    ) -> Result<Replaced, Failure> {
        let known = self.sessions().get(token.as_str()).cloned();
        if let Some(session) = known {
            let client = session.connection.client.lock().await;
            if client.simple_query("").await.is_ok() {
                return Ok(Replaced::Yes(token.clone()));
            }
            self.sessions().remove(token.as_str());
        }
        Ok(match self.resume(workspace, token).await? {
            Some(_) => Replaced::Yes(token.clone()),
            None => Replaced::Lost,
        })
    }

    async fn release(&self, workspace: &str, token: &Token) -> Result<(), Failure> {
        self.taken().remove(token.as_str());
        let Some(session) = self.sessions().remove(token.as_str()) else {
            return Ok(());
        };
        let statement = format!("DELETE FROM {} WHERE name = $1", self.own("terrace_locks"));
        {
            let client = session.connection.client.lock().await;
            client.execute(&statement, &[&workspace]).await.ok();
            if unlock_all(&client).await.is_err() {
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
            // Before the session ends, so that its owner does not take the lock again.
            let statement = format!("DELETE FROM {} WHERE name = $1", self.own("terrace_locks"));
            let forgotten = client.execute(&statement, &[&workspace]).await;
            forgotten.map_err(|error| failure(&what, &error))?;
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

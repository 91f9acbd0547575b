//! States in the reference's table, everything else in Terrace's.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use terrace_backend_remote::{Deleted, Failure, Object, Objects, Put, Version, When, Write};
use terrace_port::StoreError;
use tokio_postgres::{Row, Transaction};

use crate::STATES;
use crate::database::{Connection, Database};
use crate::failure::failure;

/// The lock `-1`, of those who create a row.
pub(crate) const CREATION: i64 = -1;

/// An error of the database while something is done.
type Fail<'a> = &'a (dyn Fn(tokio_postgres::Error) -> Failure + Sync);

impl Database {
    async fn put_state(
        &self,
        workspace: &str,
        text: &str,
        write: Write<'_>,
    ) -> Result<Put, Failure> {
        let what = self.what("writing the state");
        let fail = |error: tokio_postgres::Error| failure(&what, &error);
        let session = match write.under {
            Some(token) => Some(self.session(workspace, token).await?),
            None => None,
        };
        let connection = match &session {
            Some(session) => Arc::clone(&session.connection),
            None => self.connection().await?,
        };
        let mut client = connection.client.lock().await;
        let transaction = client.transaction().await.map_err(fail)?;
        let row = self.write_row(&transaction, workspace, text, write.when);
        let Some(row) = row.await.map_err(fail)? else {
            transaction.rollback().await.map_err(fail)?;
            return Ok(Put::Refused);
        };
        let creates = session.filter(|session| session.creates.load(Ordering::Relaxed));
        if creates.is_some() {
            // Nobody else knows the new row yet.
            let id: i64 = row.get(0);
            transaction
                .query_one("SELECT pg_advisory_lock($1)", &[&id])
                .await
                .map_err(fail)?;
        }
        transaction.commit().await.map_err(fail)?;
        if let Some(session) = creates {
            session.creates.store(false, Ordering::Relaxed);
            client
                .query_one("SELECT pg_advisory_unlock_shared($1)", &[&CREATION])
                .await
                .map_err(fail)?;
        }
        Ok(Put::Written(Version::new(row.get::<_, String>(1))))
    }

    async fn write_row(
        &self,
        transaction: &Transaction<'_>,
        workspace: &str,
        text: &str,
        when: When<'_>,
    ) -> Result<Option<Row>, tokio_postgres::Error> {
        let table = self.states();
        match when {
            When::Always => {
                let statement = format!(
                    "INSERT INTO {table} (name, data) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET data = $2 RETURNING id, md5(data)"
                );
                transaction
                    .query_opt(&statement, &[&workspace, &text])
                    .await
            }
            When::Absent => {
                let statement = format!(
                    "INSERT INTO {table} (name, data) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING id, md5(data)"
                );
                transaction
                    .query_opt(&statement, &[&workspace, &text])
                    .await
            }
            When::Is(version) => {
                let statement = format!(
                    "UPDATE {table} SET data = $2 WHERE name = $1 AND md5(coalesce(data, '')) = $3 RETURNING id, md5(data)"
                );
                let version = version.as_str();
                transaction
                    .query_opt(&statement, &[&workspace, &text, &version])
                    .await
            }
        }
    }

    async fn put_own(
        &self,
        connection: &Connection,
        name: &str,
        bytes: &[u8],
        when: When<'_>,
        fail: Fail<'_>,
    ) -> Result<Put, Failure> {
        let table = self.own("terrace_objects");
        let client = connection.client.lock().await;
        let row = match when {
            When::Always => {
                let statement = format!(
                    "INSERT INTO {table} AS there (name, data) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET data = excluded.data, version = excluded.version RETURNING version"
                );
                client.query_opt(&statement, &[&name, &bytes]).await
            }
            When::Absent => {
                let statement = format!(
                    "INSERT INTO {table} (name, data) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING version"
                );
                client.query_opt(&statement, &[&name, &bytes]).await
            }
            When::Is(version) => {
                let statement = format!(
                    "UPDATE {table} SET data = $2, version = DEFAULT WHERE name = $1 AND version = $3 RETURNING version"
                );
                let version = number(version);
                client
                    .query_opt(&statement, &[&name, &bytes, &version])
                    .await
            }
        };
        Ok(match row.map_err(fail)? {
            Some(row) => Put::Written(Version::new(row.get::<_, i64>(0).to_string())),
            None => Put::Refused,
        })
    }
}

fn number(version: &Version) -> i64 {
    version.as_str().parse().unwrap_or(-1)
}

#[async_trait]
impl Objects for Database {
    fn place(&self, name: &str) -> String {
        match name.strip_prefix(STATES) {
            Some(workspace) => format!(
                "{} row {workspace:?} of {}",
                self.settings.place,
                self.states()
            ),
            None => format!("{} {name}", self.settings.place),
        }
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        let what = self.what("reading");
        let connection = self.connection().await?;
        let client = connection.client.lock().await;
        let row = if let Some(workspace) = name.strip_prefix(STATES) {
            let statement = format!(
                "SELECT convert_to(coalesce(data, ''), 'UTF8'), md5(coalesce(data, '')) FROM {} WHERE name = $1",
                self.states()
            );
            client.query_opt(&statement, &[&workspace]).await
        } else {
            let statement = format!(
                "SELECT data, version::text FROM {} WHERE name = $1",
                self.own("terrace_objects")
            );
            client.query_opt(&statement, &[&name]).await
        };
        let row = row.map_err(|error| failure(&what, &error))?;
        Ok(row.map(|row| Object {
            bytes: row.get::<_, Vec<u8>>(0).into(),
            version: Version::new(row.get::<_, String>(1)),
        }))
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        if let Some(workspace) = name.strip_prefix(STATES) {
            let Ok(text) = std::str::from_utf8(bytes) else {
                let why = "A state that is no text cannot be kept in the database.";
                return Err(StoreError::Refused(why.into()).into());
            };
            return self.put_state(workspace, text, write).await;
        }
        let what = self.what("writing");
        let connection = self.connection().await?;
        let fail = |error: tokio_postgres::Error| failure(&what, &error);
        self.put_own(&connection, name, bytes, write.when, &fail)
            .await
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        let what = self.what("deleting");
        let connection = match write.under {
            Some(token) => {
                let workspace = name.strip_prefix(STATES).unwrap_or_default();
                Arc::clone(&self.session(workspace, token).await?.connection)
            }
            None => self.connection().await?,
        };
        let client = connection.client.lock().await;
        let (table, key, version) = match name.strip_prefix(STATES) {
            Some(workspace) => (self.states(), workspace, "md5(coalesce(data, ''))"),
            None => (self.own("terrace_objects"), name, "version::text"),
        };
        let done = match write.when {
            When::Always => {
                let statement = format!("DELETE FROM {table} WHERE name = $1");
                return match client.execute(&statement, &[&key]).await {
                    Ok(_) => Ok(Deleted::Done),
                    Err(error) => Err(failure(&what, &error)),
                };
            }
            When::Absent => return Ok(Deleted::Refused),
            When::Is(expected) => {
                let statement = format!("DELETE FROM {table} WHERE name = $1 AND {version} = $2");
                let expected = expected.as_str();
                client.execute(&statement, &[&key, &expected]).await
            }
        };
        match done.map_err(|error| failure(&what, &error))? {
            0 => Ok(Deleted::Refused),
            _ => Ok(Deleted::Done),
        }
    }

    async fn delete_many(&self, names: &[String]) -> Result<Vec<String>, Failure> {
        let what = self.what("deleting");
        let connection = self.connection().await?;
        let (states, own): (Vec<&str>, Vec<&str>) = names
            .iter()
            .map(String::as_str)
            .partition(|name| name.starts_with(STATES));
        let states: Vec<&str> = states.iter().map(|name| &name[STATES.len()..]).collect();
        let client = connection.client.lock().await;
        for (table, keys) in [(self.states(), states), (self.own("terrace_objects"), own)] {
            if !keys.is_empty() {
                let statement = format!("DELETE FROM {table} WHERE name = ANY($1)");
                let done = client.execute(&statement, &[&keys]).await;
                done.map_err(|error| failure(&what, &error))?;
            }
        }
        Ok(Vec::new())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let what = self.what("listing");
        let connection = self.connection().await?;
        let client = connection.client.lock().await;
        let (table, shown, prefix) = match prefix.strip_prefix(STATES) {
            Some(prefix) => (self.states(), STATES, prefix),
            None => (self.own("terrace_objects"), "", prefix),
        };
        let statement = format!("SELECT name FROM {table} WHERE left(name, length($1)) = $1");
        let rows = client.query(&statement, &[&prefix]).await;
        let mut names: Vec<String> = rows
            .map_err(|error| failure(&what, &error))?
            .iter()
            .map(|row| format!("{shown}{}", row.get::<_, String>(0)))
            .collect();
        names.sort_unstable();
        Ok(names)
    }
}

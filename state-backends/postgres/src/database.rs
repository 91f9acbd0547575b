//! Connections and tables.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use terrace_backend_remote::{Failure, LockRecord};
use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::failure::failure;
use crate::settings::Settings;

/// A connection. One request or transaction at a time.
pub(crate) struct Connection {
    pub(crate) client: tokio::sync::Mutex<Client>,
}

/// A connection that holds a lock.
pub(crate) struct Session {
    pub(crate) connection: Arc<Connection>,
    /// Whether it holds the shared lock of those who create a row, and not yet the row's.
    pub(crate) creates: std::sync::atomic::AtomicBool,
}

/// A lock that this process has taken, by which it is known again when its connection was lost.
#[derive(Clone)]
pub(crate) struct Taken {
    pub(crate) record: LockRecord,
    /// The server's process that held it last.
    pub(crate) process: i32,
}

/// The database, with as few connections as can be: one, which locks and does everything else.
pub(crate) struct Database {
    pub(crate) settings: Settings,
    idle: tokio::sync::Mutex<Option<Arc<Connection>>>,
    sessions: Mutex<BTreeMap<String, Arc<Session>>>,
    taken: Mutex<BTreeMap<String, Taken>>,
    /// Held by who takes a lock again.
    pub(crate) resuming: tokio::sync::Mutex<()>,
    is_prepared: tokio::sync::Mutex<bool>,
}

/// A name as SQL writes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Database {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            idle: tokio::sync::Mutex::default(),
            sessions: Mutex::default(),
            taken: Mutex::default(),
            resuming: tokio::sync::Mutex::default(),
            is_prepared: tokio::sync::Mutex::default(),
        }
    }

    /// The table of states.
    pub(crate) fn states(&self) -> String {
        format!(
            "{}.{}",
            quoted(&self.settings.schema),
            quoted(&self.settings.table)
        )
    }

    /// One of Terrace's own tables.
    pub(crate) fn own(&self, name: &str) -> String {
        format!("{}.{name}", quoted(&self.settings.schema))
    }

    /// What is done, and where.
    pub(crate) fn what(&self, doing: &str) -> String {
        format!("{doing} in {}", self.settings.place)
    }

    /// A pair of keys, which no lock of the reference has.
    pub(crate) fn keys(&self, name: &str) -> (i32, i32) {
        let text = format!("{}/{name}", self.states());
        let digest = Sha256::digest(text.as_bytes());
        let key = |at: usize| {
            i32::from_be_bytes([digest[at], digest[at + 1], digest[at + 2], digest[at + 3]])
        };
        (key(0), key(4))
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn taken(&self) -> MutexGuard<'_, BTreeMap<String, Taken>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up all connections, of which nobody knows what they would answer.
    pub(crate) fn abandon(&self) {
        self.sessions().clear();
        if let Ok(mut idle) = self.idle.try_lock() {
            *idle = None;
        }
    }

    pub(crate) async fn connect(&self) -> Result<Arc<Connection>, Failure> {
        let what = self.what("connecting");
        let tls = MakeRustlsConnect::new(self.settings.tls.clone());
        let connected = self.settings.connection.connect(tls).await;
        let (client, connection) = connected.map_err(|error| failure(&what, &error))?;
        // Ends with the client, or with the connection.
        tokio::spawn(connection);
        // So that the server notices soon when this machine is gone, and frees its locks. Not every server can be told.
        client
            .batch_execute("SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4")
            .await
            .ok();
        let connection = Arc::new(Connection {
            client: tokio::sync::Mutex::new(client),
        });
        self.prepare(&connection).await?;
        Ok(connection)
    }

    /// A connection for anything but locking.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, Failure> {
        let session = self.sessions().values().next().cloned();
        if let Some(session) = session {
            if !session.connection.client.lock().await.is_closed() {
                return Ok(Arc::clone(&session.connection));
            }
        }
        let mut idle = self.idle.lock().await;
        if let Some(connection) = &*idle {
            if !connection.client.lock().await.is_closed() {
                return Ok(Arc::clone(connection));
            }
        }
        let connection = self.connect().await?;
        *idle = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// A connection for a lock, on which there is none yet.
    pub(crate) async fn take(&self) -> Result<Arc<Connection>, Failure> {
        let idle = self.idle.lock().await.take();
        if let Some(connection) = idle {
            if !connection.client.lock().await.is_closed() {
                return Ok(connection);
            }
        }
        self.connect().await
    }

    /// Gives back a connection without locks.
    pub(crate) async fn give_back(&self, connection: Arc<Connection>) {
        let mut idle = self.idle.lock().await;
        if idle.is_none() {
            *idle = Some(connection);
        }
    }

    /// Makes what is missing, once.
    async fn prepare(&self, connection: &Connection) -> Result<(), Failure> {
        let mut is_prepared = self.is_prepared.lock().await;
        if *is_prepared {
            return Ok(());
        }
        let what = self.what("preparing the tables of states");
        let fail = |error: tokio_postgres::Error| failure(&what, &error);
        let client = connection.client.lock().await;
        let missing = client
            .query_one(
                "SELECT to_regnamespace($1) IS NULL, to_regclass($2) IS NULL, to_regclass($3) IS NULL, to_regclass($4) IS NULL, to_regclass($5) IS NULL",
                &[
                    &quoted(&self.settings.schema),
                    &self.states(),
                    &self.own(&quoted(&self.settings.index)),
                    &self.own("terrace_objects"),
                    &self.own("terrace_locks"),
                ],
            )
            .await
            .map_err(fail)?;
        let settings = &self.settings;
        let schema = quoted(&settings.schema);
        let steps = [
            (
                missing.get::<_, bool>(0) && !settings.skip_schema,
                format!("CREATE SCHEMA IF NOT EXISTS {schema}"),
            ),
            (
                missing.get::<_, bool>(1) && !settings.skip_table,
                format!(
                    "CREATE SEQUENCE IF NOT EXISTS public.global_states_id_seq AS bigint; CREATE TABLE IF NOT EXISTS {} (id bigint NOT NULL DEFAULT nextval('public.global_states_id_seq') PRIMARY KEY, name text UNIQUE, data text)",
                    self.states()
                ),
            ),
            (
                missing.get::<_, bool>(2) && !settings.skip_index,
                format!(
                    "CREATE UNIQUE INDEX IF NOT EXISTS {} ON {} (name)",
                    quoted(&settings.index),
                    self.states()
                ),
            ),
            (
                missing.get::<_, bool>(3),
                format!(
                    "CREATE TABLE IF NOT EXISTS {} (name text PRIMARY KEY, data bytea NOT NULL, version bigserial)",
                    self.own("terrace_objects")
                ),
            ),
            (
                missing.get::<_, bool>(4),
                format!(
                    "CREATE TABLE IF NOT EXISTS {} (name text PRIMARY KEY, record text NOT NULL)",
                    self.own("terrace_locks")
                ),
            ),
        ];
        if steps.iter().any(|(is_needed, _)| *is_needed) {
            // Two that create the same thing at once would refuse each other.
            let (one, two) = self.keys("");
            let mut script = format!("BEGIN; SELECT pg_advisory_xact_lock({one}, {two});");
            for (_, step) in steps.iter().filter(|(is_needed, _)| *is_needed) {
                script.push_str(step);
                script.push(';');
            }
            script.push_str("COMMIT");
            let mut attempts = 0;
            while let Err(error) = client.batch_execute(&script).await {
                client.batch_execute("ROLLBACK").await.ok();
                attempts += 1;
                // The sequence belongs to all schemas, and other tools take no lock for it: whoever was later finds it there.
                if attempts > 10 || !is_there_by_now(&error) {
                    return Err(fail(error));
                }
            }
        }
        *is_prepared = true;
        Ok(())
    }
}

/// Whether something could not be made since another has made it in the meantime.
fn is_there_by_now(error: &tokio_postgres::Error) -> bool {
    use tokio_postgres::error::SqlState;
    let codes = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        SqlState::DUPLICATE_SCHEMA,
    ];
    error.code().is_some_and(|code| codes.contains(code))
}

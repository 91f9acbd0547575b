//! Stores of states: files, and real servers on free ports.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use terrace_backend_embedded::EmbeddedStore;
use terrace_backend_local::LocalStore;
use terrace_backend_remote::{Arguments, Surroundings};
use terrace_port::{Clock, StateStore};
use terrace_test_services::{Minio, Moto, Postgres};
use terrace_value::{Type, Value};

use crate::Failure;

/// The time.
pub(super) struct Now;

impl Clock for Now {
    fn now(&self) -> (i64, u32) {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        (
            i64::try_from(now.as_secs()).unwrap_or_default(),
            now.subsec_nanos(),
        )
    }
}

const BUCKET: &str = "states";
const DATABASE: &str = "tfstate";

/// Where a state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Local,
    Embedded,
    S3,
    Postgres,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Local, Self::Embedded, Self::S3, Self::Postgres];

    /// The backend's type.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Embedded => "embedded",
            Self::S3 => "s3",
            Self::Postgres => "pg",
        }
    }

    /// Starts what it needs.
    pub(super) fn start(self) -> Result<Server, Failure> {
        Ok(match self {
            Self::Local => Server::Local,
            Self::Embedded => Server::Embedded,
            Self::S3 => match Minio::start() {
                Ok(minio) => Server::Minio(minio),
                Err(_) => Server::Moto(Moto::start()?),
            },
            Self::Postgres => Server::Postgres(Postgres::start()?),
        })
    }
}

/// A server that runs, if one is needed. It ends with this.
pub(super) enum Server {
    Local,
    Embedded,
    Minio(Minio),
    Moto(Moto),
    Postgres(Postgres),
}

impl Server {
    /// What it is, for people.
    pub(super) const fn what(&self) -> &'static str {
        match self {
            Self::Local => "files",
            Self::Embedded => "one database file",
            Self::Minio(_) => "MinIO on this machine",
            Self::Moto(_) => "moto on this machine",
            Self::Postgres(_) => "PostgreSQL on this machine",
        }
    }

    /// Its address, if it has one, as connections to it show.
    pub(super) fn port(&self) -> Option<String> {
        let address = match self {
            Self::Local | Self::Embedded => return None,
            Self::Minio(minio) => minio.endpoint(),
            Self::Moto(moto) => moto.endpoint(),
            Self::Postgres(server) => server.connection_string(DATABASE),
        };
        let behind = address.rsplit_once(':')?.1;
        let digits = behind.chars().take_while(char::is_ascii_digit);
        Some(digits.collect())
    }

    fn s3(&self) -> Option<(String, &str, &str)> {
        match self {
            Self::Minio(minio) => Some((minio.endpoint(), minio.access_key(), minio.secret_key())),
            Self::Moto(moto) => Some((moto.endpoint(), "test", "test")),
            _ => None,
        }
    }

    /// Makes what states lie in.
    pub(super) async fn prepare(&self) -> Result<(), Failure> {
        let Some((endpoint, id, secret)) = self.s3() else {
            return Ok(());
        };
        let client = aws_sdk_s3::Client::from_conf(
            aws_sdk_s3::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .http_client(terrace_backend_s3::web())
                .credentials_provider(Credentials::new(id, secret, None, None, "bench"))
                .region(Region::new("us-east-1"))
                .endpoint_url(endpoint)
                .force_path_style(true)
                .build(),
        );
        client.create_bucket().bucket(BUCKET).send().await?;
        Ok(())
    }

    /// The store of a configuration whose state is called `name`, in a working directory.
    pub(super) async fn store(
        &self,
        directory: &Path,
        name: &str,
    ) -> Result<Arc<dyn StateStore>, Failure> {
        let environment = |_: &str| None;
        let surroundings = Surroundings {
            environment: &environment,
            directory,
            clock: Arc::new(Now),
            user_agent: "Terrace/bench",
            watcher: None,
        };
        let text = |text: &str| Value::string(text);
        Ok(match self {
            Self::Local => Arc::new(LocalStore::new(directory)),
            Self::Embedded => Arc::new(EmbeddedStore::new(directory.join("store"))),
            Self::Postgres(server) => {
                let values = BTreeMap::from([
                    (
                        "conn_str".to_owned(),
                        text(&server.connection_string(DATABASE)),
                    ),
                    ("schema_name".to_owned(), text(&name.replace('-', "_"))),
                ]);
                let arguments = terrace_backend_postgres::arguments();
                let arguments = Arguments::new(arguments, &values, &environment).map_err(told)?;
                let opened = terrace_backend_postgres::open(&arguments, &surroundings).await;
                opened.map_err(told)?
            }
            Self::Minio(_) | Self::Moto(_) => {
                let (endpoint, id, secret) = self.s3().ok_or("no S3")?;
                let endpoints = Value::map(Type::String, [("s3", text(&endpoint))]);
                let mut values = BTreeMap::from([
                    ("bucket".to_owned(), text(BUCKET)),
                    ("key".to_owned(), text(name)),
                    ("region".to_owned(), text("us-east-1")),
                    ("access_key".to_owned(), text(id)),
                    ("secret_key".to_owned(), text(secret)),
                    ("endpoints".to_owned(), endpoints),
                ]);
                for name in SKIPPED {
                    values.insert(name.to_owned(), Value::bool(true));
                }
                let arguments = terrace_backend_s3::arguments();
                let arguments = Arguments::new(arguments, &values, &environment).map_err(told)?;
                let opened = terrace_backend_s3::open(&arguments, &surroundings).await;
                opened.map_err(told)?
            }
        })
    }

    /// The backend's block in a configuration.
    pub(super) fn block(&self, name: &str) -> String {
        match self {
            Self::Local => String::new(),
            Self::Embedded => "  backend \"embedded\" {}\n".to_owned(),
            Self::Postgres(server) => format!(
                "  backend \"pg\" {{\n    conn_str = {:?}\n    schema_name = {:?}\n  }}\n",
                server.connection_string(DATABASE),
                name.replace('-', "_")
            ),
            Self::Minio(_) | Self::Moto(_) => {
                let (endpoint, id, secret) = self.s3().unwrap_or_default();
                let flags = format!("    {} = true\n", SKIPPED.join(" = true\n    "));
                format!(
                    "  backend \"s3\" {{\n    bucket = {BUCKET:?}\n    key = {name:?}\n    region = \"us-east-1\"\n    access_key = {id:?}\n    secret_key = {secret:?}\n    endpoints = {{ s3 = {endpoint:?} }}\n{flags}  }}\n"
                )
            }
        }
    }
}

/// Settings of S3 for a server that is not AWS, with locks as objects.
const SKIPPED: [&str; 6] = [
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_region_validation",
    "skip_requesting_account_id",
    "use_path_style",
    "use_lockfile",
];

fn told(problems: impl std::fmt::Debug) -> Failure {
    format!("{problems:?}").into()
}

//! Where the states of crash worlds are kept: real servers, one for all worlds.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use terrace_test_services::{Moto, Postgres};
use terrace_test_support::{Project, available};

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// State files, and every other world in the embedded store.
    Local,
    /// Buckets with conditional writes, some with a table for locks.
    S3,
    Postgres,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::S3 => "s3",
            Self::Postgres => "pg",
        }
    }

    /// How many worlds live at once: those that wait for a lease cost nothing.
    pub(crate) const fn at_once(self) -> usize {
        match self {
            Self::Local | Self::Postgres => 4,
            Self::S3 => 12,
        }
    }

    /// How long commands wait for a lock. A dead holder's is free at once in files, as soon as the server notices in a
    /// database, and after its lease in a bucket.
    pub(crate) const fn lock_timeout(self) -> &'static str {
        match self {
            Self::Local => "-lock-timeout=0s",
            Self::Postgres => "-lock-timeout=30s",
            Self::S3 => "-lock-timeout=60s",
        }
    }
}

/// Seconds after which the lock of a dead holder may be taken over.
const LEASE: &str = "10";

/// The servers of a kind.
pub(crate) enum Servers {
    Files,
    Aws(Moto),
    Database(Postgres),
}

impl Servers {
    /// Starts what is needed; `None` after saying that it cannot be had.
    pub(crate) fn start(kind: Kind) -> Option<Self> {
        let what = format!("crash worlds on {}", kind.name());
        Some(match kind {
            Kind::Local => Self::Files,
            Kind::S3 => {
                let moto = available(&what, Moto::start())?;
                prepare(&moto);
                Self::Aws(moto)
            }
            Kind::Postgres => Self::Database(available(&what, Postgres::start())?),
        })
    }

    /// The backend block of a world; `who` uses it, so that no two share a state.
    pub(crate) fn backend(&self, who: &str, seed: u64) -> String {
        match self {
            Self::Files if who == "ours" && seed % 2 == 1 => {
                "  backend \"embedded\" {}\n".to_owned()
            }
            Self::Files => String::new(),
            Self::Aws(moto) => {
                let endpoint = moto.endpoint();
                let lock = match seed % 4 {
                    0 => "dynamodb_table = \"locks\"",
                    1 => "use_lockfile = true\n    dynamodb_table = \"locks\"",
                    _ => "use_lockfile = true",
                };
                format!(
                    "  backend \"s3\" {{\n    bucket = \"states\"\n    key = \"{who}/{seed}/terraform.tfstate\"\n    region = \"us-east-1\"\n    \
                     use_path_style = true\n    skip_credentials_validation = true\n    skip_requesting_account_id = true\n    \
                     skip_metadata_api_check = true\n    {lock}\n    \
                     endpoints = {{ s3 = \"{endpoint}\", dynamodb = \"{endpoint}\", sts = \"{endpoint}\" }}\n  }}\n"
                )
            }
            Self::Database(server) => format!(
                "  backend \"pg\" {{\n    conn_str = {:?}\n    schema_name = \"{who}_{seed}\"\n  }}\n",
                server.connection_string("tfstate")
            ),
        }
    }

    /// What commands find in their environment.
    pub(crate) fn surround(&self, project: &mut Project) {
        if matches!(self, Self::Aws(_)) {
            project.set("AWS_ACCESS_KEY_ID", "test");
            project.set("AWS_SECRET_ACCESS_KEY", "test");
            project.set("TERRACE_LOCK_LEASE", LEASE);
        }
    }
}

/// A bucket and a table.
fn prepare(moto: &Moto) {
    send(moto, "PUT /states HTTP/1.1", "");
    let scope =
        "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request";
    let head = format!(
        "POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.CreateTable\r\nContent-Type: application/x-amz-json-1.0\r\n{scope}"
    );
    let table = r#"{"TableName": "locks", "KeySchema": [{"AttributeName": "LockID", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST"}"#;
    send(moto, &head, table);
}

fn send(moto: &Moto, head: &str, body: &str) {
    let authority = moto.endpoint().replace("http://", "");
    let mut stream = TcpStream::connect(&authority).unwrap();
    let length = body.len();
    let request = format!(
        "{head}\r\nHost: {authority}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

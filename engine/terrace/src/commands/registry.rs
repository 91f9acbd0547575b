//! `terrace registry`

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use terrace_backend_remote::Objects;
use terrace_gate::parse_allowed_signers;
use terrace_module_package::{Below, Folder};
use terrace_port::{Clock as _, Files as _};
use terrace_registry_server::{
    Caller, Registry, RegistryError, RegistryParts, Role, TokenRecord, Tokens, serve,
};
use terrace_value::Value;
use tokio::net::TcpListener;
use url::Url;

use crate::args::{RegistryCommand, RegistryServeArgs, RegistryTokenArgs};
use crate::backends;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::outside::{Disk, SystemClock, SystemEntropy};
use crate::session::Session;
use crate::signals::Signals;

/// Where, in a registry's store, lies what is served; everything else is not.
const CONTENT: &str = "content";
/// Where tokens lie.
const PRIVATE: &str = "private";

pub(crate) async fn run(session: &Arc<Session>, command: &RegistryCommand) -> Outcome {
    match command {
        RegistryCommand::Serve(args) => serve_until_the_end(session, args).await,
        RegistryCommand::Token(args) => token(session, args).await,
    }
}

async fn serve_until_the_end(session: &Arc<Session>, args: &RegistryServeArgs) -> Outcome {
    let signers = match &args.signers {
        Some(path) => Some(fingerprints(path)?),
        None => None,
    };
    let store = open_store(session, &args.store).await?;
    let parts = RegistryParts {
        content: Arc::new(Below::new(Arc::clone(&store), CONTENT)),
        private: Arc::new(Below::new(store, PRIVATE)),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        public: args.public,
        signers,
    };
    let registry = Registry::open(parts)
        .await
        .map_err(|error| failed(&error))?;
    let unheard = |error: std::io::Error| {
        not_served(format!(
            "The address {} cannot be listened on: {error}.",
            args.listen
        ))
    };
    let listener = TcpListener::bind(&args.listen).await.map_err(unheard)?;
    let address = listener.local_addr().map_err(unheard)?;
    let mut signals = Signals::new().map_err(unheard)?;
    // A signal is the usual end here.
    session.carrying_out.store(true, Ordering::SeqCst);
    session.view.output(format!(
        "http://{address}\n\nThe registry is there until Ctrl-C ends it."
    ));
    let end = async move {
        signals.next().await;
    };
    serve(listener, Arc::new(registry), end)
        .await
        .map_err(|error| not_served(format!("The registry broke off: {error}.")))?;
    Ok(SUCCESS)
}

async fn token(session: &Arc<Session>, args: &RegistryTokenArgs) -> Outcome {
    let Some(role) = Role::parse(&args.role) else {
        return Err(CommandError::one(
            "invalid-registry-token",
            "Invalid role",
            format!(
                "{:?} is no role; there are read, publish and admin.",
                args.role
            ),
        ));
    };
    let store = open_store(session, &args.store).await?;
    let record = TokenRecord {
        caller: Caller {
            name: args.name.clone(),
            role,
            namespaces: args.namespace.clone(),
        },
        issued_at: SystemClock.now().0,
        issued_by: session.actor(),
    };
    let tokens = Tokens::new(Arc::new(Below::new(store, PRIVATE)));
    let issued = tokens
        .issue(&record, &SystemEntropy)
        .await
        .map_err(|error| failed(&error))?;
    session.view.output(issued.secret());
    session
        .view
        .aside("This is the only time that the token is shown; the registry keeps its hash.");
    Ok(SUCCESS)
}

fn failed(error: &RegistryError) -> CommandError {
    let (id, summary) = match error {
        RegistryError::Refused(_) | RegistryError::Conflict(_) | RegistryError::Missing(_) => {
            ("invalid-registry-token", "Token cannot be given out")
        }
        _ => (
            "registry-store-failed",
            "The registry's store cannot be used",
        ),
    };
    CommandError::one(id, summary, format!("{error}."))
}

fn not_served(detail: String) -> CommandError {
    CommandError::one("registry-not-served", "Registry cannot be served", detail)
}

/// The fingerprints of the keys that a list of allowed signers names.
fn fingerprints(path: &str) -> Result<BTreeSet<String>, CommandError> {
    let bytes = Disk.read(path).map_err(|error| {
        CommandError::one(
            "unreadable-file",
            "List of signers cannot be read",
            format!("{path} cannot be read: {error}."),
        )
    })?;
    let people = parse_allowed_signers(&String::from_utf8_lossy(&bytes))
        .map_err(|why| not_served(format!("{path} is no list of allowed signers: {why}.")))?;
    Ok(people
        .into_values()
        .flat_map(|person| person.keys)
        .collect())
}

/// The store that a text names: a bucket, a database, or a folder.
pub(crate) async fn open_store(
    session: &Session,
    place: &str,
) -> Result<Arc<dyn Objects>, CommandError> {
    let base = Path::new(".");
    if place.starts_with("postgres://") || place.starts_with("postgresql://") {
        let values = BTreeMap::from([("conn_str".to_owned(), Value::string(place))]);
        return backends::objects(&session.environment, "pg", &values, base).await;
    }
    if !place.starts_with("s3://") {
        return Ok(Arc::new(Folder::new(PathBuf::from(place))));
    }
    let url = Url::parse(place).map_err(|error| {
        CommandError::one(
            "invalid-publish-target",
            "Invalid store",
            format!("{place:?} is no address of a bucket: {error}. One is written s3://BUCKET/PREFIX?region=REGION."),
        )
    })?;
    let prefix = url.path().trim_matches('/').to_owned();
    let mut values = BTreeMap::from([
        (
            "bucket".to_owned(),
            Value::string(url.host_str().unwrap_or_default()),
        ),
        // A bucket for states wants to know one; nothing is written there.
        ("key".to_owned(), Value::string("unused")),
    ]);
    for (name, value) in url.query_pairs() {
        values.insert(name.into_owned(), Value::string(value.into_owned()));
    }
    let bucket = backends::objects(&session.environment, "s3", &values, base).await?;
    Ok(Arc::new(Below::new(bucket, &prefix)))
}

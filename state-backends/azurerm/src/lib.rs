//! State in Azure Blob Storage, locked by leases of its blobs.
//!
//! What lies where, for the key `k`:
//!
//! | what | where |
//! | --- | --- |
//! | the state of `default` | the blob `k` |
//! | the state of another workspace | the blob `kenv:NAME` |
//! | the lock | an infinite lease of the state's blob, whose id is the lock's, and the blob's metadata `terraformlockid` |
//! | the journal, runs, the epoch | blobs under `k.terrace/` and `k.terraceenv:NAME/` |
//!
//! The client is small and its own: the SDK knows neither access keys nor certificates without OpenSSL.

mod arguments;
mod blobs;
mod failure;
mod layout;
mod locks;
mod objects;
mod settings;
mod signing;

use std::sync::Arc;

use terrace_backend_remote::{Arguments, Problem, RemoteOptions, RemoteStore, Surroundings};
use terrace_port::StateStore;

pub use arguments::arguments;

use crate::blobs::Container;
use crate::layout::Keys;
use crate::locks::Leases;
use crate::objects::Blobs;
use crate::settings::Settings;

/// Opens the store that the arguments describe. Signs in where that takes more than a key.
pub async fn open(
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<dyn StateStore>, Vec<Problem>> {
    let options = RemoteOptions::within("azurerm", surroundings);
    Ok(Arc::new(open_with(arguments, surroundings, options).await?))
}

/// Opens it with a lease of its own length.
pub async fn open_with(
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
    options: RemoteOptions,
) -> Result<RemoteStore, Vec<Problem>> {
    let settings = Settings::new(arguments, surroundings)?;
    let container = Container::open(&settings, surroundings)
        .await
        .map_err(|problem| vec![problem])?;
    let container = Arc::new(container);
    let layout = Arc::new(Keys::new(&settings.key));
    let objects = Blobs::new(container.clone(), layout.clone(), settings.snapshot);
    let locks = Leases::new(container, layout.clone());
    Ok(RemoteStore::new(
        options,
        Arc::new(objects),
        Arc::new(locks),
        layout,
    ))
}

/// Makes a container, by a key of the account. For tests; a backend never makes one.
pub async fn create_container(
    clock: Arc<dyn terrace_port::Clock>,
    endpoint: &str,
    account: &str,
    key: &str,
    container: &str,
) -> Result<(), String> {
    blobs::create_container(clock, endpoint, account, key, container).await
}

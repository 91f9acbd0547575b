//! State in Google Cloud Storage, locked by objects beside it.
//!
//! What lies where, for the prefix `p`:
//!
//! | what | where |
//! | --- | --- |
//! | the state of a workspace | `p/NAME.tfstate` |
//! | its lock | `p/NAME.tflock`, made where there is none |
//! | the journal, runs, the epoch | under `p/NAME.tfstate.terrace/` |
//!
//! Every write has a precondition on the object's generation.

mod arguments;
mod bucket;
mod layout;
mod locks;
mod settings;

use std::sync::Arc;

use terrace_backend_remote::{Arguments, Problem, RemoteOptions, RemoteStore, Surroundings};
use terrace_port::StateStore;

pub use arguments::arguments;

use crate::bucket::Bucket;
use crate::layout::Keys;
use crate::locks::BucketLocks;
use crate::settings::Settings;

/// Opens the store that the arguments describe. Signs in.
pub async fn open(
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<dyn StateStore>, Vec<Problem>> {
    let options = RemoteOptions::within("gcs", surroundings);
    Ok(Arc::new(open_with(arguments, surroundings, options).await?))
}

/// Opens it with a lease of its own length.
pub async fn open_with(
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
    options: RemoteOptions,
) -> Result<RemoteStore, Vec<Problem>> {
    let settings = Settings::new(arguments, surroundings)?;
    let bucket = Bucket::open(&settings, surroundings)
        .await
        .map_err(|problem| vec![problem])?;
    let layout = Arc::new(Keys::new(&settings));
    let locks = BucketLocks::new(bucket.clone(), layout.clone());
    Ok(RemoteStore::new(
        options,
        Arc::new(bucket),
        Arc::new(locks),
        layout,
    ))
}

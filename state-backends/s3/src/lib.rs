//! State in Amazon S3 and in what speaks its protocol, with the locks of today's tools: `.tflock` objects, items of a
//! DynamoDB table, or both.
//!
//! What lies where, for the bucket `b` and the key `k`:
//!
//! | what | where |
//! | --- | --- |
//! | the state of `default` | `k` |
//! | the state of another workspace | `env:/NAME/k` |
//! | the lock with `use_lockfile` | the state's key and `.tflock` |
//! | the lock with `dynamodb_table` | the item `b/KEY`, in its attribute `Info` |
//! | the digest with `dynamodb_table` | the item `b/KEY-md5`, in its attribute `Digest` |
//! | the lock with neither | the state's key and `.terrace/lock`, which Terrace alone looks at |
//! | the journal, runs, the epoch | under the state's key and `.terrace/` |
//!
//! Since the AWS SDK stays in this crate, the data keys of KMS by which states are encrypted are here as well ([`DataKeys`]).

mod arguments;
mod checks;
mod clients;
mod data_keys;
mod digest;
mod failure;
mod layout;
mod locks;
mod objects;
mod settings;
mod table;

use std::sync::Arc;

use terrace_aws_access::Web;
use terrace_backend_remote::{
    Arguments, Objects, Problem, RemoteOptions, RemoteStore, Surroundings,
};
use terrace_port::StateStore;

pub use arguments::{arguments, key_arguments};
pub use data_keys::{DataKey, DataKeys};

use crate::clients::Clients;
use crate::layout::Keys;
use crate::locks::BucketLocks;
use crate::objects::Bucket;
use crate::settings::Settings;

/// Opens the store that the arguments describe. `max_retries`, where it is given, bounds how often anything is asked again. Signs in, unless `skip_credentials_validation` is set.
pub async fn open(
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<dyn StateStore>, Vec<Problem>> {
    let mut options = RemoteOptions::within("s3", surroundings);
    if let Some(retries) = arguments.number("max_retries") {
        options.retries = u32::try_from(retries.max(0)).unwrap_or(u32::MAX);
    }
    Ok(Arc::new(open_with(arguments, surroundings, options).await?))
}

/// Opens it with a lease of its own length.
pub async fn open_with(
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
    options: RemoteOptions,
) -> Result<RemoteStore, Vec<Problem>> {
    let settings = Settings::new(arguments, surroundings)?;
    let clients = Clients::new(&settings, surroundings)
        .await
        .map_err(|problem| vec![problem])?;
    let layout = Arc::new(Keys::new(&settings));
    let bucket = Bucket::new(&settings, &clients, layout.clone());
    let locks = BucketLocks::new(&settings, &clients, bucket.clone(), layout.clone());
    Ok(RemoteStore::new(
        options,
        Arc::new(bucket),
        Arc::new(locks),
        layout,
    ))
}

/// The objects of the bucket that the arguments describe, for what is no state. `key` is not looked at.
pub async fn objects(
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<dyn Objects>, Vec<Problem>> {
    let settings = Settings::new(arguments, surroundings)?;
    let clients = Clients::new(&settings, surroundings)
        .await
        .map_err(|problem| vec![problem])?;
    let layout = Arc::new(Keys::new(&settings));
    Ok(Arc::new(Bucket::new(&settings, &clients, layout)))
}

/// What the backend makes its requests with, for other clients of the same services.
pub fn web() -> impl aws_smithy_runtime_api::client::http::HttpClient + Clone + 'static {
    Web::plain()
}

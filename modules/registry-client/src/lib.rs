//! What registries have in common: service discovery, credentials, the language of the CLI configuration, and HTTP with
//! retries. On top of it the protocols of module registries, of provider registries and of OCI registries, and logging in.
//!
//! Everything here blocks. It must not be called on a thread that drives an asynchronous runtime.

mod answer_cache;
mod answers;
mod credentials;
mod discovery;
mod error;
mod host;
mod http;
mod listing;
mod lock_file;
mod login;
mod modules;
mod netrc;
mod oci;
mod providers;
mod settings;
pub mod words;

pub use credentials::Credentials;
pub use discovery::Discovery;
pub use error::ClientError;
pub use host::{DEFAULT_HOST, Host};
pub use http::{Answer, Http, HttpSettings, Progress};
pub use listing::{Deprecation, Listed, Listing, Yanked};
pub use lock_file::save_lock;
pub use login::{Login, LoginError, PendingLogin};
pub use modules::{ModuleName, ModuleRegistry};
pub use oci::OciRepository;
pub use providers::{
    ListedVersion, ProviderDownload, ProviderListing, ProviderRegistry, SigningKey, parse_download,
    parse_listing,
};
pub use settings::{Helper, Service, ServiceSettings};

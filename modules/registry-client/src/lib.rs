//! What registries have in common: service discovery, credentials, the language of the CLI configuration, and HTTP with
//! retries. On top of it the protocol of module registries.
//!
//! Everything here blocks. It must not be called on a thread that drives an asynchronous runtime.

mod credentials;
mod discovery;
mod error;
mod host;
mod http;
mod lock_file;
mod modules;
mod netrc;
mod settings;
pub mod words;

pub use credentials::Credentials;
pub use discovery::Discovery;
pub use error::ClientError;
pub use host::{DEFAULT_HOST, Host};
pub use http::{Answer, Http, HttpSettings};
pub use lock_file::save_lock;
pub use modules::{ModuleName, ModuleRegistry};
pub use settings::{Helper, ServiceSettings};

//! Signing in to AWS: which arguments say who one is ([`arguments()`], [`Access::read`]), how AWS is reached, and a [`Session`]
//! from which clients of services are made. The backend `s3`, the key services and the native provider share it.
//!
//! ```no_run
//! use terrace_aws_access::{Access, Caller, Session};
//!
//! # async fn example(caller: Caller) -> Result<(), terrace_backend_remote::Problem> {
//! let access = Access {
//!     region: Some("eu-central-1".into()),
//!     ..Access::default()
//! };
//! let session = Session::open(access, &caller).await?;
//! // Signs in when its first request is made; `session.sign_in()` would do so now.
//! let sts = aws_sdk_sts::Client::new(&session.config_for("sts"));
//! # let _ = sts;
//! # Ok(())
//! # }
//! ```

mod access;
mod arguments;
pub mod checks;
mod credentials;
mod reach;
mod read;
mod regions;
mod session;
mod web;

pub use access::{Access, Account, Identity, Network, Role, StaticKeys, WebToken};
pub use arguments::arguments;
pub use reach::{Log, Place, Unreached};
pub use read::endpoint;
pub use regions::Partition;
pub use session::{Caller, CallerIdentity, Refused, Session};
pub use terrace_backend_remote::Problem;
pub use web::Web;

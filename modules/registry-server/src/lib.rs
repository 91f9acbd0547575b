//! A registry of modules and providers.
//!
//! [`Registry`] answers requests; it knows nothing of sockets. What it answers is a table, [`ROUTES`], in which each route
//! says what a caller needs: nobody gets further without. [`serve`] puts it behind a listener. Modules lie in a store as
//! [`terrace_module_package::Catalogue`] publishes them, so that any number of servers, and static hosts beside them, may
//! serve the same store; tokens and the secret of download tickets lie in a second store, which nobody serves.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests look at files")
)]

mod access;
mod error;
mod html;
mod markdown;
mod modules;
mod pages;
mod providers;
mod registry;
mod request;
mod routes;
mod server;
mod tickets;
mod tokens;
mod wire;

pub use access::{Caller, Role};
pub use error::RegistryError;
pub use registry::{Admission, Registry, RegistryParts};
pub use request::{Method, Reply, Request};
pub use routes::{Action, Need, ROUTES, Route};
pub use server::serve;
pub use tokens::{IssuedToken, TokenRecord, Tokens};

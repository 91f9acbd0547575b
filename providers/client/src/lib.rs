//! Providers over gRPC: a plugin's process is started, agreed with and supervised; whatever protocol version it
//! speaks, it is a [`terrace_port::Provider`].
//!
//! `v5` and `v6` only map messages; the conversion between messages and the engine's types, and the provider itself,
//! are one for both.

mod calls;
mod channel;
mod convert;
mod guard;
mod handshake;
mod key;
mod log;
mod output;
mod process;
mod provider;
mod reattach;
mod rpc;
mod schema;
mod schema_cache;
mod short_rsa;
mod tls;
mod v5;
mod v6;

pub use guard::Guard;
pub use log::{LogLevel, LogRecord, LogSink};
pub use process::Launch;
pub use provider::PluginProvider;
pub use reattach::Reattach;
pub use schema_cache::SchemaCache;

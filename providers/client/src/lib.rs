//! Providers over gRPC: a plugin's process is started, agreed with and supervised; whatever protocol version it
//! speaks, it is a [`terrace_port::Provider`].
//!
//! `v5` and `v6` only map messages; the conversion between messages and the engine's types, and the provider itself,
//! are one for both.

mod channel;
mod convert;
mod handshake;
mod output;
mod process;
mod provider;
mod rpc;
mod schema;
mod schema_cache;
mod tls;
mod v5;
mod v6;

pub use output::LogSink;
pub use process::Launch;
pub use provider::PluginProvider;
pub use schema_cache::SchemaCache;

//! Messages and calls of the provider protocols 5 (5.10) and 6 (6.10), generated from `proto/`, and nothing else.
//!
//! After a change in `proto/`: `cargo run -p terrace-provider-protocol --example generate`. A test fails while the
//! generated code and the definitions differ.

/// The call by which a plugin is asked to end.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::allow_attributes_without_reason, reason = "generated")]
#[rustfmt::skip]
#[path = "generated/plugin.rs"]
pub mod plugin;

/// Protocol 5.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::allow_attributes_without_reason, reason = "generated")]
#[rustfmt::skip]
#[path = "generated/tfplugin5.rs"]
pub mod tfplugin5;

/// Protocol 6.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::allow_attributes_without_reason, reason = "generated")]
#[rustfmt::skip]
#[path = "generated/tfplugin6.rs"]
pub mod tfplugin6;

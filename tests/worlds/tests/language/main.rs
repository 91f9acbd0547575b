//! What the language asks of providers, planned and applied in this process against a provider that holds the engine to
//! every rule of the protocol.
#![allow(clippy::unwrap_used, reason = "a test")]

mod checks;
mod ephemeral;
mod functions;
mod identities;
mod imports;
mod lifecycle;
mod moves;
mod outside;
mod progress;
mod provider_instances;
mod reasons;
mod remembered;
mod world;
mod write_only;

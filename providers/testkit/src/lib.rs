//! Providers to test the engine with.
//!
//! [`StrictProvider`] lives in memory and is stricter than any real provider: it refuses marked values, values of
//! another type than its schema's, unknowns in what it is to apply, planned values that it did not give, private
//! bytes that were lost on the way, and objects that it never made. `fake-provider`, a binary of this crate (feature
//! `process`), is the same provider behind the real plugin protocol, with its objects in a [`DirectoryWorld`] that
//! outlives it. `schema-provider` is a provider of which nothing is known but its schema (`schema_of_json` of the SDK): it makes up
//! what it answers, for configurations that are to be checked where the provider itself cannot run.

mod directory;
mod strict;
mod world;

#[cfg(feature = "process")]
pub use terrace_provider_serve as serve;

pub use directory::{DirectoryWorld, WorldEvent};
pub use strict::{Call, Operation, Outcome, StrictProvider};
pub use world::{Lookup, MemoryWorld, StoredObject, World};

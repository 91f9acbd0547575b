//! Native providers that stand in for hashicorp/local, random, null and time: their schemas, defaults, validation and
//! states, in process.
//!
//! Each resource type has a definition: attributes, what a change of them asks for, and functions for
//! creation, reading, change and end. Planning is one function for all of them.

mod civil;
mod definition;
mod local;
mod null;
mod provider;
mod random;
mod time;

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_port::{Clock, Entropy, Provider};

/// What the providers use of the outside.
#[derive(Clone)]
pub struct Outside {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// The providers with the versions of the well-known ones whose schemas they have.
pub fn versions() -> BTreeMap<ProviderAddr, Version> {
    [
        ("local", (2, 6, 1)),
        ("null", (3, 2, 4)),
        ("random", (3, 8, 1)),
        ("time", (0, 14, 2)),
    ]
    .into_iter()
    .map(|(name, (major, minor, patch))| {
        (
            ProviderAddr::default_for(name),
            Version::new(major, minor, patch),
        )
    })
    .collect()
}

/// Opens the provider of this name, if there is one.
pub fn open(provider: &ProviderAddr, outside: Outside) -> Option<Arc<dyn Provider>> {
    if *provider != ProviderAddr::default_for(&provider.name) {
        return None;
    }
    let (resources, data_sources) = match &*provider.name {
        "local" => (local::resources(), local::data_sources()),
        "null" => (null::resources(), null::data_sources()),
        "random" => (random::resources(), Vec::new()),
        "time" => (time::resources(), Vec::new()),
        _ => return None,
    };
    Some(Arc::new(provider::Native::new(
        outside,
        resources,
        data_sources,
    )))
}

//! Native providers that stand in for hashicorp/archive, external, http, local, null, random, time and tls: their schemas,
//! defaults, validation and states, in process or served as plugins.
//!
//! Each is a [`Provider`] of the SDK; a schema says what a change of an attribute asks for, and functions make, read, change and
//! end objects.

mod archive;
mod definition;
mod external;
mod http;
mod local;
mod null;
mod program;
mod random;
mod time;
mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_port::{Clock, Entropy, Surroundings};
use terrace_provider_sdk::{Function, Provider, ProviderBuilder};

use definition::{Definition, Source};

/// What the providers use of the outside.
#[derive(Clone)]
pub struct Outside {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What programs that are run have in their environment.
    pub surroundings: Surroundings,
}

/// The providers with the versions of the well-known ones whose schemas they have.
pub fn versions() -> BTreeMap<ProviderAddr, Version> {
    [
        ("archive", (2, 7, 1)),
        ("external", (2, 3, 5)),
        ("http", (3, 5, 0)),
        ("local", (2, 6, 1)),
        ("null", (3, 2, 4)),
        ("random", (3, 8, 1)),
        ("time", (0, 14, 2)),
        ("tls", (4, 2, 1)),
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
pub fn open(provider: &ProviderAddr, outside: Outside) -> Option<Arc<dyn terrace_port::Provider>> {
    if *provider != ProviderAddr::default_for(&provider.name) {
        return None;
    }
    native(&provider.name, outside).map(|provider| Arc::new(provider) as _)
}

/// The native provider that stands in for hashicorp/`name`, if there is one.
pub fn native(name: &str, outside: Outside) -> Option<Provider<Outside>> {
    Some(match name {
        "archive" => plain(outside, archive::resources(), archive::data_sources()),
        "external" => plain(outside, Vec::new(), external::data_sources()),
        "http" => plain(outside, Vec::new(), http::data_sources()),
        "local" => assembled(
            outside,
            local::resources(),
            local::data_sources(),
            local::ephemeral(),
            local::functions(),
        ),
        "null" => plain(outside, null::resources(), null::data_sources()),
        "random" => assembled(
            outside,
            random::resources(),
            Vec::new(),
            random::ephemeral(),
            Vec::new(),
        ),
        "time" => assembled(
            outside,
            time::resources(),
            Vec::new(),
            Vec::new(),
            time::functions(),
        ),
        "tls" => tls::provider(outside),
        _ => return None,
    })
}

fn plain(outside: Outside, resources: Vec<Definition>, sources: Vec<Source>) -> Provider<Outside> {
    assembled(outside, resources, sources, Vec::new(), Vec::new())
}

fn assembled(
    outside: Outside,
    resources: Vec<Definition>,
    data_sources: Vec<Source>,
    ephemeral: Vec<Source>,
    functions: Vec<Function>,
) -> Provider<Outside> {
    let builder = Provider::with_client(outside);
    with(builder, resources, data_sources, ephemeral)
        .functions(functions)
        .build()
}

fn with(
    mut builder: ProviderBuilder<Outside>,
    resources: Vec<Definition>,
    data_sources: Vec<Source>,
    ephemeral: Vec<Source>,
) -> ProviderBuilder<Outside> {
    for resource in resources {
        builder = builder.resource(resource);
    }
    for source in data_sources {
        builder = builder.data_source(source);
    }
    for source in ephemeral {
        builder = builder.ephemeral(source);
    }
    builder
}

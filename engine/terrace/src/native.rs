//! The providers that are part of this program: which there are, and how they are opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_port::{Provider, Surroundings};
use terrace_provider_std::Outside;

use crate::outside::{Environment, SystemClock, SystemEntropy};

/// They with the versions of the well-known ones whose schemas they have.
pub(crate) fn versions() -> BTreeMap<ProviderAddr, Version> {
    let versions = terrace_provider_std::versions().into_iter();
    #[cfg(feature = "aws")]
    let versions = versions.chain([(
        ProviderAddr::default_for("aws"),
        terrace_provider_aws::VERSION
            .parse()
            .expect("it is a version"),
    )]);
    versions.collect()
}

/// Opens the one of this name, if there is one.
pub(crate) fn open(
    provider: &ProviderAddr,
    environment: &Environment,
    surroundings: &Surroundings,
) -> Option<Arc<dyn Provider>> {
    #[cfg(feature = "aws")]
    if *provider == ProviderAddr::default_for("aws") {
        return Some(Arc::new(aws(environment, surroundings)));
    }
    let outside = Outside {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        surroundings: surroundings.clone(),
    };
    terrace_provider_std::open(provider, outside)
}

#[cfg(feature = "aws")]
fn aws(
    environment: &Environment,
    surroundings: &Surroundings,
) -> terrace_provider_sdk::Provider<terrace_provider_aws::Client> {
    let mut environment = environment.clone();
    environment.remove_all(&surroundings.removed);
    for (name, value) in &surroundings.set {
        environment.set(name, value);
    }
    terrace_provider_aws::provider(terrace_provider_aws::Outside {
        clock: Arc::new(SystemClock),
        environment: Arc::new(move |name| environment.get(name).map(str::to_owned)),
        user_agent: concat!("Terrace/", env!("CARGO_PKG_VERSION")).to_owned(),
    })
}

//! The providers that are part of this program: which there are, and how they are opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_port::{Provider, Surroundings};
use terrace_provider_client::LogSink;
#[cfg(feature = "aws")]
use terrace_provider_client::{LogLevel, LogRecord};
use terrace_provider_std::Outside;

use crate::outside::{SystemClock, SystemEntropy};

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
    #[cfg(feature = "azure")]
    let versions = versions.chain([(
        terrace_provider_azure::address(),
        terrace_provider_azure::version(),
    )]);
    versions.collect()
}

/// What to do about a type that the one of this name does not have, where the well-known one has more.
pub(crate) fn more_types(provider: &ProviderAddr) -> Option<String> {
    let mut partial: Vec<ProviderAddr> = Vec::new();
    #[cfg(feature = "aws")]
    partial.push(ProviderAddr::default_for("aws"));
    #[cfg(feature = "azure")]
    partial.push(terrace_provider_azure::address());
    partial.contains(provider).then(|| {
        format!(
            "the native provider has the types that are used most; for the others, take {} out of the `native` block of the CLI configuration and run `terrace init`, which then installs the plugin",
            provider.for_display()
        )
    })
}

/// Opens the one of this name, if there is one. What helps to find a mistake goes to the log, where there is one.
pub(crate) fn open(
    provider: &ProviderAddr,
    surroundings: &Surroundings,
    log: Option<&LogSink>,
) -> Option<Arc<dyn Provider>> {
    #[cfg(feature = "aws")]
    if *provider == ProviderAddr::default_for("aws") {
        return Some(Arc::new(aws(surroundings, log.cloned())));
    }
    #[cfg(not(feature = "aws"))]
    let _ = log;
    #[cfg(feature = "azure")]
    if *provider == terrace_provider_azure::address() {
        return Some(Arc::new(azure(surroundings)));
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
    surroundings: &Surroundings,
    log: Option<LogSink>,
) -> terrace_provider_sdk::Provider<terrace_provider_aws::Client> {
    let log = log.map(|sink| -> terrace_provider_aws::Log {
        Arc::new(move |message| {
            sink(&LogRecord {
                level: LogLevel::Warn,
                from_plugin: true,
                module: "provider.aws".to_owned(),
                message: message.to_owned(),
                fields: Vec::new(),
            });
        })
    });
    terrace_provider_aws::provider(terrace_provider_aws::Outside {
        clock: Arc::new(SystemClock),
        surroundings: surroundings.clone(),
        user_agent: concat!("Terrace/", env!("CARGO_PKG_VERSION")).to_owned(),
        log,
        pace: terrace_provider_aws::Pace::default(),
    })
}

#[cfg(feature = "azure")]
fn azure(
    surroundings: &Surroundings,
) -> terrace_provider_sdk::Provider<terrace_provider_azure::Client> {
    terrace_provider_azure::provider(terrace_provider_azure::Outside {
        clock: Arc::new(SystemClock),
        environment: terrace_provider_azure::variables(surroundings),
        user_agent: concat!("Terrace/", env!("CARGO_PKG_VERSION")).to_owned(),
        pace: terrace_provider_azure::Pace::default(),
    })
}

//! The native provider that stands in for hashicorp/azurerm: resource groups, storage accounts and their containers, with the schemas,
//! states and import ids that azurerm has, in process or served as a plugin.
//!
//! Bodies of requests and answers are the typed models of `azure_mgmt_resources` and `azure_mgmt_storage`; requests, retries,
//! operations and pages are those of `arm`; tokens come from `terrace-bearer`, which signs in in all the ways that azurerm knows.

mod arm;
mod cloud;
mod common;
mod configuration;
mod features;
mod ids;
mod registration;
mod resource_group;
mod storage_account;
mod storage_container;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_port::{Clock, Surroundings};
use terrace_provider_sdk::Provider;

pub use configuration::Client;

/// Variables of an environment, by name.
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The variables of this process, changed as those of the processes that it starts are.
pub fn variables(surroundings: &Surroundings) -> Variables {
    let mut all: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    all.retain(|name, _| !surroundings.removed.contains(name));
    all.extend(surroundings.set.clone());
    Arc::new(move |name| all.get(name).cloned())
}

/// What the provider uses of the outside.
#[derive(Clone)]
pub struct Outside {
    /// The time, for what is signed to sign in.
    pub clock: Arc<dyn Clock>,
    /// Variables of the environment, by name.
    pub environment: Variables,
    /// What requests call their sender: `Terrace/1.2.3`.
    pub user_agent: String,
    /// How often is asked again, and how long is waited.
    pub pace: Pace,
}

/// How often is asked again, and how long is waited, where the service does not say so.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks at an operation or at an object that is to appear.
    pub look: Duration,
    /// Before a request is made again; it doubles each time.
    pub retry: Duration,
    /// The longest wait before a request is made again.
    pub longest_retry: Duration,
    /// How many times a request is made again that failed for a reason that may pass. Throttling is waited for as long as there is
    /// time.
    pub retries: u32,
    /// For how long an object that was just made, or an operation that just began, may be unknown in places.
    pub appearance: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(5),
            retry: Duration::from_secs(1),
            longest_retry: Duration::from_secs(30),
            retries: 8,
            appearance: Duration::from_mins(5),
        }
    }
}

impl Pace {
    /// How long to wait after so many tries.
    pub(crate) fn before_retry(&self, tries: u32) -> Duration {
        self.retry
            .saturating_mul(2_u32.saturating_pow(tries))
            .min(self.longest_retry)
    }
}

/// The provider that it stands in for.
pub fn address() -> ProviderAddr {
    ProviderAddr::default_for("azurerm")
}

/// The version whose schemas it has.
pub fn version() -> Version {
    Version::new(5, 2, 0)
}

/// The provider.
pub fn provider(outside: Outside) -> Provider<Client> {
    Provider::configured(configuration::schema(), move |config| {
        configuration::configure(outside.clone(), config)
    })
    .check(configuration::check)
    .resource(resource_group::ResourceGroups)
    .resource(storage_account::StorageAccounts)
    .resource(storage_container::StorageContainers)
    .build()
}

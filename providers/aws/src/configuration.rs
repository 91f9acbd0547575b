//! The provider's configuration: who it is, where, and how it tags.

use std::sync::Arc;

use terrace_aws_access::{Access, Caller, Session, StaticKeys};
use terrace_port::Clock;
use terrace_provider_sdk::{Diagnostic, Diagnostics, Object, Outcome, Schema};

use crate::client::Client;
use crate::shape;
use crate::tags::TagRules;

/// What is outside of the provider.
#[derive(Clone)]
pub struct Outside {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Variables of the environment by name.
    pub environment: Arc<dyn Fn(&str) -> Option<String> + Send + Sync>,
    /// How requests say who makes them.
    pub user_agent: String,
}

/// What there is to configure.
pub(crate) fn schema() -> Schema {
    shape::provider()
}

/// Checks a configuration, which may hold unknowns.
pub(crate) fn check(_config: &Object, _diagnostics: &mut Diagnostics) {}

/// The services as a configuration reaches them.
pub(crate) async fn configure(config: Object, outside: Outside) -> Outcome<Client> {
    let text = |name: &str| config.text(name).map(str::to_owned);
    let mut access = Access {
        region: text("region"),
        ..Access::default()
    };
    if let (Some(key), Some(secret)) = (text("access_key"), text("secret_key")) {
        access.identity.given = Some(StaticKeys {
            access: key,
            secret,
            token: text("token"),
        });
    }
    for endpoints in config.items("endpoints") {
        let entries = endpoints.as_entries().into_iter().flatten();
        access.endpoints.extend(
            entries.filter_map(|(name, value)| Some((name.to_string(), value.as_str()?.to_owned()))),
        );
    }
    let caller = Caller {
        clock: outside.clock.clone(),
        user_agent: outside.user_agent.clone(),
    };
    let session = Session::open(access, &caller)
        .await
        .map_err(|problem| Diagnostic::error(problem.summary, problem.detail))?;
    let path_style = config.flag("s3_use_path_style").unwrap_or(false);
    Ok(Client::new(session, TagRules::default(), path_style))
}

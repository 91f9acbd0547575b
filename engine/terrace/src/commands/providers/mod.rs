//! `terrace providers …`

mod lock;
mod mirror;
mod schema;
mod tree;

use std::collections::BTreeSet;
use std::sync::Arc;

use terrace_config::Config;
use terrace_provider_install::{Platform, Requirement};

use crate::args::ProvidersCommand;
use crate::command_error::{CommandError, Outcome};
use crate::session::Session;
use crate::wiring::{load_sound_config, needed_providers, requirements};

pub(crate) async fn run(session: &Arc<Session>, command: Option<ProvidersCommand>) -> Outcome {
    match command {
        None => tree::run(session).await,
        Some(ProvidersCommand::Lock(args)) => lock::run(session, &args).await,
        Some(ProvidersCommand::Mirror(args)) => mirror::run(session, &args).await,
        Some(ProvidersCommand::Schema(args)) => schema::run(session, &args).await,
    }
}

/// The configuration, which must be sound, and the providers that it requires.
fn required(session: &Session) -> Result<(Arc<Config>, Vec<Requirement>), CommandError> {
    let (config, diagnostics) = load_sound_config(session)?;
    session.view.diagnostics(diagnostics, &config.sources);
    let needed = needed_providers(&config, &terrace_state::State::default());
    let wanted = requirements(&config, &needed);
    Ok((config, wanted))
}

/// The platforms that options name; this one where they name none.
fn platforms(named: &[String]) -> Result<Vec<Platform>, CommandError> {
    let mut platforms = BTreeSet::new();
    for name in named {
        let platform: Platform = name.parse().map_err(|why: String| {
            CommandError::one(
                "invalid-option",
                "Invalid target platform",
                format!("The string {name:?} given in the -platform option is not a valid target platform: {why}."),
            )
        })?;
        platforms.insert(platform);
    }
    if platforms.is_empty() {
        platforms.insert(Platform::current());
    }
    Ok(platforms.into_iter().collect())
}

//! What installations have in common: registries with their credentials, and the cache of this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use terrace_forge::{Actions, GitHub};
use terrace_port::{Forge, Issuer};
use terrace_provider_install::{CliConfig, Event, Settings, UserDirectories};
use terrace_registry_client::{Credentials, Discovery, Http, HttpSettings};

use crate::command_error::CommandError;
use crate::session::Session;
use crate::view::downloads::Downloads;
use crate::wiring::{read_cli_config, user_directories};

/// What makes requests, as the environment asks for: one for all of a run, which shares connections and what registries
/// answered before.
pub(crate) fn http(session: &Session) -> Arc<Http> {
    let make = || {
        let variable = |name: &str| session.environment.get(name).map(str::to_owned);
        let mut settings = HttpSettings::from_environment(&variable);
        settings.answers = cache_directory(session).map(|root| root.join("answers"));
        Arc::new(Http::new(settings))
    };
    session.http.get_or_init(make).clone()
}

/// Where reviews are read. The token goes to the server that the environment names, as GitHub's runners do, and to no
/// other that a project file may name.
pub(crate) fn forge(session: &Session) -> Arc<dyn Forge> {
    let forge = GitHub::new(http(session));
    let variable = |name: &str| session.environment.get(name);
    let api = variable("GITHUB_API_URL").unwrap_or("https://api.github.com");
    match variable("GITHUB_TOKEN").or_else(|| variable("GH_TOKEN")) {
        Some(token) => Arc::new(forge.with_token(api, token.to_owned())),
        None => Arc::new(forge),
    }
}

/// Who vouches for workflows. Where this is one that may ask for tokens, its runner says where and with which secret.
pub(crate) fn issuer(session: &Session) -> Arc<dyn Issuer> {
    let actions = Actions::new(http(session));
    let variable = |name: &str| {
        let value = session.environment.get(name);
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    match (
        variable("ACTIONS_ID_TOKEN_REQUEST_URL"),
        variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    ) {
        (Some(url), Some(secret)) => Arc::new(actions.with_request(url, secret)),
        _ => Arc::new(actions),
    }
}

/// What finds registries, with the credentials and hosts of the CLI configuration.
pub(crate) fn discovery(
    session: &Session,
    http: &Arc<Http>,
) -> Result<Arc<Discovery>, CommandError> {
    let directories = user_directories(session);
    let config = read_cli_config(session, &directories)?.config;
    Ok(discovery_of(session, http, &config, &directories))
}

fn discovery_of(
    session: &Session,
    http: &Arc<Http>,
    config: &CliConfig,
    directories: &UserDirectories,
) -> Arc<Discovery> {
    let credentials = Credentials::new(
        &session.environment.with_prefix("TF_TOKEN_"),
        &config.services,
        directories.home.as_deref(),
        session.environment.get("PATH"),
    );
    Arc::new(Discovery::new(
        http.clone(),
        Arc::new(credentials),
        &config.services,
    ))
}

/// Gives an installation of providers what the environment has for it.
pub(crate) fn furnish(
    settings: &mut Settings,
    session: &Session,
    config: &CliConfig,
    directories: &UserDirectories,
) {
    settings.registries = discovery_of(session, &http(session), config, directories);
    settings.store = cache_directory(session).map(|root| root.join("providers"));
    if let Some(directory) = session.environment.get("DOCKER_CONFIG") {
        settings.docker_settings = Some(directory.into());
    }
}

/// Where things are kept for all working directories.
pub(crate) fn cache_directory(session: &Session) -> Option<PathBuf> {
    let environment = &session.environment;
    match environment.get("TERRACE_CACHE_DIR") {
        Some(directory) => Some(PathBuf::from(directory)),
        None => environment
            .get("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(Path::new(environment.get("HOME")?).join(".cache")))
            .map(|root| root.join("terrace")),
    }
}

/// Does the blocking work of an installation, whose events are shown.
pub(crate) async fn blocking<T: Send + 'static>(
    session: &Session,
    work: impl FnOnce(&mut dyn FnMut(&Event)) -> T + Send + 'static,
) -> Result<T, CommandError> {
    let mut downloads = Downloads::new(session.view);
    let work = tokio::task::spawn_blocking(move || {
        let done = work(&mut |event| downloads.show(event));
        downloads.finish();
        done
    });
    work.await.map_err(|error| {
        CommandError::one(
            "internal",
            "Installation of providers broke off",
            format!("The installation of providers broke off: {error}. This is a bug in Terrace."),
        )
    })
}

//! How providers' processes are started, and which of them somebody else has started.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use terrace_addr::ProviderAddr;
use terrace_port::{Provider, ProviderError, Surroundings};
use terrace_provider_client::{
    Guard, Launch, LogRecord, LogSink, PluginProvider, Reattach, SchemaCache,
};
use terrace_provider_install::Located;

use crate::command_error::CommandError;
use crate::outside::{Environment, own_program};
use crate::session::Session;

/// The variable that names providers which are running already.
const REATTACH: &str = "TF_REATTACH_PROVIDERS";

/// What all providers' processes have in common.
pub(crate) struct Plugins {
    attached: BTreeMap<ProviderAddr, Reattach>,
    /// Takes what they say for those who look for a mistake.
    pub(crate) log: Option<LogSink>,
    guard: Option<Arc<Guard>>,
    cache: Option<SchemaCache>,
    /// What they have in their environment.
    pub(crate) surroundings: Surroundings,
}

impl Plugins {
    /// What the environment asks for. Wrong where it names running providers in a way that makes no sense.
    pub(crate) fn new(session: &Session) -> Result<Self, CommandError> {
        Ok(Self {
            attached: attached(&session.environment)?,
            log: session.log.clone().map(|log| {
                let sink: LogSink = Arc::new(move |record: &LogRecord| log.take(record));
                sink
            }),
            guard: own_program().map(|program| Arc::new(Guard::new(program))),
            cache: cache_root(&session.environment)
                .map(|root| SchemaCache::new(root.join("schemas"))),
            surroundings: Surroundings::default(),
        })
    }

    /// Whether somebody else has started a provider: it is neither installed nor locked.
    pub(crate) fn is_attached(&self, provider: &ProviderAddr) -> bool {
        self.attached.contains_key(provider)
    }

    /// A provider's process, which is started when something is asked of it that its remembered schema does not tell;
    /// none for what is not a process.
    pub(crate) fn prepare(
        &self,
        provider: &ProviderAddr,
        located: Option<&Located>,
    ) -> Result<Arc<PluginProvider>, ProviderError> {
        let mut launch = Launch::new(provider.for_display(), PathBuf::new());
        match (self.attached.get(provider), located) {
            (Some(attach), _) => launch.attach = Some(attach.clone()),
            (None, Some(Located::Executable { path, hash, .. })) => {
                launch.program.clone_from(path);
                launch.schema_cache = self
                    .cache
                    .clone()
                    .zip(hash.as_ref().map(|hash| hash.0.clone()));
            }
            _ => {
                return Err(ProviderError {
                    message: format!(
                        "The provider {provider} is not installed. Run `terrace init`."
                    ),
                });
            }
        }
        let removed = self.surroundings.removed.iter();
        launch.removed = removed.map(OsString::from).collect();
        let set = self.surroundings.set.iter();
        launch.environment = set
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        launch.log.clone_from(&self.log);
        launch.guard.clone_from(&self.guard);
        Ok(Arc::new(PluginProvider::prepare(launch)))
    }
}

/// A provider that was handed out and may have begun to start.
pub(crate) fn as_provider(plugin: Arc<PluginProvider>) -> Arc<dyn Provider> {
    plugin
}

fn attached(environment: &Environment) -> Result<BTreeMap<ProviderAddr, Reattach>, CommandError> {
    let invalid = |why: String| {
        CommandError::one(
            "invalid-reattach",
            "Invalid reattach configuration",
            format!(
                "{REATTACH} does not say which providers are running: {why}. Set it to what the provider printed when it was started for debugging, or unset it."
            ),
        )
    };
    let Some(text) = environment.get(REATTACH) else {
        return Ok(BTreeMap::new());
    };
    let mut found = BTreeMap::new();
    for (address, attach) in Reattach::parse(text).map_err(invalid)? {
        let provider = ProviderAddr::parse(&address)
            .map_err(|error| invalid(format!("{address}: {error}")))?;
        found.insert(provider, attach);
    }
    Ok(found)
}

/// Where things are kept that can be had again: for all working directories of a user.
pub(crate) fn cache_root(environment: &Environment) -> Option<PathBuf> {
    if let Some(directory) = environment.get("TERRACE_CACHE_DIR") {
        return Some(PathBuf::from(directory));
    }
    let root = match environment.get("XDG_CACHE_HOME") {
        Some(directory) => PathBuf::from(directory),
        None => PathBuf::from(environment.get("HOME")?).join(".cache"),
    };
    Some(root.join("terrace"))
}

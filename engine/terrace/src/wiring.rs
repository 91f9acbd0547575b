//! Configuration, providers and evaluator put together: what planning and applying work with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use terrace_addr::version::{Constraints, Version};
use terrace_addr::{Name, ProviderAddr};
use terrace_config::variables::{self, VariableInputs, VariableOption, VariableOrigin};
use terrace_config::{Config, Snapshot};
use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceMap};
use terrace_encryption::{EncryptedStore, Encryption};
use terrace_eval::{Evaluator, Inputs, Paths};
use terrace_functions::{Context, FunctionTable};
use terrace_module_source::{Installed, Manifest};
use terrace_plan::{PlanInputs, PlannedProvider, UsedOutput, VariableInput};
use terrace_port::{Files as _, Provider, ProviderError, ProviderSource, Surroundings};
use terrace_provider_builtin::{Builtin, RemoteOutputs, RemoteStates};
use terrace_provider_client::PluginProvider;
use terrace_provider_install::{
    CliConfig, Installer, Located, LockFile, Requirement, Settings, UserDirectories,
};
use terrace_schema::ProviderSchema;
use terrace_state::State;
use terrace_value::{Marks, Value};
use tokio::sync::Mutex;

use crate::args::VariableArgument;
use crate::command_error::CommandError;
use crate::credentials;
use crate::early::Early;
use crate::native;
use crate::outside::{Disk, Environment, PlanningContext, SystemEntropy};
use crate::plugins::{Plugins, as_provider, cache_root};
use crate::session::{Place, Session};
use crate::stacks::{self, Taken};

/// Where provider packages come from and how they are found.
pub(crate) struct Wiring {
    pub(crate) installer: Installer,
    pub(crate) lock_file: LockFile,
    pub(crate) plugins: Plugins,
    /// How states are encrypted, once it is known.
    pub(crate) encryption: Arc<OnceLock<Encryption>>,
    /// The process's environment, from which backends take settings.
    pub(crate) environment: Environment,
}

impl Wiring {
    /// Reads the CLI configuration and the lock file.
    pub(crate) fn new(session: &Session) -> Result<Self, CommandError> {
        let environment = &session.environment;
        let directories = user_directories(session);
        let CliConfiguration {
            config,
            warnings,
            sources,
        } = read_cli_config(session, &directories)?;
        session.view.beside(warnings, &sources);
        let cache = environment.get("TF_PLUGIN_CACHE_DIR").map(PathBuf::from);
        let mut settings = Settings::new(
            session.data_directory().into(),
            Path::new("."),
            &config,
            &directories,
            cache,
        );
        settings.native = native::versions();
        crate::installation::furnish(&mut settings, session, &config, &directories);
        settings.verified = cache_root(environment).map(|root| root.join("verified"));
        let lock_file = read_lock_file()?;
        Ok(Self {
            installer: Installer::new(settings),
            lock_file,
            plugins: Plugins::new(session)?,
            encryption: Arc::clone(&session.encryption),
            environment: session.environment.clone(),
        })
    }
}

impl Wiring {
    /// The same, whose providers and their programs have this in their environment.
    pub(crate) fn within(mut self, surroundings: Surroundings) -> Self {
        self.plugins.surroundings = surroundings;
        self
    }

    /// Says that developers' own providers stand for installed ones, if any do.
    pub(crate) fn tell_overrides(&self, session: &Session) {
        let mut warnings = Diagnostics::new();
        warnings.extend(self.installer.dev_override_warning());
        session.view.diagnostics(warnings, &SourceMap::new());
    }
}

/// Where the user's own files are.
pub(crate) fn user_directories(session: &Session) -> UserDirectories {
    let environment = &session.environment;
    UserDirectories {
        home: environment.get("HOME").map(PathBuf::from),
        data_home: environment.get("XDG_DATA_HOME").map(PathBuf::from),
        data_directories: environment
            .get("XDG_DATA_DIRS")
            .map(|list| {
                list.split(':')
                    .filter(|path| !path.is_empty())
                    .map(PathBuf::from)
                    .collect()
            })
            .unwrap_or_default(),
    }
}

/// The CLI configuration, with what there is to say of it.
#[derive(Default)]
pub(crate) struct CliConfiguration {
    pub(crate) config: CliConfig,
    pub(crate) warnings: Diagnostics,
    pub(crate) sources: SourceMap,
}

/// Reads the CLI configuration.
pub(crate) fn read_cli_config(
    session: &Session,
    directories: &UserDirectories,
) -> Result<CliConfiguration, CommandError> {
    let named = ["TERRACE_CLI_CONFIG_FILE", "TF_CLI_CONFIG_FILE"]
        .into_iter()
        .find_map(|name| session.environment.get(name));
    let path = match named {
        Some(path) => Some(PathBuf::from(path)),
        None => directories
            .cli_config_candidates()
            .into_iter()
            .find(|path| path.is_file()),
    };
    let Some(path) = path else {
        return Ok(CliConfiguration::default());
    };
    let name = path.to_string_lossy().into_owned();
    if !path.exists() {
        // As the reference: whoever names a file that is not there yet may go on without it.
        let mut warnings = Diagnostics::new();
        warnings.push(Diagnostic::warning(
            "cli-configuration-missing",
            "Unable to open CLI configuration file",
            format!("The CLI configuration file at {name:?} does not exist."),
        ));
        return Ok(CliConfiguration {
            warnings,
            ..CliConfiguration::default()
        });
    }
    let bytes = Disk.read(&name).map_err(|error| {
        let detail = format!("The CLI configuration file {name} cannot be read: {error}.");
        CommandError::one(
            "unreadable-file",
            "CLI configuration cannot be read",
            detail,
        )
    })?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut sources = SourceMap::new();
    let id = sources.add(SourceFile::new(name, text.clone()));
    let (config, warnings) = CliConfig::parse(id, &text);
    if warnings.has_errors() {
        return Err(CommandError::new(warnings, sources));
    }
    Ok(CliConfiguration {
        config,
        warnings,
        sources,
    })
}

/// The lock file of the working directory; an empty one where there is none.
pub(crate) fn read_lock_file() -> Result<LockFile, CommandError> {
    let Ok(bytes) = Disk.read(LockFile::NAME) else {
        return Ok(LockFile::default());
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut sources = SourceMap::new();
    let id = sources.add(SourceFile::new(LockFile::NAME, text.clone()));
    let (lock, diagnostics) = LockFile::parse(id, &text);
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, sources));
    }
    Ok(lock)
}

/// The providers of a run: located once, started when asked for.
pub(crate) struct ProviderSet {
    wiring: Arc<Wiring>,
    requirements: Vec<Requirement>,
    located: Mutex<BTreeMap<ProviderAddr, Located>>,
    /// One started and not configured instance of each provider whose schema was asked for, handed out first.
    waiting: Mutex<BTreeMap<ProviderAddr, Waiting>>,
    remote: Arc<dyn RemoteStates>,
}

/// An instance of a provider that nobody has configured yet.
#[derive(Clone)]
struct Waiting {
    provider: Arc<dyn Provider>,
    /// The process that it has, which may not have been started yet.
    plugin: Option<Arc<PluginProvider>>,
}

impl ProviderSet {
    /// The providers that `config` requires.
    pub(crate) fn new(wiring: impl Into<Arc<Wiring>>, config: Option<&Config>) -> Arc<Self> {
        let wiring = wiring.into();
        let requirements = config.map(requirements_of).unwrap_or_default();
        let remote = Arc::new(RemoteStateFiles {
            encryption: Arc::clone(&wiring.encryption),
            environment: wiring.environment.clone(),
        });
        Arc::new(Self {
            wiring,
            requirements,
            located: Mutex::default(),
            waiting: Mutex::default(),
            remote,
        })
    }

    /// Finds what is installed for these providers, or says what is missing.
    pub(crate) async fn locate(
        &self,
        providers: &BTreeSet<ProviderAddr>,
    ) -> Result<(), CommandError> {
        let asked = |provider: &ProviderAddr| {
            let found = self
                .requirements
                .iter()
                .find(|requirement| requirement.provider == *provider);
            found.cloned().unwrap_or_else(|| Requirement {
                provider: provider.clone(),
                constraints: Constraints::default(),
            })
        };
        let wanted: Vec<Requirement> = providers
            .iter()
            .filter(|provider| !self.wiring.plugins.is_attached(provider))
            .map(asked)
            .collect();
        let (found, diagnostics) = self
            .wiring
            .installer
            .locate(&wanted, &self.wiring.lock_file);
        if diagnostics.has_errors() {
            return Err(CommandError::new(diagnostics, SourceMap::new()));
        }
        self.located.lock().await.extend(found);
        Ok(())
    }

    /// What a plan records of the providers that it uses.
    pub(crate) async fn planned(&self) -> Vec<PlannedProvider> {
        let located = self.located.lock().await;
        let mut planned: Vec<PlannedProvider> = located
            .iter()
            .map(|(provider, found)| {
                let (version, hash) = match found {
                    Located::Native(version) => (version.to_string(), String::new()),
                    Located::Executable { version, hash, .. } => (
                        version.as_ref().map(Version::to_string).unwrap_or_default(),
                        hash.as_ref().map(|hash| hash.0.clone()).unwrap_or_default(),
                    ),
                };
                PlannedProvider {
                    provider: provider.clone(),
                    version,
                    hash,
                }
            })
            .collect();
        planned.sort_by(|a, b| a.provider.cmp(&b.provider));
        planned
    }

    /// The schemas of these providers; all are started at the same time.
    pub(crate) async fn schemas(
        &self,
        providers: &BTreeSet<ProviderAddr>,
    ) -> Result<BTreeMap<ProviderAddr, Arc<ProviderSchema>>, CommandError> {
        self.locate(providers).await?;
        let answers =
            futures::future::join_all(providers.iter().map(|provider| self.schema(provider))).await;
        told_schemas(providers, answers)
    }

    /// As [`ProviderSet::schemas`], with what they say for people, which is asked of the providers themselves.
    pub(crate) async fn described_schemas(
        &self,
        providers: &BTreeSet<ProviderAddr>,
    ) -> Result<BTreeMap<ProviderAddr, Arc<ProviderSchema>>, CommandError> {
        self.locate(providers).await?;
        let described = async |provider| {
            let prepared = self.prepare(provider).await?;
            let answer = match &prepared.plugin {
                Some(plugin) => plugin.described_schema().await,
                None => prepared.provider.schema().await,
            };
            prepared.provider.close().await;
            answer
        };
        let answers = futures::future::join_all(providers.iter().map(described)).await;
        told_schemas(providers, answers)
    }

    /// The schemas of those providers that are there, for texts that can do without.
    pub(crate) async fn schemas_that_can_be_had(
        &self,
        providers: &BTreeSet<ProviderAddr>,
    ) -> BTreeMap<ProviderAddr, Arc<ProviderSchema>> {
        let mut schemas = BTreeMap::new();
        for provider in providers {
            let one = BTreeSet::from([provider.clone()]);
            if let Ok(found) = self.schemas(&one).await {
                schemas.extend(found);
            }
        }
        schemas
    }

    /// Starts those of these providers that are not started yet, all at the same time, and waits for none.
    pub(crate) async fn warm_up(&self, providers: &BTreeSet<ProviderAddr>) {
        for (provider, waiting) in &*self.waiting.lock().await {
            if let (Some(plugin), true) = (&waiting.plugin, providers.contains(provider)) {
                plugin.warm_up();
            }
        }
    }

    async fn schema(&self, provider: &ProviderAddr) -> Result<Arc<ProviderSchema>, ProviderError> {
        let waiting = self.waiting.lock().await.get(provider).cloned();
        let instance = match waiting {
            Some(instance) => instance,
            None => {
                let prepared = self.prepare(provider).await?;
                self.waiting
                    .lock()
                    .await
                    .insert(provider.clone(), prepared.clone());
                prepared
            }
        };
        let schema = instance.provider.schema().await?;
        let is_native = matches!(
            self.located.lock().await.get(provider),
            Some(Located::Native(_))
        );
        Ok(match native::more_types(provider).filter(|_| is_native) {
            None => schema,
            Some(advice) => Arc::new(ProviderSchema {
                more_types: Some(advice.into()),
                ..(*schema).clone()
            }),
        })
    }

    async fn prepare(&self, provider: &ProviderAddr) -> Result<Waiting, ProviderError> {
        let in_process = |provider| Waiting {
            provider,
            plugin: None,
        };
        if provider.is_builtin() {
            return Ok(in_process(Arc::new(Builtin::new(
                Arc::new(SystemEntropy),
                self.remote.clone(),
            ))));
        }
        let located = self.located.lock().await.get(provider).cloned();
        if let Some(Located::Native(_)) = located {
            let plugins = &self.wiring.plugins;
            let native = native::open(provider, &plugins.surroundings, plugins.log.as_ref());
            return native.map(in_process).ok_or_else(|| ProviderError {
                message: format!("There is no native provider for {provider}."),
            });
        }
        let plugin = self.wiring.plugins.prepare(provider, located.as_ref())?;
        Ok(Waiting {
            provider: as_provider(plugin.clone()),
            plugin: Some(plugin),
        })
    }

    /// Ends what was started and not handed out.
    pub(crate) async fn close(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock().await);
        let close = |waiting: Waiting| async move { waiting.provider.close().await };
        futures::future::join_all(waiting.into_values().map(close)).await;
    }
}

/// The schemas that providers told, or why they did not.
fn told_schemas(
    providers: &BTreeSet<ProviderAddr>,
    answers: Vec<Result<Arc<ProviderSchema>, ProviderError>>,
) -> Result<BTreeMap<ProviderAddr, Arc<ProviderSchema>>, CommandError> {
    let mut schemas = BTreeMap::new();
    let mut diagnostics = Diagnostics::new();
    for (provider, answer) in providers.iter().zip(answers) {
        match answer {
            Ok(schema) => {
                schemas.insert(provider.clone(), schema);
            }
            Err(error) => {
                let detail = format!(
                    "The provider {} could not give its schema: {}",
                    provider.for_display(),
                    error.message
                );
                diagnostics.push(
                    Diagnostic::error("provider-failed", "Provider failed", detail).hint(
                        "run `terrace init` to install the provider again, or the same command with TF_LOG=debug to read what the provider says",
                    ),
                );
            }
        }
    }
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, SourceMap::new()));
    }
    Ok(schemas)
}

#[async_trait]
impl ProviderSource for ProviderSet {
    async fn open(&self, provider: &ProviderAddr) -> Result<Arc<dyn Provider>, ProviderError> {
        let waiting = self.waiting.lock().await.remove(provider);
        let instance = match waiting {
            Some(instance) => instance,
            None => self.prepare(provider).await?,
        };
        if let Some(plugin) = &instance.plugin {
            plugin.warm_up();
        }
        Ok(instance.provider)
    }

    fn call_function(
        &self,
        provider: &ProviderAddr,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        if provider.is_builtin() {
            return terrace_provider_builtin::call_function(name, arguments);
        }
        // The caller evaluates expressions and cannot wait; the runtime has a second thread that drives the provider.
        let call = async {
            let instance = match self.waiting.lock().await.get(provider).cloned() {
                Some(instance) => instance,
                None => self
                    .prepare(provider)
                    .await
                    .map_err(|error| (None, error.message))?,
            };
            let answer = instance
                .provider
                .call_function(name, arguments.to_vec())
                .await;
            self.waiting
                .lock()
                .await
                .entry(provider.clone())
                .or_insert(instance);
            answer.map_err(|error| (None, error.message))?
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(call))
    }
}

/// What `config` asks of each of these providers; nothing of those that only the state names.
pub(crate) fn requirements(
    config: &Config,
    providers: &BTreeSet<ProviderAddr>,
) -> Vec<Requirement> {
    let mut wanted = requirements_of(config);
    for provider in providers {
        if !wanted
            .iter()
            .any(|requirement| requirement.provider == *provider)
        {
            wanted.push(Requirement {
                provider: provider.clone(),
                constraints: Constraints::default(),
            });
        }
    }
    wanted
}

fn requirements_of(config: &Config) -> Vec<Requirement> {
    let parse = |versions: Vec<(String, terrace_diag::Span)>| {
        // What cannot be read was reported when the configuration was loaded.
        versions
            .into_iter()
            .filter_map(|(text, _)| text.parse::<Constraints>().ok())
            .fold(Constraints::default(), Constraints::and)
    };
    config
        .provider_requirements()
        .into_iter()
        .map(|(provider, versions)| Requirement {
            provider,
            constraints: parse(versions),
        })
        .collect()
}

/// Opens the states that `terraform_remote_state` names.
struct RemoteStateFiles {
    encryption: Arc<OnceLock<Encryption>>,
    environment: Environment,
}

#[async_trait]
impl RemoteStates for RemoteStateFiles {
    async fn outputs(
        &self,
        backend: &str,
        config: &Value,
        workspace: &str,
    ) -> Result<Option<RemoteOutputs>, String> {
        let arguments = config.as_entries().cloned().unwrap_or_default();
        let arguments = arguments
            .into_iter()
            .map(|(name, value)| (name.to_string(), value))
            .collect();
        let told = |error: CommandError| {
            let first = error.diagnostics.iter().next();
            first.map_or_else(String::new, |diagnostic| {
                format!("{}: {}", diagnostic.summary, diagnostic.detail)
            })
        };
        let store = crate::backends::open(&self.environment, backend, &arguments, Path::new("."))
            .map_err(told)?;
        let store = match self.encryption.get() {
            Some(encryption) => EncryptedStore::of_another(store, encryption),
            None => store,
        };
        let stored = store
            .read(workspace)
            .await
            .map_err(|error| told(error.into()))?;
        let Some(stored) = stored else {
            return Ok(None);
        };
        let state = terrace_state::read(&stored.bytes).map_err(|error| told(error.into()))?;
        let outputs = state.outputs.into_iter().map(|(name, output)| {
            let value = if output.sensitive {
                output.value.with_marks(Marks::SENSITIVE)
            } else {
                output.value
            };
            (name, value)
        });
        Ok(Some(outputs.collect()))
    }
}

/// A configuration with what there is to say of it.
pub(crate) type LoadedConfig = (Arc<Config>, Diagnostics);

/// The configuration of the working directory: the one that was loaded to find the backend, or loaded now.
pub(crate) fn load_config(session: &Session) -> Result<LoadedConfig, CommandError> {
    match session
        .loaded
        .lock()
        .ok()
        .and_then(|mut loaded| loaded.take())
    {
        Some(loaded) => Ok(loaded),
        None => read_config(session),
    }
}

/// The configuration of the working directory with no more than warnings: what is wrong with it is the error.
pub(crate) fn load_sound_config(session: &Session) -> Result<LoadedConfig, CommandError> {
    let (config, diagnostics) = load_config(session)?;
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, config.sources.clone()));
    }
    Ok((config, diagnostics))
}

fn read_config(session: &Session) -> Result<LoadedConfig, CommandError> {
    let manifest = Manifest::read(&Disk, &session.data_directory()).map_err(|error| {
        CommandError::one(
            "invalid-manifest",
            "Manifest of modules cannot be read",
            error.0,
        )
    })?;
    let resolver = Installed::new(&Disk, manifest);
    let early = Early::new(session);
    let (config, diagnostics) = terrace_config::load_with(&session.root, &Disk, &resolver, &early);
    Ok((Arc::new(config), diagnostics))
}

/// The configuration where there is one, whatever is wrong with it: to know the backend. [`load_config`] gives
/// the same one afterwards, so that it is read once.
pub(crate) fn load_config_for_backend(session: &Session) -> Option<Arc<Config>> {
    let (config, diagnostics) = load_config(session).ok()?;
    if let Ok(mut loaded) = session.loaded.lock() {
        *loaded = Some((config.clone(), diagnostics));
    }
    Some(config)
}

/// The configuration with its variables, providers and evaluator.
pub(crate) struct Work {
    /// The configuration's files and the variables files.
    pub(crate) sources: SourceMap,
    pub(crate) providers: Arc<ProviderSet>,
    pub(crate) evaluator: Arc<Evaluator>,
    pub(crate) context: Arc<PlanningContext>,
    pub(crate) inputs: PlanInputs,
    /// Values of ephemeral variables, which no plan holds.
    pub(crate) ephemeral: BTreeMap<Name, Value>,
}

impl Work {
    /// Puts everything together for planning at `place` over `state`.
    pub(crate) async fn prepare(
        session: &Session,
        place: &Place,
        state: &State,
    ) -> Result<Self, CommandError> {
        let (config, diagnostics) = load_config(session)?;
        if diagnostics.has_errors() {
            return Err(CommandError::new(diagnostics, config.sources.clone()));
        }
        session.view.diagnostics(diagnostics, &config.sources);
        let mut sources = config.sources.clone();
        let mut taken = stacks::take(session, place, &config).await?;
        let values = variable_values(session, place, &config, &mut sources, &mut taken)?;
        let mut work = Self::assemble(session, place, config, sources, (values, state)).await?;
        work.inputs.upstream = taken.used;
        Ok(work)
    }

    async fn assemble(
        session: &Session,
        place: &Place,
        config: Arc<Config>,
        sources: SourceMap,
        (values, state): (BTreeMap<Name, (Value, bool)>, &State),
    ) -> Result<Self, CommandError> {
        let surroundings = credentials::for_planning(session, place).await?;
        let wiring = Wiring::new(session)?.within(surroundings);
        wiring.tell_overrides(session);
        let providers = ProviderSet::new(wiring, Some(&config));
        let schemas = providers
            .schemas(&needed_providers(&config, state))
            .await
            .map_err(|mut error| {
                error.sources = sources.clone();
                error
            })?;
        providers.warm_up(&working_providers(&config, state)).await;
        let timestamp = session.now();
        let home = session.environment.get("HOME").map(str::to_owned);
        let context = Arc::new(PlanningContext::new(timestamp.clone(), home));
        let root = &config.root.module;
        let is_ephemeral = |name: &Name| {
            root.variables
                .get(name)
                .is_some_and(|variable| variable.ephemeral)
        };
        let ephemeral = values
            .iter()
            .filter(|(name, _)| is_ephemeral(name))
            .map(|(name, (value, _))| (name.clone(), value.clone()))
            .collect();
        let recorded = values.iter().map(|(name, (value, set))| {
            let sensitive = root
                .variables
                .get(name)
                .is_some_and(|variable| variable.sensitive);
            let value = if sensitive {
                value.clone().with_marks(Marks::SENSITIVE)
            } else {
                value.clone()
            };
            (
                name.clone(),
                VariableInput {
                    value: (!is_ephemeral(name)).then_some(value),
                    set: *set,
                },
            )
        });
        let inputs = PlanInputs {
            configuration: config.snapshot.clone(),
            variables: recorded.collect(),
            providers: providers.planned().await,
            workspace: place.workspace.clone(),
            environment: place.environment.clone(),
            timestamp,
            ..PlanInputs::default()
        };
        let evaluator = Evaluator::new(Inputs {
            config,
            functions: Arc::new(FunctionTable::standard()),
            context: context.clone() as Arc<dyn Context>,
            schemas: Arc::new(schemas),
            variables: values
                .into_iter()
                .map(|(name, (value, _))| (name, value))
                .collect(),
            workspace: place.workspace.clone(),
            paths: Paths {
                cwd: Disk.absolute("."),
                root: session.root.clone(),
            },
            applying: false,
        });
        let problems = evaluator.provider_meta_problems();
        if problems.has_errors() {
            providers.close().await;
            return Err(CommandError::new(problems, sources));
        }
        Ok(Self {
            sources,
            providers,
            evaluator: Arc::new(evaluator),
            context,
            inputs,
            ephemeral,
        })
    }
}

/// Providers of the configuration and of what the state holds.
pub(crate) fn needed_providers(config: &Config, state: &State) -> BTreeSet<ProviderAddr> {
    let mut needed: BTreeSet<ProviderAddr> = config.provider_requirements().into_keys().collect();
    needed.extend(providers_of_state(config, state));
    needed
}

/// The providers of what a state holds, as the configuration names them.
fn providers_of_state(config: &Config, state: &State) -> BTreeSet<ProviderAddr> {
    let resources = state.resources.values();
    let named: BTreeSet<&ProviderAddr> = resources
        .map(|resource| &resource.provider.provider)
        .collect();
    let named: BTreeSet<ProviderAddr> = named.into_iter().cloned().collect();
    let twins = config.twins(&named);
    let settle = |provider| twins.get(&provider).cloned().unwrap_or(provider);
    named.into_iter().map(settle).collect()
}

/// Those of the providers that have something to do: of resources in the configuration and of what the state holds.
fn working_providers(config: &Config, state: &State) -> BTreeSet<ProviderAddr> {
    let mut working: BTreeSet<ProviderAddr> = config
        .root
        .walk()
        .flat_map(|node| node.module.resources.values())
        .map(|resource| resource.provider.clone())
        .collect();
    working.extend(providers_of_state(config, state));
    working
}

/// The variables as they were given, and whether someone gave them. Of what is taken from other stacks, that stays which they
/// have their values from.
pub(crate) fn variable_values(
    session: &Session,
    place: &Place,
    config: &Config,
    sources: &mut SourceMap,
    taken: &mut Taken,
) -> Result<BTreeMap<Name, (Value, bool)>, CommandError> {
    let files = place
        .variable_files
        .iter()
        .cloned()
        .map(VariableOption::File);
    let options = session.variables.iter().map(variable_option);
    let provided = taken.values.iter().map(provided_option);
    let inputs = VariableInputs {
        options: files.chain(provided).chain(options).collect(),
        environment: session.environment.with_prefix("TF_VAR_"),
    };
    let root = &config.root.module;
    let (raw, mut diagnostics) = variables::collect(root, &inputs, &Disk, sources);
    let mut values = BTreeMap::new();
    let is_used = |used: &UsedOutput| {
        let found = raw.get(used.variable.as_str());
        found.is_some_and(|raw| raw.origin == VariableOrigin::Provided)
    };
    taken.used.retain(is_used);
    for (name, raw) in raw {
        if let Some(variable) = root.variables.get(&name)
            && let Err(problem) = variables::convert_raw(variable, &raw, sources)
        {
            diagnostics.push(problem);
        }
        values.insert(name, (raw.value, raw.origin != VariableOrigin::Default));
    }
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, sources.clone()));
    }
    session.view.diagnostics(diagnostics, sources);
    Ok(values)
}

/// A value that another stack gives, as the configuration reads it.
pub(crate) fn provided_option((name, value): (&String, &Value)) -> VariableOption {
    VariableOption::Provided {
        name: name.clone(),
        value: value.clone(),
    }
}

/// An option that gives values, as the configuration reads it.
pub(crate) fn variable_option(argument: &VariableArgument) -> VariableOption {
    match argument {
        VariableArgument::Assignment(text) => VariableOption::Value(text.clone()),
        VariableArgument::File(path) => VariableOption::File(path.clone()),
    }
}

/// The configuration that a plan holds.
pub(crate) fn config_of_snapshot(snapshot: &Snapshot) -> Arc<Config> {
    Arc::new(terrace_config::load_snapshot(snapshot).0)
}

//! Modules wired together: registries, the shared cache, the manifest and the lock file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use terrace_config::Config;
use terrace_diag::{Diagnostics, SourceFile, SourceMap};
use terrace_module_source::{
    Installation, InstallationSettings, Installed, Manifest, ModuleEvent, ModuleLock, Outcome,
};
use terrace_port::Files as _;
use terrace_provider_install::Requirement;
use terrace_registry_client::ModuleRegistry;

use crate::command_error::CommandError;
use crate::early::Early;
use crate::installation::{cache_directory, discovery, http};
use crate::outside::{Disk, write_file};
use crate::session::Session;
use crate::test_modules;
use crate::view::steps::Step;

/// How modules are to be installed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ModuleOptions {
    /// Select and fetch everything anew.
    pub(crate) upgrade: bool,
    /// The lock file must not change.
    pub(crate) readonly: bool,
    /// Whether to say that modules are being initialised.
    pub(crate) heading: bool,
}

/// Loads the configuration, installs the modules that it calls and those that test files in `tests` test, and keeps where
/// and what they are. Returns the configuration and what the tests need of providers.
pub(crate) async fn install(
    session: &Arc<Session>,
    options: ModuleOptions,
    tests: &str,
) -> Result<(Config, Vec<Requirement>), CommandError> {
    let data_directory = session.data_directory();
    let earlier = Outcome {
        // A manifest that cannot be read is made again.
        manifest: Manifest::read(&Disk, &data_directory).unwrap_or_default(),
        lock: read_lock()?,
    };
    let work = {
        let (session, earlier) = (session.clone(), earlier.clone());
        let tests = tests.to_owned();
        // Fetching blocks, and is no work for the threads of the runtime.
        tokio::task::spawn_blocking(move || load(&session, options, earlier, &tests))
    };
    let (config, diagnostics, of_tests, outcome) = work.await.map_err(|error| {
        CommandError::one(
            "internal",
            "Installation of modules broke off",
            format!("The installation of modules broke off: {error}. This is a bug in Terrace."),
        )
    })??;
    if diagnostics.has_errors() {
        let told = if config.unmet_versions.has_errors() {
            config.unmet_versions.clone()
        } else {
            diagnostics
        };
        return Err(CommandError::new(told, config.sources.clone()));
    }
    session.view.diagnostics(diagnostics, &config.sources);
    save(session, options, &earlier, &outcome)?;
    Ok((config, of_tests?))
}

/// What test files in `directory` need of providers, as far as the modules that they test are installed.
pub(crate) fn needed_by_tests(
    session: &Session,
    config: &Config,
    directory: &str,
) -> Vec<Requirement> {
    let manifest = Manifest::read(&Disk, &session.data_directory()).unwrap_or_default();
    let resolver = Installed::new(&Disk, manifest);
    // What is missing is told by the command that needs it.
    test_modules::needed(session, config, &resolver, directory).unwrap_or_default()
}

/// A configuration with what there is to say of it, what tests need of providers, and what is installed.
type Loaded = (
    Config,
    Diagnostics,
    Result<Vec<Requirement>, CommandError>,
    Outcome,
);

/// Copies a module into the working directory, which must be empty.
pub(crate) async fn copy(session: &Arc<Session>, source: &str) -> Result<(), CommandError> {
    let kept = [session.data_directory(), ".git".to_owned()];
    let is_empty = Disk
        .list(".")
        .is_ok_and(|entries| entries.iter().all(|entry| kept.contains(&entry.name)));
    if !is_empty {
        return Err(CommandError::one(
            "directory-not-empty",
            "Working directory is not empty",
            "The working directory already contains files. The -from-module option requires an empty directory into which a copy of the referenced module will be placed.\n\nTo initialize the configuration already in this working directory, omit the -from-module option.",
        ));
    }
    session.view.step(
        Step::CopyingConfiguration,
        &format!("Copying configuration from {source:?}..."),
    );
    let (session, source) = (session.clone(), source.to_owned());
    let work = tokio::task::spawn_blocking(move || {
        let installation = installation(&session, ModuleOptions::default(), Outcome::default())?;
        installation
            .copy_module(&source, None, Path::new("."))
            .map_err(CommandError::from)
    });
    work.await.map_err(|error| {
        CommandError::one(
            "internal",
            "Installation of modules broke off",
            format!("The installation of modules broke off: {error}. This is a bug in Terrace."),
        )
    })?
}

/// Fetches the package of a module, as a call names its source and version, into a directory that is there and empty.
pub(crate) async fn fetch_into(
    session: &Arc<Session>,
    source: &str,
    version: Option<&str>,
    into: &Path,
) -> Result<(), CommandError> {
    let (session, source, into) = (session.clone(), source.to_owned(), into.to_owned());
    let version = version.map(str::to_owned);
    let work = tokio::task::spawn_blocking(move || {
        let installation = installation(&session, ModuleOptions::default(), Outcome::default())?;
        installation
            .copy_module(&source, version.as_deref(), &into)
            .map_err(CommandError::from)
    });
    work.await.map_err(|error| {
        CommandError::one(
            "internal",
            "Installation of modules broke off",
            format!("The installation of modules broke off: {error}. This is a bug in Terrace."),
        )
    })?
}

fn load(
    session: &Session,
    options: ModuleOptions,
    earlier: Outcome,
    tests: &str,
) -> Result<Loaded, CommandError> {
    let installation = installation(session, options, earlier)?;
    let early = Early::new(session);
    let (config, mut diagnostics) = terrace_config::load_with(".", &Disk, &installation, &early);
    let of_tests = if diagnostics.has_errors() {
        Ok(Vec::new())
    } else {
        test_modules::needed(session, &config, &installation, tests)
    };
    for warning in installation.warnings() {
        diagnostics.push(warning);
    }
    Ok((config, diagnostics, of_tests, installation.finish()))
}

fn installation(
    session: &Session,
    options: ModuleOptions,
    earlier: Outcome,
) -> Result<Installation<'static>, CommandError> {
    let http = http(session);
    let settings = InstallationSettings {
        working_directory: PathBuf::from("."),
        data_directory: session.data_directory(),
        cache: cache_directory(session).map(|root| root.join("modules")),
        upgrade: options.upgrade,
        registry: ModuleRegistry::new(discovery(session, &http)?),
        http,
        environment: session.environment.with_prefix(""),
    };
    let view = session.view;
    let observer = move |event: &ModuleEvent| match event {
        ModuleEvent::Begun { .. } if !options.heading => {}
        ModuleEvent::Begun { upgrade } => {
            let step = if *upgrade {
                Step::UpgradingModules
            } else {
                Step::Modules
            };
            view.step(step, &event.to_string());
        }
        event => view.detail(&event.to_string()),
    };
    Installation::new(&Disk, settings, earlier, observer).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "Modules cannot be installed",
            format!("No directory for downloads can be made: {error}."),
        )
    })
}

fn read_lock() -> Result<ModuleLock, CommandError> {
    let Ok(bytes) = Disk.read(ModuleLock::NAME) else {
        return Ok(ModuleLock::default());
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut sources = SourceMap::new();
    let id = sources.add(SourceFile::new(ModuleLock::NAME, text.clone()));
    let (lock, diagnostics) = ModuleLock::parse(id, &text);
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, sources));
    }
    Ok(lock)
}

/// Writes the manifest and the lock file, where they say something new.
fn save(
    session: &Session,
    options: ModuleOptions,
    earlier: &Outcome,
    outcome: &Outcome,
) -> Result<(), CommandError> {
    if options.readonly && earlier.lock != outcome.lock {
        return Err(CommandError::one(
            "lock-file-readonly",
            "Module dependency changes detected",
            format!(
                "Changes to the modules of this configuration were detected: {}. {} would change, and -lockfile=readonly forbids it. Run \"terrace init\" without that option, and keep the file under version control.",
                changed_modules(&earlier.lock, &outcome.lock),
                ModuleLock::NAME
            ),
        ));
    }
    let path = Manifest::path(&session.data_directory());
    let has_modules = outcome.manifest.records.len() > 1;
    if has_modules || Disk.exists(&path) {
        write_file(&path, &outcome.manifest.to_bytes()).map_err(|error| {
            CommandError::one(
                "unwritable-file",
                "Manifest cannot be written",
                format!("{path} cannot be written: {error}."),
            )
        })?;
    }
    if earlier.lock == outcome.lock {
        return Ok(());
    }
    outcome
        .lock
        .save(Path::new(ModuleLock::NAME))
        .map_err(|error| {
            CommandError::one(
                "unwritable-file",
                "Lock file cannot be written",
                format!("{} cannot be written: {error}.", ModuleLock::NAME),
            )
        })
}

fn changed_modules(earlier: &ModuleLock, now: &ModuleLock) -> String {
    let all: BTreeSet<&String> = earlier.modules.keys().chain(now.modules.keys()).collect();
    let changed: Vec<String> = all
        .into_iter()
        .filter(|key| earlier.modules.get(*key) != now.modules.get(*key))
        .map(|key| format!("{key:?}"))
        .collect();
    changed.join(", ")
}

//! One invocation: the environment, the view, and where the state is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use terrace_backend_embedded::EmbeddedStore;
use terrace_backend_local::{LocalOptions, LocalStore};
use terrace_config::Config;
use terrace_diag::{Diagnostic, SourceFile, SourceMap};
use terrace_encryption::{EncryptedStore, Encryption};
use terrace_gate::{
    AuditEvent, AuditHead, Environment as ProjectEnvironment, Project, Rules, append_signed_audit,
    guard_manual_write, parse_project,
};
use terrace_port::{
    Clock as _, Entropy as _, Files as _, LockInfo, LockedState, StateStore, StoreError,
};
use terrace_provider_client::LogLevel;
use terrace_registry_client::Http;
use terrace_value::Value;

use crate::args::{StateFiles, VariableArgument};
use crate::backends;
use crate::command_error::CommandError;
use crate::outside::{Disk, Environment, SystemClock, SystemEntropy, rfc3339, write_file};
use crate::signing::Keys;
use crate::view::View;
use crate::view::log::Log;
use crate::wiring::LoadedConfig;

/// What every command has.
pub(crate) struct Session {
    /// The process's environment.
    pub(crate) environment: Environment,
    /// How to speak.
    pub(crate) view: View,
    /// The log, where one is asked for.
    pub(crate) log: Option<Arc<Log>>,
    /// `-var` and `-var-file` in order.
    pub(crate) variables: Vec<VariableArgument>,
    /// Whether an apply is being carried out, which ends by its own rules when it is interrupted.
    pub(crate) carrying_out: Arc<AtomicBool>,
    /// The root module's directory.
    pub(crate) root: String,
    /// The configuration that was loaded to find the backend, until someone works with it.
    pub(crate) loaded: Mutex<Option<LoadedConfig>>,
    /// What makes requests, once something does.
    pub(crate) http: OnceLock<Arc<Http>>,
    /// How states and plan files are encrypted, once it is known.
    pub(crate) encryption: Arc<OnceLock<Encryption>>,
    /// The key that a command signs with.
    pub(crate) keys: Keys,
    /// The directory to which relative paths of stores belong: the working directory, or that of another stack.
    pub(crate) base: PathBuf,
}

/// Where a state is, and under which rules.
pub(crate) struct Place {
    /// The store.
    pub(crate) store: Arc<dyn StateStore>,
    /// The workspace.
    pub(crate) workspace: String,
    /// The project file with its directory, where there is one.
    pub(crate) project: Option<FoundProject>,
    /// The environment that was chosen.
    pub(crate) environment: Option<String>,
    /// The rules that the project file states for it.
    pub(crate) rules: Option<Rules>,
    /// Its variables files, relative to the working directory.
    pub(crate) variable_files: Vec<String>,
}

impl Place {
    /// The same place, with what is kept there encrypted.
    fn encrypted(mut self, encryption: &Encryption) -> Self {
        self.store = EncryptedStore::around(self.store, encryption);
        self
    }
}

/// A project file.
#[derive(Clone)]
pub(crate) struct FoundProject {
    pub(crate) project: Project,
    /// The directory that holds it.
    pub(crate) directory: PathBuf,
    /// The working directory relative to it; `.` where they are the same.
    pub(crate) stack: String,
}

impl FoundProject {
    /// What to say of the name of an environment that it does not define.
    pub(crate) fn knows_no_environment(&self, name: &str) -> CommandError {
        let environments = self.project.environments.iter();
        let names: Vec<&str> = environments
            .map(|environment| environment.name.as_str())
            .collect();
        let detail = format!(
            "The project file defines no environment {name:?}. It defines: {}.",
            names.join(", ")
        );
        CommandError::one("unknown-environment", "Unknown environment", detail)
    }

    /// The project file, for diagnostics that speak of it.
    pub(crate) fn sources(&self) -> SourceMap {
        let path = self.directory.join(PROJECT_FILE);
        let text = Disk
            .read(&path.to_string_lossy())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let mut sources = SourceMap::new();
        sources.add(SourceFile::new(PROJECT_FILE, text.unwrap_or_default()));
        sources
    }
}

/// The project file's name.
const PROJECT_FILE: &str = "terrace.hcl";

impl Session {
    /// Now, in RFC 3339.
    #[expect(
        clippy::unused_self,
        reason = "the session is what commands know of the outside"
    )]
    pub(crate) fn now(&self) -> String {
        rfc3339(SystemClock.now().0)
    }

    /// `user@host`, as locks and runs name who did something.
    pub(crate) fn actor(&self) -> String {
        let user = ["USER", "LOGNAME", "USERNAME"]
            .into_iter()
            .find_map(|name| self.environment.get(name))
            .filter(|name| !name.is_empty())
            .map_or_else(system_user, str::to_owned);
        let host = Disk
            .read("/etc/hostname")
            .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
            .unwrap_or_default();
        let host = self
            .environment
            .get("HOSTNAME")
            .map(str::to_owned)
            .unwrap_or(host);
        if host.is_empty() {
            user
        } else {
            format!("{user}@{host}")
        }
    }

    /// The directory of what Terrace keeps for a working directory.
    pub(crate) fn data_directory(&self) -> String {
        self.environment
            .get("TF_DATA_DIR")
            .unwrap_or(".terraform")
            .to_owned()
    }

    /// The workspace that was chosen.
    pub(crate) fn workspace(&self) -> String {
        if let Some(workspace) = self.environment.get("TF_WORKSPACE") {
            return workspace.to_owned();
        }
        let file = format!("{}/environment", self.data_directory());
        let chosen = Disk
            .read(&file)
            .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
            .unwrap_or_default();
        if chosen.is_empty() {
            "default".to_owned()
        } else {
            chosen
        }
    }

    /// What a lock says of this process.
    pub(crate) fn lock_info(&self, operation: &str) -> LockInfo {
        let mut bytes = [0; 16];
        SystemEntropy.fill(&mut bytes);
        let id = uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string();
        LockInfo {
            id,
            operation: operation.to_owned(),
            info: String::new(),
            who: self.actor(),
            version: terrace_state::TERRAFORM_VERSION.to_owned(),
            created: self.now(),
            path: String::new(),
            lease: None,
        }
    }

    /// The project file above the working directory, if there is one.
    pub(crate) fn find_project(&self) -> Result<Option<FoundProject>, CommandError> {
        let here = PathBuf::from(Disk.absolute("."));
        for directory in here.ancestors() {
            let path = directory.join(PROJECT_FILE);
            let Ok(bytes) = Disk.read(&path.to_string_lossy()) else {
                continue;
            };
            let mut sources = SourceMap::new();
            let id = sources.add(SourceFile::new(
                PROJECT_FILE,
                String::from_utf8_lossy(&bytes).into_owned(),
            ));
            let (mut project, mut diagnostics) = parse_project(id, &bytes);
            if !diagnostics.has_errors() {
                let path = directory.to_string_lossy();
                diagnostics.append(project.load_policies(&Disk, &path, &mut sources));
            }
            if diagnostics.has_errors() {
                return Err(CommandError::new(diagnostics, sources));
            }
            self.view.diagnostics(diagnostics, &sources);
            let stack = here
                .strip_prefix(directory)
                .map(|path| path.to_string_lossy().into_owned())
                .unwrap_or_default();
            let stack = if stack.is_empty() {
                ".".to_owned()
            } else {
                stack
            };
            return Ok(Some(FoundProject {
                project,
                directory: directory.to_owned(),
                stack,
            }));
        }
        Ok(None)
    }

    /// Where the state is that a command works with: the environment's, or the configuration's own.
    pub(crate) fn place(
        &self,
        environment: Option<&str>,
        config: Option<&Config>,
    ) -> Result<Place, CommandError> {
        let place = self.plain_place(environment, config)?;
        if let (Some(log), Some(name)) = (&self.log, &place.environment) {
            log.in_environment(name);
        }
        Ok(place.encrypted(self.encryption(config)?))
    }

    fn plain_place(
        &self,
        environment: Option<&str>,
        config: Option<&Config>,
    ) -> Result<Place, CommandError> {
        let project = self.find_project()?;
        let Some(name) = environment else {
            let store = self.own_store(config)?;
            let workspace = self.workspace();
            return Ok(Place {
                store,
                workspace,
                project,
                environment: None,
                rules: None,
                variable_files: Vec::new(),
            });
        };
        let Some(found) = project else {
            return Err(Diagnostic::error(
                "no-project",
                "No project file",
                format!("The environment {name:?} was chosen, and there is no {PROJECT_FILE} in this directory or above it."),
            )
            .hint("write one, or leave out -env and TERRACE_ENV")
            .into());
        };
        let chosen = found.project.environment(name);
        let chosen = chosen.ok_or_else(|| found.knows_no_environment(name))?;
        self.environment_place(&found, chosen, config)
    }

    /// Where an environment keeps the state of this stack.
    pub(crate) fn environment_place(
        &self,
        found: &FoundProject,
        environment: &ProjectEnvironment,
        config: Option<&Config>,
    ) -> Result<Place, CommandError> {
        let (store, default_workspace) = match &environment.backend {
            Some(backend) => {
                let (arguments, diagnostics) = backend.arguments(&environment.name, &found.stack);
                if diagnostics.has_errors() {
                    return Err(CommandError::new(diagnostics, found.sources()));
                }
                (
                    backends::open(
                        &self.environment,
                        &backend.type_name,
                        &arguments,
                        &found.directory,
                    )?,
                    "default".to_owned(),
                )
            }
            None if config.is_some_and(|config| config.root.module.backend.is_some()) => {
                (self.own_store(config)?, environment.name.clone())
            }
            None => {
                let directory = found
                    .directory
                    .join(".terrace")
                    .join("store")
                    .join(&found.stack);
                let store: Arc<dyn StateStore> = Arc::new(EmbeddedStore::new(directory));
                (store, environment.name.clone())
            }
        };
        let here = PathBuf::from(Disk.absolute("."));
        let relative = |file: &String| {
            let path = found.directory.join(file);
            path.strip_prefix(&here).map_or_else(
                |_| path.to_string_lossy().into_owned(),
                |path| path.to_string_lossy().into_owned(),
            )
        };
        Ok(Place {
            store,
            workspace: environment.workspace.clone().unwrap_or(default_workspace),
            rules: Some(found.project.rules(environment)),
            variable_files: environment.variables.iter().map(relative).collect(),
            environment: Some(environment.name.clone()),
            project: Some(found.clone()),
        })
    }

    /// As [`Session::place`] without an environment, with the state in files that the command line names.
    pub(crate) fn place_in_files(
        &self,
        files: &StateFiles,
        config: Option<&Config>,
    ) -> Result<Place, CommandError> {
        let backend = config.and_then(|config| config.root.module.backend.as_ref());
        if let Some(backend) = backend
            && &*backend.type_name != "local"
        {
            let detail = format!(
                "The options -state, -state-out and -backup name files of the backend \"local\", and the configuration keeps its state in the backend {:?}.",
                &*backend.type_name
            );
            return Err(CommandError::one(
                "incompatible-options",
                "State files belong to the local backend",
                detail,
            ));
        }
        let mut options = LocalOptions::new(&self.base);
        if let Some((_, values)) = self.own_settings(config)? {
            if let Some(path) = values.get("path").and_then(Value::as_str) {
                options.path = path.into();
            }
        }
        if let Some(path) = &files.state {
            options.path = path.into();
        }
        if let Some(path) = &files.state_out {
            let from = std::mem::replace(&mut options.path, path.into());
            copy_state(&from, &options.path)?;
        }
        options.backup = match files.backup.as_deref() {
            Some("-") => Some(PathBuf::new()),
            backup => backup.map(PathBuf::from),
        };
        Ok(Place {
            store: Arc::new(LocalStore::with_options(options)),
            workspace: "default".to_owned(),
            project: self.find_project()?,
            environment: None,
            rules: None,
            variable_files: Vec::new(),
        }
        .encrypted(self.encryption(config)?))
    }

    /// A session in the directory of another stack, or in another workspace of this one. Whoever loads a configuration
    /// with it does so while that directory is the working directory.
    pub(crate) fn elsewhere(&self, directory: &Path, workspace: Option<&str>) -> Self {
        let mut environment = self.environment.clone();
        if let Some(workspace) = workspace {
            environment.set("TF_WORKSPACE", workspace);
        }
        Self {
            environment,
            view: self.view,
            log: self.log.clone(),
            variables: Vec::new(),
            carrying_out: self.carrying_out.clone(),
            root: ".".to_owned(),
            loaded: Mutex::default(),
            http: OnceLock::new(),
            encryption: Arc::default(),
            keys: Keys::default(),
            base: directory.to_owned(),
        }
    }

    /// The place of a state that a command works with: files that the command line names, or where it is anyway.
    pub(crate) fn place_or_files(
        &self,
        environment: Option<&str>,
        files: &StateFiles,
        config: Option<&Config>,
    ) -> Result<Place, CommandError> {
        if !files.are_named() {
            return self.place(environment, config);
        }
        if let Some(environment) = environment {
            let detail = format!(
                "The environment {environment:?} says where its state is. The options -state, -state-out and -backup are for states without an environment."
            );
            return Err(CommandError::one(
                "incompatible-options",
                "Incompatible options",
                detail,
            ));
        }
        self.place_in_files(files, config)
    }

    /// Takes the lock, waiting as long as was asked for.
    pub(crate) async fn lock(
        &self,
        place: &Place,
        operation: &str,
        timeout: &str,
    ) -> Result<Box<dyn LockedState>, CommandError> {
        self.lock_store(&*place.store, &place.workspace, operation, timeout)
            .await
    }

    /// Takes the lock as it was asked for: not at all, where that was said.
    pub(crate) async fn lock_as_asked(
        &self,
        place: &Place,
        operation: &str,
        asked: &crate::args::LockArgs,
    ) -> Result<Box<dyn LockedState>, CommandError> {
        if asked.lock == Some(false) {
            return Ok(place.store.unlocked(&place.workspace).await?);
        }
        self.lock(place, operation, &asked.lock_timeout).await
    }

    /// Takes the lock of a workspace of a store, waiting as long as was asked for.
    pub(crate) async fn lock_store(
        &self,
        store: &dyn StateStore,
        workspace: &str,
        operation: &str,
        timeout: &str,
    ) -> Result<Box<dyn LockedState>, CommandError> {
        let patience = parse_duration(timeout)?;
        let begun = tokio::time::Instant::now();
        let mut pause = Duration::from_millis(100);
        let info = self.lock_info(operation);
        loop {
            match store.lock(workspace, info.clone()).await {
                Ok(locked) => return Ok(locked),
                Err(StoreError::Locked { .. }) if begun.elapsed() < patience => {
                    tokio::time::sleep(pause.min(patience.saturating_sub(begun.elapsed()))).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes the audit log beside the state.
    pub(crate) async fn audit(
        &self,
        place: &Place,
        event: &str,
        run: Option<&str>,
        details: &[(&str, String)],
    ) -> Result<(), CommandError> {
        self.audit_to(place, event, run, details).await.map(|_| ())
    }

    /// As [`Self::audit`]; gives where the log ends now.
    pub(crate) async fn audit_to(
        &self,
        place: &Place,
        event: &str,
        run: Option<&str>,
        details: &[(&str, String)],
    ) -> Result<AuditHead, CommandError> {
        let mut details: BTreeMap<String, String> = details
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        if let Some(environment) = &place.environment {
            details.insert("environment".to_owned(), environment.clone());
        }
        details.insert("workspace".to_owned(), place.workspace.clone());
        let event = AuditEvent {
            time: self.now(),
            actor: self.actor(),
            event: event.to_owned(),
            run: run.map(str::to_owned),
            details,
        };
        self.log_event(&event);
        let runs = place.store.runs(&place.workspace);
        let signer = self.recorder();
        Ok(append_signed_audit(&*runs, &event, signer.as_deref()).await?)
    }

    /// What the audit log is told, the log is told as well.
    fn log_event(&self, event: &AuditEvent) {
        let Some(log) = &self.log else { return };
        if let Some(run) = &event.run {
            log.of_run(run);
        }
        let own = [("actor", &event.actor)].map(|(name, value)| (name.to_owned(), value.clone()));
        let details = event.details.iter();
        let details = details.map(|(name, value)| (name.clone(), value.clone()));
        let fields = own.into_iter().chain(details).collect();
        log.engine_tells(LogLevel::Info, &event.event, fields);
    }

    /// Refuses to write a state that only an approved plan may change. Where policies alone judge plans, says and records
    /// that they are not asked.
    pub(crate) async fn guard(&self, place: &Place, what: &str) -> Result<(), CommandError> {
        let runs = place.store.runs(&place.workspace);
        let policies = match guard_manual_write(&*runs, place.rules.as_ref()).await? {
            Ok(policies) => policies.join(", "),
            Err(refusal) => {
                self.audit(place, "refuse", None, &[("operation", what.to_owned())])
                    .await?;
                return Err(refusal.into());
            }
        };
        if policies.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "Mandatory policies judge every plan here ({policies}), and {what} writes the state without one: no policy is asked. The audit log tells of it."
        );
        let told = Diagnostic::warning("policies-not-asked", "Policies are not asked", detail);
        self.view.diagnostics(told.into(), &SourceMap::new());
        let details = [
            ("policy", policies),
            ("operation", what.to_owned()),
            ("reason", format!("{what} writes the state without a plan")),
        ];
        self.audit(place, "policy-override", None, &details).await
    }
}

/// Puts a copy of a state where the next one is to be written, if there is one.
fn copy_state(from: &Path, to: &Path) -> Result<(), CommandError> {
    let Ok(bytes) = Disk.read(&from.to_string_lossy()) else {
        return Ok(());
    };
    write_file(&to.to_string_lossy(), &bytes).map_err(|error| {
        let detail = format!("{} cannot be written: {error}.", to.display());
        CommandError::one("unwritable-file", "State cannot be written", detail)
    })
}

/// What the system calls the user as whom this process runs.
fn system_user() -> String {
    let id = nix::unistd::Uid::effective();
    match nix::unistd::User::from_uid(id) {
        Ok(Some(user)) => user.name,
        _ => format!("uid-{id}"),
    }
}

/// Reads `90s`, `5m`, `1h30m`, `0s`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, CommandError> {
    let mut total = 0.0;
    let mut number = String::new();
    let mut rest = text.chars().peekable();
    let mut understood = !text.is_empty();
    while let Some(c) = rest.next() {
        if c.is_ascii_digit() || c == '.' {
            number.push(c);
            continue;
        }
        let unit = match c {
            'm' if rest.peek() == Some(&'s') => {
                rest.next();
                0.001
            }
            's' => 1.0,
            'm' => 60.0,
            'h' => 3600.0,
            'd' => 86_400.0,
            _ => f64::NAN,
        };
        total += number.parse::<f64>().unwrap_or(f64::NAN) * unit;
        number.clear();
    }
    understood &= number.is_empty() || text == "0";
    match Duration::try_from_secs_f64(total) {
        Ok(duration) if understood => Ok(duration),
        _ => Err(CommandError::one(
            "invalid-duration",
            "Invalid duration",
            format!("{text:?} is not a duration. Write one as 30s, 5m or 1h30m."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("1h30m").unwrap(), Duration::from_mins(90));
        assert_eq!(parse_duration("0s").unwrap(), Duration::ZERO);
        assert_eq!(parse_duration("250ms").unwrap(), Duration::from_millis(250));
        for bad in ["", "5", "x", "1h-3m", "5q"] {
            assert!(parse_duration(bad).is_err(), "{bad:?}");
        }
    }
}

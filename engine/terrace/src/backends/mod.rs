//! Where states are kept: the table of backends, their settings, and what `init` does with them.

mod migration;
mod saved;
mod settings;
mod setup;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use terrace_backend_embedded::EmbeddedStore;
use terrace_backend_local::{LocalOptions, LocalStore};
use terrace_backend_remote::{Argument, Arguments, Objects, Problem, Surroundings, Waiting};
use terrace_config::Config;
use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_port::StateStore;
use terrace_value::Value;

use crate::command_error::CommandError;
use crate::outside::{Environment, SystemClock};
use crate::session::Session;
use crate::view::View;
use saved::Saved;
use settings::Configured;

pub(crate) use settings::Overrides;
pub(crate) use setup::{Setup, set_up};

const LOCAL: &[Argument] = &[
    Argument::text("path", "The file of the state"),
    Argument::text(
        "workspace_dir",
        "The directory of the states of other workspaces",
    ),
];
const EMBEDDED: &[Argument] = &[Argument::text("path", "The directory of the database")];

/// Arguments with their values.
pub(super) type Values = BTreeMap<String, Value>;

/// A backend, by the type that a configuration names.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) arguments: &'static [Argument],
    /// Arguments that the reference's backend of the same type does not have.
    pub(super) additional: &'static [&'static str],
}

/// The backends that there are.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let (name, arguments): (&'static str, &'static [Argument]) = match name {
        "local" => ("local", LOCAL),
        "embedded" => ("embedded", EMBEDDED),
        "s3" => ("s3", terrace_backend_s3::arguments()),
        "azurerm" => ("azurerm", terrace_backend_azurerm::arguments()),
        "gcs" => ("gcs", terrace_backend_gcs::arguments()),
        "http" => ("http", terrace_backend_http::arguments()),
        "kubernetes" => ("kubernetes", terrace_backend_kubernetes::arguments()),
        "pg" => ("pg", terrace_backend_postgres::arguments()),
        _ => return None,
    };
    let additional: &[&str] = match name {
        "pg" => &["table_name", "index_name"],
        "azurerm" => &["blob_endpoint"],
        _ => &[],
    };
    Some(Kind {
        name,
        arguments,
        additional,
    })
}

/// Opens a backend whose arguments have the right types. Relative paths belong to `base`.
async fn open_kind(
    kind: Kind,
    arguments: &Arguments,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<dyn StateStore>, Vec<Problem>> {
    let base = surroundings.directory;
    match kind.name {
        "s3" => terrace_backend_s3::open(arguments, surroundings).await,
        "azurerm" => terrace_backend_azurerm::open(arguments, surroundings).await,
        "gcs" => terrace_backend_gcs::open(arguments, surroundings).await,
        "http" => terrace_backend_http::open(arguments, surroundings).await,
        "kubernetes" => terrace_backend_kubernetes::open(arguments, surroundings).await,
        "pg" => terrace_backend_postgres::open(arguments, surroundings).await,
        "embedded" => Ok(Arc::new(EmbeddedStore::new(
            base.join(arguments.filled("path").unwrap_or(".terrace/store")),
        ))),
        _ => {
            let mut options = LocalOptions::new(base);
            if let Some(path) = arguments.filled("path") {
                options.path = path.into();
            }
            if let Some(directory) = arguments.filled("workspace_dir") {
                options.workspace_directory = directory.into();
            }
            Ok(Arc::new(LocalStore::with_options(options)))
        }
    }
}

/// Opens a backend by its type and arguments. Relative paths belong to `base`.
pub(crate) fn open(
    environment: &Environment,
    type_name: &str,
    values: &BTreeMap<String, Value>,
    base: &Path,
) -> Result<Arc<dyn StateStore>, CommandError> {
    let Some(kind) = kind(type_name) else {
        return Err(unknown(type_name).into());
    };
    let values = settings::conform(kind, values)?;
    open_settings(environment, kind, &values, base)
}

/// Opens a backend whose arguments all have values of the right types.
fn open_settings(
    environment: &Environment,
    kind: Kind,
    values: &BTreeMap<String, Value>,
    base: &Path,
) -> Result<Arc<dyn StateStore>, CommandError> {
    let environment = |name: &str| environment.get(name).map(str::to_owned);
    let told = |problems| problems_of(kind, problems);
    let arguments = Arguments::new(kind.arguments, values, &environment).map_err(told)?;
    settings::check_required(kind, &arguments)?;
    terrace_backend_remote::asked_lease(&environment).map_err(|problem| told(vec![problem]))?;
    let surroundings = Surroundings {
        environment: &environment,
        directory: base,
        clock: Arc::new(SystemClock),
        user_agent: concat!("Terrace/", env!("CARGO_PKG_VERSION")),
        watcher: Some(Arc::new(tell_of_waiting)),
    };
    let opened = open_kind(kind, &arguments, &surroundings);
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(opened)).map_err(told)
}

/// Opens the objects of a backend that keeps objects which are no states: a bucket or a database.
pub(crate) async fn objects(
    environment: &Environment,
    type_name: &str,
    values: &BTreeMap<String, Value>,
    base: &Path,
) -> Result<Arc<dyn Objects>, CommandError> {
    let Some(kind) = kind(type_name) else {
        return Err(unknown(type_name).into());
    };
    let values = settings::conform(kind, values)?;
    let environment = |name: &str| environment.get(name).map(str::to_owned);
    let told = |problems| problems_of(kind, problems);
    let arguments = Arguments::new(kind.arguments, &values, &environment).map_err(told)?;
    settings::check_required(kind, &arguments)?;
    let surroundings = Surroundings {
        environment: &environment,
        directory: base,
        clock: Arc::new(SystemClock),
        user_agent: concat!("Terrace/", env!("CARGO_PKG_VERSION")),
        watcher: None,
    };
    match kind.name {
        "s3" => terrace_backend_s3::objects(&arguments, &surroundings).await,
        "pg" => terrace_backend_postgres::objects(&arguments, &surroundings).await,
        other => {
            let detail = format!("A store of the type {other:?} keeps states and nothing else.");
            return Err(CommandError::one(
                "not-supported-yet",
                "Not supported yet",
                detail,
            ));
        }
    }
    .map_err(told)
}

/// Tells who waits that a store does not answer.
fn tell_of_waiting(waiting: &Waiting<'_>) {
    let left = waiting.patience.saturating_sub(waiting.since).as_secs();
    View::plain().aside(format!(
        "The state's store does not answer: {}. Trying again for {left} s more ...",
        waiting.why
    ));
}

impl Session {
    /// The store that the configuration names; state files in the working directory where it names none.
    pub(crate) fn own_store(
        &self,
        config: Option<&Config>,
    ) -> Result<Arc<dyn StateStore>, CommandError> {
        let located = |mut error: CommandError| {
            if let Some(config) = config {
                error.sources = config.sources.clone();
                let span = config
                    .root
                    .module
                    .backend
                    .as_ref()
                    .map(|backend| backend.span);
                for diagnostic in &mut error.diagnostics {
                    diagnostic.subject = diagnostic.subject.or(span);
                }
            }
            error
        };
        let Some((kind, values)) = self.own_settings(config)? else {
            return Ok(Arc::new(LocalStore::new(&self.base)));
        };
        open_settings(&self.environment, kind, &values, &self.base).map_err(located)
    }

    /// The backend in use and its arguments; `None` where there is none. Refuses what `init` has to see first.
    pub(crate) fn own_settings(
        &self,
        config: Option<&Config>,
    ) -> Result<Option<(Kind, Values)>, CommandError> {
        let Some(config) = config else {
            return Ok(None);
        };
        let saved = Saved::read(self)?;
        let configured = Configured::of(self, config)?;
        let (configured, saved) = match (configured, saved) {
            (None, None) => return Ok(None),
            (None, Some(saved)) => {
                let reason = format!("Unsetting the previously set backend {:?}", saved.kind.name);
                return Err(initialization_required(&reason));
            }
            (Some(configured), None) => {
                // What lies on this machine beside the configuration needs no setting up.
                if matches!(configured.kind.name, "local" | "embedded") {
                    return Ok(Some((configured.kind, configured.values)));
                }
                let reason = format!(
                    "Initial configuration of the requested backend {:?}",
                    configured.kind.name
                );
                return Err(initialization_required(&reason));
            }
            (Some(configured), Some(saved)) => (configured, saved),
        };
        if configured.is_as_saved(&saved) {
            return Ok(Some((saved.kind, saved.values)));
        }
        let reason = if configured.kind.name == saved.kind.name {
            "Backend configuration block has changed".to_owned()
        } else {
            format!(
                "Backend type changed from {:?} to {:?}",
                saved.kind.name, configured.kind.name
            )
        };
        Err(initialization_required(&reason))
    }
}

fn unknown(type_name: &str) -> Diagnostic {
    let planned = ["gcs", "consul", "cos", "oss", "remote", "cloud"];
    if planned.contains(&type_name) {
        let detail = format!(
            "This version of Terrace has no backend {type_name:?} yet. Nothing was read or written."
        );
        return Diagnostic::error("not-supported-yet", "Not supported yet", detail);
    }
    Diagnostic::error(
        "unknown-backend",
        "Unsupported backend type",
        format!("There is no backend type named {type_name:?}."),
    )
}

fn problems_of(kind: Kind, problems: Vec<Problem>) -> CommandError {
    let mut diagnostics = Diagnostics::new();
    for problem in problems {
        let mut diagnostic = Diagnostic::error("invalid-backend", problem.summary, problem.detail);
        if let Some(argument) = problem.argument {
            diagnostic = diagnostic.hint(format!(
                "the argument {argument:?} of the backend {:?} is to blame",
                kind.name
            ));
        }
        diagnostics.push(diagnostic);
    }
    CommandError::new(diagnostics, SourceMap::new())
}

fn initialization_required(reason: &str) -> CommandError {
    Diagnostic::error(
        "backend-initialization-required",
        "Backend initialization required: please run \"terrace init\"",
        format!("Reason: {reason}\n\nThe \"backend\" is the interface that Terrace uses to store state, perform operations, etc. If this message is showing up, it means that the Terrace configuration you're using is using a custom configuration for the Terrace backend.\n\nChanges to backend configurations require reinitialization. This allows Terrace to set up the new configuration, copy existing state, etc. Please run\n\"terrace init\" with either the \"-reconfigure\" or \"-migrate-state\" flags to use the current configuration.\n\nIf the change reason above is incorrect, please verify your configuration hasn't changed and try again. At this point, no changes to your existing configuration or state have been made."),
    )
    .into()
}

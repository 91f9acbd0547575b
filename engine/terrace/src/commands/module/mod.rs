//! `terrace module`: for authors of modules.

mod base;
mod breaks;
mod changes;
mod check;
mod deps;
mod docs;
mod estate;
mod examples;
mod git;
mod new;
mod publish;
mod testing;
mod upgrade;
mod versions;

pub(crate) use check::Verdict;

use std::sync::Arc;

use terrace_config::{Config, ModuleRequest, ModuleResolver};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_port::Files;

use crate::args::ModuleCommand;
use crate::command_error::{CommandError, Outcome};
use crate::session::Session;

pub(crate) async fn run(session: &Arc<Session>, command: ModuleCommand) -> Outcome {
    match command {
        ModuleCommand::Check(args) => check::run(session, &args).await,
        ModuleCommand::Docs(args) => docs::run(session, &args),
        ModuleCommand::New(args) => new::run(session, &args),
        ModuleCommand::Deps(args) => deps::run(session, &args).await,
        ModuleCommand::Upgrade(args) => upgrade::run(session, &args).await,
        ModuleCommand::Publish(args) => Box::pin(publish::publish(session, &args)).await,
        ModuleCommand::Yank(args) => publish::yank(session, args).await,
        ModuleCommand::Deprecate(args) => publish::deprecate(session, args).await,
    }
}

/// What is not installed is left closed: an interface can be read without it.
const NOT_INSTALLED: &str = "module-not-installed";

/// A number of things: `1 file`, `2 files`.
fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Whether a file is one of configuration, by its name.
fn is_configuration(path: &str) -> bool {
    [".tf", ".tf.json", ".tofu", ".tofu.json"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

/// Finds the modules that belong to the module itself, and no others: what is fetched is not a part of it.
struct OwnModules;

impl ModuleResolver for OwnModules {
    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        let local = request.source.starts_with("./") || request.source.starts_with("../");
        if local {
            return Ok(terrace_config::join_path(
                request.calling_directory,
                request.source,
            ));
        }
        Err(Diagnostic::error(
            NOT_INSTALLED,
            "Module not installed",
            "Only the module itself is read here.",
        )
        .at(request.span))
    }
}

/// The module in `directory` with those that belong to it, and what is wrong with them beside that others are not there.
fn load_own(directory: &str, files: &dyn Files) -> (Config, Diagnostics) {
    let (config, found) = terrace_config::load(directory, files, &OwnModules);
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(
        found
            .into_iter()
            .filter(|diagnostic| diagnostic.id != NOT_INSTALLED),
    );
    (config, diagnostics)
}

/// As [`load_own`], where anything wrong is an error, and a directory without configuration too.
fn load_sound(directory: &str, files: &dyn Files, what: &str) -> Result<Config, CommandError> {
    let (config, diagnostics) = load_own(directory, files);
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, config.sources.clone()));
    }
    if config.root.module.files.is_empty() {
        return Err(CommandError::one(
            "no-module",
            "No module here",
            format!(
                "{what} has no configuration files (.tf, .tf.json). A module is a directory with such files; `terrace module new NAME` begins one."
            ),
        ));
    }
    Ok(config)
}

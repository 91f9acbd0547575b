//! What raising the version of a called module breaks, at the lines of the caller.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::version::Version;
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_module::{Concern, Dependency, Interface, NoTypes, compare, concerns};

use super::base::{fetched, temporary_directory};
use super::estate::Configuration;
use crate::command_error::CommandError;
use crate::session::Session;

/// The source of a call and its version constraint.
type Wanted = (String, Option<String>);

/// Compares versions of called modules, each of which is fetched once.
#[derive(Default)]
pub(super) struct Breaks {
    known: BTreeMap<Wanted, Option<Interface>>,
    /// What could not be fetched or read.
    pub(super) problems: Vec<CommandError>,
}

impl Breaks {
    /// What a call meets that breaks it when it gets `to`; nothing where one of the versions cannot be had.
    pub(super) async fn of(
        &mut self,
        session: &Arc<Session>,
        configuration: &Configuration,
        dependency: &Dependency,
        to: &Version,
    ) -> Vec<Concern> {
        let before = configuration.installed(dependency).map_or_else(
            || (dependency.source.clone(), dependency.version.clone()),
            |installed| dependency.exactly(&installed),
        );
        let after = dependency.exactly(&to.to_string());
        self.learn(session, &before).await;
        self.learn(session, &after).await;
        let known = |wanted| self.known.get(wanted).and_then(Option::as_ref);
        let (Some(old), Some(new)) = (known(&before), known(&after)) else {
            return Vec::new();
        };
        let changes = compare(old, new);
        configuration
            .call(dependency)
            .map_or_else(Vec::new, |call| {
                concerns(&changes, call, &configuration.sources)
            })
    }

    async fn learn(&mut self, session: &Arc<Session>, wanted: &Wanted) {
        if self.known.contains_key(wanted) {
            return;
        }
        let found = interface(session, wanted).await;
        let found = found.map_err(|problem| self.problems.push(problem)).ok();
        self.known.insert(wanted.clone(), found);
    }
}

async fn interface(session: &Arc<Session>, wanted: &Wanted) -> Result<Interface, CommandError> {
    let (source, version) = wanted;
    let directory = temporary_directory()?;
    let config = fetched(session, source, version.as_deref(), directory.path()).await?;
    Ok(Interface::of(&config, &NoTypes))
}

/// Warnings at the lines of the caller.
pub(super) fn warnings(call: &str, to: &Version, concerns: &[Concern]) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for concern in concerns {
        let finding = &concern.finding;
        let detail = format!(
            "Version {to} of module.{call} breaks this. {}",
            finding.detail
        );
        diagnostics.push(
            Diagnostic::warning("breaking-upgrade", finding.kind.summary(), detail)
                .at(concern.place.span)
                .address(&finding.subject),
        );
    }
    diagnostics
}

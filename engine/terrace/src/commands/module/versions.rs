//! Which versions of modules there are.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use terrace_addr::version::Version;
use terrace_module::DependencyKind;
use terrace_module_source::ModuleSource;
use terrace_registry_client::ModuleRegistry;

use crate::command_error::CommandError;
use crate::installation::{discovery, http};
use crate::outside::run_aside;
use crate::session::Session;

/// The versions of a module of a registry.
pub(super) async fn of_registry(
    session: &Arc<Session>,
    address: &str,
) -> Result<Vec<Version>, CommandError> {
    let (session, address) = (session.clone(), address.to_owned());
    let unknown = |address: &str, why: String| {
        CommandError::one(
            "module-versions-unknown",
            "Versions of a module cannot be found",
            format!("Which versions of {address} there are could not be found: {why}."),
        )
    };
    let work = tokio::task::spawn_blocking(move || {
        let source = ModuleSource::parse(&address).map_err(|why| unknown(&address, why))?;
        let ModuleSource::Registry(source) = source else {
            return Err(unknown(
                &address,
                "it is no module of a registry".to_owned(),
            ));
        };
        let registry = ModuleRegistry::new(discovery(&session, &http(&session))?);
        let versions = registry
            .versions(&source.module)
            .map_err(|error| unknown(&address, error.to_string()))?;
        versions.ok_or_else(|| unknown(&address, "the registry does not know it".to_owned()))
    });
    work.await.map_err(|error| {
        CommandError::one(
            "internal",
            "Looking for versions broke off",
            format!("Looking for versions broke off: {error}. This is a bug in Terrace."),
        )
    })?
}

/// The versions that tags of a repository name.
async fn of_repository(repository: &str) -> Result<Vec<Version>, CommandError> {
    let address = repository.strip_prefix("github.com/").map_or_else(
        || repository.to_owned(),
        |path| format!("https://github.com/{path}"),
    );
    let argv: Vec<String> = ["git", "ls-remote", "--tags", "--refs", "--", &address]
        .into_iter()
        .map(str::to_owned)
        .collect();
    let unknown = |why: String| {
        CommandError::one(
            "module-versions-unknown",
            "Versions of a module cannot be found",
            format!("Which versions of {repository} there are could not be found: {why}."),
        )
    };
    let ran = run_aside(&argv, Path::new("."), &[])
        .await
        .map_err(|error| unknown(error.to_string()))?;
    if !ran.succeeded() {
        let why = String::from_utf8_lossy(&ran.errors).trim().to_owned();
        return Err(unknown(why));
    }
    Ok(String::from_utf8_lossy(&ran.output)
        .lines()
        .filter_map(|line| line.rsplit("refs/tags/").next()?.parse().ok())
        .collect())
}

/// The newest released versions of what is depended on, each asked for once.
#[derive(Default)]
pub(super) struct Newest {
    found: BTreeMap<String, Option<Version>>,
    /// What could not be found out.
    pub(super) problems: Vec<CommandError>,
}

impl Newest {
    /// The newest released version of a dependency; `None` where it has none, or where that cannot be found out.
    pub(super) async fn of(
        &mut self,
        session: &Arc<Session>,
        kind: &DependencyKind,
    ) -> Option<Version> {
        let (DependencyKind::Registry { address: key }
        | DependencyKind::Git {
            repository: key, ..
        }) = kind
        else {
            return None;
        };
        if let Some(known) = self.found.get(key) {
            return known.clone();
        }
        let versions = match kind {
            DependencyKind::Registry { address } => of_registry(session, address).await,
            _ => of_repository(key).await,
        };
        let newest = match versions {
            Ok(versions) => versions
                .into_iter()
                .filter(|version| !version.is_prerelease())
                .max(),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        };
        self.found.insert(key.clone(), newest.clone());
        newest
    }
}

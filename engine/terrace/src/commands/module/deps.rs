//! `terrace module deps`

use std::sync::Arc;

use serde_json::json;
use terrace_addr::version::Version;
use terrace_diag::SourceMap;
use terrace_module::{Dependency, DependencyKind};

use super::estate::{self, Configuration};
use super::versions::Newest;
use crate::args::ModuleDepsArgs;
use crate::command_error::{Outcome, SUCCESS};
use crate::session::Session;
use crate::view::table::table;

/// A dependency with what there is to say of it.
struct Row<'a> {
    configuration: &'a Configuration,
    dependency: &'a Dependency,
    newest: Option<Version>,
}

impl Row<'_> {
    /// What it asks for, as written.
    fn wanted(&self) -> String {
        match &self.dependency.kind {
            DependencyKind::Git { reference, .. } => reference.clone().unwrap_or_default(),
            _ => self.dependency.version.clone().unwrap_or_default(),
        }
    }

    /// Whether it asks for less than the newest version.
    fn is_outdated(&self) -> bool {
        self.newest
            .as_ref()
            .is_some_and(|newest| !self.dependency.allows(newest))
    }
}

pub(super) async fn run(session: &Arc<Session>, args: &ModuleDepsArgs) -> Outcome {
    let (configurations, problems) = estate::read(&args.directory)?;
    session.view.beside(problems, &SourceMap::new());
    let mut newest = Newest::default();
    let mut rows = Vec::new();
    for configuration in &configurations {
        for dependency in &configuration.dependencies {
            let found = if args.versions {
                newest.of(session, &dependency.kind).await
            } else {
                None
            };
            rows.push(Row {
                configuration,
                dependency,
                newest: found,
            });
        }
    }
    for problem in newest.problems {
        session.view.beside(problem.diagnostics, &problem.sources);
    }
    if args.outdated {
        rows.retain(Row::is_outdated);
    }
    if args.style.json {
        let list: Vec<_> = rows.iter().map(row_json).collect();
        let answer = json!({ "format_version": "1.0", "dependencies": list });
        session.view.output(format!("{answer:#}"));
    } else if rows.is_empty() {
        session.view.output(if args.outdated {
            "Nothing is outdated."
        } else {
            "No modules of others are called."
        });
    } else {
        let cells: Vec<Vec<String>> = rows.iter().map(row_cells).collect();
        let headings = [
            "Place",
            "Call",
            "Source",
            "Wanted",
            "Installed",
            "Newest",
            "",
        ];
        session.view.output(table(&headings, &cells));
    }
    Ok(SUCCESS)
}

fn row_cells(row: &Row<'_>) -> Vec<String> {
    vec![
        row.dependency.place.to_string(),
        row.dependency.name.to_string(),
        row.dependency.source.clone(),
        row.wanted(),
        row.configuration
            .installed(row.dependency)
            .unwrap_or_default(),
        row.newest
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        if row.is_outdated() { "outdated" } else { "" }.to_owned(),
    ]
}

fn row_json(row: &Row<'_>) -> serde_json::Value {
    json!({
        "directory": row.configuration.directory,
        "is_root": row.configuration.is_root(),
        "call": &*row.dependency.name,
        "source": row.dependency.source,
        "wanted": row.wanted(),
        "installed": row.configuration.installed(row.dependency),
        "newest": row.newest.as_ref().map(ToString::to_string),
        "outdated": row.is_outdated(),
        "position": { "file": row.dependency.place.file, "line": row.dependency.place.line },
    })
}

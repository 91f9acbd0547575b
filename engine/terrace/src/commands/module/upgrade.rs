//! `terrace module upgrade`

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use terrace_addr::version::Version;
use terrace_diag::SourceMap;
use terrace_module::{Concern, Dependency, DependencyKind, Edit, apply_edits};
use terrace_port::Files as _;

use super::base::temporary_directory;
use super::breaks::{Breaks, warnings};
use super::estate::{self, Configuration};
use super::examples::copy_tree;
use super::testing::{not_started, own};
use super::versions::Newest;
use crate::args::ModuleUpgradeArgs;
use crate::command_error::{CommandError, FAILURE, Outcome, SUCCESS};
use crate::outside::{Disk, run_aside, write_file};
use crate::session::Session;
use crate::view::table::table;

/// A call whose version is raised.
struct Raise {
    directory: String,
    call: String,
    source: String,
    place: String,
    from: String,
    to: Version,
    edit: Edit,
    /// What of the caller it breaks.
    breaks: Vec<Concern>,
    /// The files of the caller.
    sources: SourceMap,
}

pub(super) async fn run(session: &Arc<Session>, args: &ModuleUpgradeArgs) -> Outcome {
    let to = target(args)?;
    let (configurations, problems) = estate::read(&args.directory)?;
    session.view.beside(problems, &SourceMap::new());
    let mut newest = Newest::default();
    let mut breaks = Breaks::default();
    let mut raises = Vec::new();
    for configuration in &configurations {
        for dependency in &configuration.dependencies {
            if !asked_for(args, dependency) {
                continue;
            }
            let version = match &to {
                Some(version) => Some(version.clone()),
                None => newest.of(session, &dependency.kind).await,
            };
            let Some(mut raise) =
                version.and_then(|version| raise(configuration, dependency, version))
            else {
                continue;
            };
            raise.breaks = breaks
                .of(session, configuration, dependency, &raise.to)
                .await;
            raises.push(raise);
        }
    }
    let mut failed = !newest.problems.is_empty() || !breaks.problems.is_empty();
    for problem in newest.problems.into_iter().chain(breaks.problems) {
        session.view.beside(problem.diagnostics, &problem.sources);
    }
    let plans = if args.plan && !raises.is_empty() {
        plans(&args.directory, &raises).await?
    } else {
        BTreeMap::new()
    };
    failed |= plans.values().any(|plan| plan.after.is_err());
    if args.style.json {
        session
            .view
            .output(format!("{:#}", answer(&raises, &plans, args.dry_run)));
    } else {
        show(session, &raises, &plans, args.dry_run);
    }
    if !args.dry_run {
        write(&raises)?;
    }
    Ok(if failed { FAILURE } else { SUCCESS })
}

/// The version that is asked for.
fn target(args: &ModuleUpgradeArgs) -> Result<Option<Version>, CommandError> {
    let Some(text) = &args.to else {
        return Ok(None);
    };
    if args.module.len() != 1 {
        return Err(CommandError::one(
            "upgrade-without-module",
            "Which module is meant",
            "-to names the version of one module: name it with -module=SOURCE.",
        ));
    }
    text.parse().map(Some).map_err(|_| {
        CommandError::one(
            "invalid-release",
            "Invalid version",
            format!("-to={text} is no version: it has the form 1.2.3."),
        )
    })
}

/// Whether a dependency is one of those that are to be raised: all, or those of a source that is named.
fn asked_for(args: &ModuleUpgradeArgs, dependency: &Dependency) -> bool {
    let key = match &dependency.kind {
        DependencyKind::Registry { address } => address,
        DependencyKind::Git { repository, .. } => repository,
        DependencyKind::Local | DependencyKind::Other => return false,
    };
    args.module.is_empty()
        || args
            .module
            .iter()
            .any(|named| named == key || *named == dependency.source)
}

fn raise(configuration: &Configuration, dependency: &Dependency, to: Version) -> Option<Raise> {
    let edit = dependency.raised(&to, &configuration.sources)?;
    let from = match &dependency.kind {
        DependencyKind::Git { reference, .. } => reference.clone(),
        _ => dependency.version.clone(),
    };
    Some(Raise {
        directory: configuration.directory.clone(),
        call: dependency.name.to_string(),
        source: dependency.source.clone(),
        place: dependency.place.to_string(),
        from: from.unwrap_or_default(),
        to,
        edit,
        breaks: Vec::new(),
        sources: configuration.sources.clone(),
    })
}

/// The edits of each file.
fn by_file(raises: &[Raise]) -> BTreeMap<&str, Vec<Edit>> {
    let mut files: BTreeMap<&str, Vec<Edit>> = BTreeMap::new();
    for raise in raises {
        files
            .entry(&raise.edit.file)
            .or_default()
            .push(raise.edit.clone());
    }
    files
}

fn write(raises: &[Raise]) -> Result<(), CommandError> {
    for (file, edits) in by_file(raises) {
        write_edited(file, file, &edits)?;
    }
    Ok(())
}

/// Writes the file `from` with its edits to `to`.
fn write_edited(from: &str, to: &str, edits: &[Edit]) -> Result<(), CommandError> {
    let bytes = Disk.read(from).map_err(|error| {
        CommandError::one(
            "unreadable-file",
            "Failed to read file",
            format!("{from} cannot be read: {error}."),
        )
    })?;
    let text = apply_edits(&String::from_utf8_lossy(&bytes), edits);
    write_file(to, text.as_bytes()).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "Configuration cannot be written",
            format!("{to} cannot be written: {error}."),
        )
    })
}

/// What an upgrade changes in the plan of a directory: what was printed, or why there is no plan.
struct Plans {
    before: Result<String, String>,
    after: Result<String, String>,
}

/// Plans each directory that changes, before and after, in a copy of all directories: nothing is written where they are,
/// and no state is locked or changed.
async fn plans(directory: &str, raises: &[Raise]) -> Result<BTreeMap<String, Plans>, CommandError> {
    let copy = temporary_directory()?;
    copy_tree(Path::new(directory), copy.path()).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "The configurations cannot be copied",
            format!(
                "Upgrades are planned in a copy of {directory}, which cannot be made: {error}."
            ),
        )
    })?;
    let inside = |path: &str| {
        let top = terrace_config::join_path(".", directory);
        let relative = match top.as_str() {
            "." => path,
            top => path
                .strip_prefix(top)
                .unwrap_or(path)
                .trim_start_matches('/'),
        };
        copy.path()
            .join(if relative.is_empty() { "." } else { relative })
    };
    let mut found: BTreeMap<String, Plans> = BTreeMap::new();
    for raise in raises {
        if !found.contains_key(&raise.directory) {
            let before = plan(&inside(&raise.directory)).await?;
            let after = Err(String::new());
            found.insert(raise.directory.clone(), Plans { before, after });
        }
    }
    for (file, edits) in by_file(raises) {
        write_edited(file, &inside(file).to_string_lossy(), &edits)?;
    }
    for (directory, plans) in &mut found {
        plans.after = plan(&inside(directory)).await?;
    }
    Ok(found)
}

async fn plan(directory: &Path) -> Result<Result<String, String>, CommandError> {
    let init: &[&str] = &["init", "-upgrade", "-input=false", "-no-color"];
    let plan: &[&str] = &["plan", "-input=false", "-lock=false", "-no-color"];
    let mut printed = String::new();
    for arguments in [init, plan] {
        let ran = run_aside(&own(arguments)?, directory, &[])
            .await
            .map_err(|error| not_started(&error))?;
        if !ran.succeeded() {
            return Ok(Err(ran.text().trim().to_owned()));
        }
        String::from_utf8_lossy(&ran.output)
            .trim()
            .clone_into(&mut printed);
    }
    Ok(Ok(printed))
}

/// The line of a plan that sums it up.
fn summary(plan: &Result<String, String>) -> String {
    match plan {
        Ok(text) => text
            .lines()
            .find(|line| line.starts_with("Plan:") || line.starts_with("No changes."))
            .unwrap_or("only outputs change")
            .to_owned(),
        Err(text) => {
            let error = text.lines().find(|line| line.contains("Error:"));
            error.unwrap_or("cannot be planned").trim().to_owned()
        }
    }
}

fn show(session: &Session, raises: &[Raise], plans: &BTreeMap<String, Plans>, dry_run: bool) {
    if raises.is_empty() {
        session
            .view
            .output("All modules are asked for in their newest version.");
        return;
    }
    let rows: Vec<Vec<String>> = raises
        .iter()
        .map(|raise| {
            vec![
                raise.place.clone(),
                raise.call.clone(),
                raise.source.clone(),
                raise.from.clone(),
                raise.to.to_string(),
            ]
        })
        .collect();
    session
        .view
        .output(table(&["Place", "Call", "Source", "From", "To"], &rows));
    for raise in raises {
        let found = warnings(&raise.call, &raise.to, &raise.breaks);
        session.view.beside(found, &raise.sources);
    }
    for (directory, plans) in plans {
        session.view.output(format!(
            "\n{directory}\n    before: {}\n    after:  {}",
            summary(&plans.before),
            summary(&plans.after)
        ));
        let (Ok(text) | Err(text)) = &plans.after;
        let differs = !matches!(&plans.before, Ok(before) if before == text);
        if differs {
            let lines: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
            session.view.output(format!("\n{}", lines.join("\n")));
        }
    }
    session.view.output(if dry_run {
        "\nNothing was written."
    } else {
        "\nRun `terrace init -upgrade` in these directories, then plan them."
    });
}

fn concern_json(concern: &Concern) -> serde_json::Value {
    json!({
        "kind": concern.finding.kind.id(),
        "subject": concern.finding.subject,
        "detail": concern.finding.detail,
        "file": concern.place.file,
        "line": concern.place.line,
    })
}

fn answer(raises: &[Raise], plans: &BTreeMap<String, Plans>, dry_run: bool) -> serde_json::Value {
    let list: Vec<_> = raises
        .iter()
        .map(|raise| {
            json!({
                "directory": raise.directory,
                "call": raise.call,
                "source": raise.source,
                "from": raise.from,
                "to": raise.to.to_string(),
                "file": raise.edit.file,
                "text": raise.edit.text,
                "breaks": raise.breaks.iter().map(concern_json).collect::<Vec<_>>(),
            })
        })
        .collect();
    let side = |plan: &Result<String, String>| match plan {
        Ok(text) => json!({ "summary": summary(plan), "plan": text }),
        Err(text) => json!({ "summary": summary(plan), "error": text }),
    };
    let plans: BTreeMap<&String, serde_json::Value> = plans
        .iter()
        .map(|(directory, plans)| {
            let both = json!({ "before": side(&plans.before), "after": side(&plans.after) });
            (directory, both)
        })
        .collect();
    json!({
        "format_version": "1.0",
        "written": !dry_run,
        "upgrades": list,
        "plans": plans,
    })
}

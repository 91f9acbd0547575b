//! Which stacks of which environments are meant: those that are asked for, and of these the ones that a change touches.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use terrace_ci::{Area, EventKind, Scope, changed_lines, touched};
use terrace_config::{ModuleRequest, ModuleResolver};
use terrace_diag::Diagnostic;
use terrace_gate::{Pattern, Stack};
use terrace_port::{ChangedFile, Files as _};

use super::context::Context;
use crate::args::CiTargets;
use crate::command_error::CommandError;
use crate::outside::{Disk, run_aside};
use crate::session::{FoundProject, Session};
use crate::stacks;

/// The lines that a change touches, by file; a file without lines was changed as a whole.
pub(super) type Lines = BTreeMap<String, Vec<RangeInclusive<u32>>>;

/// One environment with the stacks that are meant, in their order.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The environment; `None` without a project file.
    pub(super) environment: Option<String>,
    /// The stacks.
    pub(super) stacks: Vec<Stack>,
}

/// All that is meant.
pub(super) struct Targets {
    /// The project file, where there is one.
    pub(super) found: Option<FoundProject>,
    /// The project's name, or that of the directory.
    pub(super) project: String,
    /// Whether stacks have to be told apart.
    pub(super) has_stacks: bool,
    /// By environment, in their order.
    pub(super) list: Vec<Target>,
    /// What was changed; empty where nobody knows.
    pub(super) lines: Lines,
    /// Why everything is meant, where nobody has asked for that.
    pub(super) note: Option<String>,
}

impl Targets {
    /// The directory that stacks' folders belong to.
    pub(super) fn directory(&self) -> PathBuf {
        match &self.found {
            Some(found) => found.directory.clone(),
            None => PathBuf::from(Disk.absolute(".")),
        }
    }
}

/// Finds what is meant. `change` is the pull request that is looked at, where that is not for the event to say.
pub(super) async fn find(
    session: &Session,
    context: &Context,
    args: &CiTargets,
    change: Option<u64>,
) -> Result<Targets, CommandError> {
    let found = session.find_project()?;
    let all = all(found.as_ref(), args)?;
    let mut note = None;
    let files = if args.all {
        None
    } else {
        changed(context, args, change, &mut note).await?
    };
    let lines: Lines = files
        .iter()
        .flatten()
        .map(|file| (file.path.clone(), changed_lines(&file.patch)))
        .collect();
    let project = found.as_ref().map_or_else(
        || directory_name(context),
        |found| found.project.name.clone(),
    );
    let mut targets = Targets {
        project,
        has_stacks: found
            .as_ref()
            .is_some_and(|found| found.project.names_stacks()),
        found,
        list: all,
        lines,
        note,
    };
    let Some(files) = files else {
        if !args.all && targets.note.is_none() {
            let why = "What was changed is not known here: everything is meant.";
            targets.note = Some(why.to_owned());
        }
        return Ok(targets);
    };
    keep_touched(context, &mut targets, &files);
    Ok(targets)
}

fn directory_name(context: &Context) -> String {
    let name = context.root.file_name();
    name.map_or_else(
        || "terrace".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Every stack in every environment that is asked for.
fn all(found: Option<&FoundProject>, args: &CiTargets) -> Result<Vec<Target>, CommandError> {
    let here = || Stack {
        name: ".".to_owned(),
        path: found.map_or(".", |found| found.stack.as_str()).to_owned(),
        after: BTreeSet::new(),
        inputs: Vec::new(),
    };
    let Some(found) = found else {
        if let Some(name) = args.env.first().or_else(|| args.stack.first()) {
            let detail = format!(
                "{name:?} was chosen, and there is no terrace.hcl in this directory or above it."
            );
            return Err(CommandError::one("no-project", "No project file", detail));
        }
        return Ok(vec![Target {
            environment: None,
            stacks: vec![here()],
        }]);
    };
    let chosen: Vec<Stack> = if found.project.names_stacks() {
        let patterns: Vec<Pattern> = args.stack.iter().cloned().map(Pattern::new).collect();
        let all = stacks::find(found)?;
        all.select(&patterns).into_iter().cloned().collect()
    } else {
        vec![here()]
    };
    if chosen.is_empty() {
        let detail = format!(
            "No stack of the project is one of {}.",
            args.stack.join(", ")
        );
        return Err(CommandError::one("unknown-stack", "No such stack", detail));
    }
    let names: Vec<&str> = found
        .project
        .environments
        .iter()
        .map(|environment| environment.name.as_str())
        .collect();
    if let Some(unknown) = args.env.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(found.knows_no_environment(unknown));
    }
    let target = |environment: Option<&str>| Target {
        environment: environment.map(str::to_owned),
        stacks: chosen.clone(),
    };
    if names.is_empty() {
        return Ok(vec![target(None)]);
    }
    Ok(names
        .into_iter()
        .filter(|name| args.env.is_empty() || args.env.iter().any(|asked| asked == name))
        .map(|name| target(Some(name)))
        .collect())
}

/// The files that have changed; `None` where nobody knows.
async fn changed(
    context: &Context,
    args: &CiTargets,
    change: Option<u64>,
    note: &mut Option<String>,
) -> Result<Option<Vec<ChangedFile>>, CommandError> {
    if let Some(base) = &args.base {
        return git_changes(context, base).await.map(Some);
    }
    if let (Some(number), Some(desk)) = (change, &context.desk) {
        let files = desk.changed_files(number).await;
        return files.map(Some).map_err(|why| super::post::untold(&why));
    }
    match context.event.as_ref().map(|event| &event.kind) {
        Some(EventKind::PullRequest { number, base, .. }) => {
            if let Some(desk) = &context.desk {
                let files = desk.changed_files(*number).await;
                return files.map(Some).map_err(|why| super::post::untold(&why));
            }
            git_changes(context, &format!("origin/{base}"))
                .await
                .map(Some)
        }
        Some(EventKind::Push {
            before: Some(before),
            ..
        }) => {
            // A shallow clone does not hold what was there before.
            let files = git_changes(context, before).await;
            if files.is_err() {
                *note = Some(format!(
                    "Commit {before} is not in this clone, so that nobody knows what has changed since: everything is meant."
                ));
            }
            Ok(files.ok())
        }
        _ => Ok(None),
    }
}

/// What git tells of the changes since a reference.
async fn git_changes(context: &Context, base: &str) -> Result<Vec<ChangedFile>, CommandError> {
    let unknown = |why: String| {
        let detail = format!("What has changed since {base:?} cannot be told: {why}");
        CommandError::from(
            Diagnostic::error("ci-base-unknown", "Changes cannot be found", detail).hint(
                "fetch the history that holds it (`fetch-depth: 0`), or ask for everything with -all",
            ),
        )
    };
    let range = format!("{base}...HEAD");
    let argv = [
        "git",
        "-c",
        "core.quotePath=false",
        "diff",
        "--no-color",
        "--no-ext-diff",
        "--no-renames",
        "--unified=0",
        "--end-of-options",
        &range,
        "--",
    ]
    .map(str::to_owned);
    let ran = run_aside(&argv, &context.root, b"")
        .await
        .map_err(|error| unknown(format!("git cannot be run: {error}.")))?;
    if !ran.succeeded() {
        let errors = String::from_utf8_lossy(&ran.errors);
        return Err(unknown(format!(
            "git says {:?}.",
            errors.lines().next().unwrap_or_default()
        )));
    }
    Ok(read_diff(&String::from_utf8_lossy(&ran.output)))
}

/// The files of a diff of git.
fn read_diff(text: &str) -> Vec<ChangedFile> {
    let mut files: Vec<ChangedFile> = Vec::new();
    let mut is_head = false;
    for line in text.lines() {
        if let Some(names) = line.strip_prefix("diff --git a/") {
            is_head = true;
            // Without renames, both names are the same.
            let path = names
                .get(..names.len().saturating_sub(3) / 2)
                .unwrap_or(names);
            files.push(ChangedFile {
                path: path.to_owned(),
                previous: None,
                patch: String::new(),
            });
            continue;
        }
        if line.starts_with("@@ ") {
            is_head = false;
        }
        if let (false, Some(file)) = (is_head, files.last_mut()) {
            file.patch.push_str(line);
            file.patch.push('\n');
        }
    }
    files
}

/// Leaves those that the files touch.
fn keep_touched(context: &Context, targets: &mut Targets, files: &[ChangedFile]) {
    let Some(scope) = scope(context, targets) else {
        return;
    };
    let paths: Vec<String> = files
        .iter()
        .flat_map(|file| std::iter::once(file.path.clone()).chain(file.previous.clone()))
        .collect();
    let touched: BTreeSet<(String, String)> = touched(&scope, &paths).into_iter().collect();
    for target in &mut targets.list {
        let environment = target.environment.clone().unwrap_or_default();
        target
            .stacks
            .retain(|stack| touched.contains(&(environment.clone(), stack.name.clone())));
    }
    targets.list.retain(|target| !target.stacks.is_empty());
}

/// What files mean; `None` where the project lies outside of the repository.
fn scope(context: &Context, targets: &Targets) -> Option<Scope> {
    let directory = targets.directory();
    let mut scope = Scope::default();
    for stack in targets.list.iter().flat_map(|target| &target.stacks) {
        if scope.stacks.iter().any(|area| area.name == stack.name) {
            continue;
        }
        let folder = directory.join(&stack.path);
        let folders = folders(&folder)
            .iter()
            .filter_map(|folder| context.in_repository(Path::new(folder)))
            .collect();
        scope.stacks.push(Area {
            name: stack.name.clone(),
            folders,
        });
    }
    for target in &targets.list {
        let name = target.environment.clone().unwrap_or_default();
        let environment = targets
            .found
            .as_ref()
            .and_then(|found| found.project.environment(&name));
        let variables = environment.map_or(&[][..], |environment| &environment.variables);
        let files = variables
            .iter()
            .filter_map(|file| context.in_repository(&directory.join(file)))
            .collect();
        scope.environments.push((name, files));
    }
    if let Some(found) = &targets.found {
        scope
            .shared
            .extend(context.in_repository(&directory.join("terrace.hcl")));
        let policies = found.project.policies.iter().map(|block| &block.policy);
        for policy in policies {
            let rules = policy.rules.iter().map(|file| &file.path);
            let data = policy.data.iter().map(|file| &file.path);
            for path in rules.chain(data) {
                scope
                    .shared
                    .extend(context.in_repository(&directory.join(path)));
            }
        }
    }
    context.in_repository(&directory).map(|_| scope)
}

/// Modules that are called by a path are where it leads; others are nobody's files here.
struct Paths;

impl ModuleResolver for Paths {
    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        if request.source.starts_with("./") || request.source.starts_with("../") {
            return Ok(terrace_config::join_path(
                request.calling_directory,
                request.source,
            ));
        }
        Err(Diagnostic::error(
            "module-not-installed",
            "Module not installed",
            "Not followed.",
        )
        .at(request.span))
    }
}

/// The folders that a configuration lies in: its own, and those of modules that it calls by a path.
fn folders(root: &Path) -> Vec<String> {
    let root = root.to_string_lossy().into_owned();
    let (config, _) = terrace_config::load(&root, &Disk, &Paths);
    let mut folders = vec![root];
    folders.extend(config.root.walk().map(|node| node.module.directory.clone()));
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_diff() {
        let text = "diff --git a/a b.tf b/a b.tf\nindex 1..2 100644\n--- a/a b.tf\n+++ b/a b.tf\n@@ -1 +1,2 @@\n-x\n+y\n+--- a/z\ndiff --git a/bin b/bin\nBinary files differ\n";
        let files = read_diff(text);
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a b.tf", "bin"]);
        assert_eq!(changed_lines(&files[0].patch), [1..=2]);
    }
}

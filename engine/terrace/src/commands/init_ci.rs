//! `terrace init-ci`: the workflows of a project.

use std::path::{Path, PathBuf};

use terrace_ci::{Workflow, WorkflowSettings, is_untouched, workflows};
use terrace_diag::Diagnostic;
use terrace_port::Files as _;

use super::version::VERSION;
use crate::args::{InitCiCommand, InitCiGithubArgs};
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::outside::{Disk, run_aside, write_file};
use crate::session::{FoundProject, Session};

/// The repository that the action is part of.
const REPOSITORY: &str = "terrace-iac/terrace/.github/actions/terrace";

pub(crate) async fn run(session: &Session, command: &InitCiCommand) -> Outcome {
    let InitCiCommand::Github(args) = command;
    let Some(found) = session.find_project()? else {
        let detail = "The workflows are written from the environments of the project file, and there is no terrace.hcl in this directory or above it.";
        return Err(CommandError::one("no-project", "No project file", detail));
    };
    let root = root(&found.directory)?;
    let settings = settings(&found, args, &root).await?;
    let plans: Vec<Planned> = workflows(&settings)
        .into_iter()
        .map(|workflow| Planned::of(workflow, &root))
        .collect::<Result<_, _>>()?;
    refuse_changed(&plans, args.force)?;
    for planned in &plans {
        planned.carry_out(session, args.dry_run)?;
    }
    let is_new = plans.iter().any(|planned| planned.old.is_none());
    if is_new && !args.dry_run {
        tell_next(session, &settings);
    }
    Ok(SUCCESS)
}

/// The directory of the repository, where workflows belong.
fn root(directory: &Path) -> Result<PathBuf, CommandError> {
    let top = directory
        .ancestors()
        .find(|directory| directory.join(".git").exists());
    top.map(Path::to_owned).ok_or_else(|| {
        let detail = format!(
            "{} is in no git repository, and workflows belong to the top of one.",
            directory.display()
        );
        Diagnostic::error("no-repository", "No repository", detail)
            .hint("git init")
            .into()
    })
}

async fn settings(
    found: &FoundProject,
    args: &InitCiGithubArgs,
    root: &Path,
) -> Result<WorkflowSettings, CommandError> {
    let environments: Vec<(String, Vec<String>)> = found
        .project
        .environments
        .iter()
        .map(|environment| (environment.name.clone(), environment.after.clone()))
        .collect();
    if environments.is_empty() {
        let detail =
            "The project file has no environments, and workflows apply one after the other.";
        return Err(Diagnostic::error(
            "no-environment",
            "No environment to write workflows for",
            detail,
        )
        .hint("environment \"dev\" {} in terrace.hcl")
        .into());
    }
    check_names(args)?;
    let folder = found.directory.strip_prefix(root).unwrap_or(Path::new(""));
    let folder = folder.to_string_lossy().replace('\\', "/");
    let branch = match &args.branch {
        Some(branch) => branch.clone(),
        None => default_branch(root).await,
    };
    Ok(WorkflowSettings {
        prefix: args.prefix.clone(),
        environments,
        branch,
        folder: if folder.is_empty() {
            ".".to_owned()
        } else {
            folder
        },
        action: match &args.action {
            Some(action) => action.clone(),
            None => format!("{REPOSITORY}@v{VERSION}"),
        },
    })
}

/// Both go into workflows as they are.
fn check_names(args: &InitCiGithubArgs) -> Result<(), CommandError> {
    let is_plain = |text: &str, more: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    if !is_plain(&args.prefix, "-_") {
        let detail = format!("{:?} has more than letters, digits, - and _.", args.prefix);
        return Err(CommandError::one(
            "invalid-option",
            "Invalid prefix",
            detail,
        ));
    }
    if let Some(action) = &args.action
        && !is_plain(action, "-_./@")
    {
        let detail =
            format!("{action:?} is no action, such as {REPOSITORY}@v1.0.0 or ./actions/terrace.");
        return Err(CommandError::one(
            "invalid-option",
            "Invalid action",
            detail,
        ));
    }
    Ok(())
}

/// The branch that `origin` has as its default, as far as this clone knows it.
async fn default_branch(root: &Path) -> String {
    let argv = ["git", "symbolic-ref", "--short", "refs/remotes/origin/HEAD"].map(str::to_owned);
    let said = match run_aside(&argv, root, b"").await {
        Ok(ran) if ran.succeeded() => ran.text(),
        _ => String::new(),
    };
    let branch = said.trim().trim_start_matches("origin/");
    if branch.is_empty() { "main" } else { branch }.to_owned()
}

/// A workflow, and what is there in its place.
struct Planned {
    workflow: Workflow,
    file: PathBuf,
    old: Option<String>,
}

impl Planned {
    fn of(workflow: Workflow, root: &Path) -> Result<Self, CommandError> {
        let file = root.join(&workflow.path);
        let path = file.to_string_lossy();
        let old = if Disk.exists(&path) {
            let bytes = Disk.read(&path).map_err(|error| {
                let detail = format!("{path} cannot be read: {error}.");
                CommandError::one("unreadable-file", "Workflow cannot be read", detail)
            })?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        } else {
            None
        };
        Ok(Self {
            workflow,
            file,
            old,
        })
    }

    fn is_same(&self) -> bool {
        let old = self.old.as_ref().map(|old| old.replace("\r\n", "\n"));
        old.as_ref() == Some(&self.workflow.text)
    }

    /// Whether somebody has changed it since it was written, or written it at all.
    fn is_changed(&self) -> bool {
        !self.is_same() && self.old.as_ref().is_some_and(|old| !is_untouched(old))
    }

    fn difference(&self) -> String {
        let old = self.old.as_deref().unwrap_or_default();
        super::fmt::difference(
            &self.workflow.path,
            old.as_bytes(),
            self.workflow.text.as_bytes(),
        )
    }

    fn carry_out(&self, session: &Session, is_dry: bool) -> Result<(), CommandError> {
        let path = &self.workflow.path;
        if self.is_same() {
            session.view.line(format!("{path} is as it should be."));
            return Ok(());
        }
        if is_dry {
            session.view.output(self.difference().trim_end());
            return Ok(());
        }
        let file = self.file.to_string_lossy();
        write_file(&file, self.workflow.text.as_bytes()).map_err(|error| {
            let detail = format!("{file} cannot be written: {error}.");
            CommandError::one("unwritable-file", "Workflow cannot be written", detail)
        })?;
        session.view.line(format!("Wrote {path}"));
        Ok(())
    }
}

/// What people have changed stays, unless they say otherwise.
fn refuse_changed(plans: &[Planned], is_forced: bool) -> Result<(), CommandError> {
    let changed: Vec<&Planned> = plans
        .iter()
        .filter(|planned| planned.is_changed())
        .collect();
    if is_forced || changed.is_empty() {
        return Ok(());
    }
    let differences: Vec<String> = changed.iter().map(|planned| planned.difference()).collect();
    let detail = format!(
        "Nothing was written: somebody has changed what is there. -force would do this:\n\n{}",
        differences.join("\n")
    );
    Err(
        Diagnostic::error("workflow-changed", "Workflow was changed by hand", detail)
            .hint("take over what is yours, or write it anew with -force")
            .into(),
    )
}

/// What people do at GitHub, which no file can.
fn tell_next(session: &Session, settings: &WorkflowSettings) {
    let names: Vec<&str> = settings
        .environments
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    session.view.paragraph(&format!(
        "\nAt GitHub, make the environments {}; with required reviewers, their approval opens gates. For AWS, set the variables TERRACE_PLAN_ROLE_NAME of the repository and TERRACE_APPLY_ROLE_NAME of each environment (its name in capitals) to the ARNs of their roles.",
        names.join(", ")
    ));
}

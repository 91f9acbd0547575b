//! What the surroundings say of the job that this is: which event, which repository, who may be told.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use terrace_ci::{Event, EventKind, Whereabouts};
use terrace_diag::Diagnostic;
use terrace_forge::GitHubDesk;
use terrace_port::{Desk, Files as _};

use crate::command_error::{CommandError, REFUSED};
use crate::outside::Disk;
use crate::session::Session;

/// The job.
pub(super) struct Context {
    /// What has started it; `None` outside of GitHub's workflows.
    pub(super) event: Option<Event>,
    /// The commit that checks are of: of a pull request its last.
    pub(super) head: Option<String>,
    /// The address of the workflow's run.
    pub(super) run_url: Option<String>,
    /// The directory of the repository.
    pub(super) root: PathBuf,
    /// Where to tell; `None` where nobody may be told.
    pub(super) desk: Option<Arc<dyn Desk>>,
}

impl Context {
    /// Reads the surroundings.
    pub(super) fn read(session: &Session) -> Result<Self, CommandError> {
        let variable = |name: &str| session.environment.get(name);
        let repository = variable("GITHUB_REPOSITORY").unwrap_or_default();
        let event = match variable("GITHUB_EVENT_NAME") {
            Some(name) => Some(read_event(name, variable("GITHUB_EVENT_PATH"), repository)?),
            None => None,
        };
        let head = match event.as_ref().map(|event| &event.kind) {
            Some(EventKind::PullRequest { head, .. }) => Some(head.clone()),
            _ => super::super::plan::commit(session),
        };
        let server = variable("GITHUB_SERVER_URL").unwrap_or("https://github.com");
        let run_url = variable("GITHUB_RUN_ID")
            .filter(|_| !repository.is_empty())
            .map(|run| format!("{server}/{repository}/actions/runs/{run}"));
        let token = variable("GITHUB_TOKEN").or_else(|| variable("GH_TOKEN"));
        let desk = token.filter(|_| is_repository(repository)).map(|token| {
            let api = variable("GITHUB_API_URL").unwrap_or("https://api.github.com");
            let http = crate::installation::http(session);
            let desk = GitHubDesk::new(http, api, repository, token.to_owned());
            Arc::new(desk) as Arc<dyn Desk>
        });
        Ok(Self {
            event,
            head,
            run_url,
            root: root(variable("GITHUB_WORKSPACE")),
            desk,
        })
    }

    /// The pull request that this is about.
    pub(super) fn pull_request(&self) -> Option<u64> {
        match self.event.as_ref().map(|event| &event.kind) {
            Some(EventKind::PullRequest { number, .. }) => Some(*number),
            _ => None,
        }
    }

    /// Refuses to work with what somebody wrote who may not write to the repository.
    pub(super) fn refuse_strangers(&self) -> Result<(), CommandError> {
        let detail = match self.event.as_ref().map(|event| &event.kind) {
            Some(EventKind::PullRequest {
                number,
                is_fork: true,
                ..
            }) => format!(
                "Pull request {number} comes from a fork. Planning runs what it has written (providers, modules, programs) with the credentials of this job, and those are not for everybody: nothing is planned or applied."
            ),
            Some(EventKind::PullRequestTarget) => "The event pull_request_target runs with the secrets of the branch that a pull request is for, and whoever opens one decides what is planned: nothing is planned or applied.".to_owned(),
            _ => return Ok(()),
        };
        let mut error: CommandError =
            Diagnostic::error("fork-refused", "Not for changes of strangers", detail)
                .hint("somebody who may write to the repository pushes the commits to a branch of it, after reading them")
                .into();
        error.code = REFUSED;
        Err(error)
    }

    /// Where the whole of what is told can be found.
    pub(super) fn whereabouts(&self, project: &str) -> Whereabouts {
        Whereabouts {
            project: project.to_owned(),
            commit: self.head.clone(),
            run_url: self.run_url.clone(),
            artefact: "terrace-plans".to_owned(),
        }
    }

    /// A path as the repository has it; `None` for what lies outside of it.
    pub(super) fn in_repository(&self, path: &Path) -> Option<String> {
        let path = tidy(path);
        let path = path.strip_prefix(&self.root).ok()?;
        let text = path.to_string_lossy().replace('\\', "/");
        Some(if text.is_empty() {
            ".".to_owned()
        } else {
            text
        })
    }
}

/// A path without `.` and with `..` resolved.
fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut tidied = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                tidied.pop();
            }
            part => tidied.push(part),
        }
    }
    tidied
}

fn is_repository(name: &str) -> bool {
    let mut parts = name.split('/');
    let is_name = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
    is_name(parts.next()) && is_name(parts.next()) && parts.next().is_none()
}

fn read_event(name: &str, path: Option<&str>, repository: &str) -> Result<Event, CommandError> {
    let unreadable = |why: String| {
        CommandError::one(
            "ci-event-unreadable",
            "Event cannot be read",
            format!("The workflow was started by the event {name:?}, and {why}."),
        )
    };
    let document = match path {
        Some(path) => Disk
            .read(path)
            .map_err(|error| unreadable(format!("{path} cannot be read: {error}")))?,
        None => Arc::from([].as_slice()),
    };
    Event::read(name, &document, repository).map_err(unreadable)
}

/// The directory of the repository: what the runner calls the workspace where the working directory lies in it, else the nearest
/// directory with a `.git`, else the working directory.
fn root(workspace: Option<&str>) -> PathBuf {
    let here = PathBuf::from(Disk.absolute("."));
    if let Some(workspace) = workspace.map(PathBuf::from)
        && here.starts_with(&workspace)
    {
        return workspace;
    }
    let top = here
        .ancestors()
        .find(|directory| directory.join(".git").exists());
    top.map_or_else(|| here.clone(), Path::to_owned)
}

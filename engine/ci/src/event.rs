//! What has started a workflow, as GitHub tells it.

use serde_json::Value;

/// What has started a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A pull request was opened or has new commits.
    PullRequest {
        /// Its number.
        number: u64,
        /// Its last commit, which is not the one that is checked out.
        head: String,
        /// The branch that it is to be merged into.
        base: String,
        /// Whether its commits are in another repository than the one that it is for.
        is_fork: bool,
    },
    /// As a pull request, with the secrets of the branch that it is for.
    PullRequestTarget,
    /// A branch has new commits.
    Push {
        /// The commit that it ends with.
        commit: String,
        /// The commit that it ended with before; `None` for a new branch.
        before: Option<String>,
    },
    /// Anything else: a schedule, a person.
    Other(String),
}

/// An event and where it has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The repository, `OWNER/NAME`.
    pub repository: String,
    /// What has happened.
    pub kind: EventKind,
    /// The branch that the workflow runs for, where it is one.
    pub branch: Option<String>,
    /// The repository's default branch.
    pub default_branch: Option<String>,
}

impl Event {
    /// Reads an event by its name (`GITHUB_EVENT_NAME`) and its document (the file at `GITHUB_EVENT_PATH`). `repository` is
    /// the one that the workflow belongs to (`GITHUB_REPOSITORY`).
    ///
    /// Whatever of a pull request is not said counts against it: one whose repository is not known is from a fork.
    pub fn read(name: &str, document: &[u8], repository: &str) -> Result<Self, String> {
        let document: Value = if document.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(document)
                .map_err(|error| format!("the event is no JSON: {error}"))?
        };
        let kind = match name {
            "pull_request" => pull_request(&document, repository)?,
            "pull_request_target" => EventKind::PullRequestTarget,
            "push" => push(&document)?,
            other => EventKind::Other(other.to_owned()),
        };
        let branch = text(&document["ref"]).strip_prefix("refs/heads/");
        let default_branch = document["repository"]["default_branch"].as_str();
        Ok(Self {
            repository: repository.to_owned(),
            kind,
            branch: branch.map(str::to_owned),
            default_branch: default_branch.map(str::to_owned),
        })
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn pull_request(document: &Value, repository: &str) -> Result<EventKind, String> {
    let request = &document["pull_request"];
    let number = request["number"]
        .as_u64()
        .or_else(|| document["number"].as_u64())
        .ok_or("the event tells of a pull request without a number")?;
    let head = text(&request["head"]["sha"]);
    if head.is_empty() {
        return Err("the event tells of a pull request without a commit".to_owned());
    }
    let from = text(&request["head"]["repo"]["full_name"]);
    let is_fork = from.is_empty() || !from.eq_ignore_ascii_case(repository);
    Ok(EventKind::PullRequest {
        number,
        head: head.to_owned(),
        base: text(&request["base"]["ref"]).to_owned(),
        is_fork,
    })
}

fn push(document: &Value) -> Result<EventKind, String> {
    let commit = text(&document["after"]);
    if commit.is_empty() {
        return Err("the event tells of a push without a commit".to_owned());
    }
    let before = text(&document["before"]);
    let is_new = before.chars().all(|c| c == '0');
    Ok(EventKind::Push {
        commit: commit.to_owned(),
        before: (!is_new).then(|| before.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(repository: &Value) -> Event {
        let document = json!({"number": 7, "pull_request": {"number": 7,
            "head": {"sha": "abc", "repo": repository}, "base": {"ref": "main"}}});
        Event::read("pull_request", document.to_string().as_bytes(), "acme/shop").unwrap()
    }

    fn is_fork(event: &Event) -> bool {
        matches!(event.kind, EventKind::PullRequest { is_fork, .. } if is_fork)
    }

    #[test]
    fn a_request_from_another_repository_or_from_none_that_is_known_is_a_forks() {
        assert!(!is_fork(&request(&json!({"full_name": "Acme/Shop"}))));
        // A repository that is itself a fork of another is no stranger to itself.
        assert!(!is_fork(&request(
            &json!({"full_name": "acme/shop", "fork": true})
        )));
        assert!(is_fork(&request(&json!({"full_name": "mallory/shop"}))));
        assert!(is_fork(&request(&Value::Null)));
    }

    #[test]
    fn pushes() {
        let read = |before: &str| {
            let document = json!({"before": before, "after": "def", "ref": "refs/heads/x/y",
                "repository": {"default_branch": "main"}});
            let document = document.to_string();
            let event = Event::read("push", document.as_bytes(), "acme/shop").unwrap();
            assert_eq!(event.branch.as_deref(), Some("x/y"));
            assert_eq!(event.default_branch.as_deref(), Some("main"));
            event.kind
        };
        let push = |before: Option<&str>| EventKind::Push {
            commit: "def".to_owned(),
            before: before.map(str::to_owned),
        };
        assert_eq!(read("abc"), push(Some("abc")));
        assert_eq!(read("0000000"), push(None));
    }

    #[test]
    fn what_is_no_event_is_told() {
        assert!(Event::read("pull_request", b"{}", "acme/shop").is_err());
        assert!(Event::read("push", b"{", "acme/shop").is_err());
        let other = Event::read("schedule", b"", "acme/shop").unwrap();
        assert_eq!(other.kind, EventKind::Other("schedule".to_owned()));
    }
}

//! GitHub behind the [`Forge`] port: reviews of pull requests, approvals of a workflow run's deployments, and authors of
//! commits; comments and checks behind [`Desk`](terrace_port::Desk); and its Actions behind the
//! [`Issuer`](terrace_port::Issuer) port.
//!
//! Everything is read through its REST API, a page of a hundred at a time. Nothing is remembered: what is asked for is
//! what holds now.

mod desk;
mod issuer;
mod pages;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value as Json;
use terrace_port::{DeploymentReview, Forge, PullRequest, PullRequestReview, WorkflowRun};
use terrace_registry_client::{Answer, Http};

pub use desk::GitHubDesk;
pub use issuer::Actions;

/// Reads reviews from GitHub.
#[derive(Clone, Debug)]
pub struct GitHub {
    http: Arc<Http>,
    /// A token, and the API to which alone it is sent.
    token: Option<(String, String)>,
}

impl GitHub {
    /// With what makes requests, and without a token: what is public is there to read.
    pub const fn new(http: Arc<Http>) -> Self {
        Self { http, token: None }
    }

    /// With a token for the server with this API. Another server, which a project file may name, does not get it.
    #[must_use]
    pub fn with_token(mut self, api: &str, token: String) -> Self {
        self.token = Some((api.trim_end_matches('/').to_owned(), token));
        self
    }

    async fn get(&self, api: &str, path: &str) -> Result<Json, String> {
        let api = api.trim_end_matches('/').to_owned();
        let url = format!("{api}/{path}");
        let authorization = self
            .token
            .as_ref()
            .filter(|(own, _)| *own == api)
            .map(|(_, token)| format!("Bearer {token}"));
        let http = self.http.clone();
        let asked = url.clone();
        let ask = move || {
            let mut headers = vec![
                ("accept", "application/vnd.github+json"),
                ("x-github-api-version", "2022-11-28"),
            ];
            if let Some(authorization) = &authorization {
                headers.push(("authorization", authorization));
            }
            http.get(&asked, &headers).and_then(Answer::ok)
        };
        let answer = tokio::task::spawn_blocking(ask)
            .await
            .map_err(|error| format!("{url}: {error}"))?
            .map_err(|error| format!("{url}: {error}"))?;
        check_way(&url, &answer.url)?;
        serde_json::from_slice(&answer.body).map_err(|error| format!("{url} is no JSON: {error}"))
    }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What a redirection to an unprotected address has brought could be anybody's. The server that was asked was found good
/// before.
fn check_way(asked: &str, answered: &str) -> Result<(), String> {
    if answered.starts_with("https://") || origin(answered) == origin(asked) {
        return Ok(());
    }
    Err(format!(
        "{asked} leads to {answered}, and the way there is not protected"
    ))
}

/// An address up to its path.
fn origin(address: &str) -> &str {
    let begin = address.find("://").map_or(0, |at| at + 3);
    let rest = &address[begin..];
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    &address[..begin + end]
}

#[async_trait]
impl Forge for GitHub {
    async fn pull_request(
        &self,
        api: &str,
        repository: &str,
        number: u64,
    ) -> Result<PullRequest, String> {
        let path = format!("repos/{repository}/pulls/{number}");
        let request = self.get(api, &path).await?;
        let read = |path: String| async move { self.get(api, &path).await };
        let reviews = pages::all(&format!("{path}/reviews"), None, read).await?;
        Ok(PullRequest {
            author: text(&request["user"]["login"]),
            reviews: reviews
                .iter()
                .map(|review| PullRequestReview {
                    login: text(&review["user"]["login"]),
                    state: text(&review["state"]).to_ascii_uppercase(),
                    commit: text(&review["commit_id"]),
                    submitted: text(&review["submitted_at"]),
                })
                .collect(),
        })
    }

    async fn workflow_run(
        &self,
        api: &str,
        repository: &str,
        id: u64,
    ) -> Result<WorkflowRun, String> {
        let path = format!("repos/{repository}/actions/runs/{id}");
        let run = self.get(api, &path).await?;
        let Json::Array(reviews) = self.get(api, &format!("{path}/approvals")).await? else {
            return Err(format!("{path}/approvals is no list"));
        };
        Ok(WorkflowRun {
            actor: text(&run["actor"]["login"]),
            commit: text(&run["head_sha"]),
            reviews: reviews
                .iter()
                .map(|review| DeploymentReview {
                    login: text(&review["user"]["login"]),
                    state: text(&review["state"]).to_ascii_lowercase(),
                    environments: review["environments"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(|environment| text(&environment["name"]))
                        .collect(),
                })
                .collect(),
        })
    }

    async fn commit_author(
        &self,
        api: &str,
        repository: &str,
        commit: &str,
    ) -> Result<Option<String>, String> {
        let path = format!("repos/{repository}/commits/{commit}");
        let found = self.get(api, &path).await?;
        if text(&found["sha"]) != commit {
            return Err(format!("{path} is another commit"));
        }
        let login = text(&found["author"]["login"]);
        Ok((!login.is_empty()).then_some(login))
    }
}

//! GitHub behind the [`Desk`] port: comments, checks, deployments and issues of a repository.
//!
//! GitHub asks callers to come later in three ways: status 429, status 403 with `retry-after` or with the words of its
//! secondary limit, and statuses of 500 and more. What was refused so had no effect, but for the last: whoever writes looks again
//! for what is there before writing once more.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value as Json, json};
use terrace_port::{
    ChangedFile, CommitCheck, DeploymentState, Desk, KeptIssue, MergedChange, Remark,
};
use terrace_registry_client::{Answer, Http};

use crate::{check_way, pages, text};

/// How often something is tried.
const ATTEMPTS: u32 = 5;
/// How long a server may ask to wait; whoever is asked for longer is told so.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// How many characters the description of a deployment's state may have.
const DESCRIPTION: usize = 140;
/// How many remarks one request may hold.
const REMARKS: usize = 50;

/// A repository at GitHub.
#[derive(Clone, Debug)]
pub struct GitHubDesk {
    http: Arc<Http>,
    api: String,
    repository: String,
    token: String,
    pause: Duration,
}

/// Something that is there once at most.
#[derive(Clone, Copy)]
enum Sought<'a> {
    /// The comment on a change that begins with a marker.
    Comment(u64, &'a str),
    /// The check of a commit with a name.
    Check(&'a str, &'a str),
    /// The deployment of a commit to an environment.
    Deployment(&'a str, &'a str),
    /// The issue with a label whose text begins with a marker.
    Issue(&'a str, &'a str),
    /// The state of a deployment, where it is the last one.
    State(u64, &'a DeploymentState),
}

/// Why a request had no success.
enum Failure {
    /// It had no effect, and never will have.
    Refused(u16, String),
    /// It had no effect now; it may after so long.
    Later(Option<Duration>, String),
    /// It may have had its effect.
    Unknown(String),
}

impl Failure {
    fn told(self) -> String {
        match self {
            Self::Refused(_, why) | Self::Later(_, why) | Self::Unknown(why) => why,
        }
    }
}

impl GitHubDesk {
    /// The repository `OWNER/NAME` at the server with this API, which gets the token.
    pub fn new(http: Arc<Http>, api: &str, repository: &str, token: String) -> Self {
        Self {
            http,
            api: api.trim_end_matches('/').to_owned(),
            repository: repository.to_owned(),
            token,
            pause: Duration::from_secs(1),
        }
    }

    async fn once(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&Json>,
    ) -> Result<Json, Failure> {
        let url = format!("{}/repos/{}/{path}", self.api, self.repository);
        let body = body.map(ToString::to_string).unwrap_or_default();
        let authorization = format!("Bearer {}", self.token);
        let http = self.http.clone();
        let asked = url.clone();
        let ask = move || {
            let headers = [
                ("accept", "application/vnd.github+json"),
                ("x-github-api-version", "2022-11-28"),
                ("content-type", "application/json"),
                ("authorization", &authorization),
            ];
            http.send_body(method, &asked, &headers, body.into_bytes())
        };
        let answer = tokio::task::spawn_blocking(ask)
            .await
            .map_err(|error| Failure::Unknown(format!("{url}: {error}")))?
            .map_err(|error| Failure::Unknown(error.to_string()))?;
        check_way(&url, &answer.url).map_err(|why| Failure::Refused(0, why))?;
        judge(method, &url, &answer)
    }

    /// Asks until there is an answer, or none to be had. For what may be done twice: reading, and writing what replaces what is
    /// there.
    async fn ask(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&Json>,
    ) -> Result<Json, Failure> {
        let mut pause = self.pause;
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let failure = match self.once(method, path, body).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if left == 0 {
                return Err(failure);
            }
            if rest(&failure, pause).await.is_err() {
                return Err(failure);
            }
            pause *= 2;
        }
    }

    async fn read(&self, path: &str) -> Result<Json, String> {
        self.ask("GET", path, None).await.map_err(Failure::told)
    }

    /// All entries of a list that comes in pages, under this name in each of them where they are no list themselves.
    async fn pages(&self, path: &str, name: Option<&str>) -> Result<Vec<Json>, String> {
        pages::all(path, name, |path| async move { self.read(&path).await }).await
    }

    /// The number of something that may be there: of several, the oldest comment and the newest check.
    async fn find(&self, sought: Sought<'_>) -> Result<Option<u64>, String> {
        match sought {
            Sought::Comment(number, marker) => {
                let found = self.marked(number, marker).await?;
                Ok(found.first().map(|(id, _)| *id))
            }
            Sought::Check(commit, name) => {
                let path = format!(
                    "commits/{}/check-runs?check_name={}",
                    encoded(commit),
                    encoded(name)
                );
                let found = self.pages(&path, Some("check_runs")).await?;
                let own = found.iter().filter(|found| text(&found["name"]) == name);
                Ok(own.filter_map(|found| found["id"].as_u64()).max())
            }
            Sought::Deployment(commit, environment) => {
                let path = format!(
                    "deployments?sha={}&environment={}",
                    encoded(commit),
                    encoded(environment)
                );
                let found = self.pages(&path, None).await?;
                Ok(found.iter().filter_map(|found| found["id"].as_u64()).max())
            }
            Sought::Issue(label, marker) => {
                let path = format!("issues?state=all&labels={}", encoded(label));
                let found = self.pages(&path, None).await?;
                let own = found.iter().filter(|found| {
                    found["pull_request"].is_null() && is_marked(&text(&found["body"]), marker)
                });
                Ok(own.filter_map(|found| found["number"].as_u64()).min())
            }
            Sought::State(deployment, state) => {
                let path = format!("deployments/{deployment}/statuses?per_page=1&page=1");
                let found = self.read(&path).await?;
                let last = &found[0];
                let is_same = text(&last["state"]) == state.state
                    && text(&last["description"]) == state.description
                    && text(&last["log_url"]) == state.details.clone().unwrap_or_default();
                Ok(last["id"].as_u64().filter(|_| is_same))
            }
        }
    }

    /// Makes something by what is found of it: where it is there, nothing is done. Gives its number.
    async fn make_once(
        &self,
        sought: Sought<'_>,
        path: &str,
        (name, body): (&str, &Json),
    ) -> Result<u64, String> {
        let mut pause = self.pause;
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            if let Some(found) = self.find(sought).await? {
                return Ok(found);
            }
            let failure = match self.once("POST", path, Some(body)).await {
                Ok(made) => {
                    return made[name].as_u64().ok_or_else(|| {
                        format!("{path} was answered without the {name} of what was made")
                    });
                }
                Err(failure) => failure,
            };
            if left == 0 || rest(&failure, pause).await.is_err() {
                return Err(failure.told());
            }
            pause *= 2;
        }
    }

    /// Makes something by what is found of it: changed where it is there, else created. Whatever happens to a request, what is
    /// there is looked for again before another is made.
    async fn keep(
        &self,
        sought: Sought<'_>,
        write: impl Fn(Option<u64>) -> (&'static str, String, Json) + Send + Sync,
    ) -> Result<Json, String> {
        let mut pause = self.pause;
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let found = self.find(sought).await?;
            let (method, path, body) = write(found);
            let failure = match self.once(method, &path, Some(&body)).await {
                Ok(answer) => return Ok(answer),
                // What was found is gone by now.
                Err(Failure::Refused(404, why)) if found.is_some() => Failure::Unknown(why),
                Err(failure) => failure,
            };
            if left == 0 {
                return Err(failure.told());
            }
            if rest(&failure, pause).await.is_err() {
                return Err(failure.told());
            }
            pause *= 2;
        }
    }

    /// The comments whose text begins with a marker: the oldest first.
    async fn marked(&self, number: u64, marker: &str) -> Result<Vec<(u64, String)>, String> {
        let all = self
            .pages(&format!("issues/{number}/comments"), None)
            .await?;
        let mut found: Vec<(u64, String)> = all
            .iter()
            .filter(|comment| is_marked(&text(&comment["body"]), marker))
            .filter_map(|comment| Some((comment["id"].as_u64()?, text(&comment["body"]))))
            .collect();
        found.sort_unstable();
        Ok(found)
    }
}

/// Whether a text begins with a marker, which is a line of its own.
fn is_marked(text: &str, marker: &str) -> bool {
    text.lines().next().map(str::trim_end) == Some(marker)
}

/// Waits as long as a failure asks for; an error where waiting does not help.
async fn rest(failure: &Failure, pause: Duration) -> Result<(), ()> {
    let wait = match failure {
        Failure::Refused(..) => return Err(()),
        Failure::Later(asked, _) => asked.unwrap_or(pause),
        Failure::Unknown(_) => pause,
    };
    if wait > LONGEST_WAIT {
        return Err(());
    }
    tokio::time::sleep(wait).await;
    Ok(())
}

/// What an answer means.
fn judge(method: &str, url: &str, answer: &Answer) -> Result<Json, Failure> {
    let later = answer
        .header("retry-after")
        .and_then(|seconds| seconds.trim().parse().ok())
        .map(Duration::from_secs);
    let is_spent = answer.header("x-ratelimit-remaining") == Some("0");
    let status = answer.status;
    if (200..300).contains(&status) {
        if answer.body.is_empty() {
            return Ok(Json::Null);
        }
        return serde_json::from_slice(&answer.body)
            .map_err(|error| Failure::Unknown(format!("{url} is no JSON: {error}")));
    }
    let said: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
    let message = text(&said["message"]);
    let mut why = format!("{method} {url} was answered with status {status}");
    if !message.is_empty() {
        let short: String = message.chars().take(200).collect();
        why = format!("{why}: {short}");
    }
    let is_limit = message.to_ascii_lowercase().contains("rate limit");
    Err(match status {
        429 => Failure::Later(later, why),
        403 if later.is_some() || is_limit && !is_spent => Failure::Later(later, why),
        403 if is_spent => {
            Failure::Refused(status, format!("{why} (the limit of this hour is used up)"))
        }
        500.. => Failure::Unknown(why),
        _ => Failure::Refused(status, why),
    })
}

fn remark(remark: &Remark) -> Json {
    json!({
        "path": remark.path,
        "start_line": remark.lines.0,
        "end_line": remark.lines.1,
        "annotation_level": remark.level,
        "title": remark.title,
        "message": remark.message,
    })
}

/// A part of a path or query.
fn encoded(text: &str) -> String {
    crate::issuer::encoded(text)
}

#[async_trait]
impl Desk for GitHubDesk {
    async fn changed_files(&self, number: u64) -> Result<Vec<ChangedFile>, String> {
        let all = self.pages(&format!("pulls/{number}/files"), None).await?;
        let file = |file: &Json| ChangedFile {
            path: text(&file["filename"]),
            previous: file["previous_filename"].as_str().map(str::to_owned),
            patch: text(&file["patch"]),
        };
        Ok(all.iter().map(file).collect())
    }

    async fn comment(&self, number: u64, marker: &str) -> Result<Option<String>, String> {
        let found = self.marked(number, marker).await?;
        Ok(found.into_iter().next().map(|(_, body)| body))
    }

    async fn keep_comment(&self, number: u64, marker: &str, body: &str) -> Result<(), String> {
        let write = |found: Option<u64>| {
            let body = json!({ "body": body });
            match found {
                Some(id) => ("PATCH", format!("issues/comments/{id}"), body),
                None => ("POST", format!("issues/{number}/comments"), body),
            }
        };
        self.keep(Sought::Comment(number, marker), write).await?;
        // Two jobs at once may have made two: the oldest stays.
        for (id, _) in self.marked(number, marker).await?.iter().skip(1) {
            let path = format!("issues/comments/{id}");
            match self.ask("DELETE", &path, None).await {
                Ok(_) | Err(Failure::Refused(404, _)) => {}
                Err(failure) => return Err(failure.told()),
            }
        }
        Ok(())
    }

    async fn keep_check(&self, check: &CommitCheck) -> Result<(), String> {
        let mut parts = check.remarks.chunks(REMARKS);
        let first = parts.next().unwrap_or_default();
        let content = |remarks: &[Remark]| {
            let mut output = json!({
                "title": check.title,
                "summary": check.summary,
                "annotations": remarks.iter().map(remark).collect::<Vec<_>>(),
            });
            if !check.text.is_empty() {
                output["text"] = check.text.clone().into();
            }
            let mut body = json!({
                "name": check.name,
                "status": "completed",
                "conclusion": check.conclusion,
                "output": output,
            });
            if let Some(details) = &check.details {
                body["details_url"] = details.clone().into();
            }
            body
        };
        let write = |found: Option<u64>| match found {
            Some(id) => ("PATCH", format!("check-runs/{id}"), content(first)),
            None => {
                let mut body = content(first);
                body["head_sha"] = check.commit.clone().into();
                ("POST", "check-runs".to_owned(), body)
            }
        };
        let sought = Sought::Check(&check.commit, &check.name);
        let made = self.keep(sought, write).await?;
        let id = made["id"]
            .as_u64()
            .ok_or("GitHub made a check without an id")?;
        for remarks in parts {
            // Each request adds its remarks to those that are there.
            let body = content(remarks);
            self.ask("PATCH", &format!("check-runs/{id}"), Some(&body))
                .await
                .map_err(Failure::told)?;
        }
        Ok(())
    }

    async fn merged_change(&self, commit: &str) -> Result<Option<MergedChange>, String> {
        let all = self
            .pages(&format!("commits/{}/pulls", encoded(commit)), None)
            .await?;
        let merged = |change: &&Json| !text(&change["merged_at"]).is_empty();
        // Of several that hold the commit, the one whose merge has made it; else the last one that was merged.
        let found = all.iter().filter(merged).max_by_key(|change| {
            (
                text(&change["merge_commit_sha"]) == commit,
                text(&change["merged_at"]),
            )
        });
        Ok(found.and_then(|change| {
            Some(MergedChange {
                number: change["number"].as_u64()?,
                head: text(&change["head"]["sha"]),
            })
        }))
    }

    async fn keep_deployment(&self, commit: &str, environment: &str) -> Result<u64, String> {
        let body = json!({
            "ref": commit,
            "environment": environment,
            "task": "deploy",
            "description": format!("terrace: {environment}"),
            "auto_merge": false,
            // The workflow itself says when it begins; checks of the commit do not hold it back.
            "required_contexts": [],
        });
        let sought = Sought::Deployment(commit, environment);
        self.make_once(sought, "deployments", ("id", &body)).await
    }

    async fn keep_state(&self, deployment: u64, state: &DeploymentState) -> Result<(), String> {
        let description: String = state.description.chars().take(DESCRIPTION).collect();
        let state = DeploymentState {
            description,
            ..state.clone()
        };
        let mut body = json!({
            "state": state.state,
            "description": state.description,
            "auto_inactive": state.state == "success",
        });
        if let Some(details) = &state.details {
            body["log_url"] = details.clone().into();
        }
        let path = format!("deployments/{deployment}/statuses");
        let sought = Sought::State(deployment, &state);
        self.make_once(sought, &path, ("id", &body)).await.map(drop)
    }

    async fn keep_issue(&self, issue: &KeptIssue) -> Result<Option<u64>, String> {
        let sought = Sought::Issue(&issue.label, &issue.marker);
        let found = self.find(sought).await?;
        if found.is_none() && issue.is_open {
            let body = json!({
                "title": issue.title,
                "body": issue.body,
                "labels": [issue.label],
            });
            let made = self.make_once(sought, "issues", ("number", &body)).await?;
            return Ok(Some(made));
        }
        let Some(number) = found else {
            return Ok(None);
        };
        let mut body = json!({"title": issue.title, "body": issue.body, "state": "open"});
        if !issue.is_open {
            body["state"] = "closed".into();
            body["state_reason"] = "completed".into();
        }
        self.ask("PATCH", &format!("issues/{number}"), Some(&body))
            .await
            .map_err(Failure::told)?;
        Ok(Some(number))
    }
}

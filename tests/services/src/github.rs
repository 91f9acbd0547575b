//! A stand-in for GitHub's API, which remembers what it is told: comments, checks, issues and deployments of one repository, with
//! pages, limits and failures.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::{Asked, Reply, Web};

/// The token that the stand-in takes.
const TOKEN: &str = "a-token-of-the-job";
/// What GitHub allows in a comment, in characters.
const COMMENT: usize = 65_536;
/// What it allows in each text of a check's output.
const OUTPUT: usize = 65_535;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitHubFault {
    /// Too much was asked in a short time: status 403, with so many seconds to wait.
    SecondaryLimit(u32),
    /// Status 429, without saying how long.
    TooMany,
    /// Status 502, and nothing was done.
    Failed,
    /// Status 502, and all was done.
    LostAnswer,
    /// Status 403 for good: the token may not do that.
    Forbidden,
}

/// What is in the repository.
#[derive(Debug, Default)]
struct Repository {
    next: u64,
    comments: BTreeMap<u64, (u64, String)>,
    files: Vec<Value>,
    checks: BTreeMap<u64, Value>,
    /// Issues by their number.
    issues: BTreeMap<u64, Value>,
    deployments: BTreeMap<u64, Value>,
    /// States of deployments, with the deployment of each.
    states: BTreeMap<u64, (u64, Value)>,
    /// Pull requests that were merged, by the commit that was made so.
    merged: BTreeMap<String, Vec<Value>>,
    /// Who has let workflows' runs go on, by their id.
    runs: BTreeMap<u64, (String, Vec<Value>)>,
    /// Who wrote commits: logins.
    authors: BTreeMap<String, String>,
    /// What goes wrong next, for requests of a method whose path holds a text.
    faults: Vec<(String, String, GitHubFault)>,
}

/// The stand-in. It ends when it is dropped.
#[derive(Debug)]
pub struct GitHubStandIn {
    web: Web,
    repository: Arc<Mutex<Repository>>,
}

impl GitHubStandIn {
    /// Starts with the empty repository `acme/shop` on a free port of this machine.
    pub fn start() -> io::Result<Self> {
        let web = Web::start()?;
        let repository = Arc::new(Mutex::new(Repository {
            next: 1000,
            ..Repository::default()
        }));
        let shared = repository.clone();
        web.otherwise(move |asked| answer(&mut lock(&shared), asked));
        Ok(Self { web, repository })
    }

    /// What a workflow's environment says of it.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("GITHUB_API_URL", self.web.url("")),
            ("GITHUB_REPOSITORY", "acme/shop".to_owned()),
            ("GITHUB_TOKEN", TOKEN.to_owned()),
        ]
    }

    /// The server itself.
    pub const fn web(&self) -> &Web {
        &self.web
    }

    /// The files that pull requests change, each with its patch.
    pub fn change_files(&self, files: &[(&str, &str)]) {
        self.lock().files = files
            .iter()
            .map(|(path, patch)| json!({"filename": path, "status": "modified", "patch": patch}))
            .collect();
    }

    /// Somebody comments.
    pub fn add_comment(&self, number: u64, body: &str) {
        let mut repository = self.lock();
        let id = repository.id();
        repository.comments.insert(id, (number, body.to_owned()));
    }

    /// The comments of a pull request or issue, the oldest first.
    pub fn comments(&self, number: u64) -> Vec<(u64, String)> {
        let repository = self.lock();
        let own = repository.comments.iter();
        own.filter(|(_, (of, _))| *of == number)
            .map(|(id, (_, body))| (*id, body.clone()))
            .collect()
    }

    /// A pull request was merged: number, last commit, and the commit that was made so.
    pub fn merge(&self, number: u64, head: &str, merged: &str) {
        let change = json!({
            "number": number,
            "merged_at": format!("2026-01-01T00:00:{:02}Z", number % 60),
            "merge_commit_sha": merged,
            "head": {"sha": head},
            "base": {"ref": "main"},
        });
        let mut repository = self.lock();
        repository
            .merged
            .entry(merged.to_owned())
            .or_default()
            .push(change);
    }

    /// A pull request that holds a commit was merged, later and elsewhere.
    pub fn merge_elsewhere(&self, number: u64, commit: &str) {
        let change = json!({
            "number": number,
            "merged_at": "2027-01-01T00:00:00Z",
            "merge_commit_sha": "another",
            "head": {"sha": commit},
            "base": {"ref": "release"},
        });
        let mut repository = self.lock();
        repository
            .merged
            .entry(commit.to_owned())
            .or_default()
            .push(change);
    }

    /// A workflow's run of a commit has begun.
    pub fn begin_run(&self, id: u64, commit: &str) {
        let mut repository = self.lock();
        commit.clone_into(&mut repository.runs.entry(id).or_default().0);
    }

    /// Somebody lets a workflow's run of a commit go on to an environment.
    pub fn let_run(&self, id: u64, commit: &str, (login, environment): (&str, &str)) {
        let review = json!({
            "state": "approved",
            "user": {"login": login},
            "environments": [{"name": environment}],
        });
        let mut repository = self.lock();
        let run = repository.runs.entry(id).or_default();
        commit.clone_into(&mut run.0);
        run.1.push(review);
    }

    /// Whose commit it is.
    pub fn wrote(&self, login: &str, commit: &str) {
        self.lock()
            .authors
            .insert(commit.to_owned(), login.to_owned());
    }

    /// The issues, in the order of their numbers.
    pub fn issues(&self) -> Vec<Value> {
        self.lock().issues.values().cloned().collect()
    }

    /// The deployments with their states, the oldest first: environment, commit, states.
    pub fn deployments(&self) -> Vec<(String, String, Vec<String>)> {
        let repository = self.lock();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        repository
            .deployments
            .iter()
            .map(|(id, made)| {
                let own = repository.states.values().filter(|(of, _)| of == id);
                let states = own.map(|(_, state)| word(&state["state"])).collect();
                (word(&made["environment"]), word(&made["sha"]), states)
            })
            .collect()
    }

    /// The checks, in the order in which they were made.
    pub fn checks(&self) -> Vec<Value> {
        self.lock().checks.values().cloned().collect()
    }

    /// The next request of this method whose path holds `part` goes wrong.
    pub fn fail(&self, method: &str, part: &str, fault: GitHubFault) {
        let fault = (method.to_owned(), part.to_owned(), fault);
        self.lock().faults.push(fault);
    }

    /// How many failures have not happened yet.
    pub fn faults_left(&self) -> usize {
        self.lock().faults.len()
    }

    fn lock(&self) -> MutexGuard<'_, Repository> {
        lock(&self.repository)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn error(status: u16, message: &str) -> Reply {
    made(status, &json!({"message": message}))
}

fn made(status: u16, value: &Value) -> Reply {
    Reply::json(&value.to_string()).with_status(status)
}

fn answer(repository: &mut Repository, asked: &Asked) -> Reply {
    if asked.headers.get("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return error(401, "Bad credentials");
    }
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let Some(path) = path.strip_prefix("/repos/acme/shop/") else {
        return error(404, "Not Found");
    };
    let at = repository
        .faults
        .iter()
        .position(|(method, part, _)| *method == asked.method && path.contains(part));
    let fault = at.map(|at| repository.faults.remove(at).2);
    match fault {
        Some(GitHubFault::SecondaryLimit(seconds)) => {
            return error(403, "You have exceeded a secondary rate limit.")
                .header("Retry-After", &seconds.to_string());
        }
        Some(GitHubFault::TooMany) => return error(429, "Too many requests"),
        Some(GitHubFault::Failed) => return error(502, "Server Error"),
        Some(GitHubFault::Forbidden) => {
            return error(403, "Resource not accessible by integration");
        }
        Some(GitHubFault::LostAnswer) | None => {}
    }
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let reply = route(repository, &asked.method, &parts, (query, &body));
    if fault == Some(GitHubFault::LostAnswer) {
        return error(502, "Server Error");
    }
    reply
}

fn route(
    repository: &mut Repository,
    method: &str,
    parts: &[&str],
    (query, body): (&str, &Value),
) -> Reply {
    let number = |at: usize| parts.get(at).and_then(|text| text.parse::<u64>().ok());
    match (method, parts) {
        ("GET", ["pulls", _, "files"]) => page(query, &repository.files),
        ("GET", ["issues", _, "comments"]) => {
            let all = repository.comments.iter();
            let own: Vec<Value> = all
                .filter(|(_, (of, _))| Some(*of) == number(1))
                .map(|(id, (_, body))| json!({"id": id, "body": body}))
                .collect();
            page(query, &own)
        }
        ("POST", ["issues", _, "comments"]) => repository.comment(None, number(1), body),
        ("PATCH", ["issues", "comments", _]) => repository.comment(number(2), None, body),
        ("DELETE", ["issues", "comments", _]) => {
            match number(2).and_then(|id| repository.comments.remove(&id)) {
                Some(_) => Reply::status(204),
                None => error(404, "Not Found"),
            }
        }
        ("GET", ["commits", commit, "check-runs"]) => {
            let own: Vec<&Value> = repository
                .checks
                .values()
                .filter(|check| check["head_sha"] == *commit)
                .collect();
            made(200, &json!({"total_count": own.len(), "check_runs": own}))
        }
        ("GET", ["commits", commit, "pulls"]) => {
            let found = repository.merged.get(*commit).cloned();
            page(query, &found.unwrap_or_default())
        }
        ("GET", ["commits", commit]) => match repository.authors.get(*commit) {
            Some(login) => made(200, &json!({"sha": commit, "author": {"login": login}})),
            None => error(422, "No commit found for SHA"),
        },
        ("GET", ["actions", "runs", _]) => {
            match number(2).and_then(|id| repository.runs.get(&id)) {
                Some((commit, _)) => made(
                    200,
                    &json!({"head_sha": commit, "actor": {"login": "merger"}}),
                ),
                None => error(404, "Not Found"),
            }
        }
        ("GET", ["actions", "runs", _, "approvals"]) => {
            match number(2).and_then(|id| repository.runs.get(&id)) {
                Some((_, reviews)) => made(200, &json!(reviews)),
                None => error(404, "Not Found"),
            }
        }
        (_, ["deployments", ..]) => repository.deployment(method, number(1), (query, body)),
        ("GET", ["issues"]) => {
            let label = asked_for(query, "labels");
            let all = repository.issues.values().rev();
            let own: Vec<Value> = all
                .filter(|issue| {
                    issue["labels"]
                        .as_array()
                        .is_some_and(|labels| labels.iter().any(|own| own["name"] == label))
                })
                .filter(|issue| asked_for(query, "state") == "all" || issue["state"] == "open")
                .cloned()
                .collect();
            page(query, &own)
        }
        ("POST", ["issues"]) => repository.issue(None, body),
        ("PATCH", ["issues", _]) => repository.issue(number(1), body),
        ("POST", ["check-runs"]) => repository.check(None, body),
        ("PATCH", ["check-runs", _]) => repository.check(number(1), body),
        _ => error(404, "Not Found"),
    }
}

fn characters(value: &Value) -> usize {
    value.as_str().unwrap_or_default().chars().count()
}

impl Repository {
    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn comment(&mut self, id: Option<u64>, number: Option<u64>, body: &Value) -> Reply {
        let text = body["body"].as_str().unwrap_or_default();
        if text.is_empty() || characters(&body["body"]) > COMMENT {
            return error(422, "Body is too long (maximum is 65536 characters)");
        }
        let status = if id.is_some() { 200 } else { 201 };
        let (id, number) = match id {
            Some(id) => match self.comments.get(&id) {
                Some((number, _)) => (id, *number),
                None => return error(404, "Not Found"),
            },
            None => (self.id(), number.unwrap_or_default()),
        };
        self.comments.insert(id, (number, text.to_owned()));
        made(status, &json!({"id": id, "body": text}))
    }

    fn issue(&mut self, number: Option<u64>, body: &Value) -> Reply {
        if characters(&body["title"]) == 0 || characters(&body["body"]) > COMMENT {
            return error(422, "Validation Failed");
        }
        let status = if number.is_some() { 200 } else { 201 };
        let mut issue = match number {
            Some(number) => match self.issues.get(&number) {
                Some(issue) => issue.clone(),
                None => return error(404, "Not Found"),
            },
            None => {
                let labels = body["labels"].as_array().cloned().unwrap_or_default();
                let labels: Vec<Value> = labels.iter().map(|name| json!({"name": name})).collect();
                json!({"number": self.id(), "state": "open", "labels": labels})
            }
        };
        for name in ["title", "body", "state"] {
            if !body[name].is_null() {
                issue[name] = body[name].clone();
            }
        }
        let number = issue["number"].as_u64().unwrap_or_default();
        self.issues.insert(number, issue.clone());
        made(status, &issue)
    }

    fn deployment(
        &mut self,
        method: &str,
        id: Option<u64>,
        (query, body): (&str, &Value),
    ) -> Reply {
        match (method, id) {
            ("GET", None) => {
                let (sha, environment) = (asked_for(query, "sha"), asked_for(query, "environment"));
                let all = self.deployments.values().rev();
                let own: Vec<Value> = all
                    .filter(|made| made["sha"] == sha && made["environment"] == environment)
                    .cloned()
                    .collect();
                page(query, &own)
            }
            ("POST", None) => {
                if characters(&body["ref"]) == 0 || body["auto_merge"] != false {
                    return error(422, "Validation Failed");
                }
                let id = self.id();
                let deployment =
                    json!({"id": id, "sha": body["ref"], "environment": body["environment"]});
                self.deployments.insert(id, deployment.clone());
                made(201, &deployment)
            }
            ("GET", Some(id)) => {
                let all = self.states.values().rev();
                let own: Vec<Value> = all
                    .filter(|(of, _)| *of == id)
                    .map(|(_, state)| state.clone())
                    .collect();
                page(query, &own)
            }
            ("POST", Some(deployment)) => {
                let states = ["pending", "in_progress", "success", "failure"];
                let is_known = states.iter().any(|name| body["state"] == *name);
                if !is_known || characters(&body["description"]) > 140 {
                    return error(422, "Validation Failed");
                }
                if !self.deployments.contains_key(&deployment) {
                    return error(404, "Not Found");
                }
                let id = self.id();
                let mut state = body.clone();
                state["id"] = id.into();
                self.states.insert(id, (deployment, state.clone()));
                made(201, &state)
            }
            _ => error(404, "Not Found"),
        }
    }

    fn check(&mut self, id: Option<u64>, body: &Value) -> Reply {
        let output = &body["output"];
        let annotations = output["annotations"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let conclusions = ["success", "neutral", "failure"];
        let is_wrong = characters(&output["summary"]) > OUTPUT
            || characters(&output["text"]) > OUTPUT
            || characters(&output["title"]) == 0
            || annotations.len() > 50
            || body["status"] != "completed"
            || !conclusions.iter().any(|name| body["conclusion"] == *name)
            || id.is_none() && characters(&body["head_sha"]) == 0;
        if is_wrong {
            return error(422, "Invalid request.");
        }
        let status = if id.is_some() { 200 } else { 201 };
        let mut check = match id {
            Some(id) => match self.checks.get(&id) {
                Some(check) => check.clone(),
                None => return error(404, "Not Found"),
            },
            None => json!({"id": self.id(), "head_sha": body["head_sha"], "annotations": []}),
        };
        for name in ["name", "conclusion", "details_url"] {
            check[name] = body[name].clone();
        }
        for name in ["title", "summary", "text"] {
            check[name] = output[name].clone();
        }
        if let Some(all) = check["annotations"].as_array_mut() {
            all.extend(annotations);
        }
        let id = check["id"].as_u64().unwrap_or_default();
        self.checks.insert(id, check.clone());
        made(status, &check)
    }
}

/// What a query says under a name; what is encoded in it is no concern of the names that tests use.
fn asked_for<'a>(query: &'a str, name: &str) -> &'a str {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(found, _)| *found == name)
        .map_or("", |(_, value)| value)
}

/// The page of a list that a query asks for.
fn page(query: &str, all: &[Value]) -> Reply {
    let number = |name: &str, otherwise: usize| asked_for(query, name).parse().unwrap_or(otherwise);
    let size = number("per_page", 30).clamp(1, 100);
    let begin = (number("page", 1).max(1) - 1) * size;
    let end = all.len().min(begin + size);
    made(200, &json!(all.get(begin..end).unwrap_or_default()))
}

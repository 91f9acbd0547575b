//! Azure Resource Manager: requests with retries, operations that last, and lists in pages.

mod failure;
mod operation;

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use terrace_backend_remote::chain;
use terrace_bearer::azure::Tokens;
use terrace_provider_sdk::{Outcome, Stop};
use tokio::time::Instant;

pub(crate) use failure::Failure;

use crate::Pace;

/// Codes of conflicts that pass: somebody else changes the object, or one of its name is still going.
const PASSING_CONFLICTS: [&str; 4] = [
    "AnotherOperationInProgress",
    "ContainerBeingDeleted",
    "RetryableError",
    "StorageAccountOperationInProgress",
];

/// The service, as one subscription of a signed-in principal sees it.
pub(crate) struct Arm {
    pub(crate) web: reqwest::Client,
    pub(crate) tokens: Tokens,
    /// Where it is, without a slash at the end.
    pub(crate) manager: url::Url,
    pub(crate) subscription: String,
    /// The tenant that was signed in to, where it is known.
    pub(crate) tenant: Option<String>,
    /// What hosts of storage accounts end with.
    pub(crate) storage_suffix: String,
    /// What ties requests of one run together in Azure's logs.
    pub(crate) correlation: Option<String>,
    pub(crate) pace: Pace,
}

/// What a request is about: an object or a list, by its path and the version of the interface that is spoken.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) path: String,
    pub(crate) version: &'static str,
    /// The rest of the query.
    pub(crate) query: &'static str,
}

impl Target {
    pub(crate) fn new(path: impl Into<String>, version: &'static str) -> Self {
        Self {
            path: path.into(),
            version,
            query: "",
        }
    }
}

/// One request.
pub(crate) struct Request {
    method: Method,
    url: url::Url,
    body: Option<Json>,
}

/// An answer of success.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    url: url::Url,
    method: Method,
}

impl Answer {
    fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Failure::Unreadable(format!("{}: {error}", self.url.path())))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long the service asks to wait.
    fn wait(&self) -> Option<Duration> {
        let number = |name| self.header(name)?.trim().parse::<u64>().ok();
        number("retry-after-ms")
            .or_else(|| number("x-ms-retry-after-ms"))
            .map(Duration::from_millis)
            .or_else(|| number("retry-after").map(Duration::from_secs))
    }
}

/// The service during one change or read: until when, and whether the user wants it to end.
pub(crate) struct Session {
    pub(crate) arm: std::sync::Arc<Arm>,
    stop: Option<Stop>,
    until: Instant,
    within: Duration,
}

impl Session {
    pub(crate) fn new(arm: std::sync::Arc<Arm>, stop: Stop, within: Duration) -> Self {
        Self {
            arm,
            stop: Some(stop),
            until: Instant::now() + within,
            within,
        }
    }

    /// One that goes on whatever the user wants: there is nobody to ask yet.
    pub(crate) fn unhindered(arm: std::sync::Arc<Arm>, within: Duration) -> Self {
        Self {
            arm,
            stop: None,
            until: Instant::now() + within,
            within,
        }
    }

    async fn stopped(&self) {
        match &self.stop {
            Some(stop) => stop.wanted().await,
            None => std::future::pending().await,
        }
    }

    /// Waits until it is time to look again.
    pub(crate) async fn look_again(&self) -> Result<(), Failure> {
        self.pause(self.arm.pace.look).await
    }

    fn url(&self, target: &Target) -> Result<url::Url, Failure> {
        let mut url = self.arm.manager.clone();
        {
            let mut segments = url
                .path_segments_mut()
                .map_err(|()| Failure::Unreadable("the address of the service".into()))?;
            segments.pop_if_empty();
            segments.extend(target.path.split('/').filter(|part| !part.is_empty()));
        }
        let mut query = format!("api-version={}", target.version);
        if !target.query.is_empty() {
            query.push('&');
            query.push_str(target.query);
        }
        url.set_query(Some(&query));
        Ok(url)
    }

    fn request(
        &self,
        method: Method,
        target: &Target,
        body: Option<Json>,
    ) -> Result<Request, Failure> {
        Ok(Request {
            method,
            url: self.url(target)?,
            body,
        })
    }

    /// The object; `None` where there is none.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        target: &Target,
    ) -> Result<Option<T>, Failure> {
        let request = self.request(Method::GET, target, None)?;
        match self.send(&request).await {
            Ok(answer) => answer.read().map(Some),
            Err(failure) if failure.is_absence() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The object that was made a moment ago: places that have not heard of it yet are asked again.
    pub(crate) async fn appeared<T: DeserializeOwned>(
        &self,
        target: &Target,
    ) -> Result<T, Failure> {
        let latest = Instant::now() + self.arm.pace.appearance;
        loop {
            if let Some(found) = self.get(target).await? {
                return Ok(found);
            }
            if Instant::now() >= latest {
                return Err(Failure::NeverAppeared(self.arm.pace.appearance));
            }
            self.look_again().await?;
        }
    }

    /// Begins to make or replace an object. [`Self::settled`] waits for the end.
    pub(crate) async fn put(&self, target: &Target, body: Json) -> Result<Answer, Failure> {
        let request = self.request(Method::PUT, target, Some(body))?;
        self.send(&request).await
    }

    /// The same in a parent, which may not be known everywhere yet; one that is gone is told of, by its name.
    pub(crate) async fn put_into(
        &self,
        target: &Target,
        body: Json,
        parent: &Target,
        name: impl FnOnce() -> String,
    ) -> Result<Answer, Failure> {
        let latest = Instant::now() + self.arm.pace.appearance;
        loop {
            let failure = match self.put(target, body.clone()).await {
                Err(failure) if failure.is_missing_parent() => failure,
                result => return result,
            };
            if self.get::<Json>(parent).await?.is_none() {
                return Err(failure.of_parent(name()));
            }
            if Instant::now() >= latest {
                return Err(failure);
            }
            self.look_again().await?;
        }
    }

    /// Makes or replaces an object, and waits for the end.
    pub(crate) async fn put_and_settle(&self, target: &Target, body: Json) -> Result<(), Failure> {
        let answer = self.put(target, body).await?;
        self.settled(answer).await
    }

    /// Changes parts of an object.
    pub(crate) async fn patch(&self, target: &Target, body: Json) -> Result<(), Failure> {
        let request = self.request(Method::PATCH, target, Some(body))?;
        let answer = self.send(&request).await?;
        self.settled(answer).await
    }

    /// Asks an object to do something that has an answer.
    pub(crate) async fn post<T: DeserializeOwned>(&self, target: &Target) -> Result<T, Failure> {
        let request = self.request(Method::POST, target, None)?;
        self.send(&request).await?.read()
    }

    /// Ends an object; one that is gone already is no failure.
    pub(crate) async fn delete(&self, target: &Target) -> Result<(), Failure> {
        let request = self.request(Method::DELETE, target, None)?;
        match self.send(&request).await {
            Ok(answer) => self.settled(answer).await,
            Err(failure) if failure.is_absence() => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// All elements of a list, whatever pages it comes in.
    pub(crate) async fn all<T: DeserializeOwned>(
        &self,
        target: &Target,
    ) -> Result<Vec<T>, Failure> {
        let mut request = self.request(Method::GET, target, None)?;
        let mut found = Vec::new();
        loop {
            let page = self.send(&request).await?;
            let mut body: Json = page.read()?;
            if let Some(Json::Array(items)) = body.get_mut("value").map(Json::take) {
                for item in items {
                    let item = serde_json::from_value(item);
                    found.push(item.map_err(|error| Failure::Unreadable(error.to_string()))?);
                }
            }
            match body.get("nextLink").and_then(Json::as_str) {
                Some(next) if !next.is_empty() => request.url = self.own(next)?,
                _ => return Ok(found),
            }
        }
    }

    /// An address that the service gave, which must be its own: the token goes nowhere else.
    fn own(&self, address: &str) -> Result<url::Url, Failure> {
        let url = self.arm.manager.join(address).ok();
        url.filter(|url| url.origin() == self.arm.manager.origin())
            .ok_or_else(|| Failure::Elsewhere(address.to_owned()))
    }

    /// Waits, unless the time is over before or the user wants the end.
    async fn pause(&self, duration: Duration) -> Result<(), Failure> {
        if self.stop.as_ref().is_some_and(Stop::is_wanted) {
            return Err(Failure::Stopped);
        }
        if Instant::now() + duration > self.until {
            return Err(Failure::TimedOut(self.within));
        }
        tokio::select! {
            () = tokio::time::sleep(duration) => Ok(()),
            () = self.stopped() => Err(Failure::Stopped),
        }
    }

    /// An answer of success. What may pass is asked again: throttling until the time is over, other things a few times.
    async fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let pace = self.arm.pace;
        let mut tries = 0;
        let mut renewed = false;
        loop {
            let (failure, asked_to_wait) = match self.once(request).await? {
                Ok(answer)
                    if !answer.status.is_client_error() && !answer.status.is_server_error() =>
                {
                    return Ok(answer);
                }
                Ok(answer) => {
                    let wait = answer.wait();
                    (Failure::of_answer(&answer), wait)
                }
                Err(failure) => (failure, None),
            };
            if failure.is_expiry() && !renewed {
                renewed = true;
                self.arm.tokens.forget().await;
                continue;
            }
            let again = failure.is_throttling() || failure.may_pass() && tries < pace.retries;
            if !again {
                return Err(failure);
            }
            let wait = asked_to_wait.unwrap_or_else(|| pace.before_retry(tries));
            match self.pause(wait).await {
                Err(Failure::TimedOut(_)) => return Err(failure),
                paused => paused?,
            }
            tries += 1;
        }
    }

    /// Asks once. What is wrong before there is a connection, such as signing in, is no matter of asking again.
    async fn once(&self, request: &Request) -> Result<Result<Answer, Failure>, Failure> {
        let arm = &*self.arm;
        let token = arm.tokens.sign_in("").await.map_err(Failure::SignIn)?;
        let mut asked = arm
            .web
            .request(request.method.clone(), request.url.clone())
            .bearer_auth(token)
            .header("accept", "application/json");
        if let Some(correlation) = &arm.correlation {
            asked = asked.header("x-ms-correlation-request-id", correlation);
        }
        asked = match &request.body {
            Some(body) => asked
                .header("content-type", "application/json; charset=utf-8")
                .body(body.to_string()),
            None if request.method == Method::POST => asked.header("content-length", "0"),
            None => asked,
        };
        let answered = async {
            let answer = asked.send().await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let body = answer.bytes().await?.to_vec();
            Ok::<_, reqwest::Error>((status, headers, body))
        };
        let answered = tokio::select! {
            answered = answered => answered,
            () = tokio::time::sleep_until(self.until) => return Err(Failure::TimedOut(self.within)),
            () = self.stopped() => return Err(Failure::Stopped),
        };
        Ok(match answered {
            Ok((status, headers, body)) => Ok(Answer {
                status,
                headers,
                body,
                url: request.url.clone(),
                method: request.method.clone(),
            }),
            Err(error) => Err(Failure::Unreachable(chain(&error.without_url()))),
        })
    }
}

/// What a failure is while something is done with something: diagnostics.
pub(crate) trait During<T> {
    /// `doing` and `what` make a sentence: "creating", "Resource Group \"x\"".
    fn during(self, doing: &str, what: &impl std::fmt::Display) -> Outcome<T>;
}

impl<T> During<T> for Result<T, Failure> {
    fn during(self, doing: &str, what: &impl std::fmt::Display) -> Outcome<T> {
        self.map_err(|failure| failure.diagnostic(doing, &what.to_string()).into())
    }
}

/// A model as a body, without members that are null: the models write times that nobody set as such.
pub(crate) fn body(model: &impl Serialize) -> Json {
    serde_json::to_value(model).map_or(Json::Null, without_nulls)
}

fn without_nulls(body: Json) -> Json {
    match body {
        Json::Object(members) => members
            .into_iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name, without_nulls(member)))
            .collect(),
        Json::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

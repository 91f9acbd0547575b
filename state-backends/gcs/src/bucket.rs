//! The bucket, through the JSON API.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use terrace_backend_remote::{
    Deleted, Failure, Object, Objects, Problem, Put, Surroundings, Version, When, Write,
};
use terrace_bearer::google::Tokens;

use crate::settings::{Encryption, Settings};

/// What tokens must be good for.
const STORAGE: &str = "https://www.googleapis.com/auth/devstorage.read_write";
const CONNECTING: Duration = Duration::from_secs(10);
/// How long nothing may move.
const STANDING_STILL: Duration = Duration::from_secs(30);
/// How many objects are read at the same time.
const AT_ONCE: usize = 16;

/// The objects of a bucket.
#[derive(Clone)]
pub(crate) struct Bucket(Arc<Inner>);

struct Inner {
    web: reqwest::Client,
    tokens: Tokens,
    endpoint: String,
    name: String,
    encryption: Encryption,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.0.name).finish()
    }
}

/// Whether an object is encrypted with the settings' key. The lock is not, so that today's tools can read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sealed {
    Yes,
    No,
}

struct Answer {
    status: u16,
    generation: Option<String>,
    after: Option<Duration>,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Why the request failed.
    fn failure(&self, what: &str) -> Failure {
        let answer = self.json();
        let message = answer.pointer("/error/message").and_then(Value::as_str);
        let message = message.map_or_else(
            || {
                String::from_utf8_lossy(&self.body)
                    .chars()
                    .take(300)
                    .collect()
            },
            str::to_owned,
        );
        let said = format!("{message} (status {})", self.status);
        match self.status {
            408 | 429 | 500.. => Failure::Transient {
                what: what.to_owned(),
                after: self.after,
                source: said.into(),
            },
            401 => Failure::lasting(
                format!("{what}: the token was refused; sign in again"),
                said,
            ),
            403 => Failure::lasting(
                format!(
                    "{what}: access was refused; the role \"Storage Object Admin\" on the bucket is needed"
                ),
                said,
            ),
            404 => Failure::lasting(
                format!("{what}: the bucket does not exist; create it"),
                said,
            ),
            _ => Failure::lasting(what, said),
        }
    }
}

impl Bucket {
    /// A bucket; signs in.
    pub(crate) async fn open(
        settings: &Settings,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Problem> {
        let web = reqwest::Client::builder()
            .connect_timeout(CONNECTING)
            .read_timeout(STANDING_STILL)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(surroundings.user_agent)
            .build()
            .map_err(|error| Problem::new("Cannot make requests", error.to_string()))?;
        let tokens = Tokens::new(
            &web,
            &settings.identity,
            STORAGE,
            surroundings.clock.clone(),
        );
        tokens.sign_in().await?;
        Ok(Self(Arc::new(Inner {
            web,
            tokens,
            endpoint: settings.endpoint.clone(),
            name: settings.bucket.clone(),
            encryption: settings.encryption.clone(),
        })))
    }

    fn url(&self, upload: bool, name: Option<&str>) -> Result<url::Url, url::ParseError> {
        let upload = if upload { "/upload" } else { "" };
        let mut url = url::Url::parse(&format!("{}{upload}/storage/v1/b", self.0.endpoint))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(&self.0.name).push("o");
            if let Some(name) = name {
                path.push(name);
            }
        }
        Ok(url)
    }

    async fn ask(
        &self,
        what: &str,
        (method, url): (Method, Result<url::Url, url::ParseError>),
        query: &[(&str, &str)],
        sealed: Sealed,
        body: Option<&[u8]>,
    ) -> Result<Answer, Failure> {
        let mut url = url.map_err(|error| Failure::lasting(what, error))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let token = self.0.tokens.get().await;
        let token = token.map_err(|why| Failure::lasting(format!("{what}: signing in"), why))?;
        let mut request = self.0.web.request(method, url).bearer_auth(token);
        if let (Sealed::Yes, Encryption::Customer(key)) = (sealed, &self.0.encryption) {
            request = request
                .header("x-goog-encryption-algorithm", "AES256")
                .header("x-goog-encryption-key", STANDARD.encode(key))
                .header(
                    "x-goog-encryption-key-sha256",
                    STANDARD.encode(Sha256::digest(key)),
                );
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_vec());
        }
        let unanswered =
            |error: reqwest::Error| Failure::transient(what, terrace_backend_remote::chain(&error));
        let answer = request.send().await.map_err(unanswered)?;
        let header = |name: &str| {
            answer
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        Ok(Answer {
            status: answer.status().as_u16(),
            generation: header("x-goog-generation"),
            after: header("retry-after")
                .and_then(|text| text.parse().ok())
                .map(Duration::from_secs),
            body: answer.bytes().await.map_err(unanswered)?.to_vec(),
        })
    }

    pub(crate) async fn fetch(
        &self,
        name: &str,
        sealed: Sealed,
    ) -> Result<Option<Object>, Failure> {
        let what = format!("reading {}", self.place(name));
        let to = (Method::GET, self.url(false, Some(name)));
        let answer = self
            .ask(&what, to, &[("alt", "media")], sealed, None)
            .await?;
        match answer.status {
            200 => Ok(Some(Object {
                version: Version::new(answer.generation.unwrap_or_default()),
                bytes: answer.body.into(),
            })),
            404 if is_about_the_bucket(&answer) => Err(answer.failure(&what)),
            404 => Ok(None),
            _ => Err(answer.failure(&what)),
        }
    }

    pub(crate) async fn store(
        &self,
        name: &str,
        bytes: &[u8],
        when: When<'_>,
        sealed: Sealed,
    ) -> Result<Put, Failure> {
        let what = format!("writing {}", self.place(name));
        let mut query = vec![("uploadType", "media"), ("name", name)];
        match when {
            When::Always => {}
            When::Absent => query.push(("ifGenerationMatch", "0")),
            When::Is(version) => query.push(("ifGenerationMatch", version.as_str())),
        }
        if let (Sealed::Yes, Encryption::Kms(key)) = (sealed, &self.0.encryption) {
            query.push(("kmsKeyName", key));
        }
        let to = (Method::POST, self.url(true, None));
        let answer = self.ask(&what, to, &query, sealed, Some(bytes)).await?;
        match answer.status {
            200 => {
                let generation = answer
                    .json()
                    .get("generation")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
                generation
                    .map(|generation| Put::Written(Version::new(generation)))
                    .ok_or_else(|| Failure::transient(what, "the answer names no generation"))
            }
            412 => Ok(Put::Refused),
            _ => Err(answer.failure(&what)),
        }
    }

    pub(crate) async fn remove(&self, name: &str, when: When<'_>) -> Result<Deleted, Failure> {
        let what = format!("deleting {}", self.place(name));
        let query: &[(&str, &str)] = match when {
            When::Is(version) => &[("ifGenerationMatch", version.as_str())],
            _ => &[],
        };
        let to = (Method::DELETE, self.url(false, Some(name)));
        let answer = self.ask(&what, to, query, Sealed::No, None).await?;
        match answer.status {
            200 | 204 => Ok(Deleted::Done),
            404 if is_about_the_bucket(&answer) => Err(answer.failure(&what)),
            404 => Ok(Deleted::Done),
            412 => Ok(Deleted::Refused),
            _ => Err(answer.failure(&what)),
        }
    }
}

fn is_about_the_bucket(answer: &Answer) -> bool {
    let answer = answer.json();
    let message = answer
        .pointer("/error/message")
        .and_then(Value::as_str)
        .unwrap_or_default();
    message.contains("bucket does not exist")
}

#[async_trait]
impl Objects for Bucket {
    fn place(&self, name: &str) -> String {
        format!("gs://{}/{name}", self.0.name)
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        self.fetch(name, Sealed::Yes).await
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        self.store(name, bytes, write.when, Sealed::Yes).await
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        self.remove(name, write.when).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let what = format!("listing {}", self.place(prefix));
        let mut names = Vec::new();
        let mut token = String::new();
        loop {
            let mut query = vec![("prefix", prefix), ("fields", "items(name),nextPageToken")];
            if !token.is_empty() {
                query.push(("pageToken", &token));
            }
            let to = (Method::GET, self.url(false, None));
            let answer = self.ask(&what, to, &query, Sealed::No, None).await?;
            if answer.status != 200 {
                return Err(answer.failure(&what));
            }
            let answer = answer.json();
            let items = answer
                .get("items")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            names.extend(items.filter_map(|item| item.get("name")?.as_str().map(str::to_owned)));
            let next = answer.get("nextPageToken").and_then(Value::as_str);
            match next.filter(|next| !next.is_empty()) {
                Some(next) => next.clone_into(&mut token),
                None => {
                    names.sort_unstable();
                    return Ok(names);
                }
            }
        }
    }

    async fn get_all(&self, names: &[String]) -> Result<Vec<Option<Object>>, Failure> {
        futures::stream::iter(names.to_vec())
            .map(|name| {
                let bucket = self.clone();
                async move { bucket.get(&name).await }
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }
}

//! Requests to the service of blobs.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use terrace_backend_remote::{Failure, Problem, Surroundings};
use terrace_bearer::azure::Tokens;
use terrace_port::Clock;

use crate::failure::{Refusal, unanswered};
use crate::settings::{Access, Settings};
use crate::signing::authorization;

/// The version of the protocol.
const VERSION: &str = "2021-12-02";
const CONNECTING: Duration = Duration::from_secs(10);
/// What does without signing in.
const OR_WITHOUT: &str = "; or give \"access_key\" or \"sas_token\"";
/// How long nothing may move.
const STANDING_STILL: Duration = Duration::from_secs(30);

/// How requests show that they may be made.
enum Shown {
    Key(Vec<u8>),
    Signature(Vec<(String, String)>),
    Tokens(Box<Tokens>),
}

/// A container.
pub(crate) struct Container {
    web: reqwest::Client,
    account: String,
    /// Of the account, without a slash at the end.
    endpoint: String,
    name: String,
    shown: Shown,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container")
            .field("endpoint", &self.endpoint)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A request for a blob, or for the container where the blob has no name.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: reqwest::Method,
    pub(crate) blob: &'a str,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: &'a [u8],
}

impl<'a> Ask<'a> {
    pub(crate) fn new(method: reqwest::Method, blob: &'a str) -> Self {
        Self {
            method,
            blob,
            query: Vec::new(),
            headers: Vec::new(),
            body: b"",
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// A header, where there is a value for it.
    pub(crate) fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

/// An answer of success.
pub(crate) struct Answer {
    headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Metadata, by names in lower case.
    pub(crate) fn metadata(&self) -> Vec<(String, String)> {
        let named = self.headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-ms-meta-")?;
            Some((name.to_owned(), value.to_str().ok()?.to_owned()))
        });
        named.collect()
    }
}

/// Percent-encodes what a path's segments may not hold.
fn encoded(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            _ => {
                // Writing to a string cannot fail.
                let _written = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

impl Container {
    /// A container; signs in where that takes more than a key.
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
        let clock = surroundings.clock.clone();
        let manager = Manager {
            clock: &clock,
            web: &web,
            settings,
        };
        let mut endpoint = settings.blob_endpoint.clone();
        if let (None, Some((subscription, group))) = (&endpoint, &settings.lookup_endpoint) {
            endpoint = Some(manager.endpoint(subscription, group).await?);
        }
        let endpoint = endpoint.unwrap_or_else(|| {
            format!(
                "https://{}.blob.{}",
                settings.account, settings.identity.cloud.storage_suffix
            )
        });
        let shown = match &settings.access {
            Access::Key(key) => Shown::Key(key.clone()),
            Access::Signature(pairs) => Shown::Signature(pairs.clone()),
            Access::Tokens => {
                let tokens = Tokens::new(
                    &web,
                    &settings.identity,
                    "https://storage.azure.com",
                    clock.clone(),
                );
                tokens.sign_in(OR_WITHOUT).await?;
                Shown::Tokens(Box::new(tokens))
            }
            Access::Looked {
                subscription,
                group,
            } => Shown::Key(manager.key(subscription, group).await?),
        };
        Ok(Self {
            web,
            account: settings.account.clone(),
            endpoint,
            name: settings.container.clone(),
            shown,
            clock,
        })
    }

    /// The address of a blob, or of the container.
    pub(crate) fn address(&self, blob: &str) -> String {
        if blob.is_empty() {
            format!("{}/{}", self.endpoint, self.name)
        } else {
            format!("{}/{}/{}", self.endpoint, self.name, encoded(blob))
        }
    }

    /// Makes a request. A refusal is an answer; no answer is a failure.
    pub(crate) async fn ask(
        &self,
        what: &str,
        ask: Ask<'_>,
    ) -> Result<Result<Answer, Refusal>, Failure> {
        let mut url = url::Url::parse(&self.address(ask.blob))
            .map_err(|error| Failure::lasting(what, error))?;
        let mut query: Vec<(String, String)> = ask
            .query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        if let Shown::Signature(pairs) = &self.shown {
            query.extend(pairs.iter().cloned());
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(&query);
        }
        let now = Timestamp::from_second(self.clock.now().0).unwrap_or_default();
        let mut headers = ask.headers.clone();
        headers.push((
            "x-ms-date".into(),
            now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        ));
        headers.push(("x-ms-version".into(), VERSION.into()));
        if ask.method == reqwest::Method::PUT {
            headers.push(("content-length".into(), ask.body.len().to_string()));
        }
        headers.sort();
        match &self.shown {
            Shown::Signature(_) => {}
            Shown::Key(key) => {
                let value = authorization(
                    &self.account,
                    key,
                    ask.method.as_str(),
                    &headers,
                    url.path(),
                    &query,
                );
                headers.push(("authorization".into(), value));
            }
            Shown::Tokens(tokens) => {
                let token = tokens
                    .get()
                    .await
                    .map_err(|why| Failure::lasting(format!("{what}: signing in"), why))?;
                headers.push(("authorization".into(), format!("Bearer {token}")));
            }
        }
        let mut request = self.web.request(ask.method, url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if !ask.body.is_empty() {
            request = request.body(ask.body.to_vec());
        }
        let answer = request
            .send()
            .await
            .map_err(|error| unanswered(what, &error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer
            .bytes()
            .await
            .map_err(|error| unanswered(what, &error))?
            .to_vec();
        if status.is_success() {
            return Ok(Ok(Answer { headers, body }));
        }
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Ok(Err(Refusal::new(
            status.as_u16(),
            header("x-ms-error-code"),
            header("retry-after"),
            &body,
        )))
    }
}

/// The resource manager, which knows of accounts.
struct Manager<'a> {
    clock: &'a Arc<dyn Clock>,
    web: &'a reqwest::Client,
    settings: &'a Settings,
}

impl Manager<'_> {
    async fn ask(
        &self,
        method: reqwest::Method,
        subscription: &str,
        group: &str,
        operation: &str,
    ) -> Result<Value, Problem> {
        let manager = &self.settings.identity.cloud.manager;
        let account = &self.settings.account;
        let tokens = Tokens::new(
            self.web,
            &self.settings.identity,
            manager,
            self.clock.clone(),
        );
        let token = tokens.sign_in(OR_WITHOUT).await?;
        let url = format!(
            "{manager}/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{account}{operation}?api-version=2023-01-01"
        );
        let failed = |why: String| {
            Problem::with(
                "storage_account_name",
                "Cannot look up the storage account",
                format!(
                    "The storage account {account:?} in the resource group {group:?} cannot be looked up: {why}"
                ),
            )
        };
        let request = self
            .web
            .request(method, url)
            .bearer_auth(token)
            .header("content-length", "0");
        let answer = request
            .send()
            .await
            .map_err(|error| failed(terrace_backend_remote::chain(&error)))?;
        let status = answer.status();
        let body = answer
            .bytes()
            .await
            .map_err(|error| failed(error.to_string()))?;
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return Ok(value);
        }
        let message = value
            .pointer("/error/message")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Err(failed(format!("{message} (status {status})")))
    }

    /// The first key of the account.
    async fn key(&self, subscription: &str, group: &str) -> Result<Vec<u8>, Problem> {
        use base64::Engine as _;
        let answer = self
            .ask(reqwest::Method::POST, subscription, group, "/listKeys")
            .await?;
        let key = answer
            .pointer("/keys/0/value")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let key = base64::engine::general_purpose::STANDARD
            .decode(key)
            .unwrap_or_default();
        if key.is_empty() {
            return Err(Problem::new(
                "Cannot look up the storage account",
                "The account has no key. Set \"use_azuread_auth\".",
            ));
        }
        Ok(key)
    }

    async fn endpoint(&self, subscription: &str, group: &str) -> Result<String, Problem> {
        let answer = self
            .ask(reqwest::Method::GET, subscription, group, "")
            .await?;
        let endpoint = answer
            .pointer("/properties/primaryEndpoints/blob")
            .and_then(Value::as_str);
        endpoint
            .map(|url| url.trim_end_matches('/').to_owned())
            .ok_or_else(|| {
                Problem::new(
                    "Cannot look up the storage account",
                    "The account says nothing of where its blobs are.",
                )
            })
    }
}

/// Makes a container.
pub(crate) async fn create_container(
    clock: Arc<dyn Clock>,
    endpoint: &str,
    account: &str,
    key: &str,
    name: &str,
) -> Result<(), String> {
    use base64::Engine as _;
    let key = base64::engine::general_purpose::STANDARD
        .decode(key)
        .map_err(|error| error.to_string())?;
    let container = Container {
        web: reqwest::Client::new(),
        account: account.to_owned(),
        endpoint: endpoint.to_owned(),
        name: name.to_owned(),
        shown: Shown::Key(key),
        clock,
    };
    let ask = Ask::new(reqwest::Method::PUT, "").query("restype", "container");
    match container.ask("making a container", ask).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(refusal)) => Err(format!("{} {}", refusal.code, refusal.message)),
        Err(failure) => Err(failure.to_string()),
    }
}

//! Tokens of Google's, in all the ways of signing in.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use terrace_backend_remote::Problem;
use terrace_port::Clock;

use crate::google::{Identity, Who};
use crate::{Asking, Kept, Token, Why, rsa_key, signed};

/// What lets who acts as another ask for that one's tokens.
const CLOUD: &str = "https://www.googleapis.com/auth/cloud-platform";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// How long a token is good that does not say so.
const USUAL: Duration = Duration::from_hours(1);

/// Gives tokens for one scope, and keeps them while they are good.
pub struct Tokens {
    asking: Asking,
    identity: Identity,
    scope: &'static str,
    kept: Kept,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens for a scope, such as `https://www.googleapis.com/auth/devstorage.read_write`.
    pub fn new(
        web: &reqwest::Client,
        identity: &Identity,
        scope: &'static str,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            asking: Asking {
                web: web.clone(),
                clock,
            },
            identity: identity.clone(),
            scope,
            kept: Kept::default(),
        }
    }

    /// A token that is good for some minutes.
    pub async fn get(&self) -> Result<String, Why> {
        self.kept.get(self.ask()).await
    }

    async fn ask(&self) -> Result<Token, Why> {
        match &self.identity.impersonate {
            None => self.own(self.scope).await,
            Some(account) => self.impersonated(account).await,
        }
    }

    /// The same, with what to tell the user where there is none.
    pub async fn sign_in(&self) -> Result<String, Problem> {
        self.get().await.map_err(|why| {
            Problem::new(
                "Cannot sign in to Google Cloud",
                format!(
                    "No token for {} could be had: {why}\n\nGive \"credentials\" or \"access_token\", set GOOGLE_APPLICATION_CREDENTIALS, or \
                     run \"gcloud auth application-default login\".",
                    self.scope
                ),
            )
        })
    }

    async fn form(&self, what: &str, url: &str, pairs: &[(&str, &str)]) -> Result<Token, Why> {
        self.asking.form(what, url, pairs, USUAL).await
    }

    fn token_of(&self, answer: &Value) -> Result<Token, Why> {
        Token::of(answer, self.asking.now(), USUAL)
    }

    /// The token of who signs in.
    async fn own(&self, scope: &str) -> Result<Token, Why> {
        match &self.identity.who {
            Who::Token(token) => Ok(Token::lasting(token, Duration::from_hours(24 * 365))),
            Who::Machine => self.machine().await,
            Who::Credentials(credentials) => self.credentials(credentials, scope).await,
        }
    }

    async fn machine(&self) -> Result<Token, Why> {
        let url = format!(
            "http://{}/computeMetadata/v1/instance/service-accounts/default/token",
            self.identity.metadata_host
        );
        let request = self
            .asking
            .web
            .get(url)
            .header("Metadata-Flavor", "Google")
            .timeout(Duration::from_secs(5));
        let answer = self
            .asking
            .answer(
                "there are no credentials, and the machine's own service",
                request,
            )
            .await;
        self.token_of(&answer?)
    }

    async fn credentials(&self, credentials: &Value, scope: &str) -> Result<Token, Why> {
        let text = |name: &str| credentials.get(name).and_then(Value::as_str);
        let needed =
            |name: &str| text(name).ok_or_else(|| format!("the credentials have no {name:?}"));
        let token_uri = text("token_uri").unwrap_or(TOKEN_URI);
        match text("type").unwrap_or("service_account") {
            "service_account" => {
                let assertion = assertion(
                    [
                        needed("client_email")?,
                        needed("private_key")?,
                        token_uri,
                        scope,
                    ],
                    text("private_key_id"),
                    self.asking.now(),
                )?;
                let pairs = [
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", &assertion),
                ];
                self.form("signing in as the service account", token_uri, &pairs)
                    .await
            }
            "authorized_user" => {
                let pairs = [
                    ("grant_type", "refresh_token"),
                    ("client_id", needed("client_id")?),
                    ("client_secret", needed("client_secret")?),
                    ("refresh_token", needed("refresh_token")?),
                ];
                self.form("renewing the user's sign-in", token_uri, &pairs)
                    .await
            }
            "external_account" => self.external(credentials).await,
            other => Err(format!(
                "credentials of the type {other:?} are not supported yet"
            )),
        }
    }

    /// Workload identity federation: the token of another identity provider is exchanged.
    async fn external(&self, credentials: &Value) -> Result<Token, Why> {
        let text = |path: &str| credentials.pointer(path).and_then(Value::as_str);
        let source = if let Some(file) = text("/credential_source/file") {
            let read = tokio::fs::read_to_string(file).await;
            read.map_err(|error| format!("the token in {file} cannot be read: {error}"))?
        } else if let Some(url) = text("/credential_source/url") {
            let mut request = self.asking.web.get(url);
            for (name, value) in credentials
                .pointer("/credential_source/headers")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                request = request.header(name, value.as_str().unwrap_or_default());
            }
            let answer = request
                .send()
                .await
                .map_err(|error| terrace_backend_remote::chain(&error))?;
            answer
                .text()
                .await
                .map_err(|error| terrace_backend_remote::chain(&error))?
        } else {
            return Err("external credentials from another source than a file or a URL are not supported yet".into());
        };
        let subject = match text("/credential_source/format/subject_token_field_name") {
            Some(field) => {
                let value: Value = serde_json::from_str(&source).unwrap_or_default();
                value
                    .get(field)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            }
            None => source.trim().to_owned(),
        };
        let needed =
            |path: &str| text(path).ok_or_else(|| format!("the credentials have no {path:?}"));
        let pairs = [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            ("audience", needed("/audience")?),
            ("scope", CLOUD),
            (
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("subject_token_type", needed("/subject_token_type")?),
            ("subject_token", &subject),
        ];
        let token = self
            .form(
                "exchanging the identity provider's token",
                needed("/token_url")?,
                &pairs,
            )
            .await?;
        match text("/service_account_impersonation_url") {
            None => Ok(token),
            Some(url) => self.generate(url, &token.text, &[]).await,
        }
    }

    async fn impersonated(&self, account: &str) -> Result<Token, Why> {
        let own = self.own(CLOUD).await?;
        let url = format!(
            "{}/v1/projects/-/serviceAccounts/{account}:generateAccessToken",
            self.identity.iam_endpoint
        );
        self.generate(&url, &own.text, &self.identity.delegates)
            .await
    }

    async fn generate(&self, url: &str, token: &str, delegates: &[String]) -> Result<Token, Why> {
        let named: Vec<String> = delegates
            .iter()
            .map(|name| format!("projects/-/serviceAccounts/{name}"))
            .collect();
        let body = json!({"scope": [self.scope], "lifetime": "3600s", "delegates": named});
        let request = self
            .asking
            .web
            .post(url)
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body.to_string());
        self.token_of(
            &self
                .asking
                .answer("acting as the service account", request)
                .await?,
        )
    }
}

/// A statement signed with the key of a service account.
fn assertion(
    [email, key, audience, scope]: [&str; 4],
    key_id: Option<&str>,
    now: i64,
) -> Result<String, Why> {
    let key = rsa_key(key).ok_or("the credentials' private key cannot be read")?;
    let mut header = json!({"alg": "RS256", "typ": "JWT"});
    if let Some(id) = key_id {
        header["kid"] = id.into();
    }
    let claims =
        json!({"iss": email, "scope": scope, "aud": audience, "iat": now, "exp": now + 3600});
    signed(&key, &header, &claims)
}

//! Tokens of Google's, in all the ways of signing in.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use terrace_backend_remote::Problem;
use terrace_port::Clock;
use tokio::sync::Mutex;

use crate::settings::{Identity, Settings};

const STORAGE: &str = "https://www.googleapis.com/auth/devstorage.read_write";
/// What lets who acts as another ask for that one's tokens.
const CLOUD: &str = "https://www.googleapis.com/auth/cloud-platform";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// How long before its end a token is renewed.
const MARGIN: Duration = Duration::from_mins(5);
/// What a signature by RSA of a SHA-256 digest begins with.
const SHA256: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// Gives tokens, and keeps them while they are good.
pub(crate) struct Tokens {
    clock: Arc<dyn Clock>,
    web: reqwest::Client,
    settings: Settings,
    kept: Mutex<Option<Token>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("bucket", &self.settings.bucket)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug)]
struct Token {
    text: String,
    until: Instant,
}

/// Why there is no token.
type Why = String;

impl Tokens {
    pub(crate) fn new(web: &reqwest::Client, settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            web: web.clone(),
            settings: settings.clone(),
            kept: Mutex::new(None),
        }
    }

    /// A token that is good for some minutes.
    pub(crate) async fn get(&self) -> Result<String, Why> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept
            .as_ref()
            .filter(|token| token.until > Instant::now() + MARGIN)
        {
            return Ok(token.text.clone());
        }
        let token = match &self.settings.impersonate {
            None => self.own(STORAGE).await?,
            Some(account) => self.impersonated(account).await?,
        };
        let text = token.text.clone();
        *kept = Some(token);
        Ok(text)
    }

    /// The same, with what to tell the user where there is none.
    pub(crate) async fn sign_in(&self) -> Result<(), Problem> {
        self.get().await.map(|_| ()).map_err(|why| {
            Problem::new(
                "Cannot sign in to Google Cloud",
                format!(
                    "No token for Cloud Storage could be had: {why}\n\nGive \"credentials\" or \"access_token\", set GOOGLE_APPLICATION_CREDENTIALS, or \
                     run \"gcloud auth application-default login\"."
                ),
            )
        })
    }

    async fn answer(&self, what: &str, request: reqwest::RequestBuilder) -> Result<Value, Why> {
        let answer = request
            .send()
            .await
            .map_err(|error| format!("{what}: {}", terrace_backend_remote::chain(&error)))?;
        let status = answer.status();
        let body = answer
            .bytes()
            .await
            .map_err(|error| format!("{what}: {}", terrace_backend_remote::chain(&error)))?;
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return Ok(value);
        }
        let said = ["/error_description", "/error/message", "/error"]
            .iter()
            .find_map(|path| value.pointer(path)?.as_str());
        let said = said.map_or_else(
            || String::from_utf8_lossy(&body).chars().take(300).collect(),
            str::to_owned,
        );
        Err(format!("{what} answered {status}: {said}"))
    }

    async fn form(&self, what: &str, url: &str, pairs: &[(&str, &str)]) -> Result<Token, Why> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        let request = self
            .web
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        token_of(&self.answer(what, request).await?)
    }

    /// The token of who signs in.
    async fn own(&self, scope: &str) -> Result<Token, Why> {
        match &self.settings.identity {
            Identity::Token(token) => Ok(Token {
                text: token.clone(),
                until: Instant::now() + Duration::from_hours(24 * 365),
            }),
            Identity::Machine => self.machine().await,
            Identity::Credentials(credentials) => self.credentials(credentials, scope).await,
        }
    }

    async fn machine(&self) -> Result<Token, Why> {
        let url = format!(
            "http://{}/computeMetadata/v1/instance/service-accounts/default/token",
            self.settings.metadata_host
        );
        let request = self
            .web
            .get(url)
            .header("Metadata-Flavor", "Google")
            .timeout(Duration::from_secs(5));
        let answer = self
            .answer(
                "there are no credentials, and the machine's own service",
                request,
            )
            .await;
        token_of(&answer?)
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
                    self.clock.now().0,
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
            let mut request = self.web.get(url);
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
            self.settings.iam_endpoint
        );
        self.generate(&url, &own.text, &self.settings.delegates)
            .await
    }

    async fn generate(&self, url: &str, token: &str, delegates: &[String]) -> Result<Token, Why> {
        let named: Vec<String> = delegates
            .iter()
            .map(|name| format!("projects/-/serviceAccounts/{name}"))
            .collect();
        let body = json!({"scope": [STORAGE], "lifetime": "3600s", "delegates": named});
        let request = self
            .web
            .post(url)
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body.to_string());
        token_of(
            &self
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
    let key = RsaPrivateKey::from_pkcs8_pem(key)
        .ok()
        .or_else(|| RsaPrivateKey::from_pkcs1_pem(key).ok())
        .ok_or("the credentials' private key cannot be read")?;
    let mut header = json!({"alg": "RS256", "typ": "JWT"});
    if let Some(id) = key_id {
        header["kid"] = id.into();
    }
    let claims =
        json!({"iss": email, "scope": scope, "aud": audience, "iat": now, "exp": now + 3600});
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", encode(header), encode(claims));
    let padding = Pkcs1v15Sign {
        hash_len: Some(32),
        prefix: SHA256.into(),
    };
    let signature = key
        .sign(padding, &Sha256::digest(&text))
        .map_err(|error| error.to_string())?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn token_of(answer: &Value) -> Result<Token, Why> {
    let text = ["access_token", "accessToken"]
        .iter()
        .find_map(|name| answer.get(name)?.as_str());
    let text = text.ok_or_else(|| "the answer holds no token".to_owned())?;
    let seconds = answer
        .get("expires_in")
        .and_then(Value::as_u64)
        .unwrap_or(3600);
    Ok(Token {
        text: text.to_owned(),
        until: Instant::now() + Duration::from_secs(seconds),
    })
}

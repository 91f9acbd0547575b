//! Tokens of Microsoft Entra ID, in all the ways of signing in.

use std::fmt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use terrace_backend_remote::Problem;
use terrace_port::Clock;
use tokio::sync::Mutex;

use crate::settings::{Cloud, Oidc, Principal};

/// How long before its end a token is renewed.
const MARGIN: Duration = Duration::from_mins(5);
/// What a signature by RSA of a SHA-256 digest begins with.
const SHA256: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// Gives tokens for one resource, and keeps them while they are good.
pub(crate) struct Tokens {
    clock: Arc<dyn Clock>,
    web: reqwest::Client,
    cloud: Cloud,
    principal: Principal,
    resource: String,
    kept: Mutex<Option<Token>>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("resource", &self.resource)
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
    pub(crate) fn new(
        web: &reqwest::Client,
        cloud: &Cloud,
        principal: &Principal,
        resource: &str,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            clock,
            web: web.clone(),
            cloud: cloud.clone(),
            principal: principal.clone(),
            resource: resource.to_owned(),
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
        let token = self.ask().await?;
        let text = token.text.clone();
        *kept = Some(token);
        Ok(text)
    }

    /// The same, with what to tell the user where there is none.
    pub(crate) async fn sign_in(&self) -> Result<String, Problem> {
        self.get().await.map_err(|why| {
            Problem::new(
                "Cannot sign in to Azure",
                format!(
                    "No token for {} could be had: {why}\n\nSign in by \"client_id\" and \"client_secret\" or a certificate, by \"use_oidc\", by \
                     \"use_msi\", or by the Azure CLI (az login); or give \"access_key\" or \"sas_token\".",
                    self.resource
                ),
            )
        })
    }

    async fn ask(&self) -> Result<Token, Why> {
        let principal = &self.principal;
        if let Some(certificate) = &principal.certificate {
            let assertion = self.assertion(certificate)?;
            return self.by_assertion(&assertion).await;
        }
        if let Some(secret) = &principal.secret {
            return self.by_form(&[("client_secret", secret)]).await;
        }
        if let Some(oidc) = &principal.oidc {
            let assertion = self.identity(oidc).await?;
            return self.by_assertion(&assertion).await;
        }
        if principal.use_managed {
            return self.managed(principal.managed_endpoint.as_deref()).await;
        }
        if principal.use_cli {
            return self.cli().await;
        }
        Err("no way of signing in is configured".into())
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
        let said = ["error_description", "message", "error"]
            .iter()
            .find_map(|name| value.get(name)?.as_str());
        let said = said.map_or_else(
            || String::from_utf8_lossy(&body).chars().take(300).collect(),
            str::to_owned,
        );
        Err(format!("{what} answered {status}: {said}"))
    }

    /// Seconds since 1970.
    fn seconds(&self) -> u64 {
        u64::try_from(self.clock.now().0).unwrap_or_default()
    }

    fn tenant(&self) -> Result<&str, Why> {
        self.principal
            .tenant
            .as_deref()
            .ok_or_else(|| "\"tenant_id\" is not set".to_owned())
    }

    fn client(&self) -> Result<&str, Why> {
        self.principal
            .client
            .as_deref()
            .ok_or_else(|| "\"client_id\" is not set".to_owned())
    }

    fn token_url(&self) -> Result<String, Why> {
        Ok(format!(
            "{}/{}/oauth2/v2.0/token",
            self.cloud.authority,
            self.tenant()?
        ))
    }

    async fn by_form(&self, more: &[(&str, &str)]) -> Result<Token, Why> {
        let scope = format!("{}/.default", self.resource);
        let mut pairs = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.client()?),
            ("scope", &scope),
        ];
        pairs.extend(more);
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        let request = self
            .web
            .post(self.token_url()?)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        token_of(
            &self.answer("Microsoft Entra ID", request).await?,
            self.seconds(),
        )
    }

    async fn by_assertion(&self, assertion: &str) -> Result<Token, Why> {
        const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        self.by_form(&[
            ("client_assertion_type", KIND),
            ("client_assertion", assertion),
        ])
        .await
    }

    /// A statement signed with the key of a certificate.
    fn assertion(&self, file: &[u8]) -> Result<String, Why> {
        let text = std::str::from_utf8(file).ok().filter(|text| text.contains("-----BEGIN")).ok_or_else(|| {
            let password = if self.principal.certificate_password.is_some() { " (it asks for the password)" } else { "" };
            format!("PKCS #12 files are not supported yet: convert the certificate with \"openssl pkcs12 -in FILE -nodes -out FILE.pem\"{password}")
        })?;
        let certificate =
            section(text, "CERTIFICATE").ok_or("there is no certificate in the file")?;
        let key = RsaPrivateKey::from_pkcs8_pem(&block(text, "PRIVATE KEY"))
            .ok()
            .or_else(|| RsaPrivateKey::from_pkcs1_pem(&block(text, "RSA PRIVATE KEY")).ok())
            .ok_or("there is no RSA key without a password in the file")?;
        let now = self.seconds();
        let header = json!({"alg": "RS256", "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(sha1::Sha1::digest(&certificate))});
        let claims = json!({
            "aud": self.token_url()?, "iss": self.client()?, "sub": self.client()?,
            "jti": uuid::Uuid::new_v4().to_string(), "nbf": now, "exp": now + 600,
        });
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

    /// The token of an identity provider.
    async fn identity(&self, oidc: &Oidc) -> Result<String, Why> {
        match oidc {
            Oidc::Text(token) => Ok(token.clone()),
            Oidc::File(path) => {
                let text = tokio::fs::read_to_string(path).await;
                let text = text.map_err(|error| {
                    format!("the token in {} cannot be read: {error}", path.display())
                })?;
                Ok(text.trim().to_owned())
            }
            Oidc::Asked {
                url,
                token,
                connection,
            } => {
                let mut url = url::Url::parse(url)
                    .map_err(|error| format!("\"oidc_request_url\" is no URL: {error}"))?;
                let request = match connection {
                    Some(connection) => {
                        url.query_pairs_mut()
                            .append_pair("api-version", "7.1")
                            .append_pair("serviceConnectionId", connection);
                        self.web
                            .post(url)
                            .header("content-type", "application/json")
                            .header("content-length", "0")
                    }
                    None => {
                        url.query_pairs_mut()
                            .append_pair("audience", "api://AzureADTokenExchange");
                        self.web.get(url)
                    }
                };
                let answer = self
                    .answer("the identity provider", request.bearer_auth(token))
                    .await?;
                let found = answer
                    .get("value")
                    .or_else(|| answer.get("oidcToken"))
                    .and_then(Value::as_str);
                found
                    .map(str::to_owned)
                    .ok_or_else(|| "the identity provider answered without a token".to_owned())
            }
        }
    }

    async fn managed(&self, endpoint: Option<&str>) -> Result<Token, Why> {
        const MACHINE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
        let mut pairs = vec![("resource", self.resource.as_str())];
        if let Some(client) = &self.principal.client {
            pairs.push(("client_id", client));
        }
        let (address, version, header) = match (endpoint, &self.principal.application) {
            (Some(endpoint), _) => (endpoint, "2018-02-01", ("Metadata", "true")),
            (None, Some((url, secret))) => (
                url.as_str(),
                "2019-08-01",
                ("X-IDENTITY-HEADER", secret.as_str()),
            ),
            (None, None) => (MACHINE, "2018-02-01", ("Metadata", "true")),
        };
        pairs.push(("api-version", version));
        let url = url::Url::parse_with_params(address, pairs)
            .map_err(|error| format!("\"msi_endpoint\" is no URL: {error}"))?;
        let request = self
            .web
            .get(url)
            .header(header.0, header.1)
            .timeout(Duration::from_secs(30));
        token_of(
            &self.answer("the managed identity", request).await?,
            self.seconds(),
        )
    }

    async fn cli(&self) -> Result<Token, Why> {
        let mut command = tokio::process::Command::new("az");
        command
            .args([
                "account",
                "get-access-token",
                "--output",
                "json",
                "--resource",
                &self.resource,
            ])
            .stdin(Stdio::null());
        if let Some(tenant) = &self.principal.tenant {
            command.args(["--tenant", tenant]);
        }
        let output = command
            .output()
            .await
            .map_err(|error| format!("the Azure CLI (az) cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(format!(
                "the Azure CLI said: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            ));
        }
        token_of(
            &serde_json::from_slice(&output.stdout).unwrap_or_default(),
            self.seconds(),
        )
    }
}

/// The token in an answer, whichever way it says how long it is good.
fn token_of(answer: &Value, now: u64) -> Result<Token, Why> {
    let text = ["access_token", "accessToken"]
        .iter()
        .find_map(|name| answer.get(name)?.as_str());
    let text = text.ok_or_else(|| "the answer holds no token".to_owned())?;
    let number = |name: &str| {
        let value = answer.get(name)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    };

    let seconds =
        number("expires_in").or_else(|| number("expires_on").map(|end| end.saturating_sub(now)));
    Ok(Token {
        text: text.to_owned(),
        until: Instant::now() + Duration::from_secs(seconds.unwrap_or(600)),
    })
}

/// A section of a PEM file with its marks; empty where there is none.
fn block(text: &str, name: &str) -> String {
    let (begin, end) = (
        format!("-----BEGIN {name}-----"),
        format!("-----END {name}-----"),
    );
    let inside = text
        .split_once(&begin)
        .and_then(|(_, rest)| rest.split_once(&end));
    inside.map_or_else(String::new, |(inside, _)| format!("{begin}{inside}{end}\n"))
}

/// The bytes of a section of a PEM file.
fn section(text: &str, name: &str) -> Option<Vec<u8>> {
    let block = block(text, name);
    let base64: String = block
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .map(str::trim)
        .collect();
    STANDARD
        .decode(base64)
        .ok()
        .filter(|bytes| !bytes.is_empty())
}

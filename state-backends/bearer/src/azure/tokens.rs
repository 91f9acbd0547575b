//! Tokens of Microsoft Entra ID, in all the ways of signing in.

use std::fmt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha1::Digest as _;
use terrace_backend_remote::Problem;
use terrace_port::Clock;

use crate::azure::certificate::Certificate;
use crate::azure::{Identity, Oidc};
use crate::{Asking, Kept, Token, Why, signed};

/// How long a token is good that does not say so.
const USUAL: Duration = Duration::from_mins(10);

/// Gives tokens for one resource, and keeps them while they are good.
pub struct Tokens {
    asking: Asking,
    identity: Identity,
    resource: String,
    kept: Kept,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens for a resource, such as `https://storage.azure.com`.
    pub fn new(
        web: &reqwest::Client,
        identity: &Identity,
        resource: &str,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            asking: Asking {
                web: web.clone(),
                clock,
            },
            identity: identity.clone(),
            resource: resource.to_owned(),
            kept: Kept::default(),
        }
    }

    /// A token that is good for some minutes.
    pub async fn get(&self) -> Result<String, Why> {
        self.kept.get(self.ask()).await
    }

    /// Forgets the token that is kept: the service does not take it any more, whatever its end is.
    pub async fn forget(&self) {
        self.kept.forget().await;
    }

    /// A token, with what to tell the user where there is none: how to sign in, `or` what to do without.
    pub async fn sign_in(&self, or: &str) -> Result<String, Problem> {
        self.get().await.map_err(|why| {
            Problem::new(
                "Cannot sign in to Azure",
                format!(
                    "No token for {} could be had: {why}\n\nSign in by \"client_id\" and \"client_secret\" or a certificate, by \"use_oidc\", by \
                     \"use_msi\", or by the Azure CLI (az login){or}.",
                    self.resource
                ),
            )
        })
    }

    async fn ask(&self) -> Result<Token, Why> {
        let principal = &self.identity.principal;
        if let Some(certificate) = &principal.certificate {
            let assertion = self.assertion(certificate)?;
            return self.by_assertion(&assertion).await;
        }
        if let Some(secret) = &principal.secret {
            return self.by_form(&[("client_secret", secret)]).await;
        }
        if let Some(oidc) = &principal.oidc {
            let assertion = self.of_provider(oidc).await?;
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

    fn tenant(&self) -> Result<&str, Why> {
        self.identity
            .principal
            .tenant
            .as_deref()
            .ok_or_else(|| "\"tenant_id\" is not set".to_owned())
    }

    fn client(&self) -> Result<&str, Why> {
        self.identity
            .principal
            .client
            .as_deref()
            .ok_or_else(|| "\"client_id\" is not set".to_owned())
    }

    fn token_url(&self) -> Result<String, Why> {
        Ok(format!(
            "{}/{}/oauth2/v2.0/token",
            self.identity.cloud.authority,
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
        self.asking
            .form("Microsoft Entra ID", &self.token_url()?, &pairs, USUAL)
            .await
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
        let password = self.identity.principal.certificate_password.as_deref();
        let certificate = Certificate::read(file, password)?;
        let now = self.asking.now();
        let header = json!({"alg": "RS256", "typ": "JWT", "x5t": URL_SAFE_NO_PAD.encode(sha1::Sha1::digest(&certificate.der))});
        let claims = json!({
            "aud": self.token_url()?, "iss": self.client()?, "sub": self.client()?,
            "jti": uuid::Uuid::new_v4().to_string(), "nbf": now, "exp": now + 600,
        });
        signed(&certificate.key, &header, &claims)
    }

    /// The token of an identity provider.
    async fn of_provider(&self, oidc: &Oidc) -> Result<String, Why> {
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
                        self.asking
                            .web
                            .post(url)
                            .header("content-type", "application/json")
                            .header("content-length", "0")
                    }
                    None => {
                        url.query_pairs_mut()
                            .append_pair("audience", "api://AzureADTokenExchange");
                        self.asking.web.get(url)
                    }
                };
                let answer = self
                    .asking
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
        if let Some(client) = &self.identity.principal.client {
            pairs.push(("client_id", client));
        }
        let (address, version, header) = match (endpoint, &self.identity.principal.application) {
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
            .asking
            .web
            .get(url)
            .header(header.0, header.1)
            .timeout(Duration::from_secs(30));
        Token::of(
            &self.asking.answer("the managed identity", request).await?,
            self.asking.now(),
            USUAL,
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
        if let Some(tenant) = &self.identity.principal.tenant {
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
        Token::of(
            &serde_json::from_slice(&output.stdout).unwrap_or_default(),
            self.asking.now(),
            USUAL,
        )
    }
}

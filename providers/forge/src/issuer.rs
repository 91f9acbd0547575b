//! GitHub Actions behind the [`Issuer`] port: tokens about the workflow that runs, and the keys by which they hold.

use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value as Json;
use terrace_port::Issuer;
use terrace_registry_client::{Answer, Http};

use crate::{check_way, text};

/// Asks the runner of a workflow for tokens, and issuers for their keys.
#[derive(Clone)]
pub struct Actions {
    http: Arc<Http>,
    /// Where a token is asked for, and the secret that is sent there and nowhere else.
    request: Option<(String, String)>,
}

impl Actions {
    /// With what makes requests, outside of a workflow.
    pub const fn new(http: Arc<Http>) -> Self {
        Self {
            http,
            request: None,
        }
    }

    /// Within a workflow that may ask for tokens: where, and with which secret (`ACTIONS_ID_TOKEN_REQUEST_URL` and
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`).
    #[must_use]
    pub fn with_request(mut self, url: String, secret: String) -> Self {
        self.request = Some((url, secret));
        self
    }

    async fn get(&self, url: &str, secret: Option<&str>) -> Result<Vec<u8>, String> {
        let http = self.http.clone();
        let authorization = secret.map(|secret| format!("Bearer {secret}"));
        let asked = url.to_owned();
        let ask = move || {
            let mut headers = vec![("accept", "application/json")];
            if let Some(authorization) = &authorization {
                headers.push(("authorization", authorization));
            }
            http.get(&asked, &headers).and_then(Answer::ok)
        };
        let answer = tokio::task::spawn_blocking(ask)
            .await
            .map_err(|error| format!("{url}: {error}"))?
            .map_err(|error| format!("{url}: {error}"))?;
        check_way(url, &answer.url)?;
        Ok(answer.body)
    }
}

fn json(url: &str, body: &[u8]) -> Result<Json, String> {
    serde_json::from_slice(body).map_err(|error| format!("{url} is no JSON: {error}"))
}

#[async_trait]
impl Issuer for Actions {
    async fn token(&self, audience: &str) -> Result<Option<String>, String> {
        let Some((url, secret)) = &self.request else {
            return Ok(None);
        };
        let joint = if url.contains('?') { '&' } else { '?' };
        let asked = format!("{url}{joint}audience={}", encoded(audience));
        let body = self.get(&asked, Some(secret)).await?;
        let token = text(&json(url, &body)?["value"]);
        if token.is_empty() {
            return Err(format!("{url} answers without a token"));
        }
        Ok(Some(token))
    }

    async fn keys(&self, issuer: &str) -> Result<String, String> {
        let base = issuer.trim_end_matches('/');
        let url = format!("{base}/.well-known/openid-configuration");
        let document = json(&url, &self.get(&url, None).await?)?;
        let stated = text(&document["issuer"]);
        if stated != issuer {
            return Err(format!("{url} is of the issuer {stated:?}"));
        }
        let keys = text(&document["jwks_uri"]);
        check_way(&url, &keys)?;
        let body = self.get(&keys, None).await?;
        String::from_utf8(body).map_err(|error| format!("{keys} is no text: {error}"))
    }
}

/// As a value in an address's query.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string does not fail");
        }
        encoded
    })
}

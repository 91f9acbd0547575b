//! Signing in to Azure and to Google Cloud: the arguments that say who one is, and the tokens that requests carry.
//!
//! What differs between the two is in [`azure`] and [`google`]; what they share (asking, keeping a token while it is good,
//! statements that are signed) is here.

pub mod azure;
pub mod google;

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use terrace_backend_remote::chain;
use terrace_port::Clock;
use tokio::sync::Mutex;

/// Why there is no token: a part of a sentence.
pub type Why = String;

/// How long before its end a token is renewed.
const MARGIN: Duration = Duration::from_mins(5);
/// What a signature by RSA of a SHA-256 digest begins with.
const SHA256: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// A token, and until when it is good.
#[derive(Clone)]
pub(crate) struct Token {
    text: String,
    until: Instant,
}

impl Token {
    pub(crate) fn lasting(text: impl Into<String>, duration: Duration) -> Self {
        Self {
            text: text.into(),
            until: Instant::now() + duration,
        }
    }

    /// The token in an answer, whichever way it says how long it is good; for `usual` where it says nothing.
    pub(crate) fn of(answer: &Value, now: i64, usual: Duration) -> Result<Self, Why> {
        let text = ["access_token", "accessToken"]
            .iter()
            .find_map(|name| answer.get(name)?.as_str());
        let text = text.ok_or_else(|| "the answer holds no token".to_owned())?;
        let number = |name: &str| {
            let value = answer.get(name)?;
            value.as_u64().or_else(|| value.as_str()?.parse().ok())
        };
        let now = u64::try_from(now).unwrap_or_default();
        let seconds = number("expires_in")
            .or_else(|| number("expires_on").map(|end| end.saturating_sub(now)));
        Ok(Self::lasting(
            text,
            seconds.map_or(usual, Duration::from_secs),
        ))
    }
}

/// The token that was given last.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Option<Token>>);

impl Kept {
    /// The next one is asked for anew.
    pub(crate) async fn forget(&self) {
        *self.0.lock().await = None;
    }

    /// The kept token, while it is good for some minutes; else a new one.
    pub(crate) async fn get(
        &self,
        ask: impl Future<Output = Result<Token, Why>>,
    ) -> Result<String, Why> {
        let mut kept = self.0.lock().await;
        if let Some(token) = kept
            .as_ref()
            .filter(|token| token.until > Instant::now() + MARGIN)
        {
            return Ok(token.text.clone());
        }
        let token = ask.await?;
        let text = token.text.clone();
        *kept = Some(token);
        Ok(text)
    }
}

/// Asks services that give tokens.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) web: reqwest::Client,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Asking {
    /// Seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().0
    }

    /// The answer in JSON to a request. `what` names who is asked.
    pub(crate) async fn answer(
        &self,
        what: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<Value, Why> {
        let failed = |error: reqwest::Error| format!("{what}: {}", chain(&error));
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(failed)?;
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return Ok(value);
        }
        Err(format!("{what} answered {status}: {}", said(&value, &body)))
    }

    /// The token in the answer to a form.
    pub(crate) async fn form(
        &self,
        what: &str,
        url: &str,
        pairs: &[(&str, &str)],
        usual: Duration,
    ) -> Result<Token, Why> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        let request = self
            .web
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        Token::of(&self.answer(what, request).await?, self.now(), usual)
    }
}

/// What an answer that is no success says.
fn said(value: &Value, body: &[u8]) -> String {
    let said = ["/error_description", "/error/message", "/message", "/error"]
        .iter()
        .find_map(|path| value.pointer(path)?.as_str());
    said.map_or_else(
        || String::from_utf8_lossy(body).chars().take(300).collect(),
        str::to_owned,
    )
}

/// An RSA key in PEM, without a password.
pub(crate) fn rsa_key(pem: &str) -> Option<RsaPrivateKey> {
    RsaPrivateKey::from_pkcs8_pem(pem)
        .ok()
        .or_else(|| RsaPrivateKey::from_pkcs1_pem(pem).ok())
}

/// Claims that are signed with a key: a JSON Web Token.
pub(crate) fn signed(key: &RsaPrivateKey, header: &Value, claims: &Value) -> Result<String, Why> {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
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

//! Requests to key services over HTTP.

use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use terrace_backend_remote::{Problem, chain};
use terrace_encryption::Secret;

const CONNECTING: Duration = Duration::from_secs(10);
/// How long nothing may move.
const STANDING_STILL: Duration = Duration::from_secs(30);
/// How often a request is made that fails in a way that may pass.
const ATTEMPTS: u32 = 5;
/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// An answer that is no success.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusal {
    /// The status; 0 where there was no answer.
    pub(crate) status: u16,
    /// The service's name of what is wrong.
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Refusal {
    /// What the service said.
    pub(crate) fn said(&self) -> String {
        match (self.status, self.code.as_str()) {
            (0, _) => self.message.clone(),
            (status, "") => format!("{status}: {}", self.message),
            (status, code) => format!("{status} {code}: {}", self.message),
        }
    }
}

/// A client.
pub(crate) fn client(user_agent: &str) -> Result<reqwest::Client, Vec<Problem>> {
    reqwest::Client::builder()
        .connect_timeout(CONNECTING)
        .read_timeout(STANDING_STILL)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(user_agent)
        .build()
        .map_err(|error| vec![Problem::new("Cannot make requests", error.to_string())])
}

/// Posts JSON, again where that may help. Wrapping and unwrapping keys changes nothing, so that it may be done twice.
pub(crate) async fn post(
    web: &reqwest::Client,
    url: &str,
    token: &str,
    body: &Json,
) -> Result<Json, Refusal> {
    let mut pause = Duration::from_millis(200);
    for attempt in 1.. {
        let request = web
            .post(url)
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body.to_string());
        let (refusal, after) = match request.send().await {
            Ok(answer) => match understood(answer).await {
                Ok(value) => return Ok(value),
                Err(refused) => refused,
            },
            Err(error) => (lost(&error), None),
        };
        let may_pass = refusal.status == 0 || refusal.status == 429 || refusal.status >= 500;
        if !may_pass || attempt >= ATTEMPTS {
            return Err(refusal);
        }
        tokio::time::sleep(after.unwrap_or(pause).min(LONGEST_PAUSE)).await;
        pause *= 2;
    }
    unreachable!("the last attempt returns")
}

fn lost(error: &reqwest::Error) -> Refusal {
    Refusal {
        message: chain(error),
        ..Refusal::default()
    }
}

async fn understood(answer: reqwest::Response) -> Result<Json, (Refusal, Option<Duration>)> {
    let status = answer.status();
    let after = answer.headers().get("retry-after");
    let after = after.and_then(|text| text.to_str().ok()?.parse().ok());
    let after = after.map(Duration::from_secs);
    let body = answer.bytes().await.map_err(|error| (lost(&error), None))?;
    let value: Json = serde_json::from_slice(&body).unwrap_or_default();
    if status.is_success() {
        return Ok(value);
    }
    let text = |path: &str| value.pointer(path).and_then(Json::as_str);
    // Google's name of what is wrong is its status, Azure's the code (or the one inside it).
    let code = text("/error/innererror/code")
        .or_else(|| text("/error/status"))
        .or_else(|| text("/error/code"));
    let message = text("/error/message").map_or_else(
        || String::from_utf8_lossy(&body).chars().take(300).collect(),
        str::to_owned,
    );
    let refusal = Refusal {
        status: status.as_u16(),
        code: code.unwrap_or_default().to_owned(),
        message,
    };
    Err((refusal, after))
}

/// Random bytes: a new key.
pub(crate) fn random_key(length: usize) -> Result<Secret, String> {
    let mut bytes = vec![0; length];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| "The system gave no random bytes.".to_owned())?;
    Ok(Secret::new(bytes))
}

/// A member of metadata that is bytes.
pub(crate) fn bytes_in(metadata: &[u8], name: &str) -> Result<Vec<u8>, String> {
    let value: Json = serde_json::from_slice(metadata).unwrap_or_default();
    let text = value.get(name).and_then(Json::as_str).unwrap_or_default();
    match STANDARD.decode(text) {
        Ok(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(format!(
            "What is kept beside the data has no {name:?}: it is damaged, or of another key provider."
        )),
    }
}

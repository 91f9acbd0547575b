//! Requests.

use std::time::Duration;

use reqwest::{Certificate, Identity, Method, RequestBuilder, Response, StatusCode};
use terrace_backend_remote::{Failure, Problem};
use url::Url;

use crate::settings::{Settings, shown};

/// How long a connection may be silent.
const SILENCE: Duration = Duration::from_secs(30);

/// Makes requests as the settings say.
pub(crate) struct Client {
    pub(crate) settings: Settings,
    http: reqwest::Client,
}

/// An answer, whole.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) md5: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(settings: Settings, user_agent: &str) -> Result<Self, Vec<Problem>> {
        let mut builder = reqwest::Client::builder()
            .user_agent(user_agent)
            .connect_timeout(SILENCE)
            .read_timeout(SILENCE)
            .tls_danger_accept_invalid_certs(settings.skip_verification);
        let mut problems = Vec::new();
        let mut bad = |argument: &str, detail: String| {
            problems.push(Problem::with(
                argument,
                "Invalid backend configuration",
                detail,
            ));
        };
        if let Some(pem) = &settings.ca_certificates {
            match Certificate::from_pem_bundle(pem.as_bytes()) {
                Ok(certificates) if !certificates.is_empty() => {
                    builder = builder.tls_certs_only(certificates);
                }
                _ => bad("client_ca_certificate_pem", "failed to append certs".into()),
            }
        }
        if let Some((certificate, key)) = &settings.identity {
            match Identity::from_pem(format!("{key}\n{certificate}").as_bytes()) {
                Ok(identity) => builder = builder.identity(identity),
                Err(error) => bad(
                    "client_certificate_pem",
                    format!("cannot load client certificate: {}", causes(&error)),
                ),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let http = builder.build().map_err(|error| {
            vec![Problem::new(
                "Invalid backend configuration",
                format!(
                    "No HTTP client can be made of these settings: {}.",
                    causes(&error)
                ),
            )]
        })?;
        Ok(Self { settings, http })
    }

    pub(crate) fn request(&self, method: &Method, address: &Url) -> RequestBuilder {
        let request = self.http.request(method.clone(), address.clone());
        match &self.settings.login {
            Some((name, password)) => request.basic_auth(name, password.as_deref()),
            None => request,
        }
    }

    /// Makes a request. Answers of the kind that may be another the next time are failures.
    pub(crate) async fn ask(&self, what: &str, request: RequestBuilder) -> Result<Answer, Failure> {
        let what = format!("{what} {}", shown(&self.settings.address));
        let lost = |error: reqwest::Error| Failure::transient(what.clone(), causes(&error));
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        let after = retry_after(&response);
        let md5 = response
            .headers()
            .get("content-md5")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let body = response.bytes().await.map_err(lost)?.to_vec();
        if status == StatusCode::TOO_MANY_REQUESTS
            || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
        {
            return Err(Failure::Transient {
                after,
                source: Self::unexpected(status, &body).into(),
                what,
            });
        }
        Ok(Answer { status, md5, body })
    }

    /// A failure of an answer that does not fit.
    pub(crate) fn refused(&self, what: &str, answer: &Answer) -> Failure {
        Failure::lasting(
            format!("{what} {}", shown(&self.settings.address)),
            Self::unexpected(answer.status, &answer.body),
        )
    }

    fn unexpected(status: StatusCode, body: &[u8]) -> String {
        let told = String::from_utf8_lossy(body);
        let told: String = told.trim().chars().take(300).collect();
        let told = if told.is_empty() {
            String::new()
        } else {
            format!(". The server said: {told}")
        };
        match status {
            StatusCode::UNAUTHORIZED => format!(
                "HTTP remote state endpoint requires auth. Give username and password, or TF_HTTP_USERNAME and TF_HTTP_PASSWORD{told}"
            ),
            StatusCode::FORBIDDEN => format!("HTTP remote state endpoint invalid auth{told}"),
            StatusCode::INTERNAL_SERVER_ERROR => {
                format!("HTTP remote state internal server error{told}")
            }
            status => format!("Unexpected HTTP response code {}{told}", status.as_u16()),
        }
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get("retry-after")?;
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An error with all that caused it, without the address, whose query may hold secrets.
fn causes(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    if causes.is_empty() {
        return "the request failed".into();
    }
    causes.join(": ")
}

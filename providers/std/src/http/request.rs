//! A request, made again as long as its answer asks for that, and its answer.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::blocking::{Client, Response};
use reqwest::{Certificate, Identity, Method, StatusCode};
use terrace_provider_sdk::{Diagnostic, Diagnostics, Object};

use crate::Outside;
use crate::definition::{Failure, problem};

pub(super) fn read(
    mut object: Object,
    _outside: &Outside,
    diagnostics: &mut Diagnostics,
) -> Result<Object, Failure> {
    let url = object.text("url").unwrap_or_default().to_owned();
    let client = client(&object)?;
    let response = persist(&client, &object, &url)?;
    let status = response.status();
    let headers = headers(&response);
    let bytes = response.bytes().map_err(|error| {
        Diagnostic::error(
            "Error reading response body",
            format!("Error reading response body: {error}"),
        )
    })?;
    if std::str::from_utf8(&bytes).is_err() {
        diagnostics.warning(
            "Response body is not recognized as UTF-8",
            "Terrace may not properly handle the response_body if the contents are binary.",
        );
    }
    let body = String::from_utf8_lossy(&bytes).into_owned();
    object.set("id", url);
    object.set("response_headers", headers);
    object.set("body", body.as_str());
    object.set("response_body", body);
    object.set("response_body_base64", STANDARD.encode(&bytes));
    object.set("status_code", i64::from(status.as_u16()));
    Ok(object)
}

fn client(config: &Object) -> Result<Client, Failure> {
    let mut builder = Client::builder().user_agent(concat!("terrace/", env!("CARGO_PKG_VERSION")));
    let timeout = config.whole("request_timeout_ms").and_then(milliseconds);
    builder = builder.timeout(timeout.filter(|timeout| !timeout.is_zero()));
    if config.flag("insecure") == Some(true) {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    if let Some(pem) = config.text("ca_cert_pem") {
        let certificates = Certificate::from_pem_bundle(pem.as_bytes())
            .ok()
            .filter(|found| !found.is_empty())
            .ok_or_else(|| {
                problem(
                    "ca_cert_pem",
                    "Error configuring TLS client",
                    "Error tls: Can't add the CA certificate to certificate pool. Only PEM encoded certificates are supported.",
                )
            })?;
        builder = builder.tls_certs_only(certificates);
    }
    if let (Some(certificate), Some(key)) = (
        config.text("client_cert_pem"),
        config.text("client_key_pem"),
    ) {
        let identity = Identity::from_pem(format!("{certificate}\n{key}").as_bytes());
        builder = builder.identity(identity.map_err(|error| {
            problem(
                "client_cert_pem",
                "error creating x509 key pair",
                format!("error creating x509 key pair from provided pem blocks\n\nError: {error}"),
            )
        })?);
    }
    builder.build().map_err(|error| {
        Diagnostic::error(
            "Error configuring http transport",
            format!("Error http: Can't configure http transport: {error}"),
        )
    })
}

fn milliseconds(count: i64) -> Option<Duration> {
    u64::try_from(count).ok().map(Duration::from_millis)
}

fn failed(detail: impl std::fmt::Display) -> Failure {
    Diagnostic::error("Error making request", detail.to_string())
}

/// How long is waited between requests, and how many more there are.
struct Patience {
    attempts: u32,
    least: Duration,
    most: Duration,
}

impl Patience {
    fn of(config: &Object) -> Self {
        let retry = Object::of(config.value("retry")).unwrap_or_default();
        let delay = |name: &str, default: u64| {
            let said = retry.whole(name).and_then(milliseconds);
            said.unwrap_or(Duration::from_secs(default))
        };
        let attempts = retry.whole("attempts").unwrap_or(0);
        Self {
            attempts: u32::try_from(attempts).unwrap_or(0),
            least: delay("min_delay_ms", 1),
            most: delay("max_delay_ms", 30),
        }
    }

    /// Twice as long each time.
    fn delay(&self, attempt: u32) -> Duration {
        let factor = 2_u32.saturating_pow(attempt.min(20));
        self.least.saturating_mul(factor).min(self.most)
    }
}

/// The first answer that no other request would better.
fn persist(client: &Client, config: &Object, url: &str) -> Result<Response, Failure> {
    let patience = Patience::of(config);
    let method = config
        .text("method")
        .filter(|method| !method.is_empty())
        .unwrap_or("GET");
    let mut attempt = 0;
    loop {
        let said = match send(client, config, method, url) {
            Ok(response) if !is_temporary(response.status()) => return Ok(response),
            Ok(_) => None,
            Err(error) if error.is_builder() => return Err(failed(chain(&error))),
            Err(error) if error.is_timeout() && config.is_set("request_timeout_ms") => {
                let timeout = config.whole("request_timeout_ms").unwrap_or(0);
                return Err(failed(format!(
                    "request exceeded the specified timeout: {timeout}ms, err: {}",
                    chain(&error)
                )));
            }
            Err(error) => Some(chain(&error)),
        };
        attempt += 1;
        if attempt > patience.attempts {
            let why = said.map(|said| format!(": {said}")).unwrap_or_default();
            return Err(failed(format!(
                "Error making request: {method} {url} giving up after {attempt} attempt(s){why}"
            )));
        }
        std::thread::sleep(patience.delay(attempt - 1));
    }
}

/// Whether the same request may be answered better soon.
fn is_temporary(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
}

fn send(
    client: &Client,
    config: &Object,
    method: &str,
    url: &str,
) -> Result<Response, reqwest::Error> {
    let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET);
    let mut request = client.request(method, url);
    for (name, value) in config
        .value("request_headers")
        .as_entries()
        .into_iter()
        .flatten()
    {
        request = request.header(&**name, value.as_str().unwrap_or_default());
    }
    if let Some(body) = config.text("request_body") {
        request = request.body(body.to_owned());
    }
    request.send()
}

/// An error with its causes, which say what a person needs.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(found) = cause {
        text = format!("{text}: {found}");
        cause = found.source();
    }
    text
}

/// Headers under the names that people know; those that come several times are joined.
fn headers(response: &Response) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers
            .entry(canonical(name.as_str()))
            .and_modify(|joined| *joined = format!("{joined}, {value}"))
            .or_insert(value);
    }
    headers
}

/// `content-type` as `Content-Type`.
fn canonical(name: &str) -> String {
    let words: Vec<String> = name
        .split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                format!("{}{}", first.to_ascii_uppercase(), letters.as_str())
            })
        })
        .collect();
    words.join("-")
}

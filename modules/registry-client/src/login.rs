//! Logging in: the service `login.v1`, OAuth's authorization code with a proof of possession.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{ClientError, Discovery, Host, Http};

mod wire {
    use serde::Deserialize;

    #[derive(Deserialize)]
    pub(super) struct Service {
        #[serde(default)]
        pub(super) client: String,
        #[serde(default)]
        pub(super) grant_types: Option<Vec<String>>,
        #[serde(default)]
        pub(super) authz: String,
        #[serde(default)]
        pub(super) token: String,
        #[serde(default)]
        pub(super) ports: Option<(u16, u16)>,
        #[serde(default)]
        pub(super) scopes: Option<Vec<String>>,
    }

    #[derive(Deserialize)]
    pub(super) struct Token {
        #[serde(default, rename = "access_token")]
        pub(super) access: Option<String>,
        #[serde(default)]
        pub(super) error: Option<String>,
        #[serde(default)]
        pub(super) error_description: Option<String>,
    }
}

/// Why nobody could be logged in. The message is the whole story for a person.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// A server could not be used.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// The host describes its service in a way that makes no sense.
    #[error("the host's login.v1 service cannot be used: {0}")]
    Service(String),
    /// No port on this machine is free for the answer.
    #[error(
        "none of the ports {first} to {last} is free on this machine, and the host answers to those only"
    )]
    Ports {
        /// The first port that the host allows.
        first: u16,
        /// The last.
        last: u16,
    },
    /// The host did not grant anything.
    #[error("the host did not grant a token: {0}")]
    Denied(String),
}

/// How a host wants people to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    client: String,
    authorize: Url,
    token: Url,
    ports: RangeInclusive<u16>,
    scopes: Vec<String>,
}

/// A login that waits for its person.
#[derive(Debug)]
pub struct PendingLogin {
    login: Login,
    listener: TcpListener,
    redirect: String,
    state: String,
    verifier: String,
    address: Url,
}

impl Login {
    /// How `host` wants people to log in; `None` where it has no such service.
    pub fn at(discovery: &Discovery, host: &Host) -> Result<Option<Self>, LoginError> {
        match discovery.description(host, "login.v1")? {
            None => Ok(None),
            Some((base, described)) => Self::read(&base, described).map(Some),
        }
    }

    fn read(base: &Url, described: serde_json::Value) -> Result<Self, LoginError> {
        let service: wire::Service = serde_json::from_value(described)
            .map_err(|error| LoginError::Service(error.to_string()))?;
        let join = |name: &str, text: &str| {
            let failed = |why: &str| LoginError::Service(format!("its {name} {text:?} {why}"));
            match base.join(text) {
                _ if text.is_empty() => Err(failed("is missing")),
                Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
                _ => Err(failed("is no address of the web")),
            }
        };
        if service.client.is_empty() {
            return Err(LoginError::Service("it names no client".to_owned()));
        }
        let grants = service.grant_types.unwrap_or_default();
        if !grants.is_empty() && !grants.iter().any(|grant| grant == "authz_code") {
            return Err(LoginError::Service(format!(
                "it grants tokens by {} only, and not by authz_code",
                grants.join(", ")
            )));
        }
        let (first, last) = service.ports.unwrap_or((1024, 65535));
        if first < 1024 || first > last {
            return Err(LoginError::Service(format!(
                "its ports {first} to {last} are no range of ports from 1024 on"
            )));
        }
        Ok(Self {
            client: service.client,
            authorize: join("authz", &service.authz)?,
            token: join("token", &service.token)?,
            ports: first..=last,
            scopes: service.scopes.unwrap_or_default(),
        })
    }

    /// Listens for the answer and says where a person logs in. `secret` is random.
    pub fn begin(self, secret: &[u8; 48]) -> Result<PendingLogin, LoginError> {
        let start = usize::from(secret[0]) % self.ports.len().max(1);
        let ports = self.ports.clone();
        let listener = ports
            .clone()
            .skip(start)
            .chain(ports.take(start))
            .find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
        let bound = listener.and_then(|listener| {
            let port = listener.local_addr().ok()?.port();
            Some((listener, port))
        });
        let Some((listener, port)) = bound else {
            return Err(LoginError::Ports {
                first: *self.ports.start(),
                last: *self.ports.end(),
            });
        };
        let verifier = URL_SAFE_NO_PAD.encode(&secret[..32]);
        let state = URL_SAFE_NO_PAD.encode(&secret[32..]);
        let redirect = format!("http://localhost:{port}/login");
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let mut address = self.authorize.clone();
        address
            .query_pairs_mut()
            .append_pair("client_id", &self.client)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("redirect_uri", &redirect)
            .append_pair("response_type", "code")
            .append_pair("state", &state);
        if !self.scopes.is_empty() {
            let scopes = self.scopes.join(" ");
            address.query_pairs_mut().append_pair("scope", &scopes);
        }
        Ok(PendingLogin {
            login: self,
            listener,
            redirect,
            state,
            verifier,
            address,
        })
    }
}

impl PendingLogin {
    /// Where a person logs in.
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// Waits until the person has logged in, and gives the token.
    pub fn wait(self, http: &Http) -> Result<String, LoginError> {
        let code = self.code()?;
        let fields = [
            ("client_id", self.login.client.as_str()),
            ("code", &code),
            ("code_verifier", &self.verifier),
            ("grant_type", "authorization_code"),
            ("redirect_uri", &self.redirect),
        ];
        let url = self.login.token.as_str();
        let answer = http.post_form(url, &fields)?;
        let token: Result<wire::Token, _> = serde_json::from_slice(&answer.body);
        match token {
            Ok(wire::Token {
                access: Some(token),
                ..
            }) if !token.is_empty() && (200..300).contains(&answer.status) => Ok(token),
            Ok(wire::Token {
                error: Some(error),
                error_description,
                ..
            }) => Err(LoginError::Denied(
                error_description.map_or(error.clone(), |text| format!("{error}: {text}")),
            )),
            _ => {
                let answer = answer.ok()?;
                Err(LoginError::Client(ClientError::Malformed {
                    url: answer.url,
                    why: "it holds no access token".to_owned(),
                }))
            }
        }
    }

    /// The code that the host sends through the person's browser.
    fn code(&self) -> Result<String, LoginError> {
        for stream in self.listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let Some(path) = requested(&stream) else {
                continue;
            };
            let url = Url::parse("http://localhost").and_then(|base| base.join(&path));
            let Some(url) = url.ok().filter(|url| url.path() == "/login") else {
                respond(&mut stream, "404 Not Found", "There is nothing here.");
                continue;
            };
            let parameter = |name: &str| {
                let found = url.query_pairs().find(|(key, _)| key == name);
                found.map(|(_, value)| value.into_owned())
            };
            // Anybody on this machine can come by; only the host knows the state.
            if parameter("state").as_deref() != Some(&self.state) {
                respond(
                    &mut stream,
                    "400 Bad Request",
                    "This login is not the one that Terrace waits for.",
                );
                continue;
            }
            if let Some(code) = parameter("code").filter(|code| !code.is_empty()) {
                respond(
                    &mut stream,
                    "200 OK",
                    "The login server has returned an authentication code to Terrace. Now close this page and return to the terminal where terrace login is running to see the result of the login process.",
                );
                return Ok(code);
            }
            let why = parameter("error_description")
                .or_else(|| parameter("error"))
                .unwrap_or_else(|| "it sent no code".to_owned());
            respond(&mut stream, "200 OK", "The login was not granted.");
            return Err(LoginError::Denied(why));
        }
        Err(LoginError::Denied("no answer came".to_owned()))
    }
}

fn requested(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 2 {
        line.clear();
    }
    first.split(' ').nth(1).map(str::to_owned)
}

fn respond(stream: &mut TcpStream, status: &str, text: &str) {
    let body = format!("<!doctype html><title>Terrace Login</title><p>{text}</p>\n");
    // A browser that has gone needs no answer.
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Login, LoginError> {
        let base = Url::parse("https://h.example/.well-known/terraform.json").unwrap();
        Login::read(&base, serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_service_is_read() {
        let login = read(r#"{"client":"c","authz":"/a","token":"https://t.example/t","grant_types":["authz_code"],"ports":[10000,10010],"scopes":["x","y"]}"#).unwrap();
        let pending = login.begin(&[7; 48]).unwrap();
        let address = Url::parse(pending.address()).unwrap();
        assert_eq!(
            address.as_str().split('?').next(),
            Some("https://h.example/a")
        );
        let value = |name: &str| {
            let found = address.query_pairs().find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).unwrap()
        };
        assert!(value("redirect_uri").starts_with("http://localhost:100"));
        assert_eq!(value("scope"), "x y");
        assert_eq!(value("code_challenge").len(), 43);
        assert_ne!(value("code_challenge"), pending.verifier);
    }

    #[test]
    fn a_service_that_makes_no_sense_is_told() {
        for (text, why) in [
            (r#"{"authz":"/a","token":"/t"}"#, "names no client"),
            (r#"{"client":"c","token":"/t"}"#, "authz \"\" is missing"),
            (
                r#"{"client":"c","authz":"/a","token":"ftp://x/"}"#,
                "is no address of the web",
            ),
            (
                r#"{"client":"c","authz":"/a","token":"/t","grant_types":["password"]}"#,
                "by password only",
            ),
            (
                r#"{"client":"c","authz":"/a","token":"/t","ports":[80,90]}"#,
                "no range of ports",
            ),
            (r#""x""#, "invalid type"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

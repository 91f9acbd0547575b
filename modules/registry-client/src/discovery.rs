//! Where a host offers its services: `/.well-known/terraform.json`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use url::Url;

use crate::http::Ask;
use crate::settings::Service;
use crate::{Answer, ClientError, Credentials, Host, Http, ServiceSettings};

/// Finds services of hosts. Each host is asked once.
#[derive(Debug)]
pub struct Discovery {
    http: Arc<Http>,
    credentials: Arc<Credentials>,
    overrides: BTreeMap<Host, BTreeMap<String, Service>>,
    known: Mutex<BTreeMap<Host, Document>>,
}

/// What a host said of its services.
#[derive(Clone, Debug)]
struct Document {
    /// What relative addresses start from.
    base: Url,
    services: BTreeMap<String, Service>,
}

impl Discovery {
    /// With the overrides that the CLI configuration has.
    pub fn new(http: Arc<Http>, credentials: Arc<Credentials>, settings: &ServiceSettings) -> Self {
        Self {
            http,
            credentials,
            overrides: settings.services.clone(),
            known: Mutex::default(),
        }
    }

    /// What makes requests.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// What knows tokens.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The header that a host wants to see, if there is a token for it.
    pub fn authorization(&self, host: &Host) -> Result<Option<String>, ClientError> {
        let token = self.credentials.token(host)?;
        Ok(token.map(|token| format!("Bearer {token}")))
    }

    /// What a registry at `host` answers at `url`; `None` where it knows nothing of it.
    pub(crate) fn get(
        &self,
        host: &Host,
        url: &Url,
        ask: Ask,
    ) -> Result<Option<Answer>, ClientError> {
        let authorization = self.authorization(host)?;
        let mut headers = vec![("accept", "application/json")];
        if let Some(authorization) = &authorization {
            headers.push(("authorization", authorization));
        }
        let answer = ask(&self.http, url.as_str(), &headers)?;
        if answer.status == 404 {
            Ok(None)
        } else {
            answer.ok().map(Some)
        }
    }

    /// The address of a service such as `modules.v1`, which ends in a slash. `what` is its name for people.
    pub fn service(&self, host: &Host, id: &str, what: &'static str) -> Result<Url, ClientError> {
        let document = self.document(host)?;
        let none = || ClientError::NoService {
            host: host.to_string(),
            what,
        };
        let text = document
            .services
            .get(id)
            .and_then(serde_json::Value::as_str)
            .ok_or_else(none)?;
        let malformed = |why: String| ClientError::Malformed {
            url: document.base.to_string(),
            why,
        };
        let mut url = document
            .base
            .join(text)
            .map_err(|error| malformed(format!("{text:?} is no address of {what}: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(malformed(format!("{text:?} is no address of the web")));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(url)
    }

    /// The description of a service that is more than an address, such as `login.v1`, with what relative addresses
    /// in it start from.
    pub fn description(
        &self,
        host: &Host,
        id: &str,
    ) -> Result<Option<(Url, serde_json::Value)>, ClientError> {
        let document = self.document(host)?;
        Ok(document
            .services
            .get(id)
            .map(|value| (document.base.clone(), value.clone())))
    }

    fn document(&self, host: &Host) -> Result<Document, ClientError> {
        let mut known = self
            .known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(document) = known.get(host) {
            return Ok(document.clone());
        }
        let document = match self.overrides.get(host) {
            Some(services) => Document {
                base: address(host)?,
                services: services.clone(),
            },
            None => self.ask(host)?,
        };
        known.insert(host.clone(), document.clone());
        Ok(document)
    }

    fn ask(&self, host: &Host) -> Result<Document, ClientError> {
        let url = address(host)?;
        let authorization = self.authorization(host)?;
        let mut headers = vec![("accept", "application/json")];
        if let Some(authorization) = &authorization {
            headers.push(("authorization", authorization));
        }
        let answer = self.http.get_confirmed(url.as_str(), &headers)?;
        let base = Url::parse(&answer.url).unwrap_or(url);
        if answer.status == 404 {
            // Such a host is none that offers anything.
            let services = BTreeMap::new();
            return Ok(Document { base, services });
        }
        let answer = answer.ok()?;
        let malformed = |why: String| ClientError::Malformed {
            url: answer.url.clone(),
            why,
        };
        let kind = answer.header("content-type").unwrap_or("");
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            return Err(malformed(format!(
                "the discovery document has the unsupported content type {kind:?}"
            )));
        }
        let services = serde_json::from_slice(&answer.body)
            .map_err(|error| malformed(format!("it is no object in JSON: {error}")))?;
        Ok(Document { base, services })
    }
}

fn address(host: &Host) -> Result<Url, ClientError> {
    Url::parse(&format!("https://{host}/.well-known/terraform.json"))
        .map_err(|error| ClientError::InvalidHost(format!("{host}: {error}")))
}

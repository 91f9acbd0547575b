//! Requests to the API.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Certificate, Identity, Method, Proxy, StatusCode};
use serde_json::Value as Json;
use terrace_backend_remote::{Failure, Problem, chain};

use crate::credentials;
use crate::settings::{Access, Settings, invalid};

/// How long a connection may be silent.
const SILENCE: Duration = Duration::from_secs(30);

/// The API of one namespace.
pub(crate) struct Api {
    access: Access,
    pub(crate) suffix: String,
    pub(crate) namespace: String,
    pub(crate) labels: BTreeMap<String, String>,
    http: reqwest::Client,
    token: tokio::sync::Mutex<Option<String>>,
}

/// A kind of object.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Secret,
    Lease,
}

/// An answer that is no failure.
pub(crate) enum Answer {
    Object(Json),
    /// There is none of that name.
    Missing,
    /// It exists already, or is not the version that was named.
    Conflict,
}

impl Api {
    pub(crate) fn new(settings: Settings, user_agent: &str) -> Result<Self, Vec<Problem>> {
        let access = settings.access;
        let mut builder = reqwest::Client::builder()
            .user_agent(user_agent)
            .connect_timeout(SILENCE)
            .read_timeout(SILENCE)
            .tls_danger_accept_invalid_certs(access.insecure);
        let told = |argument: &str, error: reqwest::Error| invalid(argument, format!("{error}."));
        if let Some(pem) = &access.authority {
            let certificates = Certificate::from_pem_bundle(pem)
                .map_err(|error| told("cluster_ca_certificate", error))?;
            builder = builder.tls_certs_only(certificates);
        }
        if let (Some(certificate), Some(key)) = (&access.certificate, &access.key) {
            let pem = [key.as_slice(), b"\n", certificate].concat();
            let identity =
                Identity::from_pem(&pem).map_err(|error| told("client_certificate", error))?;
            builder = builder.identity(identity);
        }
        if let Some(proxy) = &access.proxy {
            builder = builder.proxy(Proxy::all(proxy).map_err(|error| told("proxy_url", error))?);
        }
        Ok(Self {
            http: builder.build().map_err(|error| told("host", error))?,
            access,
            suffix: settings.suffix,
            namespace: settings.namespace,
            labels: settings.labels,
            token: tokio::sync::Mutex::default(),
        })
    }

    /// Where an object is, for messages.
    pub(crate) fn shown(&self, name: &str) -> String {
        format!("{}/{name} at {}", self.namespace, self.access.host)
    }

    fn address(&self, kind: Kind, name: &str) -> String {
        let host = self.access.host.trim_end_matches('/');
        let namespace = &self.namespace;
        let collection = match kind {
            Kind::Secret => format!("{host}/api/v1/namespaces/{namespace}/secrets"),
            Kind::Lease => {
                format!("{host}/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")
            }
        };
        if name.is_empty() {
            collection
        } else {
            format!("{collection}/{name}")
        }
    }

    async fn token(&self, renew: bool) -> Result<Option<String>, Failure> {
        let mut token = self.token.lock().await;
        if renew || token.is_none() {
            *token = credentials::token(&self.access)
                .await
                .map_err(|why| Failure::lasting("signing in to the cluster", why))?;
        }
        Ok(token.clone())
    }

    async fn send(
        &self,
        what: &str,
        method: &Method,
        address: &str,
        body: Option<&Json>,
    ) -> Result<(StatusCode, Json), Failure> {
        let lost = |error: reqwest::Error| Failure::transient(what, chain(&error));
        for renew in [false, true] {
            let mut request = self.http.request(method.clone(), address);
            if let Some(token) = self.token(renew).await? {
                request = request.bearer_auth(token);
            } else if let Some((name, password)) = &self.access.login {
                request = request.basic_auth(name, Some(password));
            }
            if let Some(body) = body {
                request = request
                    .header("content-type", "application/json")
                    .body(body.to_string());
            }
            let response = request.send().await.map_err(lost)?;
            let status = response.status();
            // A token of a program or a file may have been replaced by another.
            if status == StatusCode::UNAUTHORIZED && !renew {
                continue;
            }
            let bytes = response.bytes().await.map_err(lost)?;
            let answer = serde_json::from_slice(&bytes).unwrap_or_else(|_| {
                Json::String(String::from_utf8_lossy(&bytes).chars().take(300).collect())
            });
            return Ok((status, answer));
        }
        Err(Failure::lasting(
            what,
            "the cluster does not accept the credentials (401)",
        ))
    }

    async fn ask(
        &self,
        what: &str,
        method: Method,
        address: &str,
        body: Option<&Json>,
    ) -> Result<Answer, Failure> {
        let what = format!(
            "{what} in the namespace {:?} of {}",
            self.namespace, self.access.host
        );
        let (status, answer) = self.send(&what, &method, address, body).await?;
        if status.is_success() {
            return Ok(Answer::Object(answer));
        }
        let reason = answer["reason"].as_str().unwrap_or_default();
        let message = answer["message"]
            .as_str()
            .or(answer.as_str())
            .unwrap_or_default();
        let told = format!("{}: {message}", status.as_u16());
        match status {
            StatusCode::NOT_FOUND
                if reason == "NotFound" && !message.starts_with("namespaces ") =>
            {
                Ok(Answer::Missing)
            }
            StatusCode::CONFLICT => Ok(Answer::Conflict),
            StatusCode::TOO_MANY_REQUESTS => Err(Failure::transient(what, told)),
            status if status.is_server_error() => Err(Failure::transient(what, told)),
            _ => Err(Failure::lasting(what, told)),
        }
    }

    pub(crate) async fn get(&self, kind: Kind, name: &str) -> Result<Option<Json>, Failure> {
        let address = self.address(kind, name);
        match self.ask("reading", Method::GET, &address, None).await? {
            Answer::Object(object) => Ok(Some(object)),
            _ => Ok(None),
        }
    }

    /// Creates an object, or replaces the version that its metadata names.
    pub(crate) async fn put(&self, kind: Kind, object: &Json) -> Result<Answer, Failure> {
        if object["metadata"]["resourceVersion"].is_null() {
            let address = self.address(kind, "");
            return self
                .ask("creating", Method::POST, &address, Some(object))
                .await;
        }
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let address = self.address(kind, name);
        self.ask("writing", Method::PUT, &address, Some(object))
            .await
    }

    /// Deletes an object; one version of it, where one is named.
    pub(crate) async fn delete(
        &self,
        kind: Kind,
        name: &str,
        version: Option<&str>,
    ) -> Result<Answer, Failure> {
        let address = self.address(kind, name);
        let body = version.map(|version| {
            serde_json::json!({
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "preconditions": {"resourceVersion": version},
            })
        });
        self.ask("deleting", Method::DELETE, &address, body.as_ref())
            .await
    }

    /// Secrets with these labels.
    pub(crate) async fn list(&self, selector: &str) -> Result<Vec<Json>, Failure> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let mut address = format!(
                "{}?labelSelector={}&limit=500",
                self.address(Kind::Secret, ""),
                selector.replace('=', "%3D").replace(',', "%2C")
            );
            if !next.is_empty() {
                address = format!("{address}&continue={next}");
            }
            let Answer::Object(mut list) = self.ask("listing", Method::GET, &address, None).await?
            else {
                return Ok(items);
            };
            if let Some(Json::Array(found)) = list.get_mut("items").map(Json::take) {
                items.extend(found);
            }
            match list["metadata"]["continue"].as_str() {
                Some(more) if !more.is_empty() => more.clone_into(&mut next),
                _ => return Ok(items),
            }
        }
    }
}

//! Requests and replies, without a word of sockets.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

/// The methods that a route may have. `HEAD` is answered as `GET` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Writes what the address names.
    Put,
    /// Does something.
    Post,
    /// Removes.
    Delete,
}

impl Method {
    /// The method of a name.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "GET" | "HEAD" => Self::Get,
            "PUT" => Self::Put,
            "POST" => Self::Post,
            "DELETE" => Self::Delete,
            _ => return None,
        })
    }
}

/// A request without its body.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, as it was sent.
    pub path: String,
    /// The parameters of the query; the last of each name.
    pub query: BTreeMap<String, String>,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Host`: the name by which the sender knows the registry.
    pub host: Option<String>,
}

impl Request {
    /// A request for an address: path, and query where there is one.
    pub fn new(method: Method, address: &str) -> Self {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let query = url::form_urlencoded::parse(query.as_bytes());
        Self {
            method,
            path: path.to_owned(),
            query: query.into_owned().collect(),
            authorization: None,
            host: None,
        }
    }

    /// The same from someone who has a token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }
}

/// A reply.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers beside those that all replies have, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Arc<[u8]>,
}

impl Reply {
    /// A reply of a content type.
    pub fn of(kind: &str, body: impl Into<Arc<[u8]>>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", kind.to_owned())],
            body: body.into(),
        }
    }

    /// A document in JSON.
    pub fn json(document: &serde_json::Value) -> Self {
        Self::of("application/json", document.to_string().into_bytes())
    }

    /// No content.
    pub fn empty() -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: Arc::default(),
        }
    }

    /// A refusal, as clients of registries read it.
    pub fn refusal(status: u16, why: &str) -> Self {
        Self::json(&json!({"errors": [why]})).status(status)
    }

    /// With another status.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| *header == name)
            .map(|(_, value)| value.as_str())
    }
}

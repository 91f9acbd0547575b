//! The wire forms: what is stored of tokens and providers, and the documents that clients send.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct TokenFile {
    #[serde(default)]
    pub(crate) tokens: Vec<Token>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) name: String,
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) namespaces: Vec<String>,
    /// The SHA-256 of the token, in hexadecimal.
    pub(crate) sha256: String,
    pub(crate) issued_at: i64,
    pub(crate) issued_by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssueRequest {
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) namespaces: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) link: Option<String>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct ProviderFile {
    #[serde(default)]
    pub(crate) versions: Vec<Release>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Release {
    pub(crate) version: String,
    pub(crate) protocols: Vec<String>,
    pub(crate) platforms: Vec<Platform>,
    /// The SHA-256 of each file, by its name.
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) keys: Vec<Key>,
    pub(crate) published_at: i64,
    pub(crate) published_by: String,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Platform {
    pub(crate) os: String,
    pub(crate) arch: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    pub(crate) key_id: String,
    pub(crate) ascii_armor: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishProvider {
    pub(crate) protocols: Vec<String>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) keys: Vec<Key>,
}

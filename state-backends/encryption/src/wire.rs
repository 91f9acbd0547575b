//! The JSON of encrypted files, of what key providers keep beside them, and of programs that give keys or encrypt.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An encrypted state or plan file. Bytes are in base64.
#[derive(Serialize, Deserialize)]
pub(crate) struct Envelope {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) serial: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lineage: Option<String>,
    #[serde(default)]
    pub(crate) meta: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) encrypted_data: String,
    #[serde(default)]
    pub(crate) encryption_version: String,
}

/// What tells states, encrypted or not, from anything else.
#[derive(Deserialize)]
pub(crate) struct Head {
    #[serde(default)]
    pub(crate) serial: Option<u64>,
    #[serde(default)]
    pub(crate) lineage: Option<String>,
    #[serde(default)]
    pub(crate) terraform_version: Option<String>,
}

/// What `pbkdf2` keeps beside the data.
#[derive(Serialize, Deserialize)]
pub(crate) struct Pbkdf2Metadata {
    pub(crate) salt: String,
    pub(crate) iterations: u32,
    pub(crate) hash_function: String,
    pub(crate) key_length: usize,
}

/// The first line that a program writes.
#[derive(Deserialize)]
pub(crate) struct Header {
    pub(crate) magic: String,
    pub(crate) version: u64,
}

/// What a program that gives keys writes.
#[derive(Deserialize)]
pub(crate) struct ProgramKeys {
    pub(crate) key: ProgramKey,
    #[serde(default)]
    pub(crate) meta: Option<serde_json::Value>,
}

/// The keys in it.
#[derive(Deserialize)]
pub(crate) struct ProgramKey {
    #[serde(default)]
    pub(crate) encryption_key: Option<String>,
    #[serde(default)]
    pub(crate) decryption_key: Option<String>,
}

/// What a program that encrypts reads.
#[derive(Serialize)]
pub(crate) struct ProgramInput {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    pub(crate) payload: String,
}

/// What a program that encrypts writes.
#[derive(Deserialize)]
pub(crate) struct ProgramOutput {
    pub(crate) payload: String,
}

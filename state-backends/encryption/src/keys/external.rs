//! Keys from a program.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::keys::{Generated, KeySource, Secret};
use crate::program::converse;
use crate::wire::ProgramKeys;

const MAGIC: &str = "OpenTofu-External-Key-Provider";

/// The key provider `external`.
pub(crate) struct ExternalKeys {
    pub(crate) command: Vec<String>,
}

impl ExternalKeys {
    async fn ask(&self, input: &[u8]) -> Result<ProgramKeys, String> {
        let answer = converse(&self.command, MAGIC, input).await?;
        serde_json::from_slice(&answer).map_err(|error| {
            format!(
                "the answer of {:?} cannot be understood: {error}",
                self.command[0]
            )
        })
    }

    fn key(&self, text: Option<String>, which: &str) -> Result<Secret, String> {
        let text =
            text.ok_or_else(|| format!("the answer of {:?} has no {which}", self.command[0]))?;
        STANDARD
            .decode(text)
            .map(Secret::new)
            .map_err(|error| format!("the {which} of {:?} is no base64: {error}", self.command[0]))
    }
}

#[async_trait]
impl KeySource for ExternalKeys {
    async fn generate(&self) -> Result<Generated, String> {
        let answer = self.ask(b"null").await?;
        let metadata = answer
            .meta
            .unwrap_or_else(|| serde_json::json!({ "external_data": {} }));
        Ok(Generated {
            key: self.key(answer.key.encryption_key, "\"encryption_key\"")?,
            metadata: metadata.to_string().into_bytes(),
        })
    }

    async fn recover(&self, metadata: &[u8]) -> Result<Secret, String> {
        let answer = self.ask(metadata).await?;
        self.key(answer.key.decryption_key, "\"decryption_key\"")
    }
}

//! Where keys come from.

mod external;
mod pbkdf2;

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use terrace_value::Value;

use crate::EncryptionError;
use crate::envelope::Metadata;

pub(crate) use external::ExternalKeys;
pub(crate) use pbkdf2::{MINIMUM_ITERATIONS, MINIMUM_PASSPHRASE, Passphrase, Pbkdf2, Pbkdf2Hash};

/// A key or a passphrase. It is not shown, and overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// These bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} secret bytes)", self.0.len())
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without this the writes above have no reader, and may be left out.
        std::hint::black_box(&mut self.0);
    }
}

/// A new key, and what finds it again.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The key.
    pub key: Secret,
    /// What [`KeySource::recover`] needs to find it; kept beside the data, readable by everyone.
    pub metadata: Vec<u8>,
}

/// A service or program that gives keys.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// A new key. The error is a sentence.
    async fn generate(&self) -> Result<Generated, String>;
    /// The key that was generated with `metadata`. The error is a sentence.
    async fn recover(&self, metadata: &[u8]) -> Result<Secret, String>;
}

/// Opens key providers that need a cloud's client: `aws_kms`, `gcp_kms`, `azure_vault`.
pub trait KeySources: Send + Sync {
    /// The key provider of a type by its arguments, evaluated. The error is a sentence about them.
    fn open(
        &self,
        type_name: &str,
        arguments: &BTreeMap<String, Value>,
    ) -> Result<Arc<dyn KeySource>, String>;
}

/// A key provider that the configuration names.
pub(crate) struct NamedKeys {
    /// The name under which its metadata is kept.
    pub(crate) storage_name: String,
    pub(crate) origin: Origin,
}

/// What gives the key.
pub(crate) enum Origin {
    Pbkdf2(Pbkdf2),
    Source(Arc<dyn KeySource>),
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, EncryptionError>> + Send + 'a>>;

impl NamedKeys {
    /// A new key; what finds it again is added to `metadata`.
    pub(crate) fn generate<'a>(&'a self, metadata: &'a mut Metadata) -> Answer<'a, Secret> {
        Box::pin(async move {
            let generated = match &self.origin {
                Origin::Pbkdf2(derived) => derived.generate(metadata).await?,
                Origin::Source(source) => source
                    .generate()
                    .await
                    .map_err(|error| self.failed(&error))?,
            };
            metadata.insert(self.storage_name.clone(), generated.metadata);
            Ok(generated.key)
        })
    }

    /// The key that was made with `metadata`.
    pub(crate) fn recover<'a>(&'a self, metadata: &'a Metadata) -> Answer<'a, Secret> {
        Box::pin(async move {
            let Some(own) = metadata.get(&self.storage_name) else {
                let known: Vec<&str> = metadata.keys().map(String::as_str).collect();
                return Err(EncryptionError::Key(format!(
                    "The data holds nothing of {}: it was encrypted with {}. A key provider that was renamed needs \"encrypted_metadata_alias\" with its old name, or a \"fallback\" with the old one.",
                    self.storage_name,
                    if known.is_empty() {
                        "no key provider".to_owned()
                    } else {
                        known.join(", ")
                    }
                )));
            };
            match &self.origin {
                Origin::Pbkdf2(derived) => derived.recover(own, metadata, &self.storage_name).await,
                Origin::Source(source) => source
                    .recover(own)
                    .await
                    .map_err(|error| self.failed(&error)),
            }
        })
    }

    fn failed(&self, error: &str) -> EncryptionError {
        EncryptionError::Key(format!("{} gave no key: {error}", self.storage_name))
    }
}

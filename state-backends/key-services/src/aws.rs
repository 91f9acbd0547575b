//! `aws_kms`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use terrace_backend_remote::Surroundings;
use terrace_backend_s3::{DataKeys, key_arguments};
use terrace_encryption::{Generated, KeySource, Secret};
use terrace_value::Value;

use crate::given::{conform, told};
use crate::service::bytes_in;

const SEALED: &str = "ciphertext_blob";

struct AwsKeys(DataKeys);

pub(crate) fn open(
    given: &BTreeMap<String, Value>,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<dyn KeySource>, String> {
    let arguments = conform(key_arguments(), given, surroundings)?;
    let keys = DataKeys::new(&arguments, surroundings).map_err(|problems| told(&problems))?;
    Ok(Arc::new(AwsKeys(keys)))
}

#[async_trait]
impl KeySource for AwsKeys {
    async fn generate(&self) -> Result<Generated, String> {
        let key = self.0.generate().await?;
        Ok(Generated {
            key: Secret::new(key.plain),
            metadata: json!({SEALED: STANDARD.encode(key.sealed)})
                .to_string()
                .into_bytes(),
        })
    }

    async fn recover(&self, metadata: &[u8]) -> Result<Secret, String> {
        let sealed = bytes_in(metadata, SEALED)?;
        self.0.open(&sealed).await.map(Secret::new)
    }
}

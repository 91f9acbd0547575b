//! `gcp_kms`.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use terrace_backend_remote::{Argument, Reader, Surroundings};
use terrace_bearer::google::{Identity, Tokens, arguments};
use terrace_encryption::{Generated, KeySource, Secret};
use terrace_value::Value;

use crate::given::{all, conform, key_length, told};
use crate::service::{Refusal, bytes_in, client, post, random_key};

const SCOPE: &str = "https://www.googleapis.com/auth/cloudkms";
const SEALED: &str = "ciphertext";

const OWN: &[Argument] = &[
    Argument::text("kms_encryption_key", "The key of Cloud KMS.").required(),
    Argument::number("key_length", "How many bytes a key has.").required(),
    Argument::text(
        "additional_authenticated_data",
        "What Cloud KMS binds keys to, in base64.",
    ),
];

struct GoogleKeys {
    web: reqwest::Client,
    tokens: Tokens,
    /// Scheme, host and version of the API, with a slash at the end.
    endpoint: String,
    key: String,
    length: usize,
    /// In base64.
    associated: Option<String>,
}

pub(crate) fn open(
    given: &BTreeMap<String, Value>,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<dyn KeySource>, String> {
    let given = conform(&all(OWN, arguments()), given, surroundings)?;
    let keys = client(surroundings.user_agent).and_then(|web| {
        Reader::read(&given, surroundings, |reader| {
            let identity = Identity::read(reader);
            let key = reader.required("kms_encryption_key");
            let length = key_length(reader);
            let associated = associated(reader);
            let endpoint = reader.variable(&["GOOGLE_KMS_CUSTOM_ENDPOINT"]);
            let mut endpoint =
                endpoint.unwrap_or_else(|| "https://cloudkms.googleapis.com/v1/".to_owned());
            if !endpoint.ends_with('/') {
                endpoint.push('/');
            }
            Some(GoogleKeys {
                tokens: Tokens::new(&web, &identity?, SCOPE, surroundings.clock.clone()),
                web,
                endpoint,
                key: key?,
                length: length?,
                associated,
            })
        })
    });
    Ok(Arc::new(keys.map_err(|problems| told(&problems))?))
}

fn associated(reader: &mut Reader<'_>) -> Option<String> {
    const NAME: &str = "additional_authenticated_data";
    let text = reader.owned(NAME)?;
    if let Err(error) = STANDARD.decode(&text) {
        reader.refuse(
            NAME,
            "Invalid Value",
            format!("additional_authenticated_data must be valid standard base64: {error}"),
        );
    }
    Some(text)
}

impl GoogleKeys {
    async fn ask(
        &self,
        what: &str,
        permission: &str,
        name: &str,
        bytes: &[u8],
    ) -> Result<Json, String> {
        let token = self.tokens.sign_in().await;
        let token = token.map_err(|problem| format!("{}: {}", problem.summary, problem.detail))?;
        let mut body = json!({name: STANDARD.encode(bytes)});
        if let Some(associated) = &self.associated {
            body["additionalAuthenticatedData"] = associated.as_str().into();
        }
        let url = format!("{}{}:{what}", self.endpoint, self.key);
        post(&self.web, &url, &token, &body)
            .await
            .map_err(|refusal| self.told(what, permission, &refusal))
    }

    /// What to tell of a request that was refused.
    fn told(&self, what: &str, permission: &str, refusal: &Refusal) -> String {
        let key = &self.key;
        let advice = match (refusal.status, refusal.code.as_str()) {
            (401, _) => "Google Cloud does not accept the credentials. Sign in again".to_owned(),
            (403, _) => format!(
                "access to the key {key} was refused. Whoever signs in needs the permission {permission}"
            ),
            (404, _) => {
                format!("there is no key {key} in Cloud KMS. Check \"kms_encryption_key\"")
            }
            (400, "FAILED_PRECONDITION") => {
                format!("the key {key} cannot be used as it is. Enable its version, or restore it")
            }
            (400, _) if what == "decrypt" => format!(
                "the key {key} did not encrypt the data's key. Check \"kms_encryption_key\" and \"additional_authenticated_data\", or name the former key in a \"fallback\""
            ),
            _ => format!("the key {key} could not {what}"),
        };
        format!("{advice} ({}).", refusal.said())
    }
}

/// A member of an answer that is bytes.
fn bytes_of(answer: &Json, name: &str) -> Result<Vec<u8>, String> {
    let text = answer.get(name).and_then(Json::as_str);
    text.and_then(|text| STANDARD.decode(text).ok())
        .ok_or_else(|| format!("Cloud KMS answered without {name:?}."))
}

#[async_trait]
impl KeySource for GoogleKeys {
    async fn generate(&self) -> Result<Generated, String> {
        let key = random_key(self.length)?;
        let answer = self
            .ask(
                "encrypt",
                "cloudkms.cryptoKeyVersions.useToEncrypt",
                "plaintext",
                key.bytes(),
            )
            .await?;
        let sealed = bytes_of(&answer, "ciphertext")?;
        Ok(Generated {
            key,
            metadata: json!({SEALED: STANDARD.encode(sealed)})
                .to_string()
                .into_bytes(),
        })
    }

    async fn recover(&self, metadata: &[u8]) -> Result<Secret, String> {
        let sealed = bytes_in(metadata, SEALED)?;
        let answer = self
            .ask(
                "decrypt",
                "cloudkms.cryptoKeyVersions.useToDecrypt",
                "ciphertext",
                &sealed,
            )
            .await?;
        bytes_of(&answer, "plaintext").map(Secret::new)
    }
}

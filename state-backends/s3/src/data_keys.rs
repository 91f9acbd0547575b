//! Data keys of AWS KMS, for what encrypts with them.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use terrace_aws_access::{Access, Caller, Session, endpoint};
use terrace_backend_remote::{Arguments, Problem, Reader, Surroundings, chain};
use tokio::sync::OnceCell;

/// What a data key may be.
const SPECS: [(&str, DataKeySpec); 2] = [
    ("AES_128", DataKeySpec::Aes128),
    ("AES_256", DataKeySpec::Aes256),
];

/// A key of KMS that makes data keys, and opens them again.
pub struct DataKeys {
    access: Access,
    caller: Caller,
    key: String,
    spec: DataKeySpec,
    context: BTreeMap<String, String>,
    /// Made when it is first needed.
    client: OnceCell<aws_sdk_kms::Client>,
}

/// A data key.
pub struct DataKey {
    /// The key itself.
    pub plain: Vec<u8>,
    /// The key, encrypted by KMS.
    pub sealed: Vec<u8>,
}

impl fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKeys")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl DataKeys {
    /// Reads and checks the arguments that [`key_arguments`](crate::key_arguments) describes. No request is made.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(
        arguments: &Arguments,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Vec<Problem>> {
        Reader::read(arguments, surroundings, |reader| {
            let mut access = Access::read(reader);
            let endpoint = endpoint(reader, "kms", "kms_endpoint", &["AWS_ENDPOINT_URL_KMS"]);
            let named = endpoint.map(|url| ("kms".to_owned(), url));
            access.endpoints.extend(named);
            let key = reader.required("kms_key_id");
            let name = reader.required("key_spec")?;
            let spec = SPECS.iter().find(|(known, _)| *known == name);
            if spec.is_none() {
                reader.refuse(
                    "key_spec",
                    "Invalid Value",
                    format!("invalid key_spec {name}, expected one of AES_128 and AES_256"),
                );
            }
            Some(Self {
                access,
                caller: Caller::within(surroundings),
                key: key?,
                spec: spec?.1.clone(),
                context: arguments.text_map("encryption_context"),
                client: OnceCell::new(),
            })
        })
    }

    async fn client(&self) -> Result<&aws_sdk_kms::Client, String> {
        let made = self.client.get_or_try_init(|| async {
            let told = |problem: Problem| format!("{}: {}", problem.summary, problem.detail);
            let session = Session::open(self.access.clone(), &self.caller).await;
            let session = session.map_err(told)?;
            session.sign_in().await.map_err(told)?;
            Ok(aws_sdk_kms::Client::new(&session.config_for("kms")))
        });
        made.await
    }

    /// A new data key.
    ///
    /// # Errors
    /// Why there is none: a sentence.
    pub async fn generate(&self) -> Result<DataKey, String> {
        let request = self
            .client()
            .await?
            .generate_data_key()
            .key_id(&self.key)
            .key_spec(self.spec.clone())
            .set_encryption_context(self.encryption_context());
        let answer = request
            .send()
            .await
            .map_err(|error| self.told("kms:GenerateDataKey", &error))?;
        match (answer.plaintext, answer.ciphertext_blob) {
            (Some(plain), Some(sealed)) => Ok(DataKey {
                plain: plain.into_inner(),
                sealed: sealed.into_inner(),
            }),
            _ => Err("KMS answered without a data key.".to_owned()),
        }
    }

    /// The data key that KMS encrypted.
    ///
    /// # Errors
    /// Why it cannot be had: a sentence.
    pub async fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, String> {
        let request = self
            .client()
            .await?
            .decrypt()
            .key_id(&self.key)
            .ciphertext_blob(Blob::new(sealed))
            .set_encryption_context(self.encryption_context());
        let answer = request
            .send()
            .await
            .map_err(|error| self.told("kms:Decrypt", &error))?;
        let plain = answer.plaintext.map(Blob::into_inner);
        plain.ok_or_else(|| "KMS answered without a data key.".to_owned())
    }

    /// Nothing where nothing was given, which is what data keys without a context are bound to.
    fn encryption_context(&self) -> Option<std::collections::HashMap<String, String>> {
        (!self.context.is_empty()).then(|| self.context.clone().into_iter().collect())
    }

    /// What to tell of a request that failed.
    fn told<E>(&self, permission: &str, error: &SdkError<E>) -> String
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let key = &self.key;
        let code = error.code().unwrap_or_default();
        let advice = match code {
            "AccessDeniedException" => format!(
                "access to the KMS key {key} was refused. Whoever signs in needs the permission {permission}"
            ),
            "NotFoundException" => format!(
                "there is no KMS key {key} in the region {}. Check \"kms_key_id\" and \"region\"",
                self.access.region.as_deref().unwrap_or_default()
            ),
            "DisabledException" | "KMSInvalidStateException" => format!(
                "the KMS key {key} cannot be used as it is. Enable it, or cancel its deletion"
            ),
            "InvalidCiphertextException" | "IncorrectKeyException" => format!(
                "the KMS key {key} did not make the data key. Check \"kms_key_id\" and \"encryption_context\", or name the former key in a \"fallback\""
            ),
            "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "ExpiredTokenException"
            | "InvalidSignatureException"
            | "IncompleteSignature" => {
                "AWS does not accept the credentials. Sign in again".to_owned()
            }
            _ => format!("{permission} with the KMS key {key} failed"),
        };
        let said = match error.message() {
            Some(message) if code.is_empty() => message.to_owned(),
            Some(message) => format!("{code}: {message}"),
            None if code.is_empty() => chain(error),
            None => code.to_owned(),
        };
        format!("{advice} ({said}).")
    }
}

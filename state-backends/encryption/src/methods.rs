//! How data is encrypted with a key.

use std::sync::Arc;

use aws_lc_rs::aead::{
    AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, NONCE_LEN, Nonce,
    UnboundKey,
};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::EncryptionError;
use crate::keys::{NamedKeys, Secret};
use crate::program::converse;
use crate::settings::Reference;
use crate::wire::{ProgramInput, ProgramOutput};

/// A method that the configuration names.
pub(crate) struct Method {
    pub(crate) reference: Reference,
    pub(crate) kind: MethodKind,
    pub(crate) keys: Option<Arc<NamedKeys>>,
}

/// What it does.
pub(crate) enum MethodKind {
    /// Nothing: it allows plain data.
    Unencrypted,
    /// AES in Galois counter mode (NIST SP 800-38D) with a random nonce before and the tag behind the data.
    AesGcm {
        /// Data that is not encrypted, but must be the same for decrypting.
        associated: Vec<u8>,
    },
    /// A program.
    External {
        encrypt: Vec<String>,
        decrypt: Vec<String>,
    },
}

const MAGIC: &str = "OpenTofu-External-Encryption-Method";

impl Method {
    pub(crate) fn is_unencrypted(&self) -> bool {
        matches!(self.kind, MethodKind::Unencrypted)
    }

    pub(crate) async fn encrypt(
        &self,
        key: Option<&Secret>,
        data: &[u8],
    ) -> Result<Vec<u8>, EncryptionError> {
        match &self.kind {
            MethodKind::Unencrypted => Ok(data.to_vec()),
            MethodKind::AesGcm { associated } => {
                let key = self.aes_key(key)?;
                let mut nonce = [0; NONCE_LEN];
                SystemRandom::new().fill(&mut nonce).map_err(|_| {
                    EncryptionError::Key("The system gave no random nonce.".to_owned())
                })?;
                let mut sealed = Vec::with_capacity(NONCE_LEN + data.len() + 16);
                sealed.extend_from_slice(data);
                key.seal_in_place_append_tag(
                    Nonce::assume_unique_for_key(nonce),
                    Aad::from(associated),
                    &mut sealed,
                )
                .map_err(|_| EncryptionError::Key("The data cannot be encrypted.".to_owned()))?;
                sealed.splice(0..0, nonce);
                Ok(sealed)
            }
            MethodKind::External { encrypt, .. } => self.run(encrypt, key, data).await,
        }
    }

    pub(crate) async fn decrypt(
        &self,
        key: Option<&Secret>,
        data: &[u8],
    ) -> Result<Vec<u8>, EncryptionError> {
        match &self.kind {
            MethodKind::Unencrypted => Ok(data.to_vec()),
            MethodKind::AesGcm { associated } => {
                let key = self.aes_key(key)?;
                let Some((nonce, sealed)) = data.split_first_chunk::<NONCE_LEN>() else {
                    return Err(EncryptionError::Damaged(format!(
                        "The encrypted data is damaged: {} bytes are too few.",
                        data.len()
                    )));
                };
                let mut opened = sealed.to_vec();
                let length = key
                    .open_in_place(
                        Nonce::assume_unique_for_key(*nonce),
                        Aad::from(associated),
                        &mut opened,
                    )
                    .map_err(|_| {
                        EncryptionError::Refused(format!(
                            "{self} cannot decrypt the data: the key is another one, or the data was changed."
                        ))
                    })?
                    .len();
                opened.truncate(length);
                Ok(opened)
            }
            MethodKind::External { decrypt, .. } => self.run(decrypt, key, data).await,
        }
    }

    fn aes_key(&self, key: Option<&Secret>) -> Result<LessSafeKey, EncryptionError> {
        let key = key.map_or(&[][..], Secret::bytes);
        let algorithm: &'static Algorithm = match key.len() {
            16 => &AES_128_GCM,
            24 => &AES_192_GCM,
            32 => &AES_256_GCM,
            length => {
                return Err(EncryptionError::Key(format!(
                    "{self} needs a key of 16, 24 or 32 bytes, and {} gives {length}. Set its \"key_length\".",
                    self.keys
                        .as_ref()
                        .map_or("no key provider", |keys| &keys.storage_name)
                )));
            }
        };
        let key = UnboundKey::new(algorithm, key)
            .map_err(|_| EncryptionError::Key(format!("{self} refuses the key.")))?;
        Ok(LessSafeKey::new(key))
    }

    async fn run(
        &self,
        command: &[String],
        key: Option<&Secret>,
        data: &[u8],
    ) -> Result<Vec<u8>, EncryptionError> {
        let input = ProgramInput {
            key: key.map(|key| STANDARD.encode(key.bytes())),
            payload: STANDARD.encode(data),
        };
        let input = serde_json::to_vec(&input).expect("texts have a JSON form");
        let refused = |why: String| EncryptionError::Refused(format!("{self} failed: {why}"));
        let answer = converse(command, MAGIC, &input).await.map_err(refused)?;
        let output: ProgramOutput = serde_json::from_slice(&answer).map_err(|error| {
            refused(format!(
                "the answer of {:?} cannot be understood: {error}",
                command[0]
            ))
        })?;
        STANDARD.decode(output.payload).map_err(|error| {
            refused(format!(
                "the payload of {:?} is no base64: {error}",
                command[0]
            ))
        })
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "method.{}.{}",
            self.reference.type_name, self.reference.name
        )
    }
}

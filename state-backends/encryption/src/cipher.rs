//! Encrypting and decrypting one kind of data.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::EncryptionError;
use crate::envelope::{Metadata, Sealed, is_encrypted, state_head};
use crate::keys::Secret;
use crate::methods::Method;

/// Encrypts and decrypts one kind of data: with its method when writing; with it and what it falls back to when reading.
///
/// A new key is made when something is first written, and serves as long as this value lives. A key that was found for
/// data that was read is remembered.
pub struct Cipher {
    /// What it is for, as messages name it: `the state`.
    subject: String,
    /// The method of new data, then what old data may be encrypted with.
    methods: Vec<Arc<Method>>,
    current: OnceCell<Current>,
    recovered: Mutex<Vec<Recovered>>,
}

struct Current {
    key: Option<Secret>,
    metadata: Metadata,
}

struct Recovered {
    method: usize,
    metadata: Metadata,
    key: Option<Secret>,
}

/// Whether data is as it would be written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is encrypted with the method of new data.
    Current,
    /// It is plain, or encrypted with a fallback: writing it again would encrypt it with the method of new data.
    Old,
}

/// Data that was decrypted.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The data.
    pub bytes: Vec<u8>,
    /// How it was.
    pub standing: Standing,
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let methods: Vec<String> = self.methods.iter().map(ToString::to_string).collect();
        write!(f, "Cipher of {} with {}", self.subject, methods.join(", "))
    }
}

impl Cipher {
    /// Of `methods`, the first of which is for new data.
    pub(crate) fn new(subject: &str, methods: Vec<Arc<Method>>) -> Self {
        Self {
            subject: subject.to_owned(),
            methods,
            current: OnceCell::new(),
            recovered: Mutex::default(),
        }
    }

    /// Whether new data stays plain.
    pub fn writes_plain(&self) -> bool {
        self.methods[0].is_unencrypted()
    }

    /// A state file, encrypted; its lineage and serial stay readable.
    pub async fn encrypt_state(&self, state: &[u8]) -> Result<Vec<u8>, EncryptionError> {
        let (lineage, serial) = state_head(state).unwrap_or_default();
        self.envelope(state, lineage, serial).await
    }

    /// The state file in `bytes`.
    pub async fn decrypt_state(&self, bytes: &[u8]) -> Result<Opened, EncryptionError> {
        let opened = self
            .decrypt(bytes, |plain| state_head(plain).is_some())
            .await?;
        if is_encrypted(bytes) {
            let outside = Sealed::parse(bytes)?;
            let (lineage, serial) = state_head(&opened.bytes).unwrap_or_default();
            let lineage_differs = outside.lineage.is_some() && outside.lineage != lineage;
            let serial_differs = outside.serial.is_some() && outside.serial != serial;
            if lineage_differs || serial_differs {
                return Err(EncryptionError::Damaged(format!(
                    "Lineage and serial outside of the encrypted state ({} {}) are not those inside ({} {}): it was put together from different states, or changed.",
                    outside.lineage.unwrap_or_default(),
                    outside.serial.unwrap_or_default(),
                    lineage.unwrap_or_default(),
                    serial.unwrap_or_default(),
                )));
            }
        }
        Ok(opened)
    }

    /// A plan file, encrypted.
    pub async fn encrypt_plan(&self, plan: &[u8]) -> Result<Vec<u8>, EncryptionError> {
        self.envelope(plan, None, None).await
    }

    /// The plan file in `bytes`; `is_plan` knows one that is not encrypted.
    pub async fn decrypt_plan(
        &self,
        bytes: &[u8],
        is_plan: impl Fn(&[u8]) -> bool,
    ) -> Result<Opened, EncryptionError> {
        self.decrypt(bytes, is_plan).await
    }

    async fn envelope(
        &self,
        data: &[u8],
        lineage: Option<String>,
        serial: Option<u64>,
    ) -> Result<Vec<u8>, EncryptionError> {
        if self.writes_plain() {
            return Ok(data.to_vec());
        }
        let (metadata, bytes) = self.seal(data).await?;
        let sealed = Sealed {
            metadata,
            bytes,
            lineage,
            serial,
        };
        Ok(sealed.to_bytes())
    }

    /// Encrypts with the method of new data; gives what names the key, and the bytes.
    pub(crate) async fn seal(&self, data: &[u8]) -> Result<(Metadata, Vec<u8>), EncryptionError> {
        let method = &self.methods[0];
        let current = self
            .current
            .get_or_try_init(|| async {
                let mut metadata = Metadata::new();
                let key = match &method.keys {
                    Some(keys) => Some(keys.generate(&mut metadata).await?),
                    None => None,
                };
                Ok(Current { key, metadata })
            })
            .await?;
        let bytes = method.encrypt(current.key.as_ref(), data).await?;
        Ok((current.metadata.clone(), bytes))
    }

    async fn decrypt(
        &self,
        bytes: &[u8],
        is_plain: impl Fn(&[u8]) -> bool,
    ) -> Result<Opened, EncryptionError> {
        if is_encrypted(bytes) {
            let sealed = Sealed::parse(bytes)?;
            return self.unseal(&sealed.metadata, &sealed.bytes).await;
        }
        if !is_plain(bytes) {
            return Err(EncryptionError::Damaged(format!(
                "What is stored is neither encrypted nor {}.",
                self.subject
            )));
        }
        self.check_plain_is_allowed()?;
        Ok(Opened {
            bytes: bytes.to_vec(),
            standing: if self.writes_plain() {
                Standing::Current
            } else {
                Standing::Old
            },
        })
    }

    /// Refuses plain data where no method allows it: it may have been put there by someone without the key.
    pub(crate) fn check_plain_is_allowed(&self) -> Result<(), EncryptionError> {
        if self.methods.iter().any(|method| method.is_unencrypted()) {
            return Ok(());
        }
        Err(EncryptionError::Refused(format!(
            "What is stored of {} is not encrypted, and no method \"unencrypted\" is configured for it. To encrypt what was plain until now, add `method \"unencrypted\" \"migration\" {{}}` and name it in a \"fallback\" block; remove both when it has been written once.",
            self.subject
        )))
    }

    /// Decrypts with the first method that can.
    pub(crate) async fn unseal(
        &self,
        metadata: &Metadata,
        bytes: &[u8],
    ) -> Result<Opened, EncryptionError> {
        let mut refusals = Vec::new();
        for (index, method) in self.methods.iter().enumerate() {
            if method.is_unencrypted() {
                continue;
            }
            let attempt = match self.recover(index, method, metadata).await {
                Ok(key) => method.decrypt(key.as_ref(), bytes).await,
                Err(error) => Err(error),
            };
            match attempt {
                Ok(bytes) => {
                    return Ok(Opened {
                        bytes,
                        standing: if index == 0 {
                            Standing::Current
                        } else {
                            Standing::Old
                        },
                    });
                }
                Err(error) => refusals.push(format!("{method}: {error}")),
            }
        }
        if refusals.is_empty() {
            refusals.push("Only the method \"unencrypted\" is configured.".to_owned());
        }
        Err(EncryptionError::Refused(format!(
            "What is stored of {} is encrypted, and no configured method can decrypt it. Nothing was changed.\n{}",
            self.subject,
            refusals.join("\n")
        )))
    }

    async fn recover(
        &self,
        index: usize,
        method: &Method,
        metadata: &Metadata,
    ) -> Result<Option<Secret>, EncryptionError> {
        let Some(keys) = &method.keys else {
            return Ok(None);
        };
        if index == 0
            && let Some(current) = self.current.get()
            && current.metadata == *metadata
        {
            return Ok(current.key.clone());
        }
        let known = {
            let recovered = self
                .recovered
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            recovered
                .iter()
                .find(|known| known.method == index && known.metadata == *metadata)
                .map(|known| known.key.clone())
        };
        if let Some(key) = known {
            return Ok(key);
        }
        let key = Some(keys.recover(metadata).await?);
        self.recovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Recovered {
                method: index,
                metadata: metadata.clone(),
                key: key.clone(),
            });
        Ok(key)
    }
}

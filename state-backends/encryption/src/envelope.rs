//! The outside of encrypted data: what names the keys, and the bytes.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::EncryptionError;
use crate::wire::{Envelope, Head};

/// What key providers keep beside the data, by their names (`key_provider.pbkdf2.main`, or an alias).
pub(crate) type Metadata = BTreeMap<String, Vec<u8>>;

const VERSION: &str = "v0";

/// Encrypted bytes with what names their keys.
pub(crate) struct Sealed {
    pub(crate) metadata: Metadata,
    pub(crate) bytes: Vec<u8>,
    /// Lineage and serial of a state, which stand outside too.
    pub(crate) lineage: Option<String>,
    pub(crate) serial: Option<u64>,
}

/// Whether `bytes` are an encrypted state or plan file, of whatever version.
pub fn is_encrypted(bytes: &[u8]) -> bool {
    // Plan files are archives; nothing else needs to be parsed to its end in vain.
    bytes.first() == Some(&b'{')
        && serde_json::from_slice::<Envelope>(bytes)
            .is_ok_and(|envelope| !envelope.encryption_version.is_empty())
}

impl Sealed {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let envelope = Envelope {
            serial: self.serial,
            lineage: self.lineage.clone(),
            meta: self
                .metadata
                .iter()
                .map(|(name, bytes)| (name.clone(), STANDARD.encode(bytes)))
                .collect(),
            encrypted_data: STANDARD.encode(&self.bytes),
            encryption_version: VERSION.to_owned(),
        };
        let mut bytes =
            serde_json::to_vec_pretty(&envelope).expect("texts and numbers have a JSON form");
        bytes.push(b'\n');
        bytes
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, EncryptionError> {
        let damaged = |why: String| {
            EncryptionError::Damaged(format!("The encrypted data is damaged: {why}."))
        };
        let envelope: Envelope =
            serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if envelope.encryption_version != VERSION {
            return Err(EncryptionError::Refused(format!(
                "The data is encrypted in version {:?} of the format, and this version of Terrace knows {VERSION:?}.",
                envelope.encryption_version
            )));
        }
        let metadata = envelope
            .meta
            .into_iter()
            .map(|(name, text)| match STANDARD.decode(text) {
                Ok(bytes) => Ok((name, bytes)),
                Err(error) => Err(damaged(format!("\"meta\" of {name}: {error}"))),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            metadata,
            bytes: STANDARD
                .decode(envelope.encrypted_data)
                .map_err(|error| damaged(format!("\"encrypted_data\": {error}")))?,
            lineage: envelope.lineage,
            serial: envelope.serial,
        })
    }
}

/// Lineage and serial of a state that is not encrypted; `None` where it is no state.
pub(crate) fn state_head(bytes: &[u8]) -> Option<(Option<String>, Option<u64>)> {
    let head: Head = serde_json::from_slice(bytes).ok()?;
    head.terraform_version
        .filter(|version| !version.is_empty())
        .map(|_| (head.lineage, head.serial))
}

//! Keys derived from a passphrase (RFC 8018).

use std::num::NonZeroU32;
use std::sync::Arc;

use aws_lc_rs::pbkdf2;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::EncryptionError;
use crate::envelope::Metadata;
use crate::keys::{Generated, NamedKeys, Secret};
use crate::wire::Pbkdf2Metadata;

/// Fewer characters than these are no passphrase.
pub(crate) const MINIMUM_PASSPHRASE: usize = 16;
/// Fewer iterations than these are dangerous.
pub(crate) const MINIMUM_ITERATIONS: u32 = 200_000;
/// More than these are not worked through for a file that says so.
const MAXIMUM_ITERATIONS: u32 = 100_000_000;

/// A hash function for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pbkdf2Hash {
    Sha256,
    Sha512,
}

impl Pbkdf2Hash {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

/// What the passphrase is.
pub(crate) enum Passphrase {
    Text(Secret),
    Chained(Arc<NamedKeys>),
}

/// The key provider `pbkdf2`.
pub(crate) struct Pbkdf2 {
    pub(crate) passphrase: Passphrase,
    pub(crate) key_length: usize,
    pub(crate) iterations: NonZeroU32,
    pub(crate) salt_length: usize,
    pub(crate) hash: Pbkdf2Hash,
}

impl Pbkdf2 {
    pub(super) async fn generate(
        &self,
        metadata: &mut Metadata,
    ) -> Result<Generated, EncryptionError> {
        let passphrase = match &self.passphrase {
            Passphrase::Text(text) => text.clone(),
            Passphrase::Chained(keys) => long_enough(keys.generate(metadata).await?, keys)?,
        };
        let mut salt = vec![0; self.salt_length];
        SystemRandom::new()
            .fill(&mut salt)
            .map_err(|_| EncryptionError::Key("The system gave no random salt.".to_owned()))?;
        let own = Pbkdf2Metadata {
            salt: STANDARD.encode(&salt),
            iterations: self.iterations.get(),
            hash_function: self.hash.name().to_owned(),
            key_length: self.key_length,
        };
        Ok(Generated {
            key: derive(
                self.hash,
                self.iterations,
                salt,
                passphrase,
                self.key_length,
            )
            .await,
            metadata: serde_json::to_vec(&own).expect("texts and numbers have a JSON form"),
        })
    }

    pub(super) async fn recover(
        &self,
        own: &[u8],
        metadata: &Metadata,
        name: &str,
    ) -> Result<Secret, EncryptionError> {
        let damaged = |why: String| {
            EncryptionError::Damaged(format!("What the data says of {name} is damaged: {why}."))
        };
        let stored: Pbkdf2Metadata =
            serde_json::from_slice(own).map_err(|error| damaged(error.to_string()))?;
        let hash = Pbkdf2Hash::named(&stored.hash_function)
            .ok_or_else(|| damaged(format!("no hash function {:?}", stored.hash_function)))?;
        let iterations = NonZeroU32::new(stored.iterations)
            .filter(|count| (MINIMUM_ITERATIONS..=MAXIMUM_ITERATIONS).contains(&count.get()))
            .ok_or_else(|| damaged(format!("{} iterations", stored.iterations)))?;
        if !(1..=1024).contains(&stored.key_length) {
            return Err(damaged(format!("a key of {} bytes", stored.key_length)));
        }
        let salt = STANDARD
            .decode(&stored.salt)
            .map_err(|error| damaged(format!("its salt: {error}")))?;
        let passphrase = match &self.passphrase {
            Passphrase::Text(text) => text.clone(),
            Passphrase::Chained(keys) => long_enough(keys.recover(metadata).await?, keys)?,
        };
        Ok(derive(hash, iterations, salt, passphrase, stored.key_length).await)
    }
}

fn long_enough(key: Secret, keys: &NamedKeys) -> Result<Secret, EncryptionError> {
    if key.bytes().len() < MINIMUM_PASSPHRASE {
        return Err(EncryptionError::Key(format!(
            "{} gave a key of {} bytes as a passphrase, which needs at least {MINIMUM_PASSPHRASE}.",
            keys.storage_name,
            key.bytes().len()
        )));
    }
    Ok(key)
}

/// Takes a good part of a second, so that it is done on a thread of its own.
async fn derive(
    hash: Pbkdf2Hash,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    passphrase: Secret,
    length: usize,
) -> Secret {
    let work = move || {
        let mut key = vec![0; length];
        pbkdf2::derive(
            hash.algorithm(),
            iterations,
            &salt,
            passphrase.bytes(),
            &mut key,
        );
        Secret::new(key)
    };
    tokio::task::spawn_blocking(work)
        .await
        .expect("deriving a key does not panic")
}

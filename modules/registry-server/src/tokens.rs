//! Tokens: given out once, kept as hashes.
//!
//! A token is thirty-two bytes of randomness, so its SHA-256 is all that guessing it would have to meet, and nothing is
//! gained by a slow hash.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use terrace_backend_remote::{Object, Objects, Put, When, Write};
use terrace_port::Entropy;

use crate::access::{Caller, Role};
use crate::{RegistryError, wire};

/// Where tokens lie.
const NAME: &str = "tokens.json";
/// By what tokens are recognised, where they turn up in a text that nobody should see.
const PREFIX: &str = "terrace_";
/// How often the list is written anew because someone else was faster.
const MOST_ATTEMPTS: usize = 50;

/// What is known of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Whose it is, and what it may do.
    pub caller: Caller,
    /// When it was given out, in seconds since 1970 UTC.
    pub issued_at: i64,
    /// Who gave it out.
    pub issued_by: String,
}

/// A token that was given out, for the only time that it is seen.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken(String);

impl IssuedToken {
    /// The token.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IssuedToken(..)")
    }
}

/// The tokens of a registry.
#[derive(Clone)]
pub struct Tokens {
    store: Arc<dyn Objects>,
}

impl Tokens {
    /// Those in a store that nobody serves.
    pub fn new(store: Arc<dyn Objects>) -> Self {
        Self { store }
    }

    /// Gives out a token under a name that none has.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] where one has the name.
    pub async fn issue(
        &self,
        record: &TokenRecord,
        entropy: &dyn Entropy,
    ) -> Result<IssuedToken, RegistryError> {
        let name = &record.caller.name;
        let sound = !name.is_empty()
            && name.len() <= 64
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@'));
        if !sound {
            return Err(RegistryError::Refused(format!(
                "{name:?} is no name of a token: it has up to 64 letters, digits, dots, dashes and underscores"
            )));
        }
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        let token = IssuedToken(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)));
        let entry = wire::Token {
            name: name.clone(),
            role: record.caller.role.name().to_owned(),
            namespaces: record.caller.namespaces.clone(),
            sha256: hash(token.secret()),
            issued_at: record.issued_at,
            issued_by: record.issued_by.clone(),
        };
        self.change(|file| {
            if file.tokens.iter().any(|token| token.name == entry.name) {
                return Err(RegistryError::Conflict(format!(
                    "there is a token named {:?} already; end it first, or choose another name",
                    entry.name
                )));
            }
            file.tokens.push(entry.clone());
            Ok(())
        })
        .await?;
        Ok(token)
    }

    /// Ends a token, at once.
    ///
    /// # Errors
    /// [`RegistryError::Missing`] where there is none of the name.
    pub async fn revoke(&self, name: &str) -> Result<(), RegistryError> {
        self.change(|file| {
            let before = file.tokens.len();
            file.tokens.retain(|token| token.name != name);
            if file.tokens.len() == before {
                return Err(RegistryError::Missing(format!(
                    "there is no token named {name:?}"
                )));
            }
            Ok(())
        })
        .await
    }

    /// Whose a token is. Read anew each time, so that one that was ended is at its end.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    pub async fn find(&self, token: &str) -> Result<Option<Caller>, RegistryError> {
        let sha256 = hash(token);
        let (file, _) = self.read().await?;
        let entry = file.tokens.into_iter().find(|entry| entry.sha256 == sha256);
        Ok(entry.and_then(|entry| record_of(entry).map(|record| record.caller)))
    }

    /// All tokens, without themselves.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    pub async fn list(&self) -> Result<Vec<TokenRecord>, RegistryError> {
        let (file, _) = self.read().await?;
        Ok(file.tokens.into_iter().filter_map(record_of).collect())
    }

    async fn read(&self) -> Result<(wire::TokenFile, Option<Object>), RegistryError> {
        let Some(object) = self.store.get(NAME).await? else {
            return Ok((wire::TokenFile::default(), None));
        };
        let file = serde_json::from_slice(&object.bytes).map_err(|error| {
            RegistryError::Malformed(format!("{}: {error}", self.store.place(NAME)))
        })?;
        Ok((file, Some(object)))
    }

    async fn change(
        &self,
        change: impl Fn(&mut wire::TokenFile) -> Result<(), RegistryError> + Send + Sync,
    ) -> Result<(), RegistryError> {
        for _ in 0..MOST_ATTEMPTS {
            let (mut file, object) = self.read().await?;
            change(&mut file)?;
            let bytes = serde_json::to_vec_pretty(&file).expect("tokens have string keys only");
            let when = match &object {
                Some(object) => When::Is(&object.version),
                None => When::Absent,
            };
            if let Put::Written(_) = self.store.put(NAME, &bytes, Write::when(when)).await? {
                return Ok(());
            }
        }
        Err(RegistryError::Conflict(
            "the tokens are being changed by too many at once; try again".to_owned(),
        ))
    }
}

fn record_of(entry: wire::Token) -> Option<TokenRecord> {
    Some(TokenRecord {
        caller: Caller {
            role: Role::parse(&entry.role)?,
            name: entry.name,
            namespaces: entry.namespaces,
        },
        issued_at: entry.issued_at,
        issued_by: entry.issued_by,
    })
}

fn hash(token: &str) -> String {
    hex(&Sha256::digest(token))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use terrace_module_package::Folder;

    use super::*;
    use crate::registry::tests::Counting;

    fn record(name: &str, role: Role) -> TokenRecord {
        TokenRecord {
            caller: Caller {
                name: name.to_owned(),
                role,
                namespaces: vec!["acme".to_owned()],
            },
            issued_at: 1_700_000_000,
            issued_by: "the first".to_owned(),
        }
    }

    #[tokio::test]
    async fn tokens_open_until_they_are_ended_and_are_not_kept() {
        let root = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(Arc::new(Folder::new(root.path().to_owned())));
        let entropy = Counting::default();
        let issued = tokens
            .issue(&record("ci", Role::Publish), &entropy)
            .await
            .unwrap();
        let other = tokens
            .issue(&record("me", Role::Read), &entropy)
            .await
            .unwrap();
        assert_ne!(issued, other);
        let found = tokens.find(issued.secret()).await.unwrap();
        assert_eq!(found, Some(record("ci", Role::Publish).caller));
        let text = std::fs::read_to_string(root.path().join(NAME)).unwrap();
        assert!(!text.contains(issued.secret()), "{text}");
        let again = tokens.issue(&record("ci", Role::Read), &entropy).await;
        assert!(matches!(again, Err(RegistryError::Conflict(_))));
        tokens.revoke("ci").await.unwrap();
        assert_eq!(tokens.find(issued.secret()).await.unwrap(), None);
        assert_eq!(tokens.list().await.unwrap(), [record("me", Role::Read)]);
        assert!(matches!(
            tokens.revoke("ci").await,
            Err(RegistryError::Missing(_))
        ));
        for name in ["", "a b", "a/b", "ü"] {
            let refused = tokens.issue(&record(name, Role::Read), &entropy).await;
            assert!(matches!(refused, Err(RegistryError::Refused(_))), "{name}");
        }
    }
}

//! Encryption of states, plan files and journals before they reach a store, in the format and with the configuration of
//! OpenTofu (`terraform { encryption { … } }` and `TF_ENCRYPTION`), so that files move both ways.
//!
//! The road: a body is decoded to [`Settings`], merged with those of the environment, opened to an [`Encryption`], of
//! which each target (the state, plan files, other states) gives a [`Cipher`]. [`EncryptedStore`] puts one around a store.

mod cipher;
mod decode;
mod envelope;
mod keys;
mod methods;
mod open;
mod program;
mod settings;
mod store;
mod wire;

pub use cipher::{Cipher, Opened, Standing};
pub use decode::{decode, decode_environment};
pub use envelope::is_encrypted;
pub use keys::{Generated, KeySource, KeySources, Secret};
pub use open::{Encryption, Evaluate};
pub use settings::{Definition, Reference, Settings, Target};
pub use store::EncryptedStore;

/// Why something could not be encrypted or decrypted. The texts are whole sentences for people.
#[derive(Debug, thiserror::Error)]
pub enum EncryptionError {
    /// What was given is neither encrypted nor what it should be.
    #[error("{0}")]
    Damaged(String),
    /// No method that is configured can read it.
    #[error("{0}")]
    Refused(String),
    /// A key could not be had.
    #[error("{0}")]
    Key(String),
}

//! The rules of one environment's gate, as they are recorded with every applied run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::wire;

/// SHA-256 over the canonical form of [`Rules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RulesDigest(pub [u8; 32]);

impl fmt::Display for RulesDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A person whose approval can count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Fingerprints of the person's keys, as `SHA256:…`.
    pub keys: BTreeSet<String>,
    /// Login at the forge.
    pub github: Option<String>,
}

/// What an environment asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// How many people other than the author must approve.
    pub approvals: u32,
    /// Of each of these roles at least one approver.
    pub roles: Vec<String>,
}

/// The gate of an environment with everything that it is judged by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The environment.
    pub environment: String,
    /// Environments that must have applied the same configuration before.
    pub after: Vec<String>,
    /// The gate; `None` in an environment that asks for no approval.
    pub gate: Option<Gate>,
    /// The people, by name.
    pub people: BTreeMap<String, Person>,
    /// Members of each role.
    pub roles: BTreeMap<String, BTreeSet<String>>,
}

impl Rules {
    /// Whether anything must be shown before an apply.
    pub fn is_gated(&self) -> bool {
        self.gate.is_some() || !self.after.is_empty()
    }

    /// Whose key this is.
    pub fn person_of(&self, fingerprint: &str) -> Option<&str> {
        self.people
            .iter()
            .find(|(_, person)| person.keys.contains(fingerprint))
            .map(|(name, _)| name.as_str())
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::encode_rules(self)
    }

    /// Reads canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        wire::decode_rules(bytes)
    }

    /// The digest of the canonical bytes.
    pub fn digest(&self) -> RulesDigest {
        RulesDigest(Sha256::digest(self.to_bytes()).into())
    }
}

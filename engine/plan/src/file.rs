//! The plan file and the digest.

use std::fmt;
use std::io::{Read, Write};

use sha2::{Digest as _, Sha256};

use crate::Plan;
use crate::wire::{self, PlanReadError};

/// What a plan file begins with.
const MAGIC: &[u8] = b"terrace plan\n";

/// The most that a plan file may unpack to: no honest plan comes near it, and a few bytes could ask for any memory.
const LARGEST: u64 = 2 << 30;

/// SHA-256 over a plan's canonical bytes. Two plans with the same digest do the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanDigest(pub [u8; 32]);

impl PlanDigest {
    /// Reads sixty-four hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The first twelve digits, by which people name it.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlanDigest({self})")
    }
}

impl Plan {
    /// The canonical bytes: what is signed, saved and executed.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        wire::encode(self)
    }

    /// The digest. Costs an encoding of the whole plan.
    pub fn digest(&self) -> PlanDigest {
        digest_of(&self.canonical_bytes())
    }
}

fn digest_of(canonical: &[u8]) -> PlanDigest {
    PlanDigest(Sha256::digest(canonical).into())
}

/// The bytes of a plan file, and the plan's digest.
pub fn write_plan_file(plan: &Plan) -> (Vec<u8>, PlanDigest) {
    let canonical = plan.canonical_bytes();
    let mut encoder =
        flate2::write::DeflateEncoder::new(MAGIC.to_vec(), flate2::Compression::fast());
    encoder
        .write_all(&canonical)
        .and_then(|()| encoder.finish())
        .map_or_else(
            |error| unreachable!("writing to memory does not fail: {error}"),
            |bytes| (bytes, digest_of(&canonical)),
        )
}

/// Whether bytes look like a plan file.
pub fn is_plan_file(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Reads a plan file; the digest is computed from what was read, never taken from it.
pub fn read_plan_file(bytes: &[u8]) -> Result<(Plan, PlanDigest), PlanReadError> {
    let packed = bytes.strip_prefix(MAGIC).ok_or(PlanReadError::NotAPlan)?;
    let mut canonical = Vec::new();
    let mut decoder = flate2::read::DeflateDecoder::new(packed).take(LARGEST);
    decoder
        .read_to_end(&mut canonical)
        .map_err(|error| PlanReadError::Damaged(error.to_string()))?;
    let plan = wire::decode(&canonical)?;
    Ok((plan, digest_of(&canonical)))
}

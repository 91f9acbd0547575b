//! A run in one file, on the wire.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

const FORMAT: &str = "terrace-run-bundle";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BundleWire {
    format: String,
    version: u32,
    run: String,
    digest: String,
    signature: Option<String>,
    objects: BTreeMap<String, String>,
}

/// A bundle as it was read: nothing of it is verified.
pub(crate) struct BundleParts {
    pub(crate) run: String,
    /// What the file says that the digest over its objects is.
    pub(crate) digest: String,
    pub(crate) signature: Option<String>,
    pub(crate) objects: BTreeMap<String, Vec<u8>>,
}

pub(crate) fn encode_bundle(parts: &BundleParts) -> Vec<u8> {
    let wire = BundleWire {
        format: FORMAT.to_owned(),
        version: VERSION,
        run: parts.run.clone(),
        digest: parts.digest.clone(),
        signature: parts.signature.clone(),
        objects: parts
            .objects
            .iter()
            .map(|(name, bytes)| (name.clone(), STANDARD.encode(bytes)))
            .collect(),
    };
    let mut bytes = serde_json::to_vec_pretty(&wire).expect("a bundle has string keys only");
    bytes.push(b'\n');
    bytes
}

pub(crate) fn decode_bundle(bytes: &[u8]) -> Result<BundleParts, String> {
    let wire: BundleWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if wire.format != FORMAT {
        return Err(format!("it is a {:?}", wire.format));
    }
    if wire.version != VERSION {
        return Err(format!(
            "it has version {} of the format, and this is read by a later Terrace",
            wire.version
        ));
    }
    let objects = wire.objects.into_iter().map(|(name, text)| {
        let bytes = STANDARD
            .decode(text)
            .map_err(|error| format!("{name}: {error}"))?;
        Ok((name, bytes))
    });
    Ok(BundleParts {
        run: wire.run,
        digest: wire.digest,
        signature: wire.signature,
        objects: objects.collect::<Result<_, String>>()?,
    })
}

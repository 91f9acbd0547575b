//! Outputs documents, and the envelopes that they lie in: signed ones, and those of runs that had no key.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use terrace_value::json;

use super::{EnvelopeWire, SignatureWire};
use crate::{OutputsDocument, PublishedOutput};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentWire {
    format: u32,
    project: String,
    environment: String,
    stack: String,
    run: String,
    lineage: String,
    serial: u64,
    time: String,
    outputs: BTreeMap<String, OutputWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputWire {
    #[serde(rename = "type")]
    ty: Box<RawValue>,
    sensitive: bool,
    /// Missing where it is kept back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Box<RawValue>>,
}

fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).expect("the value's codec writes JSON")
}

pub(crate) fn encode_outputs(document: &OutputsDocument) -> Vec<u8> {
    let output = |output: &PublishedOutput| {
        let value = output.value.as_ref().map(|value| {
            let (plain, _) = value.unmark_deep();
            raw(json::encode(&plain, &plain.ty()).unwrap_or_else(|_| "null".to_owned()))
        });
        OutputWire {
            ty: raw(json::encode_type(&output.ty)),
            sensitive: output.sensitive,
            value,
        }
    };
    let wire = DocumentWire {
        format: 1,
        project: document.project.clone(),
        environment: document.environment.clone(),
        stack: document.stack.clone(),
        run: document.run.clone(),
        lineage: document.lineage.clone(),
        serial: document.serial,
        time: document.time.clone(),
        outputs: document
            .outputs
            .iter()
            .map(|(name, found)| (name.clone(), output(found)))
            .collect(),
    };
    serde_json::to_vec(&wire).expect("an outputs document has string keys only")
}

pub(crate) fn decode_outputs(bytes: &[u8]) -> Result<OutputsDocument, String> {
    let wire: DocumentWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if wire.format != 1 {
        return Err(format!("it has format {}", wire.format));
    }
    let outputs = wire.outputs.into_iter().map(|(name, output)| {
        let ty = json::decode_type(output.ty.get()).map_err(|error| error.to_string())?;
        let value = output
            .value
            .map(|value| json::decode(value.get(), &ty).map_err(|error| error.to_string()))
            .transpose()?;
        let output = PublishedOutput {
            ty,
            value,
            sensitive: output.sensitive,
        };
        Ok((name, output))
    });
    Ok(OutputsDocument {
        project: wire.project,
        environment: wire.environment,
        stack: wire.stack,
        run: wire.run,
        lineage: wire.lineage,
        serial: wire.serial,
        time: wire.time,
        outputs: outputs.collect::<Result<_, String>>()?,
    })
}

/// An envelope around a payload, with a signature (key id and armored text) or without.
pub(crate) fn encode_sealed(
    payload_type: &str,
    payload: &[u8],
    signature: Option<(String, String)>,
) -> Vec<u8> {
    let wire = EnvelopeWire {
        payload: STANDARD.encode(payload),
        payload_type: payload_type.to_owned(),
        signatures: signature
            .into_iter()
            .map(|(keyid, text)| SignatureWire {
                keyid,
                sig: STANDARD.encode(text),
            })
            .collect(),
    };
    serde_json::to_vec(&wire).expect("an envelope has string keys only")
}

/// A payload out of an envelope, with the armored signature where it has one; nothing is verified.
pub(crate) fn decode_sealed(
    payload_type: &str,
    bytes: &[u8],
) -> Result<(Vec<u8>, Option<String>), String> {
    let wire: EnvelopeWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if wire.payload_type != payload_type {
        return Err(format!("it is a {:?}", wire.payload_type));
    }
    let text = |encoded: &str| STANDARD.decode(encoded).map_err(|error| error.to_string());
    let signature = match &wire.signatures[..] {
        [] => None,
        [signature] => {
            Some(String::from_utf8(text(&signature.sig)?).map_err(|error| error.to_string())?)
        }
        _ => return Err("it holds more than one signature".to_owned()),
    };
    Ok((text(&wire.payload)?, signature))
}

//! Certificates as people read them.

use std::fmt::Write as _;

use num_bigint::BigUint;
use sha1::{Digest, Sha1};
use terrace_provider_sdk::Object;
use x509_cert::Certificate;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::{Decode as _, Encode as _, Tag, Tagged as _};
use x509_cert::ext::pkix::BasicConstraints;
use x509_cert::name::Name;
use x509_cert::time::Time;

use crate::local::hex;
use crate::time::Instant;

use super::der::{SIGNATURES, oid};
use super::pem;

/// The parts of names with short names, in the order in which a name is shown from its end.
const SHOWN: [(&str, &str); 9] = [
    ("2.5.4.6", "C"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.17", "POSTALCODE"),
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "SERIALNUMBER"),
];

/// A certificate as an object, and as the text that its id is made of.
pub(super) fn certificate(certificate: &Certificate, der: &[u8]) -> (Object, String) {
    let tbs = &certificate.tbs_certificate;
    let signature = certificate.signature_algorithm.oid.to_string();
    let signature = SIGNATURES
        .iter()
        .find(|(id, _)| *id == signature)
        .map_or("0", |(_, name)| name);
    let key = match tbs
        .subject_public_key_info
        .algorithm
        .oid
        .to_string()
        .as_str()
    {
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.840.10040.4.1" => "DSA",
        "1.2.840.10045.2.1" => "ECDSA",
        "1.3.101.112" => "Ed25519",
        _ => "0",
    };
    let constraints = tbs.extensions.iter().flatten().find_map(|found| {
        (found.extn_id == oid("2.5.29.19"))
            .then(|| BasicConstraints::from_der(found.extn_value.as_bytes()).ok())?
    });
    let path = match &constraints {
        None => 0,
        Some(found) => found.path_len_constraint.map_or(-1, i64::from),
    };
    let is_ca = constraints.is_some_and(|found| found.ca);
    let serial = BigUint::from_bytes_be(tbs.serial_number.as_bytes()).to_string();
    let version = tbs.version as i64 + 1;
    let mut object = Object::new();
    let mut shown = String::new();
    let mut text = |name: &str, value: &str, object: &mut Object| {
        object.set(name, value);
        let _never = write!(shown, "{value:?} ");
    };
    text("signature_algorithm", signature, &mut object);
    text("public_key_algorithm", key, &mut object);
    text("serial_number", &serial, &mut object);
    object.set("is_ca", is_ca);
    object.set("max_path_length", path);
    object.set("version", version);
    let _never = write!(shown, "{is_ca} {path} {version} ");
    let mut text = |name: &str, value: &str| {
        object.set(name, value);
        let _never = write!(shown, "{value:?} ");
    };
    text("issuer", &distinguished(&tbs.issuer));
    text("subject", &distinguished(&tbs.subject));
    text("not_before", &time(tbs.validity.not_before));
    text("not_after", &time(tbs.validity.not_after));
    text("sha1_fingerprint", &hex(&Sha1::digest(der)));
    text("cert_pem", &pem::encode("CERTIFICATE", der));
    (object, format!("{{{}}}", shown.trim_end()))
}

fn time(time: Time) -> String {
    let seconds = time.to_unix_duration().as_secs();
    Instant::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)).text()
}

/// A name from its most particular part to its most general one, as RFC 2253 has it.
fn distinguished(name: &Name) -> String {
    let all: Vec<&AttributeTypeAndValue> = name.0.iter().flat_map(|rdn| rdn.0.iter()).collect();
    let known = |id: &str| SHOWN.iter().any(|(own, _)| *own == id);
    let mut parts: Vec<String> = all
        .iter()
        .filter(|part| !known(&part.oid.to_string()))
        .map(|part| {
            format!(
                "{}=#{}",
                part.oid,
                hex(&part.value.to_der().unwrap_or_default())
            )
        })
        .collect();
    for (id, short) in SHOWN {
        let values: Vec<String> = all
            .iter()
            .filter(|part| part.oid == oid(id))
            .map(|part| format!("{short}={}", escaped(&value(part))))
            .collect();
        if !values.is_empty() {
            parts.push(values.join("+"));
        }
    }
    parts.reverse();
    parts.join(",")
}

fn value(part: &AttributeTypeAndValue) -> String {
    let value = &part.value;
    let text = match value.tag() {
        Tag::Utf8String => value
            .decode_as::<Utf8StringRef<'_>>()
            .map(|text| text.to_string()),
        Tag::PrintableString => value
            .decode_as::<PrintableStringRef<'_>>()
            .map(|text| text.to_string()),
        Tag::Ia5String => value
            .decode_as::<Ia5StringRef<'_>>()
            .map(|text| text.to_string()),
        _ => value
            .decode_as::<TeletexStringRef<'_>>()
            .map(|text| text.to_string()),
    };
    text.unwrap_or_default()
}

fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut escaped = String::new();
    for (place, letter) in text.chars().enumerate() {
        let special = matches!(letter, ',' | '+' | '"' | '\\' | '<' | '>' | ';')
            || (letter == ' ' && (place == 0 || place == last))
            || (letter == '#' && place == 0);
        if special {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

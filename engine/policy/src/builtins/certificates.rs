//! `crypto.x509.parse_certificates` and `crypto.x509.parse_certificate_request`, with what policies ask of certificates: whose
//! they are, who gave them, how long they hold, and for which names.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regorus::Value;
use x509_cert::Certificate;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{Ia5StringRef, OctetStringRef, PrintableStringRef, Utf8StringRef};
use x509_cert::der::{Decode as _, Encode as _, Reader as _, SliceReader};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;
use x509_cert::request::CertReq;
use x509_cert::time::Time;

use super::keys::pem_block;
use super::{Entry, Outcome, text};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("crypto.x509.parse_certificates", 1, |values| {
        let certificates = certificates(text(values, 0)?)?;
        let described: Vec<Value> = certificates
            .iter()
            .map(described)
            .collect::<Result<_, _>>()?;
        Ok(described.into())
    }),
    ("crypto.x509.parse_certificate_request", 1, |values| {
        let der = blocks(text(values, 0)?)?.concat();
        let request = CertReq::from_der(&der).map_err(|error| format!("asn1: {error}"))?;
        Ok(object([
            ("Subject", name(&request.info.subject)),
            ("Version", Value::from(0)),
        ]))
    }),
];

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    members
        .into_iter()
        .map(|(name, value)| (Value::from(name), value))
        .collect::<BTreeMap<_, _>>()
        .into()
}

/// The DER that a text holds: blocks of PEM, the same in base64, or DER in base64.
fn blocks(text: &str) -> Result<Vec<Vec<u8>>, String> {
    if text.contains("-----BEGIN") {
        let mut blocks = Vec::new();
        let mut rest = text;
        while rest.contains("-----BEGIN") {
            let (_, der, behind) = pem_block(rest).ok_or("a block of PEM that cannot be read")?;
            blocks.push(der);
            rest = behind;
        }
        return Ok(blocks);
    }
    let bytes = STANDARD
        .decode(text.trim())
        .map_err(|error| format!("illegal base64: {error}"))?;
    match String::from_utf8(bytes) {
        Ok(inner) if inner.contains("-----BEGIN") => blocks(&inner),
        Ok(inner) => Ok(vec![inner.into_bytes()]),
        Err(error) => Ok(vec![error.into_bytes()]),
    }
}

fn certificates(text: &str) -> Result<Vec<Certificate>, String> {
    let der = blocks(text)?.concat();
    let mut reader = SliceReader::new(&der).map_err(|error| error.to_string())?;
    let mut certificates = Vec::new();
    while !reader.is_finished() {
        let certificate = Certificate::decode(&mut reader)
            .map_err(|error| format!("x509: malformed certificate: {error}"))?;
        certificates.push(certificate);
    }
    Ok(certificates)
}

fn described(certificate: &Certificate) -> Outcome {
    let raw = certificate.to_der().map_err(|error| error.to_string())?;
    let content = &certificate.tbs_certificate;
    let (mut hosts, mut addresses, mut uris) = (Vec::new(), Vec::new(), Vec::new());
    if let Ok(Some((_, alternatives))) = content.get::<SubjectAltName>() {
        for alternative in &alternatives.0 {
            match alternative {
                GeneralName::DnsName(host) => hosts.push(Value::from(host.as_str())),
                GeneralName::Rfc822Name(address) => addresses.push(Value::from(address.as_str())),
                GeneralName::UniformResourceIdentifier(uri) => {
                    uris.push(Value::from(uri.as_str()));
                }
                _ => {}
            }
        }
    }
    let list = |items: Vec<Value>| {
        if items.is_empty() {
            Value::Null
        } else {
            items.into()
        }
    };
    Ok(object([
        ("Subject", name(&content.subject)),
        ("Issuer", name(&content.issuer)),
        ("DNSNames", list(hosts)),
        ("EmailAddresses", list(addresses)),
        ("URIStrings", list(uris)),
        ("NotBefore", time(&content.validity.not_before)),
        ("NotAfter", time(&content.validity.not_after)),
        ("Raw", STANDARD.encode(raw).into()),
    ]))
}

fn time(time: &Time) -> Value {
    time.to_date_time().to_string().into()
}

/// A name's parts as Go calls them; what may be there more than once is a list.
fn name(name: &Name) -> Value {
    const LISTS: [(&str, &str); 7] = [
        ("Country", "2.5.4.6"),
        ("Organization", "2.5.4.10"),
        ("OrganizationalUnit", "2.5.4.11"),
        ("Locality", "2.5.4.7"),
        ("Province", "2.5.4.8"),
        ("StreetAddress", "2.5.4.9"),
        ("PostalCode", "2.5.4.17"),
    ];
    let attributes: Vec<(String, String)> = name
        .0
        .iter()
        .flat_map(|part| part.0.iter())
        .filter_map(|attribute| Some((attribute.oid.to_string(), attribute_text(attribute)?)))
        .collect();
    let all = |wanted: &str| -> Vec<Value> {
        attributes
            .iter()
            .filter(|(identifier, _)| identifier == wanted)
            .map(|(_, text)| Value::from(text.as_str()))
            .collect()
    };
    let last = |wanted: &str| all(wanted).pop().unwrap_or_else(|| Value::from(""));
    let mut members = BTreeMap::from([
        (Value::from("CommonName"), last("2.5.4.3")),
        (Value::from("SerialNumber"), last("2.5.4.5")),
    ]);
    for (member, identifier) in LISTS {
        let texts = all(identifier);
        let value = if texts.is_empty() {
            Value::Null
        } else {
            texts.into()
        };
        members.insert(member.into(), value);
    }
    members.into()
}

fn attribute_text(attribute: &AttributeTypeAndValue) -> Option<String> {
    let value = &attribute.value;
    if let Ok(text) = value.decode_as::<Utf8StringRef<'_>>() {
        return Some(text.as_str().to_owned());
    }
    if let Ok(text) = value.decode_as::<PrintableStringRef<'_>>() {
        return Some(text.as_str().to_owned());
    }
    if let Ok(text) = value.decode_as::<Ia5StringRef<'_>>() {
        return Some(text.as_str().to_owned());
    }
    let bytes = value.decode_as::<OctetStringRef<'_>>().ok()?;
    String::from_utf8(bytes.as_bytes().to_vec()).ok()
}

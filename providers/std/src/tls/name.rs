//! Distinguished and alternative names.

use std::net::IpAddr;

use terrace_provider_sdk::{Diagnostic, Object};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::Any;
use x509_cert::der::asn1::{Ia5String, OctetString, PrintableString, SetOfVec, Utf8StringRef};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

use crate::definition::Failure;

use super::cannot;
use super::der::oid;

/// Attributes of a block `subject` with their object identifiers, in the order in which they come in a name.
const PARTS: [(&str, &str); 9] = [
    ("country", "2.5.4.6"),
    ("organization", "2.5.4.10"),
    ("organizational_unit", "2.5.4.11"),
    ("locality", "2.5.4.7"),
    ("province", "2.5.4.8"),
    ("street_address", "2.5.4.9"),
    ("postal_code", "2.5.4.17"),
    ("common_name", "2.5.4.3"),
    ("serial_number", "2.5.4.5"),
];
const EMAIL: &str = "1.2.840.113549.1.9.1";

/// The distinguished name of the blocks `subject`.
pub(super) fn subject(config: &Object) -> Result<Name, Failure> {
    let mut name = RdnSequence::default();
    let Some(subject) = config.items("subject").first().and_then(Object::of) else {
        return Ok(name);
    };
    for (attribute, id) in PARTS {
        let values: Vec<&str> = if attribute == "street_address" {
            subject.texts(attribute)
        } else {
            subject
                .text(attribute)
                .filter(|text| !text.is_empty())
                .into_iter()
                .collect()
        };
        let values = values.into_iter().map(|value| Ok((id, text(value)?)));
        push(&mut name, values.collect::<Result<_, Failure>>()?)?;
    }
    if let Some(email) = subject.text("email_address") {
        let value = Ia5String::new(email).map_err(|error| cannot("encode the subject", error))?;
        push(&mut name, vec![(EMAIL, Any::from(&value))])?;
    }
    Ok(name)
}

/// A text as names hold it: printable where it is.
fn text(value: &str) -> Result<Any, Failure> {
    if let Ok(printable) = PrintableString::new(value) {
        return Ok(Any::from(&printable));
    }
    Utf8StringRef::new(value)
        .map(Any::from)
        .map_err(|error| cannot("encode the subject", error))
}

fn push(name: &mut RdnSequence, values: Vec<(&str, Any)>) -> Result<(), Failure> {
    if values.is_empty() {
        return Ok(());
    }
    let mut set = SetOfVec::new();
    for (id, value) in values {
        set.insert(AttributeTypeAndValue {
            oid: oid(id),
            value,
        })
        .map_err(|error| cannot("encode the subject", error))?;
    }
    name.0.push(RelativeDistinguishedName(set));
    Ok(())
}

/// The alternative names that `dns_names`, `ip_addresses` and `uris` say; `None` if there are none.
pub(super) fn alternatives(config: &Object) -> Result<Option<SubjectAltName>, Failure> {
    let mut names = Vec::new();
    let encoded = |text: &str| {
        Ia5String::new(text).map_err(|error| {
            Diagnostic::error("Invalid name", format!("Failed to parse {text:?}: {error}"))
        })
    };
    for dns in config.texts("dns_names") {
        names.push(GeneralName::DnsName(encoded(dns)?));
    }
    for ip in config.texts("ip_addresses") {
        let parsed: IpAddr = ip.parse().map_err(|_| {
            Diagnostic::error("Invalid IP address", format!("Failed to parse {ip:?}"))
        })?;
        let bytes = match parsed {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let bytes = OctetString::new(bytes).map_err(|error| cannot("encode to DER", error))?;
        names.push(GeneralName::IpAddress(bytes));
    }
    for uri in config.texts("uris") {
        names.push(GeneralName::UniformResourceIdentifier(encoded(uri)?));
    }
    Ok((!names.is_empty()).then_some(SubjectAltName(names)))
}

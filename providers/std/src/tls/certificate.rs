//! `tls_self_signed_cert` and `tls_locally_signed_cert`.

use num_bigint::BigUint;
use sha1::{Digest, Sha1};
use terrace_provider_sdk::validate::{Validator, custom};
use terrace_provider_sdk::{Change as AttributeChange, Diagnostic, Object, Type, Value};
use x509_cert::Certificate;
use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::der::asn1::{GeneralizedTime, OctetString, UtcTime};
use x509_cert::der::{DateTime, Decode as _};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, Extensions};
use x509_cert::name::Name;
use x509_cert::request::CertReq;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::{Time, Validity};

use crate::Outside;
use crate::definition::{Change, Definition, Failure};
use crate::time::Instant;

use super::der::{algorithm, encoded, extension, oid, public_key, signature};
use super::key::Key;
use super::request::{ALTERNATIVE_NAMES, EXTENSION_REQUEST};
use super::{cannot, name, one_private_key, pem, private_key, schema};

const USES: [(&str, KeyUsages); 9] = [
    ("digital_signature", KeyUsages::DigitalSignature),
    ("content_commitment", KeyUsages::NonRepudiation),
    ("key_encipherment", KeyUsages::KeyEncipherment),
    ("data_encipherment", KeyUsages::DataEncipherment),
    ("key_agreement", KeyUsages::KeyAgreement),
    ("cert_signing", KeyUsages::KeyCertSign),
    ("crl_signing", KeyUsages::CRLSign),
    ("encipher_only", KeyUsages::EncipherOnly),
    ("decipher_only", KeyUsages::DecipherOnly),
];
const EXTENDED_USES: [(&str, &str); 14] = [
    ("any_extended", "2.5.29.37.0"),
    ("server_auth", "1.3.6.1.5.5.7.3.1"),
    ("client_auth", "1.3.6.1.5.5.7.3.2"),
    ("code_signing", "1.3.6.1.5.5.7.3.3"),
    ("email_protection", "1.3.6.1.5.5.7.3.4"),
    ("ipsec_end_system", "1.3.6.1.5.5.7.3.5"),
    ("ipsec_tunnel", "1.3.6.1.5.5.7.3.6"),
    ("ipsec_user", "1.3.6.1.5.5.7.3.7"),
    ("timestamping", "1.3.6.1.5.5.7.3.8"),
    ("ocsp_signing", "1.3.6.1.5.5.7.3.9"),
    ("microsoft_server_gated_crypto", "1.3.6.1.4.1.311.10.3.3"),
    ("netscape_server_gated_crypto", "2.16.840.1.113730.4.1"),
    (
        "microsoft_commercial_code_signing",
        "1.3.6.1.4.1.311.2.1.22",
    ),
    ("microsoft_kernel_code_signing", "1.3.6.1.4.1.311.61.1.1"),
];

pub(super) fn self_signed() -> Definition {
    Definition {
        validate: |config| one_private_key(config, "private_key_pem", "private_key_pem_wo"),
        plan: plan_renewal,
        read: read_renewal,
        ..Definition::new(
            "tls_self_signed_cert",
            schema::tls_self_signed_cert,
            sign_own,
        )
    }
}

pub(super) fn locally_signed() -> Definition {
    Definition {
        validate: |config| one_private_key(config, "ca_private_key_pem", "ca_private_key_pem_wo"),
        plan: plan_renewal,
        read: read_renewal,
        ..Definition::new(
            "tls_locally_signed_cert",
            schema::tls_locally_signed_cert,
            sign_other,
        )
    }
}

/// One of the uses that certificates know.
pub(super) fn known_use() -> Validator {
    custom(|checked, diagnostics| {
        let Some(given) = checked.value.as_str() else {
            return;
        };
        let mut names: Vec<&str> = USES.iter().map(|(name, _)| *name).collect();
        names.extend(EXTENDED_USES.iter().map(|(name, _)| *name));
        names.sort_unstable();
        if !names.contains(&given) {
            let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
            let detail = format!(
                "Attribute {} value must be one of: [{}], got: {given:?}",
                checked.name(),
                quoted.join(" ")
            );
            let path = checked.path.clone();
            diagnostics.error_at(path, "Invalid Attribute Value Match", detail);
        }
    })
}

/// One that is never valid, or for less than the time before its renewal, is ready for renewal from its beginning.
pub(super) fn ready_for_renewal(change: &mut AttributeChange<'_>) {
    let hours = |name: &str| change.config_object.whole(name);
    let Some(validity) = hours("validity_period_hours") else {
        return;
    };
    if validity == 0 || hours("early_renewal_hours").is_some_and(|early| early >= validity) {
        change.planned = Value::TRUE;
    }
}

fn is_due(object: &Object, outside: &Outside) -> bool {
    let end = object.text("validity_end_time").and_then(Instant::parse);
    let early = object.whole("early_renewal_hours").unwrap_or(0);
    end.and_then(|end| end.add_seconds(early.checked_mul(-3600)?))
        .is_some_and(|due| outside.clock.now().0 >= due.seconds())
}

fn plan_renewal(
    prior: Option<&Object>,
    _config: &Object,
    planned: &mut Object,
    outside: &Outside,
) -> Vec<&'static str> {
    if !is_due(planned, outside) {
        return Vec::new();
    }
    planned.forget("ready_for_renewal", Type::Bool);
    if prior.is_some() {
        vec!["ready_for_renewal"]
    } else {
        Vec::new()
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn read_renewal(mut object: Object, outside: &Outside) -> Result<Option<Object>, Failure> {
    if is_due(&object, outside) {
        object.set("ready_for_renewal", true);
    }
    Ok(Some(object))
}

fn sign_own(change: Change<'_>, mut object: Object, outside: &Outside) -> Result<Object, Failure> {
    if change.prior.is_some() {
        return Ok(object);
    }
    let key = private_key(
        &object,
        change.config,
        "private_key_pem",
        "Failed to parse private key PEM",
    )?;
    object.set("key_algorithm", key.algorithm());
    let subject = name::subject(&object)?;
    let wanted = Wanted {
        issuer: subject.clone(),
        subject,
        alternatives: name::alternatives(&object)?,
        public_key: public_key(&key)?,
        authority: None,
    };
    wanted.sign(object, &key, outside)
}

fn sign_other(
    change: Change<'_>,
    mut object: Object,
    outside: &Outside,
) -> Result<Object, Failure> {
    if change.prior.is_some() {
        return Ok(object);
    }
    let request = parsed_request(object.text("cert_request_pem").unwrap_or_default())
        .map_err(|why| Diagnostic::error("Failed to parse certificate request PEM", why))?;
    let key = private_key(
        &object,
        change.config,
        "ca_private_key_pem",
        "Failed to parse CA private key PEM",
    )?;
    object.set("ca_key_algorithm", key.algorithm());
    let authority = parsed(object.text("ca_cert_pem").unwrap_or_default())
        .map_err(|why| Diagnostic::error("Failed to parse CA certificate PEM", why))?;
    let extensions = authority.tbs_certificate.extensions.unwrap_or_default();
    let wanted = Wanted {
        issuer: authority.tbs_certificate.subject,
        subject: request.info.subject.clone(),
        alternatives: requested_names(&request)?,
        public_key: request.info.public_key,
        authority: key_identifier(&extensions),
    };
    wanted.sign(object, &key, outside)
}

/// A certificate of a text in PEM.
pub(super) fn parsed(text: &str) -> Result<Certificate, String> {
    match pem::decode(text) {
        Some((label, der)) if label == "CERTIFICATE" => {
            Certificate::from_der(&der).map_err(|error| error.to_string())
        }
        Some((label, _)) => Err(format!("PEM should be \"CERTIFICATE\", got {label:?}")),
        None => Err("failed to decode PEM block".into()),
    }
}

fn parsed_request(text: &str) -> Result<CertReq, String> {
    match pem::decode(text) {
        Some((label, der)) if label.ends_with("CERTIFICATE REQUEST") => {
            CertReq::from_der(&der).map_err(|error| error.to_string())
        }
        Some((label, _)) => Err(format!(
            "PEM should be \"CERTIFICATE REQUEST\", got {label:?}"
        )),
        None => Err("failed to decode PEM block".into()),
    }
}

fn requested_names(request: &CertReq) -> Result<Option<SubjectAltName>, Failure> {
    let failed = |error| cannot("read the extensions of the request", error);
    for attribute in request.info.attributes.iter() {
        if attribute.oid != oid(EXTENSION_REQUEST) {
            continue;
        }
        for value in attribute.values.iter() {
            let extensions: Extensions = value.decode_as().map_err(failed)?;
            for found in extensions {
                if found.extn_id == oid(ALTERNATIVE_NAMES) {
                    let names = SubjectAltName::from_der(found.extn_value.as_bytes());
                    return names.map(Some).map_err(failed);
                }
            }
        }
    }
    Ok(None)
}

/// The subject key identifier of a certificate, if it has one.
fn key_identifier(extensions: &[Extension]) -> Option<Vec<u8>> {
    let found = extensions
        .iter()
        .find(|found| found.extn_id == oid("2.5.29.14"))?;
    let identifier = SubjectKeyIdentifier::from_der(found.extn_value.as_bytes()).ok()?;
    Some(identifier.0.as_bytes().to_vec())
}

/// What is to be signed.
struct Wanted {
    issuer: Name,
    subject: Name,
    alternatives: Option<SubjectAltName>,
    public_key: SubjectPublicKeyInfoOwned,
    /// The key identifier of another certificate that signs.
    authority: Option<Vec<u8>>,
}

impl Wanted {
    fn sign(self, mut object: Object, key: &Key, outside: &Outside) -> Result<Object, Failure> {
        let start = Instant::from_seconds(outside.clock.now().0);
        let hours = object.whole("validity_period_hours").unwrap_or(0);
        let end = hours
            .checked_mul(3600)
            .and_then(|seconds| start.add_seconds(seconds))
            .ok_or_else(|| {
                Diagnostic::error(
                    "Failed to create certificate",
                    "its validity ends after the year 9999",
                )
            })?;
        let mut serial = [0; 16];
        outside.entropy.fill(&mut serial);
        let failed = |error| cannot("create certificate", error);
        let tbs = TbsCertificate {
            version: Version::V3,
            serial_number: SerialNumber::new(positive(&serial)).map_err(failed)?,
            signature: algorithm(key),
            extensions: Some(self.extensions(&object)?),
            issuer: self.issuer,
            validity: Validity {
                not_before: time(start)?,
                not_after: time(end)?,
            },
            subject: self.subject,
            subject_public_key_info: self.public_key,
            issuer_unique_id: None,
            subject_unique_id: None,
        };
        let signature = signature(key, &encoded(&tbs)?)?;
        let certificate = Certificate {
            tbs_certificate: tbs,
            signature_algorithm: algorithm(key),
            signature,
        };
        object.set("id", BigUint::from_bytes_be(&serial).to_string());
        object.set(
            "cert_pem",
            pem::encode("CERTIFICATE", &encoded(&certificate)?),
        );
        object.set("validity_start_time", start.text());
        object.set("validity_end_time", end.text());
        if !object.is_known("max_path_length") {
            object.set("max_path_length", None::<i64>);
        }
        if !object.is_known("ready_for_renewal") {
            object.set("ready_for_renewal", false);
        }
        Ok(object)
    }

    fn extensions(&self, object: &Object) -> Result<Extensions, Failure> {
        let is_ca = object.flag("is_ca_certificate") == Some(true);
        if is_ca && self.subject.0.is_empty() {
            return Err(Diagnostic::error(
                "Invalid Certificate Subject",
                "Must contain at least one Distinguished Name when creating Certificate Authority (CA)",
            ));
        }
        let mut extensions = uses(&object.texts("allowed_uses"))?;
        let most = object.whole("max_path_length").filter(|most| *most > 0);
        if most.is_some() && !is_ca {
            return Err(Diagnostic::error(
                "Failed to create certificate",
                "x509: only CAs are allowed to specify MaxPathLen",
            ));
        }
        let constraints = BasicConstraints {
            ca: is_ca,
            path_len_constraint: most.and_then(|most| u8::try_from(most).ok()),
        };
        extensions.push(extension("2.5.29.19", true, &constraints)?);
        let octets =
            |bytes: &[u8]| OctetString::new(bytes).map_err(|error| cannot("encode to DER", error));
        let own = if is_ca || object.flag("set_subject_key_id") == Some(true) {
            Some(self.own_identifier()?)
        } else {
            None
        };
        if let Some(own) = &own {
            let identifier = SubjectKeyIdentifier(octets(own)?);
            extensions.push(extension("2.5.29.14", false, &identifier)?);
        }
        let asked = object.flag("set_authority_key_id") == Some(true);
        if asked && own.is_none() {
            return Err(Diagnostic::error(
                "Invalid Certificate Authority",
                "Could not determine Authority Key Identifier",
            ));
        }
        if let Some(authority) = self.authority.as_ref().or(own.as_ref().filter(|_| asked)) {
            let identifier = AuthorityKeyIdentifier {
                key_identifier: Some(octets(authority)?),
                authority_cert_issuer: None,
                authority_cert_serial_number: None,
            };
            extensions.push(extension("2.5.29.35", false, &identifier)?);
        }
        if let Some(names) = &self.alternatives {
            let critical = self.subject.0.is_empty();
            extensions.push(extension(ALTERNATIVE_NAMES, critical, names)?);
        }
        Ok(extensions)
    }

    /// The digest that identifies the certificate's own key.
    fn own_identifier(&self) -> Result<Vec<u8>, Failure> {
        let bits = self.public_key.subject_public_key.raw_bytes();
        let digest = if self.public_key.algorithm.oid == oid("1.3.101.112") {
            let wrapped = OctetString::new(bits).map_err(|error| cannot("encode to DER", error))?;
            Sha1::digest(encoded(&wrapped)?)
        } else {
            Sha1::digest(bits)
        };
        Ok(digest.to_vec())
    }
}

fn uses(names: &[&str]) -> Result<Extensions, Failure> {
    let mut extensions = Vec::new();
    let mut plain: Option<KeyUsage> = None;
    for (_, usage) in USES.iter().filter(|(name, _)| names.contains(name)) {
        match &mut plain {
            None => plain = Some(KeyUsage((*usage).into())),
            Some(all) => all.0 |= *usage,
        }
    }
    if let Some(usage) = plain {
        extensions.push(extension("2.5.29.15", true, &usage)?);
    }
    let extended: Vec<_> = names
        .iter()
        .filter_map(|name| EXTENDED_USES.iter().find(|(own, _)| own == name))
        .map(|(_, id)| oid(id))
        .collect();
    if !extended.is_empty() {
        extensions.push(extension("2.5.29.37", false, &ExtendedKeyUsage(extended))?);
    }
    Ok(extensions)
}

/// Bytes of a number that is not negative, without zeros that say nothing.
fn positive(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros.min(bytes.len() - 1)..]
}

/// A time as certificates hold it.
fn time(at: Instant) -> Result<Time, Failure> {
    let failed = |error| cannot("create certificate", error);
    let parts = at.parts();
    let small = |number: i8| u8::try_from(number).unwrap_or(0);
    let date = DateTime::new(
        u16::try_from(parts.year()).unwrap_or(0),
        small(parts.month()),
        small(parts.day()),
        small(parts.hour()),
        small(parts.minute()),
        small(parts.second()),
    )
    .map_err(failed)?;
    Ok(if (1950..2050).contains(&date.year()) {
        Time::UtcTime(UtcTime::from_date_time(date).map_err(failed)?)
    } else {
        Time::GeneralTime(GeneralizedTime::from_date_time(date))
    })
}

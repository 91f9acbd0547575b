//! `tls_cert_request`.

use terrace_provider_sdk::Object;
use x509_cert::attr::Attribute;
use x509_cert::der::Any;
use x509_cert::der::asn1::SetOfVec;
use x509_cert::ext::{Extension, Extensions};
use x509_cert::request::{CertReq, CertReqInfo, Version};

use crate::definition::{Change, Definition, Failure};

use super::der::{algorithm, encoded, extension, oid, public_key, signature};
use super::{cannot, name, one_private_key, pem, private_key, public, schema};

/// The attribute of a request that asks for extensions.
pub(super) const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";
/// The extension with alternative names.
pub(super) const ALTERNATIVE_NAMES: &str = "2.5.29.17";

pub(super) fn definition() -> Definition {
    Definition {
        validate: |config| one_private_key(config, "private_key_pem", "private_key_pem_wo"),
        ..Definition::new(
            "tls_cert_request",
            schema::tls_cert_request,
            |change, object, _| create(change, object),
        )
    }
}

fn create(change: Change<'_>, mut object: Object) -> Result<Object, Failure> {
    let key = private_key(
        &object,
        change.config,
        "private_key_pem",
        "Failed to parse private key PEM",
    )?;
    object.set("key_algorithm", key.algorithm());
    let subject = name::subject(&object)?;
    let failed = |error: x509_cert::der::Error| cannot("create certificate request", error);
    let mut attributes = SetOfVec::new();
    if let Some(names) = name::alternatives(&object)? {
        let wanted: Extensions = vec![extension(ALTERNATIVE_NAMES, subject.0.is_empty(), &names)?];
        let mut values = SetOfVec::new();
        values
            .insert(Any::encode_from::<Vec<Extension>>(&wanted).map_err(failed)?)
            .map_err(failed)?;
        attributes
            .insert(Attribute {
                oid: oid(EXTENSION_REQUEST),
                values,
            })
            .map_err(failed)?;
    }
    let info = CertReqInfo {
        version: Version::V1,
        subject,
        public_key: public_key(&key)?,
        attributes,
    };
    let signature = signature(&key, &encoded(&info)?)?;
    let request = CertReq {
        info,
        algorithm: algorithm(&key),
        signature,
    };
    let der = encoded(&request)?;
    object.set("cert_request_pem", pem::encode("CERTIFICATE REQUEST", &der));
    object.set("id", public::id_of(&der));
    Ok(object)
}

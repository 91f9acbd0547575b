//! Authorities of tests, and the certificates that they give.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::install::Unavailable;

/// An authority that vouches for servers and clients.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Certified {
    /// The certificate.
    pub certificate: String,
    /// The key, as PKCS #8.
    pub key: String,
}

/// What made a certificate, or why there is none.
fn made<T>(made: Result<T, rcgen::Error>) -> Result<T, Unavailable> {
    made.map_err(|error| Unavailable(format!("no certificate can be made: {error}")))
}

impl Authority {
    /// A new one.
    pub fn new(name: &str) -> Result<Self, Unavailable> {
        let key = made(KeyPair::generate())?;
        let mut parameters = made(CertificateParams::new(Vec::new()))?;
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let certificate = made(parameters.self_signed(&key))?.pem();
        Ok(Self {
            issuer: Issuer::new(parameters, key),
            certificate,
        })
    }

    /// Its certificate, in PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A certificate for a server with these names or addresses.
    pub fn server(&self, names: &[&str]) -> Result<Certified, Unavailable> {
        self.certify(names, names[0], ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate for a client.
    pub fn client(&self, name: &str) -> Result<Certified, Unavailable> {
        self.certify(&[], name, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn certify(
        &self,
        names: &[&str],
        common_name: &str,
        purpose: ExtendedKeyUsagePurpose,
    ) -> Result<Certified, Unavailable> {
        let key = made(KeyPair::generate())?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = made(CertificateParams::new(names))?;
        parameters
            .distinguished_name
            .push(DnType::CommonName, common_name);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![purpose];
        let certificate = made(parameters.signed_by(&key, &self.issuer))?;
        Ok(Certified {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

impl Certified {
    /// A certificate that nobody but itself vouches for, with an RSA key, as services have their principals'.
    pub fn with_rsa(name: &str) -> Result<Self, Unavailable> {
        let algorithm = &rcgen::PKCS_RSA_SHA256;
        let key = made(KeyPair::generate_rsa_for(
            algorithm,
            rcgen::RsaKeySize::_2048,
        ))?;
        let mut parameters = made(CertificateParams::new(Vec::new()))?;
        parameters.distinguished_name.push(DnType::CommonName, name);
        let certificate = made(parameters.self_signed(&key))?;
        Ok(Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }

    /// Writes both into a directory, as `NAME.pem` and `NAME.key`, which only its owner may read.
    pub fn write(&self, directory: &Path, name: &str) -> std::io::Result<(PathBuf, PathBuf)> {
        use std::os::unix::fs::PermissionsExt as _;
        let (certificate, key) = (
            directory.join(format!("{name}.pem")),
            directory.join(format!("{name}.key")),
        );
        std::fs::write(&certificate, &self.certificate)?;
        std::fs::write(&key, &self.key)?;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600))?;
        Ok((certificate, key))
    }
}

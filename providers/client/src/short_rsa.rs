//! Signatures of RSA keys of 1,024 bits, which the library that does TLS does not verify.
//!
//! Some plugin libraries make such a key anew for each process. The certificate was told beforehand over the plugin's own
//! pipe and is compared byte by byte, so that the signature has to show only that the process at the other end of a local
//! connection holds the key: nobody can factor one while it lives.

use rsa::RsaPublicKey;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::signature::Verifier;
use rsa::traits::PublicKeyParts as _;
use rsa::{pkcs1v15, pss};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, SignatureScheme};
use sha2::{Sha256, Sha384, Sha512};

/// Shorter keys than this many bytes are refused.
const SHORTEST: usize = 128;
/// Keys of this many bytes are verified by everyone.
const USUAL: usize = 256;

/// Whether the holder of the certificate's key, a short RSA key, signed `message`. `None` for other keys, and where the
/// signature is wrong.
pub(crate) fn verify(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Option<HandshakeSignatureValid> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let key = RsaPublicKey::from_public_key_der(&parsed.subject_public_key_info()).ok()?;
    if !(SHORTEST..USUAL).contains(&key.size()) {
        return None;
    }
    let is_right = match signed.scheme {
        SignatureScheme::RSA_PSS_SHA256 => {
            padded(&pss::VerifyingKey::<Sha256>::new(key), message, signed)
        }
        SignatureScheme::RSA_PSS_SHA384 => {
            padded(&pss::VerifyingKey::<Sha384>::new(key), message, signed)
        }
        SignatureScheme::RSA_PKCS1_SHA256 => {
            plain(&pkcs1v15::VerifyingKey::<Sha256>::new(key), message, signed)
        }
        SignatureScheme::RSA_PKCS1_SHA384 => {
            plain(&pkcs1v15::VerifyingKey::<Sha384>::new(key), message, signed)
        }
        SignatureScheme::RSA_PKCS1_SHA512 => {
            plain(&pkcs1v15::VerifyingKey::<Sha512>::new(key), message, signed)
        }
        _ => false,
    };
    is_right.then(HandshakeSignatureValid::assertion)
}

fn padded(
    key: &impl Verifier<pss::Signature>,
    message: &[u8],
    signed: &DigitallySignedStruct,
) -> bool {
    pss::Signature::try_from(signed.signature())
        .is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

fn plain(
    key: &impl Verifier<pkcs1v15::Signature>,
    message: &[u8],
    signed: &DigitallySignedStruct,
) -> bool {
    pkcs1v15::Signature::try_from(signed.signature())
        .is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use rsa::RsaPrivateKey;
    use rsa::pkcs1::EncodeRsaPublicKey as _;
    use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _, Signer as _};
    use rustls::sign::Signer;
    use rustls::{Error, SignatureAlgorithm};

    use super::*;

    /// A plugin's key of so many bits.
    #[derive(Clone, Debug)]
    pub(crate) struct PluginKey {
        key: Arc<RsaPrivateKey>,
        public: Arc<[u8]>,
    }

    impl PluginKey {
        pub(crate) fn generate(bits: usize) -> Self {
            let key = RsaPrivateKey::new(&mut rand_core::OsRng, bits).unwrap();
            let public = key.to_public_key().to_pkcs1_der().unwrap();
            Self {
                public: public.as_bytes().into(),
                key: Arc::new(key),
            }
        }

        pub(crate) fn certificate(&self) -> CertificateDer<'static> {
            let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            params.self_signed(self).unwrap().der().clone()
        }
    }

    impl rcgen::PublicKeyData for PluginKey {
        fn der_bytes(&self) -> &[u8] {
            &self.public
        }

        fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
            &rcgen::PKCS_RSA_SHA256
        }
    }

    impl rcgen::SigningKey for PluginKey {
        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
            let key = pkcs1v15::SigningKey::<Sha256>::new((*self.key).clone());
            Ok(key.sign(message).to_vec())
        }
    }

    impl rustls::sign::SigningKey for PluginKey {
        fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
            offered
                .contains(&SignatureScheme::RSA_PSS_SHA256)
                .then(|| Box::new(self.clone()) as Box<dyn Signer>)
        }

        fn algorithm(&self) -> SignatureAlgorithm {
            SignatureAlgorithm::RSA
        }
    }

    impl Signer for PluginKey {
        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
            let key = pss::SigningKey::<Sha256>::new((*self.key).clone());
            Ok(key.sign_with_rng(&mut rand_core::OsRng, message).to_vec())
        }

        fn scheme(&self) -> SignatureScheme {
            SignatureScheme::RSA_PSS_SHA256
        }
    }
}

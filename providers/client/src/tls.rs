//! Mutual TLS between host and plugin, each with a certificate of its own that the other is told beforehand.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use crate::key::{self, HostKey};
use crate::short_rsa;

/// The host's certificate and key for one plugin.
pub(crate) struct Identity {
    /// As the plugin is told it.
    pub(crate) pem: String,
    certificate: CertificateDer<'static>,
    key: HostKey,
}

impl Identity {
    /// A new one.
    pub(crate) fn generate() -> Result<Self, rcgen::Error> {
        use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?;
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "localhost");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
            KeyUsagePurpose::KeyAgreement,
            KeyUsagePurpose::KeyCertSign,
        ];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::ServerAuth,
        ];
        let key = HostKey::generate();
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            key,
        })
    }

    /// What the host's side of a connection needs, when the plugin's certificate is `pinned`.
    pub(crate) fn client_config(&self, pinned: Vec<u8>) -> Result<ClientConfig, Error> {
        // The certificates that plugins make are ECDSA on P-521, which of the providers only this one verifies.
        let provider = Arc::new(key::crypto());
        let verifier = PinnedVerifier {
            pinned: pinned.into(),
            algorithms: algorithms(&provider),
        };
        let certified =
            CertifiedKey::new(vec![self.certificate.clone()], Arc::new(self.key.clone()));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

fn algorithms(provider: &CryptoProvider) -> WebPkiSupportedAlgorithms {
    provider.signature_verification_algorithms
}

/// Accepts one certificate, and only from one who proves to hold its key.
#[derive(Debug)]
struct PinnedVerifier {
    pinned: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *end_entity == self.pinned {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
            .or_else(|error| short_rsa::verify(message, certificate, signature).ok_or(error))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
            .or_else(|error| short_rsa::verify(message, certificate, signature).ok_or(error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rustls::ServerConfig;
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;
    use crate::short_rsa::tests::PluginKey;

    /// A plugin's side with `certificate` and the key of `key`.
    fn server_config(certificate: &Identity, key: &Identity) -> ServerConfig {
        let signer = Arc::new(key.key.clone());
        served(CertifiedKey::new(
            vec![certificate.certificate.clone()],
            signer,
        ))
    }

    fn served(certified: CertifiedKey) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
    }

    async fn connects(
        pinned: &Identity,
        certificate: &Identity,
        key: &Identity,
    ) -> Result<(), String> {
        meets(&pinned.certificate, server_config(certificate, key)).await
    }

    async fn meets(pinned: &CertificateDer<'_>, server: ServerConfig) -> Result<(), String> {
        let host = Identity::generate().unwrap();
        let config = host.client_config(pinned.to_vec()).unwrap();
        let (near, far) = tokio::io::duplex(16 * 1024);
        let acceptor = TlsAcceptor::from(Arc::new(server));
        let server = tokio::spawn(async move { acceptor.accept(far).await.map(|_| ()) });
        let name = ServerName::try_from("localhost").unwrap();
        let connected = TlsConnector::from(Arc::new(config))
            .connect(name, near)
            .await;
        let _ended = server.await;
        connected.map(|_| ()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_plugin_s_short_rsa_key_is_verified_and_a_shorter_one_is_not() {
        for (bits, believed) in [(1024, true), (768, false)] {
            let (plugin, stranger) = (PluginKey::generate(bits), PluginKey::generate(bits));
            let certificate = plugin.certificate();
            let shown = |key: &PluginKey| {
                let signer = Arc::new(key.clone());
                served(CertifiedKey::new(vec![certificate.clone()], signer))
            };
            let right = meets(&certificate, shown(&plugin)).await;
            assert_eq!(right.is_ok(), believed, "{bits}: {right:?}");
            assert!(meets(&certificate, shown(&stranger)).await.is_err());
        }
    }

    #[tokio::test]
    async fn only_the_holder_of_the_pinned_certificate_s_key_is_believed() {
        let (plugin, stranger) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        connects(&plugin, &plugin, &plugin).await.unwrap();
        assert!(
            connects(&plugin, &stranger, &stranger).await.is_err(),
            "another certificate"
        );
        let stolen = connects(&plugin, &plugin, &stranger).await.unwrap_err();
        assert!(
            stolen.contains("BadSignature"),
            "the certificate without its key: {stolen}"
        );
    }
}

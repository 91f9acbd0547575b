//! `tls_certificate`: certificates of a text, or of a server.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, Stream};
use rustls_platform_verifier::Verifier;
use terrace_provider_sdk::{Data as _, Diagnostic, Object, Value};
use url::Url;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::definition::{Failure, problem};

use super::proxy::{AnyError, Route};
use super::{pem, public, show};

pub(super) fn read(mut object: Object, route: &Route) -> Result<Object, Failure> {
    if !object.is_set("verify_chain") {
        object.set("verify_chain", true);
    }
    let chain = match object.text("content") {
        Some(content) => vec![of_text(content)?],
        None => of_server(&object, route)?,
    };
    let mut shown = Vec::new();
    let mut certificates = Vec::new();
    for der in chain {
        let parsed = Certificate::from_der(&der)
            .map_err(|error| Diagnostic::error("Unable to parse certificate", error.to_string()))?;
        let (object, text) = show::certificate(&parsed, &der);
        certificates.push(object.into_value());
        shown.push(text);
    }
    object.set("certificates", Value::tuple(certificates));
    object.set(
        "id",
        public::id_of(format!("[{}]", shown.join(" ")).as_bytes()),
    );
    Ok(object)
}

fn of_text(content: &str) -> Result<Vec<u8>, Failure> {
    match pem::decode(content) {
        None => Err(problem(
            "content",
            "Failed to decoded PEM",
            "Value is not a valid PEM encoding of a certificate",
        )),
        Some((label, der)) if label == "CERTIFICATE" => Ok(der),
        Some((label, _)) => Err(Diagnostic::error(
            "Unexpected PEM preamble",
            format!("Certificate PEM should be \"CERTIFICATE\", got {label:?}"),
        )),
    }
}

/// The certificates of a server, from the root's end to its own.
fn of_server(object: &Object, route: &Route) -> Result<Vec<Vec<u8>>, Failure> {
    let given = object.text("url").unwrap_or_default();
    let url = Url::parse(given)
        .map_err(|error| problem("url", "Failed to parse URL", error.to_string()))?;
    let port = match (url.scheme(), url.port()) {
        ("https", port) => port.unwrap_or(443),
        ("tls", Some(port)) => port,
        ("tls", None) => {
            return Err(Diagnostic::error(
                "URL malformed",
                format!("Port missing from URL: {given}"),
            ));
        }
        _ => {
            return Err(problem(
                "url",
                "Invalid URL scheme",
                format!(
                    "URL \"{given}\" contains scheme \"{}\", but only [\"https\" \"tls\"] are supported",
                    url.scheme()
                ),
            ));
        }
    };
    let host = url.host_str().unwrap_or_default();
    let verify = object.flag("verify_chain") != Some(false);
    // What is not of the web is reached straight.
    let route = match url.scheme() {
        "https" => route,
        _ => &Route::Straight,
    };
    let mut chain = handshake(&url, (host, port), verify, route).map_err(|error| {
        Diagnostic::error(
            "Failed to identify fetch peer certificates",
            format!(
                "failed to fetch certificates from URL '{}': {error}",
                url.scheme()
            ),
        )
    })?;
    chain.reverse();
    Ok(chain)
}

fn handshake(
    url: &Url,
    (host, port): (&str, u16),
    verify: bool,
    route: &Route,
) -> Result<Vec<Vec<u8>>, AnyError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = if verify {
        Arc::new(Verifier::new(provider.clone())?)
    } else {
        Arc::new(Unverified(provider.clone()))
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let name = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let mut socket = route.connect(&name, port)?;
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::try_from(name)?)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    let chain = connection.peer_certificates().unwrap_or_default();
    let chain = chain.iter().map(|found| found.as_ref().to_vec()).collect();
    if url.scheme() == "https" {
        // Said politely, so that no server takes the connection for a broken one.
        let mut stream = Stream::new(&mut connection, &mut socket);
        let asked = write!(
            stream,
            "HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        );
        let _answered = asked.and_then(|()| stream.read(&mut [0; 1]));
    }
    Ok(chain)
}

/// Takes every certificate, but wants its key to be there.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

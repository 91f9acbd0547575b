//! The socket, its certificate, and the line that tells the host of both.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine as _;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixListener;
use tokio_rustls::TlsAcceptor;
use tonic::transport::server::Connected;

/// What the host says in the environment of a plugin.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `PLUGIN_CLIENT_CERT`: the host's certificate (PEM), where it wants TLS.
    pub client_certificate: Option<String>,
    /// `PLUGIN_UNIX_SOCKET_DIR`: where sockets go.
    pub socket_directory: Option<String>,
}

/// A bound socket.
pub(crate) struct Listener {
    socket: UnixListener,
    path: String,
    tls: Option<(TlsAcceptor, CertificateDer<'static>)>,
    /// Where the socket is, when the host named no place.
    _directory: Option<tempfile::TempDir>,
}

impl Listener {
    pub(crate) fn bind(environment: &Environment) -> io::Result<Self> {
        let (directory, path) = match &environment.socket_directory {
            Some(directory) => (None, std::path::PathBuf::from(directory)),
            None => {
                let directory = tempfile::tempdir()?;
                let path = directory.path().to_owned();
                (Some(directory), path)
            }
        };
        let path = path.join(format!("plugin{}", std::process::id()));
        let tls = environment
            .client_certificate
            .as_deref()
            .map(server_tls)
            .transpose()
            .map_err(io::Error::other)?;
        Ok(Self {
            socket: UnixListener::bind(&path)?,
            path: path.display().to_string(),
            tls,
            _directory: directory,
        })
    }

    /// The line for the host.
    pub(crate) fn handshake(&self, protocol: u32) -> String {
        let certificate = self
            .tls
            .as_ref()
            .map_or_else(String::new, |(_, certificate)| {
                base64::engine::general_purpose::STANDARD_NO_PAD.encode(certificate)
            });
        format!("1|{protocol}|unix|{}|grpc|{certificate}", self.path)
    }

    /// The connections, as they come.
    pub(crate) fn incoming(
        self,
    ) -> impl tonic::codegen::tokio_stream::Stream<Item = io::Result<Connection>> {
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            // The whole of it, so that the socket's directory stays.
            let listener = self;
            while let Ok((stream, _)) = listener.socket.accept().await {
                let connection = match &listener.tls {
                    None => Ok(Connection(Box::new(stream))),
                    Some((tls, _)) => tls
                        .accept(stream)
                        .await
                        .map(|stream| Connection(Box::new(stream))),
                };
                // A failed handshake ends that connection, not the server.
                if let Ok(connection) = connection
                    && sender.send(Ok(connection)).await.is_err()
                {
                    return;
                }
            }
        });
        Incoming(receiver)
    }
}

struct Incoming(tokio::sync::mpsc::Receiver<io::Result<Connection>>);

impl tonic::codegen::tokio_stream::Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One connection of the host.
pub(crate) struct Connection(Box<dyn Stream>);

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// TLS with a certificate of its own, for the holder of the host's certificate only.
fn server_tls(host_pem: &str) -> Result<(TlsAcceptor, CertificateDer<'static>), AnyError> {
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?;
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "localhost");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![
        rcgen::KeyUsagePurpose::DigitalSignature,
        rcgen::KeyUsagePurpose::KeyEncipherment,
        rcgen::KeyUsagePurpose::KeyCertSign,
    ];
    params.extended_key_usages = vec![
        rcgen::ExtendedKeyUsagePurpose::ClientAuth,
        rcgen::ExtendedKeyUsagePurpose::ServerAuth,
    ];
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.self_signed(&key)?.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = PinnedClient {
        pinned: CertificateDer::from_pem_slice(host_pem.as_bytes())?,
        algorithms: provider.signature_verification_algorithms,
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(vec![certificate.clone()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), certificate))
}

#[derive(Debug)]
struct PinnedClient {
    pinned: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for PinnedClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if *end_entity == self.pinned {
            Ok(ClientCertVerified::assertion())
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
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

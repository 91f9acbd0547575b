//! The connection to a plugin.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Uri};
use tower::service_fn;

use crate::handshake::Endpoint;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects, with TLS where there is a configuration for it. The error is for a person.
pub(crate) async fn connect(
    endpoint: Endpoint,
    tls: Option<rustls::ClientConfig>,
    timeout: Duration,
) -> Result<Channel, String> {
    let tls = tls.map(|config| TlsConnector::from(Arc::new(config)));
    let connector = service_fn(move |_: Uri| {
        let (endpoint, tls) = (endpoint.clone(), tls.clone());
        async move { Ok::<_, io::Error>(TokioIo::new(open(&endpoint, tls).await?)) }
    });
    // The name stands in requests only; plain http because the connector does TLS itself.
    let endpoint = tonic::transport::Endpoint::from_static("http://localhost")
        .http2_adaptive_window(true)
        .connect_timeout(timeout);
    match tokio::time::timeout(timeout, endpoint.connect_with_connector(connector)).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(error)) => Err(chain(&error)),
        Err(_) => Err(format!(
            "it did not take the connection within {} s",
            timeout.as_secs()
        )),
    }
}

async fn open(endpoint: &Endpoint, tls: Option<TlsConnector>) -> io::Result<Box<dyn Stream>> {
    let stream: Box<dyn Stream> = match endpoint {
        Endpoint::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Endpoint::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
    };
    let Some(tls) = tls else { return Ok(stream) };
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    Ok(Box::new(tls.connect(name, stream).await?))
}

/// An error with its causes, each once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

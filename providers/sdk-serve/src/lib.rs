//! Serves a provider as a plugin: the handshake with the engine that started the process, mutual TLS, and protocols 5 and 6.
//!
//! [`run`] is the whole `main` of a plugin. Any [`Provider`] of the engine's port can be served, be it built with
//! `terrace-provider-sdk` or not. Protocol 5 has no nested attributes: a provider that has some is served by protocol 6 alone.

mod convert;
mod handler;
mod listen;
mod schema;
mod start;
mod v5;
mod v6;

use std::io::{self, Write as _};
use std::sync::Arc;

use terrace_port::Provider;
use terrace_provider_protocol::plugin::Empty;
use terrace_provider_protocol::plugin::grpc_controller_server::{
    GrpcController, GrpcControllerServer,
};
use terrace_provider_protocol::tfplugin5::provider_server::ProviderServer as Server5;
use terrace_provider_protocol::tfplugin6::provider_server::ProviderServer as Server6;
use tokio::sync::{OnceCell, watch};
use tonic::{Request, Response, Status};

pub use listen::Environment;
pub use start::{log_warning, run, run_protocol};

use handler::Handler;

/// Serves `provider` to the host that started this process with `environment`, until the host asks it to end.
///
/// `protocol` is 5 or 6. A call that the provider answers with an error of its own ([`terrace_port::ProviderError`])
/// ends the process at once, as a crash does, after `crash` was called with what is to be said of it.
pub async fn serve(
    provider: Arc<dyn Provider>,
    protocol: u32,
    environment: &Environment,
    crash: fn(&str),
) -> io::Result<()> {
    let listener = listen::Listener::bind(environment)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", listener.handshake(protocol))?;
    stdout.flush()?;

    let ended = watch::Sender::new(false);
    let mut until = ended.subscribe();
    let controller = GrpcControllerServer::new(Controller { ended });
    let handler = Arc::new(Handler {
        provider,
        crash,
        schema: OnceCell::new(),
    });
    let incoming = listener.incoming();
    let router = tonic::transport::Server::builder().add_service(controller);
    let router = match protocol {
        5 => router.add_service(
            Server5::new(v5::V5(handler))
                .max_decoding_message_size(usize::MAX)
                .max_encoding_message_size(usize::MAX),
        ),
        _ => router.add_service(
            Server6::new(v6::V6(handler))
                .max_decoding_message_size(usize::MAX)
                .max_encoding_message_size(usize::MAX),
        ),
    };
    let shutdown = async move {
        // The sender lives in the service, which ends after this.
        let _asked = until.wait_for(|ended| *ended).await;
    };
    router
        .serve_with_incoming_shutdown(incoming, shutdown)
        .await
        .map_err(io::Error::other)
}

/// Ends the server when the host asks for it.
struct Controller {
    ended: watch::Sender<bool>,
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.ended.send_replace(true);
        Ok(Response::new(Empty {}))
    }
}

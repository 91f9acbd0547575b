//! Requests of the SDK over the HTTP client that all of Terrace uses: it knows proxies for HTTP and for HTTPS, bundles of
//! certificates, and connections that are not looked at.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use terrace_backend_remote::Problem;

use crate::Network;
use crate::reach::{Attempt, Hosts, Place};

/// How long a connection may take to come about.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long nothing may move.
const STANDING_STILL: Duration = Duration::from_secs(30);

/// The HTTP client that clients of services make their requests with.
#[derive(Clone, Debug)]
pub struct Web {
    client: reqwest::Client,
    /// Until the head of the answer, where a caller has its own idea of it.
    patience: Option<Duration>,
    hosts: Hosts,
    /// What is asked, where that is known.
    service: Option<Arc<Service>>,
}

/// What a client asks.
#[derive(Debug)]
struct Service {
    name: String,
    region: String,
    endpoint: Option<String>,
}

impl Web {
    /// A client as the settings ask for it.
    pub(crate) fn new(network: &Network, hosts: Hosts) -> Result<Self, Problem> {
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECTING)
            .read_timeout(STANDING_STILL)
            .redirect(reqwest::redirect::Policy::none())
            .tls_danger_accept_invalid_certs(network.insecure)
            .no_proxy();
        let exceptions = network
            .no_proxy
            .as_deref()
            .and_then(reqwest::NoProxy::from_string);
        for (name, proxy) in [
            ("http_proxy", &network.http_proxy),
            ("https_proxy", &network.https_proxy),
        ] {
            let Some(address) = proxy else {
                continue;
            };
            let proxy = match name {
                "http_proxy" => reqwest::Proxy::http(address),
                _ => reqwest::Proxy::https(address),
            };
            let proxy = proxy.map_err(|error| {
                Problem::with(
                    name,
                    "Invalid proxy",
                    format!("{address:?} is no address of a proxy: {error}"),
                )
            })?;
            builder = builder.proxy(proxy.no_proxy(exceptions.clone()));
        }
        if let Some(path) = &network.ca_bundle {
            let unreadable = |why: String| {
                Problem::with(
                    "custom_ca_bundle",
                    "Invalid custom CA bundle",
                    format!(
                        "The certificates in {} cannot be read: {why}",
                        path.display()
                    ),
                )
            };
            #[expect(
                clippy::disallowed_methods,
                reason = "an adapter reads the file that its settings name"
            )]
            let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&bytes)
                .map_err(|error| unreadable(error.to_string()))?;
            if certificates.is_empty() {
                return Err(unreadable("there is none in the file".into()));
            }
            builder = builder.tls_certs_only(certificates);
        }
        let client = builder.build().map_err(|error| {
            Problem::new(
                "Cannot make requests",
                format!(
                    "Setting up HTTPS failed: {}",
                    terrace_backend_remote::chain(&error)
                ),
            )
        })?;
        Ok(Self {
            client,
            patience: None,
            hosts,
            service: None,
        })
    }

    /// The same for requests to a service in a region, at this endpoint where it is not where it usually is.
    pub(crate) fn to(&self, service: &str, region: &str, endpoint: Option<&str>) -> Self {
        Self {
            service: Some(Arc::new(Service {
                name: service.to_owned(),
                region: region.to_owned(),
                endpoint: endpoint.map(str::to_owned),
            })),
            ..self.clone()
        }
    }

    /// A client without settings.
    pub fn plain() -> Self {
        Self {
            client: reqwest::Client::new(),
            patience: None,
            hosts: Hosts::default(),
            service: None,
        }
    }

    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let method = request.method().parse::<reqwest::Method>();
        let method = method.map_err(|error| ConnectorError::user(error.into()))?;
        let (place, attempt) = (self.place(request.uri()), Attempt::of(&request));
        let mut sent = self.client.request(method, request.uri());
        for (name, value) in request.headers() {
            sent = sent.header(name, value);
        }
        let body = ByteStream::new(request.into_body()).collect().await;
        let body = body.map_err(|error| ConnectorError::user(error.into()))?;
        let sending = sent.body(body.into_bytes()).send();
        let answer = match self.patience {
            None => sending.await,
            Some(patience) => match tokio::time::timeout(patience, sending).await {
                Ok(answer) => answer,
                Err(elapsed) => return Err(ConnectorError::timeout(elapsed.into())),
            },
        };
        let failed = |error: reqwest::Error| match place.clone() {
            Some(place) if error.is_connect() => self.hosts.unreached(place, attempt, &error),
            Some(place) if !error.is_builder() => Hosts::broken(place, attempt, &error),
            _ => connector_error(error),
        };
        let answer = answer.map_err(failed)?;
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let body = answer.bytes().await.map_err(failed)?;
        let status = status
            .try_into()
            .map_err(|error| ConnectorError::other(Box::new(error), None))?;
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        for (name, value) in &headers {
            if let Ok(value) = value.to_str() {
                response
                    .headers_mut()
                    .append(name.as_str().to_owned(), value.to_owned());
            }
        }
        if let Some(place) = place {
            self.hosts.answered(&place.host);
            response.add_extension(place);
        }
        Ok(response)
    }

    /// Where a request goes to.
    fn place(&self, uri: &str) -> Option<Place> {
        let service = self.service.as_ref()?;
        let (_, rest) = uri.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        Some(Place::new(
            &service.name,
            &service.region,
            &rest[..end],
            service.endpoint.as_deref(),
        ))
    }
}

fn connector_error(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

impl HttpConnector for Web {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().send(request))
    }
}

impl HttpClient for Web {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let patience = settings
            .read_timeout()
            .map(|reading| reading + settings.connect_timeout().unwrap_or(CONNECTING));
        SharedHttpConnector::new(Self {
            patience,
            ..self.clone()
        })
    }
}

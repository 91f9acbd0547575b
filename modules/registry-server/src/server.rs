//! The registry behind a listener.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request as Incoming, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use tokio::net::TcpListener;

use crate::Registry;
use crate::request::{Method, Reply, Request};

/// Headers of all replies.
const ALWAYS: [(&str, &str); 2] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
];

/// Answers what comes to `listener` until `end` is done; what is being answered then is answered.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    listener: TcpListener,
    registry: Arc<Registry>,
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new().fallback(handle).with_state(registry);
    axum::serve(listener, router)
        .with_graceful_shutdown(end)
        .await
}

async fn handle(State(registry): State<Arc<Registry>>, incoming: Incoming) -> Response {
    let (head, body) = incoming.into_parts();
    let Some(method) = Method::of(head.method.as_str()) else {
        return response(Reply::refusal(
            405,
            "The registry does not know this method.",
        ));
    };
    let address = head
        .uri
        .path_and_query()
        .map_or("/", |address| address.as_str());
    let mut request = Request::new(method, address);
    let text = |name: HeaderName| {
        let value = head.headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    request.authorization = text(header::AUTHORIZATION);
    request.host = text(header::HOST);
    // Who may not, does not get to send a body.
    let admission = match registry.admit(request).await {
        Ok(admission) => admission,
        Err(refusal) => return response(refusal),
    };
    let Ok(body) = to_bytes(body, admission.route().largest).await else {
        return response(Reply::refusal(
            413,
            "The request's body is larger than what belongs here, or broke off.",
        ));
    };
    response(registry.answer(&admission, body.to_vec()).await)
}

fn response(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body.to_vec()));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let always = ALWAYS.map(|(name, value)| (name, value.to_owned()));
    for (name, value) in reply.headers.into_iter().chain(always) {
        // Headers are our own; a value that cannot be one was made of what somebody published.
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    response
}

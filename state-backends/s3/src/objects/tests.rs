//! Deleting many objects, with servers that do it and servers that do not.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use terrace_backend_remote::{Arguments, Surroundings};
use terrace_port::Clock;
use terrace_value::Value;

use super::*;

/// A server that answers in one way.
#[derive(Clone, Debug)]
struct Server {
    status: u16,
    body: String,
    /// With how many names.
    requests: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Server {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap();
        let names = String::from_utf8_lossy(body).matches("<Key>").count();
        let mut requests = self.requests.lock().unwrap();
        requests.push(format!("{} of {names}", request.method()));
        let status = self.status.try_into().unwrap();
        let answer = HttpResponse::new(status, SdkBody::from(self.body.clone()));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

impl HttpClient for Server {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

struct Always;

impl Clock for Always {
    fn now(&self) -> (i64, u32) {
        (1_800_000_000, 0)
    }
}

/// The bucket `states` on a server.
fn bucket(server: &Server) -> Bucket {
    let environment = |_: &str| None;
    let surroundings = Surroundings {
        environment: &environment,
        directory: std::path::Path::new("."),
        clock: Arc::new(Always),
        user_agent: "Terrace/test",
        watcher: None,
    };
    let values = [
        ("bucket", "states"),
        ("key", "dev/state"),
        ("region", "us-east-1"),
    ];
    let values: BTreeMap<String, Value> = values
        .map(|(name, text)| (name.to_owned(), Value::string(text)))
        .into();
    let arguments = Arguments::new(crate::arguments(), &values, &environment).unwrap();
    let settings = Settings::new(&arguments, &surroundings).unwrap();
    let credentials = Credentials::new("id", "secret", None, None, "test");
    let s3 = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(server.clone())
        .credentials_provider(credentials.clone())
        .region(Region::new("us-east-1"))
        .endpoint_url("http://s3.test")
        .force_path_style(true)
        .retry_config(aws_config::retry::RetryConfig::disabled())
        .build();
    let dynamodb = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(server.clone())
        .credentials_provider(credentials)
        .region(Region::new("us-east-1"))
        .build();
    let clients = Clients {
        s3: aws_sdk_s3::Client::from_conf(s3),
        dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb),
    };
    Bucket::new(&settings, &clients, Arc::new(Keys::new(&settings)))
}

/// Deletes objects: which are left, or why it is to be tried again; and the requests.
async fn deletes(
    names: &[String],
    status: u16,
    body: &str,
) -> (Result<Vec<String>, Failure>, Vec<String>) {
    let server = Server {
        status,
        body: body.to_owned(),
        requests: Arc::default(),
    };
    let left = bucket(&server).delete_many(names).await;
    let requests = std::mem::take(&mut *server.requests.lock().unwrap());
    (left, requests)
}

fn names(n: usize) -> Vec<String> {
    (0..n)
        .map(|number| format!("dev/journal/{number}"))
        .collect()
}

fn error(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>It is so.</Message></Error>")
}

#[tokio::test]
async fn a_thousand_are_deleted_by_one_request() {
    let done = "<DeleteResult></DeleteResult>";
    let (left, requests) = deletes(&names(1001), 200, done).await;
    assert!(left.unwrap().is_empty());
    assert_eq!(requests, ["POST of 1000", "POST of 1"]);
}

#[tokio::test]
async fn what_a_request_did_not_delete_is_left() {
    let body = "<DeleteResult><Error><Key>dev/journal/1</Key><Code>InternalError</Code></Error></DeleteResult>";
    let (left, _) = deletes(&names(3), 200, body).await;
    assert_eq!(left.unwrap(), names(3)[1..2]);
}

#[tokio::test]
async fn all_are_left_by_a_server_that_does_not_know_the_request() {
    for (status, code) in [
        (501, "NotImplemented"),
        (400, "InvalidRequest"),
        (405, "MethodNotAllowed"),
    ] {
        let (left, requests) = deletes(&names(3), status, &error(code)).await;
        assert_eq!(left.unwrap(), names(3), "{code}");
        assert_eq!(requests, ["POST of 3"], "{code}");
    }
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again_later() {
    let (left, requests) = deletes(&names(3), 503, &error("SlowDown")).await;
    assert!(matches!(left, Err(Failure::Transient { .. })), "{left:?}");
    assert_eq!(requests, ["POST of 3"]);
}

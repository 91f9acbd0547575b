//! A server that answers as AWS does where it refuses: JSON for services such as SSM, XML for IAM and S3.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The id of every request.
pub(crate) const REQUEST: &str = "4d3fa5cb-0f5c-4b0e-9b6e-0a1b2c3d4e5f";

/// What was asked.
pub(crate) struct Request {
    /// `PutParameter` of services that name it; `PUT /bucket?versioning` of S3.
    pub(crate) operation: String,
    pub(crate) body: String,
    /// How often the same was asked before.
    pub(crate) before: usize,
}

impl Request {
    /// A part of a body in JSON.
    pub(crate) fn part(&self, name: &str) -> Json {
        let body: Json = serde_json::from_str(&self.body).unwrap();
        body[name].clone()
    }
}

/// What is answered.
pub(crate) struct Answer {
    status: u16,
    content_type: &'static str,
    body: String,
}

impl Answer {
    pub(crate) fn json(body: &Json) -> Self {
        Self {
            status: 200,
            content_type: "application/x-amz-json-1.1",
            body: body.to_string(),
        }
    }

    pub(crate) fn xml(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            content_type: "text/xml",
            body: body.into(),
        }
    }

    /// A refusal of a service that speaks JSON.
    pub(crate) fn json_error(code: &str, message: &str) -> Self {
        Self {
            status: 400,
            ..Self::json(&json!({"__type": code, "message": message}))
        }
    }

    /// A refusal of IAM, STS and others that speak the query protocol.
    pub(crate) fn query_error(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            ..Self::xml(format!(
                "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{REQUEST}</RequestId></ErrorResponse>"
            ))
        }
    }

    /// A refusal of S3.
    pub(crate) fn s3_error(status: u16, code: &str, message: &str) -> Self {
        Self {
            status,
            ..Self::xml(format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{REQUEST}</RequestId><HostId>host</HostId></Error>"
            ))
        }
    }
}

type Handler = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

/// The server. It ends with its runtime.
pub(crate) struct StandIn {
    pub(crate) endpoint: String,
    asked: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl StandIn {
    /// Starts it on a free port.
    pub(crate) async fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::at(listener, answer)
    }

    /// Starts it where it listens.
    pub(crate) fn at(
        listener: TcpListener,
        answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<BTreeMap<String, usize>>>::default();
        let (answer, seen): (Handler, _) = (Arc::new(answer), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), seen.clone()));
            }
        });
        Self { endpoint, asked }
    }

    /// How often an operation was asked for.
    pub(crate) fn asked(&self, operation: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|(request, _)| request.split('\n').next() == Some(operation))
            .map(|(_, times)| times)
            .sum()
    }
}

async fn serve(stream: TcpStream, answer: Handler, seen: Arc<Mutex<BTreeMap<String, usize>>>) {
    let mut stream = BufReader::new(stream);
    let Some((operation, body)) = request(&mut stream).await else {
        return;
    };
    let before = {
        let mut seen = seen.lock().unwrap();
        let times = seen.entry(format!("{operation}\n{body}")).or_default();
        *times += 1;
        *times - 1
    };
    let answer = answer(&Request {
        operation,
        body,
        before,
    });
    let head = format!(
        "HTTP/1.1 {} Answered\r\nx-amzn-RequestId: {REQUEST}\r\nx-amz-request-id: {REQUEST}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.status,
        answer.content_type,
        answer.body.len()
    );
    // A client that is gone needs no answer.
    stream
        .write_all((head + &answer.body).as_bytes())
        .await
        .ok();
    stream.shutdown().await.ok();
}

/// The operation that a request is for, and its body.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut first = String::new();
    stream.read_line(&mut first).await.ok()?;
    let (mut length, mut target) = (0, None);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "x-amz-target" => target = value.trim().rsplit('.').next().map(str::to_owned),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).ok()?;
    let action = || {
        let mut parts = body.split('&');
        parts.find_map(|part| part.strip_prefix("Action=").map(str::to_owned))
    };
    let words = || {
        let mut words = first.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?))
    };
    let operation = target.or_else(action).or_else(words)?;
    Some((operation, body))
}

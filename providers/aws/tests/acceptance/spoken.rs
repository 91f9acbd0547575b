//! What moto does not understand is said to it otherwise, and what it forgets is remembered for it. The provider is never made to
//! fit moto.
//!
//! - CloudWatch: the SDK speaks CBOR only, and moto does not; it does understand the same calls in JSON.
//! - SQS: moto forgets a queue's `RedriveAllowPolicy`, and its `Policy` whenever another attribute is set.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::cbor;

/// The attributes of queues that moto forgets.
const FORGOTTEN: [&str; 2] = ["Policy", "RedriveAllowPolicy"];

/// What was set of them, by the queue's name.
type Remembered = Mutex<BTreeMap<(String, &'static str), String>>;

/// A request.
struct Asked {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Serves until the runtime ends, before moto, and gives the address.
pub(crate) async fn serve(moto: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let moto: Arc<str> = moto.trim_start_matches("http://").into();
    let remembered = Arc::new(Remembered::default());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (moto, remembered) = (moto.clone(), remembered.clone());
            tokio::spawn(async move {
                // A client that hangs up in the midst of a call needs no answer.
                let _gone = forward(client, &moto, &remembered).await;
            });
        }
    });
    address
}

async fn forward(
    mut client: TcpStream,
    moto: &str,
    remembered: &Remembered,
) -> std::io::Result<()> {
    let Some(mut asked) = request(&mut client).await? else {
        return Ok(());
    };
    let cbor = to_json(&mut asked);
    let mut head = format!("{}\r\n", asked.line);
    for (name, value) in &asked.headers {
        if !["connection", "content-length"].contains(&name.as_str()) {
            head += &format!("{name}: {value}\r\n");
        }
    }
    head += &format!(
        "content-length: {}\r\nconnection: close\r\n\r\n",
        asked.body.len()
    );
    let mut server = TcpStream::connect(moto).await?;
    server.write_all(head.as_bytes()).await?;
    server.write_all(&asked.body).await?;
    let mut told = Vec::new();
    server.read_to_end(&mut told).await?;
    let end = find(&told).expect("moto answers in HTTP");
    let status = String::from_utf8_lossy(&told[..end]);
    let status = status.lines().next().unwrap_or_default().to_owned();
    let mut body = told[end + 4..].to_vec();
    let mut content = "content-type: application/x-amz-json-1.0\r\n";
    if cbor {
        let json = serde_json::from_slice(&body).unwrap_or(json!({}));
        body = cbor::encode(&json);
        content = "content-type: application/cbor\r\nsmithy-protocol: rpc-v2-cbor\r\n";
    } else if status.contains(" 200 ") {
        remember(&asked, &mut body, remembered);
    }
    let length = body.len();
    let head =
        format!("{status}\r\n{content}content-length: {length}\r\nconnection: close\r\n\r\n");
    client.write_all(head.as_bytes()).await?;
    client.write_all(&body).await
}

/// Says in JSON what was said in CBOR; whether it was.
fn to_json(asked: &mut Asked) -> bool {
    let path = asked.line.split(' ').nth(1).unwrap_or_default().to_owned();
    let Some((service, operation)) = path
        .strip_prefix("/service/")
        .and_then(|rest| rest.split_once("/operation/"))
    else {
        return false;
    };
    asked.line = "POST / HTTP/1.1".to_owned();
    asked.headers.retain(|(name, _)| {
        !["content-type", "smithy-protocol", "accept"].contains(&name.as_str())
    });
    asked
        .headers
        .push(("content-type".into(), "application/x-amz-json-1.0".into()));
    asked
        .headers
        .push(("x-amz-target".into(), format!("{service}.{operation}")));
    asked.body = cbor::decode(&asked.body).to_string().into_bytes();
    true
}

/// Remembers what moto forgets of queues, and adds it to what moto tells of them.
fn remember(asked: &Asked, body: &mut Vec<u8>, remembered: &Remembered) {
    let target = asked
        .headers
        .iter()
        .find(|(name, _)| name == "x-amz-target");
    let target = target.map_or("", |(_, target)| target.as_str());
    let Ok(said) = serde_json::from_slice::<Json>(&asked.body) else {
        return;
    };
    let name = said["QueueUrl"]
        .as_str()
        .or(said["QueueName"].as_str())
        .unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default().to_owned();
    let mut remembered = remembered.lock().unwrap();
    match target {
        "AmazonSQS.CreateQueue" | "AmazonSQS.SetQueueAttributes" => {
            for attribute in FORGOTTEN {
                if let Some(value) = said["Attributes"][attribute].as_str() {
                    remembered.insert((name.clone(), attribute), value.to_owned());
                }
            }
        }
        "AmazonSQS.DeleteQueue" => remembered.retain(|(queue, _), _| *queue != name),
        "AmazonSQS.GetQueueAttributes" => {
            let mut told: Json = serde_json::from_slice(body).unwrap();
            for attribute in FORGOTTEN {
                match remembered.get(&(name.clone(), attribute)) {
                    Some(value) if !value.is_empty() => {
                        told["Attributes"][attribute] = json!(value)
                    }
                    _ => {}
                }
            }
            *body = told.to_string().into_bytes();
        }
        _ => {}
    }
}

/// The request of a connection; none where there is none.
async fn request(client: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = find(&bytes) {
            break end;
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let line = lines.next().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length
        .and_then(|(_, length)| length.parse().ok())
        .unwrap_or(0);
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if client.read_buf(&mut body).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(Asked {
        line,
        headers,
        body,
    }))
}

fn find(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n")
}

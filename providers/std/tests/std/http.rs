//! `http`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use serde_json::json;
use terrace_value::Value;

use crate::support::{Driver, text};

/// A server that gives these answers, one to a connection, and tells what it was asked.
fn server(answers: &'static [&'static str]) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/path", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for (answer, stream) in answers.iter().zip(listener.incoming()) {
            let mut stream = stream.unwrap();
            sender.send(asked(&stream)).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, receiver)
}

fn asked(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

const FINE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Twice: a\r\nX-Twice: b\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const MISSING: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

#[test]
fn a_request_is_made_and_answered() {
    let driver = Driver::new("http");
    let (url, requests) = server(&[FINE]);
    let config = json!({
        "url": url,
        "method": "POST",
        "request_headers": {"X-Own": "yes"},
        "request_body": "question",
    });
    let read = driver.read_data("http", &config.to_string()).unwrap();
    let asked = requests.recv().unwrap();
    assert!(asked.starts_with("POST /path HTTP/1.1\r\n"), "{asked}");
    assert!(asked.to_lowercase().contains("x-own: yes\r\n") && asked.ends_with("question"));
    assert_eq!(text(&read, "response_body"), "hello");
    assert_eq!(text(&read, "body"), "hello");
    assert_eq!(text(&read, "response_body_base64"), "aGVsbG8=");
    assert_eq!(text(&read, "status_code"), "200");
    assert_eq!(text(&read, "id"), url);
    let headers = read.get("response_headers").unwrap();
    assert_eq!(text(headers, "X-Twice"), "a, b");
    assert_eq!(text(headers, "Content-Type"), "text/plain");
}

#[test]
fn what_may_pass_is_asked_again() {
    let driver = Driver::new("http");
    let (url, _requests) = server(&[BUSY, FINE]);
    let config =
        json!({"url": url, "retry": {"attempts": 1, "min_delay_ms": 1, "max_delay_ms": 2}});
    let read = driver.read_data("http", &config.to_string()).unwrap();
    assert_eq!(text(&read, "status_code"), "200");

    let (url, _requests) = server(&[BUSY]);
    let told = driver
        .read_data("http", &json!({"url": url}).to_string())
        .unwrap_err();
    assert_eq!(
        told,
        [format!(
            "Error making request: Error making request: GET {url} giving up after 1 attempt(s)"
        )]
    );
    let (url, _requests) = server(&[MISSING]);
    let read = driver
        .read_data("http", &json!({"url": url}).to_string())
        .unwrap();
    assert_eq!(read.get("status_code").cloned(), Some(Value::int(404)));
}

#[test]
fn mistakes_are_told() {
    let driver = Driver::new("http");
    let config = json!({"url": "http://127.0.0.1:1", "ca_cert_pem": "nonsense"}).to_string();
    let told = driver.read_data("http", &config).unwrap_err();
    assert!(
        told[0].starts_with("Error configuring TLS client: "),
        "{told:?}"
    );
    let told = driver
        .read_data("http", &json!({"url": "http://127.0.0.1:1"}).to_string())
        .unwrap_err();
    assert!(told[0].contains("giving up after 1 attempt(s)"), "{told:?}");
}

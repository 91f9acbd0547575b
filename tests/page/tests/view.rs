//! `terrace view`: a run in a file, a plan file, and the server.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use terrace_test_support::Project;

const CONFIGURATION: &str = r#"
variable "secret" {
  type      = string
  default   = "hunter2-is-secret"
  sensitive = true
}

resource "terraform_data" "shop" {
  for_each = toset(["a", "</script><script>x()"])
  input    = { greeting = each.key, password = var.secret }
}

resource "terraform_data" "till" {
  input = terraform_data.shop["a"].output
}
"#;

const PROJECT: &str = r#"
project "corner" {}

person "ann" {
  ssh = ["SHA256:2vJx0mJmU0wq3k1fP9C3hT8qk0n5sYb7c1dRzE4uLQk"]
}

person "ben" {
  ssh = ["SHA256:3vJx0mJmU0wq3k1fP9C3hT8qk0n5sYb7c1dRzE4uLQk"]
}

environment "prd" {
  gate {
    approvals = 1
  }
}
"#;

/// The data of a page.
fn data(html: &str) -> Value {
    let (_, from) = html.split_once("id=\"data\">").unwrap();
    serde_json::from_str(from.split_once("</script>").unwrap().0).unwrap()
}

fn run_id(project: &Project) -> String {
    let runs = project
        .terrace(&["runs", "-env=prd", "-json"])
        .success()
        .json();
    runs[0]["id"].as_str().unwrap().to_owned()
}

/// A project with a run of `prd`.
fn planned() -> (Project, String) {
    let project = Project::with(CONFIGURATION);
    project.write("terrace.hcl", PROJECT);
    project
        .terrace(&["plan", "-env=prd", "-purpose=more tills"])
        .success();
    let id = run_id(&project);
    (project, id)
}

#[test]
fn a_run_is_written_as_one_file() {
    let (project, id) = planned();
    // The environment is found by the run.
    project
        .terrace(&["view", "-html=page.html", &id[..6]])
        .success()
        .says("Wrote the page to page.html.");
    let html = project.read("page.html");
    assert!(!html.contains("hunter2-is-secret"));
    let data = data(&html);
    assert_eq!(data["title"], format!("Run {id} for prd"));
    assert_eq!(data["status"], "planned");
    assert_eq!(data["changes"].as_array().unwrap().len(), 3);
    assert_eq!(data["statements"], json!([["purpose", "more tills"]]));
    let gate = &data["gate"];
    assert_eq!(gate["environment"], "prd");
    assert!(gate["asks"][0].as_str().unwrap().starts_with("1 approval"));
    assert!(!gate["missing"].as_array().unwrap().is_empty());
    let facts = data["facts"].as_array().unwrap();
    assert!(facts.contains(&json!(["Stack", "corner"])), "{facts:?}");
    let edges = data["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 2, "the till depends on the shop: {data:#}");
    // A second time the bytes are the same.
    project
        .terrace(&["view", "-env=prd", "-html", "again.html", &id])
        .success();
    assert_eq!(project.read("again.html"), html);
}

#[test]
fn a_plan_file_needs_no_project() {
    let project = Project::with(CONFIGURATION);
    project.terrace(&["plan", "-out=saved.plan"]).success();
    project
        .terrace(&["view", "-html=page.html", "saved.plan"])
        .success();
    let data = data(&project.read("page.html"));
    assert_eq!(data["gate"], Value::Null);
    assert_eq!(data["changes"].as_array().unwrap().len(), 3);
    project
        .terrace(&["view", "-html=x.html", "main.tf"])
        .fails(1)
        .says("main.tf is not a plan file of Terrace.");
    project
        .terrace(&["view", "-html=x.html", "abc"])
        .fails(1)
        .says("There is no run \"abc\" here.");
}

/// One request and its answer.
fn ask(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(2)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

#[test]
fn the_server_is_for_this_machine_and_its_address_alone() {
    let (project, id) = planned();
    let mut running = project.start(&["view", "-env=prd", &id]);
    running.until("the address is told", |running| {
        running.printed().contains("Ctrl-C")
    });
    let printed = running.printed();
    let address = printed
        .lines()
        .find(|line| line.starts_with("http://127.0.0.1:"))
        .unwrap();
    let (port, path) = address
        .strip_prefix("http://127.0.0.1:")
        .and_then(|rest| rest.split_once('/'))
        .unwrap();
    let port: u16 = port.parse().unwrap();
    let path = format!("/{path}");
    assert!(path.len() > 32, "{path}");
    let own = format!("Host: 127.0.0.1:{port}");

    let answer = ask(port, &format!("GET {path} HTTP/1.1\r\n{own}\r\n\r\n"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(
        head.contains("Content-Security-Policy: default-src 'none'; "),
        "{head}"
    );
    assert!(
        !head.to_ascii_lowercase().contains("access-control"),
        "{head}"
    );
    assert_eq!(data(body)["title"], format!("Run {id} for prd"));

    for (request, status) in [
        (
            format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
            "403",
        ),
        (
            format!("GET {path} HTTP/1.1\r\n{own}\r\nOrigin: http://evil.example\r\n\r\n"),
            "403",
        ),
        (format!("GET / HTTP/1.1\r\n{own}\r\n\r\n"), "404"),
        (
            format!("GET {path}../../terrace.hcl HTTP/1.1\r\n{own}\r\n\r\n"),
            "404",
        ),
        (
            format!("POST {path} HTTP/1.1\r\n{own}\r\nContent-Length: 0\r\n\r\n"),
            "405",
        ),
        (format!("DELETE {path} HTTP/1.1\r\n{own}\r\n\r\n"), "405"),
    ] {
        let answer = ask(port, &request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {answer}"
        );
        assert!(!answer.contains("terraform_data"), "{answer}");
    }
    running.interrupt();
    running.wait().success();
}

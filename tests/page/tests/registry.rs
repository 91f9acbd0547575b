//! The registry's pages in a real browser: for everybody, by keyboard alone, and against texts that try to be scripts.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use terrace_test_services::Browser;
use terrace_test_support::{Project, Running};

/// What a script would set in the window, could it run.
const CANARY: &str = "terraceCanary";
const KEY: &str = include_str!("../../../engine/gate/tests/gate/keys/ecdsa");
const MODULE: &str = "acme/network/aws";
const AT: &str = "-at=../registry/content";

/// A registry with modules and a provider, served.
struct Stage {
    project: Project,
    _running: Running,
    base: String,
}

impl Stage {
    fn new() -> Self {
        let project = Project::new();
        std::fs::write(project.outer().join("key"), KEY).unwrap();
        fill(&project);
        let said = project
            .terrace(&[
                "registry",
                "token",
                "-store=../registry",
                "-role=publish",
                "ci",
            ])
            .success();
        let mut running = project.start(&[
            "registry",
            "serve",
            "-store=../registry",
            "-public",
            "-listen=127.0.0.1:0",
        ]);
        running.until("it names its address", |running| {
            running.printed().contains("Ctrl-C")
        });
        let base = running.printed().lines().next().unwrap().trim().to_owned();
        publish_provider(&base, said.stdout.trim());
        Self {
            project,
            _running: running,
            base,
        }
    }

    fn play(&self, browser: &Browser, mut job: Value) -> Value {
        job["base"] = json!(self.base);
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("registry.cjs");
        browser.play(&driver, &job).unwrap()
    }
}

fn publish(project: &Project, name: &str, version: &str) {
    let arguments = [
        "module",
        "publish",
        "-to=../registry/content",
        &format!("-version={version}"),
        "-key=../key",
        "-allow-uncommitted",
        name,
    ];
    project.terrace(&arguments).success();
}

fn change(project: &Project, arguments: &[&str]) {
    let all = [&["module"], arguments].concat();
    project.terrace(&all).success();
}

/// Modules, straight into the registry's store: the server shows what lies there.
fn fill(project: &Project) {
    let publish = |name: &str, version: &str| publish(project, name, version);
    let change = |arguments: &[&str]| change(project, arguments);
    project.write("README.md", "# Network\n\nA network with subnets in every zone, and routes between them.\n\n## How to use it\n\n- name the **zones**\n- give it a range\n\n```hcl\nmodule \"network\" {\n  source  = \"registry.example.com/acme/network/aws\"\n  version = \"~> 2.0\"\n  zones   = [\"a\", \"b\"]\n}\n```\n\nMore is said [elsewhere](https://example.com/network).\n");
    project.write("main.tf", "variable \"zones\" {\n  type        = list(string)\n  description = \"The zones that get a subnet.\"\n}\n\nvariable \"range\" {\n  type        = string\n  description = \"The network's addresses.\"\n  default     = \"10.0.0.0/16\"\n}\n\nresource \"terraform_data\" \"subnet\" {\n  for_each = toset(var.zones)\n}\n\noutput \"subnets\" {\n  description = \"The subnets, by zone.\"\n  value       = terraform_data.subnet\n}\n");
    project.commit(".", "A network");
    let origin = "https://git.example.com/acme/network.git";
    project.git(&["remote", "add", "origin", origin]);
    publish(MODULE, "1.0.0");
    publish(MODULE, "2.0.0");
    publish(MODULE, "2.1.0");
    change(&["deprecate", AT, "-reason=use 2.0", MODULE, "1.0.0"]);
    change(&["yank", AT, "-reason=it deletes too much", MODULE, "2.0.0"]);
    project.write(
        "README.md",
        "# Shop\n\nA shop's front page behind a cache.\n",
    );
    publish("acme/storefront/aws", "0.3.1");
}

/// A module whose texts try to be scripts.
fn add_hostile(project: &Project) {
    let run = format!("window.{CANARY}=1");
    project.write("README.md", format!("# <script>{run}</script>\n\n<img src=x onerror=\"{run}\"> [here](javascript:{run})\n\n```\n</code><script>{run}</script>\n```\n| <svg onload={run}> |\n"));
    project.write("main.tf", format!("variable \"a\" {{\n  description = \"<script>{run}</script>\"\n  default     = \"\\\"><iframe srcdoc='<script>parent.{CANARY}=1</script>'>\"\n}}\n"));
    publish(project, "hostile/module/aws", "1.0.0");
    let reason = format!("-reason=<script>{run}</script>");
    change(
        project,
        &["deprecate", AT, &reason, "hostile/module/aws", "1.0.0"],
    );
}

fn put(base: &str, token: &str, path: &str, body: &[u8]) -> Value {
    let authority = base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(authority).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(5)))
        .unwrap();
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_default()
}

fn publish_provider(base: &str, token: &str) {
    let release = "/v1/providers/acme/widget/1.0.0";
    let package = b"a package";
    let name = "terraform-provider-widget_1.0.0";
    let sums = format!("{:x}  {name}_linux_amd64.zip\n", Sha256::digest(package));
    let mut files = json!({});
    for (ending, content) in [
        ("_linux_amd64.zip", &package[..]),
        ("_SHA256SUMS", sums.as_bytes()),
        ("_SHA256SUMS.sig", b"signed"),
    ] {
        let file = format!("{name}{ending}");
        let path = format!("{release}/files/{file}");
        files[&file] = put(base, token, &path, content)["sha256"].clone();
    }
    let document = json!({
        "protocols": ["5.0"],
        "files": files,
        "keys": [{"key_id": "AB12", "ascii_armor": "a key"}],
    });
    put(base, token, release, document.to_string().as_bytes());
}

/// All pages there are, and a search that finds nothing.
fn paths() -> Value {
    json!([
        "/",
        "/?q=network",
        "/?q=nothing+at+all",
        format!("/modules/{MODULE}"),
        format!("/modules/{MODULE}/1.0.0"),
        format!("/modules/{MODULE}/2.0.0"),
        "/modules/hostile/module/aws",
        "/providers/acme/widget"
    ])
}

#[test]
fn the_pages_are_for_everybody_and_run_nothing() {
    let browser = match Browser::get() {
        Ok(browser) => browser,
        Err(why) => {
            println!("SKIPPED the registry's pages: {why}");
            return;
        }
    };
    let stage = Stage::new();
    take_screenshots(&stage, &browser);
    add_hostile(&stage.project);
    let found = stage.play(
        &browser,
        json!({"action": "accessibility", "paths": paths()}),
    );
    let violations: Vec<&str> = found["found"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    println!(
        "axe-core looked at the registry's pages {} times and found {} violations",
        found["looks"],
        violations.len()
    );
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    assert_eq!(found["looks"], 32);

    let job = json!({"action": "keyboard", "query": "network", "module": MODULE});
    let found = stage.play(&browser, job);
    assert_eq!(found["skip"]["text"], "Skip to the content");
    assert_eq!(found["search"]["id"], "search", "{found}");
    assert_eq!(found["status"], "1 module and 0 providers.");
    assert_eq!(found["main"], "#content");
    assert_eq!(found["heading"], format!("{MODULE} 2.1.0"));
    let text = found["text"].as_str().unwrap();
    for part in [
        "The zones that get a subnet.",
        "10.0.0.0/16",
        "The subnets, by zone.",
        "A network with subnets in every zone",
        "SHA256:",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(found["errors"], json!([]));

    let found = stage.play(
        &browser,
        json!({"action": "injection", "paths": paths(), "canary": CANARY}),
    );
    for outcome in found.as_array().unwrap() {
        assert_eq!(outcome["canary"], Value::Null, "{outcome}");
        for name in ["foreign", "handlers", "dialogs"] {
            assert_eq!(outcome[name], 0, "{name}: {outcome}");
        }
        for request in outcome["requests"].as_array().unwrap() {
            let request = request.as_str().unwrap();
            assert!(request.starts_with(&stage.base), "{outcome}");
        }
        assert_eq!(outcome["errors"], json!([]), "{outcome}");
    }
}

/// The documentation's pictures, before there is anything hostile.
fn take_screenshots(stage: &Stage, browser: &Browser) {
    if std::env::var_os("TERRACE_SCREENSHOTS").is_none() {
        println!("SKIPPED the documentation's pictures: TERRACE_SCREENSHOTS is not set");
        return;
    }
    let directory: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/images");
    let module = format!("/modules/{MODULE}");
    let job = json!({"action": "screenshots", "module": module, "directory": directory});
    stage.play(browser, job);
    assert!(directory.join("registry-module.png").exists());
}

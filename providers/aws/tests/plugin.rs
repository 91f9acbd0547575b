//! The native provider as a plugin: `terraform` plans, applies and destroys with it. How long it needs to start is printed.
#![expect(
    clippy::unwrap_used,
    reason = "what a test sets up must succeed, or the test fails"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests start processes and write files"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use terrace_test_services::{Moto, aws_plugin};

/// By this a plugin knows that an engine starts it.
const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);

/// How often the start is measured.
const STARTS: usize = 5;

fn configuration(endpoint: &str, value: &str) -> String {
    format!(
        r#"provider "aws" {{
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = "true"
  default_tags {{
    tags = {{ team = "web" }}
  }}
  endpoints {{
    ssm = "{endpoint}"
  }}
}}

resource "aws_ssm_parameter" "url" {{
  name  = "/app/url"
  type  = "String"
  value = "{value}"
  tags  = {{ use = "test" }}
}}

data "aws_ssm_parameter" "url" {{
  name = aws_ssm_parameter.url.name
}}

output "read" {{
  value     = data.aws_ssm_parameter.url.value
  sensitive = true
}}
"#
    )
}

/// A directory where `terraform` uses the plugin.
struct Project {
    directory: tempfile::TempDir,
}

impl Project {
    fn new(plugin: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let plugins = directory.path().join("plugins");
        std::fs::create_dir(&plugins).unwrap();
        std::os::unix::fs::symlink(plugin, plugins.join("terraform-provider-aws")).unwrap();
        let settings = format!(
            "provider_installation {{\n  dev_overrides {{\n    \"hashicorp/aws\" = {:?}\n  }}\n  direct {{}}\n}}\n",
            plugins.display().to_string()
        );
        std::fs::write(directory.path().join("cli.tfrc"), settings).unwrap();
        Self { directory }
    }

    fn write(&self, text: &str) {
        std::fs::write(self.directory.path().join("main.tf"), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> std::io::Result<Output> {
        Command::new("terraform")
            .args(arguments)
            .current_dir(self.directory.path())
            .env("TF_CLI_CONFIG_FILE", self.directory.path().join("cli.tfrc"))
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .output()
    }

    /// Runs it to its end with this status, and gives what it wrote.
    fn ends(&self, status: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments).unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(status),
            "terraform {arguments:?}\n{stdout}\n{stderr}"
        );
        stdout
    }

    fn parameter(&self) -> Json {
        let shown: Json = serde_json::from_str(&self.ends(0, &["show", "-json"])).unwrap();
        let resources = shown["values"]["root_module"]["resources"]
            .as_array()
            .cloned();
        resources
            .unwrap_or_default()
            .into_iter()
            .find(|resource| resource["address"] == "aws_ssm_parameter.url")
            .unwrap_or_default()["values"]
            .clone()
    }
}

fn plugin() -> PathBuf {
    aws_plugin().unwrap()
}

#[test]
fn terraform_manages_a_parameter_through_it() {
    let moto = match Moto::start() {
        Ok(moto) => moto,
        Err(why) => {
            println!("SKIPPED the plugin under terraform: {why}");
            return;
        }
    };
    let project = Project::new(&plugin());
    if project.run(&["version"]).is_err() {
        println!("SKIPPED the plugin under terraform: there is no terraform on this machine");
        return;
    }
    project.write(&configuration(&moto.endpoint(), "https://example.com"));
    project.ends(2, &["plan", "-detailed-exitcode"]);
    project.ends(0, &["apply", "-auto-approve"]);
    let made = project.parameter();
    assert_eq!(made["id"], "/app/url");
    assert_eq!(made["value"], "https://example.com");
    assert_eq!(made["version"], 1);
    assert_eq!(made["tags"], serde_json::json!({"use": "test"}));
    assert_eq!(
        made["tags_all"],
        serde_json::json!({"team": "web", "use": "test"})
    );
    project.ends(0, &["plan", "-detailed-exitcode"]);
    project.write(&configuration(&moto.endpoint(), "https://example.org"));
    project.ends(0, &["apply", "-auto-approve"]);
    let changed = project.parameter();
    assert_eq!(changed["value"], "https://example.org");
    assert_eq!(changed["version"], 2);
    let read = project.ends(0, &["output", "-raw", "read"]);
    assert_eq!(read, "https://example.org");
    project.ends(0, &["destroy", "-auto-approve"]);
    assert!(project.parameter().is_null(), "nothing is left");
}

#[test]
fn it_says_where_it_serves() {
    let plugin = plugin();
    let mut took: Vec<Duration> = (0..STARTS).map(|_| started(&plugin)).collect();
    took.sort();
    println!(
        "the plugin says where it serves after {:?} (the middle of {STARTS}; from {:?} to {:?})",
        took[STARTS / 2],
        took[0],
        took[STARTS - 1]
    );
}

/// How long it takes until a plugin says where it serves.
fn started(plugin: &Path) -> Duration {
    // Its socket is there.
    let directory = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let mut child = Command::new(plugin)
        .env(COOKIE.0, COOKIE.1)
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env("TMPDIR", directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let read = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
    let took = start.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    read.unwrap();
    let words: Vec<&str> = line.trim_end().split('|').collect();
    assert_eq!(words.first(), Some(&"1"), "{line:?}");
    assert!(words.len() >= 5, "{line:?}");
    took
}

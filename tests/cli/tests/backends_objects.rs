//! States in object stores through the command line, in turns with the reference where it is installed.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use terrace_test_services::{CloudStorage, Moto};
use terrace_test_support::{Project, available};

/// Sends a request to moto.
fn send(moto: &Moto, head: &str, body: &str) {
    let authority = moto.endpoint().replace("http://", "");
    let mut stream = TcpStream::connect(&authority).unwrap();
    let length = body.len();
    let request = format!(
        "{head}\r\nHost: {authority}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// moto with a bucket and a table.
fn moto() -> Option<Moto> {
    let moto = available("backends over moto", Moto::start())?;
    send(&moto, "PUT /states HTTP/1.1", "");
    let scope =
        "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request";
    let head = format!(
        "POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.CreateTable\r\nContent-Type: application/x-amz-json-1.0\r\n{scope}"
    );
    let table = r#"{"TableName": "locks", "KeySchema": [{"AttributeName": "LockID", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST"}"#;
    send(&moto, &head, table);
    Some(moto)
}

fn s3(moto: &Moto, key: &str, lock: &str) -> String {
    let endpoint = moto.endpoint();
    format!(
        r#"
terraform {{
  backend "s3" {{
    bucket                  = "states"
    key                     = "{key}"
    region                  = "us-east-1"
    use_path_style          = true
    skip_metadata_api_check = true
    {lock}
    endpoints = {{
      s3       = "{endpoint}"
      dynamodb = "{endpoint}"
      sts      = "{endpoint}"
    }}
  }}
}}
"#
    )
}

const RESOURCES: &str = r#"
variable "seconds" {
  default = 0
}

resource "terraform_data" "slow" {
  triggers_replace = var.seconds

  provisioner "local-exec" {
    command = "sleep ${var.seconds}"
  }
}

output "seconds" {
  value = var.seconds
}
"#;

const APPLY: &[&str] = &["apply", "-auto-approve", "-input=false", "-no-color"];

fn project(configuration: &str) -> Project {
    let mut project = Project::with(&(configuration.to_owned() + RESOURCES));
    project.set("AWS_ACCESS_KEY_ID", "test");
    project.set("AWS_SECRET_ACCESS_KEY", "test");
    project
}

fn has_the_reference() -> bool {
    let there = Command::new("terraform").arg("version").output();
    let there = there.is_ok_and(|output| output.status.success());
    if !there {
        println!("SKIPPED turns with the reference: it is not installed");
    }
    there
}

/// Runs the reference in a project.
fn reference(project: &Project, arguments: &[&str]) -> (bool, String) {
    let output = project.command("terraform", arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

/// The id of the lock that somebody was shown.
fn lock_id(said: &str) -> String {
    let (_, rest) = said.split_once(" ID: ").unwrap_or_else(|| panic!("{said}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

fn takes_turns(project: &Project) {
    project.terrace(&["init", "-input=false"]).success();
    project.terrace(APPLY).success();
    if !has_the_reference() {
        return;
    }
    let (succeeded, said) = reference(
        project,
        &["init", "-input=false", "-no-color", "-reconfigure"],
    );
    assert!(succeeded, "{said}");
    let (succeeded, said) = reference(project, APPLY);
    assert!(
        succeeded && said.contains("0 added, 0 changed, 0 destroyed"),
        "{said}"
    );

    // Theirs refuses ours, which names it, and releases it by force when its holder is dead.
    let log = project.outer().join("theirs.log");
    let mut slow = project.command("terraform", APPLY);
    let slow = slow
        .arg("-var=seconds=120")
        .stdout(File::create(&log).unwrap())
        .stderr(std::process::Stdio::null());
    let mut child = slow.spawn().unwrap();
    let begun = Instant::now();
    while !std::fs::read_to_string(&log)
        .unwrap()
        .contains("Provisioning with")
    {
        assert!(begun.elapsed() < Duration::from_mins(3), "never applied");
        std::thread::sleep(Duration::from_millis(50));
    }
    let refused = project
        .terrace(&[APPLY, &["-var=seconds=1"]].concat())
        .fails(1);
    let said = refused.says("Error acquiring the state lock").all();
    child.kill().unwrap();
    child.wait().unwrap();
    let id = lock_id(&said);
    project.terrace(&["force-unlock", "-force", &id]).success();

    // Ours refuses theirs.
    let mut holding = project.start(&[APPLY, &["-var=seconds=121"]].concat());
    holding.until("applying", |running| {
        running.printed().contains("Provisioning with")
    });
    let (succeeded, said) = reference(project, &["plan", "-input=false", "-no-color"]);
    assert!(!succeeded, "{said}");
    assert!(said.contains("tester@machine"), "{said}");
    holding.kill();
    drop(holding);
    let (succeeded, said) = reference(
        project,
        &["force-unlock", "-force", "-no-color", &lock_id(&said)],
    );
    assert!(succeeded, "{said}");
    let (succeeded, said) = reference(project, &["output", "-no-color"]);
    assert!(succeeded && said.contains("seconds = "), "{said}");
}

#[test]
fn s3_with_lock_objects_and_items() {
    let Some(moto) = moto() else {
        return;
    };
    takes_turns(&project(&s3(
        &moto,
        "objects/terraform.tfstate",
        "use_lockfile = true",
    )));
    takes_turns(&project(&s3(
        &moto,
        "items/terraform.tfstate",
        "dynamodb_table = \"locks\"",
    )));

    // What the settings say is looked at before anything is asked for.
    let project = project(&s3(
        &moto,
        "/terraform.tfstate",
        "kms_key_id = \"x\"\n    acl = \"private\"",
    ));
    project
        .terrace(&["init", "-input=false"])
        .fails(1)
        .says("The value must not start or end with \"/\"")
        .says("Value must be a valid KMS Key ID, got \"x\"");
}

#[test]
fn cloud_storage_with_workspaces() {
    let storage = CloudStorage::start("states", "the-token").unwrap();
    let configuration = format!(
        r#"
terraform {{
  backend "gcs" {{
    bucket                  = "states"
    prefix                  = "dev"
    storage_custom_endpoint = "{}/storage/v1/b"
  }}
}}
"#,
        storage.endpoint()
    );
    let mut project = project(&configuration);
    project.set("GOOGLE_OAUTH_ACCESS_TOKEN", "the-token");
    project.terrace(&["init", "-input=false"]).success();
    project.terrace(&["workspace", "new", "other"]).success();
    project.terrace(APPLY).success();
    let state = String::from_utf8(storage.object("dev/other.tfstate").unwrap()).unwrap();
    assert!(state.contains("terraform_data"), "{state}");
    assert!(storage.object("dev/other.tflock").is_none());
    project
        .terrace(&["workspace", "list"])
        .success()
        .says("default")
        .says("other");
}

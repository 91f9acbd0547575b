//! Logging in and out.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use terrace_test_services::{Reply, Web};
use terrace_test_support::{Project, terrace};

/// A host that people log in to, found by discovery and trusted by its certificate.
fn host(project: &mut Project, service: &str) -> Web {
    let web = Web::start_secure().unwrap();
    let certificate = project.outer().join("ca.pem");
    std::fs::write(&certificate, web.certificate()).unwrap();
    project.set("SSL_CERT_FILE", certificate);
    web.on("/.well-known/terraform.json", Reply::json(service));
    web
}

fn stored(project: &Project) -> String {
    let path = project
        .outer()
        .join("home/.terraform.d/credentials.tfrc.json");
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Asks as a browser would, and gives the answer.
fn browse(address: &str) -> String {
    let rest = address.strip_prefix("http://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {authority}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A parameter of an address, with the little that is escaped in these.
fn parameter(address: &str, name: &str) -> String {
    let query = address.split_once('?').unwrap().1;
    let found = query
        .split('&')
        .find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    found.unwrap().replace("%3A", ":").replace("%2F", "/")
}

#[test]
fn a_token_is_had_through_the_browser_and_forgotten_again() {
    let mut project = Project::new();
    let web = host(
        &mut project,
        r#"{"login.v1":{"client":"terrace-test","grant_types":["authz_code"],"authz":"/authorize","token":"/token","ports":[10000,10100]}}"#,
    );
    web.on(
        "/token",
        Reply::json(r#"{"access_token":"sesame","token_type":"bearer"}"#),
    );
    let authority = web.authority();
    let mut child = project
        .command(terrace(), &["login", &authority])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"yes\n").unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines
        .by_ref()
        .map(Result::unwrap)
        .find(|line| line.trim().starts_with("https://"))
        .unwrap();
    let address = address.trim().to_owned();
    assert!(address.starts_with(&web.url("/authorize?")), "{address}");
    assert_eq!(parameter(&address, "client_id"), "terrace-test");
    assert_eq!(parameter(&address, "code_challenge_method"), "S256");
    let redirect = parameter(&address, "redirect_uri");
    let state = parameter(&address, "state");
    let local = redirect.replace("localhost", "127.0.0.1");
    // Somebody else's answer is none.
    assert!(browse(&format!("{local}?code=evil&state=guessed")).starts_with("HTTP/1.1 400"));
    assert!(browse(&local.replace("/login", "/favicon.ico")).starts_with("HTTP/1.1 404"));
    assert!(browse(&format!("{local}?code=good&state={state}")).starts_with("HTTP/1.1 200"));
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success());
    let rest = rest.join("\n");
    assert!(
        rest.contains("Success! Terrace has obtained and saved an API token."),
        "{rest}"
    );
    assert_eq!(
        stored(&project),
        format!(
            "{{\n  \"credentials\": {{\n    \"{authority}\": {{\n      \"token\": \"sesame\"\n    }}\n  }}\n}}"
        )
    );
    let asked = web
        .asked()
        .into_iter()
        .find(|asked| asked.path == "/token")
        .unwrap();
    let form = String::from_utf8(asked.body).unwrap();
    assert!(form.contains("code=good") && form.contains("grant_type=authorization_code"));
    assert!(form.contains("code_verifier="), "{form}");

    // Terraform reads what Terrace stored.
    project
        .terrace(&["logout", &authority])
        .success()
        .says("Success! Terrace has removed the stored API token");
    assert!(!stored(&project).contains("sesame"));
    project
        .terrace(&["logout", &authority])
        .success()
        .says("No credentials for")
        .says("are stored");
}

#[test]
fn whoever_cannot_be_asked_is_told_another_way() {
    let mut project = Project::new();
    let web = host(&mut project, "{}");
    let authority = web.authority();
    project
        .terrace(&["login", "-input=false", &authority])
        .fails(1)
        .says("Login is an interactive command")
        .says("TF_TOKEN_");
    project
        .terrace(&["login", &authority])
        .fails(1)
        .says("Host does not support Terraform login");
    project
        .terrace(&["login", "a b"])
        .fails(1)
        .says("Invalid hostname");
    super::configure(
        &mut project,
        &format!("credentials \"{authority}\" {{\n  token = \"x\"\n}}\n"),
    );
    project
        .terrace(&["login", &authority])
        .fails(1)
        .says("are manually configured");
    project
        .terrace(&["logout", &authority])
        .fails(1)
        .says("are manually configured");
}

#[test]
fn a_token_can_be_pasted() {
    let mut project = Project::new();
    let web = host(&mut project, r#"{"tfe.v2":"/api/v2/"}"#);
    let authority = web.authority();
    let mut child = project
        .command(terrace(), &["login", &authority])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typed = child.stdin.take().unwrap();
    typed.write_all(b"yes\npasted-token\n").unwrap();
    drop(typed);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(stored(&project).contains("pasted-token"));
}

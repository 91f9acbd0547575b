//! Modules published by Terrace to each place, and what those who install them get and are told.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test"
)]

mod bucket;
mod kills;
mod places;
mod server;
mod trust;

use std::path::Path;
use std::process::Command;

use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};
use terrace_test_services::{Reply, Web};
use terrace_test_support::{Project, Ran, Running};

/// The host that consumers name, which their CLI configuration leads to a server of this machine.
const HOST: &str = "registry.example.com";
const MODULE: &str = "acme/network/aws";

/// Someone who publishes a module: its directory, and the key that signs it.
struct Author {
    project: Project,
    fingerprint: String,
}

impl Author {
    fn new() -> Self {
        let project = Project::with(
            "variable \"name\" {\n  type        = string\n  description = \"Whose network it is.\"\n}\n\noutput \"id\" {\n  description = \"The network.\"\n  value       = \"net-${var.name}\"\n}\n",
        );
        project.write("README.md", "# Network\n\nA network for tests.\n");
        project.write("sub/main.tf", "output \"sub\" {\n  value = \"sub\"\n}\n");
        let fingerprint = make_key(&project.outer().join("key"));
        Self {
            project,
            fingerprint,
        }
    }

    /// Changes what the module is.
    fn edit(&self, text: &str) {
        self.project.write("more.tf", format!("# {text}\n"));
    }

    /// With which arguments this place is published to.
    fn arguments(&self, place: &str, version: &str) -> Vec<String> {
        let key = self.project.outer().join("key");
        ["module", "publish"]
            .map(str::to_owned)
            .into_iter()
            .chain([
                format!("-to={place}"),
                format!("-version={version}"),
                format!("-key={}", key.display()),
                MODULE.to_owned(),
            ])
            .collect()
    }

    fn publish(&self, place: &str, version: &str) -> Ran {
        let arguments = self.arguments(place, version);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.project.terrace(&arguments)
    }

    fn start_publishing(&self, place: &str, version: &str) -> Running {
        let arguments = self.arguments(place, version);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.project.start(&arguments)
    }

    /// The folder beside the module that `../site` names.
    fn site(&self) -> std::path::PathBuf {
        self.project.outer().join("site")
    }
}

/// A throwaway key in a file; gives its fingerprint.
fn make_key(path: &Path) -> String {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&rand::random()));
    std::fs::write(path, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
    key.public_key().fingerprint(HashAlg::Sha256).to_string()
}

/// A CLI configuration that leads the host to a registry, with a token.
fn cli_config(url: &str, token: &str) -> String {
    let credentials = if token.is_empty() {
        String::new()
    } else {
        format!("credentials \"{HOST}\" {{\n  token = \"{token}\"\n}}\n")
    };
    format!(
        "host \"{HOST}\" {{\n  services = {{\n    \"modules.v1\"   = \"{url}/v1/modules/\"\n    \"providers.v1\" = \"{url}/v1/providers/\"\n  }}\n}}\n{credentials}"
    )
}

fn configure(project: &mut Project, cli_config: &str) {
    let path = project.outer().join("cli.tfrc");
    std::fs::write(&path, cli_config).unwrap();
    project.set("TF_CLI_CONFIG_FILE", path);
    project.set("TF_REGISTRY_DISCOVERY_RETRY", "0");
}

/// Someone who calls the module from the registry.
fn consumer(cli_config: &str, version: &str) -> Project {
    let mut project = Project::with(&calling(version));
    configure(&mut project, cli_config);
    project
}

fn calling(version: &str) -> String {
    call(
        &format!("{HOST}/{MODULE}"),
        &format!("  version = \"{version}\"\n"),
    )
}

fn call(source: &str, more: &str) -> String {
    format!(
        "module \"network\" {{\n  source  = \"{source}\"\n{more}  name    = \"x\"\n}}\n\noutput \"id\" {{\n  value = module.network.id\n}}\n"
    )
}

/// A static web server over the files of a folder, which knows nothing of registries but one rule: what ends in
/// `/download` has the header that every module's `download` has.
fn static_site(folder: &Path) -> Web {
    let web = Web::start().unwrap();
    refresh(&web, folder, "");
    web
}

/// Serves what a folder holds by now.
fn refresh(web: &Web, folder: &Path, path: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{path}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            refresh(web, &entry.path(), &path);
            continue;
        }
        web.on(
            &path,
            as_a_site(&path, std::fs::read(entry.path()).unwrap()),
        );
    }
}

/// What a static web server answers with what lies at a path.
fn as_a_site(path: &str, bytes: Vec<u8>) -> Reply {
    let reply = Reply::of(bytes);
    if path.ends_with("/download") {
        return reply
            .header("X-Terraform-Get", "./module.zip")
            .header("Content-Type", "application/json");
    }
    reply
}

/// The module's values come out of a project that calls it.
fn applies(project: &Project) {
    project
        .terrace(&["apply", "-auto-approve"])
        .success()
        .says("id = \"net-x\"");
}

fn has_terraform() -> bool {
    let found = Command::new("terraform").arg("version").output().is_ok();
    if !found {
        eprintln!("SKIPPED the installation by terraform: there is no terraform");
    }
    found
}

/// Terraform installs and uses the module too.
fn terraform_applies(project: &Project) {
    project
        .other("terraform", &["init", "-no-color", "-input=false"])
        .success()
        .says("Terraform has been successfully initialized!");
    project
        .other(
            "terraform",
            &["apply", "-no-color", "-auto-approve", "-input=false"],
        )
        .success()
        .says("id = \"net-x\"");
}

//! A registry that others wrote: modules and signed providers of it install.

use terrace_test_services::{BoringRegistry, platform};
use terrace_test_support::{Project, available};

use super::{configure, has_terraform, lock_of};

const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    widget = {
      source  = "registry.example.com/acme/widget"
      version = "~> 1.0"
    }
  }
}

module "net" {
  source  = "registry.example.com/acme/net/aws"
  version = "~> 1.0"
}

output "id" {
  value = module.net.id
}
"#;

#[test]
fn modules_and_signed_providers_of_boring_registry_install() {
    let Some(registry) = available("boring-registry", BoringRegistry::start()) else {
        return;
    };
    registry
        .publish_module(
            ["acme", "net", "aws"],
            "1.2.0",
            "output \"id\" {\n  value = \"net\"\n}\n",
        )
        .unwrap();
    let platforms = [platform(), "darwin_arm64".to_owned()];
    let platforms = platforms.each_ref().map(String::as_str);
    let key_id = registry
        .publish_provider("acme", "widget", "1.0.0", &platforms)
        .unwrap();
    let made = || {
        let mut project = Project::with(CONFIGURATION);
        configure(&mut project, &registry.cli_config("registry.example.com"));
        project
    };
    let ours = made();
    ours.terrace(&["init"])
        .success()
        .says("registry.example.com/acme/net/aws 1.2.0")
        .says(&format!(
            "- Installed registry.example.com/acme/widget v1.0.0 (self-signed, key ID {key_id})"
        ));
    if has_terraform() {
        let theirs = made();
        theirs.other("terraform", &["init", "-no-color"]).success();
        assert_eq!(lock_of(&ours), lock_of(&theirs));
    }
    // Without the token nobody gets anything.
    let mut stranger = made();
    let host = registry.cli_config("registry.example.com");
    let without = host
        .lines()
        .filter(|line| !line.contains("token"))
        .collect::<Vec<_>>()
        .join("\n");
    configure(&mut stranger, &without);
    stranger.write(
        "main.tf",
        super::needs("registry.example.com/acme/widget", "~> 1.0"),
    );
    stranger
        .terrace(&["init"])
        .fails(1)
        .says("host registry.example.com requires authentication credentials");
}

//! Plugins of this workspace in place of installed ones.

use std::path::{Path, PathBuf};

use terrace_test_services::platform;

use crate::{Project, fake_provider, schema_provider};

/// A CLI configuration file, in `directory`, by which the provider `terrace/test` is the built fake-provider.
pub fn dev_override(directory: &Path) -> PathBuf {
    let plugins = directory.join("plugins");
    std::fs::create_dir_all(&plugins).expect("a directory can be made");
    let program = plugins.join("terraform-provider-test");
    if !program.exists() {
        std::os::unix::fs::symlink(fake_provider(), &program).expect("a link can be made");
    }
    let path = directory.join("cli.tfrc");
    let text = format!(
        "disable_checkpoint = true\nprovider_installation {{\n  dev_overrides {{\n    \"terrace/test\" = {:?}\n  }}\n  direct {{}}\n}}\n",
        plugins.display().to_string()
    );
    std::fs::write(&path, text).expect("a file can be written");
    path
}

/// Lets a project install a provider `hashicorp/aws` of which nothing is there but its schema, that of 6.48: what its
/// configurations say is checked, and what it answers is made up.
pub fn aws_by_its_schema(project: &mut Project) {
    const VERSION: &str = "6.48.0";
    let mirror = project.outer().join("mirror");
    let package = mirror
        .join("registry.terraform.io/hashicorp/aws")
        .join(VERSION)
        .join(platform());
    std::fs::create_dir_all(&package).expect("a directory can be made");
    let program = package.join(format!("terraform-provider-aws_v{VERSION}"));
    std::os::unix::fs::symlink(schema_provider(), &program).expect("a link can be made");
    let settings = project.outer().join("aws.tfrc");
    let text = format!(
        "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
        mirror.display().to_string()
    );
    std::fs::write(&settings, text).expect("a file can be written");
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/schemas");
    // The alarm's service is not among those that the first was cut to.
    let files = ["aws-6.48.0-cut.json.gz", "aws-alarm.json"];
    let files = files.map(|file| schemas.join(file).display().to_string());
    project.set("TF_CLI_CONFIG_FILE", settings);
    project.set("SCHEMA_PROVIDER_FILES", files.join(":"));
}

//! A plugin that dies, hangs, speaks nonsense, or is not there.

use std::time::{Duration, Instant};

use terrace_test_support::{Project, Ran, dev_override};

const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    test = {
      source = "terrace/test"
    }
  }
}

resource "test_object" "x" {
  string = "x"
}
"#;

fn project() -> Project {
    let mut project = Project::with(CONFIGURATION);
    let cli_config = dev_override(project.outer());
    project.set("TF_CLI_CONFIG_FILE", cli_config);
    project.set("FAKE_PROVIDER_WORLD", project.outer().join("world"));
    project
}

/// Runs a command with a plugin that behaves so; it must come to its end.
fn with_script(project: &mut Project, script: &str, arguments: &[&str]) -> Ran {
    project.set("FAKE_PROVIDER_SCRIPT", script);
    let begun = Instant::now();
    let ran = project.terrace(arguments);
    assert!(!ran.all().contains("panicked at"), "{}", ran.all());
    assert!(
        begun.elapsed() < Duration::from_secs(100),
        "{script}: {:?}",
        begun.elapsed()
    );
    ran
}

#[test]
fn a_plugin_that_dies() {
    let mut project = project();
    with_script(&mut project, "start=crash", &["plan"])
        .fails(1)
        .says("terrace/test");
    for when in [
        "schema",
        "validate-provider",
        "configure",
        "validate-resource",
        "plan",
    ] {
        let told = with_script(&mut project, &format!("{when}=crash"), &["plan"]).fails(1);
        told.says("terrace/test");
    }
    let told = with_script(&mut project, "create=crash", &["apply", "-auto-approve"]).fails(1);
    told.says("test_object.x");
}

#[test]
fn a_plugin_that_speaks_nonsense() {
    let mut project = project();
    with_script(&mut project, "start=nonsense", &["plan"])
        .fails(1)
        .says("terrace/test");
    with_script(&mut project, "plan=nonsense", &["plan"])
        .fails(1)
        .says("test_object.x");
    with_script(&mut project, "create=nonsense", &["apply", "-auto-approve"])
        .fails(1)
        .says("test_object.x");
}

#[test]
fn a_plugin_that_never_starts() {
    let mut project = project();
    with_script(&mut project, "start=hang", &["plan"])
        .fails(1)
        .says("terrace/test");
}

#[test]
fn a_plugin_that_complains() {
    let mut project = project();
    for when in [
        "validate-provider",
        "configure",
        "validate-resource",
        "plan",
    ] {
        with_script(&mut project, &format!("{when}=fail"), &["plan"])
            .fails(1)
            .says("Failed as told");
    }
    with_script(&mut project, "", &["apply", "-auto-approve"]).success();
    with_script(&mut project, "read=fail", &["plan"])
        .fails(1)
        .says("Failed as told");
}

#[test]
fn a_plugin_that_is_not_there() {
    let mut project = project();
    std::fs::remove_file(project.outer().join("plugins/terraform-provider-test")).unwrap();
    with_script(&mut project, "", &["plan"])
        .fails(1)
        .says("terraform-provider-test");
    project.unset("TF_CLI_CONFIG_FILE");
    with_script(&mut project, "", &["plan"])
        .fails(1)
        .says("terrace init");
    std::fs::write(
        project.outer().join("empty.tfrc"),
        "provider_installation {\n  filesystem_mirror {\n    path = \"/nowhere\"\n  }\n}\n",
    )
    .unwrap();
    project.set("TF_CLI_CONFIG_FILE", project.outer().join("empty.tfrc"));
    with_script(&mut project, "", &["init"])
        .fails(1)
        .says("terrace/test");
}

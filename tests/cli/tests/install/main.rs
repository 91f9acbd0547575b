//! Providers from registries and mirrors: what is installed, what is locked, what is said, and that Terraform and
//! Terrace go on with each other's work.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test"
)]

mod boring;
mod login;
mod trouble;

use std::path::PathBuf;
use std::process::Command;

use terrace_test_services::{ProviderRegistry, platform};
use terrace_test_support::Project;

const WIDGET: &str = "registry.example.com/acme/widget";

/// A configuration that needs one provider, and has nothing for it to do.
fn needs(source: &str, version: &str) -> String {
    format!(
        "terraform {{\n  required_providers {{\n    widget = {{\n      source  = \"{source}\"\n      version = \"{version}\"\n    }}\n  }}\n}}\n"
    )
}

/// A project with a CLI configuration.
fn project(cli_config: &str) -> Project {
    let mut project = Project::with(&needs(WIDGET, "~> 1.0"));
    configure(&mut project, cli_config);
    project.set("TF_REGISTRY_DISCOVERY_RETRY", "0");
    project.set("TF_PROVIDER_DOWNLOAD_RETRY", "0");
    project
}

fn configure(project: &mut Project, cli_config: &str) {
    let path = project.outer().join("cli.tfrc");
    std::fs::write(&path, cli_config).unwrap();
    project.set("TF_CLI_CONFIG_FILE", path);
}

/// A registry with acme/widget 1.0.0 and 1.1.0 for this platform and two others.
fn registry() -> ProviderRegistry {
    let registry = ProviderRegistry::start().unwrap();
    let platforms = [
        platform(),
        "darwin_arm64".to_owned(),
        "windows_amd64".to_owned(),
    ];
    let platforms = platforms.each_ref().map(String::as_str);
    for versions in [&["1.0.0"][..], &["1.0.0", "1.1.0"]] {
        registry
            .publish("acme/widget", versions, &platforms, "#!widget")
            .unwrap();
    }
    registry
}

fn has_terraform() -> bool {
    let found = Command::new("terraform").arg("version").output().is_ok();
    if !found {
        eprintln!("SKIPPED the comparison: there is no terraform");
    }
    found
}

fn forget_installed(project: &Project) {
    std::fs::remove_dir_all(project.path().join(".terraform")).unwrap();
}

/// The lock file without what is each tool's own: the comment's second word in quotes.
fn lock_of(project: &Project) -> String {
    let text = project.read(".terraform.lock.hcl");
    text.replace("terraform init", "terrace init")
}

fn all_files(directory: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all_files(path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_lock_file_is_the_reference_s_byte_for_byte() {
    let registry = registry();
    let ours = project(&registry.host_block());
    let said = ours.terrace(&["init"]).success();
    let said =
        said.says("- Finding registry.example.com/acme/widget versions matching \"~> 1.0\"...");
    let said = said.says(&format!(
        "- Installed registry.example.com/acme/widget v1.1.0 (self-signed, key ID {})",
        registry.signer().key_id()
    ));
    said.says("Partner and community providers are signed by their developers.")
        .says("Terrace has created a lock file .terraform.lock.hcl to record the provider selections it made above.");
    if !has_terraform() {
        return;
    }
    let theirs = project(&registry.host_block());
    let said = theirs.other("terraform", &["init", "-no-color"]).success();
    said.says(&format!(
        "(self-signed, key ID {})",
        registry.signer().key_id()
    ));
    assert_eq!(lock_of(&ours), lock_of(&theirs));

    // Each goes on with what the other has locked and installed.
    ours.other("terraform", &["init", "-no-color", "-lockfile=readonly"])
        .success()
        .says("Using previously-installed registry.example.com/acme/widget v1.1.0");
    theirs
        .terrace(&["init", "-lockfile=readonly"])
        .success()
        .says("Using previously-installed registry.example.com/acme/widget v1.1.0");
    forget_installed(&theirs);
    theirs.terrace(&["init", "-lockfile=readonly"]).success();
    assert_eq!(lock_of(&ours), lock_of(&theirs));
}

#[test]
fn checksums_of_other_platforms_are_the_reference_s() {
    let registry = registry();
    let ours = project(&registry.host_block());
    let options = [
        "providers",
        "lock",
        "-platform=darwin_arm64",
        "-platform=windows_amd64",
    ];
    let said = ours.terrace(&options).success();
    let said = said.says("- Fetching registry.example.com/acme/widget 1.1.0 for darwin_arm64...");
    said.says("- Obtained registry.example.com/acme/widget checksums for darwin_arm64; This was a new provider and the checksums for this platform are now tracked in the lock file")
        .says("Success! Terrace has updated the lock file.");
    ours.terrace(&options)
        .success()
        .says("All checksums for this platform were already tracked in the lock file")
        .says("Success! Terrace has validated the lock file and found no need for changes.");
    ours.terrace(&["providers", "lock", "-platform=nonsense"])
        .fails(1)
        .says("Invalid target platform");
    ours.terrace(&["providers", "lock", "acme/gadget"])
        .fails(1)
        .says("is not required by the current configuration");
    if has_terraform() {
        let theirs = project(&registry.host_block());
        let command = [&options[..], &["-no-color"]].concat();
        theirs.other("terraform", &command).success();
        assert_eq!(lock_of(&ours), lock_of(&theirs));
    }
}

#[test]
fn a_mirror_is_read_by_both() {
    let registry = registry();
    let ours = project(&registry.host_block());
    std::fs::create_dir(ours.outer().join("mirror")).unwrap();
    let mirror = ours.outer().join("mirror").display().to_string();
    ours.terrace(&[
        "providers",
        "mirror",
        "-platform=darwin_arm64",
        &format!("-platform={}", platform()),
        &mirror,
    ])
    .success()
    .says("- Mirroring registry.example.com/acme/widget...")
    .says("- Selected v1.1.0 to meet constraints ~> 1.0")
    .says("- Package authenticated: self-signed, key ID");
    ours.terrace(&["providers", "mirror", "nowhere"])
        .fails(1)
        .says("Invalid output directory");
    let from = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n"
    );
    let reader = project(&from);
    reader
        .terrace(&["init"])
        .success()
        .says("(unauthenticated)");
    if has_terraform() {
        let other = project(&from);
        other.other("terraform", &["init", "-no-color"]).success();
        // And from the lock file that Terrace wrote, in which the other platform is too.
        forget_installed(&reader);
        reader
            .other("terraform", &["init", "-no-color", "-lockfile=readonly"])
            .success();
        other
            .terrace(&["providers", "lock", &format!("-fs-mirror={mirror}")])
            .success();
    }
    let plugin_dir = project("");
    plugin_dir
        .terrace(&["init", &format!("-plugin-dir={mirror}")])
        .success()
        .says("- Installed registry.example.com/acme/widget v1.1.0");
}

#[test]
fn upgrades_and_read_only_lock_files() {
    let registry = registry();
    let project = project(&registry.host_block());
    project.write("main.tf", needs(WIDGET, "1.0.0"));
    project.terrace(&["init"]).success();
    project.write("main.tf", needs(WIDGET, "~> 1.0"));
    let said = project.terrace(&["init"]).success();
    said.says("- Reusing previous version of registry.example.com/acme/widget from the dependency lock file");
    project.write("main.tf", needs(WIDGET, ">= 1.1.0"));
    project
        .terrace(&["init"])
        .fails(1)
        .says("must use terrace init -upgrade to allow selection of new versions");
    project.terrace(&["init", "-upgrade"]).success().says(
        "Terrace has made some changes to the provider dependency selections recorded in the .terraform.lock.hcl file.",
    );
    let locked = project.read(".terraform.lock.hcl");
    // Less than the whole, and read only: a warning.
    let kept: Vec<&str> = locked
        .lines()
        .filter(|line| !line.contains("h1:"))
        .collect();
    let short = kept.join("\n") + "\n";
    project.write(".terraform.lock.hcl", &short);
    forget_installed(&project);
    project
        .terrace(&["init", "-lockfile=readonly"])
        .success()
        .says("Provider lock file not updated");
    assert_eq!(project.read(".terraform.lock.hcl"), short);
    // Other providers than the lock file has: an error.
    std::fs::remove_file(project.path().join(".terraform.lock.hcl")).unwrap();
    project
        .terrace(&["init", "-lockfile=readonly"])
        .fails(1)
        .says("Changes to the required provider dependencies were detected, but the lock file is read-only.");
}

#[test]
fn many_inits_at_once_fetch_a_package_once() {
    let registry = ProviderRegistry::start().unwrap();
    let name = platform();
    let release = registry
        .publish(
            "acme/widget",
            &["1.0.0"],
            &[&name],
            &"#!widget".repeat(1 << 16),
        )
        .unwrap();
    let shared = tempfile::tempdir().unwrap();
    let projects: Vec<Project> = (0..6)
        .map(|_| {
            let mut one = project(&registry.host_block());
            one.set("TERRACE_CACHE_DIR", shared.path());
            one
        })
        .collect();
    let running: Vec<_> = projects.iter().map(|one| one.start(&["init"])).collect();
    for one in running {
        one.wait().success();
    }
    assert_eq!(registry.web.times(&release.archive_path(&name)), 1);
    let locks: std::collections::BTreeSet<String> = projects.iter().map(lock_of).collect();
    assert_eq!(locks.len(), 1);
    // In one working directory, too.
    let running: Vec<_> = (0..4).map(|_| projects[0].start(&["init"])).collect();
    for one in running {
        one.wait().success();
    }
    let left = all_files(shared.path().join("providers/work"));
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_download_that_broke_off_is_continued_by_the_next_run() {
    let registry = registry();
    let project = project(&registry.host_block());
    let file = format!("terraform-provider-widget_1.1.0_{}.zip", platform());
    let path = format!("/files/acme/widget/1.1.0/{file}");
    let bytes = {
        let release = registry
            .publish("acme/widget", &["1.1.0"], &[&platform()], "#!widget")
            .unwrap();
        release.archives[0].2.clone()
    };
    let whole = terrace_test_services::Reply::of(bytes.clone()).header("ETag", "\"x\"");
    let broken = whole.clone().broken_after(bytes.len() / 2);
    registry
        .web
        .in_turn(&path, [broken, terrace_test_services::Reply::status(503)]);
    project
        .terrace(&["init"])
        .fails(1)
        .says("What has come so far is kept; run terrace init again to go on");
    registry.web.on(&path, whole);
    project.terrace(&["init"]).success();
    let last = registry.web.asked().pop().unwrap();
    assert!(last.headers["range"].starts_with("bytes="), "{last:?}");
}

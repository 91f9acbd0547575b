//! What goes wrong with providers, word for word.

use insta::assert_snapshot;
use terrace_test_services::{ProviderRegistry, Release, Reply, Signer, archive, platform};
use terrace_test_support::{Project, Said, terrace};

use super::{WIDGET, all_files, project};

/// The text without what differs from run to run; lines are joined, because they break where those parts end.
fn settled(said: &Said, places: &[(&str, &str)]) -> String {
    let drawn = |word: &&str| !"│╷╵".contains(*word);
    let words: Vec<&str> = said.stderr.split_whitespace().filter(drawn).collect();
    let mut text = words.join(" ");
    for (place, name) in places {
        text = text.replace(place, name);
    }
    text
}

/// A registry with one release, and a project that wants it.
fn lab() -> (ProviderRegistry, Release, Project) {
    let registry = ProviderRegistry::start().unwrap();
    let release = registry
        .publish("acme/widget", &["1.0.0"], &[&platform()], "#!widget")
        .unwrap();
    let project = project(&registry.host_block());
    (registry, release, project)
}

/// What `init` says where it fails, after which nothing may be left.
fn refusal(project: &Project) -> Said {
    let said = project.terrace(&["init"]).fails(1);
    assert!(!project.path().join(".terraform.lock.hcl").exists());
    assert!(all_files(project.path().join(".terraform")).is_empty());
    assert!(all_files(project.outer().join("home/.cache/terrace/providers/work")).is_empty());
    assert!(
        all_files(
            project
                .outer()
                .join("home/.cache/terrace/providers/packages")
        )
        .is_empty()
    );
    said
}

#[test]
fn a_tampered_archive() {
    let (registry, release, project) = lab();
    let other = archive(&[("terraform-provider-widget_v1.0.0", "evil")]).unwrap();
    registry
        .web
        .on(&release.archive_path(&platform()), Reply::of(other));
    let said = refusal(&project);
    let first = release.checksums.split_whitespace().next().unwrap();
    let text = settled(&said, &[(first, "SHA256")]);
    let found = text
        .split("checksum zh:")
        .nth(1)
        .map(|rest| rest[..64].to_owned())
        .unwrap();
    assert_snapshot!(text.replace(&found, "OTHER"), @"Error: Failed to install provider Error while installing registry.example.com/acme/widget v1.0.0: archive has incorrect checksum zh:OTHER (expected zh:SHA256). It was thrown away, and nothing was installed: it was changed on the way or by whoever serves it. Run terrace init again, and if that does not help, ask whoever serves it");
}

#[test]
fn a_signature_by_someone_else_and_none() {
    let (registry, release, project) = lab();
    let other = Signer::new("other").unwrap();
    registry.serve(&release, &other).unwrap();
    let (other, own) = (other.key_id(), registry.signer().key_id());
    let places = [(other.as_str(), "OTHER"), (own.as_str(), "OWN")];
    assert_snapshot!(settled(&refusal(&project), &places), @"Error: Failed to install provider Error while installing registry.example.com/acme/widget v1.0.0: authentication signature from unknown issuer: the release is signed by key OTHER, and the registry names OWN. Nothing was installed; if the provider's publisher cannot tell why, take another version");

    let signature = format!("{}.sig", release.checksums_path());
    registry.web.on(&signature, Reply::status(404));
    let url = registry.web.url(&signature);
    let places = [(url.as_str(), "SIGNATURE")];
    assert_snapshot!(settled(&refusal(&project), &places), @r#"Error: Failed to install provider Error while installing registry.example.com/acme/widget v1.0.0: the release's signature is not there ("SIGNATURE"), and without it nobody can tell whether the package is genuine. Nothing was installed; ask whoever publishes the provider"#);
}

#[test]
fn a_package_that_is_not_what_was_locked() {
    let (_registry, _, project) = lab();
    let lock = format!(
        "provider \"{WIDGET}\" {{\n  version = \"1.0.0\"\n  hashes = [\n    \"h1:AAAA\",\n  ]\n}}\n"
    );
    project.write(".terraform.lock.hcl", &lock);
    let said = project.terrace(&["init"]).fails(1);
    assert_eq!(project.read(".terraform.lock.hcl"), lock);
    assert!(all_files(project.path().join(".terraform")).is_empty());
    assert_snapshot!(settled(&said, &[]), @"Error: Failed to install provider Error while installing registry.example.com/acme/widget v1.0.0: the current package for registry.example.com/acme/widget 1.0.0 doesn't match any of the checksums previously recorded in the dependency lock file (this might be because the available checksums are for packages targeting different platforms). If the package is right, remove its checksums from the lock file or run terrace init -upgrade");
}

#[test]
fn a_mirror_and_a_registry_that_cannot_be_reached() {
    let one = project(
        "provider_installation {\n  network_mirror {\n    url = \"http://127.0.0.1:1/m/\"\n  }\n}\n",
    );
    let text = settled(&refusal(&one), &[]);
    let (before, after) = text.split_once("error").unwrap_or((&text, ""));
    assert!(
        before.contains("failed to query provider mirror http://127.0.0.1:1/m/"),
        "{text}"
    );
    assert!(
        after.contains("The provider_installation block of the CLI configuration names the mirror"),
        "{text}"
    );
    let two = project(
        "host \"registry.example.com\" {\n  services = {\n    \"providers.v1\" = \"http://127.0.0.1:1/\"\n  }\n}\n",
    );
    let text = settled(&refusal(&two), &[]);
    assert!(
        text.contains("could not connect to registry.example.com:"),
        "{text}"
    );
    assert!(
        text.contains("name a mirror in the provider_installation block"),
        "{text}"
    );
}

#[test]
fn a_cache_that_is_half_written() {
    let (_registry, _, project) = lab();
    project.terrace(&["init"]).success();
    std::fs::remove_dir_all(project.path().join(".terraform")).unwrap();
    let packages = project
        .outer()
        .join("home/.cache/terrace/providers/packages");
    for file in all_files(packages) {
        std::fs::write(file, "half").unwrap();
    }
    project
        .terrace(&["init"])
        .success()
        .says("- Installed registry.example.com/acme/widget v1.0.0 (self-signed");
    let installed = all_files(project.path().join(".terraform/providers"));
    let text = std::fs::read_to_string(&installed[0]).unwrap();
    assert!(text.starts_with("#!widget"), "{text}");
}

#[test]
fn an_archive_that_would_write_elsewhere() {
    let registry = ProviderRegistry::start().unwrap();
    let release = registry
        .publish("acme/widget", &["1.0.0"], &[&platform()], "#!widget")
        .unwrap();
    let evil = archive(&[("../../../../../../escaped", "evil")]).unwrap();
    let (_, file, _) = &release.archives[0];
    let release = Release {
        checksums: format!("{}  {file}\n", sha256(&evil)),
        archives: vec![(platform(), file.clone(), evil)],
        ..release.clone()
    };
    registry.serve(&release, registry.signer()).unwrap();
    let project = project(&registry.host_block());
    let text = settled(&refusal(&project), &[]);
    assert!(
        text.contains("the archive has an entry that would lie outside of it, and nothing of such an archive is unpacked"),
        "{text}"
    );
    let escaped = all_files(project.outer().to_owned());
    assert!(!escaped.iter().any(|path| path.ends_with("escaped")));
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    format!("{:x}", sha2::Sha256::digest(bytes))
}

#[test]
fn no_room_for_the_package() {
    let registry = ProviderRegistry::start().unwrap();
    registry
        .publish(
            "acme/widget",
            &["1.0.0"],
            &[&platform()],
            &"#".repeat(4 << 20),
        )
        .unwrap();
    let project = project(&registry.host_block());
    // A file may not grow beyond two mebibytes: what a full disk says is said by another number.
    let script = format!(
        "trap '' XFSZ; ulimit -f 2048; exec {} init",
        terrace().display()
    );
    let output = project.command("sh", &["-c", &script]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let text: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !"│╷╵".contains(*word))
        .collect();
    let text = text.join(" ");
    assert!(
        text.contains("cannot be unpacked: File too large"),
        "{text}"
    );
    assert!(text.contains("make room in"), "{text}");
    assert!(text.contains("Nothing was installed"), "{text}");
    assert!(all_files(project.path().join(".terraform")).is_empty());
    let store = project.outer().join("home/.cache/terrace/providers");
    assert!(all_files(store.join("work")).is_empty());
    assert!(all_files(store.join("packages")).is_empty());
    project.terrace(&["init"]).success();
}

#[test]
fn credentials_that_are_missing() {
    let (registry, _, project) = lab();
    registry
        .web
        .on("/v1/providers/acme/widget/versions", Reply::status(401));
    assert_snapshot!(settled(&refusal(&project), &[]), @"Error: Failed to query available provider packages Could not retrieve the list of available versions for provider registry.example.com/acme/widget: host registry.example.com requires authentication credentials. Give them by terrace login registry.example.com, by a credentials block of the CLI configuration or by the environment variable TF_TOKEN_registry_example_com To see which modules are currently depending on registry.example.com/acme/widget and what versions are specified, run the following command: terrace providers");
}

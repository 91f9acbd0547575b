//! From a registry, a network mirror or an OCI registry to a program that can be run, and what is said where that
//! fails.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use terrace_addr::ProviderAddr;
use terrace_diag::{Diagnostics, SourceId};
use terrace_provider_install::{
    CliConfig, Event, Installer, Located, LockFile, PackageHash, Platform, Requirement, Settings,
    UserDirectories,
};
use terrace_registry_client::{Credentials, Discovery, Http, HttpSettings};
use terrace_test_services::{ProviderRegistry, Release, Reply, Signer, archive, platform};

const WIDGET: &str = "registry.example.com/acme/widget";

/// A registry, and a working directory that installs from it.
struct Lab {
    directory: tempfile::TempDir,
    registry: ProviderRegistry,
    config: String,
}

impl Lab {
    fn new() -> Self {
        let registry = ProviderRegistry::start().unwrap();
        Self {
            directory: tempfile::tempdir().unwrap(),
            config: registry.host_block(),
            registry,
        }
    }

    /// Publishes acme/widget 1.0.0 for this platform and another.
    fn publish(&self) -> Release {
        let platforms = [platform(), "plan9_mips".to_owned()];
        let platforms = platforms.each_ref().map(String::as_str);
        self.registry
            .publish("acme/widget", &["1.0.0"], &platforms, "#!widget")
            .unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn settings(&self) -> Settings {
        let (config, diagnostics) = CliConfig::parse(SourceId(0), &self.config);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let directories = UserDirectories {
            data_directories: vec![self.path("none")],
            ..UserDirectories::default()
        };
        let mut settings = Settings::new(
            self.path(".terraform"),
            self.directory.path(),
            &config,
            &directories,
            None,
        );
        let http = Arc::new(Http::new(HttpSettings {
            pause: Duration::from_millis(1),
            ..HttpSettings::default()
        }));
        let credentials = Credentials::new(
            &std::collections::BTreeMap::default(),
            &config.services,
            None,
            None,
        );
        settings.registries = Arc::new(Discovery::new(
            http,
            Arc::new(credentials),
            &config.services,
        ));
        settings.store = Some(self.path("store"));
        settings
    }

    fn install(&self, lock: &LockFile) -> (LockFile, Diagnostics, Vec<String>) {
        install_with(&self.settings(), lock, "")
    }

    fn installed(&self, lock: &LockFile) -> (LockFile, Vec<String>) {
        let (lock, diagnostics, events) = self.install(lock);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        (lock, events)
    }

    /// What is told where nothing can be installed, and nothing may be left.
    fn refusal(&self, lock: &LockFile) -> String {
        let (_, diagnostics, _) = self.install(lock);
        assert!(diagnostics.has_errors());
        assert_eq!(files(&self.path(".terraform")), Vec::<PathBuf>::new());
        assert_eq!(files(&self.path("store/work")), Vec::<PathBuf>::new());
        assert_eq!(files(&self.path("store/packages")), Vec::<PathBuf>::new());
        text(&diagnostics)
    }

    fn program(&self, lock: &LockFile) -> String {
        let (located, diagnostics) = Installer::new(self.settings()).locate(&[widget("")], lock);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        match &located[&ProviderAddr::parse(WIDGET).unwrap()] {
            Located::Executable { path, .. } => std::fs::read_to_string(path).unwrap(),
            Located::Native(version) => format!("native {version}"),
        }
    }
}

fn install_with(
    settings: &Settings,
    lock: &LockFile,
    constraints: &str,
) -> (LockFile, Diagnostics, Vec<String>) {
    let mut events = Vec::new();
    let (lock, diagnostics) = Installer::new(settings.clone()).install(
        &[widget(constraints)],
        lock,
        false,
        &mut |event: &Event| {
            if !matches!(event, Event::Downloading { .. }) {
                events.push(event.to_string());
            }
        },
    );
    (lock, diagnostics, events)
}

fn widget(constraints: &str) -> Requirement {
    Requirement {
        provider: ProviderAddr::parse(WIDGET).unwrap(),
        constraints: if constraints.is_empty() {
            terrace_addr::version::Constraints::default()
        } else {
            constraints.parse().unwrap()
        },
    }
}

fn text(diagnostics: &Diagnostics) -> String {
    let lines = diagnostics
        .iter()
        .map(|one| [&*one.summary, ": ", &*one.detail, "\n"].concat());
    lines.collect()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_signed_package_is_installed_and_locked_for_all_platforms() {
    let lab = Lab::new();
    let release = lab.publish();
    let (lock, events) = lab.installed(&LockFile::default());
    assert_eq!(
        events,
        [
            format!("- Finding latest version of {WIDGET}..."),
            format!("- Installing {WIDGET} v1.0.0..."),
            format!(
                "- Installed {WIDGET} v1.0.0 (self-signed, key ID {})",
                lab.registry.signer().key_id()
            ),
        ]
    );
    assert_eq!(lab.program(&lock), format!("#!widget {}", platform()));
    let hashes = &lock.providers[&ProviderAddr::parse(WIDGET).unwrap()].hashes;
    assert_eq!(hashes.len(), 3);
    for (_, _, bytes) in &release.archives {
        let hash = PackageHash(format!("zh:{:x}", Sha256::digest(bytes)));
        assert!(hashes.contains(&hash));
    }
    assert!(files(&lab.path("store/downloads")).is_empty());

    // What is here is not asked for again.
    let asked = lab.registry.web.asked().len();
    let (again, events) = lab.installed(&lock);
    assert_eq!(again, lock);
    assert_eq!(
        events[1],
        format!("- Using previously-installed {WIDGET} v1.0.0")
    );
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    let (again, events) = lab.installed(&lock);
    assert_eq!(again, lock);
    assert_eq!(
        events[1],
        format!(
            "- Using {WIDGET} v1.0.0 from the store of this machine (self-signed, key ID {})",
            lab.registry.signer().key_id()
        )
    );
    assert_eq!(lab.program(&lock), format!("#!widget {}", platform()));
    assert_eq!(lab.registry.web.asked().len(), asked);

    // Without a lock file the signature is checked anew, and the archive not fetched again.
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    let (again, events) = lab.installed(&LockFile::default());
    assert_eq!(again, lock);
    assert!(events[2].contains("self-signed"), "{events:?}");
    assert_eq!(
        lab.registry.web.times(&release.archive_path(&platform())),
        1
    );
}

#[test]
fn a_lock_file_of_another_platform_is_enough() {
    let lab = Lab::new();
    lab.publish();
    let (mut lock, _) = lab.installed(&LockFile::default());
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    std::fs::remove_dir_all(lab.path("store")).unwrap();
    let locked = lock
        .providers
        .get_mut(&ProviderAddr::parse(WIDGET).unwrap())
        .unwrap();
    locked.hashes.retain(|hash| hash.0.starts_with("zh:"));
    let (again, _) = lab.installed(&lock);
    let provider = ProviderAddr::parse(WIDGET).unwrap();
    assert_eq!(again.providers[&provider].hashes.len(), 3);
}

#[test]
fn an_archive_that_was_changed_is_refused() {
    let lab = Lab::new();
    let release = lab.publish();
    let other = archive(&[("terraform-provider-widget_v1.0.0", "evil")]).unwrap();
    let digest = format!("{:x}", Sha256::digest(&other));
    let path = release.archive_path(&platform());
    lab.registry.web.on(&path, Reply::of(other));
    let said = lab.refusal(&LockFile::default());
    let expected = format!(
        "Failed to install provider: Error while installing {WIDGET} v1.0.0: archive has incorrect checksum zh:{digest} (expected zh:"
    );
    assert!(said.starts_with(&expected), "{said}");
    assert!(said.contains("Run terrace init again"), "{said}");
    assert!(files(&lab.path("store/downloads")).is_empty(), "it is gone");
}

#[test]
fn an_archive_other_than_the_locked_one_is_refused_before_it_is_fetched() {
    let lab = Lab::new();
    let release = lab.publish();
    let (mut lock, _) = lab.installed(&LockFile::default());
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    std::fs::remove_dir_all(lab.path("store")).unwrap();
    let provider = ProviderAddr::parse(WIDGET).unwrap();
    let locked = lock.providers.get_mut(&provider).unwrap();
    locked.hashes = [PackageHash(format!("zh:{}", "0".repeat(64)))].into();
    let said = lab.refusal(&lock);
    assert!(
        said.contains("the current package for registry.example.com/acme/widget 1.0.0 doesn't match any of the checksums previously recorded in the dependency lock file"),
        "{said}"
    );
    assert_eq!(
        lab.registry.web.times(&release.archive_path(&platform())),
        1
    );
}

#[test]
fn signatures_are_checked() {
    let lab = Lab::new();
    let release = lab.publish();
    // By someone else.
    let other = Signer::new("other").unwrap();
    lab.registry.serve(&release, &other).unwrap();
    let said = lab.refusal(&LockFile::default());
    let expected = format!(
        "authentication signature from unknown issuer: the release is signed by key {}, and the registry names {}. Nothing was installed",
        other.key_id(),
        lab.registry.signer().key_id()
    );
    assert!(said.contains(&expected), "{said}");
    // Over something else.
    let signer = lab.registry.signer().clone();
    lab.registry.serve(&release, &signer).unwrap();
    let path = release.checksums_path();
    let changed = release.checksums.clone() + "\n";
    lab.registry.web.on(&path, Reply::of(changed));
    let said = lab.refusal(&LockFile::default());
    assert!(
        said.contains("error checking signature: the signature of key"),
        "{said}"
    );
    // None, or none that is one.
    lab.registry.serve(&release, &signer).unwrap();
    let path = format!("{path}.sig");
    lab.registry.web.on(&path, Reply::status(404));
    let said = lab.refusal(&LockFile::default());
    assert!(
        said.contains("the release's signature is not there"),
        "{said}"
    );
    for nonsense in ["", "nonsense", "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n"] {
        lab.registry.web.on(&path, Reply::of(nonsense));
        let said = lab.refusal(&LockFile::default());
        assert!(
            said.contains("the release's signature is no OpenPGP signature"),
            "{nonsense}: {said}"
        );
    }
    // In armour it is as good.
    lab.registry.serve(&release, &signer).unwrap();
    lab.installed(&LockFile::default());
}

#[test]
fn what_the_list_of_checksums_does_not_have_is_refused() {
    let lab = Lab::new();
    let mut release = lab.publish();
    let signer = lab.registry.signer().clone();
    let good = release.checksums.clone();
    release.checksums = good.replace(".zip", ".tar");
    lab.registry.serve(&release, &signer).unwrap();
    let said = lab.refusal(&LockFile::default());
    assert!(
        said.contains("checksum list has no SHA-256 hash for"),
        "{said}"
    );
    let first = good.split_whitespace().next().unwrap();
    release.checksums = good.replace(first, &"0".repeat(64));
    lab.registry.serve(&release, &signer).unwrap();
    let said = lab.refusal(&LockFile::default());
    assert!(
        said.contains("checksum list has unexpected SHA-256 hash 0000"),
        "{said}"
    );
}

#[test]
fn a_registry_that_answers_nonsense_is_told() {
    let lab = Lab::new();
    lab.publish();
    let versions = "/v1/providers/acme/widget/versions";
    let download = format!(
        "/v1/providers/acme/widget/1.0.0/download/{}",
        platform().replace('_', "/")
    );
    for (path, reply, words) in [
        (
            versions,
            Reply::status(404),
            "provider registry registry.example.com does not have a provider named registry.example.com/acme/widget",
        ),
        (
            versions,
            Reply::json("<html>"),
            "gave an answer that cannot be understood: expected value",
        ),
        (
            versions,
            Reply::json(r#"{"versions":[{"version":1}]}"#),
            "gave an answer that cannot be understood: invalid type",
        ),
        (
            versions,
            Reply::json("{}"),
            "was not found in any of the search locations",
        ),
        (versions, Reply::status(500), "answered with status 500"),
        (
            versions,
            Reply::status(401),
            "host registry.example.com requires authentication credentials. Give them by terrace login registry.example.com, by a credentials block of the CLI configuration or by the environment variable TF_TOKEN_registry_example_com",
        ),
        (
            &download,
            Reply::status(404),
            "its registry has packages of this version for other platforms at most",
        ),
        (
            &download,
            Reply::json("{}"),
            "gave an answer that cannot be understood: missing field",
        ),
    ] {
        let lab = Lab::new();
        lab.publish();
        lab.registry.web.on(path, reply);
        let said = lab.refusal(&LockFile::default());
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn protocols_that_nobody_speaks_are_told() {
    let lab = Lab::new();
    lab.publish();
    let web = &lab.registry.web;
    web.on("/v1/providers/acme/widget/versions", Reply::json(
        r#"{"versions":[{"version":"1.0.0","protocols":["4.0"]},{"version":"0.9.0","protocols":["5.0"]}]}"#,
    ));
    let path = format!(
        "/v1/providers/acme/widget/1.0.0/download/{}",
        platform().replace('_', "/")
    );
    let (os, arch) = platform()
        .split_once('_')
        .map(|(os, arch)| (os.to_owned(), arch.to_owned()))
        .unwrap();
    web.on(&path, Reply::json(&format!(
        r#"{{"protocols":["4.0"],"os":"{os}","arch":"{arch}","filename":"a.zip","download_url":"/a.zip","shasum":"{}","shasums_url":"/s","shasums_signature_url":"/s.sig"}}"#,
        "0".repeat(64)
    )));
    let said = lab.refusal(&LockFile::default());
    assert!(
        said.contains(
            "Provider version 0.9.0 is the latest compatible version. Select it with the following version constraint:\n    version = \"0.9.0\""
        ),
        "{said}"
    );
}

#[test]
fn credentials_are_sent_to_the_registry_and_to_nobody_else() {
    let mut lab = Lab::new();
    lab.config += "credentials \"registry.example.com\" { token = \"secret\" }\n";
    let release = lab.publish();
    lab.installed(&LockFile::default());
    for asked in lab.registry.web.asked() {
        let sent = asked.headers.get("authorization").map(String::as_str);
        assert_eq!(sent, Some("Bearer secret"), "{}", asked.path);
    }
    // Elsewhere.
    let elsewhere = terrace_test_services::Web::start().unwrap();
    let file = release.archive_path(&platform());
    let (_, _, bytes) = release
        .archives
        .iter()
        .find(|(named, ..)| *named == platform())
        .unwrap();
    elsewhere.on(&file, Reply::of(bytes.clone()));
    let mut moved = Reply::status(302).header("Location", &elsewhere.url(&file));
    moved = moved.header("Content-Type", "text/plain");
    lab.registry.web.on(&file, moved);
    std::fs::remove_dir_all(lab.path("store")).unwrap();
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    lab.installed(&LockFile::default());
    assert!(
        elsewhere
            .asked()
            .iter()
            .all(|asked| !asked.headers.contains_key("authorization"))
    );
    // Rejected.
    lab.registry
        .web
        .on("/v1/providers/acme/widget/versions", Reply::status(403));
    let (_, diagnostics, _) = lab.install(&LockFile::default());
    let said = text(&diagnostics);
    assert!(
        said.contains("host registry.example.com rejected the given authentication credentials"),
        "{said}"
    );
}

#[test]
fn a_host_without_registry_is_told() {
    let mut lab = Lab::new();
    lab.config = "host \"registry.example.com\" {\n services = {}\n}\n".to_owned();
    let said = lab.refusal(&LockFile::default());
    assert_eq!(
        said,
        "Invalid provider registry host: The host \"registry.example.com\" given in provider source address \"registry.example.com/acme/widget\" does not offer a Terraform provider registry.\n"
    );
    lab.config = "host \"registry.example.com\" {\n services = { \"providers.v1\" = \"http://127.0.0.1:1/\" }\n}\n".to_owned();
    let said = lab.refusal(&LockFile::default());
    assert!(
        said.contains("could not connect to registry.example.com: "),
        "{said}"
    );
    assert!(said.contains("name a mirror"), "{said}");
}

#[test]
fn warnings_of_the_registry_are_passed_on() {
    let lab = Lab::new();
    lab.publish();
    lab.registry.web.on(
        "/v1/providers/acme/widget/versions",
        Reply::json(r#"{"versions":[{"version":"1.0.0"}],"warnings":["it is old"]}"#),
    );
    let (_, diagnostics, _) = lab.install(&LockFile::default());
    assert_eq!(
        text(&diagnostics),
        format!(
            "Additional provider information from registry: The remote registry returned warnings for {WIDGET}:\n- it is old\n"
        )
    );
}

#[test]
fn a_download_that_breaks_off_goes_on() {
    let lab = Lab::new();
    let release = lab.publish();
    let path = release.archive_path(&platform());
    let (_, file, bytes) = release
        .archives
        .iter()
        .find(|(named, ..)| *named == platform())
        .unwrap();
    let whole = Reply::of(bytes.clone()).header("ETag", &format!("\"{file}\""));
    let broken = whole.clone().broken_after(bytes.len() / 2);
    // First it breaks off for good: what came is kept.
    lab.registry
        .web
        .on(&path, whole.clone().broken_after(bytes.len() / 2));
    let mut settings = lab.settings();
    let http = HttpSettings {
        download_retries: 0,
        pause: Duration::from_millis(1),
        ..HttpSettings::default()
    };
    let (config, _) = CliConfig::parse(SourceId(0), &lab.config);
    settings.registries = Arc::new(Discovery::new(
        Arc::new(Http::new(http)),
        Arc::new(Credentials::default()),
        &config.services,
    ));
    lab.registry
        .web
        .in_turn(&path, [broken, Reply::status(503)]);
    let (_, diagnostics, _) = install_with(&settings, &LockFile::default(), "");
    let said = text(&diagnostics);
    assert!(
        said.contains("What has come so far is kept; run terrace init again to go on"),
        "{said}"
    );
    assert!(!files(&lab.path("store/downloads")).is_empty());
    // The next run fetches the rest alone.
    lab.registry.web.on(&path, whole);
    let (lock, _) = lab.installed(&LockFile::default());
    assert_eq!(lab.program(&lock), format!("#!widget {}", platform()));
    let last = lab.registry.web.asked().pop().unwrap();
    assert_eq!(
        last.headers.get("range").map(String::as_str),
        Some(format!("bytes={}-", bytes.len() / 2).as_str())
    );
    assert!(files(&lab.path("store/downloads")).is_empty());
}

#[test]
fn a_damaged_store_is_repaired() {
    let lab = Lab::new();
    lab.publish();
    let (lock, _) = lab.installed(&LockFile::default());
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    for file in files(&lab.path("store/packages")) {
        std::fs::write(file, "half-writ").unwrap();
    }
    let (again, events) = lab.installed(&lock);
    assert_eq!(again, lock);
    assert!(events[2].contains("self-signed"), "{events:?}");
    assert_eq!(lab.program(&lock), format!("#!widget {}", platform()));
    // And one in which an index leads nowhere.
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    std::fs::remove_dir_all(lab.path("store/packages")).unwrap();
    lab.installed(&lock);
    // What is no directory is told.
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    std::fs::remove_dir_all(lab.path("store")).unwrap();
    std::fs::write(lab.path("store"), "").unwrap();
    let (_, diagnostics, _) = lab.install(&lock);
    assert!(
        text(&diagnostics).contains("TERRACE_CACHE_DIR"),
        "{diagnostics:?}"
    );
}

#[test]
fn the_cache_that_is_asked_for_is_filled_and_used() {
    let lab = Lab::new();
    lab.publish();
    let mut settings = lab.settings();
    settings.plugin_cache = Some(lab.path("cache"));
    let (lock, diagnostics, _) = install_with(&settings, &LockFile::default(), "");
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let cached = lab
        .path("cache")
        .join(WIDGET)
        .join("1.0.0")
        .join(platform());
    assert!(cached.is_dir());
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    let (_, _, events) = install_with(&settings, &lock, "");
    assert_eq!(
        events[1],
        format!("- Using {WIDGET} v1.0.0 from the shared cache directory")
    );
    // Half-written by whoever was killed: it is made anew.
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    for file in files(&cached) {
        std::fs::write(file, "half").unwrap();
    }
    let (again, diagnostics, _) = install_with(&settings, &lock, "");
    assert!(diagnostics.is_empty() && again == lock, "{diagnostics:?}");
    assert_eq!(lab.program(&lock), format!("#!widget {}", platform()));
}

#[test]
fn many_working_directories_at_once_fetch_a_package_once() {
    let lab = Lab::new();
    let release = lab.publish();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let lab = &lab;
            scope.spawn(move || {
                let mut settings = lab.settings();
                settings.data_directory = lab.path(&format!("work-{number}"));
                let (_, diagnostics, _) = install_with(&settings, &LockFile::default(), "");
                assert!(diagnostics.is_empty(), "{diagnostics:?}");
            });
        }
    });
    assert_eq!(
        lab.registry.web.times(&release.archive_path(&platform())),
        1
    );
}

#[test]
fn a_mirror_serves_as_a_network_mirror_too() {
    let lab = Lab::new();
    let release = lab.publish();
    let mirror = lab.path("mirror");
    std::fs::create_dir(&mirror).unwrap();
    let platforms: Vec<Platform> = [platform(), "plan9_mips".to_owned()]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    let mut events = Vec::new();
    let installer = Installer::new(lab.settings());
    let diagnostics = installer.mirror(
        &[widget("~> 1.0")],
        None,
        &platforms,
        &mirror,
        &mut |event| {
            events.push(event.to_string());
        },
    );
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(events[0], format!("- Mirroring {WIDGET}..."));
    assert_eq!(events[1], "  - Selected v1.0.0 to meet constraints ~> 1.0");
    assert!(events[2].starts_with("  - Downloading package for "));
    assert!(events[3].starts_with("  - Package authenticated: self-signed, key ID "));
    let place = mirror.join(WIDGET);
    let index = std::fs::read_to_string(place.join("index.json")).unwrap();
    assert_eq!(index, "{\n  \"versions\": {\n    \"1.0.0\": {}\n  }\n}");

    // Served as it is.
    let web = served(&mirror);
    let from = |method: String| {
        let mut lab = Lab::new();
        lab.config = format!("provider_installation {{\n{method}\n}}\n");
        lab
    };
    let url = web.url("/m/");
    let network = from(format!("network_mirror {{ url = {url:?} }}"));
    let (lock, events) = network.installed(&LockFile::default());
    assert_eq!(
        events[2],
        format!("- Installed {WIDGET} v1.0.0 (verified checksum)")
    );
    let provider = ProviderAddr::parse(WIDGET).unwrap();
    assert_eq!(
        lock.providers[&provider].hashes.len(),
        4,
        "of two platforms"
    );
    assert_eq!(network.program(&lock), format!("#!widget {}", platform()));
    let path = mirror.display().to_string();
    let directory = from(format!("filesystem_mirror {{ path = {path:?} }}"));
    let (locked, _) = directory.installed(&lock);
    assert_eq!(locked, lock);

    // Troubles of the mirror.
    let archive = format!("/m/{WIDGET}/{}", archive_name(&release));
    web.on(&archive, Reply::of("nonsense"));
    let network = from(format!("network_mirror {{ url = {url:?} }}"));
    let said = network.refusal(&LockFile::default());
    assert!(said.contains("archive has incorrect checksum"), "{said}");
    for (document, reply, words) in [
        (
            "1.0.0.json",
            Reply::json("3"),
            "gave an answer that cannot be understood: invalid type",
        ),
        (
            "1.0.0.json",
            Reply::json(r#"{"archives":{}}"#),
            "has packages of this version for other platforms at most",
        ),
        (
            "index.json",
            Reply::of("{}"),
            "it has the content type \"\" and not",
        ),
        ("index.json", Reply::status(500), "answered with status 500"),
        (
            "index.json",
            Reply::status(404),
            "was not found in any of the search locations",
        ),
    ] {
        web.on(&format!("/m/{WIDGET}/{document}"), reply);
        let said = network.refusal(&LockFile::default());
        assert!(said.contains(words), "{document} {words}: {said}");
    }
    drop(web);
    let said = network.refusal(&LockFile::default());
    assert!(
        said.contains("failed to query provider mirror") && said.contains("provider_installation"),
        "{said}"
    );
}

/// A server of a directory's files, below `/m/`.
fn served(directory: &Path) -> terrace_test_services::Web {
    let web = terrace_test_services::Web::start().unwrap();
    for file in files(directory) {
        let name = file.strip_prefix(directory).unwrap().display().to_string();
        let bytes = std::fs::read(&file).unwrap();
        let reply = if file
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            Reply::json(&String::from_utf8(bytes).unwrap())
        } else {
            Reply::of(bytes)
        };
        web.on(&format!("/m/{name}"), reply);
    }
    web
}

fn archive_name(release: &Release) -> String {
    let path = release.archive_path(&platform());
    path.rsplit('/').next().unwrap().to_owned()
}

#[test]
fn checksums_of_other_platforms_are_locked() {
    let lab = Lab::new();
    let release = lab.publish();
    let platforms: Vec<Platform> = vec!["plan9_mips".parse().unwrap()];
    let mut events = Vec::new();
    let (lock, diagnostics) = Installer::new(lab.settings()).lock_platforms(
        &[widget("")],
        &LockFile::default(),
        &platforms,
        false,
        &mut |event| events.push(event.to_string()),
    );
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(
        events,
        [
            format!("- Fetching {WIDGET} 1.0.0 for plan9_mips..."),
            format!(
                "- Retrieved {WIDGET} 1.0.0 for plan9_mips (self-signed, key ID {})",
                lab.registry.signer().key_id()
            ),
        ]
    );
    let provider = ProviderAddr::parse(WIDGET).unwrap();
    assert_eq!(lock.providers[&provider].hashes.len(), 3);
    let unknown = vec!["plan9_sparc".parse().unwrap()];
    let (same, diagnostics) = Installer::new(lab.settings()).lock_platforms(
        &[widget("")],
        &lock,
        &unknown,
        false,
        &mut |_| {},
    );
    assert_eq!(same, lock);
    assert!(
        text(&diagnostics).contains("could not be installed:\n- registry.example.com/acme/widget: provider registry.example.com/acme/widget 1.0.0 is not available for plan9_sparc"),
        "{diagnostics:?}"
    );
    drop(release);
}

#[test]
fn a_repository_of_an_oci_registry_is_a_mirror() {
    let lab = Lab::new();
    let release = lab.publish();
    let web = terrace_test_services::Web::start().unwrap();
    let (_, _, bytes) = release
        .archives
        .iter()
        .find(|(named, ..)| *named == platform())
        .unwrap();
    let digest = |bytes: &[u8]| format!("sha256:{:x}", Sha256::digest(bytes));
    let base = "/v2/mirror/acme/widget";
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.opentofu.provider-target","layers":[{{"mediaType":"archive/zip","digest":"{}","size":{}}}]}}"#,
        digest(bytes),
        bytes.len()
    );
    let (os, arch) = platform()
        .split_once('_')
        .map(|(os, arch)| (os.to_owned(), arch.to_owned()))
        .unwrap();
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","artifactType":"application/vnd.opentofu.provider","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":{},"platform":{{"os":"{os}","architecture":"{arch}"}}}}]}}"#,
        digest(manifest.as_bytes()),
        manifest.len()
    );
    web.on(
        &format!("{base}/tags/list"),
        Reply::json(r#"{"tags":["1.0.0","latest"]}"#),
    );
    web.on(&format!("{base}/manifests/1.0.0"), Reply::json(&index));
    web.on(
        &format!("{base}/manifests/{}", digest(manifest.as_bytes())),
        Reply::json(&manifest),
    );
    web.on(
        &format!("{base}/blobs/{}", digest(bytes)),
        Reply::of(bytes.clone()),
    );
    let mut lab = Lab::new();
    lab.config = format!(
        "provider_installation {{\n oci_mirror {{\n repository_template = \"{}/mirror/${{namespace}}/${{type}}\"\n }}\n}}\n",
        web.authority()
    );
    let (lock, events) = lab.installed(&LockFile::default());
    assert!(events[2].ends_with("(verified checksum)"), "{events:?}");
    assert_eq!(lab.program(&lock), format!("#!widget {}", platform()));
    std::fs::remove_dir_all(lab.path("store")).unwrap();
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    web.on(&format!("{base}/blobs/{}", digest(bytes)), Reply::of("x"));
    let said = lab.refusal(&LockFile::default());
    assert!(said.contains("archive has incorrect checksum"), "{said}");
}

#[test]
fn the_default_registry_can_be_another() {
    let mut lab = Lab::new();
    lab.publish();
    lab.config += "default_provider_host = \"registry.example.com\"\n";
    let requirement = Requirement {
        provider: ProviderAddr::parse("acme/widget").unwrap(),
        constraints: terrace_addr::version::Constraints::default(),
    };
    let installer = Installer::new(lab.settings());
    let (lock, diagnostics) = installer.install(
        std::slice::from_ref(&requirement),
        &LockFile::default(),
        false,
        &mut |_| {},
    );
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert!(lock.providers.contains_key(&requirement.provider));
}

#[test]
fn a_lock_of_the_other_registry_says_which_version() {
    let mut lab = Lab::new();
    lab.publish();
    let platforms = [platform()];
    let platforms = platforms.each_ref().map(String::as_str);
    lab.registry
        .publish("acme/widget", &["1.0.0", "1.1.0"], &platforms, "#!new")
        .unwrap();
    lab.config += "default_provider_host = \"registry.example.com\"\n";
    let text = "provider \"registry.opentofu.org/acme/widget\" {\n  version = \"1.0.0\"\n  hashes = [\"h1:other\"]\n}\n";
    let (lock, _) = LockFile::parse(SourceId(0), text);
    let provider = ProviderAddr::parse("acme/widget").unwrap();
    let requirement = Requirement {
        provider: provider.clone(),
        constraints: terrace_addr::version::Constraints::default(),
    };
    let installer = Installer::new(lab.settings());
    let (lock, diagnostics) = installer.install(&[requirement], &lock, false, &mut |_| {});
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(lock.providers.len(), 1);
    assert_eq!(lock.providers[&provider].version.to_string(), "1.0.0");
}

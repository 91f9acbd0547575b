//! From a mirror to a program that can be run, and what is said where that fails.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use terrace_addr::ProviderAddr;
use terrace_addr::version::Constraints;
use terrace_diag::{Diagnostics, SourceId};
use terrace_provider_install::{
    CliConfig, Event, Installer, Located, LockFile, PackageHash, Platform, Requirement, Settings,
    UserDirectories,
};

/// A working directory, a mirror and the settings that bring them together.
struct Lab {
    directory: tempfile::TempDir,
    settings: Settings,
}

impl Lab {
    fn new(cli_config: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let text = cli_config.replace(
            "MIRROR",
            &directory.path().join("mirror").display().to_string(),
        );
        let (config, diagnostics) = CliConfig::parse(SourceId(0), &text);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let settings = Settings::new(
            directory.path().join(".terraform"),
            directory.path(),
            &config,
            &UserDirectories {
                data_directories: vec![directory.path().join("none")],
                ..UserDirectories::default()
            },
            None,
        );
        Self {
            directory,
            settings,
        }
    }

    fn with_mirror() -> Self {
        Self::new("provider_installation {\n filesystem_mirror {\n path = \"MIRROR\"\n }\n}")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Puts an unpacked package into `root`.
    fn unpacked(&self, root: &str, provider: &str, version: &str) -> PathBuf {
        let name = provider.rsplit('/').next().unwrap();
        let package = self
            .path(root)
            .join(provider)
            .join(version)
            .join(Platform::current().to_string());
        std::fs::create_dir_all(&package).unwrap();
        std::fs::write(
            package.join(format!("terraform-provider-{name}_v{version}_x5")),
            format!("#!{version}"),
        )
        .unwrap();
        package
    }

    /// Puts a packed package into the mirror.
    fn packed(&self, provider: &str, version: &str) -> PathBuf {
        let name = provider.rsplit('/').next().unwrap();
        let directory = self.path("mirror").join(provider);
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join(format!(
            "terraform-provider-{name}_{version}_{}.zip",
            Platform::current()
        ));
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file(format!("terraform-provider-{name}_v{version}_x5"), options)
            .unwrap();
        zip.write_all(format!("#!{version}").as_bytes()).unwrap();
        zip.finish().unwrap();
        path
    }

    fn installer(&self) -> Installer {
        Installer::new(self.settings.clone())
    }

    fn install(
        &self,
        lock: &LockFile,
        upgrade: bool,
        asked: &[(&str, &str)],
    ) -> (LockFile, Diagnostics, Vec<String>) {
        let mut events = Vec::new();
        let (lock, diagnostics) =
            self.installer()
                .install(&requirements(asked), lock, upgrade, &mut |event: &Event| {
                    events.push(event.to_string());
                });
        (lock, diagnostics, events)
    }

    fn installed(&self, lock: &LockFile, asked: &[(&str, &str)]) -> (LockFile, Vec<String>) {
        let (lock, diagnostics, events) = self.install(lock, false, asked);
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        (lock, events)
    }

    fn refusal(&self, lock: &LockFile, asked: &[(&str, &str)]) -> String {
        let (_, diagnostics, _) = self.install(lock, false, asked);
        assert!(diagnostics.has_errors());
        diagnostics
            .iter()
            .map(|one| [&*one.summary, ": ", &*one.detail, "\n"].concat())
            .collect()
    }

    fn program(&self, lock: &LockFile, asked: &[(&str, &str)]) -> String {
        let (located, diagnostics) = self.installer().locate(&requirements(asked), lock);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        match &located[&ProviderAddr::parse(asked[0].0).unwrap()] {
            Located::Executable { path, .. } => std::fs::read_to_string(path).unwrap(),
            Located::Native(version) => format!("native {version}"),
        }
    }
}

fn requirements(asked: &[(&str, &str)]) -> Vec<Requirement> {
    let requirement = |(provider, constraints): &(&str, &str)| Requirement {
        provider: ProviderAddr::parse(provider).unwrap(),
        constraints: if constraints.is_empty() {
            Constraints::default()
        } else {
            constraints.parse().unwrap()
        },
    };
    asked.iter().map(requirement).collect()
}

const NULL: &str = "registry.terraform.io/hashicorp/null";
const NULL_CHECKSUM: &str = "h1:CFnENdqQu4g3LJNevA32aDxcUz2qGkRGQpFfkI8TCdE=";

#[test]
fn an_unpacked_package_is_linked_and_stays_locked() {
    let lab = Lab::with_mirror();
    lab.unpacked("mirror", NULL, "2.1.2");
    let asked = [("hashicorp/null", "~> 2.0"), ("hashicorp/null", ">= 2.1")];
    let (lock, events) = lab.installed(&LockFile::default(), &asked);
    assert_eq!(
        events,
        [
            "- Finding hashicorp/null versions matching \"~> 2.0, >= 2.1.0\"...",
            "- Installing hashicorp/null v2.1.2...",
            "- Installed hashicorp/null v2.1.2 (unauthenticated)",
        ]
    );
    let installed = lab
        .path(".terraform/providers")
        .join(NULL)
        .join("2.1.2")
        .join(Platform::current().to_string());
    assert!(installed.symlink_metadata().unwrap().is_symlink());
    let text = lock.to_text();
    assert!(text.contains("  version     = \"2.1.2\"\n  constraints = \"~> 2.0, >= 2.1.0\"\n  hashes = [\n    \"h1:"), "{text}");
    assert_eq!(lab.program(&lock, &asked), "#!2.1.2");

    lab.unpacked("mirror", NULL, "2.2.0");
    let (again, events) = lab.installed(&lock, &asked);
    assert_eq!(again, lock);
    assert_eq!(
        events[1],
        "- Using previously-installed hashicorp/null v2.1.2"
    );
    let (upgraded, _, _) = lab.install(&lock, true, &asked);
    assert_eq!(
        upgraded.providers[&ProviderAddr::default_for("null")]
            .version
            .to_string(),
        "2.2.0"
    );
}

#[test]
fn a_packed_package_is_unpacked_and_can_be_run() {
    let lab = Lab::with_mirror();
    lab.packed(NULL, "2.1.2");
    lab.packed(NULL, "not-a-version");
    let asked = [("hashicorp/null", "")];
    let (lock, _) = lab.installed(&LockFile::default(), &asked);
    assert_eq!(lab.program(&lock, &asked), "#!2.1.2");
    let (located, _) = lab.installer().locate(&requirements(&asked), &lock);
    let Located::Executable {
        path,
        version,
        hash,
    } = &located[&ProviderAddr::default_for("null")]
    else {
        panic!("no program");
    };
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o111, 0o111);
    assert_eq!(version.as_ref().unwrap().to_string(), "2.1.2");
    assert!(hash.as_ref().unwrap().is_checksum());
    assert_eq!(lock.to_text().matches("constraints").count(), 0);
}

#[test]
fn packed_and_unpacked_have_one_checksum() {
    let (packed, unpacked) = (Lab::with_mirror(), Lab::with_mirror());
    packed.packed(NULL, "2.1.2");
    unpacked.unpacked("mirror", NULL, "2.1.2");
    let asked = [("hashicorp/null", "")];
    let lock = packed.installed(&LockFile::default(), &asked).0;
    assert_eq!(lock, unpacked.installed(&LockFile::default(), &asked).0);
    assert_eq!(
        unpacked.installed(&lock, &asked).0,
        lock,
        "the lock of one lets the other pass"
    );
}

#[test]
fn a_package_that_is_not_what_was_locked_is_refused() {
    let lab = Lab::with_mirror();
    let archive = lab.packed(NULL, "2.1.2");
    let asked = [("hashicorp/null", "")];
    let (mut lock, _) = lab.installed(&LockFile::default(), &asked);
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    // The archive's own checksum alone is enough.
    let locked = lock
        .providers
        .get_mut(&ProviderAddr::default_for("null"))
        .unwrap();
    locked.hashes = [terrace_provider_install::hash_zip(&archive).unwrap()].into();
    let (both, _) = lab.installed(&lock, &asked);
    assert_eq!(
        both.providers[&ProviderAddr::default_for("null")]
            .hashes
            .len(),
        2
    );

    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    let locked = lock
        .providers
        .get_mut(&ProviderAddr::default_for("null"))
        .unwrap();
    locked.hashes = [PackageHash("h1:AAAA".into())].into();
    let text = lab.refusal(&lock, &asked);
    assert!(
        text.contains("Failed to install provider: Error while installing hashicorp/null v2.1.2"),
        "{text}"
    );
    assert!(
        text.contains("doesn't match any of the checksums previously recorded"),
        "{text}"
    );
    assert!(
        !lab.path(".terraform/providers")
            .join(NULL)
            .join("2.1.2")
            .exists(),
        "nothing was put in place"
    );

    let lock = lab.installed(&LockFile::default(), &asked).0;
    let program = lab
        .path(".terraform/providers")
        .join(NULL)
        .join("2.1.2")
        .join(Platform::current().to_string());
    std::fs::write(program.join("terraform-provider-null_v2.1.2_x5"), "evil").unwrap();
    let (_, diagnostics) = lab.installer().locate(&requirements(&asked), &lock);
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(
        detail.contains("does not match any of the checksums recorded"),
        "{detail}"
    );
}

#[test]
fn what_is_missing_is_told_with_where_it_was_looked_for() {
    let lab = Lab::with_mirror();
    let text = lab.refusal(&LockFile::default(), &[("acme/foo", "")]);
    assert!(
        text.contains(
            "provider registry.terraform.io/acme/foo was not found in any of the search locations"
        ),
        "{text}"
    );
    assert!(
        text.contains(&format!(
            "  - {} (there is no such directory)",
            lab.path("mirror").display()
        )),
        "{text}"
    );

    lab.unpacked("mirror", NULL, "2.1.2");
    let text = lab.refusal(&LockFile::default(), &[("hashicorp/null", "2.1")]);
    assert!(
        text.contains("no available releases match the given constraints 2.1.0"),
        "{text}"
    );
    assert!(text.contains("Available are 2.1.2\n"), "{text}");

    std::fs::create_dir_all(lab.path("mirror/registry.terraform.io/acme/bar/1.0.0/plan9_mips"))
        .unwrap();
    let text = lab.refusal(&LockFile::default(), &[("acme/bar", "")]);
    assert!(
        text.contains("There are packages for plan9_mips, but none for"),
        "{text}"
    );

    let (lock, _) = lab.installed(&LockFile::default(), &[("hashicorp/null", "")]);
    let text = lab.refusal(&lock, &[("hashicorp/null", ">= 3")]);
    assert!(text.contains("2.1.2 does not match configured version constraint >= 3.0.0; must use terrace init -upgrade"), "{text}");

    std::fs::remove_dir_all(lab.path("mirror")).unwrap();
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    let text = lab.refusal(&lock, &[("hashicorp/null", "")]);
    assert!(
        text.contains("was not found in any of the search locations"),
        "{text}"
    );
    lab.unpacked("mirror", NULL, "2.2.0");
    let text = lab.refusal(&lock, &[("hashicorp/null", "")]);
    assert!(
        text.contains("the previously-selected version 2.1.2 is no longer available"),
        "{text}"
    );
}

#[test]
fn what_no_method_is_for_is_told() {
    let lab = Lab::new(
        "provider_installation { filesystem_mirror {\n path = \"MIRROR\"\n include = [\"acme/*\"]\n } }",
    );
    let text = lab.refusal(&LockFile::default(), &[("hashicorp/null", "")]);
    assert!(
        text.contains("no installation method of the CLI configuration is for"),
        "{text}"
    );
}

#[test]
fn siblings_for_other_platforms_are_locked_too() {
    let lab = Lab::with_mirror();
    lab.unpacked("mirror", NULL, "2.1.2");
    let sibling = lab
        .path("mirror")
        .join(NULL)
        .join("2.1.2")
        .join("plan9_mips");
    std::fs::create_dir_all(&sibling).unwrap();
    std::fs::write(sibling.join("terraform-provider-null_v2.1.2_x5"), "other").unwrap();
    let asked = [("hashicorp/null", "")];
    let (lock, diagnostics, _) = lab.install(&LockFile::default(), false, &asked);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let hashes = &lock.providers[&ProviderAddr::default_for("null")].hashes;
    let expected = terrace_provider_install::hash_directory(&sibling).unwrap();
    assert!(hashes.len() == 2 && hashes.contains(&expected));
    // With one platform alone, the lock file is of no use to the others, which is told.
    std::fs::remove_dir_all(sibling).unwrap();
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    let (lock, diagnostics, _) = lab.install(&LockFile::default(), false, &asked);
    let one = diagnostics.iter().next().unwrap();
    assert_eq!(
        one.summary,
        "Incomplete lock file information for providers"
    );
    let (_, diagnostics, _) = lab.install(&lock, false, &asked);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
}

#[test]
fn directories_of_the_working_directory_are_mirrors_without_being_named() {
    let lab = Lab::new("");
    lab.unpacked("terraform.d/plugins", "example.com/acme/foo", "1.0.0");
    // The directory must be there when the settings are made.
    let settings = Settings::new(
        lab.path(".terraform"),
        &lab.path(""),
        &CliConfig::default(),
        &UserDirectories::default(),
        None,
    );
    let lab = Lab { settings, ..lab };
    let asked = [("example.com/acme/foo", "1.0.0")];
    let (lock, _) = lab.installed(&LockFile::default(), &asked);
    assert_eq!(lab.program(&lock, &asked), "#!1.0.0");
}

#[test]
fn a_shared_cache_is_filled_and_used() {
    let mut lab = Lab::with_mirror();
    lab.settings.plugin_cache = Some(lab.path("cache"));
    lab.packed(NULL, "2.1.2");
    let asked = [("hashicorp/null", "")];
    let (lock, _) = lab.installed(&LockFile::default(), &asked);
    assert!(lab.path("cache").join(NULL).join("2.1.2").is_dir());
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    std::fs::remove_dir_all(lab.path("mirror")).unwrap();
    let (_, events) = lab.installed(&lock, &asked);
    assert_eq!(
        events[1],
        "- Using hashicorp/null v2.1.2 from the shared cache directory"
    );
    assert_eq!(lab.program(&lock, &asked), "#!2.1.2");
}

#[test]
fn native_providers_stand_in_only_where_asked_for() {
    let mut lab =
        Lab::new("provider_installation {\n native {\n include = [\"hashicorp/random\"]\n }\n}");
    let natives: BTreeMap<_, _> = ["random", "null"]
        .map(|name| (ProviderAddr::default_for(name), "3.7.2".parse().unwrap()))
        .into();
    lab.settings.native = natives;
    let asked = [("hashicorp/random", "~> 3.0")];
    let (lock, events) = lab.installed(&LockFile::default(), &asked);
    assert_eq!(
        events[1],
        "- Using Terrace's native hashicorp/random in place of v3.7.2"
    );
    assert!(lock.to_text().contains("\"native:terrace\""));
    assert!(lock.providers[&ProviderAddr::default_for("random")].is_native());
    assert_eq!(lab.program(&lock, &asked), "native 3.7.2");
    let (reread, diagnostics) = LockFile::parse(SourceId(0), &lock.to_text());
    assert!(diagnostics.is_empty());
    assert_eq!(reread.providers, lock.providers);

    assert!(
        lab.refusal(&LockFile::default(), &[("hashicorp/null", "")])
            .contains("no installation method")
    );
    let text = lab.refusal(&LockFile::default(), &[("hashicorp/random", "< 3")]);
    assert!(
        text.contains("stands for 3.7.2, which does not match the given constraints < 3.0.0"),
        "{text}"
    );
}

#[test]
fn developers_overrides_need_no_lock() {
    let mut lab = Lab::with_mirror();
    let build = lab.path("build");
    std::fs::create_dir_all(&build).unwrap();
    lab.settings
        .dev_overrides
        .insert(ProviderAddr::default_for("null"), build.clone());
    let asked = [("hashicorp/null", ">= 99")];
    let (lock, events) = lab.installed(&LockFile::default(), &asked);
    assert!(events.is_empty() && lock.providers.is_empty());
    let (_, diagnostics) = lab.installer().locate(&requirements(&asked), &lock);
    assert!(
        diagnostics
            .iter()
            .next()
            .unwrap()
            .detail
            .contains("could not find executable file starting with terraform-provider-null")
    );
    std::fs::write(build.join("terraform-provider-nullify"), "").unwrap();
    std::fs::write(build.join("terraform-provider-null"), "mine").unwrap();
    assert_eq!(lab.program(&lock, &asked), "mine");
    let warning = lab.installer().dev_override_warning().unwrap();
    assert!(
        warning
            .detail
            .contains(&format!(" - hashicorp/null in {}", build.display()))
    );
}

#[test]
fn what_is_not_installed_is_told_with_the_command() {
    let lab = Lab::with_mirror();
    lab.unpacked("mirror", NULL, "2.1.2");
    let asked = [("hashicorp/null", "")];
    let says = |lock: &LockFile, asked: &[(&str, &str)]| {
        let (_, diagnostics) = lab.installer().locate(&requirements(asked), lock);
        let one = diagnostics.iter().next().unwrap();
        format!("{}: {}", one.summary, one.detail)
    };
    let text = says(&LockFile::default(), &asked);
    assert!(
        text.contains("Inconsistent dependency lock file")
            && text.contains("required by this configuration but no version is selected")
    );
    let (lock, _) = lab.installed(&LockFile::default(), &asked);
    assert!(
        says(&lock, &[("hashicorp/null", "< 2")])
            .contains("doesn't match the updated version constraints \"< 2.0.0\"")
    );
    std::fs::remove_dir_all(lab.path(".terraform")).unwrap();
    assert!(
        says(&lock, &asked).contains(
            "there is no package for registry.terraform.io/hashicorp/null 2.1.2 cached in"
        )
    );
    assert!(
        lab.installer()
            .locate(
                &requirements(&[("terraform.io/builtin/terraform", "")]),
                &lock
            )
            .1
            .is_empty()
    );
}

#[test]
fn an_archive_cannot_write_outside() {
    let lab = Lab::with_mirror();
    let path = lab.packed(NULL, "2.1.2");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    zip.start_file(
        "../../../../escaped",
        zip::write::SimpleFileOptions::default(),
    )
    .unwrap();
    zip.finish().unwrap();
    let text = lab.refusal(&LockFile::default(), &[("hashicorp/null", "")]);
    assert!(
        text.contains("cannot be unpacked") && text.contains("outside"),
        "{text}"
    );
    assert!(leftovers(&lab.path(".terraform")).is_empty());
}

fn leftovers(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(leftovers(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn real_providers_come_out_of_a_mirror() {
    let mirror = terrace_test_services::Mirror::new()
        .unwrap()
        .with_small_providers()
        .unwrap();
    let text = std::fs::read_to_string(mirror.cli_config().unwrap()).unwrap();
    let lab = Lab::new(&text);
    let asked = [("hashicorp/null", "~> 2.1"), ("hashicorp/time", "0.14.2")];
    let (lock, _) = lab.installed(&LockFile::default(), &asked);
    // As Terraform 1.11 computes it for this package.
    let null = &lock.providers[&ProviderAddr::default_for("null")];
    assert_eq!(null.hashes.first().unwrap().0, NULL_CHECKSUM);
    let (located, diagnostics) = lab.installer().locate(&requirements(&asked), &lock);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(located.len(), 2);
}

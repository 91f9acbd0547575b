//! Finding what has been installed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_diag::{Diagnostic, Diagnostics};

use super::{Installer, Requirement, merged};
use crate::hash::PackageHash;
use crate::lock::{LockFile, LockedProvider};
use crate::memo::hash_directory_once;
use crate::package::executable;

/// Where a provider is.
#[derive(Clone, Debug, PartialEq)]
pub enum Located {
    /// A program.
    Executable {
        /// The file.
        path: PathBuf,
        /// Its version; `None` for a developer's own.
        version: Option<Version>,
        /// Its checksum; `None` for a developer's own.
        hash: Option<PackageHash>,
    },
    /// In the engine, standing for a version.
    Native(Version),
}

impl Installer {
    /// Finds the providers that are required, as they were locked and installed. Built-in providers are left out.
    ///
    /// What is not locked, not installed or not what was locked is reported, with the command that helps.
    pub fn locate(
        &self,
        requirements: &[Requirement],
        lock: &LockFile,
    ) -> (BTreeMap<ProviderAddr, Located>, Diagnostics) {
        let mut located = BTreeMap::new();
        let mut unlocked = Vec::new();
        let mut missing = Vec::new();
        let mut diagnostics = Diagnostics::new();
        for requirement in merged(requirements) {
            let provider = &requirement.provider;
            if provider.is_builtin() {
                continue;
            }
            if let Some(directory) = self.settings.dev_overrides.get(provider) {
                match executable(directory, &provider.name) {
                    Ok(Some(path)) => {
                        located.insert(
                            provider.clone(),
                            Located::Executable {
                                path,
                                version: None,
                                hash: None,
                            },
                        );
                    }
                    found => diagnostics.push(no_override(provider, directory, found.err())),
                }
                continue;
            }
            match self.locate_locked(&requirement, lock) {
                Ok(found) => {
                    located.insert(provider.clone(), found);
                }
                Err(Trouble::Lock(why)) => unlocked.push(format!("  - provider {provider}: {why}")),
                Err(Trouble::Package(why)) => missing.push(format!("  - {provider}: {why}")),
            }
        }
        if !unlocked.is_empty() {
            let again = lock.providers.is_empty();
            diagnostics.push(inconsistent_lock(&unlocked, again));
        } else if !missing.is_empty() {
            diagnostics.push(not_installed(&missing));
        }
        (located, diagnostics)
    }

    fn locate_locked(
        &self,
        requirement: &Requirement,
        lock: &LockFile,
    ) -> Result<Located, Trouble> {
        let Requirement {
            provider,
            constraints,
        } = requirement;
        let Some(locked) = lock.providers.get(provider) else {
            return Err(Trouble::Lock(
                "required by this configuration but no version is selected".into(),
            ));
        };
        let version = &locked.version;
        if !constraints.allows_package(version) {
            return Err(Trouble::Lock(format!(
                "locked version selection {version} doesn't match the updated version constraints \"{}\"",
                constraints.canonical()
            )));
        }
        if let Some(native) = self.native(provider) {
            if native != version {
                return Err(Trouble::Lock(format!(
                    "locked version selection {version} isn't {native}, which Terrace's native provider stands for"
                )));
            }
            return Ok(Located::Native(native.clone()));
        }
        let directory = self.installed_path(provider, version);
        if !directory.is_dir() {
            let place = self.settings.data_directory.join("providers");
            return Err(Trouble::Package(format!(
                "there is no package for {provider} {version} cached in {}",
                place.display()
            )));
        }
        let hash = match self.verified_once(&directory, locked) {
            Ok(Some(hash)) => hash,
            Ok(None) => {
                return Err(Trouble::Package(format!(
                    "the cached package for {provider} {version} (in {}) does not match any of the checksums recorded in the dependency lock file",
                    directory.display()
                )));
            }
            Err(error) => {
                return Err(Trouble::Package(format!(
                    "{} cannot be read: {error}",
                    directory.display()
                )));
            }
        };
        match executable(&directory, &provider.name) {
            Ok(Some(path)) => Ok(Located::Executable {
                path,
                version: Some(version.clone()),
                hash: Some(hash),
            }),
            Ok(None) => Err(Trouble::Package(format!(
                "could not find executable file starting with terraform-provider-{} in {}",
                provider.name,
                directory.display()
            ))),
            Err(error) => Err(Trouble::Package(format!(
                "{} cannot be read: {error}",
                directory.display()
            ))),
        }
    }

    /// The checksum of the package at `path`, if it is the locked one.
    fn verified_once(
        &self,
        path: &Path,
        locked: &LockedProvider,
    ) -> std::io::Result<Option<PackageHash>> {
        let hash = hash_directory_once(path, self.settings.verified.as_deref())?;
        Ok(locked.hashes.contains(&hash).then_some(hash))
    }

    /// A warning that developers' own providers are in use, if any are.
    pub fn dev_override_warning(&self) -> Option<Diagnostic> {
        let overrides = &self.settings.dev_overrides;
        if overrides.is_empty() {
            return None;
        }
        let list: Vec<String> = overrides
            .iter()
            .map(|(provider, path)| format!(" - {} in {}", provider.for_display(), path.display()))
            .collect();
        let detail = format!(
            "The following provider development overrides are set in the CLI configuration:\n{}\n\nThe behavior may therefore not match any released version of the provider and applying changes may cause the state to become incompatible with published releases.",
            list.join("\n")
        );
        Some(Diagnostic::warning(
            "dev-overrides",
            "Provider development overrides are in effect",
            detail,
        ))
    }
}

/// What is wrong with one provider, and on which side.
enum Trouble {
    Lock(String),
    Package(String),
}

fn no_override(
    provider: &ProviderAddr,
    directory: &std::path::Path,
    error: Option<std::io::Error>,
) -> Diagnostic {
    let why = match error {
        Some(error) => format!("{} cannot be read: {error}", directory.display()),
        None => format!(
            "could not find executable file starting with terraform-provider-{} in {}",
            provider.name,
            directory.display()
        ),
    };
    let detail = format!(
        "The CLI configuration overrides provider {}: {why}. Build the provider there, or remove it from dev_overrides.",
        provider.for_display()
    );
    Diagnostic::error("dev-overrides", "Failed to load plugin schemas", detail)
}

fn inconsistent_lock(list: &[String], first_time: bool) -> Diagnostic {
    let advice = if first_time {
        "To make the initial dependency selections that will initialize the dependency lock file, run:\n  terrace init"
    } else {
        "To update the locked dependency selections to match a changed configuration, run:\n  terrace init -upgrade"
    };
    let detail = format!(
        "The following dependency selections recorded in the lock file are inconsistent with the current configuration:\n{}\n\n{advice}",
        list.join("\n")
    );
    Diagnostic::error(
        "inconsistent-lock",
        "Inconsistent dependency lock file",
        detail,
    )
}

fn not_installed(list: &[String]) -> Diagnostic {
    let detail = format!(
        "The installed provider plugins are not consistent with the packages selected in the dependency lock file:\n{}\n\nTerrace uses external plugins to integrate with a variety of different infrastructure services. To install the plugins required for this configuration, run:\n  terrace init",
        list.join("\n")
    );
    Diagnostic::error(
        "providers-not-installed",
        "Required plugins are not installed",
        detail,
    )
}

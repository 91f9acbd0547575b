//! Selecting and installing packages, and finding them again.

mod event;
mod failure;
mod locate;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use terrace_addr::ProviderAddr;
use terrace_addr::version::{Constraints, Version};
use terrace_diag::{Diagnostic, Diagnostics};

use crate::cli_config::Method;
use crate::hash::{PackageHash, hash_directory, hash_zip};
use crate::lock::{LockFile, LockedProvider};
use crate::mirror::{Found, packages};
use crate::package::{link, unpack};
use crate::settings::Settings;

pub use event::{Event, How};
pub use locate::Located;

use failure::Failure;

/// A provider that a configuration or a state needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// The provider.
    pub provider: ProviderAddr,
    /// What all modules together ask of its version.
    pub constraints: Constraints,
}

/// Installs packages, and finds those that are installed.
#[derive(Debug)]
pub struct Installer {
    settings: Settings,
}

/// What was decided for a provider.
enum Selection {
    /// A package of this version, where it can be had from.
    Package {
        version: Version,
        source: Option<Found>,
    },
    /// The engine's own provider.
    Native(Version),
    /// Nothing is to be installed, and nothing locked.
    Nothing,
}

impl Installer {
    /// An installer for these surroundings.
    pub const fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Its surroundings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Selects a version of each required provider, the locked one unless `upgrade`, and installs it for use by this
    /// working directory. Returns the lock file that is now right, which the caller saves if there are no errors.
    pub fn install(
        &self,
        requirements: &[Requirement],
        lock: &LockFile,
        upgrade: bool,
        on_event: &mut dyn FnMut(&Event),
    ) -> (LockFile, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let mut selections = Vec::new();
        for requirement in merged(requirements) {
            let locked = lock
                .providers
                .get(&requirement.provider)
                .filter(|_| !upgrade);
            match self.select(&requirement, locked, on_event) {
                Ok(selection) => selections.push((requirement, selection)),
                Err(failure) => diagnostics.push(failure.versions(&requirement.provider)),
            }
        }
        let mut new = lock.clone();
        new.providers.clear();
        if diagnostics.has_errors() {
            return (lock.clone(), diagnostics);
        }
        for (requirement, selection) in selections {
            let old = lock.providers.get(&requirement.provider);
            match self.carry_out(&requirement, selection, old, on_event) {
                Ok(Some(locked)) => {
                    new.providers.insert(requirement.provider, locked);
                }
                Ok(None) => {}
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        (
            if diagnostics.has_errors() {
                lock.clone()
            } else {
                new
            },
            diagnostics,
        )
    }

    fn select(
        &self,
        requirement: &Requirement,
        locked: Option<&LockedProvider>,
        on_event: &mut dyn FnMut(&Event),
    ) -> Result<Selection, Failure> {
        let Requirement {
            provider,
            constraints,
        } = requirement;
        if provider.is_builtin() {
            on_event(&Event::BuiltIn {
                provider: provider.clone(),
            });
            return Ok(Selection::Nothing);
        }
        if self.settings.dev_overrides.contains_key(provider) {
            return Ok(Selection::Nothing);
        }
        on_event(&match locked {
            Some(_) => Event::Reusing {
                provider: provider.clone(),
            },
            None => Event::Finding {
                provider: provider.clone(),
                constraints: constraints.canonical(),
            },
        });
        if let Some(locked) = locked
            && !constraints.allows_package(&locked.version)
        {
            return Err(Failure::LockedOut {
                locked: locked.version.clone(),
                constraints: constraints.canonical(),
            });
        }
        if let Some(version) = self.native(provider) {
            return match locked {
                Some(locked) if locked.version != *version => Err(Failure::NativeLockedOut {
                    locked: locked.version.clone(),
                    native: version.clone(),
                }),
                _ if !constraints.allows_package(version) => Err(Failure::NativeTooOther {
                    native: version.clone(),
                    constraints: constraints.canonical(),
                }),
                _ => Ok(Selection::Native(version.clone())),
            };
        }
        let (mut available, searched) = self.available(provider)?;
        if let Some(locked) = locked {
            let source = available.remove(&locked.version);
            if source.is_none() && !self.is_at_hand(provider, locked) {
                return Err(self.unavailable(
                    provider,
                    &searched,
                    Some(locked.version.clone()),
                    constraints,
                ));
            }
            return Ok(Selection::Package {
                version: locked.version.clone(),
                source,
            });
        }
        match constraints.newest_package(available.keys()).cloned() {
            Some(version) => {
                let source = available.remove(&version);
                Ok(Selection::Package { version, source })
            }
            None if available.is_empty() => {
                Err(self.unavailable(provider, &searched, None, constraints))
            }
            None => Err(Failure::NoneFits {
                constraints: constraints.canonical(),
                available: available.keys().map(ToString::to_string).collect(),
                remote: self.asks_remote(provider),
            }),
        }
    }

    /// The version of the engine's own provider, where it is to stand in.
    fn native(&self, provider: &ProviderAddr) -> Option<&Version> {
        let wanted =
            |method: &Method| matches!(method, Method::Native { .. }) && method.serves(provider);
        self.settings
            .native
            .get(provider)
            .filter(|_| self.settings.methods.iter().any(wanted))
    }

    fn asks_remote(&self, provider: &ProviderAddr) -> bool {
        self.settings.methods.iter().any(|method| {
            matches!(method, Method::Direct { .. } | Method::NetworkMirror { .. })
                && method.serves(provider)
        })
    }

    /// Packages that can be had without asking anyone, and the places that were searched.
    fn available(
        &self,
        provider: &ProviderAddr,
    ) -> Result<(BTreeMap<Version, Found>, Vec<PathBuf>), Failure> {
        let mut available = BTreeMap::new();
        let mut searched = Vec::new();
        for method in self
            .settings
            .methods
            .iter()
            .filter(|method| method.serves(provider))
        {
            let Method::FilesystemMirror { path, .. } = method else {
                continue;
            };
            let found = packages(path, provider, &self.settings.platform).map_err(|error| {
                Failure::Unreadable {
                    path: path.clone(),
                    error: error.to_string(),
                }
            })?;
            for (version, found) in found {
                available.entry(version).or_insert(found);
            }
            searched.push(path.clone());
        }
        Ok((available, searched))
    }

    fn unavailable(
        &self,
        provider: &ProviderAddr,
        searched: &[PathBuf],
        locked: Option<Version>,
        constraints: &Constraints,
    ) -> Failure {
        let other_platforms = searched
            .iter()
            .filter_map(|path| {
                crate::mirror::other_platforms(path, provider, &self.settings.platform).ok()
            })
            .flatten()
            .collect::<BTreeSet<_>>();
        if self.asks_remote(provider) {
            return Failure::RemoteUnsupported {
                searched: searched.to_vec(),
                native: self.settings.native.get(provider).cloned(),
                constraints: constraints.canonical(),
            };
        }
        match locked {
            Some(version) => Failure::LockedGone { version },
            None => Failure::NotFound {
                searched: searched.to_vec(),
                platform: self.settings.platform.to_string(),
                other_platforms: other_platforms.into_iter().collect(),
            },
        }
    }

    /// Whether a locked package is in the working directory or the cache, whatever the mirrors say.
    fn is_at_hand(&self, provider: &ProviderAddr, locked: &LockedProvider) -> bool {
        let installed = self.installed_path(provider, &locked.version);
        let cached = self.cached_path(provider, &locked.version);
        [Some(installed), cached]
            .into_iter()
            .flatten()
            .any(|path| verified(&path, locked).is_ok_and(|found| found.is_some()))
    }

    /// Where a package is run from.
    fn installed_path(&self, provider: &ProviderAddr, version: &Version) -> PathBuf {
        package_path(
            &self.settings.data_directory.join("providers"),
            provider,
            version,
            &self.settings.platform.to_string(),
        )
    }

    fn cached_path(&self, provider: &ProviderAddr, version: &Version) -> Option<PathBuf> {
        let cache = self.settings.plugin_cache.as_ref()?;
        Some(package_path(
            cache,
            provider,
            version,
            &self.settings.platform.to_string(),
        ))
    }

    /// Installs what was selected and returns what is to be locked.
    fn carry_out(
        &self,
        requirement: &Requirement,
        selection: Selection,
        old: Option<&LockedProvider>,
        on_event: &mut dyn FnMut(&Event),
    ) -> Result<Option<LockedProvider>, Diagnostic> {
        let provider = &requirement.provider;
        let (version, hash) = match selection {
            Selection::Nothing => return Ok(None),
            Selection::Native(version) => {
                on_event(&Event::Native {
                    provider: provider.clone(),
                    version: version.clone(),
                });
                (version, PackageHash(PackageHash::NATIVE.into()))
            }
            Selection::Package { version, source } => {
                let locked = old.filter(|old| old.version == version);
                let hash = self
                    .fetch(provider, &version, source, locked, on_event)
                    .map_err(|failure| failure.package(provider, &version))?;
                (version, hash)
            }
        };
        let mut hashes = old
            .filter(|old| old.version == version)
            .map(|old| old.hashes.clone())
            .unwrap_or_default();
        if hash.is_checksum() {
            // A package has taken the place of the engine's own provider.
            hashes.remove(&PackageHash(PackageHash::NATIVE.into()));
        }
        hashes.insert(hash);
        Ok(Some(LockedProvider {
            version,
            constraints: requirement.constraints.canonical(),
            hashes,
        }))
    }

    /// Makes a package ready in the working directory and returns its checksum.
    fn fetch(
        &self,
        provider: &ProviderAddr,
        version: &Version,
        source: Option<Found>,
        locked: Option<&LockedProvider>,
        on_event: &mut dyn FnMut(&Event),
    ) -> Result<PackageHash, Failure> {
        let (provider, version) = (provider.clone(), version.clone());
        let installed = self.installed_path(&provider, &version);
        let cached = self.cached_path(&provider, &version);
        if let Some(locked) = locked {
            if let Some(hash) =
                verified(&installed, locked).map_err(|error| unreadable(&installed, &error))?
            {
                on_event(&Event::Installed {
                    provider,
                    version,
                    how: event::How::Before,
                });
                return Ok(hash);
            }
            if let Some(cached) = &cached
                && let Some(hash) =
                    verified(cached, locked).map_err(|error| unreadable(cached, &error))?
            {
                link(cached, &installed).map_err(|error| unwritable(&installed, &error))?;
                on_event(&Event::Installed {
                    provider,
                    version,
                    how: event::How::Cache,
                });
                return Ok(hash);
            }
        }
        on_event(&Event::Installing {
            provider: provider.clone(),
            version: version.clone(),
        });
        let allowed = locked.map(|locked| &locked.hashes);
        let hash = match source {
            Some(Found::Unpacked(package)) => {
                let hash =
                    hash_directory(&package).map_err(|error| unreadable(&package, &error))?;
                check(allowed, &[&hash], &provider, &version)?;
                link(&package, &installed).map_err(|error| unwritable(&installed, &error))?;
                hash
            }
            Some(Found::Packed(archive)) => {
                let target = cached.as_ref().unwrap_or(&installed);
                let packed = hash_zip(&archive).map_err(|error| unreadable(&archive, &error))?;
                let allowed_archive =
                    allowed.filter(|allowed| allowed.iter().any(|hash| hash.0.starts_with("zh:")));
                let known_archive =
                    allowed_archive.is_some_and(|allowed| allowed.contains(&packed));
                if !known_archive {
                    check_archive(&archive, allowed, &provider, &version)?;
                }
                unpack(&archive, target).map_err(|error| Failure::Unpack {
                    archive,
                    error: error.to_string(),
                })?;
                let hash = hash_directory(target).map_err(|error| unreadable(target, &error))?;
                if target != &installed {
                    link(target, &installed).map_err(|error| unwritable(&installed, &error))?;
                }
                hash
            }
            None => return Err(Failure::LockedGone { version }),
        };
        on_event(&Event::Installed {
            provider,
            version,
            how: event::How::Now,
        });
        Ok(hash)
    }
}

/// One requirement for each provider, in the order of their addresses.
fn merged(requirements: &[Requirement]) -> Vec<Requirement> {
    let mut all: BTreeMap<&ProviderAddr, Constraints> = BTreeMap::new();
    for requirement in requirements {
        let constraints = all.remove(&requirement.provider).unwrap_or_default();
        all.insert(
            &requirement.provider,
            constraints.and(requirement.constraints.clone()),
        );
    }
    all.into_iter()
        .map(|(provider, constraints)| Requirement {
            provider: provider.clone(),
            constraints,
        })
        .collect()
}

fn package_path(
    root: &Path,
    provider: &ProviderAddr,
    version: &Version,
    platform: &str,
) -> PathBuf {
    root.join(&*provider.host)
        .join(&*provider.namespace)
        .join(&*provider.name)
        .join(version.to_string())
        .join(platform)
}

/// The checksum of the package at `path`, if one is there and it is the locked one.
fn verified(path: &Path, locked: &LockedProvider) -> io::Result<Option<PackageHash>> {
    if !path.is_dir() {
        return Ok(None);
    }
    let hash = hash_directory(path)?;
    Ok(locked.hashes.contains(&hash).then_some(hash))
}

/// Refuses a package that has none of the allowed checksums, where there are any.
fn check(
    allowed: Option<&BTreeSet<PackageHash>>,
    hashes: &[&PackageHash],
    provider: &ProviderAddr,
    version: &Version,
) -> Result<(), Failure> {
    let Some(allowed) = allowed.filter(|allowed| allowed.iter().any(PackageHash::is_checksum))
    else {
        return Ok(());
    };
    if hashes.iter().any(|hash| allowed.contains(*hash)) {
        return Ok(());
    }
    Err(Failure::WrongChecksum {
        package: format!("{provider} {version}"),
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::Unreadable {
        path: path.to_owned(),
        error: error.to_string(),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::Unwritable {
        path: path.to_owned(),
        error: error.to_string(),
    }
}

/// Refuses an archive whose files have none of the allowed checksums, before anything of it is put in place.
fn check_archive(
    archive: &Path,
    allowed: Option<&BTreeSet<PackageHash>>,
    provider: &ProviderAddr,
    version: &Version,
) -> Result<(), Failure> {
    if !allowed.is_some_and(|allowed| allowed.iter().any(PackageHash::is_checksum)) {
        return Ok(());
    }
    let trial = tempfile::tempdir().map_err(|error| unwritable(&std::env::temp_dir(), &error))?;
    let target = trial.path().join("package");
    unpack(archive, &target).map_err(|error| Failure::Unpack {
        archive: archive.to_owned(),
        error: error.to_string(),
    })?;
    let hash = hash_directory(&target).map_err(|error| unreadable(&target, &error))?;
    check(allowed, &[&hash], provider, version)
}

//! Selecting and installing packages, and finding them again.

mod event;
pub(crate) mod failure;
mod fetch;
mod locate;
mod parallel;
mod platforms;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use terrace_addr::ProviderAddr;
use terrace_addr::version::{Constraints, Version};
use terrace_diag::{Diagnostic, Diagnostics};

use crate::cli_config::Method;
use crate::hash::{PackageHash, hash_directory};
use crate::lock::{LockFile, LockedProvider};
use crate::settings::Settings;
use crate::source::{Listing, Sources};
use crate::store::Store;

pub use event::{Event, How};
pub use locate::Located;

use failure::Failure;
use fetch::{AtHand, Fetch};

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
    /// A package of this version.
    Package(Version),
    /// The locked package, which is on this machine.
    AtHand(AtHand),
    /// The engine's own provider.
    Native(Version),
    /// Nothing is to be installed, and nothing locked.
    Nothing,
}

/// What became of a provider.
struct Outcome {
    locked: LockedProvider,
    /// Whether the lock file knows its package for one platform only.
    incomplete: bool,
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
        let store = match Store::open(self.settings.store.as_deref()) {
            Ok(store) => store,
            Err(error) => {
                diagnostics.push(no_store(self.settings.store.as_deref(), &error));
                return (lock.clone(), diagnostics);
            }
        };
        let sources = Sources::new(&self.settings);
        let fetch = Fetch {
            installer: self,
            sources: &sources,
            store: &store,
        };
        let requirements = merged(requirements);
        let selections = self.select_all(
            &fetch,
            &requirements,
            (lock, upgrade),
            &mut diagnostics,
            on_event,
        );
        if diagnostics.has_errors() {
            return (lock.clone(), diagnostics);
        }
        let work = |(requirement, selection): &(&Requirement, Selection),
                    tell: &mut dyn FnMut(Event)| {
            let old = lock.providers.get(&requirement.provider);
            Self::carry_out(&fetch, requirement, selection, old, tell)
        };
        let outcomes = parallel::each(&selections, work, on_event);
        let mut new = lock.clone();
        new.providers.clear();
        let mut incomplete = Vec::new();
        for ((requirement, _), outcome) in selections.iter().zip(outcomes) {
            match outcome {
                Ok(Some(outcome)) => {
                    if outcome.incomplete {
                        incomplete.push(requirement.provider.for_display());
                    }
                    new.providers
                        .insert(requirement.provider.clone(), outcome.locked);
                }
                Ok(None) => {}
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        if diagnostics.has_errors() {
            return (lock.clone(), diagnostics);
        }
        if !incomplete.is_empty() {
            diagnostics.push(incomplete_lock(
                &incomplete,
                &self.settings.platform.to_string(),
            ));
        }
        (new, diagnostics)
    }

    fn select_all<'b>(
        &self,
        fetch: &Fetch<'_>,
        requirements: &'b [Requirement],
        (lock, upgrade): (&LockFile, bool),
        diagnostics: &mut Diagnostics,
        on_event: &mut dyn FnMut(&Event),
    ) -> Vec<(&'b Requirement, Selection)> {
        let locked = |requirement: &Requirement| {
            let found = locked_version(lock, requirement);
            found.filter(|_| !upgrade)
        };
        for requirement in requirements {
            self.announce(requirement, locked(requirement).is_some(), on_event);
        }
        let work = |requirement: &Requirement, _: &mut dyn FnMut(Event)| {
            self.select(fetch, requirement, locked(requirement).as_ref())
        };
        let selected = parallel::each(requirements, work, on_event);
        let mut selections = Vec::new();
        for (requirement, result) in requirements.iter().zip(selected) {
            match result {
                Ok((selection, warnings)) => {
                    diagnostics.extend(registry_warning(&requirement.provider, &warnings));
                    selections.push((requirement, selection));
                }
                Err(failure) => diagnostics.push(failure.versions(&requirement.provider)),
            }
        }
        selections
    }

    fn announce(&self, requirement: &Requirement, locked: bool, on_event: &mut dyn FnMut(&Event)) {
        let provider = requirement.provider.clone();
        if provider.is_builtin() {
            on_event(&Event::BuiltIn { provider });
        } else if !self.settings.dev_overrides.contains_key(&provider) {
            on_event(&if locked {
                Event::Reusing { provider }
            } else {
                Event::Finding {
                    provider,
                    constraints: requirement.constraints.canonical(),
                }
            });
        }
    }

    fn select(
        &self,
        fetch: &Fetch<'_>,
        requirement: &Requirement,
        locked: Option<&LockedProvider>,
    ) -> Result<(Selection, Vec<String>), Failure> {
        let Requirement {
            provider,
            constraints,
        } = requirement;
        let none = Vec::new();
        if provider.is_builtin() || self.settings.dev_overrides.contains_key(provider) {
            return Ok((Selection::Nothing, none));
        }
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
                _ => Ok((Selection::Native(version.clone()), none)),
            };
        }
        if let Some(locked) = locked
            && let Some(found) = fetch.at_hand(provider, locked)?
        {
            return Ok((Selection::AtHand(found), none));
        }
        let listing = fetch.sources.list(provider)?;
        let version = match locked {
            Some(locked) if listing.versions.contains(&locked.version) => locked.version.clone(),
            Some(locked) if !listing.versions.is_empty() => {
                return Err(Failure::LockedGone {
                    version: locked.version.clone(),
                });
            }
            _ => self.newest(provider, constraints, &listing)?,
        };
        Ok((Selection::Package(version), listing.warnings))
    }

    /// The newest version that fits.
    fn newest(
        &self,
        provider: &ProviderAddr,
        constraints: &Constraints,
        listing: &Listing,
    ) -> Result<Version, Failure> {
        if let Some(version) = constraints.newest_package(listing.versions.iter()) {
            return Ok(version.clone());
        }
        if !listing.versions.is_empty() {
            return Err(Failure::NoneFits {
                constraints: constraints.canonical(),
                available: listing.versions.iter().map(ToString::to_string).collect(),
            });
        }
        if let (Some(host), [_]) = (&listing.unknown_to, &listing.searched[..]) {
            return Err(Failure::NotKnown { host: host.clone() });
        }
        let other_platforms: BTreeSet<String> = listing
            .directories
            .iter()
            .filter_map(|path| {
                crate::mirror::other_platforms(path, provider, &self.settings.platform).ok()
            })
            .flatten()
            .collect();
        Err(Failure::NotFound {
            searched: listing.searched.clone(),
            directories: listing.directories.clone(),
            platform: self.settings.platform.to_string(),
            other_platforms: other_platforms.into_iter().collect(),
        })
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
        fetch: &Fetch<'_>,
        requirement: &Requirement,
        selection: &Selection,
        old: Option<&LockedProvider>,
        tell: &mut dyn FnMut(Event),
    ) -> Result<Option<Outcome>, Diagnostic> {
        let provider = &requirement.provider;
        let version = match selection {
            Selection::Nothing => return Ok(None),
            Selection::Native(version) | Selection::Package(version) => version,
            Selection::AtHand(found) => &found.version,
        };
        let old = old.filter(|old| old.version == *version);
        let failed = |failure: Failure| failure.package(provider, version);
        let (hash, known) = match selection {
            Selection::Native(_) => {
                tell(Event::Native {
                    provider: provider.clone(),
                    version: version.clone(),
                });
                let native = PackageHash(PackageHash::NATIVE.into());
                (native.clone(), BTreeSet::from([native]))
            }
            Selection::AtHand(found) => {
                let hash = fetch.take(provider, found, tell).map_err(failed)?;
                (hash, BTreeSet::new())
            }
            _ => {
                let got = fetch.package(provider, version, old, tell);
                got.map_err(failed)?
            }
        };
        let earlier = old.map(|old| old.hashes.clone()).unwrap_or_default();
        let mut hashes = earlier.clone();
        if hash.is_checksum() {
            // A package has taken the place of the engine's own provider.
            hashes.remove(&PackageHash(PackageHash::NATIVE.into()));
        }
        // It is told when it comes about, and not again.
        let incomplete = known.is_empty() && earlier.is_empty();
        hashes.insert(hash);
        hashes.extend(known);
        Ok(Some(Outcome {
            locked: LockedProvider {
                version: version.clone(),
                constraints: requirement.constraints.canonical(),
                hashes,
            },
            incomplete,
        }))
    }
}

/// What the lock file selects for a requirement: for the provider itself, or a version for the provider of the same
/// name of the other registry, where that version fits.
fn locked_version(lock: &LockFile, requirement: &Requirement) -> Option<LockedProvider> {
    let provider = &requirement.provider;
    if let Some(locked) = lock.providers.get(provider) {
        return Some(locked.clone());
    }
    let twin = provider.twin()?;
    let locked = lock.providers.get(&twin)?;
    // The same release is packed anew by the other registry.
    requirement
        .constraints
        .allows_package(&locked.version)
        .then(|| LockedProvider {
            version: locked.version.clone(),
            constraints: String::new(),
            hashes: BTreeSet::new(),
        })
}

fn no_store(path: Option<&Path>, error: &std::io::Error) -> Diagnostic {
    let place = path.map_or_else(
        || "the directory for temporary files".to_owned(),
        |path| path.display().to_string(),
    );
    let detail = format!(
        "Packages of providers are kept in {place}, which cannot be used: {error}. Make it writable, or name another directory by the environment variable TERRACE_CACHE_DIR."
    );
    Diagnostic::error(
        "provider-store",
        "Store of providers cannot be used",
        detail,
    )
}

fn registry_warning(provider: &ProviderAddr, warnings: &[String]) -> Option<Diagnostic> {
    if warnings.is_empty() {
        return None;
    }
    let list: Vec<String> = warnings.iter().map(|text| format!("- {text}")).collect();
    let detail = format!(
        "The remote registry returned warnings for {}:\n{}",
        provider.for_display(),
        list.join("\n")
    );
    Some(Diagnostic::warning(
        "provider-registry-warning",
        "Additional provider information from registry",
        detail,
    ))
}

fn incomplete_lock(providers: &[String], platform: &str) -> Diagnostic {
    let list: Vec<String> = providers.iter().map(|name| format!("  - {name}")).collect();
    let detail = format!(
        "Due to your customized provider installation methods, Terrace was forced to calculate lock file checksums locally for the following providers:\n{}\n\nThe current {} file only includes checksums for {platform}, so Terrace running on another platform will fail to install these providers.\n\nTo calculate additional checksums for another platform, run:\n  terrace providers lock -platform=linux_amd64\n(where linux_amd64 is the platform to generate)",
        list.join("\n"),
        LockFile::NAME
    );
    Diagnostic::warning(
        "lock-file-incomplete",
        "Incomplete lock file information for providers",
        detail,
    )
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
fn verified(path: &Path, locked: &LockedProvider) -> std::io::Result<Option<PackageHash>> {
    if !path.is_dir() {
        return Ok(None);
    }
    let hash = hash_directory(path)?;
    Ok(locked.hashes.contains(&hash).then_some(hash))
}

//! Places that packages come from, behind one question: which versions are there, and where is the package of one?

mod network;
mod oci;
mod registry;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_registry_client::{ProviderListing, ProviderRegistry};

use crate::cli_config::Method;
use crate::hash::{PackageHash, hash_archive, hash_directory};
use crate::installer::failure::Failure;
use crate::mirror::{self, Found};
use crate::settings::{Platform, Settings};
use crate::signature::Trust;

pub use network::{MirrorArchive, MirrorIndex, MirrorVersion};
pub(crate) use oci::check_template;

/// Versions that can be had.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub(crate) versions: BTreeSet<Version>,
    /// Directories and addresses that were looked at, for people.
    pub(crate) searched: Vec<String>,
    /// Directories among them.
    pub(crate) directories: Vec<PathBuf>,
    /// What registries want people to know.
    pub(crate) warnings: Vec<String>,
    /// The registry that was asked and does not know the provider.
    pub(crate) unknown_to: Option<String>,
}

/// A package that can be had.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) place: Place,
    /// What its source says that it is; the package must have one of these checksums where there are any.
    pub(crate) expected: BTreeSet<PackageHash>,
    /// Checksums of packages of this version on whatever platforms, as its source vouches for them.
    pub(crate) known: BTreeSet<PackageHash>,
    pub(crate) trust: Trust,
}

/// Where a package is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Directory(PathBuf),
    Archive(PathBuf),
    Url {
        url: String,
        authorization: Option<String>,
    },
    Blob {
        authority: String,
        repository: String,
        digest: String,
    },
}

/// All places that the CLI configuration names.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) settings: &'a Settings,
    registry: ProviderRegistry,
    /// What registries have listed.
    listed: Mutex<BTreeMap<ProviderAddr, ProviderListing>>,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            registry: ProviderRegistry::new(settings.registries.clone()),
            listed: Mutex::default(),
        }
    }

    fn methods(&self, provider: &ProviderAddr) -> impl Iterator<Item = &'a Method> {
        self.settings
            .methods
            .iter()
            .filter(move |method| method.serves(provider))
    }

    /// The versions that any place has.
    pub(crate) fn list(&self, provider: &ProviderAddr) -> Result<Listing, Failure> {
        let mut listing = Listing::default();
        for method in self.methods(provider) {
            match method {
                Method::FilesystemMirror { path, .. } => {
                    let found = mirror::packages(path, provider, &self.settings.platform)
                        .map_err(|error| Failure::unreadable(path, &error))?;
                    listing.versions.extend(found.into_keys());
                    listing.searched.push(path.display().to_string());
                    listing.directories.push(path.clone());
                }
                Method::NetworkMirror { url, .. } => {
                    listing.searched.push(url.clone());
                    listing.versions.extend(self.list_network(provider, url)?);
                }
                Method::OciMirror {
                    repository_template,
                    ..
                } => {
                    listing
                        .searched
                        .push(oci::repository(repository_template, provider));
                    let versions = self.list_oci(provider, repository_template)?;
                    listing.versions.extend(versions);
                }
                Method::Direct { .. } => {
                    let host = self.settings.registry_host(provider);
                    match self.list_registry(provider)? {
                        Some(found) => {
                            let versions = found.versions.iter();
                            listing
                                .versions
                                .extend(versions.map(|listed| listed.version.clone()));
                            listing.warnings.extend(found.warnings);
                        }
                        None => listing.unknown_to = Some(host.clone()),
                    }
                    listing.searched.push(host);
                }
                Method::Native { .. } => {}
            }
        }
        Ok(listing)
    }

    /// The package of a version for a platform, at the first place that has one.
    pub(crate) fn offer(
        &self,
        provider: &ProviderAddr,
        version: &Version,
        platform: &Platform,
    ) -> Result<Offer, Failure> {
        let mut unsupported = None;
        for method in self.methods(provider) {
            let found = match method {
                Method::FilesystemMirror { path, .. } => {
                    local_offer(path, provider, version, platform)?
                }
                Method::NetworkMirror { url, .. } => {
                    self.offer_network(provider, version, platform, url)?
                }
                Method::OciMirror {
                    repository_template,
                    ..
                } => self.offer_oci(provider, version, platform, repository_template)?,
                Method::Direct { .. } => self.offer_registry(provider, version, platform)?,
                Method::Native { .. } => continue,
            };
            if let Some(offer) = found {
                return Ok(offer);
            }
            unsupported.get_or_insert_with(|| method.place());
        }
        Err(match unsupported {
            Some(place) => Failure::NoPlatform {
                version: version.clone(),
                platform: platform.to_string(),
                place,
            },
            None => Failure::LockedGone {
                version: version.clone(),
            },
        })
    }
}

/// A package in a mirror in the file system, with the checksums of its siblings for other platforms.
fn local_offer(
    root: &std::path::Path,
    provider: &ProviderAddr,
    version: &Version,
    platform: &Platform,
) -> Result<Option<Offer>, Failure> {
    let failed = |error| Failure::unreadable(root, &error);
    let mut all = mirror::of_version(root, provider, version).map_err(failed)?;
    let Some(found) = all.remove(platform) else {
        return Ok(None);
    };
    let mut known = BTreeSet::new();
    for sibling in all.into_values() {
        // A sibling that is damaged is nothing to whoever installs another.
        let hash = match sibling {
            Found::Packed(path) => hash_archive(&path),
            Found::Unpacked(path) => hash_directory(&path),
        };
        known.extend(hash.ok());
    }
    let place = match found {
        Found::Packed(path) => Place::Archive(path),
        Found::Unpacked(path) => Place::Directory(path),
    };
    Ok(Some(Offer {
        place,
        expected: BTreeSet::new(),
        known,
        trust: Trust::Unauthenticated,
    }))
}

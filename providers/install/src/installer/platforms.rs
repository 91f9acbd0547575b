//! Packages for other platforms than this one: their checksums for the lock file, and mirrors of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_diag::{Diagnostic, Diagnostics};

use super::event::Event;
use super::failure::Failure;
use super::fetch::{Fetch, Got};
use super::{Installer, Requirement, locked_version, merged, no_store, package_path, parallel};
use crate::hash::{PackageHash, hash_archive, hash_directory, hash_zip};
use crate::lock::{LockFile, LockedProvider};
use crate::mirror::{self, Found};
use crate::settings::Platform;
use crate::source::{MirrorArchive, MirrorIndex, MirrorVersion, Offer, Place, Sources};
use crate::store::Store;

/// What is done for one provider.
type Work<'a, T> =
    dyn Fn(&Fetch<'_>, &Requirement, &mut dyn FnMut(Event)) -> Result<T, Diagnostic> + Sync + 'a;

impl Installer {
    /// Finds the checksums of the required providers' packages for these platforms: of the locked version, or of the
    /// newest that fits. Returns the lock file with them, which the caller saves if there are no errors. Packages are
    /// taken from the cache where `use_cache` and they are what the lock file says.
    pub fn lock_platforms(
        &self,
        requirements: &[Requirement],
        lock: &LockFile,
        platforms: &[Platform],
        use_cache: bool,
        on_event: &mut dyn FnMut(&Event),
    ) -> (LockFile, Diagnostics) {
        let work = |fetch: &Fetch<'_>, requirement: &Requirement, tell: &mut dyn FnMut(Event)| {
            self.lock_one(fetch, requirement, lock, (platforms, use_cache), tell)
        };
        let (outcomes, diagnostics) = self.for_each(requirements, &work, on_event);
        let mut new = lock.clone();
        new.providers.extend(outcomes);
        if diagnostics.has_errors() {
            return (lock.clone(), diagnostics);
        }
        (new, diagnostics)
    }

    /// Copies the required providers' packages for these platforms into `directory`, with the documents that make a
    /// network mirror of it: of the locked version where `lock` has one, or of the newest that fits.
    pub fn mirror(
        &self,
        requirements: &[Requirement],
        lock: Option<&LockFile>,
        platforms: &[Platform],
        directory: &Path,
        on_event: &mut dyn FnMut(&Event),
    ) -> Diagnostics {
        let none = LockFile::default();
        let lock = lock.unwrap_or(&none);
        let work = |fetch: &Fetch<'_>, requirement: &Requirement, tell: &mut dyn FnMut(Event)| {
            self.mirror_one(fetch, requirement, lock, (platforms, directory), tell)
        };
        self.for_each(requirements, &work, on_event).1
    }

    /// Does `work` for each required provider that comes in packages.
    fn for_each<T: Send>(
        &self,
        requirements: &[Requirement],
        work: &Work<'_, T>,
        on_event: &mut dyn FnMut(&Event),
    ) -> (Vec<(ProviderAddr, T)>, Diagnostics) {
        let store = match Store::open(self.settings.store.as_deref()) {
            Ok(store) => store,
            Err(error) => {
                let diagnostic = no_store(self.settings.store.as_deref(), &error);
                return (Vec::new(), diagnostic.into());
            }
        };
        let sources = Sources::new(&self.settings);
        let fetch = Fetch {
            installer: self,
            sources: &sources,
            store: &store,
        };
        let mut requirements = merged(requirements);
        requirements.retain(|requirement| !requirement.provider.is_builtin());
        let work = |requirement: &Requirement, tell: &mut dyn FnMut(Event)| {
            // What is told of one provider stays together.
            let mut told = Vec::new();
            let result = work(&fetch, requirement, &mut |event| told.push(event));
            told.into_iter().for_each(tell);
            result
        };
        let results = parallel::each(&requirements, work, on_event);
        let mut done = Vec::new();
        let mut diagnostics = Diagnostics::new();
        for (requirement, result) in requirements.into_iter().zip(results) {
            match result {
                Ok(value) => done.push((requirement.provider, value)),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        (done, diagnostics)
    }

    /// The locked version, or the newest that fits; whether it is the locked one.
    fn version_for(
        &self,
        fetch: &Fetch<'_>,
        requirement: &Requirement,
        lock: &LockFile,
    ) -> Result<(Version, bool), Diagnostic> {
        let Requirement {
            provider,
            constraints,
        } = requirement;
        let locked = locked_version(lock, requirement);
        if let Some(locked) = locked.filter(|locked| constraints.allows_package(&locked.version)) {
            return Ok((locked.version, true));
        }
        let found = fetch.sources.list(provider);
        found
            .and_then(|listing| self.newest(provider, constraints, &listing))
            .map(|version| (version, false))
            .map_err(|failure| failure.versions(provider))
    }

    fn lock_one(
        &self,
        fetch: &Fetch<'_>,
        requirement: &Requirement,
        lock: &LockFile,
        (platforms, use_cache): (&[Platform], bool),
        tell: &mut dyn FnMut(Event),
    ) -> Result<LockedProvider, Diagnostic> {
        let provider = &requirement.provider;
        let (version, _) = self.version_for(fetch, requirement, lock)?;
        let old = lock.providers.get(provider);
        let old = old.filter(|old| old.version == version);
        let mut hashes = old.map(|old| old.hashes.clone()).unwrap_or_default();
        for platform in platforms {
            let failed = |failure: Failure| lock_failure(provider, &version, platform, &failure);
            if use_cache && let Some(hash) = self.cached(provider, &version, platform, &hashes) {
                hashes.insert(hash);
                continue;
            }
            tell(Event::Fetching {
                provider: provider.clone(),
                version: version.clone(),
                platform: platform.clone(),
            });
            let offer = fetch
                .sources
                .offer(provider, &version, platform)
                .map_err(failed)?;
            let hash = checksum(fetch, &offer, platform == &self.settings.platform);
            let hash = hash.map_err(failed)?;
            tell(Event::Retrieved {
                provider: provider.clone(),
                version: version.clone(),
                platform: platform.clone(),
                trust: offer.trust.clone(),
            });
            hashes.insert(hash);
            hashes.extend(offer.known);
        }
        Ok(LockedProvider {
            version,
            constraints: requirement.constraints.canonical(),
            hashes,
        })
    }

    /// The checksum of a package that the cache has, if the lock file knows it.
    fn cached(
        &self,
        provider: &ProviderAddr,
        version: &Version,
        platform: &Platform,
        known: &BTreeSet<PackageHash>,
    ) -> Option<PackageHash> {
        let cache = self.settings.plugin_cache.as_ref()?;
        let path = package_path(cache, provider, version, &platform.to_string());
        hash_directory(&path)
            .ok()
            .filter(|hash| known.contains(hash))
    }

    fn mirror_one(
        &self,
        fetch: &Fetch<'_>,
        requirement: &Requirement,
        lock: &LockFile,
        (platforms, directory): (&[Platform], &Path),
        tell: &mut dyn FnMut(Event),
    ) -> Result<(), Diagnostic> {
        let provider = &requirement.provider;
        tell(Event::Mirroring {
            provider: provider.clone(),
        });
        let (version, locked) = self.version_for(fetch, requirement, lock)?;
        tell(Event::Selected {
            version: version.clone(),
            constraints: (!locked).then(|| requirement.constraints.canonical()),
        });
        let place = directory
            .join(&*provider.host)
            .join(&*provider.namespace)
            .join(&*provider.name);
        let allowed = lock
            .providers
            .get(provider)
            .filter(|locked| locked.version == version)
            .map(|locked| &locked.hashes);
        for platform in platforms {
            let failed = |failure: Failure| mirror_failure(provider, &version, platform, &failure);
            tell(Event::Copying {
                platform: platform.clone(),
            });
            let offer = fetch
                .sources
                .offer(provider, &version, platform)
                .map_err(failed)?;
            let target = place.join(mirror::archive_name(provider, &version, platform));
            copy_archive(fetch, &offer, &target).map_err(failed)?;
            // Other platforms' packages may well be unknown to the lock file.
            if *platform == self.settings.platform
                && let Some(allowed) = allowed
            {
                hold_to(&target, allowed, provider, &version).map_err(failed)?;
            }
            tell(Event::Authenticated { trust: offer.trust });
        }
        write_documents(directory, provider).map_err(|error| {
            Diagnostic::error(
                "provider-mirror",
                "Failed to update indexes",
                format!(
                    "{} cannot be written: {error}. The archives are there; run the command again to complete the mirror.",
                    place.display()
                ),
            )
        })
    }
}

/// The `h1:` checksum of an offered package, which goes to the store where it is for this platform.
fn checksum(fetch: &Fetch<'_>, offer: &Offer, keep: bool) -> Result<PackageHash, Failure> {
    let unreadable = |path: &Path, error: io::Error| Failure::Unpack {
        archive: path.display().to_string(),
        error: error.to_string(),
    };
    match &offer.place {
        Place::Directory(path) => {
            hash_directory(path).map_err(|error| Failure::unreadable(path, &error))
        }
        Place::Archive(path) => hash_archive(path).map_err(|error| unreadable(path, error)),
        Place::Url { .. } | Place::Blob { .. } => {
            fetch.with_archive(offer, &mut |_| {}, |got| match got {
                Got::Stored(_, hash) => Ok(Some(hash)),
                Got::Archive(path, packed) if keep => fetch
                    .store
                    .adopt(path, packed)
                    .map(|(_, hash)| Some(hash))
                    .map_err(|error| unreadable(path, error)),
                Got::Archive(path, _) => hash_archive(path)
                    .map(Some)
                    .map_err(|error| unreadable(path, error)),
            })
        }
    }
}

/// Copies an offered package's archive to `target`, whole or not at all.
fn copy_archive(fetch: &Fetch<'_>, offer: &Offer, target: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::unwritable(target, &error);
    let directory = target.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).map_err(failed)?;
    let fresh = tempfile::Builder::new()
        .prefix(".mirroring-")
        .permissions(readable())
        .tempfile_in(directory)
        .map_err(failed)?;
    match &offer.place {
        Place::Directory(path) => pack(path, fresh.as_file()).map_err(failed)?,
        Place::Archive(path) => {
            let mut from = File::open(path).map_err(|error| Failure::unreadable(path, &error))?;
            io::copy(&mut from, &mut fresh.as_file()).map_err(failed)?;
        }
        Place::Url { .. } | Place::Blob { .. } => {
            fetch.with_archive(offer, &mut |_| {}, |got| match got {
                // A mirror holds the archive itself, so that its checksum is the publisher's.
                Got::Stored(..) => Ok(None),
                Got::Archive(path, _) => {
                    let mut from =
                        File::open(path).map_err(|error| Failure::unreadable(path, &error))?;
                    io::copy(&mut from, &mut fresh.as_file()).map_err(failed)?;
                    Ok(Some(()))
                }
            })?;
        }
    }
    fresh
        .persist(target)
        .map(drop)
        .map_err(|error| failed(error.error))
}

#[cfg(unix)]
fn readable() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::Permissions::from_mode(0o644)
}

#[cfg(not(unix))]
fn readable() -> std::fs::Permissions {
    tempfile::tempfile()
        .and_then(|file| file.metadata())
        .map(|found| found.permissions())
        .expect("a temporary file has permissions")
}

/// Packs a directory, so that the same files give the same archive.
fn pack(package: &Path, into: &File) -> io::Result<()> {
    let mut zip = zip::ZipWriter::new(into);
    let mut files = Vec::new();
    list(&package.canonicalize()?, "", &mut files)?;
    files.sort();
    for (name, path) in files {
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file(name, options).map_err(io::Error::other)?;
        io::copy(&mut File::open(path)?, &mut zip)?;
    }
    zip.finish().map_err(io::Error::other).map(drop)
}

fn list(directory: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            list(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}

/// Refuses a mirrored archive that the lock file does not allow, and takes it away.
fn hold_to(
    archive: &Path,
    allowed: &BTreeSet<PackageHash>,
    provider: &ProviderAddr,
    version: &Version,
) -> Result<(), Failure> {
    if !allowed.iter().any(PackageHash::is_checksum) {
        return Ok(());
    }
    let unreadable = |error: io::Error| Failure::unreadable(archive, &error);
    let found = [
        hash_zip(archive).map_err(unreadable)?,
        hash_archive(archive).map_err(unreadable)?,
    ];
    if found.iter().any(|hash| allowed.contains(hash)) {
        return Ok(());
    }
    std::fs::remove_file(archive).ok();
    Err(Failure::WrongChecksum {
        package: format!("{provider} {version}"),
        local: false,
    })
}

/// Writes the documents of a network mirror for what `directory` has of a provider.
fn write_documents(directory: &Path, provider: &ProviderAddr) -> io::Result<()> {
    let place = directory
        .join(&*provider.host)
        .join(&*provider.namespace)
        .join(&*provider.name);
    let mut index = MirrorIndex::default();
    for version in mirror::versions(directory, provider)? {
        let mut archives = BTreeMap::new();
        for (platform, found) in mirror::of_version(directory, provider, &version)? {
            let Found::Packed(path) = found else { continue };
            let archive = MirrorArchive {
                url: mirror::archive_name(provider, &version, &platform),
                hashes: [hash_archive(&path)?, hash_zip(&path)?].into(),
            };
            archives.insert(platform, archive);
        }
        if archives.is_empty() {
            continue;
        }
        let document = MirrorVersion { archives };
        write(&place.join(format!("{version}.json")), &document.to_bytes())?;
        index.versions.insert(version);
    }
    write(&place.join("index.json"), &index.to_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let fresh = tempfile::Builder::new()
        .prefix(".mirroring-")
        .permissions(readable())
        .tempfile_in(directory)?;
    std::fs::write(fresh.path(), bytes)?;
    fresh.persist(path)?;
    Ok(())
}

/// As told when checksums were looked for.
fn lock_failure(
    provider: &ProviderAddr,
    version: &Version,
    platform: &Platform,
    failure: &Failure,
) -> Diagnostic {
    if let Failure::Protocols { .. } = failure {
        return failure.package(provider, version);
    }
    let detail = format!(
        "Terrace failed to fetch the requested providers for {platform} in order to calculate their checksums: some providers could not be installed:\n- {provider}: {}.",
        failure.explain(provider)
    );
    Diagnostic::error(
        "provider-lock",
        "Could not retrieve providers for locking",
        detail,
    )
}

/// As told when a mirror was made.
fn mirror_failure(
    provider: &ProviderAddr,
    version: &Version,
    platform: &Platform,
    failure: &Failure,
) -> Diagnostic {
    if let Failure::Protocols { .. } = failure {
        return failure.package(provider, version);
    }
    let detail = format!(
        "Failed to download {provider} v{version} for {platform}: {}.",
        failure.explain(provider)
    );
    Diagnostic::error("provider-mirror", "Provider release not available", detail)
}

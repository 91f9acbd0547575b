//! Getting one package from where it is to where it is run from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use terrace_addr::ProviderAddr;
use terrace_addr::version::Version;
use terrace_registry_client::{ClientError, Progress};

use super::event::{Event, How};
use super::failure::Failure;
use super::{Installer, verified};
use crate::hash::{PackageHash, hash_archive, hash_directory, hash_zip};
use crate::lock::LockedProvider;
use crate::package::{link, share, unpack};
use crate::signature::Trust;
use crate::source::{Offer, Place, Sources};
use crate::store::Store;

/// What fetching works with.
pub(super) struct Fetch<'a> {
    pub(super) installer: &'a Installer,
    pub(super) sources: &'a Sources<'a>,
    pub(super) store: &'a Store,
}

/// A locked package that is on this machine.
pub(super) struct AtHand {
    pub(super) version: Version,
    hash: PackageHash,
    /// Where it must be taken from, unless it is where it is run from.
    from: Option<(PathBuf, How)>,
}

impl Fetch<'_> {
    /// Finds a locked package in the working directory, the cache or the store.
    pub(super) fn at_hand(
        &self,
        provider: &ProviderAddr,
        locked: &LockedProvider,
    ) -> Result<Option<AtHand>, Failure> {
        let version = &locked.version;
        let here = |hash, from| AtHand {
            version: version.clone(),
            hash,
            from,
        };
        let installed = self.installer.installed_path(provider, version);
        let look =
            |path: &Path| verified(path, locked).map_err(|error| Failure::unreadable(path, &error));
        if let Some(hash) = look(&installed)? {
            return Ok(Some(here(hash, None)));
        }
        match self.installer.cached_path(provider, version) {
            Some(cached) => Ok(look(&cached)?.map(|hash| here(hash, Some((cached, How::Cache))))),
            None => {
                let found = self
                    .store
                    .find(&locked.hashes)
                    .map_err(|error| Failure::unreadable(self.store.root(), &error))?;
                Ok(found.map(|(path, hash)| here(hash, Some((path, How::Store)))))
            }
        }
    }

    /// Makes ready what is at hand.
    pub(super) fn take(
        &self,
        provider: &ProviderAddr,
        found: &AtHand,
        tell: &mut dyn FnMut(Event),
    ) -> Result<PackageHash, Failure> {
        let installed = self.installer.installed_path(provider, &found.version);
        let mut trust = Trust::Unauthenticated;
        let how = match &found.from {
            None => How::Before,
            Some((path, how)) => {
                let made = match how {
                    How::Store => {
                        trust = self.store.trust(&found.hash);
                        share(path, &installed)
                    }
                    _ => link(path, &installed),
                };
                made.map_err(|error| Failure::unwritable(&installed, &error))?;
                *how
            }
        };
        tell(Event::Installed {
            provider: provider.clone(),
            version: found.version.clone(),
            how,
            trust,
        });
        Ok(found.hash.clone())
    }

    /// Makes a package ready that is not at hand. Gives its checksum, and those of other packages of the version that
    /// its source vouches for.
    pub(super) fn package(
        &self,
        provider: &ProviderAddr,
        version: &Version,
        locked: Option<&LockedProvider>,
        tell: &mut dyn FnMut(Event),
    ) -> Result<(PackageHash, BTreeSet<PackageHash>), Failure> {
        if let Some(locked) = locked
            && let Some(found) = self.at_hand(provider, locked)?
        {
            return Ok((self.take(provider, &found, tell)?, BTreeSet::new()));
        }
        tell(Event::Installing {
            provider: provider.clone(),
            version: version.clone(),
        });
        let platform = &self.installer.settings.platform;
        let offer = self.sources.offer(provider, version, platform)?;
        let lock = Lock {
            package: format!("{provider} {version}"),
            allowed: locked.map(|locked| &locked.hashes),
            local: matches!(offer.place, Place::Directory(_) | Place::Archive(_)),
        };
        let hash = match &offer.place {
            Place::Directory(path) => self.take_directory(provider, version, path, &lock)?,
            Place::Archive(path) => {
                let packed = hash_zip(path).map_err(|error| Failure::unreadable(path, &error))?;
                self.take_archive((provider, version), path, &packed, &lock)?
            }
            Place::Url { .. } | Place::Blob { .. } => {
                self.take_from_afar(provider, version, &offer, &lock, tell)?
            }
        };
        self.store.note_signer(&hash, &offer.trust);
        tell(Event::Installed {
            provider: provider.clone(),
            version: version.clone(),
            how: How::Now,
            trust: offer.trust,
        });
        Ok((hash, offer.known))
    }

    fn take_directory(
        &self,
        provider: &ProviderAddr,
        version: &Version,
        package: &Path,
        lock: &Lock<'_>,
    ) -> Result<PackageHash, Failure> {
        let installed = self.installer.installed_path(provider, version);
        let hash = hash_directory(package).map_err(|error| Failure::unreadable(package, &error))?;
        lock.check(&[&hash])?;
        link(package, &installed).map_err(|error| Failure::unwritable(&installed, &error))?;
        Ok(hash)
    }

    /// Unpacks an archive that is what it should be, into the cache or the store, and links it from there.
    fn take_archive(
        &self,
        (provider, version): (&ProviderAddr, &Version),
        archive: &Path,
        packed: &PackageHash,
        lock: &Lock<'_>,
    ) -> Result<PackageHash, Failure> {
        let installed = self.installer.installed_path(provider, version);
        let unpacking = |error: std::io::Error| Failure::Unpack {
            archive: archive.display().to_string(),
            error: with_advice(&error, self.store.root()),
        };
        let Some(cached) = self.installer.cached_path(provider, version) else {
            let (package, hash) = self.store.adopt(archive, packed).map_err(unpacking)?;
            lock.check(&[&hash, packed])?;
            share(&package, &installed).map_err(|error| Failure::unwritable(&installed, &error))?;
            return Ok(hash);
        };
        let hash = hash_archive(archive).map_err(unpacking)?;
        lock.check(&[&hash, packed])?;
        let _others_wait = self
            .store
            .lock(&format!("cache:{}", cached.display()))
            .map_err(|error| Failure::unwritable(self.store.root(), &error))?;
        let there = cached.is_dir() && hash_directory(&cached).is_ok_and(|there| there == hash);
        if !there {
            unpack(archive, &cached).map_err(unpacking)?;
        }
        link(&cached, &installed).map_err(|error| Failure::unwritable(&installed, &error))?;
        Ok(hash)
    }

    fn take_from_afar(
        &self,
        provider: &ProviderAddr,
        version: &Version,
        offer: &Offer,
        lock: &Lock<'_>,
        tell: &mut dyn FnMut(Event),
    ) -> Result<PackageHash, Failure> {
        let stated: Vec<&PackageHash> = offer
            .expected
            .iter()
            .filter(|hash| hash.0.starts_with("zh:"))
            .collect();
        if let [only] = stated[..]
            && lock.forbids(only)
        {
            return Err(lock.refusal());
        }
        let cached = self.installer.cached_path(provider, version);
        self.with_archive(
            offer,
            &mut |progress| {
                tell(Event::Downloading {
                    provider: provider.clone(),
                    version: version.clone(),
                    done: progress.done,
                    total: progress.total,
                });
            },
            |got| match got {
                Got::Stored(package, hash) if cached.is_none() => {
                    lock.check(&[&hash])?;
                    let installed = self.installer.installed_path(provider, version);
                    share(&package, &installed)
                        .map_err(|error| Failure::unwritable(&installed, &error))?;
                    Ok(Some(hash))
                }
                Got::Stored(..) => Ok(None),
                Got::Archive(archive, packed) => self
                    .take_archive((provider, version), archive, packed, lock)
                    .map(Some),
            },
        )
    }

    /// Has `work` done with what is offered from afar: as it lies in the store, where `work` can do with that, else with
    /// the archive, which is downloaded, checked and gone afterwards.
    pub(super) fn with_archive<T>(
        &self,
        offer: &Offer,
        watch: &mut dyn FnMut(Progress),
        mut work: impl FnMut(Got<'_>) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let key = match (
            &offer.place,
            offer.expected.iter().find(|hash| hash.0.starts_with("zh:")),
        ) {
            (_, Some(hash)) => hash.to_string(),
            (Place::Blob { digest, .. }, None) => digest.clone(),
            (Place::Url { url, .. }, None) => url.clone(),
            (Place::Directory(path) | Place::Archive(path), None) => path.display().to_string(),
        };
        let local = |error: std::io::Error| Failure::unwritable(self.store.root(), &error);
        // Whoever wants the same waits, and finds it in the store then.
        let _others_wait = self.store.lock(&format!("download:{key}")).map_err(local)?;
        if let Some((package, hash)) = self.store.find(&offer.expected).map_err(local)?
            && let Some(done) = work(Got::Stored(package, hash))?
        {
            return Ok(done);
        }
        let archive = self.store.download(&key);
        self.download(offer, &archive, watch)?;
        let packed = hash_zip(&archive).map_err(local)?;
        let checked = check_archive(&archive, &packed, &offer.expected);
        let done = checked.and_then(|()| work(Got::Archive(&archive, &packed)));
        std::fs::remove_file(&archive).ok();
        match done? {
            Some(done) => Ok(done),
            None => Err(Failure::Download {
                why: "the archive was of no use".to_owned(),
            }),
        }
    }

    fn download(
        &self,
        offer: &Offer,
        archive: &Path,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<(), Failure> {
        let registries = &self.installer.settings.registries;
        let done = match &offer.place {
            Place::Url { url, authorization } => {
                let headers: Vec<(&str, &str)> = authorization
                    .iter()
                    .map(|authorization| ("authorization", authorization.as_str()))
                    .collect();
                let http = registries.http();
                http.download_watched(url, &headers, archive, watch)
                    .map(drop)
            }
            Place::Blob {
                authority,
                repository,
                digest,
            } => self
                .sources
                .open_oci(authority, repository)
                .download(digest, archive, watch),
            Place::Directory(_) | Place::Archive(_) => Ok(()),
        };
        done.map_err(|error: ClientError| Failure::Download {
            why: error.to_string(),
        })
    }
}

/// An error's text, with what to do where there is no room.
fn with_advice(error: &std::io::Error, store: &Path) -> String {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => format!(
            "{error}; make room in {}, or name another place by TERRACE_CACHE_DIR, and run terrace init again",
            store.display()
        ),
        _ => error.to_string(),
    }
}

/// A package that came from afar.
pub(super) enum Got<'a> {
    /// It is in the store.
    Stored(PathBuf, PackageHash),
    /// Its archive is here, with its checksum.
    Archive(&'a Path, &'a PackageHash),
}

/// Refuses an archive that is not what its source says that it is.
fn check_archive(
    archive: &Path,
    packed: &PackageHash,
    expected: &BTreeSet<PackageHash>,
) -> Result<(), Failure> {
    let comparable: Vec<&PackageHash> = expected.iter().filter(|hash| hash.is_checksum()).collect();
    if comparable.is_empty() || comparable.contains(&packed) {
        return Ok(());
    }
    let has_files = comparable.iter().any(|hash| hash.0.starts_with("h1:"));
    let found = if has_files {
        // What is no archive has no files either.
        hash_archive(archive).unwrap_or_else(|_| packed.clone())
    } else {
        packed.clone()
    };
    if comparable.contains(&&found) {
        return Ok(());
    }
    Err(Failure::WrongArchive {
        found: found.to_string(),
        expected: comparable.iter().map(ToString::to_string).collect(),
    })
}

/// What the lock file allows a package to be.
pub(super) struct Lock<'a> {
    package: String,
    allowed: Option<&'a BTreeSet<PackageHash>>,
    /// Whether the package lies on this machine, or comes from elsewhere.
    local: bool,
}

impl Lock<'_> {
    fn checksums(&self) -> Option<&BTreeSet<PackageHash>> {
        self.allowed
            .filter(|allowed| allowed.iter().any(PackageHash::is_checksum))
    }

    /// Refuses a package that has none of the allowed checksums, where there are any.
    fn check(&self, hashes: &[&PackageHash]) -> Result<(), Failure> {
        match self.checksums() {
            Some(allowed) if !hashes.iter().any(|hash| allowed.contains(*hash)) => {
                Err(self.refusal())
            }
            _ => Ok(()),
        }
    }

    /// Whether an archive with this checksum cannot be any of the allowed ones: the lock file knows archives, and not
    /// this one, and no package's files.
    fn forbids(&self, packed: &PackageHash) -> bool {
        self.checksums().is_some_and(|allowed| {
            !allowed.contains(packed) && !allowed.iter().any(|hash| hash.0.starts_with("h1:"))
        })
    }

    fn refusal(&self) -> Failure {
        Failure::WrongChecksum {
            package: self.package.clone(),
            local: self.local,
        }
    }
}

//! One call whose package is selected, fetched and put where it belongs.

use std::path::Path;

use terrace_addr::version::{Constraints, Version};
use terrace_config::ModuleRequest;
use terrace_diag::Diagnostic;
use terrace_registry_client::ClientError;

use crate::fetch::FetchError;
use crate::installation::{Installation, Ready, lock, name_of};
use crate::manifest::key;
use crate::source::{RegistrySource, RemoteSource, clean_subdirectory};
use crate::{
    LockedModule, ManifestRecord, ModuleLock, ModuleSource, hash_package, subdirectory, tree,
};

/// What a call gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Package {
    /// A version of a registry's module.
    Registry(RegistrySource, Version),
    /// What an address names.
    Remote(RemoteSource),
}

impl Package {
    /// What an earlier installation got for `source`.
    pub(crate) fn of_record(source: &ModuleSource, record: &ManifestRecord) -> Option<Self> {
        Some(match source {
            ModuleSource::Local(_) => return None,
            ModuleSource::Registry(source) => {
                Self::Registry(source.clone(), record.version.as_deref()?.parse().ok()?)
            }
            ModuleSource::Remote(source) => Self::Remote(source.clone()),
        })
    }

    /// The package as lock files name it.
    pub(crate) fn source(&self) -> String {
        match self {
            Self::Registry(source, _) => source.module.to_string(),
            Self::Remote(source) => source.package().for_display(),
        }
    }

    /// The package for people.
    pub(crate) fn for_display(&self) -> String {
        self.source()
    }

    /// The version, of a registry's module.
    pub(crate) fn version(&self) -> Option<Version> {
        match self {
            Self::Registry(_, version) => Some(version.clone()),
            Self::Remote(_) => None,
        }
    }

    /// Whether the lock file says what it must be. A directory of this machine is as free to change as a local module.
    pub(crate) fn is_lockable(&self) -> bool {
        match self {
            Self::Registry(..) => true,
            Self::Remote(source) => source
                .local_path()
                .is_none_or(|path| !Path::new(path).is_dir()),
        }
    }

    /// Whether it is fetched by commits.
    pub(crate) fn is_repository(&self) -> bool {
        matches!(self, Self::Remote(source) if source.getter == "git")
    }

    /// What the lock file knows of it.
    pub(crate) fn locked<'l>(&self, lock: &'l ModuleLock, key: &str) -> Option<&'l LockedModule> {
        let version = self.version();
        lock.find(key, &self.source(), &|locked| locked.version == version)
    }

    fn subdirectory(&self) -> &str {
        match self {
            Self::Registry(source, _) => &source.subdirectory,
            Self::Remote(source) => &source.subdirectory,
        }
    }

    /// A name under which the package's content never changes, if there is one.
    fn unchanging(&self, revision: Option<&str>) -> Option<String> {
        match (self, revision) {
            (Self::Registry(source, version), _) => {
                Some(format!("registry:{}@{version}", source.module))
            }
            (Self::Remote(source), Some(revision)) => {
                Some(format!("git:{}@{revision}", source.address))
            }
            (Self::Remote(_), None) => None,
        }
    }
}

/// A call that awaits its package.
pub(crate) struct Job<'a> {
    pub(crate) installation: &'a Installation<'a>,
    pub(crate) request: ModuleRequest<'a>,
    source: ModuleSource,
    pub(crate) key: String,
}

impl<'a> Job<'a> {
    pub(crate) fn new(
        installation: &'a Installation<'_>,
        request: ModuleRequest<'a>,
        source: ModuleSource,
    ) -> Self {
        Self {
            key: key(request.path),
            installation,
            request,
            source,
        }
    }

    /// Selects what the call gets: what is locked, or the newest version that it allows.
    pub(crate) fn select(&self) -> Result<Package, Diagnostic> {
        match &self.source {
            ModuleSource::Remote(source) => Ok(Package::Remote(source.clone())),
            ModuleSource::Registry(source) => self
                .version(source)
                .map(|version| Package::Registry(source.clone(), version)),
            ModuleSource::Local(source) => Err(self.problem(
                "invalid-module-source",
                "Invalid module source address",
                format!("The source {source:?} is local and is not fetched."),
            )),
        }
    }

    fn version(&self, source: &RegistrySource) -> Result<Version, Diagnostic> {
        // A constraint that cannot be read was reported when the call was.
        let constraints: Constraints = self
            .request
            .version
            .and_then(|version| version.parse().ok())
            .unwrap_or_default();
        if !self.installation.settings.upgrade {
            let fits = |locked: &LockedModule| {
                locked
                    .version
                    .as_ref()
                    .is_some_and(|version| constraints.allows(version))
            };
            let module = source.module.to_string();
            let locked = self.installation.locked.find(&self.key, &module, &fits);
            if let Some(version) = locked.and_then(|locked| locked.version.clone()) {
                return Ok(version);
            }
        }
        let name = name_of(&self.request);
        let host = &source.module.host;
        let found = self.installation.settings.registry.listing(&source.module);
        let listing = match found {
            Err(error) => return Err(self.no_versions(source, &error)),
            Ok(None) => {
                return Err(self.problem(
                    "module-not-found",
                    "Module not found",
                    format!(
                        "Module \"{name}\" cannot be found in the module registry at {host}: it has no module {}.",
                        source.module
                    ),
                ));
            }
            Ok(Some(listing)) => listing,
        };
        let listed = listing.versions.iter();
        let mut versions: Vec<Version> = listed.map(|listed| listed.version.clone()).collect();
        if let Some(newest) = constraints.newest(&versions) {
            self.warn(source, newest, &listing);
            return Ok(newest.clone());
        }
        if let Some(diagnostic) = self.only_yanked(source, &constraints, &listing) {
            return Err(diagnostic);
        }
        versions.sort();
        let Some(newest) = versions
            .iter()
            .rfind(|version| !version.is_prerelease())
            .or(versions.last())
        else {
            return Err(self.problem(
                "module-without-versions",
                "Module has no versions",
                format!("Module \"{name}\" has no versions available on {host}."),
            ));
        };
        let listed: Vec<String> = versions
            .iter()
            .rev()
            .take(10)
            .map(Version::to_string)
            .collect();
        let more = versions.len().saturating_sub(listed.len());
        let more = if more > 0 {
            format!(" and {more} older ones")
        } else {
            String::new()
        };
        let asked = self.request.version.unwrap_or("a release");
        Err(self.problem(
            "no-matching-module-version",
            "Unresolvable module version constraint",
            format!(
                "There is no available version of module \"{name}\" which matches the given version constraint, {asked}. The newest available version is {newest}. Available: {}{more}.",
                listed.join(", ")
            ),
        ))
    }

    fn no_versions(&self, source: &RegistrySource, error: &ClientError) -> Diagnostic {
        let name = name_of(&self.request);
        let host = &source.module.host;
        if matches!(error, ClientError::NoService { .. }) {
            return self.problem(
                "registry-without-modules",
                "Host does not provide Terraform modules",
                format!("The host {host}, given in the source address of module \"{name}\", does not offer a module registry: its services, https://{host}/.well-known/terraform.json, name no modules.v1. Check the host's name."),
            );
        }
        self.problem(
            "registry-unreachable",
            "Error accessing remote module registry",
            format!(
                "Failed to retrieve available versions for module \"{name}\" from {host}: {error}."
            ),
        )
    }

    /// Fetches the package and puts it where it belongs.
    pub(crate) fn install(&self, package: &Package) -> Result<Ready, Diagnostic> {
        let installation = self.installation;
        let directory = installation.package_directory(&self.key);
        let place = installation.settings.working_directory.join(&directory);
        let modules = place.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(modules).map_err(|error| self.unwritable(&error))?;
        if let Some(ready) = self.linked(package, &place, &directory)? {
            return Ok(ready);
        }
        let aside = tempfile::Builder::new()
            .prefix(".installing-")
            .tempdir_in(modules)
            .map_err(|error| self.unwritable(&error))?;
        let made = aside.path().join("package");
        let (locked, outer) = self.bring(package, &made)?;
        let wanted = join(&outer, package.subdirectory());
        let inside = subdirectory::find(&made, &wanted)
            .map_err(|why| self.no_subdirectory(package, &why))?;
        tree::remove(&place)
            .and_then(|()| std::fs::rename(&made, &place))
            .map_err(|error| self.unwritable(&error))?;
        Ok(Ready {
            record: self.record(package, join(&directory, &inside)),
            locked: package.is_lockable().then_some(locked),
            fresh: true,
        })
    }

    /// Copies the module into a directory that is its own.
    pub(crate) fn copy(&self, into: &Path) -> Result<(), Diagnostic> {
        let package = self.select()?;
        let work = self
            .installation
            .fetcher
            .cache
            .work()
            .map_err(|error| self.unwritable(&error))?;
        let made = work.path().join("package");
        let (_, outer) = self.bring(&package, &made)?;
        let wanted = join(&outer, package.subdirectory());
        let inside = subdirectory::find(&made, &wanted)
            .map_err(|why| self.no_subdirectory(&package, &why))?;
        tree::copy(&made.join(inside), into).map_err(|error| self.unwritable(&error))
    }

    /// A whole directory of this machine is not copied: what changes there is to be seen.
    fn linked(
        &self,
        package: &Package,
        place: &Path,
        directory: &str,
    ) -> Result<Option<Ready>, Diagnostic> {
        let Package::Remote(source) = package else {
            return Ok(None);
        };
        let Some(path) = source.local_path().map(Path::new) else {
            return Ok(None);
        };
        if !source.subdirectory.is_empty() || !path.is_absolute() || !path.is_dir() {
            return Ok(None);
        }
        tree::remove(place)
            .and_then(|()| tree::link(path, place))
            .map_err(|error| self.unwritable(&error))?;
        Ok(Some(Ready {
            record: self.record(package, directory.to_owned()),
            locked: None,
            fresh: true,
        }))
    }

    fn record(&self, package: &Package, directory: String) -> ManifestRecord {
        ManifestRecord {
            source: self.source.full(),
            version: package.version().map(|version| version.to_string()),
            directory,
        }
    }

    /// Makes a copy of the package at `made`: out of the cache where it is there, else fetched. Gives what is to be
    /// locked, and the directory in the package that is the module's.
    fn bring(&self, package: &Package, made: &Path) -> Result<(LockedModule, String), Diagnostic> {
        let installation = self.installation;
        let cache = &installation.fetcher.cache;
        let upgrade = installation.settings.upgrade;
        let expected = package
            .locked(&installation.locked, &self.key)
            .filter(|_| !upgrade);
        let revision = expected.and_then(|locked| locked.revision.as_deref());
        let _others_wait = cache
            .lock(&package.source())
            .map_err(|error| self.unwritable(&error))?;
        let unchanging = package.unchanging(revision);
        let run_key = format!("{}@{:?}", package.source(), package.version());
        let just_now = lock(&installation.fetched).get(&run_key).cloned();
        let known = match (expected, &just_now, &unchanging) {
            (Some(expected), ..) => Some(expected.hash.clone()),
            (None, Some(fetched), _) => Some(fetched.hash.clone()),
            (None, None, Some(name)) if !upgrade => cache.find(name),
            _ => None,
        };
        let revision = revision.or_else(|| just_now.as_ref()?.revision.as_deref());
        let lock_entry =
            |hash: String, revision: Option<String>, signer: Option<String>| LockedModule {
                source: package.source(),
                version: package.version(),
                revision,
                hash,
                signer,
            };
        let signer_key = |hash: &str| format!("signer:{}@{hash}", package.source());
        let outer_key = format!("outer:{}", package.source());
        if let Some(hash) = known
            && let Some(outer) = self.outer_of(package, &outer_key)
            && cache
                .take(&hash, made)
                .map_err(|error| self.unwritable(&error))?
        {
            let signer = match expected {
                Some(expected) => expected.signer.clone(),
                // A package may be in the cache from before its signer was looked for.
                None => match cache.find_text(&signer_key(&hash)) {
                    None if self.locks_a_signer(package) => self.signer_of(package, &hash)?,
                    remembered => remembered,
                },
            };
            self.hold_to_signer(package, signer.as_deref())?;
            if expected.is_some() && signer.is_some() {
                self.look_up(package);
            }
            return Ok((lock_entry(hash, revision.map(str::to_owned), signer), outer));
        }
        let (fetched, outer) = self.fetch(package, revision, made)?;
        let hash = hash_package(made).map_err(|error| self.unwritable(&error))?;
        if let Some(expected) = expected
            && expected.hash != hash
        {
            return Err(self.changed(package, &expected.hash, &hash));
        }
        let signer = self.signer_of(package, &hash)?;
        self.hold_to_signer(package, signer.as_deref())?;
        let keep = || {
            cache.adopt(made, &hash)?;
            if let Some(signer) = &signer {
                cache.remember_text(&signer_key(&hash), signer)?;
            }
            if let Package::Registry(_, version) = package {
                cache.remember_text(&format!("{outer_key}@{version}"), &outer)?;
            }
            match package.unchanging(fetched.as_deref()) {
                Some(name) => cache.remember(&name, &hash),
                None => Ok(()),
            }
        };
        keep().map_err(|error| self.unwritable(&error))?;
        let entry = lock_entry(hash, fetched, signer);
        lock(&installation.fetched).insert(run_key, entry.clone());
        Ok((entry, outer))
    }

    /// The directory in a registry's package that its location names; known where the package is in the cache.
    fn outer_of(&self, package: &Package, outer_key: &str) -> Option<String> {
        match package {
            Package::Remote(_) => Some(String::new()),
            Package::Registry(_, version) => self
                .installation
                .fetcher
                .cache
                .find_text(&format!("{outer_key}@{version}")),
        }
    }

    fn fetch(
        &self,
        package: &Package,
        revision: Option<&str>,
        made: &Path,
    ) -> Result<(Option<String>, String), Diagnostic> {
        let installation = self.installation;
        let name = name_of(&self.request);
        let source = match package {
            Package::Remote(source) => source.clone(),
            Package::Registry(source, version) => {
                let failed = |why: String| {
                    self.problem(
                        "registry-unreachable",
                        "Error accessing remote module registry",
                        format!(
                            "Failed to retrieve a download URL for {} {version} from {}: {why}.",
                            source.module, source.module.host
                        ),
                    )
                };
                let location = installation
                    .settings
                    .registry
                    .location(&source.module, version)
                    .map_err(|error| failed(error.to_string()))?;
                match RemoteSource::parse(&location) {
                    Ok(Some(remote)) if remote.getter != "file" => remote,
                    _ => {
                        return Err(failed(format!(
                            "the registry names {location:?}, which is no address to fetch from"
                        )));
                    }
                }
            }
        };
        std::fs::create_dir(made).map_err(|error| self.unwritable(&error))?;
        let fetched = installation
            .fetcher
            .fetch(&source.package(), revision, made)
            .map_err(|error| {
                let (id, summary) = match &error {
                    FetchError::NotSupported(_) => ("not-supported-yet", "Not supported yet"),
                    _ => ("module-download-failed", "Failed to download module"),
                };
                self.problem(
                    id,
                    summary,
                    format!(
                        "Could not download module \"{name}\" source code from {:?}: {error}.",
                        source.package().for_display()
                    ),
                )
            })?;
        let outer = match package {
            Package::Registry(..) => clean_subdirectory(&source.subdirectory).unwrap_or_default(),
            Package::Remote(_) => String::new(),
        };
        Ok((
            fetched
                .revision
                .filter(|_| matches!(package, Package::Remote(_))),
            outer,
        ))
    }

    fn changed(&self, package: &Package, expected: &str, found: &str) -> Diagnostic {
        let version = package
            .version()
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        self.problem(
            "module-content-changed",
            "Module content has changed",
            format!(
                "The package {}{version} of module \"{}\" is not what {} records: its files have the checksum {found}, and {expected} was locked. Either someone has changed what stands at this address, or the download was tampered with.",
                package.source(),
                name_of(&self.request),
                ModuleLock::NAME
            ),
        )
        .hint("find out what has changed; `terrace init -upgrade` takes over the new content")
    }

    fn no_subdirectory(&self, package: &Package, why: &str) -> Diagnostic {
        self.problem(
            "module-subdirectory",
            "Failed to expand subdir globs",
            format!(
                "The package {} of module \"{}\" does not have what the source asks for: {why}. The part behind \"//\" names one directory in the package.",
                package.source(),
                name_of(&self.request)
            ),
        )
    }

    fn unwritable(&self, error: &std::io::Error) -> Diagnostic {
        self.problem(
            "module-not-written",
            "Failed to install module",
            format!(
                "The files of module \"{}\" cannot be written: {error}.",
                name_of(&self.request)
            ),
        )
    }

    pub(crate) fn problem(
        &self,
        id: &'static str,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::error(id, summary, detail).at(self.request.span)
    }
}

fn join(directory: &str, inside: &str) -> String {
    match (directory, inside) {
        (directory, "") => directory.to_owned(),
        ("", inside) => inside.to_owned(),
        (directory, inside) => format!("{directory}/{inside}"),
    }
}

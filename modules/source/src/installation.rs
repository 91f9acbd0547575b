//! Resolving calls for `init` and `get`: what is not there is fetched.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use terrace_addr::ModulePath;
use terrace_config::{ModuleRequest, ModuleResolver};
use terrace_diag::{Diagnostic, SourceId, Span};
use terrace_port::Files;
use terrace_registry_client::ModuleRegistry;

use crate::cache::Cache;
use crate::fetch::{Fetcher, revision_of};
use crate::installed::{local, parse, version_fits};
use crate::job::{Job, Package};
use crate::manifest::key;
use crate::{LockedModule, Manifest, ManifestRecord, ModuleEvent, ModuleLock, ModuleSource, tree};

/// How many packages are fetched at once.
const AT_ONCE: usize = 8;

/// Where modules are installed, and how.
pub struct InstallationSettings {
    /// The working directory; what sources and manifests say is relative to it.
    pub working_directory: PathBuf,
    /// The data directory, `.terraform` unless `TF_DATA_DIR` says otherwise.
    pub data_directory: String,
    /// A directory for packages that all working directories share.
    pub cache: Option<PathBuf>,
    /// Whether to select and fetch everything anew, whatever is installed and locked.
    pub upgrade: bool,
    /// Asks registries.
    pub registry: ModuleRegistry,
    /// Makes requests.
    pub http: Arc<terrace_registry_client::Http>,
    /// The process's environment: clouds' credentials are found through it.
    pub environment: BTreeMap<String, String>,
}

/// What an installation leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Where each module is.
    pub manifest: Manifest,
    /// What each fetched module is.
    pub lock: ModuleLock,
}

/// Resolves modules for `init` and `get`: fetches what is not there, and keeps a record of each for the manifest.
pub struct Installation<'a> {
    files: &'a dyn Files,
    pub(crate) settings: InstallationSettings,
    pub(crate) fetcher: Fetcher,
    earlier: Manifest,
    pub(crate) locked: ModuleLock,
    observer: Box<dyn Fn(&ModuleEvent) + Send + Sync + 'a>,
    outcome: Mutex<Outcome>,
    /// Whether there was any call.
    begun: AtomicBool,
    /// What was fetched in this run, by package: several calls of one package get the same.
    pub(crate) fetched: Mutex<BTreeMap<String, LockedModule>>,
    /// What is to be told of packages, by package: several calls of one package are told once.
    pub(crate) warnings: Mutex<BTreeMap<String, Diagnostic>>,
    /// What was prepared and not yet asked for.
    ready: Mutex<BTreeMap<ModulePath, Result<Ready, Diagnostic>>>,
}

/// A module that is where it belongs.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) record: ManifestRecord,
    pub(crate) locked: Option<LockedModule>,
    /// Whether it was put there just now.
    pub(crate) fresh: bool,
}

impl<'a> Installation<'a> {
    /// With what an earlier installation left. `observer` is told what happens, in the order of the calls.
    pub fn new(
        files: &'a dyn Files,
        settings: InstallationSettings,
        earlier: Outcome,
        observer: impl Fn(&ModuleEvent) + Send + Sync + 'a,
    ) -> io::Result<Self> {
        let cache = Arc::new(Cache::open(settings.cache.as_deref())?);
        let fetcher = Fetcher {
            http: settings.http.clone(),
            cache,
            environment: settings.environment.clone(),
        };
        let mut outcome = Outcome::default();
        let root = ManifestRecord {
            source: String::new(),
            version: None,
            directory: ".".to_owned(),
        };
        outcome
            .manifest
            .records
            .insert(key(&ModulePath::root()), root);
        Ok(Self {
            files,
            settings,
            fetcher,
            earlier: earlier.manifest,
            locked: earlier.lock,
            observer: Box::new(observer),
            outcome: Mutex::new(outcome),
            begun: AtomicBool::new(false),
            fetched: Mutex::default(),
            warnings: Mutex::default(),
            ready: Mutex::default(),
        })
    }

    /// What is to be told of what was installed: versions that were taken back or are deprecated.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        lock(&self.warnings).values().cloned().collect()
    }

    /// What was installed: of all modules that were resolved.
    pub fn finish(self) -> Outcome {
        let mut outcome = self
            .outcome
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        outcome.lock.share_revisions();
        outcome
    }

    /// Copies the module that `source` names into the directory `into`: its own files, and what is in its directory. Of
    /// a registry it is the newest version that the constraint `version` allows.
    pub fn copy_module(
        &self,
        source: &str,
        version: Option<&str>,
        into: &Path,
    ) -> Result<(), Diagnostic> {
        let path = ModulePath::root();
        let request = ModuleRequest {
            path: &path,
            calling_directory: ".",
            source,
            version,
            span: Span::new(SourceId(0), 0, 0),
        };
        let copied = match parse(&request).map_err(without_place)? {
            ModuleSource::Local(source) => {
                tree::copy(&self.settings.working_directory.join(source), into)
            }
            source => {
                let job = Job::new(self, request, source);
                return job.copy(into).map_err(without_place);
            }
        };
        copied.map_err(|error| {
            Diagnostic::error(
                "module-not-written",
                "Failed to install module",
                format!("The module {source:?} cannot be copied: {error}."),
            )
        })
    }

    /// The directory of a package, relative to the working directory.
    pub(crate) fn package_directory(&self, key: &str) -> String {
        let data = self.settings.data_directory.trim_end_matches('/');
        format!("{data}/modules/{key}")
    }

    /// What fetches and records of one call, at once.
    fn prepare_one(&self, request: &ModuleRequest<'_>) -> Result<Ready, Diagnostic> {
        self.prepare(std::slice::from_ref(request));
        lock(&self.ready)
            .remove(request.path)
            .unwrap_or_else(|| Err(no_source(request)))
    }

    fn prepare_local(
        &self,
        request: &ModuleRequest<'_>,
        source: &str,
    ) -> Result<Ready, Diagnostic> {
        let inside = terrace_config::join_path(request.calling_directory, source);
        if let Some((package, directory)) = self.package_around(request.path)
            && inside != directory
            && !inside.starts_with(&format!("{directory}/"))
        {
            return Err(Diagnostic::error(
                "module-outside-package",
                "Local module path escapes module package",
                format!(
                    "The given source directory for {} would be outside of its containing package \"{package}\". Local source addresses starting with \"../\" must stay within the same package that the calling module belongs to.",
                    request.path
                ),
            )
            .at(request.span));
        }
        let directory = local(self.files, request, source)?;
        let record = ManifestRecord {
            source: source.to_owned(),
            version: None,
            directory,
        };
        Ok(Ready {
            fresh: self.settings.upgrade || self.earlier.record(request.path) != Some(&record),
            record,
            locked: None,
        })
    }

    /// The fetched package that a call stands in, and its directory.
    fn package_around(&self, path: &ModulePath) -> Option<(String, String)> {
        let outcome = lock(&self.outcome);
        let mut above = path.parent().map(|(above, _)| above);
        while let Some(path) = above.filter(|path| !path.is_root()) {
            let record = outcome.manifest.record(&path)?;
            let package = match ModuleSource::parse(&record.source) {
                Ok(ModuleSource::Registry(source)) => Some(source.module.to_string()),
                Ok(ModuleSource::Remote(source)) => Some(source.package().for_display()),
                Ok(ModuleSource::Local(_)) | Err(_) => None,
            };
            if let Some(package) = package {
                return Some((package, self.package_directory(&key(&path))));
            }
            above = path.parent().map(|(above, _)| above);
        }
        None
    }

    /// The installed module, if it is still what the call and the lock file ask for.
    fn reuse(&self, request: &ModuleRequest<'_>, source: &ModuleSource) -> Option<Ready> {
        let record = self.earlier.record(request.path)?;
        let directory = self.settings.working_directory.join(&record.directory);
        if self.settings.upgrade
            || record.source != source.full()
            || !version_fits(request, record)
            || !directory.is_dir()
        {
            return None;
        }
        let package = Package::of_record(source, record)?;
        let key = key(request.path);
        let place = self
            .settings
            .working_directory
            .join(self.package_directory(&key));
        let locked = if place.is_symlink() {
            None
        } else {
            let hash = crate::hash_package(&place).ok()?;
            let known = package.locked(&self.locked, &key);
            if known.is_some_and(|known| known.hash != hash) {
                return None;
            }
            let revision = known
                .map(|known| known.revision.clone())
                .unwrap_or_else(|| {
                    package
                        .is_repository()
                        .then(|| revision_of(&place))
                        .flatten()
                });
            package.is_lockable().then(|| LockedModule {
                source: package.source(),
                version: package.version(),
                revision,
                hash,
                signer: known.and_then(|known| known.signer.clone()),
            })
        };
        Some(Ready {
            record: record.clone(),
            locked,
            fresh: false,
        })
    }

    /// Selects a package for each call, says so, and fetches them.
    fn fetch_all(&self, jobs: Vec<(ModulePath, Job<'_>)>) {
        let selected = at_once(&jobs, |(_, job)| job.select());
        let mut selected: Vec<_> = jobs.into_iter().zip(selected).collect();
        for ((_, job), package) in &selected {
            if let Ok(package) = package {
                (self.observer)(&ModuleEvent::Downloading {
                    package: package.for_display(),
                    version: package.version(),
                    key: job.key.clone(),
                });
            }
        }
        let fetched = at_once(&selected, |((_, job), package)| match package {
            Ok(package) => job.install(package),
            Err(diagnostic) => Err(diagnostic.clone()),
        });
        let mut ready = lock(&self.ready);
        for (((path, _), _), outcome) in selected.drain(..).zip(fetched) {
            ready.insert(path, outcome);
        }
    }
}

impl ModuleResolver for Installation<'_> {
    fn prepare(&self, requests: &[ModuleRequest<'_>]) {
        let mut jobs = Vec::new();
        let mut signed = BTreeMap::new();
        for request in requests {
            let source = match parse(request) {
                Ok(ModuleSource::Local(_)) => continue,
                Ok(source) => source,
                Err(diagnostic) => {
                    lock(&self.ready).insert(request.path.clone(), Err(diagnostic));
                    continue;
                }
            };
            match self.reuse(request, &source) {
                Some(found) => {
                    let is_signed = |locked: &LockedModule| locked.signer.is_some();
                    if found.locked.as_ref().is_some_and(is_signed)
                        && let Some(package) = Package::of_record(&source, &found.record)
                    {
                        signed
                            .entry(package.for_display())
                            .or_insert_with(|| (Job::new(self, *request, source.clone()), package));
                    }
                    lock(&self.ready).insert(request.path.clone(), Ok(found));
                }
                None => jobs.push((request.path.clone(), Job::new(self, *request, source))),
            }
        }
        if !requests.is_empty() && !self.begun.swap(true, Ordering::Relaxed) {
            (self.observer)(&ModuleEvent::Begun {
                upgrade: self.settings.upgrade,
            });
        }
        let signed: Vec<_> = signed.into_values().collect();
        at_once(&signed, |(job, package)| job.look_up(package));
        if !jobs.is_empty() {
            self.fetch_all(jobs);
        }
    }

    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        let prepared = lock(&self.ready).remove(request.path);
        let ready = match (prepared, parse(request)?) {
            (_, ModuleSource::Local(source)) => self.prepare_local(request, &source)?,
            (Some(ready), _) => ready?,
            (None, _) => self.prepare_one(request)?,
        };
        let key = key(request.path);
        let directory = ready.record.directory.clone();
        if ready.fresh {
            (self.observer)(&ModuleEvent::Installed {
                key: key.clone(),
                directory: directory.clone(),
            });
        }
        let mut outcome = lock(&self.outcome);
        outcome.manifest.records.insert(key.clone(), ready.record);
        if let Some(locked) = ready.locked {
            outcome.lock.modules.insert(key, locked);
        }
        Ok(directory)
    }
}

/// The name of a call, for people.
pub(crate) fn name_of<'r>(request: &ModuleRequest<'r>) -> &'r str {
    request.path.steps().last().map_or("", |name| &**name)
}

/// A problem of a source that stands in no file.
fn without_place(mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.subject = None;
    diagnostic
}

fn no_source(request: &ModuleRequest<'_>) -> Diagnostic {
    Diagnostic::error(
        "invalid-module-source",
        "Invalid module source address",
        format!("The source {:?} names nothing to install.", request.source),
    )
    .at(request.span)
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does the work for all items, some at the same time; answers are in the order of the items.
fn at_once<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let answers: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::default()).collect();
    std::thread::scope(|scope| {
        for _ in 0..items.len().min(AT_ONCE) {
            scope.spawn(|| {
                while let Some((item, answer)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    items.get(index).zip(answers.get(index))
                } {
                    *lock(answer) = Some(work(item));
                }
            });
        }
    });
    answers
        .into_iter()
        .map(|answer| {
            answer
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .expect("every item is worked on before the threads end")
        })
        .collect()
}

//! Reading a root module and all that it calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{ModulePath, Name};
use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceId, SourceMap, Span};
use terrace_port::{FileEntry, Files};

use terrace_value::Text;

use crate::directory::{self, ConfigFile};
use crate::early::{self, ConstantsOnly, EarlyEvaluator, EarlyPlace, FoundSource};
use crate::parts::FileParts;
use crate::versions::judge_versions;
use crate::{
    Config, Module, ModuleCall, ModuleNode, Snapshot, SnapshotFile, decode, merge, providers,
};

/// A call whose module is looked for.
#[derive(Clone, Copy, Debug)]
pub struct ModuleRequest<'a> {
    /// Where the called module stands in the tree.
    pub path: &'a ModulePath,
    /// The directory of the calling module.
    pub calling_directory: &'a str,
    /// The source as written.
    pub source: &'a str,
    /// Version constraint as written.
    pub version: Option<&'a str>,
    /// Where the source stands.
    pub span: Span,
}

/// Finds the directory of a called module. Implemented outside the engine: by what reads a manifest, or fetches.
pub trait ModuleResolver: Send + Sync {
    /// Told of all calls of one level of the tree before each is resolved, so that they can be worked on together.
    fn prepare(&self, _requests: &[ModuleRequest<'_>]) {}

    /// The directory, relative to the working directory as the root's is; or why there is none.
    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic>;
}

/// Reads the module in `root_directory` (`.` for the working directory) and all that it calls.
///
/// The diagnostics are those that stop `init` too; [`crate::check`] finds what concerns calls and references between
/// modules. Always returns a configuration, of what could be understood.
pub fn load(
    root_directory: &str,
    files: &dyn Files,
    resolver: &dyn ModuleResolver,
) -> (Config, Diagnostics) {
    load_with(root_directory, files, resolver, &ConstantsOnly)
}

/// As [`load`], where sources and versions of modules may use variables and locals, which `early` evaluates.
pub fn load_with(
    root_directory: &str,
    files: &dyn Files,
    resolver: &dyn ModuleResolver,
    early: &dyn EarlyEvaluator,
) -> (Config, Diagnostics) {
    Loader::new(files, resolver, Some(early)).run(root_directory)
}

/// Loads the configuration that a snapshot was taken of: the same, places included.
pub fn load_snapshot(snapshot: &Snapshot) -> (Config, Diagnostics) {
    let root = snapshot.modules.get("").map_or(".", String::as_str);
    let (files, modules) = (SnapshotFiles(snapshot), SnapshotModules(snapshot));
    Loader::new(&files, &modules, None).run(root)
}

struct Loader<'a> {
    files: &'a dyn Files,
    resolver: &'a dyn ModuleResolver,
    /// `None` where it is recorded where modules are.
    early: Option<&'a dyn EarlyEvaluator>,
    sources: SourceMap,
    snapshot: Snapshot,
    definitions: BTreeMap<String, Arc<Module>>,
    diagnostics: Diagnostics,
    /// What modules say against the versions of the language that there are.
    unmet_versions: Diagnostics,
}

/// A call that awaits its module.
struct Pending {
    path: ModulePath,
    directory: String,
    /// Its source, as evaluated.
    source: Text,
    /// The modules above, from the root down: none of their directories must be called again.
    above: Vec<Arc<Module>>,
}

/// One file, read.
struct ReadFile {
    file: ConfigFile,
    id: SourceId,
    source: Arc<SourceFile>,
    bytes: Arc<[u8]>,
}

impl<'a> Loader<'a> {
    fn new(
        files: &'a dyn Files,
        resolver: &'a dyn ModuleResolver,
        early: Option<&'a dyn EarlyEvaluator>,
    ) -> Self {
        Self {
            files,
            resolver,
            early,
            sources: SourceMap::new(),
            snapshot: Snapshot::default(),
            definitions: BTreeMap::new(),
            diagnostics: Diagnostics::new(),
            unmet_versions: Diagnostics::new(),
        }
    }

    fn run(mut self, root_directory: &str) -> (Config, Diagnostics) {
        let root = Pending {
            path: ModulePath::root(),
            directory: clean(root_directory),
            source: Text::default(),
            above: Vec::new(),
        };
        let mut found: BTreeMap<ModulePath, Found> = BTreeMap::new();
        let mut level = vec![root];
        while !level.is_empty() {
            self.define(&level);
            if self.diagnostics.has_errors() && found.is_empty() {
                // A broken root says nothing reliable about what it calls.
                if let Some(module) = self.definitions.get(&level[0].directory) {
                    let root = (Arc::clone(module), Text::default());
                    found.insert(ModulePath::root(), root);
                }
                break;
            }
            let mut next = Vec::new();
            for pending in level {
                let Some(module) = self.definitions.get(&pending.directory).cloned() else {
                    continue;
                };
                self.snapshot
                    .modules
                    .insert(pending.path.to_string(), pending.directory.clone());
                if !pending.path.is_root() {
                    self.not_in_child(&module, &pending.path);
                }
                next.extend(self.calls_of(&module, &pending));
                found.insert(pending.path, (module, pending.source));
            }
            level = next;
        }
        self.snapshot.files.sort_by(|a, b| a.path.cmp(&b.path));
        let root = node(&ModulePath::root(), &mut found).unwrap_or_else(|| ModuleNode {
            path: ModulePath::root(),
            module: Arc::new(Module {
                directory: clean(root_directory),
                ..Module::default()
            }),
            source: Text::default(),
            children: BTreeMap::new(),
        });
        let config = Config {
            root,
            sources: self.sources,
            snapshot: Arc::new(self.snapshot),
            unmet_versions: self.unmet_versions,
        };
        if !self.diagnostics.has_errors() {
            self.diagnostics.append(providers::check_built_in(&config));
            self.diagnostics.append(providers::check_passing(&config));
        }
        if !self.diagnostics.has_errors() {
            self.diagnostics.append(config.unmet_versions.clone());
        }
        (config, self.diagnostics)
    }

    /// Complains about what only the root module may hold.
    fn not_in_child(&mut self, module: &Module, path: &ModulePath) {
        for import in &module.imports {
            let detail = format!(
                "An import block was detected in \"{path}\". Import blocks are only allowed in the root module."
            );
            self.diagnostics.push(
                Diagnostic::error("import-in-child", "Invalid import configuration", detail)
                    .at(import.span),
            );
        }
        if let Some(backend) = &module.backend {
            self.diagnostics.push(
                Diagnostic::warning(
                    "backend-in-child",
                    "Backend configuration ignored",
                    "Any selected backend applies to the entire configuration, so Terrace expects provider configurations only in the root module.\n\nThis is a warning rather than an error because it's sometimes convenient to temporarily call a root module as a child module for testing purposes, but this backend configuration block will have no effect.",
                )
                .at(backend.span),
            );
        }
    }

    /// The directories of what `module` calls.
    fn calls_of(&mut self, module: &Arc<Module>, caller: &Pending) -> Vec<Pending> {
        let mut pending = Vec::new();
        let mut modules = caller.above.clone();
        modules.push(Arc::clone(module));
        let with_source =
            |call: &&ModuleCall| !call.source.is_empty() || call.source_expression.is_some();
        let mut found = Vec::new();
        for call in module.calls.values().filter(with_source) {
            let path = caller.path.child(call.name.clone());
            match self.source_of(call, &modules, &caller.path, &path) {
                Ok(source) => found.push((call, path, source)),
                Err(problems) => self.diagnostics.append(problems),
            }
        }
        let requests: Vec<ModuleRequest<'_>> = found
            .iter()
            .map(|(call, path, found)| ModuleRequest {
                path,
                calling_directory: &caller.directory,
                source: &found.source,
                version: found.version.as_deref(),
                span: call.source_span,
            })
            .collect();
        self.resolver.prepare(&requests);
        for ((call, path, found), request) in found.iter().zip(&requests) {
            match self.resolver.resolve(request) {
                Ok(directory) => {
                    let directory = clean(&directory);
                    if modules.iter().any(|above| above.directory == directory) {
                        self.diagnostics.push(module_calls_itself(call, &directory));
                    } else {
                        pending.push(Pending {
                            path: path.clone(),
                            directory,
                            source: found.source.clone(),
                            above: modules.clone(),
                        });
                    }
                }
                Err(diagnostic) => self.diagnostics.push(diagnostic),
            }
        }
        pending
    }

    /// Source and version of a call in the last of `modules`.
    fn source_of(
        &self,
        call: &ModuleCall,
        modules: &[Arc<Module>],
        caller: &ModulePath,
        called: &ModulePath,
    ) -> Result<FoundSource, Diagnostics> {
        let Some(early) = self.early else {
            return Ok(FoundSource {
                source: call.source.clone(),
                version: None,
            });
        };
        let what = format!("the source of {called}");
        let place = EarlyPlace {
            modules,
            path: caller,
            sources: &self.sources,
            what: &what,
        };
        early::source_of(call, &place, early)
    }

    /// Reads, parses and merges the modules in `directories` that are not yet known.
    fn define(&mut self, level: &[Pending]) {
        let mut directories: Vec<String> = level
            .iter()
            .map(|pending| pending.directory.clone())
            .collect();
        directories.sort();
        directories.dedup();
        directories.retain(|directory| !self.definitions.contains_key(directory));
        let mut read = Vec::new();
        let mut known = Vec::new();
        for directory in directories {
            match self.files.list(&directory) {
                Ok(entries) => {
                    for file in directory::configuration_files(&directory, &entries) {
                        read.extend(self.read(&directory, file));
                    }
                    known.push(directory);
                }
                Err(error) => self
                    .diagnostics
                    .push(unreadable_directory(&directory, &error)),
            }
        }
        let mut parsed = parse_all(&read).into_iter();
        let mut read = read.into_iter().peekable();
        for directory in known {
            let mut primary = Vec::new();
            let mut overrides = Vec::new();
            let mut problems = Diagnostics::new();
            let mut files = Vec::new();
            while let Some(ReadFile { file, .. }) =
                read.next_if(|read| read.file.directory == directory)
            {
                let Some((parts, diagnostics)) = parsed.next() else {
                    break;
                };
                problems.append(diagnostics);
                files.push(join(&directory, &file.name));
                if file.is_override {
                    overrides.push(parts);
                } else {
                    primary.push(parts);
                }
            }
            let (mut module, required, diagnostics) =
                merge::module(&directory, primary, overrides, &self.sources, problems);
            module.files = files;
            self.diagnostics.append(diagnostics);
            let subject = subject(level, &directory);
            self.unmet_versions
                .append(judge_versions(&required, &subject));
            self.definitions.insert(directory, Arc::new(module));
        }
    }

    fn read(&mut self, directory: &str, file: ConfigFile) -> Option<ReadFile> {
        let path = join(directory, &file.name);
        match self.files.read(&path) {
            Ok(bytes) => {
                let id = self.sources.add(SourceFile::new(
                    path.as_str(),
                    &*String::from_utf8_lossy(&bytes),
                ));
                let source = Arc::clone(self.sources.get(id)?);
                self.snapshot.files.push(SnapshotFile {
                    path,
                    bytes: Arc::clone(&bytes),
                });
                Some(ReadFile {
                    file,
                    id,
                    source,
                    bytes,
                })
            }
            Err(error) => {
                self.diagnostics.push(Diagnostic::error(
                    "unreadable-file",
                    "Failed to read file",
                    format!("The file \"{path}\" could not be read: {error}."),
                ));
                None
            }
        }
    }
}

/// How a sentence about a module begins that is called from a directory.
fn subject(level: &[Pending], directory: &str) -> String {
    match level.iter().find(|pending| pending.directory == *directory) {
        Some(pending) if !pending.path.is_root() => {
            format!("Module {} (from {})", pending.path, pending.source)
        }
        _ => "This configuration".to_owned(),
    }
}

/// A definition, and the source by which its caller found it.
type Found = (Arc<Module>, Text);

/// Takes a node and all below it out of `found`.
fn node(path: &ModulePath, found: &mut BTreeMap<ModulePath, Found>) -> Option<ModuleNode> {
    let (module, source) = found.remove(path)?;
    let children = module
        .calls
        .keys()
        .filter_map(|name: &Name| Some((name.clone(), node(&path.child(name.clone()), found)?)))
        .collect();
    Some(ModuleNode {
        path: path.clone(),
        module,
        source,
        children,
    })
}

/// Parses and decodes files, in parallel where there is enough to do; results are in the order of `files`.
fn parse_all(files: &[ReadFile]) -> Vec<(FileParts, Diagnostics)> {
    const WORTH_A_THREAD: usize = 64 * 1024;
    let total: usize = files.iter().map(|file| file.bytes.len()).sum();
    let available = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = available
        .min(files.len())
        .min(1 + total / WORTH_A_THREAD)
        .max(1);
    let parse =
        |read: &ReadFile| decode::decode_file(&read.file, read.id, &read.source, &read.bytes);
    if workers == 1 {
        return files.iter().map(parse).collect();
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut results: Vec<(usize, (FileParts, Diagnostics))> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| {
                    let mut done = Vec::new();
                    loop {
                        let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        let Some(file) = files.get(index) else {
                            return done;
                        };
                        done.push((index, parse(file)));
                    }
                })
            })
            .collect();
        handles
            .into_iter()
            .flat_map(|handle| {
                handle
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn module_calls_itself(call: &ModuleCall, directory: &str) -> Diagnostic {
    Diagnostic::error(
        "module-cycle",
        "Module calls itself",
        format!(
            "The module \"{}\" is in the directory \"{directory}\", which is the directory of a module that leads to this call. A module cannot contain itself: remove the call, or move the shared part into a module of its own.",
            call.name
        ),
    )
    .at(call.source_span)
}

fn unreadable_directory(directory: &str, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(
        "unreadable-directory",
        "Failed to read module directory",
        format!("Module directory {directory} does not exist or cannot be read: {error}."),
    )
}

/// `a/b` of a directory and a name; a name alone in the working directory.
pub(crate) fn join(directory: &str, name: &str) -> String {
    if directory == "." {
        name.to_owned()
    } else {
        format!("{}/{name}", directory.trim_end_matches('/'))
    }
}

/// The path of `path`, which is relative to `directory`: clean, and relative to what `directory` is relative to.
pub fn join_path(directory: &str, path: &str) -> String {
    clean(&join(directory, path))
}

/// A path without `.` and empty steps, and with `..` resolved where that is possible by text.
pub(crate) fn clean(path: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    let joined = steps.join("/");
    if path.starts_with('/') {
        format!("/{joined}")
    } else if joined.is_empty() {
        ".".to_owned()
    } else {
        joined
    }
}

/// The files of a snapshot.
struct SnapshotFiles<'a>(&'a Snapshot);

impl Files for SnapshotFiles<'_> {
    fn read(&self, path: &str) -> std::io::Result<Arc<[u8]>> {
        let missing = || std::io::Error::new(std::io::ErrorKind::NotFound, "not in the snapshot");
        self.0
            .file(path)
            .map(|file| Arc::clone(&file.bytes))
            .ok_or_else(missing)
    }

    fn list(&self, path: &str) -> std::io::Result<Vec<FileEntry>> {
        let prefix = join(path, "");
        let names = self
            .0
            .files
            .iter()
            .filter_map(|file| file.path.strip_prefix(&prefix));
        Ok(names
            .filter(|name| !name.contains('/'))
            .map(|name| FileEntry {
                name: name.to_owned(),
                is_directory: false,
            })
            .collect())
    }

    fn exists(&self, path: &str) -> bool {
        self.0.file(path).is_some()
    }

    fn absolute(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// The directories of a snapshot's modules.
struct SnapshotModules<'a>(&'a Snapshot);

impl ModuleResolver for SnapshotModules<'_> {
    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        self.0.modules.get(&request.path.to_string()).cloned().ok_or_else(|| {
            Diagnostic::error(
                "module-not-in-snapshot",
                "Module not in the saved configuration",
                format!("The saved configuration does not hold {}. Make it again from the configuration.", request.path),
            )
            .at(request.span)
        })
    }
}

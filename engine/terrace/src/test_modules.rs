//! What test files need beside the configuration: the modules that their runs test, and providers.

use std::collections::BTreeSet;

use terrace_addr::version::Constraints;
use terrace_addr::{ModulePath, ProviderAddr};
use terrace_config::{Config, ModuleRequest, ModuleResolver};
use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceMap};
use terrace_port::Files as _;
use terrace_provider_install::Requirement;
use terrace_test::{ModuleUnderTest, TestFile, discover};

use crate::command_error::CommandError;
use crate::early::Early;
use crate::outside::Disk;
use crate::session::Session;
use crate::wiring::requirements;

/// Where test files are looked for unless somebody says otherwise.
pub(crate) const DIRECTORY: &str = "tests";

/// The module of a run, or what is wrong with it, beside the sources that this points into.
pub(crate) type Loaded = Result<Config, (Diagnostics, SourceMap)>;

/// Resolves calls below a module that a run tests, which the manifest has at `place`.
struct Below<'a> {
    place: &'a ModulePath,
    resolver: &'a dyn ModuleResolver,
}

impl Below<'_> {
    fn path(&self, path: &ModulePath) -> ModulePath {
        let steps = path.steps().iter();
        steps.fold(self.place.clone(), |above, step| above.child(step.clone()))
    }
}

impl ModuleResolver for Below<'_> {
    fn prepare(&self, requests: &[ModuleRequest<'_>]) {
        let paths: Vec<ModulePath> = requests.iter().map(|one| self.path(one.path)).collect();
        let requests: Vec<ModuleRequest<'_>> = requests
            .iter()
            .zip(&paths)
            .map(|(request, path)| ModuleRequest { path, ..*request })
            .collect();
        self.resolver.prepare(&requests);
    }

    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        let path = self.path(request.path);
        self.resolver.resolve(&ModuleRequest {
            path: &path,
            ..*request
        })
    }
}

/// Where the manifest has the module that a run tests: `test`, the file's path without its ending, and the run's name.
fn place(path: &str, run: &str) -> ModulePath {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.split('.').next().unwrap_or(name);
    folder
        .split('/')
        .filter(|step| !step.is_empty())
        .chain([name, run])
        .fold(ModulePath::root().child("test"), |above, step| {
            above.child(step)
        })
}

/// Loads the module that the run `run` of the test file at `path` tests. Problems of finding it point into `sources`.
pub(crate) fn load(
    session: &Session,
    resolver: &dyn ModuleResolver,
    (path, run): (&str, &str),
    module: &ModuleUnderTest,
    sources: &SourceMap,
) -> Loaded {
    let place = place(path, run);
    let directory = resolver
        .resolve(&ModuleRequest {
            path: &place,
            calling_directory: &session.root,
            source: &module.source,
            version: module.version.as_deref(),
            span: module.span,
        })
        .map_err(|problem| (problem.into(), sources.clone()))?;
    let below = Below {
        place: &place,
        resolver,
    };
    let (config, problems) =
        terrace_config::load_with(&directory, &Disk, &below, &Early::new(session));
    if problems.has_errors() {
        return Err((problems, config.sources));
    }
    Ok(config)
}

/// The test files of the working directory and of `directory`, as far as they can be read: `test` and `validate` tell
/// what is wrong with them.
fn readable(directory: &str, sources: &mut SourceMap) -> Vec<TestFile> {
    let found = discover(&Disk, directory);
    let mut files = Vec::new();
    for path in found.paths {
        if let Ok(bytes) = Disk.read(&path) {
            let id = sources.add(SourceFile::new(path, String::from_utf8_lossy(&bytes)));
            files.push(terrace_test::parse(id, sources).0);
        }
    }
    files
}

/// The providers that test files in `directory` need beside those of `config`, where `resolver` finds modules.
pub(crate) fn needed(
    session: &Session,
    config: &Config,
    resolver: &dyn ModuleResolver,
    directory: &str,
) -> Result<Vec<Requirement>, CommandError> {
    let mut sources = SourceMap::new();
    let mut wanted = Vec::new();
    for file in readable(directory, &mut sources) {
        let named: BTreeSet<ProviderAddr> = file
            .providers
            .iter()
            .map(|provider| terrace_test::provider_of(config, &provider.local.local_name))
            .collect();
        wanted.extend(named.into_iter().map(|provider| Requirement {
            provider,
            constraints: Constraints::default(),
        }));
        for run in &file.runs {
            let Some(module) = &run.module else { continue };
            let tested = load(session, resolver, (&file.path, &run.name), module, &sources)
                .map_err(|(problems, sources)| CommandError::new(problems, sources))?;
            wanted.extend(requirements(&tested, &BTreeSet::new()));
        }
    }
    Ok(wanted)
}

/// Adds what `more` asks for to `wanted`.
pub(crate) fn extend(wanted: &mut Vec<Requirement>, more: impl IntoIterator<Item = Requirement>) {
    for requirement in more {
        let known = wanted
            .iter_mut()
            .find(|known| known.provider == requirement.provider);
        match known {
            Some(known) => {
                let asked = std::mem::take(&mut known.constraints);
                known.constraints = asked.and(requirement.constraints);
            }
            None => wanted.push(requirement),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_has_modules_by_file_and_run() {
        let place = |path: &str| place(path, "setup").steps().join(".");
        assert_eq!(place("a.tftest.hcl"), "test.a.setup");
        assert_eq!(place("tests/more/m.tftest.json"), "test.tests.more.m.setup");
    }
}

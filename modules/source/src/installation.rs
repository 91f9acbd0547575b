//! Resolving calls: for commands that use what is installed, and for `init`.

use std::sync::Mutex;

use terrace_addr::ModulePath;
use terrace_addr::version::{Constraints, Version};
use terrace_config::{ModuleRequest, ModuleResolver};
use terrace_diag::Diagnostic;
use terrace_port::Files;

use crate::manifest::key;
use crate::{Manifest, ManifestRecord, ModuleSource};

/// Finds modules that are local or in a manifest.
pub struct Installed<'a> {
    files: &'a dyn Files,
    manifest: Manifest,
}

impl<'a> Installed<'a> {
    /// With the manifest that `init` left.
    pub fn new(files: &'a dyn Files, manifest: Manifest) -> Self {
        Self { files, manifest }
    }
}

impl ModuleResolver for Installed<'_> {
    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        match parse(request)? {
            ModuleSource::Local(source) => local(self.files, request, &source),
            source => self.lookup(request, &source),
        }
    }
}

impl Installed<'_> {
    fn lookup(
        &self,
        request: &ModuleRequest<'_>,
        source: &ModuleSource,
    ) -> Result<String, Diagnostic> {
        let Some(record) = self.manifest.record(request.path) else {
            return Err(Diagnostic::error(
                "module-not-installed",
                "Module not installed",
                "This module is not yet installed. Run \"terrace init\" to install all modules required by this configuration.",
            )
            .at(request.span));
        };
        if record.source != full(source) {
            return Err(Diagnostic::error(
                "module-source-changed",
                "Module source has changed",
                "The source address was changed since this module was installed. Run \"terrace init\" to install all modules required by this configuration.",
            )
            .at(request.span));
        }
        let constraints = request
            .version
            .and_then(|version| version.parse::<Constraints>().ok());
        let version = record
            .version
            .as_deref()
            .and_then(|version| version.parse::<Version>().ok());
        if let (Some(constraints), Some(version)) = (constraints, version)
            && !constraints.allows(&version)
        {
            return Err(Diagnostic::error(
                "module-version-changed",
                "Module version requirements have changed",
                "The version requirements have changed since this module was installed and the installed version is no longer acceptable. Run \"terrace init\" to install all modules required by this configuration.",
            )
            .at(request.span));
        }
        Ok(record.directory.clone())
    }
}

/// Resolves modules for `init`, and keeps a record of each for the manifest.
///
/// This version fetches nothing: modules that are not local are accepted where another installation has left them.
pub struct Installation<'a> {
    installed: Installed<'a>,
    records: Mutex<Manifest>,
}

impl<'a> Installation<'a> {
    /// With what an earlier installation left.
    pub fn new(files: &'a dyn Files, earlier: Manifest) -> Self {
        let mut records = Manifest::default();
        let root = ManifestRecord {
            source: String::new(),
            version: None,
            directory: ".".to_owned(),
        };
        records.records.insert(key(&ModulePath::root()), root);
        Self {
            installed: Installed::new(files, earlier),
            records: Mutex::new(records),
        }
    }

    /// The manifest of what was resolved.
    pub fn into_manifest(self) -> Manifest {
        self.records
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn record(&self, path: &ModulePath, record: ManifestRecord) {
        let mut records = self
            .records
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        records.records.insert(key(path), record);
    }
}

impl ModuleResolver for Installation<'_> {
    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        let source = parse(request)?;
        let (directory, version) = match &source {
            ModuleSource::Local(text) => (local(self.installed.files, request, text)?, None),
            _ => {
                let directory = self
                    .installed
                    .lookup(request, &source)
                    .map_err(|_| not_supported(request, &source))?;
                let version = self
                    .installed
                    .manifest
                    .record(request.path)
                    .and_then(|record| record.version.clone());
                (directory, version)
            }
        };
        self.record(
            request.path,
            ManifestRecord {
                source: full(&source),
                version,
                directory: directory.clone(),
            },
        );
        Ok(directory)
    }
}

fn parse(request: &ModuleRequest<'_>) -> Result<ModuleSource, Diagnostic> {
    ModuleSource::parse(request.source).map_err(|detail| {
        Diagnostic::error(
            "invalid-module-source",
            "Invalid module source address",
            detail,
        )
        .at(request.span)
    })
}

/// The directory of a local source; it must be there.
fn local(
    files: &dyn Files,
    request: &ModuleRequest<'_>,
    source: &str,
) -> Result<String, Diagnostic> {
    let directory = terrace_config::join_path(request.calling_directory, source);
    match files.list(&directory) {
        Ok(_) => Ok(directory),
        Err(error) => {
            let name = request.path.steps().last().map_or("", |name| &**name);
            Err(Diagnostic::error(
                "unreadable-directory",
                "Unreadable module directory",
                format!("The directory \"{directory}\" could not be read for module \"{name}\": {error}. Local sources are relative to the directory of the calling module."),
            )
            .at(request.span))
        }
    }
}

/// The source as the manifest holds it.
fn full(source: &ModuleSource) -> String {
    match source {
        ModuleSource::Registry(text) => {
            let package = text
                .split_once("//")
                .map_or(text.as_str(), |(package, _)| package);
            if package.split('/').count() == 3 {
                format!("registry.terraform.io/{text}")
            } else {
                text.clone()
            }
        }
        ModuleSource::Local(text) | ModuleSource::Remote(text) => text.clone(),
    }
}

fn not_supported(request: &ModuleRequest<'_>, source: &ModuleSource) -> Diagnostic {
    let kind = match source {
        ModuleSource::Registry(_) => "a module registry",
        _ => "a remote source",
    };
    Diagnostic::error(
        "not-supported-yet",
        "Not supported yet",
        format!(
            "The source \"{}\" names {kind}. This version of Terrace installs local modules only (\"./x\", \"../x\"); it uses other modules where another tool has installed them with the same source. Copy the module into the project, or install it with another tool first.",
            request.source
        ),
    )
    .at(request.span)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use terrace_port::FileEntry;

    use super::*;

    struct Memory(BTreeMap<&'static str, &'static str>);

    impl Files for Memory {
        fn read(&self, path: &str) -> std::io::Result<Arc<[u8]>> {
            self.0
                .get(path)
                .map(|text| text.as_bytes().into())
                .ok_or_else(|| std::io::ErrorKind::NotFound.into())
        }

        fn list(&self, path: &str) -> std::io::Result<Vec<FileEntry>> {
            let prefix = if path == "." {
                String::new()
            } else {
                format!("{path}/")
            };
            let entries: Vec<FileEntry> = self
                .0
                .keys()
                .filter_map(|known| known.strip_prefix(prefix.as_str()))
                .filter(|name| !name.contains('/'))
                .map(|name| FileEntry {
                    name: name.to_owned(),
                    is_directory: false,
                })
                .collect();
            if entries.is_empty() {
                Err(std::io::ErrorKind::NotFound.into())
            } else {
                Ok(entries)
            }
        }

        fn exists(&self, path: &str) -> bool {
            self.0.contains_key(path)
        }

        fn absolute(&self, path: &str) -> String {
            path.to_owned()
        }
    }

    fn ids(diagnostics: &terrace_diag::Diagnostics) -> Vec<&'static str> {
        diagnostics.iter().map(|diagnostic| diagnostic.id).collect()
    }

    #[test]
    fn init_records_local_modules_as_other_tools_do() {
        let files = Memory(BTreeMap::from([
            ("main.tf", "module \"m\" {\n  source = \"./m\"\n}\n"),
            ("m/main.tf", "module \"up\" {\n  source = \"../x\"\n}\n"),
            ("x/main.tf", ""),
        ]));
        let installation = Installation::new(&files, Manifest::default());
        let (_, diagnostics) = terrace_config::load(".", &files, &installation);
        assert_eq!(ids(&diagnostics), Vec::<&str>::new());
        assert_eq!(
            String::from_utf8(installation.into_manifest().to_bytes()).unwrap(),
            r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"m","Source":"./m","Dir":"m"},{"Key":"m.up","Source":"../x","Dir":"x"}]}"#
        );
    }

    #[test]
    fn what_is_not_there_is_said() {
        let files = Memory(BTreeMap::from([(
            "main.tf",
            "module \"a\" {\n  source = \"./nope\"\n}\nmodule \"b\" {\n  source = \"foo\"\n}\nmodule \"c\" {\n  source = \"x/y/z\"\n}\n",
        )]));
        let (_, diagnostics) =
            terrace_config::load(".", &files, &Installed::new(&files, Manifest::default()));
        assert_eq!(
            ids(&diagnostics),
            [
                "unreadable-directory",
                "invalid-module-source",
                "module-not-installed"
            ]
        );
        let (_, diagnostics) =
            terrace_config::load(".", &files, &Installation::new(&files, Manifest::default()));
        assert_eq!(
            ids(&diagnostics),
            [
                "unreadable-directory",
                "invalid-module-source",
                "not-supported-yet"
            ]
        );
    }

    #[test]
    fn installed_modules_are_found_while_source_and_version_fit() {
        let manifest = |source: &str, version: &str| {
            let record = ManifestRecord {
                source: source.to_owned(),
                version: Some(version.to_owned()),
                directory: "data/c".to_owned(),
            };
            Manifest {
                records: BTreeMap::from([("c".to_owned(), record)]),
            }
        };
        let files = Memory(BTreeMap::from([
            (
                "main.tf",
                "module \"c\" {\n  source = \"x/y/z\"\n  version = \"~> 1.2\"\n}\n",
            ),
            ("data/c/main.tf", "output \"o\" {\n  value = 1\n}\n"),
        ]));
        let load = |manifest: Manifest| {
            terrace_config::load(".", &files, &Installed::new(&files, manifest))
        };
        let (config, diagnostics) = load(manifest("registry.terraform.io/x/y/z", "1.3.0"));
        assert_eq!(ids(&diagnostics), Vec::<&str>::new());
        assert_eq!(config.root.children["c"].module.directory, "data/c");
        assert_eq!(
            ids(&load(manifest("registry.terraform.io/x/y/z", "2.0.0")).1),
            ["module-version-changed"]
        );
        assert_eq!(
            ids(&load(manifest("registry.terraform.io/x/y/w", "1.3.0")).1),
            ["module-source-changed"]
        );
    }
}

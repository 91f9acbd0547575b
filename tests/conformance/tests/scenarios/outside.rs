//! The outside of one scenario's step: its working directory, and providers that are there without being installed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use terrace_addr::ProviderAddr;
use terrace_config::{ModuleRequest, ModuleResolver, join_path};
use terrace_diag::Diagnostic;
use terrace_functions::{Context, FileError};
use terrace_port::{
    Entropy, FileEntry, Files, Observer, OperationEvent, Provider, ProviderError, ProviderSource,
};
use terrace_provider_builtin::{Builtin, RemoteOutputs, RemoteStates};
use terrace_value::Value;

/// A directory that stands for the working directory.
#[derive(Clone)]
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }
}

impl Files for Directory {
    fn read(&self, path: &str) -> std::io::Result<Arc<[u8]>> {
        std::fs::read(self.path(path)).map(Into::into)
    }

    fn list(&self, path: &str) -> std::io::Result<Vec<FileEntry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.path(path))? {
            let entry = entry?;
            entries.push(FileEntry {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_directory: entry.path().is_dir(),
            });
        }
        entries.sort();
        Ok(entries)
    }

    fn exists(&self, path: &str) -> bool {
        self.path(path).is_file()
    }

    fn absolute(&self, path: &str) -> String {
        self.path(path).to_string_lossy().into_owned()
    }
}

impl Context for Directory {
    fn read_file(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
        self.read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => FileError::NotFound,
            _ => FileError::Unreadable(error.to_string()),
        })
    }

    fn list_files(&self, base: &str) -> Result<Vec<String>, FileError> {
        let mut found = Vec::new();
        collect(&self.path(base), "", &mut found);
        found.sort();
        Ok(found)
    }

    fn file_exists(&self, path: &str) -> Result<bool, FileError> {
        Ok(self.exists(path))
    }

    fn absolute_path(&self, path: &str) -> String {
        self.absolute(path)
    }

    fn home_directory(&self) -> Option<String> {
        None
    }

    fn timestamp(&self) -> Option<String> {
        None
    }

    fn plan_timestamp(&self) -> Option<String> {
        Some("2026-01-01T00:00:00Z".into())
    }

    fn entropy(&self) -> Option<[u8; 16]> {
        None
    }
}

fn collect(directory: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), found);
        } else {
            found.push(name);
        }
    }
}

/// Modules of local sources.
pub(crate) struct LocalModules;

impl ModuleResolver for LocalModules {
    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        Ok(join_path(request.calling_directory, request.source))
    }
}

/// Nothing is created while planning.
struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

#[async_trait]
impl RemoteStates for Directory {
    async fn outputs(
        &self,
        _: &str,
        config: &Value,
        _: &str,
    ) -> Result<Option<RemoteOutputs>, String> {
        let path = config
            .get("path")
            .and_then(Value::as_str)
            .ok_or("no path is given")?;
        let bytes = self.read(path).map_err(|error| error.to_string())?;
        let state = terrace_state::read(&bytes).map_err(|error| error.to_string())?;
        Ok(Some(
            state
                .outputs
                .into_iter()
                .map(|(name, output)| (name, output.value))
                .collect(),
        ))
    }
}

/// The provider inside the engine, and no other.
pub(crate) struct BuiltinOnly(pub(crate) Directory);

#[async_trait]
impl ProviderSource for BuiltinOnly {
    async fn open(&self, provider: &ProviderAddr) -> Result<Arc<dyn Provider>, ProviderError> {
        if provider.is_builtin() {
            return Ok(Arc::new(Builtin::new(
                Arc::new(NoEntropy),
                Arc::new(self.0.clone()),
            )));
        }
        Err(ProviderError {
            message: "it is not installed".into(),
        })
    }

    fn call_function(
        &self,
        provider: &ProviderAddr,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        if provider.is_builtin() {
            return terrace_provider_builtin::call_function(name, arguments);
        }
        Err((None, "the provider is not installed".into()))
    }
}

/// Nobody watches.
pub(crate) struct Unwatched;

impl terrace_port::Clock for Unwatched {
    fn now(&self) -> (i64, u32) {
        (0, 0)
    }
}

impl Observer for Unwatched {
    fn on_event(&self, _: OperationEvent) {}
}

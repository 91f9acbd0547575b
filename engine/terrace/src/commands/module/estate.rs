//! The configurations below a directory, each read for itself.

use std::sync::Arc;

use terrace_config::{Module, ModuleCall, ModuleRequest, ModuleResolver};
use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_module::{Dependency, DependencyKind, dependencies};
use terrace_module_source::Manifest;
use terrace_port::Files as _;

use crate::command_error::CommandError;
use crate::outside::Disk;

/// Directories in which nobody keeps configurations of their own.
const LEFT_OUT: [&str; 2] = ["node_modules", "vendor"];

/// One directory of configuration.
pub(super) struct Configuration {
    /// The directory, relative to the working directory.
    pub(super) directory: String,
    /// What it calls from elsewhere.
    pub(super) dependencies: Vec<Dependency>,
    /// What is installed there.
    manifest: Manifest,
    /// Its files.
    pub(super) sources: SourceMap,
    module: Arc<Module>,
}

impl Configuration {
    /// The version of a call that is installed in the directory, where it is.
    pub(super) fn installed(&self, dependency: &Dependency) -> Option<String> {
        let path = terrace_addr::ModulePath::root().child(dependency.name.clone());
        self.manifest.record(&path)?.version.clone()
    }

    /// The call that a dependency is.
    pub(super) fn call(&self, dependency: &Dependency) -> Option<&ModuleCall> {
        self.module.calls.get(&dependency.name)
    }

    /// Whether the directory is applied itself, and not only called by others: it has a backend or provider
    /// configurations.
    pub(super) fn is_root(&self) -> bool {
        self.module.backend.is_some() || !self.module.provider_configs.is_empty()
    }
}

/// Calls are read, not followed.
struct NoModules;

impl ModuleResolver for NoModules {
    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        Err(Diagnostic::error(
            super::NOT_INSTALLED,
            "Module not installed",
            "Not followed.",
        )
        .at(request.span))
    }
}

/// The configurations below `directory` that call modules of others, by directory; and what could not be read.
pub(super) fn read(directory: &str) -> Result<(Vec<Configuration>, Diagnostics), CommandError> {
    let mut found = Vec::new();
    let mut problems = Diagnostics::new();
    let mut waiting = vec![directory.trim_end_matches('/').to_owned()];
    if Disk.list(directory).is_err() {
        return Err(CommandError::one(
            "unreadable-directory",
            "Failed to read directory",
            format!("The directory {directory} does not exist or cannot be read."),
        ));
    }
    while let Some(directory) = waiting.pop() {
        let entries = Disk.list(&directory).unwrap_or_default();
        for entry in entries.iter().filter(|entry| entry.is_directory) {
            if !entry.name.starts_with('.') && !LEFT_OUT.contains(&entry.name.as_str()) {
                waiting.push(terrace_config::join_path(&directory, &entry.name));
            }
        }
        let has_configuration = entries
            .iter()
            .any(|entry| !entry.is_directory && super::is_configuration(&entry.name));
        if !has_configuration {
            continue;
        }
        let (config, diagnostics) = terrace_config::load(&directory, &Disk, &NoModules);
        let broken = diagnostics
            .iter()
            .any(|diagnostic| diagnostic.is_error() && diagnostic.id != super::NOT_INSTALLED);
        if broken {
            problems.push(Diagnostic::warning(
                "unreadable-configuration",
                "Configuration left out",
                format!("The configuration in {directory} has errors, and is left out. `terrace -chdir={directory} validate` names them."),
            ));
            continue;
        }
        let mut all = dependencies(&config.root.module, &config.sources);
        all.retain(|dependency| dependency.kind != DependencyKind::Local);
        if !all.is_empty() {
            found.push(Configuration {
                manifest: Manifest::read(&Disk, &format!("{directory}/.terraform"))
                    .unwrap_or_default(),
                dependencies: all,
                sources: config.sources,
                module: config.root.module,
                directory,
            });
        }
    }
    found.sort_by(|a, b| a.directory.cmp(&b.directory));
    Ok((found, problems))
}

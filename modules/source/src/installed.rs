//! Resolving calls for commands that use what is installed.

use terrace_addr::version::{Constraints, Version};
use terrace_config::{ModuleRequest, ModuleResolver};
use terrace_diag::Diagnostic;
use terrace_port::Files;

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
        if record.source != source.full() {
            return Err(Diagnostic::error(
                "module-source-changed",
                "Module source has changed",
                "The source address was changed since this module was installed. Run \"terrace init\" to install all modules required by this configuration.",
            )
            .at(request.span));
        }
        if !version_fits(request, record) {
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

impl ModuleResolver for Installed<'_> {
    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        match parse(request)? {
            ModuleSource::Local(source) => local(self.files, request, &source),
            source => self.lookup(request, &source),
        }
    }
}

/// Whether the version that was installed is one that the call allows.
pub(crate) fn version_fits(request: &ModuleRequest<'_>, record: &ManifestRecord) -> bool {
    let constraints = request
        .version
        .and_then(|version| version.parse::<Constraints>().ok());
    let version = record
        .version
        .as_deref()
        .and_then(|version| version.parse::<Version>().ok());
    match (constraints, version) {
        (Some(constraints), Some(version)) => constraints.allows(&version),
        _ => true,
    }
}

/// The source of a call.
pub(crate) fn parse(request: &ModuleRequest<'_>) -> Result<ModuleSource, Diagnostic> {
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
pub(crate) fn local(
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

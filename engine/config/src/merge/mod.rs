//! The files of a directory together: one module.

mod finish;
mod overrides;
mod primary;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use terrace_addr::version::{ConstraintOp, Version};
use terrace_addr::{LocalProviderConfig, Name, Resource};
use terrace_diag::{Diagnostic, Diagnostics, SourceMap, Span};

use crate::parts::{
    CallPart, CheckPart, FileParts, ImportPart, OutputPart, ProviderMetaPart, ProviderPart,
    RequiredProviders, RequiredVersion, ResourcePart, VariablePart,
};
use crate::{Backend, Encryption, Local, Module, Moved, Removed, names};

/// Merges primary files and then, one after the other, override files. `diagnostics` are those of reading the files.
pub(crate) fn module(
    directory: &str,
    primary: Vec<FileParts>,
    overrides: Vec<FileParts>,
    sources: &SourceMap,
    diagnostics: Diagnostics,
) -> (Module, Diagnostics) {
    let mut merger = Merger {
        sources,
        diagnostics,
        parts: ModuleParts::default(),
    };
    merger.add_primary(primary);
    for file in overrides {
        merger.override_with(file);
    }
    merger.finish(directory)
}

/// Puts the parts of files together.
struct Merger<'a> {
    sources: &'a SourceMap,
    diagnostics: Diagnostics,
    parts: ModuleParts,
}

/// What the files say together: each name once.
#[derive(Default)]
struct ModuleParts {
    required_versions: Vec<RequiredVersion>,
    required_providers: Option<RequiredProviders>,
    backend: Option<Backend>,
    cloud: Option<Backend>,
    encryption: Option<Encryption>,
    provider_metas: BTreeMap<Name, ProviderMetaPart>,
    provider_configs: BTreeMap<LocalProviderConfig, ProviderPart>,
    variables: BTreeMap<Name, VariablePart>,
    /// How overrides have changed type and default of a variable.
    overridden_variables: BTreeMap<Name, OverriddenVariable>,
    locals: BTreeMap<Name, Local>,
    outputs: BTreeMap<Name, OutputPart>,
    calls: BTreeMap<Name, CallPart>,
    resources: BTreeMap<Resource, ResourcePart>,
    moved: Vec<Moved>,
    removed: Vec<Removed>,
    imports: Vec<ImportPart>,
    checks: BTreeMap<Name, CheckPart>,
}

/// What an override changed of a variable.
struct OverriddenVariable {
    has_type: bool,
    /// Where the override stands.
    span: Span,
}

impl Merger<'_> {
    fn problem(
        &mut self,
        id: &'static str,
        summary: impl Into<String>,
        detail: impl Into<String>,
        span: Span,
    ) {
        self.diagnostics
            .push(Diagnostic::error(id, summary, detail).at(span));
    }

    fn place(&self, span: Span) -> String {
        names::place(self.sources, span)
    }
}

/// Adds an item unless its name is taken: then gives what is there.
fn insert_new<K: Ord, V>(items: &mut BTreeMap<K, V>, key: K, item: V) -> Option<&V> {
    match items.entry(key) {
        Entry::Vacant(vacant) => {
            vacant.insert(item);
            None
        }
        Entry::Occupied(occupied) => Some(occupied.into_mut()),
    }
}

/// Complains about versions of the language that a module does not want to be read by.
fn judge_versions(required: &[RequiredVersion]) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for required in required {
        if let Some(prerelease) = required.constraints.0.iter().find(|constraint| {
            constraint.version.is_prerelease() && constraint.op != ConstraintOp::NotEqual
        }) {
            diagnostics.push(
                Diagnostic::error(
                    "prerelease-constraint",
                    "Invalid required_version constraint",
                    format!(
                        "Prerelease version constraints are not supported: {prerelease}. Remove the prerelease information from the constraint. Prerelease versions of terrace will match constraints using their version core only."
                    ),
                )
                .at(required.span),
            );
            continue;
        }
        let version = if required.is_tofu {
            Version::new(1, 12, 6)
        } else {
            Version::new(1, 11, 4)
        };
        if required.constraints.allows(&version) {
            continue;
        }
        diagnostics.push(
            Diagnostic::error(
                "unsupported-version",
                "Unsupported Terrace Core version",
                format!(
                    "This configuration does not support Terrace version {version}. To proceed, either choose another supported Terrace version or update this version constraint. Version constraints are normally set for good reason, so updating the constraint may lead to other errors or unexpected behavior."
                ),
            )
            .at(required.span)
            .hint(format!("Terrace reads this file as version {version} of the language, whatever its own version is.")),
        );
    }
    diagnostics
}

//! The files of a directory together: one module.

mod finish;
mod overrides;
mod primary;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use terrace_addr::{LocalProviderConfig, Name, Resource};
use terrace_diag::{Diagnostic, Diagnostics, SourceMap, Span};

use crate::parts::{
    CallPart, CheckPart, FileParts, ImportPart, OutputPart, ProviderMetaPart, ProviderPart,
    RequiredProviders, RequiredVersion, ResourcePart, VariablePart,
};
use crate::{Backend, Encryption, Local, Module, Moved, Removed};

/// Merges primary files and then, one after the other, override files. `diagnostics` are those of reading the files. Also
/// which versions of the language the module wants to be read by.
pub(crate) fn module(
    directory: &str,
    primary: Vec<FileParts>,
    overrides: Vec<FileParts>,
    sources: &SourceMap,
    diagnostics: Diagnostics,
) -> (Module, Vec<RequiredVersion>, Diagnostics) {
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
        self.sources.place(span)
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

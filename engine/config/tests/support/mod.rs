//! Files in memory, and how diagnostics are written in cases.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_config::{Config, ModuleRequest, ModuleResolver};
use terrace_diag::{Diagnostic, Diagnostics, SourceMap};
use terrace_port::{FileEntry, Files};

/// Files by path.
pub(crate) struct Memory(pub(crate) BTreeMap<String, String>);

impl Memory {
    pub(crate) fn of(files: &[(String, String)]) -> Self {
        Self(files.iter().cloned().collect())
    }
}

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
        let names = self
            .0
            .keys()
            .filter_map(|known| known.strip_prefix(prefix.as_str()));
        Ok(names
            .filter(|name| !name.contains('/'))
            .map(|name| FileEntry {
                name: name.to_owned(),
                is_directory: false,
            })
            .collect())
    }

    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn absolute(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// Resolves local sources.
pub(crate) struct Local;

impl ModuleResolver for Local {
    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        Ok(terrace_config::join_path(
            request.calling_directory,
            request.source,
        ))
    }
}

/// Loads and checks.
pub(crate) fn load(files: &Memory) -> (Config, Diagnostics) {
    let (config, mut diagnostics) = terrace_config::load(".", files, &Local);
    if !diagnostics.has_errors() {
        diagnostics.append(terrace_config::check(&config));
    }
    (config, diagnostics)
}

/// Diagnostics as cases have them, sorted.
pub(crate) fn render(sources: &SourceMap, diagnostics: &Diagnostics) -> Vec<String> {
    let mut lines: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| {
            let severity = if diagnostic.is_error() { "e" } else { "w" };
            let place = diagnostic
                .subject
                .map_or_else(|| "-".to_owned(), |span| full_place(sources, span));
            let detail = diagnostic.detail.lines().next().unwrap_or_default();
            format!("{severity} {place} [{}] {detail}", diagnostic.summary)
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

fn full_place(sources: &SourceMap, span: terrace_diag::Span) -> String {
    let Some(file) = sources.get(span.source) else {
        return "?".to_owned();
    };
    let (start, end) = (file.position(span.start), file.position(span.end));
    format!(
        "{}:{},{}-{},{}",
        file.name(),
        start.line,
        start.column,
        end.line,
        end.column
    )
}

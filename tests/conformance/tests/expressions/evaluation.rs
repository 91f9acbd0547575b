//! Evaluating one expression in a module of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{AbsNamed, ModuleInstance};
use terrace_config::{Config, Snapshot, SnapshotFile, load_snapshot};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::{Evaluator, Inputs, NoValues, Paths, Schemas};
use terrace_functions::{Context, FileError, FunctionTable};
use terrace_value::Value;

/// Whether the run is one that carries out, where time and entropy are known, or one that plans.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Applying,
    Planning,
}

struct Outside(Phase);

impl Context for Outside {
    fn read_file(&self, _: &str) -> Result<Arc<[u8]>, FileError> {
        Err(FileError::NotFound)
    }

    fn list_files(&self, _: &str) -> Result<Vec<String>, FileError> {
        Ok(Vec::new())
    }

    fn file_exists(&self, _: &str) -> Result<bool, FileError> {
        Ok(false)
    }

    fn absolute_path(&self, path: &str) -> String {
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        format!("/{}", parts.join("/"))
    }

    fn home_directory(&self) -> Option<String> {
        Some("/root".into())
    }

    fn timestamp(&self) -> Option<String> {
        self.plan_timestamp().filter(|_| self.0 == Phase::Applying)
    }

    fn plan_timestamp(&self) -> Option<String> {
        Some("2026-11-21T00:00:00Z".into())
    }

    fn entropy(&self) -> Option<[u8; 16]> {
        (self.0 == Phase::Applying).then_some([7; 16])
    }
}

/// Evaluates the output `v` of a module, which is the root or called `m` by a root of its own.
pub(crate) fn output(
    files: &[(&str, String)],
    module: &ModuleInstance,
    phase: Phase,
    functions: &Arc<FunctionTable>,
) -> (Value, Arc<Config>, Diagnostics) {
    let (config, diagnostics) = load_snapshot(&snapshot(files));
    let config = Arc::new(config);
    if diagnostics.has_errors() {
        return (Value::dynamic(), config, diagnostics);
    }
    let evaluator = Evaluator::new(Inputs {
        config: Arc::clone(&config),
        functions: Arc::clone(functions),
        context: Arc::new(Outside(phase)),
        schemas: Arc::new(Schemas::new()),
        variables: BTreeMap::new(),
        workspace: "default".into(),
        paths: Paths {
            cwd: "/".into(),
            root: ".".into(),
        },
        applying: phase == Phase::Applying,
    });
    let evaluated = evaluator.output(&AbsNamed::new(module.clone(), "v"), &NoValues);
    (evaluated.value, config, evaluated.diagnostics)
}

/// Files sorted by path; those in `m/` are those of `module.m`.
fn snapshot(files: &[(&str, String)]) -> Snapshot {
    let mut modules = BTreeMap::from([(String::new(), ".".to_owned())]);
    if files.iter().any(|(path, _)| path.starts_with("m/")) {
        modules.insert("module.m".to_owned(), "m".to_owned());
    }
    let mut files: Vec<SnapshotFile> = files
        .iter()
        .map(|(path, text)| SnapshotFile {
            path: (*path).to_owned(),
            bytes: text.clone().into_bytes().into(),
        })
        .collect();
    files.sort_by(|one, two| one.path.cmp(&two.path));
    Snapshot { modules, files }
}

/// The errors, sorted, each as its summary and detail.
pub(crate) fn errors(diagnostics: &Diagnostics) -> Vec<&Diagnostic> {
    let mut errors: Vec<&Diagnostic> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .collect();
    errors.sort_by(|one, two| (&one.summary, &one.detail).cmp(&(&two.summary, &two.detail)));
    errors
}

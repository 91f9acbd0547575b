//! The module tree.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{ModulePath, Name};
use terrace_diag::{Diagnostics, SourceMap};

use crate::Module;

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The root module.
    pub root: ModuleNode,
    /// All files that were read.
    pub sources: SourceMap,
    /// The files by content, from which the same configuration can be loaded again without the working directory.
    pub snapshot: Arc<Snapshot>,
    /// What modules say against the versions of the language that there are. Loading tells it where it finds no other
    /// error; who installs tells it alone, because another error may be what a later version would take.
    pub unmet_versions: Diagnostics,
}

/// A module in the tree: one for each call, sharing definitions.
#[derive(Clone, Debug)]
pub struct ModuleNode {
    /// The calls that lead here.
    pub path: ModulePath,
    /// The definition.
    pub module: Arc<Module>,
    /// Where its caller found it, as evaluated; empty for the root.
    pub source: Arc<str>,
    /// What it calls.
    pub children: BTreeMap<Name, Self>,
}

/// The files of a configuration by content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// For each module of the tree (by its path, as displayed; `""` for the root): its directory.
    pub modules: BTreeMap<String, String>,
    /// The configuration files that were read, sorted by path.
    pub files: Vec<SnapshotFile>,
}

/// One file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    /// Path relative to the working directory.
    pub path: String,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
}

impl Config {
    /// The node of a module path.
    pub fn module(&self, path: &ModulePath) -> Option<&ModuleNode> {
        path.steps()
            .iter()
            .try_fold(&self.root, |node, step| node.children.get(step))
    }
}

impl Snapshot {
    /// The file at `path`, which is relative to the working directory.
    pub fn file(&self, path: &str) -> Option<&SnapshotFile> {
        let index = self
            .files
            .binary_search_by(|file| file.path.as_str().cmp(path))
            .ok()?;
        self.files.get(index)
    }
}

impl ModuleNode {
    /// This node and all below it, parents first, calls by name.
    pub fn walk(&self) -> impl Iterator<Item = &Self> {
        let mut stack = vec![self];
        std::iter::from_fn(move || {
            let node = stack.pop()?;
            stack.extend(node.children.values().rev());
            Some(node)
        })
    }
}

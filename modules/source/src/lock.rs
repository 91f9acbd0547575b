//! The lock file of modules, `.terrace.lock.hcl`: which version and which content each call got.
//!
//! A file of its own, because other tools read `.terraform.lock.hcl` too and would refuse blocks that they do not know.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use terrace_addr::version::Version;
use terrace_diag::{Diagnostic, Diagnostics, SourceId};
use terrace_syntax::{Block, BodySchema, ExprKind};

/// The comment at the top of a new file.
const HEADER: &str = "# This file is maintained automatically by \"terrace init\".\n# Manual edits may be lost in future updates.\n";

/// What each module call got, by the call's path: names joined by dots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleLock {
    /// The entries.
    pub modules: BTreeMap<String, LockedModule>,
}

/// A package that was selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedModule {
    /// The package, in full and without secrets.
    pub source: String,
    /// Its version, of a registry's module.
    pub version: Option<Version>,
    /// The commit, of a repository.
    pub revision: Option<String>,
    /// The checksum of its files.
    pub hash: String,
    /// The fingerprint of the key that signed it, of a module whose registry has its statement.
    pub signer: Option<String>,
}

impl ModuleLock {
    /// Where the file is in a working directory.
    pub const NAME: &'static str = ".terrace.lock.hcl";

    /// Reads a file's text. What cannot be understood is reported and left out.
    pub fn parse(source: SourceId, text: &str) -> (Self, Diagnostics) {
        let (body, mut diagnostics) = terrace_syntax::parse(source, text.as_bytes());
        let mut schema = BodySchema::of(&[], &["module"]);
        schema.blocks[0].labels = vec!["path".into()];
        let (content, found) = body.content(&schema);
        diagnostics.append(found);
        let mut lock = Self::default();
        for block in &content.blocks {
            let Some(label) = block.labels.first() else {
                continue;
            };
            let (locked, found) = read_module(block);
            diagnostics.append(found);
            let Some(locked) = locked else { continue };
            if lock
                .modules
                .insert(label.text.to_string(), locked)
                .is_some()
            {
                let detail = format!(
                    "The lock file has two blocks for the module {:?}. Remove one of them.",
                    label.text
                );
                diagnostics.push(invalid("Duplicate module lock", detail).at(block.header_span));
            }
        }
        (lock, diagnostics)
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = HEADER.to_owned();
        for (path, locked) in &self.modules {
            let mut arguments = vec![("source", locked.source.clone())];
            if let Some(version) = &locked.version {
                arguments.push(("version", version.to_string()));
            }
            if let Some(revision) = &locked.revision {
                arguments.push(("revision", revision.clone()));
            }
            arguments.push(("hash", locked.hash.clone()));
            if let Some(signer) = &locked.signer {
                arguments.push(("signer", signer.clone()));
            }
            let width = arguments.iter().map(|(name, _)| name.len()).max();
            let width = width.unwrap_or(0);
            // Writing to a string cannot fail.
            let _written = writeln!(text, "\nmodule {} {{", quoted(path));
            for (name, value) in arguments {
                let _written = writeln!(text, "  {name:width$} = {}", quoted(&value));
            }
            text.push_str("}\n");
        }
        text
    }

    /// Writes the file, whole or not at all; leaves it alone where it already says this.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        terrace_registry_client::save_lock(path, &self.to_text())
    }

    /// Takes over commits from calls of the same package: other tools keep the history in one of several copies.
    pub(crate) fn share_revisions(&mut self) {
        let known: BTreeMap<(String, String), String> = self
            .modules
            .values()
            .filter_map(|locked| {
                let package = (locked.source.clone(), locked.hash.clone());
                Some((package, locked.revision.clone()?))
            })
            .collect();
        for locked in self.modules.values_mut() {
            if locked.revision.is_none() {
                let package = (locked.source.clone(), locked.hash.clone());
                locked.revision = known.get(&package).cloned();
            }
        }
    }

    /// What is known of a package: of this call first, and else of the newest version that another call got.
    pub(crate) fn find(
        &self,
        path: &str,
        source: &str,
        fits: &dyn Fn(&LockedModule) -> bool,
    ) -> Option<&LockedModule> {
        let same = |locked: &&LockedModule| locked.source == source && fits(locked);
        self.modules.get(path).filter(same).or_else(|| {
            self.modules
                .values()
                .filter(same)
                .max_by(|a, b| a.version.cmp(&b.version))
        })
    }
}

/// A text as a literal: addresses may hold what templates begin with.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace("${", "$${")
        .replace("%{", "%%{");
    format!("\"{escaped}\"")
}

fn read_module(block: &Block) -> (Option<LockedModule>, Diagnostics) {
    let names = ["source", "version", "revision", "hash", "signer"];
    let (content, mut diagnostics) = block.body.content(&BodySchema::of(&names, &[]));
    let mut text = |name: &str| {
        let attribute = content.attributes.get(name)?;
        let value = match &attribute.value.kind {
            ExprKind::Literal(_) | ExprKind::Template(_) => {
                let mut found = Diagnostics::new();
                let value = terrace_config::evaluate_constant(&attribute.value, &mut found);
                value.as_str().map(str::to_owned)
            }
            _ => None,
        };
        if value.is_none() {
            let detail = format!("The argument {name:?} of a module's lock is a string.");
            diagnostics.push(invalid("Invalid module lock", detail).at(attribute.value.span));
        }
        value
    };
    let (source, version) = (text("source"), text("version"));
    let (revision, hash) = (text("revision"), text("hash"));
    let signer = text("signer");
    let version = version.map(|version| version.parse::<Version>());
    let (Some(source), Some(hash), None | Some(Ok(_))) = (source, hash, &version) else {
        let detail = "The lock of a module has a \"source\" and a \"hash\", and perhaps a \"version\" such as \"1.2.3\". Remove the block and run \"terrace init\" to select the module anew.";
        diagnostics.push(invalid("Invalid module lock", detail).at(block.header_span));
        return (None, diagnostics);
    };
    let locked = LockedModule {
        source,
        version: version.and_then(Result::ok),
        revision,
        hash,
        signer,
    };
    (Some(locked), diagnostics)
}

fn invalid(summary: &'static str, detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error("invalid-module-lock", summary, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (ModuleLock, Diagnostics) {
        ModuleLock::parse(SourceId(0), text)
    }

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let locked = |source: &str, version: Option<&str>| LockedModule {
            source: source.to_owned(),
            version: version.map(|version| version.parse().unwrap()),
            revision: version.is_none().then(|| "abc".to_owned()),
            hash: "h1:x=".to_owned(),
            signer: version.is_none().then(|| "SHA256:y".to_owned()),
        };
        let lock = ModuleLock {
            modules: BTreeMap::from([
                (
                    "a".to_owned(),
                    locked("example.com/a/b/c", Some("1.2.3-rc1")),
                ),
                ("a.b".to_owned(), locked("git::https://x/${y}?ref=\"", None)),
            ]),
        };
        let text = lock.to_text();
        assert!(text.contains("module \"a\" {\n  source  = \"example.com/a/b/c\"\n  version = \"1.2.3-rc1\"\n  hash    = \"h1:x=\"\n}\n"), "{text}");
        let (read, diagnostics) = parse(&text);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert_eq!(read, lock);
    }

    #[test]
    fn mistakes_are_told() {
        for text in [
            "module \"a\" {}",
            "module \"a\" {\n  source = \"x\"\n  hash = 5\n}",
            "module \"a\" {\n  source = \"x\"\n  version = \"one\"\n  hash = \"h1:\"\n}",
            "module \"a\" {\n  source = \"x\"\n  hash = \"h1:\"\n}\nmodule \"a\" {\n  source = \"x\"\n  hash = \"h1:\"\n}",
            "provider \"a\" {}",
            "module {",
        ] {
            assert!(parse(text).1.has_errors(), "{text}");
        }
    }
}

//! The dependency lock file, `.terraform.lock.hcl`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use terrace_addr::ProviderAddr;
use terrace_addr::version::{Constraints, Version};
use terrace_diag::{Diagnostic, Diagnostics, SourceId, Span};
use terrace_syntax::{Attribute, BodySchema, Expr, ExprKind, Quoted};

use crate::hash::PackageHash;

/// The comment of a new file. One that another tool has begun keeps its own.
const HEADER: &str = "# This file is maintained automatically by \"terrace init\".\n# Manual edits may be lost in future updates.\n";

/// Which version of each provider is selected, and the checksums of its packages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LockFile {
    /// The comment at the top.
    header: Option<String>,
    /// Selections by provider.
    pub providers: BTreeMap<ProviderAddr, LockedProvider>,
}

/// A selection.
#[derive(Clone, Debug, PartialEq)]
pub struct LockedProvider {
    /// The version.
    pub version: Version,
    /// What configurations asked for when it was selected, in canonical form.
    pub constraints: String,
    /// Checksums of its packages, on whatever platforms.
    pub hashes: BTreeSet<PackageHash>,
}

impl LockedProvider {
    /// Whether the engine's own provider was selected.
    pub fn is_native(&self) -> bool {
        self.hashes
            .contains(&PackageHash(PackageHash::NATIVE.into()))
    }
}

impl LockFile {
    /// Where the file is in a working directory.
    pub const NAME: &'static str = ".terraform.lock.hcl";

    /// Reads a file's text. What cannot be understood is reported and left out.
    pub fn parse(source: SourceId, text: &str) -> (Self, Diagnostics) {
        let (body, mut diagnostics) = terrace_syntax::parse(source, text.as_bytes());
        let mut schema = BodySchema::of(&[], &["provider"]);
        schema.blocks[0].labels = vec!["source_addr".into()];
        let (content, found) = body.content(&schema);
        diagnostics.append(found);
        let comment: String = text
            .lines()
            .take_while(|line| line.starts_with('#'))
            .fold(String::new(), |comment, line| comment + line + "\n");
        let mut file = Self {
            header: Some(comment).filter(|comment| !comment.is_empty()),
            providers: BTreeMap::new(),
        };
        for block in content.blocks {
            let Some(label) = block.labels.first() else {
                continue;
            };
            let provider = match ProviderAddr::parse(&label.text) {
                Ok(provider) => provider,
                Err(error) => {
                    diagnostics.push(invalid(
                        label.span,
                        "Invalid provider source address",
                        error.to_string(),
                    ));
                    continue;
                }
            };
            let (locked, found) = read_provider(&block, &provider);
            diagnostics.append(found);
            if let Some(locked) = locked
                && file.providers.insert(provider.clone(), locked).is_some()
            {
                let detail = format!(
                    "The dependency lock file selects {} twice. Remove one of the blocks.",
                    provider.for_display()
                );
                diagnostics.push(invalid(
                    block.header_span,
                    "Duplicate provider lock",
                    detail,
                ));
            }
        }
        (file, diagnostics)
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = self.header.clone().unwrap_or_else(|| HEADER.to_owned());
        for (provider, locked) in &self.providers {
            // Writing to a string cannot fail.
            let _written = Self::write_provider(&mut text, provider, locked);
        }
        text
    }

    fn write_provider(
        text: &mut String,
        provider: &ProviderAddr,
        locked: &LockedProvider,
    ) -> std::fmt::Result {
        writeln!(text, "\nprovider {} {{", Quoted(&provider.to_string()))?;
        if locked.constraints.is_empty() {
            writeln!(text, "  version = \"{}\"", locked.version)?;
        } else {
            writeln!(text, "  version     = \"{}\"", locked.version)?;
            writeln!(text, "  constraints = \"{}\"", locked.constraints)?;
        }
        if !locked.hashes.is_empty() {
            text.push_str("  hashes = [\n");
            for hash in &locked.hashes {
                writeln!(text, "    {},", Quoted(&hash.to_string()))?;
            }
            text.push_str("  ]\n");
        }
        text.push_str("}\n");
        Ok(())
    }

    /// Writes the file, whole or not at all; leaves it alone where it already says this.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        terrace_registry_client::save_lock(path, &self.to_text())
    }
}

fn read_provider(
    block: &terrace_syntax::Block,
    provider: &ProviderAddr,
) -> (Option<LockedProvider>, Diagnostics) {
    let (content, mut diagnostics) = block
        .body
        .content(&BodySchema::of(&["version", "constraints", "hashes"], &[]));
    let Some(attribute) = content.attributes.get("version") else {
        diagnostics.push(invalid(
            block.header_span,
            "Missing required argument",
            format!(
                "The lock of {} has no version. Run \"terrace init\" to select one anew.",
                provider.for_display()
            ),
        ));
        return (None, diagnostics);
    };
    let Some(Ok(version)) = text_of(attribute).map(|text| text.parse::<Version>()) else {
        let detail = format!(
            "The selected version of {} is not a version, such as \"1.2.3\".",
            provider.for_display()
        );
        diagnostics.push(invalid(
            attribute.value.span,
            "Invalid provider version number",
            detail,
        ));
        return (None, diagnostics);
    };
    let mut locked = LockedProvider {
        version,
        constraints: String::new(),
        hashes: BTreeSet::new(),
    };
    if let Some(attribute) = content.attributes.get("constraints") {
        match text_of(attribute).map(|text| text.parse::<Constraints>()) {
            Some(Ok(constraints)) => locked.constraints = constraints.canonical(),
            _ => diagnostics.push(invalid(
                attribute.value.span,
                "Invalid provider version constraints",
                format!(
                    "The recorded version constraints of {} make no sense.",
                    provider.for_display()
                ),
            )),
        }
    }
    if let Some(attribute) = content.attributes.get("hashes") {
        let ExprKind::Tuple(items) = &attribute.value.kind else {
            diagnostics.push(invalid(
                attribute.value.span,
                "Invalid provider hash set",
                "It must be a list of strings.",
            ));
            return (Some(locked), diagnostics);
        };
        for item in items {
            match literal(item).filter(|text| text.contains(':')) {
                Some(text) => {
                    locked.hashes.insert(PackageHash(text));
                }
                None => diagnostics.push(invalid(
                    item.span,
                    "Invalid provider hash string",
                    "A checksum is a string that begins with its scheme, such as \"h1:…\".",
                )),
            }
        }
    }
    (Some(locked), diagnostics)
}

fn text_of(attribute: &Attribute) -> Option<String> {
    literal(&attribute.value)
}

/// The text of a string without interpolation.
fn literal(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Literal(value) => value.as_str().map(String::from),
        ExprKind::Template(parts) => parts
            .iter()
            .map(|part| {
                if let ExprKind::Literal(value) = &part.kind {
                    value.as_str()
                } else {
                    None
                }
            })
            .collect(),
        _ => None,
    }
}

fn invalid(span: Span, summary: impl Into<String>, detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error("lock-file", summary, detail).at(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_read_can_be_read_again() {
        let text =
            "provider \"h.%%{x/n/b\" {\n  version = \"1.0.0\"\n  hashes = [\"h1:$${a\\\"\"]\n}\n";
        let (lock, diagnostics) = LockFile::parse(SourceId(0), text);
        assert!(!diagnostics.has_errors(), "{diagnostics:?}");
        let (again, diagnostics) = LockFile::parse(SourceId(0), &lock.to_text());
        assert!(!diagnostics.has_errors(), "{}", lock.to_text());
        assert_eq!(again.to_text(), lock.to_text());
    }

    const TEXT: &str = r#"# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/null" {
  version     = "2.2.0"
  constraints = ">= 2.0.0, ~> 2.1, < 3.0.0"
  hashes = [
    "h1:Vb0LvJJGI2VTwfh+VXg+++gYcJwzRILN8/SUSJdptA8=",
    "zh:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  ]
}

provider "registry.terraform.io/hashicorp/time" {
  version = "0.14.2"
  hashes = [
    "h1:QNA8pYgGtoCYhyqSkRvUGO6E7m4Q8vUDBqlMyHMWCkw=",
  ]
}
"#;

    #[test]
    fn a_file_of_the_reference_survives_byte_for_byte() {
        let (file, diagnostics) = LockFile::parse(SourceId(0), TEXT);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert_eq!(file.providers.len(), 2);
        assert_eq!(file.to_text(), TEXT);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(LockFile::NAME);
        file.save(&path).unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), TEXT);
    }

    #[test]
    fn a_new_file_names_this_engine() {
        assert!(
            LockFile::default()
                .to_text()
                .starts_with("# This file is maintained automatically by \"terrace init\".")
        );
        let empty = LockFile::parse(SourceId(0), "").0;
        assert_eq!(empty, LockFile::default());
    }

    #[test]
    fn mistakes_are_told() {
        for (text, what) in [
            ("provider \"a/b/c/d\" {}", "Invalid provider source address"),
            (
                "provider \"hashicorp/null\" {}",
                "Missing required argument",
            ),
            (
                "provider \"hashicorp/null\" { version = \"x\" }",
                "Invalid provider version number",
            ),
            (
                "provider \"hashicorp/null\" {\n version = \"1.0.0\"\n hashes = [\"x\"]\n}",
                "Invalid provider hash string",
            ),
            (
                "provider \"hashicorp/null\" {\n version = \"1.0.0\"\n hashes = 1\n}",
                "Invalid provider hash set",
            ),
            (
                "provider \"null\" {\n version = \"1.0.0\"\n constraints = \"?\"\n}",
                "Invalid provider version constraints",
            ),
        ] {
            let (_, diagnostics) = LockFile::parse(SourceId(0), text);
            let said: Vec<&str> = diagnostics.iter().map(|one| &*one.summary).collect();
            assert!(said.contains(&what), "{text}: {said:?}");
        }
        let twice = "provider \"null\" {\n  version = \"1.0.0\"\n}\n".repeat(2);
        assert!(LockFile::parse(SourceId(0), &twice).1.has_errors());
    }
}

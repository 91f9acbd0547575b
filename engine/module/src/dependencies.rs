//! The modules that a module calls, and edits that raise their versions.

use terrace_addr::Name;
use terrace_addr::version::{ConstraintOp, Constraints, Version};
use terrace_config::{Module, ModuleCall};
use terrace_diag::{SourceMap, Span};

use crate::Place;

/// A call of a module, as a dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The name of the call.
    pub name: Name,
    /// The source as written.
    pub source: String,
    /// The version constraint as written.
    pub version: Option<String>,
    /// What kind of source it is.
    pub kind: DependencyKind,
    /// Where the call stands.
    pub place: Place,
    /// Where the source stands.
    pub source_span: Span,
    /// Where the version stands.
    pub version_span: Option<Span>,
}

/// Where a module comes from, as far as versions go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DependencyKind {
    /// A directory of the same package.
    Local,
    /// A module of a registry.
    Registry {
        /// `namespace/name/provider`, with a host before it where one is written, without a subdirectory.
        address: String,
    },
    /// A repository.
    Git {
        /// The repository, without subdirectory and reference.
        repository: String,
        /// The reference that is fetched.
        reference: Option<String>,
    },
    /// Anything else.
    Other,
}

impl DependencyKind {
    /// The kind of a source as written.
    pub fn of(source: &str) -> Self {
        if source.is_empty() || source.starts_with("./") || source.starts_with("../") {
            return Self::Local;
        }
        let (plain, query) = source.split_once('?').unwrap_or((source, ""));
        let reference = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("ref="))
            .map(str::to_owned);
        let hosted = ["github.com/", "bitbucket.org/", "git@github.com:"];
        if plain.starts_with("git::") || hosted.iter().any(|host| plain.starts_with(host)) {
            let bare = plain.strip_prefix("git::").unwrap_or(plain);
            return Self::Git {
                repository: without_subdirectory(bare).to_owned(),
                reference,
            };
        }
        let address = without_subdirectory(plain);
        let parts: Vec<&str> = address.split('/').collect();
        let word = |part: &&str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        };
        let is_registry = match parts.as_slice() {
            [namespace, name, provider] => [namespace, name, provider].into_iter().all(word),
            [host, namespace, name, provider] => {
                host.contains('.') && [namespace, name, provider].into_iter().all(word)
            }
            _ => false,
        };
        if is_registry {
            Self::Registry {
                address: address.to_owned(),
            }
        } else {
            Self::Other
        }
    }
}

/// A source without `//directory`; the slashes of `https://` separate no directory.
fn without_subdirectory(source: &str) -> &str {
    let from = source.find("://").map_or(0, |at| at + 3);
    match source[from..].find("//") {
        Some(at) => &source[..from + at],
        None => source,
    }
}

/// The calls of a module, by name.
pub fn dependencies(module: &Module, sources: &SourceMap) -> Vec<Dependency> {
    let dependency = |call: &ModuleCall| Dependency {
        name: call.name.clone(),
        source: call.source.to_string(),
        version: call.version.as_ref().map(|(text, _)| text.clone()),
        kind: DependencyKind::of(&call.source),
        place: Place::of(sources, call.span),
        source_span: call.source_span,
        version_span: call.version.as_ref().map(|(_, span)| *span),
    };
    module.calls.values().map(dependency).collect()
}

/// A part of a file that is to be replaced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// The file, as the configuration names it.
    pub file: String,
    /// The first byte of the part.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// What stands there then.
    pub text: String,
}

impl Dependency {
    /// Whether the version that it asks for allows `version`.
    pub fn allows(&self, version: &Version) -> bool {
        match &self.kind {
            DependencyKind::Registry { .. } => self.version.as_ref().is_none_or(|text| {
                text.parse::<Constraints>()
                    .is_ok_and(|all| all.allows(version))
            }),
            DependencyKind::Git { reference, .. } => reference
                .as_ref()
                .is_none_or(|text| text.parse::<Version>().is_ok_and(|at| at == *version)),
            DependencyKind::Local | DependencyKind::Other => true,
        }
    }

    /// The source and the version constraint of a call that gets exactly `version`; as written where a version cannot be
    /// named.
    pub fn exactly(&self, version: &str) -> (String, Option<String>) {
        match &self.kind {
            DependencyKind::Registry { .. } => (self.source.clone(), Some(format!("= {version}"))),
            DependencyKind::Git {
                reference: Some(old),
                ..
            } => {
                let prefix = if old.starts_with('v') { "v" } else { "" };
                let source = self.source.replacen(
                    &format!("ref={old}"),
                    &format!("ref={prefix}{version}"),
                    1,
                );
                (source, None)
            }
            _ => (self.source.clone(), self.version.clone()),
        }
    }

    /// The edit that makes it ask for `version`, in the form that it asks in; `None` where it does already, or where no
    /// version is written.
    pub fn raised(&self, version: &Version, sources: &SourceMap) -> Option<Edit> {
        if self.allows(version) {
            return None;
        }
        let (span, old, new) = match &self.kind {
            DependencyKind::Registry { .. } => {
                let old = self.version.clone()?;
                let new = constraint_for(&old, version);
                (self.version_span?, old, new)
            }
            DependencyKind::Git { reference, .. } => {
                let old = reference.clone()?;
                // A branch or a commit is no version, and is left alone.
                old.parse::<Version>().ok()?;
                let prefix = if old.starts_with('v') { "v" } else { "" };
                (
                    self.source_span,
                    format!("ref={old}"),
                    format!("ref={prefix}{version}"),
                )
            }
            DependencyKind::Local | DependencyKind::Other => return None,
        };
        let written = sources.text(span);
        let text = written.replacen(&old, &new, 1);
        (text != written).then(|| Edit {
            file: self.place.file.clone(),
            start: span.start,
            end: span.end,
            text,
        })
    }
}

/// A constraint in the form of `old` that allows `version`.
fn constraint_for(old: &str, version: &Version) -> String {
    let at = |index: usize| version.segments().get(index).copied().unwrap_or(0);
    let pessimistic = format!("~> {}.{}", at(0), at(1));
    let Ok(constraints) = old.parse::<Constraints>() else {
        return pessimistic;
    };
    let [only] = constraints.0.as_slice() else {
        return pessimistic;
    };
    match only.op {
        ConstraintOp::Equal if old.trim_start().starts_with('=') => format!("= {version}"),
        ConstraintOp::Equal => version.to_string(),
        ConstraintOp::Pessimistic if old.matches('.').count() >= 2 => {
            format!("~> {}.{}.{}", at(0), at(1), at(2))
        }
        ConstraintOp::Greater | ConstraintOp::GreaterOrEqual => format!(">= {version}"),
        _ => pessimistic,
    }
}

/// `text` after all edits, which are of one file and do not overlap.
pub fn apply_edits(text: &str, edits: &[Edit]) -> String {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in sorted {
        let (start, end) = (edit.start as usize, edit.end as usize);
        let (Some(before), true) = (text.get(at..start), end <= text.len()) else {
            continue;
        };
        out.push_str(before);
        out.push_str(&edit.text);
        at = end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        assert_eq!(DependencyKind::of("../net"), DependencyKind::Local);
        assert_eq!(
            DependencyKind::of("terraform-aws-modules/vpc/aws//modules/x"),
            DependencyKind::Registry {
                address: "terraform-aws-modules/vpc/aws".to_owned()
            }
        );
        assert_eq!(
            DependencyKind::of("git::https://example.com/net.git//vpc?ref=v1.2.0"),
            DependencyKind::Git {
                repository: "https://example.com/net.git".to_owned(),
                reference: Some("v1.2.0".to_owned())
            }
        );
        assert_eq!(
            DependencyKind::of("https://example.com/net.zip"),
            DependencyKind::Other
        );
    }

    #[test]
    fn constraints_keep_their_form() {
        let raised = |old: &str| constraint_for(old, &Version::new(5, 2, 1));
        assert_eq!(raised("4.0.1"), "5.2.1");
        assert_eq!(raised("= 4.0.1"), "= 5.2.1");
        assert_eq!(raised("~> 4.0"), "~> 5.2");
        assert_eq!(raised("~> 4.0.0"), "~> 5.2.1");
        assert_eq!(raised(">= 4.0, < 5.0"), "~> 5.2");
    }

    #[test]
    fn edits_replace_parts_from_front_to_back() {
        let edit = |start, end, text: &str| Edit {
            file: "main.tf".to_owned(),
            start,
            end,
            text: text.to_owned(),
        };
        assert_eq!(
            apply_edits("abcdef", &[edit(4, 5, "5"), edit(1, 3, "2")]),
            "a2d5f"
        );
    }
}

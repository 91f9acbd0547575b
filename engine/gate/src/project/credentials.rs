//! `credentials` blocks: what providers and programs are given, one set to plan with and one to apply with.

use std::collections::{BTreeMap, BTreeSet};

use terrace_config::evaluate_constant;
use terrace_syntax::{Attribute, Block};

use super::Project;
use super::reader::{Reader, plain, schema};
use crate::digest::Parts;

/// Where the value of a variable comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// It stands in the project file.
    Literal(String),
    /// It is that of a variable of this name in Terrace's own environment.
    Environment(String),
}

/// What the processes of one phase are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialSet {
    /// Variables of their environment.
    pub variables: BTreeMap<String, CredentialSource>,
    /// A program with its arguments that prints more of them; empty where there is none.
    pub command: Vec<String>,
}

/// The credentials of an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Those to read with.
    pub plan: CredentialSet,
    /// Those to change with, which are taken only once the gate has let a plan through.
    pub apply: CredentialSet,
}

impl Credentials {
    /// A digest of all that the block says. It tells nothing of what that is.
    pub(crate) fn digest(&self) -> String {
        let mut parts = Parts::default();
        for (phase, set) in [("plan", &self.plan), ("apply", &self.apply)] {
            parts.add(phase.as_bytes());
            for (name, source) in &set.variables {
                let (kind, text) = match source {
                    CredentialSource::Literal(text) => ("text", text),
                    CredentialSource::Environment(name) => ("env", name),
                };
                for part in [name.as_str(), kind, text.as_str()] {
                    parts.add(part.as_bytes());
                }
            }
            parts.add(b"command");
            for part in &set.command {
                parts.add(part.as_bytes());
            }
        }
        parts.hash()
    }
}

impl Project {
    /// The variables of Terrace's own environment in which credentials of any environment are handed to it. No process
    /// that it starts may have them by these names.
    pub fn credential_sources(&self) -> BTreeSet<&str> {
        let sets = self
            .environments
            .iter()
            .filter_map(|environment| environment.credentials.as_ref())
            .flat_map(|credentials| [&credentials.plan, &credentials.apply]);
        sets.flat_map(|set| set.variables.values())
            .filter_map(|source| match source {
                CredentialSource::Environment(name) => Some(name.as_str()),
                CredentialSource::Literal(_) => None,
            })
            .collect()
    }
}

impl Reader {
    pub(super) fn read_credentials(&mut self, block: &Block) -> Credentials {
        let content = self.content(
            &block.body,
            &schema(&[], vec![plain("plan"), plain("apply")]),
        );
        let mut credentials = Credentials::default();
        let mut seen = BTreeSet::new();
        for nested in &content.blocks {
            let phase = &*nested.type_name.name;
            if !seen.insert(phase.to_owned()) {
                let detail = format!("Credentials hold one {phase} block.");
                self.duplicate(phase, &detail, nested);
                continue;
            }
            let set = self.read_credential_set(nested);
            if phase == "plan" {
                credentials.plan = set;
            } else {
                credentials.apply = set;
            }
        }
        credentials
    }

    fn read_credential_set(&mut self, block: &Block) -> CredentialSet {
        let (attributes, diagnostics) = block.body.just_attributes();
        self.diagnostics.append(diagnostics);
        let mut set = CredentialSet::default();
        for (name, attribute) in &attributes {
            if &**name == "command" {
                set.command = self.read_command(attribute);
            } else if let Some(source) = self.read_source(name, attribute) {
                set.variables.insert(name.to_string(), source);
            }
        }
        set
    }

    fn read_command(&mut self, attribute: &Attribute) -> Vec<String> {
        let value = evaluate_constant(&attribute.value, &mut self.diagnostics);
        let words: Option<Vec<String>> = value.as_sequence().and_then(|items| {
            items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        });
        let words = words.filter(|words| !words.is_empty());
        if words.is_none() && value.is_known() {
            self.invalid(
                "The argument \"command\" is a program with its arguments: a list of strings. No shell takes part.",
                attribute.value.span,
            );
        }
        words.unwrap_or_default()
    }

    fn read_source(&mut self, name: &str, attribute: &Attribute) -> Option<CredentialSource> {
        let value = evaluate_constant(&attribute.value, &mut self.diagnostics);
        if let Some(text) = value.as_str() {
            return Some(CredentialSource::Literal(text.to_owned()));
        }
        let from = value
            .as_entries()
            .filter(|entries| entries.len() == 1)
            .and_then(|entries| entries.get("env"))
            .and_then(|from| from.as_str())
            .filter(|from| !from.is_empty() && !from.contains('='));
        if from.is_none() && value.is_known() {
            let detail = format!(
                "The credential {name:?} is a string, or {{ env = \"NAME\" }} for the value that the variable NAME of Terrace's environment has."
            );
            self.invalid(detail, attribute.value.span);
        }
        from.map(|from| CredentialSource::Environment(from.to_owned()))
    }
}

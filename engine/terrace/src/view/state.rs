//! Versions of a state, and what differs between two of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use terrace_addr::{AbsResourceInstance, ProviderAddr, ResourceMode};
use terrace_schema::{Block, ProviderSchema};
use terrace_state::history::Version;
use terrace_state::{ObjectStatus, State};
use terrace_value::{Marks, Path, Text, Value};

use super::View;
use super::plan::{Secrets, Symbol, Writer, body};
use crate::commands::state::history::Difference;
use crate::outside::rfc3339;

/// The versions as a JSON document, oldest first.
pub(crate) fn history_json(versions: &[Version]) -> String {
    let versions: Vec<Json> = versions
        .iter()
        .map(|version| {
            json!({
                "serial": version.serial,
                "lineage": version.lineage,
                "time": rfc3339(version.time),
                "who": version.who,
                "operation": version.operation,
                "run": version.run,
                "added": version.counts.added,
                "changed": version.counts.changed,
                "removed": version.counts.removed,
                "outputs": version.counts.outputs,
            })
        })
        .collect();
    json!({ "versions": versions }).to_string()
}

/// Two states, and the instances that differ.
pub(crate) struct Comparison<'a> {
    pub(crate) before: &'a State,
    pub(crate) after: &'a State,
    pub(crate) addresses: &'a BTreeMap<AbsResourceInstance, Difference>,
    pub(crate) schemas: &'a BTreeMap<ProviderAddr, Arc<ProviderSchema>>,
}

impl Comparison<'_> {
    fn value(&self, state: &State, address: &AbsResourceInstance) -> Option<Value> {
        let provider = &self.addresses.get(address)?.provider;
        let schema = self.schemas.get(provider).map(|schema| &**schema);
        let object = state.object(address)?;
        let value = terrace_plan::stored_value(address, object, schema);
        if schema.is_some() {
            return Some(value);
        }
        // Nobody says what is sensitive, so everything may be.
        let entries = value.as_entries()?.iter();
        let hidden = entries.map(|(name, value)| {
            let value = value.clone().with_marks(Marks::SENSITIVE);
            (name.clone(), value)
        });
        Some(Value::object(hidden))
    }

    /// What may not be shown, wherever it stands.
    fn secrets(&self) -> Secrets {
        let values: Vec<Value> = self
            .addresses
            .keys()
            .flat_map(|address| {
                let of = |state| self.value(state, address);
                [of(self.before), of(self.after)]
            })
            .flatten()
            .collect();
        Secrets::of_values(&values)
    }

    fn block(&self, address: &AbsResourceInstance) -> Option<&Block> {
        let provider = &self.addresses.get(address)?.provider;
        let schema = self.schemas.get(provider)?;
        let table = match address.mode() {
            ResourceMode::Managed => &schema.resources,
            ResourceMode::Data => &schema.data_sources,
            ResourceMode::Ephemeral => &schema.ephemeral_resources,
        };
        table.get(address.type_name()).map(|schema| &schema.block)
    }

    /// As text: each instance with what differs in it, then outputs.
    pub(crate) fn text(&self, view: &View) -> String {
        let mut lines = Vec::new();
        let secrets = self.secrets();
        for address in self.addresses.keys() {
            let before = self.value(self.before, address);
            let after = self.value(self.after, address);
            let (symbol, what) = match (&before, &after) {
                (None, Some(_)) => (Symbol::Add, "is new"),
                (Some(_), None) => (Symbol::Remove, "is gone"),
                _ => (Symbol::Change, "is changed"),
            };
            lines.push(format!("  # {address} {what}"));
            lines.extend(self.beside(address));
            if self.block(address).is_none() {
                lines.push(
                    "  # (values are hidden: no schema of the provider tells which are sensitive)"
                        .to_owned(),
                );
            }
            let keyword = if address.mode() == ResourceMode::Data {
                "data"
            } else {
                "resource"
            };
            let resource = &address.resource.resource;
            lines.push(format!(
                "  {} {keyword} \"{}\" \"{}\" {{",
                symbol.paint(view.style),
                resource.type_name,
                resource.name
            ));
            let (before, after) = (before.unwrap_or(Value::NULL), after.unwrap_or(Value::NULL));
            let mut writer = Writer::new(view.style, &secrets, &[]);
            let block = self.block(address);
            body(&mut writer, 1, block, (&before, &after), &Path::root());
            lines.extend(writer.lines);
            lines.push("    }\n".to_owned());
        }
        lines.extend(self.outputs(view));
        if lines.is_empty() {
            return "Both hold the same.".to_owned();
        }
        lines.join("\n").trim_end().to_owned()
    }

    /// What differs and is no attribute.
    fn beside(&self, address: &AbsResourceInstance) -> Vec<String> {
        let (Some(before), Some(after)) = (self.before.object(address), self.after.object(address))
        else {
            return Vec::new();
        };
        let mut notes = Vec::new();
        match (before.status, after.status) {
            (ObjectStatus::Ready, ObjectStatus::Tainted) => notes.push("it is tainted now"),
            (ObjectStatus::Tainted, ObjectStatus::Ready) => notes.push("it is no longer tainted"),
            _ => {}
        }
        if before.dependencies != after.dependencies {
            notes.push("it depends on other resources");
        }
        if before.private != after.private {
            notes.push("the provider's own notes differ");
        }
        let provider = |state: &State| {
            let resource = state.resources.get(&address.resource);
            resource.map(|resource| resource.provider_of(address.key.as_ref()))
        };
        if provider(self.before) != provider(self.after) {
            notes.push("another provider configuration manages it");
        }
        notes.iter().map(|note| format!("  # ({note})")).collect()
    }

    fn outputs(&self, view: &View) -> Vec<String> {
        let secrets = Secrets::default();
        let mut writer = Writer::new(view.style, &secrets, &[]);
        let names: BTreeSet<_> = self
            .before
            .outputs
            .keys()
            .chain(self.after.outputs.keys())
            .collect();
        for name in names {
            let (before, after) = (self.before.outputs.get(name), self.after.outputs.get(name));
            if before == after {
                continue;
            }
            let is_sensitive = [before, after]
                .iter()
                .flatten()
                .any(|output| output.sensitive);
            let head = format!("{name} = ");
            match (before, after) {
                _ if is_sensitive => {
                    writer.line(0, Symbol::Change, format!("{head}(sensitive value)"));
                }
                (Some(before), Some(after)) => {
                    writer.diff(0, &head, &before.value, &after.value, &Path::root(), "");
                }
                (None, Some(after)) => writer.whole(0, Symbol::Add, &head, &after.value, ""),
                (Some(before), None) => {
                    writer.whole(0, Symbol::Remove, &head, &before.value, " -> null");
                }
                (None, None) => {}
            }
        }
        if writer.lines.is_empty() {
            return Vec::new();
        }
        let mut lines = vec!["Outputs:".to_owned()];
        lines.extend(writer.lines);
        lines
    }

    /// As a JSON document. Sensitive values are left out.
    pub(crate) fn json(&self) -> String {
        let changes: Vec<Json> = self
            .addresses
            .keys()
            .map(|address| {
                let before = self.value(self.before, address);
                let after = self.value(self.after, address);
                let change = match (&before, &after) {
                    (None, Some(_)) => "add",
                    (Some(_), None) => "remove",
                    _ => "change",
                };
                json!({
                    "address": address.to_string(),
                    "change": change,
                    "attributes": attributes(before.as_ref(), after.as_ref()),
                })
            })
            .collect();
        json!({
            "from": self.before.serial,
            "to": self.after.serial,
            "changes": changes,
        })
        .to_string()
    }
}

/// The attributes that differ, each with what it was and what it is.
fn attributes(before: Option<&Value>, after: Option<&Value>) -> Json {
    let empty = BTreeMap::new();
    let before = before.and_then(Value::as_entries).unwrap_or(&empty);
    let after = after.and_then(Value::as_entries).unwrap_or(&empty);
    let names: BTreeSet<&Text> = before.keys().chain(after.keys()).collect();
    let shown = |value: Option<&Value>| {
        value
            .and_then(|value| terrace_value::json::simple_encode(value).ok())
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or(Json::Null)
    };
    let mut differing = Map::new();
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        let is_sensitive = [old, new]
            .into_iter()
            .flatten()
            .any(|value| value.has_marks_deep(Marks::SENSITIVE));
        let difference = if is_sensitive {
            json!({ "sensitive": true })
        } else {
            json!({ "before": shown(old), "after": shown(new) })
        };
        differing.insert(name.to_string(), difference);
    }
    Json::Object(differing)
}

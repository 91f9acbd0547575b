//! What the cases try of each type, and what they leave out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use terrace_provider_sdk::Provider;
use terrace_schema::Block;

use crate::case::Fact;
use crate::world::{Table, World};

/// Arguments of every type that cases need not set: each life ends with a plan for another `region`; ids and all tags are told, and
/// can be set by history only.
const EVERYWHERE: [&str; 3] = ["region", "id", "tags_all"];

/// The arguments that a configuration says something of.
pub(crate) fn mentioned(config: &Json, within: &str, found: &mut Vec<String>) {
    match config {
        Json::Array(items) => {
            for item in items {
                mentioned(item, within, found);
            }
        }
        Json::Object(parts) => {
            for (name, part) in parts {
                let name = format!("{within}{name}");
                mentioned(part, &format!("{name}."), found);
                found.push(name);
            }
        }
        _ => {}
    }
}

/// The arguments that two configurations say otherwise.
pub(crate) fn changed(before: &Json, after: &Json) -> Vec<String> {
    let (mut one, mut other) = (BTreeMap::new(), BTreeMap::new());
    said(before, "", &mut one);
    said(after, "", &mut other);
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differs = |name: &&&String| one.get(**name) != other.get(**name);
    names
        .into_iter()
        .filter(|name| differs(&name))
        .cloned()
        .collect()
}

/// All that a configuration says of each argument.
fn said(config: &Json, within: &str, found: &mut BTreeMap<String, Vec<Json>>) {
    match config {
        Json::Array(items) => items.iter().for_each(|item| said(item, within, found)),
        Json::Object(parts) => {
            for (name, part) in parts {
                let name = format!("{within}{name}");
                said(part, &format!("{name}."), found);
                found.entry(name).or_default().push(part.clone());
            }
        }
        _ => {}
    }
}

/// Types that no case has, and arguments that no case changes (of who only reads: sets) and no case gives a reason for.
pub(crate) fn missing(world: &World, tables: &[Table], facts: &[Fact]) -> Vec<String> {
    let mut tried: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for table in tables {
        let known = tried.entry(table.type_name.to_owned()).or_default();
        known.extend(table.changed.iter().cloned());
        known.extend(table.untried.iter().map(|(name, _)| (*name).to_owned()));
        for (name, arguments) in &table.read {
            let known = tried.entry(name.clone()).or_default();
            known.extend(arguments.iter().cloned());
        }
    }
    for fact in facts {
        let known = tried.entry(format!("data.{}", fact.type_name)).or_default();
        let mut arguments = Vec::new();
        mentioned(&fact.config, "", &mut arguments);
        known.extend(arguments);
    }
    let schema = Provider::provider_schema(&world.provider);
    let kinds = [
        ("", &schema.resources),
        ("data.", &schema.data_sources),
        ("ephemeral.", &schema.ephemeral_resources),
    ];
    let mut missing = Vec::new();
    for (kind, types) in kinds {
        for (name, shape) in types.iter() {
            let name = format!("{kind}{name}");
            match tried.get(&name) {
                None => missing.push(format!("{name}: no case has it")),
                Some(tried) => missing.extend(
                    untold(&shape.block, tried, !kind.is_empty())
                        .into_iter()
                        .map(|argument| format!("{name}.{argument}")),
                ),
            }
        }
    }
    missing
}

/// The arguments of a type of which the cases say nothing. The tags of what is only read are told.
fn untold(block: &Block, tried: &BTreeSet<String>, told_tags: bool) -> Vec<String> {
    let mut arguments = Vec::new();
    settable(block, "", &mut arguments);
    let told = if told_tags { &["tags"][..] } else { &[] };
    arguments.retain(|argument| {
        let left_out = |name: &str| {
            tried.contains(name)
                && argument.starts_with(&format!("{name}."))
                && !tried
                    .iter()
                    .any(|other| other.starts_with(&format!("{name}.")))
        };
        let top = argument.split('.').next().unwrap_or_default();
        !tried.contains(argument)
            && !EVERYWHERE.contains(&top)
            && !told.contains(&top)
            && !argument
                .match_indices('.')
                .any(|(at, _)| left_out(&argument[..at]))
    });
    arguments
}

fn settable(block: &Block, within: &str, found: &mut Vec<String>) {
    for (name, attribute) in &block.attributes {
        if (attribute.required || attribute.optional) && !attribute.deprecated {
            found.push(format!("{within}{name}"));
        }
    }
    for (name, nested) in &block.blocks {
        if nested.block.deprecated {
            continue;
        }
        let name = format!("{within}{name}");
        let before = found.len();
        settable(&nested.block, &format!("{name}."), found);
        // A block with nothing in it is set by being there; one whose attributes are all told is told as well.
        if found.len() > before || nested.block.attributes.is_empty() {
            found.push(name);
        }
    }
}

/// The counts that are published.
pub(crate) fn totals(tables: &[Table], facts: &[Fact]) -> String {
    let types: BTreeSet<&str> = tables.iter().map(|table| table.type_name).collect();
    let told = facts.iter().map(|fact| format!("data.{}", fact.type_name));
    let read: BTreeSet<String> = tables
        .iter()
        .flat_map(|table| table.read.iter().map(|(name, _)| name.clone()))
        .chain(told)
        .collect();
    let sum = |count: fn(&Table) -> usize| tables.iter().map(count).sum::<usize>();
    format!(
        "{} types in {} cases: {} updates, {} replacements, {} imports; {} data sources and ephemeral resources read {} times; {} \
         arguments left out with a reason",
        types.len(),
        tables.len(),
        sum(|table| table.updates),
        sum(|table| table.replacements),
        sum(|table| usize::from(table.imported)),
        read.len(),
        sum(|table| table.read.len()) + facts.len(),
        sum(|table| table.untried.len()),
    )
}

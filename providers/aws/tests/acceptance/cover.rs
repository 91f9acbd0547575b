//! What the cases try of each type, and what they leave out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use terrace_provider_sdk::Provider;
use terrace_schema::Block;

use crate::world::{Table, World};

/// Arguments of every type that are tried once for all, elsewhere: `region` in tests/regions.rs, timeouts where something is
/// waited for, and ids that nobody sets.
const EVERYWHERE: [&str; 4] = ["region", "timeouts", "id", "tags_all"];

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

/// Arguments that no case sets and no case gives a reason for.
pub(crate) fn missing(world: &World, tables: &[Table]) -> Vec<String> {
    let mut tried: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for table in tables {
        let known = tried.entry(table.type_name).or_default();
        known.extend(table.tried.iter().cloned());
        known.extend(table.untried.iter().map(|(name, _)| (*name).to_owned()));
    }
    let schema = Provider::provider_schema(&world.provider);
    let mut missing = Vec::new();
    for (name, resource) in schema.resources.iter() {
        let nothing = BTreeSet::new();
        let tried = tried.get(&**name).unwrap_or(&nothing);
        let mut arguments = Vec::new();
        settable(&resource.block, "", &mut arguments);
        missing.extend(
            arguments
                .into_iter()
                .filter(|argument| {
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
                        && !argument
                            .match_indices('.')
                            .any(|(at, _)| left_out(&argument[..at]))
                })
                .map(|argument| format!("{name}.{argument}")),
        );
    }
    missing
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
        settable(&nested.block, &format!("{name}."), found);
        found.push(name);
    }
}

/// The counts that are published.
pub(crate) fn totals(tables: &[Table]) -> String {
    let types: BTreeSet<&str> = tables.iter().map(|table| table.type_name).collect();
    let sum = |count: fn(&Table) -> usize| tables.iter().map(count).sum::<usize>();
    format!(
        "{} types in {} cases: {} updates, {} replacements, {} imports; {} arguments left out with a reason",
        types.len(),
        tables.len(),
        sum(|table| table.updates),
        sum(|table| table.replacements),
        sum(|table| usize::from(table.imported)),
        sum(|table| table.untried.len()),
    )
}

//! The values of a state.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{AbsResourceInstance, DeposedKey, ModuleInstance, ProviderAddr, ResourceMode};
use terrace_schema::ProviderSchema;
use terrace_state::{Object, ObjectStatus, ResourceInState, State};
use terrace_value::{Marks, Path, Value};

use super::changes::{Modules, resource_head};
use super::values as tree;
use super::writer::Writer;

/// Gives the schema of a provider, where it is known.
pub type SchemaLookup<'a> = dyn Fn(&ProviderAddr) -> Option<Arc<ProviderSchema>> + 'a;

struct Row<'a> {
    address: AbsResourceInstance,
    resource: &'a ResourceInState,
    object: &'a Object,
    deposed: Option<&'a DeposedKey>,
}

/// `outputs` and `root_module`. `only` leaves out what it does not hold.
pub(super) fn values(
    out: &mut Writer,
    state: &State,
    schemas: &SchemaLookup<'_>,
    only: Option<&ModuleInstance>,
) {
    let mut modules: BTreeMap<ModuleInstance, Vec<Row<'_>>> = BTreeMap::new();
    for (address, resource, instance) in state.instances() {
        if only.is_some_and(|only| address.module() != only) {
            continue;
        }
        let rows = modules.entry(address.module().clone()).or_default();
        if let Some(object) = &instance.current {
            rows.push(Row {
                address: address.clone(),
                resource,
                object,
                deposed: None,
            });
        }
        for (key, object) in &instance.deposed {
            rows.push(Row {
                address: address.clone(),
                resource,
                object,
                deposed: Some(key),
            });
        }
    }
    out.object(|out| {
        if !state.outputs.is_empty() {
            out.key("outputs");
            out.object(|out| {
                for (name, output) in &state.outputs {
                    out.key(name);
                    out.object(|out| {
                        out.bool("sensitive", output.sensitive);
                        out.key("value");
                        tree::value(out, &output.value);
                        out.key("type");
                        tree::ty(out, &output.value.ty());
                    });
                }
            });
        }
        out.key("root_module");
        module(
            out,
            &ModuleInstance::root(),
            &Modules::of(modules.keys()),
            &modules,
            schemas,
        );
    });
}

fn module(
    out: &mut Writer,
    at: &ModuleInstance,
    modules: &Modules,
    all: &BTreeMap<ModuleInstance, Vec<Row<'_>>>,
    schemas: &SchemaLookup<'_>,
) {
    out.object(|out| {
        if let Some(rows) = all.get(at) {
            let (data, managed): (Vec<_>, Vec<_>) = rows
                .iter()
                .partition(|row| row.address.mode() == ResourceMode::Data);
            out.array("resources", |out| {
                for row in data.into_iter().chain(managed) {
                    resource(out, row, schemas);
                }
            });
        }
        if !at.is_root() {
            out.string("address", &at.to_string());
        }
        let below = modules.below(at);
        if !below.is_empty() {
            out.array("child_modules", |out| {
                for child in below {
                    module(out, child, modules, all, schemas);
                }
            });
        }
    });
}

fn resource(out: &mut Writer, row: &Row<'_>, schemas: &SchemaLookup<'_>) {
    let schema = schemas(&row.resource.provider.provider);
    let value = stored_value(&row.address, row.object, schema.as_deref());
    out.object(|out| {
        resource_head(
            out,
            &row.address,
            &row.resource.provider.provider.to_string(),
        );
        out.number("schema_version", row.object.schema_version);
        if tree::is_any_known(&value) {
            out.key("values");
            tree::value(out, &value);
        }
        out.key("sensitive_values");
        tree::sensitive(out, &value);
        if let Some(stored) = &row.object.identity
            && let Some(identity) = tree::stored_identity(stored)
        {
            out.number("identity_schema_version", stored.schema_version);
            out.key("identity");
            tree::value(out, &identity);
        }
        if !row.object.dependencies.is_empty() {
            out.array("depends_on", |out| {
                row.object
                    .dependencies
                    .iter()
                    .for_each(|dependency| out.text(&dependency.to_string()));
            });
        }
        if row.object.status == ObjectStatus::Tainted {
            out.bool("tainted", true);
        }
        if let Some(key) = row.deposed {
            out.string("deposed_key", &key.to_string());
        }
    });
}

/// A stored object as a value, what is sensitive by schema or by configuration marked so. What the schema lacks is left
/// out. Without a schema that fits, its values have the types that their JSON has.
pub fn stored_value(
    address: &AbsResourceInstance,
    object: &Object,
    schema: Option<&ProviderSchema>,
) -> Value {
    let text = std::str::from_utf8(&object.attributes).unwrap_or("{}");
    let schema = schema.and_then(|schema| {
        let table = match address.mode() {
            ResourceMode::Managed => &schema.resources,
            ResourceMode::Data => &schema.data_sources,
            ResourceMode::Ephemeral => &schema.ephemeral_resources,
        };
        table.get(address.type_name())
    });
    let typed = schema.and_then(|schema| {
        let ty = schema.block.implied_type();
        let decoded = terrace_value::json::decode(text, &ty).or_else(|problem| {
            match terrace_value::json::without_surplus(text, &ty) {
                Some(kept) => terrace_value::json::decode(&kept, &ty),
                None => Err(problem),
            }
        });
        let value = decoded.ok()?;
        Some(schema.block.mark_sensitive(&value))
    });
    let value = typed
        .or_else(|| terrace_value::json::decode_implied(text).ok())
        .unwrap_or_else(Value::empty_object);
    let marks: Vec<(Path, Marks)> = object
        .sensitive_paths
        .iter()
        .map(|path| (nearest(&value, path), Marks::SENSITIVE))
        .collect();
    value.mark_with_paths(&marks)
}

/// The path itself, or as much of it as leads somewhere: rather too much is hidden than too little.
fn nearest(value: &Value, path: &Path) -> Path {
    let mut path = path.clone();
    while !path.is_root() && value.at_path(&path).is_none() {
        path.0.pop();
    }
    path
}

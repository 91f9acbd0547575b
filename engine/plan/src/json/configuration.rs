//! The configuration: expressions as constants or references, never evaluated further.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use terrace_addr::{LocalProviderConfig, ModulePath, ProviderAddr, ResourceMode};
use terrace_config::{
    Config, ForEachOrCount, Module, ModuleCall, ModuleNode, Provisioner, ResourceConfig,
    evaluate_constant,
};
use terrace_diag::Diagnostics;
use terrace_schema::{Block, BlockNesting, ProviderSchema};
use terrace_syntax::{AttributeSchema, BlockSchema, Body, BodySchema, Expr, Step, Traversal};
use terrace_value::Value;

use super::changes::mode;
use super::values;
use super::writer::Writer;

type Schemas = BTreeMap<ProviderAddr, Arc<ProviderSchema>>;

pub(super) fn configuration(out: &mut Writer, config: &Config, schemas: &Schemas) {
    out.sources = Some(config.sources.clone());
    out.object(|out| {
        provider_configs(out, config, schemas);
        out.key("root_module");
        module(out, config, &config.root, schemas);
    });
    out.sources = None;
}

/// A provider configuration as it is shown.
struct ProviderEntry<'a> {
    name: String,
    provider: &'a ProviderAddr,
    alias: Option<String>,
    path: &'a ModulePath,
    body: Option<&'a Body>,
    versions: Vec<String>,
}

fn provider_configs(out: &mut Writer, config: &Config, schemas: &Schemas) {
    let mut entries: BTreeMap<String, ProviderEntry<'_>> = BTreeMap::new();
    for node in config.root.walk() {
        let versions = |local: &str| {
            let requirement = node.module.providers.get(local);
            let texts = requirement.map(|found| {
                found
                    .versions
                    .iter()
                    .map(|(text, _)| text.clone())
                    .collect()
            });
            texts.unwrap_or_default()
        };
        for (local, block) in &node.module.provider_configs {
            let entry = ProviderEntry {
                name: local.local_name.to_string(),
                provider: &block.provider,
                alias: local.alias.as_ref().map(ToString::to_string),
                path: &node.path,
                body: Some(&block.body),
                versions: versions(&local.local_name),
            };
            entries.insert(own_key(&node.path, local), entry);
        }
        for (name, requirement) in &node.module.providers {
            let local = LocalProviderConfig {
                local_name: name.clone(),
                alias: None,
            };
            let key = own_key(&node.path, &local);
            if config_key(config, &node.path, &local) != key {
                continue;
            }
            entries.entry(key).or_insert_with(|| ProviderEntry {
                name: name.to_string(),
                provider: &requirement.provider,
                alias: None,
                path: &node.path,
                body: None,
                versions: versions(name),
            });
        }
    }
    if entries.is_empty() {
        return;
    }
    out.key("provider_config");
    out.object(|out| {
        for (key, entry) in &entries {
            provider_config(out, key, entry, schemas);
        }
    });
}

fn provider_config(out: &mut Writer, key: &str, entry: &ProviderEntry<'_>, schemas: &Schemas) {
    out.key(key);
    out.object(|out| {
        out.string("name", &entry.name);
        out.string("full_name", &entry.provider.to_string());
        if let Some(alias) = &entry.alias {
            out.string("alias", alias);
        }
        out.string_unless_empty("version_constraint", &entry.versions.join(", "));
        out.string_unless_empty("module_address", &entry.path.to_string());
        if let Some(body) = entry.body {
            let schema = schemas.get(entry.provider);
            let schema = schema.map(|schema| &schema.provider.block);
            expressions(out, "expressions", body, schema);
        }
    });
}

fn own_key(path: &ModulePath, local: &LocalProviderConfig) -> String {
    if path.is_root() {
        local.to_string()
    } else {
        format!("{path}:{local}")
    }
}

/// The key of the configuration that a module's local name stands for: its own, or the one that it inherits.
fn config_key(config: &Config, path: &ModulePath, local: &LocalProviderConfig) -> String {
    let own = || own_key(path, local);
    let Some((above, call)) = path.parent() else {
        return own();
    };
    let (Some(node), Some(parent)) = (config.module(path), config.module(&above)) else {
        return own();
    };
    if node.module.provider_configs.contains_key(local) {
        return own();
    }
    let passed = parent
        .module
        .calls
        .get(call)
        .and_then(|call| call.providers.as_ref());
    let passed = passed.and_then(|list| list.iter().find(|passed| passed.in_child == *local));
    let source = passed.map_or(local, |passed| &passed.in_parent);
    let known = parent.module.provider_configs.contains_key(source)
        || parent.module.providers.contains_key(&source.local_name);
    if known {
        config_key(config, &above, source)
    } else {
        own()
    }
}

fn module(out: &mut Writer, config: &Config, node: &ModuleNode, schemas: &Schemas) {
    let found = &node.module;
    out.object(|out| {
        outputs(out, found);
        resources(out, config, node, schemas);
        if !found.calls.is_empty() {
            out.key("module_calls");
            out.object(|out| {
                for (name, call) in &found.calls {
                    out.key(name);
                    module_call(out, config, node, call, schemas);
                }
            });
        }
        variables(out, found);
    });
}

fn outputs(out: &mut Writer, module: &Module) {
    if module.outputs.is_empty() {
        return;
    }
    out.key("outputs");
    out.object(|out| {
        for (name, output) in &module.outputs {
            out.key(name);
            out.object(|out| {
                if output.sensitive {
                    out.bool("sensitive", true);
                }
                if output.ephemeral {
                    out.bool("ephemeral", true);
                }
                out.key("expression");
                expression(out, &output.value);
                if !output.depends_on.is_empty() {
                    out.array("depends_on", |out| {
                        output
                            .depends_on
                            .iter()
                            .for_each(|found| out.text(&reference(found)));
                    });
                }
                if let Some(description) = &output.description {
                    out.string_unless_empty("description", description);
                }
            });
        }
    });
}

fn variables(out: &mut Writer, module: &Module) {
    if module.variables.is_empty() {
        return;
    }
    out.key("variables");
    out.object(|out| {
        for (name, variable) in &module.variables {
            out.key(name);
            out.object(|out| {
                if let Some(default) = &variable.default {
                    out.key("default");
                    values::value(out, default);
                }
                if let Some(description) = &variable.description {
                    out.string_unless_empty("description", description);
                }
                if variable.sensitive {
                    out.bool("sensitive", true);
                }
            });
        }
    });
}

fn resources(out: &mut Writer, config: &Config, node: &ModuleNode, schemas: &Schemas) {
    let mut sorted: Vec<&Arc<ResourceConfig>> = node.module.resources.values().collect();
    if sorted.is_empty() {
        return;
    }
    sorted.sort_by_key(|resource| (resource.resource.mode, resource.resource.to_string()));
    out.array("resources", |out| {
        for found in &sorted {
            resource(out, config, node, found, schemas);
        }
    });
}

fn resource(
    out: &mut Writer,
    config: &Config,
    node: &ModuleNode,
    found: &ResourceConfig,
    schemas: &Schemas,
) {
    let name = &found.resource;
    let schema = schemas.get(&found.provider).and_then(|schema| {
        let table = match name.mode {
            ResourceMode::Managed => &schema.resources,
            ResourceMode::Data => &schema.data_sources,
            ResourceMode::Ephemeral => &schema.ephemeral_resources,
        };
        table.get(&name.type_name)
    });
    out.object(|out| {
        out.string("address", &name.to_string());
        out.string("mode", mode(name.mode));
        out.string("type", &name.type_name);
        out.string("name", &name.name);
        out.string(
            "provider_config_key",
            &config_key(config, &node.path, &found.provider_config),
        );
        if !found.provisioners.is_empty() {
            out.array("provisioners", |out| {
                found
                    .provisioners
                    .iter()
                    .for_each(|found| provisioner(out, found));
            });
        }
        expressions(
            out,
            "expressions",
            &found.body,
            schema.map(|schema| &schema.block),
        );
        out.number("schema_version", schema.map_or(0, |schema| schema.version));
        repetition(out, &found.repetition);
        if !found.depends_on.is_empty() {
            out.array("depends_on", |out| {
                found
                    .depends_on
                    .iter()
                    .for_each(|found| out.text(&reference(found)));
            });
        }
    });
}

fn provisioner(out: &mut Writer, found: &Provisioner) {
    out.object(|out| {
        out.string("type", &found.type_name);
        expressions(out, "expressions", &found.body, None);
    });
}

fn repetition(out: &mut Writer, found: &ForEachOrCount) {
    let (field, value) = match found {
        ForEachOrCount::Single => return,
        ForEachOrCount::Enabled(enabled) => ("enabled_expression", enabled),
        ForEachOrCount::Count(count) => ("count_expression", count),
        ForEachOrCount::ForEach(for_each) => ("for_each_expression", for_each),
    };
    // One that is neither constant nor refers to anything (a function call) is left out.
    if !value.traversals().is_empty() || constant(value).is_some() {
        out.key(field);
        expression(out, value);
    }
}

fn module_call(
    out: &mut Writer,
    config: &Config,
    node: &ModuleNode,
    call: &ModuleCall,
    schemas: &Schemas,
) {
    out.object(|out| {
        out.string("source", &call.source);
        if !call.inputs.is_empty() {
            out.key("expressions");
            out.object(|out| {
                for (name, value) in &call.inputs {
                    out.key(name);
                    expression(out, value);
                }
            });
        }
        repetition(out, &call.repetition);
        if let Some(child) = node.children.get(&call.name) {
            out.key("module");
            module(out, config, child, schemas);
        }
        if let Some((version, _)) = &call.version {
            out.string("version_constraint", version);
        }
        if !call.depends_on.is_empty() {
            out.array("depends_on", |out| {
                call.depends_on
                    .iter()
                    .for_each(|found| out.text(&reference(found)));
            });
        }
    });
}

/// The arguments and blocks of a body; left out when there are none.
fn expressions(out: &mut Writer, field: &str, body: &Body, schema: Option<&Block>) {
    let mut inner = Writer::new();
    inner.sources = out.sources.take();
    let mut any = false;
    inner.object(|inner| any = body_expressions(inner, body, schema));
    out.sources = inner.sources.take();
    if any {
        out.key(field);
        out.raw(&inner.finish());
    }
}

fn body_expressions(out: &mut Writer, body: &Body, schema: Option<&Block>) -> bool {
    let Some(schema) = schema else {
        let (attributes, _) = body.just_attributes();
        for (name, attribute) in &attributes {
            out.key(name);
            expression(out, &attribute.value);
        }
        return !attributes.is_empty();
    };
    let wanted = BodySchema {
        attributes: schema
            .attributes
            .keys()
            .map(|name| AttributeSchema {
                name: name.clone(),
                required: false,
            })
            .collect(),
        blocks: schema
            .blocks
            .iter()
            .map(|(name, nested)| BlockSchema {
                type_name: name.clone(),
                labels: if nested.nesting == BlockNesting::Map {
                    vec!["key".into()]
                } else {
                    Vec::new()
                },
            })
            .collect(),
    };
    let (content, _, _) = body.partial_content(&wanted);
    let mut any = false;
    let names: BTreeSet<&str> = content
        .attributes
        .keys()
        .map(|name| &**name)
        .chain(content.blocks.iter().map(|block| &*block.type_name.name))
        .collect();
    for name in names {
        any = true;
        out.key(name);
        if let Some(attribute) = content.attributes.get(name) {
            expression(out, &attribute.value);
            continue;
        }
        let Some(nested) = schema.blocks.get(name) else {
            continue;
        };
        let blocks: Vec<_> = content
            .blocks
            .iter()
            .filter(|block| &*block.type_name.name == name)
            .collect();
        let write = |out: &mut Writer, body: &Body| {
            out.object(|out| {
                body_expressions(out, body, Some(&nested.block));
            });
        };
        match nested.nesting {
            BlockNesting::Single | BlockNesting::Group => write(out, &blocks[0].body),
            BlockNesting::List | BlockNesting::Set => {
                out.items(|out| blocks.iter().for_each(|block| write(out, &block.body)));
            }
            BlockNesting::Map => out.object(|out| {
                for block in blocks {
                    out.key(block.labels.first().map_or("", |label| &label.text));
                    write(out, &block.body);
                }
            }),
        }
    }
    any
}

/// The value of an expression that depends on nothing.
fn constant(found: &Expr) -> Option<Value> {
    let mut diagnostics = Diagnostics::new();
    let value = evaluate_constant(found, &mut diagnostics);
    (!diagnostics.has_errors() && value.is_wholly_known()).then_some(value)
}

/// The text of an expression that is written in JSON: there it stands for itself, as the reference has it.
fn json_text(out: &Writer, found: &Expr) -> Option<Value> {
    let sources = out.sources.as_ref()?;
    let name = std::path::Path::new(sources.get(found.span.source)?.name());
    if name.extension().is_none_or(|extension| extension != "json") {
        return None;
    }
    serde_json::from_str(sources.text(found.span))
        .ok()
        .map(|content| of_json(&content))
}

fn of_json(content: &serde_json::Value) -> Value {
    match content {
        serde_json::Value::Null => Value::NULL,
        serde_json::Value::Bool(value) => Value::bool(*value),
        serde_json::Value::Number(number) => {
            terrace_value::Number::parse(&number.to_string()).map_or(Value::NULL, Value::number)
        }
        serde_json::Value::String(text) => Value::string(text.as_str()),
        serde_json::Value::Array(items) => Value::tuple(items.iter().map(of_json)),
        serde_json::Value::Object(entries) => Value::object(
            entries
                .iter()
                .map(|(name, item)| (name.as_str(), of_json(item))),
        ),
    }
}

/// `constant_value`, or `references` with each reference followed by what contains it.
fn expression(out: &mut Writer, found: &Expr) {
    let traversals = found.traversals();
    out.object(|out| {
        if traversals.is_empty() {
            if let Some(value) = constant(found).or_else(|| json_text(out, found)) {
                out.key("constant_value");
                values::value(out, &value);
            }
            return;
        }
        if let Some(value) = json_text(out, found) {
            out.key("constant_value");
            values::value(out, &value);
        }
        out.array("references", |out| {
            for traversal in traversals {
                for text in &references(traversal) {
                    out.text(text);
                }
            }
        });
    });
}

fn reference(traversal: &Traversal) -> String {
    references(traversal).first().cloned().unwrap_or_default()
}

/// How many steps after the root name belong to what is referred to.
fn subject_steps(traversal: &Traversal) -> usize {
    match &*traversal.root.name {
        "var" | "local" | "each" | "count" | "path" | "terraform" | "tofu" => 1,
        "self" => 0,
        "module" => 1,
        "data" | "ephemeral" => 2,
        "resource" => 2,
        _ => 1,
    }
}

/// The reference as far as it is constant, then each shorter form down to the object itself.
fn references(traversal: &Traversal) -> Vec<String> {
    let root = &*traversal.root.name;
    let subject = subject_steps(traversal).min(traversal.steps.len());
    let mut text = root.to_owned();
    for step in &traversal.steps[..subject] {
        push_step(&mut text, step);
    }
    let whole = matches!(
        root,
        "var" | "local" | "each" | "count" | "path" | "terraform" | "tofu"
    );
    if whole {
        return vec![text];
    }
    let mut forms = vec![text.clone()];
    for step in &traversal.steps[subject..] {
        if matches!(step, Step::Splat { .. }) {
            break;
        }
        push_step(&mut text, step);
        forms.push(text.clone());
    }
    // An output is named together with the instance of the module that gives it, which stands for the module.
    let of_instance = [Some(true), Some(false)];
    let steps = traversal.steps[subject..].iter().take(2);
    if root == "module"
        && steps
            .map(|step| match step {
                Step::Index { .. } => Some(true),
                Step::Attribute(_) => Some(false),
                Step::Splat { .. } => None,
            })
            .eq(of_instance)
    {
        forms.remove(0);
    }
    forms.reverse();
    forms
}

fn push_step(text: &mut String, step: &Step) {
    match step {
        Step::Attribute(ident) => {
            text.push('.');
            text.push_str(&ident.name);
        }
        Step::Index { key, .. } => match key.as_str() {
            Some(key) => {
                text.push('[');
                terrace_value::json::quote_onto(key, text);
                text.push(']');
            }
            None => {
                let number = key.as_number().map(ToString::to_string).unwrap_or_default();
                write!(text, "[{number}]").expect("writing to a string does not fail");
            }
        },
        Step::Splat { .. } => {}
    }
}

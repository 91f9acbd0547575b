//! Changes and planned values.

use std::collections::BTreeMap;

use terrace_addr::{AbsResourceInstance, InstanceKey, ModuleInstance, ResourceMode};
use terrace_state::{State, StoredIdentity};
use terrace_value::{Path, PathStep, Type, Value};

use super::path_order;
use super::values;
use super::writer::Writer;
use crate::{Action, ActionReason, OutputChange, Plan, ResourceChange};

const fn actions(action: Action) -> &'static str {
    match action {
        Action::NoOp => r#"["no-op"]"#,
        Action::Create => r#"["create"]"#,
        Action::Read => r#"["read"]"#,
        Action::Update => r#"["update"]"#,
        Action::DeleteThenCreate => r#"["delete","create"]"#,
        Action::CreateThenDelete => r#"["create","delete"]"#,
        Action::ForgetThenCreate => r#"["forget","create"]"#,
        Action::Delete => r#"["delete"]"#,
        Action::Forget => r#"["forget"]"#,
    }
}

pub(super) fn instance_key(out: &mut Writer, key: &InstanceKey) {
    match key {
        InstanceKey::Int(index) => out.raw(&index.to_string()),
        InstanceKey::String(key) => out.text(key),
    }
}

pub(super) const fn mode(mode: ResourceMode) -> &'static str {
    match mode {
        ResourceMode::Managed => "managed",
        ResourceMode::Data => "data",
        ResourceMode::Ephemeral => "ephemeral",
    }
}

/// One change, as `resource_changes` holds it and the event stream shows it.
pub fn change_json(change: &ResourceChange) -> String {
    let mut out = Writer::new();
    self::change(&mut out, change, None);
    out.finish()
}

/// A change, and what identified the object before it.
pub(super) fn change(
    out: &mut Writer,
    change: &ResourceChange,
    before_identity: Option<&StoredIdentity>,
) {
    let address = &change.address;
    out.object(|out| {
        out.string("address", &address.to_string());
        if let Some(previous) = &change.previous_address {
            out.string("previous_address", &previous.to_string());
        }
        if !address.module().is_root() {
            out.string("module_address", &address.module().to_string());
        }
        out.string("mode", mode(address.mode()));
        out.string("type", address.type_name());
        out.string("name", &address.resource.resource.name);
        if let Some(key) = &address.key {
            out.key("index");
            instance_key(out, key);
        }
        out.string("provider_name", &change.provider.provider.to_string());
        if let Some(deposed) = &change.deposed {
            out.string("deposed", &deposed.to_string());
        }
        out.key("change");
        body(out, change, before_identity);
        if change.action_reason != ActionReason::None {
            out.string("action_reason", change.action_reason.name());
        }
    });
}

fn body(out: &mut Writer, change: &ResourceChange, before_identity: Option<&StoredIdentity>) {
    out.object(|out| {
        out.key("actions");
        out.raw(actions(change.action));
        out.key("before");
        values::value(out, &change.before);
        // What is wholly unknown is left out.
        if change.after.is_known() {
            out.key("after");
            values::value(out, &change.after);
        }
        out.key("after_unknown");
        if change.after.is_wholly_known() {
            out.raw("{}");
        } else {
            values::unknown(out, &change.after);
        }
        out.key("before_sensitive");
        values::sensitive(out, &change.before);
        out.key("after_sensitive");
        values::sensitive(out, &change.after);
        if !change.replace_paths.is_empty() {
            let mut paths: Vec<_> = change.replace_paths.iter().collect();
            paths.sort_by_cached_key(|found| path_order::key(found));
            out.array("replace_paths", |out| {
                for found in paths {
                    path(out, found);
                }
            });
        }
        if let Some(importing) = &change.importing {
            out.key("importing");
            out.object(|out| match (&importing.id, &importing.identity) {
                (Some(id), _) => out.string("id", id),
                (None, Some(identity)) => {
                    out.key("identity");
                    values::value(out, identity);
                }
                (None, None) => out.bool("unknown", true),
            });
        }
        if let Some(generated) = &change.generated_config {
            out.string("generated_config", generated);
        }
        if let Some(identity) = before_identity.and_then(values::stored_identity) {
            out.key("before_identity");
            values::value(out, &identity);
        }
        let identity = change.identity.as_ref();
        if let Some(identity) = identity.filter(|identity| {
            !change.after.is_null() && !identity.is_null() && values::is_any_known(identity)
        }) {
            out.key("after_identity");
            values::value(out, identity);
        }
    });
}

/// What identified the object of a change in a state.
pub(super) fn identity_in<'a>(
    state: &'a State,
    change: &ResourceChange,
) -> Option<&'a StoredIdentity> {
    let address = &change.address;
    let before = change.previous_address.as_ref().unwrap_or(address);
    let object = match &change.deposed {
        None => state.object(address).or_else(|| state.object(before)),
        Some(key) => {
            let resource = state.resources.get(&address.resource)?;
            resource.instances.get(&address.key)?.deposed.get(key)
        }
    };
    object?.identity.as_ref()
}

/// A path as an array of names and indices.
pub(super) fn path(out: &mut Writer, path: &Path) {
    out.items(|out| {
        for step in &path.0 {
            match step {
                PathStep::Attribute(name) => out.text(name),
                PathStep::Index(key) => values::value(out, key),
            }
        }
    });
}

pub(super) fn output(out: &mut Writer, change: &OutputChange) {
    out.object(|out| {
        out.key("actions");
        out.raw(actions(change.action));
        out.key("before");
        values::value(out, &change.before);
        if change.after.is_known() {
            out.key("after");
            values::value(out, &change.after);
        }
        out.bool_or_tree("after_unknown", &change.after);
        out.bool("before_sensitive", change.sensitive);
        out.bool("after_sensitive", change.sensitive);
    });
}

impl Writer {
    fn bool_or_tree(&mut self, name: &str, value: &Value) {
        self.key(name);
        if value.is_wholly_known() {
            self.raw("false");
        } else {
            values::unknown(self, value);
        }
    }
}

/// The state as it is going to be, as far as it is known.
pub(super) fn planned_values(out: &mut Writer, plan: &Plan) {
    out.object(|out| {
        let outputs: Vec<_> = plan
            .outputs
            .iter()
            .filter(|(_, output)| output.action != Action::Delete)
            .collect();
        if !outputs.is_empty() {
            out.key("outputs");
            out.object(|out| {
                for (name, output) in outputs {
                    out.key(name);
                    planned_output(out, output);
                }
            });
        }
        let mut modules: BTreeMap<ModuleInstance, Vec<&ResourceChange>> = BTreeMap::new();
        for change in &plan.changes {
            let gone = change.action == Action::Delete || change.deposed.is_some();
            if !gone {
                modules
                    .entry(change.address.module().clone())
                    .or_default()
                    .push(change);
            }
        }
        out.key("root_module");
        module(
            out,
            &ModuleInstance::root(),
            &Modules::of(modules.keys()),
            &modules,
        );
    });
}

fn planned_output(out: &mut Writer, output: &OutputChange) {
    out.object(|out| {
        out.bool("sensitive", output.sensitive);
        if output.after.is_wholly_known() {
            out.key("type");
            // Plans keep no type of what is null.
            if output.after.is_null() {
                values::ty(out, &Type::Dynamic);
            } else {
                values::ty(out, &output.after.ty());
            }
            out.key("value");
            values::value(out, &output.after);
        }
    });
}

/// The tree of modules that hold something.
pub(super) struct Modules {
    children: BTreeMap<ModuleInstance, Vec<ModuleInstance>>,
}

impl Modules {
    /// The modules given, and all above them.
    pub(super) fn of<'a>(modules: impl Iterator<Item = &'a ModuleInstance>) -> Self {
        let mut children: BTreeMap<ModuleInstance, Vec<ModuleInstance>> = BTreeMap::new();
        for module in modules {
            let mut at = module.clone();
            while let Some((parent, _)) = at.parent() {
                let list = children.entry(parent.clone()).or_default();
                if let Err(place) = list.binary_search(&at) {
                    list.insert(place, at);
                }
                at = parent;
            }
        }
        Self { children }
    }

    /// The modules right below one.
    pub(super) fn below(&self, module: &ModuleInstance) -> &[ModuleInstance] {
        self.children.get(module).map_or(&[], Vec::as_slice)
    }
}

fn module(
    out: &mut Writer,
    at: &ModuleInstance,
    tree: &Modules,
    all: &BTreeMap<ModuleInstance, Vec<&ResourceChange>>,
) {
    out.object(|out| {
        if let Some(changes) = all.get(at) {
            // The order of the document is that of the addresses as texts.
            let mut ordered: Vec<_> = changes
                .iter()
                .map(|change| (change.address.to_string(), change))
                .collect();
            ordered.sort_by(|(one, _), (other, _)| one.cmp(other));
            out.array("resources", |out| {
                for (_, change) in ordered {
                    planned_resource(out, change);
                }
            });
        }
        if !at.is_root() {
            out.string("address", &at.to_string());
        }
        let below = tree.below(at);
        if !below.is_empty() {
            out.array("child_modules", |out| {
                for child in below {
                    module(out, child, tree, all);
                }
            });
        }
    });
}

fn planned_resource(out: &mut Writer, change: &ResourceChange) {
    out.object(|out| {
        resource_head(out, &change.address, &change.provider.provider.to_string());
        out.number("schema_version", change.schema_version);
        if values::is_any_known(&change.after) {
            out.key("values");
            values::value(out, &change.after);
        }
        out.key("sensitive_values");
        values::sensitive(out, &change.after);
    });
}

/// The fields that every resource begins with.
pub(super) fn resource_head(out: &mut Writer, address: &AbsResourceInstance, provider: &str) {
    out.string("address", &address.to_string());
    out.string("mode", mode(address.mode()));
    out.string("type", address.type_name());
    out.string("name", &address.resource.resource.name);
    if let Some(key) = &address.key {
        out.key("index");
        instance_key(out, key);
    }
    out.string("provider_name", provider);
}

//! The values of what expressions refer to.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{AbsNamed, AbsResource, AbsResourceInstance, InstanceKey, Name, ResourceMode};
use terrace_config::{ForEachOrCount, ResourceConfig};
use terrace_syntax::{Expr, ExprKind, Ident, Step, Traversal};
use terrace_value::{Marks, Text, Type, Value, ops};

use super::{Reference, Subject};
use crate::expression::{Frame, Run, key_of, near_name, no_access};
use crate::memo::NamedKind;
use crate::{Dependency, Expansion};

impl Run<'_> {
    /// The value of a reference.
    pub(crate) fn traversal(&mut self, traversal: &Traversal, frame: Option<&Frame<'_>>) -> Value {
        let name = &*traversal.root.name;
        let bound = frame
            .and_then(|frame| frame.get(name))
            .or_else(|| self.scope.variables.get(name).cloned());
        if let Some(value) = bound {
            return self.traversal_steps(value, traversal, 0);
        }
        match Reference::of(traversal) {
            Ok(reference) => {
                let before = self.errors();
                let (value, consumed) = self.subject(&reference);
                if self.errors() > before {
                    return Value::dynamic();
                }
                self.traversal_steps(value, traversal, consumed)
            }
            Err(diagnostic) => {
                self.error(|| diagnostic);
                Value::dynamic()
            }
        }
    }

    /// Follows the steps of a reference from the one at `consumed`.
    fn traversal_steps(
        &mut self,
        mut value: Value,
        traversal: &Traversal,
        consumed: usize,
    ) -> Value {
        for (place, step) in traversal.steps.iter().enumerate().skip(consumed) {
            match follow(&value, step) {
                Ok(part) => value = part,
                Err(error) => {
                    let note = crate::describe::note(traversal, place, &value);
                    self.error(|| {
                        let near = near_name(&value, &key_of(step));
                        let mut diagnostic = no_access(&error, step.span(), near);
                        diagnostic.values.extend(note);
                        diagnostic
                    });
                    return Value::dynamic();
                }
            }
        }
        value
    }

    /// The value of a reference to the whole of something that has instances, indexed by a key; `None` where it is not
    /// that, or where the ordinary way must find the words for what is wrong.
    pub(crate) fn keyed(
        &mut self,
        traversal: &Traversal,
        key: &Value,
        frame: Option<&Frame<'_>>,
    ) -> Option<Value> {
        let (reference, instance) = self.keyed_reference(traversal, key, frame)?;
        let Subject::Resource {
            mode,
            type_name,
            name,
            ..
        } = reference.subject
        else {
            return None;
        };
        let node = self.node?;
        let (config, resource) = self.evaluator.resource(node, mode, type_name, &name.name)?;
        let address = AbsResource {
            module: self.scope.module.clone(),
            resource: Arc::clone(resource),
        };
        let expansion = self.values.expansion(&address)?;
        if !expansion.contains(Some(&instance)) {
            return None;
        }
        Some(
            self.instance(&address.instance(Some(instance)), config)
                .with_marks(key.marks()),
        )
    }

    /// `module.x[key].output`, without evaluating other outputs.
    pub(crate) fn keyed_output(
        &mut self,
        source: &Expr,
        steps: &[Step],
        frame: Option<&Frame<'_>>,
    ) -> Option<Value> {
        let ExprKind::Index {
            collection, key, ..
        } = &source.kind
        else {
            return None;
        };
        let ExprKind::Traversal(traversal) = &collection.kind else {
            return None;
        };
        if &*traversal.root.name != "module" {
            return None;
        }
        let Some(Step::Attribute(output)) = steps.first() else {
            return None;
        };
        let (key_value, failed) = self.quietly(|run| run.eval(key, frame));
        if failed {
            return None;
        }
        let (reference, instance) = self.keyed_reference(traversal, &key_value, frame)?;
        let Subject::Module { call, .. } = reference.subject else {
            return None;
        };
        let value = self.module_output(call, Some(&instance), output)?;
        Some(value.with_marks(key_value.marks()))
    }

    fn keyed_reference<'t>(
        &self,
        traversal: &'t Traversal,
        key: &Value,
        frame: Option<&Frame<'_>>,
    ) -> Option<(Reference<'t>, InstanceKey)> {
        let name = &*traversal.root.name;
        if self.scope.variables.contains_key(name)
            || frame.is_some_and(|frame| frame.get(name).is_some())
        {
            return None;
        }
        let reference = Reference::of(traversal).ok()?;
        let whole = match &reference.subject {
            Subject::Resource { key, .. } => key.is_none(),
            Subject::Module { key, output, .. } => key.is_none() && output.is_none(),
            _ => false,
        };
        if !whole || reference.consumed != traversal.steps.len() {
            return None;
        }
        Some((reference, instance_key(key)?))
    }

    /// The value of what a reference names, and how many of its steps have been taken for it.
    fn subject(&mut self, reference: &Reference<'_>) -> (Value, usize) {
        let repetition = &self.scope.repetition;
        let value = match &reference.subject {
            Subject::Variable(ident) => Some(self.variable(ident)),
            Subject::Local(ident) => Some(self.named(NamedKind::Local, &ident.name)),
            Subject::Count(_) => repetition.count_index.clone(),
            Subject::Each(ident) if &*ident.name == "key" => repetition.each_key.clone(),
            Subject::Each(_) => repetition.each_value.clone(),
            Subject::Path(ident) => Some(self.path(ident)),
            Subject::Terraform(ident) => Some(self.terraform(ident)),
            Subject::SelfObject => self.scope.self_value.clone(),
            Subject::Module {
                call, key: Some(_), ..
            } if self.is_single_while_validating(call) => Some(Value::dynamic()),
            Subject::Module { call, key, output } => {
                return match self.module_part(call, *key, *output) {
                    Some(value) => (value, reference.consumed),
                    None => (self.named(NamedKind::Call, &call.name), 1),
                };
            }
            Subject::Resource {
                mode,
                type_name,
                name,
                key,
            } => {
                return self.resource((*mode, type_name, &name.name), *key, reference.consumed);
            }
        };
        (value.unwrap_or_else(Value::dynamic), reference.consumed)
    }

    fn variable(&mut self, ident: &Ident) -> Value {
        match self.scope.inputs.get(&ident.name) {
            Some(value) => value.clone(),
            None => self.named(NamedKind::Variable, &ident.name),
        }
    }

    fn named(&mut self, kind: NamedKind, name: &Name) -> Value {
        let address = AbsNamed::new(self.scope.module.clone(), name.clone());
        let value = self
            .evaluator
            .named(kind, &address, self.values)
            .value
            .clone();
        self.dependencies.insert(match kind {
            NamedKind::Variable => Dependency::Variable(address),
            NamedKind::Local => Dependency::Local(address),
            NamedKind::Output => Dependency::Output(address),
            NamedKind::Call => Dependency::Call(address),
        });
        value
    }

    fn path(&self, ident: &Ident) -> Value {
        let paths = &self.evaluator.inputs.paths;
        match &*ident.name {
            "cwd" => Value::string(paths.cwd.as_str()),
            "root" => Value::string(paths.root.as_str()),
            _ => self.node.map_or_else(Value::dynamic, |node| {
                Value::string(node.module.directory.as_str())
            }),
        }
    }

    fn terraform(&self, ident: &Ident) -> Value {
        if &*ident.name == "applying" {
            return Value::bool(self.evaluator.inputs.applying).with_marks(Marks::EPHEMERAL);
        }
        Value::string(self.evaluator.inputs.workspace.as_str())
    }

    // ---- modules

    /// Whether a call has one instance only, and keys of it are left to planning, as the reference leaves them.
    fn is_single_while_validating(&self, call: &Ident) -> bool {
        self.evaluator.validating
            && self
                .node
                .and_then(|node| node.module.calls.get(&call.name))
                .is_some_and(|call| matches!(call.repetition, ForEachOrCount::Single))
    }

    /// The one output that a reference names; `None` where it is to be found by way of the whole call.
    fn module_part(
        &mut self,
        call: &Ident,
        key: Option<&Value>,
        output: Option<&Ident>,
    ) -> Option<Value> {
        let instance = match key {
            None => None,
            Some(key) => Some(instance_key(key)?),
        };
        self.module_output(call, instance.as_ref(), output?)
    }

    /// One output of one instance of a call; `None` where the ordinary way must find out more.
    fn module_output(
        &mut self,
        call: &Ident,
        key: Option<&InstanceKey>,
        output: &Ident,
    ) -> Option<Value> {
        let node = self.node?;
        let config = node.module.calls.get(&call.name)?;
        let child = node.children.get(&call.name)?;
        if !child.module.outputs.contains_key(&output.name) {
            return None;
        }
        let expansion = self.values.call_expansion(&self.scope.module, &call.name);
        let there = match (&expansion, &config.repetition) {
            (Some(expansion), _) => expansion.contains(key),
            (None, ForEachOrCount::Single) => key.is_none(),
            (None, _) => false,
        };
        if !there {
            return None;
        }
        let module = self.scope.module.child(call.name.clone(), key.cloned());
        let address = AbsNamed::new(module, output.name.clone());
        if self.evaluator.validating {
            // What a module gives is judged where it is declared.
            self.dependencies.insert(Dependency::Output(address));
            return Some(Value::dynamic());
        }
        let value = self
            .evaluator
            .named(NamedKind::Output, &address, self.values)
            .value
            .clone();
        self.dependencies.insert(Dependency::Output(address));
        Some(value)
    }

    // ---- resources

    fn resource(
        &mut self,
        (mode, type_name, name): (ResourceMode, &Text, &Text),
        key: Option<&Value>,
        consumed: usize,
    ) -> (Value, usize) {
        let found = self
            .node
            .and_then(|node| self.evaluator.resource(node, mode, type_name, name));
        let Some((config, resource)) = found else {
            return (Value::dynamic(), consumed);
        };
        let address = AbsResource {
            module: self.scope.module.clone(),
            resource: Arc::clone(resource),
        };
        let Some(key) = key else {
            return (self.whole_resource(&address, config), consumed);
        };
        let expansion = self.values.expansion(&address);
        match (instance_key(key), &expansion) {
            (Some(instance), Some(expansion)) if expansion.contains(Some(&instance)) => (
                self.instance(&address.instance(Some(instance)), config),
                consumed,
            ),
            (_, None | Some(Expansion::Unknown)) => {
                self.dependencies.insert(Dependency::Resource(address));
                (Value::dynamic(), consumed)
            }
            // From the whole, for the words of what is wrong with the key.
            _ => (self.whole_resource(&address, config), consumed - 1),
        }
    }

    /// The value of one instance.
    pub(crate) fn instance(
        &mut self,
        address: &AbsResourceInstance,
        config: &ResourceConfig,
    ) -> Value {
        self.dependencies
            .insert(Dependency::Instance(address.clone()));
        if self.scope.self_address.as_ref() == Some(address)
            && let Some(value) = &self.scope.self_value
        {
            return value.clone();
        }
        let value = self
            .values
            .instance(address)
            .unwrap_or_else(|| self.evaluator.unknown_object(config));
        if config.resource.mode == ResourceMode::Ephemeral {
            value.with_marks(Marks::EPHEMERAL)
        } else {
            value
        }
    }

    fn whole_resource(&mut self, address: &AbsResource, config: &ResourceConfig) -> Value {
        let expansion = match (self.values.expansion(address), &config.repetition) {
            (Some(expansion), _) => expansion,
            (None, ForEachOrCount::Single) => Expansion::Single,
            (None, _) => Expansion::Unknown,
        };
        if matches!(expansion, Expansion::Single) {
            return self.instance(&address.instance(None), config);
        }
        self.dependencies
            .insert(Dependency::Resource(address.clone()));
        let generation = self.values.generation(address);
        let is_own = self
            .scope
            .self_address
            .as_ref()
            .is_some_and(|own| own.resource == *address);
        let memoised = generation != 0 && !is_own;
        if memoised && let Some(value) = self.evaluator.memo.resource(address, generation) {
            return value;
        }
        let kept = std::mem::take(&mut self.dependencies);
        let value = match &expansion {
            Expansion::Single | Expansion::Unknown => Value::dynamic(),
            Expansion::Disabled => Value::null(Type::Dynamic),
            Expansion::Count(count) => Value::tuple(
                (0..*count)
                    .map(|index| {
                        self.instance(&address.instance(Some(InstanceKey::Int(index))), config)
                    })
                    .collect::<Vec<_>>(),
            ),
            Expansion::ForEach(entries) => {
                let mut objects: BTreeMap<Text, Value> = BTreeMap::new();
                for (key, _) in entries.iter() {
                    let instance = address.instance(Some(InstanceKey::String(key.clone())));
                    objects.insert(key.clone(), self.instance(&instance, config));
                }
                Value::object(objects)
            }
        };
        self.dependencies = kept;
        if memoised {
            self.evaluator
                .memo
                .keep_resource(address, generation, &value);
        }
        value
    }
}

/// One step into a value.
pub(crate) fn follow(value: &Value, step: &Step) -> Result<Value, ops::AccessError> {
    match step {
        Step::Attribute(ident) => ops::get_attribute(value, &ident.name),
        Step::Index { key, .. } => ops::index(value, key),
        Step::Splat { .. } => Ok(Value::dynamic()),
    }
}

/// The instance key that a known value is as an index.
pub(crate) fn instance_key(value: &Value) -> Option<InstanceKey> {
    if let Some(text) = value.as_str() {
        return Some(InstanceKey::String(text.into()));
    }
    let index = value.as_number()?.to_usize()?;
    u64::try_from(index).ok().map(InstanceKey::Int)
}

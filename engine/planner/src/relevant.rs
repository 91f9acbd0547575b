//! Which attributes of resources the planned values come from, found by following references through locals, variables
//! and outputs without evaluating them.

use std::collections::BTreeSet;

use terrace_addr::{AbsNamed, AbsResource, InstanceKey, ModuleInstance, Name, ResourceMode};
use terrace_config::{Config, ForEachOrCount, ResourceConfig, references};
use terrace_eval::{ConfigNode, Expansion, Values};
use terrace_plan::{Action, PlanMode, RelevantAttribute};
use terrace_syntax::{Expr, Step, Traversal};
use terrace_value::{Number, Path, PathStep, Text, Value};

use crate::arguments::{self, Written};
use crate::table::Table;
use crate::walk::Walk;

/// The attributes that whatever changes comes from, each once.
pub(crate) fn attributes(walk: &Walk<'_>) -> Vec<RelevantAttribute> {
    let mut tracer = Tracer {
        config: &walk.config,
        table: &walk.table,
        seen: BTreeSet::new(),
        found: Vec::new(),
        to_follow: Vec::new(),
        followed: BTreeSet::new(),
    };
    let mut resources: BTreeSet<&AbsResource> = BTreeSet::new();
    for change in walk.gathered.changes.values() {
        if change.action != Action::NoOp && resources.insert(&change.address.resource) {
            tracer.resource(&change.address.resource);
        }
    }
    tracer.destroyed_data(walk);
    tracer.inner_outputs(walk);
    let root = &walk.config.root.module;
    for (name, change) in &walk.gathered.outputs {
        if let (true, Some(output)) = (change.action != Action::NoOp, root.outputs.get(name)) {
            tracer.expression(&output.value, &ModuleInstance::root(), None);
        }
    }
    tracer.follow_resources();
    let mut found = tracer.found;
    found.sort_by_cached_key(|(resource, key, path)| {
        let resource = resource.to_string();
        (key.is_none(), resource, key.clone(), path.to_string())
    });
    found.dedup();
    found
        .into_iter()
        .map(|(resource, key, attribute)| RelevantAttribute {
            resource: resource.instance(key).to_string(),
            attribute,
        })
        .collect()
}

/// A named value that has been followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Variable,
    Local,
    Output,
}

struct Tracer<'a> {
    config: &'a Config,
    table: &'a Table<'a>,
    seen: BTreeSet<(Kind, ModuleInstance, Name)>,
    found: Vec<(AbsResource, Option<InstanceKey>, Path)>,
    /// Resources that are read, each with the argument or block that is, or whole.
    to_follow: Vec<Part>,
    followed: BTreeSet<Part>,
}

/// A resource, and its argument or block of which alone it goes.
type Part = (AbsResource, Option<Text>);

impl<'a> Tracer<'a> {
    /// Follows what data that goes with everything else is read by: its end counts as a change, which no plan tells.
    fn destroyed_data(&mut self, walk: &Walk<'_>) {
        if walk.mode() != PlanMode::Destroy {
            return;
        }
        for (address, resource) in &walk.base.resources {
            let is_data = address.resource.mode == ResourceMode::Data;
            let mut keys = resource.instances.keys();
            if is_data && keys.any(|key| walk.included.instance(&address.instance(key.clone()))) {
                self.resource(address);
            }
        }
    }

    /// Follows the outputs of called modules: no state holds what they were, so that they always count as new.
    fn inner_outputs(&mut self, walk: &Walk<'_>) {
        if walk.mode() == PlanMode::Destroy {
            return;
        }
        let config = self.config;
        for node in config.root.walk().filter(|node| !node.path.is_root()) {
            for name in node.module.outputs.keys() {
                let what = ConfigNode::Output(node.path.clone(), name.clone());
                let Some(id) = walk.graph.id(&what) else {
                    continue;
                };
                if !walk.included.node(id) {
                    continue;
                }
                for instance in self.table.modules(&node.path) {
                    let address = AbsNamed::new(instance, name.clone());
                    if !walk.evaluator.output(&address, self.table).value.is_null() {
                        self.output_of(&address.module, name);
                    }
                }
            }
        }
    }

    /// All that a resource says, its repetition too.
    fn resource(&mut self, address: &AbsResource) {
        self.part(address, None);
        if let Some(
            ForEachOrCount::Count(expression)
            | ForEachOrCount::ForEach(expression)
            | ForEachOrCount::Enabled(expression),
        ) = self.block(address).map(|block| &block.repetition)
        {
            self.expression(expression, &address.module, None);
        }
    }

    fn block(&self, address: &AbsResource) -> Option<&'a ResourceConfig> {
        let node = self.config.module(&address.module.path())?;
        node.module
            .resources
            .get(&*address.resource)
            .map(|block| &**block)
    }

    /// The arguments and blocks of a resource; of one name, where one is given.
    fn part(&mut self, address: &AbsResource, name: Option<&Text>) {
        let Some(block) = self.block(address) else {
            return;
        };
        for argument in arguments::of(&block.body) {
            if name.is_none_or(|name| *name == *argument.name) {
                for traversal in argument.expressions.iter().flat_map(Written::references) {
                    self.reference(traversal, &address.module, Some(&block.repetition));
                }
            }
        }
    }

    /// Goes on from the resources that are read to what they are made from, as far as the configuration says it.
    fn follow_resources(&mut self) {
        while let Some(part) = self.to_follow.pop() {
            if self.followed.insert(part.clone()) {
                self.part(&part.0, part.1.as_ref());
            }
        }
    }

    fn expression(
        &mut self,
        expression: &Expr,
        module: &ModuleInstance,
        repetition: Option<&ForEachOrCount>,
    ) {
        for traversal in references(expression) {
            self.reference(traversal, module, repetition);
        }
    }

    fn reference(
        &mut self,
        traversal: &Traversal,
        module: &ModuleInstance,
        repetition: Option<&ForEachOrCount>,
    ) {
        match &*traversal.root.name {
            "var" => self.named(Kind::Variable, traversal, module),
            "local" => self.named(Kind::Local, traversal, module),
            "module" => self.output(traversal, module),
            "each" | "count" => {
                if let Some(
                    ForEachOrCount::Count(expression) | ForEachOrCount::ForEach(expression),
                ) = repetition
                {
                    self.expression(expression, module, None);
                }
            }
            _ => {
                if let Some((resource, steps)) = crate::traversal::resource(traversal) {
                    self.add(resource.in_module(module.clone()), steps);
                }
            }
        }
    }

    /// Notes a resource and the constant steps into it.
    fn add(&mut self, resource: AbsResource, steps: &[Step]) {
        let (key, rest) = match steps {
            [Step::Index { key, .. }, rest @ ..] => (instance_key(key), rest),
            rest => (None, rest),
        };
        let path = rest.iter().map_while(|step| match step {
            Step::Attribute(ident) => Some(PathStep::Attribute(ident.name.clone())),
            Step::Index { key, .. } => Some(PathStep::Index(key.clone())),
            Step::Splat { .. } => None,
        });
        let path = Path(path.collect());
        let name = match path.0.first() {
            Some(PathStep::Attribute(name)) => Some(name.clone()),
            _ => None,
        };
        self.to_follow.push((resource.clone(), name));
        self.found.push((resource, key, path));
    }

    fn named(&mut self, kind: Kind, traversal: &Traversal, module: &ModuleInstance) {
        let Some(Step::Attribute(name)) = traversal.steps.first() else {
            return;
        };
        let name = &name.name;
        if !self.seen.insert((kind, module.clone(), name.clone())) {
            return;
        }
        let config = self.config;
        if kind == Kind::Local {
            let local = config
                .module(&module.path())
                .and_then(|node| node.module.locals.get(name));
            if let Some(local) = local {
                self.expression(&local.value, module, None);
            }
            return;
        }
        let Some((parent, step)) = module.parent() else {
            return;
        };
        let call = config
            .module(&parent.path())
            .and_then(|node| node.module.calls.get(&step.name));
        if let Some((input, call)) = call.and_then(|call| Some((call.inputs.get(name)?, call))) {
            self.expression(input, &parent, Some(&call.repetition));
        }
    }

    /// Follows an output of one module instance, or all outputs where none is named.
    fn output(&mut self, traversal: &Traversal, module: &ModuleInstance) {
        let Some((Step::Attribute(call), rest)) = traversal.steps.split_first() else {
            return;
        };
        let (key, rest) = match rest {
            [Step::Index { key, .. }, rest @ ..] => (instance_key(key), rest),
            rest => (None, rest),
        };
        let Some(Step::Attribute(name)) = rest.first() else {
            self.whole_call(module, &call.name, key);
            return;
        };
        let child = module.child(call.name.clone(), key);
        self.output_of(&child, &name.name);
    }

    /// Follows all outputs of a call: of one instance, or of all of them.
    fn whole_call(&mut self, module: &ModuleInstance, call: &Name, key: Option<InstanceKey>) {
        let mut keys = vec![key];
        if keys == [None] {
            let expansion = self.table.call_expansion(module, call);
            keys.extend(expansion.iter().flat_map(Expansion::keys));
        }
        let config = self.config;
        let path = module.path().child(call.clone());
        let Some(node) = config.module(&path) else {
            return;
        };
        for key in keys {
            for name in node.module.outputs.keys() {
                self.output_of(&module.child(call.clone(), key.clone()), name);
            }
        }
    }

    fn output_of(&mut self, child: &ModuleInstance, name: &Name) {
        if !self
            .seen
            .insert((Kind::Output, child.clone(), name.clone()))
        {
            return;
        }
        let config = self.config;
        let output = config
            .module(&child.path())
            .and_then(|node| node.module.outputs.get(name));
        if let Some(output) = output {
            self.expression(&output.value, child, None);
        }
    }
}

fn instance_key(key: &Value) -> Option<InstanceKey> {
    if let Some(text) = key.as_str() {
        return Some(InstanceKey::String(text.into()));
    }
    let index = key.as_number().and_then(Number::to_usize)?;
    u64::try_from(index).ok().map(InstanceKey::Int)
}

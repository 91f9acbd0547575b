//! The order of everything in a configuration, before anything is expanded.

use std::collections::HashMap;
use std::fmt;

use terrace_addr::{AbsProviderConfig, ConfigResource, ModulePath, Name};
use terrace_config::{
    CheckRule, ForEachOrCount, ModuleCall, ModuleNode, ProvisionerWhen, ResourceConfig,
};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_graph::{Dag, NodeId};
use terrace_syntax::{Body, BodyKind, Expr, Item, Traversal};

use crate::Evaluator;
use crate::expression::traversal_span;
use crate::reference::{Reference, Subject, instance_key};
use crate::visit;

/// One object of the configuration: what is ordered before anything is expanded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConfigNode {
    /// A variable of a module.
    Variable(ModulePath, Name),
    /// A local value of a module.
    Local(ModulePath, Name),
    /// An output of a module.
    Output(ModulePath, Name),
    /// How a module call is expanded: the calling module and the call's name. Everything in the called module depends
    /// on it, and it depends on the call's `depends_on`.
    Call(ModulePath, Name),
    /// All outputs of a called module: what a reader of the whole `module.x` waits for.
    CallOutputs(ModulePath, Name),
    /// Everything in a called module: what `depends_on = [module.x]` waits for.
    CallDone(ModulePath, Name),
    /// A resource.
    Resource(ConfigResource),
    /// A provider configuration, written or implied.
    Provider(AbsProviderConfig),
    /// A check block.
    Check(ModulePath, Name),
    /// An import block of the root module, by its place in [`terrace_config::Module::imports`].
    Import(usize),
}

impl fmt::Display for ConfigNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |f: &mut fmt::Formatter<'_>,
                     module: &ModulePath,
                     kind: &str,
                     name: &str,
                     suffix: &str| {
            let dot = if module.is_root() { "" } else { "." };
            write!(f, "{module}{dot}{kind}.{name}{suffix}")
        };
        match self {
            Self::Variable(module, name) => named(f, module, "var", name, " (expand)"),
            Self::Local(module, name) => named(f, module, "local", name, " (expand)"),
            Self::Output(module, name) => named(f, module, "output", name, " (expand)"),
            Self::Call(module, name) => named(f, module, "module", name, " (expand)"),
            Self::CallOutputs(module, name) => named(f, module, "module", name, ""),
            Self::CallDone(module, name) => named(f, module, "module", name, " (close)"),
            Self::Check(module, name) => named(f, module, "check", name, ""),
            Self::Resource(resource) => write!(f, "{resource}"),
            Self::Provider(provider) => write!(f, "{provider}"),
            Self::Import(index) => write!(f, "import block {}", index + 1),
        }
    }
}

/// All objects of a configuration and which must be evaluated before which.
#[derive(Clone, Debug, Default)]
pub struct ConfigGraph {
    dag: Dag<ConfigNode>,
    ids: HashMap<ConfigNode, NodeId>,
}

impl ConfigGraph {
    /// The graph.
    pub const fn dag(&self) -> &Dag<ConfigNode> {
        &self.dag
    }

    /// The id of a node.
    pub fn id(&self, node: &ConfigNode) -> Option<NodeId> {
        self.ids.get(node).copied()
    }

    fn add(&mut self, node: ConfigNode) -> NodeId {
        if let Some(id) = self.ids.get(&node) {
            return *id;
        }
        let id = self.dag.add_node(node.clone());
        self.ids.insert(node, id);
        id
    }

    fn depends(&mut self, from: NodeId, on: &ConfigNode) {
        if let Some(on) = self.id(on)
            && on != from
        {
            self.dag.add_edge(from, on);
        }
    }
}

impl Evaluator {
    /// The order of everything in the configuration: a node's dependencies are what must be evaluated before it.
    /// Cycles, and blocks that refer to themselves, are errors among the diagnostics. Linear in the configuration.
    pub fn config_graph(&self) -> (ConfigGraph, Diagnostics) {
        let mut builder = Builder {
            evaluator: self,
            graph: ConfigGraph::default(),
            diagnostics: Diagnostics::new(),
        };
        for node in self.inputs.config.root.walk() {
            builder.add_nodes(node);
        }
        for node in self.inputs.config.root.walk() {
            builder.add_edges(node);
        }
        builder.add_imports();
        builder.tell_cycles();
        (builder.graph, builder.diagnostics)
    }
}

struct Builder<'a> {
    evaluator: &'a Evaluator,
    graph: ConfigGraph,
    diagnostics: Diagnostics,
}

/// What an edge comes from, for blocks that refer to themselves.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// A block's arguments.
    Block,
    Precondition,
    Postcondition,
    /// A part that may read its own object, or cannot name it.
    Own,
}

impl Builder<'_> {
    fn add_nodes(&mut self, node: &ModuleNode) {
        let path = &node.path;
        let module = &node.module;
        self.graph.ids.reserve(module.resources.len());
        for name in module.variables.keys() {
            self.graph
                .add(ConfigNode::Variable(path.clone(), name.clone()));
        }
        for name in module.locals.keys() {
            self.graph
                .add(ConfigNode::Local(path.clone(), name.clone()));
        }
        for name in module.calls.keys() {
            self.graph.add(ConfigNode::Call(path.clone(), name.clone()));
        }
        for resource in module.resources.keys() {
            let resource = ConfigResource {
                module: path.clone(),
                resource: resource.clone(),
            };
            self.graph.add(ConfigNode::Resource(resource));
        }
        for name in module.outputs.keys() {
            self.graph
                .add(ConfigNode::Output(path.clone(), name.clone()));
        }
        for name in module.checks.keys() {
            self.graph
                .add(ConfigNode::Check(path.clone(), name.clone()));
        }
        for name in module.calls.keys() {
            self.graph
                .add(ConfigNode::CallOutputs(path.clone(), name.clone()));
            self.graph
                .add(ConfigNode::CallDone(path.clone(), name.clone()));
        }
    }

    fn add_edges(&mut self, node: &ModuleNode) {
        let path = &node.path;
        let module = &node.module;
        for (name, variable) in &module.variables {
            let id = self.inside(node, ConfigNode::Variable(path.clone(), name.clone()));
            if let Some((above, call)) = path.parent() {
                let config = &self.evaluator.inputs.config;
                let input = config
                    .module(&above)
                    .and_then(|parent| parent.module.calls.get(call)?.inputs.get(name));
                if let Some(input) = input {
                    self.expression(id, &above, input);
                }
            }
            self.rules(id, path, &variable.validations, Part::Own);
        }
        for (name, local) in &module.locals {
            let id = self.inside(node, ConfigNode::Local(path.clone(), name.clone()));
            self.expression(id, path, &local.value);
        }
        for (name, output) in &module.outputs {
            let id = self.inside(node, ConfigNode::Output(path.clone(), name.clone()));
            self.expression(id, path, &output.value);
            self.rules(id, path, &output.preconditions, Part::Block);
            self.depends_on(id, path, &output.depends_on);
        }
        for (name, call) in &module.calls {
            self.call(node, name, call);
        }
        for config in module.resources.values() {
            self.resource(node, config);
        }
        for (name, check) in &module.checks {
            let id = self.inside(node, ConfigNode::Check(path.clone(), name.clone()));
            self.rules(id, path, &check.asserts, Part::Block);
            if let Some(data) = &check.data {
                let data = ConfigResource {
                    module: path.clone(),
                    resource: data.clone(),
                };
                self.graph.depends(id, &ConfigNode::Resource(data));
            }
        }
    }

    /// The id of a node of a module, made to depend on the module's expansion.
    fn inside(&mut self, node: &ModuleNode, inner: ConfigNode) -> NodeId {
        let id = self.graph.add(inner);
        if let Some((above, call)) = node.path.parent() {
            self.graph
                .depends(id, &ConfigNode::Call(above, call.clone()));
        }
        id
    }

    fn call(&mut self, node: &ModuleNode, name: &Name, call: &ModuleCall) {
        let path = &node.path;
        let id = self.inside(node, ConfigNode::Call(path.clone(), name.clone()));
        self.repetition(id, path, &call.repetition);
        for passed in call.providers.iter().flatten() {
            if let Some(key) = &passed.parent_key {
                self.expression(id, path, key);
            }
        }
        self.depends_on(id, path, &call.depends_on);
        let outputs = self
            .graph
            .add(ConfigNode::CallOutputs(path.clone(), name.clone()));
        let done = self
            .graph
            .add(ConfigNode::CallDone(path.clone(), name.clone()));
        let call_node = ConfigNode::Call(path.clone(), name.clone());
        self.graph.depends(outputs, &call_node);
        self.graph.depends(done, &call_node);
        let Some(child) = node.children.get(name) else {
            return;
        };
        for output in child.module.outputs.keys() {
            let output = ConfigNode::Output(child.path.clone(), output.clone());
            self.graph.depends(outputs, &output);
            self.graph.depends(done, &output);
        }
        for resource in child.module.resources.keys() {
            let resource = ConfigResource {
                module: child.path.clone(),
                resource: resource.clone(),
            };
            self.graph.depends(done, &ConfigNode::Resource(resource));
        }
        for call in child.module.calls.keys() {
            self.graph.depends(
                done,
                &ConfigNode::CallDone(child.path.clone(), call.clone()),
            );
        }
    }

    fn resource(&mut self, node: &ModuleNode, config: &ResourceConfig) {
        let path = &node.path;
        let resource = ConfigResource {
            module: path.clone(),
            resource: config.resource.clone(),
        };
        let id = self.inside(node, ConfigNode::Resource(resource));
        self.repetition(id, path, &config.repetition);
        self.body(id, path, &config.body, Part::Block);
        self.rules(
            id,
            path,
            &config.lifecycle.preconditions,
            Part::Precondition,
        );
        self.rules(
            id,
            path,
            &config.lifecycle.postconditions,
            Part::Postcondition,
        );
        for expression in config
            .lifecycle
            .prevent_destroy_if
            .iter()
            .chain(&config.provider_key)
        {
            self.expression(id, path, expression);
        }
        for trigger in &config.lifecycle.replace_triggered_by {
            self.expression(id, path, trigger);
        }
        self.depends_on(id, path, &config.depends_on);
        if let Some(body) = &config.connection {
            self.body(id, path, body, Part::Own);
        }
        for provisioner in config
            .provisioners
            .iter()
            .filter(|provisioner| provisioner.when == ProvisionerWhen::Create)
        {
            self.body(id, path, &provisioner.body, Part::Own);
            if let Some(body) = &provisioner.connection {
                self.body(id, path, body, Part::Own);
            }
        }
        let binding = self.evaluator.provider_binding(path, config);
        if let Some((module, key)) = &binding.key {
            self.expression(id, module, key);
        }
        let provider = self.provider(binding.config);
        self.graph.dag.add_edge(id, provider);
    }

    fn provider(&mut self, address: AbsProviderConfig) -> NodeId {
        let node = ConfigNode::Provider(address);
        if let Some(id) = self.graph.id(&node) {
            return id;
        }
        let id = self.graph.add(node.clone());
        if let ConfigNode::Provider(address) = &node
            && let Some(block) = self.evaluator.provider_block(address)
        {
            self.body(id, &address.module, &block.body, Part::Own);
            if let Some(for_each) = &block.for_each {
                self.expression(id, &address.module, for_each);
            }
        }
        id
    }

    fn repetition(&mut self, id: NodeId, path: &ModulePath, repetition: &ForEachOrCount) {
        match repetition {
            ForEachOrCount::Single => {}
            ForEachOrCount::Count(expression)
            | ForEachOrCount::ForEach(expression)
            | ForEachOrCount::Enabled(expression) => {
                self.expression(id, path, expression);
            }
        }
    }

    fn rules(&mut self, id: NodeId, path: &ModulePath, rules: &[CheckRule], part: Part) {
        for rule in rules {
            for expression in [&rule.condition, &rule.error_message] {
                visit::traversals(expression, &mut |traversal| {
                    self.reference(id, path, traversal, part);
                });
            }
        }
    }

    fn expression(&mut self, id: NodeId, path: &ModulePath, expression: &Expr) {
        visit::traversals(expression, &mut |traversal| {
            self.reference(id, path, traversal, Part::Block);
        });
    }

    fn body(&mut self, id: NodeId, path: &ModulePath, body: &Body, part: Part) {
        body_expressions(body, &mut |expression| {
            visit::traversals(expression, &mut |traversal| {
                self.reference(id, path, traversal, part);
            });
        });
    }

    fn depends_on(&mut self, id: NodeId, path: &ModulePath, references: &[Traversal]) {
        for traversal in references {
            match Reference::of(traversal).map(|reference| reference.subject) {
                Ok(Subject::Module { call, .. }) => {
                    self.graph
                        .depends(id, &ConfigNode::CallDone(path.clone(), call.name.clone()));
                }
                Ok(_) => self.reference(id, path, traversal, Part::Own),
                Err(_) => {}
            }
        }
    }

    fn reference(&mut self, id: NodeId, path: &ModulePath, traversal: &Traversal, part: Part) {
        let Ok(reference) = Reference::of(traversal) else {
            return;
        };
        let target = match &reference.subject {
            Subject::Variable(ident) => ConfigNode::Variable(path.clone(), ident.name.clone()),
            Subject::Local(ident) => ConfigNode::Local(path.clone(), ident.name.clone()),
            Subject::Module { call, output, .. } => {
                self.graph
                    .depends(id, &ConfigNode::Call(path.clone(), call.name.clone()));
                match output {
                    Some(output) => {
                        ConfigNode::Output(path.child(call.name.clone()), output.name.clone())
                    }
                    None => ConfigNode::CallOutputs(path.clone(), call.name.clone()),
                }
            }
            Subject::Resource {
                mode,
                type_name,
                name,
                ..
            } => ConfigNode::Resource(ConfigResource {
                module: path.clone(),
                resource: terrace_addr::Resource {
                    mode: *mode,
                    type_name: (*type_name).clone(),
                    name: name.name.clone(),
                },
            }),
            _ => return,
        };
        if self.graph.id(&target) == Some(id) {
            self.tell_self_reference(&target, traversal, &reference, part);
        }
        self.graph.depends(id, &target);
    }

    fn tell_self_reference(
        &mut self,
        node: &ConfigNode,
        traversal: &Traversal,
        reference: &Reference<'_>,
        part: Part,
    ) {
        let (summary, detail) = match node {
            ConfigNode::Resource(resource) if part != Part::Own => {
                let key = match &reference.subject {
                    Subject::Resource { key, .. } => key.and_then(instance_key),
                    _ => None,
                };
                let key = key.map_or_else(String::new, |key| key.to_string());
                let summary = match part {
                    Part::Precondition => "Invalid reference in precondition",
                    Part::Postcondition => "Invalid reference in postcondition",
                    Part::Block | Part::Own => "Self-referential block",
                };
                (
                    summary,
                    format!("Configuration for {resource}{key} may not refer to itself."),
                )
            }
            ConfigNode::Local(_, name) => (
                "Self-referencing local value",
                format!(
                    "Local value local.{name} cannot use its own result as part of its expression."
                ),
            ),
            _ => return,
        };
        self.diagnostics.push(
            Diagnostic::error("self-reference", summary, detail)
                .at(traversal_span(traversal, traversal.steps.len())),
        );
    }

    fn add_imports(&mut self) {
        let root = ModulePath::root();
        for (index, block) in self
            .evaluator
            .inputs
            .config
            .root
            .module
            .imports
            .iter()
            .enumerate()
        {
            let id = self.graph.add(ConfigNode::Import(index));
            for expression in [&block.id, &block.identity, &block.for_each]
                .into_iter()
                .flatten()
            {
                self.expression(id, &root, expression);
            }
            let (module, resource) = &block.resource;
            let to = ConfigNode::Resource(ConfigResource {
                module: module.path(),
                resource: resource.clone(),
            });
            if let Some(to) = self.graph.id(&to) {
                self.graph.dag.add_edge(to, id);
            }
        }
    }

    /// A variable leads on to others by its rules where it has any.
    fn name_in_cycle(&self, node: &ConfigNode) -> String {
        let name = node.to_string();
        let ConfigNode::Variable(path, variable) = node else {
            return name;
        };
        let has_rules = self
            .evaluator
            .inputs
            .config
            .module(path)
            .and_then(|node| node.module.variables.get(variable))
            .is_some_and(|variable| !variable.validations.is_empty());
        match name.strip_suffix(" (expand)") {
            Some(start) if has_rules => format!("{start} (validation)"),
            _ => name,
        }
    }

    fn tell_cycles(&mut self) {
        for cycle in self.graph.dag.cycles() {
            let names: Vec<String> = cycle
                .path()
                .iter()
                .rev()
                .filter_map(|id| self.graph.dag.get(*id))
                .filter(|node| !matches!(node, ConfigNode::CallOutputs(..)))
                .map(|node| self.name_in_cycle(node))
                .collect();
            self.diagnostics.push(Diagnostic::error(
                "cycle",
                format!("Cycle: {}", names.join(", ")),
                "",
            ));
        }
    }
}

/// Calls `visit` for every expression of a body, whatever its schema.
pub(crate) fn body_expressions(body: &Body, visit: &mut dyn FnMut(&Expr)) {
    match &body.kind {
        BodyKind::Native(items) => {
            for item in items.iter() {
                match item {
                    Item::Attribute(attribute) => visit(&attribute.value),
                    Item::Block(block) => body_expressions(&block.body, visit),
                }
            }
        }
        BodyKind::Merged(parts) => {
            for part in parts.iter() {
                body_expressions(part, visit);
            }
        }
        BodyKind::Json(_) => {
            for attribute in body.just_attributes().0.values() {
                visit(&attribute.value);
            }
        }
    }
}

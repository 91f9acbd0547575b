//! Judging a configuration without any values.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use terrace_addr::{AbsNamed, ConfigResource, ModuleInstance, ModulePath, Name};
use terrace_config::{
    CheckRule, IgnoreChanges, ModuleCall, ModuleNode, ProvisionerWhen, ResourceConfig,
};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_graph::ReadyQueue;
use terrace_syntax::{Step, Traversal};
use terrace_value::Value;

use crate::expression::{Run, traversal_span};
use crate::reference::{Reference, Subject, schema_problem};
use crate::{
    ConfigNode, Evaluated, Evaluator, NoValues, RepetitionData, RuleKind, Scope, Unknowns,
    converted_input,
};

impl Evaluator {
    /// Checks everything that can be checked without values: that the configuration has an order, references, types,
    /// bodies against schemas. What depends on something wrong is not judged. To be run before planning.
    pub fn validate(&self) -> Diagnostics {
        let mut judge = Self::new(self.inputs.clone());
        judge.validating = true;
        let (graph, mut diagnostics) = judge.config_graph();
        if graph.dag().topological_order().is_err() {
            return diagnostics;
        }
        let mut seen: HashSet<(usize, String)> = HashSet::new();
        let mut queue = ReadyQueue::new(graph.dag());
        while let Some(id) = queue.pop() {
            let Some(node) = graph.dag().get(id) else {
                break;
            };
            let found = judge.validate_node(node, &mut seen);
            let failed = found.has_errors();
            diagnostics.append(found);
            if failed {
                queue.fail(id);
            } else {
                queue.complete(id);
            }
        }
        diagnostics
    }

    fn validate_node(&self, node: &ConfigNode, seen: &mut HashSet<(usize, String)>) -> Diagnostics {
        let (path, name) = match node {
            ConfigNode::Variable(path, name)
            | ConfigNode::Local(path, name)
            | ConfigNode::Output(path, name)
            | ConfigNode::Call(path, name)
            | ConfigNode::Check(path, name) => (path, name.to_string()),
            ConfigNode::Resource(resource) => (&resource.module, resource.resource.to_string()),
            ConfigNode::Provider(address) => {
                return match self.provider_block(address) {
                    Some(block) => {
                        let mut diagnostics = self.provider_body(address, &NoValues).diagnostics;
                        if let Some(for_each) = &block.for_each {
                            let what = "the for_each of a provider configuration";
                            let path = &address.module;
                            diagnostics.append(self.early_problems(path, for_each, what));
                            diagnostics
                                .append(self.expand_provider(address, Unknowns::Allow).diagnostics);
                        }
                        diagnostics
                    }
                    None => Diagnostics::new(),
                };
            }
            ConfigNode::Import(index) => return self.validate_import(*index),
            ConfigNode::CallOutputs(..) | ConfigNode::CallDone(..) => return Diagnostics::new(),
        };
        let Some(module) = self.inputs.config.module(path) else {
            return Diagnostics::new();
        };
        // One definition is judged once, however often it is called.
        let kind = std::mem::discriminant(node);
        if !seen.insert((
            Arc::as_ptr(&module.module).addr(),
            format!("{kind:?} {name}"),
        )) {
            return Diagnostics::new();
        }
        let instance = instance_of(path);
        let address = AbsNamed::new(instance.clone(), name.as_str());
        match node {
            ConfigNode::Variable(_, name) => {
                self.validate_rules_of_variable(module, &instance, name)
            }
            ConfigNode::Local(..) => self.local(&address, &NoValues).diagnostics,
            ConfigNode::Output(_, name) => {
                let mut diagnostics = self.output(&address, &NoValues).diagnostics;
                if let Some(output) = module.module.outputs.get(name) {
                    let scope = Scope::module(instance);
                    self.validate_rules(
                        &output.preconditions,
                        &RuleKind::OutputPrecondition,
                        &scope,
                        &mut diagnostics,
                    );
                    diagnostics.append(self.validate_depends_on(&scope, &output.depends_on));
                }
                diagnostics
            }
            ConfigNode::Call(_, name) => match module.module.calls.get(name) {
                Some(call) => self.validate_call(module, &instance, call),
                None => Diagnostics::new(),
            },
            ConfigNode::Check(_, name) => {
                let mut diagnostics = Diagnostics::new();
                if let Some(check) = module.module.checks.get(name) {
                    let scope = Scope::module(instance);
                    self.validate_rules(
                        &check.asserts,
                        &RuleKind::CheckAssertion,
                        &scope,
                        &mut diagnostics,
                    );
                }
                diagnostics
            }
            ConfigNode::Resource(resource) => self.validate_resource(module, &instance, resource),
            _ => Diagnostics::new(),
        }
    }

    fn validate_rules_of_variable(
        &self,
        module: &ModuleNode,
        instance: &ModuleInstance,
        name: &Name,
    ) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        if let Some(variable) = module.module.variables.get(name) {
            let scope = Scope::module(instance.clone());
            let kind = RuleKind::Validation(name.clone());
            self.validate_rules(&variable.validations, &kind, &scope, &mut diagnostics);
        }
        diagnostics
    }

    /// Judges rules whose conditions are not known; both their expressions must be sound.
    fn validate_rules(
        &self,
        rules: &[CheckRule],
        kind: &RuleKind,
        scope: &Scope,
        diagnostics: &mut Diagnostics,
    ) {
        for rule in rules {
            let found = self.check_rule(rule, kind, scope, &NoValues).diagnostics;
            // What a known condition comes to is told when it is planned. That of a variable, which is not known here, does
            // not hold for any value.
            diagnostics.extend(found.into_iter().filter(|found| {
                found.is_error() && (kind.is_validation() || found.id != "failed-check")
            }));
            let mut run = Run::new(self, scope, &NoValues);
            run.check_references(&rule.error_message, None);
            if *kind == RuleKind::CheckAssertion {
                run.check_references(&rule.condition, None);
            }
            diagnostics.append(run.finish(()).diagnostics);
        }
    }

    fn validate_call(
        &self,
        module: &ModuleNode,
        instance: &ModuleInstance,
        call: &ModuleCall,
    ) -> Diagnostics {
        let scope = Scope::module(instance.clone());
        let mut diagnostics = self
            .expand(&call.repetition, Unknowns::Allow, &scope, &NoValues)
            .diagnostics;
        diagnostics.append(self.validate_depends_on(&scope, &call.depends_on));
        let scope = Scope::instance(instance.clone(), RepetitionData::unknown(&call.repetition));
        let child = module.children.get(&call.name);
        for (name, input) in &call.inputs {
            let Evaluated {
                value,
                diagnostics: found,
                ..
            } = self.expression(input, &scope, &NoValues);
            let failed = found.has_errors();
            diagnostics.append(found);
            let variable = child.and_then(|child| child.module.variables.get(name));
            if variable.is_some_and(|variable| variable.constant == Some(true)) {
                let what = format!("the variable \"{name}\", which is declared with const = true");
                diagnostics.append(self.early_problems(&module.path, input, &what));
            }
            if let Some(variable) = variable
                && !failed
                && let Some(problem) = crate::named::undeclared_ephemeral(variable, &value)
            {
                diagnostics.push(problem.at(input.span));
            } else if let Some(variable) = variable
                && !failed
            {
                let address = AbsNamed::new(instance.child(call.name.clone(), None), name.clone());
                match converted_input(variable, &value) {
                    Ok(value) if value.is_wholly_known() => diagnostics
                        .append(self.validate_value(&address, variable, value, input.span)),
                    Ok(_) => {}
                    Err(refused) => {
                        let declared = self.inputs.config.sources.place(variable.span);
                        diagnostics.push(refused.of_call(&address, &declared, input.span));
                    }
                }
            }
        }
        for variable in child
            .iter()
            .flat_map(|child| child.module.variables.values())
        {
            if let (Some(default), false) =
                (&variable.default, call.inputs.contains_key(&variable.name))
            {
                let child = instance.child(call.name.clone(), None);
                let address = AbsNamed::new(child, variable.name.clone());
                let subject = variable.span;
                diagnostics.append(self.validate_value(
                    &address,
                    variable,
                    default.clone(),
                    subject,
                ));
            }
        }
        diagnostics
    }

    fn validate_resource(
        &self,
        module: &ModuleNode,
        instance: &ModuleInstance,
        resource: &ConfigResource,
    ) -> Diagnostics {
        let Some(config) = module.module.resources.get(&resource.resource) else {
            return Diagnostics::new();
        };
        let scope = Scope::module(instance.clone());
        let mut diagnostics = self
            .expand_resource(instance, config, Unknowns::Allow, &NoValues)
            .diagnostics;
        diagnostics.append(self.validate_depends_on(&scope, &config.depends_on));
        let scope = Scope::instance(
            instance.clone(),
            RepetitionData::unknown(&config.repetition),
        );
        let address = resource.resource.in_module(instance.clone()).instance(None);
        if let Some(problem) = self.unknown_type(config) {
            diagnostics.push(problem);
            return diagnostics;
        }
        diagnostics.append(
            self.resource_body(&address, config, &scope, &NoValues)
                .diagnostics,
        );
        diagnostics.append(self.validate_ignored(config));
        let lifecycle = &config.lifecycle;
        self.validate_rules(
            &lifecycle.preconditions,
            &RuleKind::ResourcePrecondition,
            &scope,
            &mut diagnostics,
        );
        for trigger in &lifecycle.replace_triggered_by {
            let mut run = Run::new(self, &scope, &NoValues);
            run.check_references(trigger, None);
            diagnostics.append(run.finish(()).diagnostics);
        }
        let own = Scope {
            self_address: Some(address),
            ..scope.with_self(self.unknown_object(config))
        };
        self.validate_rules(
            &lifecycle.postconditions,
            &RuleKind::ResourcePostcondition,
            &own,
            &mut diagnostics,
        );
        self.validate_provisioners(config, &own, &mut diagnostics);
        diagnostics
    }

    /// What `ignore_changes` names must be there.
    fn validate_ignored(&self, config: &ResourceConfig) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        if let IgnoreChanges::These(ignored) = &config.lifecycle.ignore_changes
            && let Some(schema) = self.resource_schema(config)
        {
            for traversal in ignored {
                let root = Step::Attribute(traversal.root.clone());
                let steps: Vec<Step> = std::iter::once(root)
                    .chain(traversal.steps.iter().cloned())
                    .collect();
                diagnostics.extend(schema_problem(&schema.block, &steps));
            }
        }
        diagnostics
    }

    fn validate_provisioners(
        &self,
        config: &ResourceConfig,
        own: &Scope,
        diagnostics: &mut Diagnostics,
    ) {
        for provisioner in &config.provisioners {
            let scope = Scope {
                only_self: provisioner.when == ProvisionerWhen::Destroy,
                ..own.clone()
            };
            let Some(schema) = terrace_schema::provisioner(&provisioner.type_name) else {
                continue;
            };
            let arguments = self.body(&provisioner.body, &schema, &scope, &NoValues);
            let sound = !arguments.diagnostics.has_errors();
            diagnostics.append(arguments.diagnostics);
            if sound
                && let Some((summary, detail)) =
                    terrace_schema::provisioner_problem(&provisioner.type_name, &arguments.value)
            {
                diagnostics.push(
                    Diagnostic::error("invalid-provisioner", summary, detail).at(provisioner.span),
                );
            }
            if let Some(body) = provisioner.connection_over(config.connection.as_ref()) {
                let schema = terrace_schema::connection();
                diagnostics.append(self.body(&body, &schema, &scope, &NoValues).diagnostics);
            }
        }
    }

    /// A type that the provider does not have.
    fn unknown_type(&self, config: &ResourceConfig) -> Option<Diagnostic> {
        let schema = self.inputs.schemas.get(&config.provider)?;
        if self.resource_schema(config).is_some() {
            return None;
        }
        let type_name = &config.resource.type_name;
        let (types, other, words, [other_words, other_block]): (
            BTreeSet<&str>,
            bool,
            &str,
            [&str; 2],
        ) = match config.resource.mode {
            terrace_addr::ResourceMode::Managed => (
                schema.resources.keys().map(|name| &**name).collect(),
                schema.data_sources.contains_key(type_name),
                "resource type",
                [
                    "data source",
                    "a \"data\" block instead of a \"resource\" block",
                ],
            ),
            terrace_addr::ResourceMode::Data => (
                schema.data_sources.keys().map(|name| &**name).collect(),
                schema.resources.contains_key(type_name),
                "data source",
                [
                    "managed resource type",
                    "a \"resource\" block instead of a \"data\" block",
                ],
            ),
            terrace_addr::ResourceMode::Ephemeral => (
                schema
                    .ephemeral_resources
                    .keys()
                    .map(|name| &**name)
                    .collect(),
                schema.resources.contains_key(type_name),
                "ephemeral resource",
                [
                    "managed resource type",
                    "a \"resource\" block instead of an \"ephemeral\" block",
                ],
            ),
        };
        let provider = config.provider.for_display();
        let mut detail = format!("The provider {provider} does not support {words} {type_name:?}.");
        if other {
            let _ = write!(
                detail,
                "\n\nDid you intend to use the {other_words} {type_name:?}? If so, declare this using {other_block}."
            );
        } else if let Some(near) = terrace_diag::nearest(type_name, types) {
            let _ = write!(detail, " Did you mean {near:?}?");
        }
        let summary = match config.resource.mode {
            terrace_addr::ResourceMode::Managed => "Invalid resource type",
            terrace_addr::ResourceMode::Data => "Invalid data source",
            terrace_addr::ResourceMode::Ephemeral => "Invalid ephemeral resource",
        };
        Some(
            Diagnostic::error("invalid-resource-type", summary, detail)
                .at(config.span)
                .hint_if(schema.more_types.as_deref()),
        )
    }

    fn validate_depends_on(&self, scope: &Scope, references: &[Traversal]) -> Diagnostics {
        let mut run = Run::new(self, scope, &NoValues);
        for traversal in references {
            let before = run.errors();
            run.check_reference(traversal);
            if run.errors() > before {
                continue;
            }
            let Ok(reference) = Reference::of(traversal) else {
                continue;
            };
            let rest = traversal
                .steps
                .get(reference.consumed..)
                .unwrap_or_default();
            let attribute = match reference.subject {
                Subject::Module {
                    output: Some(output),
                    ..
                } => Some(output.span),
                _ => rest.first().map(Step::span),
            };
            if let Some(span) = attribute {
                run.error(|| {
                    Diagnostic::error(
                        "invalid-depends-on",
                        "Invalid depends_on reference",
                        "References in depends_on must be to a whole object (resource, etc), not to an attribute of an object.",
                    )
                    .at(span)
                    .within(traversal_span(traversal, traversal.steps.len()))
                });
            }
        }
        run.finish(()).diagnostics
    }

    fn validate_import(&self, index: usize) -> Diagnostics {
        let Some(block) = self.inputs.config.root.module.imports.get(index) else {
            return Diagnostics::new();
        };
        let scope = Scope::default();
        let mut diagnostics = Diagnostics::new();
        let mut repetition = RepetitionData::default();
        if let Some(for_each) = &block.for_each {
            diagnostics.append(
                self.import_repetition(for_each, Unknowns::Allow, &NoValues)
                    .diagnostics,
            );
            repetition = RepetitionData {
                each_key: Some(Value::dynamic()),
                each_value: Some(Value::dynamic()),
                ..RepetitionData::default()
            };
        }
        let scope = Scope {
            repetition,
            ..scope
        };
        if let Some(id) = &block.id {
            let mut run = Run::new(self, &scope, &NoValues);
            run.validate_import_id(id);
            diagnostics.append(run.finish(()).diagnostics);
        }
        if let Some(identity) = &block.identity {
            diagnostics.append(self.expression(identity, &scope, &NoValues).diagnostics);
        }
        diagnostics
    }
}

/// The instance of a module that stands for all of them while nothing is expanded.
fn instance_of(path: &ModulePath) -> ModuleInstance {
    path.steps()
        .iter()
        .fold(ModuleInstance::root(), |module, step| {
            module.child(step.clone(), None)
        })
}

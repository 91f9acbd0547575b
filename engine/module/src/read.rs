//! From a configuration to the interface of its root module.

use std::collections::{BTreeMap, BTreeSet};

use terrace_addr::{ConfigResource, ModulePath, Target};
use terrace_config::{
    CheckRule, Config, ForEachOrCount, IgnoreChanges, ModuleCall, ModuleNode, Moved,
    ProviderRequirement, Removed, RemovedFrom, ResourceConfig, Variable, references,
};
use terrace_diag::{SourceMap, Span};
use terrace_syntax::{Body, BodyKind, Expr, ExprKind, Item, Step, Traversal};
use terrace_value::Value;

use crate::Place;
use crate::canonical::{canonical, constant};
use crate::interface::{
    Call, Condition, Input, Interface, Move, MovedEnd, OutputValue, ProviderNeed, Removal,
    Repetition, Requirement, ResourceBlock,
};
use crate::shape::{ResourceTypes, output_type};

impl Interface {
    /// The interface of the root module of `config`. Types of outputs that come from resources are known as far as
    /// `types` knows them.
    pub fn of(config: &Config, types: &dyn ResourceTypes) -> Self {
        let reader = Reader {
            sources: &config.sources,
        };
        let root = &config.root.module;
        let mut interface = Self {
            variables: root
                .variables
                .iter()
                .map(|(name, variable)| (name.clone(), reader.variable(variable)))
                .collect(),
            outputs: root
                .outputs
                .iter()
                .map(|(name, output)| {
                    let ty = output_type(&config.root, types, &output.value);
                    let value = OutputValue {
                        description: output.description.clone(),
                        ty,
                        canonical: canonical(&output.value),
                        written: reader.written(output.value.span),
                        sensitive: output.sensitive,
                        ephemeral: output.ephemeral,
                        deprecated: output.deprecated.clone(),
                        preconditions: reader.conditions(&output.preconditions),
                        place: reader.place(output.span),
                    };
                    (name.clone(), value)
                })
                .collect(),
            providers: root
                .providers
                .iter()
                .map(|(name, need)| (name.clone(), reader.provider(need)))
                .collect(),
            engine: root
                .required_versions
                .iter()
                .map(|(text, span)| reader.requirement(text, *span))
                .collect(),
            ..Self::default()
        };
        for node in config.root.walk() {
            reader.node(node, &mut interface);
        }
        interface
    }
}

struct Reader<'a> {
    sources: &'a SourceMap,
}

impl Reader<'_> {
    fn place(&self, span: Span) -> Place {
        Place::of(self.sources, span)
    }

    /// A text of the configuration on one line.
    fn written(&self, span: Span) -> String {
        let words: Vec<&str> = self.sources.text(span).split_whitespace().collect();
        words.join(" ")
    }

    fn requirement(&self, text: &str, span: Span) -> Requirement {
        Requirement {
            written: text.to_owned(),
            place: self.place(span),
        }
    }

    fn variable(&self, variable: &Variable) -> Input {
        Input {
            description: variable.description.clone(),
            ty: variable.ty.clone(),
            type_defaults: variable.type_defaults.clone(),
            default: variable.default.clone(),
            sensitive: variable.sensitive,
            ephemeral: variable.ephemeral,
            nullable: variable.nullable,
            deprecated: variable.deprecated.clone(),
            constant: variable.constant == Some(true),
            validations: self.conditions(&variable.validations),
            place: self.place(variable.span),
        }
    }

    fn conditions(&self, rules: &[CheckRule]) -> Vec<Condition> {
        rules
            .iter()
            .map(|rule| Condition {
                expression: rule.condition.clone(),
                canonical: canonical(&rule.condition),
                written: self.written(rule.condition.span),
                place: self.place(rule.span),
            })
            .collect()
    }

    fn provider(&self, need: &ProviderRequirement) -> ProviderNeed {
        ProviderNeed {
            provider: need.provider.clone(),
            versions: need
                .versions
                .iter()
                .map(|(text, span)| self.requirement(text, *span))
                .collect(),
            aliases: need.aliases.iter().cloned().collect(),
            place: need.span.map(|span| self.place(span)),
        }
    }

    /// What a module below asks of versions, and which providers it needs: callers of the root module must have them too.
    fn requirements(&self, node: &ModuleNode, interface: &mut Interface) {
        for (text, span) in &node.module.required_versions {
            if !interface.engine.iter().any(|one| one.written == *text) {
                interface.engine.push(self.requirement(text, *span));
            }
        }
        for (name, below) in &node.module.providers {
            let mut need = self.provider(below);
            let of_root = interface
                .providers
                .values_mut()
                .find(|known| known.provider == need.provider);
            if let Some(known) = of_root {
                let known = &mut known.versions;
                need.versions
                    .retain(|one| !known.iter().any(|other| other.written == one.written));
                known.extend(need.versions);
            } else {
                // The configurations that it takes are passed within the module.
                need.aliases.clear();
                interface.providers.entry(name.clone()).or_insert(need);
            }
        }
    }

    /// What the module of a node manages, calls and moves.
    fn node(&self, node: &ModuleNode, interface: &mut Interface) {
        if !node.path.is_root() {
            self.requirements(node, interface);
        }
        for (resource, block) in &node.module.resources {
            let address = ConfigResource {
                module: node.path.clone(),
                resource: resource.clone(),
            };
            interface.resources.insert(address, self.resource(block));
        }
        for (name, call) in &node.module.calls {
            let child = node.children.get(name);
            let path = node.path.child(name.clone());
            interface.calls.insert(path, self.call(call, child));
        }
        interface.moves.extend(
            node.module
                .moved
                .iter()
                .map(|moved| self.moved(&node.path, moved)),
        );
        interface.removals.extend(
            node.module
                .removed
                .iter()
                .map(|removed| self.removed(&node.path, removed)),
        );
    }

    fn resource(&self, block: &ResourceConfig) -> ResourceBlock {
        let mut read = Arguments::default();
        read.body(&block.body, "");
        let lifecycle = &block.lifecycle;
        let mut references = read.references;
        repetition_references(&block.repetition, &mut references);
        references.extend(block.depends_on.iter().map(root_of));
        let (ignores_all, ignored) = match &lifecycle.ignore_changes {
            IgnoreChanges::None => (false, BTreeSet::new()),
            IgnoreChanges::All => (true, BTreeSet::new()),
            IgnoreChanges::These(these) => (
                false,
                these
                    .iter()
                    .map(|traversal| traversal.root.name.to_string())
                    .collect(),
            ),
        };
        ResourceBlock {
            provider: block.provider.clone(),
            repetition: repetition(&block.repetition),
            arguments: read.texts,
            constants: read.constants,
            replace_triggered_by: lifecycle
                .replace_triggered_by
                .iter()
                .map(canonical)
                .collect(),
            preconditions: self.conditions(&lifecycle.preconditions),
            prevent_destroy: lifecycle.prevent_destroy || lifecycle.prevent_destroy_if.is_some(),
            ignores_all,
            ignored,
            references,
            place: self.place(block.span),
        }
    }

    fn call(&self, call: &ModuleCall, child: Option<&ModuleNode>) -> Call {
        let mut found = BTreeSet::new();
        for input in call.inputs.values() {
            found.extend(references(input).into_iter().map(root_of));
        }
        repetition_references(&call.repetition, &mut found);
        found.extend(call.depends_on.iter().map(root_of));
        let source = child
            .map(|child| child.source.to_string())
            .filter(|source| !source.is_empty());
        Call {
            source: source.unwrap_or_else(|| call.source.to_string()),
            version: call.version.as_ref().map(|(text, _)| text.clone()),
            repetition: repetition(&call.repetition),
            inputs: call
                .inputs
                .iter()
                .map(|(name, value)| (name.clone(), canonical(value)))
                .collect(),
            opaque: child.is_none(),
            references: found,
            place: self.place(call.span),
        }
    }

    fn moved(&self, module: &ModulePath, moved: &Moved) -> Move {
        Move {
            from: moved_end(module, &moved.from.0),
            to: moved_end(module, &moved.to.0),
            place: self.place(moved.span),
        }
    }

    fn removed(&self, module: &ModulePath, removed: &Removed) -> Removal {
        let (path, resource) = match &removed.from {
            RemovedFrom::Module(path) => (path, None),
            RemovedFrom::Resource(path, resource) => (path, Some(resource.clone())),
        };
        Removal {
            module: below(module, path),
            resource,
            destroy: removed.destroy,
            place: self.place(removed.span),
        }
    }
}

/// The path `inner`, which is relative to `outer`, from the root.
fn below(outer: &ModulePath, inner: &ModulePath) -> ModulePath {
    outer.steps().iter().chain(inner.steps()).cloned().collect()
}

fn moved_end(module: &ModulePath, target: &Target) -> MovedEnd {
    match target {
        Target::Module(instance) => MovedEnd {
            module: below(module, &instance.path()),
            resource: None,
            key: instance.steps().last().and_then(|step| step.key.clone()),
        },
        Target::Resource(resource) => MovedEnd {
            module: below(module, &resource.module.path()),
            resource: Some((*resource.resource).clone()),
            key: None,
        },
        Target::Instance(instance) => MovedEnd {
            module: below(module, &instance.module().path()),
            resource: Some((*instance.resource.resource).clone()),
            key: instance.key.clone(),
        },
    }
}

fn repetition_references(repetition: &ForEachOrCount, found: &mut BTreeSet<String>) {
    let expression = match repetition {
        ForEachOrCount::Single => return,
        ForEachOrCount::Count(expression)
        | ForEachOrCount::ForEach(expression)
        | ForEachOrCount::Enabled(expression) => expression,
    };
    found.extend(references(expression).into_iter().map(root_of));
}

fn repetition(repetition: &ForEachOrCount) -> Repetition {
    match repetition {
        ForEachOrCount::Single | ForEachOrCount::Enabled(_) => Repetition::Single,
        ForEachOrCount::Count(expression) => Repetition::Count {
            canonical: canonical(expression),
            most: most(expression),
        },
        ForEachOrCount::ForEach(expression) => Repetition::ForEach {
            canonical: canonical(expression),
            keys: keys(expression),
        },
    }
}

/// The most that a `count` can come to.
fn most(expression: &Expr) -> Option<u64> {
    match &expression.kind {
        ExprKind::Parens(inner) | ExprKind::TemplateWrap(inner) => most(inner),
        ExprKind::Conditional {
            if_true, if_false, ..
        } => Some(most(if_true)?.max(most(if_false)?)),
        _ => constant(expression)?.as_number()?.to_u64(),
    }
}

/// The keys of a `for_each` that is written out: an object, or `toset` of a list of texts. Values need not be constant.
fn keys(expression: &Expr) -> Option<BTreeSet<String>> {
    match &expression.kind {
        ExprKind::Parens(inner) | ExprKind::TemplateWrap(inner) => keys(inner),
        ExprKind::Call(call) if matches!(&*call.name, "toset" | "tomap") => {
            keys(call.args.first()?)
        }
        ExprKind::Tuple(items) => items.iter().map(text_of).collect(),
        ExprKind::Object(items) => items
            .iter()
            .map(|item| match &item.key {
                terrace_syntax::ObjectKey::Name(name) => Some(name.name.to_string()),
                terrace_syntax::ObjectKey::Expr(key) => text_of(key),
            })
            .collect(),
        _ => None,
    }
}

fn text_of(expression: &Expr) -> Option<String> {
    constant(expression)?.as_str().map(str::to_owned)
}

/// What a reference names, in as few steps as say it: `var.x`, `local.x`, `module.x`, `data.type.name`, `type.name`.
pub(crate) fn root_of(traversal: &Traversal) -> String {
    let root = &*traversal.root.name;
    let steps = match root {
        "data" | "ephemeral" => 2,
        _ => 1,
    };
    let mut text = root.to_owned();
    for step in traversal.steps.iter().take(steps) {
        if let Step::Attribute(name) = step {
            text.push('.');
            text.push_str(&name.name);
        }
    }
    text
}

/// The arguments of a body, those in blocks included.
#[derive(Default)]
struct Arguments {
    texts: BTreeMap<String, String>,
    constants: BTreeMap<String, Value>,
    references: BTreeSet<String>,
}

impl Arguments {
    fn body(&mut self, body: &Body, prefix: &str) {
        match &body.kind {
            BodyKind::Native(items) => {
                for item in items.iter() {
                    match item {
                        Item::Attribute(attribute) => {
                            let path = format!("{prefix}{}", attribute.name.name);
                            self.argument(path, &attribute.value);
                        }
                        Item::Block(block) => {
                            let mut prefix = format!("{prefix}{}.", block.type_name.name);
                            for label in &block.labels {
                                prefix.push_str(&label.text);
                                prefix.push('.');
                            }
                            self.body(&block.body, &prefix);
                        }
                    }
                }
            }
            BodyKind::Json(_) => {
                // What of JSON is a block is known only with a schema; as an argument it compares as well.
                let (attributes, _) = body.just_attributes();
                for (name, attribute) in attributes {
                    self.argument(format!("{prefix}{name}"), &attribute.value);
                }
            }
            BodyKind::Merged(parts) => {
                for part in parts.iter() {
                    self.body(part, prefix);
                }
            }
        }
    }

    fn argument(&mut self, path: String, value: &Expr) {
        self.references
            .extend(references(value).into_iter().map(root_of));
        if let Some(value) = constant(value) {
            self.constants.insert(path.clone(), value);
        }
        let text = canonical(value);
        // A block that stands there several times gives an argument several values.
        self.texts
            .entry(path)
            .and_modify(|all| {
                all.push(';');
                all.push_str(&text);
            })
            .or_insert(text);
    }
}

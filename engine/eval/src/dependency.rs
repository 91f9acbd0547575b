//! What is named without being evaluated: `depends_on`, `replace_triggered_by`, providers, targets of imports.

use std::collections::BTreeSet;
use std::sync::Arc;

use terrace_addr::{
    AbsNamed, AbsProviderConfig, AbsResource, AbsResourceInstance, InstanceKey, ModuleInstance,
    ModulePath, Name, Resource, ResourceMode,
};
use terrace_config::{ForEachOrCount, ImportBlock, ProviderConfigBlock, ResourceConfig};
use terrace_diag::{Diagnostic, Span};
use terrace_syntax::{Expr, ExprKind, Step, Traversal};
use terrace_value::convert::convert;
use terrace_value::{Marks, Path, PathStep, Text, Type, Value};

use crate::expression::Run;
use crate::reference::{Reference, Subject, instance_key};
use crate::{Dependency, Evaluated, Evaluator, RepetitionData, Scope, Unknowns, Values};

/// What `replace_triggered_by` names.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// The resource.
    pub resource: AbsResource,
    /// Which instance; `None` for all.
    pub instance: Option<AbsResourceInstance>,
    /// The part of the object; the root for any change.
    pub path: Path,
    /// Where it stands.
    pub span: Span,
}

/// One object to be imported.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportTarget {
    /// Where to.
    pub to: AbsResourceInstance,
    /// The id (a string; may be unknown) or null.
    pub id: Value,
    /// The identity object, or null.
    pub identity: Value,
}

impl Evaluator {
    /// Which provider configuration a resource uses, found through the calls that pass it on.
    pub fn provider_of(&self, module: &ModulePath, config: &ResourceConfig) -> AbsProviderConfig {
        self.inputs
            .config
            .resolve_provider(module, &config.provider_config)
    }

    /// The block of a provider configuration, if there is one.
    pub fn provider_block(&self, address: &AbsProviderConfig) -> Option<&ProviderConfigBlock> {
        self.inputs.config.provider_config(address)
    }

    /// What `depends_on` (or another list of references) written in a module instance names.
    pub fn references(&self, module: &ModuleInstance, references: &[Traversal]) -> Evaluated<()> {
        let mut evaluated = Evaluated::of(());
        evaluated.dependencies = self.named_by(module, references);
        evaluated
    }

    /// What a resource waits for by `depends_on`: its own, and those of the calls of the modules around it.
    /// A [`Dependency::Call`] stands for everything in the called module, not for its outputs alone.
    pub fn explicit_dependencies(
        &self,
        module: &ModuleInstance,
        config: &ResourceConfig,
    ) -> BTreeSet<Dependency> {
        let mut dependencies = self.named_by(module, &config.depends_on);
        let mut module = module.clone();
        while let Some((parent, step)) = module.parent() {
            let call = self
                .node(&parent)
                .and_then(|node| node.module.calls.get(&step.name));
            if let Some(call) = call {
                dependencies.extend(self.named_by(&parent, &call.depends_on));
            }
            module = parent;
        }
        dependencies
    }

    /// What a reference in a module instance is to, without evaluating; `None` for what never changes, and for what is
    /// not declared.
    pub(crate) fn dependency_of(
        &self,
        module: &ModuleInstance,
        traversal: &Traversal,
    ) -> Option<Dependency> {
        let named = |name: &Name| AbsNamed::new(module.clone(), name.clone());
        match Reference::of(traversal).ok()?.subject {
            Subject::Variable(ident) => Some(Dependency::Variable(named(&ident.name))),
            Subject::Local(ident) => Some(Dependency::Local(named(&ident.name))),
            Subject::Module { call, .. } => Some(Dependency::Call(named(&call.name))),
            Subject::Resource {
                mode,
                type_name,
                name,
                key,
            } => {
                let (_, resource) =
                    self.resource(self.node(module)?, mode, type_name, &name.name)?;
                let address = AbsResource {
                    module: module.clone(),
                    resource: Arc::clone(resource),
                };
                Some(match key.and_then(instance_key) {
                    Some(key) => Dependency::Instance(address.instance(Some(key))),
                    None => Dependency::Resource(address),
                })
            }
            _ => None,
        }
    }

    /// What an expression of `replace_triggered_by` names in an instance.
    pub fn replace_trigger(
        &self,
        expression: &Expr,
        scope: &Scope,
        values: &dyn Values,
    ) -> Evaluated<Option<Trigger>> {
        let mut run = Run::new(self, scope, values);
        let trigger = run.trigger(expression);
        run.finish(trigger)
    }

    /// The objects that an import block of the root module names, by its place in [`terrace_config::Module::imports`].
    pub fn import_targets(
        &self,
        index: usize,
        values: &dyn Values,
    ) -> Evaluated<Vec<ImportTarget>> {
        let mut evaluated = Evaluated::of(Vec::new());
        let Some(block) = self.inputs.config.root.module.imports.get(index) else {
            return evaluated;
        };
        let repetitions = match &block.for_each {
            Some(expression) => self
                .import_repetition(expression, Unknowns::Refuse, values)
                .take(&mut evaluated.dependencies, &mut evaluated.diagnostics),
            None => vec![RepetitionData::default()],
        };
        for repetition in repetitions {
            let scope = Scope::instance(ModuleInstance::root(), repetition);
            let mut run = Run::new(self, &scope, values);
            let target = run.import_target(block);
            evaluated.value.extend(
                run.finish(target)
                    .take(&mut evaluated.dependencies, &mut evaluated.diagnostics),
            );
        }
        evaluated
    }
}

/// One step of an address that is written as an expression.
enum AddressStep {
    Name(Text),
    Key(Value),
}

impl Run<'_> {
    fn trigger(&mut self, expression: &Expr) -> Option<Trigger> {
        let before = self.errors();
        self.check_references(expression, None);
        if self.errors() > before {
            return None;
        }
        let steps = self.address_steps(expression)?;
        let mut steps = steps.into_iter().peekable();
        let mode = mode_of(&mut steps);
        let (Some(AddressStep::Name(type_name)), Some(AddressStep::Name(name))) =
            (steps.next(), steps.next())
        else {
            return self.invalid_trigger(expression);
        };
        let found = self
            .node
            .and_then(|node| self.evaluator.resource(node, mode, &type_name, &name));
        let Some((config, resource)) = found else {
            return self.invalid_trigger(expression);
        };
        let resource = AbsResource {
            module: self.scope.module.clone(),
            resource: Arc::clone(resource),
        };
        let key = match steps.peek() {
            Some(AddressStep::Key(_)) => match steps.next() {
                Some(AddressStep::Key(key)) => instance_key(&key),
                _ => None,
            },
            _ => None,
        };
        let instance = match (&key, &config.repetition) {
            (Some(_), _) | (None, ForEachOrCount::Single | ForEachOrCount::Enabled(_)) => {
                Some(resource.instance(key))
            }
            (None, _) => None,
        };
        let path = steps.map(|step| match step {
            AddressStep::Name(name) => PathStep::Attribute(name),
            AddressStep::Key(key) => PathStep::Index(key),
        });
        let path = Path(path.collect());
        self.dependencies.insert(match &instance {
            Some(instance) => Dependency::Instance(instance.clone()),
            None => Dependency::Resource(resource.clone()),
        });
        Some(Trigger {
            resource,
            instance,
            path,
            span: expression.span,
        })
    }

    fn invalid_trigger(&mut self, expression: &Expr) -> Option<Trigger> {
        self.error(|| {
            Diagnostic::error(
                "invalid-trigger",
                "Invalid replace_triggered_by reference",
                "Only resources can be used in replace_triggered_by: a resource, one of its instances, or an attribute of one.",
            )
            .at(expression.span)
        });
        None
    }

    /// The steps of an address, its keys evaluated; `None` after an error.
    fn address_steps(&mut self, expression: &Expr) -> Option<Vec<AddressStep>> {
        match &expression.kind {
            ExprKind::Traversal(traversal) => {
                let root = AddressStep::Name(traversal.root.name.clone());
                Some(
                    std::iter::once(root)
                        .chain(traversal.steps.iter().filter_map(address_step))
                        .collect(),
                )
            }
            ExprKind::RelativeTraversal { source, steps } => {
                let mut found = self.address_steps(source)?;
                found.extend(steps.iter().filter_map(address_step));
                Some(found)
            }
            ExprKind::Index {
                collection, key, ..
            } => {
                let mut found = self.address_steps(collection)?;
                let before = self.errors();
                let value = self.eval(key, None);
                if self.errors() > before {
                    return None;
                }
                if !value.is_known() || value.is_null() || !value.marks().is_empty() {
                    self.error(|| {
                        Diagnostic::error(
                            "invalid-address-key",
                            "Invalid instance key",
                            "An instance key must be known, not null, and neither sensitive nor ephemeral.",
                        )
                        .at(key.span)
                    });
                    return None;
                }
                found.push(AddressStep::Key(value));
                Some(found)
            }
            _ => {
                self.error(|| {
                    Diagnostic::error(
                        "invalid-address",
                        "Invalid address",
                        "An address is required here: names, and instance keys in brackets.",
                    )
                    .at(expression.span)
                });
                None
            }
        }
    }

    fn import_target(&mut self, block: &ImportBlock) -> Option<ImportTarget> {
        let before = self.errors();
        let to = self.import_address(block)?;
        let id = match &block.id {
            Some(expression) => self.import_id(expression),
            None => Value::null(Type::String),
        };
        let identity = match &block.identity {
            Some(expression) => self.whole(expression),
            None => Value::NULL,
        };
        (self.errors() == before).then_some(ImportTarget { to, id, identity })
    }

    fn import_address(&mut self, block: &ImportBlock) -> Option<AbsResourceInstance> {
        let steps = self.address_steps(&block.to)?;
        let mut steps = steps.into_iter().peekable();
        let mut module = ModuleInstance::root();
        while matches!(steps.peek(), Some(AddressStep::Name(name)) if &**name == "module") {
            steps.next();
            let Some(AddressStep::Name(call)) = steps.next() else {
                break;
            };
            let key = steps
                .next_if(|step| matches!(step, AddressStep::Key(_)))
                .and_then(|step| step.key());
            module = module.child(call, key);
        }
        let mode = mode_of(&mut steps);
        let (Some(AddressStep::Name(type_name)), Some(AddressStep::Name(name))) =
            (steps.next(), steps.next())
        else {
            self.error(|| {
                Diagnostic::error(
                    "invalid-import",
                    "Invalid import address",
                    "Import blocks import resources: the address of one is required.",
                )
                .at(block.to.span)
            });
            return None;
        };
        let key = steps.next().and_then(|step| step.key());
        Some(
            Resource {
                mode,
                type_name,
                name,
            }
            .in_module(module)
            .instance(key),
        )
    }

    fn import_id(&mut self, expression: &Expr) -> Value {
        let before = self.errors();
        let value = self.whole(expression);
        if self.errors() > before {
            return Value::unknown(Type::String);
        }
        match suitable_id(&value) {
            Ok(id) => id,
            Err(detail) => {
                self.error_about(expression, None, || {
                    Diagnostic::error("invalid-import-id", "Invalid import id argument", detail)
                        .at(expression.span)
                });
                Value::unknown(Type::String)
            }
        }
    }

    /// As [`Self::import_id`], where what is not known yet may become an id.
    pub(crate) fn validate_import_id(&mut self, expression: &Expr) {
        let before = self.errors();
        let value = self.whole(expression);
        if self.errors() == before && value.is_known() {
            self.import_id(expression);
        }
    }
}

/// The id that an object is imported by, or why a value is none.
fn suitable_id(value: &Value) -> Result<Value, String> {
    if value.is_null() {
        return Err("The import ID cannot be null.".to_owned());
    }
    if value.marks().contains(Marks::SENSITIVE) {
        return Err("The import ID cannot be sensitive.".to_owned());
    }
    if value.marks().contains(Marks::EPHEMERAL) {
        return Err("The import ID cannot be ephemeral.".to_owned());
    }
    if !value.is_known() {
        return Err("The import block \"id\" argument depends on resource attributes that cannot be determined until apply, so Terrace cannot plan to import this resource.".to_owned());
    }
    match convert(value, &Type::String) {
        Ok(id) if id.as_str() == Some("") => Err(
            "The import ID value evaluates to an empty string, please provide a non-empty value."
                .to_owned(),
        ),
        Ok(id) => Ok(id),
        Err(error) => Err(format!("The import ID value is unsuitable: {error}.")),
    }
}

impl AddressStep {
    fn key(&self) -> Option<InstanceKey> {
        match self {
            Self::Key(value) => instance_key(value),
            Self::Name(_) => None,
        }
    }
}

fn address_step(step: &Step) -> Option<AddressStep> {
    match step {
        Step::Attribute(ident) => Some(AddressStep::Name(ident.name.clone())),
        Step::Index { key, .. } => Some(AddressStep::Key(key.clone())),
        Step::Splat { .. } => None,
    }
}

/// Takes `data`, `ephemeral` or `resource` off the beginning.
fn mode_of(steps: &mut std::iter::Peekable<std::vec::IntoIter<AddressStep>>) -> ResourceMode {
    let mode = match steps.peek() {
        Some(AddressStep::Name(name)) => match &**name {
            "data" => ResourceMode::Data,
            "ephemeral" => ResourceMode::Ephemeral,
            "resource" => ResourceMode::Managed,
            _ => return ResourceMode::Managed,
        },
        _ => return ResourceMode::Managed,
    };
    steps.next();
    mode
}

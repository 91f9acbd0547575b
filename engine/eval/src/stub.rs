use std::collections::BTreeSet;

use terrace_addr::{
    AbsNamed, AbsProviderConfig, AbsResource, AbsResourceInstance, ConfigResource, InstanceKey, ModuleInstance, ModulePath, Name,
};
use terrace_config::{CheckRule, ForEachOrCount, ResourceConfig};
use terrace_diag::{Diagnostics, Span};
use terrace_graph::{Dag, NodeId};
use terrace_schema::Block;
use terrace_syntax::{Body, Expr, Traversal};
use terrace_value::{Path, Type, Value};

use crate::{Dependency, Evaluated, Evaluator, Expansion, Scope, Values};

/// One object of the configuration: what is ordered before anything is expanded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConfigNode {
    /// A variable of a module.
    Variable(ModulePath, Name),
    /// A local value of a module.
    Local(ModulePath, Name),
    /// An output of a module.
    Output(ModulePath, Name),
    /// How a module call is expanded: the calling module and the call's name. Everything in the called module depends on it.
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

/// All objects of a configuration and which must be evaluated before which.
#[derive(Clone, Debug, Default)]
pub struct ConfigGraph {
    dag: Dag<ConfigNode>,
    ids: std::collections::HashMap<ConfigNode, NodeId>,
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
}

/// What is being expanded, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknowns {
    /// An unknown `count` or `for_each` is an error.
    Refuse,
    /// It gives [`Expansion::Unknown`].
    Allow,
}

/// Which construct a [`CheckRule`] belongs to; it makes the words of the diagnostics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// `validation` of a variable.
    Validation(Name),
    /// `precondition` of a resource.
    ResourcePrecondition,
    /// `postcondition` of a resource.
    ResourcePostcondition,
    /// `precondition` of an output.
    OutputPrecondition,
    /// `assert` of a check block: its failure is a warning.
    CheckAssertion,
}

/// What became of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// The condition holds.
    Pass,
    /// It does not: the message.
    Fail(String),
    /// Not known yet.
    Unknown,
    /// It could not be evaluated: see the diagnostics.
    Error,
}

/// What `replace_triggered_by` names.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// The resource.
    pub resource: AbsResource,
    /// Which instance; `None` for all.
    pub instance: Option<AbsResourceInstance>,
    /// The part of the object; the root for any change.
    pub path: Path,
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
    /// The order of everything in the configuration. Cycles are errors among the diagnostics.
    pub fn config_graph(&self) -> (ConfigGraph, Diagnostics) {
        todo!()
    }

    /// Checks everything that can be checked without values: references, types, bodies against schemas.
    pub fn validate(&self) -> Diagnostics {
        todo!()
    }

    /// Evaluates an expression.
    pub fn expression(&self, expression: &Expr, scope: &Scope, values: &dyn Values) -> Evaluated {
        let _ = (expression, scope, values);
        todo!()
    }

    /// Evaluates an expression and converts it to a type.
    pub fn expression_as(&self, expression: &Expr, ty: &Type, scope: &Scope, values: &dyn Values) -> Evaluated {
        let _ = (expression, ty, scope, values);
        todo!()
    }

    /// Reads a body by a schema, giving an object of the schema's implied type (`dynamic` blocks expanded).
    pub fn body(&self, body: &Body, schema: &Block, scope: &Scope, values: &dyn Values) -> Evaluated {
        let _ = (body, schema, scope, values);
        todo!()
    }

    /// Where in a body the part of its value stands that `path` leads to, or the nearest thing around it.
    pub fn span_of(&self, body: &Body, schema: &Block, path: &Path) -> Span {
        let _ = (schema, path);
        body.missing_span
    }

    /// The configuration of one instance of a resource by its provider's schema. Ephemeral values outside write-only
    /// arguments are errors.
    pub fn resource_body(&self, address: &AbsResourceInstance, config: &ResourceConfig, scope: &Scope, values: &dyn Values) -> Evaluated {
        let _ = (address, config, scope, values);
        todo!()
    }

    /// The configuration of a provider by its schema; an empty body's where there is no block.
    pub fn provider_body(&self, address: &AbsProviderConfig, values: &dyn Values) -> Evaluated {
        let _ = (address, values);
        todo!()
    }

    /// Which provider configuration a resource uses, found through the calls that pass it on.
    pub fn provider_of(&self, module: &ModulePath, config: &ResourceConfig) -> AbsProviderConfig {
        let _ = (module, config);
        todo!()
    }

    /// How a resource is expanded in a module instance; `None` where errors kept that from being found out.
    pub fn expand_resource(&self, module: &ModuleInstance, config: &ResourceConfig, unknowns: Unknowns, values: &dyn Values) -> Evaluated<Option<Expansion>> {
        let _ = (module, config, unknowns, values);
        todo!()
    }

    /// How the call `name` made from a module instance is expanded; `None` where errors kept that from being found out.
    pub fn expand_call(&self, module: &ModuleInstance, name: &Name, unknowns: Unknowns, values: &dyn Values) -> Evaluated<Option<Expansion>> {
        let _ = (module, name, unknowns, values);
        todo!()
    }

    /// How anything is expanded that stands in `scope`.
    pub fn expand(&self, repetition: &ForEachOrCount, unknowns: Unknowns, scope: &Scope, values: &dyn Values) -> Evaluated<Option<Expansion>> {
        let _ = (repetition, unknowns, scope, values);
        todo!()
    }

    /// The value of a variable, by the call's input (or what was given, in the root) and its declaration. Its
    /// validation rules are not judged here.
    pub fn variable(&self, address: &AbsNamed, values: &dyn Values) -> Evaluated {
        let _ = (address, values);
        todo!()
    }

    /// Judges the validation rules of a variable.
    pub fn validate_variable(&self, address: &AbsNamed, values: &dyn Values) -> Evaluated<Vec<CheckOutcome>> {
        let _ = (address, values);
        todo!()
    }

    /// The value of a local.
    pub fn local(&self, address: &AbsNamed, values: &dyn Values) -> Evaluated {
        let _ = (address, values);
        todo!()
    }

    /// The value of an output with its marks. Undeclared sensitive or ephemeral values are errors. Its preconditions
    /// are not judged here.
    pub fn output(&self, address: &AbsNamed, values: &dyn Values) -> Evaluated {
        let _ = (address, values);
        todo!()
    }

    /// What a variable, local or output read, once it has been evaluated; also the `depends_on` of an output.
    pub fn dependencies_of(&self, named: &Dependency) -> BTreeSet<Dependency> {
        let _ = named;
        todo!()
    }

    /// Judges one rule.
    pub fn check_rule(&self, rule: &CheckRule, kind: &RuleKind, scope: &Scope, values: &dyn Values) -> Evaluated<CheckOutcome> {
        let _ = (rule, kind, scope, values);
        todo!()
    }

    /// What `depends_on` (or another list of references) written in a module instance names.
    pub fn references(&self, module: &ModuleInstance, references: &[Traversal]) -> Evaluated<()> {
        let _ = (module, references);
        todo!()
    }

    /// What a resource waits for by `depends_on`: its own, and those of the calls of the modules around it.
    pub fn explicit_dependencies(&self, module: &ModuleInstance, config: &ResourceConfig) -> BTreeSet<Dependency> {
        let _ = (module, config);
        todo!()
    }

    /// What an expression of `replace_triggered_by` names in an instance.
    pub fn replace_trigger(&self, expression: &Expr, scope: &Scope, values: &dyn Values) -> Evaluated<Option<Trigger>> {
        let _ = (expression, scope, values);
        todo!()
    }

    /// The objects that an import block of the root module names, by its place in [`terrace_config::Module::imports`].
    pub fn import_targets(&self, index: usize, values: &dyn Values) -> Evaluated<Vec<ImportTarget>> {
        let _ = (index, values);
        todo!()
    }

    /// The instances of a module that exist by what is known, parents first: `None` where a call's expansion is not known.
    pub fn module_instances(&self, path: &ModulePath, values: &dyn Values) -> Option<Vec<ModuleInstance>> {
        let _ = (path, values);
        let _: Option<InstanceKey> = None;
        todo!()
    }
}

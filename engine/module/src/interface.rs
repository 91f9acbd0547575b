//! What callers of a module depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrace_addr::{
    ConfigResource, InstanceKey, LocalProviderConfig, ModulePath, Name, ProviderAddr, Resource,
};
use terrace_config::TypeDefaults;
use terrace_syntax::Expr;
use terrace_value::{Type, Value};

use crate::Place;

/// What callers of a module depend on, and what an upgrade would do to what it manages.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    /// Its variables.
    pub variables: BTreeMap<Name, Input>,
    /// Its outputs.
    pub outputs: BTreeMap<Name, OutputValue>,
    /// Its resources of all modes, those of the modules that it calls included.
    pub resources: BTreeMap<ConfigResource, ResourceBlock>,
    /// The modules that it calls, directly and through others.
    pub calls: BTreeMap<ModulePath, Call>,
    /// `moved` blocks, with addresses from the root of the module.
    pub moves: Vec<Move>,
    /// `removed` blocks, with addresses from the root of the module.
    pub removals: Vec<Removal>,
    /// The providers that it and the modules in it need, by local name.
    pub providers: BTreeMap<Name, ProviderNeed>,
    /// Constraints on the version of the engine, those of the modules in it included.
    pub engine: Vec<Requirement>,
}

/// A variable.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its description.
    pub description: Option<Arc<str>>,
    /// Its type constraint; `Dynamic` where there is none.
    pub ty: Type,
    /// Defaults of optional attributes.
    pub type_defaults: Option<Arc<TypeDefaults>>,
    /// Its default; without one, callers must give a value.
    pub default: Option<Value>,
    /// Whether it is hidden.
    pub sensitive: bool,
    /// Whether it takes ephemeral values.
    pub ephemeral: bool,
    /// Whether null is a value.
    pub nullable: bool,
    /// What callers are told who still set it.
    pub deprecated: Option<Arc<str>>,
    /// Whether its value must be known before state and providers.
    pub constant: bool,
    /// Its validations.
    pub validations: Vec<Condition>,
    /// Where it stands.
    pub place: Place,
}

/// An output.
#[derive(Clone, Debug)]
pub struct OutputValue {
    /// Its description.
    pub description: Option<Arc<str>>,
    /// What can be said of its type without values; `Dynamic` where nothing can.
    pub ty: Type,
    /// Its expression in a form for comparison.
    pub canonical: String,
    /// Its expression as written, on one line.
    pub written: String,
    /// Whether it is hidden.
    pub sensitive: bool,
    /// Whether it cannot be stored.
    pub ephemeral: bool,
    /// What callers are told who still read it.
    pub deprecated: Option<Arc<str>>,
    /// Its preconditions.
    pub preconditions: Vec<Condition>,
    /// Where it stands.
    pub place: Place,
}

/// A condition that a module holds its callers to.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The condition.
    pub expression: Expr,
    /// It in a form for comparison.
    pub canonical: String,
    /// It as written, on one line.
    pub written: String,
    /// Where it stands.
    pub place: Place,
}

/// How often something is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// Once, or once or not at all by `enabled`: without a key.
    Single,
    /// By number.
    Count {
        /// The expression in a form for comparison.
        canonical: String,
        /// The most that there can be, where that can be said.
        most: Option<u64>,
    },
    /// By key.
    ForEach {
        /// The expression in a form for comparison.
        canonical: String,
        /// The keys, where they are constant.
        keys: Option<BTreeSet<String>>,
    },
}

/// A `resource`, `data` or `ephemeral` block.
#[derive(Clone, Debug)]
pub struct ResourceBlock {
    /// The provider.
    pub provider: ProviderAddr,
    /// How often it is there.
    pub repetition: Repetition,
    /// Its arguments in a form for comparison; those of blocks as `block.argument`.
    pub arguments: BTreeMap<String, String>,
    /// Its arguments that are constants.
    pub constants: BTreeMap<String, Value>,
    /// What makes it be replaced beside its own arguments: expressions in a form for comparison.
    pub replace_triggered_by: BTreeSet<String>,
    /// Its preconditions.
    pub preconditions: Vec<Condition>,
    /// Whether its objects are protected from being destroyed.
    pub prevent_destroy: bool,
    /// Whether changes of all arguments are ignored.
    pub ignores_all: bool,
    /// Arguments whose changes are ignored.
    pub ignored: BTreeSet<String>,
    /// What its expressions refer to: roots such as `var.x`, `aws_vpc.main`, `module.a`.
    pub references: BTreeSet<String>,
    /// Where it stands.
    pub place: Place,
}

/// A `module` block.
#[derive(Clone, Debug)]
pub struct Call {
    /// The source as evaluated where it is known, else as written.
    pub source: String,
    /// The version constraint as written.
    pub version: Option<String>,
    /// How often it is there.
    pub repetition: Repetition,
    /// Its inputs in a form for comparison.
    pub inputs: BTreeMap<Name, String>,
    /// Whether what it calls could not be read, so that nothing is known of the resources in it.
    pub opaque: bool,
    /// What its expressions refer to.
    pub references: BTreeSet<String>,
    /// Where it stands.
    pub place: Place,
}

/// One end of a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedEnd {
    /// The module, without keys.
    pub module: ModulePath,
    /// The resource; `None` where a whole module is meant.
    pub resource: Option<Resource>,
    /// The key of the instance that is meant, where it names one.
    pub key: Option<InstanceKey>,
}

/// A `moved` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// What it was called.
    pub from: MovedEnd,
    /// What it is called now.
    pub to: MovedEnd,
    /// Where it stands.
    pub place: Place,
}

/// A `removed` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The module.
    pub module: ModulePath,
    /// The resource; `None` where a whole module is meant.
    pub resource: Option<Resource>,
    /// Whether its objects are destroyed.
    pub destroy: bool,
    /// Where it stands.
    pub place: Place,
}

/// A provider that a module needs.
#[derive(Clone, Debug)]
pub struct ProviderNeed {
    /// The provider.
    pub provider: ProviderAddr,
    /// Constraints on its version.
    pub versions: Vec<Requirement>,
    /// Provider configurations that callers must pass.
    pub aliases: BTreeSet<LocalProviderConfig>,
    /// Where it is declared; `None` where use implies it.
    pub place: Option<Place>,
}

/// A version constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// As written.
    pub written: String,
    /// Where.
    pub place: Place,
}

impl Interface {
    /// Whether `address`, of any module below the root, lies in a called module that could not be read.
    pub(crate) fn hides(&self, module: &ModulePath) -> bool {
        let steps = module.steps();
        (1..=steps.len()).any(|length| {
            let path: ModulePath = steps[..length].iter().cloned().collect();
            self.calls.get(&path).is_some_and(|call| call.opaque)
        })
    }
}

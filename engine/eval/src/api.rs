//! What evaluation asks and answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use terrace_addr::{AbsNamed, AbsResource, AbsResourceInstance, InstanceKey, ModuleInstance, Name};
use terrace_diag::Diagnostics;
use terrace_value::Value;

/// How often a resource or a module call is instantiated.
#[derive(Clone, Debug, PartialEq)]
pub enum Expansion {
    /// Once, without a key.
    Single,
    /// `count`
    Count(u64),
    /// `for_each`: keys in order with their values.
    ForEach(Arc<[(Name, Value)]>),
    /// Not known yet. Only where the caller allows it.
    Unknown,
}

impl Expansion {
    /// The keys, in order.
    pub fn keys(&self) -> Vec<Option<InstanceKey>> {
        match self {
            Self::Single => vec![None],
            Self::Count(count) => (0..*count).map(|index| Some(InstanceKey::Int(index))).collect(),
            Self::ForEach(entries) => {
                entries.iter().map(|(key, _)| Some(InstanceKey::String(key.clone()))).collect()
            }
            Self::Unknown => Vec::new(),
        }
    }
}

/// `count.index`, `each.key` and `each.value` of one instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RepetitionData {
    /// `count.index`
    pub count_index: Option<Value>,
    /// `each.key`
    pub each_key: Option<Value>,
    /// `each.value`
    pub each_value: Option<Value>,
}

/// What an evaluation read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dependency {
    /// One instance of a resource.
    Instance(AbsResourceInstance),
    /// All instances of a resource, or how many there are.
    Resource(AbsResource),
    /// A variable of a module instance.
    Variable(AbsNamed),
    /// A local value.
    Local(AbsNamed),
    /// An output of a module instance.
    Output(AbsNamed),
    /// All instances of a module call, or how many there are: the calling module's instance and the call's name.
    Call(AbsNamed),
}

/// A value, what it was made from, and what there is to say.
#[derive(Clone, Debug)]
pub struct Evaluated<T = Value> {
    /// The value; unknown where errors kept it from being evaluated.
    pub value: T,
    /// What was read directly. What a named value read in turn is told when that is asked for.
    pub dependencies: BTreeSet<Dependency>,
    /// What there is to say.
    pub diagnostics: Diagnostics,
}

/// Values of resource instances and how things are expanded, as far as they are known to planner or apply.
pub trait Values: Send + Sync {
    /// How a resource is expanded; `None` when that has not been found out (an evaluation order error, or a resource that is not part of a targeted run: evaluates as unknown).
    fn expansion(&self, resource: &AbsResource) -> Option<Expansion>;
    /// The value of an instance's object, with marks.
    fn instance(&self, address: &AbsResourceInstance) -> Option<Value>;
    /// How a module call made from `module` is expanded.
    fn call_expansion(&self, module: &ModuleInstance, call: &Name) -> Option<Expansion>;
    /// Calls a provider's function; `Err` holds the argument to blame and the message.
    fn provider_function(&self, provider: &terrace_addr::ProviderAddr, name: &str, arguments: &[Value]) -> Result<Value, (Option<usize>, String)>;
}

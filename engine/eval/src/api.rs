//! What evaluation asks and answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use terrace_addr::{
    AbsNamed, AbsResource, AbsResourceInstance, InstanceKey, ModuleInstance, Name, ProviderAddr,
};
use terrace_config::ForEachOrCount;
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
    /// Not at all, because it is not `enabled`; its value is null.
    Disabled,
    /// Not known yet. Only where the caller allows it.
    Unknown,
}

impl Expansion {
    /// The keys, in order.
    pub fn keys(&self) -> Vec<Option<InstanceKey>> {
        match self {
            Self::Single => vec![None],
            Self::Count(count) => (0..*count)
                .map(|index| Some(InstanceKey::Int(index)))
                .collect(),
            Self::ForEach(entries) => entries
                .iter()
                .map(|(key, _)| Some(InstanceKey::String(key.clone())))
                .collect(),
            Self::Disabled | Self::Unknown => Vec::new(),
        }
    }

    /// What `count` and `each` stand for in the instance `key`; empty when there is no such instance.
    pub fn repetition(&self, key: Option<&InstanceKey>) -> RepetitionData {
        match (self, key) {
            (Self::Count(count), Some(InstanceKey::Int(index))) if index < count => {
                RepetitionData::of_count(*index)
            }
            (Self::ForEach(entries), Some(InstanceKey::String(key))) => {
                match entries.binary_search_by(|(name, _)| name.cmp(key)) {
                    Ok(place) => RepetitionData::of_each(key, entries[place].1.clone()),
                    Err(_) => RepetitionData::default(),
                }
            }
            _ => RepetitionData::default(),
        }
    }

    /// What is left of it where only those instances count that exist; of a `count`, all before the last of them too.
    #[must_use]
    pub fn existing(&self, exists: impl Fn(&InstanceKey) -> bool) -> Self {
        match self {
            Self::Count(count) => {
                let last = (0..*count)
                    .rev()
                    .find(|index| exists(&InstanceKey::Int(*index)));
                Self::Count(last.map_or(0, |last| last + 1))
            }
            Self::ForEach(entries) => {
                let present = entries
                    .iter()
                    .filter(|(key, _)| exists(&InstanceKey::String(key.clone())));
                Self::ForEach(present.cloned().collect())
            }
            Self::Single | Self::Disabled | Self::Unknown => self.clone(),
        }
    }

    /// Whether there is an instance of this key. Nothing is certain of an unknown expansion.
    pub fn contains(&self, key: Option<&InstanceKey>) -> bool {
        match (self, key) {
            (Self::Single, None) => true,
            (Self::Count(count), Some(InstanceKey::Int(index))) => index < count,
            (Self::ForEach(entries), Some(InstanceKey::String(key))) => {
                entries.binary_search_by(|(name, _)| name.cmp(key)).is_ok()
            }
            _ => false,
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

impl RepetitionData {
    /// Of the instance `index` of something with `count`.
    pub fn of_count(index: u64) -> Self {
        Self {
            count_index: Some(Value::number(index.into())),
            ..Self::default()
        }
    }

    /// Of the instance `key` of something with `for_each`.
    pub fn of_each(key: &Name, value: Value) -> Self {
        Self {
            each_key: Some(Value::string(key.clone())),
            each_value: Some(value),
            ..Self::default()
        }
    }

    /// Of an instance that is not known yet, as validation sees it.
    pub fn unknown(repetition: &ForEachOrCount) -> Self {
        let not_null = |ty| {
            Some(Value::unknown_refined(
                ty,
                terrace_value::Refinements::not_null(),
            ))
        };
        match repetition {
            ForEachOrCount::Single | ForEachOrCount::Enabled(_) => Self::default(),
            ForEachOrCount::Count(_) => Self {
                count_index: not_null(terrace_value::Type::Number),
                ..Self::default()
            },
            ForEachOrCount::ForEach(_) => Self {
                each_key: not_null(terrace_value::Type::String),
                each_value: Some(Value::dynamic()),
                ..Self::default()
            },
        }
    }
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

impl<T> Evaluated<T> {
    /// A value made from nothing, with nothing to say.
    pub const fn of(value: T) -> Self {
        Self {
            value,
            dependencies: BTreeSet::new(),
            diagnostics: Diagnostics::new(),
        }
    }

    /// Another value made from the same.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Evaluated<U> {
        Evaluated {
            value: change(self.value),
            dependencies: self.dependencies,
            diagnostics: self.diagnostics,
        }
    }

    /// The value; what was read and what there is to say are added to `dependencies` and `diagnostics`.
    pub fn take(self, dependencies: &mut BTreeSet<Dependency>, diagnostics: &mut Diagnostics) -> T {
        dependencies.extend(self.dependencies);
        diagnostics.append(self.diagnostics);
        self.value
    }
}

/// Values of resource instances and how things are expanded, as far as they are known to planner or apply.
pub trait Values: Send + Sync {
    /// How a resource is expanded; `None` when that has not been found out (an evaluation order error, or a resource
    /// that is not part of a targeted run: evaluates as unknown).
    fn expansion(&self, resource: &AbsResource) -> Option<Expansion>;

    /// The value of an instance's object, with marks.
    fn instance(&self, address: &AbsResourceInstance) -> Option<Value>;

    /// How a module call made from `module` is expanded.
    fn call_expansion(&self, module: &ModuleInstance, call: &Name) -> Option<Expansion>;

    /// Calls a provider's function; `Err` holds the argument to blame and the message.
    fn provider_function(
        &self,
        provider: &ProviderAddr,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, (Option<usize>, String)>;

    /// A number that changes whenever the expansion of the resource or the value of any of its instances does, so that
    /// the value of the whole resource need not be built again for each reader. 0 says that nothing is promised.
    fn generation(&self, resource: &AbsResource) -> u64 {
        let _ = resource;
        0
    }
}

/// Nothing is known: what validation sees.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoValues;

impl Values for NoValues {
    fn expansion(&self, _: &AbsResource) -> Option<Expansion> {
        None
    }

    fn instance(&self, _: &AbsResourceInstance) -> Option<Value> {
        None
    }

    fn call_expansion(&self, _: &ModuleInstance, _: &Name) -> Option<Expansion> {
        None
    }

    fn provider_function(
        &self,
        _: &ProviderAddr,
        _: &str,
        _: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        Ok(Value::dynamic())
    }
}

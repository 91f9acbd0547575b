//! Where an expression stands.

use std::collections::BTreeMap;

use terrace_addr::{AbsResourceInstance, ModuleInstance, Name};
use terrace_value::Value;

use crate::RepetitionData;

/// Where an expression stands: what names mean there.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The module instance.
    pub module: ModuleInstance,
    /// `count.index`, `each.key` and `each.value`.
    pub repetition: RepetitionData,
    /// `self`: the object of the resource instance (provisioners, connections, postconditions).
    pub self_value: Option<Value>,
    /// The instance whose own block this is: postconditions may read it under its address too, and get `self_value`.
    pub self_address: Option<AbsResourceInstance>,
    /// Names that stand for values and hide everything else of that name, such as the variables of a template.
    pub variables: BTreeMap<Name, Value>,
    /// Only `self`, `count.index` and `each.key` may be read, as in a provisioner that runs when its object is destroyed.
    pub only_self: bool,
    /// Input variables that are being given a value and so are read here, in place of the evaluator's own answer: in
    /// the rules of a variable, that variable.
    pub inputs: BTreeMap<Name, Value>,
}

impl Scope {
    /// In a module instance, outside anything that repeats.
    pub fn module(module: ModuleInstance) -> Self {
        Self {
            module,
            ..Self::default()
        }
    }

    /// In one instance of something in a module instance.
    pub fn instance(module: ModuleInstance, repetition: RepetitionData) -> Self {
        Self {
            module,
            repetition,
            ..Self::default()
        }
    }

    /// With `self`.
    #[must_use]
    pub fn with_self(mut self, value: Value) -> Self {
        self.self_value = Some(value);
        self
    }
}

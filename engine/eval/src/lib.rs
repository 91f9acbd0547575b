//! Evaluation: expressions, scopes, expansion, and what depends on what.
//!
//! An [`Evaluator`] holds a configuration and evaluates its named values (variables, locals, outputs of modules) on
//! demand, each once. Values of resource instances come from outside, through [`Values`], which planner and apply
//! implement. Everything that is evaluated also tells what it read, as precise [`Dependency`]s.

mod api;
mod evaluator;
mod memo;
mod scope;
mod stub;

pub use api::{Dependency, Evaluated, Expansion, NoValues, RepetitionData, Values};
pub use evaluator::{Evaluator, Inputs, Paths, Schemas};
pub use scope::Scope;
pub use stub::{CheckOutcome, ConfigGraph, ConfigNode, ImportTarget, RuleKind, Trigger, Unknowns};

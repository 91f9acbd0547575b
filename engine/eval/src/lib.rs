//! Evaluation: expressions, scopes, expansion, and what depends on what.
//!
//! An [`Evaluator`] holds a configuration and evaluates its named values (variables, locals, outputs of modules) on
//! demand, each once. Values of resource instances come from outside, through [`Values`], which planner and apply
//! implement. Everything that is evaluated also tells what it read, as precise [`Dependency`]s.

mod api;
mod body;
mod dependency;
mod describe;
mod early;
mod evaluator;
mod expand;
mod expression;
mod graph;
mod index;
mod memo;
mod named;
mod provider;
mod reference;
mod rule;
mod scope;
mod validate;
mod visit;

pub use api::{Dependency, Evaluated, Expansion, NoValues, RepetitionData, Values};
pub use dependency::{ImportTarget, Trigger};
pub use early::{EarlyInputs, evaluate_early};
pub use evaluator::{Evaluator, Inputs, KnownOutputs, Paths, Schemas};
pub use expand::Unknowns;
pub use graph::{ConfigGraph, ConfigNode};
pub use named::{InputRefused, converted_input};
pub use rule::{CheckOutcome, RuleKind};
pub use scope::Scope;

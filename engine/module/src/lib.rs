//! Modules as those see them who use and who write them.
//!
//! [`Interface::of`] reads from a configuration what callers of its root module depend on, and [`compare`] tells what
//! changed between two versions of it: findings with file and line, and the [`Step`] that the next version needs.
//! [`Documentation`] describes a module as data, from which Markdown, JSON and a diagram are made. [`scaffold`] gives
//! the files of a new module. [`dependencies`] finds what modules a configuration calls, and edits their versions;
//! [`concerns`] finds the lines of a caller that a change breaks.
//!
//! Nothing here touches files, processes or the network.

mod accepts;
mod callers;
mod canonical;
mod compare;
mod conditions;
mod constraints;
mod dependencies;
mod document;
mod finding;
mod guidelines;
mod immutable;
mod interface;
mod place;
mod read;
mod scaffold;
mod shape;
mod type_text;

pub use accepts::{TypeChange, TypeChangeKind, type_changes};
pub use callers::{Concern, concerns};
pub use compare::compare;
pub use constraints::{Comparison, compare_constraints};
pub use dependencies::{Dependency, DependencyKind, Edit, apply_edits, dependencies};
pub use document::{
    Documentation, DocumentedCall, DocumentedInput, DocumentedOutput, DocumentedProvider,
    DocumentedResource, Markers, Splice, diagram, markdown, splice,
};
pub use finding::{Changes, Finding, Kind, Step, next_version};
pub use guidelines::{concerns_roots_only, guidelines};
pub use interface::{
    Call, Condition, Input, Interface, Move, MovedEnd, OutputValue, ProviderNeed, Removal,
    Repetition, Requirement, ResourceBlock,
};
pub use place::Place;
pub use scaffold::{Scaffold, ScaffoldFile, scaffold};
pub use shape::{NoTypes, ResourceTypes};
pub use type_text::type_text;

//! The plan as an artefact: changes, execution graph, reasons, digest, plan file, `show -json`. No decisions are made here.

mod file;
mod ignore;
mod json;
mod moved;
mod plan;
mod secrets;
mod wire;
mod words;

pub use file::{PlanDigest, is_plan_file, read_plan_file, write_plan_file};
pub use ignore::ignore_changes;
pub use json::{SchemaLookup, change_json, plan_json, state_json, stored_value};
pub use moved::{Differences, differences};
pub use plan::{
    Action, ActionReason, ChangeRequest, ExecGraph, FileRead, Importing, Op, OpKind, OutputChange,
    Plan, PlanInputs, PlanMode, PlannedProvider, Reason, RelevantAttribute, ResourceChange,
    UsedOutput, VariableInput,
};
pub use secrets::Secrets;
pub use wire::PlanReadError;

//! The plan as an artefact: changes, execution graph, reasons, digest, plan file, `show -json`. No decisions are made here.

mod plan;

pub use plan::{
    Action, ActionReason, ExecGraph, FileRead, Importing, Op, OpKind, OutputChange, Plan, PlanInputs, PlanMode,
    PlannedProvider, Reason, RelevantAttribute, ResourceChange, VariableInput,
};

//! What CI tells of plans and applies, as data and texts: which stacks of which environments a change touches, the sticky
//! comment, the job's summary, annotations and checks.
//!
//! Nothing here reads a file, asks a server or knows the time. Everything that people or plans have written goes into Markdown
//! as text: it names nobody, links nowhere and ends no block. Every text fits into the limit of where it is shown, and says
//! where the whole is.

mod annotation;
mod applied;
mod check;
mod comment;
mod drift;
mod event;
mod limit;
mod markdown;
mod matrix;
mod report;
mod scope;
mod wire;
mod workflows;

pub use annotation::{Annotation, Level, changed_lines, commands, touching};
pub use applied::{
    APPLIED, AppliedEntry, ApplyOutcome, ApplyReport, carry_applied, deployment_state, has_applied,
    with_applied,
};
pub use check::{Check, Conclusion};
pub use comment::{Whereabouts, marker};
pub use drift::{DRIFT_LABEL, DriftOutcome, DriftReport};
pub use event::{Event, EventKind};
pub use limit::{ANNOTATIONS_A_REQUEST, CHECK_OUTPUT, COMMENT, JOB_SUMMARY, cut, cut_lines};
pub use markdown::{as_diff, code, fenced, inert};
pub use matrix::{MATRIX_JOBS, MatrixJob, matrix, matrix_json, variable_name};
pub use report::{
    ChangedObject, Counts, GateReport, MissingPiece, Outcome, PlanReport, PolicyReport, Problem,
    Verdict,
};
pub use scope::{Area, Scope, touched};
pub use wire::{read_reports, write_report};
pub use workflows::{Workflow, WorkflowSettings, is_untouched, workflows};

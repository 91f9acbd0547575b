//! Environments as steps, evidence, approvals and the audit chain: what lets a plan through, and the proof of it.
//!
//! [`approve`] is the only constructor of [`ApprovedPlan`], and `apply` takes nothing else. Evidence is gathered from
//! the run store beside the state, so that neither a missing project file nor a missing `-env` walks around a gate.

mod approval;
mod approve;
mod audit;
mod evidence;
mod project;
mod rules;
mod runs;
mod wire;

pub use approval::{
    APPROVAL_NAMESPACE, AUTHOR_NAMESPACE, Approval, ApprovalError, ApprovalParts, Authorship,
    EnvelopeBytes, Statement, fingerprint_of, sign_approval, sign_authorship,
};
pub use approve::{ApprovedPlan, Refusal, RefusalReason, approve};
pub use audit::{
    AuditEntry, AuditEvent, AuditProblem, append as append_audit, entries as audit_entries,
    verify as verify_audit,
};
pub use evidence::{Evidence, Upstream, gather, guard_manual_write};
pub use project::{Environment, EnvironmentBackend, Project, parse as parse_project};
pub use rules::{Gate, Person, Rules, RulesDigest};
pub use runs::{
    Run, RunCounts, RunStatus, approvals as run_approvals, configuration_digest, find as find_run,
    last_applied, list as list_runs, load as load_run, load_plan as load_run_plan, record_applied,
    record_applying, save as save_run, save_approval, save_authorship, save_plan as save_run_plan,
};

//! Environments as steps, evidence, approvals and the audit chain: what lets a plan through, and the proof of it.
//!
//! [`approve`] is the only constructor of [`ApprovedPlan`], and `apply` takes nothing else. Evidence is gathered from
//! the run store beside the state, so that neither a missing project file nor a missing `-env` walks around a gate.

mod approval;
mod approve;
mod audit;
mod bundle;
mod calendar;
mod demand;
mod differences;
mod digest;
mod drift;
mod evidence;
mod forge;
mod identity;
mod key;
mod outputs;
mod owed;
mod pattern;
mod payload;
mod policy;
mod project;
mod refusal;
mod report;
mod retention;
mod reviewed;
mod rules;
mod runs;
mod shape;
mod signers;
mod source;
mod stacks;
mod tail;
mod token;
mod verify;
mod wire;

pub use approval::{
    APPROVAL_NAMESPACE, AUTHOR_NAMESPACE, Approval, ApprovalError, ApprovalParts, Authorship,
    EnvelopeBytes, REVIEW_NAMESPACE, REVOCATION_NAMESPACE, ReviewSigned, Revocation, Statement,
    fingerprint_of, sign_approval, sign_authorship, sign_review, sign_revocation, sign_statement,
};
pub use approve::{ApprovedPlan, approve, approvers_counted};
pub use audit::{
    AUDIT_NAMESPACE, AuditEntry, AuditEvent, AuditHead, AuditProblem, append as append_audit,
    append_signed as append_signed_audit, entries as audit_entries, verify as verify_audit,
};
pub use bundle::{BUNDLE_NAMESPACE, Bundle};
pub use calendar::{Freeze, TimeOfDay, Weekday, Window, is_zone};
pub use demand::Demand;
pub use drift::{DriftCheck, last_drift, record_drift};
pub use evidence::{
    Evidence, RulesChange, Upstream, gather, guard_manual_write, rules_change, rules_in_force,
    unready,
};
pub use forge::{ForgeReference, ForgeReview, read_forge, save_forge_reference};
pub use identity::{
    AUTHORS_DETAIL, IDENTITY_DETAIL, IDENTITY_KEY_DETAIL, Identified, IdentityProof,
    audience as identity_audience, obtain_identity, read_identity, save_identity,
};
pub use key::{SshKey, public_key_of};
pub use outputs::{
    OUTPUTS_DETAIL, OUTPUTS_NAMESPACE, OutputsDocument, OutputsProblem, OutputsQuestion,
    PublishedOutput, PublishedOutputs, outputs_digest, read_outputs, save_outputs,
};
pub use owed::{OpenReview, OwedReview, load_owed, open_reviews, record_owed, save_review};
pub use pattern::Pattern;
pub use payload::{Opened, open_payload, sign_payload};
pub use policy::{
    Asker, Policy, PolicyEffect, PolicyFinding, PolicyLevel, PolicyResult, PolicyResults,
    judge_document, judge_policies,
};
pub use project::{
    CredentialSet, CredentialSource, Credentials, Environment, EnvironmentBackend, IdentityBlock,
    PolicyBlock, Project, StackDeclaration, StackInput, parse as parse_project,
};
pub use refusal::{Refusal, RefusalReason, told_length};
pub use report::{Judged, Override, Report, Waiting, report};
pub use retention::{Prunable, Retention, forget as forget_run, prunable};
pub use reviewed::{Reviewed, forget_reviewed, load_reviewed, record_reviewed};
pub use rules::{
    ChangeKind, ChangeRule, Gate, GitHub, Obstacle, Person, Review, Risk, Rules, RulesDigest,
    WorkflowIdentity,
};
pub use runs::{
    PolicyStage, Run, RunCounts, RunStatus, approvals as run_approvals, configuration_digest,
    find as find_run, last_applied, list as list_runs, load as load_run,
    load_plan as load_run_plan, load_policies as load_run_policies, load_rules as load_run_rules,
    record_applied, record_applying, save as save_run, save_approval, save_authorship,
    save_plan as save_run_plan, save_policies as save_run_policies, save_revocation,
    save_rules as save_run_rules,
};
pub use shape::{Line, Shape, ShapeAction};
pub use signers::parse_allowed_signers;
pub use source::{SourceFound, SourceQuestion, examine_source};
pub use stacks::{Stack, Stacks, TakenInput};
pub use tail::{Tail, anchor_audit, verify_with_state};
pub use verify::{Finding, verify_run};

//! Creating and updating an object.

use std::sync::Arc;

use terrace_config::IgnoreChanges;
use terrace_diag::Diagnostics;
use terrace_instances::{lasting_marks, write_only_answers};
use terrace_plan::ResourceChange;
use terrace_port::{ApplyRequest, PlanRequest, PlanResponse};
use terrace_state::{Object, ObjectStatus};
use terrace_value::{Marks, Path, Value};

use super::outcome::{Expected, judge};
use super::{ObjectOutcome, Subject, mark};

/// A change as it was approved, with the configuration as it is known now.
pub(crate) struct Approved {
    /// The change.
    pub(crate) change: ResourceChange,
    /// The object to be updated; `None` for a creation.
    pub(crate) prior: Option<Arc<Object>>,
    /// The evaluated body, with marks.
    pub(crate) config: Value,
    /// Whether it is only forgotten when it is to go.
    pub(crate) skip_destroy: bool,
}

/// What the provider is asked for.
pub(crate) struct FinalPlan {
    /// Whether the provider is asked at all: an update may turn out to change nothing.
    pub(crate) changes: bool,
    /// The planned value, without marks.
    pub(crate) planned: Value,
    /// The planned identity.
    identity: Option<Value>,
    config: Value,
    marks: Vec<(Path, Marks)>,
    prior: Value,
    /// The private bytes of the plan.
    pub(crate) private: Arc<[u8]>,
}

impl Approved {
    /// The value before, with marks; null for a creation.
    fn before(&self, subject: &Subject) -> Value {
        match self.prior {
            Some(_) => self.change.before.clone(),
            None => Value::null(subject.schema.block.implied_type()),
        }
    }

    /// What the object to store has beside its attributes.
    fn base(&self) -> Object {
        Object {
            schema_version: 0,
            attributes: [].into(),
            sensitive_paths: Vec::new(),
            private: [].into(),
            dependencies: self.change.dependencies.clone(),
            status: ObjectStatus::Ready,
            create_before_destroy: self.change.create_before_destroy,
            skip_destroy: self.skip_destroy,
            identity: self
                .prior
                .as_ref()
                .and_then(|object| object.identity.clone()),
        }
    }
}

/// Plans the change once more, now that what was unknown is known, and holds the answer against the approved change.
pub(crate) async fn final_plan(
    subject: &Subject,
    approved: &Approved,
) -> (Option<FinalPlan>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let plan = plan(subject, approved, &mut diagnostics).await;
    (plan.filter(|_| !diagnostics.has_errors()), diagnostics)
}

async fn plan(
    subject: &Subject,
    approved: &Approved,
    diagnostics: &mut Diagnostics,
) -> Option<FinalPlan> {
    let block = &subject.schema.block;
    let type_name = subject.address.type_name();
    let written = approved.config.unmark_deep().0;
    match subject
        .provider
        .validate_resource_config(type_name, written)
        .await
    {
        Ok(reply) => {
            // Warnings were shown while planning.
            let errors = reply
                .diagnostics
                .into_iter()
                .filter(|remark| remark.error)
                .collect();
            if subject.remark(errors, diagnostics) {
                return None;
            }
        }
        Err(error) => {
            diagnostics.push(subject.call_failed("checking the configuration of", &error));
            return None;
        }
    }
    let before = approved.before(subject);
    let ignored = subject.block.as_ref().map_or(IgnoreChanges::None, |block| {
        block.lifecycle.ignore_changes.clone()
    });
    let config = terrace_plan::ignore_changes(&ignored, block, &before, &approved.config);
    let (config, marks) = config.unmark_deep_with_paths();
    let marks = lasting_marks(block, &config, marks);
    let prior = before.unmark_deep().0;
    let identity = match &approved.prior {
        Some(object) => subject.stored_identity(object, diagnostics).await,
        None => None,
    };
    let request = PlanRequest {
        type_name: type_name.clone(),
        prior: prior.clone(),
        proposed: terrace_schema::proposed_new(block, &prior, &config),
        config: config.clone(),
        prior_private: approved
            .prior
            .as_ref()
            .map_or_else(|| [].into(), |object| object.private.clone()),
        identity: identity.clone(),
    };
    let mut response = match subject.provider.plan(request).await {
        Ok(reply) => {
            if subject.remark(reply.diagnostics, diagnostics) {
                return None;
            }
            if reply.deferred.is_some() {
                diagnostics.push(subject.put_off());
                return None;
            }
            reply.value
        }
        Err(error) => {
            diagnostics.push(subject.call_failed("planning", &error));
            return None;
        }
    };
    if response.legacy_type_system {
        response.planned = terrace_plan::ignore_changes(&ignored, block, &prior, &response.planned);
    }
    check_answer(subject, &prior, &config, &response, diagnostics);
    if diagnostics.has_errors() {
        return None;
    }
    check_approved(subject, approved, &prior, &response, diagnostics);
    let identity = subject
        .checked_identity(response.identity, true, diagnostics)
        .or(identity);
    let changes = prior.is_null() || response.planned != prior;
    Some(FinalPlan {
        changes,
        planned: response.planned,
        identity,
        config,
        marks,
        prior,
        private: response.private,
    })
}

/// Whether the answer holds by itself.
fn check_answer(
    subject: &Subject,
    prior: &Value,
    config: &Value,
    response: &PlanResponse,
    diagnostics: &mut Diagnostics,
) {
    let block = &subject.schema.block;
    let mut invalid = |problem: &dyn std::fmt::Display| {
        let what = format!(
            "Provider {} planned an invalid value for {}: {problem}.",
            subject.provider_name(),
            subject.address
        );
        diagnostics.push(subject.broken_contract("Provider produced invalid plan", &what));
    };
    if response.planned.is_null() {
        return invalid(&"it must not be null");
    }
    if let Err(problem) = terrace_schema::assert_conforms(block, &response.planned) {
        return invalid(&problem);
    }
    for leak in write_only_answers(
        &subject.address,
        block,
        &response.planned,
        "during planning",
    ) {
        let what = format!("Provider {} {leak}.", subject.provider_name());
        diagnostics.push(subject.broken_contract("Provider produced invalid plan", &what));
    }
    if diagnostics.has_errors() {
        return;
    }
    let mut invalid = |problem: &dyn std::fmt::Display| {
        let what = format!(
            "Provider {} planned an invalid value for {}: {problem}.",
            subject.provider_name(),
            subject.address
        );
        diagnostics.push(subject.broken_contract("Provider produced invalid plan", &what));
    };
    if !response.legacy_type_system {
        for problem in terrace_schema::assert_plan_valid(block, prior, config, &response.planned) {
            invalid(&problem);
        }
    }
}

/// Whether the answer is still what was approved: the same action, and every value that was known.
fn check_approved(
    subject: &Subject,
    approved: &Approved,
    prior: &Value,
    response: &PlanResponse,
    diagnostics: &mut Diagnostics,
) {
    let mut inconsistent = |problem: String| {
        let what = format!(
            "When expanding the plan for {} to include new values learned so far during apply, provider {} {problem}.",
            subject.address,
            subject.provider_name()
        );
        diagnostics
            .push(subject.broken_contract("Provider produced inconsistent final plan", &what));
    };
    let replaces = |path: &&Path| {
        let (before, after) = (prior.at_path(path), response.planned.at_path(path));
        before != after
    };
    if !prior.is_null() {
        if let Some(path) = response.requires_replace.iter().find(replaces) {
            inconsistent(format!(
                "changed the planned action from update to replace: {} cannot be changed in place",
                path.to_string().trim_start_matches('.')
            ));
            return;
        }
    }
    let planned = approved.change.after.unmark_deep().0;
    for problem in
        terrace_schema::assert_object_compatible(&subject.schema.block, &planned, &response.planned)
    {
        inconsistent(format!("produced an invalid new value for {problem}"));
    }
}

/// Asks the provider for the change and says what to keep of its answer.
pub(crate) async fn apply_change(
    subject: &Subject,
    approved: &Approved,
    plan: FinalPlan,
) -> ObjectOutcome {
    let block = &subject.schema.block;
    let before = approved.before(subject);
    let base = approved.base();
    let prior = approved.prior.as_ref().map(|object| (object, &before));
    if !plan.changes {
        let value = mark(&plan.planned, block, &plan.marks);
        let status = approved.prior.as_ref().map(|object| object.status);
        let base = Object {
            private: plan.private,
            status: status.unwrap_or_default(),
            ..base
        };
        let encoded = subject.encode(&value, base);
        let object = match &approved.prior {
            // Nothing has come of the change at all.
            Some(prior) if prior.sensitive_paths == encoded.sensitive_paths => Arc::clone(prior),
            _ => encoded,
        };
        let object = Some(object);
        return ObjectOutcome {
            object,
            value,
            failed: false,
            uncertain: false,
            diagnostics: Diagnostics::new(),
        };
    }
    let request = ApplyRequest {
        type_name: subject.address.type_name().clone(),
        prior: plan.prior,
        planned: plan.planned.clone(),
        config: plan.config,
        planned_private: plan.private,
        identity: plan.identity,
    };
    let mut diagnostics = Diagnostics::new();
    match subject.ask("changing", request).await {
        Ok(reply) => {
            let failed = subject.remark(reply.diagnostics, &mut diagnostics);
            let expected = Expected {
                prior,
                planned: &plan.planned,
                marks: &plan.marks,
                base: &base,
            };
            judge(subject, &expected, reply.value, failed, diagnostics)
        }
        Err(unanswered) => {
            diagnostics.push(unanswered.diagnostic);
            ObjectOutcome {
                object: approved.prior.clone(),
                value: before.clone(),
                failed: true,
                uncertain: unanswered.uncertain,
                diagnostics,
            }
        }
    }
}

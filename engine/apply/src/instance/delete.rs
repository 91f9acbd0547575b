//! Destroying an object.

use std::sync::Arc;

use terrace_diag::Diagnostics;
use terrace_port::{ApplyRequest, PlanRequest};
use terrace_state::Object;
use terrace_value::Value;

use super::{ObjectOutcome, Subject, mark};

/// An object to destroy.
pub(crate) struct Removal {
    /// The object.
    pub(crate) object: Arc<Object>,
    /// Its value with marks.
    pub(crate) before: Value,
    /// The private bytes of the planned destruction; `None` when it is half of a replacement, which is planned now.
    pub(crate) planned_private: Option<Arc<[u8]>>,
}

/// Asks the provider to destroy an object.
pub(crate) async fn delete(
    subject: &Subject,
    removal: &Removal,
    plan_destroy: bool,
) -> ObjectOutcome {
    let block = &subject.schema.block;
    let null = Value::null(block.implied_type());
    let (prior, marks) = removal.before.unmark_deep_with_paths();
    let mut diagnostics = Diagnostics::new();
    let kept = |uncertain, diagnostics| ObjectOutcome {
        object: Some(removal.object.clone()),
        value: removal.before.clone(),
        failed: true,
        uncertain,
        diagnostics,
    };
    let identity = subject
        .stored_identity(&removal.object, &mut diagnostics)
        .await;
    let private = match &removal.planned_private {
        Some(private) => private.clone(),
        None if plan_destroy => match plan(
            subject,
            removal,
            (&prior, identity.clone()),
            &mut diagnostics,
        )
        .await
        {
            Some(private) => private,
            None => return kept(false, diagnostics),
        },
        None => removal.object.private.clone(),
    };
    let request = ApplyRequest {
        type_name: subject.address.type_name().clone(),
        prior,
        planned: null.clone(),
        config: null,
        planned_private: private,
        identity: identity.clone(),
    };
    let reply = match subject.ask("destroying", request).await {
        Ok(reply) => reply,
        Err(unanswered) => {
            diagnostics.push(unanswered.diagnostic);
            return kept(unanswered.uncertain, diagnostics);
        }
    };
    let failed = subject.remark(reply.diagnostics, &mut diagnostics);
    let response = reply.value;
    if response.state.is_null() {
        if failed {
            return kept(false, diagnostics);
        }
        return ObjectOutcome {
            object: None,
            value: response.state,
            failed: false,
            uncertain: false,
            diagnostics,
        };
    }
    let conforms = terrace_schema::assert_conforms(block, &response.state).is_ok()
        && response.state.is_wholly_known();
    if !failed {
        let what = format!(
            "Provider {} answered the destruction of {} with an object and without an error.",
            subject.provider_name(),
            subject.address
        );
        diagnostics.push(
            subject.broken_contract("Provider produced inconsistent result after apply", &what),
        );
    }
    if !conforms {
        return kept(false, diagnostics);
    }
    let value = mark(&response.state, block, &marks);
    let base = Object {
        private: response.private,
        ..(*removal.object).clone()
    };
    ObjectOutcome {
        object: Some(subject.encode(&value, base)),
        value,
        failed: true,
        uncertain: false,
        diagnostics,
    }
}

/// Plans the destruction; its private bytes.
async fn plan(
    subject: &Subject,
    removal: &Removal,
    (prior, identity): (&Value, Option<Value>),
    diagnostics: &mut Diagnostics,
) -> Option<Arc<[u8]>> {
    let null = Value::null(subject.schema.block.implied_type());
    let request = PlanRequest {
        type_name: subject.address.type_name().clone(),
        prior: prior.clone(),
        proposed: null.clone(),
        config: null,
        prior_private: removal.object.private.clone(),
        identity,
    };
    match subject.provider.plan(request).await {
        Ok(reply) => {
            let failed = subject.remark(reply.diagnostics, diagnostics);
            if reply.deferred.is_some() {
                diagnostics.push(subject.put_off());
                return None;
            }
            (!failed).then_some(reply.value.private)
        }
        Err(error) => {
            diagnostics.push(subject.call_failed("planning the destruction of", &error));
            None
        }
    }
}

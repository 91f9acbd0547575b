//! Objects that were of another resource type, or of another provider, before they moved.

use std::sync::Arc;

use terrace_diag::Diagnostic;
use terrace_port::{MoveRequest, ResourceState};
use terrace_state::Object;

use super::verify::{self, broken_contract, call_failed, remark_value, remarks};
use super::{Known, ManagedInput, ManagedOutcome, prior};

/// Asks the provider to take over an object that was of another type. The outer `None` means errors, the inner one that
/// the object always was of this type.
pub(super) async fn take_over(
    input: &ManagedInput,
    stored: &Arc<Object>,
    outcome: &mut ManagedOutcome,
) -> Option<Option<Known>> {
    let subject = &input.subject;
    let target = subject.address.type_name();
    let own = &subject.provider_config.provider;
    let previous = subject.previous_address.as_ref();
    let Some(previous) = previous else {
        return Some(None);
    };
    let source_provider = input.stored_provider.as_ref().unwrap_or(own);
    if previous.type_name() == target && source_provider == own {
        return Some(None);
    }
    let schemas = subject.evaluator.schemas().get(own);
    if !schemas.is_some_and(|schema| schema.move_resource_state) {
        outcome.diagnostics.push(
            Diagnostic::error(
                "move-not-supported",
                "Move not supported",
                format!(
                    "The object at {previous} of the provider {source_provider} has moved to {}, but the provider {own} does not support moved operations across resource types and providers. Remove the moved block, and remove and import the object instead.",
                    subject.address
                ),
            )
            .at_opt(subject.span())
            .address(&subject.address),
        );
        return None;
    }
    let request = MoveRequest {
        source_provider: source_provider.to_string().into(),
        source: ResourceState {
            type_name: previous.type_name().clone(),
            schema_version: stored.schema_version,
            json: stored.attributes.clone(),
        },
        source_private: stored.private.clone(),
        target_type_name: target.clone(),
        source_identity: stored.identity.as_ref().map(|identity| ResourceState {
            type_name: previous.type_name().clone(),
            schema_version: identity.schema_version,
            json: identity.attributes.clone(),
        }),
    };
    let reply = match subject.provider.move_state(request).await {
        Ok(reply) => reply,
        Err(error) => {
            outcome
                .diagnostics
                .push(call_failed(subject, "moving", &error));
            return None;
        }
    };
    let failed = reply.failed();
    outcome
        .diagnostics
        .append(remarks(subject, reply.diagnostics));
    if failed {
        return None;
    }
    let response = reply.value;
    let block = &subject.schema.block;
    let problem = match terrace_schema::assert_conforms(block, &response.state) {
        Err(problem) => Some(problem.to_string()),
        Ok(()) if response.state.is_null() => Some("it must not be null".to_owned()),
        Ok(()) if !response.state.is_wholly_known() => Some("it must be wholly known".to_owned()),
        Ok(()) => None,
    };
    if let Some(problem) = problem {
        outcome.diagnostics.push(broken_contract(
            subject,
            "Provider returned invalid value",
            &format!(
                "returned an invalid value after moving {previous} to {}: {problem}",
                subject.address
            ),
        ));
        return None;
    }
    // What was sensitive there has no place here.
    let value = remark_value(&response.state, block, &[]);
    let identity =
        verify::identity(subject, response.identity, false, &mut outcome.diagnostics).ok()?;
    let base = Object {
        private: response.private,
        identity: identity
            .as_ref()
            .and_then(|identity| prior::encoded(subject.identity_schema(), identity)),
        sensitive_paths: Vec::new(),
        ..(**stored).clone()
    };
    let object = prior::encode(&subject.schema, &value, base);
    Some(Some(Known {
        value,
        object,
        identity,
    }))
}

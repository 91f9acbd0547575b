//! Reading a data resource.

use terrace_diag::{Diagnostics, Severity};
use terrace_state::{Object, ObjectStatus};
use terrace_value::Value;

use super::{ObjectOutcome, Subject, mark};

/// Reads a data resource; errors of one in a `check` block are warnings, and it is null then.
pub(crate) async fn read_data(subject: &Subject, config: &Value, in_check: bool) -> ObjectOutcome {
    let block = &subject.schema.block;
    let null = Value::null(block.implied_type());
    let running = subject.started("read", &null);
    let mut diagnostics = Diagnostics::new();
    let value = read(subject, config, &mut diagnostics).await;
    subject.ended(&running, value.is_none(), value.as_ref().unwrap_or(&null));
    if in_check {
        for diagnostic in &mut diagnostics {
            diagnostic.severity = Severity::Warning;
        }
    }
    let Some(value) = value else {
        return ObjectOutcome {
            object: None,
            value: null,
            failed: !in_check,
            uncertain: false,
            diagnostics,
        };
    };
    let base = Object {
        schema_version: 0,
        attributes: [].into(),
        sensitive_paths: Vec::new(),
        private: [].into(),
        dependencies: [].into(),
        status: ObjectStatus::Ready,
        create_before_destroy: false,
        skip_destroy: false,
        identity: None,
    };
    ObjectOutcome {
        object: Some(subject.encode(&value, base)),
        value,
        failed: false,
        uncertain: false,
        diagnostics,
    }
}

async fn read(subject: &Subject, config: &Value, diagnostics: &mut Diagnostics) -> Option<Value> {
    let block = &subject.schema.block;
    let type_name = subject.address.type_name();
    let (config, marks) = config.unmark_deep_with_paths();
    match subject
        .provider
        .validate_data_config(type_name, config.clone())
        .await
    {
        Ok(reply) => {
            if subject.remark(reply.diagnostics, diagnostics) {
                return None;
            }
        }
        Err(error) => {
            diagnostics.push(subject.call_failed("checking the configuration of", &error));
            return None;
        }
    }
    let reply = match subject.provider.read_data(type_name, config).await {
        Ok(reply) => reply,
        Err(error) => {
            diagnostics.push(subject.call_failed("reading", &error));
            return None;
        }
    };
    if subject.remark(reply.diagnostics, diagnostics) {
        return None;
    }
    if reply.deferred.is_some() {
        diagnostics.push(subject.put_off());
        return None;
    }
    let problem = match terrace_schema::assert_conforms(block, &reply.value) {
        Err(problem) => problem.to_string(),
        Ok(()) if reply.value.is_null() => "it must not be null".to_owned(),
        Ok(()) if !reply.value.is_wholly_known() => "it must be wholly known".to_owned(),
        Ok(()) => return Some(mark(&reply.value, block, &marks)),
    };
    let what = format!(
        "Provider {} produced an invalid value for {}: {problem}.",
        subject.provider_name(),
        subject.address
    );
    diagnostics.push(subject.broken_contract("Provider produced invalid object", &what));
    None
}

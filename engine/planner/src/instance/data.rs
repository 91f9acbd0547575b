//! Data resources.

use terrace_diag::{Diagnostics, Severity};
use terrace_plan::{Action, ActionReason, ResourceChange};
use terrace_port::OperationEvent;
use terrace_value::{Marks, Path, Value};

use super::verify::{broken_contract, call_failed, remark_value, remarks, taken};
use super::{Subject, prior};

/// A data instance to read or to plan a read for.
pub(crate) struct DataInput {
    /// What it is.
    pub(crate) subject: Subject,
    /// Its evaluated body, with marks and unknowns.
    pub(crate) config: Value,
    /// Whether something that it explicitly depends on is about to change.
    pub(crate) pending: bool,
    /// Whether it stands in a `check` block: its errors are warnings then.
    pub(crate) in_check: bool,
    /// Whether its read may be put off until apply.
    pub(crate) may_defer: bool,
}

/// What came out for a data instance.
pub(crate) struct DataOutcome {
    /// Its value, unknown in parts where the read is put off.
    pub(crate) value: Value,
    /// Whether the value was read, and so is to be stored.
    pub(crate) read: bool,
    /// Errors that are warnings because the instance stands in a `check` block: that has failed.
    pub(crate) failures: Vec<String>,
    /// The read that is put off.
    pub(crate) change: Option<ResourceChange>,
    /// What there is to say.
    pub(crate) diagnostics: Diagnostics,
}

/// Reads a data instance, or plans its read.
pub(crate) async fn plan_data(input: DataInput) -> DataOutcome {
    let subject = &input.subject;
    let block = &subject.schema.block;
    let (config, marks) = input.config.unmark_deep_with_paths();
    let planned = remark_value(
        &terrace_schema::planned_unknown_object(block, &config),
        block,
        &marks,
    );
    let mut outcome = DataOutcome {
        value: planned,
        read: false,
        failures: Vec::new(),
        change: None,
        diagnostics: Diagnostics::new(),
    };
    if validate(subject, &config, &mut outcome.diagnostics)
        .await
        .is_none()
    {
        soften(&input, &mut outcome);
        return outcome;
    }
    let reason = match () {
        () if !config.is_wholly_known() => Some(ActionReason::ReadBecauseConfigUnknown),
        () if input.pending => Some(ActionReason::ReadBecauseDependencyPending),
        () => None,
    };
    if let Some(reason) = reason {
        if input.may_defer {
            outcome.change = Some(deferred(subject, outcome.value.clone(), reason));
        }
        return outcome;
    }
    if let Some(value) = read(subject, &config, &marks, &mut outcome.diagnostics).await {
        outcome.value = value;
        outcome.read = true;
    }
    soften(&input, &mut outcome);
    if input.in_check && input.may_defer {
        outcome.change = Some(deferred(
            subject,
            outcome.value.clone(),
            ActionReason::ReadBecauseCheckNested,
        ));
    }
    outcome
}

/// In a `check` block, errors are warnings, and the check has failed with them.
fn soften(input: &DataInput, outcome: &mut DataOutcome) {
    if !input.in_check {
        return;
    }
    for diagnostic in &mut outcome.diagnostics {
        if diagnostic.is_error() {
            let (summary, detail) = (&diagnostic.summary, &diagnostic.detail);
            outcome.failures.push(format!("{summary}: {detail}"));
            diagnostic.severity = Severity::Warning;
        }
    }
}

fn deferred(subject: &Subject, after: Value, reason: ActionReason) -> ResourceChange {
    ResourceChange {
        address: subject.address.clone(),
        previous_address: subject.previous_address.clone(),
        deposed: None,
        provider: subject.provider_config.clone(),
        schema_version: subject.schema.version,
        action: Action::Read,
        action_reason: reason,
        before: subject.null.clone(),
        after,
        replace_paths: Vec::new(),
        private: [].into(),
        identity: None,
        importing: None,
        generated_config: None,
        create_before_destroy: false,
        dependencies: [].into(),
        reasons: Vec::new(),
    }
}

async fn validate(subject: &Subject, config: &Value, diagnostics: &mut Diagnostics) -> Option<()> {
    match subject
        .provider
        .validate_data_config(subject.address.type_name(), config.clone())
        .await
    {
        Ok(reply) => {
            let failed = reply.failed();
            diagnostics.append(remarks(subject, reply.diagnostics));
            (!failed).then_some(())
        }
        Err(error) => {
            diagnostics.push(call_failed(
                subject,
                "checking the configuration of",
                &error,
            ));
            None
        }
    }
}

/// Reads now. The configuration is wholly known.
async fn read(
    subject: &Subject,
    config: &Value,
    marks: &[(Path, Marks)],
    diagnostics: &mut Diagnostics,
) -> Option<Value> {
    let block = &subject.schema.block;
    subject.observer.on_event(OperationEvent::ApplyStart {
        address: subject.address.clone(),
        action: "read",
        id: None,
    });
    let reply = match subject
        .provider
        .read_data(subject.address.type_name(), config.clone())
        .await
    {
        Ok(reply) => reply,
        Err(error) => {
            diagnostics.push(call_failed(subject, "reading", &error));
            return None;
        }
    };
    let answer = taken(subject, reply, diagnostics)?;
    let problem = match terrace_schema::assert_conforms(block, &answer) {
        Err(problem) => Some(format!(
            "produced an invalid value for {}: {problem}",
            subject.address
        )),
        Ok(()) if answer.is_null() => {
            Some(format!("produced a null object for {}", subject.address))
        }
        Ok(()) if !answer.is_wholly_known() => Some(format!(
            "produced a value for {} that is not wholly known",
            subject.address
        )),
        Ok(()) => None,
    };
    if let Some(problem) = problem {
        diagnostics.push(broken_contract(
            subject,
            "Provider produced invalid object",
            &problem,
        ));
        return None;
    }
    let value = remark_value(&answer, block, marks);
    subject.observer.on_event(OperationEvent::ApplyDone {
        address: subject.address.clone(),
        action: "read",
        id: prior::identifying(block, &value),
        elapsed_seconds: 0,
    });
    Some(value)
}

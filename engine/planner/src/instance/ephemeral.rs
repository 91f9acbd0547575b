//! Ephemeral resources.

use std::sync::Arc;

use terrace_diag::Diagnostics;
use terrace_instances::{Lifetime, OpenEphemeral, Problem};
use terrace_port::Clock;
use terrace_value::Value;

use super::Subject;
use super::verify::{broken_contract, call_failed, put_off, remark_value, remarks};

/// An ephemeral instance to open.
pub(crate) struct EphemeralInput {
    /// What it is.
    pub(crate) subject: Subject,
    /// Its evaluated body, with marks and unknowns.
    pub(crate) config: Value,
    /// Whether something that it explicitly depends on is about to change.
    pub(crate) pending: bool,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

/// What came out for an ephemeral instance.
pub(crate) struct EphemeralOutcome {
    /// Its value, unknown in parts where it could not be opened yet.
    pub(crate) value: Value,
    /// What is open now.
    pub(crate) lifetime: Option<Lifetime>,
    /// What there is to say.
    pub(crate) diagnostics: Diagnostics,
}

/// Opens an ephemeral instance, if all is known that this takes.
pub(crate) async fn open_ephemeral(input: EphemeralInput) -> EphemeralOutcome {
    let subject = &input.subject;
    let block = &subject.schema.block;
    let (config, marks) = input.config.unmark_deep_with_paths();
    let mut outcome = EphemeralOutcome {
        value: remark_value(
            &terrace_schema::planned_unknown_object(block, &config),
            block,
            &marks,
        ),
        lifetime: None,
        diagnostics: Diagnostics::new(),
    };
    let mut problems = Vec::new();
    if !config.is_wholly_known() || input.pending {
        let type_name = subject.address.type_name();
        match subject
            .provider
            .validate_ephemeral_config(type_name, config)
            .await
        {
            Ok(reply) => problems.push(Problem::Said(reply.diagnostics)),
            Err(error) => problems.push(Problem::Lost("checking the configuration of", error)),
        }
        outcome.diagnostics = told(subject, problems);
        return outcome;
    }
    let resource = OpenEphemeral {
        address: subject.address.clone(),
        provider: Arc::clone(&subject.provider),
        schema: Arc::clone(&subject.schema),
        clock: input.clock,
        observer: Arc::clone(&subject.observer),
    };
    let opened = terrace_instances::open(resource, &input.config, &mut problems).await;
    if let Some((value, lifetime)) = opened {
        outcome.value = value;
        outcome.lifetime = Some(lifetime);
    }
    outcome.diagnostics = told(subject, problems);
    outcome
}

/// Problems as diagnostics of the instance.
pub(crate) fn told(subject: &Subject, problems: Vec<Problem>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for problem in problems {
        match problem {
            Problem::Said(said) => diagnostics.append(remarks(subject, said)),
            Problem::Lost(doing, error) => diagnostics.push(call_failed(subject, doing, &error)),
            Problem::Deferred => {
                diagnostics.push(put_off(&subject.address).at_opt(subject.span()));
            }
            Problem::Broken(what) => diagnostics.push(broken_contract(
                subject,
                "Provider produced invalid object",
                &format!("produced an invalid value for {what}"),
            )),
        }
    }
    diagnostics
}

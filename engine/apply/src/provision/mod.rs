//! Provisioners: what runs when an object has been created or is about to be destroyed.

mod local;
mod remote;

use std::pin::pin;
use std::sync::Arc;

use futures::future::{Either, select};
use terrace_addr::AbsResourceInstance;
use terrace_config::{Provisioner, ProvisionerFailure, ProvisionerWhen};
use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_eval::{Evaluator, Scope, Values};
use terrace_port::{Observer, OperationEvent, Process, Remote};
use terrace_schema::provisioner_problem;
use terrace_syntax::Body;
use terrace_value::{Marks, Value};

use crate::Stop;

/// A provisioner to run, evaluated.
pub(crate) struct Command {
    type_name: String,
    work: Work,
    /// What is shown in place of the output.
    suppressed: Option<&'static str>,
    on_failure: ProvisionerFailure,
    place: Span,
}

/// What a provisioner does.
enum Work {
    Local(local::LocalExec),
    Remote(Box<remote::RemoteWork>),
}

/// Through what provisioners reach the world, and what ends them.
#[derive(Clone, Copy)]
pub(crate) struct Hands<'r> {
    /// Programs of this machine.
    pub(crate) process: &'r dyn Process,
    /// Other machines.
    pub(crate) remote: &'r dyn Remote,
    /// Asks the run to end.
    pub(crate) stop: &'r Stop,
}

/// The provisioners of a block, with what their connections have in common.
#[derive(Clone, Copy)]
pub(crate) struct Declared<'a> {
    /// The instance that they are for.
    pub(crate) address: &'a AbsResourceInstance,
    /// The provisioners.
    pub(crate) provisioners: &'a [Provisioner],
    /// The block's own connection.
    pub(crate) connection: Option<&'a Body>,
}

/// Evaluates the provisioners of an instance that run at this time; what cannot be evaluated is among the diagnostics.
pub(crate) fn commands(
    declared: Declared<'_>,
    when: ProvisionerWhen,
    scope: &Scope,
    evaluator: &Evaluator,
    values: &dyn Values,
) -> (Vec<Command>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut commands = Vec::new();
    let mut evaluate = |body: &Body, schema: &terrace_schema::Block| {
        let evaluated = evaluator.body(body, schema, scope, values);
        let failed = evaluated.diagnostics.has_errors();
        diagnostics.append(evaluated.diagnostics);
        (!failed).then_some(evaluated.value)
    };
    let mut problems = Vec::new();
    for provisioner in declared.provisioners {
        if provisioner.when != when {
            continue;
        }
        let Some(schema) = terrace_schema::provisioner(&provisioner.type_name) else {
            // The configuration's check refuses others.
            continue;
        };
        let connection = provisioner.connection_over(declared.connection);
        let connection = connection
            .as_ref()
            .filter(|_| &*provisioner.type_name != "local-exec")
            .map(|body| evaluate(body, &terrace_schema::connection()));
        let arguments = evaluate(&provisioner.body, &schema);
        // A block that is missing is no failure.
        let failed = matches!(connection, Some(None));
        if let (Some(arguments), false) = (arguments, failed) {
            let connection = connection.flatten();
            match command(provisioner, &arguments, connection.as_ref(), &mut problems) {
                Ok(command) => commands.push(command),
                Err(problem) => problems.push(*problem),
            }
        }
    }
    for problem in problems {
        diagnostics.push(problem.address(declared.address));
    }
    (commands, diagnostics)
}

fn command(
    provisioner: &Provisioner,
    arguments: &Value,
    connection: Option<&Value>,
    remarks: &mut Vec<Diagnostic>,
) -> Result<Command, Box<Diagnostic>> {
    let (plain, marks) = arguments.unmark_deep();
    let type_name = &*provisioner.type_name;
    let invalid = |summary: String, detail: &str| {
        Box::new(Diagnostic::error("invalid-provisioner", summary, detail).at(provisioner.span))
    };
    let invalid_here =
        |detail: &str| invalid(format!("Invalid {type_name} provisioner command"), detail);
    let unknown = |what: &str| {
        invalid_here(&format!(
            "The arguments of {what} must be known when it runs."
        ))
    };
    if !plain.is_wholly_known() {
        return Err(unknown(type_name));
    }
    if let Some((summary, detail)) = provisioner_problem(type_name, &plain) {
        return Err(invalid(summary.to_owned(), detail));
    }
    let failed = |why: String| {
        let summary = format!("{type_name} provisioner error");
        Box::new(Diagnostic::error("provisioner-failed", summary, why).at(provisioner.span))
    };
    let work = if type_name == "local-exec" {
        Work::Local(local::LocalExec::of(&plain).map_err(invalid_here)?)
    } else {
        let connection =
            connection.ok_or_else(|| failed("Missing connection configuration for provisioner. Write a \"connection\" block with the machine's \"host\" into the provisioner or into its resource.".to_owned()))?;
        let (connection, _) = connection.unmark_deep();
        if !connection.is_wholly_known() {
            return Err(unknown("connection"));
        }
        let (work, warning) =
            remote::RemoteWork::of(type_name, &plain, &connection).map_err(failed)?;
        remarks.extend(warning.map(|detail| {
            Diagnostic::warning("connection-timeout", "Invalid connection timeout", detail)
                .at(provisioner.span)
        }));
        Work::Remote(Box::new(work))
    };
    Ok(Command {
        type_name: type_name.to_owned(),
        work,
        suppressed: match () {
            () if marks.contains(Marks::SENSITIVE) => {
                Some("(output suppressed due to sensitive value in config)")
            }
            () if marks.contains(Marks::EPHEMERAL) => {
                Some("(output suppressed due to ephemeral value in config)")
            }
            () => None,
        },
        on_failure: provisioner.on_failure,
        place: provisioner.span,
    })
}

/// Runs commands one after the other, up to the first that fails and matters.
pub(crate) async fn provision(
    commands: Vec<Command>,
    address: &AbsResourceInstance,
    hands: Hands<'_>,
    observer: &Arc<dyn Observer>,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for command in commands {
        let provisioner = command.type_name.clone();
        observer.on_event(OperationEvent::ProvisionStart {
            address: address.clone(),
            provisioner: provisioner.clone(),
        });
        let failure = run(&command, address, hands, observer).await;
        observer.on_event(OperationEvent::ProvisionDone {
            address: address.clone(),
            provisioner,
            failed: failure.is_some(),
        });
        let Some(failure) = failure else { continue };
        // Whoever interrupts does not want the next one.
        if command.on_failure == ProvisionerFailure::Continue && !hands.stop.is_requested() {
            observer.on_event(OperationEvent::ProvisionOutput {
                address: address.clone(),
                provisioner: command.type_name.clone(),
                line: format!(
                    "{}: {} (on_failure = continue lets it pass)",
                    failure.summary, failure.detail
                ),
            });
            continue;
        }
        diagnostics.push(failure);
        break;
    }
    diagnostics
}

async fn run(
    command: &Command,
    address: &AbsResourceInstance,
    hands: Hands<'_>,
    observer: &Arc<dyn Observer>,
) -> Option<Diagnostic> {
    let emit = |line: &str| {
        observer.on_event(OperationEvent::ProvisionOutput {
            address: address.clone(),
            provisioner: command.type_name.clone(),
            line: line.to_owned(),
        });
    };
    let say = |message: &str| match command.suppressed {
        Some(instead) => emit(instead),
        None => message.split(['\n', '\r']).for_each(&emit),
    };
    let hidden = command.suppressed.is_some();
    let stopped = pin!(hands.stop.requested());
    let ended = match &command.work {
        Work::Local(local) => {
            let done = pin!(local.run(hands.process, hidden, &say));
            match select(done, stopped).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => Err(local.interrupted(hidden)),
            }
        }
        Work::Remote(work) => {
            let done = pin!(work.run(hands.remote, &say));
            match select(done, stopped).await {
                Either::Left((ended, _)) => ended,
                Either::Right(_) => Err(
                    "interrupted: the connection was closed, which ends what ran there".to_owned(),
                ),
            }
        }
    };
    let detail = ended.err()?;
    let summary = format!("{} provisioner error", command.type_name);
    Some(
        Diagnostic::error("provisioner-failed", summary, detail)
            .at(command.place)
            .address(address),
    )
}

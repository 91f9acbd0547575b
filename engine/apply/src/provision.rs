//! Provisioners: commands that run when an object has been created or is about to be destroyed.

use std::sync::Arc;

use terrace_addr::AbsResourceInstance;
use terrace_config::{Provisioner, ProvisionerFailure, ProvisionerWhen};
use terrace_diag::{Diagnostic, Diagnostics, Severity};
use terrace_eval::{Evaluator, Scope, Values};
use terrace_port::{Observer, OperationEvent, Process, ProcessRequest};
use terrace_schema::{Attribute, Block};
use terrace_value::{Marks, Type, Value};

/// A command to run, evaluated.
pub(crate) struct Command {
    type_name: String,
    request: ProcessRequest,
    text: String,
    quiet: bool,
    /// What is shown in place of the output.
    suppressed: Option<&'static str>,
    on_failure: ProvisionerFailure,
    place: terrace_diag::Span,
}

/// The arguments of `local-exec`.
fn local_exec() -> Block {
    let attributes = [
        ("command", Attribute::required(Type::String)),
        ("interpreter", Attribute::optional(Type::list(Type::String))),
        ("working_dir", Attribute::optional(Type::String)),
        ("environment", Attribute::optional(Type::map(Type::String))),
        ("quiet", Attribute::optional(Type::Bool)),
    ];
    Block {
        attributes: attributes
            .into_iter()
            .map(|(name, attribute)| (name.into(), attribute))
            .collect(),
        ..Block::default()
    }
}

/// Evaluates the provisioners of an instance that run at this time; what cannot be evaluated is among the diagnostics.
pub(crate) fn commands(
    provisioners: &[Provisioner],
    when: ProvisionerWhen,
    scope: &Scope,
    evaluator: &Evaluator,
    values: &dyn Values,
) -> (Vec<Command>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut commands = Vec::new();
    for provisioner in provisioners
        .iter()
        .filter(|provisioner| provisioner.when == when)
    {
        if &*provisioner.type_name != "local-exec" {
            diagnostics.push(
                Diagnostic::error(
                    "provisioner-unsupported",
                    "Unsupported provisioner",
                    format!(
                        "The provisioner {:?} is not supported yet. Use local-exec.",
                        provisioner.type_name
                    ),
                )
                .at(provisioner.span),
            );
            continue;
        }
        let evaluated = evaluator.body(&provisioner.body, &local_exec(), scope, values);
        let failed = evaluated.diagnostics.has_errors();
        diagnostics.append(evaluated.diagnostics);
        if !failed {
            match command(provisioner, &evaluated.value) {
                Ok(command) => commands.push(command),
                Err(problem) => diagnostics.push(*problem),
            }
        }
    }
    (commands, diagnostics)
}

fn command(provisioner: &Provisioner, config: &Value) -> Result<Command, Box<Diagnostic>> {
    let (plain, marks) = config.unmark_deep();
    let invalid = |detail: &str| {
        Box::new(
            Diagnostic::error(
                "invalid-provisioner",
                "Invalid local-exec provisioner command",
                detail,
            )
            .at(provisioner.body.missing_span),
        )
    };
    if !plain.is_wholly_known() {
        return Err(invalid(
            "The arguments of local-exec must be known when it runs.",
        ));
    }
    let text = |name: &str| plain.get(name).and_then(Value::as_str).map(str::to_owned);
    let command = text("command").filter(|command| !command.is_empty());
    let command =
        command.ok_or_else(|| invalid("The execution command must be a non-empty string."))?;
    let interpreter: Vec<String> = plain
        .get("interpreter")
        .and_then(Value::as_sequence)
        .unwrap_or_default()
        .iter()
        .filter_map(|part| part.as_str().map(str::to_owned))
        .collect();
    let mut argv = match interpreter.is_empty() {
        false => interpreter,
        true if cfg!(windows) => vec!["cmd".to_owned(), "/C".to_owned()],
        true => vec!["/bin/sh".to_owned(), "-c".to_owned()],
    };
    argv.push(command.clone());
    let environment = plain
        .get("environment")
        .and_then(Value::as_entries)
        .map(|entries| {
            let known = entries
                .iter()
                .filter_map(|(name, value)| Some((name.to_string(), value.as_str()?.to_owned())));
            known.collect()
        });
    Ok(Command {
        type_name: provisioner.type_name.to_string(),
        request: ProcessRequest {
            argv,
            directory: text("working_dir"),
            environment: environment.unwrap_or_default(),
            stdin: Vec::new(),
        },
        text: command,
        quiet: plain.get("quiet").and_then(Value::as_bool).unwrap_or(false),
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
        place: provisioner.body.missing_span,
    })
}

/// Runs commands one after the other, up to the first that fails and matters.
pub(crate) async fn provision(
    commands: Vec<Command>,
    address: &AbsResourceInstance,
    process: &dyn Process,
    observer: &Arc<dyn Observer>,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for command in commands {
        let provisioner = command.type_name.clone();
        observer.on_event(OperationEvent::ProvisionStart {
            address: address.clone(),
            provisioner: provisioner.clone(),
        });
        let failure = run(&command, address, process, observer).await;
        observer.on_event(OperationEvent::ProvisionDone {
            address: address.clone(),
            provisioner,
            failed: failure.is_some(),
        });
        let Some(mut failure) = failure else { continue };
        if command.on_failure == ProvisionerFailure::Continue {
            failure.severity = Severity::Warning;
            diagnostics.push(failure);
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
    process: &dyn Process,
    observer: &Arc<dyn Observer>,
) -> Option<Diagnostic> {
    let say = |line: &str| {
        observer.on_event(OperationEvent::ProvisionOutput {
            address: address.clone(),
            provisioner: command.type_name.clone(),
            line: command.suppressed.unwrap_or(line).to_owned(),
        });
    };
    if command.quiet {
        say("local-exec: Executing: Suppressed by quiet=true");
    } else {
        let argv: Vec<String> = command
            .request
            .argv
            .iter()
            .map(|part| format!("{part:?}"))
            .collect();
        say(&format!("Executing: [{}]", argv.join(" ")));
    }
    let what = match process.run(command.request.clone(), &say).await {
        Ok(output) => match output.code {
            Some(0) => return None,
            Some(code) => (format!("exit status {code}"), output.output),
            None => ("it was ended by a signal".to_owned(), output.output),
        },
        Err(error) => (error.to_string(), Vec::new()),
    };
    let detail = if command.suppressed.is_some() {
        format!(
            "Error running the command: {}. The command and its output are not shown, since they hold a sensitive value.",
            what.0
        )
    } else {
        format!(
            "Error running command '{}': {}. Output: {}",
            command.text,
            what.0,
            String::from_utf8_lossy(&what.1)
        )
    };
    Some(
        Diagnostic::error("provisioner-failed", "local-exec provisioner error", detail)
            .at(command.place)
            .address(address),
    )
}

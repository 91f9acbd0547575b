//! The JSON event stream: one object a line, as the reference gives it.

use serde_json::{Value as Json, json};
use terrace_addr::AbsResourceInstance;
use terrace_diag::{Diagnostic, Severity, SourceMap};
use terrace_plan::{Action, ActionReason, Plan, PlanMode, ResourceChange};
use terrace_port::{Clock as _, OperationEvent};

use super::plan::Secrets;
use super::progress::duration;
use crate::outside::SystemClock;

pub(super) fn line(level: &str, message: &str, kind: &str, field: &str, content: Json) -> String {
    let (seconds, nanoseconds) = SystemClock.now();
    let time =
        jiff::Timestamp::new(seconds, i32::try_from(nanoseconds).unwrap_or(0)).unwrap_or_default();
    let mut object = json!({
        "@level": level,
        "@message": message,
        "@module": "terraform.ui",
        "@timestamp": format!("{time:.6}"),
        "type": kind,
    });
    if let Some(object) = object.as_object_mut() {
        object.insert(field.to_owned(), content);
    }
    object.to_string()
}

/// The first line of a stream.
pub(crate) fn version_line() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let message = format!("Terrace {version}");
    let mut text = line("info", &message, "version", "terrace", json!(version));
    let extra = format!(
        ",\"terraform\":\"{}\",\"ui\":\"1.2\"}}",
        terrace_state::TERRAFORM_VERSION
    );
    text.pop();
    text.push_str(&extra);
    text
}

/// A diagnostic as a JSON object, as `validate -json` lists them.
pub(crate) fn diagnostic_json(diagnostic: &Diagnostic, sources: &SourceMap) -> Json {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut object = json!({
        "severity": severity,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
        "id": diagnostic.id,
    });
    let fields = object.as_object_mut().expect("an object was just made");
    if let Some(address) = &diagnostic.address {
        fields.insert("address".to_owned(), json!(address));
    }
    if let Some(hint) = &diagnostic.hint {
        fields.insert("hint".to_owned(), json!(hint));
    }
    if let Some(span) = diagnostic.subject
        && let Some(file) = sources.get(span.source)
    {
        let place = |byte: u32| {
            let position = file.position(byte);
            json!({"line": position.line, "column": position.column, "byte": position.byte})
        };
        fields.insert(
            "range".to_owned(),
            json!({"filename": file.name(), "start": place(span.start), "end": place(span.end)}),
        );
        fields.insert(
            "snippet".to_owned(),
            super::snippet::snippet_json(diagnostic, span, file),
        );
    }
    object
}

/// A diagnostic as a line of the stream.
pub(crate) fn diagnostic_line(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let (level, word) = if diagnostic.is_error() {
        ("error", "Error")
    } else {
        ("warn", "Warning")
    };
    let message = format!("{word}: {}", diagnostic.summary);
    line(
        level,
        &message,
        "diagnostic",
        "diagnostic",
        diagnostic_json(diagnostic, sources),
    )
}

fn resource(address: &AbsResourceInstance) -> Json {
    let name = &address.resource.resource;
    let module = address.module();
    let key = match &address.key {
        None => Json::Null,
        Some(terrace_addr::InstanceKey::Int(index)) => json!(index),
        Some(terrace_addr::InstanceKey::String(key)) => json!(&**key),
    };
    let local = format!(
        "{name}{}",
        address
            .key
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
    );
    json!({
        "addr": address.to_string(),
        "module": module.to_string(),
        "resource": local,
        "implied_provider": name.type_name.split('_').next().unwrap_or_default(),
        "resource_type": &*name.type_name,
        "resource_name": &*name.name,
        "resource_key": key,
    })
}

/// The object that an event is about; its id only where that shows no secret.
fn hook(
    address: &AbsResourceInstance,
    id: Option<&(String, String)>,
    secrets: &Secrets,
    extra: Json,
) -> Json {
    let mut hook = json!({"resource": resource(address)});
    let Some(fields) = hook.as_object_mut() else {
        return hook;
    };
    if let Some((name, value)) = id
        && !secrets.hides(value)
    {
        fields.insert("id_key".to_owned(), json!(name));
        fields.insert("id_value".to_owned(), json!(value));
    }
    if let Json::Object(extra) = extra {
        fields.extend(extra);
    }
    hook
}

/// ` [id=i-123]` where the id shows no secret.
fn id_text(id: Option<&(String, String)>, secrets: &Secrets) -> String {
    id.filter(|(_, value)| !secrets.hides(value))
        .map(|(name, value)| format!(" [{name}={value}]"))
        .unwrap_or_default()
}

/// What happened, as a line; `None` for what the stream does not tell.
pub(crate) fn event_line(event: &OperationEvent, secrets: &Secrets) -> Option<String> {
    let (message, kind, content) = match event {
        OperationEvent::ImportStart { .. } | OperationEvent::ImportDone { .. } => return None,
        OperationEvent::RefreshStart { address, id } => (
            format!(
                "{address}: Refreshing state...{}",
                id_text(id.as_ref(), secrets)
            ),
            "refresh_start",
            hook(address, id.as_ref(), secrets, Json::Null),
        ),
        OperationEvent::RefreshDone { address, id } => (
            format!(
                "{address}: Refresh complete{}",
                id_text(id.as_ref(), secrets)
            ),
            "refresh_complete",
            hook(address, id.as_ref(), secrets, Json::Null),
        ),
        OperationEvent::ApplyStart { .. }
        | OperationEvent::ApplyProgress { .. }
        | OperationEvent::ApplyDone { .. }
        | OperationEvent::ApplyFailed { .. } => operation(event, secrets)?,
        OperationEvent::ProvisionStart { .. }
        | OperationEvent::ProvisionOutput { .. }
        | OperationEvent::ProvisionDone { .. } => provision(event, secrets)?,
    };
    Some(line("info", &message, kind, "hook", content))
}

/// What the stream says of an operation: while it begins, at its end, and whether it is an ephemeral resource's.
const fn words(action: &str) -> (&'static str, &'static str, bool) {
    match action.as_bytes() {
        b"create" => ("Creating", "Creation", false),
        b"update" => ("Modifying", "Modifications", false),
        b"delete" => ("Destroying", "Destruction", false),
        b"read" => ("Refreshing", "Refresh", false),
        b"open" => ("Opening", "Opening", true),
        b"renew" => ("Renewing", "Renewal", true),
        b"close" => ("Closing", "Closing", true),
        _ => ("Changing", "Change", false),
    }
}

/// A message with its type and what it is about.
type Message = (String, &'static str, Json);

/// A change, a read, or what an ephemeral resource does.
fn operation(event: &OperationEvent, secrets: &Secrets) -> Option<Message> {
    let either = |ephemeral: bool, kinds: [&'static str; 2]| kinds[usize::from(ephemeral)];
    Some(match event {
        OperationEvent::ApplyStart {
            address,
            action,
            id,
        } => {
            let (doing, _, ephemeral) = words(action);
            (
                format!("{address}: {doing}...{}", id_text(id.as_ref(), secrets)),
                either(ephemeral, ["apply_start", "ephemeral_op_start"]),
                hook(address, id.as_ref(), secrets, json!({"action": action})),
            )
        }
        OperationEvent::ApplyProgress {
            address,
            action,
            elapsed_seconds,
        } => {
            let (doing, _, ephemeral) = words(action);
            let doing = doing.to_lowercase();
            let elapsed = duration(*elapsed_seconds);
            let extra = json!({"action": action, "elapsed_seconds": elapsed_seconds});
            (
                format!("{address}: Still {doing}... [{elapsed} elapsed]"),
                either(ephemeral, ["apply_progress", "ephemeral_op_progress"]),
                hook(address, None, secrets, extra),
            )
        }
        OperationEvent::ApplyDone {
            address,
            action,
            id,
            elapsed_seconds,
        } => {
            let (_, what, ephemeral) = words(action);
            let elapsed = duration(*elapsed_seconds);
            let extra = json!({"action": action, "elapsed_seconds": elapsed_seconds});
            (
                format!(
                    "{address}: {what} complete after {elapsed}{}",
                    id_text(id.as_ref(), secrets)
                ),
                either(ephemeral, ["apply_complete", "ephemeral_op_complete"]),
                hook(address, id.as_ref(), secrets, extra),
            )
        }
        OperationEvent::ApplyFailed {
            address,
            action,
            elapsed_seconds,
        } => {
            let (_, what, ephemeral) = words(action);
            let elapsed = duration(*elapsed_seconds);
            let extra = json!({"action": action, "elapsed_seconds": elapsed_seconds});
            (
                format!("{address}: {what} errored after {elapsed}"),
                either(ephemeral, ["apply_errored", "ephemeral_op_errored"]),
                hook(address, None, secrets, extra),
            )
        }
        _ => return None,
    })
}

/// What a provisioner does.
fn provision(event: &OperationEvent, secrets: &Secrets) -> Option<Message> {
    Some(match event {
        OperationEvent::ProvisionStart {
            address,
            provisioner,
        } => (
            format!("{address}: Provisioning with '{provisioner}'..."),
            "provision_start",
            hook(address, None, secrets, json!({"provisioner": provisioner})),
        ),
        OperationEvent::ProvisionOutput {
            address,
            provisioner,
            line,
        } => {
            let shown = secrets.redact(line);
            let extra = json!({"provisioner": provisioner, "output": shown});
            (
                format!("{address}: ({provisioner}): {shown}"),
                "provision_progress",
                hook(address, None, secrets, extra),
            )
        }
        OperationEvent::ProvisionDone {
            address,
            provisioner,
            failed,
        } => {
            let (kind, end) = if *failed {
                ("provision_errored", "errored")
            } else {
                ("provision_complete", "complete")
            };
            (
                format!("{address}: ({provisioner}) Provisioning {end}"),
                kind,
                hook(address, None, secrets, json!({"provisioner": provisioner})),
            )
        }
        _ => return None,
    })
}

const fn action_word(action: Action) -> &'static str {
    match action {
        Action::NoOp => "noop",
        Action::Create => "create",
        Action::Read => "read",
        Action::Update => "update",
        Action::DeleteThenCreate | Action::CreateThenDelete | Action::ForgetThenCreate => "replace",
        Action::Delete => "delete",
        Action::Forget => "remove",
    }
}

/// What happens, in the stream's word: a move or an import that changes nothing else has one too.
const fn change_word(change: &ResourceChange) -> &'static str {
    match change.action {
        Action::NoOp if change.previous_address.is_some() => "move",
        Action::NoOp if change.importing.is_some() => "import",
        action => action_word(action),
    }
}

/// Why, in the stream's word.
const fn reason_word(reason: ActionReason) -> &'static str {
    match reason {
        ActionReason::ReplaceBecauseTainted => "tainted",
        ActionReason::ReplaceByRequest => "requested",
        ActionReason::ReplaceByTriggers => "replace_triggered_by",
        ActionReason::ReplaceBecauseCannotUpdate => "cannot_update",
        other => other.name(),
    }
}

fn change_line(change: &ResourceChange, kind: &str) -> String {
    let action = change_word(change);
    let mut content = json!({"resource": resource(&change.address), "action": action});
    if let Some(fields) = content.as_object_mut() {
        if let Some(previous) = &change.previous_address {
            fields.insert("previous_resource".to_owned(), resource(previous));
        }
        let reason = reason_word(change.action_reason);
        if !reason.is_empty() {
            fields.insert("reason".to_owned(), json!(reason));
        }
        if let Some(importing) = &change.importing {
            let id = importing.id.as_ref();
            let importing = id.map_or_else(|| json!({}), |id| json!({"id": id}));
            fields.insert("importing".to_owned(), importing);
        }
        if let Some(generated) = &change.generated_config {
            fields.insert("generated_config".to_owned(), json!(generated));
        }
    }
    let message = if kind == "resource_drift" {
        format!("{}: Drift detected ({action})", change.address)
    } else {
        format!("{}: Plan to {action}", change.address)
    };
    line("info", &message, kind, "change", content)
}

/// A plan as lines: drift, changes, the summary, outputs.
pub(crate) fn plan_lines(plan: &Plan) -> Vec<String> {
    let drift = plan
        .drift
        .iter()
        .filter(|change| change.action != Action::NoOp || plan.mode == PlanMode::RefreshOnly);
    let mut lines: Vec<String> = drift
        .map(|change| change_line(change, "resource_drift"))
        .collect();
    let shown = plan.changes.iter().filter(|change| {
        change.action != Action::NoOp
            || change.previous_address.is_some()
            || change.importing.is_some()
    });
    lines.extend(shown.map(|change| change_line(change, "planned_change")));
    let counts = terrace_gate::RunCounts::of(plan);
    lines.push(summary_line(counts, Operation::Plan));
    if !plan.outputs.is_empty() {
        lines.push(output_changes_line(plan));
    }
    lines
}

/// The changes of a saved plan, told again where it is applied.
pub(crate) fn saved_plan_lines(plan: &Plan) -> Vec<String> {
    plan.changes
        .iter()
        .filter(|change| change.action != Action::NoOp)
        .map(|change| change_line(change, "planned_change"))
        .collect()
}

fn output_changes_line(plan: &Plan) -> String {
    let content: serde_json::Map<String, Json> = plan
        .outputs
        .iter()
        .map(|(name, output)| {
            let action = action_word(output.action);
            let entry = json!({"sensitive": output.sensitive, "action": action});
            (name.to_string(), entry)
        })
        .collect();
    let message = format!("Outputs: {}", content.len());
    line(
        "info",
        &message,
        "outputs",
        "outputs",
        Json::Object(content),
    )
}

/// What a summary is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Plan,
    Apply,
    Destroy,
}

/// The summary of a plan or an apply.
pub(crate) fn summary_line(counts: terrace_gate::RunCounts, operation: Operation) -> String {
    let (add, change, remove, import) = (counts.add, counts.change, counts.remove, counts.import);
    let imports = |what: &str| match import {
        0 => String::new(),
        _ => format!("{import} {what}, "),
    };
    let (name, message) = match operation {
        Operation::Plan => (
            "plan",
            format!(
                "Plan: {}{add} to add, {change} to change, {remove} to destroy.",
                imports("to import")
            ),
        ),
        Operation::Apply => (
            "apply",
            format!(
                "Apply complete! Resources: {}{add} added, {change} changed, {remove} destroyed.",
                imports("imported")
            ),
        ),
        Operation::Destroy => (
            "destroy",
            format!("Destroy complete! Resources: {remove} destroyed."),
        ),
    };
    let content = json!({"add": add, "change": change, "import": import, "remove": remove, "operation": name});
    line("info", &message, "change_summary", "changes", content)
}

/// Which environments have drifted, at the end of `drift -json`.
pub(crate) fn drift_line(environments: Vec<Json>) -> String {
    let drifted = environments
        .iter()
        .filter(|environment| environment["drifted"] == true)
        .count();
    let message = format!("{drifted} of {} environments drifted", environments.len());
    line(
        "info",
        &message,
        "drift_summary",
        "environments",
        Json::Array(environments),
    )
}

/// Which stack the lines that follow belong to.
pub(crate) fn stack_line(name: &str, path: &str) -> String {
    let message = format!("Stack {name}");
    let content = json!({"name": name, "path": path});
    line("info", &message, "stack", "stack", content)
}

/// What became of each stack, at the end of a command over many.
pub(crate) fn stacks_line(stacks: Vec<Json>) -> String {
    let message = format!("{} stacks", stacks.len());
    line(
        "info",
        &message,
        "stacks_summary",
        "stacks",
        Json::Array(stacks),
    )
}

/// What the policies of an environment say of a plan.
pub(crate) fn policies_line(counts: &str, results: Json) -> String {
    let message = format!("Policies: {counts}");
    line("info", &message, "policy_results", "policies", results)
}

/// Root outputs as a line; sensitive ones without their values.
pub(crate) fn outputs_line(
    outputs: &std::collections::BTreeMap<terrace_addr::Name, terrace_state::OutputState>,
) -> String {
    let mut content = serde_json::Map::new();
    for (name, output) in outputs {
        let mut entry = json!({"sensitive": output.sensitive});
        if let Some(fields) = entry.as_object_mut() {
            let ty = serde_json::from_str(&terrace_value::json::encode_type(&output.value.ty()))
                .unwrap_or(Json::Null);
            fields.insert("type".to_owned(), ty);
            if !output.sensitive
                && let Ok(text) = terrace_value::json::simple_encode(&output.value)
            {
                fields.insert(
                    "value".to_owned(),
                    serde_json::from_str(&text).unwrap_or(Json::Null),
                );
            }
        }
        content.insert(name.to_string(), entry);
    }
    line(
        "info",
        &format!("Outputs: {}", outputs.len()),
        "outputs",
        "outputs",
        Json::Object(content),
    )
}

//! The JSON event stream: one object a line, as the reference gives it.

use serde_json::{Value as Json, json};
use terrace_addr::AbsResourceInstance;
use terrace_diag::{Diagnostic, Severity, SourceMap};
use terrace_plan::{Action, Plan, ResourceChange};
use terrace_port::{Clock as _, OperationEvent};

use super::plan::Secrets;
use crate::outside::SystemClock;

fn line(level: &str, message: &str, kind: &str, field: &str, content: Json) -> String {
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

/// What happened, as a line; `None` for what the stream does not tell.
pub(crate) fn event_line(event: &OperationEvent, secrets: &Secrets) -> Option<String> {
    let (message, kind, content) = match event {
        OperationEvent::ImportStart { .. } | OperationEvent::ImportDone { .. } => return None,
        OperationEvent::RefreshStart { address, id } => (
            format!("{address}: Refreshing state..."),
            "refresh_start",
            hook(address, id.as_ref(), secrets, Json::Null),
        ),
        OperationEvent::RefreshDone { address, id } => (
            format!("{address}: Refresh complete"),
            "refresh_complete",
            hook(address, id.as_ref(), secrets, Json::Null),
        ),
        OperationEvent::ApplyStart {
            address,
            action,
            id,
        } => (
            format!("{address}: {action} started"),
            "apply_start",
            hook(address, id.as_ref(), secrets, json!({"action": action})),
        ),
        OperationEvent::ApplyProgress {
            address,
            action,
            elapsed_seconds,
        } => {
            let extra = json!({"action": action, "elapsed_seconds": elapsed_seconds});
            let message = format!("{address}: {action} still running");
            (
                message,
                "apply_progress",
                hook(address, None, secrets, extra),
            )
        }
        OperationEvent::ApplyDone {
            address,
            action,
            id,
            elapsed_seconds,
        } => {
            let extra = json!({"action": action, "elapsed_seconds": elapsed_seconds});
            let message = format!("{address}: {action} complete");
            let content = hook(address, id.as_ref(), secrets, extra);
            (message, "apply_complete", content)
        }
        OperationEvent::ApplyFailed {
            address,
            action,
            elapsed_seconds,
        } => {
            let extra = json!({"action": action, "elapsed_seconds": elapsed_seconds});
            let message = format!("{address}: {action} failed");
            (
                message,
                "apply_errored",
                hook(address, None, secrets, extra),
            )
        }
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
            let message = format!("{address}: ({provisioner}): {shown}");
            (
                message,
                "provision_progress",
                hook(address, None, secrets, extra),
            )
        }
        OperationEvent::ProvisionDone {
            address,
            provisioner,
            failed,
        } => {
            let kind = if *failed {
                "provision_errored"
            } else {
                "provision_complete"
            };
            let message = format!("{address}: ({provisioner}) Provisioning ended");
            let extra = json!({"provisioner": provisioner});
            (message, kind, hook(address, None, secrets, extra))
        }
    };
    Some(line("info", &message, kind, "hook", content))
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

fn change_line(change: &ResourceChange, kind: &str) -> String {
    let action = action_word(change.action);
    let mut content = json!({"resource": resource(&change.address), "action": action});
    if let Some(fields) = content.as_object_mut() {
        if let Some(previous) = &change.previous_address {
            fields.insert("previous_resource".to_owned(), resource(previous));
        }
        if !change.action_reason.name().is_empty() {
            let reason = change.action_reason.name();
            let reason = reason
                .strip_prefix("replace_because_")
                .or(reason.strip_prefix("replace_by_"))
                .unwrap_or(reason);
            fields.insert("reason".to_owned(), json!(reason));
        }
        if let Some(importing) = &change.importing {
            fields.insert("importing".to_owned(), json!({"id": importing.id}));
        }
    }
    let what = if kind == "resource_drift" {
        "Drift detected"
    } else {
        "Plan to"
    };
    line(
        "info",
        &format!("{}: {what} {action}", change.address),
        kind,
        "change",
        content,
    )
}

/// A plan as lines: drift, changes, the summary.
pub(crate) fn plan_lines(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<String> = plan
        .drift
        .iter()
        .map(|change| change_line(change, "resource_drift"))
        .collect();
    let shown = plan.changes.iter().filter(|change| {
        change.action != Action::NoOp
            || change.previous_address.is_some()
            || change.importing.is_some()
    });
    lines.extend(shown.map(|change| change_line(change, "planned_change")));
    let counts = terrace_gate::RunCounts::of(plan);
    lines.push(summary_line(counts, "plan"));
    lines
}

/// The summary of a plan or an apply.
pub(crate) fn summary_line(counts: terrace_gate::RunCounts, operation: &str) -> String {
    let (add, change, remove, import) = (counts.add, counts.change, counts.remove, counts.import);
    let message = match operation {
        "plan" => format!("Plan: {add} to add, {change} to change, {remove} to destroy."),
        "destroy" => format!("Destroy complete! Resources: {remove} destroyed."),
        _ => {
            format!("Apply complete! Resources: {add} added, {change} changed, {remove} destroyed.")
        }
    };
    let content = json!({"add": add, "change": change, "import": import, "remove": remove, "operation": operation});
    line("info", &message, "change_summary", "changes", content)
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

//! Texts that try to become markup wherever a page could show them.

use std::collections::BTreeMap;

use terrace_plan::{Action, ActionReason, OutputChange, Plan};
use terrace_value::{Path, Type, Value};

use crate::{change, empty, reason};

/// What a script would set in the window, could it run.
pub const CANARY: &str = "terraceCanary";

/// A plan in which every text that a page shows tries to run a script, each in another way.
pub fn hostile() -> Plan {
    let run = format!("window.{CANARY}=1");
    let attempts = [
        format!("</script><script>{run}</script>"),
        format!("<img src=x onerror=\"{run}\">"),
        format!("<!--<script>{run}"),
        format!("\"><svg onload={run}>"),
        format!("'-alert(1)-'<iframe srcdoc=\"<script>parent.{CANARY}=1</script>\">"),
        format!("javascript:{run}"),
        format!("]]><a href=\"javascript:{run}\">here</a>"),
        format!("\u{2028}{run}\u{2029}//"),
        format!("</title></style></textarea><script>{run}</script>"),
    ];
    let mut plan = empty();
    for (index, attempt) in attempts.iter().enumerate() {
        let key = attempt.replace('\\', "\\\\").replace('"', "\\\"");
        let inside = |text: &str| {
            Value::object([
                ("id", Value::string(text)),
                (
                    "tags",
                    Value::map(Type::String, [(attempt.as_str(), Value::string(text))]),
                ),
                ("script", Value::string(format!("one\n{text}\nthree"))),
                (
                    "policy",
                    Value::string(format!(
                        "{{\"{index}\": {:?}}}",
                        text.replace(['\u{2028}', '\u{2029}'], "")
                    )),
                ),
            ])
        };
        let mut change = change(
            &format!("module.m[\"{key}\"].aws_s3_bucket.b[\"{key}\"]"),
            Action::DeleteThenCreate,
            inside("before"),
            inside(attempt),
        );
        change.action_reason = ActionReason::ReplaceBecauseCannotUpdate;
        change.replace_paths = vec![Path::root().attribute("id")];
        change.reasons = vec![reason(attempt, attempt, attempt)];
        plan.changes.push(change.clone());
        change.action = Action::Update;
        plan.drift.push(change);
        plan.outputs.insert(
            format!("output{index}").into(),
            OutputChange {
                action: Action::Create,
                before: Value::NULL,
                after: Value::string(attempt.as_str()),
                sensitive: false,
            },
        );
    }
    plan.changes.sort_by(|a, b| a.address.cmp(&b.address));
    plan.inputs.environment = Some(attempts[0].clone());
    plan.inputs.request.reason = Some(attempts[1].clone());
    plan.inputs.request.commit = Some(attempts[3].clone());
    plan.inputs.request.statements = BTreeMap::from([(attempts[0].clone(), attempts[2].clone())]);
    plan
}

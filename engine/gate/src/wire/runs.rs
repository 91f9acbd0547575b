//! Runs on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use terrace_plan::PlanDigest;

use crate::{Run, RunCounts, RunStatus};

#[derive(Serialize, Deserialize)]
struct RunWire {
    format: u32,
    id: String,
    plan: String,
    configuration: String,
    environment: Option<String>,
    workspace: String,
    mode: String,
    status: String,
    actor: String,
    commit: Option<String>,
    version: String,
    created: String,
    finished: Option<String>,
    add: u64,
    change: u64,
    remove: u64,
    import: u64,
    message: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    statements: BTreeMap<String, String>,
}

pub(crate) fn encode_run(run: &Run) -> Vec<u8> {
    let wire = RunWire {
        format: 1,
        id: run.id.clone(),
        plan: run.plan.to_string(),
        configuration: run.configuration.clone(),
        environment: run.environment.clone(),
        workspace: run.workspace.clone(),
        mode: run.mode.clone(),
        status: run.status.name().to_owned(),
        actor: run.actor.clone(),
        commit: run.commit.clone(),
        version: run.version.clone(),
        created: run.created.clone(),
        finished: run.finished.clone(),
        add: run.counts.add,
        change: run.counts.change,
        remove: run.counts.remove,
        import: run.counts.import,
        message: run.message.clone(),
        kind: run.change.clone(),
        reason: run.reason.clone(),
        statements: run.statements.clone(),
    };
    serde_json::to_vec(&wire).expect("a run has string keys only")
}

pub(crate) fn decode_run(bytes: &[u8]) -> Result<Run, String> {
    let wire: RunWire = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    Ok(Run {
        id: wire.id,
        plan: PlanDigest::parse(&wire.plan)
            .ok_or("the plan's digest is not sixty-four hexadecimal digits")?,
        configuration: wire.configuration,
        environment: wire.environment,
        workspace: wire.workspace,
        mode: wire.mode,
        status: RunStatus::parse(&wire.status)
            .ok_or_else(|| format!("{:?} is not the status of a run", wire.status))?,
        actor: wire.actor,
        commit: wire.commit,
        version: wire.version,
        created: wire.created,
        finished: wire.finished,
        counts: RunCounts {
            add: wire.add,
            change: wire.change,
            remove: wire.remove,
            import: wire.import,
        },
        message: wire.message,
        change: wire.kind,
        reason: wire.reason,
        statements: wire.statements,
    })
}

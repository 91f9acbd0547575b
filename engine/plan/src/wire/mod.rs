//! The plan's wire form: canonical JSON. Its SHA-256 is the plan's digest.
//!
//! Objects are written with a fixed field order, maps sorted, so that the same plan always gives the same bytes.
//! Values are MessagePack with an interned type table; marks stand beside them as paths.

mod changes;
mod schema;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use terrace_addr::Name;
use terrace_config::{Snapshot, SnapshotFile};
use terrace_state::{CheckResult, CheckStatus, ObjectCheckResult};

use crate::{
    ChangeRequest, ExecGraph, FileRead, Op, OpKind, Plan, PlanInputs, PlanMode, PlannedProvider,
    RelevantAttribute, UsedOutput, VariableInput,
};
use changes::{ChangeWire, OutputWire};
use schema::SchemasWire;
use values::{Base64, PathWire, TypeTable, ValueWire};

/// Version of the wire form. A reader refuses any other.
const FORMAT: u32 = 2;

/// Why bytes are not a plan that can be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanReadError {
    /// Not a plan at all.
    #[error("this is not a plan file of Terrace")]
    NotAPlan,
    /// A plan of another version.
    #[error("this plan file has format {found}, and this version of Terrace reads format {FORMAT}")]
    Format {
        /// The version found.
        found: u32,
    },
    /// Cut off or changed.
    #[error("the plan file is damaged: {0}")]
    Damaged(String),
}

#[derive(Serialize, Deserialize)]
struct PlanWire {
    format: u32,
    mode: String,
    inputs: InputsWire,
    types: Vec<Box<serde_json::value::RawValue>>,
    previous_state: Box<serde_json::value::RawValue>,
    prior_state: Option<Box<serde_json::value::RawValue>>,
    changes: Vec<ChangeWire>,
    drift: Vec<ChangeWire>,
    outputs: BTreeMap<String, OutputWire>,
    exec: Vec<OpWire>,
    checks: Vec<CheckWire>,
    relevant_attributes: Vec<RelevantWire>,
    schemas: SchemasWire,
    errored: bool,
}

#[derive(Serialize, Deserialize)]
struct InputsWire {
    modules: BTreeMap<String, String>,
    configuration: Vec<FileWire>,
    variables: BTreeMap<String, VariableWire>,
    files: Vec<FileWire>,
    providers: Vec<(String, String, String)>,
    workspace: String,
    environment: Option<String>,
    targets: Vec<String>,
    replace: Vec<String>,
    timestamp: String,
    working_directory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    request: Option<RequestWire>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    upstream: Vec<UsedOutputWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UsedOutputWire {
    variable: String,
    stack: String,
    output: String,
    run: String,
    document: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestWire {
    kind: String,
    reason: Option<String>,
    statements: BTreeMap<String, String>,
    commit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rules: Option<String>,
}

/// A file by content: text where it is UTF-8, otherwise base64; neither when it was not there.
#[derive(Serialize, Deserialize)]
struct FileWire {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    base64: Option<Base64>,
}

#[derive(Serialize, Deserialize)]
struct VariableWire {
    value: Option<ValueWire>,
    set: bool,
}

#[derive(Serialize, Deserialize)]
struct OpWire {
    op: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    change: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    by: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    after: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
struct CheckWire {
    kind: String,
    config_address: String,
    status: String,
    objects: Vec<(String, String, Vec<String>)>,
}

#[derive(Serialize, Deserialize)]
struct RelevantWire {
    resource: String,
    attribute: PathWire,
}

/// The canonical bytes of a plan.
pub(crate) fn encode(plan: &Plan) -> Vec<u8> {
    let mut types = TypeTable::default();
    let previous = terrace_state::write(&plan.previous_state);
    let prior =
        (plan.previous_state != plan.prior_state).then(|| terrace_state::write(&plan.prior_state));
    let wire = PlanWire {
        format: FORMAT,
        mode: mode_name(plan.mode).to_owned(),
        inputs: encode_inputs(&plan.inputs, &mut types),
        changes: plan
            .changes
            .iter()
            .map(|change| ChangeWire::encode(change, &mut types))
            .collect(),
        drift: plan
            .drift
            .iter()
            .map(|change| ChangeWire::encode(change, &mut types))
            .collect(),
        outputs: plan
            .outputs
            .iter()
            .map(|(name, output)| (name.to_string(), OutputWire::encode(output, &mut types)))
            .collect(),
        previous_state: raw(previous),
        prior_state: prior.map(raw),
        exec: plan.exec.ops.iter().map(encode_op).collect(),
        checks: plan.checks.iter().map(encode_check).collect(),
        relevant_attributes: plan
            .relevant_attributes
            .iter()
            .map(|relevant| RelevantWire {
                resource: relevant.resource.clone(),
                attribute: PathWire::encode(&relevant.attribute),
            })
            .collect(),
        schemas: schema::encode_used(plan),
        errored: plan.errored,
        types: types.into_wire(),
    };
    serde_json::to_vec(&wire).expect("a plan's wire form has string keys only")
}

fn raw(bytes: Vec<u8>) -> Box<serde_json::value::RawValue> {
    let text = String::from_utf8(bytes).expect("a state file is UTF-8");
    serde_json::value::RawValue::from_string(text.trim().to_owned()).expect("a state file is JSON")
}

/// Reads canonical bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<Plan, PlanReadError> {
    #[derive(Deserialize)]
    struct Probe {
        format: u32,
    }
    let probe: Probe = serde_json::from_slice(bytes).map_err(|_| PlanReadError::NotAPlan)?;
    if probe.format != FORMAT {
        return Err(PlanReadError::Format {
            found: probe.format,
        });
    }
    let wire: PlanWire =
        serde_json::from_slice(bytes).map_err(|error| PlanReadError::Damaged(error.to_string()))?;
    decode_wire(wire).map_err(PlanReadError::Damaged)
}

fn decode_wire(wire: PlanWire) -> Result<Plan, String> {
    let types = TypeTable::from_wire(&wire.types)?;
    let read_state = |raw: &serde_json::value::RawValue| {
        terrace_state::read(raw.get().as_bytes())
            .map(Arc::new)
            .map_err(|error| error.to_string())
    };
    let previous_state = read_state(&wire.previous_state)?;
    let prior_state = match &wire.prior_state {
        Some(raw) => read_state(raw)?,
        None => previous_state.clone(),
    };
    let changes = |list: Vec<ChangeWire>| {
        list.into_iter()
            .map(|change| change.decode(&types))
            .collect::<Result<Vec<_>, _>>()
    };
    let outputs = wire
        .outputs
        .into_iter()
        .map(|(name, output)| Ok((Name::from(name), output.decode(&types)?)));
    let relevant = wire.relevant_attributes.into_iter().map(|relevant| {
        Ok(RelevantAttribute {
            resource: relevant.resource,
            attribute: relevant.attribute.decode()?,
        })
    });
    let plan = Plan {
        mode: mode_of(&wire.mode)?,
        inputs: decode_inputs(wire.inputs, &types)?,
        previous_state,
        prior_state,
        changes: changes(wire.changes)?,
        drift: changes(wire.drift)?,
        outputs: outputs.collect::<Result<_, String>>()?,
        exec: ExecGraph {
            ops: wire
                .exec
                .into_iter()
                .map(decode_op)
                .collect::<Result<_, _>>()?,
        },
        checks: wire
            .checks
            .into_iter()
            .map(decode_check)
            .collect::<Result<_, _>>()?,
        relevant_attributes: relevant.collect::<Result<_, String>>()?,
        schemas: schema::decode_used(wire.schemas)?,
        errored: wire.errored,
    };
    verify_indices(&plan)?;
    Ok(plan)
}

/// Every index that an op holds must lead somewhere, and predecessors may not form a cycle.
fn verify_indices(plan: &Plan) -> Result<(), String> {
    let ops = &plan.exec.ops;
    let mut waiting: Vec<usize> = vec![0; ops.len()];
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); ops.len()];
    for (index, op) in ops.iter().enumerate() {
        let change = match op.kind {
            OpKind::Read { change }
            | OpKind::Create { change }
            | OpKind::Update { change }
            | OpKind::Delete { change }
            | OpKind::Forget { change }
            | OpKind::Record { change } => Some(change),
            _ => None,
        };
        if change.is_some_and(|change| change as usize >= plan.changes.len()) {
            return Err(format!("op {index} names a change that is not there"));
        }
        for before in &op.after {
            let Some(list) = dependents.get_mut(*before as usize) else {
                return Err(format!("op {index} waits for an op that is not there"));
            };
            list.push(index);
            waiting[index] += 1;
        }
    }
    let mut ready: Vec<usize> = (0..ops.len())
        .filter(|index| waiting[*index] == 0)
        .collect();
    let mut done = 0;
    while let Some(index) = ready.pop() {
        done += 1;
        for dependent in &dependents[index] {
            waiting[*dependent] -= 1;
            if waiting[*dependent] == 0 {
                ready.push(*dependent);
            }
        }
    }
    if done == ops.len() {
        Ok(())
    } else {
        Err("its ops wait for each other in a circle".to_owned())
    }
}

const fn mode_name(mode: PlanMode) -> &'static str {
    match mode {
        PlanMode::Normal => "normal",
        PlanMode::Destroy => "destroy",
        PlanMode::RefreshOnly => "refresh-only",
    }
}

fn mode_of(name: &str) -> Result<PlanMode, String> {
    match name {
        "normal" => Ok(PlanMode::Normal),
        "destroy" => Ok(PlanMode::Destroy),
        "refresh-only" => Ok(PlanMode::RefreshOnly),
        other => Err(format!("{other:?} is not a mode")),
    }
}

fn encode_file(path: &str, content: Option<&[u8]>) -> FileWire {
    let text = content.and_then(|bytes| std::str::from_utf8(bytes).ok());
    FileWire {
        path: path.to_owned(),
        text: text.map(str::to_owned),
        base64: content
            .filter(|_| text.is_none())
            .map(|bytes| Base64(bytes.into())),
    }
}

fn file_content(file: FileWire) -> (String, Option<Arc<[u8]>>) {
    let content = file
        .text
        .map(|text| Arc::from(text.into_bytes()))
        .or(file.base64.map(|base64| base64.0));
    (file.path, content)
}

fn encode_inputs(inputs: &PlanInputs, types: &mut TypeTable) -> InputsWire {
    InputsWire {
        modules: inputs.configuration.modules.clone(),
        configuration: inputs
            .configuration
            .files
            .iter()
            .map(|file| encode_file(&file.path, Some(&file.bytes)))
            .collect(),
        variables: inputs
            .variables
            .iter()
            .map(|(name, variable)| {
                let value = variable
                    .value
                    .as_ref()
                    .map(|value| ValueWire::encode(value, types));
                (
                    name.to_string(),
                    VariableWire {
                        value,
                        set: variable.set,
                    },
                )
            })
            .collect(),
        files: inputs
            .files
            .iter()
            .map(|file| encode_file(&file.path, file.content.as_deref()))
            .collect(),
        providers: inputs
            .providers
            .iter()
            .map(|used| {
                (
                    used.provider.to_string(),
                    used.version.clone(),
                    used.hash.clone(),
                )
            })
            .collect(),
        workspace: inputs.workspace.clone(),
        environment: inputs.environment.clone(),
        targets: inputs.targets.iter().map(ToString::to_string).collect(),
        replace: inputs.replace.iter().map(ToString::to_string).collect(),
        timestamp: inputs.timestamp.clone(),
        working_directory: inputs.working_directory.clone(),
        request: encode_request(&inputs.request),
        upstream: inputs.upstream.iter().map(encode_used).collect(),
    }
}

fn decode_inputs(wire: InputsWire, types: &TypeTable) -> Result<PlanInputs, String> {
    let configuration = wire.configuration.into_iter().map(|file| {
        let (path, bytes) = file_content(file);
        bytes
            .map(|bytes| SnapshotFile { path, bytes })
            .ok_or_else(|| "a configuration file has no content".to_owned())
    });
    let variables = wire.variables.into_iter().map(|(name, variable)| {
        let value = variable
            .value
            .map(|value| value.decode(types))
            .transpose()?;
        Ok((
            Name::from(name),
            VariableInput {
                value,
                set: variable.set,
            },
        ))
    });
    let providers = wire.providers.into_iter().map(|(provider, version, hash)| {
        let provider =
            terrace_addr::ProviderAddr::parse(&provider).map_err(|error| error.to_string())?;
        Ok(PlannedProvider {
            provider,
            version,
            hash,
        })
    });
    let parse = |text: &String| {
        text.parse()
            .map_err(|error: terrace_addr::ParseError| error.to_string())
    };
    Ok(PlanInputs {
        configuration: Arc::new(Snapshot {
            modules: wire.modules,
            files: configuration.collect::<Result<_, String>>()?,
        }),
        variables: variables.collect::<Result<_, String>>()?,
        files: wire
            .files
            .into_iter()
            .map(|file| {
                let (path, content) = file_content(file);
                FileRead { path, content }
            })
            .collect(),
        providers: providers.collect::<Result<_, String>>()?,
        workspace: wire.workspace,
        environment: wire.environment,
        targets: wire.targets.iter().map(parse).collect::<Result<_, _>>()?,
        replace: wire
            .replace
            .iter()
            .map(|text| {
                text.parse()
                    .map_err(|error: terrace_addr::ParseError| error.to_string())
            })
            .collect::<Result<_, _>>()?,
        timestamp: wire.timestamp,
        working_directory: wire.working_directory,
        request: wire.request.map(decode_request).unwrap_or_default(),
        upstream: wire.upstream.into_iter().map(decode_used).collect(),
    })
}

fn encode_used(used: &UsedOutput) -> UsedOutputWire {
    UsedOutputWire {
        variable: used.variable.clone(),
        stack: used.stack.clone(),
        output: used.output.clone(),
        run: used.run.clone(),
        document: used.document.clone(),
    }
}

fn decode_used(wire: UsedOutputWire) -> UsedOutput {
    UsedOutput {
        variable: wire.variable,
        stack: wire.stack,
        output: wire.output,
        run: wire.run,
        document: wire.document,
    }
}

fn encode_request(request: &ChangeRequest) -> Option<RequestWire> {
    (*request != ChangeRequest::default()).then(|| RequestWire {
        kind: request.kind.clone(),
        reason: request.reason.clone(),
        statements: request.statements.clone(),
        commit: request.commit.clone(),
        rules: request.rules.clone(),
    })
}

fn decode_request(wire: RequestWire) -> ChangeRequest {
    ChangeRequest {
        kind: wire.kind,
        reason: wire.reason,
        statements: wire.statements,
        commit: wire.commit,
        rules: wire.rules,
    }
}

fn encode_op(op: &Op) -> OpWire {
    let mut by = None;
    let (name, change, on) = match &op.kind {
        OpKind::OpenEphemeral { address, provider } => {
            by = Some(provider.to_string());
            ("open-ephemeral", None, Some(address.to_string()))
        }
        OpKind::CloseEphemeral { address } => ("close-ephemeral", None, Some(address.to_string())),
        OpKind::OpenProvider(provider) => ("open", None, Some(provider.to_string())),
        OpKind::CloseProvider(provider) => ("close", None, Some(provider.to_string())),
        OpKind::Read { change } => ("read", Some(*change), None),
        OpKind::Create { change } => ("create", Some(*change), None),
        OpKind::Update { change } => ("update", Some(*change), None),
        OpKind::Delete { change } => ("delete", Some(*change), None),
        OpKind::Forget { change } => ("forget", Some(*change), None),
        OpKind::Record { change } => ("record", Some(*change), None),
        OpKind::Join => ("join", None, None),
        OpKind::Check { address } => ("check", None, Some(address.clone())),
        OpKind::Outputs => ("outputs", None, None),
    };
    OpWire {
        op: name.to_owned(),
        change,
        on,
        by,
        after: op.after.clone(),
    }
}

fn decode_op(wire: OpWire) -> Result<Op, String> {
    let change = || {
        wire.change
            .ok_or_else(|| format!("op {:?} names no change", wire.op))
    };
    let on = || {
        wire.on
            .clone()
            .ok_or_else(|| format!("op {:?} names no object", wire.op))
    };
    let provider = || {
        on()?
            .parse()
            .map_err(|error: terrace_addr::ParseError| error.to_string())
    };
    let instance = || {
        on()?
            .parse()
            .map_err(|error: terrace_addr::ParseError| error.to_string())
    };
    let kind = match wire.op.as_str() {
        "open-ephemeral" => OpKind::OpenEphemeral {
            address: instance()?,
            provider: wire
                .by
                .as_deref()
                .ok_or("an ephemeral resource is opened by no provider")?
                .parse()
                .map_err(|error: terrace_addr::ParseError| error.to_string())?,
        },
        "close-ephemeral" => OpKind::CloseEphemeral {
            address: instance()?,
        },
        "open" => OpKind::OpenProvider(provider()?),
        "close" => OpKind::CloseProvider(provider()?),
        "read" => OpKind::Read { change: change()? },
        "create" => OpKind::Create { change: change()? },
        "update" => OpKind::Update { change: change()? },
        "delete" => OpKind::Delete { change: change()? },
        "forget" => OpKind::Forget { change: change()? },
        "record" => OpKind::Record { change: change()? },
        "join" => OpKind::Join,
        "check" => OpKind::Check { address: on()? },
        "outputs" => OpKind::Outputs,
        other => return Err(format!("{other:?} is not an op")),
    };
    Ok(Op {
        kind,
        after: wire.after,
    })
}

const fn status_name(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Unknown => "unknown",
        CheckStatus::Pass => "pass",
        CheckStatus::Fail => "fail",
        CheckStatus::Error => "error",
    }
}

fn status_of(name: &str) -> Result<CheckStatus, String> {
    match name {
        "unknown" => Ok(CheckStatus::Unknown),
        "pass" => Ok(CheckStatus::Pass),
        "fail" => Ok(CheckStatus::Fail),
        "error" => Ok(CheckStatus::Error),
        other => Err(format!("{other:?} is not the status of a check")),
    }
}

fn encode_check(check: &CheckResult) -> CheckWire {
    CheckWire {
        kind: check.kind.to_string(),
        config_address: check.config_address.clone(),
        status: status_name(check.status).to_owned(),
        objects: check
            .objects
            .iter()
            .map(|object| {
                (
                    object.address.clone(),
                    status_name(object.status).to_owned(),
                    object.failures.clone(),
                )
            })
            .collect(),
    }
}

fn decode_check(wire: CheckWire) -> Result<CheckResult, String> {
    let objects = wire.objects.into_iter().map(|(address, status, failures)| {
        Ok(ObjectCheckResult {
            address,
            status: status_of(&status)?,
            failures,
        })
    });
    Ok(CheckResult {
        kind: wire.kind.into(),
        config_address: wire.config_address,
        status: status_of(&wire.status)?,
        objects: objects.collect::<Result<_, String>>()?,
    })
}

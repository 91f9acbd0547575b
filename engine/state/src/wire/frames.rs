//! The journal's frames: one line of JSON each, `{"v":1,"begin":{…}}`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use terrace_addr::{AbsResourceInstance, DeposedKey};

use super::intern::Interner;
use super::v4::{InstanceForm, StateForm, read_content, read_object, state_form, write_object};
use crate::journal::{Begin, Frame, Intent, IntentAction, OpResult, RunOutputs, StateChange};
use crate::operations::Move;
use crate::transfer::{End, Role, Transfer, Transferred};
use crate::{Object, State, StateError};

const FRAME_VERSION: u32 = 1;

#[derive(Default, Serialize, Deserialize)]
struct FrameForm<'a> {
    v: u32,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    begin: Option<BeginForm<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    intent: Option<IntentForm<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    result: Option<ResultForm<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost: Option<u32>,
    /// A v4 state without resources.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    outputs: Option<StateForm<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    commit: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transfer: Option<TransferForm>,
}

#[derive(Serialize, Deserialize)]
struct TransferForm {
    id: String,
    /// `source` or `destination`.
    role: String,
    source: EndForm,
    destination: EndForm,
    /// Where each instance is, where it goes, and what its objects are.
    objects: Vec<[String; 3]>,
}

#[derive(Serialize, Deserialize)]
struct EndForm {
    name: String,
    place: String,
    lineage: String,
    serial: u64,
}

#[derive(Serialize, Deserialize)]
struct BeginForm<'a> {
    run: String,
    plan_digest: String,
    lineage: String,
    serial: u64,
    epoch: u64,
    #[serde(borrow)]
    changes: Vec<ChangeForm<'a>>,
    #[serde(default)]
    parallelism: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    witness: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ActionForm {
    Create,
    Update,
    Delete,
}

#[derive(Serialize, Deserialize)]
struct IntentForm<'a> {
    op: u32,
    address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposed: Option<String>,
    action: ActionForm,
    provider: String,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    prior: Option<InstanceForm<'a>>,
    planned_private: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    import_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ResultForm<'a> {
    op: u32,
    #[serde(borrow)]
    changes: Vec<ChangeForm<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ChangeForm<'a> {
    address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deposed: Option<String>,
    provider: String,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    object: Option<InstanceForm<'a>>,
}

/// The stored form of a frame.
pub(crate) fn encode(frame: &Frame) -> Vec<u8> {
    let outputs;
    let mut form = FrameForm {
        v: FRAME_VERSION,
        ..FrameForm::default()
    };
    match frame {
        Frame::Begin(begin) => form.begin = Some(write_begin(begin)),
        Frame::Intent(intent) => form.intent = Some(write_intent(intent)),
        Frame::Result(result) => {
            form.result = Some(ResultForm {
                op: result.op,
                changes: result.changes.iter().map(write_change).collect(),
                error: result.error.clone(),
            });
        }
        Frame::Lost { op } => form.lost = Some(*op),
        Frame::Outputs(run) => {
            outputs = State {
                outputs: run.outputs.clone(),
                check_results: run.checks.clone(),
                ..State::default()
            };
            form.outputs = Some(state_form(&outputs));
        }
        Frame::Commit { serial } => form.commit = Some(*serial),
        Frame::End => form.end = Some(true),
        Frame::Transfer(transfer) => form.transfer = Some(write_transfer(transfer)),
    }
    serde_json::to_vec(&form).expect("the forms hold only what JSON can hold")
}

fn write_transfer(transfer: &Transfer) -> TransferForm {
    let end = |end: &End| EndForm {
        name: end.name.clone(),
        place: end.place.clone(),
        lineage: end.lineage.clone(),
        serial: end.serial,
    };
    let role = match transfer.role {
        Role::Source => "source",
        Role::Destination => "destination",
    };
    let objects = transfer.objects.iter().map(|object| {
        let Move { from, to } = &object.addresses;
        [from.to_string(), to.to_string(), object.digest.clone()]
    });
    TransferForm {
        id: transfer.id.clone(),
        role: role.to_owned(),
        source: end(&transfer.source),
        destination: end(&transfer.destination),
        objects: objects.collect(),
    }
}

fn read_transfer(form: TransferForm) -> Result<Transfer, StateError> {
    let end = |form: EndForm| End {
        name: form.name,
        place: form.place,
        lineage: form.lineage,
        serial: form.serial,
    };
    let objects = form.objects.into_iter().map(|[from, to, digest]| {
        let addresses = Move {
            from: from.parse().map_err(damaged)?,
            to: to.parse().map_err(damaged)?,
        };
        Ok(Transferred { addresses, digest })
    });
    Ok(Transfer {
        id: form.id,
        role: match form.role.as_str() {
            "source" => Role::Source,
            "destination" => Role::Destination,
            role => return Err(damaged(format!("{role:?} is no end of a move"))),
        },
        source: end(form.source),
        destination: end(form.destination),
        objects: objects.collect::<Result<_, StateError>>()?,
    })
}

fn write_begin(begin: &Begin) -> BeginForm<'_> {
    BeginForm {
        run: begin.run.clone(),
        plan_digest: begin.plan_digest.clone(),
        lineage: begin.lineage.clone(),
        serial: begin.serial,
        epoch: begin.epoch,
        changes: begin.changes.iter().map(write_change).collect(),
        parallelism: begin.parallelism,
        witness: begin.witness.clone(),
    }
}

fn write_intent(intent: &Intent) -> IntentForm<'_> {
    IntentForm {
        op: intent.op,
        address: intent.address.to_string(),
        deposed: intent.deposed.as_ref().map(ToString::to_string),
        action: match intent.action {
            IntentAction::Create => ActionForm::Create,
            IntentAction::Update => ActionForm::Update,
            IntentAction::Delete => ActionForm::Delete,
        },
        provider: intent.provider.to_string(),
        prior: intent
            .prior
            .as_ref()
            .map(|object| write_object(None, None, object)),
        planned_private: STANDARD.encode(&intent.planned_private),
        import_id: intent.import_id.clone(),
    }
}

fn write_change(change: &StateChange) -> ChangeForm<'_> {
    ChangeForm {
        address: change.address.to_string(),
        deposed: change.deposed.as_ref().map(ToString::to_string),
        provider: change.provider.to_string(),
        object: change
            .object
            .as_ref()
            .map(|object| write_object(None, None, object)),
    }
}

fn damaged(what: impl std::fmt::Display) -> StateError {
    StateError {
        summary: "Unreadable journal".into(),
        detail: format!("A frame of the journal cannot be read: {what}."),
        hint: Some("Recover with the version of Terrace that wrote the journal.".into()),
        position: None,
    }
}

/// Reads a stored form.
pub(crate) fn decode(bytes: &[u8]) -> Result<Frame, StateError> {
    let form: FrameForm<'_> = serde_json::from_slice(bytes).map_err(damaged)?;
    if form.v != FRAME_VERSION {
        return Err(damaged(format!(
            "it has version {}, and this Terrace knows version {FRAME_VERSION}",
            form.v
        )));
    }
    Ok(match form {
        FrameForm {
            begin: Some(begin), ..
        } => Frame::Begin(Begin {
            run: begin.run,
            plan_digest: begin.plan_digest,
            lineage: begin.lineage,
            serial: begin.serial,
            epoch: begin.epoch,
            changes: read_changes(&begin.changes)?,
            parallelism: begin.parallelism,
            witness: begin.witness,
        }),
        FrameForm {
            intent: Some(intent),
            ..
        } => Frame::Intent(read_intent(intent)?),
        FrameForm {
            result: Some(result),
            ..
        } => Frame::Result(OpResult {
            op: result.op,
            changes: read_changes(&result.changes)?,
            error: result.error,
        }),
        FrameForm { lost: Some(op), .. } => Frame::Lost { op },
        FrameForm {
            outputs: Some(outputs),
            ..
        } => {
            let state = read_content(outputs)?;
            Frame::Outputs(RunOutputs {
                outputs: state.outputs,
                checks: state.check_results,
            })
        }
        FrameForm {
            commit: Some(serial),
            ..
        } => Frame::Commit { serial },
        FrameForm { end: Some(_), .. } => Frame::End,
        FrameForm {
            transfer: Some(transfer),
            ..
        } => Frame::Transfer(Box::new(read_transfer(transfer)?)),
        _ => return Err(damaged("it is of an unknown kind")),
    })
}

fn read_intent(form: IntentForm<'_>) -> Result<Intent, StateError> {
    let address: AbsResourceInstance = form.address.parse().map_err(damaged)?;
    let prior = form
        .prior
        .map(|form| read_stored(&address, &form))
        .transpose()?;
    Ok(Intent {
        op: form.op,
        address,
        deposed: form.deposed.map(|key| DeposedKey(key.into())),
        action: match form.action {
            ActionForm::Create => IntentAction::Create,
            ActionForm::Update => IntentAction::Update,
            ActionForm::Delete => IntentAction::Delete,
        },
        provider: form.provider.parse().map_err(damaged)?,
        prior,
        planned_private: STANDARD
            .decode(form.planned_private)
            .map_err(damaged)?
            .into(),
        import_id: form.import_id,
    })
}

fn read_changes(forms: &[ChangeForm<'_>]) -> Result<Vec<StateChange>, StateError> {
    forms.iter().map(read_change).collect()
}

fn read_change(form: &ChangeForm<'_>) -> Result<StateChange, StateError> {
    let address: AbsResourceInstance = form.address.parse().map_err(damaged)?;
    let object = form
        .object
        .as_ref()
        .map(|object| read_stored(&address, object))
        .transpose()?;
    Ok(StateChange {
        address,
        deposed: form.deposed.as_deref().map(|key| DeposedKey(key.into())),
        provider: form.provider.parse().map_err(damaged)?,
        object,
    })
}

fn read_stored(
    address: &AbsResourceInstance,
    form: &InstanceForm<'_>,
) -> Result<Arc<Object>, StateError> {
    read_object(&address.resource, form, &mut Interner::default()).map(Arc::new)
}

//! Finding out what became of changes whose end nobody recorded.
//!
//! [`terrace_state::journal::recover`] replays what is recorded. What is left are changes that a provider was asked for
//! and whose answer is not known. [`resolve`] looks: it reads objects that were to be changed or destroyed, and imports
//! those that were to be created, where their id is known. Only what nobody can know is left to a person.

mod providers;

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{AbsResourceInstance, ProviderAddr};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::Evaluator;
use terrace_port::{
    Clock, Entropy, JournalStore, LockedState, Provider, ProviderDiagnostic, ProviderSource,
    ReadRequest, ResourceState, StoreError,
};
use terrace_schema::{IdentitySchema, ResourceSchema};
use terrace_state::journal::{
    Frame, Intent, IntentAction, OpResult, Recovery, StateChange, Uncertain, UncertainCause,
};
use terrace_state::{Object, ObjectStatus, State, StoredIdentity, successor};
use terrace_value::{Marks, Path, Value};

use crate::instance::{encode, mark};

use providers::Providers;

/// What a person knows of an object that was to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was not created.
    NotCreated,
    /// It was, and can be imported by this id.
    Id(String),
}

/// What is left of a run that died, and the means to resolve it.
pub struct Resolve<'a> {
    /// What replaying the journal gave.
    pub recovery: Recovery,
    /// The configuration, for the configuration of providers; it must know the schemas of those that are asked.
    pub evaluator: Arc<Evaluator>,
    /// Where providers come from.
    pub providers: &'a dyn ProviderSource,
    /// What people know.
    pub answers: BTreeMap<AbsResourceInstance, Answer>,
    /// The time, for ephemeral resources that the configuration of a provider reads.
    pub clock: Arc<dyn Clock>,
}

/// One change of which it is known now what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// What was asked for.
    pub intent: Intent,
    /// In words: `was created`, `was not destroyed`.
    pub finding: &'static str,
    /// What that means for the state.
    pub changes: Vec<StateChange>,
}

/// What could be found out.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The state with all that is known.
    pub state: State,
    /// What was found out.
    pub settled: Vec<Settled>,
    /// What is still not known.
    pub open: Vec<Uncertain>,
    /// What there is to say; an error for each change that is still open.
    pub diagnostics: Diagnostics,
    /// Whether someone else has stored a state since the run began.
    foreign: bool,
    /// What never began.
    not_begun: Vec<OpResult>,
}

/// Finds out what became of uncertain changes.
pub async fn resolve(request: Resolve<'_>) -> Resolved {
    let Recovery {
        state,
        uncertain,
        foreign,
        not_begun,
        ..
    } = request.recovery;
    let mut resolved = Resolved {
        state,
        foreign,
        not_begun,
        ..Resolved::default()
    };
    let mut providers = Providers::new(request.evaluator, request.providers, request.clock);
    for uncertain in uncertain {
        let answer = request.answers.get(&uncertain.intent.address);
        let found = match uncertain.cause {
            UncertainCause::InFlight => {
                in_flight(&uncertain.intent, answer, &mut providers, &resolved.state).await
            }
            UncertainCause::StateChangedSince => changed_since(&uncertain, &resolved.state),
        };
        match found {
            Ok(settled) => {
                for change in &settled.changes {
                    change.apply_to(&mut resolved.state);
                }
                resolved.settled.push(settled);
            }
            Err(problems) => {
                resolved.diagnostics.append(problems);
                resolved.open.push(uncertain);
            }
        }
    }
    providers.close().await;
    resolved
}

/// Stores what was found out, and empties the journal if nothing is left open. Returns the stored state.
pub async fn finish(
    resolved: &Resolved,
    stored: &State,
    locked: &mut dyn LockedState,
    journal: &dyn JournalStore,
    entropy: &dyn Entropy,
) -> Result<State, StoreError> {
    let next = successor(stored, &resolved.state, entropy);
    // What never began comes first: of changes that were asked for, the journal shows no more than there were places.
    let not_begun = resolved.not_begun.iter().cloned().map(Frame::Result);
    let settled = resolved.settled.iter().map(|settled| {
        Frame::Result(OpResult {
            op: settled.intent.op,
            changes: settled.changes.clone(),
            error: None,
        })
    });
    let mut frames: Vec<Frame> = not_begun.chain(settled).collect();
    if let (Some(next), false) = (&next, resolved.foreign) {
        frames.push(Frame::Commit {
            serial: next.serial,
        });
    }
    let frames: Vec<Vec<u8>> = frames.iter().map(Frame::encode).collect();
    journal.append(&frames).await?;
    if let Some(next) = &next {
        terrace_state::store(locked, next).await?;
    }
    if resolved.open.is_empty() {
        journal.clear().await?;
    }
    Ok(next.unwrap_or_else(|| stored.clone()))
}

/// An answer was recorded, but the state was changed by someone else: theirs stays, if it is about the same object.
fn changed_since(uncertain: &Uncertain, state: &State) -> Result<Settled, Diagnostics> {
    let intent = &uncertain.intent;
    let recorded = uncertain
        .recorded
        .iter()
        .find(|change| change.deposed.is_none());
    let ours = recorded.and_then(|change| change.object.as_ref());
    let theirs = state.object(&intent.address);
    match (ours, theirs) {
        (Some(_), None) => {
            Ok(Settled { intent: intent.clone(), finding: "was recorded", changes: uncertain.recorded.clone() })
        }
        (Some(ours), Some(theirs)) if ours.text_attribute("id") != theirs.text_attribute("id") => {
            Err(open(
                intent,
                format!(
                    "The run left the object {:?}, and the state, which was changed by someone else since, holds the object {:?}.",
                    ours.text_attribute("id").unwrap_or_default(),
                    theirs.text_attribute("id").unwrap_or_default()
                ),
                "Put the one that is right under the address with `terrace state rm` and `terrace import`.".to_owned(),
            ))
        }
        _ => Ok(Settled { intent: intent.clone(), finding: "was changed since", changes: Vec::new() }),
    }
}

async fn in_flight(
    intent: &Intent,
    answer: Option<&Answer>,
    providers: &mut Providers<'_>,
    state: &State,
) -> Result<Settled, Diagnostics> {
    let without_trace = lives_in_state(&intent.provider.provider) && answer.is_none();
    if intent.action == IntentAction::Create
        && (without_trace || answer == Some(&Answer::NotCreated))
    {
        return Ok(not_created(intent, state));
    }
    let id = match answer {
        Some(Answer::Id(id)) => Some(id),
        _ => intent.import_id.as_ref(),
    };
    match (&intent.prior, id) {
        (Some(prior), _) if intent.action != IntentAction::Create => {
            let provider = providers.get(&intent.provider, state).await?;
            let subject = Asked {
                intent,
                provider,
                schema: providers.schema(intent)?,
                identity: providers.identity_schema(intent),
            };
            let found = subject.read_prior(prior).await?;
            let finding = match (intent.action, &found) {
                (IntentAction::Delete, None) => "was destroyed",
                (IntentAction::Delete, Some(_)) => "was not destroyed",
                (_, None) => "is gone",
                (_, Some(_)) => "was read",
            };
            Ok(Settled {
                intent: intent.clone(),
                finding,
                changes: vec![change_to(intent, found)],
            })
        }
        (_, Some(id)) => {
            let provider = providers.get(&intent.provider, state).await?;
            let subject = Asked {
                intent,
                provider,
                schema: providers.schema(intent)?,
                identity: providers.identity_schema(intent),
            };
            match subject.import(id, answer.is_some()).await? {
                Some(object) => Ok(Settled {
                    intent: intent.clone(),
                    finding: "was created",
                    changes: vec![change_to(intent, Some(object))],
                }),
                None => Ok(not_created(intent, state)),
            }
        }
        _ => Err(open(
            intent,
            format!(
                "The provider was asked to create {}, and its answer was not recorded. The id of the object is not known, so nobody but you can tell whether it is there.",
                intent.address
            ),
            format!(
                "Look for it. If it is there, run `terrace recover -created '{0}=ID'`; if it is not, `terrace recover -not-created '{0}'`.",
                intent.address
            ),
        )),
    }
}

/// Whether the objects of a provider are nowhere but in the state: one that is not there was not created.
fn lives_in_state(provider: &ProviderAddr) -> bool {
    let known = ["null", "random", "time", "tls"].map(ProviderAddr::default_for);
    provider.is_builtin() || known.contains(provider)
}

fn open(intent: &Intent, detail: String, hint: String) -> Diagnostics {
    Diagnostic::error("uncertain-object", "Uncertain object", detail)
        .address(&intent.address)
        .hint(hint)
        .into()
}

fn change_to(intent: &Intent, object: Option<Arc<Object>>) -> StateChange {
    StateChange {
        address: intent.address.clone(),
        deposed: intent.deposed.clone(),
        provider: intent.provider.clone(),
        object,
    }
}

/// The object was not created. What its creation had deposed is the present one again.
fn not_created(intent: &Intent, state: &State) -> Settled {
    let instance = state
        .resources
        .get(&intent.address.resource)
        .and_then(|resource| resource.instances.get(&intent.address.key))
        .filter(|instance| instance.current.is_none() && instance.deposed.len() == 1);
    let restored = instance.and_then(|instance| instance.deposed.first_key_value());
    let changes = restored.map(|(key, object)| {
        let gone = StateChange {
            deposed: Some(key.clone()),
            ..change_to(intent, None)
        };
        vec![change_to(intent, Some(object.clone())), gone]
    });
    Settled {
        intent: intent.clone(),
        finding: "was not created",
        changes: changes.unwrap_or_default(),
    }
}

/// Why a provider refused, in its words; nothing where it did not.
fn refusal(remarks: &[ProviderDiagnostic]) -> Option<String> {
    let remark = remarks.iter().find(|remark| remark.error)?;
    Some(format!("{}: {}", remark.summary, remark.detail))
}

/// One uncertain object and whom to ask about it.
struct Asked<'a> {
    intent: &'a Intent,
    provider: Arc<dyn Provider>,
    schema: Arc<ResourceSchema>,
    identity: Option<Arc<IdentitySchema>>,
}

impl Asked<'_> {
    fn failed(&self, doing: &str, what: &str) -> Diagnostics {
        open(
            self.intent,
            format!(
                "What became of {} could not be found out: {doing} failed: {what}",
                self.intent.address
            ),
            "Recover again once the provider answers.".to_owned(),
        )
    }

    /// The provider refused to import what was to be made.
    fn not_told<T>(&self, id: &str, reply: &terrace_port::Reply<T>) -> Diagnostics {
        let address = &self.intent.address;
        let words =
            refusal(&reply.diagnostics).map_or_else(String::new, |words| format!(" {words}"));
        open(
            self.intent,
            format!(
                "The provider was asked to create {address}, and its answer was not recorded. Asked for {id:?}, by which the object would be found, it failed:{words}"
            ),
            format!(
                "If this says that there is no such object, run `terrace recover -not-created '{address}'`; if it could not be looked for, recover again once it can."
            ),
        )
    }

    fn keep<T>(&self, doing: &str, attempt: terrace_port::Attempt<T>) -> Result<T, Diagnostics> {
        match attempt {
            Err(error) => Err(self.failed(doing, &error.message)),
            Ok(reply) => match refusal(&reply.diagnostics) {
                Some(words) => Err(self.failed(doing, &words)),
                // What is put off is not known, whatever value stands beside it.
                None => match reply.deferred {
                    Some(reason) => Err(self.failed(
                        doing,
                        &format!("the provider put it off ({}).", reason.as_str()),
                    )),
                    None => Ok(reply.value),
                },
            },
        }
    }

    /// The object that was to be changed, as it is; `None` when it is gone.
    async fn read_prior(&self, prior: &Arc<Object>) -> Result<Option<Arc<Object>>, Diagnostics> {
        let stored = ResourceState {
            type_name: self.intent.address.type_name().clone(),
            schema_version: prior.schema_version,
            json: prior.attributes.clone(),
        };
        let current = self.keep(
            "upgrading its state",
            self.provider.upgrade_state(stored).await,
        )?;
        let paths: Vec<(Path, Marks)> = prior
            .sensitive_paths
            .iter()
            .map(|path| (path.clone(), Marks::SENSITIVE))
            .collect();
        self.read(current, &paths, (**prior).clone()).await
    }

    async fn read(
        &self,
        current: Value,
        paths: &[(Path, Marks)],
        base: Object,
    ) -> Result<Option<Arc<Object>>, Diagnostics> {
        let request = ReadRequest {
            type_name: self.intent.address.type_name().clone(),
            current,
            private: base.private.clone(),
            identity: self.identity_of(&base).await?,
        };
        let response = self.keep("reading it", self.provider.read(request).await)?;
        if response.state.is_null() {
            return Ok(None);
        }
        terrace_schema::assert_conforms(&self.schema.block, &response.state)
            .map_err(|problem| self.failed("reading it", &problem.to_string()))?;
        let value = mark(&response.state, &self.schema.block, paths);
        Ok(Some(encode(
            &self.schema,
            &value,
            Object {
                private: response.private,
                identity: self
                    .identity_to_store(response.identity)
                    .or(base.identity.clone()),
                ..base
            },
        )))
    }

    fn identity_schema(&self) -> Option<&IdentitySchema> {
        self.identity.as_deref()
    }

    /// What identifies a stored object, in the form of the present schema.
    async fn identity_of(&self, object: &Object) -> Result<Option<Value>, Diagnostics> {
        let Some(stored) = &object.identity else {
            return Ok(None);
        };
        let asked = terrace_instances::stored_identity(
            &*self.provider,
            self.intent.address.type_name(),
            self.identity_schema(),
            (stored.schema_version, &stored.attributes),
        );
        self.keep("upgrading its identity", asked.await)
    }

    /// An identity as it is stored; one that does not fit is left out.
    fn identity_to_store(&self, identity: Option<Value>) -> Option<StoredIdentity> {
        let schema = self.identity_schema();
        let identity = terrace_instances::checked_identity(schema, identity, false).ok()??;
        let (schema_version, attributes) = terrace_instances::encoded_identity(schema, &identity)?;
        Some(StoredIdentity {
            schema_version,
            attributes,
        })
    }

    /// The object of an id; `None` when there is none. An id that a person gave must be there. An import that fails may say that there
    /// is no such object, or that nobody could look: only a person tells these apart.
    async fn import(&self, id: &str, given: bool) -> Result<Option<Arc<Object>>, Diagnostics> {
        let type_name = self.intent.address.type_name();
        let found = match self.provider.import(type_name, id).await {
            Ok(reply) if reply.failed() && !given => return Err(self.not_told(id, &reply)),
            attempt => self.keep("importing it", attempt)?,
        };
        let Some(found) = found
            .into_iter()
            .find(|found| found.type_name == *type_name)
        else {
            return Ok(None);
        };
        let base = Object {
            schema_version: self.schema.version,
            attributes: [].into(),
            sensitive_paths: Vec::new(),
            private: found.private,
            dependencies: [].into(),
            status: ObjectStatus::Ready,
            create_before_destroy: false,
            skip_destroy: false,
            identity: None,
        };
        let base = Object {
            identity: self.identity_to_store(found.identity),
            ..base
        };
        let object = self.read(found.state, &[], base).await?;
        if object.is_none() && given {
            return Err(self.failed("importing it", &format!("there is no object {id:?}.")));
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_without_a_world_leave_no_trace() {
        assert!(lives_in_state(&ProviderAddr::builtin()));
        assert!(lives_in_state(&ProviderAddr::default_for("random")));
        assert!(!lives_in_state(&ProviderAddr::default_for("aws")));
        assert!(!lives_in_state(
            &ProviderAddr::parse("example.com/someone/random").unwrap()
        ));
    }
}

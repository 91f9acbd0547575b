//! Reading, creating and updating.

use std::sync::Arc;

use futures::FutureExt as _;
use terrace_addr::{DeposedKey, Name};
use terrace_config::{ProvisionerWhen, ResourceConfig};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_plan::{Action, OpKind, ResourceChange};
use terrace_state::journal::{Frame, Intent, IntentAction, OpResult, StateChange};
use terrace_state::{Object, ObjectStatus};
use terrace_value::Value;

use super::begin::failed;
use super::{Begun, Coordinator};
use crate::instance::{
    Approved, FinalPlan, ObjectOutcome, Running, Subject, apply_change, final_plan, identifying,
    read_data,
};
use crate::op::{Counted, Ended, Progress, Step};
use crate::provision::{Command, Declared, Hands, commands, provision};

/// A creation or an update on its way.
struct Produce<'r> {
    op: u32,
    subject: Subject,
    approved: Approved,
    /// What the creation deposes: the key and the object.
    deposes: Option<(DeposedKey, Arc<Object>)>,
    /// The block, where it has provisioners that run after the creation.
    provisioned: Option<Provisioned<'r>>,
    /// What was said while evaluating.
    diagnostics: Diagnostics,
}

/// Evaluates the provisioners of a created object from its value.
type Prepare<'r> = Box<dyn FnOnce(&Value) -> (Vec<Command>, Diagnostics) + Send + 'r>;

/// What provisioning needs: evaluation belongs to the coordinator, so it is done as soon as the object is known.
struct Provisioned<'r> {
    prepare: Prepare<'r>,
    hands: Hands<'r>,
}

impl<'r> Coordinator<'r> {
    pub(super) fn begin_read(&mut self, change: &'r ResourceChange) -> Begun<'r> {
        let subject = match self.subject(change) {
            Ok(subject) => subject,
            Err(problem) => return failed(*problem),
        };
        let (config, mut diagnostics) = match self.configuration(&change.address) {
            Ok(evaluated) => evaluated,
            Err(problems) => return Begun::Ended(Box::new(Ended::failed(problems))),
        };
        let in_check = subject
            .block
            .as_ref()
            .is_some_and(|block| block.in_check.is_some());
        Begun::Running(
            async move {
                let outcome = read_data(&subject, &config, in_check).await;
                diagnostics.append(outcome.diagnostics);
                if outcome.failed {
                    return Ended::failed(diagnostics).step();
                }
                let read = StateChange {
                    address: subject.address,
                    deposed: None,
                    provider: subject.provider_config,
                    object: outcome.object,
                };
                let value = Some(outcome.value);
                Ended {
                    changes: vec![read],
                    record: true,
                    value,
                    diagnostics,
                    ..Ended::default()
                }
                .step()
            }
            .boxed(),
        )
    }

    pub(super) fn begin_produce(
        &mut self,
        op: u32,
        index: u32,
        change: &'r ResourceChange,
    ) -> Begun<'r> {
        let subject = match self.subject(change) {
            Ok(subject) => subject,
            Err(problem) => return failed(*problem),
        };
        let (config, diagnostics) = match self.configuration(&change.address) {
            Ok(evaluated) => evaluated,
            Err(problems) => return Begun::Ended(Box::new(Ended::failed(problems))),
        };
        let current = self.state.object(&change.address).cloned();
        let updates = matches!(
            self.plan.exec.ops.get(op as usize).map(|op| &op.kind),
            Some(OpKind::Update { .. })
        );
        if updates && current.is_none() {
            let address = &change.address;
            let detail =
                format!("The plan updates {address}, and the state holds no object for it.");
            return failed(
                Diagnostic::error("plan-damaged", "Invalid plan", detail).address(address),
            );
        }
        let deposes = match (&current, change.action) {
            (Some(object), Action::CreateThenDelete) => {
                Some((self.new_deposed_key(change), object.clone()))
            }
            _ => None,
        };
        if let Some((key, _)) = &deposes {
            self.deposed.insert(index, key.clone());
        }
        let provisioned = subject
            .block
            .clone()
            .filter(|_| !updates)
            .and_then(|block| self.provisioned(change, block));
        let approved = Approved {
            change: change.clone(),
            prior: current.filter(|_| updates),
            config,
            skip_destroy: self.skips_destroy(&change.address),
        };
        let produce = Produce {
            op,
            subject,
            approved,
            deposes,
            provisioned,
            diagnostics,
        };
        Begun::Running(produce.begin().boxed())
    }

    /// A key that no deposed object of the instance has.
    fn new_deposed_key(&self, change: &ResourceChange) -> DeposedKey {
        let resource = self.state.resources.get(&change.address.resource);
        let taken = resource
            .and_then(|resource| resource.instances.get(&change.address.key))
            .map(|instance| &instance.deposed);
        loop {
            let mut bytes = [0; 4];
            self.outside.entropy.fill(&mut bytes);
            let key = DeposedKey(Name::from(format!("{:08x}", u32::from_be_bytes(bytes))));
            if taken.is_none_or(|taken| !taken.contains_key(&key)) {
                return key;
            }
        }
    }

    fn provisioned(
        &self,
        change: &ResourceChange,
        block: Arc<ResourceConfig>,
    ) -> Option<Provisioned<'r>> {
        if !block
            .provisioners
            .iter()
            .any(|provisioner| provisioner.when == ProvisionerWhen::Create)
        {
            return None;
        }
        let scope = self.scope(&change.address);
        let (address, evaluator, table) =
            (change.address.clone(), self.evaluator.clone(), self.table);
        let prepare = move |value: &Value| {
            let mut scope = scope.with_self(value.clone());
            scope.self_address = Some(address.clone());
            let declared = Declared {
                address: &address,
                provisioners: &block.provisioners,
                connection: block.connection.as_ref(),
            };
            commands(declared, ProvisionerWhen::Create, &scope, &evaluator, table)
        };
        Some(Provisioned {
            prepare: Box::new(prepare),
            hands: self.outside.hands(),
        })
    }
}

impl<'r> Produce<'r> {
    fn change_to(&self, object: Option<Arc<Object>>) -> StateChange {
        StateChange {
            address: self.subject.address.clone(),
            deposed: None,
            provider: self.subject.provider_config.clone(),
            object,
        }
    }

    fn deposed_to(&self, object: Option<Arc<Object>>) -> Option<StateChange> {
        let (key, _) = self.deposes.as_ref()?;
        Some(StateChange {
            deposed: Some(key.clone()),
            ..self.change_to(object)
        })
    }

    /// Plans once more; then says what is about to be asked.
    async fn begin(mut self) -> Step<'r> {
        let (plan, remarks) = final_plan(&self.subject, &self.approved).await;
        self.diagnostics.append(remarks);
        let Some(plan) = plan else {
            return Ended::failed(self.diagnostics).step();
        };
        if !plan.changes {
            let prior = self.approved.prior.clone();
            let outcome = apply_change(&self.subject, &self.approved, plan).await;
            let same = match (&prior, &outcome.object) {
                (Some(prior), Some(object)) => Arc::ptr_eq(prior, object),
                _ => false,
            };
            if !same {
                // What is secret has changed.
                let running = self.subject.started("update", &self.approved.change.before);
                self.subject.ended(&running, outcome.failed, &outcome.value);
                return self.end(outcome).step();
            }
            // What turns out to be the same as before is no change to tell of or to count.
            let ended = self.end(outcome);
            return Ended {
                counted: None,
                ..ended
            }
            .step();
        }
        let mut frames = Vec::new();
        if let Some((_, object)) = &self.deposes {
            let deposed = self.deposed_to(Some(object.clone()));
            let changes = deposed.into_iter().chain([self.change_to(None)]).collect();
            frames.push(Frame::Result(OpResult {
                op: self.op,
                changes,
                error: None,
            }));
        }
        let creates = self.approved.prior.is_none();
        let import_id = id_to_look_for(&self.subject, creates, &plan).await;
        frames.push(Frame::Intent(Intent {
            op: self.op,
            address: self.subject.address.clone(),
            deposed: None,
            action: if creates {
                IntentAction::Create
            } else {
                IntentAction::Update
            },
            provider: self.subject.provider_config.clone(),
            prior: self.approved.prior.clone(),
            planned_private: plan.private.clone(),
            import_id,
        }));
        Step::Durable {
            frames,
            next: self.ask(plan).boxed(),
        }
    }

    /// Asks the provider.
    async fn ask(mut self, plan: FinalPlan) -> Step<'r> {
        let creates = self.approved.prior.is_none();
        let before = if creates {
            Value::NULL
        } else {
            self.approved.change.before.clone()
        };
        let running = self
            .subject
            .started(if creates { "create" } else { "update" }, &before);
        let mut outcome = apply_change(&self.subject, &self.approved, plan).await;
        self.diagnostics
            .append(std::mem::take(&mut outcome.diagnostics));
        let provisions = self.provisioned.is_some() && !outcome.failed && outcome.object.is_some();
        if !provisions {
            self.subject.ended(&running, outcome.failed, &outcome.value);
            return self.end(outcome).step();
        }
        // Until its provisioners have run, a created object is not to be relied on.
        let unfinished = outcome.object.as_ref().map(tainted);
        let result = OpResult {
            op: self.op,
            changes: vec![self.change_to(unfinished)],
            error: None,
        };
        Step::Durable {
            frames: vec![Frame::Result(result)],
            next: self.provision(outcome, running),
        }
    }

    fn provision(mut self, mut outcome: ObjectOutcome, running: Running) -> Progress<'r> {
        async move {
            if let Some(provisioned) = self.provisioned.take() {
                let (commands, problems) = (provisioned.prepare)(&outcome.value);
                outcome.failed = problems.has_errors();
                self.diagnostics.append(problems);
                if !outcome.failed {
                    let (address, observer) = (&self.subject.address, &self.subject.observer);
                    let problems = provision(commands, address, provisioned.hands, observer).await;
                    outcome.failed = problems.has_errors();
                    self.diagnostics.append(problems);
                }
            }
            if outcome.failed {
                outcome.object = outcome.object.as_ref().map(tainted);
            }
            self.subject.ended(&running, outcome.failed, &outcome.value);
            self.end(outcome).step()
        }
        .boxed()
    }

    /// What is kept, and what is said.
    fn end(self, outcome: ObjectOutcome) -> Ended {
        let creates = self.approved.prior.is_none();
        let error = outcome.failed.then(|| {
            let error = self
                .diagnostics
                .iter()
                .find(|diagnostic| diagnostic.is_error());
            error.map_or_else(|| "failed".to_owned(), |error| error.summary.clone())
        });
        let mut ended = Ended {
            error,
            ..Ended::default()
        };
        // An object of which nobody knows whether it was created stays an open intent.
        if !(creates && outcome.uncertain) {
            ended.record = true;
            match (&self.deposes, &outcome.object) {
                (Some((_, before)), None) => {
                    ended.changes.extend(self.deposed_to(None));
                    ended.changes.push(self.change_to(Some(before.clone())));
                }
                _ => ended.changes.push(self.change_to(outcome.object.clone())),
            }
        }
        if !outcome.failed {
            ended.counted = Some(if creates {
                Counted::Added
            } else {
                Counted::Changed
            });
        }
        if outcome.object.is_some() {
            ended.value = Some(outcome.value);
        }
        ended.diagnostics = self.diagnostics;
        if outcome.uncertain && creates {
            for diagnostic in ended
                .diagnostics
                .iter_mut()
                .filter(|diagnostic| diagnostic.is_error())
            {
                diagnostic.hint = Some("It is not known whether the object was created. Run `terrace recover` to find out.".into());
            }
        }
        ended
    }
}

fn tainted(object: &Arc<Object>) -> Arc<Object> {
    Arc::new(Object {
        status: ObjectStatus::Tainted,
        ..(**object).clone()
    })
}

/// The id by which recovery finds an object, where it is known before it is made.
async fn id_to_look_for(subject: &Subject, creates: bool, plan: &FinalPlan) -> Option<String> {
    let known = identifying(&subject.schema.block, &plan.planned);
    if let Some((_, id)) = known.filter(|(name, _)| name == "id") {
        return Some(id);
    }
    if !creates {
        return None;
    }
    let type_name = subject.address.type_name();
    subject
        .provider
        .id_before_creation(type_name, &plan.planned)
        .await
}

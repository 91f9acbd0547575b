//! Destroying.

use futures::FutureExt as _;
use terrace_addr::{AbsResourceInstance, DeposedKey};
use terrace_config::{Provisioner, ProvisionerWhen, RemovedFrom};
use terrace_diag::Diagnostics;
use terrace_eval::Scope;
use terrace_plan::{Action, ResourceChange};
use terrace_state::ObjectStatus;
use terrace_state::journal::{Frame, Intent, IntentAction, StateChange};
use terrace_syntax::Body;

use super::begin::{failed, key_repetition};
use super::{Begun, Coordinator};
use crate::instance::{Removal, Running, Subject, delete};
use crate::op::{Counted, Ended, Step};
use crate::provision::{Command, Declared, Hands, commands, provision};

/// A destruction on its way.
struct Remove<'r> {
    op: u32,
    subject: Subject,
    deposed: Option<DeposedKey>,
    removal: Removal,
    plan_destroy: bool,
    commands: Vec<Command>,
    hands: Hands<'r>,
    diagnostics: Diagnostics,
}

impl<'r> Coordinator<'r> {
    pub(super) fn begin_delete(
        &self,
        op: u32,
        index: u32,
        change: &'r ResourceChange,
    ) -> Begun<'r> {
        let deposed = change
            .deposed
            .clone()
            .or_else(|| self.deposed.get(&index).cloned());
        let resource = self.state.resources.get(&change.address.resource);
        let instance = resource.and_then(|resource| resource.instances.get(&change.address.key));
        let object = instance.and_then(|instance| match &deposed {
            None => instance.current.as_ref(),
            Some(key) => instance.deposed.get(key),
        });
        let Some(object) = object.cloned() else {
            // What is not there need not go.
            return Begun::Ended(Box::default());
        };
        let subject = match self.subject(change) {
            Ok(subject) => subject,
            Err(problem) => return failed(*problem),
        };
        let (commands, diagnostics) = if deposed.is_none() && object.status != ObjectStatus::Tainted
        {
            self.destroy_commands(change)
        } else {
            (Vec::new(), Diagnostics::new())
        };
        if diagnostics.has_errors() {
            return Begun::Ended(Box::new(Ended::failed(diagnostics)));
        }
        let plan_destroy = self
            .plan
            .schemas
            .get(&change.provider.provider)
            .is_some_and(|schema| schema.plan_destroy);
        let planned_private = (change.action == Action::Delete).then(|| change.private.clone());
        let removal = Removal {
            object,
            before: change.before.clone(),
            planned_private,
        };
        let hands = self.outside.hands();
        let remove = Remove {
            op,
            subject,
            deposed,
            removal,
            plan_destroy,
            commands,
            hands,
            diagnostics,
        };
        Begun::Running(remove.begin().boxed())
    }

    /// The provisioners that run before an object is destroyed: those of its block, or of the block that removes it.
    fn destroy_commands(&self, change: &ResourceChange) -> (Vec<Command>, Diagnostics) {
        let (provisioners, connection) = match self.block(&change.address) {
            Some(block) => (block.provisioners.clone(), block.connection.clone()),
            None => self.removed_provisioners(&change.address),
        };
        let declared = Declared {
            address: &change.address,
            provisioners: &provisioners,
            connection: connection.as_ref(),
        };
        let scope = Scope {
            only_self: true,
            ..Scope::instance(
                change.address.module().clone(),
                key_repetition(&change.address),
            )
            .with_self(change.before.clone())
        };
        commands(
            declared,
            ProvisionerWhen::Destroy,
            &scope,
            &self.evaluator,
            self.table,
        )
    }

    fn removed_provisioners(
        &self,
        address: &AbsResourceInstance,
    ) -> (Vec<Provisioner>, Option<Body>) {
        let resource = address.resource.config();
        let steps = resource.module.steps();
        for depth in (0..=steps.len()).rev() {
            let holder = steps[..depth].iter().cloned().collect();
            let Some(node) = self.evaluator.config().module(&holder) else {
                continue;
            };
            for removed in &node.module.removed {
                let found = match &removed.from {
                    RemovedFrom::Resource(module, name) => {
                        module.steps() == &steps[depth..] && *name == resource.resource
                    }
                    RemovedFrom::Module(_) => false,
                };
                if found {
                    return (removed.provisioners.clone(), removed.connection.clone());
                }
            }
        }
        (Vec::new(), None)
    }
}

impl<'r> Remove<'r> {
    async fn begin(mut self) -> Step<'r> {
        let running = self.subject.started("delete", &self.removal.before);
        if !self.commands.is_empty() {
            let commands = std::mem::take(&mut self.commands);
            let problems = provision(
                commands,
                &self.subject.address,
                self.hands,
                &self.subject.observer,
            )
            .await;
            let stop = problems.has_errors();
            self.diagnostics.append(problems);
            if stop {
                self.subject.ended(&running, true, &self.removal.before);
                return Ended::failed(self.diagnostics).step();
            }
        }
        let intent = Frame::Intent(Intent {
            op: self.op,
            address: self.subject.address.clone(),
            deposed: self.deposed.clone(),
            action: IntentAction::Delete,
            provider: self.subject.provider_config.clone(),
            prior: Some(self.removal.object.clone()),
            planned_private: self
                .removal
                .planned_private
                .clone()
                .unwrap_or_else(|| [].into()),
            import_id: self.removal.object.text_attribute("id"),
        });
        Step::Durable {
            frames: vec![intent],
            next: self.ask(running).boxed(),
        }
    }

    async fn ask(mut self, running: Running) -> Step<'r> {
        let outcome = delete(&self.subject, &self.removal, self.plan_destroy).await;
        self.diagnostics.append(outcome.diagnostics);
        self.subject
            .ended(&running, outcome.failed, &self.removal.before);
        let change = StateChange {
            address: self.subject.address.clone(),
            deposed: self.deposed,
            provider: self.subject.provider_config.clone(),
            object: outcome.object,
        };
        let mut ended = if outcome.failed {
            Ended::failed(self.diagnostics)
        } else {
            Ended {
                diagnostics: self.diagnostics,
                ..Ended::default()
            }
        };
        ended.changes.push(change);
        ended.record = true;
        ended.counted = Some(Counted::Destroyed);
        ended.step()
    }
}

//! How operations begin: what is evaluated and looked up before anything is asked.

use std::sync::Arc;

use futures::FutureExt as _;
use terrace_addr::{AbsProviderConfig, AbsResourceInstance, InstanceKey};
use terrace_config::ResourceConfig;
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::{RepetitionData, Scope};
use terrace_plan::{OpKind, ResourceChange};
use terrace_state::journal::StateChange;

use super::{Begun, Coordinator};
use crate::instance::{Subject, encode, schema_of};
use crate::op::{Counted, Ended};
use crate::pool::Opening;

impl<'r> Coordinator<'r> {
    pub(super) fn begin(&mut self, op: u32) -> Begun<'r> {
        let plan = self.plan;
        let Some(kind) = plan.exec.ops.get(op as usize).map(|op| &op.kind) else {
            return Begun::Ended(Box::default());
        };
        self.table.settle_calls(&self.evaluator);
        match kind {
            OpKind::Join => Begun::Ended(Box::default()),
            OpKind::OpenProvider(address) => self.open_provider(address),
            OpKind::CloseProvider(address) => match self.providers.remove(address) {
                Some(provider) => Begun::Running(
                    async move {
                        provider.close().await;
                        Ended::default().step()
                    }
                    .boxed(),
                ),
                None => Begun::Ended(Box::default()),
            },
            OpKind::OpenEphemeral { address, provider } => self.begin_ephemeral(address, provider),
            OpKind::CloseEphemeral { address } => self.end_ephemeral(address),
            OpKind::Check { address } => {
                let failed = !self.judge_again(address);
                let error = failed.then(|| "a condition does not hold".to_owned());
                Begun::Ended(Box::new(Ended {
                    error,
                    ..Ended::default()
                }))
            }
            OpKind::Outputs => {
                let failed = !self.evaluate_outputs();
                let error = failed.then(|| "an output could not be evaluated".to_owned());
                Begun::Ended(Box::new(Ended {
                    error,
                    ..Ended::default()
                }))
            }
            _ => self.begin_change(op, kind),
        }
    }

    fn begin_change(&mut self, op: u32, kind: &OpKind) -> Begun<'r> {
        let Some((index, change)) = self.change_of(kind) else {
            return failed(Diagnostic::error(
                "plan-damaged",
                "Invalid plan",
                "The plan has an operation for a change that it does not hold.",
            ));
        };
        match kind {
            OpKind::Forget { .. } => forget(change),
            OpKind::Record { .. } => self.record(change),
            OpKind::Read { .. } => self.begin_read(change),
            OpKind::Delete { .. } => self.begin_delete(op, index, change),
            _ => self.begin_produce(op, index, change),
        }
    }

    fn open_provider(&self, address: &AbsProviderConfig) -> Begun<'r> {
        let evaluated = self.evaluator.provider_body(address, self.table);
        if evaluated.diagnostics.has_errors() {
            return Begun::Ended(Box::new(Ended::failed(evaluated.diagnostics)));
        }
        let mut diagnostics = evaluated.diagnostics;
        let (config, _) = evaluated.value.unmark_deep();
        let opening = Opening {
            source: self.outside.source,
            evaluator: self.evaluator.clone(),
            address: address.clone(),
            config,
        };
        Begun::Running(
            async move {
                let (provider, remarks) = opening.open().await;
                diagnostics.append(remarks);
                match provider {
                    Some(provider) => Ended {
                        provider: Some(provider),
                        diagnostics,
                        ..Ended::default()
                    }
                    .step(),
                    None => Ended::failed(diagnostics).step(),
                }
            }
            .boxed(),
        )
    }

    /// What every operation on an object needs.
    pub(super) fn subject(&self, change: &ResourceChange) -> Result<Subject, Box<Diagnostic>> {
        self.subject_of(&change.address, &change.provider)
    }

    /// What every operation on an instance needs.
    pub(super) fn subject_of(
        &self,
        address: &AbsResourceInstance,
        provider: &AbsProviderConfig,
    ) -> Result<Subject, Box<Diagnostic>> {
        let missing = |what: &str| {
            Box::new(
                Diagnostic::error(
                    "plan-damaged",
                    "Invalid plan",
                    format!("The plan does not hold {what} of {address}."),
                )
                .address(address),
            )
        };
        Ok(Subject {
            address: address.clone(),
            provider_config: provider.clone(),
            provider: terrace_instances::for_instance(
                self.providers
                    .get(provider)
                    .cloned()
                    .ok_or_else(|| missing("the opening of the provider"))?,
                address,
                self.evaluator
                    .provider_meta(address.module(), &provider.provider),
            ),
            schema: schema_of(self.plan, &provider.provider, address)
                .ok_or_else(|| missing("the schema"))?,
            block: self.block(address),
            evaluator: self.evaluator.clone(),
            observer: self.outside.observer.clone(),
            clock: self.outside.clock.clone(),
        })
    }

    /// The block of an instance, if it is configured.
    pub(super) fn block(&self, address: &AbsResourceInstance) -> Option<Arc<ResourceConfig>> {
        self.evaluator
            .node(address.module())?
            .module
            .resources
            .get(&address.resource.resource)
            .cloned()
    }

    /// Whether the configuration says that an instance's object is only forgotten when it is to go.
    pub(super) fn skips_destroy(&self, address: &AbsResourceInstance) -> bool {
        let block = self.block(address);
        block.is_some_and(|block| block.lifecycle.destroy == Some(false))
    }

    /// Where the expressions of an instance stand.
    pub(super) fn scope(&self, address: &AbsResourceInstance) -> Scope {
        let block = self.block(address);
        let repetition = self
            .table
            .repetition(&self.evaluator, block.as_deref(), address);
        Scope::instance(
            address.module().clone(),
            repetition.unwrap_or_else(|| key_repetition(address)),
        )
    }

    /// What is evaluated of an instance before its change: that its preconditions hold, and its configuration.
    pub(super) fn configuration(
        &mut self,
        address: &AbsResourceInstance,
    ) -> Result<(terrace_value::Value, Diagnostics), Diagnostics> {
        let Some(block) = self.block(address) else {
            return Err(Diagnostic::error(
                "plan-damaged",
                "Invalid plan",
                format!("The plan changes {address} by a configuration that it does not hold."),
            )
            .into());
        };
        let scope = self.scope(address);
        let mut diagnostics = self.preconditions(address, &block, &scope);
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        let evaluated = self
            .evaluator
            .resource_body(address, &block, &scope, self.table);
        diagnostics.append(evaluated.diagnostics);
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        Ok((evaluated.value, diagnostics))
    }

    fn record(&self, change: &ResourceChange) -> Begun<'r> {
        let Some(schema) = schema_of(self.plan, &change.provider.provider, &change.address) else {
            return Begun::Ended(Box::default());
        };
        let base = self.state.object(&change.address).map_or_else(
            || terrace_state::Object {
                schema_version: schema.version,
                attributes: [].into(),
                sensitive_paths: Vec::new(),
                private: change.private.clone(),
                dependencies: change.dependencies.clone(),
                status: terrace_state::ObjectStatus::Ready,
                create_before_destroy: change.create_before_destroy,
                skip_destroy: self.skips_destroy(&change.address),
                identity: None,
            },
            |object| (**object).clone(),
        );
        let recorded = StateChange {
            address: change.address.clone(),
            deposed: None,
            provider: change.provider.clone(),
            object: Some(encode(&schema, &change.after, base)),
        };
        let value = Some(change.after.clone());
        now(Ended {
            changes: vec![recorded],
            record: true,
            value,
            ..Ended::default()
        })
    }
}

/// An operation that has ended, by way of the journal.
pub(super) fn now<'r>(ended: Ended) -> Begun<'r> {
    Begun::Running(futures::future::ready(ended.step()).boxed())
}

/// An operation that could not begin.
pub(super) fn failed<'r>(diagnostic: Diagnostic) -> Begun<'r> {
    Begun::Ended(Box::new(Ended::failed(diagnostic.into())))
}

/// What is known of `count` and `each` from an instance's key alone.
pub(super) fn key_repetition(address: &AbsResourceInstance) -> RepetitionData {
    match &address.key {
        Some(InstanceKey::Int(index)) => RepetitionData::of_count(*index),
        Some(InstanceKey::String(key)) => RepetitionData {
            each_value: None,
            ..RepetitionData::of_each(key, terrace_value::Value::NULL)
        },
        None => RepetitionData::default(),
    }
}

/// Takes an object out of the state and leaves it where it is.
fn forget<'r>(change: &ResourceChange) -> Begun<'r> {
    let gone = StateChange {
        address: change.address.clone(),
        deposed: change.deposed.clone(),
        provider: change.provider.clone(),
        object: None,
    };
    now(Ended {
        changes: vec![gone],
        record: true,
        counted: Some(Counted::Forgotten),
        ..Ended::default()
    })
}

//! The providers that recovering asks, with the ephemeral resources that set them up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use terrace_addr::{
    AbsProviderConfig, AbsResource, AbsResourceInstance, InstanceKey, ModuleInstance, Name,
    ProviderAddr, ResourceMode,
};
use terrace_config::ResourceConfig;
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::{Dependency, Evaluator, Expansion, Scope, Unknowns, Values};
use terrace_instances::{Lifetime, OpenEphemeral, Problem};
use terrace_port::{Clock, Observer, OperationEvent, Provider, ProviderSource};
use terrace_schema::{IdentitySchema, ResourceSchema};
use terrace_state::State;
use terrace_state::journal::Intent;
use terrace_value::Value;

use super::open;
use crate::instance::remark_diagnostic;
use crate::pool::Opening;

/// Providers, opened when they are first asked.
pub(super) struct Providers<'a> {
    evaluator: Arc<Evaluator>,
    source: &'a dyn ProviderSource,
    clock: Arc<dyn Clock>,
    started: BTreeMap<AbsProviderConfig, Option<Arc<dyn Provider>>>,
    opened: Opened,
}

/// Ephemeral resources that have been opened.
#[derive(Default)]
struct Opened {
    expansions: BTreeMap<AbsResource, Expansion>,
    values: BTreeMap<AbsResourceInstance, Value>,
    /// In the order in which they were opened.
    lifetimes: Vec<Lifetime>,
}

/// Recovering tells what it found, and not what it does on the way.
struct Nobody;

impl Observer for Nobody {
    fn on_event(&self, _: OperationEvent) {}
}

impl<'a> Providers<'a> {
    pub(super) fn new(
        evaluator: Arc<Evaluator>,
        source: &'a dyn ProviderSource,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            evaluator,
            source,
            clock,
            started: BTreeMap::new(),
            opened: Opened::default(),
        }
    }

    /// Closes what is open: what came last first.
    pub(super) async fn close(self) {
        for lifetime in self.opened.lifetimes.into_iter().rev() {
            // What cannot be closed is given up: nothing depends on it any more.
            drop(lifetime.close().await);
        }
        for provider in self.started.into_values().flatten() {
            provider.close().await;
        }
    }

    fn stored<'s>(&'s self, state: &'s State) -> Stored<'s> {
        Stored {
            state,
            evaluator: &self.evaluator,
            opened: &self.opened,
        }
    }

    /// The provider of a configuration, opened when it is first asked for.
    pub(super) fn get<'s>(
        &'s mut self,
        address: &'s AbsProviderConfig,
        state: &'s State,
    ) -> BoxFuture<'s, Result<Arc<dyn Provider>, Diagnostics>> {
        self.find(address, state).boxed()
    }

    async fn find(
        &mut self,
        address: &AbsProviderConfig,
        state: &State,
    ) -> Result<Arc<dyn Provider>, Diagnostics> {
        if let Some(known) = self.started.get(address) {
            return known.clone().ok_or_else(|| {
                let detail = format!("The provider configuration {address} could not be opened.");
                Diagnostic::error("uncertain-object", "Uncertain object", detail).into()
            });
        }
        let (provider, diagnostics) = match self.configuration(address, state).await {
            Ok(config) => {
                let opening = Opening {
                    source: self.source,
                    evaluator: self.evaluator.clone(),
                    address: address.clone(),
                    config,
                };
                opening.open().await
            }
            Err(problems) => (None, problems),
        };
        self.started.insert(address.clone(), provider.clone());
        provider.ok_or(diagnostics)
    }

    /// The configuration of a provider without marks, after the ephemeral resources that it reads have been opened.
    async fn configuration(
        &mut self,
        address: &AbsProviderConfig,
        state: &State,
    ) -> Result<Value, Diagnostics> {
        loop {
            let evaluated = self.evaluator.provider_body(address, &self.stored(state));
            let behind = self.ephemerals_behind(evaluated.dependencies);
            if behind.is_empty() {
                if evaluated.diagnostics.has_errors() {
                    return Err(evaluated.diagnostics);
                }
                return Ok(evaluated.value.unmark_deep().0);
            }
            for resource in behind {
                self.open(&resource, state).await?;
            }
            // What was unknown without them is known now.
            self.evaluator.invalidate();
        }
    }

    /// Ephemeral resources among what is read, directly or not, that have not been opened yet.
    fn ephemerals_behind(&self, read: BTreeSet<Dependency>) -> BTreeSet<AbsResource> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut stack: Vec<Dependency> = read.into_iter().collect();
        while let Some(dependency) = stack.pop() {
            let resource = match &dependency {
                Dependency::Instance(address) => Some(&address.resource),
                Dependency::Resource(resource) => Some(resource),
                _ => None,
            };
            if let Some(resource) = resource
                && resource.resource.mode == ResourceMode::Ephemeral
                && !self.opened.expansions.contains_key(resource)
            {
                found.insert(resource.clone());
            }
            if seen.insert(dependency.clone()) {
                stack.extend(self.evaluator.dependencies_of(&dependency));
            }
        }
        found
    }

    /// Opens all instances of an ephemeral resource, after those that it reads itself.
    fn open<'s>(
        &'s mut self,
        resource: &'s AbsResource,
        state: &'s State,
    ) -> BoxFuture<'s, Result<(), Diagnostics>> {
        self.open_instances(resource, state).boxed()
    }

    async fn open_instances(
        &mut self,
        resource: &AbsResource,
        state: &State,
    ) -> Result<(), Diagnostics> {
        let config = Arc::clone(self.evaluator.config());
        let block = config
            .module(&resource.module.path())
            .and_then(|node| node.module.resources.get(&*resource.resource));
        let Some(block) = block else {
            self.opened
                .expansions
                .insert(resource.clone(), Expansion::Disabled);
            return Ok(());
        };
        loop {
            let expanded = self.evaluator.expand_resource(
                &resource.module,
                block,
                Unknowns::Refuse,
                &self.stored(state),
            );
            let mut read = expanded.dependencies;
            let (Some(expansion), false) = (expanded.value, expanded.diagnostics.has_errors())
            else {
                return Err(expanded.diagnostics);
            };
            let binding = self
                .evaluator
                .provider_binding(&resource.module.path(), block);
            let mut bodies = Vec::new();
            for key in expansion.keys() {
                let address = resource.instance(key.clone());
                let repetition = expansion.repetition(key.as_ref());
                let scope = Scope::instance(resource.module.clone(), repetition.clone());
                let stored = self.stored(state);
                let body = self
                    .evaluator
                    .resource_body(&address, block, &scope, &stored);
                let chosen = self
                    .evaluator
                    .provider_instance(&address, repetition, &binding, &stored);
                read.extend(body.dependencies);
                read.extend(chosen.dependencies);
                let mut diagnostics = body.diagnostics;
                diagnostics.append(chosen.diagnostics);
                let provider = chosen.value.unwrap_or_else(|| binding.config.clone());
                bodies.push((address, provider, body.value, diagnostics));
            }
            let behind = self.ephemerals_behind(read);
            if behind.is_empty() {
                self.opened.expansions.insert(resource.clone(), expansion);
                for (address, provider, value, diagnostics) in bodies {
                    if diagnostics.has_errors() {
                        return Err(diagnostics);
                    }
                    self.open_instance(block, (address, provider), &value, state)
                        .await?;
                }
                return Ok(());
            }
            for resource in behind {
                self.open(&resource, state).await?;
            }
            self.evaluator.invalidate();
        }
    }

    async fn open_instance(
        &mut self,
        block: &ResourceConfig,
        (address, provider_config): (AbsResourceInstance, AbsProviderConfig),
        config: &Value,
        state: &State,
    ) -> Result<(), Diagnostics> {
        let failed = |detail: String| {
            let summary = "Ephemeral resource cannot be opened";
            Diagnostics::from(
                Diagnostic::error("ephemeral-unknown", summary, detail)
                    .at(block.span)
                    .address(&address),
            )
        };
        if !config.is_wholly_known() {
            return Err(failed(format!(
                "The configuration of {address} depends on values that the state does not hold, so that it cannot be opened to recover."
            )));
        }
        let schema = self
            .evaluator
            .schemas()
            .get(&provider_config.provider)
            .and_then(|schema| schema.ephemeral_resources.get(address.type_name()).cloned());
        let Some(schema) = schema else {
            return Err(failed(format!(
                "The provider {} has no ephemeral resource type {:?}.",
                provider_config.provider,
                address.type_name()
            )));
        };
        let provider = self.get(&provider_config, state).await?;
        let resource = OpenEphemeral {
            address: address.clone(),
            provider,
            schema,
            clock: Arc::clone(&self.clock),
            observer: Arc::new(Nobody),
        };
        let mut problems = Vec::new();
        let opened = terrace_instances::open(resource, config, &mut problems).await;
        let Some((value, lifetime)) = opened else {
            return Err(told(&address, problems));
        };
        self.opened.values.insert(address, value);
        self.opened.lifetimes.push(lifetime);
        Ok(())
    }

    pub(super) fn identity_schema(&self, intent: &Intent) -> Option<Arc<IdentitySchema>> {
        let schema = self.evaluator.schemas().get(&intent.provider.provider)?;
        schema.identities.get(intent.address.type_name()).cloned()
    }

    pub(super) fn schema(&self, intent: &Intent) -> Result<Arc<ResourceSchema>, Diagnostics> {
        let schema = self.evaluator.schemas().get(&intent.provider.provider);
        schema
            .and_then(|schema| schema.resources.get(intent.address.type_name()))
            .cloned()
            .ok_or_else(|| {
                open(
                    intent,
                    format!(
                        "The provider {} has no resource type {:?}.",
                        intent.provider.provider,
                        intent.address.type_name()
                    ),
                    "Recover with the version of the provider that the run used.".to_owned(),
                )
            })
    }
}

/// Values as the state holds them: what configurations of providers may read.
struct Stored<'a> {
    state: &'a State,
    evaluator: &'a Evaluator,
    opened: &'a Opened,
}

impl Values for Stored<'_> {
    fn expansion(&self, resource: &AbsResource) -> Option<Expansion> {
        if let Some(expansion) = self.opened.expansions.get(resource) {
            return Some(expansion.clone());
        }
        let instances = &self.state.resources.get(resource)?.instances;
        let keys: Vec<Name> = instances
            .keys()
            .filter_map(|key| match key {
                Some(InstanceKey::String(key)) => Some(key.clone()),
                _ => None,
            })
            .collect();
        Some(match instances.keys().next() {
            Some(Some(InstanceKey::Int(_))) => Expansion::Count(instances.len() as u64),
            Some(Some(InstanceKey::String(_))) => Expansion::ForEach(
                keys.into_iter()
                    .map(|key| (key, Value::dynamic()))
                    .collect(),
            ),
            _ => Expansion::Single,
        })
    }

    fn instance(&self, address: &AbsResourceInstance) -> Option<Value> {
        if let Some(value) = self.opened.values.get(address) {
            return Some(value.clone());
        }
        let object = self.state.object(address)?;
        let provider = &self.state.resources.get(&address.resource)?.provider;
        let schema = self
            .evaluator
            .schemas()
            .get(&provider.provider)?
            .resources
            .get(address.type_name())?;
        let text = std::str::from_utf8(&object.attributes).ok()?;
        terrace_value::json::decode(text, &schema.block.implied_type()).ok()
    }

    fn call_expansion(&self, module: &ModuleInstance, call: &Name) -> Option<Expansion> {
        let keys: std::collections::BTreeSet<Option<InstanceKey>> = self
            .state
            .resources
            .keys()
            .filter_map(|resource| {
                let step = resource.module.steps().get(module.steps().len())?;
                (resource.module.steps().starts_with(module.steps()) && step.name == *call)
                    .then(|| step.key.clone())
            })
            .collect();
        match keys.first()? {
            None => Some(Expansion::Single),
            Some(InstanceKey::Int(_)) => Some(Expansion::Count(keys.len() as u64)),
            Some(InstanceKey::String(_)) => Some(Expansion::ForEach(
                keys.iter()
                    .filter_map(|key| match key {
                        Some(InstanceKey::String(key)) => Some((key.clone(), Value::dynamic())),
                        _ => None,
                    })
                    .collect(),
            )),
        }
    }

    fn provider_function(
        &self,
        _: &ProviderAddr,
        _: &str,
        _: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        Ok(Value::dynamic())
    }
}

/// Why an ephemeral resource could not be opened.
fn told(address: &AbsResourceInstance, problems: Vec<Problem>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for problem in problems {
        let detail = match problem {
            Problem::Said(remarks) => {
                for remark in remarks {
                    diagnostics.push(remark_diagnostic(address, None, remark));
                }
                continue;
            }
            Problem::Lost(doing, error) => {
                format!("The provider did not answer while {doing} {address}: {error}")
            }
            Problem::Broken(what) => format!("The provider gave an invalid value for {what}"),
            Problem::Deferred => format!("The provider put off to open {address}."),
        };
        diagnostics.push(
            Diagnostic::error("provider-call-failed", "Provider call failed", detail)
                .address(address),
        );
    }
    diagnostics
}

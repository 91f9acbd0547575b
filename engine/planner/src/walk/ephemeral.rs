//! Ephemeral resources: opened when their turn comes, closed at the end of the walk.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Poll;

use futures::channel::oneshot;
use futures::{FutureExt, StreamExt};
use terrace_addr::{InstanceKey, ResourceMode};
use terrace_eval::{ConfigGraph, ConfigNode};
use terrace_graph::NodeId;
use terrace_instances::Lifetime;
use terrace_plan::PlanMode;

use super::resources::Prepared;
use super::{About, Context, Event, Outcome, Walk};
use crate::closure::Closure;
use crate::instance::Subject;
use crate::instance::ephemeral::{EphemeralInput, EphemeralOutcome, open_ephemeral, told};

/// Ephemeral resources that the configurations of providers read, directly or not.
pub(super) fn read_by_providers(graph: &ConfigGraph, closure: &Closure) -> BTreeSet<NodeId> {
    let is_provider = |node: &ConfigNode| matches!(node, ConfigNode::Provider(_));
    let providers = graph.dag().nodes().filter(|(_, node)| is_provider(node));
    providers
        .flat_map(|(id, _)| closure.resource_ids(id).iter().copied())
        .filter(|id| {
            matches!(graph.dag().get(*id), Some(ConfigNode::Resource(resource)) if resource.resource.mode == ResourceMode::Ephemeral)
        })
        .collect()
}

impl Walk<'_> {
    /// Evaluates an ephemeral instance and starts its opening.
    pub(super) fn start_ephemeral(
        &mut self,
        context: Arc<Context>,
        key: Option<InstanceKey>,
    ) -> Option<()> {
        let Prepared {
            address,
            reads,
            value: config,
            ..
        } = self.prepared(&context, key.as_ref())?;
        self.gathered.reads.insert(address.clone(), reads);
        let provider = self.provider_of(&context, key.as_ref());
        self.gathered
            .ephemerals
            .insert(address.clone(), provider.clone());
        let subject = self.subject(&context, address);
        let opening = self.pool.provider(&provider, &*self.table);
        let pending = context.pending;
        let clock = Arc::clone(&self.request.clock);
        self.running.push(
            async move {
                let outcome = match opening.await {
                    None => Outcome::NoProvider,
                    Some(provider) => {
                        let subject = subject(provider);
                        let input = EphemeralInput {
                            subject: subject.clone(),
                            config,
                            pending,
                            clock,
                        };
                        let opened = open_ephemeral(input).await;
                        Outcome::Ephemeral(Box::new((subject, opened)))
                    }
                };
                Event {
                    node: Some(context.node),
                    about: About::Configured(context, key),
                    outcome,
                }
            }
            .boxed(),
        );
        Some(())
    }

    pub(super) fn finish_ephemeral(
        &mut self,
        context: &Context,
        key: Option<&InstanceKey>,
        (subject, outcome): (Subject, EphemeralOutcome),
    ) -> bool {
        let address = context.abs.instance(key.cloned());
        if let Some(lifetime) = outcome.lifetime {
            self.keep_open(self.closure.rank(context.node), subject, lifetime);
        }
        if !self.take(outcome.diagnostics) {
            return false;
        }
        self.table.set_instance(&address, outcome.value.clone());
        self.postconditions(context, &address, key, outcome.value)
    }

    /// Keeps an ephemeral resource alive until [`Self::close_ephemerals`].
    fn keep_open(&mut self, rank: usize, subject: Subject, lifetime: Lifetime) {
        let (end, ended) = oneshot::channel::<()>();
        self.ends
            .entry(rank)
            .or_default()
            .push((subject.address.clone(), end));
        self.lifetimes.push(
            async move {
                let ended = ended.map(|_| ());
                let problems = lifetime.until(Box::pin(ended)).await;
                told(&subject, problems)
            }
            .boxed(),
        );
    }

    /// Closes what is open: what came last first, since the provider of the one may have been set up by the other.
    pub(crate) async fn close_ephemerals(&mut self) {
        while let Some((_, ends)) = self.ends.pop_last() {
            let mut left = ends.len();
            drop(ends);
            while left > 0 {
                match self.lifetimes.next().await {
                    Some(problems) => self.gathered.diagnostics.append(problems),
                    None => break,
                }
                left -= 1;
            }
        }
    }

    /// What ends next; `None` when nothing runs. Ephemeral resources are renewed meanwhile.
    pub(super) async fn next_event(&mut self) -> Option<Event> {
        let Self {
            running, lifetimes, ..
        } = self;
        std::future::poll_fn(|context| {
            let ended: Poll<_> = lifetimes.poll_next_unpin(context);
            debug_assert!(
                !matches!(ended, Poll::Ready(Some(_))),
                "none of them ends before it is told to"
            );
            running.poll_next_unpin(context)
        })
        .await
    }

    /// Whether an ephemeral resource is to be opened at all: when destroying, only for providers.
    pub(super) fn opens(&self, node: NodeId) -> bool {
        self.mode() != PlanMode::Destroy || self.read_by_providers.contains(&node)
    }
}

//! The execution graph: what has to be done, and what must have ended before it.

mod ephemeral;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use terrace_addr::{
    AbsNamed, AbsProviderConfig, AbsResource, AbsResourceInstance, ConfigResource, ModuleInstance,
};
use terrace_eval::{Dependency, Evaluator};
use terrace_graph::{Dag, NodeId};
use terrace_plan::{Action, ExecGraph, Op, OpKind, ResourceChange};
use terrace_state::State;

/// What the graph is made from.
pub(crate) struct Sources<'a> {
    /// The changes in their order in the plan.
    pub(crate) changes: &'a [ResourceChange],
    /// The state that the changes start from.
    pub(crate) prior: &'a State,
    /// What each configured instance reads directly.
    pub(crate) reads: &'a BTreeMap<AbsResourceInstance, BTreeSet<Dependency>>,
    /// Provider configurations of ephemeral instances.
    pub(crate) ephemerals: &'a BTreeMap<AbsResourceInstance, AbsProviderConfig>,
    /// Configured instances, each after those that it depends on.
    pub(crate) order: &'a [AbsResourceInstance],
    /// What each provider configuration reads directly.
    pub(crate) provider_reads: &'a BTreeMap<AbsProviderConfig, BTreeSet<Dependency>>,
    /// Conditions that are to be judged again, with what they read.
    pub(crate) checks: &'a BTreeMap<String, BTreeSet<Dependency>>,
    /// Root outputs to evaluate; empty when none changes.
    pub(crate) outputs: &'a [AbsNamed],
    /// Whether outputs change.
    pub(crate) outputs_change: bool,
    /// Tells what named values read.
    pub(crate) evaluator: &'a Evaluator,
}

/// Builds the graph.
pub(crate) fn build(sources: &Sources<'_>) -> ExecGraph {
    let mut builder = Builder::new(sources);
    builder.add_changes();
    builder.order_values();
    builder.order_removals();
    builder.add_providers();
    builder.add_ends();
    builder.finish()
}

/// The ops of one change.
#[derive(Clone, Copy, Default)]
struct ChangeOps {
    /// Creates, updates, reads or records.
    produce: Option<u32>,
    /// Destroys or forgets.
    remove: Option<u32>,
}

/// For each resource, one op that stands for a group of others.
struct JoinedUsers {
    /// Removals of objects that depend on it.
    removals: BTreeMap<ConfigResource, u32>,
    /// Changes of objects that depend on it.
    producers: BTreeMap<ConfigResource, u32>,
    /// Removals of its own objects that come before anything new.
    own_removals: BTreeMap<ConfigResource, u32>,
}

struct Builder<'a> {
    sources: &'a Sources<'a>,
    ops: Vec<Op>,
    /// Edges taken from the state, which may be out of date: dropped where they close a circle.
    weak: BTreeSet<(u32, u32)>,
    by_change: Vec<ChangeOps>,
    producers: HashMap<&'a AbsResourceInstance, u32>,
    /// What stands for a dependency: an op, or nothing to wait for.
    resolved: HashMap<Dependency, Option<u32>>,
    joins: HashMap<Vec<u32>, u32>,
    /// Ephemeral instances that something reads, in the order in which that was found, with the ops that open them.
    opened: Vec<(&'a AbsResourceInstance, &'a AbsProviderConfig, u32)>,
}

impl<'a> Builder<'a> {
    fn new(sources: &'a Sources<'a>) -> Self {
        Self {
            sources,
            ops: Vec::with_capacity(sources.changes.len()),
            weak: BTreeSet::new(),
            by_change: Vec::with_capacity(sources.changes.len()),
            producers: HashMap::with_capacity(sources.changes.len()),
            resolved: HashMap::with_capacity(sources.changes.len()),
            joins: HashMap::new(),
            opened: Vec::new(),
        }
    }

    fn add(&mut self, kind: OpKind, after: Vec<u32>) -> u32 {
        let id = u32::try_from(self.ops.len()).unwrap_or(u32::MAX);
        self.ops.push(Op { kind, after });
        id
    }

    fn add_changes(&mut self) {
        for (change, planned) in (0..).zip(self.sources.changes) {
            let ops = match planned.action {
                Action::Create => ChangeOps {
                    produce: Some(self.add(OpKind::Create { change }, vec![])),
                    remove: None,
                },
                Action::Update => ChangeOps {
                    produce: Some(self.add(OpKind::Update { change }, vec![])),
                    remove: None,
                },
                Action::Read => ChangeOps {
                    produce: Some(self.add(OpKind::Read { change }, vec![])),
                    remove: None,
                },
                Action::Delete => ChangeOps {
                    produce: None,
                    remove: Some(self.add(OpKind::Delete { change }, vec![])),
                },
                Action::Forget => ChangeOps {
                    produce: None,
                    remove: Some(self.add(OpKind::Forget { change }, vec![])),
                },
                Action::DeleteThenCreate => {
                    let remove = self.add(OpKind::Delete { change }, vec![]);
                    let produce = self.add(OpKind::Create { change }, vec![remove]);
                    ChangeOps {
                        produce: Some(produce),
                        remove: Some(remove),
                    }
                }
                Action::ForgetThenCreate => {
                    let remove = self.add(OpKind::Forget { change }, vec![]);
                    let produce = self.add(OpKind::Create { change }, vec![remove]);
                    ChangeOps {
                        produce: Some(produce),
                        remove: Some(remove),
                    }
                }
                Action::CreateThenDelete => {
                    let produce = self.add(OpKind::Create { change }, vec![]);
                    let remove = self.add(OpKind::Delete { change }, vec![produce]);
                    ChangeOps {
                        produce: Some(produce),
                        remove: Some(remove),
                    }
                }
                Action::NoOp
                    if planned.importing.is_some() || planned.previous_address.is_some() =>
                {
                    ChangeOps {
                        produce: Some(self.add(OpKind::Record { change }, vec![])),
                        remove: None,
                    }
                }
                Action::NoOp => ChangeOps::default(),
            };
            if let (Some(produce), None) = (ops.produce, &planned.deposed) {
                self.producers.insert(&planned.address, produce);
            }
            self.by_change.push(ops);
        }
    }

    /// Values flow: what reads an object waits for it.
    fn order_values(&mut self) {
        if self.ops.is_empty() {
            return;
        }
        let sources = self.sources;
        for address in sources.order {
            if sources.ephemerals.contains_key(address) {
                // It is opened for whoever reads it.
                continue;
            }
            let Some(producer) = self.producers.get(address).copied() else {
                // Nothing happens to it, but who reads it waits for what it reads.
                self.resolve(&Dependency::Instance(address.clone()));
                continue;
            };
            if let Some(reads) = sources.reads.get(address) {
                let after: Vec<u32> = reads
                    .iter()
                    .filter_map(|dependency| self.resolve(dependency))
                    .collect();
                self.ops[producer as usize]
                    .after
                    .extend(after.into_iter().filter(|op| *op != producer));
            }
        }
    }

    /// The op that stands for a dependency; `None` when there is nothing to wait for.
    fn resolve(&mut self, dependency: &Dependency) -> Option<u32> {
        if let Dependency::Instance(address) = dependency {
            if let Some(producer) = self.producers.get(address) {
                return Some(*producer);
            }
            if let Some((address, provider)) = self.sources.ephemerals.get_key_value(address) {
                return Some(self.open_ephemeral(address, provider));
            }
        }
        if let Some(found) = self.resolved.get(dependency) {
            return *found;
        }
        // A circle through the state's leftovers ends here; it cannot come from the configuration.
        self.resolved.insert(dependency.clone(), None);
        let behind: Vec<Dependency> = match dependency {
            Dependency::Instance(address) => self
                .sources
                .reads
                .get(address)
                .map(|reads| reads.iter().cloned().collect())
                .unwrap_or_default(),
            Dependency::Resource(resource) => self.instances_of(resource),
            Dependency::Call(call) => self.instances_below(call),
            Dependency::Variable(_) | Dependency::Local(_) | Dependency::Output(_) => self
                .sources
                .evaluator
                .dependencies_of(dependency)
                .into_iter()
                .collect(),
        };
        let ops: Vec<u32> = behind
            .iter()
            .filter_map(|dependency| self.resolve(dependency))
            .collect();
        let found = self.join(ops);
        self.resolved.insert(dependency.clone(), found);
        found
    }

    fn instances_of(&self, resource: &AbsResource) -> Vec<Dependency> {
        self.sources
            .reads
            .range(resource.instance(None)..)
            .take_while(|(address, _)| address.resource == *resource)
            .map(|(address, _)| Dependency::Instance(address.clone()))
            .collect()
    }

    fn instances_below(&self, call: &AbsNamed) -> Vec<Dependency> {
        let below = |module: &ModuleInstance| {
            let (outer, inner) = (call.module.steps(), module.steps());
            inner.starts_with(outer)
                && inner
                    .get(outer.len())
                    .is_some_and(|step| step.name == call.name)
        };
        self.sources
            .reads
            .keys()
            .filter(|address| below(address.module()))
            .map(|address| Dependency::Instance(address.clone()))
            .collect()
    }

    /// One op that ends when all of `ops` have.
    fn join(&mut self, mut ops: Vec<u32>) -> Option<u32> {
        ops.sort_unstable();
        ops.dedup();
        match ops[..] {
            [] => None,
            [op] => Some(op),
            _ => match self.joins.get(&ops) {
                Some(join) => Some(*join),
                None => {
                    let join = self.add(OpKind::Join, ops.clone());
                    self.joins.insert(ops, join);
                    Some(join)
                }
            },
        }
    }

    /// What the object of a change depended on when it was last changed.
    fn stored_dependencies(&self, change: &ResourceChange) -> Vec<ConfigResource> {
        let instance = self
            .sources
            .prior
            .resources
            .get(&change.address.resource)
            .and_then(|stored| stored.instances.get(&change.address.key));
        let object = instance.and_then(|instance| match &change.deposed {
            None => instance.current.as_ref(),
            Some(key) => instance.deposed.get(key),
        });
        object
            .map(|object| object.dependencies.to_vec())
            .unwrap_or_default()
    }

    fn creates_first(change: &ResourceChange) -> bool {
        match change.action {
            Action::CreateThenDelete => true,
            Action::DeleteThenCreate | Action::ForgetThenCreate => false,
            _ => change.deposed.is_some() || change.create_before_destroy,
        }
    }

    /// Objects go before what they depend on; what is created first goes after those who change over to its successor.
    fn order_removals(&mut self) {
        if self.by_change.iter().all(|ops| ops.remove.is_none()) {
            return;
        }
        let mut removals_by_dependency: BTreeMap<ConfigResource, Vec<u32>> = BTreeMap::new();
        let mut producers_by_dependency: BTreeMap<ConfigResource, Vec<u32>> = BTreeMap::new();
        let mut removals_of: BTreeMap<ConfigResource, Vec<u32>> = BTreeMap::new();
        let sources = self.sources;
        let stored: Vec<Vec<ConfigResource>> = sources
            .changes
            .iter()
            .map(|change| self.stored_dependencies(change))
            .collect();
        for ((change, ops), stored) in sources.changes.iter().zip(&self.by_change).zip(&stored) {
            if let Some(remove) = ops.remove {
                for dependency in stored {
                    removals_by_dependency
                        .entry(dependency.clone())
                        .or_default()
                        .push(remove);
                }
                if !Self::creates_first(change) {
                    removals_of
                        .entry(change.address.resource.config())
                        .or_default()
                        .push(remove);
                }
            }
            if let Some(produce) = ops.produce {
                let both: BTreeSet<&ConfigResource> =
                    stored.iter().chain(change.dependencies.iter()).collect();
                for dependency in both {
                    producers_by_dependency
                        .entry(dependency.clone())
                        .or_default()
                        .push(produce);
                }
            }
        }
        let joined = JoinedUsers {
            removals: self.join_each(removals_by_dependency),
            producers: self.join_each(producers_by_dependency),
            own_removals: self.join_each(removals_of),
        };
        for (index, change) in sources.changes.iter().enumerate() {
            self.order_removal(index, change, &stored[index], &joined);
        }
    }

    fn join_each(
        &mut self,
        groups: BTreeMap<ConfigResource, Vec<u32>>,
    ) -> BTreeMap<ConfigResource, u32> {
        groups
            .into_iter()
            .filter_map(|(resource, ops)| Some((resource, self.join(ops)?)))
            .collect()
    }

    fn order_removal(
        &mut self,
        index: usize,
        change: &ResourceChange,
        stored: &[ConfigResource],
        joined: &JoinedUsers,
    ) {
        let ops = self.by_change[index];
        let own = change.address.resource.config();
        if let Some(remove) = ops.remove {
            self.wait_weakly(remove, joined.removals.get(&own));
            if Self::creates_first(change) {
                self.wait_weakly(remove, joined.producers.get(&own));
            }
        }
        if let Some(produce) = ops.produce {
            for dependency in stored {
                self.wait_weakly(produce, joined.own_removals.get(dependency));
            }
        }
    }

    fn wait_weakly(&mut self, op: u32, join: Option<&u32>) {
        let Some(join) = join.copied() else {
            return;
        };
        if join != op && !self.ops[op as usize].after.contains(&join) {
            self.ops[op as usize].after.push(join);
            self.weak.insert((op, join));
        }
    }

    /// Providers are open while they have users.
    fn add_providers(&mut self) {
        if !self.sources.ephemerals.is_empty() {
            self.open_for_ends();
        }
        let mut users: BTreeMap<&AbsProviderConfig, Vec<u32>> = BTreeMap::new();
        let sources = self.sources;
        for (change, ops) in sources.changes.iter().zip(&self.by_change) {
            let asks = !matches!(change.action, Action::NoOp | Action::Forget);
            if asks {
                users
                    .entry(&change.provider)
                    .or_default()
                    .extend(ops.produce.iter().chain(&ops.remove));
            }
        }
        let opens = self.open_providers(&mut users);
        for (_, provider, open) in &self.opened {
            users.entry(provider).or_default().push(*open);
        }
        let mut closes = BTreeMap::new();
        for (provider, users) in users {
            let Some(open) = opens.get(provider).copied() else {
                continue;
            };
            for user in &users {
                self.ops[*user as usize].after.push(open);
            }
            let mut last = users;
            last.push(open);
            let close = self.add(OpKind::CloseProvider(provider.clone()), last);
            closes.insert(open, close);
        }
        self.close_ephemerals(&opens, &closes);
    }

    /// Ops that open the providers of `users` and of ephemeral resources, those that configurations of providers read
    /// included.
    fn open_providers(
        &mut self,
        users: &mut BTreeMap<&'a AbsProviderConfig, Vec<u32>>,
    ) -> BTreeMap<&'a AbsProviderConfig, u32> {
        let mut opens: BTreeMap<&AbsProviderConfig, u32> = BTreeMap::new();
        loop {
            let ephemeral = self.opened.iter().map(|(_, provider, _)| *provider);
            let wanted: BTreeSet<&AbsProviderConfig> = users
                .keys()
                .copied()
                .chain(ephemeral)
                .filter(|provider| !opens.contains_key(provider))
                .collect();
            if wanted.is_empty() {
                return opens;
            }
            for provider in wanted {
                let reads = self.sources.provider_reads.get(provider);
                let after: Vec<u32> = reads
                    .into_iter()
                    .flatten()
                    .filter_map(|dependency| self.resolve(dependency))
                    .collect();
                let after = self.join(after).into_iter().collect();
                let open = self.add(OpKind::OpenProvider(provider.clone()), after);
                opens.insert(provider, open);
            }
        }
    }

    fn add_ends(&mut self) {
        let sources = self.sources;
        if !self.ops.is_empty() {
            for (address, reads) in sources.checks {
                let after: Vec<u32> = reads
                    .iter()
                    .filter_map(|dependency| self.resolve(dependency))
                    .collect();
                self.add(
                    OpKind::Check {
                        address: address.clone(),
                    },
                    after,
                );
            }
        }
        if sources.outputs_change {
            let after: Vec<u32> = sources
                .outputs
                .iter()
                .filter_map(|output| self.resolve(&Dependency::Output(output.clone())))
                .collect();
            self.add(OpKind::Outputs, after);
        }
    }

    fn finish(mut self) -> ExecGraph {
        for op in &mut self.ops {
            op.after.sort_unstable();
            op.after.dedup();
        }
        while let Some(edges) = self.weak_edges_of_cycles() {
            for (op, after) in edges {
                self.weak.remove(&(op, after));
                self.ops[op as usize].after.retain(|other| *other != after);
            }
        }
        ExecGraph { ops: self.ops }
    }

    /// The weak edges on one circle of each group, if there is any circle with one.
    fn weak_edges_of_cycles(&self) -> Option<Vec<(u32, u32)>> {
        if self.weak.is_empty() {
            return None;
        }
        let mut dag = Dag::new();
        let ids: Vec<NodeId> = (0..self.ops.len()).map(|_| dag.add_node(())).collect();
        for (op, id) in self.ops.iter().zip(&ids) {
            for after in &op.after {
                dag.add_edge(*id, ids[*after as usize]);
            }
        }
        let mut edges = Vec::new();
        for cycle in dag.cycles() {
            let path = cycle.path();
            for (place, from) in path.iter().enumerate() {
                let to = path[(place + 1) % path.len()];
                let edge = (index(*from), index(to));
                if self.weak.contains(&edge) {
                    edges.push(edge);
                }
            }
        }
        (!edges.is_empty()).then_some(edges)
    }
}

fn index(id: NodeId) -> u32 {
    u32::try_from(id.index()).unwrap_or(u32::MAX)
}

//! `-target`: which part of a configuration and a state is meant.

use std::collections::BTreeSet;

use terrace_addr::{AbsResourceInstance, ConfigResource, Target};
use terrace_diag::Diagnostic;
use terrace_eval::{ConfigGraph, ConfigNode};
use terrace_graph::NodeId;
use terrace_plan::PlanMode;
use terrace_state::State;

use crate::closure::Closure;

/// What is part of a run.
pub(crate) struct Included {
    targets: Vec<Target>,
    /// For each node of the graph, whether it is part of the run; empty for everything.
    nodes: Vec<bool>,
    /// Resources all of whose instances are part of the run, because something that is depends on them.
    whole: BTreeSet<ConfigResource>,
}

impl Included {
    /// What `targets` name and what that depends on (when destroying: what depends on that).
    pub(crate) fn new(
        targets: &[Target],
        mode: PlanMode,
        graph: &ConfigGraph,
        closure: &Closure,
        state: &State,
    ) -> Self {
        let mut included = Self {
            targets: targets.to_vec(),
            nodes: Vec::new(),
            whole: BTreeSet::new(),
        };
        if targets.is_empty() {
            return included;
        }
        let dag = graph.dag();
        let named: Vec<NodeId> = dag
            .nodes()
            .filter(|(_, node)| matches!(node, ConfigNode::Resource(resource) if included.names(resource)))
            .map(|(id, _)| id)
            .collect();
        included.nodes = vec![false; dag.len()];
        for id in dag.reachable(named.iter().copied()) {
            included.nodes[id.index()] = true;
        }
        let mut whole = BTreeSet::new();
        for id in &named {
            whole.extend(
                closure
                    .resource_ids(*id)
                    .iter()
                    .filter_map(|id| match dag.get(*id) {
                        Some(ConfigNode::Resource(resource)) => Some(resource.clone()),
                        _ => None,
                    }),
            );
        }
        for id in &named {
            // Of what is named itself, only the instances that are named.
            if let Some(ConfigNode::Resource(resource)) = dag.get(*id) {
                whole.remove(resource);
            }
        }
        included.whole = whole;
        included.add_outputs(graph, closure);
        if mode == PlanMode::Destroy {
            included.whole = dependents(&included, state);
            included.add_nodes_of_whole(graph);
        }
        included
    }

    /// Root outputs that depend on nothing but what is part of the run.
    fn add_outputs(&mut self, graph: &ConfigGraph, closure: &Closure) {
        let dag = graph.dag();
        for (id, node) in dag.nodes() {
            let ConfigNode::Output(module, _) = node else {
                continue;
            };
            let behind = closure.resource_ids(id);
            if module.is_root()
                && !behind.is_empty()
                && behind.iter().all(|id| self.nodes[id.index()])
            {
                for id in dag.reachable([id]) {
                    self.nodes[id.index()] = true;
                }
            }
        }
    }

    /// The nodes of the resources that are wholly part of the run, and what they depend on.
    fn add_nodes_of_whole(&mut self, graph: &ConfigGraph) {
        let whole = self.whole.iter().cloned().map(ConfigNode::Resource);
        let ids: Vec<NodeId> = whole.filter_map(|node| graph.id(&node)).collect();
        for id in graph.dag().reachable(ids) {
            self.nodes[id.index()] = true;
        }
    }

    fn names(&self, resource: &ConfigResource) -> bool {
        self.targets.iter().any(|target| {
            let (module, named) = match target {
                Target::Module(module) => (module, None),
                Target::Resource(resource) => (&resource.module, Some(&*resource.resource)),
                Target::Instance(instance) => {
                    (instance.module(), Some(&*instance.resource.resource))
                }
            };
            let path = module.path();
            match named {
                Some(named) => path == resource.module && *named == resource.resource,
                None => resource.module.steps().starts_with(path.steps()),
            }
        })
    }

    /// Whether a node of the configuration graph is part of the run.
    pub(crate) fn node(&self, id: NodeId) -> bool {
        self.nodes.is_empty() || self.nodes[id.index()]
    }

    /// Whether an instance is part of the run.
    pub(crate) fn instance(&self, address: &AbsResourceInstance) -> bool {
        self.targets.is_empty()
            || self.targets.iter().any(|target| target.contains(address))
            || (!self.whole.is_empty() && self.whole.contains(&address.resource.config()))
    }

    /// Whether only a part is meant at all.
    pub(crate) fn is_partial(&self) -> bool {
        !self.targets.is_empty()
    }
}

/// Resources with an object that depends on one of those that are named.
fn dependents(included: &Included, state: &State) -> BTreeSet<ConfigResource> {
    let named: BTreeSet<ConfigResource> = state
        .instances()
        .filter(|(address, ..)| {
            included
                .targets
                .iter()
                .any(|target| target.contains(address))
        })
        .map(|(address, ..)| address.resource.config())
        .collect();
    let mut found = BTreeSet::new();
    loop {
        let before = found.len();
        for (address, _, instance) in state.instances() {
            let objects = instance.current.iter().chain(instance.deposed.values());
            let depends = objects
                .flat_map(|object| object.dependencies.iter())
                .any(|dependency| named.contains(dependency) || found.contains(dependency));
            if depends {
                found.insert(address.resource.config());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// The warning that every targeted plan carries.
pub(crate) fn warning() -> Diagnostic {
    Diagnostic::warning(
        "targeting-in-effect",
        "Resource targeting is in effect",
        "You are creating a plan with the -target option, which means that the result of this plan may not represent all of the changes requested by the current configuration.\n\nThe -target option is not for routine use, and is provided only for exceptional situations such as recovering from errors or mistakes, or when Terrace specifically suggests to use it as part of an error message.",
    )
}

//! What lies behind each node of the configuration graph.

use std::collections::HashMap;
use std::sync::Arc;

use terrace_addr::ConfigResource;
use terrace_config::Config;
use terrace_eval::{ConfigGraph, ConfigNode};
use terrace_graph::NodeId;

/// Facts that follow from the whole graph.
pub(crate) struct Closure {
    /// For each node, the resources that it depends on, directly or not.
    resources: Vec<Arc<[NodeId]>>,
    /// The same as addresses, where they have been asked for.
    named: HashMap<Arc<[NodeId]>, Arc<[ConfigResource]>>,
    /// For each node, its place in an order that puts dependencies first.
    ranks: Vec<usize>,
    /// For each node, whether it must be created before its old object is destroyed.
    create_first: Vec<bool>,
}

impl Closure {
    /// Of an acyclic graph.
    pub(crate) fn new(graph: &ConfigGraph, config: &Config, order: &[NodeId]) -> Self {
        let dag = graph.dag();
        let none: Arc<[NodeId]> = [].into();
        let mut resources = vec![none; dag.len()];
        for id in order {
            resources[id.index()] = gather(graph, *id, &resources);
        }
        let mut ranks = vec![0; dag.len()];
        for (rank, id) in order.iter().enumerate() {
            ranks[id.index()] = rank;
        }
        let mut create_first = vec![false; dag.len()];
        for id in order.iter().rev() {
            if create_first[id.index()] || asks_to_create_first(dag.get(*id), config) {
                create_first[id.index()] = true;
                for dependency in dag.dependencies(*id) {
                    create_first[dependency.index()] = true;
                }
            }
        }
        Self {
            resources,
            ranks,
            named: HashMap::new(),
            create_first,
        }
    }

    /// The resources that a node depends on, directly or not, in the order of their text, as states keep them.
    pub(crate) fn dependencies(
        &mut self,
        graph: &ConfigGraph,
        id: NodeId,
    ) -> Arc<[ConfigResource]> {
        let ids = self.resources[id.index()].clone();
        if let Some(found) = self.named.get(&ids) {
            return found.clone();
        }
        let mut names: Vec<ConfigResource> = ids
            .iter()
            .filter_map(|id| match graph.dag().get(*id) {
                Some(ConfigNode::Resource(resource)) => Some(resource.clone()),
                _ => None,
            })
            .collect();
        names.sort_by_cached_key(ToString::to_string);
        let names: Arc<[ConfigResource]> = names.into();
        self.named.insert(ids, names.clone());
        names
    }

    /// The place of a node in an order that puts dependencies first.
    pub(crate) fn rank(&self, id: NodeId) -> usize {
        self.ranks[id.index()]
    }

    /// The ids of the resources that a node depends on, directly or not.
    pub(crate) fn resource_ids(&self, id: NodeId) -> &[NodeId] {
        &self.resources[id.index()]
    }

    /// Whether a resource is created before its old object is destroyed, because it or a dependent asks for it.
    pub(crate) fn create_first(&self, id: NodeId) -> bool {
        self.create_first[id.index()]
    }
}

fn asks_to_create_first(node: Option<&ConfigNode>, config: &Config) -> bool {
    let Some(ConfigNode::Resource(resource)) = node else {
        return false;
    };
    config
        .module(&resource.module)
        .and_then(|node| node.module.resources.get(&resource.resource))
        .is_some_and(|found| found.lifecycle.create_before_destroy == Some(true))
}

/// The union of what the dependencies of `id` depend on, and of those among them that are resources.
fn gather(graph: &ConfigGraph, id: NodeId, known: &[Arc<[NodeId]>]) -> Arc<[NodeId]> {
    let dag = graph.dag();
    let mut shared: Option<&Arc<[NodeId]>> = None;
    let mut own = Vec::new();
    let mut mixed = false;
    for dependency in dag.dependencies(id) {
        if matches!(dag.get(dependency), Some(ConfigNode::Resource(_))) {
            own.push(dependency);
        }
        let behind = &known[dependency.index()];
        if behind.is_empty() {
            continue;
        }
        mixed |= shared.is_some_and(|other| !Arc::ptr_eq(other, behind));
        shared = Some(behind);
    }
    match shared {
        Some(behind) if own.is_empty() && !mixed => return behind.clone(),
        None if own.is_empty() => return [].into(),
        _ => {}
    }
    for dependency in dag.dependencies(id) {
        own.extend(known[dependency.index()].iter().copied());
    }
    own.sort_unstable();
    own.dedup();
    own.into()
}

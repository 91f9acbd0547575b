//! The graph.

use std::collections::{BTreeSet, HashSet};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::Cycle;

/// Names a node of one [`Dag`]. Ids are given from 0 in the order of insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

impl NodeId {
    /// The place of the node in the order of insertion.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    fn of(index: NodeIndex) -> Self {
        Self(u32::try_from(index.index()).unwrap_or(u32::MAX))
    }
}

/// A graph of what depends on what. It is acyclic when [`Dag::cycles`] says so; until that has been asked it may not be.
#[derive(Clone, Debug)]
pub struct Dag<N> {
    graph: DiGraph<N, ()>,
    edges: HashSet<(NodeId, NodeId)>,
}

impl<N> Default for Dag<N> {
    fn default() -> Self {
        Self {
            graph: DiGraph::new(),
            edges: HashSet::new(),
        }
    }
}

impl<N> Dag<N> {
    /// A graph without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node.
    pub fn add_node(&mut self, node: N) -> NodeId {
        NodeId::of(self.graph.add_node(node))
    }

    /// Says that `from` depends on `to`. Saying it again changes nothing.
    pub fn add_edge(&mut self, from: NodeId, to: NodeId) {
        if self.edges.insert((from, to)) {
            self.graph.add_edge(index(from), index(to), ());
        }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.graph.node_count() == 0
    }

    /// How many edges there are.
    pub fn edge_count(&self) -> usize {
        self.graph.edge_count()
    }

    /// The node of an id; `None` when the id is of another graph.
    pub fn get(&self, id: NodeId) -> Option<&N> {
        self.graph.node_weight(index(id))
    }

    /// The node of an id, to be changed.
    pub fn get_mut(&mut self, id: NodeId) -> Option<&mut N> {
        self.graph.node_weight_mut(index(id))
    }

    /// All nodes in the order of insertion.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &N)> {
        self.graph
            .node_indices()
            .map(|index| (NodeId::of(index), &self.graph[index]))
    }

    /// All ids in the order of insertion.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<N> {
        (0..u32::try_from(self.graph.node_count()).unwrap_or(u32::MAX)).map(NodeId)
    }

    /// What `id` depends on directly.
    pub fn dependencies(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.graph
            .neighbors_directed(index(id), Direction::Outgoing)
            .map(NodeId::of)
    }

    /// What depends on `id` directly.
    pub fn dependents(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.graph
            .neighbors_directed(index(id), Direction::Incoming)
            .map(NodeId::of)
    }

    /// Whether `from` depends on `to` directly.
    pub fn has_edge(&self, from: NodeId, to: NodeId) -> bool {
        self.edges.contains(&(from, to))
    }

    /// `roots` and everything that they depend on, directly or not.
    pub fn reachable(&self, roots: impl IntoIterator<Item = NodeId>) -> BTreeSet<NodeId> {
        self.closure(roots, Direction::Outgoing)
    }

    /// `roots` and everything that depends on them, directly or not.
    pub fn reaching(&self, roots: impl IntoIterator<Item = NodeId>) -> BTreeSet<NodeId> {
        self.closure(roots, Direction::Incoming)
    }

    fn closure(
        &self,
        roots: impl IntoIterator<Item = NodeId>,
        direction: Direction,
    ) -> BTreeSet<NodeId> {
        let mut seen = vec![false; self.len()];
        let mut stack: Vec<NodeId> = roots.into_iter().collect();
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            stack.extend(
                self.graph
                    .neighbors_directed(index(id), direction)
                    .map(NodeId::of),
            );
        }
        self.ids().filter(|id| seen[id.index()]).collect()
    }

    /// The same nodes with every edge turned round; ids stay the same.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.graph.reverse();
        self.edges = self.edges.iter().map(|(from, to)| (*to, *from)).collect();
        self
    }

    /// All nodes, each after everything that it depends on; among those that are free to go, the one added first goes
    /// first. The cycles when there is no such order.
    pub fn topological_order(&self) -> Result<Vec<NodeId>, Vec<Cycle>> {
        let mut queue = crate::ReadyQueue::new(self);
        let mut order = Vec::with_capacity(self.len());
        while let Some(id) = queue.pop() {
            order.push(id);
            queue.complete(id);
        }
        if order.len() == self.len() {
            Ok(order)
        } else {
            Err(self.cycles())
        }
    }

    /// One cycle for each group of nodes that depend on each other; none for an acyclic graph.
    pub fn cycles(&self) -> Vec<Cycle> {
        let mut cycles: Vec<Cycle> = petgraph::algo::kosaraju_scc(&self.graph)
            .into_iter()
            .filter_map(|group| {
                let group: Vec<NodeId> = group.into_iter().map(NodeId::of).collect();
                Cycle::within(self, &group)
            })
            .collect();
        cycles.sort();
        cycles
    }
}

fn index(id: NodeId) -> NodeIndex {
    NodeIndex::new(id.index())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(length: usize) -> Dag<usize> {
        let mut dag = Dag::new();
        let ids: Vec<NodeId> = (0..length).map(|n| dag.add_node(n)).collect();
        for pair in ids.windows(2) {
            dag.add_edge(pair[1], pair[0]);
        }
        dag
    }

    #[test]
    fn order_puts_dependencies_first() {
        let mut dag = Dag::new();
        let (a, b, c) = (dag.add_node("a"), dag.add_node("b"), dag.add_node("c"));
        dag.add_edge(a, c);
        dag.add_edge(b, c);
        dag.add_edge(a, b);
        assert_eq!(dag.topological_order(), Ok(vec![c, b, a]));
        assert_eq!(
            dag.clone().reversed().topological_order(),
            Ok(vec![a, b, c])
        );
    }

    #[test]
    fn free_nodes_keep_their_order() {
        let mut dag = Dag::new();
        let ids: Vec<NodeId> = (0..5).map(|n| dag.add_node(n)).collect();
        assert_eq!(dag.topological_order(), Ok(ids));
    }

    #[test]
    fn an_edge_counts_once() {
        let mut dag = Dag::new();
        let (a, b) = (dag.add_node("a"), dag.add_node("b"));
        dag.add_edge(a, b);
        dag.add_edge(a, b);
        assert_eq!(dag.edge_count(), 1);
        assert_eq!(dag.dependencies(a).collect::<Vec<_>>(), [b]);
        assert_eq!(dag.dependents(b).collect::<Vec<_>>(), [a]);
    }

    #[test]
    fn long_chains_do_not_overflow() {
        let mut dag = chain(100_000);
        assert_eq!(
            dag.topological_order().map(|order| order.len()),
            Ok(100_000)
        );
        assert!(dag.cycles().is_empty());
        dag.add_edge(NodeId(0), NodeId(99_999));
        let cycles = dag.cycles();
        assert_eq!(cycles.len(), 1);
        assert_eq!(cycles[0].path().len(), 100_000);
        assert!(dag.topological_order().is_err());
    }

    #[test]
    fn closures_follow_edges() {
        let dag = chain(4);
        assert_eq!(dag.reachable([NodeId(2)]).len(), 3);
        assert_eq!(dag.reaching([NodeId(2)]).len(), 2);
    }
}

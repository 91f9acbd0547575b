//! Cycles.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

use crate::{Dag, NodeId};

/// Nodes of which each depends on the next, and the last on the first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cycle {
    path: Vec<NodeId>,
}

impl Cycle {
    /// The nodes, beginning with the one that was added first.
    pub fn path(&self) -> &[NodeId] {
        &self.path
    }

    /// The shortest cycle through the first node of `group`, whose nodes all depend on each other; `None` for a single
    /// node that does not depend on itself.
    pub(crate) fn within<N>(dag: &Dag<N>, group: &[NodeId]) -> Option<Self> {
        let start = *group.iter().min()?;
        if group.len() == 1 {
            return dag
                .has_edge(start, start)
                .then(|| Self { path: vec![start] });
        }
        let members: HashSet<NodeId> = group.iter().copied().collect();
        let mut came_from: HashMap<NodeId, NodeId> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            let mut next: Vec<NodeId> = dag
                .dependencies(node)
                .filter(|id| members.contains(id))
                .collect();
            next.sort_unstable();
            for id in next {
                if id == start {
                    return Some(Self {
                        path: walk_back(&came_from, node),
                    });
                }
                if let Entry::Vacant(unseen) = came_from.entry(id) {
                    unseen.insert(node);
                    queue.push_back(id);
                }
            }
        }
        None
    }
}

fn walk_back(came_from: &HashMap<NodeId, NodeId>, last: NodeId) -> Vec<NodeId> {
    let mut path = vec![last];
    let mut node = last;
    while let Some(before) = came_from.get(&node) {
        path.push(*before);
        node = *before;
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_tells_its_path() {
        let mut dag = Dag::new();
        let (a, b, c, d) = (
            dag.add_node("a"),
            dag.add_node("b"),
            dag.add_node("c"),
            dag.add_node("d"),
        );
        dag.add_edge(d, a);
        dag.add_edge(a, b);
        dag.add_edge(b, c);
        dag.add_edge(c, a);
        let cycles = dag.cycles();
        assert_eq!(cycles.len(), 1);
        assert_eq!(cycles[0].path(), [a, b, c]);
    }

    #[test]
    fn a_node_may_depend_on_itself() {
        let mut dag = Dag::new();
        let a = dag.add_node("a");
        dag.add_edge(a, a);
        assert_eq!(dag.cycles()[0].path(), [a]);
    }

    #[test]
    fn separate_cycles_are_told_separately() {
        let mut dag = Dag::new();
        let ids: Vec<NodeId> = (0..4).map(|n| dag.add_node(n)).collect();
        for (from, to) in [(0, 1), (1, 0), (2, 3), (3, 2)] {
            dag.add_edge(ids[from], ids[to]);
        }
        assert_eq!(dag.cycles().len(), 2);
    }
}

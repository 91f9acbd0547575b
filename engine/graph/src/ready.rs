//! Which nodes may go now.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::{Dag, NodeId};

/// Hands out nodes whose dependencies are all complete. It keeps what it needs of the graph, so that the graph is free.
#[derive(Clone, Debug)]
pub struct ReadyQueue {
    /// How many dependencies of each node are still open.
    open: Vec<u32>,
    /// Where the dependents of each node begin in `dependents`; one entry more than nodes.
    offsets: Vec<u32>,
    dependents: Vec<NodeId>,
    state: Vec<Progress>,
    ready: BinaryHeap<Reverse<NodeId>>,
    /// How many nodes are neither complete, failed nor skipped.
    left: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Waiting,
    HandedOut,
    Complete,
    Failed,
}

impl ReadyQueue {
    /// A queue over all nodes of `dag`.
    pub fn new<N>(dag: &Dag<N>) -> Self {
        let mut open = vec![0; dag.len()];
        let mut offsets = Vec::with_capacity(dag.len() + 1);
        let mut dependents = Vec::with_capacity(dag.edge_count());
        let mut ready = BinaryHeap::new();
        for id in dag.ids() {
            offsets.push(u32::try_from(dependents.len()).unwrap_or(u32::MAX));
            dependents.extend(dag.dependents(id));
            open[id.index()] = u32::try_from(dag.dependencies(id).count()).unwrap_or(u32::MAX);
            if open[id.index()] == 0 {
                ready.push(Reverse(id));
            }
        }
        offsets.push(u32::try_from(dependents.len()).unwrap_or(u32::MAX));
        let left = dag.len();
        Self {
            open,
            offsets,
            dependents,
            state: vec![Progress::Waiting; left],
            ready,
            left,
        }
    }

    /// The next node that may go, the one added first before others; `None` when none may go now.
    pub fn pop(&mut self) -> Option<NodeId> {
        while let Some(Reverse(id)) = self.ready.pop() {
            if self.state[id.index()] == Progress::Waiting {
                self.state[id.index()] = Progress::HandedOut;
                return Some(id);
            }
        }
        None
    }

    /// Says that a node handed out is done, so that its dependents may go. A second time changes nothing.
    pub fn complete(&mut self, id: NodeId) {
        if self.settle(id, Progress::Complete) {
            for place in self.dependents_of(id) {
                let dependent = self.dependents[place];
                self.open[dependent.index()] -= 1;
                if self.open[dependent.index()] == 0 {
                    self.ready.push(Reverse(dependent));
                }
            }
        }
    }

    /// Says that a node has failed. Everything that depends on it, directly or not, will never be handed out and is
    /// returned, in order; nodes skipped before are not returned again.
    pub fn fail(&mut self, id: NodeId) -> Vec<NodeId> {
        if !self.settle(id, Progress::Failed) {
            return Vec::new();
        }
        let mut skipped = Vec::new();
        let mut stack = vec![id];
        while let Some(failed) = stack.pop() {
            for place in self.dependents_of(failed) {
                let dependent = self.dependents[place];
                if self.settle(dependent, Progress::Failed) {
                    skipped.push(dependent);
                    stack.push(dependent);
                }
            }
        }
        skipped.sort_unstable();
        skipped
    }

    /// Whether a node that depends on `id` could go once it and `others` more nodes have ended.
    pub fn is_waited_for(&self, id: NodeId, others: usize) -> bool {
        self.dependents_of(id).any(|place| {
            let dependent = self.dependents[place].index();
            self.state[dependent] == Progress::Waiting
                && self.open[dependent] as usize <= others.saturating_add(1)
        })
    }

    /// Whether every node is complete, failed or skipped.
    pub const fn is_done(&self) -> bool {
        self.left == 0
    }

    /// How many nodes are neither complete, failed nor skipped.
    pub const fn left(&self) -> usize {
        self.left
    }

    fn settle(&mut self, id: NodeId, to: Progress) -> bool {
        let state = &mut self.state[id.index()];
        if matches!(state, Progress::Complete | Progress::Failed) {
            return false;
        }
        *state = to;
        self.left -= 1;
        true
    }

    fn dependents_of(&self, id: NodeId) -> std::ops::Range<usize> {
        self.offsets[id.index()] as usize..self.offsets[id.index() + 1] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_out_what_may_go() {
        let mut dag = Dag::new();
        let (a, b, c) = (dag.add_node("a"), dag.add_node("b"), dag.add_node("c"));
        dag.add_edge(c, a);
        dag.add_edge(c, b);
        let mut queue = ReadyQueue::new(&dag);
        assert_eq!(
            (queue.pop(), queue.pop(), queue.pop()),
            (Some(a), Some(b), None)
        );
        queue.complete(a);
        assert_eq!(queue.pop(), None);
        queue.complete(b);
        queue.complete(b);
        assert_eq!(queue.pop(), Some(c));
        queue.complete(c);
        assert!(queue.is_done());
    }

    #[test]
    fn who_waits_for_a_node_is_known() {
        let mut dag = Dag::new();
        let [first, second, last] = [(), (), ()].map(|()| dag.add_node(()));
        dag.add_edge(last, first);
        dag.add_edge(last, second);
        let mut queue = ReadyQueue::new(&dag);
        assert!(!queue.is_waited_for(first, 0), "the second is open, too");
        assert!(queue.is_waited_for(first, 1));
        assert!(!queue.is_waited_for(last, 5), "nothing depends on it");
        queue.complete(second);
        assert!(queue.is_waited_for(first, 0));
        queue.fail(first);
        assert!(!queue.is_waited_for(second, 5), "the last never goes");
    }

    #[test]
    fn failure_skips_dependents() {
        let mut dag = Dag::new();
        let ids: Vec<NodeId> = (0..5).map(|n| dag.add_node(n)).collect();
        for (from, to) in [(1, 0), (2, 1), (3, 2), (2, 4)] {
            dag.add_edge(ids[from], ids[to]);
        }
        let mut queue = ReadyQueue::new(&dag);
        assert_eq!(queue.pop(), Some(ids[0]));
        assert_eq!(queue.fail(ids[0]), [ids[1], ids[2], ids[3]]);
        assert_eq!(queue.pop(), Some(ids[4]));
        assert_eq!(queue.fail(ids[4]), []);
        assert_eq!(queue.pop(), None);
        assert!(queue.is_done());
    }
}

//! What depends on what, at the grain of resources.

use std::collections::{BTreeMap, BTreeSet};

use terrace_addr::ConfigResource;
use terrace_plan::{OpKind, Plan};

/// Resources and the edges between them that no other edges imply.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// The resources, in the order of their addresses.
    pub(crate) nodes: Vec<ConfigResource>,
    /// `(from, to)`: `from` depends on `to`.
    pub(crate) edges: Vec<(u32, u32)>,
}

impl Graph {
    /// The graph of a plan. Stored dependencies are those behind others too; they are reduced to the nearest.
    pub(crate) fn of(plan: &Plan) -> Self {
        let reads = behind_reads(plan);
        let mut behind: BTreeMap<ConfigResource, BTreeSet<&ConfigResource>> = BTreeMap::new();
        for change in &plan.changes {
            behind
                .entry(change.address.resource.config())
                .or_default()
                .extend(change.dependencies.iter());
        }
        for (reader, found) in &reads {
            behind.entry(reader.clone()).or_default().extend(found);
        }
        let mentioned: BTreeSet<&ConfigResource> = behind
            .keys()
            .chain(behind.values().flatten().copied())
            .collect();
        let nodes: Vec<ConfigResource> = mentioned.into_iter().cloned().collect();
        let index: BTreeMap<&ConfigResource, u32> = nodes.iter().zip(0..).collect();
        let mut sets: Vec<Vec<u32>> = vec![Vec::new(); nodes.len()];
        for (resource, found) in &behind {
            let own = index[resource];
            let found = found.iter().map(|other| index[*other]);
            sets[own as usize] = found.filter(|other| *other != own).collect();
        }
        let edges = reduced(&sets);
        Self { nodes, edges }
    }

    /// The place of a resource among the nodes.
    pub(crate) fn node(&self, resource: &ConfigResource) -> Option<u32> {
        let found = self.nodes.binary_search(resource).ok()?;
        u32::try_from(found).ok()
    }
}

/// What the data resources wait for that are read while applying: plans say it only by the order of operations.
fn behind_reads(plan: &Plan) -> Vec<(ConfigResource, BTreeSet<ConfigResource>)> {
    let mut known: BTreeMap<ConfigResource, BTreeSet<ConfigResource>> = BTreeMap::new();
    for op in &plan.exec.ops {
        let OpKind::Read { change } = op.kind else {
            continue;
        };
        let Some(reader) = plan.changes.get(change as usize) else {
            continue;
        };
        let found = known.entry(reader.address.resource.config()).or_default();
        let mut seen = BTreeSet::new();
        let mut open = op.after.clone();
        while let Some(at) = open.pop() {
            let Some(before) = plan.exec.ops.get(at as usize) else {
                continue;
            };
            if !seen.insert(at) {
                continue;
            }
            match before.kind {
                OpKind::Create { change }
                | OpKind::Update { change }
                | OpKind::Read { change }
                | OpKind::Record { change } => {
                    let change = plan.changes.get(change as usize);
                    found.extend(change.map(|change| change.address.resource.config()));
                }
                OpKind::Join => open.extend(&before.after),
                _ => {}
            }
        }
    }
    known.into_iter().collect()
}

/// The edges that no longer way implies, where each set holds everything that lies behind a node. The largest of the
/// nodes behind one are the nearest: what is behind them needs no edge.
fn reduced(behind: &[Vec<u32>]) -> Vec<(u32, u32)> {
    let mut edges = Vec::new();
    let mut covered_by = vec![u32::MAX; behind.len()];
    for (from, found) in (0_u32..).zip(behind) {
        let mut nearest: Vec<u32> = found.clone();
        nearest.sort_by_key(|to| (std::cmp::Reverse(behind[*to as usize].len()), *to));
        let first = edges.len();
        for to in nearest {
            if covered_by[to as usize] == from {
                continue;
            }
            edges.push((from, to));
            for further in &behind[to as usize] {
                covered_by[*further as usize] = from;
            }
        }
        edges[first..].sort_unstable();
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_that_others_imply_are_left_out() {
        // 0 <- 1 <- 2, 0 <- 3, 2 and 3 <- 4
        let behind = vec![vec![], vec![0], vec![0, 1], vec![0], vec![0, 1, 2, 3]];
        assert_eq!(reduced(&behind), [(1, 0), (2, 1), (3, 0), (4, 2), (4, 3)]);
    }

    #[test]
    fn nodes_that_depend_on_each_other_end_it_too() {
        assert_eq!(reduced(&[vec![1], vec![0]]), [(0, 1), (1, 0)]);
    }
}

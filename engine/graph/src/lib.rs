//! A directed acyclic graph, cycles with their path, a readiness queue.
//!
//! The only crate that sees petgraph; it knows nothing of infrastructure. Nodes are named by [`NodeId`], which is
//! given in the order of insertion, and every answer is in a fixed order, so that two equal graphs behave alike.
//! All operations are linear in nodes and edges, and none recurses.

mod cycle;
mod dag;
mod ready;

pub use cycle::Cycle;
pub use dag::{Dag, NodeId};
pub use ready::ReadyQueue;

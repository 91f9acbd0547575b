//! terrace-graph

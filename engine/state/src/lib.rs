//! terrace-state

//! terrace-gate

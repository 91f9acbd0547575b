//! terrace-eval

//! terrace-apply

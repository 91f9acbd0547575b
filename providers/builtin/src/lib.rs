//! terrace-provider-builtin

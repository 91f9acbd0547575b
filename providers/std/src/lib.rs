//! terrace-provider-std

//! terrace-provider-protocol

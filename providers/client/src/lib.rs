//! terrace-provider-client

//! terrace-provider-testkit

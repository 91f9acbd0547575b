//! terrace-provider-install

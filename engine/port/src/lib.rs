//! terrace-port

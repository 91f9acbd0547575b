//! terrace-functions

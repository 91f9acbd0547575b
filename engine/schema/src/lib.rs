//! terrace-schema

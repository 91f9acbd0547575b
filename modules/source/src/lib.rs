//! terrace-module-source

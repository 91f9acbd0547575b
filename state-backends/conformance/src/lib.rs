//! terrace-backend-conformance

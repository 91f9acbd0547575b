//! terrace-backend-local

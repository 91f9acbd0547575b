//! terrace-backend-embedded

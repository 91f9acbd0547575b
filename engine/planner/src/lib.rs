//! terrace-planner

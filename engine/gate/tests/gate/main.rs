//! The gate as its users see it: project files, signed statements, approval, audit.

mod approving;
mod audit;
mod project;
mod runs;
mod statements;
mod support;

//! The gate as its users see it: project files, signed statements, approval, audit.
#![expect(
    clippy::unwrap_used,
    reason = "what a test sets up must succeed, or the test fails"
)]

mod approving;
mod audit;
mod changes;
mod devices;
mod identity;
mod policies;
mod project;
mod runs;
mod stacks;
mod statements;
mod support;

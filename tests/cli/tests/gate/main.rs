//! Gates over the command line: who may let what through, and what nobody may walk around.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test"
)]

mod approvals;
mod attacks;
mod audit;
mod bundles;
mod credentials;
mod identity;
mod keys;
mod people;
mod policies;
mod retention;
mod runs;
mod stacks;
mod stores;
mod story;
mod walls;

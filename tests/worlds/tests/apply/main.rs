//! Applies of real processes against a world that remembers everything: killed, interrupted, and failed by their provider.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test"
)]

mod crash;
mod fault;
mod interrupt;
mod laboratory;

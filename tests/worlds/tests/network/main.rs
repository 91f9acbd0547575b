//! Applies whose way to their state's store fails: delays, cuts, lost answers, refusals, partitions, and an end for good.
//!
//! `TERRACE_FULL=1` makes it many seeds and real leases; `TERRACE_SEED` repeats one.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test"
)]

#[path = "../site/mod.rs"]
mod site;

mod ends;
mod faults;
mod services;
mod takeover;

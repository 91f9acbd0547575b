//! Crash worlds: random configurations, failing providers and kill points on several stores, and what the next command finds.
//!
//! Everyday runs take a few worlds with a fresh seed; `TERRACE_FULL` takes a thousand. World number `n` has the seed
//! `TERRACE_SEED + n`; what fails names the seed, and `TERRACE_SEED=… TERRACE_WORLDS=1` makes that world again.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test"
)]

mod configuration;
mod experiment;
mod lab;
mod ours;
mod store;
mod tally;
mod theirs;
mod worlds;

use terrace_test_support::{has_terraform, in_full_size, size};

use store::Kind;

#[test]
fn nothing_is_lost_with_state_files() {
    worlds::hold(Kind::Local, size(6, 400), ours::live_through);
}

#[test]
fn nothing_is_lost_in_object_stores() {
    worlds::hold(Kind::S3, size(3, 300), ours::live_through);
}

#[test]
fn nothing_is_lost_in_postgresql() {
    worlds::hold(Kind::Postgres, size(3, 300), ours::live_through);
}

/// The first worlds of each store once more, with the tool that people come from. Nothing is asserted of it but that it ran.
#[test]
fn the_reference_in_the_same_worlds() {
    if !in_full_size("the reference in the crash worlds") {
        return;
    }
    if !has_terraform() {
        println!(
            "SKIPPED the reference in the crash worlds: there is no terraform on this machine"
        );
        return;
    }
    for kind in [Kind::Local, Kind::S3, Kind::Postgres] {
        worlds::hold(kind, 100, theirs::live_through);
    }
}

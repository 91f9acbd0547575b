//! `terrace ci` in workflows, against a server that stands in for GitHub's API.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::format_collect,
    reason = "a test"
)]

mod act;
mod applying;
mod drifting;
mod job;
mod matrix;
mod people;
mod plans;
mod signing_in;
mod telling;
mod writing;

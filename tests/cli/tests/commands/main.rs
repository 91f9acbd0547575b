//! A few commands from outside, word for word, and what they do about bad input.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test"
)]

mod encryption;
mod everyday;
mod metadata;
mod operations;
mod plugins;
mod states;
mod testing;
mod tools;
mod trouble;

//! Apply against a world in memory: what is asked of providers, what is kept, what is said, and what a crash leaves.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod carry_out;
mod crash;
mod provisioners;
mod world;

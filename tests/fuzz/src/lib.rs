//! Damaged and oversized inputs for everything that reads what people and other programs write.
//!
//! A [`Target`] reads bytes and must neither panic nor be slow, whatever they are; where it accepts them, what it made of
//! them must hold. [`run`] feeds it with mutations of texts that it accepts; [`growth`] repeats parts of them and looks
//! whether twice the input takes more than twice the time. Everything follows from a seed, which is printed.
//!
//! No coverage guides the mutations, which would take instrumented builds: the seeds are rich instead, and mutations
//! know brackets, lines, quotes and the words of each format.
#![allow(clippy::disallowed_methods, reason = "a test measures time")]

mod grow;
mod mutate;
mod run;
mod seeds;
mod targets;

pub use grow::{Slow, growth};
pub use mutate::Mutator;
pub use run::{Failure, Options, Report, case, run};
pub use targets::{Target, all, find};

//! Carries out an approved plan: the only crate that changes the world.
//!
//! [`run`] executes the plan's graph of operations. One owner coordinates, evaluates and keeps the state; what runs at
//! the same time are calls of providers and processes. What an operation is about to ask for is in the journal before
//! it is asked, what came of it before anything depends on it. [`recover`] brings back what a run that died left.

mod check;
mod context;
mod coordinate;
mod instance;
mod journal;
mod op;
mod pool;
mod progress;
mod provision;
pub mod recover;
mod request;
mod run;
mod staleness;
mod stop;
mod values;

pub use request::{Applied, ApplyRequest, Counts};
pub use run::run;
pub use staleness::moved;
pub use stop::Stop;

//! The plan as an artefact: its bytes, its digest, and what becomes of damaged ones.
#![expect(
    clippy::unwrap_used,
    reason = "what a test sets up must succeed, or the test fails"
)]

mod damage;
mod digest;
mod json;
mod moved;
mod round_trip;
mod sample;

//! The plan as an artefact: its bytes, its digest, and what becomes of damaged ones.

mod damage;
mod digest;
mod json;
mod round_trip;
mod sample;

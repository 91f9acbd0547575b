//! One provider in several languages, and one suite that runs the command line against each.
//!
//! The provider is defined in the `README.md` beside this crate. A case is a page in `cases`: steps that a tool takes one
//! after the other in one directory. What comes of them is recorded from `terraform`, and `terrace` must give the same.
#![allow(
    clippy::disallowed_methods,
    reason = "tests start processes and write files"
)]

mod answer;
mod case;
mod implementation;
mod known;
mod run;

pub use answer::{Answer, without_further_places};
pub use case::{Action, Case, Step, cases};
pub use implementation::Implementation;
pub use known::{KNOWN, Known};
pub use run::{Tool, run};

use std::path::PathBuf;

/// The directory of this crate.
fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

//! Policies in Rego over plans: rules that deny or warn, their unit tests, and a starter pack.
//!
//! [`Policies::parse`] reads `.rego` files and data, [`Policies::judge`] evaluates every rule whose name says that it judges
//! (`deny`, `violation`, `warn`, each alone or with `_` and more behind it) over one document, and gives a [`Verdict`]. Names
//! and shapes are those of conftest, so that policies written for it run as they are; the language is Rego v1, read by
//! regorus. Nothing here touches a file, the network or a clock that a policy could not be told: `http.send` does not exist.

mod builtins;
mod input;
mod judge;
mod names;
mod policies;
mod problem;
mod query;
mod rewrite;
mod starter;
mod unit_tests;

pub use input::{Circumstances, input};
pub use judge::{Finding, Severity, Verdict};
pub use policies::{DataFile, Policies, PolicyFile};
pub use query::Answer;
pub use starter::{StarterFile, starter_names, starter_pack, starter_rules, starter_settings};
pub use unit_tests::{TestOutcome, TestResult};

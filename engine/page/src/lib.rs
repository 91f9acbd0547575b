//! A plan and its run as one self-contained page: what a reviewer reads before approving.
//!
//! [`RunPage::render`] gives the bytes of an HTML document that loads nothing from anywhere: style, script and data are in it,
//! and its content security policy allows the first two by their hashes and nothing else. The data is a block of JSON that
//! cannot end early, whatever resources are called, and the script shows it as text alone. Sensitive values are left out
//! here, not hidden there. The same page gives the same bytes.

mod changes;
mod document;
mod graph;
mod html;
mod rows;
mod wire;

pub use document::{Approval, GateState, Missing, PolicyOutcome, PolicyVerdict, RunPage};
pub use html::Rendered;

//! Instances at work: what planning and applying both do with them.
//!
//! Ephemeral resources live for as long as a run needs them, and both kinds of run open, renew and close them.

mod ephemeral;

pub use ephemeral::{Lifetime, OpenEphemeral, Problem, open};

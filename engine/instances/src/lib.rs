//! Instances at work: what planning and applying both do with them.
//!
//! Ephemeral resources live for as long as a run needs them, and both kinds of run open, renew and close them.

mod ephemeral;
mod identity;
mod meta;
mod write_only;

pub use ephemeral::{Lifetime, OpenEphemeral, Problem, open};
pub use identity::{IdentityProblem, checked_identity, encoded_identity, stored_identity};
pub use meta::{for_instance, with_meta};
pub use write_only::{lasting_marks, write_only_answers};

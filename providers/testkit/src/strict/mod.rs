//! The strict provider.

mod check;
mod ephemeral;
mod identity;
mod objects;
mod provider;
mod schema;
mod script;
mod upgrade;

pub use provider::StrictProvider;
pub use script::{Call, Operation, Outcome};

//! The native Azure provider against a strict stand-in for Azure Resource Manager, through the port, as the engine uses it.
#![expect(
    clippy::unwrap_used,
    reason = "what a test sets up must succeed, or the test fails"
)]

mod driver;
mod failures;
mod refusals;
mod schemas;
mod signing;
mod table;

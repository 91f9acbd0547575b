//! The strict provider as a plugin process.
fn main() {}

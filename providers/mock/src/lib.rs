//! Providers of tests that make up what they answer, and objects that no provider is asked about.
//!
//! [`Staged`] stands before the real providers. A configuration that a test has made up is answered for by schemas alone: what
//! was configured is taken over, what a provider would compute has the value that the test gives, or one that is made up:
//! empty collections, zero, false, and texts that are the same whenever the same test runs.

mod generate;
mod mock;
mod overriding;
mod staged;

pub use mock::MockProvider;
pub use staged::Staged;

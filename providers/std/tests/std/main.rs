//! The native providers through the port, as the engine uses them.
#![expect(
    clippy::unwrap_used,
    reason = "what a test sets up must succeed, or the test fails"
)]

mod archive;
mod external;
mod http;
mod local;
mod null;
mod random;
mod support;
mod time;
mod tls;

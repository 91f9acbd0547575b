//! The native providers through the port, as the engine uses them.

mod local;
mod null;
mod random;
mod support;
mod time;

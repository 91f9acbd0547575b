//! Installations from real repositories and from a web server in this process.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

mod archives;
mod clouds;
mod registries;
mod repositories;
mod world;

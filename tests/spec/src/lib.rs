//! The language reference as pages that run.
//!
//! A page of `pages/` is Markdown that reads as documentation. Its fenced blocks are also a test: files, expressions with
//! their values, commands with what they print, configurations with what is said of them. [`Page::parse`] reads a page,
//! [`mod@reference`] writes the reference that `docs/language` shows, and [`oracle`] holds the pages to an installed
//! `terraform`. The tests of this crate run every example against Terrace.

mod command_line;
mod expectation;
mod library;
pub mod oracle;
mod page;
pub mod reference;

pub use command_line::{CommandLine, pick};
pub use expectation::{CommandEntry, ConsoleEntry, Said};
pub use expectation::{command_entries, console_entries, matches, told};
pub use library::{pages, pages_directory};
pub use page::{Case, Page, Step, StepKind};

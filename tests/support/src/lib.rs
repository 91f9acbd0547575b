//! What several test crates share: a temporary project, the built `terrace` in it, and what a command said.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests start processes and write files"
)]

mod documents;
mod gate;
mod plugin;
mod project;
mod ran;
mod running;

pub use documents::differences;
pub use gate::Gate;
pub use plugin::{aws_by_its_schema, dev_override};
pub use project::Project;
pub use ran::{Ran, Said};
pub use running::Running;

use std::path::PathBuf;
use std::sync::OnceLock;

use terrace_test_services::Unavailable;

/// The built `terrace`, built anew where its sources have changed.
pub fn terrace() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| terrace_test_services::terrace().expect("the workspace's binary builds"))
        .clone()
}

/// The built `terrace` whose clock tests set.
pub fn terrace_with_test_clock() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            terrace_test_services::terrace_with_test_clock().expect("the workspace's binary builds")
        })
        .clone()
}

/// The built fake-provider.
pub fn fake_provider() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            terrace_test_services::fake_provider().expect("the workspace's fake-provider builds")
        })
        .clone()
}

/// The built schema-provider.
pub fn schema_provider() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            terrace_test_services::schema_provider()
                .expect("the workspace's schema-provider builds")
        })
        .clone()
}

/// The size of a test: the first number in everyday runs, the second where `TERRACE_FULL` is set.
pub fn size(everyday: usize, full: usize) -> usize {
    if std::env::var_os("TERRACE_FULL").is_some_and(|value| !value.is_empty()) {
        full
    } else {
        everyday
    }
}

/// Whether tests run in full size; says that a test is skipped where they do not.
pub fn in_full_size(what: &str) -> bool {
    let full = size(0, 1) == 1;
    if !full {
        println!("SKIPPED {what}: it runs in full size alone (TERRACE_FULL=1)");
    }
    full
}

/// Whether there is a `terraform` to compare with.
pub fn has_terraform() -> bool {
    std::process::Command::new("terraform")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// What is there, or `None` after saying that a test is skipped and why.
pub fn available<T>(what: &str, found: Result<T, Unavailable>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(why) => {
            eprintln!("SKIPPED {what}: {why}");
            None
        }
    }
}

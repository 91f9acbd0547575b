//! The plugin.

use std::process::ExitCode;

fn main() -> ExitCode {
    terrace_provider_serve::run(notes_provider::provider())
}

//! `terrace version`

use std::path::Path;

use crate::args::VersionArgs;
use crate::command_error::{Outcome, SUCCESS};
use crate::session::Session;
use crate::wiring::read_lock_file;

/// Terrace's own version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The version of OpenTofu whose language is understood.
const OPENTOFU_VERSION: &str = "1.12.0";

#[expect(
    clippy::unnecessary_wraps,
    reason = "every command ends with an outcome"
)]
pub(crate) fn run(session: &Session, args: &VersionArgs) -> Outcome {
    let platform = format!("{}_{}", std::env::consts::OS, architecture());
    // A lock file that cannot be read is told by the commands that need it.
    let lock = read_lock_file().unwrap_or_default();
    let selections = lock
        .providers
        .iter()
        .map(|(provider, locked)| (provider.to_string(), locked.version.to_string()));
    if args.json {
        let selections: serde_json::Map<_, _> = selections
            .map(|(provider, version)| (provider, version.into()))
            .collect();
        let text = serde_json::json!({
            "terrace_version": VERSION,
            "terraform_version": terrace_state::TERRAFORM_VERSION,
            "platform": platform,
            "provider_selections": selections,
            "terraform_outdated": false,
        });
        session.view.output(format!("{text:#}"));
        return Ok(SUCCESS);
    }
    let called = std::env::args_os().next().unwrap_or_default();
    let called = Path::new(&called).file_stem().unwrap_or_default();
    let mut lines = headings(&called.to_string_lossy(), &platform);
    lines.extend(selections.map(|(provider, version)| format!("+ provider {provider} v{version}")));
    session.view.output(lines.join("\n"));
    Ok(SUCCESS)
}

/// The first lines: what this is and whose language it speaks.
///
/// Programs that call the engine read the first line, or look for the reference's name and version anywhere. Where the
/// program goes by the name of another engine, because somebody gave it that name for them, the first line is that
/// engine's, and the third says who is there.
fn headings(called: &str, platform: &str) -> Vec<String> {
    let terraform = terrace_state::TERRAFORM_VERSION;
    let itself = format!("Terrace v{VERSION}");
    let on = format!("on {platform}");
    match called {
        "terraform" => vec![
            format!("Terraform v{terraform}"),
            on,
            format!("by {itself}"),
        ],
        "tofu" => vec![
            format!("OpenTofu v{OPENTOFU_VERSION}"),
            on,
            format!("by {itself}"),
        ],
        _ => vec![
            itself,
            on,
            format!("in the language of Terraform v{terraform} and OpenTofu v{OPENTOFU_VERSION}"),
        ],
    }
}

/// The architecture as provider packages name it.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_of_the_name_that_the_program_is_called_by() {
        let own = headings("terrace", "linux_amd64");
        assert_eq!(own[0], format!("Terrace v{VERSION}"));
        assert!(own[2].contains("Terraform v1.11.4"), "{own:?}");
        for (name, first) in [
            ("terraform", "Terraform v1.11.4"),
            ("tofu", "OpenTofu v1.12.0"),
        ] {
            let lines = headings(name, "linux_amd64");
            assert_eq!(lines[0], first);
            assert_eq!(lines[2], format!("by Terrace v{VERSION}"));
        }
    }
}

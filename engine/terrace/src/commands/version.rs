//! `terrace version`

use crate::args::VersionArgs;
use crate::command_error::{Outcome, SUCCESS};
use crate::session::Session;

/// Terrace's own version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

#[expect(
    clippy::unnecessary_wraps,
    reason = "every command ends with an outcome"
)]
pub(crate) fn run(session: &Session, args: &VersionArgs) -> Outcome {
    let platform = format!("{}_{}", std::env::consts::OS, architecture());
    if args.json {
        let text = serde_json::json!({
            "terrace_version": VERSION,
            "terraform_version": terrace_state::TERRAFORM_VERSION,
            "platform": platform,
            "provider_selections": {},
            "terraform_outdated": false,
        });
        session.view.output(format!("{text:#}"));
    } else {
        session.view.output(format!(
            "Terrace v{VERSION}\non {platform}\nlanguage of Terraform {} and OpenTofu 1.12",
            terrace_state::TERRAFORM_VERSION
        ));
    }
    Ok(SUCCESS)
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

//! `terrace ci login`: a cloud takes the identity of the workflow for a role.
//!
//! The token goes to a file that only this job's user may read, and the runner is told where it is; those who need the cloud
//! exchange it themselves, as the clouds' libraries do. A token lives for minutes: where work takes longer, it is renewed in its
//! place.

use std::path::{Path, PathBuf};

use terrace_diag::Diagnostic;

use super::post;
use crate::args::CiLoginCommand;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::outside::write_private_file;
use crate::session::Session;

/// The variable with the file that the token is in, as AWS's libraries know it.
const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
/// The variable by which later steps know that the file is to be renewed, and for whom the token is.
const AUDIENCE: &str = "TERRACE_CI_TOKEN_AUDIENCE";
/// The name of the file.
const FILE: &str = "terrace-web-identity";

pub(super) async fn run(session: &Session, command: &CiLoginCommand) -> Outcome {
    let CiLoginCommand::Aws { role, audience } = command;
    if !role.starts_with("arn:") || role.contains(char::is_whitespace) {
        let detail = format!(
            "{role:?} is no ARN of a role, such as arn:aws:iam::123456789012:role/terrace-plan."
        );
        return Err(CommandError::one("invalid-option", "Invalid role", detail));
    }
    let Some(directory) = session.environment.get("RUNNER_TEMP") else {
        let detail = "RUNNER_TEMP is not set: there is no directory that is this job's alone.";
        return Err(CommandError::one(
            "ci-no-identity",
            "Not within a workflow",
            detail,
        ));
    };
    let file = Path::new(directory).join(FILE);
    write_token(session, &file, audience).await?;
    post::add_variables(
        session,
        "GITHUB_ENV",
        &[
            ("AWS_ROLE_ARN", role.clone()),
            (TOKEN_FILE, file.to_string_lossy().into_owned()),
            ("AWS_ROLE_SESSION_NAME", session_name(session)),
            (AUDIENCE, audience.clone()),
        ],
    )?;
    session.view.line(format!(
        "The next steps of this job have the role {role} by the identity of the workflow."
    ));
    Ok(SUCCESS)
}

/// Writes a new token to where the job's first sign-in has put one. Where there was none, nothing is done.
pub(super) async fn renew(session: &Session) -> Result<(), CommandError> {
    let variable = |name: &str| session.environment.get(name);
    let (Some(file), Some(audience)) = (variable(TOKEN_FILE), variable(AUDIENCE)) else {
        return Ok(());
    };
    let own = variable("RUNNER_TEMP").map(|directory| Path::new(directory).join(FILE));
    if own != Some(PathBuf::from(file)) {
        return Ok(());
    }
    write_token(session, Path::new(file), audience).await
}

async fn write_token(session: &Session, file: &Path, audience: &str) -> Result<(), CommandError> {
    let issuer = crate::installation::issuer(session);
    let failed = |detail: String| {
        CommandError::from(
            Diagnostic::error("ci-no-identity", "Workflow has no identity", detail)
                .hint("the job needs `permissions:` for it: id-token: write"),
        )
    };
    let token = issuer
        .token(audience)
        .await
        .map_err(|why| failed(format!("The runner was asked for a token: {why}.")))?;
    let token = token.ok_or_else(|| {
        failed("The runner does not say where a token can be asked for (ACTIONS_ID_TOKEN_REQUEST_URL).".to_owned())
    })?;
    let path = file.to_string_lossy();
    write_private_file(&path, token.as_bytes()).map_err(|error| {
        let detail = format!("{path} cannot be written: {error}.");
        CommandError::one("unwritable-file", "Token cannot be kept", detail)
    })
}

/// The name that the cloud's log shows: which workflow's run it was.
fn session_name(session: &Session) -> String {
    let run = session.environment.get("GITHUB_RUN_ID").unwrap_or("0");
    let run: String = run.chars().filter(char::is_ascii_digit).collect();
    format!("terrace-{run}")
}

//! Tokens: given, in a file that is renewed, or printed by a program.

use std::collections::BTreeMap;
use std::process::Stdio;

use serde_json::{Value as Json, json};

use crate::settings::Access;

/// A program that prints a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExecCommand {
    pub(crate) api_version: String,
    pub(crate) command: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
}

/// The token to send now, if one is.
pub(crate) async fn token(access: &Access) -> Result<Option<String>, String> {
    if let Some(exec) = &access.exec {
        return run(exec).await.map(Some);
    }
    if let Some(path) = &access.token_file {
        let text = tokio::fs::read_to_string(path)
            .await
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        return Ok(Some(text.trim().to_owned()));
    }
    Ok(access.token.clone())
}

async fn run(exec: &ExecCommand) -> Result<String, String> {
    let information = json!({
        "apiVersion": exec.api_version,
        "kind": "ExecCredential",
        "spec": {"interactive": false},
    });
    let output = tokio::process::Command::new(&exec.command)
        .args(&exec.arguments)
        .envs(&exec.environment)
        .env("KUBERNETES_EXEC_INFO", information.to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .await
        .map_err(|error| {
            format!(
                "the credential program {} cannot be run: {error}",
                exec.command
            )
        })?;
    if !output.status.success() {
        return Err(format!(
            "the credential program {} failed: {}",
            exec.command,
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    let printed: Json = serde_json::from_slice(&output.stdout).map_err(|error| {
        format!(
            "the credential program {} printed no JSON: {error}",
            exec.command
        )
    })?;
    printed["status"]["token"]
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("the credential program {} printed no token", exec.command))
}

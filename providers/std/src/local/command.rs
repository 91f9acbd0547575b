//! `local_command`: what a program of this machine says.

use terrace_provider_sdk::{Diagnostics, Object};

use super::schema;
use crate::Outside;
use crate::definition::{Failure, Source, problem};
use crate::program::{lookup_detail, lookup_error, run};

pub(super) fn data_source() -> Source {
    Source::new("local_command", schema::local_command_data, execute)
}

pub(super) fn ephemeral() -> Source {
    Source::new("local_command", schema::local_command_ephemeral, execute)
}

fn execute(
    mut object: Object,
    outside: &Outside,
    _diagnostics: &mut Diagnostics,
) -> Result<Object, Failure> {
    let command = object.text("command").unwrap_or_default().to_owned();
    if let Some(error) = lookup_error(&command) {
        let detail = lookup_detail("command", &command, &error);
        return Err(problem("command", "Command Lookup Failed", detail));
    }
    let failed = |why: &str, stderr: &str| {
        let said = if stderr.is_empty() {
            String::new()
        } else {
            format!("Command Error: {stderr}\n")
        };
        let detail = format!(
            "The data source executed the command but received a non-zero exit code. If a non-zero exit code is expected and can be handled in configuration, set \"allow_non_zero_exit_code\" to true.\n\nCommand: {command}\n{said}State: {why}"
        );
        problem("command", "Command Execution Failed", detail)
    };
    let ended = run(
        &command,
        &object.texts("arguments"),
        object.text("working_directory"),
        object.text("stdin").map(str::as_bytes),
        &outside.surroundings,
    )
    .map_err(|error| failed(&error.to_string(), ""))?;
    let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
    let code = ended.code.unwrap_or(-1);
    if code != 0 && object.flag("allow_non_zero_exit_code") != Some(true) {
        return Err(failed(&ended.state(), &stderr));
    }
    let stdout = String::from_utf8_lossy(&ended.stdout).into_owned();
    object.set("stdout", Some(stdout).filter(|text| !text.is_empty()));
    object.set("stderr", Some(stderr).filter(|text| !text.is_empty()));
    object.set("exit_code", code);
    Ok(object)
}

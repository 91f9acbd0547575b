//! Functions of local.

use std::path::Path;

use terrace_provider_sdk::{Function, FunctionError, Parameter};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new("direxists", |arguments| {
            directory_exists(&arguments.get::<String>(0)?)
        })
        .parameter(
            Parameter::of::<String>("path")
                .describe("The directory's path; `~` has no meaning in it."),
        )
        .summary("Whether a directory is there.")
        .describe("False where there is nothing; what is no directory is an error."),
    ]
}

fn directory_exists(path: &str) -> Result<bool, FunctionError> {
    match std::fs::metadata(Path::new(path)) {
        Ok(found) if found.is_dir() => Ok(true),
        Ok(_) => Err(FunctionError::at(
            0,
            format!("Invalid file mode detected: {path:?} was found, but is not a directory"),
        )),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FunctionError::at(
            0,
            format!("Error checking for directory: {error}"),
        )),
    }
}

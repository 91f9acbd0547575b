//! Functions of local.

use std::path::Path;

use terrace_provider_sdk::{Function, FunctionError, Parameter};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new("direxists", |arguments| directory_exists(&arguments.get::<String>(0)?))
            .parameter(
                Parameter::of::<String>("path").describe("Relative or absolute path to check for the existence of a directory"),
            )
            .summary("Determines whether a directory exists at a given path.")
            .describe(r#"Given a path string, will return true if the directory exists. This function works only with directories. If used with a file, the function will return an error.

This function behaves similar to the built-in [`fileexists`](https://developer.hashicorp.com/terraform/language/functions/fileexists) function, however, `direxists` will not replace filesystem paths including `~` with the current user's home directory path. This functionality can be achieved by using the built-in [`pathexpand`](https://developer.hashicorp.com/terraform/language/functions/pathexpand) function with `direxists`, see example below."#),
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

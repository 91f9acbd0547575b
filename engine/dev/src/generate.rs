//! `cargo dev generate`: code of the provider protocols, and reference pages.

use crate::rules::{explanations, language};
use crate::{Failure, program, workspace};

/// Writes everything anew; whether all could be written.
pub(crate) fn run() -> Result<bool, Failure> {
    println!("providers/protocol/src/generated");
    let protocol = workspace::cargo()
        .args([
            "run",
            "--quiet",
            "--package",
            "terrace-provider-protocol",
            "--example",
            "generate",
        ])
        .status()?
        .success();
    println!("{}", language::DIRECTORY);
    language::write()?;
    println!("{}", explanations::DIRECTORY);
    explanations::write(&workspace::facts()?)?;
    let formatted = program::succeeds(workspace::cargo().args([
        "fmt",
        "--package",
        "terrace-provider-protocol",
    ]))?;
    Ok(protocol && formatted)
}

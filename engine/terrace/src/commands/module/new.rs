//! `terrace module new`

use terrace_diag::Diagnostic;
use terrace_module::{Scaffold, Splice, scaffold};
use terrace_port::Files as _;

use super::{docs, load_sound};
use crate::args::ModuleNewArgs;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::outside::{Disk, write_file};
use crate::session::Session;

pub(super) fn run(session: &Session, args: &ModuleNewArgs) -> Outcome {
    let wanted = Scaffold {
        name: args.name.clone(),
        namespace: args.namespace.clone(),
        provider: args.provider.clone(),
    };
    if let Some(problem) = wanted.problem() {
        return Err(CommandError::one(
            "invalid-module-name",
            "Invalid name of a module",
            problem,
        ));
    }
    let directory = args.directory.as_deref().unwrap_or(&args.name);
    let directory = match directory.trim_end_matches('/') {
        "" => "/",
        directory => directory,
    };
    let files = scaffold(&wanted);
    let path_of = |path: &str| format!("{directory}/{path}");
    let taken: Vec<String> = files
        .iter()
        .map(|file| path_of(file.path))
        .filter(|path| Disk.exists(path))
        .collect();
    if !taken.is_empty() {
        let detail = format!(
            "Nothing was written, because these files exist: {}.",
            taken.join(", ")
        );
        return Err(
            Diagnostic::error("module-files-exist", "There is a module already", detail)
                .hint("name another directory: terrace module new -directory=DIR NAME")
                .into(),
        );
    }
    for file in &files {
        write(&path_of(file.path), &file.text)?;
    }
    document(directory)?;
    if args.style.json {
        let paths: Vec<String> = files.iter().map(|file| path_of(file.path)).collect();
        session.view.output(
            serde_json::json!({ "format_version": "1.0", "directory": directory, "files": paths })
                .to_string(),
        );
    } else {
        session.view.output(format!(
            "Wrote {} files to {directory}.\n\nWhat to do next:\n    terrace -chdir={directory} init\n    terrace -chdir={directory} module check\n\nAfter a change of variables or outputs:\n    terrace -chdir={directory} module docs",
            files.len()
        ));
    }
    Ok(SUCCESS)
}

/// Puts the documentation of what was just written into its README.
fn document(directory: &str) -> Result<(), CommandError> {
    let config = load_sound(directory, &Disk, directory)?;
    let readme = format!("{directory}/README.md");
    match docs::state(&readme, &docs::documentation(&config))? {
        Splice::Changed(text) | Splice::Appended(text) => write(&readme, &text),
        Splice::Current | Splice::Broken(_) => Ok(()),
    }
}

fn write(path: &str, text: &str) -> Result<(), CommandError> {
    write_file(path, text.as_bytes()).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "Module cannot be written",
            format!("{path} cannot be written: {error}."),
        )
    })
}

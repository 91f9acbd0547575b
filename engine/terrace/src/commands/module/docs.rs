//! `terrace module docs`

use terrace_config::Config;
use terrace_module::{Documentation, Interface, NoTypes, Splice, markdown, splice};
use terrace_port::Files as _;

use super::load_sound;
use crate::args::ModuleDocsArgs;
use crate::command_error::{CommandError, Outcome, SUCCESS, UNFORMATTED};
use crate::outside::{Disk, write_file};
use crate::session::Session;

pub(super) fn run(session: &Session, args: &ModuleDocsArgs) -> Outcome {
    let config = load_sound(".", &Disk, "The working directory")?;
    let documentation = documentation(&config);
    if args.style.json {
        session
            .view
            .output(format!("{:#}", documentation.to_json()));
        return Ok(SUCCESS);
    }
    if args.print {
        session.view.output(markdown(&documentation).trim_end());
        return Ok(SUCCESS);
    }
    let file = &args.file;
    match state(file, &documentation)? {
        Splice::Current => {
            session.view.line(format!("{file} is current."));
            Ok(SUCCESS)
        }
        Splice::Broken(markers) => Err(CommandError::one(
            "broken-markers",
            "Markers do not match",
            format!(
                "{file} must hold {} before {}, each on a line of its own. Correct them, or remove both: then the documentation is added at the end.",
                markers.begin, markers.end
            ),
        )),
        Splice::Changed(_) | Splice::Appended(_) if args.check => {
            session.view.line(format!(
                "{file} is stale: run `terrace module docs` and commit it."
            ));
            Ok(UNFORMATTED)
        }
        Splice::Changed(text) | Splice::Appended(text) => {
            write_file(file, text.as_bytes()).map_err(|error| {
                CommandError::one(
                    "unwritable-file",
                    "Documentation cannot be written",
                    format!("{file} cannot be written: {error}."),
                )
            })?;
            session.view.line(format!("Wrote {file}."));
            Ok(SUCCESS)
        }
    }
}

/// What there is to say about a module. Nothing of it depends on what is installed, so that it is the same everywhere.
pub(super) fn documentation(config: &Config) -> Documentation {
    Documentation::of(config, &Interface::of(config, &NoTypes))
}

/// What a file must become to hold the documentation. A file that is not there is empty.
pub(super) fn state(file: &str, documentation: &Documentation) -> Result<Splice, CommandError> {
    let text = match Disk.read(file) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(CommandError::one(
                "unreadable-file",
                "Failed to read file",
                format!("{file} cannot be read: {error}."),
            ));
        }
    };
    Ok(splice(&text, &markdown(documentation)))
}

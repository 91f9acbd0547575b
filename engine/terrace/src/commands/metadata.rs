//! `terrace metadata`

use terrace_functions::FunctionTable;

use crate::args::MetadataCommand;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::session::Session;
use crate::view::functions::signatures;

pub(crate) fn run(session: &Session, command: &MetadataCommand) -> Outcome {
    let MetadataCommand::Functions(args) = command;
    if !args.json {
        return Err(CommandError::one(
            "metadata-needs-json",
            "The `terrace metadata functions` command requires the `-json` flag",
            "The signatures of functions are for other tools, and JSON is their only form. Add -json.",
        ));
    }
    session.view.output(signatures(&FunctionTable::standard()));
    Ok(SUCCESS)
}

//! `terrace providers mirror`

use std::path::{Path, PathBuf};

use terrace_provider_install::Event;

use super::{platforms, required};
use crate::args::ProvidersMirrorArgs;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::installation;
use crate::session::Session;
use crate::wiring::Wiring;

pub(super) async fn run(session: &Session, args: &ProvidersMirrorArgs) -> Outcome {
    let platforms = platforms(&args.platform)?;
    if !Path::new(&args.directory).is_dir() {
        return Err(CommandError::one(
            "invalid-option",
            "Invalid output directory",
            format!(
                "The output directory {:?} is not there. Create it, and run the command again.",
                args.directory
            ),
        ));
    }
    let (config, wanted) = required(session)?;
    let Wiring {
        installer,
        lock_file,
        ..
    } = Wiring::new(session)?;
    let directory = PathBuf::from(&args.directory);
    let lock = args.lock_file.then_some(lock_file);
    let work = move |on_event: &mut dyn FnMut(&Event)| {
        installer.mirror(&wanted, lock.as_ref(), &platforms, &directory, on_event)
    };
    let diagnostics = installation::blocking(session, work).await?;
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, config.sources.clone()));
    }
    session.view.diagnostics(diagnostics, &config.sources);
    Ok(SUCCESS)
}

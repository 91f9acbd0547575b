//! `terrace get`

use std::sync::Arc;

use crate::args::GetArgs;
use crate::command_error::{Outcome, SUCCESS};
use crate::modules::{ModuleOptions, install};
use crate::session::Session;

pub(crate) async fn run(session: &Arc<Session>, args: &GetArgs) -> Outcome {
    let options = ModuleOptions {
        upgrade: args.update,
        readonly: false,
        heading: false,
    };
    install(session, options, &args.test_directory).await?;
    Ok(SUCCESS)
}

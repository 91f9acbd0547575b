//! Arguments of the page for reviewers.

use clap::Args;

use super::Where;

#[derive(Debug, Args)]
pub(crate) struct ViewArgs {
    #[command(flatten)]
    pub(crate) place: Where,
    /// Write the page to this file, and end.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<String>,
    /// Serve it on this port, instead of one that is free.
    #[arg(
        long,
        value_name = "PORT",
        default_value = "0",
        conflicts_with = "html"
    )]
    pub(crate) port: u16,
    /// The run (the beginning of its id is enough), or a plan file.
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
}

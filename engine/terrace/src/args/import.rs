//! The command line of `terrace import`.

use clap::Args;

use super::{LockArgs, OutputStyle, Where};

/// Take over an object that exists already into the state.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    #[command(flatten)]
    pub(crate) files: StateFiles,
    /// The directory of the configuration, where that is not the working directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) config: Option<String>,
    /// How many provider calls run at once.
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) parallelism: usize,
    /// Set a variable.
    #[arg(long = "var", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(crate) var: Vec<String>,
    /// Set variables from a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Vec<String>,
    /// Accepted; it is about a backend that Terrace does not have.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) ignore_remote_version: bool,
    /// Import all that this file names, in one run: a line for each, ADDRESS,ID or {"address": …, "id": …}; `-` for
    /// standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["address", "id"])]
    pub(crate) from: Option<String>,
    /// Only find out whether everything can be imported.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) dry_run: bool,
    /// Import the rest where some objects of a file cannot be imported.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) skip_failed: bool,
    /// Where the object is to be in the configuration.
    #[arg(value_name = "ADDRESS", required_unless_present = "from")]
    pub(crate) address: Option<String>,
    /// The id by which the provider finds the object.
    #[arg(value_name = "ID", required_unless_present = "from")]
    pub(crate) id: Option<String>,
}

/// Files of the state, in place of those that the backend `local` has.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StateFiles {
    /// Read the state from this file, and write it there.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<String>,
    /// Write the state to this file, and leave the one that is read as it is.
    #[arg(long, value_name = "FILE")]
    pub(crate) state_out: Option<String>,
    /// Keep what was there before in this file; `-` for nowhere.
    #[arg(long, value_name = "FILE")]
    pub(crate) backup: Option<String>,
}

impl StateFiles {
    /// Whether any is named.
    pub(crate) const fn are_named(&self) -> bool {
        self.state.is_some() || self.state_out.is_some() || self.backup.is_some()
    }
}

//! The command line of `terrace state` and of what else changes no more than the state.

use clap::{Args, Subcommand};

use super::{LockArgs, OutputStyle, StateFiles, Where};

/// Look at the state, and change it without changing objects.
#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// List the instances in the state.
    List {
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        files: StateFile,
        /// Only the object with this id.
        #[arg(long, value_name = "ID")]
        id: Option<String>,
        /// Only these: addresses, or patterns such as `module.a.*` and `aws_instance.web[*]`.
        #[arg(value_name = "ADDRESS")]
        addresses: Vec<String>,
    },
    /// Show one instance.
    Show {
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        files: StateFile,
        #[command(flatten)]
        style: OutputStyle,
        /// The instance.
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Call objects by other addresses, in this state or in another one.
    Mv(MvArgs),
    /// Forget objects without destroying them.
    Rm(RmArgs),
    /// Print the state file.
    Pull {
        #[command(flatten)]
        place: Where,
        /// Accepted; it is about a backend that Terrace does not have.
        #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
        ignore_remote_version: bool,
    },
    /// Replace the state by a file.
    Push(PushArgs),
    /// Say which provider manages what.
    ReplaceProvider(ReplaceProviderArgs),
    /// List the versions of the state that are kept.
    History {
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        style: OutputStyle,
    },
    /// Show what differs between two versions of the state.
    Diff {
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        style: OutputStyle,
        /// The serial of the earlier version.
        #[arg(value_name = "SERIAL")]
        from: u64,
        /// The serial of the later version; without it the state as it is.
        #[arg(value_name = "SERIAL")]
        to: Option<u64>,
    },
    /// Make an earlier version of the state the present one, with a new serial.
    Restore {
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        style: OutputStyle,
        #[command(flatten)]
        lock: LockArgs,
        /// Do not ask.
        #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
        auto_approve: bool,
        /// The serial of the version.
        #[arg(value_name = "SERIAL")]
        serial: u64,
    },
}

/// A state file that is read in place of the state.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StateFile {
    /// Read the state from this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<String>,
}

impl StateFile {
    /// The same as options of a command that writes.
    pub(crate) fn as_files(&self) -> StateFiles {
        StateFiles {
            state: self.state.clone(),
            ..StateFiles::default()
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct MvArgs {
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    #[command(flatten)]
    pub(crate) files: StateFiles,
    /// Keep what was in the other state file before in this file; `-` for nowhere.
    #[arg(long, value_name = "FILE")]
    pub(crate) backup_out: Option<String>,
    /// Only say what would be done.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) dry_run: bool,
    /// Move to the state of the stack in this directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) to_dir: Option<String>,
    /// Move to the state of this environment.
    #[arg(long, value_name = "NAME")]
    pub(crate) to_env: Option<String>,
    /// Move to the state of this workspace.
    #[arg(long, value_name = "NAME")]
    pub(crate) to_workspace: Option<String>,
    /// Whether to plan both sides without reading objects, and to refuse a move that would have them changed. Done by
    /// itself where objects go to another state, and both have a configuration.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) prove: Option<bool>,
    /// Move also where the plans would change objects.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) force: bool,
    /// Set a variable, for the plans of -prove.
    #[arg(long = "var", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(crate) var: Vec<String>,
    /// Set variables from a file, for the plans of -prove.
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Vec<String>,
    /// Accepted; it is about a backend that Terrace does not have.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) ignore_remote_version: bool,
    /// What it is called: an address, or a pattern such as `module.a.*` and `aws_instance.web[*]`.
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,
    /// What it is to be called; without it the same, in the other state.
    #[arg(value_name = "DESTINATION")]
    pub(crate) destination: Option<String>,
}

impl MvArgs {
    /// Whether objects go to another state.
    pub(crate) fn is_elsewhere(&self) -> bool {
        let other_file = self.files.state_out.is_some() && self.files.state_out != self.files.state;
        self.to_dir.is_some() || self.to_env.is_some() || self.to_workspace.is_some() || other_file
    }
}

#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    #[command(flatten)]
    pub(crate) files: StateFiles,
    /// Only say what would be done.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) dry_run: bool,
    /// Accepted; it is about a backend that Terrace does not have.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) ignore_remote_version: bool,
    /// What to forget: addresses, or patterns such as `module.a.*` and `aws_instance.web[*]`.
    #[arg(value_name = "ADDRESS", required = true)]
    pub(crate) addresses: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    /// Whatever its lineage and serial.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) force: bool,
    /// Accepted; it is about a backend that Terrace does not have.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) ignore_remote_version: bool,
    /// The file; `-` for standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
}

#[derive(Debug, Args)]
pub(crate) struct ReplaceProviderArgs {
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    #[command(flatten)]
    pub(crate) files: StateFiles,
    /// Do not ask.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) auto_approve: bool,
    /// Only say what would be done.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) dry_run: bool,
    /// Accepted; it is about a backend that Terrace does not have.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) ignore_remote_version: bool,
    /// The provider in the state; a part may be `*`.
    #[arg(value_name = "FROM")]
    pub(crate) from: String,
    /// The provider from now on; `*` stands for the same part of the one before.
    #[arg(value_name = "TO")]
    pub(crate) to: String,
    /// Only resources with these instances: addresses or patterns.
    #[arg(value_name = "ADDRESS")]
    pub(crate) addresses: Vec<String>,
}

/// Ask for the replacement of an object with the next apply, or take that back.
#[derive(Debug, Args)]
pub(crate) struct TaintArgs {
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    #[command(flatten)]
    pub(crate) files: StateFiles,
    /// Succeed when there is no such object.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) allow_missing: bool,
    /// Accepted; it is about a backend that Terrace does not have.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) ignore_remote_version: bool,
    /// The instance.
    #[arg(value_name = "ADDRESS")]
    pub(crate) address: String,
}

/// Bring what a command that was killed left behind into the state.
#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) files: StateFile,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    /// Only say what was done and what is uncertain.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) dry_run: bool,
    /// This object was created, and can be imported by this id.
    #[arg(long, value_name = "ADDRESS=ID")]
    pub(crate) created: Vec<String>,
    /// This object was not created.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) not_created: Vec<String>,
    /// Of an object that a move left unclear: it belongs to this side, `source` or `destination`.
    #[arg(long, value_name = "SIDE")]
    pub(crate) keep: Option<String>,
    /// The directory of the stack on the other side of a move, where it is not where it was.
    #[arg(long, value_name = "DIR")]
    pub(crate) other_dir: Option<String>,
    /// Set a variable.
    #[arg(long = "var", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(crate) var: Vec<String>,
    /// Set variables from a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Vec<String>,
}

//! Arguments of `policy`.

use clap::{Args, Subcommand};

use super::{OutputStyle, Where};

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Judge a plan, by the project file's policies where none are named: exit code 1 where one refuses it.
    Check(PolicyCheckArgs),
    /// Run the unit tests of policies: rules named `test_…`.
    Test(PolicyTestArgs),
    /// Evaluate a query over policies and a plan.
    Eval(PolicyEvalArgs),
    /// Write a starter pack of policies with their tests.
    New(PolicyNewArgs),
}

impl PolicyCommand {
    /// How it prints.
    pub(crate) const fn style(&self) -> Option<&OutputStyle> {
        match self {
            Self::Check(args) => Some(&args.style),
            Self::Test(args) => Some(&args.style),
            Self::Eval(_) | Self::New(_) => None,
        }
    }
}

/// Where policies are.
#[derive(Debug, Args)]
pub(crate) struct PolicyFiles {
    /// A file of rules, or a directory of them; `policies` where none is named.
    #[arg(long, value_name = "PATH")]
    pub(crate) policy: Vec<String>,
    /// A file of data in JSON or YAML, or a directory of them.
    #[arg(long, value_name = "PATH")]
    pub(crate) data: Vec<String>,
    /// Make a function that gets what it is not made for an error.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyCheckArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) files: PolicyFiles,
    /// Judge by the rules of this package alone; all packages where none is named.
    #[arg(long, value_name = "PACKAGE")]
    pub(crate) namespace: Vec<String>,
    /// A plan file, or what `show -json` printed of one.
    #[arg(value_name = "PLAN")]
    pub(crate) plan: String,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyTestArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    /// Only tests whose names hold this text.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) filter: String,
    /// Show what passed too, and what tests printed.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) verbose: bool,
    /// Files and directories of rules and data; `policies` where none is named.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyEvalArgs {
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) files: PolicyFiles,
    /// A plan file, or what `show -json` printed of one.
    #[arg(long, value_name = "PLAN")]
    pub(crate) plan: Option<String>,
    /// The query, such as `data.main.deny`.
    #[arg(value_name = "QUERY")]
    pub(crate) query: String,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyNewArgs {
    /// The directory to write to.
    #[arg(value_name = "DIR", default_value = "policies")]
    pub(crate) directory: String,
}

//! Arguments of `terrace ci` and `terrace init-ci`.

use clap::{Args, Subcommand};

use super::RequestArgs;

/// Which stacks of which environments.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CiTargets {
    /// Only these environments of the project file; may be repeated, or be a list with commas.
    #[arg(long, value_name = "NAME", env = "TERRACE_ENV", value_delimiter = ',')]
    pub(crate) env: Vec<String>,
    /// Only the stacks with this name or in this folder, `*` stands for anything; may be repeated, or be a list with commas.
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    pub(crate) stack: Vec<String>,
    /// Outside of pull requests: what has changed since this reference of git.
    #[arg(long, value_name = "REF")]
    pub(crate) base: Option<String>,
    /// Everything, whatever has changed.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) all: bool,
}

/// Where it is told.
#[derive(Clone, Debug, Args)]
pub(crate) struct CiOutput {
    /// The directory for plans, pages and reports.
    #[arg(long, value_name = "DIR", default_value = "terrace-ci")]
    pub(crate) dir: String,
    /// Write what the comment says to this file as well.
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<String>,
    /// Whether to tell the forge: comment, checks, deployments.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) post: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CiPlanArgs {
    #[command(flatten)]
    pub(crate) targets: CiTargets,
    #[command(flatten)]
    pub(crate) output: CiOutput,
    /// SSH key that signs the plans as their author's.
    #[arg(long, value_name = "FILE", env = "TERRACE_SSH_KEY")]
    pub(crate) key: Option<String>,
    /// How many provider calls run at once.
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) parallelism: usize,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CiReportArgs {
    #[command(flatten)]
    pub(crate) output: CiOutput,
}

#[derive(Clone, Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of it in a process")]
pub(crate) enum CiCommand {
    /// Plan the environments that a pull request touches, and tell what would change.
    Plan(CiPlanArgs),
    /// Tell what several jobs have planned: all reports in a directory.
    Report(CiReportArgs),
}

//! Arguments of `terrace bootstrap`.

use clap::{Args, Subcommand};

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum BootstrapCommand {
    /// On AWS: the bucket of states with key and lock, GitHub's trust, roles, repositories of images, roots of parameters.
    Aws(BootstrapAwsArgs),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct BootstrapAwsArgs {
    /// What the project is called; by default as the directory is.
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<String>,
    /// The region.
    #[arg(long, value_name = "REGION", env = "AWS_REGION")]
    pub(crate) region: Option<String>,
    /// The environments, in the order in which changes go through them.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', default_values = ["dev", "stg", "prd"])]
    pub(crate) environments: Vec<String>,
    /// The repository whose workflows may sign in, as OWNER/NAME.
    #[arg(long, value_name = "OWNER/NAME", env = "GITHUB_REPOSITORY")]
    pub(crate) github: Option<String>,
    /// Whether the account is to trust GitHub's tokens; false where it does already.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) github_provider: bool,
    /// Who may approve, as NAME=LOGIN (at GitHub) or NAME=SHA256:… (a key, as ssh-keygen -lf KEY.pub tells it); may be repeated.
    #[arg(long, value_name = "NAME=WHO")]
    pub(crate) approver: Vec<String>,
    /// Repositories of images that all environments pull from.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) repositories: Vec<String>,
    /// Where runs lock a state: beside it (object), or in a DynamoDB table (table).
    #[arg(long, value_name = "KIND", default_value = "object", value_parser = ["object", "table"])]
    pub(crate) lock: String,
    /// Show what would be made and written, and do nothing.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) dry_run: bool,
    /// Do not ask before something is made.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) auto_approve: bool,
    /// Print no colors.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_color: bool,
}

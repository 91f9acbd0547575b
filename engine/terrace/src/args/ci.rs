//! Arguments of `terrace ci` and `terrace init-ci`.

use clap::{Args, Subcommand, ValueEnum};

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

/// What a matrix has a job for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatrixBy {
    /// Each stack of each environment.
    Stack,
    /// Each environment.
    Environment,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CiMatrixArgs {
    #[command(flatten)]
    pub(crate) targets: CiTargets,
    /// What there is a job for.
    #[arg(long, value_enum, default_value = "stack")]
    pub(crate) by: MatrixBy,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CiReportArgs {
    #[command(flatten)]
    pub(crate) output: CiOutput,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CiApplyArgs {
    #[command(flatten)]
    pub(crate) targets: CiTargets,
    #[command(flatten)]
    pub(crate) output: CiOutput,
    /// Apply this run, whatever was reviewed: who starts the workflow with it has looked at it.
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// The pull request by which the commit came here, where the forge is not to be asked.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) pull_request: Option<u64>,
    /// Apply what nobody has reviewed as well: commits without a pull request, and plans that have moved since.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) unreviewed: bool,
    /// The branch from which alone is applied; left out, the repository's default branch.
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// How long to wait for the lock, such as `30s`: another apply may hold it.
    #[arg(long, value_name = "DURATION", default_value = "15m")]
    pub(crate) lock_timeout: String,
    /// SSH key that signs plans as their author's.
    #[arg(long, value_name = "FILE", env = "TERRACE_SSH_KEY")]
    pub(crate) key: Option<String>,
    /// How many provider calls run at once.
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) parallelism: usize,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
}

/// What drift is looked for with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DriftPlan {
    /// What has changed outside.
    RefreshOnly,
    /// What has changed outside, and what the configuration asks for and was not applied.
    Normal,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CiDriftArgs {
    /// Only these environments of the project file; may be repeated, or be a list with commas.
    #[arg(long, value_name = "NAME", env = "TERRACE_ENV", value_delimiter = ',')]
    pub(crate) env: Vec<String>,
    /// Only the stacks with this name or in this folder, `*` stands for anything; may be repeated, or be a list with commas.
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    pub(crate) stack: Vec<String>,
    /// What is looked for.
    #[arg(long, value_enum, default_value = "refresh-only")]
    pub(crate) plan: DriftPlan,
    /// Whether to keep issues.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) post: bool,
    /// How many provider calls run at once.
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) parallelism: usize,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum CiLoginCommand {
    /// AWS, by a role that trusts the workflow's identity.
    Aws {
        /// The role's ARN.
        #[arg(long, value_name = "ARN", env = "AWS_ROLE_ARN")]
        role: String,
        /// Whom the identity is for.
        #[arg(long, value_name = "NAME", default_value = "sts.amazonaws.com")]
        audience: String,
    },
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum CiCommand {
    /// Refuse to go on (exit code 5) where the workflow was started for what a stranger has written.
    Guard,
    /// Print which stacks of which environments are touched, as the matrix of a workflow's jobs.
    Matrix(CiMatrixArgs),
    /// Plan the environments that a pull request touches, and tell what would change.
    Plan(CiPlanArgs),
    /// Tell what several jobs have planned: all reports in a directory.
    Report(CiReportArgs),
    /// Apply what was merged to one environment, as it was reviewed.
    Apply(CiApplyArgs),
    /// Look whether environments still are what was applied, and keep an issue for each that is not.
    Drift(CiDriftArgs),
    /// Sign in to a cloud with the identity of the workflow, for this job's next steps.
    #[command(subcommand)]
    Login(CiLoginCommand),
}

/// Arguments of `terrace init-ci github`.
#[derive(Clone, Debug, Args)]
pub(crate) struct InitCiGithubArgs {
    /// The branch that is applied from; left out, the one that `origin` has as its default, or `main`.
    #[arg(long, value_name = "NAME")]
    pub(crate) branch: Option<String>,
    /// The action that the workflows use.
    #[arg(long, value_name = "OWNER/REPOSITORY/PATH@REF")]
    pub(crate) action: Option<String>,
    /// What files and workflows begin with: another for each project of a repository.
    #[arg(long, value_name = "NAME", default_value = "terrace")]
    pub(crate) prefix: String,
    /// Show what would be written, and write nothing.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) dry_run: bool,
    /// Write over files that somebody has changed.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) force: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum InitCiCommand {
    /// Workflows of GitHub Actions: plans of pull requests, applies of what was merged, a look for drift.
    Github(InitCiGithubArgs),
}

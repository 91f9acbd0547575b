//! Arguments of what a gate is asked and told: change requests, approvals, reviews, runs, the audit log.

use clap::{Args, Subcommand};

use super::{LockArgs, OutputStyle, Where};

/// What the author of a plan says of the change.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RequestArgs {
    /// The type of change: `normal`, `standard` or `emergency`.
    #[arg(long, value_name = "TYPE")]
    pub(crate) change: Option<String>,
    /// Why it is a change of that type.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// What the change is for.
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    /// Whom or what the change touches.
    #[arg(long, value_name = "TEXT")]
    pub(crate) impact: Option<String>,
    /// How the change is taken back.
    #[arg(long, value_name = "TEXT")]
    pub(crate) rollback: Option<String>,
    /// Another statement that runs must make; `@FILE` for a file's content.
    #[arg(long, value_name = "NAME=TEXT")]
    pub(crate) statement: Vec<String>,
}

/// Which stacks of the project.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct StacksArgs {
    /// Only the stacks with this name or in this folder, `*` stands for anything; may be repeated.
    #[arg(long, value_name = "GLOB")]
    pub(crate) stack: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    #[command(flatten)]
    pub(crate) place: Where,
    /// Your SSH key.
    #[arg(long, value_name = "FILE", env = "TERRACE_SSH_KEY")]
    pub(crate) key: Option<String>,
    /// How long the approval holds, such as `24h`.
    #[arg(long, value_name = "DURATION", default_value = "72h")]
    pub(crate) expires: String,
    /// What you want to say.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) comment: String,
    /// Take your approval back.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) revoke: bool,
    /// Let reviews of this pull request at GitHub count, in place of a signature.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) pull_request: Option<u64>,
    /// Let approvals of this workflow run's deployment at GitHub count, in place of a signature.
    #[arg(long, value_name = "ID")]
    pub(crate) workflow_run: Option<u64>,
    /// The run (the beginning of its id is enough).
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    #[command(flatten)]
    pub(crate) place: Where,
    /// Your SSH key.
    #[arg(long, value_name = "FILE", env = "TERRACE_SSH_KEY")]
    pub(crate) key: Option<String>,
    /// What you found.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) comment: String,
    /// The run (the beginning of its id is enough).
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
}

#[derive(Debug, Args)]
pub(crate) struct PromoteArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    /// SSH key that signs the plan as its author's.
    #[arg(long, value_name = "FILE", env = "TERRACE_SSH_KEY")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// The environment that has applied the configuration.
    #[arg(value_name = "FROM")]
    pub(crate) from: String,
    /// The environment that is to have it.
    #[arg(value_name = "TO")]
    pub(crate) to: String,
}

#[derive(Debug, Args)]
pub(crate) struct DriftArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    /// The environment of the project file, or `all` of them.
    #[arg(long, value_name = "NAME", env = "TERRACE_ENV")]
    pub(crate) env: Option<String>,
    #[command(flatten)]
    pub(crate) stacks: StacksArgs,
    /// How many provider calls run at once.
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) parallelism: usize,
    /// Set a variable.
    #[arg(long = "var", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(crate) var: Vec<String>,
    /// Set variables from a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GateCommand {
    /// What the gate asks of a run, and what is missing.
    Explain {
        #[command(flatten)]
        style: OutputStyle,
        #[command(flatten)]
        place: Where,
        /// The run.
        #[arg(value_name = "RUN")]
        run: String,
    },
}

/// Which runs are listed.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RunsFilter {
    /// Only runs with this status.
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<String>,
    /// Only runs that change this, `*` stands for anything.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) resource: Option<String>,
    /// Only runs with a change of this kind: create, update, delete, replace, import or forget.
    #[arg(long, value_name = "ACTION")]
    pub(crate) action: Option<String>,
    /// Only runs by this person.
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
    /// Only runs of this commit.
    #[arg(long, value_name = "COMMIT")]
    pub(crate) commit: Option<String>,
    /// Only runs of this type of change.
    #[arg(long, value_name = "TYPE")]
    pub(crate) change: Option<String>,
    /// Only runs made since then: a time, a date, or a length of time such as `24h`.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(subcommand)]
    pub(crate) command: Option<RunsCommand>,
    #[command(flatten)]
    pub(crate) filter: RunsFilter,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List the approvals of a run, and write them out for `ssh-keygen -Y verify`.
    Approvals {
        /// The run.
        #[arg(value_name = "RUN")]
        run: String,
        /// Write each approval's signed bytes and signature, and the signers' keys, to this directory.
        #[arg(long, value_name = "DIR")]
        dir: Option<String>,
        #[command(flatten)]
        place: Where,
    },
    /// Show one run and its plan.
    Show {
        /// The run.
        #[arg(value_name = "RUN")]
        run: String,
        #[command(flatten)]
        style: OutputStyle,
        #[command(flatten)]
        place: Where,
    },
    /// Write a run with all that proves it to one file.
    Export {
        /// The run.
        #[arg(value_name = "RUN")]
        run: String,
        /// The file.
        #[arg(value_name = "FILE")]
        file: String,
        /// SSH key that signs the file as its exporter's.
        #[arg(long, value_name = "FILE", env = "TERRACE_SSH_KEY")]
        key: Option<String>,
        #[command(flatten)]
        place: Where,
    },
    /// Prove one run from what is stored of it, or from its exported file: digests, signatures, the audit log. Asks nobody.
    Verify {
        /// The run, or the file of one.
        #[arg(value_name = "RUN")]
        run: String,
        /// For a file: the project file whose people count.
        #[arg(long, value_name = "FILE")]
        project: Option<String>,
        /// For a file: a list of allowed signers, as `ssh-keygen -Y verify` takes it.
        #[arg(long, value_name = "FILE", conflicts_with = "project")]
        signers: Option<String>,
        #[command(flatten)]
        style: OutputStyle,
        #[command(flatten)]
        place: Where,
    },
    /// Forget old runs that nothing needs any more; the audit log tells which. The project file's `retention` says how
    /// long runs are kept, unless these options do.
    Prune {
        /// Keep so many of the newest.
        #[arg(long, value_name = "N")]
        keep: Option<u32>,
        /// Keep those that are younger, such as `9600h` or `400d`.
        #[arg(long, value_name = "DURATION")]
        older_than: Option<String>,
        /// Only say what would be forgotten.
        #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
        dry_run: bool,
        #[command(flatten)]
        style: OutputStyle,
        #[command(flatten)]
        place: Where,
    },
    /// How long approvals took, which reviews are owed, what was overridden.
    Report {
        /// Only since then: a time, a date, or a length of time such as `720h`.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        #[command(flatten)]
        style: OutputStyle,
        #[command(flatten)]
        place: Where,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check the chain.
    Verify {
        #[command(flatten)]
        style: OutputStyle,
        #[command(flatten)]
        place: Where,
    },
    /// Print the entries.
    List {
        #[command(flatten)]
        style: OutputStyle,
        #[command(flatten)]
        place: Where,
    },
    /// Write the entries as JSON, one a line, for other systems.
    Export {
        #[command(flatten)]
        place: Where,
        /// Only since then: a time, a date, or a length of time such as `24h`.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Where to; without it, to standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<String>,
    },
}

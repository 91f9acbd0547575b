//! Arguments of the commands that look at a configuration: `console` and `graph`.

use clap::{Args, ValueEnum};

use super::Where;

#[derive(Debug, Args)]
pub(crate) struct ConsoleArgs {
    #[command(flatten)]
    pub(crate) place: Where,
    /// Print without colours.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_color: bool,
    /// Make a plan first, and evaluate against what it would lead to.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) plan: bool,
    /// Evaluate against this state file.
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    pub(crate) state: Option<String>,
    /// Set a variable.
    #[arg(long = "var", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(crate) var: Vec<String>,
    /// Set variables from a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// Everything that the operation `plan`, `plan-refresh-only`, `plan-destroy` or `apply` goes through, not only
    /// resources.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) operation: Option<String>,
    /// What this saved plan does, and in which order.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<String>,
    /// Mark the edges of cycles.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) draw_cycles: bool,
    /// The language of the drawing.
    #[arg(long, value_enum, default_value_t = GraphFormat::Dot)]
    pub(crate) format: GraphFormat,
    /// Accepted, without a meaning.
    #[arg(long, hide = true, allow_hyphen_values = true)]
    pub(crate) module_depth: Option<i64>,
    /// Accepted, without a meaning.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) verbose: Option<bool>,
    /// Print without colours.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_color: bool,
}

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// For Graphviz.
    Dot,
    /// For Markdown and the web.
    Mermaid,
}

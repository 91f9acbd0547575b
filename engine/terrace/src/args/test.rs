//! Arguments of `test`.

use clap::Args;

use super::OutputStyle;

#[derive(Clone, Debug, Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    /// Carry out only this test file; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub(crate) filter: Vec<String>,
    /// The folder of test files.
    #[arg(long, value_name = "DIR", default_value = crate::test_modules::DIRECTORY)]
    pub(crate) test_directory: String,
    /// Show the plan or the state of each run.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) verbose: bool,
    /// Write a report as XML, for servers that show results of tests, to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit_xml: Option<String>,
    /// Say which variables, outputs, resources and branches of conditionals no run exercised.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) coverage: bool,
    /// Carry out the tests again whenever a file of the module or its tests changes.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) watch: bool,
    /// How many calls of providers run at once.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) parallelism: usize,
    /// Set a root variable.
    #[arg(long = "var", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(crate) var: Vec<String>,
    /// Set root variables from a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Vec<String>,
}

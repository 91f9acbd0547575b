//! The command line. `-flag` and `--flag` are the same; they are made equal before clap sees them.

mod bootstrap;
mod ci;
mod gate;
mod import;
mod module;
mod page;
mod policy;
mod providers;
mod publish;
mod registry;
mod state;
mod test;
mod tools;

use clap::{Args, Parser, Subcommand};

pub(crate) use bootstrap::{BootstrapAwsArgs, BootstrapCommand};
pub(crate) use ci::{
    CiApplyArgs, CiCommand, CiDriftArgs, CiLoginCommand, CiMatrixArgs, CiOutput, CiPlanArgs,
    CiReportArgs, CiTargets, DriftPlan, InitCiCommand, InitCiGithubArgs, MatrixBy,
};
pub(crate) use gate::{
    ApproveArgs, AuditCommand, DriftArgs, GateCommand, PromoteArgs, RequestArgs, ReviewArgs,
    RunsArgs, RunsCommand, RunsFilter, StacksArgs,
};
pub(crate) use import::{ImportArgs, StateFiles};
pub(crate) use module::{
    ModuleCheck, ModuleCheckArgs, ModuleCommand, ModuleDepsArgs, ModuleDocsArgs, ModuleNewArgs,
    ModuleUpgradeArgs,
};
pub(crate) use page::ViewArgs;
pub(crate) use policy::{
    PolicyCheckArgs, PolicyCommand, PolicyEvalArgs, PolicyFiles, PolicyNewArgs, PolicyTestArgs,
};
pub(crate) use providers::{
    LoginArgs, LogoutArgs, ProvidersArgs, ProvidersCommand, ProvidersLockArgs, ProvidersMirrorArgs,
    ProvidersSchemaArgs,
};
pub(crate) use publish::{ModuleDeprecateArgs, ModulePublishArgs, PublishedVersionArgs};
pub(crate) use registry::{RegistryCommand, RegistryServeArgs, RegistryTokenArgs};
pub(crate) use state::{
    MvArgs, PushArgs, RecoverArgs, ReplaceProviderArgs, RmArgs, StateCommand, TaintArgs,
};
pub(crate) use test::TestArgs;
pub(crate) use tools::{ConsoleArgs, GraphArgs, GraphFormat};

/// Infrastructure as code with environments, gates and a journal that loses nothing.
#[derive(Debug, Parser)]
#[command(
    name = "terrace",
    bin_name = "terrace",
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// Switch to this directory first.
    #[arg(long, value_name = "DIR", global = false)]
    pub(crate) chdir: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prepare a working directory: modules, providers, lock file, state store.
    Init(InitArgs),
    /// Install the modules that the configuration calls.
    Get(GetArgs),
    /// List the modules that the configuration calls.
    Modules(ModulesArgs),
    /// For authors of modules: check, document, begin, upgrade and publish them.
    #[command(subcommand)]
    Module(ModuleCommand),
    /// A registry of modules and providers.
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// Packages of the providers that the configuration needs.
    Providers(ProvidersArgs),
    /// Get a token of a host and keep it.
    Login(LoginArgs),
    /// Forget the token of a host.
    Logout(LogoutArgs),
    /// Check the configuration without looking at state or real objects.
    Validate(ValidateArgs),
    /// Carry out the tests of the module.
    Test(TestArgs),
    /// Show what would change.
    Plan(PlanArgs),
    /// Make the changes of a plan.
    Apply(ApplyArgs),
    /// Destroy all objects: `apply -destroy`.
    Destroy(ApplyArgs),
    /// Take over into the state what has changed outside: `apply -refresh-only -auto-approve`.
    Refresh(ApplyArgs),
    /// Show a state or a saved plan.
    Show(ShowArgs),
    /// Show root outputs.
    Output(OutputArgs),
    /// Rewrite configuration files in the usual form.
    Fmt(FmtArgs),
    /// Take over an object that exists already into the state.
    Import(ImportArgs),
    /// Look at the state, and change it without changing objects.
    #[command(subcommand)]
    State(StateCommand),
    /// List, choose, create and delete workspaces.
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Ask for the replacement of an object with the next apply.
    Taint(TaintArgs),
    /// Take that back.
    Untaint(TaintArgs),
    /// Release a lock whose holder is gone.
    ForceUnlock(ForceUnlockArgs),
    /// Approve a plan with your SSH key.
    Approve(ApproveArgs),
    /// Review an emergency after the fact, with your SSH key.
    Review(ReviewArgs),
    /// Plan an environment with the configuration that another has applied.
    Promote(PromoteArgs),
    /// Look whether environments still are what was applied there.
    Drift(DriftArgs),
    /// What a gate asks for, and what is missing.
    #[command(subcommand)]
    Gate(GateCommand),
    /// Policies in Rego: judge plans, test the policies, start with a pack of them.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// The history of plans and applies.
    Runs(RunsArgs),
    /// A run or a plan file as a page for reviewers: served on this machine, or written to a file.
    View(ViewArgs),
    /// The audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// From an empty account to environments: make what states and workflows rest on, and write the project.
    #[command(subcommand)]
    Bootstrap(BootstrapCommand),
    /// In workflows: plan what a pull request touches and tell it there, apply what was merged.
    #[command(subcommand)]
    Ci(CiCommand),
    /// Write the workflows that plan, apply and look for drift, from the project file.
    #[command(subcommand)]
    InitCi(InitCiCommand),
    /// Bring what a command that was killed left behind into the state.
    Recover(RecoverArgs),
    /// Evaluate expressions, one after the other.
    Console(ConsoleArgs),
    /// Draw what depends on what.
    Graph(GraphArgs),
    /// Describe the language for other tools.
    #[command(subcommand)]
    Metadata(MetadataCommand),
    /// Show the version.
    Version(VersionArgs),
}

/// A flag that may be given as `-x`, `-x=true` or `-x=false`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct OutputStyle {
    /// Print JSON, one object a line.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) json: bool,
    /// Print without colours.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_color: bool,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Where {
    /// The environment of the project file.
    #[arg(long, value_name = "NAME", env = "TERRACE_ENV")]
    pub(crate) env: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct LockArgs {
    /// Whether to take the lock.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) lock: Option<bool>,
    /// How long to wait for the lock, such as `30s`.
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    pub(crate) lock_timeout: String,
    /// Whether questions may be asked.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) input: bool,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PlanOptions {
    /// Plan the destruction of everything.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) destroy: bool,
    /// Only take over what has changed outside.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) refresh_only: bool,
    /// Whether to read existing objects first.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) refresh: bool,
    /// Replace this object.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) replace: Vec<String>,
    /// Only this, and what it depends on.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) target: Vec<String>,
    /// Set a variable.
    #[arg(long = "var", value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(crate) var: Vec<String>,
    /// Set variables from a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Vec<String>,
    /// How many provider calls run at once.
    #[arg(long, value_name = "N", default_value = "10")]
    pub(crate) parallelism: usize,
    /// Print warnings in short form.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) compact_warnings: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) stacks: StacksArgs,
    /// An argument of the backend, or a file of them.
    #[arg(long, value_name = "KEY=VALUE|FILE")]
    pub(crate) backend_config: Vec<String>,
    /// Whether to set up the backend.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) backend: bool,
    /// Choose the newest versions that the constraints allow, whatever the lock file says.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) upgrade: bool,
    /// `readonly`: fail rather than change the lock file.
    #[arg(long, value_name = "MODE")]
    pub(crate) lockfile: Option<String>,
    /// Take providers from this directory, and not from where the CLI configuration says; may be repeated.
    #[arg(long, value_name = "DIR")]
    pub(crate) plugin_dir: Vec<String>,
    /// Whether to install modules.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) get: bool,
    /// The folder of test files, whose modules and providers are installed too.
    #[arg(long, value_name = "DIR", default_value = crate::test_modules::DIRECTORY)]
    pub(crate) test_directory: String,
    /// Copy this module into the working directory first, which must be empty.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) from_module: Option<String>,
    /// Whether questions may be asked.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) input: bool,
    /// Forget the backend's earlier settings.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) reconfigure: bool,
    /// Copy states to the backend that the configuration names now.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) migrate_state: bool,
    /// Answer all questions of copying states with yes.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) force_copy: bool,
    /// How long to wait for the locks of states that are copied, such as `30s`.
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    pub(crate) lock_timeout: String,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// Fetch and select everything anew, whatever is installed and locked.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) update: bool,
    /// The folder of test files, whose modules are installed too.
    #[arg(long, value_name = "DIR", default_value = crate::test_modules::DIRECTORY)]
    pub(crate) test_directory: String,
    /// Print without colours.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_color: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ModulesArgs {
    /// Print JSON.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) json: bool,
    /// Print without colours.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_color: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    /// Do not check test files.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_tests: bool,
    /// The folder of test files.
    #[arg(long, value_name = "DIR", default_value = "tests")]
    pub(crate) test_directory: String,
    /// Accepted; a configuration is checked without values.
    #[arg(
        long = "var",
        hide = true,
        value_name = "NAME=VALUE",
        allow_hyphen_values = true
    )]
    pub(crate) var: Vec<String>,
    /// Accepted; a configuration is checked without values.
    #[arg(long, hide = true, value_name = "FILE")]
    pub(crate) var_file: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) stacks: StacksArgs,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    #[command(flatten)]
    pub(crate) options: PlanOptions,
    /// Save the plan to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<String>,
    /// Write configuration for imports that have none to this file, which must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub(crate) generate_config_out: Option<String>,
    /// Exit with 2 when there are changes.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) detailed_exitcode: bool,
    /// SSH key that signs the plan as its author's.
    #[arg(long, value_name = "FILE", env = "TERRACE_SSH_KEY")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) stacks: StacksArgs,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    #[command(flatten)]
    pub(crate) options: PlanOptions,
    /// Do not ask.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) auto_approve: bool,
    /// SSH key that signs the plan as its author's.
    #[arg(long, value_name = "FILE", env = "TERRACE_SSH_KEY")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// A saved plan, or the id of a run.
    #[arg(value_name = "PLAN")]
    pub(crate) plan: Option<String>,
    /// Whether the command was `destroy`.
    #[arg(skip)]
    pub(crate) destroys: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    #[command(flatten)]
    pub(crate) place: Where,
    /// A saved plan or a state file; without it the present state.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    #[command(flatten)]
    pub(crate) place: Where,
    /// Print a string as it is.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) raw: bool,
    /// The output.
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct FmtArgs {
    /// Exit with 3 when a file is not in the usual form, and change nothing.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) check: bool,
    /// Show what differs.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) diff: bool,
    /// Whether to change files.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) write: bool,
    /// Whether to list files that differ.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) list: bool,
    /// Folders within folders too.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) recursive: bool,
    /// Print without colours.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_color: bool,
    /// Files or folders; `-` for standard input.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkspaceCommand {
    /// List them; the chosen one has a star.
    List,
    /// Show the chosen one.
    Show,
    /// Create one and choose it.
    New {
        /// Its name.
        name: String,
    },
    /// Choose one.
    Select {
        /// Create it when it is not there.
        #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
        or_create: bool,
        /// Its name.
        name: String,
    },
    /// Delete one that is empty.
    Delete {
        /// Also when objects are still managed in it, which are forgotten then.
        #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
        force: bool,
        /// Its name.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ForceUnlockArgs {
    #[command(flatten)]
    pub(crate) place: Where,
    /// Do not ask.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) force: bool,
    /// The lock's id.
    #[arg(value_name = "LOCK_ID")]
    pub(crate) id: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MetadataCommand {
    /// The signatures of all functions.
    Functions(MetadataFunctionsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct MetadataFunctionsArgs {
    /// Print JSON, which is the only form there is.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// Print JSON.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) json: bool,
}

/// Makes `-flag` and `--flag` equal: one dash before a word becomes two. What follows `--` is left alone.
pub(crate) fn normalise(args: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut rest = false;
    let mut out = Vec::new();
    let mut value_follows = false;
    let mut before_command = true;
    for (index, arg) in args.into_iter().enumerate() {
        rest |= arg == "--";
        // As the reference has it, and tools ask for it: the command `version`.
        let is_version = matches!(arg.as_str(), "-v" | "-version" | "--version");
        if index > 0 && before_command && is_version {
            before_command = false;
            out.push("version".into());
            continue;
        }
        before_command &= index == 0 || arg.starts_with('-');
        let word = arg
            .strip_prefix('-')
            .filter(|word| word.len() > 1 && !word.starts_with('-'));
        match word {
            Some(word) if index > 0 && !rest && !value_follows => {
                value_follows = TAKES_VALUE.contains(&word);
                out.push(format!("--{word}"));
            }
            _ => {
                value_follows = !rest
                    && arg
                        .strip_prefix("--")
                        .is_some_and(|word| TAKES_VALUE.contains(&word));
                out.push(arg);
            }
        }
    }
    out
}

/// Adds the arguments of `TF_CLI_ARGS` and `TF_CLI_ARGS_command` behind the command's name.
pub(crate) fn with_environment(
    args: Vec<String>,
    environment: &crate::outside::Environment,
) -> Vec<String> {
    let Some(place) = args
        .iter()
        .skip(1)
        .position(|arg| !arg.starts_with('-'))
        .map(|place| place + 1)
    else {
        return args;
    };
    let specific = format!("TF_CLI_ARGS_{}", args[place]);
    let mut extra = Vec::new();
    for name in [specific.as_str(), "TF_CLI_ARGS"] {
        let words = environment.get(name).map(split_words).unwrap_or_default();
        extra.splice(0..0, words);
    }
    let mut out = args;
    let mut normalised = normalise(std::iter::once(String::new()).chain(extra));
    normalised.remove(0);
    let after = out.split_off(place + 1);
    out.extend(normalised);
    out.extend(after);
    out
}

/// Splits at blanks, with quotes as a shell has them.
fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Flags whose value may begin with a dash.
const TAKES_VALUE: [&str; 1] = ["var"];

/// `-var` and `-var-file` in the order in which they were given, which decides who wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VariableArgument {
    /// `NAME=VALUE`
    Assignment(String),
    /// A file.
    File(String),
}

/// The variables' arguments of a normalised command line, in order.
pub(crate) fn variable_arguments(args: &[String]) -> Vec<VariableArgument> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        at += 1;
        if arg == "--" {
            break;
        }
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (arg.as_str(), None),
        };
        let make: fn(String) -> VariableArgument = match name {
            "--var" => VariableArgument::Assignment,
            "--var-file" => VariableArgument::File,
            _ => continue,
        };
        let value = value.or_else(|| {
            at += 1;
            args.get(at - 1).cloned()
        });
        found.extend(value.map(make));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        normalise(line.split(' ').map(str::to_owned))
    }

    #[test]
    fn one_dash_is_two() {
        assert_eq!(
            words("terrace plan -no-color -var a=-b --json -"),
            words("terrace plan --no-color --var a=-b --json -")
        );
        assert_eq!(
            words("terrace plan -var -x"),
            ["terrace", "plan", "--var", "-x"]
        );
    }

    #[test]
    fn asking_for_the_version_before_any_command_is_a_command() {
        for line in ["terrace -v", "terrace -version", "terrace --version"] {
            assert_eq!(words(line), ["terrace", "version"]);
        }
        assert_eq!(
            words("terrace -chdir=x -version -json"),
            ["terrace", "--chdir=x", "version", "--json"]
        );
        assert_eq!(
            words("terrace plan -version"),
            ["terrace", "plan", "--version"]
        );
    }

    #[test]
    fn words_of_the_environment_are_split_like_a_shell_does() {
        assert_eq!(
            split_words("-var 'a=b c' -no-color"),
            ["-var", "a=b c", "-no-color"]
        );
    }

    #[test]
    fn variables_keep_their_order() {
        let args = words("terrace plan -var a=1 -var-file=x.tfvars -var=b=2");
        assert_eq!(
            variable_arguments(&args),
            [
                VariableArgument::Assignment("a=1".into()),
                VariableArgument::File("x.tfvars".into()),
                VariableArgument::Assignment("b=2".into())
            ]
        );
    }

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}

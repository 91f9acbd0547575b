//! Arguments of `module`.

use clap::{Args, Subcommand, ValueEnum};

use super::{ModuleDeprecateArgs, ModulePublishArgs, OutputStyle, PublishedVersionArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum ModuleCommand {
    /// Check whether the module in the working directory can be published, and what its next version must be.
    Check(ModuleCheckArgs),
    /// Write the documentation of the module into its README.
    Docs(ModuleDocsArgs),
    /// Begin a module: with tests, an example and a workflow.
    New(ModuleNewArgs),
    /// List the modules that the configurations of a directory call, with the versions that there are.
    Deps(ModuleDepsArgs),
    /// Raise the versions of called modules in the configurations of a directory, and name the lines that this breaks.
    Upgrade(ModuleUpgradeArgs),
    /// Pack a module, sign it and publish it under a version that there is not yet.
    Publish(ModulePublishArgs),
    /// Take a version back: nobody who has not locked it gets it from then on.
    Yank(PublishedVersionArgs),
    /// Say that a version is not to be used any more.
    Deprecate(ModuleDeprecateArgs),
}

impl ModuleCommand {
    /// How it prints.
    pub(crate) const fn style(&self) -> &OutputStyle {
        match self {
            Self::Check(args) => &args.style,
            Self::Docs(args) => &args.style,
            Self::New(args) => &args.style,
            Self::Deps(args) => &args.style,
            Self::Upgrade(args) => &args.style,
            Self::Publish(args) => &args.style,
            Self::Yank(args) => &args.style,
            Self::Deprecate(args) => &args.version.style,
        }
    }
}

/// One of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModuleCheck {
    /// All files are in the usual form.
    Formatted,
    /// The configuration is valid.
    Valid,
    /// Descriptions, version constraints, no provider configurations.
    Guidelines,
    /// The README is there, and what is generated in it is current.
    Documented,
    /// The tests pass.
    Tests,
    /// The examples can be planned.
    Examples,
    /// What changed since the last version.
    Changes,
}

#[derive(Debug, Args)]
pub(crate) struct ModuleCheckArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    /// Compare with this: a directory, a reference of git, or a module of a registry, such as example/network/aws or
    /// example/network/aws@1.2.0. The newest version tag of git where nothing is named.
    #[arg(long, value_name = "WHAT")]
    pub(crate) against: Option<String>,
    /// The version that is to be released: breaking changes pass where it is high enough.
    #[arg(long, value_name = "VERSION")]
    pub(crate) release: Option<String>,
    /// Leave this check out; may be given several times.
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) skip: Vec<ModuleCheck>,
    /// Do only this check; may be given several times.
    #[arg(
        long,
        value_name = "CHECK",
        value_delimiter = ',',
        conflicts_with = "skip"
    )]
    pub(crate) only: Vec<ModuleCheck>,
}

#[derive(Debug, Args)]
pub(crate) struct ModuleDocsArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    /// Write nothing, and exit with 3 where the README is stale.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) check: bool,
    /// The file to write into.
    #[arg(long, value_name = "FILE", default_value = "README.md")]
    pub(crate) file: String,
    /// Print the documentation instead of writing it.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) print: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ModuleNewArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    /// Under which namespace of a registry it is to be published.
    #[arg(long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// The provider that it is mostly for.
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,
    /// The directory to write to; one of the module's name where none is named.
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: Option<String>,
    /// The name of the module, such as `static-site`.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct ModuleDepsArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    /// Ask registries and repositories which versions there are.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) versions: bool,
    /// Only those that ask for less than the newest version.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) outdated: bool,
    /// The directory, with all below it.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: String,
}

#[derive(Debug, Args)]
pub(crate) struct ModuleUpgradeArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    /// Only the module of this source, such as `example/network/aws`; may be given several times.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) module: Vec<String>,
    /// To this version; the newest where none is named. Needs one `-module`.
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<String>,
    /// Show what would be written, and write nothing.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) dry_run: bool,
    /// Plan each directory that changes, before and after: what the upgrade would change. Takes credentials.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) plan: bool,
    /// The directory, with all below it.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: String,
}

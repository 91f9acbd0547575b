//! Arguments of what has to do with providers and registries: `providers`, `login` and `logout`.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct ProvidersArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ProvidersCommand>,
}

impl ProvidersArgs {
    /// Whether to print without colours.
    pub(crate) fn no_color(&self) -> bool {
        match &self.command {
            None | Some(ProvidersCommand::Schema(_)) => false,
            Some(ProvidersCommand::Lock(args)) => args.no_color,
            Some(ProvidersCommand::Mirror(args)) => args.no_color,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProvidersCommand {
    /// Write checksums of providers' packages for several platforms into the lock file.
    Lock(ProvidersLockArgs),
    /// Copy the packages of the required providers into a directory that serves as a mirror.
    Mirror(ProvidersMirrorArgs),
    /// Print the schemas of the required providers.
    Schema(ProvidersSchemaArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ProvidersSchemaArgs {
    /// Print JSON, which is the only form.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ProvidersLockArgs {
    /// Take packages from this mirror in the file system, and not from where the CLI configuration says.
    #[arg(long, value_name = "DIR", conflicts_with = "net_mirror")]
    pub(crate) fs_mirror: Option<String>,
    /// Take packages from this network mirror, and not from where the CLI configuration says.
    #[arg(long, value_name = "URL")]
    pub(crate) net_mirror: Option<String>,
    /// Take packages from this repository of an OCI registry, in which ${namespace} and ${type} stand for the
    /// provider's.
    #[arg(long, value_name = "TEMPLATE", conflicts_with_all = ["fs_mirror", "net_mirror"])]
    pub(crate) oci_mirror: Option<String>,
    /// A platform to have checksums for, such as `linux_amd64`; this one unless some are named.
    #[arg(long, value_name = "OS_ARCH")]
    pub(crate) platform: Vec<String>,
    /// Take packages from the cache that the CLI configuration names, where they are there.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) enable_plugin_cache: bool,
    /// Print without colours.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_color: bool,
    /// Only these providers.
    #[arg(value_name = "PROVIDER")]
    pub(crate) providers: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ProvidersMirrorArgs {
    /// A platform to have packages for, such as `linux_amd64`; this one unless some are named.
    #[arg(long, value_name = "OS_ARCH")]
    pub(crate) platform: Vec<String>,
    /// Whether the lock file decides which versions.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) lock_file: bool,
    /// Print without colours.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_color: bool,
    /// The mirror's directory.
    #[arg(value_name = "DIR")]
    pub(crate) directory: String,
}

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// The host to log in to.
    #[arg(value_name = "HOSTNAME", default_value = "app.terraform.io")]
    pub(crate) host: String,
    /// Whether questions may be asked.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) input: bool,
    /// Print without colours.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_color: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LogoutArgs {
    /// The host to log out of.
    #[arg(value_name = "HOSTNAME", default_value = "app.terraform.io")]
    pub(crate) host: String,
    /// Print without colours.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) no_color: bool,
}

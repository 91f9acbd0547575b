//! Arguments of the commands that change what is published.

use clap::Args;

use super::OutputStyle;

#[derive(Debug, Args)]
pub(crate) struct ModulePublishArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    /// Where to: a registry's host, a folder (`./DIR`), `s3://BUCKET/PREFIX?region=REGION` or `oci://HOST/REPOSITORY`.
    #[arg(long, value_name = "PLACE")]
    pub(crate) to: String,
    /// The version to publish.
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: String,
    /// The SSH key to sign with: its file, its fingerprint, or `agent`.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Where the folder or bucket is served within its site, for the discovery document.
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub(crate) site_path: String,
    /// Let what another publication of this version began, and never finished, give way.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) take_over: bool,
    /// Publish although files differ from the commit.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) allow_uncommitted: bool,
    /// The module's name: `NAMESPACE/NAME/SYSTEM`.
    #[arg(value_name = "MODULE")]
    pub(crate) module: String,
    /// Its directory.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(crate) directory: String,
}

/// A published version, and why something is said of it.
#[derive(Debug, Args)]
pub(crate) struct PublishedVersionArgs {
    #[command(flatten)]
    pub(crate) style: OutputStyle,
    /// Where it was published: a registry's host, a folder or a bucket.
    #[arg(long, value_name = "PLACE")]
    pub(crate) at: String,
    /// Why, in a sentence that users are shown.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) reason: String,
    /// Take back what was said instead.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) undo: bool,
    /// The module's name: `NAMESPACE/NAME/SYSTEM`.
    #[arg(value_name = "MODULE")]
    pub(crate) module: String,
    /// The version.
    #[arg(value_name = "VERSION")]
    pub(crate) version: String,
}

#[derive(Debug, Args)]
pub(crate) struct ModuleDeprecateArgs {
    #[command(flatten)]
    pub(crate) version: PublishedVersionArgs,
    /// Where more is said.
    #[arg(long, value_name = "URL")]
    pub(crate) link: Option<String>,
}

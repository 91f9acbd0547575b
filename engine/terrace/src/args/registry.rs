//! Arguments of `registry`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// Serve a registry until Ctrl-C.
    Serve(RegistryServeArgs),
    /// Give out a token of a registry, straight in its store: the first one, as a rule.
    Token(RegistryTokenArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RegistryServeArgs {
    /// Where modules, providers and tokens lie: a folder, `s3://BUCKET/PREFIX?region=REGION` or `postgres://…`.
    #[arg(long, value_name = "PLACE", default_value = "./registry")]
    pub(crate) store: String,
    /// The address to listen on. TLS is what a proxy before it does.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Let everybody read, without a token.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) public: bool,
    /// Take modules only if a key signed them that this list of allowed signers names.
    #[arg(long, value_name = "FILE")]
    pub(crate) signers: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RegistryTokenArgs {
    /// Where the registry's tokens lie.
    #[arg(long, value_name = "PLACE", default_value = "./registry")]
    pub(crate) store: String,
    /// What it may do: read, publish or admin.
    #[arg(long, value_name = "ROLE", default_value = "admin")]
    pub(crate) role: String,
    /// A namespace in which it publishes; all where none is named.
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) namespace: Vec<String>,
    /// The token's name.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

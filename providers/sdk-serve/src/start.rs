//! The `main` of a plugin.
#![allow(
    clippy::disallowed_methods,
    clippy::exit,
    clippy::print_stderr,
    reason = "a process of its own reads its environment, says what went wrong, and ends as a crash does"
)]

use std::process::ExitCode;
use std::sync::Arc;

use terrace_port::Provider;
use terrace_schema::{AttributeType, Block, ProviderSchema, ResourceSchema};

use crate::{Environment, serve};

/// What a host says so that the plugin knows that it was started by one.
const MAGIC_COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
/// How a crash shows from outside.
const CRASH_CODE: i32 = 2;

/// Serves a provider until the engine that started this process wants it to end: the whole `main` of a plugin.
///
/// It speaks the greatest protocol version that both sides know. Started by a person, it says what it is and fails.
pub fn run(provider: impl Provider + 'static) -> ExitCode {
    start(Arc::new(provider), None)
}

/// Like [`run`], with the protocol version given: 5 or 6.
pub fn run_protocol(provider: impl Provider + 'static, protocol: u32) -> ExitCode {
    start(Arc::new(provider), Some(protocol))
}

/// Tells those who look for a mistake: engines take what a plugin prints to standard error into their logs.
pub fn log_warning(message: &str) {
    eprintln!("[WARN] {message}");
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn start(provider: Arc<dyn Provider>, protocol: Option<u32>) -> ExitCode {
    if variable("TF_PLUGIN_MAGIC_COOKIE").as_deref() != Some(MAGIC_COOKIE) {
        eprintln!(
            "This binary is a plugin. These are not meant to be executed directly.\nPlease execute the program that consumes these plugins, which will load any plugins automatically"
        );
        return ExitCode::FAILURE;
    }
    match serve_once(provider, protocol) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("The plugin cannot be served: {message}");
            ExitCode::FAILURE
        }
    }
}

fn serve_once(provider: Arc<dyn Provider>, protocol: Option<u32>) -> Result<(), String> {
    let environment = Environment {
        client_certificate: variable("PLUGIN_CLIENT_CERT"),
        socket_directory: variable("PLUGIN_UNIX_SOCKET_DIR"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let served = runtime.block_on(async {
        // An interrupt from the terminal goes to the engine too, which stops its plugins in its own way.
        tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
        let schema = provider.schema().await.map_err(|error| error.message)?;
        let protocol = negotiate(protocol, &schema)?;
        serve(provider, protocol, &environment, crash)
            .await
            .map_err(|error| error.to_string())
    });
    // Calls that still run must not keep the process.
    runtime.shutdown_background();
    served
}

/// The greatest protocol version that the host and the provider know.
fn negotiate(given: Option<u32>, schema: &ProviderSchema) -> Result<u32, String> {
    let hosts = variable("PLUGIN_PROTOCOL_VERSIONS").unwrap_or_else(|| "5".into());
    let hosts: Vec<u32> = hosts
        .split(',')
        .filter_map(|version| version.trim().parse().ok())
        .collect();
    let own: &[u32] = match given {
        Some(5) => &[5],
        Some(_) => &[6],
        None if has_nested_attributes(schema) => &[6],
        None => &[6, 5],
    };
    own.iter()
        .copied()
        .find(|version| hosts.contains(version))
        .ok_or_else(|| {
            format!("the host speaks the protocol versions {hosts:?}, the provider {own:?}")
        })
}

fn has_nested_attributes(schema: &ProviderSchema) -> bool {
    fn block(found: &Block) -> bool {
        let nested = found
            .attributes
            .values()
            .any(|attribute| matches!(attribute.ty, AttributeType::Nested(_)));
        nested || found.blocks.values().any(|inner| block(&inner.block))
    }
    let whole = |schema: &ResourceSchema| block(&schema.block);
    let tables = [
        &schema.resources,
        &schema.data_sources,
        &schema.ephemeral_resources,
    ];
    whole(&schema.provider)
        || schema.provider_meta.as_ref().is_some_and(whole)
        || tables
            .into_iter()
            .any(|table| table.values().any(|schema| whole(schema)))
}

/// Ends the process as a crash does: the engine shows what was said last.
fn crash(message: &str) {
    eprintln!("panic: {message}");
    std::process::exit(CRASH_CODE)
}

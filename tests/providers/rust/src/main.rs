//! The conformance provider in Rust. What it does is said in `tests/providers/README.md`.
#![allow(
    clippy::disallowed_methods,
    reason = "a process of its own reads its environment and keeps files"
)]

mod client;
mod data;
mod faulty;
mod functions;
mod objects;
mod plain;
mod planned;
mod slow;

use std::process::ExitCode;

use terrace_provider_sdk::{Attribute, Diagnostic, Object, Outcome, Provider, Schema, attribute};

use client::Client;

fn main() -> ExitCode {
    if std::env::var("CONFORMANCE_VARIANT").as_deref() == Ok("rust5") {
        terrace_provider_serve::run_protocol(provider(false), 5)
    } else {
        terrace_provider_serve::run_protocol(provider(true), 6)
    }
}

fn provider(nested: bool) -> Provider<Client> {
    let schema = Schema::new()
        .attribute("directory", Attribute::string().optional())
        .attribute("label", Attribute::string().optional())
        .attribute("secret", Attribute::string().optional().sensitive());
    let meta = Schema::new().attribute("module_name", Attribute::string().optional());
    let mut builder = Provider::configured(schema, configure).meta(meta);
    for resource in plain::resources(nested) {
        builder = builder.resource(resource);
    }
    for function in functions::functions() {
        builder = builder.function(function);
    }
    builder
        .resource(planned::Planned)
        .resource(planned::Secret)
        .resource(planned::Private)
        .resource(planned::Metered)
        .resource(objects::File)
        .resource(objects::Identified)
        .resource(objects::New)
        .resource(objects::Versioned)
        .resource(slow::Slow)
        .resource(faulty::Faulty)
        .data_source(data::Lookup)
        .ephemeral(data::Session)
        .build()
}

async fn configure(config: Object) -> Outcome<Client> {
    if config.text("label") == Some("refused") {
        return Err(
            Diagnostic::error("Label refused", "The label \"refused\" is not allowed.")
                .at(attribute("label"))
                .into(),
        );
    }
    Ok(Client {
        directory: config.text("directory").map(Into::into),
        label: config.text("label").map(str::to_owned),
    })
}

//! A provider of which nothing is known but its schema, as a plugin: it makes up what it answers, so that configurations can
//! be checked and planned where the provider itself cannot run.
//!
//! `SCHEMA_PROVIDER_FILES` names files of what `providers schema -json` gives, by colons; they may be compressed by gzip. The types of the
//! first provider in each belong to this one. Where files have a type twice, the first counts.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a process of its own reads its environment and says what is wrong"
)]

use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;

use flate2::read::GzDecoder;
use serde_json::{Map, Value as Json};
use terrace_provider_mock::MockProvider;
use terrace_provider_sdk::schema_of_json;
use terrace_provider_testkit::serve;
use terrace_schema::ProviderSchema;
use terrace_test::MockedTypes;

const FILES: &str = "SCHEMA_PROVIDER_FILES";

/// How compressed files begin.
const GZIP: [u8; 2] = [0x1f, 0x8b];

fn main() -> ExitCode {
    match schema() {
        Ok(schema) => serve::run(MockProvider::new(
            Arc::new(schema),
            MockedTypes::default(),
            [],
        )),
        Err(problem) => {
            eprintln!("schema-provider: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn schema() -> Result<ProviderSchema, String> {
    let files = std::env::var(FILES).map_err(|_| format!("{FILES} is not set"))?;
    let mut whole = Map::new();
    for path in files.split(':') {
        let provider = read(path).map_err(|problem| format!("{path}: {problem}"))?;
        for (kind, entries) in provider {
            match (whole.get_mut(&kind), entries) {
                (Some(Json::Object(known)), Json::Object(entries)) if kind != "provider" => {
                    for (name, schema) in entries {
                        known.entry(name).or_insert(schema);
                    }
                }
                (Some(_), _) => {}
                (None, entries) => {
                    whole.insert(kind, entries);
                }
            }
        }
    }
    schema_of_json(&Json::Object(whole))
}

/// The first provider of a file.
fn read(path: &str) -> Result<Map<String, Json>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    if bytes.starts_with(&GZIP) {
        GzDecoder::new(&*bytes)
            .read_to_end(&mut text)
            .map_err(|error| error.to_string())?;
    } else {
        text = bytes;
    }
    let mut json: Json = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let providers = json
        .get_mut("provider_schemas")
        .and_then(Json::as_object_mut)
        .ok_or("it has no provider_schemas")?;
    match providers.values_mut().next().map(Json::take) {
        Some(Json::Object(provider)) => Ok(provider),
        _ => Err("it has no provider".to_owned()),
    }
}

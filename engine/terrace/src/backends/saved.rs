//! The settings in use, in `.terraform/terraform.tfstate`: the reference's file, so that both can take turns in a directory.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use terrace_port::Files as _;
use terrace_value::Value;

use super::Kind;
use crate::command_error::CommandError;
use crate::outside::{Disk, write_file};
use crate::session::Session;

/// Settings that `init` set up.
pub(super) struct Saved {
    pub(super) kind: Kind,
    pub(super) values: BTreeMap<String, Value>,
    /// Of the block that they came from, without what the command line added.
    pub(super) hash: u32,
}

fn path(session: &Session) -> String {
    format!("{}/terraform.tfstate", session.data_directory())
}

fn damaged(path: &str, why: &str) -> CommandError {
    CommandError::one(
        "damaged-backend-settings",
        "Backend settings cannot be read",
        format!(
            "{path} holds which backend is in use, and cannot be read: {why}. Delete it and run \"terrace init\" again; states are not in it."
        ),
    )
}

impl Saved {
    /// The settings in use; `None` where none were set up.
    pub(super) fn read(session: &Session) -> Result<Option<Self>, CommandError> {
        let path = path(session);
        let Ok(bytes) = Disk.read(&path) else {
            return Ok(None);
        };
        let file: Json =
            serde_json::from_slice(&bytes).map_err(|error| damaged(&path, &error.to_string()))?;
        let Some(backend) = file.get("backend").filter(|backend| !backend.is_null()) else {
            return Ok(None);
        };
        let type_name = backend
            .get("type")
            .and_then(Json::as_str)
            .unwrap_or_default();
        if type_name.is_empty() {
            return Ok(None);
        }
        let Some(kind) = super::kind(type_name) else {
            return Err(super::unknown(type_name).into());
        };
        let mut values = BTreeMap::new();
        let config = backend.get("config").and_then(Json::as_object);
        for argument in kind.arguments {
            let ty = argument.value_type();
            let text = config
                .and_then(|config| config.get(argument.name))
                .map_or_else(|| "null".to_owned(), Json::to_string);
            let value = terrace_value::json::decode(&text, &ty)
                .map_err(|error| damaged(&path, &error.to_string()))?;
            values.insert(argument.name.to_owned(), value);
        }
        let hash = backend.get("hash").and_then(Json::as_u64).unwrap_or(0);
        Ok(Some(Self {
            kind,
            values,
            hash: u32::try_from(hash).unwrap_or(0),
        }))
    }

    /// Writes that no backend is in use, where a file says otherwise.
    pub(super) fn forget(session: &Session) -> Result<(), CommandError> {
        write(session, None)
    }

    /// Writes them down.
    pub(super) fn write(&self, session: &Session) -> Result<(), CommandError> {
        let mut config = Map::new();
        for argument in self.kind.arguments {
            let value = self.values.get(argument.name);
            let additional = self.kind.additional.contains(&argument.name);
            if additional && value.is_none_or(Value::is_null) {
                continue;
            }
            let text = value
                .and_then(|value| terrace_value::json::encode(value, &argument.value_type()).ok())
                .unwrap_or_else(|| "null".to_owned());
            let value = serde_json::from_str(&text).unwrap_or(Json::Null);
            config.insert(argument.name.to_owned(), value);
        }
        let mut sorted: Vec<_> = config.into_iter().collect();
        sorted.sort_by(|one, two| one.0.cmp(&two.0));
        let config: Map<String, Json> = sorted.into_iter().collect();
        write(
            session,
            Some(json!({"type": self.kind.name, "config": config, "hash": self.hash})),
        )
    }
}

fn write(session: &Session, backend: Option<Json>) -> Result<(), CommandError> {
    let path = path(session);
    let mut file = Map::new();
    file.insert("version".into(), json!(3));
    file.insert(
        "terraform_version".into(),
        json!(terrace_state::TERRAFORM_VERSION),
    );
    if let Some(backend) = backend {
        file.insert("backend".into(), backend);
    }
    let text = serde_json::to_string_pretty(&Json::Object(file)).unwrap_or_default();
    write_file(&path, text.as_bytes()).map_err(|error| {
        CommandError::one(
            "unwritable-file",
            "Backend settings cannot be kept",
            format!("{path} cannot be written: {error}."),
        )
    })
}

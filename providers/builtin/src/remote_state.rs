//! `terraform_remote_state`: the root outputs of another state.

use std::collections::BTreeMap;

use async_trait::async_trait;
use terrace_port::{ProviderDiagnostic, Reply};
use terrace_value::{Path, Text, Value};

/// Root outputs of a state, sensitive ones marked.
pub type RemoteOutputs = BTreeMap<Text, Value>;

/// Opens states by the type and the arguments of a backend.
#[async_trait]
pub trait RemoteStates: Send + Sync {
    /// Root outputs of a workspace's state; `None` when there is no state. The error says what to do.
    async fn outputs(
        &self,
        backend: &str,
        config: &Value,
        workspace: &str,
    ) -> Result<Option<RemoteOutputs>, String>;
}

/// The types of backends, those of the reference first. Which of them can be read, reading tells.
const BACKENDS: [&str; 13] = [
    "azurerm",
    "consul",
    "cos",
    "gcs",
    "http",
    "inmem",
    "kubernetes",
    "local",
    "oss",
    "pg",
    "remote",
    "s3",
    "embedded",
];
/// What the backend `local` is told.
const LOCAL: [&str; 2] = ["path", "workspace_dir"];

/// Complains about a backend that there is not, and about arguments that it does not have.
fn validate_backend(config: &Value) -> Option<ProviderDiagnostic> {
    let backend = config.get("backend").and_then(Value::as_str)?;
    let problem = |detail: String, argument: &str| {
        ProviderDiagnostic::error("Invalid backend configuration", detail)
            .at(Path::root().attribute(argument))
    };
    if !BACKENDS.contains(&backend) {
        let detail = format!("There is no backend type named {backend:?}.");
        return Some(problem(detail, "backend"));
    }
    if backend != "local" {
        return None;
    }
    let arguments = config.get("config").and_then(Value::as_entries)?;
    let unknown = arguments.keys().find(|name| !LOCAL.contains(&&***name))?;
    Some(problem(
        format!(
            "The given configuration is not valid for backend {backend:?}: unexpected attribute \"{unknown}\"."
        ),
        "config",
    ))
}

pub(crate) fn validate(config: &Value) -> Vec<ProviderDiagnostic> {
    let mut found: Vec<ProviderDiagnostic> = validate_backend(config).into_iter().collect();
    for name in ["config", "defaults"] {
        let Some(value) = config.get(name) else {
            continue;
        };
        if value.is_known() && !value.is_null() && value.as_entries().is_none() {
            found.push(
                ProviderDiagnostic::error(
                    format!("Invalid {name} value"),
                    format!("The {name:?} of a terraform_remote_state must be an object, and this is {}.", value.ty().friendly_name()),
                )
                .at(Path::root().attribute(name)),
            );
        }
    }
    found
}

pub(crate) async fn read(config: &Value, remote: &dyn RemoteStates) -> Reply<Value> {
    let text = |name: &str| config.get(name).and_then(Value::as_str).map(str::to_owned);
    let backend = text("backend").unwrap_or_default();
    let workspace = text("workspace").unwrap_or_else(|| "default".to_owned());
    let arguments = config
        .get("config")
        .cloned()
        .filter(|value| !value.is_null())
        .unwrap_or_else(Value::empty_object);
    let mut outputs: RemoteOutputs = config
        .get("defaults")
        .and_then(Value::as_entries)
        .cloned()
        .unwrap_or_default();
    let mut diagnostics = Vec::new();
    match remote.outputs(&backend, &arguments, &workspace).await {
        Ok(Some(found)) => outputs.extend(found),
        Ok(None)
            if config
                .get("defaults")
                .is_some_and(|defaults| !defaults.is_null()) => {}
        Ok(None) => diagnostics.push(ProviderDiagnostic::error(
            "Unable to find remote state",
            "No stored state was found for the given workspace in the given backend.",
        )),
        Err(message) => diagnostics.push(ProviderDiagnostic::error(
            "Error loading state error",
            message,
        )),
    }
    let attributes = config
        .as_entries()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.clone()));
    let value = Value::object(attributes.chain([("outputs".into(), Value::object(outputs))]));
    Reply {
        value,
        diagnostics,
        deferred: None,
    }
}

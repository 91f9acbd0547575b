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

pub(crate) fn validate(config: &Value) -> Vec<ProviderDiagnostic> {
    let mut found = Vec::new();
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

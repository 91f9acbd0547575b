//! Plans to look at: a shop of any size, and one whose names and values try to become markup.
#![allow(clippy::unwrap_used, reason = "made for tests")]

mod hostile;
mod shop;

pub use hostile::{CANARY, hostile};
pub use shop::{rendered, shop};

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};
use terrace_addr::{AbsProviderConfig, AbsResourceInstance};
use terrace_plan::{
    Action, ActionReason, ExecGraph, Plan, PlanInputs, PlanMode, Reason, ResourceChange,
};
use terrace_state::State;
use terrace_value::Value;

/// A plan that changes nothing.
pub(crate) fn empty() -> Plan {
    let state = Arc::new(State::default());
    Plan {
        mode: PlanMode::Normal,
        inputs: PlanInputs {
            workspace: "default".into(),
            environment: Some("prd".into()),
            timestamp: "2026-11-20T09:12:44Z".into(),
            ..PlanInputs::default()
        },
        previous_state: state.clone(),
        prior_state: state,
        changes: Vec::new(),
        drift: Vec::new(),
        outputs: BTreeMap::new(),
        exec: ExecGraph::default(),
        checks: Vec::new(),
        relevant_attributes: Vec::new(),
        schemas: BTreeMap::new(),
        errored: false,
    }
}

/// A change of an object.
pub(crate) fn change(address: &str, action: Action, before: Value, after: Value) -> ResourceChange {
    let address: AbsResourceInstance = address.parse().unwrap();
    let provider: AbsProviderConfig = "provider[\"registry.terraform.io/hashicorp/aws\"]"
        .parse()
        .unwrap();
    ResourceChange {
        address,
        previous_address: None,
        deposed: None,
        provider,
        action,
        action_reason: ActionReason::None,
        before,
        after,
        replace_paths: Vec::new(),
        private: [].into(),
        identity: None,
        importing: None,
        generated_config: None,
        schema_version: 0,
        create_before_destroy: false,
        dependencies: [].into(),
        reasons: Vec::new(),
    }
}

/// One edge of why.
pub(crate) fn reason(attribute: &str, place: &str, cause: &str) -> Reason {
    Reason {
        attribute: attribute.into(),
        place: place.into(),
        cause: cause.into(),
    }
}

/// The SHA-256 of a text in base64, as content security policies name it.
pub fn sha256_base64(text: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()))
}

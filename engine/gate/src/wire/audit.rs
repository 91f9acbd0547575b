//! Audit entries on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditWire {
    pub(crate) sequence: u64,
    pub(crate) time: String,
    pub(crate) actor: String,
    pub(crate) event: String,
    pub(crate) run: Option<String>,
    pub(crate) details: BTreeMap<String, String>,
    /// Hash of the entry before; empty for the first.
    pub(crate) previous: String,
    /// In OpenSSH's format, over the entry without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<String>,
}

/// Where the chain ends, kept apart from its entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeadWire {
    pub(crate) sequence: u64,
    pub(crate) hash: String,
}

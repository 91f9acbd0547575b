//! What identifies objects: decoded, checked, and brought to the form in which it is stored.

use std::sync::Arc;

use terrace_port::{Attempt, Provider, Reply, ResourceState};
use terrace_schema::IdentitySchema;
use terrace_value::{Value, json};

/// A problem with an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProblem {
    /// One line.
    pub summary: &'static str,
    /// What the provider did, to be read after its name.
    pub what: String,
}

/// The stored identity of an object (the version of its schema, and its parts as JSON), in the form of the present schema. The provider is asked only where that is newer.
/// The inner `None` means that the type has no identity any more.
pub async fn stored_identity(
    provider: &dyn Provider,
    type_name: &Arc<str>,
    schema: Option<&IdentitySchema>,
    (version, text): (i64, &Arc<[u8]>),
) -> Attempt<Option<Value>> {
    let Some(schema) = schema else {
        return Ok(Reply::of(None));
    };
    if version == schema.version {
        let decoded = std::str::from_utf8(text)
            .ok()
            .and_then(|text| json::decode(text, &schema.implied_type()).ok());
        if decoded.is_some() {
            return Ok(Reply::of(decoded));
        }
    }
    let stored = ResourceState {
        type_name: type_name.clone(),
        schema_version: version,
        json: text.clone(),
    };
    let reply = provider.upgrade_identity(stored).await?;
    Ok(Reply::new(Some(reply.value), reply.diagnostics))
}

/// Holds an identity that a provider gave against its schema. An identity of a type that has none is left out.
pub fn checked_identity(
    schema: Option<&IdentitySchema>,
    identity: Option<Value>,
    may_be_unknown: bool,
) -> Result<Option<Value>, IdentityProblem> {
    let (Some(schema), Some(identity)) = (schema, identity) else {
        return Ok(None);
    };
    if identity.is_null() {
        return Ok(None);
    }
    if !may_be_unknown && !identity.is_wholly_known() {
        return Err(IdentityProblem {
            summary: "Provider produced invalid identity",
            what: "returned an identity with unknown values for".to_owned(),
        });
    }
    match terrace_value::convert::convert(&identity, &schema.implied_type()) {
        Ok(identity) => Ok(Some(identity)),
        Err(problem) => Err(IdentityProblem {
            summary: "Provider produced an identity that doesn't match the schema",
            what: format!(
                "returned an identity that doesn't match the identity schema ({problem}) for"
            ),
        }),
    }
}

/// A known identity as it is stored: the version of its schema, and its parts as JSON text.
pub fn encoded_identity(
    schema: Option<&IdentitySchema>,
    identity: &Value,
) -> Option<(i64, Arc<[u8]>)> {
    let schema = schema?;
    if identity.is_null() || !identity.is_wholly_known() {
        return None;
    }
    let text = json::encode(identity, &schema.implied_type()).ok()?;
    Some((schema.version, text.into_bytes().into()))
}

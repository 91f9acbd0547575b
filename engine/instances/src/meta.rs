//! What a module says to a provider, with every call for one of its resources.

use std::sync::Arc;

use terrace_addr::AbsResourceInstance;
use terrace_port::Provider;
use terrace_value::Value;

/// The provider as a module's resources call it: with what its `provider_meta` block says, if it has one.
pub fn with_meta(provider: Arc<dyn Provider>, meta: Option<Value>) -> Arc<dyn Provider> {
    match meta {
        Some(meta) => Arc::clone(&provider).with_meta(meta).unwrap_or(provider),
        None => provider,
    }
}

/// The provider as one instance asks it: with what its module says, and as a test has replaced its answers for this
/// instance, if one has.
pub fn for_instance(
    provider: Arc<dyn Provider>,
    address: &AbsResourceInstance,
    meta: Option<Value>,
) -> Arc<dyn Provider> {
    let provider = with_meta(provider, meta);
    Arc::clone(&provider)
        .for_instance(address)
        .unwrap_or(provider)
}

//! What a module says to a provider, with every call for one of its resources.

use std::sync::Arc;

use terrace_port::Provider;
use terrace_value::Value;

/// The provider as a module's resources call it: with what its `provider_meta` block says, if it has one.
pub fn with_meta(provider: Arc<dyn Provider>, meta: Option<Value>) -> Arc<dyn Provider> {
    match meta {
        Some(meta) => Arc::clone(&provider).with_meta(meta).unwrap_or(provider),
        None => provider,
    }
}

//! Serving a provider as a plugin.

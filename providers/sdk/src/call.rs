//! What every handler gets and may answer beside its result.

use std::sync::Arc;

use terrace_value::Value;
use tokio::sync::watch;

use crate::{Data, Diagnostics, Object, Private};

/// A call of a handler: what it may use, and what it may say beside its result.
pub struct Call<C> {
    /// What the provider was configured to.
    pub client: Arc<C>,
    /// What is configured, write-only attributes included. Empty where there is no configuration, as when an object is read or
    /// goes.
    pub config: Object,
    /// Bytes beside the object, in and out.
    pub private: Private,
    /// What the module's `provider_meta` block for this provider says, where the engine hands it on.
    pub meta: Option<Object>,
    /// The object's identity, in and out, for types that have one.
    pub identity: Option<Object>,
    /// Warnings; errors too, where a handler has a result nevertheless.
    pub diagnostics: Diagnostics,
    /// Says when the user wants it to end.
    pub stop: Stop,
    pub(crate) kept: Option<Value>,
}

impl<C> Call<C> {
    /// Says what is there even if the handler fails from here on, so that the state knows of it.
    pub fn keep(&mut self, state: impl Data) {
        self.kept = Some(state.into_value());
    }
}

/// Says when the user wants handlers to end soon.
#[derive(Clone)]
pub struct Stop(pub(crate) watch::Receiver<bool>);

impl Stop {
    /// Whether it is wanted already.
    pub fn is_wanted(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is wanted; for ever if it never is.
    pub async fn wanted(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|wanted| *wanted).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

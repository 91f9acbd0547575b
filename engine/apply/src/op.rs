//! What an operation yields on its way.

use std::sync::Arc;

use futures::future::BoxFuture;
use terrace_diag::Diagnostics;
use terrace_instances::Lifetime;
use terrace_port::Provider;
use terrace_state::journal::{Frame, StateChange};
use terrace_value::Value;

/// An operation in progress.
pub(crate) type Progress<'a> = BoxFuture<'a, Step<'a>>;

/// Where an operation has come to.
pub(crate) enum Step<'a> {
    /// It goes on once these frames are durable.
    Durable {
        /// The frames.
        frames: Vec<Frame>,
        /// How it goes on.
        next: Progress<'a>,
    },
    /// It has ended.
    Ended(Box<Ended>),
}

/// How an operation ended.
#[derive(Default)]
pub(crate) struct Ended {
    /// What it did to the state, beyond what its frames said.
    pub(crate) changes: Vec<StateChange>,
    /// Whether the journal is to say so (an intent was written, or the state changed).
    pub(crate) record: bool,
    /// Why it failed, if it did.
    pub(crate) error: Option<String>,
    /// The value of the instance now, with marks.
    pub(crate) value: Option<Value>,
    /// What it counts as.
    pub(crate) counted: Option<Counted>,
    /// The provider that it opened.
    pub(crate) provider: Option<Arc<dyn Provider>>,
    /// The ephemeral resource that it opened.
    pub(crate) lifetime: Option<Lifetime>,
    /// What there is to say.
    pub(crate) diagnostics: Diagnostics,
}

/// What a successful operation counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    Added,
    Changed,
    Destroyed,
    Forgotten,
}

impl Ended {
    /// It failed, for the reasons that the diagnostics give.
    pub(crate) fn failed(diagnostics: Diagnostics) -> Self {
        let error = diagnostics.iter().find(|diagnostic| diagnostic.is_error());
        let error = error.map_or_else(|| "failed".to_owned(), |error| error.summary.clone());
        Self {
            error: Some(error),
            diagnostics,
            ..Self::default()
        }
    }

    /// As the end of an operation.
    pub(crate) fn step<'a>(self) -> Step<'a> {
        Step::Ended(Box::new(self))
    }
}

//! What is asked of an apply, and what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream::BoxStream;
use terrace_addr::Name;
use terrace_diag::{Diagnostics, SourceMap};
use terrace_port::{
    Clock, Entropy, JournalStore, LockedState, Observer, Process, ProviderSource, Remote,
};
use terrace_state::State;
use terrace_state::journal::Intent;
use terrace_value::Value;

use crate::Stop;

/// What a run works with.
pub struct ApplyRequest<'a> {
    /// Id of the run, for the journal.
    pub run: String,
    /// Where providers come from.
    pub providers: &'a dyn ProviderSource,
    /// The state, under its lock.
    pub locked: &'a mut dyn LockedState,
    /// The journal beside the state.
    pub journal: &'a dyn JournalStore,
    /// Runs the commands of provisioners.
    pub process: &'a dyn Process,
    /// Reaches the machines of provisioners.
    pub remote: &'a dyn Remote,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// Values of the root module's ephemeral variables, which no plan holds.
    pub ephemeral_variables: BTreeMap<Name, Value>,
    /// `path.cwd`
    pub working_directory: String,
    /// How many operations run at once; at least 1.
    pub parallelism: usize,
    /// Asks the run to end.
    pub stop: &'a Stop,
    /// Something about once a second, for reports of what still runs; may be a stream that never gives anything.
    pub ticks: BoxStream<'a, ()>,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Applied {
    /// The state as stored at the end (as it would have been, where storing failed).
    pub state: State,
    /// Whether something was done and the state that holds it could not be stored.
    pub is_unstored: bool,
    /// What there is to say.
    pub diagnostics: Diagnostics,
    /// The texts that the diagnostics point into.
    pub sources: SourceMap,
    /// How many objects changed.
    pub counts: Counts,
    /// Changes that providers were asked for and of which nobody knows what became: `recover` resolves them.
    pub uncertain: Vec<Intent>,
}

/// How many objects a run changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken over.
    pub imported: usize,
    /// Created.
    pub added: usize,
    /// Changed in place.
    pub changed: usize,
    /// Destroyed.
    pub destroyed: usize,
    /// No longer managed.
    pub forgotten: usize,
}

//! What commands need of the gate: the environments that come before, and the runs beside the state.

use std::sync::Arc;

use terrace_gate::Upstream;
use terrace_port::RunStore;

use crate::command_error::CommandError;
use crate::session::{Place, Session};

/// An environment's name and its run store.
pub(crate) type NamedStore = (String, Arc<dyn RunStore>);

/// The run stores of the environments that `place`'s environment comes after.
pub(crate) fn upstream(session: &Session, place: &Place) -> Result<Vec<NamedStore>, CommandError> {
    let (Some(found), Some(rules)) = (&place.project, &place.rules) else {
        return Ok(Vec::new());
    };
    let mut stores = Vec::new();
    for name in &rules.after {
        if let Some(environment) = found.project.environment(name) {
            let before = session.environment_place(found, environment, None)?;
            stores.push((name.clone(), before.store.runs(&before.workspace)));
        }
    }
    Ok(stores)
}

/// As the gate takes them.
pub(crate) fn as_upstream(stores: &[NamedStore]) -> Vec<Upstream<'_>> {
    stores
        .iter()
        .map(|(environment, store)| Upstream {
            environment,
            store: &**store,
        })
        .collect()
}

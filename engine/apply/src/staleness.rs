//! Whether a plan still holds over a state that moved since: where nothing that it read or touches did.

use std::collections::BTreeSet;

use terrace_addr::{AbsResourceInstance, ConfigResource};
use terrace_plan::{Action, Plan};
use terrace_state::State;
use terrace_state::journal::{StateChange, difference};

/// What a plan read or touches, and what has moved in `stored` since: addresses, and outputs as `output.name`. Nothing
/// where the plan holds as it is.
pub fn moved(plan: &Plan, stored: &State) -> Vec<String> {
    let planned = &plan.previous_state;
    let touched = touched(plan);
    let read = read(plan);
    let mut found = BTreeSet::new();
    for change in difference(planned, stored) {
        let address = change.address.to_string();
        let is_read = read.contains(&change.address.resource.config())
            || plan
                .relevant_attributes
                .iter()
                .any(|relevant| is_of(&relevant.resource, &change.address));
        if touched.contains(&change.address) || is_read {
            found.insert(address);
        }
    }
    for name in plan.outputs.keys() {
        if planned.outputs.get(name) != stored.outputs.get(name) {
            found.insert(format!("output.{name}"));
        }
    }
    found.into_iter().collect()
}

/// The instances that the plan changes, by the names that they have and had.
fn touched(plan: &Plan) -> BTreeSet<AbsResourceInstance> {
    plan.changes
        .iter()
        .filter(|change| {
            change.action != Action::NoOp
                || change.previous_address.is_some()
                || change.importing.is_some()
        })
        .flat_map(|change| {
            let before = change.previous_address.clone();
            before.into_iter().chain([change.address.clone()])
        })
        .collect()
}

/// The resources that what changes depends on.
fn read(plan: &Plan) -> BTreeSet<ConfigResource> {
    plan.changes
        .iter()
        .filter(|change| change.action != Action::NoOp)
        .flat_map(|change| change.dependencies.iter().cloned())
        .collect()
}

/// Whether a resource or an instance, as displayed, is or holds this instance.
fn is_of(displayed: &str, address: &AbsResourceInstance) -> bool {
    displayed == address.to_string() || displayed == address.resource.to_string()
}

/// The state that a run starts from: as stored, with what planning found out about objects that have not moved since.
pub(crate) fn rebased(plan: &Plan, stored: &State) -> State {
    let planned = &plan.previous_state;
    let mut state = stored.clone();
    for change in difference(planned, &plan.prior_state) {
        if is_unmoved(&change, planned, stored) {
            change.apply_to(&mut state);
        }
    }
    state
}

fn is_unmoved(change: &StateChange, planned: &State, stored: &State) -> bool {
    change.present(planned) == change.present(stored)
}

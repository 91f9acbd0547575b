//! Runs that were planned before and wait for their approvals.

use std::collections::BTreeMap;

use terrace_addr::Name;
use terrace_gate::{
    RefusalReason, Rules, Run, RunStatus, configuration_digest, list_runs, load_run_plan,
};
use terrace_plan::Plan;
use terrace_state::State;
use terrace_value::Value;

use crate::args::ApplyArgs;
use crate::command_error::CommandError;
use crate::commands::gate;
use crate::session::{Place, Session};
use crate::stacks;
use crate::wiring::{load_config_for_backend, variable_values};

/// How many of the newest runs are looked at.
const LOOKED_AT: usize = 20;

/// The run to go on with in a gated environment: of the same configuration and variables, over a state in which nothing that
/// it touches has moved. One that the gate lets through, else the newest that only waits.
pub(super) async fn pending(
    session: &Session,
    place: &Place,
    args: &ApplyArgs,
) -> Result<Option<Run>, CommandError> {
    let rules = gate::rules(place).await?;
    let is_gated = rules.as_ref().is_some_and(Rules::is_gated);
    let is_narrow = !args.options.target.is_empty() || !args.options.replace.is_empty();
    let (true, false, Some(config)) = (is_gated, is_narrow, load_config_for_backend(session))
    else {
        return Ok(None);
    };
    let mut sources = config.sources.clone();
    // What is wrong with these is told when a new plan is made.
    let Ok(mut taken) = stacks::take(session, place, &config).await else {
        return Ok(None);
    };
    let Ok(values) = variable_values(session, place, &config, &mut sources, &mut taken) else {
        return Ok(None);
    };
    let mode = match (args.options.destroy, args.options.refresh_only) {
        (true, _) => "destroy",
        (_, true) => "refresh-only",
        _ => "normal",
    };
    let kind = args.request.change.as_deref().unwrap_or_default();
    let kind = if kind == "normal" { "" } else { kind };
    let configuration = configuration_digest(&config.snapshot);
    let is_alike = |run: &Run| {
        run.status == RunStatus::Planned
            && run.environment == place.environment
            && run.configuration == configuration
            && run.mode == mode
            && run.change == kind
    };
    let store = place.store.runs(&place.workspace);
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    let mut waiting = None;
    let runs = list_runs(&*store).await?;
    for run in runs.into_iter().rev().take(LOOKED_AT).filter(is_alike) {
        let Some((_, plan, _)) = load_run_plan(&*store, &run.id).await? else {
            continue;
        };
        if !has_variables(&plan, &values) || !is_fresh(&plan, &state) {
            continue;
        }
        match gate::answer(session, place, &run.id).await?.refusal {
            None => return Ok(Some(run)),
            Some(refusal) if refusal.reasons.iter().all(is_waited_for) => {
                waiting.get_or_insert(run);
            }
            Some(_) => {}
        }
    }
    Ok(waiting)
}

/// Whether people or time give what is missing, and not another plan.
const fn is_waited_for(reason: &RefusalReason) -> bool {
    matches!(
        reason,
        RefusalReason::Approvals { .. }
            | RefusalReason::Role { .. }
            | RefusalReason::Window { .. }
            | RefusalReason::Frozen { .. }
            | RefusalReason::Soak { .. }
            | RefusalReason::Upstream { .. }
    )
}

fn has_variables(plan: &Plan, values: &BTreeMap<Name, (Value, bool)>) -> bool {
    let planned = &plan.inputs.variables;
    planned.len() == values.len()
        && values.iter().all(|(name, (value, _))| {
            let Some(planned) = planned.get(name) else {
                return false;
            };
            // Ephemeral values are in no plan.
            planned
                .value
                .as_ref()
                .is_none_or(|planned| planned.unmark_deep().0 == value.unmark_deep().0)
        })
}

fn is_fresh(plan: &Plan, state: &State) -> bool {
    let planned = &plan.previous_state;
    let is_same_state = state.lineage == planned.lineage || planned.resources.is_empty();
    is_same_state
        && (state.serial == planned.serial || terrace_apply::moved(plan, state).is_empty())
}

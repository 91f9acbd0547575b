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

/// What a run must be of, so that it can be carried out where a new plan would be made.
pub(crate) struct Wanted {
    configuration: String,
    values: BTreeMap<Name, (Value, bool)>,
    mode: &'static str,
    state: State,
}

impl Wanted {
    /// What is wanted in the working directory; `None` where that cannot be known, or is but a part.
    pub(crate) async fn of(
        session: &Session,
        place: &Place,
        args: &ApplyArgs,
    ) -> Result<Option<Self>, CommandError> {
        let is_narrow = !args.options.target.is_empty() || !args.options.replace.is_empty();
        let (false, Some(config)) = (is_narrow, load_config_for_backend(session)) else {
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
        Ok(Some(Self {
            configuration: configuration_digest(&config.snapshot),
            values,
            mode,
            state: terrace_state::load(&*place.store, &place.workspace).await?,
        }))
    }

    /// Whether a run that was not carried out yet is of the same configuration.
    fn is_alike(&self, place: &Place, run: &Run) -> bool {
        run.status == RunStatus::Planned
            && run.environment == place.environment
            && run.configuration == self.configuration
            && run.mode == self.mode
    }

    /// Whether a run that was not carried out yet is of the same configuration and variables, whole, over a state in which
    /// nothing that it touches has moved.
    pub(crate) fn is_met_by(&self, place: &Place, run: &Run, plan: &Plan) -> bool {
        self.is_alike(place, run)
            && plan.inputs.targets.is_empty()
            && plan.inputs.replace.is_empty()
            && has_variables(plan, &self.values)
            && is_fresh(plan, &self.state)
    }
}

/// The run to go on with in a gated environment: of the same configuration and variables, over a state in which nothing that
/// it touches has moved. One that the gate lets through, else the newest that only waits.
pub(crate) async fn pending(
    session: &Session,
    place: &Place,
    args: &ApplyArgs,
) -> Result<Option<Run>, CommandError> {
    let rules = gate::rules(place).await?;
    if !rules.as_ref().is_some_and(Rules::is_gated) {
        return Ok(None);
    }
    let Some(wanted) = Wanted::of(session, place, args).await? else {
        return Ok(None);
    };
    let kind = args.request.change.as_deref().unwrap_or_default();
    let kind = if kind == "normal" { "" } else { kind };
    let store = place.store.runs(&place.workspace);
    let mut waiting = None;
    let runs = list_runs(&*store).await?.into_iter().rev().take(LOOKED_AT);
    for run in runs.filter(|run| run.change == kind && wanted.is_alike(place, run)) {
        let Some((_, plan, _)) = load_run_plan(&*store, &run.id).await? else {
            continue;
        };
        if !wanted.is_met_by(place, &run, &plan) {
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

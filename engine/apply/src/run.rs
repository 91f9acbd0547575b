//! A run from its beginning to the stored state.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::Name;
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::{Evaluator, Inputs, Paths};
use terrace_functions::FunctionTable;
use terrace_gate::ApprovedPlan;
use terrace_plan::Plan;
use terrace_port::{LockedState, StoreError};
use terrace_state::journal::{Begin, Frame, RunOutputs, difference, recover};
use terrace_state::{State, StorageError, load_locked, new_lineage, successor};
use terrace_value::Value;

use crate::context::PlannedContext;
use crate::coordinate::{Coordinator, Outside};
use crate::journal::Journal;
use crate::progress::Progress;
use crate::values::Table;
use crate::{Applied, ApplyRequest};

/// Carries out an approved plan and stores the state.
///
/// A failed operation skips what depends on it; everything else goes on. The answer always holds the state with all
/// that is known, also when errors are among the diagnostics.
pub async fn run(approved: &ApprovedPlan, request: ApplyRequest<'_>) -> Applied {
    let plan = approved.plan();
    let (config, loaded) = terrace_config::load_snapshot(&plan.inputs.configuration);
    // Warnings were shown while planning.
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(loaded.into_iter().filter(Diagnostic::is_error));
    let mut applied = Applied {
        sources: config.sources.clone(),
        ..Applied::default()
    };
    let stored = match prepare(plan, &request).await {
        Ok(stored) => stored,
        Err(problem) => {
            diagnostics.push(*problem);
            return Applied {
                diagnostics,
                ..applied
            };
        }
    };
    let variables = variables(plan, &request, &mut diagnostics);
    if diagnostics.has_errors() {
        return Applied {
            state: stored,
            diagnostics,
            ..applied
        };
    }
    let context = PlannedContext::new(
        &plan.inputs,
        &request.working_directory,
        request.clock.clone(),
        request.entropy.clone(),
    );
    let evaluator = Arc::new(Evaluator::new(Inputs {
        config: Arc::new(config),
        functions: Arc::new(FunctionTable::standard()),
        context: Arc::new(context),
        schemas: Arc::new(plan.schemas.clone()),
        variables,
        workspace: plan.inputs.workspace.clone(),
        paths: Paths {
            cwd: request.working_directory.clone(),
            root: root_of(&plan.inputs.configuration),
        },
        applying: true,
    }));
    let table = Table::new(plan, request.providers);
    let works = !plan.exec.ops.is_empty();
    if works {
        table.expand(&evaluator);
    }
    let state = start(plan, &stored, &*request.entropy);
    let begin = Begin {
        run: request.run.clone(),
        plan_digest: approved.digest().to_string(),
        lineage: state.lineage.clone(),
        serial: stored.serial,
        epoch: request.locked.epoch(),
        changes: if works {
            difference(&stored, &state)
        } else {
            Vec::new()
        },
    };
    let outside = Outside {
        source: request.providers,
        process: request.process,
        remote: request.remote,
        clock: request.clock,
        entropy: request.entropy.clone(),
        observer: request.observer,
        stop: request.stop,
        parallelism: request.parallelism.max(1),
    };
    let journal = Journal::new(request.journal, begin);
    let mut coordinator = Coordinator::new(plan, evaluator, &table, outside, journal, state);
    let mut progress = Progress::new(request.locked, stored);
    coordinator.drive(request.ticks, &mut progress).await;
    let Progress { locked, stored, .. } = progress;
    let finished = coordinator.finish();
    applied.counts = finished.counts;
    applied.uncertain = finished.journal.open_intents();
    diagnostics.append(finished.diagnostics);
    let (state, problems) = store(
        locked,
        &stored,
        finished.state,
        finished.journal,
        &*request.entropy,
    )
    .await;
    diagnostics.append(problems);
    Applied {
        state,
        diagnostics,
        ..applied
    }
}

/// Where the root module was.
fn root_of(configuration: &terrace_config::Snapshot) -> String {
    let known = configuration.modules.get("");
    known.map_or_else(|| ".".to_owned(), Clone::clone)
}

/// The stored state, if this plan may start from it now.
async fn prepare(plan: &Plan, request: &ApplyRequest<'_>) -> Result<State, Box<Diagnostic>> {
    if plan.errored {
        return Err(Box::new(Diagnostic::error(
            "plan-incomplete",
            "Cannot apply incomplete plan",
            "Terrace encountered an error when generating this plan, so it cannot be applied.",
        )));
    }
    let stored = load_locked(request.locked)
        .await
        .map_err(|error| Box::new(unreadable(&error)))?;
    let frames = request
        .journal
        .read()
        .await
        .map_err(|error| Box::new(journal_failed("read", &error)))?;
    if !frames.is_empty() {
        let recovery = recover(&stored, &frames).map_err(|error| {
            let mut diagnostic = Diagnostic::error("journal-unusable", error.summary, error.detail);
            diagnostic.hint = error.hint;
            Box::new(diagnostic)
        })?;
        if !recovery.is_clean() {
            return Err(Box::new(interrupted(
                recovery.uncertain.len(),
                recovery.n_results,
            )));
        }
        request
            .journal
            .clear()
            .await
            .map_err(|error| Box::new(journal_failed("emptied", &error)))?;
    }
    let planned = &plan.previous_state;
    let same_line = stored.serial == planned.serial
        && (stored.lineage == planned.lineage || stored.serial == 0);
    if !same_line && !stored.same_content(planned) {
        return Err(Box::new(
            Diagnostic::error(
                "stale-plan",
                "Saved plan is stale",
                "The given plan file can no longer be applied because the state was changed by another operation after the plan was created.",
            )
            .hint("Plan again."),
        ));
    }
    Ok(stored)
}

fn interrupted(n_uncertain: usize, n_results: usize) -> Diagnostic {
    Diagnostic::error(
        "run-interrupted",
        "An earlier run was interrupted",
        format!(
            "The journal holds {n_results} result{} of a run that did not end, and {n_uncertain} change{} of which it is not known what became. They must be brought into the state before anything else changes it.",
            if n_results == 1 { "" } else { "s" },
            if n_uncertain == 1 { "" } else { "s" },
        ),
    )
    .hint("Run `terrace recover`, then plan again.")
}

fn unreadable(error: &StorageError) -> Diagnostic {
    match error {
        StorageError::State(error) => {
            let mut diagnostic = Diagnostic::error(
                "state-unreadable",
                error.summary.clone(),
                error.detail.clone(),
            );
            diagnostic.hint.clone_from(&error.hint);
            diagnostic
        }
        StorageError::Store(error) => Diagnostic::error(
            "state-unavailable",
            "Error reading state",
            format!("The state could not be read: {error}."),
        ),
    }
}

fn journal_failed(what: &str, error: &StoreError) -> Diagnostic {
    Diagnostic::error(
        "journal-failed",
        "Journal failed",
        format!("The journal could not be {what}: {error}."),
    )
}

/// The values of root variables: those of the plan, and the ephemeral ones, which are given again.
fn variables(
    plan: &Plan,
    request: &ApplyRequest<'_>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<Name, Value> {
    let mut values = BTreeMap::new();
    for (name, input) in plan.inputs.variables.iter().filter(|(_, input)| input.set) {
        match input.value.as_ref().or_else(|| request.ephemeral_variables.get(name)) {
            Some(value) => {
                values.insert(name.clone(), value.clone());
            }
            None => diagnostics.push(Diagnostic::error(
                "ephemeral-variable-missing",
                "No value for required variable",
                format!("The ephemeral input variable {name:?} was set during the plan phase, so it must be set during the apply phase too: its value is not part of the plan."),
            )),
        }
    }
    values
}

/// The state that the run starts from: refreshed, moved, with the line of the stored one.
fn start(plan: &Plan, stored: &State, entropy: &dyn terrace_port::Entropy) -> State {
    let lineage = if stored.lineage.is_empty() {
        new_lineage(entropy)
    } else {
        stored.lineage.clone()
    };
    // Outputs as planned hold only once they have been evaluated again.
    let outputs = stored.outputs.clone();
    State {
        lineage,
        serial: stored.serial,
        outputs,
        ..(*plan.prior_state).clone()
    }
}

/// Stores the state and empties the journal, unless it holds what is not known yet.
async fn store(
    locked: &mut dyn LockedState,
    stored: &State,
    state: State,
    mut journal: Journal<'_>,
    entropy: &dyn terrace_port::Entropy,
) -> (State, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let next = successor(stored, &state, entropy);
    if let Some(next) = &next {
        if journal.is_begun() {
            let outputs = RunOutputs {
                outputs: next.outputs.clone(),
                checks: next.check_results.clone(),
            };
            let frames = [
                Frame::Outputs(outputs),
                Frame::Commit {
                    serial: next.serial,
                },
            ];
            if let Err(error) = journal.append(&frames).await {
                diagnostics.push(journal_failed("written", &error));
            }
        }
        if let Err(error) = terrace_state::store(locked, next).await {
            let mut diagnostic = Diagnostic::error(
                "state-not-stored",
                "Failed to save state",
                format!(
                    "The changes were made, and the state that holds them could not be stored: {error}."
                ),
            );
            if journal.is_begun() {
                diagnostic = diagnostic.hint(
                    "Nothing is lost: every result is in the journal. Once the store can be written again, run `terrace recover`.",
                );
            }
            diagnostics.push(diagnostic);
            return (next.clone(), diagnostics);
        }
    }
    if journal.is_begun() && journal.open_intents().is_empty() {
        if let Err(error) = journal.clear().await {
            diagnostics.push(journal_failed("emptied", &error));
        }
    }
    (
        next.unwrap_or_else(|| State {
            lineage: stored.lineage.clone(),
            ..state
        }),
        diagnostics,
    )
}

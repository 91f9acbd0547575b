//! A run from its beginning to the stored state.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::Name;
use terrace_config::Config;
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::{Evaluator, Inputs, Paths};
use terrace_functions::FunctionTable;
use terrace_gate::ApprovedPlan;
use terrace_plan::Plan;
use terrace_port::{LockedState, StoreError};
use terrace_state::journal::{Begin, Frame, RunOutputs, difference, recover_by};
use terrace_state::{State, StorageError, load_locked, new_lineage, successor};
use terrace_value::Value;

use crate::context::PlannedContext;
use crate::coordinate::{Coordinator, Outside};
use crate::journal::{self, Journal};
use crate::progress::Progress;
use crate::staleness;
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
    let inputs = inputs(plan, &request, config, variables);
    let evaluator = Arc::new(Evaluator::new(inputs.clone()));
    let table = Table::new(plan, request.providers);
    let works = !plan.exec.ops.is_empty();
    if works {
        table.expand(&evaluator);
        let planning = as_planned(plan, &request, inputs);
        evaluator.start_again_with(&planning.known_outputs(&table));
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
        parallelism: u32::try_from(request.parallelism.max(1)).unwrap_or(u32::MAX),
        witness: request.journal.witness(),
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
    let entropy = &*request.entropy;
    let kept = store(locked, &stored, finished.state, finished.journal, entropy).await;
    diagnostics.append(kept.diagnostics);
    Applied {
        state: kept.state,
        is_unstored: !kept.in_store,
        diagnostics,
        ..applied
    }
}

/// What is evaluated with while applying.
fn inputs(
    plan: &Plan,
    request: &ApplyRequest<'_>,
    config: Config,
    variables: BTreeMap<Name, Value>,
) -> Inputs {
    Inputs {
        config: Arc::new(config),
        functions: Arc::new(FunctionTable::standard()),
        context: Arc::new(context(plan, request)),
        schemas: Arc::new(plan.schemas.clone()),
        variables,
        workspace: plan.inputs.workspace.clone(),
        paths: Paths {
            cwd: request.working_directory.clone(),
            root: root_of(&plan.inputs.configuration),
        },
        applying: true,
    }
}

/// An evaluator that gives what was given while planning.
fn as_planned(plan: &Plan, request: &ApplyRequest<'_>, inputs: Inputs) -> Evaluator {
    Evaluator::new(Inputs {
        context: Arc::new(context(plan, request).while_planning()),
        applying: false,
        ..inputs
    })
}

fn context(plan: &Plan, request: &ApplyRequest<'_>) -> PlannedContext {
    PlannedContext::new(
        &plan.inputs,
        &request.working_directory,
        request.clock.clone(),
        request.entropy.clone(),
    )
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
    let (stored, frames) = futures::join!(load_locked(&*request.locked), request.journal.read());
    let stored = stored.map_err(|error| Box::new(unreadable(&error)))?;
    let frames = frames.map_err(|error| Box::new(journal::failed("read", &error)))?;
    if !frames.is_empty() {
        let recovery = recover_by(&stored, &frames, request.journal.witness().as_deref()).map_err(
            |error| {
                let mut diagnostic =
                    Diagnostic::error("journal-unusable", error.summary, error.detail);
                diagnostic.hint = error.hint;
                Box::new(diagnostic)
            },
        )?;
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
            .map_err(|error| Box::new(journal::failed("emptied", &error)))?;
    }
    let planned = &plan.previous_state;
    let same_line = stored.lineage == planned.lineage || stored.serial == 0;
    let same = same_line && stored.serial == planned.serial || stored.same_content(planned);
    // A state of another line may hold others' objects by the same names.
    let may_differ = same_line || planned.lineage.is_empty();
    let goes = same || (may_differ && staleness::moved(plan, &stored).is_empty());
    if !goes {
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
            format!("The state could not be read: {}.", error.told()),
        ),
    }
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
    let state = if stored.same_content(&plan.previous_state) {
        (*plan.prior_state).clone()
    } else {
        staleness::rebased(plan, stored)
    };
    State {
        lineage,
        serial: stored.serial,
        // Outputs as planned hold only once they have been evaluated again.
        outputs: stored.outputs.clone(),
        ..state
    }
}

/// What came of storing a state.
struct Kept {
    /// As stored, or as it would have been.
    state: State,
    in_store: bool,
    diagnostics: Diagnostics,
}

/// Stores the state and empties the journal, unless it holds what is not known yet.
async fn store(
    locked: &mut dyn LockedState,
    stored: &State,
    state: State,
    mut journal: Journal<'_>,
    entropy: &dyn terrace_port::Entropy,
) -> Kept {
    let mut diagnostics = Diagnostics::new();
    let next = successor(stored, &state, entropy);
    let mut is_stored = true;
    if let Some(next) = &next {
        let announced = announce(&mut journal, next).await;
        if let Err(error) = terrace_state::store(locked, next)
            .await
            .map_err(StorageError::from)
        {
            is_stored = false;
            let is_lost = matches!(error, StorageError::Store(StoreError::LockLost(_)));
            if is_lost && announced.is_ok() {
                // The store's journal is somebody else's now: what this run has done is kept elsewhere, all of it.
                announce(&mut journal, next).await.ok();
            }
            diagnostics.push(not_stored(&error, &journal));
        } else if let Err(error) = announced {
            // The state holds it all the same.
            if !matches!(error, StoreError::KeptAside { .. }) {
                diagnostics.push(journal::failed("written", &error));
            }
        }
    } else {
        journal.flush().await.ok();
    }
    if is_stored && journal.is_used() && journal.open_intents().is_empty() {
        if let Err(error) = journal.clear().await {
            let diagnostic = journal::failed("emptied", &error);
            diagnostics.push(diagnostic.hint(
                "The state holds everything that was done. The next command empties the journal, or `terrace recover` does.",
            ));
        }
    }
    Kept {
        state: next.unwrap_or_else(|| State {
            lineage: stored.lineage.clone(),
            ..state
        }),
        in_store: is_stored,
        diagnostics,
    }
}

/// Writes to the journal which state is about to be stored.
async fn announce(journal: &mut Journal<'_>, next: &State) -> Result<(), StoreError> {
    if !journal.is_used() {
        return Ok(());
    }
    // By itself: there may be room for what has been done, and none for what follows.
    journal.flush().await?;
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
    journal.append(&frames).await
}

/// Says that the state could not be stored, where what was done is kept, and what to do.
fn not_stored(error: &StorageError, journal: &Journal<'_>) -> Diagnostic {
    let (why, is_disk_full) = match error {
        StorageError::Store(error) => (error.told(), error.is_disk_full()),
        StorageError::State(error) => (error.detail.clone(), false),
    };
    let mut detail = format!(
        "The changes were made, and the state that holds them could not be stored: {}.",
        why.trim_end_matches('.')
    );
    if is_disk_full {
        detail.push_str(" The disk is full.");
    }
    let unrecorded = journal.unrecorded();
    if !unrecorded.is_empty() {
        detail.push_str(
            "\n\nThe journal could not be written either. These objects were changed and are recorded nowhere:\n  - ",
        );
        detail.push_str(&unrecorded.join("\n  - "));
        return Diagnostic::error("state-not-stored", "Failed to save state", detail).hint(
            "Make the store writable, and run `terrace recover`. Then import what was created and is recorded nowhere.",
        );
    }
    let Some(whereabouts) = journal.whereabouts() else {
        detail.push_str(" No object was changed.");
        return Diagnostic::error("state-not-stored", "Failed to save state", detail)
            .hint("Make the store writable, and apply again.");
    };
    detail.push_str(" Nothing is lost: everything that was done is ");
    detail.push_str(&whereabouts);
    detail.push('.');
    let first = if is_disk_full {
        "Free some space on that disk, then run"
    } else {
        "Once the store can be written again, run"
    };
    Diagnostic::error("state-not-stored", "Failed to save state", detail)
        .hint(format!("{first} `terrace recover`, and apply again."))
}

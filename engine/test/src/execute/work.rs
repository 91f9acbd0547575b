//! Planning, applying and judging one run.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt as _;
use terrace_addr::{AbsNamed, ModuleInstance, Name};
use terrace_apply::{Applied, ApplyRequest};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::{Evaluator, Values};
use terrace_plan::{Plan, PlanInputs, VariableInput};
use terrace_planner::{KnownValues, PlanOptions, PlanRequest};
use terrace_port::{NoRuns, Observer, OperationEvent};
use terrace_state::State;
use terrace_value::{Marks, Value};

use super::expectations::Expectations;
use super::prepare::Prepared;
use super::{Equipment, Execution, Failed, Reading, lock};
use crate::memory::MemoryStore;
use crate::suite::{RunBlock, RunCommand};
use crate::verdict::{RunVerdict, Status};

/// Nobody watches what a test does to its objects.
struct Unwatched;

impl Observer for Unwatched {
    fn on_event(&self, _: OperationEvent) {}
}

/// A plan that was just made, and what it was made with.
pub(super) struct Made {
    pub(super) plan: Plan,
    pub(super) evaluator: Arc<Evaluator>,
    pub(super) diagnostics: Diagnostics,
    /// Values of ephemeral variables, which no plan holds.
    pub(super) ephemeral: BTreeMap<Name, Value>,
}

/// What a run has come to before it is judged.
struct Outcome<'a> {
    plan: Option<&'a Plan>,
    state: &'a State,
    evaluator: &'a Evaluator,
}

impl Execution<'_> {
    pub(super) async fn carry_out(&self, run: &RunBlock) -> Result<RunVerdict, Failed> {
        let prepared = Arc::new(self.prepare(run)?);
        let fail = |diagnostics| Failed {
            diagnostics,
            sources: prepared.config.sources.clone(),
        };
        let store = self.state_of(run);
        let state = stored(&store).await.map_err(fail)?;
        let equipment = self
            .workshop
            .equip(&prepared.config, &state, &prepared.cast)
            .await
            .map_err(fail)?;
        let verdict = self.with(&prepared, &equipment, &store, state).await;
        self.workshop.put_away(equipment).await;
        Ok(verdict)
    }

    async fn with(
        &self,
        prepared: &Arc<Prepared>,
        equipment: &Equipment,
        store: &MemoryStore,
        state: State,
    ) -> RunVerdict {
        let run = &prepared.run;
        let options = PlanOptions {
            mode: run.plan.mode,
            targets: run.plan.targets.clone(),
            replace: run.plan.replace.clone(),
            refresh: run.plan.refresh,
            parallelism: self.workshop.parallelism().max(1),
            ..PlanOptions::default()
        };
        let mut verdict = RunVerdict {
            status: Status::Pass,
            diagnostics: prepared.warnings.clone(),
            sources: prepared.config.sources.clone(),
            ..RunVerdict::default()
        };
        let made = Box::pin(self.plan(prepared, equipment, state, options)).await;
        let Made {
            plan,
            evaluator,
            diagnostics,
            ephemeral,
        } = made;
        let expectations = Expectations::new(&run.expected, &plan.checks);
        let is_broken = diagnostics.has_errors() || plan.errored;
        if run.command == RunCommand::Apply && is_broken && expectations.any() {
            verdict.diagnostics.append(expectations.too_early());
            verdict.diagnostics.append(diagnostics);
            verdict.status = Status::Error;
            return verdict;
        }
        let diagnostics = expectations.forgive(if run.command == RunCommand::Apply {
            without_unknown_checks(diagnostics)
        } else {
            diagnostics
        });
        let is_over = diagnostics.has_errors() || is_broken || run.command == RunCommand::Plan;
        verdict.diagnostics.append(diagnostics);
        if is_over {
            if run.command == RunCommand::Plan {
                verdict.diagnostics.append(expectations.missing());
            }
            if verdict.diagnostics.has_errors() {
                verdict.status = Status::Error;
            } else if !is_broken && !self.is_interrupted(&mut verdict) {
                let outcome = Outcome {
                    plan: Some(&plan),
                    state: &plan.prior_state,
                    evaluator: &evaluator,
                };
                self.judge(prepared, equipment, &outcome, &mut verdict);
            }
            verdict.plan = Some(Box::new(plan));
            return verdict;
        }
        let known = known(
            prepared,
            equipment,
            &evaluator,
            &plan.prior_state,
            Some(&plan),
        );
        let outputs = evaluator.known_outputs(&known);
        self.worked_on(run, prepared);
        let applied = Box::pin(self.apply(equipment, store, plan, ephemeral)).await;
        let Applied {
            state, diagnostics, ..
        } = match applied {
            Ok(applied) => applied,
            Err(problem) => {
                verdict.diagnostics.push(*problem);
                verdict.status = Status::Error;
                return verdict;
            }
        };
        let results = state.check_results.clone().unwrap_or_default();
        let expectations = Expectations::new(&run.expected, &results);
        let diagnostics = expectations.forgive(diagnostics);
        verdict.diagnostics.append(diagnostics);
        verdict.diagnostics.append(expectations.missing());
        if verdict.diagnostics.has_errors() {
            verdict.status = Status::Error;
        }
        if verdict.status == Status::Pass && !self.is_interrupted(&mut verdict) {
            evaluator.start_again_with(&outputs);
            let outcome = Outcome {
                plan: None,
                state: &state,
                evaluator: &evaluator,
            };
            self.judge(prepared, equipment, &outcome, &mut verdict);
        }
        verdict.state = Some(Box::new(state));
        verdict
    }

    /// Whether somebody asked for an early end while the run went on; then nothing can be said of it.
    fn is_interrupted(&self, verdict: &mut RunVerdict) -> bool {
        if !self.cancel.is_requested() {
            return false;
        }
        verdict.diagnostics.push(Diagnostic::error(
            "test-interrupted",
            "Test interrupted",
            "The test operation could not be completed due to an interrupt signal. Please read the remaining diagnostics carefully for any sign of failed state cleanup or dangling resources.",
        ));
        verdict.status = Status::Error;
        true
    }

    /// Judges the assertions, and keeps the outputs for later runs.
    fn judge(
        &self,
        prepared: &Prepared,
        equipment: &Equipment,
        outcome: &Outcome<'_>,
        verdict: &mut RunVerdict,
    ) {
        let Outcome {
            plan,
            state,
            evaluator,
        } = outcome;
        if plan.is_some() {
            evaluator.invalidate();
        }
        let known = known(prepared, equipment, evaluator, state, *plan);
        let stored = plan.is_none().then_some(*state);
        let outputs = outputs(evaluator, &known, stored);
        let status = self.assertions(prepared, evaluator, &known, &outputs, verdict);
        verdict.status = verdict.status.and(status);
        if prepared.run.module.is_none() {
            lock(self.coverage).note(prepared, evaluator, &known);
        }
        lock(&self.outputs).insert(prepared.run.name.clone(), outputs);
    }

    /// Makes a plan over a state.
    pub(super) async fn plan(
        &self,
        prepared: &Prepared,
        equipment: &Equipment,
        state: State,
        options: PlanOptions,
    ) -> Made {
        let context = self.workshop.context();
        let values = prepared
            .variables
            .iter()
            .map(|(name, (value, _))| (name.clone(), value.clone()))
            .collect();
        let inputs = self.inputs(
            &prepared.config,
            Arc::new(equipment.schemas.clone()),
            values,
            Arc::clone(&context),
        );
        let evaluator = Arc::new(Evaluator::new(inputs));
        let (variables, ephemeral) = recorded(prepared);
        let request = PlanRequest {
            evaluator: Arc::clone(&evaluator),
            state: Arc::new(state),
            providers: &*equipment.providers,
            options,
            inputs: PlanInputs {
                configuration: Arc::clone(&prepared.config.snapshot),
                variables,
                providers: equipment.planned.clone(),
                workspace: "default".to_owned(),
                timestamp: self.workshop.timestamp(),
                ..PlanInputs::default()
            },
            clock: self.workshop.clock(),
            observer: Arc::new(Unwatched),
        };
        let (mut plan, mut diagnostics) = terrace_planner::plan(request).await;
        point_at_values(&mut diagnostics, prepared);
        plan.inputs.files = Reading::reads(&*context);
        Made {
            plan,
            evaluator,
            diagnostics,
            ephemeral,
        }
    }

    /// Carries out a plan. There is no gate before the state of a test.
    pub(super) async fn apply(
        &self,
        equipment: &Equipment,
        store: &MemoryStore,
        plan: Plan,
        ephemeral_variables: BTreeMap<Name, Value>,
    ) -> Result<Applied, Box<Diagnostic>> {
        let digest = plan.digest();
        let (now, _) = self.workshop.clock().now();
        let refused = |why: String| {
            Box::new(Diagnostic::error(
                "test-plan-refused",
                "Plan of a test cannot be carried out",
                why,
            ))
        };
        let evidence = terrace_gate::gather(&NoRuns, &plan, digest, None, &[], now)
            .await
            .map_err(|error| refused(error.told()))?;
        let approved = terrace_gate::approve(plan, evidence).map_err(|refusal| {
            let reasons: Vec<String> = refusal.reasons.iter().map(ToString::to_string).collect();
            refused(reasons.join(" "))
        })?;
        let stop = self.cancel.stop();
        let mut locked = store.clone();
        let applied = terrace_apply::run(
            &approved,
            ApplyRequest {
                run: digest.short(),
                providers: &*equipment.providers,
                locked: &mut locked,
                journal: store,
                process: self.workshop.process(),
                remote: self.workshop.remote(),
                clock: self.workshop.clock(),
                entropy: self.workshop.entropy(),
                observer: Arc::new(Unwatched),
                ephemeral_variables,
                working_directory: self.workshop.working_directory(),
                parallelism: self.workshop.parallelism().max(1),
                stop: &stop,
                ticks: futures::stream::pending().boxed(),
            },
        )
        .await;
        self.cancel.done(&stop);
        Ok(applied)
    }
}

/// What is known of objects by a state, and by what a plan makes of it.
fn known(
    prepared: &Prepared,
    equipment: &Equipment,
    evaluator: &Evaluator,
    state: &State,
    plan: Option<&Plan>,
) -> KnownValues {
    let mut known = KnownValues::of_run(Arc::clone(&equipment.providers), &prepared.config);
    known.add_state(state, &equipment.schemas);
    if let Some(plan) = plan {
        known.add_plan(plan);
    }
    known.expand_calls(evaluator);
    known
}

/// Without warnings of checks that are known only after applying, where a run goes on to apply.
fn without_unknown_checks(diagnostics: Diagnostics) -> Diagnostics {
    let mut left = Diagnostics::new();
    left.extend(
        diagnostics
            .into_iter()
            .filter(|found| found.id != "check-unknown"),
    );
    left
}

/// Where a test gives a variable its value, that place is to blame for what is wrong with it, not the variable's block.
fn point_at_values(diagnostics: &mut Diagnostics, prepared: &Prepared) {
    let declared = &prepared.config.root.module.variables;
    let blamed: BTreeMap<_, _> = prepared
        .places
        .iter()
        .filter_map(|(name, place)| Some((declared.get(name)?.span, *place)))
        .collect();
    let mut told = Diagnostics::new();
    told.extend(std::mem::take(diagnostics).into_iter().map(|mut found| {
        let place = found.subject.and_then(|subject| blamed.get(&subject));
        found.subject = place.copied().or(found.subject);
        found
    }));
    *diagnostics = told;
}

/// The state that a store holds; an empty one where it holds none.
pub(super) async fn stored(store: &MemoryStore) -> Result<State, Diagnostics> {
    terrace_state::load_locked(store).await.map_err(|error| {
        let why = error.to_string();
        Diagnostic::error("invalid-state", "State of a test cannot be read", why).into()
    })
}

/// Variables as a plan records them, and the values of those that it does not hold.
fn recorded(prepared: &Prepared) -> (BTreeMap<Name, VariableInput>, BTreeMap<Name, Value>) {
    let declared = &prepared.config.root.module.variables;
    let mut recorded = BTreeMap::new();
    let mut ephemeral = BTreeMap::new();
    for (name, (value, set)) in &prepared.variables {
        let variable = declared.get(name);
        let kept = if variable.is_some_and(|variable| variable.ephemeral) {
            ephemeral.insert(name.clone(), value.clone());
            None
        } else if variable.is_some_and(|variable| variable.sensitive) {
            Some(value.clone().with_marks(Marks::SENSITIVE))
        } else {
            Some(value.clone())
        };
        recorded.insert(
            name.clone(),
            VariableInput {
                value: kept,
                set: *set,
            },
        );
    }
    (recorded, ephemeral)
}

/// The root module's outputs as an object: as they are stored, or as they would be.
fn outputs(evaluator: &Evaluator, known: &dyn Values, stored: Option<&State>) -> Value {
    let declared = evaluator.config().root.module.outputs.keys();
    let value_of = |name: &Name| match stored {
        Some(state) => match state.outputs.get(name) {
            Some(output) if output.sensitive => output.value.clone().sensitive(),
            Some(output) => output.value.clone(),
            None => Value::null(terrace_value::Type::Dynamic),
        },
        None => {
            let address = AbsNamed::new(ModuleInstance::root(), name.clone());
            evaluator.output(&address, known).value
        }
    };
    Value::object(declared.map(|name| (name.clone(), value_of(name))))
}

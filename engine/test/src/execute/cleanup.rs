//! Destroying what runs made.

use std::sync::Arc;

use terrace_addr::Name;
use terrace_plan::PlanMode;
use terrace_planner::PlanOptions;
use terrace_state::State;

use super::prepare::Prepared;
use super::work::{Made, stored};
use super::{Execution, Kept, lock};
use crate::memory::MemoryStore;
use crate::verdict::Cleanup;

impl Execution<'_> {
    /// Destroys what the states hold, what was worked on last first.
    pub(super) async fn clean_up(&self) -> Vec<Cleanup> {
        let kept: Vec<Kept> = lock(self.states()).iter().rev().cloned().collect();
        let mut cleanups = Vec::new();
        for kept in kept {
            let Some((run, prepared)) = kept.last else {
                continue;
            };
            self.report.cleanup_begins(&self.file.path, &run);
            let cleanup = Box::pin(self.destroy(&run, &prepared, &kept.store)).await;
            self.report.cleanup_ended(&self.file.path, &cleanup);
            cleanups.push(cleanup);
        }
        cleanups
    }

    async fn destroy(&self, run: &Name, prepared: &Arc<Prepared>, store: &MemoryStore) -> Cleanup {
        let mut cleanup = Cleanup {
            run: run.clone(),
            sources: prepared.config.sources.clone(),
            ..Cleanup::default()
        };
        let state = match stored(store).await {
            Ok(state) => state,
            Err(problems) => {
                cleanup.diagnostics = problems;
                return cleanup;
            }
        };
        if state.resources.is_empty() {
            return cleanup;
        }
        if self.cancel.is_urgent() {
            cleanup.is_abandoned = true;
            return with_left(cleanup, state);
        }
        let equipped = self
            .workshop
            .equip(&prepared.config, &state, &prepared.cast)
            .await;
        let equipment = match equipped {
            Ok(equipment) => equipment,
            Err(problems) => {
                cleanup.diagnostics = problems;
                return with_left(cleanup, state);
            }
        };
        let options = PlanOptions {
            mode: PlanMode::Destroy,
            parallelism: self.workshop.parallelism().max(1),
            ..PlanOptions::default()
        };
        let made = Box::pin(self.plan(prepared, &equipment, state.clone(), options)).await;
        let Made {
            plan,
            diagnostics,
            ephemeral,
            ..
        } = made;
        let is_broken = diagnostics.has_errors() || plan.errored;
        let warnings_aside = diagnostics
            .into_iter()
            .filter(terrace_diag::Diagnostic::is_error);
        cleanup.diagnostics.extend(warnings_aside);
        let left = if is_broken {
            state
        } else {
            match Box::pin(self.apply(&equipment, store, plan, ephemeral)).await {
                Ok(applied) => {
                    let errors = applied
                        .diagnostics
                        .into_iter()
                        .filter(terrace_diag::Diagnostic::is_error);
                    cleanup.diagnostics.extend(errors);
                    applied.state
                }
                Err(problem) => {
                    cleanup.diagnostics.push(*problem);
                    state
                }
            }
        };
        self.workshop.put_away(equipment).await;
        with_left(cleanup, left)
    }
}

/// With the addresses of what a state holds, data sources aside.
fn with_left(mut cleanup: Cleanup, state: State) -> Cleanup {
    for (address, _, instance) in state.instances() {
        if address.mode() != terrace_addr::ResourceMode::Managed {
            continue;
        }
        if instance.current.is_some() {
            cleanup.left.push(address.to_string());
        }
        for key in instance.deposed.keys() {
            cleanup.left.push(format!("{address} ({key})"));
        }
    }
    if !cleanup.left.is_empty() {
        cleanup.state = Some(Box::new(state));
    }
    cleanup
}

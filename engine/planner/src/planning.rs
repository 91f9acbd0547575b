//! From a finished walk to a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrace_addr::{AbsNamed, ModuleInstance, Name, ProviderAddr};
use terrace_config::SnapshotFile;
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::Values;
use terrace_plan::{Action, ExecGraph, OutputChange, Plan, PlanInputs, PlanMode, ResourceChange};

use crate::place::listed;
use crate::walk::Walk;
use crate::{PlanRequest, exec, generate, moves, relevant, removed, targets};

/// Makes a plan. With errors among the diagnostics the plan holds what was found out before them and cannot be applied.
pub async fn plan(mut request: PlanRequest<'_>) -> (Plan, Diagnostics) {
    settle_providers(&mut request);
    let mut problems = terrace_config::check(request.evaluator.config());
    problems.append(request.evaluator.validate());
    if problems.has_errors() {
        return (empty(&request), problems);
    }
    let mut walk = match Walk::new(&request) {
        Ok(walk) => walk,
        Err(diagnostics) => return (empty(&request), diagnostics),
    };
    walk.gathered.diagnostics.append(problems);
    if walk.included.is_partial() {
        let excluded =
            moves::excluded_by_targets(&walk.moved, |address| walk.included.instance(address));
        if excluded.has_errors() {
            let mut excluded = excluded;
            excluded.push(targets::warning());
            return (empty(&request), excluded);
        }
        walk.gathered.diagnostics.push(targets::warning());
    }
    walk.run().await;
    walk.check_imports();
    let unmatched = replace_warnings(&walk);
    walk.gathered.diagnostics.append(unmatched);
    walk.remove_outputs();
    walk.leave_undecided();
    let problems = moves::validate(&walk.statements, &walk.config, &*walk.table);
    walk.gathered.diagnostics.append(problems);
    walk.gathered
        .diagnostics
        .extend(moves::blocked_warning(&walk.moved));
    assemble(&request, walk).await
}

/// Names the state's providers as the configuration does, where it was written with those of the other registry.
fn settle_providers(request: &mut PlanRequest<'_>) {
    let resources = request.state.resources.values();
    let named: BTreeSet<&ProviderAddr> = resources
        .map(|resource| &resource.provider.provider)
        .collect();
    let named = named.into_iter().cloned().collect();
    let twins = request.evaluator.config().twins(&named);
    if twins.is_empty() {
        return;
    }
    for resource in Arc::make_mut(&mut request.state).resources.values_mut() {
        if let Some(twin) = twins.get(&resource.provider.provider) {
            resource.provider.provider = twin.clone();
        }
    }
}

/// Warnings about `-replace` addresses that lack, or have too much of, an instance key.
fn replace_warnings(walk: &Walk<'_>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for address in &walk.request.options.replace {
        let Some(expansion) = walk.table.expansion(&address.resource) else {
            continue;
        };
        let keys = expansion.keys();
        if keys.contains(&address.key) || address.key.is_some() == keys.iter().any(Option::is_some)
        {
            continue;
        }
        let options = keys
            .into_iter()
            .map(|key| format!("-replace={:?}", address.resource.instance(key).to_string()));
        let options = listed(options, "  ");
        let why = if address.key.is_none() {
            "it lacks an instance key"
        } else {
            "it has an instance key"
        };
        let mut detail = format!(
            "Your force-replace request for {address} doesn't match any resource instances because {why}."
        );
        if options.is_empty() {
            detail.push_str("\n\nThe resource has no instances.");
        } else {
            detail.push_str("\n\nTo force replacement of particular instances, use one or more of the following options instead:");
            detail.push_str(&options);
        }
        diagnostics.push(Diagnostic::warning(
            "replace-unmatched",
            "Incompletely-matched force-replace resource instance",
            detail,
        ));
    }
    diagnostics
}

/// A plan of nothing, for when planning could not begin, which is seen by its lack of schemas.
fn empty(request: &PlanRequest<'_>) -> Plan {
    Plan {
        mode: request.options.mode,
        inputs: inputs(request),
        previous_state: Arc::clone(&request.state),
        prior_state: Arc::clone(&request.state),
        changes: Vec::new(),
        drift: Vec::new(),
        outputs: BTreeMap::new(),
        exec: ExecGraph::default(),
        checks: Vec::new(),
        relevant_attributes: Vec::new(),
        schemas: BTreeMap::new(),
        errored: true,
    }
}

fn inputs(request: &PlanRequest<'_>) -> terrace_plan::PlanInputs {
    let mut inputs = request.inputs.clone();
    inputs.targets.clone_from(&request.options.targets);
    inputs.replace.clone_from(&request.options.replace);
    inputs
}

async fn assemble(request: &PlanRequest<'_>, mut walk: Walk<'_>) -> (Plan, Diagnostics) {
    let forgotten: Vec<String> = walk
        .gathered
        .changes
        .values()
        .filter(|change| change.action == Action::Forget)
        .map(|change| change.address.to_string())
        .collect();
    walk.gathered.diagnostics.extend(removed::forgotten_warning(
        forgotten.iter().map(String::as_str),
    ));
    walk.close_ephemerals().await;
    let relevant_attributes = relevant::attributes(&walk);
    let provider_reads = walk.pool.reads().clone();
    let order = walk.ordered_instances();
    let mut diagnostics = std::mem::take(&mut walk.gathered.diagnostics);
    diagnostics.append(walk.pool.close().await);
    let gathered = walk.gathered;
    let changes: Vec<ResourceChange> = gathered.changes.into_values().collect();
    let errored = diagnostics.has_errors();
    let options = &request.options;
    let everything = !errored && options.targets.is_empty() && options.mode != PlanMode::Destroy;
    let exec = if errored {
        ExecGraph::default()
    } else {
        exec::build(&exec::Sources {
            changes: &changes,
            prior: &gathered.prior,
            reads: &gathered.reads,
            ephemerals: &gathered.ephemerals,
            order: &order,
            provider_reads: &provider_reads,
            checks: &gathered.check_reads,
            outputs: &evaluated_outputs(request.options.mode, &gathered.outputs),
            outputs_change: gathered
                .outputs
                .values()
                .any(|output| output.action != Action::NoOp),
            evaluator: &request.evaluator,
        })
    };
    let inputs = with_generated(inputs(request), request, &changes);
    // What is to be destroyed is destroyed as it is.
    let mut drift = match request.options.mode {
        PlanMode::Destroy => Vec::new(),
        PlanMode::Normal | PlanMode::RefreshOnly => gathered.drift,
    };
    drift.sort_by(|a, b| (&a.address, &a.deposed).cmp(&(&b.address, &b.deposed)));
    let plan = Plan {
        mode: request.options.mode,
        inputs,
        previous_state: Arc::clone(&request.state),
        prior_state: gathered.prior,
        changes,
        drift,
        outputs: gathered.outputs,
        exec,
        checks: gathered.checks.into_results(everything),
        relevant_attributes,
        schemas: (**request.evaluator.schemas()).clone(),
        errored,
    };
    (plan, diagnostics)
}

/// The inputs with the configuration that was generated, where applying it takes that.
fn with_generated(
    mut inputs: PlanInputs,
    request: &PlanRequest<'_>,
    changes: &[ResourceChange],
) -> PlanInputs {
    let blocks: Vec<&str> = changes
        .iter()
        .filter(|change| change.action != Action::NoOp)
        .filter_map(|change| change.generated_config.as_deref())
        .collect();
    let Some(path) = request.options.generate_config.as_deref() else {
        return inputs;
    };
    if !blocks.is_empty() {
        let configuration = Arc::make_mut(&mut inputs.configuration);
        configuration.files.push(SnapshotFile {
            path: generate::file_name(path).to_owned(),
            bytes: format!("{}\n", blocks.join("\n\n")).into_bytes().into(),
        });
        configuration.files.sort_by(|a, b| a.path.cmp(&b.path));
    }
    inputs
}

/// Root outputs that apply has to evaluate: those that stay.
fn evaluated_outputs(mode: PlanMode, outputs: &BTreeMap<Name, OutputChange>) -> Vec<AbsNamed> {
    if mode == PlanMode::Destroy {
        return Vec::new();
    }
    outputs
        .iter()
        .filter(|(_, output)| output.action != Action::Delete)
        .map(|(name, _)| AbsNamed::new(ModuleInstance::root(), name.clone()))
        .collect()
}

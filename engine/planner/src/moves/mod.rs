//! `moved` blocks: objects of the prior state under their new addresses.

mod endpoint;
#[cfg(test)]
mod tests;
mod validate;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrace_addr::{AbsResource, AbsResourceInstance, InstanceKey, ModulePath};
use terrace_config::{Config, ForEachOrCount, Module, Moved, ResourceConfig};
use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_state::State;

use crate::place::listed;

pub(crate) use endpoint::Subject;
pub(crate) use validate::{Declared, validate};

/// One `moved` block, its two ends understood together.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// The module that holds the block; both ends are relative to it.
    pub(crate) module: ModulePath,
    /// What it was called.
    pub(crate) from: Subject,
    /// What it is called now.
    pub(crate) to: Subject,
    /// The block.
    pub(crate) span: Span,
}

/// What moving did.
#[derive(Debug, Default)]
pub(crate) struct MoveResults {
    /// Old address by new address.
    pub(crate) previous: BTreeMap<AbsResourceInstance, AbsResourceInstance>,
    /// Moves that did not happen because something was there already: from and to, as displayed.
    pub(crate) blocked: BTreeSet<(String, String)>,
}

/// All statements of a configuration, in source order within each module, parents first.
pub(crate) fn statements(config: &Config) -> Vec<Statement> {
    config
        .root
        .walk()
        .flat_map(|node| {
            node.module
                .moved
                .iter()
                .filter_map(|moved| statement(&node.path, moved))
        })
        .collect()
}

fn statement(module: &ModulePath, moved: &Moved) -> Option<Statement> {
    let (from, to) = endpoint::unify(&moved.from.0, &moved.to.0)?;
    Some(Statement {
        module: module.clone(),
        from,
        to,
        span: moved.span,
    })
}

/// Moves objects of `state` as the statements say, and as changes between `count` and no `count` imply.
/// Statements that form a cycle move nothing; [`validate`] reports them.
pub(crate) fn apply(
    statements: &[Statement],
    config: &Config,
    state: &mut Arc<State>,
) -> MoveResults {
    let mut results = MoveResults::default();
    let Ok(order) = validate::order(statements) else {
        return results;
    };
    let implied = implied(statements, config, state);
    if order.is_empty() && implied.is_empty() {
        return results;
    }
    let state = Arc::make_mut(state);
    for index in order {
        apply_statement(&statements[index], state, &mut results);
    }
    for (from, to) in implied {
        move_instance(&from, &to, state, &mut results);
    }
    results
}

/// Moves between an instance without key and instance 0 that the configuration implies.
fn implied(
    statements: &[Statement],
    config: &Config,
    state: &State,
) -> Vec<(AbsResourceInstance, AbsResourceInstance)> {
    let mut moves = Vec::new();
    for (address, resource) in &state.resources {
        let Some(declared) = resource_config(config, address) else {
            continue;
        };
        let zero = Some(InstanceKey::Int(0));
        let (from, to) = match declared.repetition {
            ForEachOrCount::Count(_) => (None, zero),
            ForEachOrCount::Single | ForEachOrCount::Enabled(_) => (zero, None),
            ForEachOrCount::ForEach(_) => continue,
        };
        if !resource.instances.contains_key(&from) {
            continue;
        }
        if statements
            .iter()
            .any(|statement| statement.from.selects(&statement.module, address))
        {
            continue;
        }
        moves.push((address.instance(from), address.instance(to)));
    }
    moves
}

fn resource_config<'a>(
    config: &'a Config,
    address: &AbsResource,
) -> Option<&'a Arc<ResourceConfig>> {
    config
        .module(&address.module.path())?
        .module
        .resources
        .get(&*address.resource)
}

fn apply_statement(statement: &Statement, state: &mut State, results: &mut MoveResults) {
    match &statement.from {
        Subject::Call { .. } | Subject::Module(_) => apply_module(statement, state, results),
        Subject::Resource(..) => apply_resource(statement, state, results),
        Subject::Instance(..) => apply_instance(statement, state, results),
    }
}

fn apply_module(statement: &Statement, state: &mut State, results: &mut MoveResults) {
    let mut modules: Vec<_> = state
        .resources
        .keys()
        .map(|resource| resource.module.clone())
        .collect();
    modules.dedup();
    let mut blocked = BTreeSet::new();
    for module in &modules {
        let Some((from_root, to_root)) =
            statement
                .from
                .module_roots(&statement.to, &statement.module, module)
        else {
            continue;
        };
        let occupied = modules
            .iter()
            .any(|other| other.steps().starts_with(to_root.steps()));
        if occupied {
            blocked.insert((from_root.to_string(), to_root.to_string()));
            continue;
        }
        let renamed: terrace_addr::ModuleInstance = to_root
            .steps()
            .iter()
            .chain(&module.steps()[from_root.steps().len()..])
            .cloned()
            .collect();
        let resources: Vec<AbsResource> = state
            .resources
            .keys()
            .filter(|resource| resource.module == *module)
            .cloned()
            .collect();
        for from in resources {
            let to = AbsResource {
                module: renamed.clone(),
                resource: from.resource.clone(),
            };
            move_resource(&from, &to, state, results);
        }
    }
    results.blocked.append(&mut blocked);
}

fn apply_resource(statement: &Statement, state: &mut State, results: &mut MoveResults) {
    let resources: Vec<AbsResource> = state.resources.keys().cloned().collect();
    for from in resources {
        let Some(to) = statement
            .from
            .resource_moved(&statement.to, &statement.module, &from)
        else {
            continue;
        };
        if state.resources.contains_key(&to) {
            results.blocked.insert((from.to_string(), to.to_string()));
        } else {
            move_resource(&from, &to, state, results);
        }
    }
}

fn apply_instance(statement: &Statement, state: &mut State, results: &mut MoveResults) {
    let moves: Vec<_> = state
        .resources
        .iter()
        .filter_map(|(resource, stored)| {
            let (key, to) =
                statement
                    .from
                    .instance_moved(&statement.to, &statement.module, resource)?;
            stored
                .instances
                .contains_key(&key)
                .then(|| (resource.instance(key), to))
        })
        .collect();
    for (from, to) in moves {
        move_instance(&from, &to, state, results);
    }
}

fn move_resource(
    from: &AbsResource,
    to: &AbsResource,
    state: &mut State,
    results: &mut MoveResults,
) {
    let Some(resource) = state.resources.remove(from) else {
        return;
    };
    for key in resource.instances.keys() {
        record(
            from.instance(key.clone()),
            to.instance(key.clone()),
            results,
        );
    }
    state.resources.insert(to.clone(), resource);
}

fn move_instance(
    from: &AbsResourceInstance,
    to: &AbsResourceInstance,
    state: &mut State,
    results: &mut MoveResults,
) {
    if state
        .resources
        .get(&to.resource)
        .is_some_and(|resource| resource.instances.contains_key(&to.key))
    {
        results.blocked.insert((from.to_string(), to.to_string()));
        return;
    }
    let Some(resource) = state.resources.get_mut(&from.resource) else {
        return;
    };
    let provider = resource.provider.clone();
    let Some(instance) = resource.instances.remove(&from.key) else {
        return;
    };
    if resource.instances.is_empty() {
        state.resources.remove(&from.resource);
    }
    state
        .resources
        .entry(to.resource.clone())
        .or_insert_with(|| terrace_state::ResourceInState {
            provider,
            instances: BTreeMap::new(),
        })
        .instances
        .insert(to.key.clone(), instance);
    record(from.clone(), to.clone(), results);
}

fn record(from: AbsResourceInstance, to: AbsResourceInstance, results: &mut MoveResults) {
    let origin = results.previous.remove(&from).unwrap_or(from);
    if origin != to {
        results.previous.insert(to, origin);
    }
}

/// The warning about moves that something stood in the way of.
pub(crate) fn blocked_warning(results: &MoveResults) -> Option<Diagnostic> {
    if results.blocked.is_empty() {
        return None;
    }
    let mut list = String::new();
    for (from, to) in &results.blocked {
        list.push_str("\n  - ");
        list.push_str(from);
        list.push_str(" could not move to ");
        list.push_str(to);
    }
    Some(Diagnostic::warning(
        "moves-blocked",
        "Unresolved resource instance address changes",
        format!(
            "Terrace tried to adjust resource instance addresses in the prior state based on change information recorded in the configuration, but some adjustments did not succeed due to existing objects already at the intended addresses:{list}\n\nTerrace has planned to destroy these objects. If Terrace's proposed changes aren't appropriate, you must first resolve the conflicts using the \"terrace state\" subcommands and then create a new plan."
        ),
    ))
}

/// The error about moved objects that `-target` leaves out.
pub(crate) fn excluded_by_targets(
    results: &MoveResults,
    included: impl Fn(&AbsResourceInstance) -> bool,
) -> Diagnostics {
    let mut missing: BTreeSet<&AbsResourceInstance> = BTreeSet::new();
    for (to, from) in &results.previous {
        let (to_in, from_in) = (included(to), included(from));
        if !to_in {
            missing.insert(to);
        }
        if !from_in {
            missing.insert(from);
        }
    }
    if missing.is_empty() {
        return Diagnostics::new();
    }
    let list = listed(
        missing
            .iter()
            .map(|address| format!("-target={:?}", address.to_string())),
        "  ",
    );
    Diagnostic::error(
        "moves-excluded-by-targets",
        "Moved resource instances excluded by targeting",
        format!(
            "Resource instances in your current state have moved to new addresses in the latest configuration. Terrace must include those resource instances while planning in order to ensure a correct result, but your -target=... options do not fully cover all of those resource instances.\n\nTo create a valid plan, either remove your -target=... options altogether or add the following additional target options:{list}\n\nNote that adding these options may include further additional resource instances in your plan, in order to respect object dependencies."
        ),
    )
    .into()
}

/// The module that `path` leads to.
pub(crate) fn module_at<'a>(config: &'a Config, path: &ModulePath) -> Option<&'a Module> {
    config.module(path).map(|node| &*node.module)
}

/// What is wrong with the `moved` blocks of a configuration that is not expanded: all but what still exists.
pub(crate) fn validate_static(config: &Config) -> Diagnostics {
    struct Nothing;
    impl Declared for Nothing {
        fn module_instances(&self, _: &ModulePath) -> Vec<terrace_addr::ModuleInstance> {
            Vec::new()
        }
        fn resource_keys(&self, _: &AbsResource) -> Option<Vec<Option<InstanceKey>>> {
            None
        }
        fn call_keys(
            &self,
            _: &terrace_addr::ModuleInstance,
            _: &terrace_addr::Name,
        ) -> Option<Vec<Option<InstanceKey>>> {
            None
        }
    }
    validate(&statements(config), config, &Nothing)
}

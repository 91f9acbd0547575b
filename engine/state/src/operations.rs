//! What the `state` commands do, as functions of states.

mod moves;
mod pattern;
mod providers;

use std::collections::BTreeMap;
use std::fmt::Display;

use terrace_addr::{
    AbsResource, AbsResourceInstance, ModuleInstance, ModuleStep, ResourceMode, Target,
};

pub use moves::{Move, moves, rearrange, relocate, same_addresses};
pub use pattern::{Pattern, Selector};
pub use providers::{ProviderChange, ProviderPattern, exchange_providers};

use crate::{InstanceState, ResourceInState, State, StateError};

/// Why a state command cannot be carried out.
pub type OperationError = StateError;

fn refuse(summary: &str, detail: String) -> OperationError {
    StateError {
        summary: summary.into(),
        detail,
        hint: None,
        position: None,
    }
}

/// Instances with a present object that any of `selectors` names (all, when there are none) and whose `id` attribute is
/// `id` (any, when not given): by module, data resources first. An address that is nowhere in the state is an error; a
/// pattern that fits nothing lists nothing.
pub fn list(
    state: &State,
    selectors: &[Selector],
    id: Option<&str>,
) -> Result<Vec<AbsResourceInstance>, OperationError> {
    for selector in selectors {
        if let Selector::Target(target) = selector {
            check_known(state, target)?;
        }
    }
    let mut found: Vec<AbsResourceInstance> = state
        .instances()
        .filter(|(address, _, instance)| {
            (selectors.is_empty() || selectors.iter().any(|selector| selector.contains(address)))
                && instance.current.as_ref().is_some_and(|object| {
                    id.is_none_or(|id| object.text_attribute("id").as_deref() == Some(id))
                })
        })
        .map(|(address, _, _)| address)
        .collect();
    found.sort_by(|a, b| list_order(a).cmp(&list_order(b)).then_with(|| a.cmp(b)));
    Ok(found)
}

fn list_order(address: &AbsResourceInstance) -> (&ModuleInstance, bool) {
    (address.module(), address.mode() != ResourceMode::Data)
}

fn check_known(state: &State, target: &Target) -> Result<(), OperationError> {
    let add = "If you've just added this resource to the configuration, you must run \"terrace apply\" first to create the";
    match target {
        Target::Module(module) => {
            let known = state.resources.keys().any(|resource| in_module(module, &resource.module));
            known.then_some(()).ok_or_else(|| {
                refuse("Unknown module", format!("The current state contains no module at {module}. {add} module's entry in the state."))
            })
        }
        Target::Resource(resource) => known_resource(state, resource).then_some(()).ok_or_else(|| {
            refuse("Unknown resource", format!("The current state contains no resource {resource}. {add} resource's entry in the state."))
        }),
        Target::Instance(instance) => known_resource(state, &instance.resource).then_some(()).ok_or_else(|| {
            refuse("Unknown resource", format!("The current state contains no resource {}. {add} resource's entry in the state.", instance.resource))
        }),
    }
}

fn known_resource(state: &State, target: &AbsResource) -> bool {
    let target = Target::Resource(target.clone());
    state
        .resources
        .keys()
        .any(|resource| target.contains(&resource.instance(None)))
}

fn in_module(outer: &ModuleInstance, inner: &ModuleInstance) -> bool {
    outer.steps().len() <= inner.steps().len()
        && outer
            .steps()
            .iter()
            .zip(inner.steps())
            .all(|(a, b)| a.name == b.name && (a.key.is_none() || a.key == b.key))
}

/// Takes out everything that `selectors` name, deposed objects too. Returns the state without it and what was taken out.
pub fn remove(
    state: &State,
    selectors: &[Selector],
) -> Result<(State, Vec<AbsResourceInstance>), OperationError> {
    let mut removed: Vec<AbsResourceInstance> = state
        .instances()
        .map(|(address, _, _)| address)
        .filter(|address| selectors.iter().any(|selector| selector.contains(address)))
        .collect();
    if removed.is_empty() {
        return Err(refuse(
            "Invalid target address",
            "No matching objects found. To view the available instances, use \"terrace state list\". Please modify the address to reference a specific instance.".into(),
        ));
    }
    removed.sort_by(|a, b| list_order(a).cmp(&list_order(b)).then_with(|| a.cmp(b)));
    let mut next = state.clone();
    for address in &removed {
        if let Some(resource) = next.resources.get_mut(&address.resource) {
            resource.instances.remove(&address.key);
            if resource.instances.is_empty() {
                next.resources.remove(&address.resource);
            }
        }
    }
    Ok((next, removed))
}

/// Moves a module instance, a resource or an instance to another address.
pub fn rename(state: &State, from: &Target, to: &Target) -> Result<State, OperationError> {
    match (from, to) {
        (Target::Module(from), Target::Module(to)) => move_module(state, from, to),
        (Target::Module(from), to) => Err(refuse(
            "Invalid target address",
            format!("Cannot move {from} to {to}: the target must also be a module."),
        )),
        (from, Target::Module(to)) => Err(refuse(
            "Invalid target address",
            format!(
                "Cannot move {from} to {to}: the source is a resource, so the target must also be a resource."
            ),
        )),
        (Target::Resource(from), Target::Resource(to)) => move_resource(state, from, to),
        (Target::Resource(from), Target::Instance(to)) => {
            move_instance(state, &from.instance(None), to)
        }
        (Target::Instance(from), Target::Resource(to)) => {
            move_instance(state, from, &to.instance(None))
        }
        (Target::Instance(from), Target::Instance(to)) => move_instance(state, from, to),
    }
}

fn no_source(from: &dyn Display) -> OperationError {
    refuse(
        "Invalid source address",
        format!("Cannot move {from}: does not match anything in the current state."),
    )
}

/// Why an object of one resource can be none of the other, if it cannot.
fn kinds_differ(from: &AbsResource, to: &AbsResource) -> Option<&'static str> {
    match (from.resource.mode, to.resource.mode) {
        (ResourceMode::Data, mode) if mode != ResourceMode::Data => {
            Some("a data resource can be moved only to another data resource address")
        }
        (ResourceMode::Managed, mode) if mode != ResourceMode::Managed => {
            Some("a managed resource can be moved only to another managed resource address")
        }
        _ if from.resource.type_name != to.resource.type_name => Some("resource types don't match"),
        _ => None,
    }
}

fn check_kinds(
    from: &AbsResource,
    to: &AbsResource,
    shown: (&dyn Display, &dyn Display),
) -> Result<(), OperationError> {
    let Some(reason) = kinds_differ(from, to) else {
        return Ok(());
    };
    Err(refuse(
        "Invalid state move request",
        format!("Cannot move {} to {}: {reason}.", shown.0, shown.1),
    ))
}

fn move_module(
    state: &State,
    from: &ModuleInstance,
    to: &ModuleInstance,
) -> Result<State, OperationError> {
    let inside =
        |outer: &ModuleInstance, inner: &ModuleInstance| inner.steps().starts_with(outer.steps());
    if !state
        .resources
        .keys()
        .any(|resource| inside(from, &resource.module))
    {
        return Err(no_source(from));
    }
    if state
        .resources
        .keys()
        .any(|resource| inside(to, &resource.module))
    {
        return Err(refuse(
            "Invalid target address",
            format!(
                "Cannot move to {to}: there is already a module at that address in the current state."
            ),
        ));
    }
    let resources = state.resources.iter().map(|(address, resource)| {
        if !inside(from, &address.module) {
            return (address.clone(), resource.clone());
        }
        let rest = &address.module.steps()[from.steps().len()..];
        let module: ModuleInstance = to
            .steps()
            .iter()
            .chain(rest)
            .cloned()
            .collect::<Vec<ModuleStep>>()
            .into_iter()
            .collect();
        (
            AbsResource {
                module,
                resource: address.resource.clone(),
            },
            resource.clone(),
        )
    });
    Ok(State {
        resources: resources.collect(),
        ..state.clone()
    })
}

fn move_resource(
    state: &State,
    from: &AbsResource,
    to: &AbsResource,
) -> Result<State, OperationError> {
    let Some(resource) = state.resources.get(from) else {
        return Err(no_source(from));
    };
    check_kinds(from, to, (from, to))?;
    if state.resources.contains_key(to) && resource.instances.contains_key(&None) {
        // Both names may mean one instance without a key, for which there may be room.
        return move_instance(state, &from.instance(None), &to.instance(None));
    }
    if state.resources.contains_key(to) {
        return Err(refuse(
            "Invalid target address",
            format!(
                "Cannot move to {to}: there is already a resource at that address in the current state."
            ),
        ));
    }
    let mut next = state.clone();
    next.resources.remove(from);
    next.resources.insert(to.clone(), resource.clone());
    Ok(next)
}

fn move_instance(
    state: &State,
    from: &AbsResourceInstance,
    to: &AbsResourceInstance,
) -> Result<State, OperationError> {
    let source = state
        .resources
        .get(&from.resource)
        .and_then(|resource| Some((resource, resource.instances.get(&from.key)?)));
    let Some((resource, instance)) = source else {
        return Err(no_source(from));
    };
    check_kinds(&from.resource, &to.resource, (from, to))?;
    if state
        .resources
        .get(&to.resource)
        .is_some_and(|resource| resource.instances.contains_key(&to.key))
    {
        return Err(refuse(
            "Invalid target address",
            format!(
                "Cannot move to {to}: there is already a resource instance at that address in the current state."
            ),
        ));
    }
    let mut next = state.clone();
    put_instance(&mut next, to, resource, instance.clone());
    if let Some(resource) = next.resources.get_mut(&from.resource) {
        resource.instances.remove(&from.key);
        if resource.instances.is_empty() {
            next.resources.remove(&from.resource);
        }
    }
    Ok(next)
}

fn put_instance(
    state: &mut State,
    to: &AbsResourceInstance,
    source: &ResourceInState,
    instance: InstanceState,
) {
    state
        .resources
        .entry(to.resource.clone())
        .or_insert_with(|| ResourceInState {
            provider: source.provider.clone(),
            instances: BTreeMap::new(),
        })
        .instances
        .insert(to.key.clone(), instance);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::sample;

    fn names(state: &State) -> Vec<String> {
        list(state, &[], None)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    fn selector(text: &str) -> Selector {
        text.parse().unwrap()
    }

    #[test]
    fn listing_filters_by_address_and_id() {
        let state = sample();
        assert_eq!(
            names(&state),
            ["data.t.d", "t.a[0]", "t.a[1]", "module.m[\"k\"].t.b"]
        );
        let by_id = list(&state, &[], Some("one")).unwrap();
        assert_eq!(by_id[0].to_string(), "t.a[1]");
        assert_eq!(by_id.len(), 1);
        assert_eq!(
            list(&state, &[selector("module.m")], None).unwrap().len(),
            1
        );
        assert_eq!(
            list(&state, &[selector("module.q")], None)
                .unwrap_err()
                .summary,
            "Unknown module"
        );
        assert_eq!(
            list(&state, &[selector("t.q")], None).unwrap_err().summary,
            "Unknown resource"
        );
    }

    #[test]
    fn removing_takes_out_what_is_named() {
        let (state, removed) =
            remove(&sample(), &[selector("t.a[0]"), selector("module.m")]).unwrap();
        assert_eq!(removed.len(), 2);
        assert_eq!(names(&state), ["data.t.d", "t.a[1]"]);
        assert!(remove(&state, &[selector("t.a[0]")]).is_err());
    }

    #[test]
    fn moving_renames_and_refuses() {
        let state = sample();
        let moved = rename(&state, &target("t.a"), &target("module.x.t.z")).unwrap();
        assert_eq!(names(&moved)[1], "module.m[\"k\"].t.b");
        let moved = rename(
            &state,
            &target("module.m[\"k\"]"),
            &target("module.n.module.o"),
        )
        .unwrap();
        assert_eq!(names(&moved)[3], "module.n.module.o.t.b");
        let moved = rename(&state, &target("t.a[1]"), &target("t.single")).unwrap();
        assert_eq!(names(&moved)[1..3], ["t.a[0]", "t.single"]);
        let beside = rename(&moved, &target("t.single"), &target("t.a")).unwrap();
        assert_eq!(names(&beside)[1..3], ["t.a", "t.a[0]"]);
        for (from, to, reason) in [
            ("t.q", "t.r", "does not match anything"),
            ("t.a", "u.a", "resource types don't match"),
            ("data.t.d", "t.d", "a data resource can be moved only"),
            ("t.a[0]", "t.a[1]", "already a resource instance"),
            ("module.m[\"k\"]", "t.e", "the target must also be a module"),
            ("module.m", "module.n", "does not match anything"),
        ] {
            let error = rename(&state, &target(from), &target(to)).unwrap_err();
            assert!(error.detail.contains(reason), "{}", error.detail);
        }
    }
}

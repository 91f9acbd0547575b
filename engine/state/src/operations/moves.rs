//! Moving many instances at once, within a state or from one to another.

use std::collections::{BTreeMap, BTreeSet};

use terrace_addr::AbsResourceInstance;

use super::pattern::Pattern;
use super::{OperationError, Selector, kinds_differ, refuse};
use crate::{InstanceState, ResourceInState, State};

/// One instance that gets another address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// What it is called.
    pub from: AbsResourceInstance,
    /// What it is to be called.
    pub to: AbsResourceInstance,
}

/// The instances of `state` that `from` names, each with the address that `to` gives it; in the order of the state.
///
/// A source that names nothing, a destination that cannot be filled, and two instances that would get one address are
/// refused. Whether what is at the destinations allows the moves is for [`relocate`] to say.
pub fn moves(state: &State, from: &Selector, to: &Selector) -> Result<Vec<Move>, OperationError> {
    let pattern = |selector: &Selector| match selector {
        Selector::Pattern(pattern) => pattern.clone(),
        Selector::Target(target) => Pattern::of_target(target),
    };
    let (source, destination) = (pattern(from), pattern(to));
    let mut moves = Vec::new();
    let mut problems = Vec::new();
    for (address, _, _) in state.instances() {
        let Some(captures) = source.captures(&address) else {
            continue;
        };
        match destination.filled(&captures) {
            Ok(to) => moves.push(Move { from: address, to }),
            Err(why) => problems.push(format!("  - {address}: {why}")),
        }
    }
    if !problems.is_empty() {
        return Err(refuse(
            "Invalid state move request",
            format!("Cannot move {from} to {to}:\n{}.", problems.join("\n")),
        ));
    }
    if moves.is_empty() {
        return Err(super::no_source(from));
    }
    moves.retain(|one| one.from != one.to);
    refuse_doubles(&moves)?;
    Ok(moves)
}

/// The moves of everything that `from` names to the same addresses, for another state.
pub fn same_addresses(state: &State, from: &Selector) -> Result<Vec<Move>, OperationError> {
    let moves: Vec<Move> = state
        .instances()
        .map(|(address, _, _)| address)
        .filter(|address| from.contains(address))
        .map(|address| Move {
            to: address.clone(),
            from: address,
        })
        .collect();
    if moves.is_empty() {
        return Err(super::no_source(from));
    }
    Ok(moves)
}

fn refuse_doubles(moves: &[Move]) -> Result<(), OperationError> {
    let mut by_destination: BTreeMap<&AbsResourceInstance, Vec<&AbsResourceInstance>> =
        BTreeMap::new();
    for one in moves {
        by_destination.entry(&one.to).or_default().push(&one.from);
    }
    let doubles: Vec<String> = by_destination
        .into_iter()
        .filter(|(_, sources)| sources.len() > 1)
        .map(|(to, sources)| {
            let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
            format!("  - {to}: {}", sources.join(", "))
        })
        .collect();
    if doubles.is_empty() {
        return Ok(());
    }
    Err(refuse(
        "Invalid state move request",
        format!(
            "Several instances would get the same address:\n{}\n\nA wildcard of the source has no place in the destination.",
            doubles.join("\n")
        ),
    ))
}

/// Carries out `moves` within one state. All are taken out before any is put back, so that instances may change places.
pub fn rearrange(state: &State, moves: &[Move]) -> Result<State, OperationError> {
    let (rest, taken) = take(state, moves);
    put(&rest, moves, taken)
}

/// Carries out `moves` from one state to another. Returns the source without the instances and the destination with
/// them; neither is changed where one of the moves is not allowed.
pub fn relocate(
    source: &State,
    destination: &State,
    moves: &[Move],
) -> Result<(State, State), OperationError> {
    let (rest, taken) = take(source, moves);
    let next = put(destination, moves, taken)?;
    Ok((rest, next))
}

type Taken = Vec<(ResourceInState, InstanceState)>;

/// Takes the instances out, each with a picture of its resource.
fn take(state: &State, moves: &[Move]) -> (State, Taken) {
    let mut rest = state.clone();
    let mut taken = Vec::with_capacity(moves.len());
    for one in moves {
        let Some(resource) = rest.resources.get_mut(&one.from.resource) else {
            continue;
        };
        let Some(instance) = resource.instances.remove(&one.from.key) else {
            continue;
        };
        let picture = ResourceInState {
            provider: resource.provider.clone(),
            instances: BTreeMap::new(),
        };
        if resource.instances.is_empty() {
            rest.resources.remove(&one.from.resource);
        }
        taken.push((picture, instance));
    }
    (rest, taken)
}

fn put(state: &State, moves: &[Move], taken: Taken) -> Result<State, OperationError> {
    let mut next = state.clone();
    let mut problems = BTreeSet::new();
    for (one, (picture, instance)) in moves.iter().zip(taken) {
        let (from, to) = (&one.from, &one.to);
        if let Some(reason) = kinds_differ(&from.resource, &to.resource) {
            problems.insert(format!("  - {from} to {to}: {reason}"));
            continue;
        }
        let resource = next
            .resources
            .entry(to.resource.clone())
            .or_insert_with(|| picture.clone());
        if resource.provider.provider != picture.provider.provider {
            problems.insert(format!(
                "  - {from} to {to}: it is managed by {}, and the other instances there by {}",
                picture.provider.provider, resource.provider.provider
            ));
            continue;
        }
        if resource.instances.contains_key(&to.key) {
            problems.insert(format!(
                "  - {from} to {to}: there is already a resource instance at that address"
            ));
            continue;
        }
        resource.instances.insert(to.key.clone(), instance);
    }
    if problems.is_empty() {
        return Ok(next);
    }
    let problems: Vec<String> = problems.into_iter().collect();
    Err(refuse(
        "Invalid state move request",
        format!(
            "Nothing was moved, because these moves are not possible:\n{}.",
            problems.join("\n")
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::{object, provider, sample};

    fn planned(from: &str, to: &str) -> Result<Vec<Move>, OperationError> {
        moves(&sample(), &from.parse()?, &to.parse()?)
    }

    fn names(state: &State) -> Vec<String> {
        state
            .instances()
            .map(|(address, _, _)| address.to_string())
            .collect()
    }

    #[test]
    fn instances_move_together_or_not_at_all() {
        let state = sample();
        let planned = planned("t.a[*]", "module.x.t.z[*]").unwrap();
        let next = rearrange(&state, &planned).unwrap();
        let moved = names(&next);
        assert!(moved.contains(&"module.x.t.z[0]".to_owned()));
        assert!(moved.contains(&"module.x.t.z[1]".to_owned()) && moved.len() == 4);
        assert_eq!(next.resources.len(), state.resources.len());
    }

    #[test]
    fn instances_may_change_places() {
        let state = sample();
        let swap = |from: &str, to: &str| Move {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        };
        let next = rearrange(
            &state,
            &[swap("t.a[0]", "t.a[1]"), swap("t.a[1]", "t.a[0]")],
        )
        .unwrap();
        let address = "t.a[0]".parse().unwrap();
        assert_eq!(
            next.object(&address).unwrap().text_attribute("id").unwrap(),
            "one"
        );
    }

    #[test]
    fn collisions_types_and_providers_are_refused_in_one_report() {
        let mut state = sample();
        state.set_object(
            &"t.taken[1]".parse().unwrap(),
            None,
            &provider(),
            Some(object("{}")),
        );
        let mut foreign = provider();
        foreign.provider = terrace_addr::ProviderAddr::new("example.com", "a", "b");
        state.set_object(
            &"t.foreign[7]".parse().unwrap(),
            None,
            &foreign,
            Some(object("{}")),
        );
        for (from, to, reason) in [
            ("t.a[*]", "t.taken[*]", "already a resource instance"),
            ("t.a[*]", "u.a[*]", "resource types don't match"),
            ("t.a[*]", "t.foreign[*]", "managed by"),
            ("data.t.*", "t.*", "a data resource can be moved only"),
        ] {
            let planned = moves(&state, &from.parse().unwrap(), &to.parse().unwrap()).unwrap();
            let error = rearrange(&state, &planned).unwrap_err();
            assert!(error.detail.contains(reason), "{}", error.detail);
        }
        for (from, to, reason) in [
            ("t.a[*]", "t.one", "would get the same address"),
            ("t.nobody[*]", "t.x[*]", "does not match anything"),
            ("t.a", "t.b[*]", "write [*] where keys are meant"),
        ] {
            let error = moves(&state, &from.parse().unwrap(), &to.parse().unwrap()).unwrap_err();
            assert!(error.detail.contains(reason), "{}", error.detail);
        }
    }

    #[test]
    fn a_move_to_another_state_takes_from_one_and_gives_to_the_other() {
        let source = sample();
        let destination = State::default();
        let planned = same_addresses(&source, &"module.m[*].*".parse().unwrap()).unwrap();
        let (rest, next) = relocate(&source, &destination, &planned).unwrap();
        assert_eq!(names(&next), ["module.m[\"k\"].t.b"]);
        assert_eq!(rest.instances().count() + 1, source.instances().count());
        let again = relocate(&source, &next, &planned).unwrap_err();
        assert!(again.detail.contains("already a resource instance"));
    }
}

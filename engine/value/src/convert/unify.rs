//! The type that several types have in common.

use std::collections::BTreeSet;

use super::rules::allowed;
use crate::{ObjectType, Text, Type};

/// The one type that all `types` convert to safely, if there is one. `None` for no types at all.
pub fn unify(types: &[Type]) -> Option<Type> {
    unify_types(types, false)
}

/// The one type that all `types` convert to, be it that single values fail; what conditionals and lists of mixed
/// elements use. `None` for no types at all.
pub fn unify_unsafe(types: &[Type]) -> Option<Type> {
    unify_types(types, true)
}

fn unify_types(types: &[Type], lossy: bool) -> Option<Type> {
    let first = types.first()?;
    if types.iter().all(|ty| ty == first) {
        return Some(first.clone());
    }
    let mut seen = BTreeSet::new();
    let distinct: Vec<&Type> = types.iter().filter(|ty| seen.insert(*ty)).collect();
    match of_one_kind(&distinct, lossy) {
        Decision::Is(ty) => ty,
        Decision::Open => by_preference(&distinct, lossy),
    }
}

enum Decision {
    /// Decided, be it that there is none.
    Is(Option<Type>),
    /// One of the given types may do.
    Open,
}

#[derive(Default)]
struct Kinds {
    maps: usize,
    lists: usize,
    sets: usize,
    objects: usize,
    tuples: usize,
    dynamic: usize,
}

/// Types of one structural kind may have a type in common that is none of them.
fn of_one_kind(types: &[&Type], lossy: bool) -> Decision {
    let mut kinds = Kinds::default();
    for ty in types {
        match ty {
            Type::Map(_) => kinds.maps += 1,
            Type::List(_) => kinds.lists += 1,
            Type::Set(_) => kinds.sets += 1,
            Type::Object(_) => kinds.objects += 1,
            Type::Tuple(_) => kinds.tuples += 1,
            Type::Dynamic => kinds.dynamic += 1,
            Type::Bool | Type::Number | Type::String => {}
        }
    }
    let are_all = |count: usize| count > 0 && count + kinds.dynamic == types.len();
    let mixed = |kind: usize, structure: usize| kind > 0 && are_all(kind + structure);
    // With a type not known yet, the others cannot tell what all will have in common.
    let open = kinds.dynamic > 0;
    let decided = |unify: &dyn Fn() -> Option<Type>| {
        Decision::Is(if open { Some(Type::Dynamic) } else { unify() })
    };
    if are_all(kinds.maps) {
        decided(&|| elements_in_common(types, lossy).map(Type::map))
    } else if mixed(kinds.maps, kinds.objects) {
        objects_as_maps(types, lossy).map_or(Decision::Open, |ty| Decision::Is(Some(ty)))
    } else if are_all(kinds.lists) {
        decided(&|| elements_in_common(types, lossy).map(Type::list))
    } else if mixed(kinds.lists, kinds.tuples) {
        tuples_as_lists(types, lossy).map_or(Decision::Open, |ty| Decision::Is(Some(ty)))
    } else if are_all(kinds.sets) {
        decided(&|| elements_in_common(types, lossy).map(Type::set))
    } else if are_all(kinds.objects) {
        decided(&|| objects_in_common(types, lossy))
    } else if are_all(kinds.tuples) {
        decided(&|| tuples_in_common(types, lossy))
    } else if kinds.objects > 0 && kinds.tuples > 0 {
        Decision::Is(None)
    } else {
        Decision::Open
    }
}

fn unify_all<'a>(types: impl Iterator<Item = &'a Type>, lossy: bool) -> Option<Type> {
    unify_types(&types.cloned().collect::<Vec<_>>(), lossy)
}

fn elements_in_common(types: &[&Type], lossy: bool) -> Option<Type> {
    unify_all(types.iter().filter_map(|ty| ty.element()), lossy)
}

fn objects_as_maps(types: &[&Type], lossy: bool) -> Option<Type> {
    let objects: Vec<&Type> = types
        .iter()
        .copied()
        .filter(|ty| matches!(ty, Type::Object(_)))
        .collect();
    let map = objects_to_map(&objects, lossy)?;
    let replaced = types.iter().map(|ty| {
        if matches!(ty, Type::Object(_)) {
            &map
        } else {
            *ty
        }
    });
    unify_all(replaced, lossy).filter(|ty| matches!(ty, Type::Map(_)))
}

fn tuples_as_lists(types: &[&Type], lossy: bool) -> Option<Type> {
    let tuples: Vec<&Type> = types
        .iter()
        .copied()
        .filter(|ty| matches!(ty, Type::Tuple(_)))
        .collect();
    let list = tuples_to_list(&tuples, lossy)?;
    let replaced = types.iter().map(|ty| {
        if matches!(ty, Type::Tuple(_)) {
            &list
        } else {
            *ty
        }
    });
    unify_all(replaced, lossy).filter(|ty| matches!(ty, Type::List(_)))
}

fn object_types<'a>(types: &'a [&'a Type]) -> impl Iterator<Item = &'a ObjectType> + Clone {
    types.iter().filter_map(|ty| match ty {
        Type::Object(object) => Some(&**object),
        _ => None,
    })
}

fn tuple_types<'a>(types: &'a [&'a Type]) -> impl Iterator<Item = &'a [Type]> + Clone {
    types.iter().filter_map(|ty| match ty {
        Type::Tuple(elements) => Some(&**elements),
        _ => None,
    })
}

/// Objects with the same attribute names unify attribute by attribute; others as maps.
fn objects_in_common(types: &[&Type], lossy: bool) -> Option<Type> {
    let mut objects = object_types(types);
    let first = objects.next()?;
    if !objects
        .clone()
        .all(|object| object.attributes.keys().eq(first.attributes.keys()))
    {
        return objects_to_map(types, lossy);
    }
    let mut attributes: Vec<(Text, Type)> = Vec::new();
    for name in first.attributes.keys() {
        let common = unify_all(
            object_types(types).filter_map(|object| object.attributes.get(name)),
            lossy,
        )?;
        attributes.push((name.clone(), common));
    }
    let common = Type::object(attributes);
    if types.iter().all(|ty| allowed(ty, &common, lossy)) {
        Some(common)
    } else {
        objects_to_map(types, lossy)
    }
}

fn objects_to_map(types: &[&Type], lossy: bool) -> Option<Type> {
    let element = unify_all(
        object_types(types).flat_map(|object| object.attributes.values()),
        lossy,
    )?;
    let common = Type::map(element);
    types
        .iter()
        .all(|ty| allowed(ty, &common, lossy))
        .then_some(common)
}

/// Tuples of the same length unify place by place; others as lists.
fn tuples_in_common(types: &[&Type], lossy: bool) -> Option<Type> {
    let mut tuples = tuple_types(types);
    let first = tuples.next()?;
    if !tuples.all(|tuple| tuple.len() == first.len()) {
        return tuples_to_list(types, lossy);
    }
    let elements = (0..first.len())
        .map(|place| unify_all(tuple_types(types).map(|tuple| &tuple[place]), lossy))
        .collect::<Option<Vec<_>>>()?;
    let common = Type::tuple(elements);
    if types.iter().all(|ty| allowed(ty, &common, lossy)) {
        Some(common)
    } else {
        tuples_to_list(types, lossy)
    }
}

fn tuples_to_list(types: &[&Type], lossy: bool) -> Option<Type> {
    let element = unify_all(tuple_types(types).flat_map(<[Type]>::iter), lossy)?;
    let common = Type::list(element);
    types
        .iter()
        .all(|ty| allowed(ty, &common, lossy))
        .then_some(common)
}

/// The first of the types, the more general ones before the others, that all others convert to.
fn by_preference(types: &[&Type], lossy: bool) -> Option<Type> {
    generality_order(types)
        .into_iter()
        .map(|place| types[place])
        .find(|wanted| {
            types
                .iter()
                .all(|ty| ty == wanted || allowed(ty, wanted, lossy))
        })
        .cloned()
}

/// Places of `types`, each after all that are more general, else in the given order.
fn generality_order(types: &[&Type]) -> Vec<usize> {
    let mut less_general: Vec<Vec<usize>> = vec![Vec::new(); types.len()];
    let mut waits_for = vec![0_usize; types.len()];
    for left in 0..types.len() {
        for right in left + 1..types.len() {
            match generality(types[left], types[right]) {
                0 => {}
                order => {
                    let (general, special) = if order < 0 {
                        (left, right)
                    } else {
                        (right, left)
                    };
                    less_general[general].push(special);
                    waits_for[special] += 1;
                }
            }
        }
    }
    let mut order: Vec<usize> = (0..types.len())
        .filter(|place| waits_for[*place] == 0)
        .collect();
    let mut next = 0;
    while let Some(place) = order.get(next).copied() {
        next += 1;
        for special in &less_general[place] {
            waits_for[*special] -= 1;
            if waits_for[*special] == 0 {
                order.push(*special);
            }
        }
    }
    order
}

/// Negative if `left` is more general, positive if `right` is, else 0.
fn generality(left: &Type, right: &Type) -> i32 {
    match (left, right) {
        (Type::Dynamic, Type::Dynamic) => 0,
        (_, Type::Dynamic) => -1,
        (Type::Dynamic, _) => 1,
        (Type::String, Type::Bool | Type::Number) => -1,
        (Type::Bool | Type::Number, Type::String) => 1,
        (Type::List(one), Type::List(two))
        | (Type::Set(one), Type::Set(two))
        | (Type::Map(one), Type::Map(two)) => generality(one, two),
        (Type::List(_) | Type::Tuple(_), Type::Set(_))
        | (Type::List(_), Type::Tuple(_))
        | (Type::Map(_), Type::Object(_)) => -1,
        (Type::Set(_), Type::List(_) | Type::Tuple(_))
        | (Type::Tuple(_), Type::List(_))
        | (Type::Object(_), Type::Map(_)) => 1,
        (Type::Object(one), Type::Object(two))
            if one.attributes.keys().eq(two.attributes.keys()) =>
        {
            parts_generality(one.attributes.values().zip(two.attributes.values()))
        }
        (Type::Tuple(one), Type::Tuple(two)) if one.len() == two.len() => {
            parts_generality(one.iter().zip(two.iter()))
        }
        _ => 0,
    }
}

fn parts_generality<'a>(pairs: impl Iterator<Item = (&'a Type, &'a Type)>) -> i32 {
    let (mut left_wins, mut right_wins) = (false, false);
    for (one, two) in pairs {
        match generality(one, two) {
            0 => {}
            order if order < 0 => left_wins = true,
            _ => right_wins = true,
        }
    }
    match (left_wins, right_wins) {
        (true, false) => -1,
        (false, true) => 1,
        _ => 0,
    }
}

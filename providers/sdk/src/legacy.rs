//! What a change makes of an object whose type was first built on the ecosystem's older plugin SDK ([`Schema::legacy`]).
//!
//! Such types plan otherwise than others do, and states in the field rely on it: what the provider computes stays as it was
//! unless the type says otherwise, a default is no computed value, nothing set and a zero are the same, and blocks that the
//! provider fills in stay where configuration has none. Engines are told of it (`legacy_type_system`) and tolerate it.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_schema::{Block as PortBlock, BlockNesting};
use terrace_value::{Kind, Text, Value};

use crate::Object;
use crate::plan::{Modifying, Planned, part};
use crate::schema::{Attribute, Block, Schema};

/// What an object will be, from what it is, what is configured and the two merged.
pub(crate) fn plan(schema: &Schema, prior: &Value, config: &Value, proposed: &Value) -> Planned {
    let planned = object(schema, prior, config, proposed);
    let prior_object = Object::of(prior);
    let config_object = Object::of(config).unwrap_or_default();
    let mut modifying = Modifying {
        prior_object: prior_object.as_ref(),
        config_object: &config_object,
        fewer_blocks_replace: true,
        replace: Vec::new(),
    };
    let planned = modifying.object(
        schema,
        prior,
        config,
        &planned,
        &terrace_value::Path::root(),
    );
    Planned {
        object: planned,
        replace: modifying.replace,
    }
}

fn object(schema: &Schema, prior: &Value, config: &Value, proposed: &Value) -> Value {
    let Kind::Object(entries) = proposed.kind() else {
        return proposed.clone();
    };
    let mut parts = BTreeMap::clone(entries);
    // What the provider computes of an object that is there stays, also where that is nothing.
    let computed = |before: &Value, unknown: Value| {
        if prior.is_null() {
            unknown
        } else {
            before.clone()
        }
    };
    for (name, found) in &schema.attributes {
        if let Some(proposed) = parts.get_mut(name) {
            let ty = || found.value_type();
            let (prior, config) = (part(prior, name, ty), part(config, name, ty));
            *proposed = if found.is_computed()
                && !found.is_write_only()
                && config.is_null()
                && found.legacy_default.is_none()
            {
                computed(&prior, Value::unknown(ty()))
            } else {
                attribute(found, &prior, &config, proposed)
            };
        }
    }
    for (name, found) in &schema.blocks {
        if let Some(proposed) = parts.get_mut(name) {
            let nothing = || terrace_value::Type::Dynamic;
            let (prior, config) = (part(prior, name, nothing), part(config, name, nothing));
            *proposed = if found.is_computed() && has_none(&config) {
                computed(&prior, Value::unknown(found.value_type()))
            } else {
                blocks(found, &prior, &config, proposed)
            };
        }
    }
    Value::from_kind(Kind::Object(Arc::new(parts)))
}

fn attribute(attribute: &Attribute, prior: &Value, config: &Value, proposed: &Value) -> Value {
    if attribute.is_write_only() {
        return proposed.clone();
    }
    if !config.is_null() {
        return if unset(config) && unset(prior) {
            keep_text(prior, config)
        } else {
            proposed.clone()
        };
    }
    if let Some(default) = &attribute.legacy_default {
        return default();
    }
    if is_zero(prior) {
        prior.clone()
    } else {
        proposed.clone()
    }
}

/// A configured empty text stays, also where nothing was before: it would be lost otherwise.
fn keep_text(prior: &Value, config: &Value) -> Value {
    if prior.is_null() && config.as_str().is_some() {
        config.clone()
    } else {
        prior.clone()
    }
}

fn has_none(blocks: &Value) -> bool {
    blocks.is_null() || blocks.as_sequence().is_some_and(<[Value]>::is_empty)
}

fn blocks(block: &Block, prior: &Value, config: &Value, proposed: &Value) -> Value {
    let at = |value: &Value, place: usize| {
        value
            .as_sequence()
            .and_then(|items| items.get(place))
            .cloned()
            .unwrap_or(Value::NULL)
    };
    match (block.nesting, proposed.kind()) {
        (BlockNesting::Single | BlockNesting::Group, _) => {
            object(&block.schema, prior, config, proposed)
        }
        (_, Kind::List(ty, items)) => Value::list(
            ty.clone(),
            items.iter().enumerate().map(|(place, item)| {
                object(&block.schema, &at(prior, place), &at(config, place), item)
            }),
        ),
        (_, Kind::Set(ty, items)) => {
            let planned = Value::set(
                ty.clone(),
                items.iter().map(|item| {
                    let planned = element(&block.schema, item);
                    before(item, &planned, prior).unwrap_or(planned)
                }),
            );
            if alike(&planned) == alike(prior) {
                prior.clone()
            } else {
                planned
            }
        }
        _ => proposed.clone(),
    }
}

/// The element of before that a planned one is, but for what only the provider can say. What is configured must be known for it.
fn before(configured: &Value, planned: &Value, prior: &Value) -> Option<Value> {
    if planned.is_wholly_known() || !configured.is_wholly_known() {
        return None;
    }
    let mut elements = prior.as_sequence()?.iter();
    elements.find(|prior| agrees(planned, prior)).cloned()
}

/// Whether what is known of a planned value says the same as before.
fn agrees(planned: &Value, prior: &Value) -> bool {
    match (planned.kind(), prior.kind()) {
        (Kind::Unknown(_), _) => true,
        (Kind::Object(planned), Kind::Object(prior)) => planned
            .iter()
            .all(|(name, part)| prior.get(name).is_some_and(|prior| agrees(part, prior))),
        (Kind::List(_, planned), Kind::List(_, prior)) if planned.len() == prior.len() => planned
            .iter()
            .zip(prior.iter())
            .all(|(planned, prior)| agrees(planned, prior)),
        (Kind::Set(_, planned), Kind::Set(_, prior)) if planned.len() == prior.len() => planned
            .iter()
            .all(|planned| prior.iter().any(|prior| agrees(planned, prior))),
        _ => alike(planned) == alike(prior),
    }
}

/// An element of a set, which has no element of before beside it: what was computed of it was merged in already.
fn element(schema: &Schema, item: &Value) -> Value {
    let Kind::Object(entries) = item.kind() else {
        return item.clone();
    };
    let mut parts = BTreeMap::clone(entries);
    for (name, attribute) in &schema.attributes {
        if let Some(part) = parts.get_mut(name)
            && part.is_null()
        {
            if let Some(default) = &attribute.legacy_default {
                *part = default();
            } else if attribute.is_computed() {
                *part = Value::unknown(attribute.value_type());
            }
        }
    }
    for (name, block) in &schema.blocks {
        if let Some(part) = parts.get_mut(name) {
            *part = match part.kind() {
                Kind::List(ty, items) => {
                    let items = items.iter().map(|item| element(&block.schema, item));
                    Value::list(ty.clone(), items)
                }
                Kind::Set(ty, items) => {
                    let items = items.iter().map(|item| element(&block.schema, item));
                    Value::set(ty.clone(), items)
                }
                _ => element(&block.schema, part),
            };
        }
    }
    Value::from_kind(Kind::Object(Arc::new(parts)))
}

/// Whether it says nothing: null, an empty text or an empty collection.
fn unset(value: &Value) -> bool {
    match value.kind() {
        Kind::Null(_) => true,
        Kind::String(text) => text.is_empty(),
        Kind::List(_, items) | Kind::Set(_, items) => items.is_empty(),
        Kind::Map(_, entries) => entries.is_empty(),
        _ => false,
    }
}

/// Whether it is what a field is that nobody set.
fn is_zero(value: &Value) -> bool {
    match value.kind() {
        Kind::Bool(value) => !value,
        Kind::Number(number) => number.to_i64() == Some(0),
        _ => unset(value),
    }
}

/// The value with nothing where there is a zero, so that what means the same is equal.
fn alike(value: &Value) -> Value {
    match value.kind() {
        _ if is_zero(value) => Value::NULL,
        Kind::List(_, items) => Value::tuple(items.iter().map(alike).collect::<Vec<_>>()),
        Kind::Set(_, items) => {
            let mut items: Vec<Value> = items.iter().map(alike).collect();
            items.sort_by_key(|item| format!("{item:?}"));
            Value::tuple(items)
        }
        Kind::Map(_, entries) | Kind::Object(entries) => Value::object(
            entries
                .iter()
                .map(|(key, item)| (Text::clone(key), alike(item)))
                .collect::<Vec<_>>(),
        ),
        _ => value.clone(),
    }
}

/// What a change came to, in the words of its plan: nothing and an empty collection are the same, and so are sets whose plan was
/// known, whatever the service left out of its answer.
pub(crate) fn settled(block: &PortBlock, planned: &Value, state: &Value) -> Value {
    let (Kind::Object(plans), Kind::Object(entries)) = (planned.kind(), state.kind()) else {
        return state.clone();
    };
    let mut parts = BTreeMap::clone(entries);
    for (name, part) in &mut parts {
        let Some(planned) = plans.get(name) else {
            continue;
        };
        let empty = |value: &Value| {
            matches!(value.kind(), Kind::List(..) | Kind::Set(..) | Kind::Map(..)) && unset(value)
        };
        let same_nothing = (planned.is_null() && empty(part)) || (empty(planned) && part.is_null());
        let same_set = matches!(part.kind(), Kind::Set(..))
            && planned.is_wholly_known()
            && alike(planned) == alike(part);
        let lost_text = part.is_null() && planned.as_str() == Some("");
        if same_nothing || same_set || lost_text {
            *part = planned.clone();
            continue;
        }
        let Some(nested) = block.blocks.get(name) else {
            continue;
        };
        *part = match (planned.as_sequence(), part.kind()) {
            (Some(plans), Kind::List(ty, items)) if plans.len() == items.len() => Value::list(
                ty.clone(),
                plans
                    .iter()
                    .zip(items.iter())
                    .map(|(planned, item)| settled(&nested.block, planned, item)),
            ),
            (None, Kind::Object(_)) => settled(&nested.block, planned, part),
            _ => continue,
        };
    }
    Value::from_kind(Kind::Object(Arc::new(parts)))
}

//! What the new state would be if the provider had nothing to add: prior state where configuration is silent,
//! configuration elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_value::{Kind, Text, Type, Value};

use crate::parts::{attribute, element, keyed, same_unrefined, with_elements};
use crate::{Attribute, Block, BlockNesting, NestedBlock, NestedObject, Nesting};

/// The new state that `config` asks for, where `prior` is what there is: null if nothing.
///
/// Computed attributes that configuration leaves null keep their prior value. Elements of lists and maps are matched by
/// key, those of sets by what configuration says of them. All values are without marks.
pub fn proposed_new(schema: &Block, prior: &Value, config: &Value) -> Value {
    if config.is_null() && prior.is_null() {
        return prior.clone();
    }
    if prior.is_null() {
        return propose_block(schema, &schema.empty_value(), config);
    }
    propose_block(schema, prior, config)
}

/// The new state that `config` asks for when everything the provider computes is still unknown.
pub fn planned_unknown_object(schema: &Block, config: &Value) -> Value {
    propose_block(schema, &Value::unknown(schema.implied_type()), config)
}

fn propose_block(schema: &Block, prior: &Value, config: &Value) -> Value {
    if config.is_null() || !config.is_known() {
        return prior.clone();
    }
    let mut parts = propose_attributes(&schema.attributes, prior, config);
    for (name, nested) in &schema.blocks {
        let ty = || nested.value_type();
        let (prior, config) = (attribute(prior, name, ty), attribute(config, name, ty));
        parts.insert(name.clone(), propose_nested_block(nested, &prior, &config));
    }
    Value::from_kind(Kind::Object(Arc::new(parts)))
}

fn propose_nested_block(nested: &NestedBlock, prior: &Value, config: &Value) -> Value {
    if !config.is_known() {
        return config.clone();
    }
    let content = Content::Block(&nested.block);
    match nested.nesting {
        BlockNesting::Single if config.is_null() => config.clone(),
        BlockNesting::Single | BlockNesting::Group => proposed_new(&nested.block, prior, config),
        BlockNesting::List | BlockNesting::Map => propose_keyed(content, prior, config),
        BlockNesting::Set => propose_set(content, prior, config),
    }
}

fn propose_nested_attribute(nested: &NestedObject, prior: &Value, config: &Value) -> Value {
    if !config.is_known() || config.is_null() {
        return config.clone();
    }
    let content = Content::Object(nested);
    match nested.nesting {
        Nesting::Single => content.propose(prior, config),
        Nesting::List | Nesting::Map => propose_keyed(content, prior, config),
        Nesting::Set => propose_set(content, prior, config),
    }
}

/// What the elements of a collection are.
#[derive(Clone, Copy)]
enum Content<'s> {
    Block(&'s Block),
    Object(&'s NestedObject),
}

impl Content<'_> {
    fn ty(self) -> Type {
        match self {
            Self::Block(block) => block.implied_type(),
            Self::Object(nested) => nested.object_type(),
        }
    }

    fn propose(self, prior: &Value, config: &Value) -> Value {
        match self {
            Self::Block(block) => proposed_new(block, prior, config),
            Self::Object(_) if config.is_null() || !config.is_known() => config.clone(),
            Self::Object(nested) => Value::from_kind(Kind::Object(Arc::new(propose_attributes(
                &nested.attributes,
                prior,
                config,
            )))),
        }
    }

    fn fits(self, prior: &Value, config: &Value) -> bool {
        match self {
            Self::Block(block) => block_fits(block, prior, config),
            Self::Object(nested) => object_fits(&nested.attributes, prior, config),
        }
    }
}

/// Elements of a list or map: each with the prior element of the same key.
fn propose_keyed(content: Content<'_>, prior: &Value, config: &Value) -> Value {
    let propose = |(key, item): &(crate::parts::Key, &Value)| {
        if !prior.is_known() {
            return content.propose(&Value::unknown(content.ty()), item);
        }
        match element(prior, key) {
            Some(prior) => content.propose(prior, item),
            None => (*item).clone(),
        }
    };
    let items: Vec<Value> = keyed(config).iter().map(propose).collect();
    if items.is_empty() {
        config.clone()
    } else {
        with_elements(config, items)
    }
}

/// Elements of a set: each with the first unused prior element that configuration can have led to.
fn propose_set(content: Content<'_>, prior: &Value, config: &Value) -> Value {
    let Kind::Set(_, items) = config.kind() else {
        return config.clone();
    };
    if items.is_empty() {
        return config.clone();
    }
    let mut unused: Vec<Option<&Value>> = prior
        .as_sequence()
        .unwrap_or_default()
        .iter()
        .map(Some)
        .collect();
    let nothing = Value::null(content.ty());
    let proposed = items
        .iter()
        .map(|item| {
            let place = unused
                .iter()
                .position(|prior| prior.is_some_and(|prior| content.fits(prior, item)));
            let prior = place.and_then(|place| unused[place].take());
            content.propose(prior.unwrap_or(&nothing), item)
        })
        .collect();
    with_elements(config, proposed)
}

fn propose_attributes(
    schema: &BTreeMap<Text, Attribute>,
    prior: &Value,
    config: &Value,
) -> BTreeMap<Text, Value> {
    let propose = |(name, schema): (&Text, &Attribute)| {
        let ty = || schema.value_type();
        let (prior, config) = (attribute(prior, name, ty), attribute(config, name, ty));
        let proposed = match schema.nested() {
            _ if schema.computed && config.is_null() => {
                if was_configured(schema, &prior) {
                    config
                } else {
                    prior
                }
            }
            Some(nested) => propose_nested_attribute(nested, &prior, &config),
            None => config,
        };
        (name.clone(), proposed)
    };
    schema.iter().map(propose).collect()
}

/// Whether the prior value of an optional attribute holds something that only configuration can have set, so that it
/// cannot be kept when configuration does not set it any more.
fn was_configured(schema: &Attribute, prior: &Value) -> bool {
    schema.optional
        && schema
            .nested()
            .is_some_and(|nested| holds_configured(nested, prior))
}

fn holds_configured(nested: &NestedObject, value: &Value) -> bool {
    let object_holds = |object: &Value| {
        nested
            .attributes
            .iter()
            .any(|(name, schema)| match object.get(name) {
                Some(part) if !part.is_null() => {
                    !schema.computed
                        || schema
                            .nested()
                            .is_some_and(|nested| holds_configured(nested, part))
                }
                _ => false,
            })
    };
    match nested.nesting {
        Nesting::Single => object_holds(value),
        Nesting::List | Nesting::Set => value
            .as_sequence()
            .unwrap_or_default()
            .iter()
            .any(object_holds),
        Nesting::Map => value
            .as_entries()
            .is_some_and(|entries| entries.values().any(object_holds)),
    }
}

/// Whether `prior` can have come of `config`: they differ only in computed attributes that `config` leaves null.
fn block_fits(schema: &Block, prior: &Value, config: &Value) -> bool {
    same_unrefined(prior, config)
        || (!is_set(config)
            && parts_fit(prior, config, |name, prior, config| {
                if let Some(attribute) = schema.attributes.get(name) {
                    attribute_fits(attribute, prior, config)
                } else if let Some(nested) = schema.blocks.get(name) {
                    nested_block_fits(nested, prior, config)
                } else {
                    true
                }
            }))
}

fn object_fits(schema: &BTreeMap<Text, Attribute>, prior: &Value, config: &Value) -> bool {
    same_unrefined(prior, config)
        || (!is_set(config)
            && parts_fit(prior, config, |name, prior, config| {
                schema
                    .get(name)
                    .is_none_or(|attribute| attribute_fits(attribute, prior, config))
            }))
}

fn attribute_fits(schema: &Attribute, prior: &Value, config: &Value) -> bool {
    if same_unrefined(prior, config) {
        return true;
    }
    if is_set(config) {
        return false;
    }
    match schema.nested() {
        Some(nested) if nested.nesting == Nesting::Single => {
            object_fits(&nested.attributes, prior, config)
        }
        Some(nested) => elements_fit(prior, config, |prior, config| {
            object_fits(&nested.attributes, prior, config)
        }),
        None => schema.computed && config.is_null(),
    }
}

fn nested_block_fits(nested: &NestedBlock, prior: &Value, config: &Value) -> bool {
    if same_unrefined(prior, config) {
        return true;
    }
    if is_set(config) {
        return false;
    }
    match nested.nesting {
        BlockNesting::Single | BlockNesting::Group => block_fits(&nested.block, prior, config),
        _ => elements_fit(prior, config, |prior, config| {
            block_fits(&nested.block, prior, config)
        }),
    }
}

/// Whether every attribute of `prior` fits that of `config`; one that `config` does not have never does.
fn parts_fit(prior: &Value, config: &Value, fits: impl Fn(&str, &Value, &Value) -> bool) -> bool {
    let Some(entries) = prior.as_entries() else {
        return true;
    };
    entries.iter().all(|(name, prior)| {
        config
            .get(name)
            .is_some_and(|config| fits(name, prior, config))
    })
}

fn elements_fit(prior: &Value, config: &Value, fits: impl Fn(&Value, &Value) -> bool) -> bool {
    keyed(prior)
        .into_iter()
        .all(|(key, prior)| element(config, &key).is_some_and(|config| fits(prior, config)))
}

fn is_set(value: &Value) -> bool {
    match value.kind() {
        Kind::Set(..) => true,
        Kind::Null(Type::Set(_)) => true,
        Kind::Unknown(unknown) => matches!(unknown.0, Type::Set(_)),
        _ => false,
    }
}

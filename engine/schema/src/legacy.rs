//! Objects from providers built on the legacy SDK, brought into the shape that others keep to.

use terrace_value::{Kind, Type, Value};

use crate::parts::{attribute, with_elements};
use crate::{Block, BlockNesting, NestedBlock};

/// Makes nested blocks of `value` neither null nor unknown themselves: absent lists and sets of blocks become empty, unknown ones
/// hold one block whose attributes are unknown. Marks are kept.
pub fn normalize_from_legacy_sdk(schema: &Block, value: &Value) -> Value {
    let (plain, marks) = value.unmark_deep_with_paths();
    normalize(schema, &plain).mark_with_paths(&marks)
}

fn normalize(schema: &Block, value: &Value) -> Value {
    if value.is_null() {
        return Value::null(schema.implied_type());
    }
    if !value.is_known() || schema.blocks.is_empty() {
        return value.clone();
    }
    let attributes = schema
        .attributes
        .iter()
        .map(|(name, schema)| (name.clone(), attribute(value, name, || schema.value_type())));
    let blocks = schema.blocks.iter().map(|(name, nested)| {
        (
            name.clone(),
            normalize_nested(nested, &attribute(value, name, || nested.value_type())),
        )
    });
    Value::object(attributes.chain(blocks))
}

fn normalize_nested(nested: &NestedBlock, value: &Value) -> Value {
    // That SDK knows no dynamic types: where there are some, another made the value.
    if nested.block.implied_type().has_dynamic() {
        return value.clone();
    }
    match nested.nesting {
        BlockNesting::Single | BlockNesting::Group if !value.is_known() => {
            unknown_block(&nested.block)
        }
        BlockNesting::Group if value.is_null() => nested.empty_value(),
        BlockNesting::Single | BlockNesting::Group => normalize(&nested.block, value),
        BlockNesting::List | BlockNesting::Set => match value.kind() {
            Kind::Unknown(_) => one_unknown(nested),
            Kind::List(_, items) | Kind::Set(_, items) => with_elements(
                value,
                items
                    .iter()
                    .map(|item| normalize(&nested.block, item))
                    .collect(),
            ),
            _ => nested.empty_value(),
        },
        BlockNesting::Map => value.clone(),
    }
}

/// A block whose leaves are unknown.
fn unknown_block(schema: &Block) -> Value {
    let attributes = schema
        .attributes
        .iter()
        .map(|(name, schema)| (name.clone(), Value::unknown(schema.value_type())));
    let blocks = schema
        .blocks
        .iter()
        .map(|(name, nested)| (name.clone(), unknown_nested(nested)));
    Value::object(attributes.chain(blocks))
}

fn unknown_nested(nested: &NestedBlock) -> Value {
    match nested.nesting {
        BlockNesting::Single | BlockNesting::Group => unknown_block(&nested.block),
        BlockNesting::List | BlockNesting::Set => one_unknown(nested),
        BlockNesting::Map => nested.empty_value(),
    }
}

fn one_unknown(nested: &NestedBlock) -> Value {
    let ty: Type = nested.block.implied_type();
    match nested.nesting {
        BlockNesting::Set => Value::set(ty, [unknown_block(&nested.block)]),
        _ => Value::list(ty, [unknown_block(&nested.block)]),
    }
}

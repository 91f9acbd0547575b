mod checks;
mod proposals;
mod shapes;

use terrace_value::{Kind, Text, Type, Value};

use crate::{Attribute, AttributeType, Block, BlockNesting, NestedBlock, NestedObject, Nesting};

fn s(text: &str) -> Value {
    Value::string(text)
}

fn null() -> Value {
    Value::null(Type::String)
}

fn unknown() -> Value {
    Value::unknown(Type::String)
}

fn block(attributes: &[(&str, Attribute)], blocks: &[(&str, NestedBlock)]) -> Block {
    Block {
        attributes: attributes
            .iter()
            .map(|(name, attribute)| (Text::from(*name), attribute.clone()))
            .collect(),
        blocks: blocks
            .iter()
            .map(|(name, nested)| (Text::from(*name), nested.clone()))
            .collect(),
        ..Block::default()
    }
}

fn nested_block(nesting: BlockNesting, block: Block) -> NestedBlock {
    NestedBlock {
        block,
        nesting,
        min_items: 0,
        max_items: 0,
    }
}

fn nested_attribute(nesting: Nesting, attributes: &[(&str, Attribute)]) -> Attribute {
    let attributes = attributes
        .iter()
        .map(|(name, attribute)| (Text::from(*name), attribute.clone()))
        .collect();
    let ty = AttributeType::Nested(NestedObject {
        attributes,
        nesting,
    });
    Attribute {
        ty,
        ..Attribute::optional(Type::String)
    }
}

/// An object schema with an optional, a computed and an optional computed string.
fn leaf() -> Block {
    block(
        &[
            ("name", Attribute::optional(Type::String)),
            ("id", Attribute::computed(Type::String)),
            ("size", Attribute::optional_computed(Type::String)),
        ],
        &[],
    )
}

fn leaf_value(name: Value, id: Value, size: Value) -> Value {
    Value::object([("name", name), ("id", id), ("size", size)])
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::list(leaf().implied_type(), items)
}

fn set(items: impl IntoIterator<Item = Value>) -> Value {
    Value::set(leaf().implied_type(), items)
}

fn only(name: &str, value: Value) -> Value {
    Value::object([(name, value)])
}

fn elements(value: &Value, name: &str) -> Vec<Value> {
    match value.get(name).map(Value::kind) {
        Some(Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items)) => items.to_vec(),
        Some(Kind::Map(_, entries) | Kind::Object(entries)) => entries.values().cloned().collect(),
        _ => Vec::new(),
    }
}

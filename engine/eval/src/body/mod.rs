//! Reading bodies by schemas.

mod dynamic;
mod ephemeral;
mod meta;
mod place;
mod provider_meta;
mod read;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrace_addr::{AbsProviderConfig, AbsResourceInstance, ResourceMode};
use terrace_config::{ForEachOrCount, ResourceConfig};
use terrace_diag::{Diagnostic, Span};
use terrace_schema::{
    self as schema, AttributeType, BlockNesting, NestedBlock, NestedObject, Nesting,
};
use terrace_syntax::{Attribute, Body};
use terrace_value::convert::convert;
use terrace_value::{Marks, ObjectType, Text, Type, Value};

use crate::expression::{Frame, Run};
use crate::{Evaluated, Evaluator, RepetitionData, Scope, Unknowns, Values};
use dynamic::Blocks;
use read::Read;

impl Evaluator {
    /// Reads a body by a schema, giving an object of the schema's implied type, with `dynamic` blocks expanded.
    pub fn body(
        &self,
        body: &Body,
        schema: &schema::Block,
        scope: &Scope,
        values: &dyn Values,
    ) -> Evaluated {
        let mut run = Run::new(self, scope, values);
        let value = run.body(body, schema, None);
        run.finish(value)
    }

    /// The configuration of one instance of a resource by its provider's schema; of unknown type without a schema.
    /// Ephemeral values outside write-only arguments are errors.
    pub fn resource_body(
        &self,
        address: &AbsResourceInstance,
        config: &ResourceConfig,
        scope: &Scope,
        values: &dyn Values,
    ) -> Evaluated {
        let Some(schema) = self.resource_schema(config) else {
            return Evaluated::of(Value::dynamic());
        };
        let mut evaluated = self.body(&config.body, &schema.block, scope, values);
        meta::suggest(&config.body, &mut evaluated.diagnostics);
        // Nothing of an ephemeral resource is stored, so that it may read others.
        if address.mode() != ResourceMode::Ephemeral
            && evaluated.value.has_marks_deep(Marks::EPHEMERAL)
            && !evaluated.diagnostics.has_errors()
        {
            for mut diagnostic in
                self.ephemeral_problems(&config.body, &schema.block, &evaluated.value)
            {
                diagnostic.address = Some(address.to_string());
                evaluated.diagnostics.push(diagnostic);
            }
        }
        evaluated
    }

    /// The configuration of a provider by its schema; that of an empty body where there is no block, and of unknown type
    /// without a schema.
    pub fn provider_body(&self, address: &AbsProviderConfig, values: &dyn Values) -> Evaluated {
        let Some(schema) = self.inputs.schemas.get(&address.provider) else {
            return Evaluated::of(Value::dynamic());
        };
        let block = &schema.provider.block;
        let module = address
            .module
            .steps()
            .iter()
            .fold(terrace_addr::ModuleInstance::root(), |module, step| {
                module.child(step.clone(), None)
            });
        match self.provider_block(address) {
            Some(config) => {
                let scope = match (&address.key, &config.for_each) {
                    (None, None) => Scope::module(module),
                    (None, Some(for_each)) => {
                        let repetition = ForEachOrCount::ForEach(for_each.clone());
                        Scope::instance(module, RepetitionData::unknown(&repetition))
                    }
                    (Some(key), _) => {
                        let expanded = self.expand_provider(address, Unknowns::Refuse);
                        let Some(expansion) = expanded.value else {
                            return Evaluated {
                                value: Value::dynamic(),
                                dependencies: expanded.dependencies,
                                diagnostics: expanded.diagnostics,
                            };
                        };
                        Scope::instance(module, expansion.repetition(Some(key)))
                    }
                };
                self.body(&config.body, block, &scope, values)
            }
            None => {
                let span = Span::new(terrace_diag::SourceId(u32::MAX), 0, 0);
                let body = Body {
                    kind: terrace_syntax::BodyKind::Native([].into()),
                    span,
                    missing_span: span,
                };
                let mut evaluated = self.body(&body, block, &Scope::module(module), values);
                for diagnostic in &mut evaluated.diagnostics {
                    diagnostic.subject = None;
                    diagnostic.address = Some(address.to_string());
                }
                evaluated
            }
        }
    }
}

impl Run<'_> {
    /// Reads a body by a schema.
    pub(crate) fn body(
        &mut self,
        body: &Body,
        schema: &schema::Block,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        let read = Read::of(body, schema);
        self.append(read.diagnostics.clone());
        let mut object: BTreeMap<Text, Value> = BTreeMap::new();
        for (name, attribute) in &schema.attributes {
            let value = if let Some(found) = read.attribute(name) {
                self.attribute(found, attribute, frame)
            } else if read.has_blocks(name) {
                self.attribute_as_blocks(name, attribute, &read, body, frame)
            } else {
                if attribute.required {
                    self.missing_argument(name, body);
                }
                Value::null(attribute.value_type())
            };
            object.insert(name.clone(), value);
        }
        for (name, nested) in &schema.blocks {
            let value = self.blocks(name, nested, &read, body, frame);
            object.insert(name.clone(), value);
        }
        Value::object(object)
    }

    fn missing_argument(&mut self, name: &str, body: &Body) {
        let detail = format!("The argument {name:?} is required, but no definition was found.");
        self.error(|| {
            Diagnostic::error("missing-argument", "Missing required argument", detail)
                .at(body.missing_span)
        });
    }

    fn attribute(
        &mut self,
        found: &Attribute,
        attribute: &schema::Attribute,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        let before = self.errors();
        let value = self.whole_in(&found.value, frame);
        let ty: Cow<'_, Type> = match &attribute.ty {
            AttributeType::Plain(ty) => Cow::Borrowed(ty),
            AttributeType::Nested(nested) => Cow::Owned(constraint(nested)),
        };
        if self.errors() > before {
            return Value::unknown(ty.without_optional());
        }
        match convert(&value, &ty) {
            Ok(value) => value,
            Err(error) => {
                let name = &found.name.name;
                self.error_about(&found.value, frame, || {
                    Diagnostic::error(
                        "incorrect-attribute-type",
                        "Incorrect attribute value type",
                        format!("Inappropriate value for attribute {name:?}: {error}."),
                    )
                    .at(found.value.span)
                });
                Value::unknown(ty.without_optional())
            }
        }
    }

    /// An attribute that holds objects may be written as blocks, as old providers have it.
    fn attribute_as_blocks(
        &mut self,
        name: &Text,
        attribute: &schema::Attribute,
        read: &Read<'_>,
        body: &Body,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        let Some(nested) = attribute_block(attribute) else {
            return Value::null(attribute.value_type());
        };
        let ty = attribute.value_type();
        let value = self.blocks(name, &nested, read, body, frame);
        convert(&value, &ty).unwrap_or_else(|_| Value::unknown(ty))
    }

    fn blocks(
        &mut self,
        name: &Text,
        nested: &NestedBlock,
        read: &Read<'_>,
        body: &Body,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        let mut blocks = Blocks::default();
        for block in read.blocks_of(name) {
            if &*block.type_name.name == "dynamic" {
                self.dynamic_block(block, nested, frame, &mut blocks);
                continue;
            }
            let value = self.body(&block.body, &nested.block, frame);
            let label = block.labels.first().map(|label| label.text.clone());
            blocks.push(label, value, block.header_span);
        }
        self.check_number(name, nested, &blocks, body);
        if blocks.unknown {
            let ty = nested.value_type();
            return Value::unknown(ty).with_marks(blocks.marks);
        }
        let marks = blocks.marks;
        self.assemble(name, nested, blocks, frame).with_marks(marks)
    }

    fn assemble(
        &mut self,
        name: &Text,
        nested: &NestedBlock,
        blocks: Blocks,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        match nested.nesting {
            BlockNesting::Single => match blocks.into_values().next() {
                Some(value) => value,
                None => Value::null(nested.block.implied_type()),
            },
            BlockNesting::Group => match blocks.into_values().next() {
                Some(value) => value,
                None => self.empty_group(&nested.block, frame),
            },
            BlockNesting::List => {
                let ty = nested.block.implied_type();
                if ty.has_dynamic() {
                    Value::tuple(blocks.into_values())
                } else {
                    Value::list(ty, blocks.into_values())
                }
            }
            BlockNesting::Set => {
                let ty = nested.block.implied_type();
                if !ty.has_dynamic() {
                    return Value::set(ty, blocks.into_values());
                }
                let items: Vec<Value> = blocks.into_values().collect();
                convert(&Value::tuple(items), &Type::set(Type::Dynamic))
                    .unwrap_or_else(|_| Value::dynamic())
            }
            BlockNesting::Map => {
                let ty = nested.block.implied_type();
                let mut entries: BTreeMap<Text, Value> = BTreeMap::new();
                for (label, value, span) in blocks.items {
                    let key = label.unwrap_or_else(|| Text::from(""));
                    if entries.contains_key(&key) {
                        self.error(|| {
                            Diagnostic::error(
                                "duplicate-block",
                                format!("Duplicate {name} block"),
                                format!(
                                    "Only one block of type {name:?} may have the label {key:?}."
                                ),
                            )
                            .at(span)
                        });
                    }
                    entries.insert(key, value);
                }
                if ty.has_dynamic() {
                    Value::object(entries)
                } else {
                    Value::map(ty, entries)
                }
            }
        }
    }

    fn empty_group(&mut self, schema: &schema::Block, frame: Option<&Frame<'_>>) -> Value {
        let span = Span::new(terrace_diag::SourceId(u32::MAX), 0, 0);
        let body = Body {
            kind: terrace_syntax::BodyKind::Native([].into()),
            span,
            missing_span: span,
        };
        self.quietly(|run| run.body(&body, schema, frame)).0
    }

    fn check_number(&mut self, name: &Text, nested: &NestedBlock, blocks: &Blocks, body: &Body) {
        let count = blocks.items.len() as u64;
        let is_one = matches!(nested.nesting, BlockNesting::Single | BlockNesting::Group);
        if is_one && count > 1 {
            let first = self
                .evaluator
                .inputs
                .config
                .sources
                .place(blocks.items[0].2);
            let span = blocks.items[1].2;
            self.error(|| {
                Diagnostic::error(
                    "duplicate-block",
                    format!("Duplicate {name} block"),
                    format!("Only one block of type {name:?} is allowed. Previous definition was at {first}."),
                )
                .at(span)
            });
        } else if !is_one && nested.max_items > 0 && count > nested.max_items {
            let most = nested.max_items;
            let span = usize::try_from(most)
                .ok()
                .and_then(|most| blocks.items.get(most))
                .map_or(body.missing_span, |item| item.2);
            self.error(|| {
                Diagnostic::error(
                    "too-many-blocks",
                    format!("Too many {name} blocks"),
                    format!("No more than {most} {name:?} blocks are allowed"),
                )
                .at(span)
            });
        } else if count < nested.min_items && !blocks.unknown {
            let least = nested.min_items;
            let (summary, detail) = if is_one {
                (
                    format!("Missing {name} block"),
                    format!("A block of type {name:?} is required here."),
                )
            } else {
                (
                    format!("Insufficient {name} blocks"),
                    format!("At least {least} {name:?} blocks are required."),
                )
            };
            self.error(|| {
                Diagnostic::error("missing-block", summary, detail).at(body.missing_span)
            });
        }
    }
}

/// The type that a nested attribute's value is converted to: only required attributes must be there.
fn constraint(nested: &NestedObject) -> Type {
    let attributes = nested.attributes.iter().map(|(name, attribute)| {
        let ty = match &attribute.ty {
            AttributeType::Plain(ty) => ty.clone(),
            AttributeType::Nested(nested) => constraint(nested),
        };
        (name.clone(), ty)
    });
    let optional: BTreeSet<Text> = nested
        .attributes
        .iter()
        .filter(|(_, attribute)| !attribute.required)
        .map(|(name, _)| name.clone())
        .collect();
    let object = Type::Object(Arc::new(ObjectType {
        attributes: attributes.collect(),
        optional,
    }));
    match nested.nesting {
        Nesting::Single => object,
        Nesting::List => Type::list(object),
        Nesting::Set => Type::set(object),
        Nesting::Map => Type::map(object),
    }
}

/// The block that an attribute of a list or set of objects may be written as.
pub(crate) fn attribute_block(attribute: &schema::Attribute) -> Option<NestedBlock> {
    let AttributeType::Plain(ty) = &attribute.ty else {
        return None;
    };
    let (element, nesting) = match ty {
        Type::List(element) => (element, BlockNesting::List),
        Type::Set(element) => (element, BlockNesting::Set),
        _ => return None,
    };
    let Type::Object(object) = &**element else {
        return None;
    };
    let attributes = object
        .attributes
        .iter()
        .map(|(name, ty)| (name.clone(), schema::Attribute::optional(ty.clone())))
        .collect();
    let block = schema::Block {
        attributes,
        ..schema::Block::default()
    };
    Some(NestedBlock {
        block,
        nesting,
        min_items: 0,
        max_items: 0,
    })
}

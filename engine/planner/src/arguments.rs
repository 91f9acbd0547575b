//! What a body says, whatever its syntax and however many files it comes from.

use std::borrow::Cow;

use terrace_config::{evaluate_constant, references};
use terrace_diag::{Diagnostics, Span};
use terrace_syntax::{Block, BlockSchema, Body, BodyKind, BodySchema, Expr, Item, Traversal};
use terrace_value::Text;

/// An argument of a body, or one of its blocks.
pub(crate) struct Argument<'a> {
    /// Its name; of a block its type.
    pub(crate) name: Cow<'a, Text>,
    /// The argument's value, or the block's header.
    pub(crate) span: Span,
    /// Its value, or all values in the block.
    pub(crate) expressions: Vec<Written<'a>>,
}

/// An expression where it is written.
pub(crate) struct Written<'a> {
    /// The expression.
    pub(crate) expression: Cow<'a, Expr>,
    /// The iterators of the `dynamic` blocks around it, which are no names of the module.
    iterators: Vec<Text>,
}

impl<'a> Written<'a> {
    fn plain(expression: Cow<'a, Expr>) -> Self {
        Self {
            expression,
            iterators: Vec::new(),
        }
    }

    /// What it refers to in its module.
    pub(crate) fn references(&self) -> Vec<&Traversal> {
        let mut found = references(&self.expression);
        found.retain(|traversal| !self.iterators.contains(&traversal.root.name));
        found
    }
}

/// The arguments and blocks of a body, in the order of the source.
pub(crate) fn of(body: &Body) -> Vec<Argument<'_>> {
    let mut found = Vec::new();
    collect(body, &mut found);
    found
}

fn collect<'a>(body: &'a Body, found: &mut Vec<Argument<'a>>) {
    match &body.kind {
        BodyKind::Native(items) => found.extend(items.iter().map(native)),
        BodyKind::Json(_) => {
            let (content, rest, _) = body.partial_content(&dynamic_blocks());
            found.extend(content.blocks.into_iter().map(|block| Argument {
                name: Cow::Owned(type_name(&block).clone()),
                span: block.header_span,
                expressions: dynamic(&block).into_iter().map(owned).collect(),
            }));
            let arguments = rest.just_attributes().0.into_iter();
            found.extend(arguments.map(|(name, attribute)| Argument {
                name: Cow::Owned(name),
                span: attribute.value.span,
                expressions: vec![Written::plain(Cow::Owned(attribute.value))],
            }));
        }
        BodyKind::Merged(parts) => parts.iter().for_each(|part| collect(part, found)),
    }
}

fn native(item: &Item) -> Argument<'_> {
    match item {
        Item::Attribute(attribute) => Argument {
            name: Cow::Borrowed(&attribute.name.name),
            span: attribute.value.span,
            expressions: vec![Written::plain(Cow::Borrowed(&attribute.value))],
        },
        Item::Block(block) => Argument {
            name: Cow::Borrowed(type_name(block)),
            span: block.header_span,
            expressions: if is_dynamic(block) {
                dynamic(block)
            } else {
                of(&block.body)
                    .into_iter()
                    .flat_map(|argument| argument.expressions)
                    .collect()
            },
        },
    }
}

/// What a `dynamic` block says; its iterator is a name in its labels and its content alone.
fn dynamic(block: &Block) -> Vec<Written<'_>> {
    let arguments = of(&block.body);
    let named = arguments
        .iter()
        .find(|argument| &**argument.name == "iterator")
        .and_then(|argument| name_of(&argument.expressions.first()?.expression));
    let iterator = named.unwrap_or_else(|| type_name(block).clone());
    let mut found = Vec::new();
    for argument in arguments {
        match &**argument.name {
            "iterator" => {}
            "for_each" => found.extend(argument.expressions),
            _ => found.extend(argument.expressions.into_iter().map(|mut written| {
                written.iterators.push(iterator.clone());
                written
            })),
        }
    }
    found
}

/// The name that stands for itself; in JSON a text.
fn name_of(expression: &Expr) -> Option<Text> {
    if let Some(traversal) = references(expression).first() {
        return Some(traversal.root.name.clone());
    }
    let constant = evaluate_constant(expression, &mut Diagnostics::new());
    constant.as_str().map(Text::from)
}

fn owned<'a>(written: Written<'_>) -> Written<'a> {
    Written {
        expression: Cow::Owned(written.expression.into_owned()),
        iterators: written.iterators,
    }
}

/// JSON tells blocks from arguments where it is told which are blocks.
fn dynamic_blocks() -> BodySchema {
    BodySchema {
        attributes: Vec::new(),
        blocks: vec![BlockSchema {
            type_name: "dynamic".into(),
            labels: vec!["type".into()],
        }],
    }
}

fn is_dynamic(block: &Block) -> bool {
    &*block.type_name.name == "dynamic" && !block.labels.is_empty()
}

/// The type of a block; of a `dynamic` one that of the blocks that it makes.
fn type_name(block: &Block) -> &Text {
    match block.labels.first() {
        Some(label) if is_dynamic(block) => &label.text,
        _ => &block.type_name.name,
    }
}

#[cfg(test)]
mod tests {
    use terrace_diag::SourceId;

    use super::*;

    fn read(body: &Body) -> Vec<String> {
        let arguments = of(body);
        let written = arguments.iter().flat_map(|argument| &argument.expressions);
        written
            .flat_map(Written::references)
            .map(|traversal| traversal.root.name.to_string())
            .collect()
    }

    const NATIVE: &str = r#"
        name = var.name
        dynamic "ingress" {
          for_each = local.rules
          content {
            port = ingress.value.port
            dynamic "tag" {
              for_each = ingress.value.tags
              iterator = it
              content {
                key = "${it.key}-${ingress.key}-${aws_vpc.main.id}-${tag.value}"
              }
            }
          }
        }
    "#;

    const JSON: &str = r#"{
        "name": "${var.name}",
        "dynamic": {"ingress": {
            "for_each": "${local.rules}",
            "iterator": "it",
            "content": {"port": "${it.value.port}", "from": "${ingress.value.port}"}
        }}
    }"#;

    #[test]
    fn iterators_are_no_names_of_the_module() {
        let (body, diagnostics) = terrace_syntax::parse(SourceId(0), NATIVE.as_bytes());
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        assert_eq!(read(&body), ["var", "local", "aws_vpc", "tag"]);
    }

    #[test]
    fn neither_are_they_in_json() {
        let (body, diagnostics) = terrace_syntax::parse_json(SourceId(0), JSON.as_bytes());
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let mut found = read(&body);
        found.sort();
        assert_eq!(found, ["ingress", "local", "var"]);
    }
}

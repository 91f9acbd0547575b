//! One body over another.

use std::collections::BTreeSet;

use terrace_syntax::{AttributeSchema, BlockSchema, Body, BodyKind, BodySchema, Item};

/// `base` with what `over` says: its arguments replace those of the same name, its blocks all those of the same type.
///
/// `None` where one is native and the other JSON, and neither is empty.
pub(crate) fn merge_bodies(base: &Body, over: &Body) -> Option<Body> {
    let kind = match (&base.kind, &over.kind) {
        (BodyKind::Native(below), BodyKind::Native(above)) => {
            let replaced: BTreeSet<&str> = above.iter().map(item_name).collect();
            let kept = below
                .iter()
                .filter(|item| !replaced.contains(item_name(item)));
            BodyKind::Native(kept.chain(above.iter()).cloned().collect())
        }
        (BodyKind::Json(_), BodyKind::Json(above)) => {
            let (_, rest, _) = base.partial_content(&names_of(over));
            let below = match rest.kind {
                BodyKind::Json(objects) => objects.to_vec(),
                BodyKind::Native(_) => Vec::new(),
            };
            BodyKind::Json(below.iter().chain(above.iter()).cloned().collect())
        }
        _ if is_empty(over) => base.kind.clone(),
        _ if is_empty(base) => over.kind.clone(),
        _ => return None,
    };
    Some(Body {
        kind,
        span: base.span,
        missing_span: base.missing_span,
    })
}

/// Whether a body holds nothing.
pub(crate) fn is_empty(body: &Body) -> bool {
    match &body.kind {
        BodyKind::Native(items) => items.is_empty(),
        BodyKind::Json(_) => body.just_attributes().0.is_empty(),
    }
}

/// The name that an item goes by: a `dynamic` block goes by that of the blocks it makes.
fn item_name(item: &Item) -> &str {
    match item {
        Item::Attribute(attribute) => &attribute.name.name,
        Item::Block(block) => match block.labels.first() {
            Some(label) if &*block.type_name.name == "dynamic" => &label.text,
            _ => &block.type_name.name,
        },
    }
}

/// A schema of all that a JSON body names.
fn names_of(body: &Body) -> BodySchema {
    let (attributes, _) = body.just_attributes();
    BodySchema {
        attributes: attributes
            .keys()
            .map(|name| AttributeSchema {
                name: name.clone(),
                required: false,
            })
            .collect(),
        blocks: Vec::<BlockSchema>::new(),
    }
}

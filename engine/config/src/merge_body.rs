//! One body over another.

use std::collections::BTreeSet;

use terrace_syntax::{AttributeSchema, BlockSchema, Body, BodyKind, BodySchema, Item, JsonObject};
use terrace_value::Text;

/// `base` overridden by `over`: its arguments replace those of the same name, its blocks all those of the same type. The
/// two may be written in different syntaxes.
pub(crate) fn override_body(base: &Body, over: &Body) -> Body {
    let parts = Parts::of(base, over).into_bodies(base);
    Body {
        kind: BodyKind::Merged(parts.into()),
        ..*base
    }
}

/// `base` with what `inner`, which stands in it, says beside it.
pub(crate) fn join_bodies(base: &Body, inner: &Body) -> Body {
    let mut parts = Parts::of(base, inner).into_bodies(base);
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            Body {
                kind: BodyKind::Merged(parts.into()),
                ..*base
            }
        }
        None => base.clone(),
    }
}

/// Whether a body holds nothing.
pub(crate) fn is_empty(body: &Body) -> bool {
    match &body.kind {
        BodyKind::Native(items) => items.is_empty(),
        BodyKind::Json(_) => body.just_attributes().0.is_empty(),
        BodyKind::Merged(parts) => parts.iter().all(is_empty),
    }
}

/// What a merged body is made of.
#[derive(Default)]
struct Parts {
    items: Vec<Item>,
    objects: Vec<JsonObject>,
}

impl Parts {
    fn of(base: &Body, over: &Body) -> Self {
        let mut parts = Self::default();
        parts.add(base, &names(over));
        parts.add(over, &BTreeSet::new());
        parts
    }

    /// Adds what a body holds, but for what goes by one of the names.
    fn add(&mut self, body: &Body, without: &BTreeSet<Text>) {
        match &body.kind {
            BodyKind::Native(items) => self.items.extend(
                items
                    .iter()
                    .filter(|item| !without.contains(item_name(item)))
                    .cloned(),
            ),
            BodyKind::Json(objects) if without.is_empty() => {
                self.objects.extend(objects.iter().cloned());
            }
            BodyKind::Json(_) => {
                // Blocks made by `dynamic` stand on their own from here on: some of them may have to go.
                let (dynamic, rest, _) = body.partial_content(&dynamic_blocks());
                let dynamic = dynamic.blocks.into_iter().map(Item::Block);
                self.items
                    .extend(dynamic.filter(|item| !without.contains(item_name(item))));
                let (_, rest, _) = rest.partial_content(&arguments(without));
                if let BodyKind::Json(objects) = &rest.kind {
                    self.objects.extend(objects.iter().cloned());
                }
            }
            BodyKind::Merged(parts) => parts.iter().for_each(|part| self.add(part, without)),
        }
    }

    /// What there is in each syntax.
    fn into_bodies(self, place: &Body) -> Vec<Body> {
        let part = |kind| Body { kind, ..*place };
        let mut bodies = Vec::new();
        if !self.items.is_empty() {
            bodies.push(part(BodyKind::Native(self.items.into())));
        }
        if !self.objects.is_empty() {
            bodies.push(part(BodyKind::Json(self.objects.into())));
        }
        bodies
    }
}

/// All names that the arguments and blocks of a body go by.
fn names(body: &Body) -> BTreeSet<Text> {
    match &body.kind {
        BodyKind::Native(items) => items.iter().map(item_name).cloned().collect(),
        BodyKind::Json(_) => {
            let (dynamic, rest, _) = body.partial_content(&dynamic_blocks());
            let dynamic = dynamic
                .blocks
                .into_iter()
                .map(|block| item_name(&Item::Block(block)).clone());
            rest.just_attributes()
                .0
                .into_keys()
                .chain(dynamic)
                .collect()
        }
        BodyKind::Merged(parts) => parts.iter().flat_map(names).collect(),
    }
}

/// The name that an item goes by: a `dynamic` block goes by that of the blocks it makes.
fn item_name(item: &Item) -> &Text {
    match item {
        Item::Attribute(attribute) => &attribute.name.name,
        Item::Block(block) => match block.labels.first() {
            Some(label) if &*block.type_name.name == "dynamic" => &label.text,
            _ => &block.type_name.name,
        },
    }
}

fn dynamic_blocks() -> BodySchema {
    BodySchema {
        attributes: Vec::new(),
        blocks: vec![BlockSchema {
            type_name: "dynamic".into(),
            labels: vec!["type".into()],
        }],
    }
}

fn arguments(names: &BTreeSet<Text>) -> BodySchema {
    BodySchema {
        attributes: names
            .iter()
            .map(|name| AttributeSchema {
                name: name.clone(),
                required: false,
            })
            .collect(),
        blocks: Vec::new(),
    }
}

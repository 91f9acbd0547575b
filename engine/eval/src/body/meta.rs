//! What the language itself takes in the body of a resource, beside what the schema has.

use terrace_diag::{Diagnostics, Span, nearest};
use terrace_syntax::{Body, BodyKind, Item};

const ARGUMENTS: [&str; 5] = ["count", "for_each", "depends_on", "provider", "enabled"];
const BLOCKS: [&str; 4] = ["lifecycle", "provisioner", "connection", "dynamic"];

/// Points to meta-arguments and blocks of the language that are spelt nearly as what the schema does not have.
pub(super) fn suggest(body: &Body, diagnostics: &mut Diagnostics) {
    let BodyKind::Native(items) = &body.kind else {
        return;
    };
    for diagnostic in diagnostics {
        let known: &[&str] = match diagnostic.id {
            "unsupported-argument" => &ARGUMENTS,
            "unsupported-block" => &BLOCKS,
            _ => continue,
        };
        let suggests = diagnostic.hint.is_some() || diagnostic.detail.contains("Did you mean");
        let Some(subject) = diagnostic.subject.filter(|_| !suggests) else {
            continue;
        };
        if let Some(name) = items.iter().find_map(|item| name_at(item, subject))
            && let Some(near) = nearest(name, known.iter().copied())
        {
            diagnostic.hint = Some(format!("did you mean {near:?}?"));
        }
    }
}

/// The name of an item that stands at a place.
fn name_at(item: &Item, place: Span) -> Option<&str> {
    let name = match item {
        Item::Attribute(attribute) => &attribute.name,
        Item::Block(block) => &block.type_name,
    };
    (name.span == place).then_some(&*name.name)
}

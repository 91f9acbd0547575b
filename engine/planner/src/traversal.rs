//! References as they are written: which resource one means, and what it reads of it.

use terrace_addr::{Resource, ResourceMode};
use terrace_syntax::{Step, Traversal};
use terrace_value::Text;

/// The managed or data resource that a reference means, with the steps behind its name; `None` for all else.
pub(crate) fn resource(traversal: &Traversal) -> Option<(Resource, &[Step])> {
    let of = |mode, steps: &'_ [Step]| match steps {
        [Step::Attribute(type_name), Step::Attribute(name), ..] => Some(Resource {
            mode,
            type_name: type_name.name.clone(),
            name: name.name.clone(),
        }),
        _ => None,
    };
    let steps = &traversal.steps[..];
    match &*traversal.root.name {
        "var" | "local" | "module" | "each" | "count" | "path" | "terraform" | "tofu" | "self"
        | "ephemeral" => None,
        "data" => Some((of(ResourceMode::Data, steps)?, &steps[2..])),
        "resource" => Some((of(ResourceMode::Managed, steps)?, &steps[2..])),
        type_name => match steps {
            [Step::Attribute(name), rest @ ..] => {
                Some((Resource::managed(type_name, name.name.clone()), rest))
            }
            _ => None,
        },
    }
}

/// The attribute that the steps behind a resource's name read, of one instance or of each.
pub(crate) fn attribute(steps: &[Step]) -> Option<&Text> {
    match steps {
        [Step::Attribute(ident), ..]
        | [
            Step::Index { .. } | Step::Splat { .. },
            Step::Attribute(ident),
            ..,
        ] => Some(&ident.name),
        _ => None,
    }
}

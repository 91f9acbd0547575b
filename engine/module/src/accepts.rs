//! What a type constraint takes that another does not.

use std::collections::BTreeSet;

use terrace_value::{ObjectType, Text, Type};

use crate::type_text;

/// One difference between two type constraints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeChange {
    /// Where in the type: `.name`, `[*]`; empty for all of it.
    pub path: String,
    /// What differs.
    pub kind: TypeChangeKind,
}

/// How two type constraints differ at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeChangeKind {
    /// Values that were taken are refused.
    Narrowed {
        /// The type that was.
        from: String,
        /// The type that is.
        to: String,
    },
    /// All values that were taken still are, and others too.
    Widened {
        /// The type that was.
        from: String,
        /// The type that is.
        to: String,
    },
    /// An attribute is no longer there: what callers give for it is dropped.
    AttributeRemoved,
    /// An attribute must be given now.
    AttributeRequired,
    /// An attribute that must be given was added.
    RequiredAttributeAdded,
    /// An attribute that may be left out was added.
    OptionalAttributeAdded,
    /// An attribute may be left out now.
    AttributeOptional,
}

impl TypeChangeKind {
    /// Whether callers that were right may be wrong now.
    pub const fn narrows(&self) -> bool {
        matches!(
            self,
            Self::Narrowed { .. }
                | Self::AttributeRemoved
                | Self::AttributeRequired
                | Self::RequiredAttributeAdded
        )
    }
}

impl TypeChange {
    /// It as a sentence.
    pub fn sentence(&self) -> String {
        let place = if self.path.is_empty() {
            "It".to_owned()
        } else {
            format!("`{}`", self.path.trim_start_matches('.'))
        };
        match &self.kind {
            TypeChangeKind::Narrowed { from, to } => {
                format!("{place} was {from} and is {to}, which does not take all that it took.")
            }
            TypeChangeKind::Widened { from, to } => {
                format!("{place} was {from} and is {to}, which takes more.")
            }
            TypeChangeKind::AttributeRemoved => {
                format!("{place} is gone: what callers give for it is dropped without a word.")
            }
            TypeChangeKind::AttributeRequired => {
                format!("{place} was optional and must be given now.")
            }
            TypeChangeKind::RequiredAttributeAdded => {
                format!("{place} is new and must be given.")
            }
            TypeChangeKind::OptionalAttributeAdded => {
                format!("{place} is new and may be left out.")
            }
            TypeChangeKind::AttributeOptional => format!("{place} may be left out now."),
        }
    }
}

/// How `new` differs from `old`, both type constraints of an input.
pub fn type_changes(old: &Type, new: &Type) -> Vec<TypeChange> {
    let mut found = Vec::new();
    walk(old, new, "", &mut found);
    found
}

fn walk(old: &Type, new: &Type, path: &str, found: &mut Vec<TypeChange>) {
    if old == new {
        return;
    }
    let whole = |narrows: bool| {
        let (from, to) = (type_text(old, None), type_text(new, None));
        TypeChange {
            path: path.to_owned(),
            kind: if narrows {
                TypeChangeKind::Narrowed { from, to }
            } else {
                TypeChangeKind::Widened { from, to }
            },
        }
    };
    match (old, new) {
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => walk(a, b, &format!("{path}[*]"), found),
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b.iter()).enumerate() {
                walk(a, b, &format!("{path}[{index}]"), found);
            }
        }
        (Type::Object(a), Type::Object(b)) => objects(a, b, path, found),
        (old, new) => found.push(whole(!takes_all(old, new))),
    }
}

fn objects(old: &ObjectType, new: &ObjectType, path: &str, found: &mut Vec<TypeChange>) {
    let names: BTreeSet<&Text> = old.attributes.keys().chain(new.attributes.keys()).collect();
    for name in names {
        let path = format!("{path}.{name}");
        let was_optional = old.optional.contains(name);
        let is_optional = new.optional.contains(name);
        let kind = match (old.attributes.get(name), new.attributes.get(name)) {
            (Some(_), None) => Some(TypeChangeKind::AttributeRemoved),
            (None, Some(_)) if is_optional => Some(TypeChangeKind::OptionalAttributeAdded),
            (None, Some(_)) => Some(TypeChangeKind::RequiredAttributeAdded),
            (Some(was), Some(is)) => {
                walk(was, is, &path, found);
                match (was_optional, is_optional) {
                    (true, false) => Some(TypeChangeKind::AttributeRequired),
                    (false, true) => Some(TypeChangeKind::AttributeOptional),
                    _ => None,
                }
            }
            (None, None) => None,
        };
        found.extend(kind.map(|kind| TypeChange { path, kind }));
    }
}

/// Whether every value that converts to `old` converts to `new`, for types of different kinds.
fn takes_all(old: &Type, new: &Type) -> bool {
    match (old, new) {
        (_, Type::Dynamic) => true,
        // Numbers and bools convert to strings, and what converts to them is one of these or a string.
        (Type::Number | Type::Bool, Type::String) => true,
        (Type::List(a) | Type::Set(a), Type::List(b) | Type::Set(b)) => type_changes(a, b)
            .iter()
            .all(|change| !change.kind.narrows()),
        (Type::Tuple(items), Type::List(element) | Type::Set(element)) => {
            items.iter().all(|item| {
                type_changes(item, element)
                    .iter()
                    .all(|change| !change.kind.narrows())
            })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrace_diag::{Diagnostics, SourceId};

    fn ty(text: &str) -> Type {
        let (expression, _) = terrace_syntax::parse_expression(SourceId(0), text);
        terrace_config::type_constraint(&expression, &mut Diagnostics::new()).0
    }

    fn narrows(old: &str, new: &str) -> Vec<String> {
        type_changes(&ty(old), &ty(new))
            .into_iter()
            .filter(|change| change.kind.narrows())
            .map(|change| change.path)
            .collect()
    }

    #[test]
    fn what_is_taken_is_decided_at_any_depth() {
        let none: [&str; 0] = [];
        for (old, new) in [
            ("string", "any"),
            ("number", "string"),
            ("list(string)", "set(string)"),
            ("tuple([string, number])", "list(string)"),
            ("object({ a = string })", "object({ a = optional(string) })"),
            (
                "object({ a = string })",
                "object({ a = string, b = optional(number, 1) })",
            ),
        ] {
            assert_eq!(narrows(old, new), none, "{old} to {new}");
        }
        assert_eq!(narrows("string", "number"), [""]);
        assert_eq!(narrows("any", "string"), [""]);
        assert_eq!(narrows("map(string)", "object({ a = string })"), [""]);
        assert_eq!(
            narrows(
                "list(object({ a = string, b = optional(string) }))",
                "list(object({ b = string, c = bool }))"
            ),
            ["[*].a", "[*].b", "[*].c"]
        );
    }
}

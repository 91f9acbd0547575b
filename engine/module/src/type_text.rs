//! Type constraints as the language writes them.

use terrace_config::TypeDefaults;
use terrace_value::{ObjectType, Type, Value};

/// A type constraint as the language writes it, with the defaults of its optional attributes: on one line where that is
/// short, otherwise with an attribute on each line.
pub fn type_text(ty: &Type, defaults: Option<&TypeDefaults>) -> String {
    const SHORT: usize = 60;
    let line = Writer { indent: None }.text(ty, defaults);
    if line.chars().count() <= SHORT {
        line
    } else {
        Writer { indent: Some(0) }.text(ty, defaults)
    }
}

/// A value as the language writes it, on one line; `null` where it has no such form.
pub(crate) fn value_text(value: &Value) -> String {
    let (bare, _) = value.unmark_deep();
    terrace_value::json::simple_encode(&bare).unwrap_or_else(|_| "null".to_owned())
}

#[derive(Clone, Copy)]
struct Writer {
    /// How far lines are indented; `None` for a single line.
    indent: Option<usize>,
}

impl Writer {
    fn text(self, ty: &Type, defaults: Option<&TypeDefaults>) -> String {
        let below = |name: &str| defaults.and_then(|defaults| defaults.children.get(name));
        match ty {
            Type::Dynamic => "any".to_owned(),
            Type::Bool => "bool".to_owned(),
            Type::Number => "number".to_owned(),
            Type::String => "string".to_owned(),
            Type::List(element) => format!("list({})", self.text(element, below(""))),
            Type::Set(element) => format!("set({})", self.text(element, below(""))),
            Type::Map(element) => format!("map({})", self.text(element, below(""))),
            Type::Tuple(elements) => {
                let elements: Vec<String> = elements
                    .iter()
                    .enumerate()
                    .map(|(index, element)| self.text(element, below(&index.to_string())))
                    .collect();
                format!("tuple([{}])", elements.join(", "))
            }
            Type::Object(object) => self.object(object, defaults),
        }
    }

    fn object(self, object: &ObjectType, defaults: Option<&TypeDefaults>) -> String {
        if object.attributes.is_empty() {
            return "object({})".to_owned();
        }
        let inside = Self {
            indent: self.indent.map(|indent| indent + 2),
        };
        let attributes: Vec<String> = object
            .attributes
            .iter()
            .map(|(name, ty)| {
                let below = defaults.and_then(|defaults| defaults.children.get(name));
                let text = inside.text(ty, below);
                if !object.optional.contains(name) {
                    return format!("{name} = {text}");
                }
                let default = defaults.and_then(|defaults| defaults.values.get(name));
                match default.filter(|default| !default.is_null()) {
                    Some(default) => format!("{name} = optional({text}, {})", value_text(default)),
                    None => format!("{name} = optional({text})"),
                }
            })
            .collect();
        match (self.indent, inside.indent) {
            (Some(outer), Some(inner)) => {
                let separator = format!("\n{}", " ".repeat(inner));
                format!(
                    "object({{{separator}{}\n{}}})",
                    attributes.join(&separator),
                    " ".repeat(outer)
                )
            }
            _ => format!("object({{ {} }})", attributes.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrace_diag::{Diagnostics, SourceId};

    fn round(text: &str) -> String {
        let (expression, _) = terrace_syntax::parse_expression(SourceId(0), text);
        let mut problems = Diagnostics::new();
        let (ty, defaults) = terrace_config::type_constraint(&expression, &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        type_text(&ty, Some(&defaults))
    }

    #[test]
    fn types_are_written_as_they_were() {
        for text in [
            "string",
            "list(any)",
            "map(object({ a = optional(string, \"x\"), b = number }))",
            "tuple([bool, set(number)])",
            "object({})",
        ] {
            assert_eq!(round(text), text);
        }
    }

    #[test]
    fn long_objects_have_a_line_for_each_attribute() {
        assert_eq!(
            round(
                "list(object({ alpha = optional(list(string), []), beta = object({ gamma_ray = string }) }))"
            ),
            "list(object({\n  alpha = optional(list(string), [])\n  beta = object({\n    gamma_ray = string\n  })\n}))"
        );
    }
}

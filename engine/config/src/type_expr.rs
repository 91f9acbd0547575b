//! Type constraints, and the defaults of optional attributes in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrace_diag::{Diagnostic, Diagnostics, Span, nearest};
use terrace_syntax::{Call, Expr, ExprKind, with_stack};
use terrace_value::convert::convert;
use terrace_value::{Kind, ObjectType, Text, Type, Value};

use crate::constant::evaluate_constant;
use crate::{TypeDefaults, names, statics};

/// Reads the type constraint of a variable, legacy forms included.
pub(crate) fn variable_type(
    expression: &Expr,
    diagnostics: &mut Diagnostics,
) -> (Type, TypeDefaults) {
    if matches!(expression.kind, ExprKind::Template(_))
        && let Some(text) = statics::literal_text(expression)
    {
        diagnostics.push(quoted_type(&text, expression.span));
        return any();
    }
    match expression.as_keyword().as_deref() {
        Some("list") => (Type::list(Type::Dynamic), TypeDefaults::default()),
        Some("map") => (Type::map(Type::Dynamic), TypeDefaults::default()),
        _ => Reader { diagnostics }
            .constraint(expression)
            .unwrap_or_else(any),
    }
}

/// Reads a type constraint such as `list(object({ a = optional(string, "x") }))`. What is wrong with it is reported,
/// and gives `any`.
pub fn type_constraint(expression: &Expr, diagnostics: &mut Diagnostics) -> (Type, TypeDefaults) {
    Reader { diagnostics }
        .constraint(expression)
        .unwrap_or_else(any)
}

/// `any`, without defaults: what stands for a constraint that cannot be read.
fn any() -> Constraint {
    (Type::Dynamic, TypeDefaults::default())
}

fn quoted_type(text: &str, span: Span) -> Diagnostic {
    let advice = match text {
        "string" => "Remove the quotes around \"string\".",
        "list" => {
            "Remove the quotes around \"list\" and write list(string) instead to explicitly indicate that the list elements are strings."
        }
        "map" => {
            "Remove the quotes around \"map\" and write map(string) instead to explicitly indicate that the map elements are strings."
        }
        _ => {
            return Diagnostic::error(
                "quoted-type",
                "Invalid legacy variable type hint",
                "To provide a full type expression, remove the surrounding quotes and give the type expression directly.",
            )
            .at(span);
        }
    };
    Diagnostic::error(
        "quoted-type",
        "Invalid quoted type constraints",
        format!(
            "Terraform 0.11 and earlier required type constraints to be given in quotes, but that form is now deprecated and will be removed in a future version of Terrace. {advice}"
        ),
    )
    .at(span)
}

struct Reader<'a> {
    diagnostics: &'a mut Diagnostics,
}

type Constraint = (Type, TypeDefaults);

/// Types that are a word.
const WORDS: [&str; 4] = ["string", "number", "bool", "any"];
/// Types that are made of others.
const CONSTRUCTORS: [&str; 5] = ["list", "set", "map", "object", "tuple"];

impl Reader<'_> {
    /// A word that is no type; `near` may have been meant.
    fn unknown<T>(&mut self, detail: String, span: Span, near: Option<&str>) -> Option<T> {
        let problem = Diagnostic::error("invalid-type", "Invalid type specification", detail);
        let problem = problem.at(span);
        self.diagnostics.push(match near {
            Some(near) => problem.hint(format!("did you mean {near}?")),
            None => problem,
        });
        None
    }

    fn problem<T>(&mut self, detail: impl Into<String>, span: Span) -> Option<T> {
        self.diagnostics
            .push(Diagnostic::error("invalid-type", "Invalid type specification", detail).at(span));
        None
    }

    fn constraint(&mut self, expression: &Expr) -> Option<Constraint> {
        with_stack(|| self.constraint_here(expression))
    }

    fn constraint_here(&mut self, expression: &Expr) -> Option<Constraint> {
        if let Some(call) = expression.as_static_call() {
            return self.constructor(&call, expression.span);
        }
        let Some(keyword) = expression.as_keyword() else {
            return self.problem(
                "A type specification is either a primitive type keyword (bool, number, string) or a complex type constructor call, like list(string).",
                expression.span,
            );
        };
        let ty = match &*keyword {
            "bool" => Type::Bool,
            "string" => Type::String,
            "number" => Type::Number,
            "any" => Type::Dynamic,
            name @ ("list" | "set" | "map") => {
                return self.problem(
                    format!("The {name} type constructor requires one argument specifying the element type."),
                    expression.span,
                );
            }
            "object" => {
                return self.problem(
                    "The object type constructor requires one argument specifying the attribute types and values as a map.",
                    expression.span,
                );
            }
            "tuple" => {
                return self.problem(
                    "The tuple type constructor requires one argument specifying the element types as a list.",
                    expression.span,
                );
            }
            name => {
                return self.unknown(
                    format!("The keyword \"{name}\" is not a valid type specification."),
                    expression.span,
                    nearest(name, WORDS.into_iter().chain(CONSTRUCTORS)),
                );
            }
        };
        Some((ty, TypeDefaults::default()))
    }

    fn constructor(&mut self, call: &Call, span: Span) -> Option<Constraint> {
        let parentheses = call.open_span.to(call.close_span);
        let name = &*call.name;
        match name {
            "bool" | "string" | "number" => {
                return self.problem(
                    format!("Primitive type keyword \"{name}\" does not expect arguments."),
                    parentheses,
                );
            }
            "any" => {
                return self.problem(
                    "Type constraint keyword \"any\" does not expect arguments.",
                    parentheses,
                );
            }
            "optional" => {
                return self.problem(
                    "Keyword \"optional\" is valid only as a modifier for object type attributes.",
                    call.name_span,
                );
            }
            "list" | "set" | "map" | "object" | "tuple" => {}
            _ => {
                return self.unknown(
                    format!("Keyword \"{name}\" is not a valid type constructor."),
                    span,
                    nearest(name, CONSTRUCTORS),
                );
            }
        }
        let argument = match call.args.as_slice() {
            [argument] => argument,
            arguments => {
                let place = match arguments {
                    [_, second, .., last] => second.span.to(last.span),
                    [_, second] => second.span,
                    _ => parentheses,
                };
                let what = match name {
                    "object" => "the attribute types and values as a map",
                    "tuple" => "the element types as a list",
                    _ => "the element type",
                };
                return self.problem(
                    format!("The {name} type constructor requires one argument specifying {what}."),
                    place,
                );
            }
        };
        match name {
            "object" => self.object(argument),
            "tuple" => self.tuple(argument),
            _ => {
                let (element, defaults) = self.constraint(argument)?;
                let ty = match name {
                    "list" => Type::list(element),
                    "set" => Type::set(element),
                    _ => Type::map(element),
                };
                Some((ty, TypeDefaults::around("".into(), defaults)))
            }
        }
    }

    fn tuple(&mut self, argument: &Expr) -> Option<Constraint> {
        let ExprKind::Tuple(items) = &argument.kind else {
            return self.problem(
                "Tuple type constructor requires a list of element types.",
                argument.span,
            );
        };
        let mut elements = Vec::new();
        let mut defaults = TypeDefaults::default();
        for (index, item) in items.iter().enumerate() {
            let (ty, below) = self.constraint(item).unwrap_or_else(any);
            elements.push(ty);
            if !below.is_empty() {
                defaults.children.insert(index.to_string().into(), below);
            }
        }
        Some((Type::tuple(elements), defaults))
    }

    fn object(&mut self, argument: &Expr) -> Option<Constraint> {
        let ExprKind::Object(items) = &argument.kind else {
            return self.problem(
                "Object type constructor requires a map whose keys are attribute names and whose values are the corresponding attribute types.",
                argument.span,
            );
        };
        let mut attributes: BTreeMap<Text, Type> = BTreeMap::new();
        let mut optional: BTreeSet<Text> = BTreeSet::new();
        let mut defaults = TypeDefaults::default();
        for item in items {
            let span = statics::key_span(&item.key);
            let Some(name) = Self::attribute_name(&item.key) else {
                self.problem::<()>("Object constructor map keys must be attribute names.", span);
                continue;
            };
            if attributes.contains_key(&name) {
                self.problem::<()>("Object constructor map keys must be unique.", span);
                continue;
            }
            let (constraint, default) = match &item.value.kind {
                ExprKind::Call(call) if &*call.name == "optional" => {
                    optional.insert(name.clone());
                    self.optional(call)
                }
                _ => (self.constraint(&item.value), None),
            };
            let (ty, below) = constraint.unwrap_or_else(any);
            attributes.insert(name.clone(), ty);
            if !below.is_empty() {
                defaults.children.insert(name.clone(), below);
            }
            if let Some(default) = default {
                defaults.values.insert(name, default);
            }
        }
        Some((
            Type::Object(Arc::new(ObjectType {
                attributes,
                optional,
            })),
            defaults,
        ))
    }

    fn attribute_name(key: &terrace_syntax::ObjectKey) -> Option<Text> {
        match key {
            terrace_syntax::ObjectKey::Name(ident) => Some(ident.name.clone()),
            terrace_syntax::ObjectKey::Expr(Expr {
                kind: ExprKind::Parens(_),
                ..
            }) => None,
            terrace_syntax::ObjectKey::Expr(expression) => {
                let name = expression.as_keyword()?;
                names::is_valid(&name).then_some(name)
            }
        }
    }

    /// `optional(type)` or `optional(type, default)`.
    fn optional(&mut self, call: &Call) -> (Option<Constraint>, Option<Value>) {
        let parentheses = call.open_span.to(call.close_span);
        let (ty, default) = match call.args.as_slice() {
            [ty] => (ty, None),
            [ty, default] => (ty, Some(default)),
            [] => {
                let detail =
                    "Optional attribute modifier requires the attribute type as its argument.";
                return (self.problem(detail, parentheses), None);
            }
            _ => {
                let detail = "Optional attribute modifier expects at most two arguments: the attribute type, and a default value.";
                return (self.problem(detail, parentheses), None);
            }
        };
        let Some((ty, below)) = self.constraint(ty) else {
            return (None, None);
        };
        let default = default.and_then(|default| self.default(default, &ty, &below));
        (Some((ty, below)), default)
    }

    fn default(&mut self, expression: &Expr, ty: &Type, below: &TypeDefaults) -> Option<Value> {
        let before = self.diagnostics.len();
        let value = evaluate_constant(expression, self.diagnostics);
        if self.diagnostics.len() > before {
            return None;
        }
        match convert(&below.apply(&value), ty) {
            Ok(value) => Some(value),
            Err(error) => {
                let detail = format!(
                    "This default value is not compatible with the attribute's type constraint: {}.",
                    conversion_text(&error)
                );
                let summary = "Invalid default value for optional attribute";
                self.diagnostics.push(
                    Diagnostic::error("invalid-optional-default", summary, detail)
                        .at(expression.span),
                );
                None
            }
        }
    }
}

/// A conversion error with the place of the part that does not fit, as sentences of the reference have it.
pub(crate) fn conversion_text(error: &terrace_value::convert::ConversionError) -> String {
    if error.path.is_root() {
        error.message.clone()
    } else {
        format!("{}: {}", error.path, error.message)
    }
}

impl TypeDefaults {
    /// Whether there is no default at any depth.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.children.is_empty()
    }

    /// Defaults below one place.
    fn around(place: Text, below: Self) -> Self {
        let mut outer = Self::default();
        if !below.is_empty() {
            outer.children.insert(place, below);
        }
        outer
    }

    /// Puts defaults where `value` leaves optional attributes out or null. To be done before converting to the type
    /// that the defaults belong to; the result's collections may have become objects and tuples.
    #[must_use]
    pub fn apply(&self, value: &Value) -> Value {
        if self.is_empty() {
            return value.clone();
        }
        let result = match value.kind() {
            Kind::Unknown(_)
            | Kind::Null(_)
            | Kind::Bool(_)
            | Kind::Number(_)
            | Kind::String(_) => return value.clone(),
            Kind::List(_, items) | Kind::Set(_, items) if items.is_empty() => return value.clone(),
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
                let each = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.below(&index.to_string(), item));
                Value::tuple(each.collect::<Vec<_>>())
            }
            Kind::Map(_, entries) | Kind::Object(entries) => self.apply_to_entries(entries),
        };
        result.with_marks(value.marks())
    }

    fn apply_to_entries(&self, entries: &BTreeMap<Text, Value>) -> Value {
        let mut result: BTreeMap<Text, Value> = BTreeMap::new();
        for (name, value) in entries {
            let present = match self.values.get(name) {
                Some(default) if value.is_null() => default,
                _ => value,
            };
            result.insert(name.clone(), self.below(name, present));
        }
        for (name, default) in &self.values {
            if !entries.contains_key(name) {
                result.insert(name.clone(), self.below(name, default));
            }
        }
        Value::object(result)
    }

    fn below(&self, place: &str, value: &Value) -> Value {
        match self.children.get(place).or_else(|| self.children.get("")) {
            Some(defaults) => defaults.apply(value),
            None => value.clone(),
        }
    }
}

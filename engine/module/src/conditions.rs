//! Whether what passed some conditions passes others.
//!
//! Nothing is evaluated: a condition is taken apart as far as its form is known (`&&`, `||`, comparisons with numbers,
//! membership in a list of constants, the length of something), and what is of another form implies only itself.

use std::collections::BTreeSet;

use terrace_syntax::{BinaryOp, Call, Expr, ExprKind, UnaryOp, with_stack};
use terrace_value::{Kind, Number, Value};

use crate::canonical::{canonical, constant};
use crate::interface::Condition;

/// Those of `new` that may refuse what passed all of `old`.
pub(crate) fn narrowed<'a>(old: &[Condition], new: &'a [Condition]) -> Vec<&'a Condition> {
    let held = Formula::All(
        old.iter()
            .map(|condition| Formula::of(&condition.expression))
            .collect(),
    );
    new.iter()
        .filter(|condition| !implies(&held, &Formula::of(&condition.expression)))
        .collect()
}

/// A condition as far as its form is known.
#[derive(Clone, Debug, PartialEq)]
enum Formula {
    /// All of these.
    All(Vec<Self>),
    /// At least one of these.
    Any(Vec<Self>),
    /// A thing is one of these values.
    OneOf(String, BTreeSet<Value>),
    /// A thing is none of these values.
    NoneOf(String, BTreeSet<Value>),
    /// A thing is at least this, or more than this.
    AtLeast(String, Number, Edge),
    /// A thing is at most this, or less than this.
    AtMost(String, Number, Edge),
    /// Anything else: its text.
    Opaque(String),
}

/// Whether a limit is allowed itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    Included,
    Excluded,
}

impl Formula {
    fn of(expression: &Expr) -> Self {
        with_stack(|| Self::here(expression))
    }

    fn here(expression: &Expr) -> Self {
        match &expression.kind {
            ExprKind::Parens(inner) | ExprKind::TemplateWrap(inner) => Self::of(inner),
            ExprKind::Binary { op, left, right } => match op {
                BinaryOp::And => Self::All(vec![Self::of(left), Self::of(right)]),
                BinaryOp::Or => Self::Any(vec![Self::of(left), Self::of(right)]),
                _ => Self::comparison(*op, left, right)
                    .unwrap_or_else(|| Self::Opaque(canonical(expression))),
            },
            ExprKind::Call(call) => {
                Self::call(call).unwrap_or_else(|| Self::Opaque(canonical(expression)))
            }
            ExprKind::Unary {
                op: UnaryOp::Not,
                operand,
            } => Self::of(operand)
                .negated()
                .unwrap_or_else(|| Self::Opaque(canonical(expression))),
            _ => Self::Opaque(canonical(expression)),
        }
    }

    fn comparison(op: BinaryOp, left: &Expr, right: &Expr) -> Option<Self> {
        if let Some(value) = constant(right) {
            return Self::compared(op, canonical(left), value);
        }
        let mirrored = match op {
            BinaryOp::Greater => BinaryOp::Less,
            BinaryOp::GreaterOrEqual => BinaryOp::LessOrEqual,
            BinaryOp::Less => BinaryOp::Greater,
            BinaryOp::LessOrEqual => BinaryOp::GreaterOrEqual,
            other => other,
        };
        Self::compared(mirrored, canonical(right), constant(left)?)
    }

    fn compared(op: BinaryOp, thing: String, value: Value) -> Option<Self> {
        let number = value.as_number().cloned();
        Some(match op {
            BinaryOp::Equal => Self::OneOf(thing, BTreeSet::from([value])),
            BinaryOp::NotEqual => Self::NoneOf(thing, BTreeSet::from([value])),
            BinaryOp::Greater => Self::AtLeast(thing, number?, Edge::Excluded),
            BinaryOp::GreaterOrEqual => Self::AtLeast(thing, number?, Edge::Included),
            BinaryOp::Less => Self::AtMost(thing, number?, Edge::Excluded),
            BinaryOp::LessOrEqual => Self::AtMost(thing, number?, Edge::Included),
            _ => return None,
        })
    }

    /// `contains([…], thing)`, also as `contains(toset([…]), thing)`; `alltrue([…])` and `anytrue([…])` of a list that
    /// is written out.
    fn call(call: &Call) -> Option<Self> {
        let name = call.name.strip_prefix("core::").unwrap_or(&call.name);
        match (name, call.args.as_slice()) {
            ("contains", [list, thing]) => {
                let values = constant(uncast(list))?;
                let values = values.as_sequence()?.iter().cloned().collect();
                Some(Self::OneOf(canonical(thing), values))
            }
            ("alltrue", [list]) => Some(Self::All(list.as_list()?.iter().map(Self::of).collect())),
            ("anytrue", [list]) => Some(Self::Any(list.as_list()?.iter().map(Self::of).collect())),
            _ => None,
        }
    }

    fn negated(self) -> Option<Self> {
        let all = |formulas: Vec<Self>| -> Option<Vec<Self>> {
            formulas.into_iter().map(Self::negated).collect()
        };
        Some(match self {
            Self::All(formulas) => Self::Any(all(formulas)?),
            Self::Any(formulas) => Self::All(all(formulas)?),
            Self::OneOf(thing, values) => Self::NoneOf(thing, values),
            Self::NoneOf(thing, values) => Self::OneOf(thing, values),
            Self::AtLeast(thing, limit, edge) => Self::AtMost(thing, limit, edge.other()),
            Self::AtMost(thing, limit, edge) => Self::AtLeast(thing, limit, edge.other()),
            Self::Opaque(_) => return None,
        })
    }
}

impl Edge {
    const fn other(self) -> Self {
        match self {
            Self::Included => Self::Excluded,
            Self::Excluded => Self::Included,
        }
    }
}

/// The list within `toset(…)` and `tolist(…)`.
fn uncast(expression: &Expr) -> &Expr {
    match &expression.kind {
        ExprKind::Parens(inner) => uncast(inner),
        ExprKind::Call(call) if matches!(&*call.name, "toset" | "tolist") => {
            call.args.first().map_or(expression, uncast)
        }
        _ => expression,
    }
}

/// Whether `then` holds wherever `held` does. `false` means only that it could not be shown.
fn implies(held: &Formula, then: &Formula) -> bool {
    if held == then {
        return true;
    }
    match (held, then) {
        (_, Formula::All(parts)) => parts.iter().all(|part| implies(held, part)),
        (Formula::Any(parts), _) => parts.iter().all(|part| implies(part, then)),
        (_, Formula::Any(parts)) => {
            parts.iter().any(|part| implies(held, part)) || values_covered(held, parts)
        }
        (Formula::All(parts), _) => parts.iter().any(|part| implies(part, then)),
        (Formula::OneOf(thing, values), Formula::OneOf(other, allowed)) => {
            thing == other && values.is_subset(allowed)
        }
        (Formula::OneOf(thing, values), Formula::NoneOf(other, refused)) => {
            thing == other && values.is_disjoint(refused)
        }
        (Formula::NoneOf(thing, refused), Formula::NoneOf(other, still)) => {
            thing == other && still.is_subset(refused)
        }
        (Formula::OneOf(thing, values), Formula::AtLeast(other, limit, edge)) => {
            thing == other && values.iter().all(|value| above(value, limit, *edge))
        }
        (Formula::OneOf(thing, values), Formula::AtMost(other, limit, edge)) => {
            thing == other && values.iter().all(|value| below(value, limit, *edge))
        }
        (Formula::AtLeast(thing, was, first), Formula::AtLeast(other, is, second)) => {
            thing == other && (is < was || is == was && included(*first, *second))
        }
        (Formula::AtMost(thing, was, first), Formula::AtMost(other, is, second)) => {
            thing == other && (is > was || is == was && included(*first, *second))
        }
        (Formula::AtLeast(thing, was, edge), Formula::NoneOf(other, refused)) => {
            thing == other && refused.iter().all(|value| !above(value, was, *edge))
        }
        (Formula::AtMost(thing, was, edge), Formula::NoneOf(other, refused)) => {
            thing == other && refused.iter().all(|value| !below(value, was, *edge))
        }
        _ => false,
    }
}

/// Whether each of the values that a thing may be makes one of `parts` true.
fn values_covered(held: &Formula, parts: &[Formula]) -> bool {
    match held {
        Formula::OneOf(thing, values) => values.iter().all(|value| {
            let one = Formula::OneOf(thing.clone(), BTreeSet::from([value.clone()]));
            parts.iter().any(|part| implies(&one, part))
        }),
        Formula::All(held) => held.iter().any(|one| values_covered(one, parts)),
        _ => false,
    }
}

/// Whether a limit of the edge `first` lies within one of the edge `second` at the same number.
const fn included(first: Edge, second: Edge) -> bool {
    matches!(
        (first, second),
        (Edge::Excluded, _) | (Edge::Included, Edge::Included)
    )
}

fn above(value: &Value, limit: &Number, edge: Edge) -> bool {
    matches!(value.kind(), Kind::Number(number)
        if number > limit || number == limit && edge == Edge::Included)
}

fn below(value: &Value, limit: &Number, edge: Edge) -> bool {
    matches!(value.kind(), Kind::Number(number)
        if number < limit || number == limit && edge == Edge::Included)
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrace_diag::SourceId;

    fn formula(text: &str) -> Formula {
        let (expression, problems) = terrace_syntax::parse_expression(SourceId(0), text);
        assert!(problems.is_empty(), "{problems:?}");
        Formula::of(&expression)
    }

    fn holds(held: &str, then: &str) -> bool {
        implies(&formula(held), &formula(then))
    }

    #[test]
    fn weaker_conditions_follow_from_stronger_ones() {
        for (held, then) in [
            ("var.n > 3", "var.n >= 3"),
            ("var.n >= 3", "2 < var.n"),
            ("var.n == 4", "var.n > 3 && var.n < 5"),
            (
                "contains([\"a\", \"b\"], var.s)",
                "contains(toset([\"c\", \"b\", \"a\"]), var.s)",
            ),
            (
                "contains([\"a\", \"b\"], var.s)",
                "var.s == \"a\" || var.s == \"b\"",
            ),
            ("var.s == \"a\" || var.s == \"b\"", "var.s != \"c\""),
            ("var.n > 0", "var.n != 0"),
            ("!(var.n < 3)", "var.n >= 3"),
            (
                "can(regex(\"^a\", var.s)) && length(var.s) <= 5",
                "length(var.s) < 10",
            ),
            ("alltrue([var.n > 1, var.n < 9])", "var.n < 10"),
            ("( var.x  ==  null )", "var.x == null || length(var.x) > 0"),
        ] {
            assert!(holds(held, then), "{held} gives {then}");
        }
    }

    #[test]
    fn stronger_conditions_do_not_follow() {
        for (held, then) in [
            ("var.n >= 3", "var.n > 3"),
            ("var.n >= 3", "var.m >= 3"),
            ("var.n < 10", "var.n < 9"),
            (
                "contains([\"a\", \"b\"], var.s)",
                "contains([\"a\"], var.s)",
            ),
            ("var.s == \"a\" || var.s == \"b\"", "var.s == \"a\""),
            ("can(regex(\"^a\", var.s))", "can(regex(\"^b\", var.s))"),
            ("length(var.s) > 0", "length(var.s) > 0 && var.s != \"x\""),
        ] {
            assert!(!holds(held, then), "{held} does not give {then}");
        }
    }
}

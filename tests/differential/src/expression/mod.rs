//! Random expressions, most of them well typed.

mod call;
mod kind;
mod literal;
mod operation;
mod quoted;
mod signature;

use crate::node::{Node, compound};
use crate::random::Random;
use crate::scaffold::{self, Standing};

pub(crate) use kind::Kind;
use kind::NAMES;
use signature::Signature;

/// How many of a hundred expressions have another type than wanted.
const MISTYPED: usize = 4;

/// What the names of iterators begin with; a number follows, and none is used twice.
const ITERATOR: &str = "it";

/// Makes expressions.
#[derive(Debug)]
pub(crate) struct Generator {
    random: Random,
    signatures: std::sync::Arc<[Signature]>,
    references: Vec<(String, Kind, Standing)>,
    n_names: usize,
    /// How many more nodes there may be before everything is kept shallow.
    budget: usize,
    /// What the values that this expression refers to are at worst.
    standings: Vec<Standing>,
}

/// The random expression `index` of a run with this seed.
pub(crate) fn expression(seed: u64, index: u64, signatures: &std::sync::Arc<[Signature]>) -> Node {
    let mut generator = Generator::new(Random::of(seed, index), signatures.clone());
    generator.whole()
}

/// The functions that expressions call.
pub(crate) fn signatures() -> std::sync::Arc<[Signature]> {
    signature::all().into()
}

impl Generator {
    fn new(mut random: Random, signatures: std::sync::Arc<[Signature]>) -> Self {
        let mut standings = vec![Standing::Open];
        if random.chance(20) {
            standings.push(Standing::Unknown);
        }
        if random.chance(20) {
            standings.push(Standing::Secret);
        }
        let references = scaffold::references()
            .into_iter()
            .map(|(text, kind, standing)| (text.to_owned(), kind, standing))
            .collect();
        Self {
            random,
            signatures,
            references,
            n_names: 0,
            budget: 60,
            standings,
        }
    }

    /// An expression that stands alone. Every other one begins with a call, so that all functions come up.
    fn whole(&mut self) -> Node {
        let depth = 1 + self.random.below(3);
        match self.random.below(20) {
            0..10 => self.any_call(depth),
            10 => self.heredoc(depth),
            11 => self.template(depth),
            _ => {
                let kind = Kind::random(&mut self.random, 2);
                self.of(&kind, depth)
            }
        }
    }

    /// An expression of a type.
    fn of(&mut self, kind: &Kind, depth: usize) -> Node {
        self.budget = self.budget.saturating_sub(1);
        let depth = if self.budget == 0 { 0 } else { depth };
        if self.random.chance(MISTYPED) {
            let other = Kind::random(&mut self.random, 1);
            return self.well_typed(&other, depth.saturating_sub(1));
        }
        if self.random.chance(3) {
            return Node::leaf("null");
        }
        self.well_typed(kind, depth)
    }

    fn well_typed(&mut self, kind: &Kind, depth: usize) -> Node {
        if *kind == Kind::Any {
            let kind = Kind::random(&mut self.random, depth.min(2));
            return self.well_typed(&kind, depth);
        }
        if depth == 0 {
            return self.shallow(kind);
        }
        let depth = depth - 1;
        match self.random.below(20) {
            0 | 1 => self.shallow(kind),
            2 | 3 => self.literal(kind, depth),
            4..10 => self.call_giving(kind, depth),
            10 => self.conditional(kind, depth),
            11 => self.indexed(kind, depth),
            12 => self.attribute(kind, depth),
            13..16 => self.operation(kind, depth),
            16 => compound!("(", self.of(kind, depth), ")"),
            17 => self.indexed(kind, depth),
            _ => self.special(kind, depth),
        }
    }

    /// A reference, or a literal.
    fn shallow(&mut self, kind: &Kind) -> Node {
        if self.random.chance(50)
            && let Some(reference) = self.reference(kind)
        {
            return reference;
        }
        self.literal(kind, 0)
    }

    fn literal(&mut self, kind: &Kind, depth: usize) -> Node {
        match kind {
            Kind::Any => self.quoted(depth),
            Kind::Number => self.number(),
            Kind::Bool => Node::leaf(*self.random.pick(&["true", "false"])),
            Kind::Text => self.quoted(depth),
            Kind::List(element) => self.list(element, depth),
            Kind::Set(element) => {
                let list = self.list(element, depth);
                compound!("toset(", list, ")")
            }
            Kind::Map(element) => self.map(element, depth),
            Kind::Tuple(elements) => {
                let items = elements.iter().map(|kind| self.of(kind, depth)).collect();
                Node::list("[", items, ", ", "]")
            }
            Kind::Object(attributes) => {
                let items = attributes
                    .iter()
                    .map(|(name, kind)| self.item(name, kind, depth))
                    .collect();
                Node::list("{ ", items, ", ", " }")
            }
        }
    }

    fn number(&mut self) -> Node {
        let pool: &[&str] = if self.random.chance(50) {
            &literal::NUMBERS
        } else {
            &literal::SMALL
        };
        Node::leaf(*self.random.pick(pool))
    }

    fn list(&mut self, element: &Kind, depth: usize) -> Node {
        let n = self.random.below(4);
        let items: Vec<Node> = (0..n).map(|_| self.of(element, depth)).collect();
        let list = Node::list("[", items, ", ", "]");
        if self.random.chance(25) {
            compound!("tolist(", list, ")")
        } else {
            list
        }
    }

    fn map(&mut self, element: &Kind, depth: usize) -> Node {
        let n = self.random.below(4);
        let items = (0..n)
            .map(|index| self.item(NAMES[index], element, depth))
            .collect();
        let map = Node::list("{ ", items, ", ", " }");
        if self.random.chance(25) {
            compound!("tomap(", map, ")")
        } else {
            map
        }
    }

    fn item(&mut self, name: &str, kind: &Kind, depth: usize) -> Node {
        let value = self.of(kind, depth);
        let equals = *self.random.pick(&[" = ", " = ", ": "]);
        let item = match self.random.below(12) {
            0 => compound!(format!("\"{name}\""), equals, value),
            1 => {
                let key = self.of(&Kind::Text, depth.min(1));
                compound!("(", key, ")", equals, value)
            }
            2 => compound!(
                self.random
                    .pick(&["1", "true", "null", "\"a b\"", "1.5"])
                    .to_string(),
                equals,
                value
            ),
            _ => compound!(name, equals, value),
        };
        item.inner()
    }

    /// A reference to something of this type, or to a part of something.
    fn reference(&mut self, kind: &Kind) -> Option<Node> {
        let mut found = Vec::new();
        for (text, of, standing) in &self.references {
            if self.standings.contains(standing) {
                parts(text, of, kind, 3, &mut found);
            }
        }
        if found.is_empty() {
            return None;
        }
        let text = self.random.pick(&found).clone();
        Some(Node::leaf(text))
    }

    /// A name for an iterator, not used before.
    fn name(&mut self) -> String {
        self.n_names += 1;
        format!("{ITERATOR}{}", self.n_names)
    }

    /// Makes something inside a scope in which these names stand for values of these types.
    fn within<T>(&mut self, names: &[(&str, Kind)], make: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.references.len();
        for (name, kind) in names {
            // More than once: what is nearest is what expressions refer to most.
            for _ in 0..4 {
                self.references
                    .push(((*name).to_owned(), kind.clone(), Standing::Open));
            }
        }
        let made = make(self);
        self.references.truncate(before);
        made
    }
}

/// Whether all iterators that the text mentions are declared in it.
pub(crate) fn is_closed(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(ITERATOR) {
        let begins = !rest[..at].ends_with(|before: char| before.is_alphanumeric());
        rest = &rest[at + ITERATOR.len()..];
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let number = &rest[..digits];
        let declared = || {
            [" in ", ", "]
                .iter()
                .any(|after| text.contains(&format!("for {ITERATOR}{number}{after}")))
                || text.contains(&format!(", {ITERATOR}{number} in "))
        };
        if begins && digits > 0 && !declared() {
            return false;
        }
    }
    true
}

/// Collects the parts of a value of type `of` that have the type `wanted`.
fn parts(text: &str, of: &Kind, wanted: &Kind, depth: usize, found: &mut Vec<String>) {
    if of == wanted || *wanted == Kind::Any {
        found.push(text.to_owned());
    }
    if depth == 0 {
        return;
    }
    match of {
        Kind::List(element) => parts(&format!("{text}[0]"), element, wanted, depth - 1, found),
        Kind::Map(element) => parts(&format!("{text}[\"a\"]"), element, wanted, depth - 1, found),
        Kind::Tuple(elements) => {
            for (index, element) in elements.iter().enumerate() {
                parts(
                    &format!("{text}[{index}]"),
                    element,
                    wanted,
                    depth - 1,
                    found,
                );
            }
        }
        Kind::Object(attributes) => {
            for (name, attribute) in attributes {
                parts(
                    &format!("{text}.{name}"),
                    attribute,
                    wanted,
                    depth - 1,
                    found,
                );
            }
        }
        Kind::Number | Kind::Text | Kind::Bool | Kind::Set(_) | Kind::Any => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_expression() {
        let signatures = signatures();
        for index in 0..50 {
            assert_eq!(
                expression(1, index, &signatures),
                expression(1, index, &signatures)
            );
        }
    }

    #[test]
    fn iterators_must_be_declared() {
        assert!(is_closed("[for it1, it22 in [1] : it1 + it22 + item]"));
        assert!(!is_closed("[for it1 in [1] : it2]"));
        assert!(!is_closed("it1"));
    }

    #[test]
    fn every_function_comes_up() {
        let signatures = signatures();
        let texts: Vec<String> = (0..4000)
            .map(|index| expression(1, index, &signatures).to_string())
            .collect();
        for signature in signatures.iter() {
            let call = format!("{}(", signature.name);
            assert!(texts.iter().any(|text| text.contains(&call)), "{call}");
        }
    }

    #[test]
    fn expressions_stay_small() {
        let signatures = signatures();
        let largest = (0..4000)
            .map(|index| expression(1, index, &signatures).to_string().len())
            .max();
        assert!(largest.unwrap() < 3000, "{largest:?}");
    }
}

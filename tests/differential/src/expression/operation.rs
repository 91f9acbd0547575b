//! Operators, conditionals, indexes, attributes, splats and `for`.

use super::kind::NAMES;
use super::{Generator, Kind, literal};
use crate::node::{Node, compound};

impl Generator {
    pub(super) fn conditional(&mut self, kind: &Kind, depth: usize) -> Node {
        compound!(
            "(",
            self.of(&Kind::Bool, depth),
            " ? ",
            self.of(kind, depth),
            " : ",
            self.of(kind, depth),
            ")"
        )
    }

    /// An operator whose result has this type; where there is none, a `for`.
    pub(super) fn operation(&mut self, kind: &Kind, depth: usize) -> Node {
        match kind {
            Kind::Number => self.arithmetic(depth),
            Kind::Bool => self.logic(depth),
            Kind::Text | Kind::Any => self.template(depth),
            Kind::List(element) => {
                if self.random.chance(25) {
                    self.splat(element, depth)
                } else {
                    self.for_list(element, depth)
                }
            }
            Kind::Set(element) => {
                let list = self.for_list(element, depth);
                compound!("toset(", list, ")")
            }
            Kind::Map(element) => self.for_map(element, depth),
            Kind::Tuple(_) | Kind::Object(_) => self.conditional(kind, depth),
        }
    }

    fn arithmetic(&mut self, depth: usize) -> Node {
        if self.random.chance(15) {
            return compound!("(-", self.of(&Kind::Number, depth), ")");
        }
        let operator = *self.random.pick(&[" + ", " - ", " * ", " / ", " % "]);
        compound!(
            "(",
            self.of(&Kind::Number, depth),
            operator,
            self.of(&Kind::Number, depth),
            ")"
        )
    }

    fn logic(&mut self, depth: usize) -> Node {
        match self.random.below(8) {
            0 => compound!("(!", self.of(&Kind::Bool, depth), ")"),
            1 | 2 => {
                let operator = *self.random.pick(&[" && ", " || "]);
                compound!(
                    "(",
                    self.of(&Kind::Bool, depth),
                    operator,
                    self.of(&Kind::Bool, depth),
                    ")"
                )
            }
            3 | 4 => {
                let operator = *self.random.pick(&[" < ", " <= ", " > ", " >= "]);
                compound!(
                    "(",
                    self.of(&Kind::Number, depth),
                    operator,
                    self.of(&Kind::Number, depth),
                    ")"
                )
            }
            _ => {
                let kind = Kind::random(&mut self.random, 2);
                let other = if self.random.chance(80) {
                    kind.clone()
                } else {
                    Kind::random(&mut self.random, 1)
                };
                let operator = *self.random.pick(&[" == ", " != "]);
                compound!(
                    "(",
                    self.of(&kind, depth),
                    operator,
                    self.of(&other, depth),
                    ")"
                )
            }
        }
    }

    /// An element of a list, a tuple or a map, sometimes of one that does not have it.
    pub(super) fn indexed(&mut self, kind: &Kind, depth: usize) -> Node {
        if self.random.chance(50) {
            let list = self.of(&Kind::list(kind.clone()), depth);
            let key = match self.random.below(6) {
                0 => self.of(&Kind::Number, depth),
                1 => Node::leaf(*self.random.pick(&literal::SMALL)),
                2 => Node::leaf(*self.random.pick(&["\"0\"", "\"a\"", "\"\"", "1.5", "-1"])),
                _ => Node::leaf("0"),
            };
            compound!("(", list, ")[", key, "]")
        } else {
            let map = self.of(&Kind::map(kind.clone()), depth);
            let key = match self.random.below(6) {
                0 => self.of(&Kind::Text, depth),
                1 => Node::leaf("0"),
                2 => Node::leaf("\"missing\""),
                _ => Node::leaf("\"a\""),
            };
            compound!("(", map, ")[", key, "]")
        }
    }

    pub(super) fn attribute(&mut self, kind: &Kind, depth: usize) -> Node {
        let object = self.of(&Kind::Object(vec![("a", kind.clone())]), depth);
        let name = match self.random.below(10) {
            0 => "b",
            1 => "0",
            _ => "a",
        };
        compound!("(", object, format!(").{name}"))
    }

    fn splat(&mut self, element: &Kind, depth: usize) -> Node {
        let name = NAMES[self.random.below(3)];
        let object = Kind::Object(vec![(name, element.clone())]);
        let source = match self.random.below(5) {
            0 => self.of(&object, depth),
            1 => self.of(&Kind::set(object), depth),
            _ => self.of(&Kind::list(object), depth),
        };
        let operator = *self.random.pick(&["[*].", "[*].", ".*."]);
        compound!("(", source, format!("){operator}{name}"))
    }

    fn for_list(&mut self, element: &Kind, depth: usize) -> Node {
        let (source, key, item) = self.source(depth);
        let (first, second) = (self.name(), self.name());
        let (head, names) = if self.random.chance(50) {
            (format!("[for {second} in "), vec![(second.as_str(), item)])
        } else {
            (
                format!("[for {first}, {second} in "),
                vec![(first.as_str(), key), (second.as_str(), item)],
            )
        };
        let body = self.within(&names, |inner| inner.of(element, depth));
        let condition = self.condition(&names, depth);
        compound!(head, source, " : ", body, condition, "]")
    }

    fn for_map(&mut self, element: &Kind, depth: usize) -> Node {
        let (source, key, item) = self.source(depth);
        let (first, second) = (self.name(), self.name());
        let names = [(first.as_str(), key), (second.as_str(), item)];
        let head = format!("{{for {first}, {second} in ");
        let key = match self.random.below(4) {
            0 => self.within(&names, |inner| inner.of(&Kind::Text, depth)),
            1 => Node::leaf(format!("\"k${{{second}}}\"")),
            _ => Node::leaf(first.clone()),
        };
        let body = self.within(&names, |inner| inner.of(element, depth));
        let condition = self.condition(&names, depth);
        let group = if self.random.chance(25) { "..." } else { "" };
        compound!(
            head, source, " : ", key, " => ", body, group, condition, "}"
        )
    }

    fn condition(&mut self, names: &[(&str, Kind)], depth: usize) -> Node {
        if self.random.chance(70) {
            return Node::fragment("");
        }
        let condition = self.within(names, |inner| inner.of(&Kind::Bool, depth));
        compound!(" if ", condition).inner()
    }

    /// Something to go over, with the types of its keys and elements.
    pub(super) fn source(&mut self, depth: usize) -> (Node, Kind, Kind) {
        let element = Kind::random(&mut self.random, 1);
        match self.random.below(6) {
            0 => (
                self.of(&Kind::set(element.clone()), depth),
                element.clone(),
                element,
            ),
            1 | 2 => (
                self.of(&Kind::map(element.clone()), depth),
                Kind::Text,
                element,
            ),
            _ => (
                self.of(&Kind::list(element.clone()), depth),
                Kind::Number,
                element,
            ),
        }
    }

    /// What does not fit elsewhere.
    pub(super) fn special(&mut self, kind: &Kind, depth: usize) -> Node {
        match self.random.below(6) {
            0 => compound!("jsondecode(jsonencode(", self.of(kind, depth), "))"),
            1 => compound!(
                "try(",
                self.of(&Kind::Any, depth),
                ", ",
                self.of(kind, depth),
                ")"
            ),
            2 => compound!("[", self.of(kind, depth), "][0]"),
            3 => compound!("{ a = ", self.of(kind, depth), " }.a"),
            4 => compound!("one(", self.of(kind, depth), "[*])"),
            _ => compound!(
                "element([",
                self.of(kind, depth),
                ", ",
                self.of(kind, depth),
                "], ",
                self.number(),
                ")"
            ),
        }
    }
}

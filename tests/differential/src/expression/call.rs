//! Calls of functions.

use super::kind::NAMES;
use super::signature::{Signature, Wants};
use super::{Generator, Kind, literal};
use crate::node::{Node, compound};

impl Generator {
    /// A call of any function.
    pub(super) fn any_call(&mut self, depth: usize) -> Node {
        let index = self.random.below(self.signatures.len());
        let same = Kind::random(&mut self.random, 1);
        self.call(index, &same, depth)
    }

    /// A call that gives this type; where no function does, a literal.
    pub(super) fn call_giving(&mut self, kind: &Kind, depth: usize) -> Node {
        let fitting: Vec<(usize, Kind)> = self
            .signatures
            .iter()
            .enumerate()
            .filter_map(|(index, signature)| Some((index, fits(&signature.gives, kind)?)))
            .collect();
        if fitting.is_empty() {
            return self.literal(kind, depth);
        }
        let (index, same) = self.random.pick(&fitting).clone();
        let same = if same == Kind::Any {
            Kind::random(&mut self.random, 1)
        } else {
            same
        };
        self.call(index, &same, depth)
    }

    fn call(&mut self, index: usize, same: &Kind, depth: usize) -> Node {
        let signatures = self.signatures.clone();
        let Signature {
            name, takes, more, ..
        } = &signatures[index];
        let depth = depth.saturating_sub(1);
        let mut arguments: Vec<Node> = takes
            .iter()
            .map(|wants| self.argument(wants, same, depth))
            .collect();
        if let Some(more) = more {
            let n = self.random.below(4);
            arguments.extend((0..n).map(|_| self.argument(more, same, depth)));
            if self.random.chance(8) {
                let list = self.argument(&Wants::List(Box::new(more.clone())), same, depth);
                arguments.push(compound!(list, "...").inner());
            }
        }
        match self.random.below(60) {
            0 => drop(arguments.pop()),
            1 => arguments.push(self.of(&Kind::Any, 0)),
            _ => {}
        }
        let call = Node::list("(", arguments, ", ", ")").inner();
        compound!(*name, call)
    }

    fn argument(&mut self, wants: &Wants, same: &Kind, depth: usize) -> Node {
        if let Some(pool) = pool(wants)
            && (*wants == Wants::Directory || self.random.chance(88))
        {
            let text = *self.random.pick(pool);
            return Node::leaf(format!("\"{text}\""));
        }
        match wants {
            Wants::Small if self.random.chance(80) => {
                Node::leaf(*self.random.pick(&literal::SMALL))
            }
            Wants::Base if self.random.chance(80) => Node::leaf(
                *self
                    .random
                    .pick(&["10", "16", "2", "8", "36", "62", "1", "63", "0", "-1"]),
            ),
            Wants::Integer if self.random.chance(70) => Node::leaf(*self.random.pick(&[
                "\"0\"",
                "\"101\"",
                "\"ff\"",
                "\"-7\"",
                "\"FF\"",
                "\"zz\"",
                "\"\"",
                "12",
                "\"1.5\"",
                "\"+3\"",
                "\"_1\"",
                "\"00012\"",
                "\"99999999999999999999999\"",
            ])),
            Wants::TemplateText if self.random.chance(80) => Node::leaf(*self.random.pick(&[
                "local.template_text",
                "local.template_loop",
                "var.text",
                "local.unknown_text",
            ])),
            Wants::Object => {
                let n = self.random.below(4);
                let attributes = (0..n)
                    .map(|index| (NAMES[index], Kind::random(&mut self.random, 1)))
                    .collect();
                self.of(&Kind::Object(attributes), depth)
            }
            _ => {
                let kind = kind_of(wants, same);
                self.of(&kind, depth)
            }
        }
    }
}

/// The type that a kind of argument has.
fn kind_of(wants: &Wants, same: &Kind) -> Kind {
    match wants {
        Wants::Number | Wants::Small | Wants::Base => Kind::Number,
        Wants::Bool => Kind::Bool,
        Wants::Any | Wants::Object => Kind::Any,
        Wants::Same => same.clone(),
        Wants::List(element) => Kind::list(kind_of(element, same)),
        Wants::Set(element) => Kind::set(kind_of(element, same)),
        Wants::Map(element) => Kind::map(kind_of(element, same)),
        _ => Kind::Text,
    }
}

/// Texts with a meaning to the function.
fn pool(wants: &Wants) -> Option<&'static [&'static str]> {
    let pool: &'static [&'static str] = match wants {
        Wants::Prefix => &literal::PREFIXES,
        Wants::Time => &literal::TIMES,
        Wants::Duration => &literal::DURATIONS,
        Wants::TimeFormat => &literal::TIME_FORMATS,
        Wants::Pattern => &literal::PATTERNS,
        Wants::Replacement => &literal::REPLACEMENTS,
        Wants::Format => &literal::FORMATS,
        Wants::Json => &literal::JSONS,
        Wants::Yaml => &literal::YAMLS,
        Wants::Csv => &literal::CSVS,
        Wants::Base64 => &literal::BASE64S,
        Wants::Encoding => &literal::ENCODINGS,
        Wants::Path => &literal::PATHS,
        Wants::Glob => &literal::GLOBS,
        Wants::Directory => &literal::DIRECTORIES,
        Wants::Template => &literal::TEMPLATES,
        Wants::Namespace => &literal::NAMESPACES,
        _ => return None,
    };
    Some(pool)
}

/// What `same` has to be for a function that gives `gives` to give `kind`; `Any` where it does not matter.
fn fits(gives: &Wants, kind: &Kind) -> Option<Kind> {
    match (gives, kind) {
        (Wants::Same, kind) => Some(kind.clone()),
        (Wants::Number, Kind::Number) | (Wants::Text, Kind::Text) | (Wants::Bool, Kind::Bool) => {
            Some(Kind::Any)
        }
        (Wants::List(gives), Kind::List(kind))
        | (Wants::Set(gives), Kind::Set(kind))
        | (Wants::Map(gives), Kind::Map(kind)) => fits(gives, kind),
        _ => None,
    }
}

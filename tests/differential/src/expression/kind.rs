//! Types that expressions are made for.

use crate::random::Random;

/// A type that an expression is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Text,
    Bool,
    List(Box<Self>),
    Set(Box<Self>),
    Map(Box<Self>),
    Tuple(Vec<Self>),
    Object(Vec<(&'static str, Self)>),
    /// Whatever comes.
    Any,
}

/// Names of attributes and keys.
pub(crate) const NAMES: [&str; 6] = ["a", "b", "c", "name", "id", "é"];

impl Kind {
    pub(crate) fn list(element: Self) -> Self {
        Self::List(Box::new(element))
    }

    pub(crate) fn set(element: Self) -> Self {
        Self::Set(Box::new(element))
    }

    pub(crate) fn map(element: Self) -> Self {
        Self::Map(Box::new(element))
    }

    /// Any type, nested at most `depth` deep.
    pub(crate) fn random(random: &mut Random, depth: usize) -> Self {
        let choices = if depth == 0 { 4 } else { 10 };
        match random.below(choices) {
            0 => Self::Number,
            1 | 2 => Self::Text,
            3 => Self::Bool,
            4 | 5 => Self::list(Self::random(random, depth - 1)),
            6 => Self::set(Self::random(random, depth - 1)),
            7 => Self::map(Self::random(random, depth - 1)),
            8 => {
                let n = random.below(4);
                Self::Tuple((0..n).map(|_| Self::random(random, depth - 1)).collect())
            }
            _ => {
                let n = random.below(4);
                let name = |index: usize| NAMES[index];
                Self::Object(
                    (0..n)
                        .map(|index| (name(index), Self::random(random, depth - 1)))
                        .collect(),
                )
            }
        }
    }

    /// A scalar type.
    pub(crate) fn scalar(random: &mut Random) -> Self {
        Self::random(random, 0)
    }
}

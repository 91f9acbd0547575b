//! What is known of an unknown value.

use std::cmp::Ordering;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::{Kind, Number, Text, Type, Value};

/// What is known of a value that is not known yet. The default says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Refinements {
    /// It will not be null.
    pub not_null: bool,
    /// A string that it will begin with.
    pub prefix: Option<Text>,
    /// The least number it can be, and whether it can be that number.
    pub min: Option<(Number, bool)>,
    /// The greatest number it can be, and whether it can be that number.
    pub max: Option<(Number, bool)>,
    /// The least length of a collection.
    pub min_length: Option<u64>,
    /// The greatest length of a collection.
    pub max_length: Option<u64>,
}

impl Refinements {
    /// Only that it will not be null.
    pub fn not_null() -> Self {
        Self {
            not_null: true,
            ..Self::default()
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Value {
    /// What is known of an unknown value, made more precise; the value itself where that leaves only one. Known values and
    /// such of unknown type are returned as they are.
    #[must_use]
    pub fn refine(self, more: Refinements) -> Self {
        let Kind::Unknown(unknown) = self.kind() else {
            return self;
        };
        let marks = self.marks();
        let (ty, known) = &**unknown;
        if *ty == Type::Dynamic {
            return self;
        }
        let refinements = known.clone().and(more).fitting(ty);
        collapse(ty, refinements).with_marks(marks)
    }

    /// The bounds of what it is or can become: of a number those of its size, of a collection those of its length.
    pub fn range(&self) -> Refinements {
        let exactly = |length: usize| Refinements {
            min_length: Some(length as u64),
            max_length: Some(length as u64),
            ..Refinements::not_null()
        };
        match self.kind() {
            Kind::Unknown(unknown) => unknown.1.clone(),
            Kind::Number(number) => Refinements {
                min: Some((number.clone(), true)),
                max: Some((number.clone(), true)),
                ..Refinements::not_null()
            },
            Kind::List(_, items) => exactly(items.len()),
            Kind::Map(_, entries) => exactly(entries.len()),
            Kind::Set(_, items) if self.is_wholly_known() => exactly(items.len()),
            _ => Refinements {
                not_null: self.is_definitely_not_null(),
                ..Refinements::default()
            },
        }
    }

    /// An unknown value that will not be null; anything else as it is.
    #[must_use]
    pub fn refine_not_null(self) -> Self {
        self.refine(Refinements::not_null())
    }
}

impl Refinements {
    /// That a string will not be null and will begin with `text`, or with as much of it as no text behind can change:
    /// a last character that could be part of a longer one is left out.
    #[must_use]
    pub fn beginning_with(text: &str) -> Self {
        let prefix = stable_prefix(text);
        Self {
            prefix: (!prefix.is_empty()).then(|| Text::from(prefix)),
            ..Self::not_null()
        }
    }

    /// Both what is known here and what is known from `other`.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            not_null: self.not_null || other.not_null,
            prefix: longer(self.prefix, other.prefix),
            min: tighter(self.min, other.min, Ordering::Greater),
            max: tighter(self.max, other.max, Ordering::Less),
            min_length: self.min_length.max(other.min_length),
            max_length: match (self.max_length, other.max_length) {
                (Some(one), Some(two)) => Some(one.min(two)),
                (one, two) => one.or(two),
            },
        }
    }

    /// Only what can be said of values of type `ty`.
    fn fitting(self, ty: &Type) -> Self {
        let number = *ty == Type::Number;
        Self {
            not_null: self.not_null,
            prefix: self
                .prefix
                .filter(|prefix| *ty == Type::String && !prefix.is_empty()),
            min: self.min.filter(|_| number),
            max: self.max.filter(|_| number),
            min_length: self
                .min_length
                .filter(|length| ty.is_collection() && *length > 0),
            max_length: self.max_length.filter(|_| ty.is_collection()),
        }
    }
}

/// What stays of `text` whatever is appended to it. Punctuation that begins no composed character is kept at the end;
/// of anything else the last grapheme may still grow.
fn stable_prefix(text: &str) -> &str {
    let ends_for_good = text.chars().next_back().is_none_or(|last| {
        last.is_ascii() && !last.is_ascii_alphanumeric() && !"<=>`\r\n".contains(last)
    });
    if ends_for_good {
        return text;
    }
    text.grapheme_indices(true)
        .next_back()
        .map_or("", |(place, _)| &text[..place])
}

fn longer(one: Option<Text>, two: Option<Text>) -> Option<Text> {
    match (one, two) {
        (Some(one), Some(two)) => Some(if two.len() > one.len() { two } else { one }),
        (one, two) => one.or(two),
    }
}

/// The bound that is `wanted` of the other; of equal ones the one that excludes the bound itself.
fn tighter(
    one: Option<(Number, bool)>,
    two: Option<(Number, bool)>,
    wanted: Ordering,
) -> Option<(Number, bool)> {
    match (one, two) {
        (Some(one), Some(two)) => {
            let order = one.0.cmp(&two.0);
            let keep_first = order == wanted || (order.is_eq() && !one.1);
            Some(if keep_first { one } else { two })
        }
        (one, two) => one.or(two),
    }
}

/// The greatest length for which a list of unknown elements is made up.
const LONGEST_COLLAPSE: u64 = 10_000;

/// The unknown value, or the known one that it can only be.
fn collapse(ty: &Type, refinements: Refinements) -> Value {
    if refinements.not_null {
        if let (Some((min, true)), Some((max, true))) = (&refinements.min, &refinements.max)
            && min == max
        {
            return Value::number(min.clone());
        }
        let length = refinements
            .max_length
            .filter(|most| *most == refinements.min_length.unwrap_or(0));
        match (length, ty) {
            (Some(0), Type::Map(element)) => return Value::map::<Text>((**element).clone(), []),
            (Some(0), Type::Set(element)) => return Value::set((**element).clone(), []),
            (Some(1), Type::Set(element)) => {
                return Value::set((**element).clone(), [Value::unknown((**element).clone())]);
            }
            (Some(length @ ..=LONGEST_COLLAPSE), Type::List(element)) => {
                let items = (0..length).map(|_| Value::unknown((**element).clone()));
                return Value::list((**element).clone(), items);
            }
            _ => {}
        }
    }
    Value::unknown_refined(ty.clone(), refinements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nothing_can_change_is_a_prefix() {
        let prefix = |text: &str| Refinements::beginning_with(text).prefix;
        assert_eq!(prefix("abc-").as_deref(), Some("abc-"));
        assert_eq!(prefix("abc").as_deref(), Some("ab"));
        assert_eq!(prefix("ab=").as_deref(), Some("ab"));
        assert_eq!(prefix("x\u{1f468}\u{200d}\u{1f469}").as_deref(), Some("x"));
        assert_eq!(prefix("a"), None);
        assert_eq!(prefix(""), None);
    }

    #[test]
    fn ranges_of_known_and_unknown_values() {
        let five = Some((Number::from(5_i64), true));
        assert_eq!(Value::int(5).range().min, five);
        assert_eq!(Value::int(5).range().max, five);
        let list = Value::list(Type::Number, [Value::int(1)]);
        assert_eq!(list.range().max_length, Some(1));
        let set = Value::set(Type::String, [Value::unknown(Type::String)]);
        assert_eq!(set.range().max_length, None);
        assert!(!Value::NULL.range().not_null);
    }
}

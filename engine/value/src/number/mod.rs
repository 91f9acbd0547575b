//! Numbers: binary floating point with a precision per value, as the reference has them.

mod arithmetic;
mod decimal;
mod float;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use num_bigint::{BigInt, BigUint, Sign};

use float::Float;

/// Bits of precision of a number that was written in decimal: a literal, a string, JSON.
pub const LITERAL_PRECISION: u32 = 512;
/// Bits of precision of a whole number that was counted, such as a length.
pub const INTEGER_PRECISION: u32 = 64;
/// Bits of precision of a number that came from an IEEE 754 double.
pub const DOUBLE_PRECISION: u32 = 53;

/// An arbitrary-precision binary floating-point number with a precision of its own, or a small whole number.
///
/// Equality and order are numeric: precision does not count, and `-0` equals `0`. Results of arithmetic are
/// rounded to the greater precision of the two operands, half to even; products keep more bits where they need them.
#[derive(Clone)]
pub struct Number(Repr);

#[derive(Clone, Debug)]
enum Repr {
    /// A whole number with no more bits than its precision. Never `-0`.
    Int { value: i64, precision: u32 },
    /// Everything else that is finite.
    Float(Arc<Float>),
    /// Greater or less than every other number.
    Infinite { negative: bool },
}

/// An operation whose result would be no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber(&'static str);

impl fmt::Display for NotANumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NotANumber {}

impl Number {
    /// Zero, with the precision of a literal.
    pub const ZERO: Self = Self(Repr::Int {
        value: 0,
        precision: LITERAL_PRECISION,
    });
    /// One, with the precision of a literal.
    pub const ONE: Self = Self(Repr::Int {
        value: 1,
        precision: LITERAL_PRECISION,
    });
    /// Greater than every other number.
    pub const INFINITY: Self = Self(Repr::Infinite { negative: false });
    /// Less than every other number.
    pub const NEGATIVE_INFINITY: Self = Self(Repr::Infinite { negative: true });

    /// Reads a decimal literal such as `1.5e-3`, at 512 bits of precision; `None` if the text is none, or if its
    /// exponent is beyond a million.
    pub fn parse(text: &str) -> Option<Self> {
        decimal::parse(text)
    }

    /// Reads a whole number with digits of `radix` (2 to 62; beyond 36, capitals follow the small letters), exactly.
    pub fn parse_radix(text: &str, radix: u32) -> Option<Self> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let values = digits
            .bytes()
            .map(|byte| digit_value(byte, radix))
            .collect::<Option<Vec<u8>>>()?;
        let magnitude = BigUint::from_radix_be(&values, radix).filter(|_| !values.is_empty())?;
        let sign = if negative { Sign::Minus } else { Sign::Plus };
        Some(Self::from(BigInt::from_biguint(sign, magnitude)))
    }

    /// A whole number with the precision of a literal.
    pub const fn literal(value: i64) -> Self {
        Self(Repr::Int {
            value,
            precision: LITERAL_PRECISION,
        })
    }

    /// The number a double stands for, infinities included; `None` if it is not a number.
    pub fn from_f64(value: f64) -> Option<Self> {
        if value.is_nan() {
            return None;
        }
        if value.is_infinite() {
            return Some(Self(Repr::Infinite {
                negative: value < 0.0,
            }));
        }
        Some(Self::from_float(Float::from_f64(value)))
    }

    /// Bits of precision.
    pub fn precision(&self) -> u32 {
        match &self.0 {
            Repr::Int { precision, .. } => *precision,
            Repr::Float(float) => float.precision,
            Repr::Infinite { .. } => 0,
        }
    }

    /// As an index: a whole number from 0 that fits.
    pub fn to_usize(&self) -> Option<usize> {
        self.to_i64().and_then(|value| usize::try_from(value).ok())
    }

    /// As a whole number that fits in 64 bits with a sign, if it is one exactly.
    pub fn to_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int { value, .. } => Some(*value),
            _ => i64::try_from(self.to_bigint()?).ok(),
        }
    }

    /// As a whole number that fits in 64 bits without a sign, if it is one exactly.
    pub fn to_u64(&self) -> Option<u64> {
        match &self.0 {
            Repr::Int { value, .. } => u64::try_from(*value).ok(),
            _ => u64::try_from(self.to_bigint()?).ok(),
        }
    }

    /// As a whole number, if it is one. Beyond some 3.4 million bits it is not tried.
    pub fn to_bigint(&self) -> Option<BigInt> {
        match &self.0 {
            Repr::Int { value, .. } => Some(BigInt::from(*value)),
            Repr::Float(float) if float.is_integer() => float.to_bigint(),
            _ => None,
        }
    }

    /// The nearest double, half to even; an infinity if it is too great.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the conversion rounds half to even, which is the contract"
    )]
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Int { value, .. } => *value as f64,
            Repr::Float(float) => float.to_f64(),
            Repr::Infinite { negative: true } => f64::NEG_INFINITY,
            Repr::Infinite { negative: false } => f64::INFINITY,
        }
    }

    /// The double that is exactly this number, if there is one.
    pub fn to_f64_exact(&self) -> Option<f64> {
        let double = self.to_f64();
        let same = Self::from_f64(double).is_some_and(|back| back == *self);
        same.then_some(double)
    }

    /// Whether it has no fractional part. Infinities are not whole.
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Int { .. } => true,
            Repr::Float(float) => float.is_integer(),
            Repr::Infinite { .. } => false,
        }
    }

    /// Whether it is greater or less than every other number.
    pub const fn is_infinite(&self) -> bool {
        matches!(self.0, Repr::Infinite { .. })
    }

    /// Whether it is zero, of either sign.
    pub fn is_zero(&self) -> bool {
        self.signum() == 0
    }

    /// Whether it is less than zero.
    pub fn is_negative(&self) -> bool {
        self.signum() < 0
    }

    /// -1, 0 or 1.
    pub fn signum(&self) -> i32 {
        match &self.0 {
            Repr::Int { value, .. } => match value.cmp(&0) {
                Ordering::Less => -1,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            },
            Repr::Float(float) => float.signum(),
            Repr::Infinite { negative } => {
                if *negative {
                    -1
                } else {
                    1
                }
            }
        }
    }

    /// Scientific or plain notation, whichever is shorter, with at most ten significant digits: the reference
    /// orders sets of compound values by this text.
    pub(crate) fn short_text(&self) -> String {
        match &self.0 {
            Repr::Infinite { negative: true } => "-Inf".into(),
            Repr::Infinite { negative: false } => "+Inf".into(),
            _ => decimal::ten_digits(&self.to_float()),
        }
    }

    fn from_float(float: Float) -> Self {
        match float.to_small_int() {
            Some(value) => Self(Repr::Int {
                value,
                precision: float.precision,
            }),
            None => Self(Repr::Float(Arc::new(float))),
        }
    }

    /// The finite value as a float; infinities do not come here.
    fn to_float(&self) -> Float {
        match &self.0 {
            Repr::Int { value, precision } => Float::from_i64(*value, *precision),
            Repr::Float(float) => Float::clone(float),
            Repr::Infinite { .. } => Float::from_i64(0, 0),
        }
    }
}

fn digit_value(byte: u8, radix: u32) -> Option<u8> {
    let value = match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'z' => byte - b'a' + 10,
        b'A'..=b'Z' if radix <= 36 => byte - b'A' + 10,
        b'A'..=b'Z' => byte - b'A' + 36,
        _ => return None,
    };
    (u32::from(value) < radix).then_some(value)
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Repr::Int {
            value,
            precision: INTEGER_PRECISION,
        })
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        match i64::try_from(value) {
            Ok(value) => Self::from(value),
            Err(_) => Self::from(BigInt::from(value)),
        }
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

impl From<BigInt> for Number {
    /// Exact, with 64 bits of precision or as many as it needs.
    fn from(value: BigInt) -> Self {
        let bits = u32::try_from(value.bits()).unwrap_or(u32::MAX);
        let (sign, magnitude) = value.into_parts();
        let precision = bits.max(INTEGER_PRECISION);
        Self::from_float(Float::rounded(sign == Sign::Minus, magnitude, 0, precision))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Repr::Infinite { negative } => (2_u8, negative).hash(state),
            Repr::Float(float) => float.hash_value(state),
            Repr::Int { value, precision } => Float::from_i64(*value, *precision).hash_value(state),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let infinity = |number: &Self| {
            if number.is_infinite() {
                number.signum()
            } else {
                0
            }
        };
        match (&self.0, &other.0) {
            (Repr::Int { value: left, .. }, Repr::Int { value: right, .. }) => left.cmp(right),
            (Repr::Infinite { .. }, _) | (_, Repr::Infinite { .. }) => {
                infinity(self).cmp(&infinity(other))
            }
            _ => self.to_float().compare(&other.to_float()),
        }
    }
}

impl fmt::Display for Number {
    /// The shortest decimal text without exponent that reads back as this number at its precision.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int { value, .. } => value.fmt(f),
            Repr::Float(float) => f.write_str(&decimal::shortest(float)),
            Repr::Infinite { negative: true } => f.write_str("-Inf"),
            Repr::Infinite { negative: false } => f.write_str("+Inf"),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;

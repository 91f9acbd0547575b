//! The finite float itself: `mantissa * 2^exponent`, rounded to a precision.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{One, ToPrimitive, Zero};

/// Whole numbers with more bits than this are not spelled out.
const MOST_INTEGER_BITS: i64 = 3_400_000;

/// `(-1)^negative * mantissa * 2^exponent`. The mantissa is odd, or zero with exponent 0, and has at most
/// `precision` bits.
#[derive(Clone, Debug)]
pub(super) struct Float {
    pub(super) negative: bool,
    pub(super) mantissa: BigUint,
    pub(super) exponent: i64,
    pub(super) precision: u32,
}

impl Float {
    /// `mantissa * 2^exponent` rounded half to even to `precision` bits.
    pub(super) fn rounded(
        negative: bool,
        mantissa: BigUint,
        exponent: i64,
        precision: u32,
    ) -> Self {
        let mut mantissa = mantissa;
        let mut exponent = exponent;
        let bits = mantissa.bits();
        if bits > u64::from(precision) {
            let drop = bits - u64::from(precision);
            mantissa = shift_right_half_even(&mantissa, drop);
            exponent += i64::try_from(drop).unwrap_or(i64::MAX);
        }
        match mantissa.trailing_zeros() {
            None => exponent = 0,
            Some(0) => {}
            Some(zeros) => {
                mantissa >>= zeros;
                exponent += i64::try_from(zeros).unwrap_or(i64::MAX);
            }
        }
        Self {
            negative,
            mantissa,
            exponent,
            precision,
        }
    }

    pub(super) fn from_i64(value: i64, precision: u32) -> Self {
        let magnitude = value.unsigned_abs();
        let zeros = if magnitude == 0 {
            0
        } else {
            magnitude.trailing_zeros()
        };
        let mantissa = BigUint::from(magnitude >> zeros);
        Self {
            negative: value < 0,
            mantissa,
            exponent: i64::from(zeros),
            precision,
        }
    }

    /// A finite double.
    pub(super) fn from_f64(value: f64) -> Self {
        let bits = value.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let biased = i64::try_from((bits >> 52) & 0x7ff).unwrap_or(0);
        let (mantissa, exponent) = match biased {
            0 => (fraction, -1074),
            _ => (fraction | (1 << 52), biased - 1075),
        };
        Self::rounded(
            value.is_sign_negative(),
            BigUint::from(mantissa),
            exponent,
            super::DOUBLE_PRECISION,
        )
    }

    pub(super) fn is_zero(&self) -> bool {
        self.mantissa.is_zero()
    }

    pub(super) fn signum(&self) -> i32 {
        match (self.is_zero(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    /// Since the mantissa is odd, a negative exponent means a fraction.
    pub(super) const fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// The position of the highest bit: the value is at least `2^(magnitude-1)` and less than `2^magnitude`.
    pub(super) fn magnitude(&self) -> i64 {
        i64::try_from(self.mantissa.bits())
            .unwrap_or(i64::MAX)
            .saturating_add(self.exponent)
    }

    /// The value as a machine integer if it is whole, fits, is not `-0`, and needs no more bits than the precision.
    pub(super) fn to_small_int(&self) -> Option<i64> {
        if self.is_zero() {
            return (!self.negative).then_some(0);
        }
        let bits = self.magnitude();
        if self.exponent < 0 || bits > 64 || bits > i64::from(self.precision) {
            return None;
        }
        let magnitude = i128::from(self.mantissa.to_u64()?) << self.exponent;
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }

    pub(super) fn to_bigint(&self) -> Option<BigInt> {
        if self.exponent < 0 || self.magnitude() > MOST_INTEGER_BITS {
            return None;
        }
        Some(BigInt::from_biguint(
            self.sign(),
            &self.mantissa << self.exponent,
        ))
    }

    pub(super) const fn sign(&self) -> Sign {
        if self.negative {
            Sign::Minus
        } else {
            Sign::Plus
        }
    }

    /// The whole number left when the fraction is cut off.
    pub(super) fn truncated(&self) -> Option<BigInt> {
        if self.exponent >= 0 {
            return self.to_bigint();
        }
        if self.magnitude() <= 0 {
            return Some(BigInt::ZERO);
        }
        Some(BigInt::from_biguint(
            self.sign(),
            &self.mantissa >> self.exponent.unsigned_abs(),
        ))
    }

    pub(super) fn to_f64(&self) -> f64 {
        let magnitude = self.magnitude();
        let sign = if self.negative { -1.0 } else { 1.0 };
        if self.is_zero() || magnitude < -1074 {
            return 0.0 * sign;
        }
        if magnitude > 1024 {
            return f64::INFINITY * sign;
        }
        // The weight of the last bit that a double of this magnitude has.
        let last = (magnitude - 53).max(-1074);
        let scaled = if self.exponent >= last {
            &self.mantissa << (self.exponent - last)
        } else {
            shift_right_half_even(&self.mantissa, (last - self.exponent).unsigned_abs())
        };
        // At most 2^53, thus exact; so are the products, save an overflow to infinity.
        let whole = scaled.to_f64().unwrap_or(f64::INFINITY);
        let half = i32::try_from(last / 2).unwrap_or(0);
        let rest = i32::try_from(last).unwrap_or(0) - half;
        whole * 2_f64.powi(half) * 2_f64.powi(rest) * sign
    }

    /// Numeric order.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let by_sign = self.signum().cmp(&other.signum());
        if by_sign.is_ne() || self.is_zero() {
            return by_sign;
        }
        let by_size = self.magnitude().cmp(&other.magnitude()).then_with(|| {
            let least = self.exponent.min(other.exponent);
            (&self.mantissa << (self.exponent - least))
                .cmp(&(&other.mantissa << (other.exponent - least)))
        });
        if self.negative {
            by_size.reverse()
        } else {
            by_size
        }
    }

    /// Equal numbers hash alike, whatever their precision.
    pub(super) fn hash_value<H: Hasher>(&self, state: &mut H) {
        (u8::from(self.negative && !self.is_zero()), self.exponent).hash(state);
        match self.mantissa.to_u64() {
            Some(small) => small.hash(state),
            None => self.mantissa.hash(state),
        }
    }
}

/// `value / 2^by`, rounded half to even.
fn shift_right_half_even(value: &BigUint, by: u64) -> BigUint {
    if by == 0 {
        return value.clone();
    }
    let quotient = value >> by;
    let half = value.bit(by - 1);
    let beyond_half = value.trailing_zeros().is_some_and(|zeros| zeros < by - 1);
    if half && (beyond_half || quotient.bit(0)) {
        quotient + BigUint::one()
    } else {
        quotient
    }
}

//! Arithmetic and rounding.

use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::Zero;

use super::float::Float;
use super::{INTEGER_PRECISION, LITERAL_PRECISION, NotANumber, Number, Repr};

impl Number {
    /// The sum.
    pub fn add(&self, other: &Self) -> Result<Self, NotANumber> {
        match (&self.0, &other.0) {
            (Repr::Infinite { negative: left }, Repr::Infinite { negative: right })
                if left != right =>
            {
                Err(NotANumber("can't compute sum of opposing infinities"))
            }
            (Repr::Infinite { .. }, _) => Ok(self.clone()),
            (_, Repr::Infinite { .. }) => Ok(other.clone()),
            _ => Ok(self
                .small(other, i64::checked_add)
                .unwrap_or_else(|| Self::from_float(sum(&self.to_float(), &other.to_float())))),
        }
    }

    /// The difference.
    pub fn sub(&self, other: &Self) -> Result<Self, NotANumber> {
        match (&self.0, &other.0) {
            (Repr::Infinite { negative: left }, Repr::Infinite { negative: right })
                if left == right =>
            {
                Err(NotANumber("can't subtract infinity from itself"))
            }
            (Repr::Infinite { .. }, _) => Ok(self.clone()),
            (_, Repr::Infinite { .. }) => Ok(other.neg()),
            _ => Ok(self.small(other, i64::checked_sub).unwrap_or_else(|| {
                let mut right = other.to_float();
                right.negative = !right.negative;
                Self::from_float(sum(&self.to_float(), &right))
            })),
        }
    }

    /// The product. Unlike other results it has as many bits as it needs, up to 512.
    pub fn mul(&self, other: &Self) -> Result<Self, NotANumber> {
        if self.is_infinite() || other.is_infinite() {
            return match self.signum() * other.signum() {
                0 => Err(NotANumber("can't multiply zero by infinity")),
                sign => Ok(Self(Repr::Infinite { negative: sign < 0 })),
            };
        }
        if let (Repr::Int { value: left, .. }, Repr::Int { value: right, .. }) = (&self.0, &other.0)
            && *left != 0
            && *right != 0
            && let Some(product) = self.small(other, i64::checked_mul)
        {
            return Ok(product);
        }
        let (left, right) = (self.to_float(), other.to_float());
        // The precision grows where the product needs it, up to that of literals.
        let mut result = product(&left, &right, LITERAL_PRECISION);
        let needed = u32::try_from(result.mantissa.bits()).unwrap_or(u32::MAX);
        result.precision = needed.max(left.precision).max(right.precision);
        Ok(Self::from_float(result))
    }

    /// The quotient. What is not zero divided by zero is infinite.
    pub fn div(&self, other: &Self) -> Result<Self, NotANumber> {
        match (&self.0, &other.0) {
            (Repr::Infinite { .. }, Repr::Infinite { .. }) => Err(NO_QUOTIENT),
            (Repr::Infinite { negative }, _) => Ok(Self(Repr::Infinite {
                negative: *negative != other.has_minus(),
            })),
            (_, Repr::Infinite { negative }) => {
                let zero = Self::ZERO;
                Ok(if *negative == self.has_minus() {
                    zero
                } else {
                    zero.neg()
                })
            }
            _ if other.is_zero() && self.is_zero() => Err(NO_QUOTIENT),
            _ if other.is_zero() => Ok(Self(Repr::Infinite {
                negative: self.has_minus() != other.has_minus(),
            })),
            (Repr::Int { value: left, .. }, Repr::Int { value: right, .. })
                if *left != 0 && left.checked_rem(*right) == Some(0) =>
            {
                Ok(self
                    .small(other, i64::checked_div)
                    .unwrap_or_else(|| self.quotient(other)))
            }
            _ => Ok(self.quotient(other)),
        }
    }

    /// What is left of this number when `other` is taken from it as often as it goes; the sign is this number's.
    /// The remainder by zero is the number itself.
    pub fn rem(&self, other: &Self) -> Result<Self, NotANumber> {
        if self.is_infinite() || other.is_infinite() {
            return self.mul(other);
        }
        if other.is_zero() {
            return Ok(self.clone());
        }
        if let (Repr::Int { value: left, .. }, Repr::Int { value: right, .. }) = (&self.0, &other.0)
            && self.precision() >= other.precision()
            && let Some(rest) = left.checked_rem(*right)
        {
            return Ok(Self(Repr::Int {
                value: rest,
                precision: self.precision(),
            }));
        }
        let times = self.div(other)?.to_float().truncated().unwrap_or_default();
        // The whole product is rounded to the precision of the dividend, as is the result.
        let precision = self.precision();
        let times = Float::rounded(
            times.sign() == Sign::Minus,
            times.into_parts().1,
            0,
            precision,
        );
        let mut taken = product(&times, &other.to_float(), precision);
        taken.negative = !taken.negative;
        Ok(Self::from_float(sum(&self.to_float(), &taken)))
    }

    /// The number with the other sign; of `0`, `-0`.
    #[must_use]
    pub fn neg(&self) -> Self {
        match &self.0 {
            Repr::Infinite { negative } => Self(Repr::Infinite {
                negative: !negative,
            }),
            Repr::Int { value, precision } if *value != 0 && *value != i64::MIN => {
                Self(Repr::Int {
                    value: -value,
                    precision: *precision,
                })
            }
            _ => {
                let mut float = self.to_float();
                float.negative = !float.negative;
                Self::from_float(float)
            }
        }
    }

    /// Without a minus.
    #[must_use]
    pub fn abs(&self) -> Self {
        if self.has_minus() {
            self.neg()
        } else {
            self.clone()
        }
    }

    /// The greatest whole number that is not greater.
    #[must_use]
    pub fn floor(&self) -> Self {
        self.to_whole(|whole, negative| if negative { whole - 1 } else { whole })
    }

    /// The least whole number that is not less.
    #[must_use]
    pub fn ceil(&self) -> Self {
        self.to_whole(|whole, negative| if negative { whole } else { whole + 1 })
    }

    /// The whole number left when the fraction is cut off.
    #[must_use]
    pub fn trunc(&self) -> Self {
        self.to_whole(|whole, _| whole)
    }

    /// A whole number as it is; else `adjust` makes the result from the truncated number and its sign.
    fn to_whole(&self, adjust: impl FnOnce(BigInt, bool) -> BigInt) -> Self {
        match &self.0 {
            Repr::Float(float) if !float.is_integer() => match float.truncated() {
                Some(whole) => {
                    let result = adjust(whole, float.negative);
                    let precision = self.precision().max(INTEGER_PRECISION);
                    let (sign, magnitude) = result.into_parts();
                    Self::from_float(Float::rounded(sign == Sign::Minus, magnitude, 0, precision))
                }
                None => self.clone(),
            },
            _ => self.clone(),
        }
    }

    /// The quotient of finite numbers, the second not zero.
    fn quotient(&self, other: &Self) -> Self {
        Self::from_float(quotient(
            &self.to_float(),
            &other.to_float(),
            self.precision().max(other.precision()),
        ))
    }

    /// Whether it is written with a minus, as `-0` is.
    fn has_minus(&self) -> bool {
        match &self.0 {
            Repr::Int { value, .. } => *value < 0,
            Repr::Float(float) => float.negative,
            Repr::Infinite { negative } => *negative,
        }
    }

    /// The result on machine integers, if operands and result are such.
    fn small(&self, other: &Self, operation: impl FnOnce(i64, i64) -> Option<i64>) -> Option<Self> {
        let (
            Repr::Int {
                value: left,
                precision: one,
            },
            Repr::Int {
                value: right,
                precision: two,
            },
        ) = (&self.0, &other.0)
        else {
            return None;
        };
        let precision = (*one).max(*two);
        let value = operation(*left, *right)?;
        let bits = 64 - value.unsigned_abs().leading_zeros();
        (bits <= precision).then_some(Self(Repr::Int { value, precision }))
    }
}

const NO_QUOTIENT: NotANumber = NotANumber("can't divide zero by zero or infinity by infinity");

fn sum(left: &Float, right: &Float) -> Float {
    let precision = left.precision.max(right.precision);
    if left.is_zero() && right.is_zero() {
        return Float::rounded(left.negative && right.negative, BigUint::ZERO, 0, precision);
    }
    if left.is_zero() || right.is_zero() {
        let other = if left.is_zero() { right } else { left };
        return Float::rounded(
            other.negative,
            other.mantissa.clone(),
            other.exponent,
            precision,
        );
    }
    // An operand far below the last bit of the other only breaks ties: a single bit stands in for it.
    let reach = i64::from(precision) + 4;
    let lower =
        left.magnitude().max(right.magnitude()) - reach.max(left.width()).max(right.width()) - 4;
    let (left, right) = (left.raised_to(lower), right.raised_to(lower));
    let exponent = left.exponent.min(right.exponent);
    let signed = |float: &Float| {
        BigInt::from_biguint(float.sign(), &float.mantissa << (float.exponent - exponent))
    };
    let total = signed(&left) + signed(&right);
    let (sign, magnitude) = total.into_parts();
    Float::rounded(sign == Sign::Minus, magnitude, exponent, precision)
}

/// `left * right`, rounded to `precision`.
pub(super) fn product(left: &Float, right: &Float, precision: u32) -> Float {
    let negative = left.negative != right.negative;
    Float::rounded(
        negative,
        &left.mantissa * &right.mantissa,
        left.exponent + right.exponent,
        precision,
    )
}

/// `left / right`, rounded to `precision`; `right` is not zero.
pub(super) fn quotient(left: &Float, right: &Float, precision: u32) -> Float {
    let negative = left.negative != right.negative;
    if left.is_zero() {
        return Float::rounded(negative, BigUint::ZERO, 0, precision);
    }
    let shift =
        (u64::from(precision) + 2 + right.mantissa.bits()).saturating_sub(left.mantissa.bits());
    let (whole, rest) = (&left.mantissa << shift).div_rem(&right.mantissa);
    // One bit more says whether anything is left, so that rounding sees it.
    let sticky = (whole << 1_u32) + BigUint::from(u8::from(!rest.is_zero()));
    let shift = i64::try_from(shift).unwrap_or(i64::MAX);
    Float::rounded(
        negative,
        sticky,
        left.exponent - right.exponent - shift - 1,
        precision,
    )
}

impl Float {
    fn width(&self) -> i64 {
        i64::try_from(self.mantissa.bits()).unwrap_or(i64::MAX)
    }

    /// A value whose every bit is below `2^exponent` becomes the single bit of that weight.
    fn raised_to(&self, exponent: i64) -> Self {
        if self.magnitude() >= exponent {
            return self.clone();
        }
        Self {
            mantissa: BigUint::from(1_u8),
            exponent,
            ..self.clone()
        }
    }
}

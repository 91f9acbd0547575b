//! Logarithm and power to the last digit that the reference prints.
//!
//! The mathematical libraries of systems and languages differ in the last place of such results, and that place is
//! printed. So the system's library is not asked: logarithms are those of `libm`, and a power is taken apart into a
//! whole and a fractional exponent, as the reference's results are.

#![expect(clippy::float_cmp, reason = "exact values are what is asked for")]

use std::iter;

/// The natural logarithm.
pub(crate) fn logarithm(x: f64) -> f64 {
    libm::log(x)
}

/// `ln 2` in two parts: a multiple of the first is exact, the second has the digits behind it.
const LN_2: [f64; 2] = [
    f64::from_bits(0x3FE6_2E42_FEFA_3000),
    f64::from_bits(0x3D53_DE6A_F278_ECE6),
];

/// `e` to the power of `x`, for an `x` between -700 and 700.
///
/// As in Shibata, "Efficient evaluation methods of elementary functions suitable for SIMD computation" (2010): what
/// whole powers of two leave of `x` is divided by sixteen, a short series gives the exponential less one, and squaring
/// four times takes the division back.
fn exponential(x: f64) -> f64 {
    let twos = (x * std::f64::consts::LOG2_E).round_ties_even();
    let rest = LN_2
        .into_iter()
        .fold(x, |rest, part| (-twos).mul_add(part, rest));
    let small = rest / 16.0;
    // 1 + small/2 + small²/6 + …: the series of (e^small - 1) / small.
    let series = (1..=7)
        .rev()
        .map(factorial_inverse)
        .fold(factorial_inverse(8), |sum, next| sum.mul_add(small, next));
    let less_one = (0..3).fold(small * series, |less_one, _| less_one * (less_one + 2.0));
    let whole = less_one.mul_add(less_one + 2.0, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and small because `x` is"
    )]
    let twos = twos as i32;
    libm::ldexp(whole, twos)
}

/// `1/n!`
fn factorial_inverse(n: u8) -> f64 {
    1.0 / (1..=n).map(f64::from).product::<f64>()
}

/// A number as a product of a fraction and a power of two, so that products of many factors leave no range on the way.
#[derive(Clone, Copy)]
struct Scaled {
    fraction: f64,
    exponent: i64,
}

impl Scaled {
    /// The fraction is at least a half and less than one.
    fn of(x: f64) -> Self {
        let (fraction, exponent) = libm::frexp(x);
        Self {
            fraction,
            exponent: exponent.into(),
        }
    }

    fn squared(self) -> Self {
        let square = self.times(self);
        if square.fraction < 0.5 {
            Self {
                fraction: square.fraction * 2.0,
                exponent: square.exponent - 1,
            }
        } else {
            square
        }
    }

    fn times(self, other: Self) -> Self {
        /// Beyond every double, and far from the ends of the type.
        const FAR: i64 = 1 << 40;
        Self {
            fraction: self.fraction * other.fraction,
            exponent: (self.exponent + other.exponent).clamp(-FAR, FAR),
        }
    }

    fn inverse(self) -> Self {
        Self {
            fraction: 1.0 / self.fraction,
            exponent: -self.exponent,
        }
    }

    fn value(self) -> f64 {
        /// Takes any fraction to infinity or zero.
        const BEYOND: i64 = 10_000;
        let exponent = self.exponent.clamp(-BEYOND, BEYOND);
        libm::ldexp(self.fraction, i32::try_from(exponent).unwrap_or_default())
    }
}

/// `x` to the power of `y`; NaN where that is no real number.
pub(crate) fn power(x: f64, y: f64) -> f64 {
    if let Some(result) = special_power(x, y) {
        return result;
    }
    // The nearest whole exponent, and what is left: at most a half, so that the exponential is of a small number.
    let magnitude = y.abs();
    let nearest = if magnitude.fract() > 0.5 {
        magnitude.trunc() + 1.0
    } else {
        magnitude.trunc()
    };
    let left = magnitude - nearest;
    let start = if left == 0.0 {
        1.0
    } else if x < 0.0 {
        return f64::NAN;
    } else {
        exponential(left * logarithm(x))
    };
    let start = Scaled {
        fraction: start,
        exponent: 0,
    };
    let product = whole_power(x, nearest)
        .into_iter()
        .fold(start, Scaled::times);
    let product = if y < 0.0 { product.inverse() } else { product };
    product.value()
}

/// The factors of `x` to a power that is whole and not negative: those squares of `x` whose bits the power has.
fn whole_power(x: f64, power: f64) -> Vec<Scaled> {
    let squares = iter::successors(Some(Scaled::of(x)), |square| Some(square.squared()));
    let bits = iter::successors(Some(power), |left| Some((left / 2.0).trunc()))
        .take_while(|left| *left > 0.0)
        .map(|left| left % 2.0 > 0.0);
    squares
        .zip(bits)
        .filter_map(|(square, is_factor)| is_factor.then_some(square))
        .collect()
}

/// Powers that need no computation.
fn special_power(x: f64, y: f64) -> Option<f64> {
    let result = if y == 0.0 || x == 1.0 {
        1.0
    } else if y == 1.0 {
        x
    } else if x == 0.0 || x.is_infinite() || y.is_infinite() || x.is_nan() || y.is_nan() {
        x.powf(y)
    } else if y == 0.5 {
        x.sqrt()
    } else if y == -0.5 {
        1.0 / x.sqrt()
    } else {
        return None;
    };
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_have_the_references_digits() {
        let log = |x: f64, base: f64| logarithm(x) / logarithm(base);
        assert_eq!(
            log(1e30, 3.0).to_bits(),
            62.877_098_228_681_55_f64.to_bits()
        );
        assert_eq!(log(3.0, 2.0).to_bits(), 1.584_962_500_721_156_f64.to_bits());
        assert_eq!(
            log(7.0, 3.0).to_bits(),
            1.771_243_749_161_422_4_f64.to_bits()
        );
        assert!(logarithm(-1.0).is_nan());
    }

    #[test]
    fn powers() {
        assert_eq!(power(2.0, 10.0), 1024.0);
        assert_eq!(power(-2.0, 3.0), -8.0);
        assert_eq!(power(4.0, 0.5), 2.0);
        assert_eq!(
            power(9.0, 1.5).to_bits(),
            27.000_000_000_000_004_f64.to_bits()
        );
        assert_eq!(
            power(7.0, 0.25).to_bits(),
            1.626_576_561_697_785_9_f64.to_bits()
        );
        assert_eq!(power(10.0, 400.0), f64::INFINITY);
        assert_eq!(power(10.0, -400.0), 0.0);
        assert!(power(-8.0, 0.3).is_nan());
    }
}

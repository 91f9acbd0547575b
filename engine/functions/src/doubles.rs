//! Logarithm and power of doubles by the reference's methods, so that results agree to the last bit: the square of the
//! error that a platform's own functions make would show in `ceil(log(n, 2))`.

#![expect(
    clippy::excessive_precision,
    reason = "constants stand as they are published"
)]

use std::f64::consts::{FRAC_1_SQRT_2, LOG2_E};

/// The natural logarithm, by the method of the `FreeBSD` mathematical library (Sun Microsystems, 1993).
pub(crate) fn logarithm(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238_164_90e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;
    const ODD: [f64; 4] = [
        6.666_666_666_666_735_130e-1,
        2.857_142_874_366_239_149e-1,
        1.818_357_216_161_805_012e-1,
        1.479_819_860_511_658_591e-1,
    ];
    const EVEN: [f64; 3] = [
        3.999_999_999_940_941_908e-1,
        2.222_219_843_214_978_396e-1,
        1.531_383_769_920_937_332e-1,
    ];
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    let (mut fraction, mut exponent) = split(x);
    if fraction < FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let f = fraction - 1.0;
    let k = f64::from(exponent);
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let odd = s2 * (ODD[0] + s4 * (ODD[1] + s4 * (ODD[2] + s4 * ODD[3])));
    let even = s4 * (EVEN[0] + s4 * (EVEN[1] + s4 * EVEN[2]));
    let rest = odd + even;
    let half_square = 0.5 * f * f;
    k * LN2_HIGH - ((half_square - (s * (half_square + rest) + k * LN2_LOW)) - f)
}

/// `e` to the power of `x`, by the method of N. Shibata ("Efficient evaluation methods of elementary functions suitable
/// for SIMD computation", 2010): the power of a sixteenth by its series, squared four times.
fn exponential(x: f64) -> f64 {
    const LN2_UPPER: f64 = 0.693_147_180_559_662_956_511_601_805_686_950_683_593_75;
    const LN2_LOWER: f64 = 0.282_352_905_630_315_771_225_884_481_750_134_360_255_254_120_68e-12;
    const OVERFLOW: f64 = 7.097_827_128_933_84e2;
    const SERIES: [f64; 8] = [
        2.480_158_730_158_730_158_7e-5,
        1.984_126_984_126_984_127_0e-4,
        1.388_888_888_888_888_888_9e-3,
        8.333_333_333_333_333_333_3e-3,
        4.166_666_666_666_666_666_7e-2,
        1.666_666_666_666_666_666_7e-1,
        0.5,
        1.0,
    ];
    if x.is_nan() || x == f64::INFINITY {
        return x;
    }
    if x > OVERFLOW {
        return f64::INFINITY;
    }
    let exponent = (x * LOG2_E).round_ties_even();
    if exponent < -1100.0 {
        return 0.0;
    }
    let reduced = (-LN2_LOWER).mul_add(exponent, (-LN2_UPPER).mul_add(exponent, x)) * 0.0625;
    let series = SERIES[1..]
        .iter()
        .fold(SERIES[0], |sum, term| sum.mul_add(reduced, *term));
    let mut less_one = reduced * series;
    for _ in 0..3 {
        less_one *= less_one + 2.0;
    }
    let result = (less_one + 2.0).mul_add(less_one, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it lies between -1100 and 1024"
    )]
    scale(result, exponent as i32)
}

/// `x` to the power of `y`: the whole part of `y` by squaring, the rest by logarithm and exponential.
#[expect(clippy::float_cmp, reason = "special cases are exact")]
pub(crate) fn power(x: f64, y: f64) -> f64 {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if y == 0.0 || x == 1.0 {
        return 1.0;
    }
    if y == 1.0 {
        return x;
    }
    if x == 0.0 || !x.is_finite() || !y.is_finite() {
        return x.powf(y);
    }
    if y == 0.5 {
        return x.sqrt();
    }
    if y == -0.5 {
        return 1.0 / x.sqrt();
    }
    let (mut whole, mut rest) = (y.abs().trunc(), y.abs().fract());
    if rest != 0.0 && x < 0.0 {
        return f64::NAN;
    }
    if whole >= TWO_TO_63 {
        return x.powf(y);
    }
    let mut result = 1.0;
    if rest != 0.0 {
        if rest > 0.5 {
            rest -= 1.0;
            whole += 1.0;
        }
        result = exponential(rest * logarithm(x));
    }
    let (result, exponent) = times_power(result, x, whole);
    if y < 0.0 {
        scale(1.0 / result, -exponent)
    } else {
        scale(result, exponent)
    }
}

/// `result` times `x` to the power of a whole number, as a factor and an exponent of 2.
fn times_power(mut result: f64, x: f64, whole: f64) -> (f64, i32) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole and less than 2 to the 63rd"
    )]
    let mut remaining = whole as u64;
    let (mut base, mut base_exponent) = split(x);
    let mut exponent = 0_i32;
    while remaining != 0 {
        if base_exponent.abs() > 1 << 12 {
            exponent = exponent.saturating_add(base_exponent);
            break;
        }
        if remaining & 1 == 1 {
            result *= base;
            exponent = exponent.saturating_add(base_exponent);
        }
        base *= base;
        base_exponent *= 2;
        if base < 0.5 {
            base += base;
            base_exponent -= 1;
        }
        remaining >>= 1;
    }
    (result, exponent)
}

/// A fraction from a half up to one, and the exponent of 2 to multiply it by; `x` is finite and not zero.
fn split(x: f64) -> (f64, i32) {
    const EXPONENT_MASK: u64 = 0x7ff << 52;
    let (x, bias) = if x.abs() < f64::MIN_POSITIVE {
        (x * 2_f64.powi(52), 1022 + 52)
    } else {
        (x, 1022)
    };
    let bits = x.to_bits();
    let exponent = i32::try_from((bits & EXPONENT_MASK) >> 52).unwrap_or(0) - bias;
    (f64::from_bits(bits & !EXPONENT_MASK | 1022 << 52), exponent)
}

/// `x` times 2 to the power of `exponent`, in steps that round only once where the result is tiny.
fn scale(x: f64, exponent: i32) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let (fraction, own) = split(x);
    let exponent = exponent.saturating_add(own);
    if exponent > 1024 {
        return f64::INFINITY.copysign(x);
    }
    if exponent < -1080 {
        return 0.0_f64.copysign(x);
    }
    let step = exponent / 2;
    // Either the first product is exact, or the second is.
    if exponent > -1021 {
        fraction * 2_f64.powi(step) * 2_f64.powi(exponent - step)
    } else {
        fraction * 2_f64.powi(-1000) * 2_f64.powi(exponent + 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "to the last bit")]
    fn exact_where_it_matters() {
        for exponent in 1..60 {
            let power_of_two = 2_f64.powi(exponent);
            assert_eq!(power(2.0, f64::from(exponent)), power_of_two);
        }
        assert_eq!(logarithm(50.0) / logarithm(10.0), 1.698_970_004_336_018_5);
        assert_eq!(power(1.1, 10.0), 2.593_742_460_100_002);
        assert_eq!(power(2.0, -1074.0), 5e-324);
        assert_eq!(power(10.0, 400.0), f64::INFINITY);
        assert!(power(-8.0, 1.0 / 3.0).is_nan());
        assert!(logarithm(-1.0).is_nan());
    }
}

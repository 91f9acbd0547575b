//! Logarithm, exponential and power to the last digit that the reference prints.
//!
//! The mathematical libraries of systems and languages differ in the last place of such results, and that place is
//! printed. The methods here are the published ones that the reference's language uses, so that results are the same on
//! every system.

#![expect(
    clippy::excessive_precision,
    clippy::float_cmp,
    reason = "constants are written as they were published, and exact values are what is asked for"
)]

/// `ln 2` in two parts, the first with zeros at its end.
const LN_2_HIGH: f64 = 6.931_471_803_691_238_164_90e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;
/// Coefficients of the polynomial for the logarithm near one.
const LOGARITHM: [f64; 7] = [
    6.666_666_666_666_735_130e-1,
    3.999_999_999_940_941_908e-1,
    2.857_142_874_366_239_149e-1,
    2.222_219_843_214_978_396e-1,
    1.818_357_216_161_805_012e-1,
    1.531_383_769_920_937_332e-1,
    1.479_819_860_511_658_591e-1,
];

/// `ln 2` in two parts, as the exponential takes it apart.
const LN_2_UPPER: f64 = 0.693_147_180_559_662_956_511_601_805_686_950_683_593_75;
const LN_2_LOWER: f64 = 0.282_352_905_630_315_771_225_884_481_750_134_360_255_254_120_68e-12;
/// `1/n!` for n from 8 down to 1.
const INVERSE_FACTORIALS: [f64; 8] = [
    2.480_158_730_158_730_158_7e-5,
    1.984_126_984_126_984_127_0e-4,
    1.388_888_888_888_888_888_9e-3,
    8.333_333_333_333_333_333_3e-3,
    4.166_666_666_666_666_666_7e-2,
    1.666_666_666_666_666_666_7e-1,
    0.5,
    1.0,
];

/// The natural logarithm.
pub(crate) fn logarithm(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x.is_infinite() {
        return x;
    }
    let (mut fraction, mut exponent) = fraction_and_exponent(x);
    if fraction < std::f64::consts::FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let f = fraction - 1.0;
    let k = f64::from(exponent);
    let s = f / (2.0 + f);
    let square = s * s;
    let fourth = square * square;
    let [l1, l2, l3, l4, l5, l6, l7] = LOGARITHM;
    let odd = square * (l1 + fourth * (l3 + fourth * (l5 + fourth * l7)));
    let even = fourth * (l2 + fourth * (l4 + fourth * l6));
    let half_square = 0.5 * f * f;
    k * LN_2_HIGH - ((half_square - (s * (half_square + (odd + even)) + k * LN_2_LOW)) - f)
}

/// `e` to the power of `x`, for an `x` between -700 and 700.
fn exponential(x: f64) -> f64 {
    let exponent = (x * std::f64::consts::LOG2_E).round_ties_even();
    let reduced = (-exponent).mul_add(LN_2_LOWER, (-exponent).mul_add(LN_2_UPPER, x));
    let small = reduced * 0.0625;
    let series = INVERSE_FACTORIALS[1..]
        .iter()
        .fold(INVERSE_FACTORIALS[0], |sum, coefficient| {
            sum.mul_add(small, *coefficient)
        });
    // e^(16r) - 1 from e^r - 1, by squaring four times.
    let mut less_one = small * series;
    for _ in 0..3 {
        less_one *= less_one + 2.0;
    }
    let result = less_one.mul_add(less_one + 2.0, 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounded, and small because x is"
    )]
    let exponent = exponent as i32;
    scaled(result, exponent)
}

/// `x` to the power of `y`; NaN where that is no real number.
pub(crate) fn power(x: f64, y: f64) -> f64 {
    if let Some(result) = special_power(x, y) {
        return result;
    }
    let magnitude = y.abs();
    let (mut whole, mut part) = (magnitude.trunc(), magnitude.fract());
    if part != 0.0 && x < 0.0 {
        return f64::NAN;
    }
    if whole >= 9.223_372_036_854_775_808e18 {
        return match x {
            -1.0 => 1.0,
            _ if (x.abs() < 1.0) == (y > 0.0) => 0.0,
            _ => f64::INFINITY,
        };
    }
    let mut result = 1.0;
    let mut result_exponent = 0_i64;
    if part != 0.0 {
        if part > 0.5 {
            part -= 1.0;
            whole += 1.0;
        }
        result = exponential(part * logarithm(x));
    }
    let (mut factor, exponent) = fraction_and_exponent(x);
    let mut factor_exponent = i64::from(exponent);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, not negative, and below 2^63"
    )]
    let mut remaining = whole as u64;
    while remaining != 0 {
        if factor_exponent.abs() > 1 << 12 {
            // Beyond every double already, whatever else is multiplied.
            result_exponent += factor_exponent;
            break;
        }
        if remaining & 1 == 1 {
            result *= factor;
            result_exponent += factor_exponent;
        }
        factor *= factor;
        factor_exponent *= 2;
        if factor < 0.5 {
            factor += factor;
            factor_exponent -= 1;
        }
        remaining >>= 1;
    }
    if y < 0.0 {
        result = 1.0 / result;
        result_exponent = -result_exponent;
    }
    let limited = result_exponent.clamp(-1 << 20, 1 << 20);
    scaled(result, i32::try_from(limited).unwrap_or_default())
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

/// A finite number as a fraction, at least a half and less than one, and an exponent of two.
fn fraction_and_exponent(x: f64) -> (f64, i32) {
    if x == 0.0 {
        return (x, 0);
    }
    let (x, shift) = if x.abs() < f64::MIN_POSITIVE {
        (x * f64::from_bits(0x4330_0000_0000_0000), -52)
    } else {
        (x, 0)
    };
    let bits = x.to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or_default() - 1022;
    let fraction = f64::from_bits((bits & !(0x7ff << 52)) | (1022 << 52));
    (fraction, exponent + shift)
}

/// `x` times two to the power of `exponent`, rounded once.
fn scaled(x: f64, exponent: i32) -> f64 {
    let (fraction, own) = fraction_and_exponent(x);
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let exponent = own.saturating_add(exponent);
    let power =
        |exponent: i32| f64::from_bits(u64::try_from(exponent + 1023).unwrap_or_default() << 52);
    match exponent {
        1025.. => f64::INFINITY.copysign(x),
        ..=-1081 => 0.0_f64.copysign(x),
        // Below normal numbers only the last multiplication may round.
        -1080..=-1022 => fraction * power(-1000) * power(exponent + 1000),
        _ => fraction * 2.0 * power(exponent - 1),
    }
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
    fn parts_of_numbers() {
        assert_eq!(fraction_and_exponent(8.0), (0.5, 4));
        assert_eq!(fraction_and_exponent(f64::from_bits(1)), (0.5, -1073));
        assert_eq!(scaled(0.5, 4), 8.0);
        assert_eq!(scaled(0.75, -1073), f64::from_bits(2));
        assert_eq!(scaled(1.0, 2000), f64::INFINITY);
        assert_eq!(scaled(1.0, -2000), 0.0);
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

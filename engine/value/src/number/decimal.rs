//! Decimal text: reading and printing.

use std::borrow::Cow;
use std::cmp::Ordering;

use num_bigint::BigUint;
use num_traits::Zero;

use super::float::Float;
use super::{LITERAL_PRECISION, Number, Repr, arithmetic};

/// A decimal exponent beyond this is refused: nobody means it, and printing it would fill the memory.
const GREATEST_EXPONENT: i64 = 1_000_000;
/// Digits that are read one by one: more than twice those of a literal's precision. Of what follows it matters only whether
/// it is zero, so that the time of reading follows the length of the text.
const TELLING_DIGITS: usize = 1_100;
/// Bits kept beyond the precision while scaling by a power of ten.
const GUARD_BITS: u32 = 64;

/// Reads `[+-]digits[.digits][e[+-]digits]`.
pub(super) fn parse(text: &str) -> Option<Number> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest.len() <= 18 && !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()) {
        let value: i64 = rest.parse().ok()?;
        if value != 0 || !negative {
            return Some(Number(Repr::Int {
                value: if negative { -value } else { value },
                precision: LITERAL_PRECISION,
            }));
        }
    }
    if matches!(rest, "Inf" | "inf") {
        return Some(if negative {
            Number::NEGATIVE_INFINITY
        } else {
            Number::INFINITY
        });
    }
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], parse_exponent(&rest[at + 1..])?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let (digits, dropped) = telling_digits(&digits);
    let value = BigUint::parse_bytes(digits.as_bytes(), 10)?;
    let exponent = exponent.checked_add(i64::try_from(dropped).ok()?)?;
    if value.is_zero() {
        return Some(Number::from_float(Float::rounded(
            negative,
            value,
            0,
            LITERAL_PRECISION,
        )));
    }
    if exponent.unsigned_abs() > GREATEST_EXPONENT.unsigned_abs() {
        return None;
    }
    Some(Number::from_float(scaled(negative, value, exponent)))
}

/// The digits that decide which number is meant, and how many are left out behind them.
fn telling_digits(digits: &str) -> (Cow<'_, str>, usize) {
    let digits = digits.trim_start_matches('0');
    let Some((first, rest)) = digits.split_at_checked(TELLING_DIGITS) else {
        return (if digits.is_empty() { "0" } else { digits }.into(), 0);
    };
    if rest.bytes().all(|digit| digit == b'0') {
        (first.into(), rest.len())
    } else {
        // One more, so that the number lies above the first digits, as it does with all of them.
        (format!("{first}1").into(), rest.len() - 1)
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

/// `value * 10^exponent` at the precision of literals.
fn scaled(negative: bool, value: BigUint, exponent: i64) -> Float {
    let wide = LITERAL_PRECISION + GUARD_BITS;
    let power = power_of_five(exponent.unsigned_abs(), wide);
    // Not rounded before it is scaled.
    let width = u32::try_from(value.bits()).unwrap_or(u32::MAX);
    let digits = Float::rounded(negative, value, exponent, width);
    if exponent < 0 {
        arithmetic::quotient(&digits, &power, LITERAL_PRECISION)
    } else {
        arithmetic::product(&digits, &power, LITERAL_PRECISION)
    }
}

/// `5^exponent`, exact while it fits in `precision` bits, else rounded at each step with guard bits.
fn power_of_five(exponent: u64, precision: u32) -> Float {
    if let Some(power) = u32::try_from(exponent)
        .ok()
        .and_then(|exponent| 5_i64.checked_pow(exponent))
    {
        return Float::from_i64(power, precision);
    }
    let mut result = Float::from_i64(1, precision);
    let mut square = Float::from_i64(5, precision + GUARD_BITS);
    let mut rest = exponent;
    loop {
        if rest & 1 == 1 {
            result = arithmetic::product(&result, &square, precision);
        }
        rest >>= 1;
        if rest == 0 {
            return result;
        }
        square = arithmetic::product(&square, &square, precision + GUARD_BITS);
    }
}

/// Decimal digits without leading or trailing zeros, and where the point stands: `0.DIGITS * 10^point`.
#[derive(Clone, Debug)]
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// All digits of `mantissa * 2^exponent`.
    fn exact(mantissa: &BigUint, exponent: i64) -> Self {
        let (text, scale) = if exponent >= 0 {
            ((mantissa << exponent).to_string(), 0)
        } else {
            let fives = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
            (
                (mantissa * BigUint::from(5_u8).pow(fives)).to_string(),
                exponent,
            )
        };
        let mut digits = text.into_bytes();
        let point = i64::try_from(digits.len()).unwrap_or(i64::MAX) + scale;
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        Self { digits, point }
    }

    /// As many digits of `mantissa * 2^exponent` as tell numbers of `precision` bits apart: all of them, or in very
    /// large and very small numbers the first ones, behind which a `1` stands for what is left out.
    fn telling(mantissa: &BigUint, exponent: i64, precision: u32) -> Self {
        if exponent.abs() < ALL_DIGITS {
            return Self::exact(mantissa, exponent);
        }
        let count = i64::from(precision) / 3 + 60;
        let bits = i64::try_from(mantissa.bits()).unwrap_or(i64::MAX) + exponent;
        // A bit is 0.30103 decimal digits: with `scale` places more, the number has `count` digits before its point.
        let scale = count - bits * 30_103 / 100_000;
        let five = u32::try_from(scale.unsigned_abs()).unwrap_or(u32::MAX);
        let fives = BigUint::from(5_u8).pow(five);
        let (top, bottom) = if scale >= 0 {
            (mantissa * fives, BigUint::from(1_u8))
        } else {
            (mantissa.clone(), fives)
        };
        let shift = exponent + scale;
        let (top, bottom) = if shift >= 0 {
            (top << shift, bottom)
        } else {
            (top, bottom << shift.unsigned_abs())
        };
        let whole = &top / &bottom;
        let mut digits = whole.to_string().into_bytes();
        let point = i64::try_from(digits.len()).unwrap_or(i64::MAX) - scale;
        if whole * bottom != top {
            digits.push(b'1');
        }
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        Self { digits, point }
    }

    fn at(&self, index: usize) -> u8 {
        self.digits.get(index).copied().unwrap_or(b'0')
    }

    /// Keeps `count` digits, rounding up or down.
    fn cut(&mut self, count: usize, up: bool) {
        self.digits.truncate(count);
        if up {
            while self.digits.last() == Some(&b'9') {
                self.digits.pop();
            }
            match self.digits.last_mut() {
                Some(last) => *last += 1,
                None => {
                    self.digits.push(b'1');
                    self.point += 1;
                }
            }
        }
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
    }

    /// Whether rounding to `count` digits goes up: half to even.
    fn rounds_up(&self, count: usize) -> bool {
        match self.at(count).cmp(&b'5') {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal if count + 1 < self.digits.len() => true,
            Ordering::Equal => count > 0 && (self.at(count - 1) - b'0') % 2 == 1,
        }
    }

    fn round(&mut self, count: usize) {
        if count < self.digits.len() {
            self.cut(count, self.rounds_up(count));
        }
    }

    /// The fewest digits that lie within half a unit of the last bit, found from the first digit on.
    fn shorten(&mut self, lower: &Self, upper: &Self, inclusive: bool) {
        for index in 0..self.digits.len() {
            let (low, digit, high) = (lower.at(index), self.at(index), upper.at(index));
            let down = low != digit || (inclusive && index + 1 == lower.digits.len());
            let up =
                digit != high && (inclusive || digit + 1 < high || index + 1 < upper.digits.len());
            match (down, up) {
                (true, true) => return self.round(index + 1),
                (true, false) => return self.cut(index + 1, false),
                (false, true) => return self.cut(index + 1, true),
                (false, false) => {}
            }
        }
    }

    fn plain(&self, negative: bool) -> String {
        let mut text = String::from(if negative { "-" } else { "" });
        let point = usize::try_from(self.point).unwrap_or(0);
        if point == 0 {
            text.push('0');
        }
        text.extend((0..point).map(|index| char::from(self.at(index))));
        if self.digits.len() > point {
            text.push('.');
            let zeros = self.point.min(0).unsigned_abs();
            text.extend((0..zeros).map(|_| '0'));
            text.extend(self.digits[point..].iter().map(|digit| char::from(*digit)));
        }
        text
    }

    fn scientific(&self, negative: bool) -> String {
        let mut text = String::from(if negative { "-" } else { "" });
        text.push(char::from(self.at(0)));
        if self.digits.len() > 1 {
            text.push('.');
            text.extend(self.digits[1..].iter().map(|digit| char::from(*digit)));
        }
        let exponent = self.point - 1;
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{text}e{sign}{:02}", exponent.unsigned_abs())
    }
}

/// Numbers with a smaller binary exponent are spelled out to the last digit.
const ALL_DIGITS: i64 = 4_096;

/// Fractions with at most this many decimal places are found without spelling out all digits.
const FEW_PLACES: usize = 24;

/// The decimal of at most a few places that reads back as `float`, a fraction, if there is one: the nearest with the
/// fewest places, if it lies within half a unit of the last bit.
fn few_places(float: &Float) -> Option<Decimal> {
    let shift = float.exponent.unsigned_abs();
    let spare = u64::from(float.precision).checked_sub(float.mantissa.bits())?;
    let half = BigUint::from(1_u8) << shift.checked_sub(1)?;
    let (mut scaled, mut ten_power) = (float.mantissa.clone(), BigUint::from(1_u8));
    for places in 1..=FEW_PLACES {
        scaled *= 10_u8;
        ten_power *= 10_u8;
        let candidate = (&scaled + &half) >> shift;
        let back = &candidate << shift;
        let error = if back > scaled {
            back - &scaled
        } else {
            &scaled - back
        };
        if (error << (spare + 1)) < ten_power {
            let mut digits = candidate.to_string().into_bytes();
            let point = i64::try_from(digits.len()).ok()? - i64::try_from(places).ok()?;
            while digits.last() == Some(&b'0') {
                digits.pop();
            }
            return Some(Decimal { digits, point });
        }
    }
    None
}

/// The shortest text without exponent that reads back as `float` at its precision.
pub(super) fn shortest(float: &Float) -> String {
    if float.is_zero() {
        return String::from(if float.negative { "-0" } else { "0" });
    }
    // A number below the smallest decimal of few places has none.
    if (-ALL_DIGITS..0).contains(&float.exponent)
        && let Some(decimal) = few_places(float)
    {
        return decimal.plain(float.negative);
    }
    let mut decimal = Decimal::telling(&float.mantissa, float.exponent, float.precision);
    // The mantissa with all its bits, the last of which weighs a unit; half a unit either way reads back the same.
    let spare = u64::from(float.precision).saturating_sub(float.mantissa.bits());
    let full = &float.mantissa << spare;
    let exponent = float.exponent - i64::try_from(spare).unwrap_or(i64::MAX);
    let even = !full.bit(0);
    let doubled = full << 1_u32;
    // The reference takes the neighbours of a power of two to be equally far, and so must this.
    let lower = Decimal::telling(&(&doubled - 1_u8), exponent - 1, float.precision);
    let upper = Decimal::telling(&(doubled + 1_u8), exponent - 1, float.precision);
    decimal.shorten(&lower, &upper, even);
    decimal.plain(float.negative)
}

/// At most ten significant digits; scientific where the exponent is below -4 or above the digits.
pub(super) fn ten_digits(float: &Float) -> String {
    if float.is_zero() {
        return String::from(if float.negative { "-0" } else { "0" });
    }
    let mut decimal = Decimal::telling(&float.mantissa, float.exponent, float.precision);
    decimal.round(10);
    if decimal.point < -3 || decimal.point > 10 {
        decimal.scientific(float.negative)
    } else {
        decimal.plain(float.negative)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn very_large_and_very_small_numbers_are_printed_as_all_others() {
        for text in [
            "1e-30000",
            "12345678901234567890.5e-20000",
            "-7.25e-9000",
            "3e30000",
            "123456789e12345",
            "-1.0000000000000000000000001e20000",
        ] {
            let number = parse(text).unwrap();
            let Float {
                mantissa,
                exponent,
                precision,
                ..
            } = number.to_float();
            let all = Decimal::exact(&mantissa, exponent);
            let some = Decimal::telling(&mantissa, exponent, precision);
            assert_eq!(all.point, some.point, "{text}");
            let shown = some.digits.len() - 1;
            assert!(
                shown > 160 && all.digits[..shown] == some.digits[..shown],
                "{text}"
            );
            assert_eq!(parse(&shortest(&number.to_float())), Some(number), "{text}");
        }
    }

    #[test]
    fn numbers_of_very_many_digits_are_read_in_no_time() {
        for exact in [
            BigUint::from(2_u8).pow(5_000),
            BigUint::from(3_u8).pow(7_001),
        ] {
            let all_digits = Number::from_float(scaled(false, exact.clone(), 0));
            assert_eq!(parse(&exact.to_string()), Some(all_digits));
        }
        let nines = "9".repeat(3_000);
        let number = parse(&nines).unwrap();
        assert_eq!(number.to_string(), format!("1{}", "0".repeat(3_000)));
        assert_eq!(
            parse(&format!("0.{}1", "0".repeat(2_000))),
            parse("1e-2001")
        );
        assert_eq!(parse(&format!("{}.5", "0".repeat(2_000))), parse("0.5"));
        assert!(parse(&"7".repeat(900_000)).is_some());
    }

    #[test]
    fn the_smallest_numbers_take_no_time() {
        let begun = Instant::now();
        let number = parse("-12345678901234567890.5e-323456").unwrap();
        let text = shortest(&number.to_float());
        assert!(text.ends_with("123456789012345678905"), "{}", text.len());
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

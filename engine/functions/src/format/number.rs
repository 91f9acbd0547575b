//! Numbers in the forms of verbs.

use num_bigint::{BigInt, Sign};
use terrace_value::Number;

use super::scan::Verb;

/// A whole number in the base that the verb names.
pub(super) fn integer(verb: &Verb<'_>, value: &BigInt) -> String {
    let (base, prefix) = match verb.mode {
        'b' => (2, "0b"),
        'o' => (8, "0"),
        'x' => (16, "0x"),
        'X' => (16, "0X"),
        _ => (10, ""),
    };
    let mut digits = value.magnitude().to_str_radix(base);
    if verb.mode == 'X' {
        digits.make_ascii_uppercase();
    }
    if verb.precision == Some(0) && digits == "0" {
        return String::new();
    }
    let sign = sign(verb, value.sign() == Sign::Minus);
    let prefix = if verb.sharp { prefix } else { "" };
    let mut zeros = verb.precision.unwrap_or(0).saturating_sub(digits.len());
    let length = sign.len() + prefix.len() + zeros + digits.len();
    let missing = verb.width.unwrap_or(0).saturating_sub(length);
    let (mut left, mut right) = (0, 0);
    if verb.minus {
        right = missing;
    } else if verb.zero && verb.precision.is_none() {
        zeros += missing;
    } else {
        left = missing;
    }
    format!(
        "{}{sign}{prefix}{}{digits}{}",
        " ".repeat(left),
        "0".repeat(zeros),
        " ".repeat(right)
    )
}

const fn sign(verb: &Verb<'_>, negative: bool) -> &'static str {
    if negative {
        "-"
    } else if verb.plus {
        "+"
    } else if verb.space {
        " "
    } else {
        ""
    }
}

/// A number in the notation that the verb names.
pub(super) fn float(verb: &Verb<'_>, value: &Number) -> String {
    let negative = is_negative(value);
    let (sign, digits) = if value.is_infinite() {
        let sign = if negative {
            "-"
        } else if verb.space {
            " "
        } else {
            "+"
        };
        (sign, "Inf".to_owned())
    } else {
        (sign(verb, negative), unsigned(verb, value))
    };
    let missing = verb
        .width
        .unwrap_or(0)
        .saturating_sub(sign.len() + digits.len());
    if verb.minus {
        format!("{sign}{digits}{}", " ".repeat(missing))
    } else if verb.zero && !value.is_infinite() {
        format!("{sign}{}{digits}", "0".repeat(missing))
    } else {
        format!("{}{sign}{digits}", " ".repeat(missing))
    }
}

/// The shortest digits that tell a number from others of its precision, plain where the exponent is small.
pub(super) fn shortest(value: &Number) -> String {
    if value.is_infinite() {
        return value.to_string();
    }
    let digits = Decimal::shortest(value);
    let text = general(&digits, None, 'e');
    if is_negative(value) {
        format!("-{text}")
    } else {
        text
    }
}

/// Negative zero is negative.
fn is_negative(value: &Number) -> bool {
    value.is_negative() || (value.is_zero() && value.to_string().starts_with('-'))
}

fn unsigned(verb: &Verb<'_>, value: &Number) -> String {
    let letter = if verb.mode.is_ascii_uppercase() {
        'E'
    } else {
        'e'
    };
    match verb.mode {
        'f' => {
            let precision = verb.precision.unwrap_or(6);
            let mut digits = Decimal::exact(value);
            let kept = digits
                .point
                .saturating_add(i64::try_from(precision).unwrap_or(i64::MAX));
            digits.round(kept);
            plain(&digits, precision)
        }
        'e' | 'E' => {
            let precision = verb.precision.unwrap_or(6);
            let mut digits = Decimal::exact(value);
            digits.round(
                i64::try_from(precision)
                    .unwrap_or(i64::MAX)
                    .saturating_add(1),
            );
            scientific(&digits, precision, letter)
        }
        _ => match verb.precision {
            None => general(&Decimal::shortest(value), None, letter),
            Some(precision) => {
                let precision = precision.max(1);
                let mut digits = Decimal::exact(value);
                digits.round(i64::try_from(precision).unwrap_or(i64::MAX));
                general(&digits, Some(precision), letter)
            }
        },
    }
}

fn general(digits: &Decimal, precision: Option<usize>, letter: char) -> String {
    let n_digits = digits.digits.len();
    let length = i64::try_from(n_digits).unwrap_or(i64::MAX);
    let threshold = match precision {
        None => 6,
        Some(precision) if precision > n_digits && length >= digits.point => length,
        Some(precision) => i64::try_from(precision).unwrap_or(i64::MAX),
    };
    let exponent = digits.point - 1;
    let precision = precision.map_or(n_digits, |precision| precision.min(n_digits.max(1)));
    if exponent < -4 || exponent >= threshold {
        return scientific(digits, precision.saturating_sub(1), letter);
    }
    let fraction = (length - digits.point).max(0);
    plain(digits, usize::try_from(fraction).unwrap_or(0))
}

fn plain(digits: &Decimal, precision: usize) -> String {
    let mut out = String::new();
    match usize::try_from(digits.point) {
        Ok(point) if point > 0 => {
            for index in 0..point {
                out.push(digits.digit(index));
            }
        }
        _ => out.push('0'),
    }
    if precision > 0 {
        out.push('.');
        for index in 0..precision {
            let index = digits.point + i64::try_from(index).unwrap_or(i64::MAX);
            out.push(usize::try_from(index).map_or('0', |index| digits.digit(index)));
        }
    }
    out
}

fn scientific(digits: &Decimal, precision: usize, letter: char) -> String {
    let mut out = String::new();
    out.push(digits.digit(0));
    if precision > 0 {
        out.push('.');
        for index in 1..=precision {
            out.push(digits.digit(index));
        }
    }
    let exponent = if digits.digits.is_empty() {
        0
    } else {
        digits.point - 1
    };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{out}{letter}{sign}{:02}", exponent.abs())
}

/// The magnitude of a number: 0.d₁d₂d₃… times ten to the power of `point`, without trailing zeros.
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// From digits with or without a fraction.
    fn parse(text: &str) -> Self {
        let text = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = whole.bytes().chain(fraction.bytes()).collect();
        let mut decimal = Self {
            digits,
            point: i64::try_from(whole.len()).unwrap_or(i64::MAX),
        };
        decimal.trim();
        decimal
    }

    fn shortest(value: &Number) -> Self {
        Self::parse(&value.to_string())
    }

    /// Every digit of a binary fraction: scaled by powers of two until it is whole, then by as many powers of five.
    fn exact(value: &Number) -> Self {
        let step = Number::from(1_u64 << 32);
        let mut scaled = value.abs();
        let mut n_halvings = 0_u32;
        loop {
            if let Some(whole) = scaled.to_bigint() {
                let mut digits =
                    Self::parse(&(whole * BigInt::from(5).pow(n_halvings)).to_string());
                digits.point -= i64::from(n_halvings);
                if digits.digits.is_empty() {
                    digits.point = 0;
                }
                return digits;
            }
            match scaled.mul(&step) {
                Ok(next) if n_halvings < 8_000_000 => scaled = next,
                _ => return Self::shortest(value),
            }
            n_halvings += 32;
        }
    }

    fn trim(&mut self) {
        let zeros = self
            .digits
            .iter()
            .take_while(|digit| **digit == b'0')
            .count();
        self.digits.drain(..zeros);
        self.point -= i64::try_from(zeros).unwrap_or(i64::MAX);
        while self.digits.last() == Some(&b'0') {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 0;
        }
    }

    fn digit(&self, index: usize) -> char {
        self.digits
            .get(index)
            .map_or('0', |digit| char::from(*digit))
    }

    /// To `n_digits` digits, half to even.
    fn round(&mut self, n_digits: i64) {
        let Ok(kept) = usize::try_from(n_digits) else {
            self.digits.clear();
            self.point = 0;
            return;
        };
        if kept >= self.digits.len() {
            return;
        }
        let is_half = self.digits[kept] == b'5' && kept + 1 == self.digits.len();
        let up = if is_half {
            kept > 0 && (self.digits[kept - 1] - b'0') % 2 == 1
        } else {
            self.digits[kept] >= b'5'
        };
        self.digits.truncate(kept);
        if up {
            self.increment();
        }
        self.trim();
    }

    fn increment(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit != b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        self.digits.insert(0, b'1');
        self.point += 1;
    }
}

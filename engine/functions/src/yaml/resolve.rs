//! What scalars stand for: a mixture of YAML 1.1 and 1.2.

use jiff::civil::{Date, Time};
use terrace_value::{Number, Value};

use crate::encoding::base64;
use crate::go_text::quoted;
use crate::timestamp::Moment;

/// A scalar as it is written.
pub(super) struct Scalar<'t> {
    pub(super) text: &'t str,
    /// In full; empty if there is none.
    pub(super) tag: &'t str,
    pub(super) is_quoted: bool,
}

const TAG_PREFIX: &str = "tag:yaml.org,2002:";
const KNOWN_TAGS: [&str; 7] = ["str", "bool", "int", "float", "null", "timestamp", "binary"];

/// The value that a scalar stands for.
pub(super) fn resolve(scalar: &Scalar<'_>) -> Result<Value, String> {
    let Scalar {
        text,
        tag,
        is_quoted,
    } = *scalar;
    let kind = tag
        .strip_prefix(TAG_PREFIX)
        .filter(|kind| KNOWN_TAGS.contains(kind));
    if !tag.is_empty() && kind.is_none() {
        return Err(format!("unsupported tag {}", quoted(tag)));
    }
    let is_raw = matches!(kind, Some("str" | "binary"));
    if begins_like_a_special_value(text) && !is_raw {
        if is_quoted {
            return Ok(Value::from(text));
        }
        if let Some(value) = named_value(text) {
            return Ok(value);
        }
        if kind.is_none() && matches!(text, ".nan" | ".NaN" | ".NAN") {
            return Err("floating point NaN is not supported".to_owned());
        }
        if let Some(value) = number_or_time(text, kind)? {
            return Ok(value);
        }
    }
    let cannot_parse = || format!("cannot parse {} as {tag}", quoted(text));
    match kind {
        Some("binary") => {
            base64::decode(text).map_err(|_| format!("{}: not valid base64", cannot_parse()))?;
            Ok(Value::from(text))
        }
        Some("bool") => named_value(text)
            .filter(|value| value.as_bool().is_some())
            .ok_or_else(cannot_parse),
        Some("int" | "float") => number(text).ok_or_else(cannot_parse),
        Some("timestamp") => timestamp(text).map(Value::from).ok_or_else(cannot_parse),
        Some("null") => Ok(Value::NULL),
        _ => Ok(Value::from(text)),
    }
}

fn begins_like_a_special_value(text: &str) -> bool {
    text.bytes()
        .next()
        .is_none_or(|first| b"+-0123456789yYnNtTfFoO~.".contains(&first))
}

fn named_value(text: &str) -> Option<Value> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(Value::TRUE)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Value::FALSE)
        }
        "" | "~" | "null" | "Null" | "NULL" => Some(Value::NULL),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            Some(Value::number(Number::INFINITY))
        }
        "-.inf" | "-.Inf" | "-.INF" => Some(Value::number(Number::NEGATIVE_INFINITY)),
        _ => None,
    }
}

/// What begins with a digit, a sign or a point may be a number or a time, or just text.
fn number_or_time(text: &str, kind: Option<&str>) -> Result<Option<Value>, String> {
    match text.bytes().next() {
        Some(b'.') => Ok(decimal(text).map(Value::number)),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            if matches!(kind, None | Some("timestamp")) {
                if let Some(time) = timestamp(text) {
                    return Ok(Some(Value::from(time)));
                }
            }
            if is_integer_literal(text) || decimal(text).is_some() {
                let tag = if is_integer_literal(text) {
                    "int"
                } else {
                    "float"
                };
                let message = || format!("cannot parse {} as {TAG_PREFIX}{tag}", quoted(text));
                return number(text).map(Some).ok_or_else(message);
            }
            Ok(None)
        }
        _ => Ok(None),
    }
}

fn is_integer_literal(text: &str) -> bool {
    let all = |digits: &str, radix: u32| {
        !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))
    };
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, 16);
    }
    all(text.strip_prefix(['+', '-']).unwrap_or(text), 10)
}

/// A number in decimal, or in another base by its prefix.
fn number(text: &str) -> Option<Value> {
    let plain = text.replace('_', "");
    if let Some(number) = decimal(&plain) {
        return Some(Value::number(number));
    }
    let (negative, digits) = match plain.as_bytes().first()? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain.as_str()),
    };
    let (radix, digits) = match digits.get(..2)? {
        "0x" | "0X" => (16, &digits[2..]),
        "0o" | "0O" => (8, &digits[2..]),
        "0b" | "0B" => (2, &digits[2..]),
        _ => return None,
    };
    let magnitude = u64::from_str_radix(digits, radix)
        .ok()
        .filter(|_| !digits.starts_with('+'))?;
    let number = Number::from(magnitude);
    Some(Value::number(if negative { number.neg() } else { number }))
}

/// Digits with or without a point and an exponent.
fn decimal(text: &str) -> Option<Number> {
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(index) => (&unsigned[..index], Some(&unsigned[index + 1..])),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let exponent = match exponent {
        None => 0_i64,
        Some(exponent) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || !is_digits(digits) {
                return None;
            }
            exponent
                .strip_prefix('+')
                .unwrap_or(exponent)
                .parse()
                .ok()?
        }
    };
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    Number::parse(&format!("{sign}{whole}.{fraction}e{exponent}"))
}

/// A date, or a date and a time, in RFC 3339.
fn timestamp(text: &str) -> Option<String> {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(index) => (
            &text[..index],
            Some((text.as_bytes()[index], &text[index + 1..])),
        ),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = parts.next().filter(|year| year.len() == 4)?;
    let (year, month, day) = (
        field(year)?,
        short_field(parts.next()?)?,
        short_field(parts.next()?)?,
    );
    if parts.next().is_some() {
        return None;
    }
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let Some((separator, rest)) = time else {
        return Some(
            Moment {
                local: date.to_datetime(Time::midnight()),
                offset: 0,
            }
            .to_rfc3339(),
        );
    };
    let (clock, offset) = if separator == b' ' {
        (rest, 0)
    } else {
        split_offset(rest)?
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut parts = clock.split(':').map(short_field);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    let small = |value: i16| i8::try_from(value).ok();
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    Some(
        Moment {
            local: date.to_datetime(time),
            offset,
        }
        .to_rfc3339(),
    )
}

fn field(digits: &str) -> Option<i16> {
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

fn short_field(digits: &str) -> Option<i16> {
    matches!(digits.len(), 1 | 2).then(|| field(digits))?
}

/// The time of day and the offset in seconds behind it.
fn split_offset(text: &str) -> Option<(&str, i32)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let (clock, zone) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let sign = match zone.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    Some((
        clock,
        sign * (i32::from(short_field(hours)?) * 60 + i32::from(short_field(minutes)?)) * 60,
    ))
}

//! RFC 3339 timestamps and durations, with the messages of the reference for what is none.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};

use crate::go_text::quoted;

/// A moment, as the clocks at some offset from UTC show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// What the clocks show.
    pub(crate) local: DateTime,
    /// Their offset in seconds.
    pub(crate) offset: i32,
}

/// How closely to look at what RFC 3339 forbids and many writers do nevertheless.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// Nothing but RFC 3339.
    Strict,
    /// Hours of one digit, and a comma before the fraction.
    Lenient,
}

impl Moment {
    /// Reads a timestamp.
    pub(crate) fn parse(text: &str, strictness: Strictness) -> Result<Self, String> {
        Parser {
            rest: text,
            strictness,
        }
        .moment()
        .map_err(|problem| format!("not a valid RFC3339 timestamp{problem}"))
    }

    /// Some time later, or earlier.
    pub(crate) fn plus(self, duration: SignedDuration) -> Option<Self> {
        let local = self.local.checked_add(duration).ok()?;
        Some(Self { local, ..self })
    }

    /// The time since 1970, for comparison with moments at other offsets.
    pub(crate) fn instant(self) -> SignedDuration {
        let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
        self.local.duration_since(epoch) - SignedDuration::from_secs(self.offset.into())
    }

    /// RFC 3339, whole seconds, `Z` for UTC.
    pub(crate) fn to_rfc3339(self) -> String {
        let local = self.local;
        let sign = if local.year() < 0 { "-" } else { "" };
        let date = format!(
            "{sign}{:04}-{:02}-{:02}",
            local.year().abs(),
            local.month(),
            local.day()
        );
        let time = format!(
            "{:02}:{:02}:{:02}",
            local.hour(),
            local.minute(),
            local.second()
        );
        let zone = if self.offset == 0 {
            "Z".to_owned()
        } else {
            self.offset_text(":")
        };
        format!("{date}T{time}{zone}")
    }

    /// The offset as `+hh:mm`, with `separator` in place of the colon.
    pub(crate) fn offset_text(self, separator: &str) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.abs() / 60;
        format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
    }
}

struct Parser<'t> {
    rest: &'t str,
    strictness: Strictness,
}

/// `: ` and what is wrong.
type Problem = String;

impl<'t> Parser<'t> {
    fn moment(mut self) -> Result<Moment, Problem> {
        let year = self.year()?;
        self.separator("-")?;
        let month = self.two_digits("month", 1, 12)?;
        self.separator("-")?;
        let day = self.two_digits("day of month", 0, 99)?;
        if !self.rest.starts_with('T') {
            return Err(": missing required time introducer 'T'".to_owned());
        }
        self.rest = &self.rest[1..];
        let (hour, short_hour) = self.hour()?;
        self.separator(":")?;
        let minute = self.two_digits("minute", 0, 59)?;
        self.separator(":")?;
        let second = self.two_digits("second", 0, 59)?;
        let (nanosecond, comma) = self.fraction();
        let zone = self.rest;
        let (offset, offset_in_range) = self.offset()?;
        if !self.rest.is_empty() {
            return Err(format!(
                ": cannot use {} as timestamp segment",
                quoted(self.rest)
            ));
        }
        let date = Date::new(year, month, day).map_err(|_| ": day out of range".to_owned())?;
        if self.strictness == Strictness::Strict {
            if short_hour {
                return Err(": hour must have exactly two digits".to_owned());
            }
            if comma {
                return Err(": cannot use \",\" as timestamp segment".to_owned());
            }
            if !offset_in_range {
                return Err(format!(": cannot use {} as UTC offset", quoted(zone)));
            }
        }
        let time = Time::new(hour, minute, second, nanosecond)
            .map_err(|_| ": hour out of range".to_owned())?;
        Ok(Moment {
            local: date.to_datetime(time),
            offset,
        })
    }

    fn cannot_use(text: &str, what: &str) -> Problem {
        if text.is_empty() {
            format!(": end of string before {what}")
        } else {
            format!(": cannot use {} as {what}", quoted(text))
        }
    }

    fn digits(&self, n_digits: usize) -> Option<&'t str> {
        let digits = self.rest.get(..n_digits)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(digits)
    }

    fn year(&mut self) -> Result<i16, Problem> {
        let year = self.digits(4).and_then(|digits| digits.parse().ok());
        let year = year.ok_or_else(|| Self::cannot_use(self.rest, "year"))?;
        self.rest = &self.rest[4..];
        Ok(year)
    }

    fn separator(&mut self, separator: &str) -> Result<(), Problem> {
        match self.rest.strip_prefix(separator) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None if self.rest.is_empty() => Err(format!(
                ": end of string where {} is expected",
                quoted(separator)
            )),
            None => Err(format!(
                ": found {} where {} is expected",
                quoted(self.rest),
                quoted(separator)
            )),
        }
    }

    /// A number out of range is reported with what follows it, as the reference does.
    fn two_digits(&mut self, what: &str, least: i8, greatest: i8) -> Result<i8, Problem> {
        let Some(number) = self.digits(2).and_then(|digits| digits.parse::<i8>().ok()) else {
            if what == "minute"
                && self.strictness == Strictness::Strict
                && !self.rest.is_empty()
                && self.rest.len() != 2
            {
                return Err(": minute must have exactly two digits".to_owned());
            }
            return Err(Self::cannot_use(self.rest, what));
        };
        self.rest = &self.rest[2..];
        if (least..=greatest).contains(&number) {
            return Ok(number);
        }
        if what == "minute"
            && self.strictness == Strictness::Strict
            && !self.rest.is_empty()
            && self.rest.len() != 2
        {
            return Err(": minute must have exactly two digits".to_owned());
        }
        Err(Self::cannot_use(self.rest, what))
    }

    /// The hour, and whether it has a single digit.
    fn hour(&mut self) -> Result<(i8, bool), Problem> {
        let digits = self.digits(2).or_else(|| self.digits(1));
        let strict = self.strictness == Strictness::Strict;
        let problem = |text: &str| {
            if strict && text.contains(':') {
                ": hour must be between 0 and 23 inclusive".to_owned()
            } else if strict && !text.is_empty() && text.len() != 2 {
                ": hour must have exactly two digits".to_owned()
            } else {
                Self::cannot_use(text, "hour")
            }
        };
        let Some(digits) = digits else {
            return Err(problem(self.rest));
        };
        self.rest = &self.rest[digits.len()..];
        match digits.parse::<i8>() {
            Ok(hour) if hour < 24 => Ok((hour, digits.len() == 1)),
            _ => Err(problem(self.rest)),
        }
    }

    /// Nanoseconds, and whether a comma stood before them.
    fn fraction(&mut self) -> (i32, bool) {
        let mut bytes = self.rest.bytes();
        let comma = match (bytes.next(), bytes.next()) {
            (Some(separator @ (b'.' | b',')), Some(b'0'..=b'9')) => separator == b',',
            _ => return (0, false),
        };
        let after = &self.rest[1..];
        let end = after
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(after.len());
        let nanoseconds = format!("{:0<9}", &after[..end.min(9)]);
        self.rest = &after[end..];
        (nanoseconds.parse().unwrap_or(0), comma)
    }

    /// Seconds, and whether hours and minutes are in range.
    fn offset(&mut self) -> Result<(i32, bool), Problem> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok((0, true));
        }
        let whole = self.rest;
        let wrong = || Self::cannot_use(whole, "UTC offset");
        let sign = match whole.bytes().next() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Err(wrong()),
        };
        let two = |range: std::ops::Range<usize>| {
            let digits = whole
                .get(range)
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
            digits.parse::<i32>().ok()
        };
        let (Some(hours), Some(":"), Some(minutes)) = (two(1..3), whole.get(3..4), two(4..6))
        else {
            return Err(wrong());
        };
        self.rest = &whole[6..];
        if hours > 24 || minutes > 60 {
            return Err(Self::cannot_use(self.rest, "UTC offset"));
        }
        Ok((
            sign * (hours * 60 + minutes) * 60,
            hours < 24 && minutes < 60,
        ))
    }
}

/// Quoted for messages about durations, which show what is not ASCII as bytes.
fn byte_quoted(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' '..='\u{7f}' => out.push(character),
            _ => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    write!(out, "\\x{byte:02x}").unwrap_or_default();
                }
            }
        }
    }
    out.push('"');
    out
}

/// Reads a duration such as `1h30m`, `-1.5h`, `250ms`.
pub(crate) fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let invalid = || format!("time: invalid duration {}", byte_quoted(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (nanoseconds, remaining) = duration_part(text, rest)?;
        total = total
            .checked_add(nanoseconds)
            .filter(|total| *total <= 1 << 63)
            .ok_or_else(invalid)?;
        rest = remaining;
    }
    let signed = if negative {
        0_i64.checked_sub_unsigned(total)
    } else {
        i64::try_from(total).ok()
    };
    signed.map(SignedDuration::from_nanos).ok_or_else(invalid)
}

/// A number with its unit at the beginning of `rest`, in nanoseconds, and what remains.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "fractions are rounded as the reference rounds them, in doubles, and are less than their unit"
)]
fn duration_part<'t>(text: &str, rest: &'t str) -> Result<(u64, &'t str), String> {
    let invalid = || format!("time: invalid duration {}", byte_quoted(text));
    let n_digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, mut rest) = rest.split_at(n_digits(rest));
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = after.split_at(n_digits(after));
    }
    if whole.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let end = rest
        .find(|character: char| character == '.' || character.is_ascii_digit())
        .unwrap_or(rest.len());
    let (unit, remaining) = rest.split_at(end);
    let scale: u64 = match unit {
        "" => {
            return Err(format!(
                "time: missing unit in duration {}",
                byte_quoted(text)
            ));
        }
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => {
            return Err(format!(
                "time: unknown unit {} in duration {}",
                byte_quoted(unit),
                byte_quoted(text)
            ));
        }
    };
    let whole = if whole.is_empty() {
        0
    } else {
        whole.parse::<u64>().map_err(|_| invalid())?
    };
    let mut nanoseconds = whole
        .checked_mul(scale)
        .filter(|value| *value <= 1 << 63)
        .ok_or_else(invalid)?;
    let kept = &fraction[..fraction.len().min(18)];
    if let Ok(digits) = kept.parse::<u64>() {
        let power = 10_f64.powi(i32::try_from(kept.len()).unwrap_or(18));
        nanoseconds += (digits as f64 * (scale as f64 / power)) as u64;
    }
    Ok((nanoseconds, remaining))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict(text: &str) -> String {
        match Moment::parse(text, Strictness::Strict) {
            Ok(moment) => moment.to_rfc3339(),
            Err(problem) => problem.replace("not a valid RFC3339 timestamp", "!"),
        }
    }

    #[test]
    fn timestamps() {
        assert_eq!(
            strict("2018-01-02T23:12:01.25+05:30"),
            "2018-01-02T23:12:01+05:30"
        );
        assert_eq!(strict("2018-01-02T23:12:01-00:00"), "2018-01-02T23:12:01Z");
        assert_eq!(strict("x"), "!: cannot use \"x\" as year");
        assert_eq!(strict(""), "!: end of string before year");
        assert_eq!(strict("2018"), "!: end of string where \"-\" is expected");
        assert_eq!(
            strict("2018/01"),
            "!: found \"/01\" where \"-\" is expected"
        );
        assert_eq!(
            strict("2018-13-02T00:00:00Z"),
            "!: cannot use \"-02T00:00:00Z\" as month"
        );
        assert_eq!(strict("2018-02-30T00:00:00Z"), "!: day out of range");
        assert_eq!(
            strict("2018-02-20 00:00:00Z"),
            "!: missing required time introducer 'T'"
        );
        assert_eq!(
            strict("2018-02-20T24:00:00Z"),
            "!: hour must be between 0 and 23 inclusive"
        );
        assert_eq!(
            strict("2018-02-20T1:00:00Z"),
            "!: hour must have exactly two digits"
        );
        assert_eq!(
            strict("2018-02-20T10:00:00"),
            "!: end of string before UTC offset"
        );
        assert_eq!(
            strict("2018-02-20T10:00:00Zx"),
            "!: cannot use \"x\" as timestamp segment"
        );
        assert!(Moment::parse("2018-02-20T1:00:00Z", Strictness::Lenient).is_ok());
    }

    #[test]
    fn durations() {
        let nanoseconds = |text: &str| parse_duration(text).map(|duration| duration.as_nanos());
        assert_eq!(nanoseconds("-1h30m"), Ok(-5_400_000_000_000));
        assert_eq!(nanoseconds("1.5h"), Ok(5_400_000_000_000));
        assert_eq!(nanoseconds("2µs3ns"), Ok(2_003));
        assert_eq!(nanoseconds("0"), Ok(0));
        assert_eq!(
            nanoseconds("1d"),
            Err("time: unknown unit \"d\" in duration \"1d\"".into())
        );
        assert_eq!(
            nanoseconds("1"),
            Err("time: missing unit in duration \"1\"".into())
        );
        assert_eq!(
            nanoseconds("é"),
            Err("time: invalid duration \"\\xc3\\xa9\"".into())
        );
        assert_eq!(
            nanoseconds("abc"),
            Err("time: invalid duration \"abc\"".into())
        );
        assert_eq!(
            nanoseconds("99999999h"),
            Err("time: invalid duration \"99999999h\"".into())
        );
    }
}

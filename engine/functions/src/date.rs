//! Dates and times.

use std::fmt::Write;

use jiff::civil::Weekday;
use terrace_value::{Type, Value};

use crate::go_text::quoted;
use crate::spec::{gives_number, gives_string, text};
use crate::support::{BlameArgument, text_of};
use crate::timestamp::{Moment, Strictness, parse_duration};
use crate::{CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "formatdate",
            "A timestamp in a form given by letters, such as `DD MMM YYYY hh:mm ZZZ`.",
            [text("format", ""), text("time", "")],
            gives_string,
            formatdate,
        ),
        Function::new(
            "plantimestamp",
            "The time at which the plan was made.",
            [],
            gives_string,
            |_, _, context| Ok(optional_text(context.plan_timestamp())),
        )
        .with_nullable_result(),
        Function::new(
            "timeadd",
            "A timestamp and a duration later, such as `1h30m`; both as text.",
            [text("timestamp", ""), text("duration", "")],
            gives_string,
            timeadd,
        )
        .with_nullable_result(),
        Function::new(
            "timecmp",
            "-1, 0 or 1: whether a timestamp lies before another, is the same moment, or lies after it.",
            [text("timestamp_a", ""), text("timestamp_b", "")],
            gives_number,
            timecmp,
        ),
        Function::new(
            "timestamp",
            "The time of the call; not known before apply.",
            [],
            gives_string,
            |_, _, context| Ok(optional_text(context.timestamp())),
        ),
    ]
}

fn optional_text(text: Option<String>) -> Value {
    text.map_or_else(|| Value::unknown(Type::String), Value::from)
}

fn timeadd(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let moment = Moment::parse(text_of(&arguments[0]), Strictness::Strict).blame_call()?;
    let duration = parse_duration(text_of(&arguments[1])).blame_call()?;
    let later = moment
        .plus(duration)
        .ok_or_else(|| CallError::call("the resulting year is out of range"))?;
    Ok(Value::from(later.to_rfc3339()))
}

fn timecmp(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let moment =
        |index: usize| Moment::parse(text_of(&arguments[index]), Strictness::Lenient).blame(index);
    let (first, second) = (moment(0)?, moment(1)?);
    Ok(Value::int(first.instant().cmp(&second.instant()) as i64))
}

fn formatdate(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let moment = Moment::parse(text_of(&arguments[1]), Strictness::Strict).blame(1)?;
    let mut rest = text_of(&arguments[0]);
    let mut out = String::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => quoted_text(rest, &mut out).blame(0)?,
            letter if letter.is_ascii_alphabetic() => {
                let length = rest
                    .find(|character| character != letter)
                    .unwrap_or(rest.len());
                verb(&rest[..length], letter, moment, &mut out).blame(0)?;
                length
            }
            _ => {
                let is_special =
                    |character: char| character == '\'' || character.is_ascii_alphabetic();
                let length = rest.find(is_special).unwrap_or(rest.len());
                out.push_str(&rest[..length]);
                length
            }
        };
        rest = &rest[length..];
    }
    Ok(Value::from(out))
}

/// Text between single quotes at the beginning of `text`; two in a row stand for one. Gives the length of all that.
fn quoted_text(text: &str, out: &mut String) -> Result<usize, String> {
    if text.starts_with("''") {
        out.push('\'');
        return Ok(2);
    }
    let mut position = 1;
    loop {
        let rest = &text[position..];
        if rest.is_empty() && position > 2 {
            // A doubled quote at the very end closes the text too.
            return Ok(position);
        }
        let end = rest.find('\'').ok_or("unterminated literal '")?;
        out.push_str(&rest[..end]);
        position += end + 1;
        if !text[position..].starts_with('\'') {
            return Ok(position);
        }
        out.push('\'');
        position += 1;
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// Writes what a run of one letter stands for.
fn verb(run: &str, letter: char, moment: Moment, out: &mut String) -> Result<(), String> {
    let time = moment.local;
    let length = run.len();
    let month = MONTHS[usize::try_from(time.month() - 1).unwrap_or(0)];
    let day = weekday_name(time.weekday());
    let afternoon = time.hour() >= 12;
    let hour_of_twelve = if time.hour() % 12 == 0 {
        12
    } else {
        time.hour() % 12
    };
    let number = |value: i8| {
        if length == 1 {
            value.to_string()
        } else {
            format!("{value:02}")
        }
    };
    let shown = match (letter, length) {
        ('Y', 2) => format!("{:02}", time.year() % 100),
        ('Y', 4) => format!("{:04}", time.year()),
        ('M', 1 | 2) => number(time.month()),
        ('M', 3) => month[..3].to_owned(),
        ('M', 4) => month.to_owned(),
        ('D', 1 | 2) => number(time.day()),
        ('E', 3) => day[..3].to_owned(),
        ('E', 4) => day.to_owned(),
        ('h', 1 | 2) => number(time.hour()),
        ('H', 1 | 2) => number(hour_of_twelve),
        ('A', 2) => if afternoon { "PM" } else { "AM" }.to_owned(),
        ('a', 2) => if afternoon { "pm" } else { "am" }.to_owned(),
        ('m', 1 | 2) => number(time.minute()),
        ('s', 1 | 2) => number(time.second()),
        ('Z', 1) if moment.offset == 0 => "Z".to_owned(),
        ('Z', 1 | 5) => moment.offset_text(":"),
        ('Z', 3) if moment.offset == 0 => "UTC".to_owned(),
        ('Z', 3 | 4) => moment.offset_text(""),
        _ => return Err(invalid_verb(run, letter)),
    };
    write!(out, "{shown}").map_err(|error| error.to_string())
}

fn invalid_verb(run: &str, letter: char) -> String {
    let hint = match letter {
        'Y' => "year must either be \"YY\" or \"YYYY\"",
        'M' => "month must be \"M\", \"MM\", \"MMM\", or \"MMMM\"",
        'D' => "day of month must either be \"D\" or \"DD\"",
        'E' => "day of week must either be \"EEE\" or \"EEEE\"",
        'h' => "24-hour must either be \"h\" or \"hh\"",
        'H' => "12-hour must either be \"H\" or \"HH\"",
        'A' => "must be \"AA\"",
        'a' => "must be \"aa\"",
        'm' => "minute must either be \"m\" or \"mm\"",
        's' => "second must either be \"s\" or \"ss\"",
        'Z' => "timezone must be Z, ZZZZ, or ZZZZZ",
        _ => return format!("invalid date format verb {}", quoted(run)),
    };
    format!("invalid date format verb {}: {hint}", quoted(run))
}

#[cfg(test)]
mod tests {
    use crate::support::tests::{call, check};

    #[test]
    fn forms() {
        check(&[
            (
                "formatdate",
                r#"["DD MMM YYYY hh:mm ZZZ", "2018-01-02T23:12:01Z"]"#,
                r#""02 Jan 2018 23:12 UTC""#,
            ),
            (
                "formatdate",
                r#"["EEEE, D-MMMM-YY H:m:s AA", "2018-01-02T00:02:01Z"]"#,
                r#""Tuesday, 2-January-18 12:2:1 AM""#,
            ),
            (
                "formatdate",
                r#"["h'h'm'm' aa ''", "2018-01-02T13:02:01Z"]"#,
                r#""13h2m pm '""#,
            ),
            (
                "formatdate",
                r#"["'a''", "2018-01-02T13:02:01Z"]"#,
                r#""a'""#,
            ),
            (
                "formatdate",
                r#"["'it''s' YYYY", "2018-01-02T13:02:01Z"]"#,
                r#""it's 2018""#,
            ),
            (
                "formatdate",
                r#"["ZZZZ ZZZZZ Z", "2018-01-02T23:12:01+05:30"]"#,
                r#""+0530 +05:30 +05:30""#,
            ),
            (
                "formatdate",
                r#"["Q", "2018-01-02T23:12:01Z"]"#,
                r#"!0 invalid date format verb "Q""#,
            ),
            (
                "formatdate",
                r#"["YYY", "2018-01-02T23:12:01Z"]"#,
                r#"!0 invalid date format verb "YYY": year must either be "YY" or "YYYY""#,
            ),
            (
                "formatdate",
                r#"["'x", "2018-01-02T23:12:01Z"]"#,
                "!0 unterminated literal '",
            ),
            (
                "formatdate",
                r#"["Y", "x"]"#,
                r#"!1 not a valid RFC3339 timestamp: cannot use "x" as year"#,
            ),
        ]);
    }

    #[test]
    fn arithmetic() {
        check(&[
            (
                "timeadd",
                r#"["2017-11-22T00:00:00Z", "-1h30m"]"#,
                r#""2017-11-21T22:30:00Z""#,
            ),
            (
                "timeadd",
                r#"["2017-11-22T00:00:00+02:00", "1.5h"]"#,
                r#""2017-11-22T01:30:00+02:00""#,
            ),
            (
                "timeadd",
                r#"["2017-11-22T00:00:00Z", "1d"]"#,
                r#"! time: unknown unit "d" in duration "1d""#,
            ),
            (
                "timecmp",
                r#"["2017-11-22T00:00:00Z", "2017-11-22T01:00:00Z"]"#,
                "-1",
            ),
            (
                "timecmp",
                r#"["2017-11-22T01:00:00Z", "2017-11-22T00:00:00-01:00"]"#,
                "0",
            ),
            (
                "timecmp",
                r#"["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]"#,
                "-1",
            ),
            (
                "timecmp",
                r#"["x", "y"]"#,
                r#"!0 not a valid RFC3339 timestamp: cannot use "x" as year"#,
            ),
        ]);
    }

    #[test]
    fn the_clock_comes_from_outside() {
        assert!(!call("timestamp", &[]).unwrap().is_known());
        assert!(!call("plantimestamp", &[]).unwrap().is_known());
    }
}

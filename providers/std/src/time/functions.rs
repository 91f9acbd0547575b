//! Functions that read times and durations.

use terrace_provider_sdk::{Data, Function, FunctionError, Object, Parameter, Type, Value};

use super::civil::Instant;

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
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::typed("duration_parse", duration_type(), |arguments| {
            parse_duration(&arguments.get::<String>(0)?)
        })
        .parameter(
            Parameter::of::<String>("duration")
                .describe("The duration, such as `1h15m` or `-2.5s`."),
        )
        .summary("Takes a duration apart.")
        .describe("The whole duration in hours, in minutes, and so on down to nanoseconds."),
        Function::typed(
            "rfc3339_parse",
            time_type("unix", Type::Number),
            |arguments| parse_time(&arguments.get::<String>(0)?),
        )
        .parameter(Parameter::of::<String>("timestamp").describe("The time, in RFC 3339."))
        .summary("Takes a time apart.")
        .describe("The parts of a time, from its year to its seconds since 1970."),
        Function::typed(
            "unix_timestamp_parse",
            time_type("rfc3339", Type::String),
            |arguments| parse_unix(arguments.get(0)?),
        )
        .parameter(
            Parameter::of::<i64>("unix_timestamp").describe("The seconds since 1970 began in UTC."),
        )
        .summary("Takes a number of seconds apart as a time.")
        .describe("The parts of a time in UTC, and the time in RFC 3339."),
    ]
}

fn duration_type() -> Type {
    let names = [
        "hours",
        "minutes",
        "seconds",
        "milliseconds",
        "microseconds",
        "nanoseconds",
    ];
    Type::object(names.map(|name| (name, Type::Number)))
}

fn time_type(own: &'static str, ty: Type) -> Type {
    let numbers = [
        "year", "year_day", "day", "month", "weekday", "hour", "minute", "second", "iso_year",
        "iso_week",
    ]
    .map(|name| (name, Type::Number));
    let texts = ["month_name", "weekday_name"].map(|name| (name, Type::String));
    Type::object(numbers.into_iter().chain(texts).chain([(own, ty)]))
}

/// Nanoseconds of a duration in Go's form, such as `1h15m30.5s`.
fn nanoseconds(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(digits);
        let unit_length = behind
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(unit_length);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let part = |digits: &str| -> Option<i128> {
            if digits.is_empty() {
                Some(0)
            } else {
                digits.parse().ok()
            }
        };
        let fraction: String = fraction.chars().take(18).collect();
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        total = total
            .checked_add(part(whole)?.checked_mul(unit)?)?
            .checked_add(part(&fraction)?.checked_mul(unit)? / scale)?;
        rest = behind;
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "hours, minutes and seconds are numbers of 53 bits in the well-known provider too"
)]
fn parse_duration(text: &str) -> Result<Value, FunctionError> {
    let nanoseconds = nanoseconds(text).ok_or_else(|| {
        FunctionError::at(
            0,
            format!("Error parsing duration string: {text:?} is not a valid duration string"),
        )
    })?;
    // The whole part and the rest are divided apart, so that the whole part is exact.
    let divided =
        |unit: i64| (nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64;
    let mut object = Object::new();
    object.set("hours", divided(3_600_000_000_000));
    object.set("minutes", divided(60_000_000_000));
    object.set("seconds", divided(1_000_000_000));
    object.set("milliseconds", nanoseconds / 1_000_000);
    object.set("microseconds", nanoseconds / 1_000);
    object.set("nanoseconds", nanoseconds);
    Ok(object.into_value())
}

fn parse_time(text: &str) -> Result<Value, FunctionError> {
    let at = Instant::parse(text).ok_or_else(|| {
        FunctionError::at(
            0,
            format!("Error parsing RFC3339 timestamp: {text:?} is not a valid RFC3339 timestamp"),
        )
    })?;
    let mut object = parts(at);
    object.set("unix", at.seconds());
    Ok(object.into_value())
}

fn parse_unix(seconds: i64) -> Result<Value, FunctionError> {
    let at = Instant::from_seconds(seconds);
    if at.seconds() != seconds {
        return Err(FunctionError::at(
            0,
            format!("{seconds} is a time after the year 9999 or before the year -9999"),
        ));
    }
    let mut object = parts(at);
    object.set("rfc3339", at.text());
    Ok(object.into_value())
}

fn parts(at: Instant) -> Object {
    let civil = at.parts();
    let date = civil.date();
    let week = date.iso_week_date();
    let name = |names: &[&str], place: i8| names[usize::try_from(place).unwrap_or(0)].to_owned();
    let mut object = Object::new();
    object.set("year", i64::from(civil.year()));
    object.set("year_day", i64::from(date.day_of_year()));
    object.set("day", i64::from(civil.day()));
    object.set("month", i64::from(civil.month()));
    object.set("month_name", name(&MONTHS, civil.month() - 1));
    let weekday = date.weekday().to_sunday_zero_offset();
    object.set("weekday", i64::from(weekday));
    object.set("weekday_name", name(&DAYS, weekday));
    object.set("hour", i64::from(civil.hour()));
    object.set("minute", i64::from(civil.minute()));
    object.set("second", i64::from(civil.second()));
    object.set("iso_year", i64::from(week.year()));
    object.set("iso_week", i64::from(week.week()));
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_gos_form() {
        assert_eq!(nanoseconds("1h15m30.918273645s"), Some(4_530_918_273_645));
        assert_eq!(nanoseconds("-1.5ms"), Some(-1_500_000));
        assert_eq!(nanoseconds("0"), Some(0));
        assert_eq!(nanoseconds("2µs"), Some(2_000));
        for bad in ["", "1", "h", "1x", ".s", "1h5", "--1s"] {
            assert_eq!(nanoseconds(bad), None, "{bad}");
        }
    }
}

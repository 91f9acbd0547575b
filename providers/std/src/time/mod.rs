//! `time_static`, `time_rotating`, `time_offset`, `time_sleep`, and functions that read times.

mod civil;
mod functions;
mod schema;

use std::time::Duration;

use terrace_provider_sdk::{Diagnostic, Object, Text, Type, Value};

use crate::Outside;
use crate::definition::{Change, Definition, Failure, problem};
pub(crate) use civil::Instant;

pub(crate) use functions::functions;

/// The parts of a time, and its number of seconds.
const PARTS: [&str; 7] = ["year", "month", "day", "hour", "minute", "second", "unix"];

const OFFSETS: [&str; 6] = [
    "offset_seconds",
    "offset_minutes",
    "offset_hours",
    "offset_days",
    "offset_months",
    "offset_years",
];
const ROTATIONS: [&str; 5] = [
    "rotation_minutes",
    "rotation_hours",
    "rotation_days",
    "rotation_months",
    "rotation_years",
];

pub(crate) fn resources() -> Vec<Definition> {
    vec![
        Definition {
            validate: |config| times(config, &["rfc3339"]),
            plan: plan_static,
            import: Some(import_static),
            ..Definition::new("time_static", schema::time_static, apply_static)
        },
        Definition {
            validate: validate_rotating,
            plan: plan_rotating,
            read: read_rotating,
            import: Some(import_rotating),
            ..Definition::new("time_rotating", schema::time_rotating, apply_rotating)
        },
        Definition {
            validate: validate_offset,
            plan: plan_offset,
            import: Some(import_offset),
            ..Definition::new("time_offset", schema::time_offset, apply_offset)
        },
        Definition {
            validate: validate_sleep,
            import: Some(import_sleep),
            delete: |object, _| sleep_for(object.text("destroy_duration")),
            ..Definition::new("time_sleep", schema::time_sleep, apply_sleep)
        },
    ]
}

/// A time that is configured tells everything about itself at once.
fn plan_static(
    prior: Option<&Object>,
    _config: &Object,
    planned: &mut Object,
    _outside: &Outside,
) -> Vec<&'static str> {
    if prior.is_none()
        && let Some(at) = planned.text("rfc3339").and_then(Instant::parse)
    {
        let given = keep_text(planned, "rfc3339", at);
        set_parts(planned, at);
        planned.set("id", given);
    }
    Vec::new()
}

/// A change in place of other rotations is reckoned at once, where they are known.
fn plan_rotating(
    prior: Option<&Object>,
    _config: &Object,
    planned: &mut Object,
    _outside: &Outside,
) -> Vec<&'static str> {
    let Some(prior) = prior else {
        return Vec::new();
    };
    if same(prior, planned, &ROTATIONS) && same(prior, planned, &["rotation_rfc3339"]) {
        return Vec::new();
    }
    let kept = prior.value("rotation_rfc3339") == planned.value("rotation_rfc3339");
    if kept {
        planned.set("rotation_rfc3339", Value::unknown(Type::String));
    }
    let at = planned.text("rfc3339").and_then(Instant::parse);
    let rotation = at
        .filter(|_| known(planned, &ROTATIONS))
        .and_then(|at| rotation_of(planned, at));
    match rotation {
        Some(rotation) if kept || planned.text("rotation_rfc3339").is_some() => {
            set_rotation(planned, rotation);
        }
        _ => forget(planned, &PARTS, &Type::Number),
    }
    Vec::new()
}

/// A change in place of other offsets is reckoned at once, where they are known.
fn plan_offset(
    prior: Option<&Object>,
    _config: &Object,
    planned: &mut Object,
    _outside: &Outside,
) -> Vec<&'static str> {
    let Some(prior) = prior else {
        return Vec::new();
    };
    if same(prior, planned, &OFFSETS) {
        return Vec::new();
    }
    let at = planned.text("base_rfc3339").and_then(Instant::parse);
    match at
        .filter(|_| known(planned, &OFFSETS))
        .and_then(|at| offset_of(planned, at))
    {
        Some(moved) => {
            planned.set("rfc3339", moved.text());
            set_parts(planned, moved);
        }
        None => {
            forget(planned, &["rfc3339"], &Type::String);
            forget(planned, &PARTS, &Type::Number);
        }
    }
    Vec::new()
}

fn same(prior: &Object, planned: &Object, names: &[&str]) -> bool {
    names
        .iter()
        .all(|name| prior.value(name) == planned.value(name))
}

fn known(object: &Object, names: &[&str]) -> bool {
    names.iter().all(|name| object.is_known(name))
}

fn forget(planned: &mut Object, names: &[&str], ty: &Type) {
    for name in names {
        planned.set(name, Value::unknown(ty.clone()));
    }
}

fn times(config: &Object, names: &[&str]) -> Vec<Diagnostic> {
    let bad = names.iter().filter_map(|name| {
        let given = config.text(name)?;
        Instant::parse(given).is_none().then(|| {
            problem(
                name,
                "Invalid RFC3339 String Value",
                format!(
                    "A string value was provided that is not valid RFC3339 string format, such as 2026-01-02T15:04:05Z.\n\nGiven Value: {given}"
                ),
            )
        })
    });
    bad.collect()
}

fn at_least_one(config: &Object, names: &[&str]) -> Option<Diagnostic> {
    if names.iter().any(|name| config.is_set(name)) {
        return None;
    }
    let detail = format!(
        "At least one of these attributes must be configured: [{}]",
        names.join(",")
    );
    Some(Diagnostic::error("Missing Attribute Configuration", detail))
}

fn validate_rotating(config: &Object) -> Vec<Diagnostic> {
    let mut found = times(config, &["rfc3339", "rotation_rfc3339"]);
    let names: Vec<&str> = ROTATIONS.into_iter().chain(["rotation_rfc3339"]).collect();
    found.extend(at_least_one(config, &names));
    found
}

fn validate_offset(config: &Object) -> Vec<Diagnostic> {
    let mut found = times(config, &["base_rfc3339"]);
    found.extend(at_least_one(config, &OFFSETS));
    found
}

fn validate_sleep(config: &Object) -> Vec<Diagnostic> {
    let names = ["create_duration", "destroy_duration"];
    let mut found = Vec::new();
    if !names.iter().any(|name| config.is_set(name)) {
        found.push(Diagnostic::error(
            "Invalid Attribute Combination",
            "At least one attribute out of [create_duration,destroy_duration] must be specified",
        ));
    }
    for name in names {
        if let Some(given) = config.text(name)
            && parse_duration(given).is_none()
        {
            let detail = format!(
                "Attribute {name} must be a number immediately followed by ms (milliseconds), s (seconds), m (minutes), or h (hours). For example, \"30s\" for 30 seconds., got: {given}"
            );
            found.push(problem(name, "Invalid Attribute Value Match", detail));
        }
    }
    found
}

/// The time that an attribute names, or now.
fn base(object: &Object, name: &str, outside: &Outside) -> Instant {
    object
        .text(name)
        .and_then(Instant::parse)
        .unwrap_or_else(|| Instant::from_seconds(outside.clock.now().0))
}

fn set_parts(object: &mut Object, at: Instant) {
    let parts = at.parts();
    let fields = [
        i64::from(parts.year()),
        i64::from(parts.month()),
        i64::from(parts.day()),
        i64::from(parts.hour()),
        i64::from(parts.minute()),
        i64::from(parts.second()),
        at.seconds(),
    ];
    for (name, value) in PARTS.into_iter().zip(fields) {
        object.set(name, value);
    }
}

/// The text as configured; otherwise as a time is written.
fn keep_text(object: &mut Object, name: &str, at: Instant) -> String {
    let given = object.text(name).map_or_else(|| at.text(), str::to_owned);
    object.set(name, given.as_str());
    given
}

fn out_of_range() -> Failure {
    Diagnostic::error(
        "Time out of range",
        "The time lies before the year -9999 or after the year 9999. Use smaller numbers.",
    )
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn apply_static(
    _change: Change<'_>,
    mut object: Object,
    outside: &Outside,
) -> Result<Object, Failure> {
    let at = base(&object, "rfc3339", outside);
    let given = keep_text(&mut object, "rfc3339", at);
    set_parts(&mut object, at);
    object.set("id", given);
    Ok(object)
}

/// When it is due: the time that is given, or else the base and the largest unit that is given, as the well-known
/// provider has it.
fn rotation_of(object: &Object, at: Instant) -> Option<Instant> {
    if let Some(given) = object
        .text("rotation_rfc3339")
        .filter(|given| !given.is_empty())
    {
        return Instant::parse(given);
    }
    let count = |name: &str| object.whole(name).filter(|count| *count != 0);
    if let Some(years) = count("rotation_years") {
        return at.add_date(years, 0, 0);
    }
    if let Some(months) = count("rotation_months") {
        return at.add_date(0, months, 0);
    }
    let seconds = |name: &str, unit: i64| Some(count(name)?.saturating_mul(unit));
    if let Some(seconds) =
        seconds("rotation_minutes", 60).or_else(|| seconds("rotation_hours", 3600))
    {
        return at.add_seconds(seconds);
    }
    at.add_date(0, 0, count("rotation_days").unwrap_or(0))
}

/// The parts are those of the time when it is due.
fn set_rotation(object: &mut Object, rotation: Instant) {
    keep_text(object, "rotation_rfc3339", rotation);
    set_parts(object, rotation);
}

fn apply_rotating(
    _change: Change<'_>,
    mut object: Object,
    outside: &Outside,
) -> Result<Object, Failure> {
    let at = base(&object, "rfc3339", outside);
    let given = keep_text(&mut object, "rfc3339", at);
    object.set("id", given);
    let rotation = rotation_of(&object, at).ok_or_else(out_of_range)?;
    set_rotation(&mut object, rotation);
    Ok(object)
}

/// One whose time has come is gone, so that it is made anew.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn read_rotating(object: Object, outside: &Outside) -> Result<Option<Object>, Failure> {
    let now = Instant::from_seconds(outside.clock.now().0);
    let due = object
        .text("rotation_rfc3339")
        .and_then(Instant::parse)
        .is_some_and(|rotation| now.is_after(rotation));
    Ok((!due).then_some(object))
}

fn offset_of(object: &Object, at: Instant) -> Option<Instant> {
    let count = |name: &str| object.whole(name).unwrap_or(0);
    let seconds = count("offset_hours")
        .saturating_mul(3600)
        .saturating_add(count("offset_minutes").saturating_mul(60))
        .saturating_add(count("offset_seconds"));
    at.add_date(
        count("offset_years"),
        count("offset_months"),
        count("offset_days"),
    )?
    .add_seconds(seconds)
}

fn apply_offset(
    _change: Change<'_>,
    mut object: Object,
    outside: &Outside,
) -> Result<Object, Failure> {
    let at = base(&object, "base_rfc3339", outside);
    let given = keep_text(&mut object, "base_rfc3339", at);
    let moved = offset_of(&object, at).ok_or_else(out_of_range)?;
    object.set("rfc3339", moved.text());
    set_parts(&mut object, moved);
    object.set("id", given);
    Ok(object)
}

fn no_triggers(object: &mut Object) {
    object.set("triggers", Value::map::<Text>(Type::String, []));
}

fn unexpected_id(id: &str, form: &str) -> Failure {
    Diagnostic::error(
        "Unexpected Format of ID",
        format!("Unexpected format of ID ({id:?}), expected {form}"),
    )
}

fn import_static(id: &str, _outside: &Outside) -> Result<Object, Failure> {
    let at = Instant::parse(id).ok_or_else(|| {
        Diagnostic::error(
            "Import time static error",
            format!("{id:?} is not a time in RFC 3339 form."),
        )
    })?;
    let mut object = Object::new();
    object.set("rfc3339", id);
    object.set("id", id);
    set_parts(&mut object, at);
    no_triggers(&mut object);
    Ok(object)
}

/// `BASE,NUMBER,…`: the base, and one number for each of `names`.
fn numbered(id: &str, base: &str, names: &[&str]) -> Option<(Instant, Object)> {
    let (text, numbers) = id.split_once(',')?;
    let numbers: Vec<i64> = numbers
        .split(',')
        .map(|number| number.parse().ok())
        .collect::<Option<_>>()?;
    let at = Instant::parse(text).filter(|_| numbers.len() == names.len())?;
    let mut object = Object::new();
    for (name, number) in names.iter().zip(numbers) {
        object.set(name, number);
    }
    object.set(base, text);
    object.set("id", text);
    no_triggers(&mut object);
    Some((at, object))
}

fn import_rotating(id: &str, _outside: &Outside) -> Result<Object, Failure> {
    const FORM: &str =
        "BASETIMESTAMP,YEARS,MONTHS,DAYS,HOURS,MINUTES or BASETIMESTAMP,ROTATIONTIMESTAMP";
    const NAMES: [&str; 5] = [
        "rotation_years",
        "rotation_months",
        "rotation_days",
        "rotation_hours",
        "rotation_minutes",
    ];
    if let Some((at, mut object)) = numbered(id, "rfc3339", &NAMES) {
        let rotation = rotation_of(&object, at).ok_or_else(out_of_range)?;
        set_rotation(&mut object, rotation);
        return Ok(object);
    }
    let times = id.split_once(',').and_then(|(base, rotation)| {
        Instant::parse(base)?;
        Some((base, rotation, Instant::parse(rotation)?))
    });
    let (base, text, rotation) = times.ok_or_else(|| unexpected_id(id, FORM))?;
    let mut object = Object::new();
    object.set("rfc3339", base);
    object.set("id", base);
    object.set("rotation_rfc3339", text);
    set_parts(&mut object, rotation);
    no_triggers(&mut object);
    Ok(object)
}

fn import_offset(id: &str, _outside: &Outside) -> Result<Object, Failure> {
    const FORM: &str = "BASETIMESTAMP,YEARS,MONTHS,DAYS,HOURS,MINUTES,SECONDS";
    const NAMES: [&str; 6] = [
        "offset_years",
        "offset_months",
        "offset_days",
        "offset_hours",
        "offset_minutes",
        "offset_seconds",
    ];
    let (at, mut object) =
        numbered(id, "base_rfc3339", &NAMES).ok_or_else(|| unexpected_id(id, FORM))?;
    let moved = offset_of(&object, at).ok_or_else(out_of_range)?;
    object.set("rfc3339", moved.text());
    set_parts(&mut object, moved);
    Ok(object)
}

fn import_sleep(id: &str, outside: &Outside) -> Result<Object, Failure> {
    let durations = id.split_once(',').filter(|(create, destroy)| {
        let fits = |text: &str| text.is_empty() || parse_duration(text).is_some();
        fits(create) && fits(destroy) && !(create.is_empty() && destroy.is_empty())
    });
    let (create, destroy) = durations.ok_or_else(|| {
        unexpected_id(
            id,
            "CREATEDURATION,DESTROYDURATION where at least one value is non-empty",
        )
    })?;
    let mut object = Object::new();
    for (name, duration) in [("create_duration", create), ("destroy_duration", destroy)] {
        if !duration.is_empty() {
            object.set(name, duration);
        }
    }
    let now = Instant::from_seconds(outside.clock.now().0);
    object.set("id", now.text());
    no_triggers(&mut object);
    Ok(object)
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match &text[digits..] {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * unit).ok()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn sleep_for(duration: Option<&str>) -> Result<(), Failure> {
    if let Some(duration) = duration.and_then(parse_duration) {
        std::thread::sleep(duration);
    }
    Ok(())
}

fn apply_sleep(
    change: Change<'_>,
    mut object: Object,
    outside: &Outside,
) -> Result<Object, Failure> {
    if change.prior.is_none() {
        sleep_for(object.text("create_duration"))?;
    }
    if !object.is_known("id") {
        object.set("id", Instant::from_seconds(outside.clock.now().0).text());
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(parse_duration("5"), None);
        assert_eq!(parse_duration("s"), None);
    }
}

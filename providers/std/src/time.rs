//! `time_static`, `time_rotating`, `time_offset`, `time_sleep`.

use std::time::Duration;

use terrace_port::ProviderDiagnostic;
use terrace_value::{Type, Value};

use crate::Outside;
use crate::civil::Instant;
use crate::definition::{
    Attributes, Definition, Failure, is_set, problem, set, strings, text, whole,
};

type Columns = Vec<(&'static str, Type, &'static str)>;

/// The parts of a time, and its number of seconds.
const PARTS: [&str; 7] = ["year", "month", "day", "hour", "minute", "second", "unix"];

fn parts() -> Columns {
    let mut columns: Columns = PARTS.map(|name| (name, Type::Number, "c")).to_vec();
    columns.extend([("id", Type::String, "c"), ("triggers", strings(), "o")]);
    columns
}

fn numbers(names: &[&'static str]) -> Columns {
    names
        .iter()
        .map(|name| (*name, Type::Number, "o"))
        .collect()
}

const OFFSETS: [&str; 6] = [
    "offset_years",
    "offset_months",
    "offset_days",
    "offset_hours",
    "offset_minutes",
    "offset_seconds",
];
const ROTATIONS: [&str; 5] = [
    "rotation_years",
    "rotation_months",
    "rotation_days",
    "rotation_hours",
    "rotation_minutes",
];

pub(crate) fn resources() -> Vec<Definition> {
    let mut fixed = parts();
    fixed.push(("rfc3339", Type::String, "oc"));
    let mut rotating = parts();
    rotating.extend([
        ("rfc3339", Type::String, "oc"),
        ("rotation_rfc3339", Type::String, "oc"),
    ]);
    rotating.extend(numbers(&ROTATIONS));
    let mut offset = parts();
    offset.extend([
        ("base_rfc3339", Type::String, "oc"),
        ("rfc3339", Type::String, "c"),
    ]);
    offset.extend(numbers(&OFFSETS));
    let sleep = vec![
        ("create_duration", Type::String, "o"),
        ("destroy_duration", Type::String, "o"),
        ("id", Type::String, "c"),
        ("triggers", strings(), "o"),
    ];
    vec![
        Definition {
            validate: |config| times(config, &["rfc3339"]),
            import: Some(import_static),
            ..Definition::new("time_static", fixed, apply_static)
        },
        Definition {
            replaces: |name| matches!(name, "triggers" | "rfc3339"),
            validate: validate_rotating,
            plan: |prior, planned| in_place(prior, planned, &ROTATIONS, &["rotation_rfc3339"]),
            read: read_rotating,
            ..Definition::new("time_rotating", rotating, apply_rotating)
        },
        Definition {
            replaces: |name| matches!(name, "triggers" | "base_rfc3339"),
            validate: validate_offset,
            plan: |prior, planned| {
                in_place(
                    prior,
                    planned,
                    &OFFSETS,
                    &[
                        "rfc3339", "year", "month", "day", "hour", "minute", "second", "unix",
                    ],
                )
            },
            ..Definition::new("time_offset", offset, apply_offset)
        },
        Definition {
            replaces: |name| name == "triggers",
            validate: validate_sleep,
            delete: |object, _| sleep_for(text(object, "destroy_duration")),
            ..Definition::new("time_sleep", sleep, apply_sleep)
        },
    ]
}

/// A change in place of one of `inputs` makes `outputs` unknown.
fn in_place(
    prior: Option<&Attributes>,
    planned: &mut Attributes,
    inputs: &[&str],
    outputs: &[&str],
) {
    let Some(prior) = prior else { return };
    if inputs
        .iter()
        .all(|name| prior.get(*name) == planned.get(*name))
    {
        return;
    }
    for name in outputs {
        let ty = if name.ends_with("rfc3339") {
            Type::String
        } else {
            Type::Number
        };
        if planned.get(*name) == prior.get(*name) {
            set(planned, name, Value::unknown(ty));
        }
    }
}

fn times(config: &Attributes, names: &[&str]) -> Vec<ProviderDiagnostic> {
    let bad = names.iter().filter_map(|name| {
        let given = text(config, name)?;
        Instant::parse(given).is_none().then(|| {
            problem(
                name,
                "Invalid RFC 3339 String Value",
                format!("{given:?} is not a time in RFC 3339 form, such as 2026-01-02T15:04:05Z."),
            )
        })
    });
    bad.collect()
}

fn at_least_one(config: &Attributes, names: &[&str]) -> Option<ProviderDiagnostic> {
    if names.iter().any(|name| is_set(config, name)) {
        return None;
    }
    let detail = format!(
        "At least one of these attributes must be configured: [{}]",
        names.join(",")
    );
    Some(ProviderDiagnostic::error(
        "Missing Attribute Configuration",
        detail,
    ))
}

fn validate_rotating(config: &Attributes) -> Vec<ProviderDiagnostic> {
    let mut found = times(config, &["rfc3339", "rotation_rfc3339"]);
    let names: Vec<&str> = ROTATIONS.into_iter().chain(["rotation_rfc3339"]).collect();
    found.extend(at_least_one(config, &names));
    for name in ROTATIONS {
        if whole(config, name).is_some_and(|count| count < 1) {
            found.push(problem(
                name,
                "Invalid Attribute Value",
                format!("Attribute {name} value must be at least 1."),
            ));
        }
    }
    found
}

fn validate_offset(config: &Attributes) -> Vec<ProviderDiagnostic> {
    let mut found = times(config, &["base_rfc3339"]);
    found.extend(at_least_one(config, &OFFSETS));
    found
}

fn validate_sleep(config: &Attributes) -> Vec<ProviderDiagnostic> {
    let names = ["create_duration", "destroy_duration"];
    let mut found: Vec<ProviderDiagnostic> = at_least_one(config, &names).into_iter().collect();
    for name in names {
        if let Some(given) = text(config, name)
            && parse_duration(given).is_none()
        {
            let detail = format!(
                "{given:?} must be a number immediately followed by ms, s, m or h, such as \"30s\"."
            );
            found.push(problem(name, "Invalid Attribute Value Match", detail));
        }
    }
    found
}

/// The time that an attribute names, or now.
fn base(object: &Attributes, name: &str, outside: &Outside) -> Instant {
    text(object, name)
        .and_then(Instant::parse)
        .unwrap_or_else(|| Instant::from_seconds(outside.clock.now().0))
}

fn set_parts(object: &mut Attributes, at: Instant) {
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
        set(object, name, value);
    }
}

/// The text as configured, which may have an offset; otherwise in UTC.
fn keep_text(object: &mut Attributes, name: &str, at: Instant) -> String {
    let given = text(object, name).map_or_else(|| at.text(), str::to_owned);
    set(object, name, given.as_str());
    given
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn apply_static(
    _prior: Option<&Attributes>,
    mut object: Attributes,
    outside: &Outside,
) -> Result<Attributes, Failure> {
    let at = base(&object, "rfc3339", outside);
    let given = keep_text(&mut object, "rfc3339", at);
    set_parts(&mut object, at);
    set(&mut object, "id", given);
    Ok(object)
}

fn import_static(id: &str, _outside: &Outside) -> Result<Attributes, Failure> {
    let Some(at) = Instant::parse(id) else {
        return Err(ProviderDiagnostic::error(
            "Import time static error",
            format!("{id:?} is not a time in RFC 3339 form."),
        ));
    };
    let mut object = Attributes::new();
    set(&mut object, "rfc3339", id);
    set(&mut object, "id", id);
    set_parts(&mut object, at);
    Ok(object)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn apply_rotating(
    _prior: Option<&Attributes>,
    mut object: Attributes,
    outside: &Outside,
) -> Result<Attributes, Failure> {
    let at = base(&object, "rfc3339", outside);
    let given = keep_text(&mut object, "rfc3339", at);
    set_parts(&mut object, at);
    set(&mut object, "id", given);
    let count = |name: &str| whole(&object, name).unwrap_or(0);
    let rotation = at
        .add_date(
            count("rotation_years"),
            count("rotation_months"),
            count("rotation_days"),
        )
        .add_seconds(count("rotation_hours") * 3600 + count("rotation_minutes") * 60);
    if !text(&object, "rotation_rfc3339").is_some_and(|text| !text.is_empty()) {
        set(&mut object, "rotation_rfc3339", rotation.text());
    }
    Ok(object)
}

/// One whose time has come is gone, so that it is made anew.
#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn read_rotating(object: Attributes, outside: &Outside) -> Result<Option<Attributes>, Failure> {
    let now = Instant::from_seconds(outside.clock.now().0);
    let due = text(&object, "rotation_rfc3339")
        .and_then(Instant::parse)
        .is_some_and(|rotation| now > rotation);
    Ok((!due).then_some(object))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every type's functions have one signature"
)]
fn apply_offset(
    _prior: Option<&Attributes>,
    mut object: Attributes,
    outside: &Outside,
) -> Result<Attributes, Failure> {
    let at = base(&object, "base_rfc3339", outside);
    let given = keep_text(&mut object, "base_rfc3339", at);
    let count = |name: &str| whole(&object, name).unwrap_or(0);
    let moved = at
        .add_date(
            count("offset_years"),
            count("offset_months"),
            count("offset_days"),
        )
        .add_seconds(
            count("offset_hours") * 3600 + count("offset_minutes") * 60 + count("offset_seconds"),
        );
    set(&mut object, "rfc3339", moved.text());
    set_parts(&mut object, moved);
    set(&mut object, "id", given);
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
    prior: Option<&Attributes>,
    mut object: Attributes,
    outside: &Outside,
) -> Result<Attributes, Failure> {
    if prior.is_none() {
        sleep_for(text(&object, "create_duration"))?;
    }
    if !object.get("id").is_some_and(Value::is_known) {
        set(
            &mut object,
            "id",
            Instant::from_seconds(outside.clock.now().0).text(),
        );
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

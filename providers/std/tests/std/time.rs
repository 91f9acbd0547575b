//! `time_*`. Figures are what terraform-provider-time 0.14.2 gives for the same configurations.

use terrace_value::Value;

use crate::support::{Driver, names, text};

const NONE: Value = Value::NULL;

/// Year, month, day, hour, minute, second, unix.
fn parts(object: &Value) -> [String; 7] {
    ["year", "month", "day", "hour", "minute", "second", "unix"].map(|name| text(object, name))
}

#[test]
fn a_static_time_is_now_or_what_is_given_in_its_zone() {
    let driver = Driver::new("time");
    let now = driver.create("time_static", "{}");
    assert_eq!(
        (text(&now, "rfc3339"), text(&now, "id")),
        ("2026-01-02T03:04:05Z".into(), "2026-01-02T03:04:05Z".into())
    );
    assert_eq!(parts(&now), ["2026", "1", "2", "3", "4", "5", "1767323045"]);
    driver.later(1);
    assert_eq!(
        driver.plan("time_static", &now, "{}"),
        (now.clone(), Vec::new())
    );
    assert_eq!(
        names(
            &driver
                .plan("time_static", &now, r#"{"triggers": {"a": "1"}}"#)
                .1
        ),
        ["triggers"]
    );

    let given = r#"{"rfc3339": "2023-01-31T10:20:30+02:00"}"#;
    let (planned, _) = driver.plan("time_static", &NONE, given);
    assert!(
        planned.is_wholly_known(),
        "all is known before it is applied"
    );
    let object = driver.create("time_static", given);
    assert_eq!(object, planned);
    assert_eq!(
        parts(&object),
        ["2023", "1", "31", "10", "20", "30", "1675153230"]
    );
}

#[test]
fn an_offset_overflows_into_the_next_month_and_stays_in_its_zone() {
    let driver = Driver::new("time");
    let object = driver.create(
        "time_offset",
        r#"{"base_rfc3339": "2023-01-31T10:20:30+02:00", "offset_months": 1, "offset_hours": 3}"#,
    );
    assert_eq!(text(&object, "rfc3339"), "2023-03-03T13:20:30+02:00");
    assert_eq!(text(&object, "id"), "2023-01-31T10:20:30+02:00");
    assert_eq!(
        parts(&object),
        ["2023", "3", "3", "13", "20", "30", "1677842430"]
    );
}

#[test]
fn another_offset_is_a_change_in_place_known_at_once() {
    let driver = Driver::new("time");
    let object = driver.create("time_offset", r#"{"offset_days": 1}"#);
    assert_eq!(text(&object, "rfc3339"), "2026-01-03T03:04:05Z");
    driver.later(1000);
    let config = r#"{"offset_days": 2}"#;
    let (planned, replace) = driver.plan("time_offset", &object, config);
    assert_eq!(replace, []);
    assert!(planned.is_wholly_known());
    assert_eq!(text(&planned, "rfc3339"), "2026-01-04T03:04:05Z");
    assert_eq!(
        driver.apply("time_offset", &object, config).unwrap(),
        planned
    );
    let moved = r#"{"offset_days": 1, "base_rfc3339": "2020-01-01T00:00:00Z"}"#;
    assert_eq!(
        names(&driver.plan("time_offset", &object, moved).1),
        ["base_rfc3339"]
    );
}

#[test]
fn the_largest_unit_of_a_rotation_counts() {
    let driver = Driver::new("time");
    let given = [
        ("years", 2),
        ("months", 3),
        ("days", 5),
        ("hours", 7),
        ("minutes", 11),
    ];
    let expected = [
        ("years", "months", "2101-01-31T10:20:30Z"),
        ("years", "days", "2101-01-31T10:20:30Z"),
        ("years", "hours", "2101-01-31T10:20:30Z"),
        ("years", "minutes", "2101-01-31T10:20:30Z"),
        ("months", "days", "2099-05-01T10:20:30Z"),
        ("months", "hours", "2099-05-01T10:20:30Z"),
        ("months", "minutes", "2099-05-01T10:20:30Z"),
        ("days", "hours", "2099-01-31T17:20:30Z"),
        ("days", "minutes", "2099-01-31T10:31:30Z"),
        ("hours", "minutes", "2099-01-31T10:31:30Z"),
    ];
    for (one, other, rotation) in expected {
        let number = |unit| given.iter().find(|(name, _)| *name == unit).unwrap().1;
        let config = format!(
            r#"{{"rfc3339": "2099-01-31T10:20:30Z", "rotation_{one}": {}, "rotation_{other}": {}}}"#,
            number(one),
            number(other)
        );
        let object = driver.create("time_rotating", &config);
        assert_eq!(
            text(&object, "rotation_rfc3339"),
            rotation,
            "{one} and {other}"
        );
        assert_eq!(text(&object, "id"), "2099-01-31T10:20:30Z");
    }
}

#[test]
fn the_parts_of_a_rotating_time_are_those_of_its_rotation() {
    let driver = Driver::new("time");
    let object = driver.create(
        "time_rotating",
        r#"{"rfc3339": "2099-01-31T10:20:30+02:00", "rotation_months": 1}"#,
    );
    assert_eq!(
        text(&object, "rotation_rfc3339"),
        "2099-03-03T10:20:30+02:00"
    );
    assert_eq!(
        parts(&object),
        ["2099", "3", "3", "10", "20", "30", "4076209230"]
    );
    let given = r#"{"rotation_rfc3339": "2099-02-01T00:00:00+01:00", "rotation_days": 3}"#;
    let object = driver.create("time_rotating", given);
    assert_eq!(
        text(&object, "rotation_rfc3339"),
        "2099-02-01T00:00:00+01:00"
    );
    assert_eq!(
        parts(&object),
        ["2099", "2", "1", "0", "0", "0", "4073583600"]
    );
    assert_eq!(text(&object, "rfc3339"), "2026-01-02T03:04:05Z");
}

#[test]
fn a_rotation_that_is_due_is_gone() {
    let driver = Driver::new("time");
    let object = driver.create("time_rotating", r#"{"rotation_days": 1}"#);
    driver.later(86_400);
    assert_eq!(
        driver.read("time_rotating", &object),
        object,
        "to the second it still holds"
    );
    driver.later(1);
    assert!(driver.read("time_rotating", &object).is_null());
}

#[test]
fn another_rotation_is_a_change_in_place_known_at_once() {
    let driver = Driver::new("time");
    let object = driver.create(
        "time_rotating",
        r#"{"rfc3339": "2099-01-31T10:20:30Z", "rotation_months": 1}"#,
    );
    let config = r#"{"rfc3339": "2099-01-31T10:20:30Z", "rotation_months": 2}"#;
    let (planned, replace) = driver.plan("time_rotating", &object, config);
    assert_eq!(replace, []);
    assert_eq!(text(&planned, "rotation_rfc3339"), "2099-03-31T10:20:30Z");
    assert_eq!(text(&planned, "unix"), "4078635630");
    assert_eq!(
        driver.apply("time_rotating", &object, config).unwrap(),
        planned
    );
    let (planned, replace) = driver.plan(
        "time_rotating",
        &object,
        r#"{"rfc3339": "2098-01-31T10:20:30Z", "rotation_months": 1}"#,
    );
    assert_eq!(
        (names(&replace), planned.is_known()),
        (vec!["rfc3339".to_owned()], true)
    );
}

#[test]
fn sleeping_takes_its_time() {
    let driver = Driver::new("time");
    let before = std::time::Instant::now();
    let object = driver.create(
        "time_sleep",
        r#"{"create_duration": "30ms", "destroy_duration": "0.02s"}"#,
    );
    assert!(before.elapsed() >= std::time::Duration::from_millis(30));
    assert_eq!(text(&object, "id"), "2026-01-02T03:04:05Z");
    let config = r#"{"create_duration": "1h", "destroy_duration": "0.02s"}"#;
    let changed = driver.apply("time_sleep", &object, config).unwrap();
    assert_eq!(
        text(&changed, "id"),
        text(&object, "id"),
        "a change in place does not sleep"
    );
    let before = std::time::Instant::now();
    driver.delete("time_sleep", &changed).unwrap();
    assert!(before.elapsed() >= std::time::Duration::from_millis(20));
}

#[test]
fn what_was_imported_is_what_the_well_known_provider_imports() {
    let driver = Driver::new("time");
    let fixed = driver
        .import("time_static", "2020-02-12T06:36:13Z")
        .unwrap();
    assert_eq!(
        parts(&fixed),
        ["2020", "2", "12", "6", "36", "13", "1581489373"]
    );
    let offset = driver
        .import("time_offset", "2020-02-12T06:36:13Z,0,0,1,0,0,0")
        .unwrap();
    assert_eq!(text(&offset, "rfc3339"), "2020-02-13T06:36:13Z");
    assert_eq!(
        (text(&offset, "offset_days"), text(&offset, "offset_years")),
        ("1".into(), "0".into())
    );
    assert_eq!(
        parts(&offset),
        ["2020", "2", "13", "6", "36", "13", "1581575773"]
    );
    let rotating = driver
        .import("time_rotating", "2099-02-12T06:36:13Z,0,0,1,0,0")
        .unwrap();
    assert_eq!(text(&rotating, "rotation_rfc3339"), "2099-02-13T06:36:13Z");
    assert_eq!(
        parts(&rotating),
        ["2099", "2", "13", "6", "36", "13", "4074647773"]
    );
    let given = driver
        .import("time_rotating", "2099-02-12T06:36:13Z,2099-02-14T00:00:00Z")
        .unwrap();
    assert_eq!(
        (text(&given, "rotation_rfc3339"), text(&given, "day")),
        ("2099-02-14T00:00:00Z".into(), "14".into())
    );
    let sleep = driver.import("time_sleep", "30s,").unwrap();
    assert_eq!(text(&sleep, "create_duration"), "30s");
    assert!(sleep.get("destroy_duration").is_some_and(Value::is_null));
    for object in [&fixed, &offset, &rotating, &given, &sleep] {
        assert_eq!(
            object
                .get("triggers")
                .and_then(Value::as_entries)
                .map(std::collections::BTreeMap::len),
            Some(0)
        );
    }
    for (kind, id, expected) in [
        (
            "time_static",
            "x",
            "Import time static error: \"x\" is not a time in RFC 3339 form.",
        ),
        (
            "time_offset",
            "x",
            "Unexpected Format of ID: Unexpected format of ID (\"x\"), expected BASETIMESTAMP,YEARS,MONTHS,DAYS,HOURS,MINUTES,SECONDS",
        ),
        (
            "time_rotating",
            "x,1",
            "Unexpected Format of ID: Unexpected format of ID (\"x,1\"), expected BASETIMESTAMP,YEARS,MONTHS,DAYS,HOURS,MINUTES or BASETIMESTAMP,ROTATIONTIMESTAMP",
        ),
        (
            "time_sleep",
            ",",
            "Unexpected Format of ID: Unexpected format of ID (\",\"), expected CREATEDURATION,DESTROYDURATION where at least one value is non-empty",
        ),
    ] {
        assert_eq!(driver.import(kind, id).unwrap_err(), [expected]);
    }
}

#[test]
fn mistakes_are_told() {
    let driver = Driver::new("time");
    for (kind, config, expected) in [
        (
            "time_offset",
            "{}",
            "Missing Attribute Configuration: At least one of these attributes must be configured: [offset_seconds,offset_minutes,offset_hours,offset_days,offset_months,offset_years]",
        ),
        (
            "time_rotating",
            "{}",
            "Missing Attribute Configuration: At least one of these attributes must be configured: [rotation_minutes,rotation_hours,rotation_days,rotation_months,rotation_years,rotation_rfc3339]",
        ),
        (
            "time_rotating",
            r#"{"rotation_days": 0}"#,
            "Invalid Attribute Value: Attribute rotation_days value must be at least 1, got: 0",
        ),
        (
            "time_sleep",
            "{}",
            "Invalid Attribute Combination: At least one attribute out of [create_duration,destroy_duration] must be specified",
        ),
        (
            "time_sleep",
            r#"{"create_duration": "1x"}"#,
            "Invalid Attribute Value Match: Attribute create_duration must be a number immediately followed by ms (milliseconds), s (seconds), m (minutes), or h (hours). For example, \"30s\" for 30 seconds., got: 1x",
        ),
        (
            "time_static",
            r#"{"rfc3339": "x"}"#,
            "Invalid RFC3339 String Value: A string value was provided that is not valid RFC3339 string format, such as 2026-01-02T15:04:05Z.\n\nGiven Value: x",
        ),
    ] {
        assert_eq!(driver.validate(kind, config), [expected]);
    }
    let told = driver
        .apply(
            "time_offset",
            &NONE,
            r#"{"offset_years": 9000000000000000000}"#,
        )
        .unwrap_err();
    assert_eq!(
        told,
        [
            "Time out of range: The time lies before the year -9999 or after the year 9999. Use smaller numbers."
        ]
    );
}

#[test]
fn functions_read_times_and_durations() {
    let driver = Driver::new("time");
    let read = |name: &str, argument: &str| driver.call(name, vec![Value::string(argument)]);
    let duration = read("duration_parse", "1h30m0.5s").unwrap();
    assert_eq!(text(&duration, "minutes"), "90.00833333333334");
    assert_eq!(text(&duration, "milliseconds"), "5400500");
    assert!(
        read("duration_parse", "soon")
            .unwrap_err()
            .contains("is not a valid duration")
    );
    let at = read("rfc3339_parse", "2021-01-03T23:30:00+02:00").unwrap();
    for (name, expected) in [
        ("weekday_name", "Sunday"),
        ("weekday", "0"),
        ("iso_year", "2020"),
        ("iso_week", "53"),
        ("year_day", "3"),
        ("month_name", "January"),
        ("hour", "23"),
        ("unix", "1609709400"),
    ] {
        assert_eq!(text(&at, name), expected, "{name}");
    }
    let at = driver
        .call("unix_timestamp_parse", vec![Value::int(0)])
        .unwrap();
    assert_eq!(text(&at, "rfc3339"), "1970-01-01T00:00:00Z");
}

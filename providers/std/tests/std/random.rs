//! `random_*`.

use std::collections::BTreeSet;

use terrace_value::Value;

use crate::support::{Driver, names, text};

const NONE: Value = Value::NULL;

#[test]
fn what_was_drawn_is_kept_and_keepers_draw_anew() {
    let driver = Driver::new("random");
    for (kind, config, other) in [
        ("random_bytes", r#"{"length": 3}"#, r#"{"length": 4}"#),
        (
            "random_id",
            r#"{"byte_length": 3}"#,
            r#"{"byte_length": 4}"#,
        ),
        (
            "random_integer",
            r#"{"min": 1, "max": 9}"#,
            r#"{"min": 1, "max": 8}"#,
        ),
        ("random_pet", "{}", r#"{"length": 3}"#),
        (
            "random_shuffle",
            r#"{"input": ["a", "b"]}"#,
            r#"{"input": ["a"]}"#,
        ),
        ("random_string", r#"{"length": 8}"#, r#"{"length": 9}"#),
        ("random_uuid", "{}", r#"{"keepers": {"a": "b"}}"#),
        ("random_uuid4", "{}", r#"{"keepers": {"a": "b"}}"#),
        ("random_uuid7", "{}", r#"{"keepers": {"a": "b"}}"#),
    ] {
        let object = driver.create(kind, config);
        assert_eq!(driver.read(kind, &object), object, "{kind}");
        assert_eq!(
            driver.plan(kind, &object, config),
            (object.clone(), Vec::new()),
            "{kind}"
        );
        let (_, replace) = driver.plan(kind, &object, other);
        assert_eq!(replace.len(), 1, "{kind}");
        let again = driver.create(kind, config);
        assert!(
            kind == "random_integer" || kind == "random_shuffle" || again != object,
            "{kind}"
        );
        assert!(driver.delete(kind, &object).unwrap().is_null(), "{kind}");
    }
}

#[test]
fn strings_hold_the_characters_that_are_asked_for() {
    let driver = Driver::new("random");
    let object = driver.create(
        "random_string",
        r#"{"length": 20, "lower": false, "special": true, "override_special": "!?", "min_upper": 3, "min_numeric": 4, "min_special": 5}"#,
    );
    let result = text(&object, "result");
    let count = |fits: fn(char) -> bool| result.chars().filter(|c| fits(*c)).count();
    assert_eq!(result.chars().count(), 20);
    assert_eq!(count(|c| c.is_ascii_lowercase()), 0);
    assert!(count(|c| c.is_ascii_uppercase()) >= 3, "{result}");
    assert!(count(|c| c.is_ascii_digit()) >= 4, "{result}");
    assert!(count(|c| c == '!' || c == '?') >= 5, "{result}");
    assert_eq!(
        count(|c| !c.is_ascii_alphanumeric() && c != '!' && c != '?'),
        0,
        "{result}"
    );
    assert_eq!(text(&object, "id"), result);
    assert_eq!(object.get("number"), Some(&Value::TRUE));
}

#[test]
fn number_is_another_name_of_numeric() {
    let driver = Driver::new("random");
    for config in [
        r#"{"length": 9, "numeric": false}"#,
        r#"{"length": 9, "number": false}"#,
    ] {
        let object = driver.create("random_string", config);
        assert_eq!(object.get("number"), Some(&Value::FALSE));
        assert_eq!(object.get("numeric"), Some(&Value::FALSE));
        assert!(!text(&object, "result").contains(|c: char| c.is_ascii_digit()));
        assert_eq!(driver.plan("random_string", &object, config).1, []);
    }
}

#[test]
fn a_password_is_hashed_and_its_id_tells_nothing() {
    let driver = Driver::new("random");
    let object = driver.create("random_password", r#"{"length": 80}"#);
    let (result, hash) = (text(&object, "result"), text(&object, "bcrypt_hash"));
    assert_eq!(text(&object, "id"), "none");
    assert!(
        hash.starts_with("$2a$10$") || hash.starts_with("$2b$10$"),
        "{hash}"
    );
    assert!(bcrypt::verify(&result.as_bytes()[..72], &hash).unwrap());
}

#[test]
fn passwords_of_older_versions_are_completed() {
    let driver = Driver::new("random");
    // Version 0 knew neither numeric nor the hash; version 1 had the hash; version 2 could hash what does not count.
    let zero = driver.upgrade(
        "random_password",
        0,
        r#"{"id": "none", "length": 4, "lower": true, "min_lower": 0, "min_numeric": 0, "min_special": 0, "min_upper": 0, "number": false, "result": "abcd", "special": true, "upper": true, "keepers": null, "override_special": null}"#,
    );
    assert_eq!(zero.get("numeric"), Some(&Value::FALSE));
    assert!(bcrypt::verify("abcd", &text(&zero, "bcrypt_hash")).unwrap());
    let hash = text(&zero, "bcrypt_hash");
    let one = driver.upgrade(
        "random_password",
        1,
        &format!(r#"{{"id": "none", "length": 4, "number": true, "result": "abcd", "bcrypt_hash": "{hash}"}}"#),
    );
    assert_eq!(text(&one, "bcrypt_hash"), hash, "a hash that holds is kept");
    assert_eq!(
        (one.get("numeric"), one.get("lower")),
        (Some(&Value::TRUE), Some(&Value::TRUE))
    );
    assert_eq!(one.get("min_upper"), Some(&Value::int(0)));
    let two = driver.upgrade(
        "random_password",
        2,
        &format!(r#"{{"id": "none", "length": null, "numeric": true, "result": "other", "bcrypt_hash": "{hash}"}}"#),
    );
    assert!(bcrypt::verify("other", &text(&two, "bcrypt_hash")).unwrap());
    assert_eq!(two.get("length"), Some(&Value::int(5)));
    let config = r#"{"length": 5}"#;
    assert_eq!(
        driver.plan("random_password", &two, config),
        (two.clone(), Vec::new())
    );
    let string = driver.upgrade(
        "random_string",
        1,
        r#"{"id": "x1", "length": 2, "number": true, "result": "x1"}"#,
    );
    assert_eq!(
        driver.plan("random_string", &string, r#"{"length": 2}"#),
        (string.clone(), Vec::new())
    );
}

#[test]
fn integers_lie_between_their_bounds() {
    let driver = Driver::new("random");
    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        let object = driver.create("random_integer", r#"{"min": -1, "max": 1}"#);
        seen.insert(text(&object, "result"));
        assert_eq!(text(&object, "id"), text(&object, "result"));
    }
    assert_eq!(seen, ["-1", "0", "1"].map(str::to_owned).into());
    let wide = format!(r#"{{"min": {}, "max": {}}}"#, i64::MIN, i64::MAX);
    driver.create("random_integer", &wide);
    let seeded = r#"{"min": 1, "max": 1000000, "seed": "s"}"#;
    assert_eq!(
        driver.create("random_integer", seeded),
        driver.create("random_integer", seeded)
    );
}

#[test]
fn ids_are_the_same_bytes_in_four_forms() {
    let driver = Driver::new("random");
    let object = driver.create("random_id", r#"{"byte_length": 4, "prefix": "p-"}"#);
    let hex = text(&object, "hex");
    let number = u32::from_str_radix(hex.strip_prefix("p-").unwrap(), 16).unwrap();
    assert_eq!(text(&object, "dec"), format!("p-{number}"));
    assert_eq!(
        text(&object, "b64_url"),
        format!("p-{}", text(&object, "id"))
    );
    let id = format!("p-,{}", text(&object, "id"));
    assert_eq!(driver.import("random_id", &id).unwrap(), object);
}

#[test]
fn pets_and_shuffles() {
    let driver = Driver::new("random");
    let pet = text(
        &driver.create(
            "random_pet",
            r#"{"length": 3, "separator": "_", "prefix": "x"}"#,
        ),
        "id",
    );
    assert_eq!((pet.split('_').count(), &pet[..2]), (4, "x_"), "{pet}");
    assert_eq!(
        text(&driver.create("random_pet", "{}"), "id")
            .split('-')
            .count(),
        2
    );
    assert_eq!(
        text(&driver.create("random_pet", r#"{"length": 1}"#), "id")
            .split('-')
            .count(),
        1
    );

    let object = driver.create(
        "random_shuffle",
        r#"{"input": ["a", "b", "c"], "result_count": 7}"#,
    );
    let result: Vec<&str> = object
        .get("result")
        .unwrap()
        .as_sequence()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(result.len(), 7);
    for round in result.chunks(3).take(2) {
        assert_eq!(
            BTreeSet::from_iter(round).len(),
            3,
            "each once before any twice: {result:?}"
        );
    }
    assert_eq!(text(&object, "id"), "-");
    let empty = driver.create("random_shuffle", r#"{"input": [], "result_count": 2}"#);
    assert_eq!(empty.get("result").unwrap().as_sequence().unwrap().len(), 0);
    let seeded = r#"{"input": ["a", "b", "c", "d"], "seed": "s"}"#;
    assert_eq!(
        driver.create("random_shuffle", seeded),
        driver.create("random_shuffle", seeded)
    );
}

#[test]
fn uuids_tell_their_version() {
    let driver = Driver::new("random");
    for (kind, version) in [("random_uuid", 4), ("random_uuid4", 4), ("random_uuid7", 7)] {
        let object = driver.create(kind, "{}");
        let parsed = uuid::Uuid::parse_str(&text(&object, "result")).unwrap();
        assert_eq!(parsed.get_version_num(), version, "{kind}");
    }
    let seven = uuid::Uuid::parse_str(&text(&driver.create("random_uuid7", "{}"), "id")).unwrap();
    assert_eq!(
        seven.get_timestamp().unwrap().to_unix().0,
        u64::try_from(crate::support::NOW).unwrap()
    );
}

#[test]
fn what_was_imported_needs_no_change() {
    let driver = Driver::new("random");
    for (kind, id, config) in [
        ("random_bytes", "q83v", r#"{"length": 3}"#),
        ("random_id", "q83v", r#"{"byte_length": 3}"#),
        ("random_integer", "5,1,9", r#"{"min": 1, "max": 9}"#),
        (
            "random_integer",
            "5,1,9,seed",
            r#"{"min": 1, "max": 9, "seed": "seed"}"#,
        ),
        ("random_password", "s3cret", r#"{"length": 6}"#),
        ("random_string", "s3cret", r#"{"length": 6}"#),
        ("random_uuid", "aabbccdd-eeff-4011-8233-445566778899", "{}"),
    ] {
        let object = driver.import(kind, id).unwrap();
        assert_eq!(
            driver.plan(kind, &object, config),
            (object.clone(), Vec::new()),
            "{kind}"
        );
    }
    for (kind, id) in [
        ("random_bytes", "?"),
        ("random_id", "?"),
        ("random_integer", "1,2"),
        ("random_integer", "a,1,2"),
        ("random_uuid", "x"),
        ("random_pet", "x"),
        ("random_shuffle", "x"),
    ] {
        assert_eq!(driver.import(kind, id).unwrap_err().len(), 1, "{kind}");
    }
}

#[test]
fn mistakes_are_told() {
    let driver = Driver::new("random");
    for (kind, config, expected) in [
        (
            "random_bytes",
            r#"{"length": 0}"#,
            "Invalid Attribute Value: Attribute length value must be at least 1, got: 0",
        ),
        (
            "random_id",
            r#"{"byte_length": -1}"#,
            "Invalid Attribute Value: Attribute byte_length value must be at least 1, got: -1",
        ),
        (
            "random_pet",
            r#"{"length": 0}"#,
            "Invalid Attribute Value: Attribute length value must be at least 1, got: 0",
        ),
        (
            "random_string",
            r#"{"length": 99999999999}"#,
            "Invalid Attribute Value: Attribute length value must be at most 16777216, got: 99999999999",
        ),
        (
            "random_shuffle",
            r#"{"input": ["a"], "result_count": 99999999999}"#,
            "Invalid Attribute Value: Attribute result_count value must be at most 16777216, got: 99999999999",
        ),
        (
            "random_string",
            r#"{"length": 2, "min_lower": 3}"#,
            "Invalid Attribute Value: Attribute length value must be at least sum of min_upper + min_lower + min_numeric + min_special (3), got: 2",
        ),
        (
            "random_password",
            r#"{"length": 2, "lower": false, "upper": false, "special": false, "numeric": false}"#,
            "Invalid Attribute Combination: At least one attribute out of [special, upper, lower, numeric] must be true.",
        ),
        (
            "random_integer",
            r#"{"min": 2, "max": 1}"#,
            "Create Random Integer Error: The minimum (min) value needs to be smaller than or equal to maximum (max) value: 2 is not below 1.",
        ),
    ] {
        assert_eq!(driver.validate(kind, config), [expected]);
        // What was unknown while planning is found when it is applied.
        assert_eq!(driver.apply(kind, &NONE, config).unwrap_err(), [expected]);
    }
    assert_eq!(
        driver.validate("random_string", r#"{"length": 8}"#),
        Vec::<String>::new()
    );
    let object = driver.create("random_string", r#"{"length": 8}"#);
    let (_, replace) = driver.plan(
        "random_string",
        &object,
        r#"{"length": 8, "keepers": {"a": "1"}}"#,
    );
    assert_eq!(names(&replace), ["keepers"]);
}

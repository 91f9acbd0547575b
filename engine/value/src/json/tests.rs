use proptest::prelude::*;

use super::*;
use crate::{Number, Text, Type, Value, arbitrary};

fn s(text: &str) -> Value {
    Value::string(text)
}

#[test]
fn strings_are_escaped_as_the_reference_does() {
    let text = simple_encode(&s("\u{8}\u{c}\u{1}\u{7f}<>&\u{2028}é\"\\\n\r\t/")).unwrap();
    assert_eq!(
        text,
        "\"\\b\\f\\u0001\u{7f}\\u003c\\u003e\\u0026\\u2028é\\\"\\\\\\n\\r\\t/\""
    );
    let read = decode(r#""\u00e9\ud83d\ude00\ud800x\/""#, &Type::String).unwrap();
    assert_eq!(read, s("é😀\u{fffd}x/"));
}

#[test]
fn dynamic_values_have_their_type_beside_them() {
    let value = Value::object([("a", Value::int(1)), ("b", Value::NULL)]);
    let ty = Type::object([("a", Type::Dynamic), ("b", Type::Dynamic)]);
    let text = encode(&value, &ty).unwrap();
    assert_eq!(text, r#"{"a":{"value":1,"type":"number"},"b":null}"#);
    assert_eq!(decode(&text, &ty).unwrap(), value);
    assert_eq!(
        decode(
            r#"{"type":["list","string"],"value":["x"]}"#,
            &Type::Dynamic
        )
        .unwrap(),
        Value::list(Type::String, [s("x")])
    );
    assert!(
        decode(r#"{"value":1}"#, &Type::Dynamic)
            .unwrap_err()
            .message
            .contains("missing type")
    );
}

#[test]
fn what_cannot_be_written_is_refused() {
    let list = Value::list(Type::String, [s("a"), s("b").sensitive()]);
    let error = encode(&list, &Type::list(Type::String)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "[1]: value has marks, so it cannot be serialized as JSON"
    );
    assert!(simple_encode(&Value::dynamic()).is_err());
    assert!(simple_encode(&Value::number(Number::INFINITY)).is_err());
    assert!(encode(&s("a"), &Type::Number).is_err());
}

#[test]
fn reading_is_generous_with_primitives_and_absent_attributes() {
    let ty = Type::object([
        ("n", Type::Number),
        ("s", Type::String),
        ("b", Type::Bool),
        ("x", Type::String),
    ]);
    let read = decode(r#" { "n" : "1.5", "s": 10, "b":"true" } "#, &ty).unwrap();
    assert_eq!(
        read.get("n"),
        Some(&Value::number(Number::parse("1.5").unwrap()))
    );
    assert_eq!(read.get("s"), Some(&s("10")));
    assert_eq!(read.get("b"), Some(&Value::TRUE));
    assert_eq!(read.get("x"), Some(&Value::null(Type::String)));
    assert_eq!(
        decode(r#"{"y":1}"#, &ty).unwrap_err().to_string(),
        "unsupported attribute \"y\""
    );
    assert_eq!(
        decode(r#"{"n":"z"}"#, &ty).unwrap_err().to_string(),
        ".n: a number is required"
    );
    assert_eq!(
        decode("[]", &ty).unwrap_err().to_string(),
        "an object is required"
    );
}

#[test]
fn numbers_keep_their_digits() {
    for text in [
        "123456789012345678901234567890",
        "0.1",
        "-0",
        "1.5",
        "3.14159265358979323846264338327950288",
    ] {
        assert_eq!(simple_encode(&decode_implied(text).unwrap()).unwrap(), text);
    }
    assert_eq!(
        simple_encode(&decode_implied("1E3").unwrap()).unwrap(),
        "1000"
    );
}

#[test]
fn errors_are_those_of_the_reference() {
    for (text, message) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("[1", "EOF"),
        ("{\"a\":", "EOF"),
        ("{\"a\"", "EOF"),
        ("tru", "unexpected EOF"),
        ("-", "unexpected EOF"),
        ("\"abc", "unexpected EOF"),
        ("{a}", "invalid character 'a'"),
        (
            "[1,]",
            "invalid character ']' looking for beginning of value",
        ),
        ("[1 2]", "invalid character '2' after array element"),
        ("{\"a\" 1}", "invalid character '1' after object key"),
        (
            "{\"a\":1 \"b\"}",
            "invalid character '\"' after object key:value pair",
        ),
        (
            "{\"a\":1,}",
            "invalid character '}' looking for beginning of object key string",
        ),
        ("01", "extraneous data after JSON object"),
        ("1 2", "extraneous data after JSON object"),
        ("x", "invalid character 'x' looking for beginning of value"),
    ] {
        assert_eq!(decode_implied(text).unwrap_err().message, message, "{text}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(
        decode_implied(&deep).unwrap_err().message,
        "exceeded max depth"
    );
    assert_eq!(
        decode_implied(r#"{"a":1,"a":"x"}"#).unwrap(),
        Value::object([("a", s("x"))])
    );
}

#[test]
fn types() {
    for text in [
        r#""dynamic""#,
        r#"["list","string"]"#,
        r#"["set",["map","number"]]"#,
        r#"["tuple",[]]"#,
        r#"["tuple",["bool",["object",{}]]]"#,
        r#"["object",{"a":"string","b":"number"},["b"]]"#,
    ] {
        assert_eq!(encode_type(&decode_type(text).unwrap()), text);
    }
    assert_eq!(decode_type("[\"tuple\",null]").unwrap(), Type::tuple([]));
    for text in [
        "",
        "\"int\"",
        "[]",
        "[\"list\"]",
        "[\"list\",\"string\",1]",
        "[\"object\",{},[\"a\"]]",
        "{}",
        "[\"x\",\"string\"]",
    ] {
        assert!(decode_type(text).is_err(), "{text}");
    }
}

#[test]
fn implied_types() {
    let ty = implied_type(r#"{"a":[1,"x"],"b":null}"#).unwrap();
    assert_eq!(
        ty,
        Type::object([
            ("a", Type::tuple([Type::Number, Type::String])),
            ("b", Type::Dynamic)
        ])
    );
    let empty: [(Text, Type); 0] = [];
    assert_eq!(implied_type("{}").unwrap(), Type::object(empty));
}

proptest! {
    #[test]
    fn values_come_back((ty, value) in arbitrary::values(false)) {
        let text = encode(&value, &ty).unwrap();
        prop_assert_eq!(&decode(&text, &ty).unwrap(), &value);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        let text = encode(&value, &Type::Dynamic).unwrap();
        prop_assert_eq!(decode(&text, &Type::Dynamic).unwrap(), value);
    }

    #[test]
    fn types_come_back(ty in arbitrary::types()) {
        prop_assert_eq!(decode_type(&encode_type(&ty)).unwrap(), ty);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}\",:0-9a-z\\\\ .-]{0,40}", ty in arbitrary::types()) {
        let accepted = decode_implied(&text).is_ok();
        let standard = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        prop_assert!(accepted || !standard, "{}", text);
        prop_assert!(decode(&text, &ty).is_ok() <= standard);
    }
}

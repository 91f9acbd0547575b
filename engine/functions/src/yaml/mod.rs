//! YAML text.

mod decode;
mod encode;
mod flow;
mod resolve;

use terrace_value::{Type, Value};

use crate::spec::{any, gives_dynamic, gives_string, text};
use crate::support::text_of;
use crate::{CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "yamldecode",
            "Reads a YAML document: mappings and sequences become objects and tuples.",
            [text("src", "")],
            gives_dynamic,
            |arguments, _, _| decode::decode(text_of(&arguments[0])).map_err(CallError::call),
        )
        .with_nullable_result(),
        Function::new(
            "yamlencode",
            "A value as a YAML document.",
            [any("value", "").nullable().dynamic()],
            gives_string,
            yamlencode,
        )
        .with_nullable_result(),
    ]
}

fn yamlencode(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    if !arguments[0].is_wholly_known() {
        return Ok(Value::unknown(result.clone()));
    }
    Ok(Value::from(encode::encode(&arguments[0])))
}

#[cfg(test)]
mod tests {
    use crate::json;
    use crate::support::tests::check;

    fn decoded(text: &str) -> String {
        match super::decode::decode(text) {
            Ok(value) => json::encode(&value).unwrap(),
            Err(message) => format!("! {message}"),
        }
    }

    fn encoded(json: &str) -> String {
        super::encode::encode(&json::decode(json).unwrap())
    }

    #[test]
    fn scalars() {
        assert_eq!(
            decoded("[yes, No, on, y, ~, null, '', \"5\", 5, x]"),
            r#"[true,false,true,true,null,null,"","5",5,"x"]"#
        );
        assert_eq!(
            decoded("[1.5, .5, 1e3, +7, -0x1, 0o17, 0x1F, 017, 1_000]"),
            r#"[1.5,0.5,1000,7,"-0x1",15,31,17,"1_000"]"#
        );
        assert_eq!(
            decoded("123456789012345678901234567890"),
            "123456789012345678901234567890"
        );
        assert_eq!(
            decoded("[2020-01-01, 2020-1-2 3:4:5, 2020-01-01T00:00:00.5+02:00]"),
            r#"["2020-01-01T00:00:00Z","2020-01-02T03:04:05Z","2020-01-01T00:00:00+02:00"]"#
        );
        assert_eq!(
            decoded("[!!str 5, !!int '5', !!float 5, !!bool yes, !!null x]"),
            r#"["5","5",5,true,null]"#
        );
        assert_eq!(decoded(".nan"), "! floating point NaN is not supported");
        assert_eq!(
            decoded("!!int abc"),
            r#"! cannot parse "abc" as tag:yaml.org,2002:int"#
        );
        assert_eq!(decoded("!x 5"), r#"! unsupported tag "!x""#);
        assert_eq!(
            decoded("a: |-\n  yes\nb: >\n  two\n  lines\n"),
            r#"{"a":"true","b":"two lines\n"}"#
        );
    }

    #[test]
    fn structures() {
        assert_eq!(
            decoded("a: &x {k: 1}\nb: *x\n"),
            r#"{"a":{"k":1},"b":{"k":1}}"#
        );
        assert_eq!(decoded("<<: {a: 1, b: 1}\nb: 2"), r#"{"a":1,"b":2}"#);
        assert_eq!(decoded("<<: [{a: 1}, {b: 2}]"), r#"{"a":1,"b":2}"#);
        assert_eq!(decoded("a: 1\na: 2"), r#"{"a":2}"#);
        assert_eq!(decoded("1: a\ntrue: b\n"), r#"{"1":"a","true":"b"}"#);
        assert_eq!(decoded("a: {\n  b: [1,\n2\n]}\n"), r#"{"a":{"b":[1,2]}}"#);
        assert_eq!(decoded("a: |\n  x\n  y"), r#"{"a":"x\ny"}"#);
        assert_eq!(decoded("- a\n- [2, {x: y}]"), r#"["a",[2,{"x":true}]]"#);
    }

    #[test]
    fn mistakes() {
        assert_eq!(
            decoded(""),
            "! on line 1, column 1: missing start of document"
        );
        assert_eq!(
            decoded("---\na: 1\n---\nb: 2"),
            "! on line 2, column 1: unexpected extra content after value"
        );
        assert_eq!(decoded("*x"), "! reference to undefined anchor \"x\"");
        assert_eq!(
            decoded("a: @b"),
            "! found character that cannot start any token"
        );
        assert_eq!(
            decoded("a: b: c"),
            "! mapping values are not allowed in this context"
        );
        assert_eq!(decoded("~: 1"), "! mapping key cannot be null");
        assert_eq!(
            decoded("{[1]: 2}"),
            "! only strings are allowed as mapping keys"
        );
        assert_eq!(decoded("<<: 5"), "! cannot merge number into mapping");
        assert_eq!(
            decoded("a: &x [*x]"),
            "! cannot refer to anchor \"x\" from inside its own definition"
        );
    }

    #[test]
    fn writing() {
        assert_eq!(
            encoded(r#"{"a": 1, "b": ["x", true], "c": {"d": null}}"#),
            "\"a\": 1\n\"b\":\n- \"x\"\n- true\n\"c\":\n  \"d\": null\n"
        );
        assert_eq!(
            encoded(r#"{"a": {"n": [1, [2, 3], {"x": [], "y": {}}]}}"#),
            "\"a\":\n  \"n\":\n  - 1\n  - - 2\n    - 3\n  - \"x\": []\n    \"y\": {}\n"
        );
        assert_eq!(encoded(r#""multi\nline""#), "|-\n  multi\n  line\n");
        assert_eq!(encoded(r#"{"a": "x\n\ny\n"}"#), "\"a\": |\n  x\n\n  y\n");
        assert_eq!(
            encoded(r#"{"a": " x\ny\n\n"}"#),
            "\"a\": |2+\n   x\n  y\n\n"
        );
        assert_eq!(encoded(r#""tab\there\nnext""#), "\"tab\\there\\nnext\"\n");
        assert_eq!(encoded(r#""x \ny""#), "\"x \\ny\"\n");
        assert_eq!(encoded("null"), "null\n...\n");
        assert_eq!(encoded(r#""""#), "\"\"\n");
        assert_eq!(
            encoded(r#"{"two\nlines": 1}"#),
            "? |-\n  two\n  lines\n: 1\n"
        );
    }

    #[test]
    fn long_text_is_folded() {
        let text = "word ".repeat(30);
        let json = format!("{{\"a\": \"{}\"}}", text.trim_end());
        let encoded = encoded(&json);
        assert_eq!(encoded.lines().count(), 2);
        assert_eq!(
            decoded(&encoded),
            format!("{{\"a\":\"{}\"}}", text.trim_end())
        );
        check(&[("yamlencode", "[[]]", r#""[]\n""#)]);
    }
}

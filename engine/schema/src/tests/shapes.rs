use terrace_value::{Marks, Path};

use super::*;
use crate::{normalize_from_legacy_sdk, set_unknowns, without_write_only, write_only_paths};

#[test]
fn coercion_fills_in_what_is_left_out() {
    let schema = block(
        &[
            ("name", Attribute::required(Type::String)),
            ("id", Attribute::computed(Type::String)),
        ],
        &[
            ("disk", nested_block(BlockNesting::List, leaf())),
            ("group", nested_block(BlockNesting::Group, leaf())),
            ("one", nested_block(BlockNesting::Single, leaf())),
        ],
    );
    let coerced = schema
        .coerce(&Value::object([("name", Value::int(5))]))
        .unwrap();
    assert_eq!(coerced.get("name"), Some(&s("5")));
    assert_eq!(coerced.get("id"), Some(&null()));
    assert_eq!(coerced.get("disk"), Some(&list([])));
    assert_eq!(
        coerced.get("one"),
        Some(&Value::null(leaf().implied_type()))
    );
    assert_eq!(
        coerced.get("group"),
        Some(&leaf_value(null(), null(), null()))
    );
    assert!(coerced.has_type(&schema.implied_type()));
    assert_eq!(schema.coerce(&coerced).unwrap(), coerced);
}

#[test]
fn coercion_says_what_does_not_fit() {
    let schema = block(
        &[
            ("name", Attribute::required(Type::String)),
            ("n", Attribute::optional(Type::Number)),
        ],
        &[("disk", nested_block(BlockNesting::List, leaf()))],
    );
    let fails = |value: Value| schema.coerce(&value).unwrap_err().to_string();
    assert_eq!(
        fails(Value::empty_object()),
        "attribute \"name\" is required"
    );
    assert_eq!(
        fails(only("other", s("x"))),
        "unexpected attribute \"other\""
    );
    assert_eq!(
        fails(Value::object([("name", s("x")), ("n", s("y"))])),
        ".n: a number is required"
    );
    assert_eq!(
        fails(Value::object([("name", s("x")), ("disk", s("y"))])),
        ".disk: must be a list"
    );
    let disk = Value::tuple([only("name", Value::tuple([]))]);
    assert_eq!(
        fails(Value::object([("name", s("x")), ("disk", disk)])),
        ".disk[0].name: string required"
    );
    assert_eq!(fails(s("x")), "an object is required");
}

#[test]
fn coercion_keeps_marks_and_unknowns() {
    let schema = block(
        &[("name", Attribute::required(Type::String))],
        &[("disk", nested_block(BlockNesting::Set, leaf()))],
    );
    let value = Value::object([
        ("name", unknown().sensitive()),
        ("disk", Value::tuple([only("name", s("a").sensitive())])),
    ]);
    let coerced = schema.coerce(&value).unwrap();
    assert_eq!(coerced.get("name"), Some(&unknown().sensitive()));
    assert!(coerced.get("disk").unwrap().is_sensitive());
    assert_eq!(
        schema.coerce(&Value::dynamic()).unwrap(),
        Value::unknown(schema.implied_type())
    );
}

#[test]
fn blocks_with_open_types_are_structures() {
    let inner = block(&[("any", Attribute::optional(Type::Dynamic))], &[]);
    let schema = block(
        &[],
        &[
            ("b", nested_block(BlockNesting::List, inner.clone())),
            ("m", nested_block(BlockNesting::Map, inner)),
        ],
    );
    let value = Value::object([
        (
            "b",
            Value::tuple([only("any", s("x")), only("any", Value::int(1))]),
        ),
        ("m", Value::object([("k", only("any", Value::TRUE))])),
    ]);
    assert_eq!(schema.coerce(&value).unwrap(), value);
    let empty = schema.empty_value();
    assert_eq!(empty.get("b"), Some(&Value::tuple([])));
    assert_eq!(empty.get("m"), Some(&Value::empty_object()));
}

#[test]
fn nested_attributes_may_leave_optional_parts_out() {
    let parts = [
        ("a", Attribute::required(Type::String)),
        ("b", Attribute::optional(Type::Number)),
    ];
    let schema = block(&[("x", nested_attribute(Nesting::List, &parts))], &[]);
    let coerced = schema
        .coerce(&only("x", Value::tuple([only("a", s("1"))])))
        .unwrap();
    let expected = Value::object([("a", s("1")), ("b", Value::null(Type::Number))]);
    assert_eq!(elements(&coerced, "x"), [expected]);
    assert!(
        schema
            .coerce(&only("x", Value::tuple([Value::empty_object()])))
            .is_err()
    );
}

#[test]
fn sensitive_attributes_are_found_at_any_depth() {
    let secret = || ("secret", Attribute::optional(Type::String).sensitive());
    let inner = block(&[secret()], &[]);
    let schema = block(
        &[
            secret(),
            ("nested", nested_attribute(Nesting::Map, &[secret()])),
            ("plain", Attribute::optional(Type::String)),
        ],
        &[
            ("list", nested_block(BlockNesting::List, inner.clone())),
            ("set", nested_block(BlockNesting::Set, inner.clone())),
        ],
    );
    let object = || only("secret", s("x"));
    let value = Value::object([
        ("secret", null()),
        ("plain", s("p")),
        (
            "nested",
            Value::map(inner.implied_type(), [("k", object())]),
        ),
        ("list", Value::list(inner.implied_type(), [object()])),
        ("set", Value::set(inner.implied_type(), [object()])),
    ]);
    let paths: Vec<String> = schema
        .sensitive_paths(&value)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        paths,
        [
            ".nested[\"k\"].secret",
            ".secret",
            ".list[0].secret",
            ".set"
        ]
    );
    let marked = schema.mark_sensitive(&value);
    assert!(!format!("{marked:?}").contains("\"x\""));
    assert!(marked.get("set").unwrap().is_sensitive());
    assert_eq!(marked.get("plain"), Some(&s("p")));
    assert!(
        !schema
            .mark_sensitive(&Value::null(schema.implied_type()))
            .has_marks_deep(Marks::SENSITIVE)
    );
}

#[test]
fn write_only_attributes() {
    let secret = Attribute {
        write_only: true,
        ..Attribute::optional(Type::String)
    };
    let inner = block(&[("token", secret.clone())], &[]);
    let schema = block(
        &[("token", secret)],
        &[("list", nested_block(BlockNesting::List, inner.clone()))],
    );
    let value = Value::object([
        ("token", s("a")),
        (
            "list",
            Value::list(
                inner.implied_type(),
                [only("token", s("b")), only("token", null())],
            ),
        ),
    ]);
    let paths: Vec<String> = write_only_paths(&schema, &value)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(paths, [".token", ".list[0].token"]);
    let stored = without_write_only(&schema, &value);
    assert!(write_only_paths(&schema, &stored).is_empty());
    assert_eq!(stored.get("token"), Some(&null()));
}

#[test]
fn computed_nulls_become_unknown() {
    let schema = block(&[], &[("disk", nested_block(BlockNesting::List, leaf()))]);
    let value = only("disk", list([leaf_value(null(), null(), s("x"))]));
    let expected = only("disk", list([leaf_value(null(), unknown(), s("x"))]));
    assert_eq!(set_unknowns(&schema, &value), expected);
}

#[test]
fn legacy_objects_are_normalized() {
    let schema = block(
        &[("name", Attribute::optional(Type::String))],
        &[
            ("l", nested_block(BlockNesting::List, leaf())),
            ("s", nested_block(BlockNesting::Set, leaf())),
            ("g", nested_block(BlockNesting::Group, leaf())),
        ],
    );
    let ty = leaf().implied_type();
    let value = Value::object([
        ("name", s("x").sensitive()),
        ("l", Value::null(Type::list(ty.clone()))),
        ("s", Value::unknown(Type::set(ty.clone()))),
        ("g", Value::null(ty)),
    ]);
    let expected = Value::object([
        ("name", s("x").sensitive()),
        ("l", list([])),
        ("s", set([leaf_value(unknown(), unknown(), unknown())])),
        ("g", leaf_value(null(), null(), null())),
    ]);
    assert_eq!(normalize_from_legacy_sdk(&schema, &value), expected);
}

#[test]
fn attributes_are_found_by_path() {
    let parts = [("a", Attribute::required(Type::Bool))];
    let schema = block(
        &[("x", nested_attribute(Nesting::List, &parts))],
        &[("b", nested_block(BlockNesting::List, leaf()))],
    );
    let at = |path: &Path| schema.attribute_at(path).map(Attribute::value_type);
    let inside = Path::root()
        .attribute("x")
        .index(Value::int(0))
        .attribute("a");
    assert_eq!(at(&inside), Some(Type::Bool));
    assert_eq!(
        at(&Path::root()
            .attribute("b")
            .index(Value::int(0))
            .attribute("id")),
        Some(Type::String)
    );
    assert_eq!(at(&Path::root().attribute("b")), None);
    assert_eq!(at(&Path::root()), None);
}

use super::*;
use crate::{Marks, Text};

fn n(value: i64) -> Value {
    Value::int(value)
}

fn s(text: &str) -> Value {
    Value::string(text)
}

fn unknown(ty: Type) -> Value {
    Value::unknown(ty)
}

#[test]
fn equality_of_known_values() {
    assert_eq!(
        equals(&n(1), &Value::number(Number::parse("1.0").unwrap())),
        Value::TRUE
    );
    assert_eq!(equals(&n(1), &s("1")), Value::FALSE);
    assert_eq!(
        equals(&Value::NULL, &Value::null(Type::String)),
        Value::TRUE
    );
    assert_eq!(equals(&Value::NULL, &s("")), Value::FALSE);
    assert_eq!(
        equals(&Value::tuple([n(1)]), &Value::list(Type::Number, [n(1)])),
        Value::FALSE
    );
    assert_eq!(
        equals(
            &Value::list(Type::Number, []),
            &Value::list(Type::String, [])
        ),
        Value::FALSE
    );
    assert_eq!(
        equals(&Value::object([("a", n(1))]), &Value::object([("a", n(1))])),
        Value::TRUE
    );
    let one = Value::set(Type::Number, [n(1), n(2)]);
    let two = Value::set(Type::Number, [n(2), n(1), n(2)]);
    assert_eq!(equals(&one, &two), Value::TRUE);
    assert_eq!(not_equals(&one, &two), Value::FALSE);
}

#[test]
fn equality_with_unknowns() {
    let undecided = Value::unknown_refined(Type::Bool, Refinements::not_null());
    assert_eq!(equals(&unknown(Type::String), &s("a")), undecided);
    assert_eq!(equals(&unknown(Type::String), &n(1)), Value::FALSE);
    assert_eq!(equals(&unknown(Type::String), &Value::NULL), undecided);
    assert_eq!(
        equals(&unknown(Type::String).refine_not_null(), &Value::NULL),
        Value::FALSE
    );
    assert_eq!(equals(&Value::dynamic(), &n(1)), undecided);
    let prefixed = unknown(Type::String).refine(Refinements {
        prefix: Some("ab".into()),
        ..Refinements::default()
    });
    assert_eq!(equals(&prefixed, &s("ax")), Value::FALSE);
    assert_eq!(equals(&prefixed, &s("abc")), undecided);
    let pair = |first: Value, second: Value| Value::tuple([first, second]);
    assert_eq!(
        equals(&pair(n(1), unknown(Type::Number)), &pair(n(2), n(1))),
        Value::FALSE
    );
    assert_eq!(
        equals(&pair(unknown(Type::Number), n(1)), &pair(n(2), n(2))),
        undecided
    );
    let long = unknown(Type::list(Type::String)).refine(Refinements {
        min_length: Some(2),
        ..Refinements::default()
    });
    assert_eq!(
        equals(&long, &Value::list(Type::String, [s("a")])),
        Value::FALSE
    );
}

#[test]
fn equality_carries_marks() {
    let secret = Value::list(Type::String, [s("a").sensitive()]);
    let plain = Value::list(Type::String, [s("a")]);
    assert_eq!(equals(&secret, &plain), Value::TRUE.sensitive());
    assert_eq!(equals(&secret, &Value::NULL), Value::FALSE);
    assert_eq!(
        equals(&secret.clone().sensitive(), &Value::NULL),
        Value::FALSE.sensitive()
    );
}

#[test]
fn arithmetic_and_logic() {
    assert_eq!(add(&n(1), &n(2).sensitive()).unwrap(), n(3).sensitive());
    assert_eq!(
        add(&n(1), &Value::NULL).unwrap_err().to_string(),
        "argument must not be null"
    );
    assert_eq!(
        add(&n(1), &s("a")).unwrap_err().to_string(),
        "number required"
    );
    let result = add(&n(1), &unknown(Type::Number)).unwrap();
    assert!(!result.is_known() && result.is_definitely_not_null());
    assert_eq!(less_than(&n(1), &n(2)).unwrap(), Value::TRUE);
    assert_eq!(greater_than_or_equal(&n(1), &n(2)).unwrap(), Value::FALSE);
    assert_eq!(not(&Value::TRUE).unwrap(), Value::FALSE);
    assert_eq!(or(&Value::TRUE, &Value::FALSE).unwrap(), Value::TRUE);
    assert!(!and(&Value::FALSE, &unknown(Type::Bool)).unwrap().is_known());
    let length = length(&unknown(Type::list(Type::String))).unwrap();
    assert_eq!(
        less_than(&length, &n(0)).unwrap(),
        Value::unknown_refined(Type::Bool, Refinements::not_null())
    );
    assert_eq!(less_than(&length, &n(-1)).unwrap(), Value::FALSE);
    assert_eq!(greater_than(&length, &n(-1)).unwrap(), Value::TRUE);
    let bounded = unknown(Type::Number).refine(Refinements {
        min: Some((Number::from(5_i64), true)),
        max: Some((Number::from(9_i64), true)),
        ..Refinements::default()
    });
    assert_eq!(less_than(&bounded, &n(10)).unwrap(), Value::TRUE);
    assert_eq!(less_than(&bounded, &n(4)).unwrap(), Value::FALSE);
}

#[test]
fn sets_are_ordered_and_distinct() {
    let numbers = Value::set(Type::Number, [n(10), n(9), n(-1), n(9)]);
    assert_eq!(format!("{numbers:?}"), "{-1, 9, 10}");
    let strings = Value::set(
        Type::String,
        [s("b"), Value::null(Type::String), s("B"), s("é"), s("a")],
    );
    assert_eq!(
        format!("{strings:?}"),
        "{\"B\", \"a\", \"b\", \"é\", null(string)}"
    );
    let object = |a: Value| Value::object([("a", a)]);
    let ty = Type::object([("a", Type::Number)]);
    let objects = Value::set(
        ty,
        [object(n(2)), object(n(10)), object(n(1)), object(n(10))],
    );
    assert_eq!(format!("{objects:?}"), r#"{{"a": 10}, {"a": 1}, {"a": 2}}"#);
    let unknowns = Value::set(
        Type::String,
        [unknown(Type::String), s("a"), unknown(Type::String)],
    );
    assert_eq!(unknowns.as_sequence().unwrap().len(), 3);
    let marked = Value::set(Type::String, [s("a").sensitive(), s("a")]);
    assert_eq!(
        marked,
        Value::set(Type::String, [s("a")]).with_marks(Marks::SENSITIVE)
    );
}

#[test]
fn indexing() {
    let list = Value::list(Type::String, [s("a"), s("b")]);
    assert_eq!(index(&list, &n(1)).unwrap(), s("b"));
    assert_eq!(
        index(&list, &s("1").sensitive()).unwrap(),
        s("b").sensitive()
    );
    assert_eq!(
        index(&list, &unknown(Type::Number)).unwrap(),
        unknown(Type::String)
    );
    let detail = |value: &Value, key: &Value| index(value, key).unwrap_err().detail;
    assert_eq!(
        detail(&list, &n(-1)),
        "The given key does not identify an element in this collection value: a negative number is not a valid index for a sequence."
    );
    assert_eq!(
        detail(&list, &n(2)),
        "The given key does not identify an element in this collection value: the given index is greater than or equal to the length of the collection."
    );
    assert_eq!(
        detail(&list, &s("x")),
        "The given key does not identify an element in this collection value: a number is required."
    );
    let half = Value::number(Number::parse("1.5").unwrap());
    assert!(detail(&list, &half).ends_with("but the given index has a fractional part."));
    let map = Value::map(Type::Number, [("1", n(5))]);
    assert_eq!(index(&map, &n(1)).unwrap(), n(5));
    assert_eq!(
        detail(&map, &s("b")),
        "The given key does not identify an element in this collection value."
    );
    assert_eq!(
        detail(&s("abc"), &n(0)),
        "This value does not have any indices."
    );
    assert_eq!(
        index(&Value::NULL, &n(0)).unwrap_err().summary,
        "Attempt to index null value"
    );
    assert_eq!(has_index(&map, &s("1")), Value::TRUE);
    assert_eq!(has_index(&list, &n(7)), Value::FALSE);
}

#[test]
fn attributes() {
    let object = Value::object([("a", n(1))]).sensitive();
    assert_eq!(get_attribute(&object, "a").unwrap(), n(1).sensitive());
    let detail = |value: &Value, name: &str| get_attribute(value, name).unwrap_err().detail;
    assert_eq!(
        detail(&object, "b"),
        "This object does not have an attribute named \"b\"."
    );
    assert_eq!(
        detail(&s("abc"), "length"),
        "Can't access attributes on a primitive-typed value (string)."
    );
    let list = Value::list(object.ty(), [object]);
    assert!(detail(&list, "a").contains("attribute \"a\" for a specific element"));
    let map = Value::map::<Text>(Type::String, []);
    assert_eq!(
        get_attribute(&map, "k").unwrap_err().summary,
        "Missing map element"
    );
}

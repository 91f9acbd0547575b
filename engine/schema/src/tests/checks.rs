use super::*;
use crate::{ValueError, assert_object_compatible, assert_plan_valid};

fn texts(errors: &[ValueError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

fn plan(prior: &Value, config: &Value, planned: &Value) -> Vec<String> {
    texts(&assert_plan_valid(&leaf(), prior, config, planned))
}

#[test]
fn what_a_provider_may_plan() {
    let config = leaf_value(s("n"), null(), null());
    let nothing = Value::null(leaf().implied_type());
    assert!(
        plan(
            &nothing,
            &config,
            &leaf_value(s("n"), unknown(), s("chosen"))
        )
        .is_empty()
    );
    let prior = leaf_value(s("N"), s("1"), s("x"));
    assert!(plan(&prior, &config, &leaf_value(s("N"), s("1"), s("x"))).is_empty());
    assert_eq!(
        plan(&prior, &config, &leaf_value(s("other"), s("1"), s("x"))),
        [r#".name: planned value "other" does not match config value "n" nor prior value "N""#]
    );
    assert_eq!(
        plan(
            &nothing,
            &leaf_value(null(), null(), null()),
            &leaf_value(s("made up"), unknown(), null())
        ),
        [r#".name: planned value "made up" for a non-computed attribute"#]
    );
    assert_eq!(
        plan(&prior, &config, &nothing),
        ["planned for absence but config wants existence"]
    );
    assert_eq!(
        plan(&prior, &nothing, &prior),
        ["planned for existence but config wants absence"]
    );
}

#[test]
fn refinements_may_change() {
    let refined = unknown().refine_not_null();
    let config = leaf_value(refined, null(), null());
    let nothing = Value::null(leaf().implied_type());
    assert!(
        plan(
            &nothing,
            &config,
            &leaf_value(unknown(), unknown(), unknown())
        )
        .is_empty()
    );
}

#[test]
fn secrets_are_not_told() {
    let schema = block(
        &[("password", Attribute::optional(Type::String).sensitive())],
        &[],
    );
    let nothing = Value::null(schema.implied_type());
    let errors = assert_plan_valid(
        &schema,
        &nothing,
        &only("password", s("hunter2")),
        &only("password", s("swordfish")),
    );
    assert_eq!(
        texts(&errors),
        [".password: sensitive planned value does not match config value"]
    );
    let errors = assert_object_compatible(
        &schema,
        &only("password", s("hunter2")),
        &only("password", s("swordfish")),
    );
    assert_eq!(
        texts(&errors),
        [".password: inconsistent values for sensitive attribute"]
    );
    let plain = block(&[("password", Attribute::optional(Type::String))], &[]);
    let errors = assert_object_compatible(
        &plain,
        &only("password", s("hunter2").sensitive()),
        &only("password", s("x")),
    );
    assert_eq!(
        texts(&errors),
        [".password: inconsistent values for sensitive attribute"]
    );
}

#[test]
fn planned_blocks_follow_configuration() {
    let schema = block(&[], &[("disk", nested_block(BlockNesting::List, leaf()))]);
    let nothing = Value::null(schema.implied_type());
    let one = only("disk", list([leaf_value(s("a"), null(), null())]));
    let check = |planned: Value| {
        texts(&assert_plan_valid(
            &schema,
            &nothing,
            &one,
            &only("disk", planned),
        ))
    };
    assert!(check(list([leaf_value(s("a"), unknown(), unknown())])).is_empty());
    assert_eq!(
        check(list([])),
        [".disk: block count in plan (0) disagrees with count in config (1)"]
    );
    assert!(
        check(Value::unknown(Type::list(leaf().implied_type())))[0]
            .contains("must not be unknown itself")
    );
    assert!(
        check(Value::null(Type::list(leaf().implied_type())))[0]
            .contains("must be empty to indicate no blocks")
    );
    let wrong = check(list([leaf_value(s("b"), unknown(), unknown())]));
    assert_eq!(
        wrong,
        [r#".disk[0].name: planned value "b" does not match config value "a""#]
    );
}

#[test]
fn nested_attributes_follow_configuration() {
    let parts = [
        ("name", Attribute::optional(Type::String)),
        ("id", Attribute::computed(Type::String)),
    ];
    let object = |name: &str, id: Value| Value::object([("name", s(name)), ("id", id)]);
    let schema = block(&[("disks", nested_attribute(Nesting::Map, &parts))], &[]);
    let map =
        |entries: Vec<(&str, Value)>| only("disks", Value::map(object("", null()).ty(), entries));
    let nothing = Value::null(schema.implied_type());
    let config = map(vec![("k", object("a", null()))]);
    let check = |planned: Value| texts(&assert_plan_valid(&schema, &nothing, &config, &planned));
    assert!(check(map(vec![("k", object("a", unknown()))])).is_empty());
    assert_eq!(
        check(map(vec![])),
        [".disks: count in plan (0) disagrees with count in config (1)"]
    );
    assert!(
        check(map(vec![("z", object("a", null()))]))[0].contains("\"z\" from plan is not present")
    );
    assert!(
        check(map(vec![("k", object("b", null()))]))[0]
            .starts_with(".disks[\"k\"].name: planned value")
    );
}

#[test]
fn write_only_values_may_vanish() {
    let secret = Attribute {
        write_only: true,
        ..Attribute::optional(Type::String)
    };
    let schema = block(&[("token", secret)], &[]);
    let nothing = Value::null(schema.implied_type());
    assert!(
        assert_plan_valid(
            &schema,
            &nothing,
            &only("token", s("x")),
            &only("token", null())
        )
        .is_empty()
    );
}

#[test]
fn what_was_applied_completes_the_plan() {
    let planned = leaf_value(
        s("a"),
        unknown(),
        Value::unknown(Type::String).refine_not_null(),
    );
    let check = |actual: &Value| texts(&assert_object_compatible(&leaf(), &planned, actual));
    assert!(check(&leaf_value(s("a"), s("1"), s("x"))).is_empty());
    assert!(check(&leaf_value(s("a"), null(), s("x"))).is_empty());
    assert_eq!(
        check(&leaf_value(s("b"), s("1"), s("x"))),
        [r#".name: was "a", but now "b""#]
    );
    assert_eq!(
        check(&leaf_value(null(), s("1"), s("x"))),
        [r#".name: was "a", but now null"#]
    );
    assert!(
        check(&leaf_value(s("a"), s("1"), null()))[0]
            .contains("does not conform to planning placeholder")
    );
    assert_eq!(
        check(&Value::null(leaf().implied_type())),
        ["root object was present, but now absent"]
    );
    assert!(
        check(&leaf_value(s("a"), Value::int(1), s("x")))[0]
            .contains("wrong final value type: string required")
    );
    assert_eq!(
        check(&leaf_value(unknown(), s("1"), s("x"))),
        [".name: was known, but now unknown"]
    );
}

#[test]
fn applied_collections() {
    let schema = block(
        &[
            ("tags", Attribute::optional(Type::map(Type::String))),
            ("ids", Attribute::optional(Type::set(Type::String))),
        ],
        &[],
    );
    let value = |tags: Vec<(&str, Value)>, ids: Vec<Value>| {
        Value::object([
            ("tags", Value::map(Type::String, tags)),
            ("ids", Value::set(Type::String, ids)),
        ])
    };
    let planned = value(vec![("a", s("1"))], vec![s("x"), unknown()]);
    let check = |actual: &Value| texts(&assert_object_compatible(&schema, &planned, actual));
    assert!(check(&value(vec![("a", s("1"))], vec![s("x"), s("y")])).is_empty());
    assert!(check(&value(vec![("a", s("1"))], vec![s("x")])).is_empty());
    assert_eq!(
        check(&value(vec![("a", s("1")), ("b", s("2"))], vec![s("x")])),
        [".tags: new element \"b\" has appeared"]
    );
    assert_eq!(
        check(&value(vec![], vec![s("x")])),
        [".tags: element \"a\" has vanished"]
    );
    assert_eq!(check(&value(vec![("a", s("1"))], vec![s("y")])).len(), 1);
    assert_eq!(
        check(&value(vec![("a", s("1"))], vec![s("x"), s("y"), s("z")])),
        [".ids: length changed from 2 to 3"]
    );
}

#[test]
fn applied_blocks() {
    let list_schema = block(&[], &[("disk", nested_block(BlockNesting::List, leaf()))]);
    let set_schema = block(&[], &[("disk", nested_block(BlockNesting::Set, leaf()))]);
    let (before, after) = (
        leaf_value(s("a"), unknown(), null()),
        leaf_value(s("a"), s("1"), null()),
    );
    let planned = only("disk", list([before.clone()]));
    assert!(
        assert_object_compatible(&list_schema, &planned, &only("disk", list([after.clone()])))
            .is_empty()
    );
    let errors = assert_object_compatible(&list_schema, &planned, &only("disk", list([])));
    assert_eq!(texts(&errors), [".disk: block count changed from 1 to 0"]);
    let planned = only("disk", set([before]));
    assert!(
        assert_object_compatible(&set_schema, &planned, &only("disk", set([after]))).is_empty()
    );
    let other = only("disk", set([leaf_value(s("b"), s("1"), null())]));
    assert!(
        texts(&assert_object_compatible(&set_schema, &planned, &other))[0]
            .contains("does not correlate")
    );
    let open = only("disk", Value::unknown(Type::set(leaf().implied_type())));
    assert!(assert_object_compatible(&set_schema, &open, &other).is_empty());
}

use super::*;
use crate::{planned_unknown_object, proposed_new};

#[test]
fn computed_attributes_keep_their_prior_value() {
    let config = leaf_value(s("new"), null(), null());
    let prior = leaf_value(s("old"), s("i-1"), s("big"));
    assert_eq!(
        proposed_new(&leaf(), &prior, &config),
        leaf_value(s("new"), s("i-1"), s("big"))
    );
    let chosen = leaf_value(null(), null(), s("small"));
    assert_eq!(
        proposed_new(&leaf(), &prior, &chosen),
        leaf_value(null(), s("i-1"), s("small"))
    );
    let nothing = Value::null(leaf().implied_type());
    assert_eq!(proposed_new(&leaf(), &nothing, &config), config);
    assert_eq!(proposed_new(&leaf(), &nothing, &nothing), nothing);
    assert_eq!(proposed_new(&leaf(), &prior, &nothing), prior);
}

#[test]
fn everything_computed_is_unknown_without_prior() {
    let config = leaf_value(s("new"), null(), null());
    assert_eq!(
        planned_unknown_object(&leaf(), &config),
        leaf_value(s("new"), unknown(), unknown())
    );
    let schema = block(&[], &[("disk", nested_block(BlockNesting::List, leaf()))]);
    let planned = planned_unknown_object(&schema, &only("disk", list([config])));
    assert_eq!(
        planned,
        only("disk", list([leaf_value(s("new"), unknown(), unknown())]))
    );
}

#[test]
fn list_blocks_are_matched_by_place() {
    let schema = block(&[], &[("disk", nested_block(BlockNesting::List, leaf()))]);
    let prior = only("disk", list([leaf_value(s("a"), s("1"), null())]));
    let config = only(
        "disk",
        list([
            leaf_value(s("b"), null(), null()),
            leaf_value(s("c"), null(), null()),
        ]),
    );
    let proposed = proposed_new(&schema, &prior, &config);
    let expected = list([
        leaf_value(s("b"), s("1"), null()),
        leaf_value(s("c"), null(), null()),
    ]);
    assert_eq!(proposed, only("disk", expected));
    let unknown = only("disk", Value::unknown(Type::list(leaf().implied_type())));
    assert_eq!(proposed_new(&schema, &prior, &unknown), unknown);
    let none = only("disk", list([]));
    assert_eq!(proposed_new(&schema, &prior, &none), none);
}

#[test]
fn map_blocks_are_matched_by_key() {
    let schema = block(&[], &[("disk", nested_block(BlockNesting::Map, leaf()))]);
    let map =
        |entries: Vec<(&str, Value)>| only("disk", Value::map(leaf().implied_type(), entries));
    let prior = map(vec![
        ("x", leaf_value(s("a"), s("1"), null())),
        ("gone", leaf_value(s("g"), s("2"), null())),
    ]);
    let config = map(vec![
        ("x", leaf_value(s("b"), null(), null())),
        ("y", leaf_value(s("c"), null(), null())),
    ]);
    let expected = map(vec![
        ("x", leaf_value(s("b"), s("1"), null())),
        ("y", leaf_value(s("c"), null(), null())),
    ]);
    assert_eq!(proposed_new(&schema, &prior, &config), expected);
}

#[test]
fn set_blocks_are_matched_by_what_is_configured() {
    let schema = block(&[], &[("rule", nested_block(BlockNesting::Set, leaf()))]);
    let prior = only(
        "rule",
        set([
            leaf_value(s("a"), s("1"), s("big")),
            leaf_value(s("b"), s("2"), null()),
        ]),
    );
    let config = only(
        "rule",
        set([
            leaf_value(s("b"), null(), null()),
            leaf_value(s("new"), null(), null()),
        ]),
    );
    let expected = only(
        "rule",
        set([
            leaf_value(s("b"), s("2"), null()),
            leaf_value(s("new"), null(), null()),
        ]),
    );
    assert_eq!(proposed_new(&schema, &prior, &config), expected);
    let differently_sized = only("rule", set([leaf_value(s("a"), null(), s("small"))]));
    assert_eq!(
        proposed_new(&schema, &prior, &differently_sized),
        differently_sized
    );
}

#[test]
fn single_and_group_blocks() {
    let single = block(&[], &[("disk", nested_block(BlockNesting::Single, leaf()))]);
    let prior = only("disk", leaf_value(s("a"), s("1"), null()));
    let absent = only("disk", Value::null(leaf().implied_type()));
    assert_eq!(proposed_new(&single, &prior, &absent), absent);
    let config = only("disk", leaf_value(s("b"), null(), null()));
    assert_eq!(
        proposed_new(&single, &prior, &config),
        only("disk", leaf_value(s("b"), s("1"), null()))
    );
    let group = block(&[], &[("disk", nested_block(BlockNesting::Group, leaf()))]);
    let empty = only("disk", leaf_value(null(), null(), null()));
    assert_eq!(
        proposed_new(&group, &prior, &empty),
        only("disk", leaf_value(null(), s("1"), null()))
    );
}

#[test]
fn nested_attributes() {
    let parts = [
        ("name", Attribute::optional(Type::String)),
        ("id", Attribute::computed(Type::String)),
    ];
    let object = |name: Value, id: Value| Value::object([("name", name), ("id", id)]);
    for nesting in [Nesting::List, Nesting::Set, Nesting::Map] {
        let schema = block(&[("disks", nested_attribute(nesting, &parts))], &[]);
        let collection = |item: Value| match nesting {
            Nesting::Set => Value::set(item.ty(), [item]),
            Nesting::Map => Value::map(item.ty(), [("k", item)]),
            _ => Value::list(item.ty(), [item]),
        };
        let prior = only("disks", collection(object(s("a"), s("1"))));
        let config = only("disks", collection(object(s("a"), null())));
        assert_eq!(proposed_new(&schema, &prior, &config), prior, "{nesting:?}");
        let absent = only("disks", Value::null(config.get("disks").unwrap().ty()));
        assert_eq!(
            proposed_new(&schema, &prior, &absent),
            absent,
            "{nesting:?}"
        );
    }
}

#[test]
fn optional_computed_nested_attributes_drop_what_was_configured() {
    let parts = [
        ("name", Attribute::optional(Type::String)),
        ("id", Attribute::computed(Type::String)),
    ];
    let mut attribute = nested_attribute(Nesting::Single, &parts);
    attribute.computed = true;
    let schema = block(&[("disk", attribute)], &[]);
    let object = |name: Value, id: Value| Value::object([("name", name), ("id", id)]);
    let absent = only("disk", Value::null(object(null(), null()).ty()));
    let configured = only("disk", object(s("a"), s("1")));
    assert_eq!(proposed_new(&schema, &configured, &absent), absent);
    let computed = only("disk", object(null(), s("1")));
    assert_eq!(proposed_new(&schema, &computed, &absent), computed);
}

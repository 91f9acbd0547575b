use super::*;

fn n(value: i64) -> Value {
    Value::int(value)
}

fn s(text: &str) -> Value {
    Value::string(text)
}

fn fails(value: &Value, ty: &Type) -> String {
    convert(value, ty).unwrap_err().message
}

fn with_optional(attributes: &[(&str, Type)], optional: &[&str]) -> Type {
    Type::Object(Arc::new(crate::ObjectType {
        attributes: attributes
            .iter()
            .map(|(name, ty)| (Text::from(*name), ty.clone()))
            .collect(),
        optional: optional.iter().map(|name| Text::from(*name)).collect(),
    }))
}

#[test]
fn primitives() {
    assert_eq!(convert(&n(5), &Type::String).unwrap(), s("5"));
    assert_eq!(convert(&Value::TRUE, &Type::String).unwrap(), s("true"));
    assert_eq!(
        convert(&s("1.50"), &Type::Number).unwrap(),
        Value::number(Number::parse("1.5").unwrap())
    );
    assert_eq!(convert(&s("1"), &Type::Bool).unwrap(), Value::TRUE);
    assert_eq!(convert(&s("false"), &Type::Bool).unwrap(), Value::FALSE);
    assert_eq!(fails(&s("x"), &Type::Number), "a number is required");
    assert_eq!(
        fails(&s("True"), &Type::Bool),
        "a bool is required; to convert from string, use lowercase \"true\""
    );
    assert_eq!(fails(&s("yes"), &Type::Bool), "a bool is required");
    assert_eq!(fails(&n(1), &Type::Bool), "bool required");
    assert_eq!(fails(&Value::tuple([]), &Type::String), "string required");
    assert_eq!(
        convert(&Value::NULL, &Type::String).unwrap(),
        Value::null(Type::String)
    );
}

#[test]
fn structures_to_collections() {
    let mixed = Value::tuple([n(1), s("a"), Value::TRUE]);
    let strings = Value::list(Type::String, [s("1"), s("a"), s("true")]);
    assert_eq!(
        convert(&mixed, &Type::list(Type::Dynamic)).unwrap(),
        strings
    );
    assert_eq!(
        convert(&Value::tuple([]), &Type::list(Type::Dynamic)).unwrap(),
        Value::list(Type::Dynamic, [])
    );
    let nested = Value::tuple([n(1), Value::tuple([n(2)])]);
    assert_eq!(
        fails(&nested, &Type::list(Type::Dynamic)),
        "all list elements must have the same type"
    );
    assert_eq!(
        fails(&nested, &Type::list(Type::String)),
        "element 1: string required"
    );
    let object = Value::object([("a", n(1)), ("b", Value::tuple([n(1)]))]);
    assert_eq!(
        fails(&object, &Type::map(Type::Dynamic)),
        "all map elements must have the same type"
    );
    assert_eq!(
        fails(&object, &Type::map(Type::Number)),
        "element \"b\": number required"
    );
    assert_eq!(
        fails(&s("a"), &Type::set(Type::Dynamic)),
        "set of any single type required"
    );
    let set = convert(&Value::tuple([n(2), n(1), n(2)]), &Type::set(Type::Number)).unwrap();
    assert_eq!(set, Value::set(Type::Number, [n(1), n(2)]));
    let map = convert(&Value::object([("a", n(1))]), &Type::map(Type::String)).unwrap();
    assert_eq!(map, Value::map(Type::String, [("a", s("1"))]));
    let back = convert(&map, &Type::object([("a", Type::Number)])).unwrap();
    assert_eq!(back, Value::object([("a", n(1))]));
    assert_eq!(
        fails(&map, &Type::object([("z", Type::String)])),
        "map has no element for required attribute \"z\""
    );
}

#[test]
fn elements_of_open_type_are_brought_together() {
    let ty = Type::list(Type::object([("a", Type::Dynamic)]));
    let value = Value::tuple([Value::object([("a", n(1))]), Value::object([("a", s("x"))])]);
    let expected = Type::list(Type::object([("a", Type::String)]));
    assert_eq!(convert(&value, &ty).unwrap().ty(), expected);
}

#[test]
fn objects() {
    let ty = with_optional(
        &[("a", Type::String), ("b", Type::Number), ("c", Type::Bool)],
        &["b"],
    );
    let value = Value::object([("a", n(1)), ("c", s("true")), ("extra", n(3))]);
    let expected = Value::object([
        ("a", s("1")),
        ("b", Value::null(Type::Number)),
        ("c", Value::TRUE),
    ]);
    assert_eq!(convert(&value, &ty).unwrap(), expected);
    assert_eq!(
        fails(&Value::empty_object(), &ty),
        "attributes \"a\" and \"c\" are required"
    );
    assert_eq!(
        fails(&Value::object([("a", n(1))]), &ty),
        "attribute \"c\" is required"
    );
    let wrong = Value::object([("a", Value::tuple([])), ("c", Value::TRUE)]);
    assert_eq!(fails(&wrong, &ty), "attribute \"a\": string required");
    let content = Value::object([("a", s("x")), ("c", s("maybe"))]);
    let error = convert(&content, &ty).unwrap_err();
    assert_eq!(
        (error.path.to_string().as_str(), error.message.as_str()),
        (".c", "a bool is required")
    );
    let list = Value::list(Type::String, [s("1"), s("b")]);
    assert_eq!(
        convert(&list, &Type::list(Type::Number))
            .unwrap_err()
            .path
            .to_string(),
        "[1]"
    );
}

#[test]
fn marks_and_unknowns_are_kept() {
    let value = Value::tuple([
        s("5").sensitive(),
        Value::unknown(Type::String).refine_not_null(),
    ]);
    let converted = convert(&value, &Type::list(Type::Number)).unwrap();
    let items = converted.as_sequence().unwrap();
    assert_eq!(items[0], n(5).sensitive());
    assert!(!items[1].is_known() && items[1].is_definitely_not_null());
    assert_eq!(items[1].ty(), Type::Number);
    assert!(
        convert(&value, &Type::set(Type::Number))
            .unwrap()
            .is_sensitive()
    );
    let dynamic = convert(&Value::dynamic().sensitive(), &Type::list(Type::Dynamic)).unwrap();
    assert_eq!(
        dynamic,
        Value::unknown(Type::list(Type::Dynamic)).sensitive()
    );
    let tuple = Value::unknown(Type::tuple([Type::Number, Type::String])).refine_not_null();
    let list = convert(&tuple, &Type::list(Type::String)).unwrap();
    assert_eq!(
        list,
        Value::list(
            Type::String,
            [Value::unknown(Type::String), Value::unknown(Type::String)]
        )
    );
    assert_eq!(
        fails(&Value::unknown(Type::Number), &Type::Bool),
        "bool required"
    );
}

#[test]
fn unification() {
    use Type::{Bool, Dynamic, Number, String};
    assert_eq!(unify(&[]), None);
    assert_eq!(unify(&[Number, Number]), Some(Number));
    assert_eq!(unify(&[Number, String]), Some(String));
    assert_eq!(unify(&[Number, Bool]), None);
    assert_eq!(unify(&[Number, Bool, String]), Some(String));
    assert_eq!(unify(&[Number, Dynamic]), Some(Dynamic));
    assert_eq!(unify_unsafe(&[Number, Dynamic]), Some(Number));
    assert_eq!(
        unify(&[Type::tuple([Number]), Type::tuple([String])]),
        Some(Type::tuple([String]))
    );
    assert_eq!(
        unify(&[Type::tuple([Number]), Type::tuple([String, Bool])]),
        Some(Type::list(String))
    );
    assert_eq!(
        unify(&[Type::tuple([]), Type::list(Number)]),
        Some(Type::list(Number))
    );
    assert_eq!(
        unify(&[Type::tuple([Number]), Type::list(String)]),
        Some(Type::list(String))
    );
    assert_eq!(
        unify(&[Type::set(Number), Type::list(Number)]),
        Some(Type::list(Number))
    );
    assert_eq!(
        unify(&[Type::object([("a", Number)]), Type::object([("a", String)])]),
        Some(Type::object([("a", String)]))
    );
    assert_eq!(
        unify(&[Type::object([("a", Number)]), Type::object([("b", String)])]),
        Some(Type::map(String))
    );
    assert_eq!(
        unify(&[Type::object([("a", Number)]), Type::map(String)]),
        Some(Type::map(String))
    );
    assert_eq!(
        unify(&[Type::object([("a", Number)]), Type::tuple([])]),
        None
    );
    assert_eq!(unify(&[Type::map(Number), Dynamic]), Some(Dynamic));
    assert_eq!(
        unify(&[Type::list(Number), Type::list(String)]),
        Some(Type::list(String))
    );
}

#[test]
fn defaults_fill_what_is_absent_or_null() {
    let inner = with_optional(&[("x", Type::Number), ("y", Type::String)], &["x", "y"]);
    let ty = with_optional(
        &[("name", Type::String), ("items", Type::list(inner))],
        &["name", "items"],
    );
    let element = Defaults {
        values: [(Text::from("x"), n(7))].into(),
        children: [].into(),
    };
    let items = Defaults {
        values: [].into(),
        children: [(Text::from(""), element)].into(),
    };
    let defaults = Defaults {
        values: [(Text::from("name"), s("none"))].into(),
        children: [(Text::from("items"), items)].into(),
    };
    let value = Value::object([
        ("name", Value::NULL.sensitive()),
        (
            "items",
            Value::tuple([Value::empty_object(), Value::object([("x", n(1))])]).sensitive(),
        ),
    ]);
    let applied = convert(&defaults.apply(&value, &ty), &ty).unwrap();
    assert_eq!(applied.get("name"), Some(&s("none")));
    let items = applied.get("items").unwrap();
    assert!(items.is_sensitive());
    let xs: Vec<_> = items
        .as_sequence()
        .unwrap()
        .iter()
        .map(|item| item.get("x").cloned().unwrap())
        .collect();
    assert_eq!(xs, [n(7), n(1)]);
    assert_eq!(defaults.apply(&Value::dynamic(), &ty), Value::dynamic());
}

proptest::proptest! {
    #[test]
    fn conversion_is_idempotent(
        (_, value) in crate::arbitrary::values(true),
        ty in crate::arbitrary::types(),
    ) {
        if let Ok(converted) = convert(&value, &ty) {
            proptest::prop_assert!(converted.has_type(&ty));
            proptest::prop_assert_eq!(convert(&converted, &ty).unwrap(), converted);
        }
    }

    #[test]
    fn what_unifies_converts(types in proptest::collection::vec(crate::arbitrary::types(), 1..4)) {
        if let Some(common) = unify(&types) {
            proptest::prop_assert!(types.iter().all(|ty| can_convert_safely(ty, &common)));
        }
        if let Some(common) = unify_unsafe(&types) {
            proptest::prop_assert!(types.iter().all(|ty| can_convert(ty, &common)));
        }
    }
}

#[test]
fn nulls_leave_other_elements_their_one_type() {
    let empty = Value::tuple([]);
    let object = |entries: &[(&str, Value)]| Value::object(entries.iter().cloned());
    let map = Type::map(Type::Dynamic);
    let with_null = object(&[("a", Value::NULL), ("b", empty.clone())]);
    let converted = convert(&with_null, &map).unwrap();
    assert_eq!(converted.ty(), Type::map(Type::tuple([])));
    let mixed = object(&[("a", Value::NULL), ("b", empty), ("c", n(1))]);
    assert!(convert(&mixed, &map).is_err());
}

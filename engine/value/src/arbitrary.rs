//! Random types and values for property tests.

use proptest::prelude::*;

use crate::{Number, Refinements, Text, Type, Value};

/// Any type without `Dynamic` and without optional attributes.
pub(crate) fn types() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(Type::list),
            inner.clone().prop_map(Type::set),
            inner.clone().prop_map(Type::map),
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Type::tuple),
            proptest::collection::btree_map("[a-c]{1,2}", inner, 0..3).prop_map(Type::object),
        ]
    })
}

/// A type and a value of it; unknown in parts if `unknowns`.
pub(crate) fn values(unknowns: bool) -> impl Strategy<Value = (Type, Value)> {
    types().prop_flat_map(move |ty| (Just(ty.clone()), value_of(&ty, unknowns)))
}

fn value_of(ty: &Type, unknowns: bool) -> BoxedStrategy<Value> {
    let known = known_value_of(ty, unknowns);
    let null = Just(Value::null(ty.clone()));
    if unknowns {
        let unknown = refinements().prop_map({
            let ty = ty.clone();
            move |refinements| Value::unknown(ty.clone()).refine(refinements)
        });
        prop_oneof![6 => known, 1 => null, 1 => unknown].boxed()
    } else {
        prop_oneof![6 => known, 1 => null].boxed()
    }
}

fn refinements() -> impl Strategy<Value = Refinements> {
    let number = proptest::option::of((numbers(), any::<bool>()));
    (
        any::<bool>(),
        proptest::option::of("[a-z]{1,8}"),
        number,
        0_u64..3,
        proptest::option::of(3_u64..6),
    )
        .prop_map(
            |(not_null, prefix, min, min_length, max_length)| Refinements {
                not_null,
                prefix: prefix.map(Text::from),
                min,
                max: None,
                min_length: Some(min_length),
                max_length,
            },
        )
}

fn numbers() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        // As text: the shortest text of a double is not exactly the double.
        proptest::num::f64::NORMAL
            .prop_filter_map("a number", |double| Number::parse(&double.to_string())),
        "-?[0-9]{1,40}\\.[0-9]{1,20}".prop_filter_map("a number", |text| Number::parse(&text)),
    ]
}

fn known_value_of(ty: &Type, unknowns: bool) -> BoxedStrategy<Value> {
    match ty {
        Type::Dynamic => Just(Value::NULL).boxed(),
        Type::Bool => any::<bool>().prop_map(Value::bool).boxed(),
        Type::Number => numbers().prop_map(Value::number).boxed(),
        Type::String => "\\PC{0,8}|[<>&\"\\\\\n\u{1}\u{2028}é]{0,4}"
            .prop_map(Value::string)
            .boxed(),
        Type::List(element) => {
            let ty = Type::clone(element);
            proptest::collection::vec(value_of(element, unknowns), 0..4)
                .prop_map(move |items| Value::list(ty.clone(), items))
                .boxed()
        }
        Type::Set(element) => {
            let ty = Type::clone(element);
            proptest::collection::vec(value_of(element, unknowns), 0..4)
                .prop_map(move |items| Value::set(ty.clone(), items))
                .boxed()
        }
        Type::Map(element) => {
            let ty = Type::clone(element);
            proptest::collection::btree_map("\\PC{0,4}", value_of(element, unknowns), 0..4)
                .prop_map(move |entries| {
                    Value::map(ty.clone(), entries.into_iter().map(normal_key))
                })
                .boxed()
        }
        Type::Tuple(elements) => {
            let parts: Vec<_> = elements.iter().map(|ty| value_of(ty, unknowns)).collect();
            parts.prop_map(Value::tuple).boxed()
        }
        Type::Object(object) => {
            let names: Vec<Text> = object.attributes.keys().cloned().collect();
            let parts: Vec<_> = object
                .attributes
                .values()
                .map(|ty| value_of(ty, unknowns))
                .collect();
            parts
                .prop_map(move |parts| Value::object(names.iter().cloned().zip(parts)))
                .boxed()
        }
    }
}

fn normal_key((key, value): (String, Value)) -> (Text, Value) {
    let key = Value::string(key);
    (key.as_str().unwrap_or_default().into(), value)
}

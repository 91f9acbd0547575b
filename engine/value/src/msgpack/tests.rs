use proptest::prelude::*;

use super::*;
use crate::{Kind, Number, Refinements, Type, Value, arbitrary};

fn known(refinements: Refinements, ty: Type) -> Value {
    Value::unknown(ty).refine(refinements)
}

#[test]
fn unknown_values() {
    assert_eq!(
        encode(&Value::unknown(Type::String), &Type::String).unwrap(),
        [0xd4, 0, 0]
    );
    assert_eq!(
        encode(&Value::dynamic(), &Type::Dynamic).unwrap(),
        [0xd4, 0, 0]
    );
    let not_null = known(Refinements::not_null(), Type::String);
    assert_eq!(
        encode(&not_null, &Type::String).unwrap(),
        [0xc7, 3, 0x0c, 0x81, 1, 0xc2]
    );
    let prefixed = Refinements {
        prefix: Some("ab".into()),
        ..Refinements::not_null()
    };
    let bytes = encode(&known(prefixed.clone(), Type::String), &Type::String).unwrap();
    assert_eq!(bytes, [0xc7, 7, 0x0c, 0x82, 1, 0xc2, 2, 0xa2, b'a', b'b']);
    assert_eq!(
        decode(&bytes, &Type::String).unwrap(),
        known(prefixed, Type::String)
    );
    let bounded = Refinements {
        min: Some((Number::from(1_i64), true)),
        max: Some((Number::from(9_i64), false)),
        ..Refinements::not_null()
    };
    let bytes = encode(&known(bounded.clone(), Type::Number), &Type::Number).unwrap();
    assert_eq!(
        bytes,
        [
            0xc7, 11, 0x0c, 0x83, 1, 0xc2, 3, 0x92, 1, 0xc3, 4, 0x92, 9, 0xc2
        ]
    );
    assert_eq!(
        decode(&bytes, &Type::Number).unwrap(),
        known(bounded, Type::Number)
    );
    let sized = Refinements {
        min_length: Some(1),
        max_length: Some(4),
        ..Refinements::default()
    };
    let list = Type::list(Type::String);
    let bytes = encode(&known(sized.clone(), list.clone()), &list).unwrap();
    assert_eq!(decode(&bytes, &list).unwrap(), known(sized, list));
    assert_eq!(
        decode(&[0xc7, 3, 0x0c, 0x81, 1, 0xc3], &Type::Bool).unwrap(),
        Value::null(Type::Bool)
    );
}

#[test]
fn long_prefixes_are_cut() {
    let long = Refinements {
        prefix: Some("é".repeat(300).into()),
        ..Refinements::default()
    };
    let bytes = encode(&known(long, Type::String), &Type::String).unwrap();
    let read = decode(&bytes, &Type::String).unwrap();
    let prefix = read.refinements().unwrap().prefix.clone().unwrap();
    assert!(prefix.len() <= 256 && prefix.starts_with("éé"));
}

#[test]
fn numbers_take_the_smallest_exact_form() {
    let bytes =
        |text: &str| encode(&Value::number(Number::parse(text).unwrap()), &Type::Number).unwrap();
    assert_eq!(bytes("5"), [5]);
    assert_eq!(bytes("-1"), [0xff]);
    assert_eq!(bytes("300"), [0xcd, 1, 44]);
    assert_eq!(bytes("1.5")[0], 0xcb);
    assert_eq!(bytes("0.1")[0], 0xa3);
    assert_eq!(bytes("123456789012345678901234567890")[0], 0xbe);
    assert_eq!(
        decode(
            &[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &Type::Number
        )
        .unwrap(),
        Value::number(Number::from(u64::MAX))
    );
    assert_eq!(
        decode(&[0xca, 0x3f, 0xc0, 0, 0], &Type::Number).unwrap(),
        Value::number(Number::parse("1.5").unwrap())
    );
}

#[test]
fn dynamic_values() {
    let value = Value::tuple([Value::int(1)]);
    let bytes = encode(&value, &Type::Dynamic).unwrap();
    assert_eq!(&bytes[..3], [0x92, 0xc4, 20]);
    assert_eq!(decode(&bytes, &Type::Dynamic).unwrap(), value);
    assert_eq!(encode(&Value::NULL, &Type::Dynamic).unwrap(), [0xc0]);
    let null = Value::null(Type::String);
    assert_eq!(
        decode(&encode(&null, &Type::Dynamic).unwrap(), &Type::Dynamic).unwrap(),
        null
    );
}

#[test]
fn hostile_bytes_are_refused() {
    let object = Type::object([("a", Type::String), ("b", Type::String)]);
    let list = Type::list(Type::Number);
    for (bytes, ty) in [
        (&[0xdd, 0xff, 0xff, 0xff, 0xff][..], &list),
        (&[0xdb, 0xff, 0xff, 0xff, 0xff, b'a'], &Type::String),
        (&[0xc9, 0xff, 0xff, 0xff, 0xff, 12], &Type::String),
        (&[0x82, 0xa1, b'a', 0xc0, 0xa1, b'a', 0xc0], &object),
        (&[0x81, 0xa1, b'a', 0xc0], &object),
        (&[0xa1, 0xff], &Type::String),
        (&[0xc1], &Type::String),
        (&[], &Type::String),
        (&[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], &Type::Number),
    ] {
        assert!(decode(bytes, ty).is_err(), "{bytes:?}");
    }
    let mut deep = Vec::new();
    for _ in 0..100_000 {
        deep.extend([0x92, 0xc4, 9]);
        deep.extend(b"\"dynamic\"");
    }
    assert!(
        decode(&deep, &Type::Dynamic)
            .unwrap_err()
            .message
            .contains("deep")
    );
}

#[test]
fn marks_are_refused_with_their_place() {
    let value = Value::object([("a", Value::string("x").sensitive())]);
    let error = encode(&value, &value.ty()).unwrap_err();
    assert_eq!(error.path.to_string(), ".a");
}

proptest! {
    #[test]
    fn values_come_back((ty, value) in arbitrary::values(true)) {
        let bytes = encode(&value, &ty).unwrap();
        prop_assert_eq!(&decode(&bytes, &ty).unwrap(), &value);
        let bytes = encode(&value, &Type::Dynamic).unwrap();
        prop_assert_eq!(&decode(&bytes, &Type::Dynamic).unwrap(), &value);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64), ty in arbitrary::types()) {
        if let Ok(value) = decode(&bytes, &ty) {
            let bare = matches!(value.kind(), Kind::Null(_) | Kind::Unknown(_));
            prop_assert!(bare || value.has_type(&ty));
        }
        if let Ok(value) = decode(&bytes, &Type::Dynamic) {
            prop_assert!(encode(&value, &Type::Dynamic).is_ok());
        }
    }

    #[test]
    fn cut_bytes_are_refused((ty, value) in arbitrary::values(true)) {
        let bytes = encode(&value, &ty).unwrap();
        for end in 0..bytes.len() {
            prop_assert!(decode(&bytes[..end], &ty).is_err());
        }
    }
}

#![expect(
    clippy::float_cmp,
    reason = "conversions to doubles are exact or rounded in one known way"
)]

use super::*;

fn n(text: &str) -> Number {
    Number::parse(text).unwrap()
}

#[test]
fn a_third_has_the_precision_of_its_operands() {
    let literal = n("1").div(&n("3")).unwrap();
    assert_eq!(
        literal.to_string(),
        "0.33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333335"
    );
    let counted = Number::from(1_i64).div(&Number::from(3_i64)).unwrap();
    assert_eq!(counted.to_string(), "0.33333333333333333334");
    assert_ne!(counted, literal);
    assert_eq!(n("0.1").add(&n("0.2")).unwrap(), n("0.3"));
}

#[test]
fn decimals_print_as_they_were_written() {
    for text in [
        "0",
        "-0",
        "7",
        "-7",
        "3.5",
        "0.0015",
        "0.00001",
        "123456789012345678901234567890",
        "-0.5",
        "3.14159265358979323846264338327950288",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "99999999999999999999.99999999999999999999",
        "0.1",
    ] {
        assert_eq!(n(text).to_string(), text);
    }
    assert_eq!(n("1e400").to_string(), format!("1{}", "0".repeat(400)));
    assert_eq!(n("1.5e-3").to_string(), "0.0015");
    assert_eq!(n("1e-7").to_string(), "0.0000001");
    assert_eq!(n(".5").to_string(), "0.5");
    assert_eq!(n("5.").to_string(), "5");
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "",
        "-",
        ".",
        "1e",
        "1e+",
        "0x10",
        "abc",
        " 5",
        "5 ",
        "1_000",
        "1.2.3",
        "e5",
        "--5",
        "1e99999999999",
        "é",
    ] {
        assert!(Number::parse(text).is_none(), "{text:?}");
    }
}

#[test]
fn remainders_follow_the_dividend() {
    for (left, right, rest) in [
        ("7", "3", "1"),
        ("-7", "3", "-1"),
        ("7", "-3", "1"),
        ("5.5", "2", "1.5"),
        ("1", "0", "1"),
    ] {
        assert_eq!(n(left).rem(&n(right)).unwrap().to_string(), rest);
    }
}

#[test]
fn infinities() {
    let infinite = n("1").div(&n("0")).unwrap();
    assert!(infinite > n("1e400"));
    assert_eq!(n("-1").div(&n("0")).unwrap(), Number::NEGATIVE_INFINITY);
    let error = n("0").div(&n("0")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "can't divide zero by zero or infinity by infinity"
    );
    assert!(infinite.sub(&infinite).is_err());
    assert_eq!(n("5").div(&infinite).unwrap(), Number::ZERO);
}

#[test]
fn signed_zero() {
    assert_eq!(n("0").mul(&n("-5")).unwrap().to_string(), "-0");
    assert_eq!(n("0").neg().to_string(), "-0");
    assert_eq!(n("5").sub(&n("5")).unwrap().to_string(), "0");
    assert_eq!(n("-0"), n("0"));
    assert_eq!(n("-0").neg().to_string(), "0");
}

#[test]
fn whole_numbers() {
    assert_eq!(n("-1.5").floor().to_string(), "-2");
    assert_eq!(n("-1.5").ceil().to_string(), "-1");
    assert_eq!(n("1.2").floor().to_string(), "1");
    assert_eq!(n("1.2").ceil().to_string(), "2");
    assert_eq!(n("-0.2").floor().to_string(), "-1");
    assert_eq!(n("-1.9").trunc().to_string(), "-1");
    assert_eq!(n("18446744073709551615").to_u64(), Some(u64::MAX));
    assert_eq!(n("18446744073709551615").to_i64(), None);
    assert_eq!(n("1.5").to_i64(), None);
    assert_eq!(Number::parse_radix("ff", 16).unwrap().to_string(), "255");
    assert_eq!(
        Number::parse_radix("-1011111011101111", 2)
            .unwrap()
            .to_string(),
        "-48879"
    );
    assert_eq!(Number::parse_radix("Z", 62).unwrap().to_string(), "61");
    assert!(Number::parse_radix("12", 2).is_none());
    assert!(Number::parse_radix("", 10).is_none());
}

#[test]
fn doubles() {
    for value in [
        0.1,
        1.0,
        -2.5,
        1e300,
        2.225_073_858_507_201_4e-308,
        f64::MAX,
        1_152_921_504_606_846_976.0,
        1e21,
    ] {
        let number = Number::from_f64(value).unwrap();
        assert_eq!(number.to_f64(), value);
        assert_eq!(number.to_string(), format!("{value}"));
        assert_eq!(number.to_f64_exact(), Some(value));
    }
    assert_eq!(Number::from_f64(5e-324).unwrap().to_f64(), 5e-324);
    assert_eq!(n("0.1").to_f64(), 0.1);
    assert_eq!(n("0.1").to_f64_exact(), None);
    assert_eq!(n("1e400").to_f64(), f64::INFINITY);
    assert_eq!(n("4e-324").to_f64(), 5e-324);
    assert!(Number::from_f64(f64::NAN).is_none());
    assert_eq!(
        Number::from_f64(1.698_970_004_336_018_7)
            .unwrap()
            .to_string(),
        "1.6989700043360187"
    );
}

#[test]
fn ten_digit_text() {
    for (text, short) in [
        ("2", "2"),
        ("10", "10"),
        ("12345678901", "1.23456789e+10"),
        ("0.00001", "1e-05"),
        ("0.0001", "0.0001"),
        ("1e10", "1e+10"),
        ("1e9", "1000000000"),
        ("-1.25", "-1.25"),
        ("0.12345678906", "0.1234567891"),
    ] {
        assert_eq!(n(text).short_text(), short);
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn printed_numbers_read_back(digits in "-?[0-9]{1,60}(\\.[0-9]{1,60})?(e-?[0-9]{1,2})?") {
            let number = n(&digits);
            let again = n(&number.to_string());
            prop_assert_eq!(&again, &number);
            prop_assert_eq!(again.to_string(), number.to_string());
        }

        #[test]
        fn doubles_print_like_the_standard_library(value in proptest::num::f64::NORMAL) {
            let number = Number::from_f64(value).unwrap();
            prop_assert_eq!(number.to_f64(), value);
            prop_assert_eq!(number.to_string().parse::<f64>().unwrap(), value);
        }

        #[test]
        fn machine_integers_agree(left in any::<i32>(), right in any::<i32>()) {
            let (a, b) = (Number::from(i64::from(left)), n(&right.to_string()));
            let (left, right) = (i64::from(left), i64::from(right));
            prop_assert_eq!(a.add(&b).unwrap(), Number::from(left + right));
            prop_assert_eq!(a.sub(&b).unwrap(), Number::from(left - right));
            prop_assert_eq!(a.mul(&b).unwrap(), Number::from(left * right));
            prop_assert_eq!(a.cmp(&b), left.cmp(&right));
            if right != 0 {
                prop_assert_eq!(a.rem(&b).unwrap(), Number::from(left % right));
            }
        }

        #[test]
        fn text_parsing_never_panics(text in "\\PC{0,20}") {
            if let Some(number) = Number::parse(&text) {
                prop_assert!(!number.to_string().is_empty());
            }
        }
    }
}

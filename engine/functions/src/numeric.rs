//! Numbers.

use terrace_value::ops;
use terrace_value::{Number, Type, Value};

use crate::go_text::quoted;
use crate::spec::{any, gives_number, number};
use crate::support::{
    BlameArgument, double_of, elements_of, integer_of, known_length, number_of, text_of,
};
use crate::{CallError, Context, Function, transcendental};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "abs",
            "The distance of a number from zero.",
            [number("num", "")],
            gives_number,
            abs,
        ),
        Function::new(
            "ceil",
            "The nearest whole number that is not less than the given number.",
            [number("num", "")],
            gives_number,
            ceil,
        ),
        Function::new(
            "floor",
            "The nearest whole number that is not greater than the given number.",
            [number("num", "")],
            gives_number,
            floor,
        ),
        Function::new(
            "log",
            "The logarithm of a number to a base.",
            [number("num", ""), number("base", "")],
            gives_number,
            log,
        ),
        Function::new(
            "max",
            "The greatest of the given numbers.",
            [],
            gives_number,
            |arguments, _, _| extreme(arguments, std::cmp::Ordering::Greater),
        )
        .with_variadic(number("numbers", "").dynamic()),
        Function::new(
            "min",
            "The least of the given numbers.",
            [],
            gives_number,
            |arguments, _, _| extreme(arguments, std::cmp::Ordering::Less),
        )
        .with_variadic(number("numbers", "").dynamic()),
        Function::new(
            "parseint",
            "Reads text as a whole number in a base from 2 to 62.",
            [any("number", ""), number("base", "")],
            parseint_type,
            parseint,
        ),
        Function::new(
            "pow",
            "A number raised to a power.",
            [number("num", ""), number("power", "")],
            gives_number,
            pow,
        ),
        Function::new(
            "signum",
            "The sign of a number: -1, 0 or 1.",
            [number("num", "")],
            gives_number,
            signum,
        ),
        Function::new(
            "sum",
            "The sum of all numbers of a list, set or tuple.",
            [any("list", "")],
            gives_number,
            sum,
        ),
    ]
}

fn abs(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    Ok(Value::number(number_of(&arguments[0]).abs()))
}

fn ceil(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    Ok(Value::number(number_of(&arguments[0]).ceil()))
}

fn floor(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    Ok(Value::number(number_of(&arguments[0]).floor()))
}

fn log(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let value = double_of(&arguments[0]).blame_call()?;
    let base = double_of(&arguments[1]).blame_call()?;
    from_double(transcendental::logarithm(value) / transcendental::logarithm(base))
}

fn pow(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let base = double_of(&arguments[0]).blame_call()?;
    let exponent = double_of(&arguments[1]).blame_call()?;
    from_double(transcendental::power(base, exponent))
}

fn from_double(double: f64) -> Result<Value, CallError> {
    Number::from_f64(double)
        .map(Value::number)
        .ok_or_else(|| CallError::call("result is not a number"))
}

fn extreme(arguments: &[Value], wanted: std::cmp::Ordering) -> Result<Value, CallError> {
    let best = arguments
        .iter()
        .map(number_of)
        .reduce(|best, next| if next.cmp(best) == wanted { next } else { best })
        .ok_or_else(|| CallError::call("must pass at least one number"))?;
    Ok(Value::number(best.clone()))
}

fn signum(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    integer_of(&arguments[0])
        .map(|value| Value::int(value.signum()))
        .blame_call()
}

fn parseint_type(arguments: &[Value]) -> Result<Type, CallError> {
    match arguments[0].ty() {
        Type::String => Ok(Type::Number),
        other => Err(CallError::argument(
            0,
            format!(
                "first argument must be a string, not {}",
                other.friendly_name()
            ),
        )),
    }
}

fn parseint(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let digits = text_of(&arguments[0]);
    let base = integer_of(&arguments[1]).blame(1)?;
    let radix = u32::try_from(base)
        .ok()
        .filter(|radix| (2..=62).contains(radix))
        .ok_or_else(|| {
            CallError::argument(1, "base must be a whole number between 2 and 62 inclusive")
        })?;
    Number::parse_radix(digits, radix)
        .map(Value::number)
        .ok_or_else(|| {
            CallError::argument(
                0,
                format!("cannot parse {} as a base {radix} integer", quoted(digits)),
            )
        })
}

fn sum(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let not_numbers =
        || CallError::argument(0, "argument must be list, set, or tuple of number values");
    let list = &arguments[0];
    if list.ty().is_primitive() {
        return Err(CallError::argument(0, "cannot sum noniterable"));
    }
    if known_length(list) == Some(0) {
        return Err(CallError::argument(0, "cannot sum an empty list"));
    }
    if !matches!(list.ty(), Type::List(_) | Type::Set(_) | Type::Tuple(_)) {
        return Err(CallError::argument(
            0,
            format!(
                "argument must be list, set, or tuple. Received {}",
                list.ty().friendly_name()
            ),
        ));
    }
    if !list.is_wholly_known() {
        return Ok(Value::unknown(Type::Number));
    }
    let mut total: Option<Value> = None;
    for item in elements_of(list) {
        let item =
            terrace_value::convert::convert(&item, &Type::Number).map_err(|_| not_numbers())?;
        if item.is_null() {
            return Err(not_numbers());
        }
        total = Some(match total {
            Some(total) => ops::add(&total, &item)
                .map_err(|_| CallError::call("can't compute sum of opposing infinities"))?,
            None => item,
        });
    }
    total.ok_or_else(|| CallError::argument(0, "cannot sum an empty list"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    #[test]
    fn arithmetic() {
        check(&[
            ("abs", "[-1.5]", "1.5"),
            ("ceil", "[-5.1]", "-5"),
            ("floor", "[-0.5]", "-1"),
            ("log", "[50, 10]", "1.6989700043360185"),
            ("log", "[16, 2]", "4"),
            ("pow", "[2, 0.5]", "1.4142135623730951"),
            ("pow", "[2, 100]", "1267650600228229400000000000000"),
            ("pow", "[1.1, 10]", "2.593742460100002"),
            ("pow", "[-8, 0.5]", "! result is not a number"),
            ("signum", "[-13]", "-1"),
            ("signum", "[0]", "0"),
            (
                "signum",
                "[0.5]",
                "! value must be a whole number, between -9223372036854775808 and 9223372036854775807",
            ),
        ]);
    }

    #[test]
    fn extremes() {
        check(&[
            ("max", "[12, 54, 3]", "54"),
            ("min", "[12, \"54\", 3]", "3"),
            ("max", "[]", "! must pass at least one number"),
        ]);
        assert!(
            !call("max", &[Value::int(1), Value::unknown(Type::Number)])
                .unwrap()
                .is_known()
        );
    }

    #[test]
    fn reading_digits() {
        check(&[
            ("parseint", "[\"FF\", 16]", "255"),
            ("parseint", "[\"-10\", 2]", "-2"),
            ("parseint", "[\"aA\", 62]", "656"),
            (
                "parseint",
                "[\"12\", 2]",
                "!0 cannot parse \"12\" as a base 2 integer",
            ),
            (
                "parseint",
                "[\"1\", 63]",
                "!1 base must be a whole number between 2 and 62 inclusive",
            ),
            (
                "parseint",
                "[1, 10]",
                "!0 first argument must be a string, not number",
            ),
        ]);
    }

    #[test]
    fn sums() {
        check(&[
            ("sum", "[[10, 13, 6, 4.5]]", "33.5"),
            ("sum", "[[\"1\", \"2\"]]", "3"),
            ("sum", "[[]]", "!0 cannot sum an empty list"),
            (
                "sum",
                "[[1, null]]",
                "!0 argument must be list, set, or tuple of number values",
            ),
            ("sum", "[\"x\"]", "!0 cannot sum noniterable"),
            (
                "sum",
                "[{\"a\": 1}]",
                "!0 argument must be list, set, or tuple. Received object",
            ),
        ]);
    }
}

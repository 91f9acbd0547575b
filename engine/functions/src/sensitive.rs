//! The sensitive mark.

use terrace_value::{Marks, Type, Value};

use crate::spec::{any, gives_bool, gives_first};
use crate::{CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "issensitive",
            "Whether the value itself is marked as sensitive.",
            [any("value", "").everything()],
            gives_bool,
            issensitive,
        )
        .with_nullable_result(),
        Function::new(
            "nonsensitive",
            "The value without its own sensitive mark.",
            [any("value", "").everything()],
            gives_first,
            nonsensitive,
        )
        .with_nullable_result(),
        Function::new(
            "sensitive",
            "The value marked as sensitive: it is shown nowhere.",
            [any("value", "").everything()],
            gives_first,
            |arguments, _, _| Ok(arguments[0].clone().sensitive()),
        )
        .with_nullable_result(),
    ]
}

fn nonsensitive(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let (value, marks) = arguments[0].clone().unmark();
    Ok(value.with_marks(marks.without(Marks::SENSITIVE)))
}

fn issensitive(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let value = &arguments[0];
    Ok(if value.is_sensitive() {
        Value::TRUE
    } else if value.is_known() {
        Value::FALSE
    } else {
        Value::unknown(Type::Bool)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::call;

    #[test]
    fn marking() {
        let secret = call("sensitive", &[Value::from("x")]).unwrap();
        assert_eq!(secret, Value::from("x").sensitive());
        assert_eq!(
            call(
                "nonsensitive",
                &[secret.clone().with_marks(Marks::EPHEMERAL)]
            ),
            { Ok(Value::from("x").with_marks(Marks::EPHEMERAL)) }
        );
        assert_eq!(call("issensitive", &[secret]), Ok(Value::TRUE));
        assert_eq!(call("issensitive", &[Value::NULL]), Ok(Value::FALSE));
        assert_eq!(
            call("issensitive", &[Value::dynamic()]),
            Ok(Value::unknown(Type::Bool))
        );
        assert_eq!(
            call("issensitive", &[Value::dynamic().sensitive()]),
            Ok(Value::TRUE)
        );
    }
}

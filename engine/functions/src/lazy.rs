//! Functions that the evaluator carries out itself: the table only describes them.

use terrace_value::{Type, Value};

use crate::spec::{any, gives_bool, gives_dynamic, gives_string, text};
use crate::{CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "can",
            "Whether an expression can be evaluated without error.",
            [any("expression", "").dynamic()],
            gives_bool,
            by_evaluator,
        )
        .carried_out_by_evaluator(),
        Function::new(
            "convert",
            "The value as a type, which is written as in a variable's declaration.",
            [any("value", "").everything(), any("type", "")],
            gives_dynamic,
            by_evaluator,
        )
        .with_nullable_result()
        .carried_out_by_evaluator(),
        Function::new(
            "try",
            "The value of the first expression that can be evaluated without error.",
            [],
            gives_dynamic,
            by_evaluator,
        )
        .with_variadic(any("expressions", ""))
        .with_nullable_result()
        .carried_out_by_evaluator(),
        Function::new(
            "templatefile",
            "A file's text, evaluated as a template with the given variables.",
            [
                text("path", "").unknown().marked(),
                any("vars", "").unknown().marked(),
            ],
            gives_dynamic,
            by_evaluator,
        )
        .with_nullable_result()
        .carried_out_by_evaluator(),
        Function::new(
            "templatestring",
            "A template that is kept in some value, evaluated with the given variables.",
            [text("template", ""), any("vars", "").dynamic()],
            gives_string,
            by_evaluator,
        )
        .carried_out_by_evaluator(),
    ]
}

fn by_evaluator(_: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    Err(CallError::call("can only be called in an expression"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FunctionTable;
    use crate::support::tests::NoContext;

    #[test]
    fn they_are_described_and_refuse_to_be_called() {
        let table = FunctionTable::standard();
        let lazy: Vec<&str> = table
            .iter()
            .filter(|function| function.lazy)
            .map(|function| function.name)
            .collect();
        assert_eq!(
            lazy,
            ["can", "convert", "templatefile", "templatestring", "try"]
        );
        assert!(
            table
                .get("core::try")
                .unwrap()
                .call(&[Value::TRUE], &NoContext)
                .is_err()
        );
    }
}

//! The protocol of arguments: conversion, null, unknown and marks.

use terrace_value::convert::convert;
use terrace_value::{Kind, Marks, Refinements, Type, Value};

use crate::{CallError, Context, Function, Parameter};

/// A result type, and whether it is unknown because an argument's type is.
struct ResultType {
    ty: Type,
    dynamic_argument: bool,
}

impl Function {
    /// Calls it: converts the arguments to the types of their parameters, and handles null, unknown and marks as the
    /// parameters say.
    ///
    /// The number of arguments is checked by the caller, who knows where they stand. An error's argument may lie
    /// beyond those given, because the reference counts so in a few places.
    pub fn call(&self, arguments: &[Value], context: &dyn Context) -> Result<Value, CallError> {
        if self.lazy {
            return Err(CallError::call(format!(
                "{} cannot be called with arguments evaluated beforehand",
                self.name
            )));
        }
        let converted = self.converted(arguments)?;
        let result = self.result_of(&converted)?;
        let (plain, marks, unknown) = self.prepared(&converted);
        let value = if unknown || result.dynamic_argument {
            Value::unknown(result.ty)
        } else {
            (self.body)(&plain, &result.ty, context)?
        };
        let value = if self.not_null && !result.dynamic_argument {
            refine_not_null(value)
        } else {
            value
        };
        Ok(value.with_marks(marks))
    }

    /// The type of the result, as far as it can be known from the arguments, which may be unknown.
    pub fn result_type(&self, arguments: &[Value]) -> Result<Type, CallError> {
        let converted = self.converted(arguments)?;
        Ok(self.result_of(&converted)?.ty)
    }

    /// The type of the result when nothing is known of the arguments: what metadata shows.
    pub fn declared_result_type(&self) -> Type {
        let unknown: Vec<Value> = self
            .parameters
            .iter()
            .chain(&self.variadic)
            .map(|parameter| Value::unknown(parameter.ty.clone()))
            .collect();
        self.result_of(&unknown)
            .map_or(Type::Dynamic, |result| result.ty)
    }

    /// The parameter that takes argument `index`.
    pub fn parameter(&self, index: usize) -> Option<&Parameter> {
        self.parameters.get(index).or(self.variadic.as_ref())
    }

    fn with_parameters<'a>(
        &'a self,
        arguments: &'a [Value],
    ) -> impl Iterator<Item = (usize, &'a Parameter, &'a Value)> {
        arguments
            .iter()
            .enumerate()
            .filter_map(|(index, argument)| {
                self.parameter(index)
                    .map(|parameter| (index, parameter, argument))
            })
    }

    fn converted(&self, arguments: &[Value]) -> Result<Vec<Value>, CallError> {
        self.with_parameters(arguments)
            .map(|(index, parameter, argument)| {
                if parameter.ty == Type::Dynamic {
                    return Ok(argument.clone());
                }
                convert(argument, &parameter.ty).map_err(|error| CallError {
                    argument: Some(index),
                    path: error.path,
                    message: error.message,
                })
            })
            .collect()
    }

    fn result_of(&self, arguments: &[Value]) -> Result<ResultType, CallError> {
        let mut unmarked = Vec::with_capacity(arguments.len());
        for (index, parameter, argument) in self.with_parameters(arguments) {
            if argument.is_null() && !parameter.allow_null {
                return Err(CallError::argument(index, "argument must not be null"));
            }
            if !parameter.allow_dynamic && has_dynamic_type(argument) {
                return Ok(ResultType {
                    ty: Type::Dynamic,
                    dynamic_argument: true,
                });
            }
            unmarked.push(if parameter.allow_marked {
                argument.clone()
            } else {
                argument.unmark_deep().0
            });
        }
        let ty = (self.result)(&unmarked)?;
        Ok(ResultType {
            ty,
            dynamic_argument: false,
        })
    }

    /// The arguments without the marks that parameters do not want, all marks so taken off, and whether an argument is
    /// unknown whose parameter does not want that.
    fn prepared(&self, arguments: &[Value]) -> (Vec<Value>, Marks, bool) {
        let mut marks = Marks::NONE;
        let mut unknown = false;
        let plain = self
            .with_parameters(arguments)
            .map(|(_, parameter, argument)| {
                unknown |= !argument.is_known() && !parameter.allow_unknown;
                if parameter.allow_marked {
                    return argument.clone();
                }
                let (plain, found) = argument.unmark_deep();
                marks |= found;
                plain
            })
            .collect();
        (plain, marks, unknown)
    }
}

fn has_dynamic_type(value: &Value) -> bool {
    match value.kind() {
        Kind::Unknown(unknown) => unknown.0 == Type::Dynamic,
        Kind::Null(ty) => *ty == Type::Dynamic,
        _ => false,
    }
}

fn refine_not_null(value: Value) -> Value {
    match value.kind() {
        Kind::Unknown(unknown) if unknown.0 != Type::Dynamic && !unknown.1.not_null => {
            let refinements = Refinements {
                not_null: true,
                ..unknown.1.clone()
            };
            Value::unknown_refined(unknown.0.clone(), refinements).with_marks(value.marks())
        }
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FunctionTable;
    use crate::support::tests::NoContext;

    fn call(name: &str, arguments: &[Value]) -> Result<Value, CallError> {
        FunctionTable::standard()
            .get(name)
            .unwrap()
            .call(arguments, &NoContext)
    }

    #[test]
    fn null_is_refused_unless_the_parameter_allows_it() {
        assert_eq!(
            call("upper", &[Value::NULL]),
            Err(CallError::argument(0, "argument must not be null"))
        );
        assert_eq!(call("jsonencode", &[Value::NULL]), Ok(Value::from("null")));
    }

    #[test]
    fn unknown_gives_unknown_that_is_not_null() {
        let result = call("upper", &[Value::unknown(Type::String)]).unwrap();
        assert_eq!(
            result,
            Value::unknown_refined(Type::String, Refinements::not_null())
        );
    }

    #[test]
    fn a_value_without_type_gives_one_without_type() {
        assert_eq!(
            call("format", &[Value::from("%s"), Value::NULL]),
            Ok(Value::dynamic())
        );
        assert_eq!(call("keys", &[Value::dynamic()]), Ok(Value::dynamic()));
    }

    #[test]
    fn marks_of_any_depth_reach_the_result() {
        let list = Value::tuple([Value::from("a").sensitive(), Value::from("b")]);
        let result = call("join", &[Value::from(","), list]).unwrap();
        assert_eq!(result, Value::from("a,b").sensitive());
        let unknown = call("upper", &[Value::unknown(Type::String).sensitive()]).unwrap();
        assert!(unknown.is_sensitive());
    }

    #[test]
    fn arguments_are_converted() {
        assert_eq!(call("upper", &[Value::TRUE]), Ok(Value::from("TRUE")));
        let refused = call("upper", &[Value::tuple([])]);
        assert_eq!(refused, Err(CallError::argument(0, "string required")));
    }

    #[test]
    fn declared_types_are_those_of_unknown_arguments() {
        let table = FunctionTable::standard();
        let declared = |name: &str| table.get(name).unwrap().declared_result_type();
        assert_eq!(declared("abs"), Type::Number);
        assert_eq!(declared("keys"), Type::Dynamic);
        assert_eq!(declared("coalesce"), Type::Dynamic);
        assert_eq!(declared("cidrsubnets"), Type::list(Type::String));
        assert_eq!(declared("contains"), Type::Dynamic);
    }
}

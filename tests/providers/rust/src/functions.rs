//! The functions.

use terrace_provider_sdk::{Data, Function, FunctionError, Number, Parameter, Type, Value};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new("join", |arguments| {
            let separator = arguments.get::<String>(0)?;
            Ok(arguments.rest::<String>(1)?.join(&separator))
        })
        .parameter(Parameter::of::<String>("separator"))
        .variadic(Parameter::of::<String>("parts")),
        Function::new("parse_port", |arguments| {
            let text = arguments.get::<String>(0)?;
            match text.parse::<u16>() {
                Ok(port) if port > 0 => Ok(port),
                _ => Err(FunctionError::at(0, format!("\"{text}\" is no port."))),
            }
        })
        .parameter(Parameter::of::<String>("text")),
        Function::new("echo", |arguments| arguments.get::<Value>(0))
            .parameter(Parameter::of::<Value>("value").allow_null()),
        Function::new("or_default", |arguments| {
            match arguments.get::<Option<String>>(0)? {
                Some(value) => Ok(value),
                None => arguments.get::<String>(1),
            }
        })
        .parameter(Parameter::of::<String>("value").allow_null())
        .parameter(Parameter::of::<String>("default")),
        Function::typed("is_known", Type::Bool, |arguments| {
            Ok(arguments.get::<Value>(0)?.is_known().into_value())
        })
        .parameter(Parameter::of::<String>("value").allow_unknown()),
        Function::new("total", |arguments| {
            let mut total = Number::from(0_i64);
            for number in arguments.get::<Vec<Number>>(0)? {
                total = total
                    .add(&number)
                    .map_err(|error| FunctionError::new(error.to_string()))?;
            }
            Ok(total)
        })
        .parameter(Parameter::of::<Vec<Number>>("numbers")),
        Function::new("check", |arguments| {
            let parts = arguments.rest::<String>(0)?;
            match parts.iter().position(|part| part == "bad") {
                Some(place) => Err(FunctionError::at(place, "No bad parts, please.")),
                None => Ok("ok"),
            }
        })
        .variadic(Parameter::of::<String>("parts")),
        Function::new("fail", |_| {
            Err::<String, _>(FunctionError::new("It was asked to fail."))
        }),
    ]
}

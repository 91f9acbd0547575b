//! How families declare their functions.

use terrace_value::{Type, Value};

use crate::{BodyFn, CallError, Function, Parameter, TypeFn};

/// A parameter that takes known, unmarked values of `ty`; null is refused.
pub(crate) fn parameter(name: &'static str, description: &'static str, ty: Type) -> Parameter {
    Parameter {
        name,
        description,
        ty,
        allow_null: false,
        allow_unknown: false,
        allow_marked: false,
        allow_dynamic: false,
    }
}

/// A parameter for text.
pub(crate) fn text(name: &'static str, description: &'static str) -> Parameter {
    parameter(name, description, Type::String)
}

/// A parameter for a number.
pub(crate) fn number(name: &'static str, description: &'static str) -> Parameter {
    parameter(name, description, Type::Number)
}

/// A parameter for a value of any type.
pub(crate) fn any(name: &'static str, description: &'static str) -> Parameter {
    parameter(name, description, Type::Dynamic)
}

impl Parameter {
    /// Takes null too.
    pub(crate) const fn nullable(mut self) -> Self {
        self.allow_null = true;
        self
    }

    /// Takes unknown values too.
    pub(crate) const fn unknown(mut self) -> Self {
        self.allow_unknown = true;
        self
    }

    /// Takes marked values too.
    pub(crate) const fn marked(mut self) -> Self {
        self.allow_marked = true;
        self
    }

    /// Takes values of unknown type too.
    pub(crate) const fn dynamic(mut self) -> Self {
        self.allow_dynamic = true;
        self
    }

    /// Takes whatever there is.
    pub(crate) const fn everything(self) -> Self {
        self.nullable().unknown().marked().dynamic()
    }
}

impl Function {
    /// A function whose result is never null.
    pub(crate) fn new(
        name: &'static str,
        description: &'static str,
        parameters: impl Into<Vec<Parameter>>,
        result: TypeFn,
        body: BodyFn,
    ) -> Self {
        Self {
            name,
            description,
            parameters: parameters.into(),
            variadic: None,
            result,
            body,
            not_null: true,
            lazy: false,
        }
    }

    /// With a parameter for all further arguments.
    pub(crate) fn with_variadic(mut self, parameter: Parameter) -> Self {
        self.variadic = Some(parameter);
        self
    }

    /// One whose result may be null.
    pub(crate) const fn with_nullable_result(mut self) -> Self {
        self.not_null = false;
        self
    }

    /// One that the evaluator carries out.
    pub(crate) const fn carried_out_by_evaluator(mut self) -> Self {
        self.lazy = true;
        self
    }
}

/// The result is a string.
pub(crate) fn gives_string(_: &[Value]) -> Result<Type, CallError> {
    Ok(Type::String)
}

/// The result is a number.
pub(crate) fn gives_number(_: &[Value]) -> Result<Type, CallError> {
    Ok(Type::Number)
}

/// The result is a bool.
pub(crate) fn gives_bool(_: &[Value]) -> Result<Type, CallError> {
    Ok(Type::Bool)
}

/// The result is a list of strings.
pub(crate) fn gives_strings(_: &[Value]) -> Result<Type, CallError> {
    Ok(Type::list(Type::String))
}

/// The result's type shows only when it is computed.
pub(crate) fn gives_dynamic(_: &[Value]) -> Result<Type, CallError> {
    Ok(Type::Dynamic)
}

/// The result has the type of the first argument.
pub(crate) fn gives_first(arguments: &[Value]) -> Result<Type, CallError> {
    Ok(arguments[0].ty())
}

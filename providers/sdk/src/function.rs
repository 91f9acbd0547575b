//! Functions that a provider offers to expressions.

use std::sync::Arc;

use terrace_schema::{FunctionParameter, FunctionSchema};
use terrace_value::{Type, Value};

use crate::{Data, Mismatch};

type Body = Arc<dyn Fn(Arguments) -> Result<Value, FunctionError> + Send + Sync>;

/// A function: `provider::NAME::FUNCTION(…)` in expressions. It is asked at any time, without configuration, and must give the
/// same result for the same arguments.
#[derive(Clone)]
pub struct Function {
    pub(crate) name: String,
    pub(crate) schema: FunctionSchema,
    pub(crate) body: Body,
}

/// A parameter of a function.
#[derive(Clone)]
pub struct Parameter(FunctionParameter);

impl Parameter {
    /// One of the type that a Rust type has. Null and unknown arguments do not come to the function.
    pub fn of<T: Data>(name: &str) -> Self {
        Self::typed(name, T::ty())
    }

    /// One of any type.
    pub fn typed(name: &str, ty: Type) -> Self {
        Self(FunctionParameter {
            name: name.into(),
            ty,
            allow_null: false,
            allow_unknown: false,
            description: "".into(),
        })
    }

    /// Null comes to the function.
    #[must_use]
    pub const fn allow_null(mut self) -> Self {
        self.0.allow_null = true;
        self
    }

    /// What is not known yet comes to the function.
    #[must_use]
    pub const fn allow_unknown(mut self) -> Self {
        self.0.allow_unknown = true;
        self
    }

    /// What it is.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        self.0.description = description.into();
        self
    }
}

/// The arguments of a call, as many as there are parameters, and those for the variadic one behind them.
pub struct Arguments(pub(crate) Vec<Value>);

impl Arguments {
    /// The argument at a place (from 0), as a Rust type.
    pub fn get<T: Data>(&self, place: usize) -> Result<T, FunctionError> {
        let value = self.0.get(place).unwrap_or(&Value::NULL);
        T::from_value(value).map_err(|mismatch| FunctionError::at(place, mismatch.to_string()))
    }

    /// All of them.
    pub fn values(&self) -> &[Value] {
        &self.0
    }

    /// The arguments from a place on, as a Rust type: those of the variadic parameter.
    pub fn rest<T: Data>(&self, from: usize) -> Result<Vec<T>, FunctionError> {
        (from..self.0.len()).map(|place| self.get(place)).collect()
    }
}

/// Why a function gives nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    pub(crate) argument: Option<usize>,
    pub(crate) message: String,
}

impl FunctionError {
    /// The call as a whole is to blame.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            argument: None,
            message: message.into(),
        }
    }

    /// The argument at a place (from 0) is to blame.
    pub fn at(place: usize, message: impl Into<String>) -> Self {
        Self {
            argument: Some(place),
            message: message.into(),
        }
    }
}

impl From<Mismatch> for FunctionError {
    fn from(mismatch: Mismatch) -> Self {
        Self::new(mismatch.to_string())
    }
}

impl Function {
    /// A function whose result has the type that the Rust type `R` has.
    pub fn new<R: Data>(
        name: &str,
        body: impl Fn(Arguments) -> Result<R, FunctionError> + Send + Sync + 'static,
    ) -> Self {
        Self::typed(name, R::ty(), move |arguments| {
            body(arguments).map(R::into_value)
        })
    }

    /// A function with a result of any type.
    pub fn typed(
        name: &str,
        result: Type,
        body: impl Fn(Arguments) -> Result<Value, FunctionError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            schema: FunctionSchema {
                parameters: Vec::new(),
                variadic: None,
                result,
                summary: "".into(),
                description: "".into(),
                deprecation_message: "".into(),
            },
            body: Arc::new(body),
        }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.schema.parameters.push(parameter.0);
        self
    }

    /// Takes any number of further arguments.
    #[must_use]
    pub fn variadic(mut self, parameter: Parameter) -> Self {
        self.schema.variadic = Some(parameter.0);
        self
    }

    /// One line about it.
    #[must_use]
    pub fn summary(mut self, summary: &str) -> Self {
        self.schema.summary = summary.into();
        self
    }

    /// What it does, in Markdown.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        self.schema.description = description.into();
        self
    }

    /// Why it should not be used any more.
    #[must_use]
    pub fn deprecated(mut self, message: &str) -> Self {
        self.schema.deprecation_message = message.into();
        self
    }
}

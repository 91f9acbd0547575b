//! Function calls.

use std::sync::Arc;

use terrace_addr::ProviderAddr;
use terrace_diag::{Diagnostic, Span};
use terrace_functions::{CallError, Function};
use terrace_schema::FunctionSchema;
use terrace_syntax::{Call, Expr};
use terrace_value::convert::convert;
use terrace_value::{Kind, Marks, Type, Value};

use super::redact::redacted;
use super::{Frame, Run, dynamic_with, start_span};

/// The names of a function's parameters.
pub(super) struct Signature<'s> {
    parameters: Vec<&'s str>,
    variadic: Option<&'s str>,
}

impl<'s> Signature<'s> {
    pub(super) fn of(function: &'s Function) -> Self {
        Self {
            parameters: function
                .parameters
                .iter()
                .map(|parameter| parameter.name)
                .collect(),
            variadic: function.variadic.as_ref().map(|parameter| parameter.name),
        }
    }

    fn of_schema(schema: &'s FunctionSchema) -> Self {
        Self {
            parameters: schema
                .parameters
                .iter()
                .map(|parameter| &*parameter.name)
                .collect(),
            variadic: schema.variadic.as_ref().map(|parameter| &*parameter.name),
        }
    }

    fn name(&self, index: usize) -> Option<&'s str> {
        self.parameters.get(index).copied().or(self.variadic)
    }

    /// `upper(str)`, `max(numbers...)`
    fn written(&self, call: &Call) -> String {
        let mut names: Vec<String> = self.parameters.iter().map(ToString::to_string).collect();
        names.extend(self.variadic.map(|name| format!("{name}...")));
        format!("{}({})", call.name, names.join(", "))
    }
}

impl Run<'_> {
    pub(super) fn call(
        &mut self,
        expression: &Expr,
        call: &Call,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        if call.name.contains("::") && !call.name.starts_with("core::") {
            return self.provider_call(expression, call, frame);
        }
        let evaluator = self.evaluator;
        let Some(function) = evaluator.inputs.functions.get(&call.name) else {
            self.unknown_function(call);
            return Value::dynamic();
        };
        let signature = Signature::of(function);
        if function.lazy {
            return self.lazy_call(expression, call, function, &signature, frame);
        }
        let before = self.errors();
        let Some(arguments) = self.arguments(call, &signature, frame) else {
            return Value::dynamic();
        };
        for (place, argument) in arguments.iter().enumerate() {
            if let Some(parameter) = function.parameter(place)
                && parameter.ty != Type::Dynamic
                && let Err(error) = convert(argument, &parameter.ty)
            {
                self.call_failed(
                    call,
                    &signature,
                    &redacted(CallError::argument(place, error.message), &arguments),
                    arguments.len(),
                    frame,
                );
            }
        }
        if self.errors() > before {
            return Value::dynamic();
        }
        match function.call(&arguments, &*evaluator.inputs.context) {
            Ok(value) => value,
            Err(error) => {
                let error = redacted(error, &arguments);
                self.call_failed(call, &signature, &error, arguments.len(), frame);
                Value::dynamic()
            }
        }
    }

    fn unknown_function(&mut self, call: &Call) {
        let functions = Arc::clone(&self.evaluator.inputs.functions);
        self.error(|| {
            let hint =
                terrace_diag::nearest(&call.name, functions.iter().map(|function| function.name));
            let hint = hint.map_or_else(String::new, |name| format!(" Did you mean {name:?}?"));
            Diagnostic::error(
                "unknown-function",
                "Call to unknown function",
                format!("There is no function named {:?}.{hint}", call.name),
            )
            .at(call.name_span)
        });
    }

    /// The arguments, the last expanded where it is to be, also if some have errors; `None` where their number is wrong
    /// or not known.
    fn arguments(
        &mut self,
        call: &Call,
        signature: &Signature<'_>,
        frame: Option<&Frame<'_>>,
    ) -> Option<Vec<Value>> {
        let (plain, last) = match call.args.split_last() {
            Some((last, plain)) if call.expand_final => (plain, Some(last)),
            _ => (call.args.as_slice(), None),
        };
        let before = self.errors();
        let expanded = match last {
            Some(last) => self.expanded(call, signature, last, frame),
            None => Some(Vec::new()),
        };
        if self.errors() > before {
            return None;
        }
        let count = plain.len() + expanded.as_ref().map_or(0, Vec::len);
        if expanded.is_some() && !self.check_count(call, signature, count) {
            return None;
        }
        let mut arguments: Vec<Value> = plain
            .iter()
            .map(|argument| self.eval(argument, frame))
            .collect();
        arguments.extend(expanded?);
        Some(arguments)
    }

    pub(super) fn expanded(
        &mut self,
        call: &Call,
        signature: &Signature<'_>,
        last: &Expr,
        frame: Option<&Frame<'_>>,
    ) -> Option<Vec<Value>> {
        let before = self.errors();
        let value = self.eval(last, frame);
        if self.errors() > before {
            return None;
        }
        let is_sequence = match value.kind() {
            Kind::Unknown(unknown) => is_sequence(&unknown.0),
            Kind::Null(ty) => is_sequence(ty),
            _ => true,
        };
        let problem = if value.is_null() && is_sequence {
            "The expanding argument (indicated by ...) must not be null."
        } else if let Some(items) = value.as_sequence() {
            let marks = value.marks();
            return Some(
                items
                    .iter()
                    .map(|item| item.clone().with_marks(marks))
                    .collect(),
            );
        } else if !value.is_known() && is_sequence {
            return None;
        } else {
            "The expanding argument (indicated by ...) must be of a tuple, list, or set type."
        };
        self.error_about(last, frame, || {
            Diagnostic::error(
                "invalid-expansion",
                "Invalid expanding argument value",
                problem,
            )
            .at(last.span)
            .value("while calling", signature.written(call))
        });
        None
    }

    /// Whether a function takes `count` arguments; complains if not.
    pub(super) fn check_count(
        &mut self,
        call: &Call,
        signature: &Signature<'_>,
        count: usize,
    ) -> bool {
        let needed = signature.parameters.len();
        if count < needed {
            let missing = signature.parameters[count];
            let least = if signature.variadic.is_some() {
                " at least"
            } else {
                ""
            };
            self.error(|| {
                Diagnostic::error(
                    "not-enough-arguments",
                    "Not enough function arguments",
                    format!(
                        "Function {:?} expects{least} {needed} argument(s). Missing value for {missing:?}.",
                        call.name
                    ),
                )
                .at(call.close_span)
                .within(call.name_span.to(call.close_span))
                .value("while calling", signature.written(call))
            });
            return false;
        }
        if count > needed && signature.variadic.is_none() {
            let span = argument_span(call, needed).unwrap_or(call.close_span);
            self.error(|| {
                Diagnostic::error(
                    "too-many-arguments",
                    "Too many function arguments",
                    format!(
                        "Function {:?} expects only {needed} argument(s).",
                        call.name
                    ),
                )
                .at(span)
                .within(call.name_span.to(call.close_span))
                .value("while calling", signature.written(call))
            });
            return false;
        }
        true
    }

    /// Says that a call failed.
    pub(super) fn call_failed(
        &mut self,
        call: &Call,
        signature: &Signature<'_>,
        error: &CallError,
        count: usize,
        frame: Option<&Frame<'_>>,
    ) {
        let whole = call.name_span.to(call.close_span);
        let blamed = error.argument.filter(|place| *place < count);
        let named = blamed.and_then(|place| Some((place, signature.name(place)?)));
        let Some((place, name)) = named else {
            self.call_failed_as_a_whole(call, signature, &error.message, frame);
            return;
        };
        let Some(argument) = call.args.get(place).or(call.args.last()) else {
            self.call_failed_as_a_whole(call, signature, &error.message, frame);
            return;
        };
        let span = argument_span(call, place).unwrap_or(whole);
        self.error_about(argument, frame, || {
            Diagnostic::error(
                "invalid-argument",
                "Invalid function argument",
                format!("Invalid value for {name:?} parameter: {}.", error.message),
            )
            .at(span)
            .within(whole)
            .value("while calling", signature.written(call))
        });
    }

    fn call_failed_as_a_whole(
        &mut self,
        call: &Call,
        signature: &Signature<'_>,
        message: &str,
        frame: Option<&Frame<'_>>,
    ) {
        let mut values = Vec::new();
        if self.is_heard() {
            for argument in &call.args {
                values.extend(self.notes(argument, frame));
            }
        }
        self.error(|| {
            let mut diagnostic = Diagnostic::error(
                "failed-call",
                "Error in function call",
                format!("Call to function {:?} failed: {message}.", call.name),
            )
            .at(call.name_span.to(call.open_span))
            .within(call.name_span.to(call.close_span))
            .value("while calling", signature.written(call));
            diagnostic.values.extend(values);
            diagnostic
        });
    }

    // ---- functions of providers

    fn provider_call(&mut self, _: &Expr, call: &Call, frame: Option<&Frame<'_>>) -> Value {
        let Some((provider, name)) = self.provider_function_named(call) else {
            return Value::dynamic();
        };
        let evaluator = self.evaluator;
        let Some(schema) = evaluator.inputs.schemas.get(&provider) else {
            for argument in &call.args {
                self.eval(argument, frame);
            }
            return Value::dynamic();
        };
        let Some(function) = schema.functions.get(name.as_str()) else {
            let local = call.name.split("::").nth(1).unwrap_or_default();
            self.error(|| {
                Diagnostic::error(
                    "unknown-provider-function",
                    "Unknown provider function",
                    format!("The function {name:?} is not available from the provider {local:?}."),
                )
                .at(call.name_span)
            });
            return Value::dynamic();
        };
        let signature = Signature::of_schema(function);
        let before = self.errors();
        let Some(arguments) = self.arguments(call, &signature, frame) else {
            return Value::dynamic();
        };
        let mut marks = Marks::NONE;
        let mut known = true;
        let mut plain = Vec::with_capacity(arguments.len());
        for (place, argument) in arguments.iter().enumerate() {
            let Some(parameter) = function
                .parameters
                .get(place)
                .or(function.variadic.as_ref())
            else {
                continue;
            };
            let (argument, found) = argument.unmark_deep();
            marks |= found;
            let refused = if argument.is_null() && !parameter.allow_null {
                Some("argument must not be null".to_owned())
            } else {
                match convert(&argument, &parameter.ty) {
                    Ok(argument) => {
                        known &= parameter.allow_unknown || argument.is_wholly_known();
                        plain.push(argument);
                        None
                    }
                    Err(error) => Some(error.message),
                }
            };
            if let Some(message) = refused {
                self.call_failed(
                    call,
                    &signature,
                    &CallError::argument(place, message),
                    arguments.len(),
                    frame,
                );
            }
        }
        if self.errors() > before {
            return Value::dynamic();
        }
        if !known {
            return if function.result == Type::Dynamic {
                dynamic_with(marks)
            } else {
                Value::unknown(function.result.clone()).with_marks(marks)
            };
        }
        match self.values.provider_function(&provider, &name, &plain) {
            Ok(value) => value.with_marks(marks),
            Err((argument, message)) => {
                let error = CallError {
                    argument,
                    ..CallError::call(message)
                };
                let error = redacted(error, &arguments);
                self.call_failed(call, &signature, &error, plain.len(), frame);
                Value::dynamic()
            }
        }
    }

    /// The provider and the name that a namespaced call means.
    fn provider_function_named(&mut self, call: &Call) -> Option<(ProviderAddr, String)> {
        let parts: Vec<&str> = call.name.split("::").collect();
        let detail = match parts.as_slice() {
            ["provider", local, name] => {
                let node = self.node?;
                if let Some(requirement) = node.module.providers.get(*local) {
                    return Some((requirement.provider.clone(), (*name).to_owned()));
                }
                self.unknown_provider_function(call);
                return None;
            }
            ["provider", ..] => {
                "The function call must include the provider name after the \"provider::\" prefix."
                    .to_owned()
            }
            [namespace, ..] => format!(
                "The function namespace {namespace:?} is not valid. Provider function calls must use the \"provider::\" namespace prefix."
            ),
            [] => return None,
        };
        self.error(|| {
            Diagnostic::error(
                "unknown-provider-function",
                "Unknown provider function",
                detail,
            )
            .at(call.name_span)
        });
        None
    }

    fn unknown_provider_function(&mut self, call: &Call) {
        let mut parts = call.name.split("::").skip(1);
        let (local, name) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        self.error(|| {
            Diagnostic::error(
                "unknown-provider-function",
                "Unknown provider function",
                format!("There is no function named {:?}. Ensure that provider name {local:?} is declared in this module's required_providers block, and that this provider offers a function named {name:?}.", call.name),
            )
            .at(call.name_span)
        });
    }
}

/// Whether values of this type can be expanded into arguments.
const fn is_sequence(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_)
    )
}

/// Where messages about an argument point: at its beginning, or at all of what it was expanded from.
fn argument_span(call: &Call, place: usize) -> Option<Span> {
    let last = call.args.len().checked_sub(1)?;
    if call.expand_final && place >= last {
        return Some(call.args[last].span);
    }
    call.args.get(place).or(call.args.last()).map(start_span)
}

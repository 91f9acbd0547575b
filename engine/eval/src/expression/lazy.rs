//! Functions that evaluate their arguments themselves: `try`, `can`, `convert`, `templatefile`, `templatestring`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use terrace_addr::Name;
use terrace_diag::{Diagnostics, SourceFile, SourceId};
use terrace_functions::{CallError, Function, read_named_file};
use terrace_syntax::{Call, Expr, ExprKind};
use terrace_value::convert::convert;
use terrace_value::{Marks, Type, Value};

use super::call::Signature;
use super::redact::redacted;
use super::{Frame, Run, dynamic_with};
use crate::visit;

/// The source of templates that are no part of the configuration.
const TEMPLATE_SOURCE: SourceId = SourceId(u32::MAX);

/// A template's text, as it was parsed.
pub(crate) struct Template {
    file: SourceFile,
    expression: Expr,
    diagnostics: Diagnostics,
}

impl Run<'_> {
    pub(super) fn lazy_call(
        &mut self,
        _: &Expr,
        call: &Call,
        function: &Function,
        signature: &Signature<'_>,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        if !self.check_count(call, signature, call.args.len()) {
            return Value::dynamic();
        }
        let result = match function.name {
            "try" => self.try_call(call, signature, frame),
            "convert" => self.convert_call(call, frame),
            "can" => Ok(self.can_call(&call.args[0], frame)),
            "templatefile" => self.template_file(call, frame),
            "templatestring" => self.template_string(call, frame),
            other => Err(Some(CallError::call(format!(
                "{other} cannot be evaluated"
            )))),
        };
        match result {
            Ok(value) => value,
            Err(error) => {
                if let Some(error) = error {
                    self.call_failed(call, signature, &error, call.args.len(), frame);
                }
                Value::dynamic()
            }
        }
    }

    fn try_call(
        &mut self,
        call: &Call,
        signature: &Signature<'_>,
        frame: Option<&Frame<'_>>,
    ) -> Result<Value, Option<CallError>> {
        if call.args.is_empty() {
            return Err(Some(CallError::call("at least one argument is required")));
        }
        let mut arguments = call.args.as_slice();
        let mut last = Vec::new();
        if call.expand_final
            && let Some((expanded, plain)) = call.args.split_last()
        {
            // What is expanded is evaluated before any argument is tried.
            let before = self.errors();
            match self.expanded(call, signature, expanded, frame) {
                Some(values) => last = values,
                None if self.errors() > before => return Err(None),
                None => return Ok(Value::dynamic()),
            }
            arguments = plain;
        }
        for (place, argument) in arguments.iter().enumerate() {
            let (value, failed) = self.quietly(|run| run.eval(argument, frame));
            if failed {
                continue;
            }
            if !value.is_wholly_known() {
                // What comes after may be read once this one is known.
                for rest in &arguments[place + 1..] {
                    self.quietly(|run| run.eval(rest, frame));
                }
                return Ok(Value::dynamic());
            }
            return Ok(value);
        }
        if let Some(value) = last.into_iter().next() {
            return Ok(if value.is_wholly_known() {
                value
            } else {
                Value::dynamic()
            });
        }
        if !self.is_heard() {
            return Err(Some(CallError::call("")));
        }
        let mut message = String::from("no expression succeeded:\n");
        for argument in arguments {
            let repeated = std::mem::replace(&mut self.repeats, true);
            let (_, said, _) = self.aside(|run| run.eval(argument, frame));
            self.repeats = repeated;
            for diagnostic in said.iter().filter(|diagnostic| diagnostic.is_error()) {
                let at = diagnostic.subject.map_or_else(String::new, |span| {
                    format!(" (at {})", self.evaluator.inputs.config.sources.place(span))
                });
                let _ = write!(
                    message,
                    "- {}{at}
  {}
",
                    diagnostic.summary, diagnostic.detail
                );
            }
        }
        message.push_str("\nAt least one expression must produce a successful result");
        Err(Some(CallError::call(message)))
    }

    fn can_call(&mut self, argument: &Expr, frame: Option<&Frame<'_>>) -> Value {
        let (value, failed) = self.quietly(|run| run.eval(argument, frame));
        if failed {
            return Value::FALSE;
        }
        if value.is_wholly_known() {
            Value::TRUE
        } else {
            Value::unknown(Type::Bool)
        }
    }

    /// `convert(value, type)`
    fn convert_call(
        &mut self,
        call: &Call,
        frame: Option<&Frame<'_>>,
    ) -> Result<Value, Option<CallError>> {
        let mut problems = Diagnostics::new();
        let (ty, defaults) = terrace_config::type_constraint(&call.args[1], &mut problems);
        let before = self.errors();
        self.append(problems);
        let value = self.eval(&call.args[0], frame);
        if self.errors() > before {
            return Err(None);
        }
        convert(&defaults.apply(&value), &ty).map_err(|error| {
            let at = if error.path.is_root() {
                String::new()
            } else {
                format!("{}: ", error.path)
            };
            let error = CallError::argument(0, format!("{at}{}", error.message));
            Some(redacted(error, std::slice::from_ref(&value)))
        })
    }

    // ---- templates

    fn template_file(
        &mut self,
        call: &Call,
        frame: Option<&Frame<'_>>,
    ) -> Result<Value, Option<CallError>> {
        let before = self.errors();
        let path = self.eval(&call.args[0], frame);
        let variables = self.eval(&call.args[1], frame);
        if self.errors() > before {
            return Err(None);
        }
        let path_marks = path.marks();
        if path.is_null() {
            return Err(Some(CallError::argument(0, "argument must not be null")));
        }
        let path = convert(&path, &Type::String)
            .map_err(|error| Some(CallError::argument(0, error.message)))?;
        let Some(path) = path.as_str() else {
            return Ok(dynamic_with(path_marks));
        };
        if variables.is_null() {
            return Err(Some(CallError::argument(1, "argument must not be null")));
        }
        let template = self.file_template(path, path_marks).map_err(Some)?;
        let value = self.render(&template, &variables, "templatefile")?;
        Ok(value.with_marks(path_marks))
    }

    fn file_template(&mut self, path: &str, marks: Marks) -> Result<Arc<Template>, CallError> {
        let bytes = read_named_file(path, marks, &*self.evaluator.inputs.context)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| {
            let message = format!("contents of {path:?} are not valid UTF-8; use the filebase64 function to obtain the Base64 encoded contents or the other file functions (e.g. filemd5, filesha256) to obtain file hashing results instead");
            CallError::argument(0, message)
        })?;
        Ok(self.parsed(path, text))
    }

    fn parsed(&self, name: &str, text: &str) -> Arc<Template> {
        self.evaluator.memo.template(name, text, || {
            let (expression, diagnostics) = terrace_syntax::parse_template(TEMPLATE_SOURCE, text);
            Template {
                file: SourceFile::new(name, text),
                expression,
                diagnostics,
            }
        })
    }

    fn template_string(
        &mut self,
        call: &Call,
        frame: Option<&Frame<'_>>,
    ) -> Result<Value, Option<CallError>> {
        let source = &call.args[0];
        let before = self.errors();
        let text = self.eval(source, frame);
        let variables = self.eval(&call.args[1], frame);
        if self.errors() > before {
            return Err(None);
        }
        if let Some(why) = refused_as_template(source) {
            return Err(Some(CallError::argument(
                0,
                format!("invalid template expression: {why}"),
            )));
        }
        if variables.is_null() {
            return Err(Some(CallError::argument(1, "argument must not be null")));
        }
        let invalid = || {
            Some(CallError::argument(
                0,
                "invalid template value: a string is required",
            ))
        };
        if text.is_null() {
            return Err(invalid());
        }
        let marks = text.marks();
        let wants_text = |ty: &Type| matches!(ty, Type::String | Type::Dynamic);
        if !wants_text(&text.ty()) {
            return Err(invalid());
        }
        let Some(text) = text.as_str() else {
            let unknown = Value::unknown(Type::String).refine_not_null();
            return Ok(unknown.with_marks(marks | variables.marks()));
        };
        let template = self.parsed("<templatestring argument>", text);
        if template.diagnostics.has_errors() {
            let message = format!(
                "invalid template: {}",
                said(&template.diagnostics, &template.file)
            );
            return Err(Some(CallError::argument(0, message)));
        }
        Ok(self
            .render(&template, &variables, "templatestring")?
            .with_marks(marks))
    }

    fn render(
        &mut self,
        template: &Template,
        variables: &Value,
        function: &str,
    ) -> Result<Value, Option<CallError>> {
        if self.in_template {
            return Err(Some(CallError::call(format!(
                "cannot recursively call {function} from inside another template function"
            ))));
        }
        if template.diagnostics.has_errors() {
            return Err(Some(CallError::call(said(
                &template.diagnostics,
                &template.file,
            ))));
        }
        // As in the reference, what is marked anywhere among the variables marks the result, whether it is used or not.
        let marks = variables.marks_deep();
        let (variables, _) = variables.clone().unmark();
        if !variables.is_known() {
            return Ok(dynamic_with(marks));
        }
        let Some(entries) = variables.as_entries() else {
            return Err(Some(CallError::argument(
                1,
                "invalid vars value: must be a map",
            )));
        };
        if let Some(name) = entries.keys().find(|name| !is_template_name(name)) {
            return Err(Some(CallError::argument(
                1,
                format!(
                    "invalid template variable name {name:?}: must start with a letter, followed by zero or more letters, digits, and underscores"
                ),
            )));
        }
        let names: BTreeMap<Name, Value> = entries.clone();
        for traversal in visit::references(&template.expression) {
            if !names.contains_key(&traversal.root.name) {
                let message = format!(
                    "vars map does not contain key {:?}, referenced at {}",
                    traversal.root.name,
                    template.file.place(traversal.root.span),
                );
                return Err(Some(CallError::argument(1, message)));
            }
        }
        let frame = Frame::names(None, &names);
        self.in_template = true;
        let (value, diagnostics, failed) =
            self.aside(|run| run.eval(&template.expression, Some(&frame)));
        self.in_template = false;
        if failed {
            return Err(Some(CallError::call(said(&diagnostics, &template.file))));
        }
        if value.is_null() {
            return Err(Some(CallError::call(format!(
                "{}: Template result is null; The result of the template is null, which is not a valid result for a templatestring call.",
                template.file.place(template.expression.span),
            ))));
        }
        Ok(value.with_marks(marks))
    }
}

/// Why an expression may not be the template of `templatestring`, if it may not: only what refers to a string elsewhere
/// may, so that nobody escapes a template twice.
fn refused_as_template(source: &Expr) -> Option<&'static str> {
    const LITERAL: &str = "templatestring is only for rendering templates retrieved dynamically from elsewhere, and so does not support providing a literal template; consider using a template string expression instead";
    const WRAPPED: &str = "templatestring is only for rendering templates retrieved dynamically from elsewhere; to treat the inner expression as template syntax, write the reference expression directly without any template interpolation syntax";
    const OTHER: &str = "must be a direct reference to a single string from elsewhere, containing valid Terrace template syntax";
    match &source.kind {
        ExprKind::Traversal(_) | ExprKind::SplatItem => None,
        ExprKind::RelativeTraversal { source, .. } => (!is_reference(source)).then_some(OTHER),
        ExprKind::Index { collection, .. } => (!is_reference(collection)).then_some(OTHER),
        ExprKind::Template(_) => Some(LITERAL),
        ExprKind::Literal(value) if value.as_str().is_some() => Some(LITERAL),
        ExprKind::TemplateWrap(_) => Some(WRAPPED),
        _ => Some(OTHER),
    }
}

/// Whether an expression only says where something is.
fn is_reference(expression: &Expr) -> bool {
    match &expression.kind {
        ExprKind::Traversal(_) | ExprKind::SplatItem => true,
        ExprKind::RelativeTraversal { source: from, .. }
        | ExprKind::Index {
            collection: from, ..
        } => is_reference(from),
        _ => false,
    }
}

fn is_template_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Diagnostics in one sentence, as errors of functions tell them.
fn said(diagnostics: &Diagnostics, file: &SourceFile) -> String {
    let mut errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error());
    let Some(first) = errors.next() else {
        return String::new();
    };
    let at = first
        .subject
        .map_or_else(String::new, |span| format!("{}: ", file.place(span)));
    let message = format!("{at}{}; {}", first.summary, first.detail);
    match errors.count() {
        0 => message,
        more => format!("{message}, and {more} other diagnostic(s)"),
    }
}

//! Evaluating expressions.

mod call;
mod collection;
mod conditional;
mod frame;
mod lazy;
mod operator;
mod redact;
mod span;
mod splat;
mod template;

use std::collections::BTreeSet;

use terrace_config::ModuleNode;
use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_syntax::{Expr, ExprKind, Step};
use terrace_value::{Marks, Type, Value, ops};

use crate::reference::follow;
use crate::{Dependency, Evaluated, Evaluator, Scope, Values};

pub(crate) use collection::entries;
pub(crate) use frame::Frame;
pub(crate) use lazy::Template;
pub(crate) use span::{start_span, traversal_span};

/// How much stack must be left before an evaluation step, and how much is added when it is not.
const RED_ZONE: usize = 128 * 1024;
const STACK_STEP: usize = 4 * 1024 * 1024;

/// With how many diagnostics before it a new one is compared.
const MOST_COMPARED: usize = 64;

/// One evaluation under way: where it stands, what it has read and what it has to say.
pub(crate) struct Run<'a> {
    pub(crate) evaluator: &'a Evaluator,
    pub(crate) scope: &'a Scope,
    pub(crate) values: &'a dyn Values,
    /// The module; `None` when the scope's module is not part of the configuration.
    pub(crate) node: Option<&'a ModuleNode>,
    pub(crate) dependencies: BTreeSet<Dependency>,
    pub(crate) diagnostics: Diagnostics,
    errors: usize,
    /// Above 0, errors are counted and not worded: nobody will see them.
    quiet: u32,
    /// Set where functions that read templates may not be called: inside such a template.
    in_template: bool,
    /// Whether the same may be said twice.
    repeats: bool,
}

impl<'a> Run<'a> {
    pub(crate) fn new(evaluator: &'a Evaluator, scope: &'a Scope, values: &'a dyn Values) -> Self {
        Self {
            evaluator,
            scope,
            values,
            node: evaluator.node(&scope.module),
            dependencies: BTreeSet::new(),
            diagnostics: Diagnostics::new(),
            errors: 0,
            quiet: 0,
            in_template: false,
            repeats: false,
        }
    }

    /// The answer, with `value`.
    pub(crate) fn finish<T>(self, value: T) -> Evaluated<T> {
        Evaluated {
            value,
            dependencies: self.dependencies,
            diagnostics: self.diagnostics,
        }
    }

    /// Evaluates a whole expression: first whether all that it refers to is there, then its value.
    pub(crate) fn whole(&mut self, expression: &Expr) -> Value {
        self.whole_in(expression, None)
    }

    /// [`Run::whole`], where `frame` binds further names.
    pub(crate) fn whole_in(&mut self, expression: &Expr, frame: Option<&Frame<'_>>) -> Value {
        if let ExprKind::Literal(value) = &expression.kind {
            return value.clone();
        }
        let before = self.errors;
        self.check_references(expression, frame);
        if self.errors > before {
            Value::dynamic()
        } else {
            self.eval(expression, frame)
        }
    }

    /// How many errors there were so far.
    pub(crate) const fn errors(&self) -> usize {
        self.errors
    }

    /// Adds an error.
    pub(crate) fn error(&mut self, diagnostic: impl FnOnce() -> Diagnostic) {
        self.errors += 1;
        if self.quiet == 0 {
            self.say(diagnostic());
        }
    }

    /// Adds a diagnostic, once: the items of a `for` may all have the same to say.
    fn say(&mut self, diagnostic: Diagnostic) {
        let mut latest = self.diagnostics.iter().rev().take(MOST_COMPARED);
        if self.repeats || latest.all(|said| *said != diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Adds an error about `expression`, with the values that it refers to.
    pub(crate) fn error_about(
        &mut self,
        expression: &Expr,
        frame: Option<&Frame<'_>>,
        diagnostic: impl FnOnce() -> Diagnostic,
    ) {
        self.errors += 1;
        if self.quiet == 0 {
            let mut diagnostic = diagnostic();
            diagnostic.values.extend(self.notes(expression, frame));
            self.say(diagnostic);
        }
    }

    /// Whether errors are worded.
    pub(crate) const fn is_heard(&self) -> bool {
        self.quiet == 0
    }

    /// Adds diagnostics that were made elsewhere.
    pub(crate) fn append(&mut self, diagnostics: Diagnostics) {
        self.errors += diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error())
            .count();
        if self.quiet == 0 {
            self.diagnostics.append(diagnostics);
        }
    }

    /// Runs `body` without wording errors; whether there were any.
    pub(crate) fn quietly<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> (T, bool) {
        let before = self.errors;
        self.quiet += 1;
        let result = body(self);
        self.quiet -= 1;
        let failed = self.errors > before;
        self.errors = before;
        (result, failed)
    }

    /// Runs `body` and takes out the diagnostics that it adds; whether any is an error.
    pub(crate) fn aside<T>(&mut self, body: impl FnOnce(&mut Self) -> T) -> (T, Diagnostics, bool) {
        let before = self.errors;
        let kept = std::mem::take(&mut self.diagnostics);
        let result = body(self);
        let said = std::mem::replace(&mut self.diagnostics, kept);
        let failed = self.errors > before;
        self.errors = before;
        (result, said, failed)
    }

    /// Puts back what [`Run::aside`] took out.
    pub(crate) fn put_back(&mut self, diagnostics: Diagnostics, failed: bool) {
        self.errors += usize::from(failed);
        self.diagnostics.append(diagnostics);
    }

    /// Evaluates an expression whose references have been checked.
    pub(crate) fn eval(&mut self, expression: &Expr, frame: Option<&Frame<'_>>) -> Value {
        match &expression.kind {
            ExprKind::Literal(value) => value.clone(),
            ExprKind::Traversal(traversal) => self.traversal(traversal, frame),
            ExprKind::SplatItem => frame.and_then(Frame::item).unwrap_or_else(Value::dynamic),
            ExprKind::Invalid => {
                // The parser has said why.
                self.errors += 1;
                Value::dynamic()
            }
            _ => stacker::maybe_grow(RED_ZONE, STACK_STEP, || self.eval_nested(expression, frame)),
        }
    }

    fn eval_nested(&mut self, expression: &Expr, frame: Option<&Frame<'_>>) -> Value {
        match &expression.kind {
            ExprKind::Template(parts) => self.template(expression, parts, frame),
            ExprKind::TemplateWrap(inner) | ExprKind::Parens(inner) => self.eval(inner, frame),
            ExprKind::TemplateJoin(inner) => self.template_join(expression, inner, frame),
            ExprKind::RelativeTraversal { source, steps } => self.relative(source, steps, frame),
            ExprKind::Index {
                collection,
                key,
                bracket_span,
            } => self.index(expression, collection, key, *bracket_span, frame),
            ExprKind::Splat {
                source,
                each,
                marker_span,
            } => self.splat(source, each, *marker_span, frame),
            ExprKind::Call(call) => self.call(expression, call, frame),
            ExprKind::Conditional {
                condition,
                if_true,
                if_false,
            } => self.conditional(expression, condition, if_true, if_false, frame),
            ExprKind::Unary { op, operand } => self.unary(expression, *op, operand, frame),
            ExprKind::Binary { op, left, right } => {
                self.binary(expression, *op, left, right, frame)
            }
            ExprKind::Tuple(items) => Value::tuple(self.each_of(items, frame)),
            ExprKind::Object(items) => self.object(items, frame),
            ExprKind::For(for_expression) => self.for_expression(for_expression, frame),
            ExprKind::Literal(_)
            | ExprKind::Traversal(_)
            | ExprKind::SplatItem
            | ExprKind::Invalid => self.eval(expression, frame),
        }
    }

    fn each_of(&mut self, items: &[Expr], frame: Option<&Frame<'_>>) -> Vec<Value> {
        items.iter().map(|item| self.eval(item, frame)).collect()
    }

    fn relative(&mut self, source: &Expr, steps: &[Step], frame: Option<&Frame<'_>>) -> Value {
        if let Some(value) = self.keyed_output(source, steps, frame) {
            return self.steps(value, &steps[1..], Some(source), frame);
        }
        let value = self.eval(source, frame);
        self.steps(value, steps, Some(source), frame)
    }

    /// Follows constant steps from a value. `source` is the expression that `value` comes from, for the notes of errors.
    pub(crate) fn steps(
        &mut self,
        mut value: Value,
        steps: &[Step],
        source: Option<&Expr>,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        for step in steps {
            match follow(&value, step) {
                Ok(part) => value = part,
                Err(error) => {
                    let near = near_name(&value, &key_of(step));
                    self.access_error(&error, (step.span(), near), source, frame);
                    return Value::dynamic();
                }
            }
        }
        value
    }

    pub(crate) fn access_error(
        &mut self,
        error: &ops::AccessError,
        (span, near): (Span, Option<String>),
        source: Option<&Expr>,
        frame: Option<&Frame<'_>>,
    ) {
        let diagnostic = || no_access(error, span, near);
        match source {
            Some(source) => self.error_about(source, frame, diagnostic),
            None => self.error(diagnostic),
        }
    }

    fn index(
        &mut self,
        expression: &Expr,
        collection: &Expr,
        key: &Expr,
        bracket_span: Span,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        let key_value = self.eval(key, frame);
        if let ExprKind::Traversal(traversal) = &collection.kind
            && let Some(value) = self.keyed(traversal, &key_value, frame)
        {
            return value;
        }
        let value = self.eval(collection, frame);
        match ops::index(&value, &key_value) {
            Ok(part) => part,
            Err(error) => {
                let near = near_name(&value, &key_value);
                self.access_error(&error, (bracket_span, near), Some(expression), frame);
                Value::dynamic()
            }
        }
    }
}

/// The ids of errors of access, with their summaries.
const ACCESS: [(&str, &str); 4] = [
    ("invalid-index", "Invalid index"),
    ("index-of-null", "Attempt to index null value"),
    (
        "attribute-of-null",
        "Attempt to get attribute from null value",
    ),
    ("missing-map-element", "Missing map element"),
];

/// The error of an access that is not possible; `near` is a name that may have been meant.
pub(crate) fn no_access(error: &ops::AccessError, span: Span, near: Option<String>) -> Diagnostic {
    let id = ACCESS
        .iter()
        .find(|(_, summary)| *summary == error.summary)
        .map_or("unsupported-attribute", |(id, _)| id);
    let diagnostic = Diagnostic::error(id, error.summary, error.detail.clone()).at(span);
    match near {
        Some(near) => diagnostic.hint(format!("did you mean {near:?}?")),
        None => diagnostic,
    }
}

/// The key by which a step goes into a value.
pub(crate) fn key_of(step: &Step) -> Value {
    match step {
        Step::Attribute(ident) => Value::string(ident.name.clone()),
        Step::Index { key, .. } => key.clone(),
        Step::Splat { .. } => Value::dynamic(),
    }
}

/// The name of a part of an object or map that is spelt nearly as `key`. What is marked gives away none.
pub(crate) fn near_name(value: &Value, key: &Value) -> Option<String> {
    let key = key.as_str()?;
    if !value.marks().is_empty() {
        return None;
    }
    let near = match value.as_entries() {
        Some(entries) => terrace_diag::nearest(key, entries.keys().map(|name| &**name)),
        None => match value.ty() {
            Type::Object(object) => {
                let names = object.attributes.keys().map(|name| &**name);
                return terrace_diag::nearest(key, names).map(str::to_owned);
            }
            _ => None,
        },
    };
    near.map(str::to_owned)
}

/// A value of unknown type with the marks of others.
pub(crate) fn dynamic_with(marks: Marks) -> Value {
    Value::dynamic().with_marks(marks)
}

//! Evaluation of expressions that may refer to nothing: defaults, variables files, arguments of the language itself.

use std::collections::BTreeMap;

use terrace_diag::{Diagnostic, Diagnostics, SourceFile, Span};
use terrace_syntax::{
    BinaryOp, Expr, ExprKind, ForExpr, ObjectItem, ObjectKey, Step, Traversal, UnaryOp, with_stack,
};
use terrace_value::convert::convert;
use terrace_value::ops::{self, OperationError};
use terrace_value::{Kind, Text, Type, Value};

/// Evaluates `expression`, which may use neither variables nor functions. What is wrong with it is reported, and
/// gives an unknown value.
pub fn evaluate_constant(expression: &Expr, diagnostics: &mut Diagnostics) -> Value {
    Evaluation {
        diagnostics,
        names: Vec::new(),
        items: Vec::new(),
    }
    .value(expression)
}

/// Leaves out what was found wrong with template sequences in the texts of `expression`, which stand for themselves.
pub(crate) fn forgive_templates(expression: &Expr, diagnostics: &mut Diagnostics) {
    let whole = expression.span;
    let inside = |span: Span| {
        span.source == whole.source && whole.start <= span.start && span.end <= whole.end
    };
    let (mut kept, found) = (Diagnostics::new(), std::mem::take(diagnostics));
    kept.extend(
        found
            .into_iter()
            .filter(|problem| !problem.subject.is_some_and(inside)),
    );
    *diagnostics = kept;
}

/// The value of an expression of a JSON file where nothing may be referred to: texts stand for themselves, whatever
/// template sequences they hold.
pub(crate) fn evaluate_json_constant(
    expression: &Expr,
    source: &SourceFile,
    diagnostics: &mut Diagnostics,
) -> Value {
    with_stack(|| json_constant(expression, source, diagnostics))
}

fn json_constant(expression: &Expr, source: &SourceFile, diagnostics: &mut Diagnostics) -> Value {
    match &expression.kind {
        ExprKind::Literal(value) => value.clone(),
        ExprKind::Tuple(items) => Value::tuple(
            items
                .iter()
                .map(|item| evaluate_json_constant(item, source, diagnostics))
                .collect::<Vec<_>>(),
        ),
        ExprKind::Object(items) => Value::object(
            items
                .iter()
                .filter_map(|item| {
                    let key = match &item.key {
                        ObjectKey::Name(ident) => ident.name.clone(),
                        ObjectKey::Expr(key) => {
                            Text::from(evaluate_json_constant(key, source, diagnostics).as_str()?)
                        }
                    };
                    Some((
                        key,
                        evaluate_json_constant(&item.value, source, diagnostics),
                    ))
                })
                .collect::<Vec<_>>(),
        ),
        _ => {
            let text = source
                .text()
                .get(expression.span.start as usize..expression.span.end as usize);
            match text.and_then(|text| serde_json::from_str::<String>(text).ok()) {
                Some(text) => Value::string(text),
                None => evaluate_constant(expression, diagnostics),
            }
        }
    }
}

/// An operation on one value.
type UnaryOperation = fn(&Value) -> Result<Value, OperationError>;

struct Evaluation<'a> {
    diagnostics: &'a mut Diagnostics,
    /// Names that `for` expressions bind, the innermost last.
    names: Vec<(Text, Value)>,
    /// Elements of the splats around, the innermost last.
    items: Vec<Value>,
}

impl Evaluation<'_> {
    fn problem(
        &mut self,
        id: &'static str,
        summary: &str,
        detail: impl Into<String>,
        span: Span,
    ) -> Value {
        self.diagnostics
            .push(Diagnostic::error(id, summary, detail).at(span));
        Value::dynamic()
    }

    fn value(&mut self, expression: &Expr) -> Value {
        with_stack(|| self.value_here(expression))
    }

    fn value_here(&mut self, expression: &Expr) -> Value {
        let span = expression.span;
        match &expression.kind {
            ExprKind::Literal(value) => value.clone(),
            ExprKind::Template(parts) => self.template(parts),
            ExprKind::TemplateWrap(inner) | ExprKind::Parens(inner) => self.value(inner),
            ExprKind::TemplateJoin(inner) => self.join(inner),
            ExprKind::Traversal(traversal) => self.traversal(traversal),
            ExprKind::RelativeTraversal { source, steps } => {
                let value = self.value(source);
                self.steps(value, steps)
            }
            ExprKind::Index {
                collection,
                key,
                bracket_span,
            } => {
                let (collection, key) = (self.value(collection), self.value(key));
                self.indexed(&collection, &key, *bracket_span)
            }
            ExprKind::Splat { source, each, .. } => self.splat(source, each),
            ExprKind::SplatItem => self.items.last().cloned().unwrap_or_else(Value::dynamic),
            ExprKind::Call(call) => self.problem(
                "functions-not-allowed",
                "Function calls not allowed",
                "Functions may not be called here.",
                call.name_span.to(call.close_span),
            ),
            ExprKind::Conditional {
                condition,
                if_true,
                if_false,
            } => {
                let test = self.value(condition);
                match convert(&test, &Type::Bool)
                    .ok()
                    .and_then(|test| test.as_bool())
                {
                    Some(test) => self.value(if test { if_true } else { if_false }),
                    None if test.is_known() => self.problem(
                        "incorrect-condition",
                        "Incorrect condition type",
                        "The condition expression must be of type bool.",
                        condition.span,
                    ),
                    None => Value::dynamic(),
                }
            }
            ExprKind::Unary { op, operand } => {
                let value = self.value(operand);
                self.unary(*op, &value, span)
            }
            ExprKind::Binary { op, left, right } => {
                let (left, right) = (self.value(left), self.value(right));
                self.binary(*op, &left, &right, span)
            }
            ExprKind::Tuple(items) => Value::tuple(
                items
                    .iter()
                    .map(|item| self.value(item))
                    .collect::<Vec<_>>(),
            ),
            ExprKind::Object(items) => self.object(items),
            ExprKind::For(loop_) => self.for_expression(loop_),
            ExprKind::Invalid => Value::dynamic(),
        }
    }

    fn template(&mut self, parts: &[Expr]) -> Value {
        if let [
            Expr {
                kind: ExprKind::Literal(value),
                ..
            },
        ] = parts
        {
            return value.clone();
        }
        let mut text = String::new();
        let mut known = true;
        for part in parts {
            let value = self.value(part);
            match self.text(&value, part.span) {
                Some(piece) => text.push_str(&piece),
                None => known = false,
            }
        }
        if known {
            Value::string(text)
        } else {
            Value::unknown(Type::String)
        }
    }

    /// What stands in a template; `None` for what is unknown or has been reported.
    fn text(&mut self, value: &Value, span: Span) -> Option<Text> {
        if value.is_null() {
            self.problem(
                "invalid-template-value",
                "Invalid template interpolation value",
                "The expression result is null. Cannot include a null value in a string template.",
                span,
            );
            return None;
        }
        match convert(value, &Type::String) {
            Ok(value) => value.as_str().map(Text::from),
            Err(error) => {
                self.problem(
                    "invalid-template-value",
                    "Invalid template interpolation value",
                    format!("Cannot include the given value in a string template: {error}."),
                    span,
                );
                None
            }
        }
    }

    fn join(&mut self, inner: &Expr) -> Value {
        let items = self.value(inner);
        let mut text = String::new();
        for item in items.as_sequence().unwrap_or_default() {
            match self.text(item, inner.span) {
                Some(piece) => text.push_str(&piece),
                None => return Value::unknown(Type::String),
            }
        }
        if items.is_known() {
            Value::string(text)
        } else {
            Value::unknown(Type::String)
        }
    }

    fn traversal(&mut self, traversal: &Traversal) -> Value {
        let bound = self
            .names
            .iter()
            .rev()
            .find(|(name, _)| *name == traversal.root.name);
        match bound.map(|(_, value)| value.clone()) {
            Some(value) => self.steps(value, &traversal.steps),
            None => self.problem(
                "variables-not-allowed",
                "Variables not allowed",
                "Variables may not be used here.",
                traversal.root.span,
            ),
        }
    }

    fn steps(&mut self, value: Value, steps: &[Step]) -> Value {
        steps.iter().fold(value, |value, step| match step {
            Step::Attribute(ident) => match ops::get_attribute(&value, &ident.name) {
                Ok(value) => value,
                Err(error) => self.problem(
                    "unsupported-attribute",
                    error.summary,
                    error.detail,
                    ident.span,
                ),
            },
            Step::Index { key, span } => self.indexed(&value, key, *span),
            Step::Splat { .. } => value,
        })
    }

    fn indexed(&mut self, collection: &Value, key: &Value, span: Span) -> Value {
        match ops::index(collection, key) {
            Ok(value) => value,
            Err(error) => self.problem("invalid-index", error.summary, error.detail, span),
        }
    }

    fn splat(&mut self, source: &Expr, each: &Expr) -> Value {
        let value = self.value(source);
        let items: Vec<Value> = match value.kind() {
            Kind::Unknown(_) => return Value::dynamic(),
            Kind::Null(_) => Vec::new(),
            _ => value
                .as_sequence()
                .map_or_else(|| vec![value.clone()], <[Value]>::to_vec),
        };
        let results = items.into_iter().map(|item| {
            self.items.push(item);
            let result = self.value(each);
            self.items.pop();
            result
        });
        Value::tuple(results.collect::<Vec<_>>())
    }

    fn unary(&mut self, op: UnaryOp, value: &Value, span: Span) -> Value {
        let (ty, operation): (Type, UnaryOperation) = match op {
            UnaryOp::Not => (Type::Bool, ops::not),
            UnaryOp::Negate => (Type::Number, ops::negate),
        };
        let converted = match convert(value, &ty) {
            Ok(converted) => converted,
            Err(error) => {
                let detail = format!("Unsuitable value for unary operand: {error}.");
                return self.problem("invalid-operand", "Invalid operand", detail, span);
            }
        };
        match operation(&converted) {
            Ok(value) => value,
            Err(error) => self.problem(
                "invalid-operation",
                "Operation failed",
                format!("Error during operation: {error}."),
                span,
            ),
        }
    }

    fn binary(&mut self, op: BinaryOp, left: &Value, right: &Value, span: Span) -> Value {
        match op {
            BinaryOp::Equal => return ops::equals(left, right),
            BinaryOp::NotEqual => return ops::not_equals(left, right),
            _ => {}
        }
        let ty = if matches!(op, BinaryOp::And | BinaryOp::Or) {
            Type::Bool
        } else {
            Type::Number
        };
        let mut operands = Vec::new();
        for (side, value) in [("left", left), ("right", right)] {
            match convert(value, &ty) {
                Ok(value) => operands.push(value),
                Err(error) => {
                    let detail = format!("Unsuitable value for {side} operand: {error}.");
                    return self.problem("invalid-operand", "Invalid operand", detail, span);
                }
            }
        }
        let (left, right) = (&operands[0], &operands[1]);
        let result = match op {
            BinaryOp::Or => ops::or(left, right),
            BinaryOp::And => ops::and(left, right),
            BinaryOp::Greater => ops::greater_than(left, right),
            BinaryOp::GreaterOrEqual => ops::greater_than_or_equal(left, right),
            BinaryOp::Less => ops::less_than(left, right),
            BinaryOp::LessOrEqual => ops::less_than_or_equal(left, right),
            BinaryOp::Add => ops::add(left, right),
            BinaryOp::Subtract => ops::subtract(left, right),
            BinaryOp::Multiply => ops::multiply(left, right),
            BinaryOp::Divide => ops::divide(left, right),
            BinaryOp::Modulo => ops::modulo(left, right),
            BinaryOp::Equal => Ok(ops::equals(left, right)),
            BinaryOp::NotEqual => Ok(ops::not_equals(left, right)),
        };
        match result {
            Ok(value) => value,
            Err(error) => self.problem(
                "invalid-operation",
                "Operation failed",
                format!("Error during operation: {error}."),
                span,
            ),
        }
    }

    fn object(&mut self, items: &[ObjectItem]) -> Value {
        let mut attributes: BTreeMap<Text, Value> = BTreeMap::new();
        let mut known = true;
        for item in items {
            let key = match &item.key {
                ObjectKey::Name(ident) => Some(ident.name.clone()),
                ObjectKey::Expr(key) => {
                    let value = self.value(key);
                    self.key(&value, key.span)
                }
            };
            let value = self.value(&item.value);
            match key {
                Some(key) => drop(attributes.insert(key, value)),
                None => known = false,
            }
        }
        if known {
            Value::object(attributes)
        } else {
            Value::dynamic()
        }
    }

    /// A key of an object; `None` for what is unknown or has been reported.
    fn key(&mut self, value: &Value, span: Span) -> Option<Text> {
        if value.is_null() {
            self.problem(
                "null-key",
                "Null value as key",
                "Can't use a null value as a key.",
                span,
            );
            return None;
        }
        match convert(value, &Type::String) {
            Ok(value) => value.as_str().map(Text::from),
            Err(error) => {
                let detail = format!("Can't use this value as a key: {error}.");
                self.problem("incorrect-key-type", "Incorrect key type", detail, span);
                None
            }
        }
    }

    fn for_expression(&mut self, loop_: &ForExpr) -> Value {
        let collection = self.value(&loop_.collection);
        let entries: Vec<(Value, Value)> = match (collection.as_sequence(), collection.as_entries())
        {
            (Some(items), _) if matches!(collection.kind(), Kind::Set(..)) => items
                .iter()
                .map(|item| (item.clone(), item.clone()))
                .collect(),
            (Some(items), _) => (0_i64..)
                .map(Value::int)
                .zip(items.iter().cloned())
                .collect(),
            (_, Some(entries)) => entries
                .iter()
                .map(|(key, value)| (Value::string(key.clone()), value.clone()))
                .collect(),
            _ if !collection.is_known() => return Value::dynamic(),
            _ => {
                return self.problem(
                    "iteration-over-non-iterable",
                    "Iteration over non-iterable value",
                    "The expression for the \"in\" clause must be a list, set, map, tuple or object.",
                    loop_.collection.span,
                );
            }
        };
        let mut values = Vec::new();
        let mut object: BTreeMap<Text, Vec<Value>> = BTreeMap::new();
        for (key, value) in entries {
            let depth = self.names.len();
            if let Some(name) = &loop_.key_name {
                self.names.push((name.name.clone(), key));
            }
            self.names.push((loop_.value_name.name.clone(), value));
            let wanted = loop_.condition.as_ref().is_none_or(|condition| {
                convert(&self.value(condition), &Type::Bool)
                    .ok()
                    .and_then(|test| test.as_bool())
                    == Some(true)
            });
            if wanted {
                let result_key = loop_.key.as_ref().map(|key| {
                    let value = self.value(key);
                    self.key(&value, key.span)
                });
                let result = self.value(&loop_.value);
                match result_key {
                    None => values.push(result),
                    Some(Some(key)) => object.entry(key).or_default().push(result),
                    Some(None) => {}
                }
            }
            self.names.truncate(depth);
        }
        if loop_.key.is_none() {
            return Value::tuple(values);
        }
        if loop_.group {
            return Value::object(
                object
                    .into_iter()
                    .map(|(key, values)| (key, Value::tuple(values))),
            );
        }
        if let Some((key, _)) = object.iter().find(|(_, values)| values.len() > 1) {
            let detail = format!(
                "Two different items produced the key {key:?} in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key."
            );
            return self.problem(
                "duplicate-object-key",
                "Duplicate object key",
                detail,
                loop_.open_span,
            );
        }
        Value::object(
            object
                .into_iter()
                .filter_map(|(key, mut values)| Some((key, values.pop()?))),
        )
    }
}

//! `source[*].each`

use terrace_diag::{Diagnostic, Span};
use terrace_syntax::Expr;
use terrace_value::{Kind, Marks, Type, Value};

use super::{Frame, Run, dynamic_with};

impl Run<'_> {
    pub(super) fn splat(
        &mut self,
        source: &Expr,
        each: &Expr,
        marker_span: Span,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        let before = self.errors();
        let value = self.eval(source, frame);
        if self.errors() > before {
            return Value::dynamic();
        }
        let result = self.splat_of(value, source, each, marker_span, frame);
        if self.errors() > before {
            Value::unknown(result.ty()).with_marks(result.marks())
        } else {
            result
        }
    }

    fn splat_of(
        &mut self,
        value: Value,
        source: &Expr,
        each: &Expr,
        marker_span: Span,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        let (value, marks) = value.unmark();
        match value.kind() {
            Kind::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                self.error_about(source, frame, || {
                    Diagnostic::error(
                        "splat-of-null",
                        "Splat of null value",
                        "Splat expressions (with the * symbol) cannot be applied to null sequences.",
                    )
                    .at(source.span)
                    .within(source.span.to(marker_span))
                });
                Value::dynamic()
            }
            Kind::Null(_) => Value::tuple([]).with_marks(marks),
            Kind::Unknown(unknown) => self.unknown_splat(&value, &unknown.0, marks, each, frame),
            Kind::Tuple(items) => {
                Value::tuple(self.splat_items(items, each, frame)).with_marks(marks)
            }
            Kind::List(element, items) | Kind::Set(element, items) => {
                if items.is_empty() {
                    let item = self.item_type(element, each, frame);
                    return Value::list(item, []).with_marks(marks);
                }
                list_of(self.splat_items(items, each, frame)).with_marks(marks)
            }
            _ => Value::tuple(self.splat_items(&[value], each, frame)).with_marks(marks),
        }
    }

    fn splat_items(
        &mut self,
        items: &[Value],
        each: &Expr,
        frame: Option<&Frame<'_>>,
    ) -> Vec<Value> {
        items
            .iter()
            .map(|item| self.eval(each, Some(&Frame::with_item(frame, item.clone()))))
            .collect()
    }

    fn item_type(&mut self, element: &Type, each: &Expr, frame: Option<&Frame<'_>>) -> Type {
        let item = Frame::with_item(frame, Value::unknown(element.clone()));
        self.quietly(|run| run.eval(each, Some(&item))).0.ty()
    }

    fn unknown_splat(
        &mut self,
        value: &Value,
        ty: &Type,
        marks: Marks,
        each: &Expr,
        frame: Option<&Frame<'_>>,
    ) -> Value {
        match ty {
            Type::Dynamic => {
                self.item_type(&Type::Dynamic, each, frame);
                dynamic_with(marks)
            }
            Type::List(element) | Type::Set(element) => {
                let item = Value::unknown((**element).clone());
                let ty = self.eval(each, Some(&Frame::with_item(frame, item))).ty();
                Value::unknown(Type::list(ty))
                    .refine_not_null()
                    .with_marks(marks)
            }
            Type::Tuple(elements) => {
                let items: Vec<Value> = elements.iter().cloned().map(Value::unknown).collect();
                let types = self
                    .splat_items(&items, each, frame)
                    .into_iter()
                    .map(|item| item.ty());
                Value::unknown(Type::tuple(types))
                    .refine_not_null()
                    .with_marks(marks)
            }
            _ if value.is_definitely_not_null() => {
                Value::tuple(self.splat_items(std::slice::from_ref(value), each, frame))
                    .with_marks(marks)
            }
            // Whether it will be null, which gives no element, or not, which gives one, is not known.
            _ => {
                self.splat_items(std::slice::from_ref(value), each, frame);
                dynamic_with(marks)
            }
        }
    }
}

/// A list of what each element gave; where the types differ, what is not known yet decides.
fn list_of(items: Vec<Value>) -> Value {
    let ty = items[0].ty();
    if items.iter().all(|item| item.has_type(&ty)) {
        return Value::list(ty, items);
    }
    let types: Vec<Type> = items.iter().map(Value::ty).collect();
    if types.iter().any(Type::has_dynamic) {
        Value::dynamic()
    } else {
        Value::tuple(items)
    }
}

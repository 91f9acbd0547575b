//! Sequences made from sequences.

use terrace_value::convert::{convert, unify_unsafe};
use terrace_value::{Kind, Marks, Number, Type, Value, ops};

use super::length_of;
use crate::spec::{any, gives_first, gives_strings, number, parameter};
use crate::support::{BlameArgument, elements_of, equal, integer_of, known_length, number_of};
use crate::{CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "chunklist",
            "The list cut into lists of a length, of which the last may be shorter.",
            [
                parameter("list", "The list to cut.", Type::list(Type::Dynamic)).marked(),
                number("size", "The length of the parts.").marked(),
            ],
            |arguments| Ok(Type::list(arguments[0].ty())),
            chunklist,
        ),
        Function::new(
            "compact",
            "The strings of a list that are neither null nor empty.",
            [parameter("list", "", Type::list(Type::String))],
            gives_strings,
            compact,
        ),
        Function::new("concat", "The elements of all lists, one list after the other.", [], concat_type, concat)
            .with_variadic(any("seqs", "").marked()),
        Function::new(
            "distinct",
            "The elements of a list, each only where it comes first.",
            [parameter("list", "", Type::list(Type::Dynamic))],
            gives_first,
            distinct,
        ),
        Function::new(
            "flatten",
            "A tuple of the elements of a list, those of lists within it included.",
            [any("list", "").marked()],
            flatten_type,
            flatten,
        ),
        Function::new(
            "range",
            "The numbers from a start (0) up to a limit, by a step (1 or -1): `range(limit)`, `range(start, limit)`, \
             `range(start, limit, step)`.",
            [],
            |_| Ok(Type::list(Type::Number)),
            range,
        )
        .with_variadic(number("params", "")),
        Function::new(
            "reverse",
            "The elements in reverse order.",
            [any("list", "").marked()],
            reverse_type,
            reverse,
        ),
        Function::new(
            "slice",
            "The elements from a first up to, and without, a last index.",
            [any("list", "").marked(), number("start_index", ""), number("end_index", "")],
            slice_type,
            slice,
        ),
    ]
}

fn chunklist(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let (list, list_marks) = arguments[0].clone().unmark();
    let (size, size_marks) = arguments[1].clone().unmark();
    let size =
        integer_of(&size).map_err(|message| CallError::call(format!("invalid size: {message}")))?;
    let size =
        usize::try_from(size).map_err(|_| CallError::call("the size argument must be positive"))?;
    let items = elements_of(&list);
    let element = list.ty().element().cloned().unwrap_or(Type::Dynamic);
    let chunks: Vec<Value> = if size == 0 && !items.is_empty() {
        vec![list]
    } else {
        items
            .chunks(size.max(1))
            .map(|chunk| Value::list(element.clone(), chunk.to_vec()))
            .collect()
    };
    let inner = result.element().cloned().unwrap_or(Type::Dynamic);
    // An empty list gives an empty list of lists.
    Ok(Value::list(inner, chunks).with_marks(list_marks | size_marks))
}

fn compact(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    if !arguments[0].is_wholly_known() {
        return Ok(Value::unknown(result.clone()));
    }
    let kept = elements_of(&arguments[0])
        .into_iter()
        .filter(|item| item.as_str().is_some_and(|text| !text.is_empty()));
    Ok(Value::list(Type::String, kept))
}

fn concat_type(arguments: &[Value]) -> Result<Type, CallError> {
    if arguments.is_empty() {
        return Err(CallError::call("at least one argument is required"));
    }
    let types: Vec<Type> = arguments.iter().map(Value::ty).collect();
    if types.iter().all(|ty| matches!(ty, Type::List(_))) {
        if let Some(common) = unify_unsafe(&types) {
            return Ok(common);
        }
    }
    let mut elements = Vec::new();
    for (index, (argument, ty)) in arguments.iter().zip(&types).enumerate() {
        match ty {
            Type::Tuple(items) => elements.extend(items.iter().cloned()),
            Type::List(_) if !argument.is_known() => return Ok(Type::Dynamic),
            Type::List(element) => {
                elements.extend(std::iter::repeat_n(
                    (**element).clone(),
                    length_of(argument),
                ));
            }
            _ => {
                let message = format!(
                    "all arguments must be lists or tuples; got {}",
                    ty.friendly_name()
                );
                return Err(CallError::argument(index, message));
            }
        }
    }
    Ok(Type::tuple(elements))
}

fn concat(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let mut marks = Marks::NONE;
    let mut items = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        let argument = if matches!(result, Type::List(_)) {
            convert(argument, result).map_err(|error| CallError::argument(index, error.message))?
        } else {
            argument.clone()
        };
        marks |= argument.marks();
        items.extend(elements_of(&argument));
    }
    let value = match result.element() {
        Some(element) => Value::list(element.clone(), items),
        None => Value::tuple(items),
    };
    Ok(value.with_marks(marks))
}

fn distinct(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    if !arguments[0].is_wholly_known() {
        return Ok(Value::unknown(result.clone()));
    }
    let items = elements_of(&arguments[0]);
    let mut seen = std::collections::HashSet::new();
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        // Equal values of unlike types (in lists of any type) have to be compared; others are found by their hash.
        let is_new = if result.has_dynamic() {
            !kept.iter().any(|known| equal(known, &item) == Some(true))
        } else {
            seen.insert(item.clone())
        };
        if is_new {
            kept.push(item);
        }
    }
    Ok(Value::list(
        result.element().cloned().unwrap_or(Type::Dynamic),
        kept,
    ))
}

/// The flattened elements, `None` if their number is not known, and the marks of all that was flattened.
fn flattened(sequence: &Value, out: &mut Vec<Value>, marks: &mut Marks) -> bool {
    *marks |= sequence.marks();
    if known_length(sequence).is_none() {
        return false;
    }
    let mut known = true;
    for item in elements_of(sequence) {
        let is_sequence =
            matches!(item.ty(), Type::List(_) | Type::Set(_) | Type::Tuple(_)) && !item.is_null();
        match item.kind() {
            Kind::Unknown(unknown) if unknown.0 == Type::Dynamic => known = false,
            Kind::Unknown(_) if is_sequence => {
                *marks |= item.marks();
                known = false;
            }
            _ if is_sequence => known &= flattened(&item, out, marks),
            _ => out.push(item),
        }
    }
    known
}

fn flatten_type(arguments: &[Value]) -> Result<Type, CallError> {
    let list = &arguments[0];
    if !list.is_wholly_known() {
        return Ok(Type::Dynamic);
    }
    if !matches!(list.ty(), Type::List(_) | Type::Set(_) | Type::Tuple(_)) {
        return Err(CallError::call("can only flatten lists, sets and tuples"));
    }
    let mut items = Vec::new();
    flattened(list, &mut items, &mut Marks::default());
    Ok(Type::tuple(items.iter().map(Value::ty)))
}

fn flatten(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let mut items = Vec::new();
    let mut marks = Marks::NONE;
    let known = flattened(&arguments[0], &mut items, &mut marks);
    let value = if known {
        Value::tuple(items)
    } else {
        Value::unknown(result.clone())
    };
    Ok(value.with_marks(marks))
}

const MOST_NUMBERS: usize = 1024;

fn range(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let step_towards =
        |start: &Number, end: &Number| Number::from(if end < start { -1_i64 } else { 1 });
    let zero = Number::ZERO;
    let (start, end, step) = match arguments {
        [end] => (
            zero.clone(),
            number_of(end).clone(),
            step_towards(&zero, number_of(end)),
        ),
        [start, end] => {
            let (start, end) = (number_of(start), number_of(end));
            (start.clone(), end.clone(), step_towards(start, end))
        }
        [start, end, step] => (
            number_of(start).clone(),
            number_of(end).clone(),
            number_of(step).clone(),
        ),
        _ => return Err(CallError::call("must have one, two, or three arguments")),
    };
    let down = step.is_negative();
    if down && end > start {
        return Err(CallError::argument(
            1,
            "end must be less than start when step is negative",
        ));
    }
    if !down && end < start {
        return Err(CallError::argument(
            1,
            "end must be greater than start when step is positive",
        ));
    }
    let mut numbers = Vec::new();
    let mut next = Value::number(start);
    while if down {
        *number_of(&next) > end
    } else {
        *number_of(&next) < end
    } {
        if numbers.len() >= MOST_NUMBERS {
            return Err(CallError::call(
                "more than 1024 values were generated; either decrease the difference between start and end or use a \
                 smaller step",
            ));
        }
        numbers.push(next.clone());
        next = ops::add(&next, &Value::number(step.clone()))
            .map_err(|error| CallError::call(error.to_string()))?;
    }
    Ok(Value::list(Type::Number, numbers))
}

fn reverse_type(arguments: &[Value]) -> Result<Type, CallError> {
    match arguments[0].ty() {
        Type::Tuple(items) => Ok(Type::tuple(items.iter().rev().cloned())),
        Type::List(element) | Type::Set(element) => Ok(Type::List(element)),
        other => {
            let message = format!(
                "can only reverse list or tuple values, not {}",
                other.friendly_name()
            );
            Err(CallError::argument(0, message))
        }
    }
}

fn reverse(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let mut items = elements_of(&arguments[0]);
    items.reverse();
    Ok(sequence_like(result, items).with_marks(arguments[0].marks()))
}

/// A list or tuple, as the type says.
fn sequence_like(ty: &Type, items: Vec<Value>) -> Value {
    match ty.element() {
        Some(element) => Value::list(element.clone(), items),
        None => Value::tuple(items),
    }
}

/// First and last index, `None` for what is not known.
fn slice_bounds(arguments: &[Value]) -> Result<(Option<usize>, Option<usize>), CallError> {
    let length = known_length(&arguments[0]);
    let bound = |index: usize, what: &str| -> Result<Option<usize>, CallError> {
        if !arguments[index].is_known() {
            return Ok(None);
        }
        let value = integer_of(&arguments[index])
            .map_err(|message| format!("invalid {what} index: {message}"))
            .blame(index)?;
        let value = usize::try_from(value).map_err(|_| {
            CallError::argument(index, format!("{what} index must not be less than zero"))
        })?;
        if length.is_some_and(|length| value > length) {
            let message = format!("{what} index must not be greater than the length of the list");
            return Err(CallError::argument(index, message));
        }
        Ok(Some(value))
    };
    let (start, end) = (bound(1, "start")?, bound(2, "end")?);
    if let (Some(start), Some(end)) = (start, end) {
        if start > end {
            return Err(CallError::argument(
                1,
                "start index must not be greater than end index",
            ));
        }
    }
    Ok((start, end))
}

fn slice_type(arguments: &[Value]) -> Result<Type, CallError> {
    let ty = arguments[0].ty();
    if matches!(ty, Type::Set(_)) {
        let message = "cannot slice a set, because its elements do not have indices; explicitly convert to a list if \
                       the ordering of the result is not important";
        return Err(CallError::argument(0, message));
    }
    if !matches!(ty, Type::List(_) | Type::Tuple(_)) {
        return Err(CallError::argument(0, "must be a list or tuple value"));
    }
    let bounds = slice_bounds(arguments)?;
    match (&ty, bounds) {
        (Type::Tuple(items), (Some(start), Some(end))) => {
            Ok(Type::tuple(items[start..end].iter().cloned()))
        }
        (Type::Tuple(_), _) => Ok(Type::Dynamic),
        _ => Ok(ty),
    }
}

fn slice(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let (Some(start), Some(end)) = slice_bounds(arguments)? else {
        return Ok(Value::unknown(result.clone()).with_marks(arguments[0].marks()));
    };
    let items = elements_of(&arguments[0]);
    Ok(sequence_like(result, items[start..end].to_vec()).with_marks(arguments[0].marks()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    #[test]
    fn cutting_and_joining() {
        check(&[
            (
                "chunklist",
                r#"[["a", "b", "c"], 2]"#,
                r#"[["a","b"],["c"]]"#,
            ),
            ("chunklist", r#"[["a"], 0]"#, r#"[["a"]]"#),
            ("chunklist", r#"[[], 2]"#, "[]"),
            (
                "chunklist",
                r#"[["a"], -1]"#,
                "! the size argument must be positive",
            ),
            ("compact", r#"[["a", "", "b", null]]"#, r#"["a","b"]"#),
            ("concat", r#"[[1], ["a"], []]"#, r#"[1,"a"]"#),
            (
                "concat",
                r#"["a"]"#,
                "!0 all arguments must be lists or tuples; got string",
            ),
            ("distinct", r#"[["a", "b", "a"]]"#, r#"["a","b"]"#),
            (
                "flatten",
                r#"[[["a", ["b", ["c"]]], "d"]]"#,
                r#"["a","b","c","d"]"#,
            ),
            (
                "flatten",
                r#"["x"]"#,
                "! can only flatten lists, sets and tuples",
            ),
            ("reverse", "[[1, 2, 3]]", "[3,2,1]"),
            (
                "reverse",
                r#"["abc"]"#,
                "!0 can only reverse list or tuple values, not string",
            ),
            ("slice", r#"[["a", "b", "c", "d"], 1, 3]"#, r#"["b","c"]"#),
            (
                "slice",
                r#"[["a"], 0, 2]"#,
                "!2 end index must not be greater than the length of the list",
            ),
            (
                "slice",
                r#"[["a", "b"], 1, 0]"#,
                "!1 start index must not be greater than end index",
            ),
        ]);
    }

    #[test]
    fn ranges() {
        check(&[
            ("range", "[3]", "[0,1,2]"),
            ("range", "[4, 1]", "[4,3,2]"),
            ("range", "[10, 5, -2]", "[10,8,6]"),
            ("range", "[0, 1, 0.25]", "[0,0.25,0.5,0.75]"),
            ("range", "[0]", "[]"),
            (
                "range",
                "[1, 5, -1]",
                "!1 end must be less than start when step is negative",
            ),
            (
                "range",
                "[1, 2, 0]",
                "! more than 1024 values were generated; either decrease the difference between start and end or use a \
                 smaller step",
            ),
        ]);
    }

    #[test]
    fn marks_stay_where_they_are() {
        let list = Value::tuple([Value::from("a").sensitive(), Value::from("b")]);
        let result = call(
            "concat",
            &[list.clone(), Value::tuple([Value::from("c")]).sensitive()],
        )
        .unwrap();
        assert!(result.is_sensitive());
        let result = call("reverse", &[list]).unwrap();
        assert!(!result.is_sensitive());
        assert!(
            result
                .as_sequence()
                .is_some_and(|items| items[1].is_sensitive())
        );
    }

    #[test]
    fn unknown_elements() {
        let nested = Value::tuple([
            Value::unknown(Type::String),
            Value::unknown(Type::list(Type::String)),
        ]);
        assert_eq!(call("flatten", &[nested]), Ok(Value::dynamic()));
        let slice = call(
            "slice",
            &[
                Value::tuple([Value::TRUE]),
                Value::int(0),
                Value::unknown(Type::Number),
            ],
        )
        .unwrap();
        assert_eq!(slice, Value::dynamic());
    }
}

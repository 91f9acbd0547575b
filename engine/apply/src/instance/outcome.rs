//! What became of an object.

use std::sync::Arc;

use terrace_diag::Diagnostics;
use terrace_instances::write_only_answers;
use terrace_port::ApplyResponse;
use terrace_state::{Object, ObjectStatus};
use terrace_value::{Kind, Marks, Path, Type, Value};

use super::{Subject, mark};

/// What became of an object that a provider was asked to change.
pub(crate) struct ObjectOutcome {
    /// The object now; `None` when there is none.
    pub(crate) object: Option<Arc<Object>>,
    /// Its value with marks; null when there is none.
    pub(crate) value: Value,
    /// Whether the change failed.
    pub(crate) failed: bool,
    /// Whether the provider was lost, so that nobody knows what became of the object.
    pub(crate) uncertain: bool,
    /// What there is to say.
    pub(crate) diagnostics: Diagnostics,
}

/// What an answer is judged against.
pub(crate) struct Expected<'a> {
    /// The object before, and its value with marks; `None` for a creation.
    pub(crate) prior: Option<(&'a Arc<Object>, &'a Value)>,
    /// The planned value, without marks.
    pub(crate) planned: &'a Value,
    /// The marks that the configuration puts on it.
    pub(crate) marks: &'a [(Path, Marks)],
    /// What the object to store has beside attributes.
    pub(crate) base: &'a Object,
}

/// Judges what a provider answered to a creation or an update, and says what to keep.
pub(crate) fn judge(
    subject: &Subject,
    expected: &Expected<'_>,
    mut response: ApplyResponse,
    failed: bool,
    mut diagnostics: Diagnostics,
) -> ObjectOutcome {
    let block = &subject.schema.block;
    let kept = |diagnostics| ObjectOutcome {
        object: expected.prior.map(|(object, _)| object.clone()),
        value: expected.prior.map_or_else(
            || Value::null(block.implied_type()),
            |(_, value)| value.clone(),
        ),
        failed: true,
        uncertain: false,
        diagnostics,
    };
    if let Err(problem) = terrace_schema::assert_conforms(block, &response.state) {
        let what = format!(
            "Provider {} produced an invalid value after apply for {}. The result cannot not be saved in the Terrace state: {problem}.",
            subject.provider_name(),
            subject.address
        );
        diagnostics.push(subject.broken_contract("Provider produced invalid object", &what));
        return kept(diagnostics);
    }
    if failed && response.state.is_null() {
        return kept(diagnostics);
    }
    let mut failed = failed;
    let before = diagnostics.len();
    let identity = subject.checked_identity(response.identity, false, &mut diagnostics);
    failed |= diagnostics.len() > before;
    for leak in write_only_answers(&subject.address, block, &response.state, "after apply") {
        let what = format!("Provider {} {leak}.", subject.provider_name());
        diagnostics.push(subject.broken_contract("Provider produced invalid object", &what));
        failed = true;
    }
    if !response.state.is_wholly_known() {
        let (known, unknown) = without_unknowns(&response.state);
        let place = unknown.first().map(ToString::to_string).unwrap_or_default();
        let detail = format!(
            "After the apply operation, the provider still indicated an unknown value for {}{place}. All values must be known after apply, so this is always a bug in the provider and should be reported in the provider's own repository. Terrace will still save the other known object values in the state.",
            subject.address
        );
        diagnostics.push(subject.error(
            "provider-contract",
            "Provider returned invalid result object after apply",
            detail,
        ));
        response.state = known;
        failed = true;
    } else if !failed && !response.legacy_type_system {
        let problems =
            terrace_schema::assert_object_compatible(block, expected.planned, &response.state);
        for problem in &problems {
            let what = format!(
                "When applying changes to {}, provider {} produced an unexpected new value: {problem}.",
                subject.address,
                subject.provider_name()
            );
            diagnostics.push(
                subject.broken_contract("Provider produced inconsistent result after apply", &what),
            );
        }
        failed = !problems.is_empty();
    }
    if response.state.is_null() {
        return ObjectOutcome {
            object: None,
            value: response.state,
            failed,
            uncertain: false,
            diagnostics,
        };
    }
    let status = match expected.prior {
        None if failed => ObjectStatus::Tainted,
        Some((prior, _)) if failed => prior.status,
        _ => ObjectStatus::Ready,
    };
    let state = terrace_schema::without_write_only(block, &response.state);
    let value = mark(&state, block, expected.marks);
    let base = Object {
        private: response.private,
        status,
        identity: identity
            .and_then(|identity| subject.encoded_identity(&identity))
            .or_else(|| expected.base.identity.clone()),
        ..expected.base.clone()
    };
    ObjectOutcome {
        object: Some(subject.encode(&value, base)),
        value,
        failed,
        uncertain: false,
        diagnostics,
    }
}

/// The value with nulls where it is not known, and where that is.
fn without_unknowns(value: &Value) -> (Value, Vec<Path>) {
    let mut paths = Vec::new();
    let known = replace_unknowns(value, &mut Path::root(), &mut paths);
    (known, paths)
}

fn replace_unknowns(value: &Value, path: &mut Path, paths: &mut Vec<Path>) -> Value {
    let mut items = |items: &[Value], path: &mut Path| -> Vec<Value> {
        let enumerated = (0..).zip(items);
        enumerated
            .map(|(index, item)| {
                path.0
                    .push(terrace_value::PathStep::Index(Value::int(index)));
                let known = replace_unknowns(item, path, paths);
                path.0.pop();
                known
            })
            .collect()
    };
    match value.kind() {
        Kind::Unknown(unknown) => {
            paths.push(path.clone());
            let ty = if unknown.0 == Type::Dynamic {
                Type::Dynamic
            } else {
                unknown.0.clone()
            };
            Value::null(ty)
        }
        Kind::List(ty, list) => Value::list(ty.clone(), items(list, path)),
        Kind::Set(ty, set) => Value::set(ty.clone(), items(set, path)),
        Kind::Tuple(tuple) => Value::tuple(items(tuple, path)),
        Kind::Map(ty, entries) => {
            let known = entries.iter().map(|(key, item)| {
                path.0
                    .push(terrace_value::PathStep::Index(Value::string(key.clone())));
                let known = replace_unknowns(item, path, paths);
                path.0.pop();
                (key.clone(), known)
            });
            Value::map(ty.clone(), known.collect::<Vec<_>>())
        }
        Kind::Object(entries) => {
            let known = entries.iter().map(|(key, item)| {
                path.0.push(terrace_value::PathStep::Attribute(key.clone()));
                let known = replace_unknowns(item, path, paths);
                path.0.pop();
                (key.clone(), known)
            });
            Value::object(known.collect::<Vec<_>>())
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_parts_become_null_and_are_named() {
        let value = Value::object([
            ("a", Value::int(1)),
            (
                "b",
                Value::list(
                    Type::String,
                    [Value::string("x"), Value::unknown(Type::String)],
                ),
            ),
        ]);
        let (known, paths) = without_unknowns(&value);
        assert!(known.is_wholly_known());
        assert_eq!(
            paths.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [".b[1]"]
        );
        assert_eq!(known.get("a"), Some(&Value::int(1)));
    }
}

//! 732 expressions of known values: type and JSON of the value, or the errors with their places.

use std::sync::Arc;

use terrace_addr::ModuleInstance;
use terrace_config::Config;
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_functions::FunctionTable;
use terrace_value::{Marks, Value, json, msgpack};

use crate::evaluation::{Phase, output};
use crate::{corpus, summaries};

const VALUES: usize = 557;
const ERRORS: usize = 175;
/// How many values must have the reference's type and text.
const VALUES_FLOOR: usize = 557;
/// How many expressions that the reference refuses must be refused with the same summaries.
const SUMMARIES_FLOOR: usize = 174;
/// How many of those must be alike in every word and place.
const ERRORS_FLOOR: usize = 170;

/// What Terrace makes of an expression, in the corpus's own form.
fn answer(expression: &str, functions: &Arc<FunctionTable>) -> serde_json::Value {
    let text = format!("output \"v\" {{\n  value = {expression}\n}}\n");
    let files = [("main.tf", text)];
    let (given, config, diagnostics) =
        output(&files, &ModuleInstance::root(), Phase::Applying, functions);
    if diagnostics.has_errors() {
        return errors(&config, &diagnostics);
    }
    value(&given)
}

fn value(value: &Value) -> serde_json::Value {
    let (plain, marks) = value.unmark_deep();
    if plain.is_null() {
        return serde_json::json!({ "null": true });
    }
    let ty = plain.ty();
    // A plan carries values in MessagePack, where what stays unknown is null and zero has no sign.
    let plain = msgpack::encode(&plain, &ty)
        .and_then(|bytes| msgpack::decode(&bytes, &ty))
        .unwrap_or(plain);
    let plain = if plain.is_known() {
        plain
    } else {
        Value::null(ty.clone())
    };
    let mut answer = serde_json::Map::new();
    let text = json::encode_type(&ty);
    answer.insert(
        "type".into(),
        serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text)),
    );
    let encoded = json::encode(&plain, &ty).unwrap_or_else(|error| format!("no JSON: {error}"));
    answer.insert("value_json".into(), encoded.into());
    if marks.contains(Marks::SENSITIVE) {
        answer.insert("sensitive".into(), true.into());
    }
    answer.into()
}

fn errors(config: &Config, diagnostics: &Diagnostics) -> serde_json::Value {
    let mut list: Vec<serde_json::Value> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .map(|error| told(config, error))
        .collect();
    list.sort_by_key(ToString::to_string);
    serde_json::json!({ "errors": list })
}

fn told(config: &Config, diagnostic: &Diagnostic) -> serde_json::Value {
    let range = diagnostic.subject.and_then(|span| {
        let file = config.sources.get(span.source)?;
        let (start, end) = (file.position(span.start), file.position(span.end));
        Some(serde_json::json!({ "start": [start.line, start.column], "end": [end.line, end.column] }))
    });
    serde_json::json!({ "summary": diagnostic.summary, "detail": diagnostic.detail, "range": range })
}

/// The reference's answer in the same form, with this product's name.
fn wanted(mut case: serde_json::Value) -> serde_json::Value {
    if let Some(fields) = case.as_object_mut() {
        fields.remove("expr");
        if let Some(serde_json::Value::Array(errors)) = fields.get_mut("errors") {
            for error in errors.iter_mut() {
                let detail = error["detail"]
                    .as_str()
                    .unwrap_or_default()
                    .replace("Terraform", "Terrace");
                error["detail"] = detail.into();
            }
            errors.sort_by_key(ToString::to_string);
        }
    }
    case
}

#[test]
fn answers_the_expression_corpus() {
    let functions = Arc::new(FunctionTable::standard());
    let (mut values, mut refusals) = (0, 0);
    let (mut values_alike, mut summaries_alike, mut errors_alike) = (0, 0, 0);
    for case in corpus("expressions.jsonl") {
        let expression = case["expr"]
            .as_str()
            .expect("a case has an expression")
            .to_owned();
        let (wanted, given) = (wanted(case), answer(&expression, &functions));
        let alike = wanted == given;
        if wanted.get("errors").is_some() {
            refusals += 1;
            errors_alike += usize::from(alike);
            summaries_alike += usize::from(summaries(&wanted) == summaries(&given));
        } else {
            values += 1;
            values_alike += usize::from(alike);
        }
        if !alike {
            println!("{expression}\n  reference: {wanted}\n  terrace:   {given}");
        }
    }
    println!("expression corpus, values and types: {values_alike} of {values}");
    println!("expression corpus, error summaries: {summaries_alike} of {refusals}");
    println!("expression corpus, errors in every word and place: {errors_alike} of {refusals}");
    assert_eq!((values, refusals), (VALUES, ERRORS));
    assert!(values_alike >= VALUES_FLOOR, "{values_alike} values");
    assert!(
        summaries_alike >= SUMMARIES_FLOOR,
        "{summaries_alike} summaries"
    );
    assert!(errors_alike >= ERRORS_FLOOR, "{errors_alike} errors");
}

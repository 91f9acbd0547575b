//! Expressions of values that are not known while planning, of secrets, and of both: what is known of the result.
//!
//! Each was asked as an output of the module `unknowns/m`, and the answer taken from the plan.

use std::sync::Arc;

use terrace_addr::ModuleInstance;
use terrace_functions::FunctionTable;
use terrace_value::{Kind, Number, Refinements, Type, Value, json, msgpack};

use crate::evaluation::{Phase, errors, output};
use crate::{corpus, summaries};

/// How many must be answered as the reference does.
const FLOOR: usize = 1403;
const CASES: usize = 1414;

const ROOT: &str = include_str!("../../unknowns/main.tf");
const VARIABLES: &str = include_str!("../../unknowns/m/variables.tf");

/// A value in one line of text, with what is known of its unknown parts.
fn written(value: &Value) -> String {
    let all = |values: &mut dyn Iterator<Item = &Value>| {
        values.map(written).collect::<Vec<_>>().join(", ")
    };
    match value.kind() {
        Kind::Unknown(unknown) => written_unknown(&unknown.1),
        Kind::Null(_) => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) => number.to_string(),
        Kind::String(text) => format!("{text:?}"),
        Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
            format!("[{}]", all(&mut items.iter()))
        }
        Kind::Map(_, entries) | Kind::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{key:?}: {}", written(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn written_unknown(known: &Refinements) -> String {
    let mut facts = Vec::new();
    if known.not_null {
        facts.push("not null".to_owned());
    }
    facts.extend(
        known
            .prefix
            .as_ref()
            .map(|prefix| format!("begins with {prefix:?}")),
    );
    let bound = |bound: &Option<(Number, bool)>, including: &str, excluding: &str| {
        bound.as_ref().map(|(number, inclusive)| {
            let sign = if *inclusive { including } else { excluding };
            format!("{sign} {number}")
        })
    };
    facts.extend(bound(&known.min, ">=", ">"));
    facts.extend(bound(&known.max, "<=", "<"));
    facts.extend(known.min_length.map(|length| format!("length >= {length}")));
    facts.extend(known.max_length.map(|length| format!("length <= {length}")));
    format!("unknown({})", facts.join(", "))
}

/// What Terrace makes of an expression, in the corpus's own form.
fn answer(expression: &str, functions: &Arc<FunctionTable>) -> serde_json::Value {
    let text = format!("{VARIABLES}\noutput \"v\" {{\n  value = {expression}\n}}\n");
    let files = [("main.tf", ROOT.to_owned()), ("m/main.tf", text)];
    let module = ModuleInstance::root().child("m", None);
    let (value, _, diagnostics) = output(&files, &module, Phase::Planning, functions);
    if diagnostics.has_errors() {
        let told: Vec<serde_json::Value> = errors(&diagnostics)
            .into_iter()
            .map(|error| serde_json::json!({ "summary": error.summary, "detail": error.detail }))
            .collect();
        return serde_json::json!({ "errors": told });
    }
    let plain = value.unmark_deep().0;
    // A plan carries values in MessagePack, where zero has no sign.
    let plain = msgpack::encode(&plain, &Type::Dynamic)
        .and_then(|bytes| msgpack::decode(&bytes, &Type::Dynamic))
        .unwrap_or(plain);
    if plain.is_null() {
        return serde_json::json!({ "type": "dynamic", "value": "null" });
    }
    let ty: serde_json::Value =
        serde_json::from_str(&json::encode_type(&plain.ty())).expect("a type is JSON");
    serde_json::json!({ "type": ty, "value": written(&plain) })
}

/// The reference's answer, with this product's name.
fn wanted(mut case: serde_json::Value) -> serde_json::Value {
    if let Some(fields) = case.as_object_mut() {
        fields.remove("expr");
    }
    if let Some(errors) = case
        .get_mut("errors")
        .and_then(|errors| errors.as_array_mut())
    {
        for error in errors.iter_mut() {
            let detail = error["detail"].as_str().unwrap_or_default();
            error["detail"] = detail.replace("Terraform", "Terrace").into();
        }
        let key =
            |error: &serde_json::Value| (error["summary"].to_string(), error["detail"].to_string());
        errors.sort_by_key(key);
    }
    case
}

#[test]
fn answers_the_corpus_of_unknown_values() {
    let functions = Arc::new(FunctionTable::standard());
    let (mut cases, mut alike, mut summaries_differ) = (0, 0, 0);
    for case in corpus("unknowns.jsonl") {
        let expression = case["expr"]
            .as_str()
            .expect("a case has an expression")
            .to_owned();
        let (wanted, given) = (wanted(case), answer(&expression, &functions));
        cases += 1;
        if wanted == given {
            alike += 1;
        } else {
            summaries_differ += usize::from(summaries(&wanted) != summaries(&given));
            println!("{expression}\n  reference: {wanted}\n  terrace:   {given}");
        }
    }
    println!("corpus of unknown values: {alike} of {cases} ({summaries_differ} refused otherwise)");
    assert_eq!(cases, CASES);
    assert!(alike >= FLOOR, "only {alike} of {cases}");
}

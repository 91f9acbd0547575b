//! The reference's answers to 732 expressions: type and JSON of the value, or the errors with their places.

#![expect(
    clippy::disallowed_methods,
    reason = "the corpus is read from the repository's own files"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{AbsNamed, ModuleInstance};
use terrace_config::{Config, Snapshot, SnapshotFile, load_snapshot};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::{Evaluator, Inputs, NoValues, Paths, Schemas};
use terrace_functions::{Context, FileError, FunctionTable};
use terrace_value::{Marks, Value, json, msgpack};

const CASES: usize = 732;
/// How many must be answered exactly as the reference does.
const FLOOR: usize = 725;

struct NoFiles;

impl Context for NoFiles {
    fn read_file(&self, _: &str) -> Result<Arc<[u8]>, FileError> {
        Err(FileError::NotFound)
    }

    fn list_files(&self, _: &str) -> Result<Vec<String>, FileError> {
        Ok(Vec::new())
    }

    fn file_exists(&self, _: &str) -> Result<bool, FileError> {
        Ok(false)
    }

    fn absolute_path(&self, path: &str) -> String {
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        format!("/{}", parts.join("/"))
    }

    fn home_directory(&self) -> Option<String> {
        Some("/root".into())
    }

    fn timestamp(&self) -> Option<String> {
        Some("2026-11-21T00:00:00Z".into())
    }

    fn plan_timestamp(&self) -> Option<String> {
        self.timestamp()
    }

    fn entropy(&self) -> Option<[u8; 16]> {
        Some([7; 16])
    }
}

fn configuration(expression: &str) -> (Config, Diagnostics) {
    let bytes = format!("output \"v\" {{\n  value = {expression}\n}}\n").into_bytes();
    let snapshot = Snapshot {
        modules: BTreeMap::from([(String::new(), ".".to_owned())]),
        files: vec![SnapshotFile {
            path: "main.tf".into(),
            bytes: bytes.into(),
        }],
    };
    load_snapshot(&snapshot)
}

/// What Terrace makes of an expression, in the corpus's own form.
fn answer(expression: &str, functions: &Arc<FunctionTable>) -> serde_json::Value {
    let (config, diagnostics) = configuration(expression);
    if diagnostics.has_errors() {
        return errors(&config, &diagnostics);
    }
    let config = Arc::new(config);
    let evaluator = Evaluator::new(Inputs {
        config: Arc::clone(&config),
        functions: Arc::clone(functions),
        context: Arc::new(NoFiles),
        schemas: Arc::new(Schemas::new()),
        variables: BTreeMap::new(),
        workspace: "default".into(),
        paths: Paths {
            cwd: "/".into(),
            root: ".".into(),
        },
        applying: false,
    });
    let evaluated = evaluator.output(&AbsNamed::new(ModuleInstance::root(), "v"), &NoValues);
    if evaluated.diagnostics.has_errors() {
        return errors(&config, &evaluated.diagnostics);
    }
    value(&evaluated.value)
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
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/expressions.jsonl");
    let corpus = std::fs::read_to_string(path).expect("the corpus is missing");
    let functions = Arc::new(FunctionTable::standard());
    let (mut cases, mut alike) = (0, 0);
    for line in corpus.lines() {
        let case: serde_json::Value = serde_json::from_str(line).expect("a case is JSON");
        let expression = case["expr"]
            .as_str()
            .expect("a case has an expression")
            .to_owned();
        let (wanted, given) = (wanted(case), answer(&expression, &functions));
        cases += 1;
        if wanted == given {
            alike += 1;
        } else {
            println!("{expression}\n  reference: {wanted}\n  terrace:   {given}");
        }
    }
    println!("expression corpus: {alike} of {CASES}");
    assert_eq!(cases, CASES);
    assert!(
        alike >= FLOOR,
        "only {alike} of {CASES} expressions are answered as the reference does"
    );
}

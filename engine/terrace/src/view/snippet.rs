//! The part of a file that a diagnostic is about, as tools get it.

use serde_json::{Map, Value as Json, json};
use terrace_diag::{Diagnostic, SourceFile, Span, ValueNote};
use terrace_functions::{Function, FunctionTable, Parameter};
use terrace_syntax::{Block, BlockSchema, Body, BodyKind, BodySchema, Item};
use terrace_value::{Type, Value};

/// What a note says in place of an expression when it tells which function was called.
const CALLING: &str = "while calling";

/// Blocks of a configuration and how many labels they have.
const BLOCKS: [(&str, usize); 15] = [
    ("resource", 2),
    ("data", 2),
    ("ephemeral", 2),
    ("variable", 1),
    ("output", 1),
    ("module", 1),
    ("provider", 1),
    ("check", 1),
    ("run", 1),
    ("mock_provider", 1),
    ("locals", 0),
    ("terraform", 0),
    ("moved", 0),
    ("removed", 0),
    ("import", 0),
];

/// The lines around a diagnostic's subject, and where in them the subject stands.
pub(crate) fn snippet_json(diagnostic: &Diagnostic, subject: Span, file: &SourceFile) -> Json {
    let text = file.text();
    let whole = diagnostic
        .context
        .map_or(subject, |context| subject.to(context));
    let clamp = |byte: u32| (byte as usize).min(text.len());
    let (start, end) = (clamp(whole.start), clamp(whole.end).max(clamp(whole.start)));
    let lines = file.position(whole.start).line;
    let begin = text.as_bytes()[..start]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |place| place + 1);
    // A subject that ends with a line end does not reach into the next line.
    let last = end.saturating_sub(1).max(start);
    let stop = text.as_bytes()[last..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(text.len(), |place| last + place);
    let code = text.get(begin..stop.max(begin)).unwrap_or_default();
    let code = code.strip_suffix('\r').unwrap_or(code);
    let from = clamp(subject.start) - begin;
    let to = (clamp(subject.end).saturating_sub(begin)).clamp(from, code.len().max(from));
    let mut snippet = json!({
        "context": header(file, subject.start),
        "code": code,
        "start_line": lines,
        "highlight_start_offset": from,
        "highlight_end_offset": to,
        "values": values(&diagnostic.values),
    });
    let calling = diagnostic
        .values
        .iter()
        .find(|note| note.expression == CALLING);
    if let (Some(note), Some(fields)) = (calling, snippet.as_object_mut()) {
        fields.insert("function_call".to_owned(), call(&note.statement));
    }
    snippet
}

fn values(notes: &[ValueNote]) -> Vec<Json> {
    notes
        .iter()
        .filter(|note| note.expression != CALLING)
        .map(|note| json!({"traversal": note.expression, "statement": note.statement}))
        .collect()
}

/// The function that was called, as `upper(str)` tells it.
fn call(written: &str) -> Json {
    let name = written
        .split_once('(')
        .map_or(written, |(before, _)| before);
    let mut call = Map::new();
    call.insert("called_as".to_owned(), json!(name));
    if let Some(function) = FunctionTable::standard().get(name) {
        call.insert("signature".to_owned(), signature(function));
    }
    Json::Object(call)
}

fn signature(function: &Function) -> Json {
    let parameter =
        |parameter: &Parameter| json!({"name": parameter.name, "type": type_json(&parameter.ty)});
    let unknown: Vec<Value> = function
        .parameters
        .iter()
        .map(|parameter| Value::unknown(parameter.ty.without_optional()))
        .collect();
    let result = (function.result)(&unknown).unwrap_or(Type::Dynamic);
    let mut signature = Map::new();
    signature.insert("name".to_owned(), json!(function.name));
    let parameters: Vec<Json> = function.parameters.iter().map(parameter).collect();
    if !parameters.is_empty() {
        signature.insert("params".to_owned(), json!(parameters));
    }
    if let Some(variadic) = &function.variadic {
        signature.insert("variadic_param".to_owned(), parameter(variadic));
    }
    signature.insert("return_type".to_owned(), type_json(&result));
    Json::Object(signature)
}

fn type_json(ty: &Type) -> Json {
    serde_json::from_str(&terrace_value::json::encode_type(ty)).unwrap_or(Json::Null)
}

/// The outermost block that holds a byte, by its type and labels; null outside of blocks.
fn header(file: &SourceFile, byte: u32) -> Option<String> {
    let source = terrace_diag::SourceId(0);
    let is_json = std::path::Path::new(file.name())
        .extension()
        .is_some_and(|extension| extension == "json");
    let body = if is_json {
        terrace_syntax::parse_json(source, file.text().as_bytes()).0
    } else {
        terrace_syntax::parse(source, file.text().as_bytes()).0
    };
    let block = blocks(&body)
        .into_iter()
        .find(|block| block.header_span.start <= byte && byte <= block.span.end)?;
    let mut header = block.type_name.name.to_string();
    for label in &block.labels {
        header = if is_json {
            format!("{header}.{}", label.text)
        } else {
            format!("{header} {:?}", label.text)
        };
    }
    Some(header)
}

fn blocks(body: &Body) -> Vec<Block> {
    if let BodyKind::Native(items) = &body.kind {
        let block = |item: &Item| match item {
            Item::Block(block) => Some(block.clone()),
            Item::Attribute(_) => None,
        };
        return items.iter().filter_map(block).collect();
    }
    let schema = BodySchema {
        attributes: Vec::new(),
        blocks: BLOCKS
            .iter()
            .map(|(name, labels)| BlockSchema {
                type_name: (*name).into(),
                labels: vec!["name".into(); *labels],
            })
            .collect(),
    };
    body.partial_content(&schema).0.blocks
}

#[cfg(test)]
mod tests {
    use terrace_diag::SourceId;

    use super::*;

    fn snippet(name: &str, text: &str, subject: &str, context: Option<&str>) -> Json {
        let file = SourceFile::new(name, text);
        let span = |part: &str| {
            let start = text.find(part).unwrap();
            Span::new(
                SourceId(0),
                u32::try_from(start).unwrap(),
                u32::try_from(start + part.len()).unwrap(),
            )
        };
        let mut diagnostic = Diagnostic::error("id", "Summary", "").at(span(subject));
        diagnostic.context = context.map(span);
        snippet_json(&diagnostic, span(subject), &file)
    }

    #[test]
    fn the_lines_of_the_context_are_shown_and_the_subject_is_marked_in_bytes() {
        let text = "output \"é\" {\n  value = \"é${upper([\n    1\n  ])}\"\n}\n";
        assert_eq!(
            snippet("main.tf", text, "[", Some("upper([\n    1\n  ])")),
            json!({
                "context": "output \"é\"",
                "code": "  value = \"é${upper([\n    1\n  ])}\"",
                "start_line": 2,
                "highlight_start_offset": 21,
                "highlight_end_offset": 22,
                "values": [],
            })
        );
    }

    #[test]
    fn blocks_of_both_syntaxes_are_named() {
        let header = |name: &str, text: &str| snippet(name, text, "zz", None)["context"].clone();
        assert_eq!(
            header(
                "main.tf",
                "resource \"a\" \"b\" {\n  c {\n    d = zz\n  }\n}\n"
            ),
            "resource \"a\" \"b\""
        );
        assert_eq!(
            header(
                "main.tf.json",
                "{\"resource\": {\"a\": {\"b\": {\"c\": \"${zz}\"}}}}"
            ),
            "resource.a.b"
        );
        assert_eq!(header("main.tf", "a = 1\nzz = 1\n"), Json::Null);
    }

    #[test]
    fn a_failed_call_tells_its_signature() {
        assert_eq!(
            call("upper(str)"),
            json!({
                "called_as": "upper",
                "signature": {
                    "name": "upper",
                    "params": [{"name": "str", "type": "string"}],
                    "return_type": "string",
                },
            })
        );
        assert_eq!(
            call("max(numbers...)")["signature"]["variadic_param"],
            json!({"name": "numbers", "type": "number"})
        );
    }
}

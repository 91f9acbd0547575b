//! The JSON parser: strict JSON with spans, going on after errors.

use std::sync::Arc;

use terrace_diag::{Diagnostic, Diagnostics, SourceId, Span};
use terrace_value::{Number, Text, Value};

use super::{JsonObject, JsonString, JsonValue, Property};
use crate::parser::{Lost, MAX_NESTING, Parsed};
use crate::stack::with_stack;
use crate::suggest::suggestion;
use crate::{Body, BodyKind};

/// After how many errors the rest is not looked at.
const MAX_ERRORS: usize = 50;
const VALUE_STARTS: &str =
    "A JSON value must start with a brace, a bracket, a number, a string, or a keyword.";

struct JsonParser<'a> {
    source: SourceId,
    text: &'a [u8],
    at: usize,
    nesting: u32,
    diagnostics: Diagnostics,
}

/// Parses a file: an object, or an array of objects that together are one body.
pub(crate) fn file(source: SourceId, text: &[u8]) -> (Body, Diagnostics) {
    let mut parser = JsonParser {
        source,
        text,
        at: 0,
        nesting: 0,
        diagnostics: Diagnostics::new(),
    };
    let start = parser.span(0, 0);
    let root = if text.len() >= u32::MAX as usize {
        let detail = "A configuration file must be smaller than 4 GiB.";
        parser
            .diagnostics
            .push(Diagnostic::error("file-too-large", "File too large", detail).at(start));
        JsonValue::Invalid(start)
    } else if let Err(error) = std::str::from_utf8(text) {
        let at = error.valid_up_to();
        let detail = "All input files must be UTF-8 encoded. Ensure that UTF-8 encoding is selected in your editor.";
        parser.report(
            "invalid-encoding",
            "Invalid character encoding",
            detail,
            at,
            at + 1,
        );
        JsonValue::Invalid(start)
    } else {
        parser.root()
    };
    let mut diagnostics = std::mem::take(&mut parser.diagnostics);
    (root_body(&root, start, &mut diagnostics), diagnostics)
}

fn root_body(root: &JsonValue, start: Span, diagnostics: &mut Diagnostics) -> Body {
    let (objects, missing_span): (Vec<JsonObject>, Span) = match root {
        JsonValue::Object(object) => (vec![object.clone()], object.close_span()),
        JsonValue::Array(items, _) => {
            let mut objects = Vec::new();
            for item in items {
                match &**item {
                    JsonValue::Object(object) => objects.push(object.clone()),
                    JsonValue::Invalid(_) => {}
                    other => {
                        let detail =
                            "A JSON object is required here, to define arguments and child blocks.";
                        diagnostics.append(super::wrong_type(detail, other.start_span()));
                    }
                }
            }
            (objects, root.start_span())
        }
        JsonValue::Invalid(_) => (Vec::new(), start),
        other => {
            let detail = "The root value in a JSON-based configuration must be either a JSON object or a JSON array of objects.";
            let diagnostic =
                Diagnostic::error("incorrect-json-type", "Root value must be object", detail);
            diagnostics.push(diagnostic.at(other.start_span()));
            (Vec::new(), start)
        }
    };
    Body {
        kind: BodyKind::Json(objects.into()),
        span: root.span(),
        missing_span,
    }
}

impl JsonParser<'_> {
    fn root(&mut self) -> JsonValue {
        let start = self.position();
        let Ok(value) = self.value() else {
            return JsonValue::Invalid(self.span(start, start));
        };
        if self.peek().is_some() && !self.diagnostics.has_errors() {
            let detail = "Extra characters appear after the JSON value.";
            self.report(
                "extra-characters",
                "Extraneous data after value",
                detail,
                self.at,
                self.at + 1,
            );
        }
        value
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let place = |at: usize| u32::try_from(at.min(self.text.len())).unwrap_or(u32::MAX);
        Span::new(self.source, place(start), place(end))
    }

    fn report(
        &mut self,
        id: &'static str,
        summary: &str,
        detail: impl Into<String>,
        start: usize,
        end: usize,
    ) {
        let span = self.span(start, end);
        self.diagnostics
            .push(Diagnostic::error(id, summary, detail).at(span));
    }

    /// The next byte that is not whitespace, which is passed over.
    fn peek(&mut self) -> Option<u8> {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn position(&mut self) -> usize {
        self.peek();
        self.at
    }

    fn value(&mut self) -> Parsed<JsonValue> {
        let start = self.position();
        let id = "invalid-json-value";
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(JsonValue::String),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9') => self.number(),
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.keyword(),
            found => {
                let (summary, detail) = match found {
                    Some(b'}') => ("Missing JSON value", VALUE_STARTS),
                    Some(b']') => ("Missing array element value", VALUE_STARTS),
                    Some(_) => ("Invalid start of value", VALUE_STARTS),
                    None => ("Missing value", "The JSON data ends prematurely."),
                };
                self.report(id, summary, detail, start, start + 1);
                Err(Lost)
            }
        }
    }

    fn nested(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<JsonValue>) -> Parsed<JsonValue> {
        if self.nesting >= MAX_NESTING {
            let detail = format!(
                "JSON values can nest in each other to {MAX_NESTING} levels, which this exceeds."
            );
            self.report(
                "nested-too-deep",
                "Nested too deeply",
                detail,
                self.at,
                self.at + 1,
            );
            self.at = self.text.len();
            return Err(Lost);
        }
        self.nesting += 1;
        let parsed = with_stack(|| parse(self));
        self.nesting -= 1;
        parsed
    }

    fn object(&mut self) -> Parsed<JsonValue> {
        let open = self.at;
        self.at += 1;
        let mut properties = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(self.finish_object(open, properties));
        }
        loop {
            match self.property() {
                Ok(property) => properties.push(property),
                Err(Lost) => self.skip_to_separator(b'}')?,
            }
            match self.peek() {
                Some(b',') => {
                    let comma = self.at;
                    self.at += 1;
                    if self.peek() == Some(b'}') {
                        let detail = "JSON does not permit a trailing comma after the final property in an object.";
                        self.report(
                            "trailing-comma",
                            "Trailing comma in object",
                            detail,
                            comma,
                            comma + 1,
                        );
                        self.at += 1;
                        return Ok(self.finish_object(open, properties));
                    }
                }
                Some(b'}') => {
                    self.at += 1;
                    return Ok(self.finish_object(open, properties));
                }
                Some(b']') => {
                    let detail = "A JSON object must be closed with a brace, not a bracket.";
                    self.report(
                        "mismatched-brackets",
                        "Mismatched braces",
                        detail,
                        self.at,
                        self.at + 1,
                    );
                    self.at += 1;
                    return Ok(self.finish_object(open, properties));
                }
                None => {
                    let detail = "No closing brace was found for this JSON object.";
                    self.report("unclosed-object", "Unclosed object", detail, open, open + 1);
                    return Err(Lost);
                }
                Some(_) => {
                    let detail =
                        "A comma must appear between each property definition in an object.";
                    self.report(
                        "missing-separator",
                        "Missing attribute separator comma",
                        detail,
                        self.at,
                        self.at + 1,
                    );
                    self.skip_to_separator(b'}')?;
                }
            }
        }
    }

    fn finish_object(&self, open: usize, properties: Vec<Property>) -> JsonValue {
        JsonValue::Object(JsonObject {
            span: self.span(open, self.at),
            properties: properties.into(),
        })
    }

    fn property(&mut self) -> Parsed<Property> {
        let start = self.position();
        let JsonValue::String(name) = self.value()? else {
            let detail = "A JSON object property name must be a string";
            self.report(
                "invalid-property-name",
                "Invalid object property name",
                detail,
                start,
                self.at,
            );
            return Err(Lost);
        };
        let found = self.peek();
        if found != Some(b':') {
            let (summary, detail) = match found {
                Some(b'}' | b',') => (
                    "Missing object value",
                    "A JSON object attribute must have a value, introduced by a colon.",
                ),
                Some(b'=') => (
                    "Missing property value colon",
                    "JSON uses a colon as its name/value delimiter, not an equals sign.",
                ),
                _ => (
                    "Missing property value colon",
                    "A colon must appear between an object property's name and its value.",
                ),
            };
            self.report("missing-value", summary, detail, self.at, self.at + 1);
            return Err(Lost);
        }
        self.at += 1;
        let value = Arc::new(self.value()?);
        Ok(Property { name, value })
    }

    fn array(&mut self) -> Parsed<JsonValue> {
        let open = self.at;
        self.at += 1;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(JsonValue::Array(items, self.span(open, self.at)));
        }
        loop {
            match self.value() {
                Ok(value) => items.push(Arc::new(value)),
                Err(Lost) => self.skip_to_separator(b']')?,
            }
            let found = self.peek();
            let here = self.at;
            match found {
                Some(b',') => {
                    self.at += 1;
                    if self.peek() == Some(b']') {
                        let detail = "JSON does not permit a trailing comma after the final value in an array.";
                        self.report(
                            "trailing-comma",
                            "Trailing comma in array",
                            detail,
                            here,
                            here + 1,
                        );
                        self.at += 1;
                        return Ok(JsonValue::Array(items, self.span(open, self.at)));
                    }
                }
                Some(b']') => {
                    self.at += 1;
                    return Ok(JsonValue::Array(items, self.span(open, self.at)));
                }
                Some(b'}') => {
                    let detail = "A JSON array must be closed with a bracket, not a brace.";
                    self.report(
                        "mismatched-brackets",
                        "Mismatched brackets",
                        detail,
                        here,
                        here + 1,
                    );
                    self.at += 1;
                    return Ok(JsonValue::Array(items, self.span(open, self.at)));
                }
                None => {
                    let detail = "No closing bracket was found for this JSON array.";
                    self.report("unclosed-array", "Unclosed array", detail, open, open + 1);
                    return Err(Lost);
                }
                Some(other) => {
                    let (summary, detail) = if other == b':' {
                        (
                            "Invalid array value",
                            "A colon is not used to introduce values in a JSON array.",
                        )
                    } else {
                        (
                            "Missing attribute separator comma",
                            "A comma must appear between each value in an array.",
                        )
                    };
                    self.report("missing-separator", summary, detail, here, here + 1);
                    self.skip_to_separator(b']')?;
                }
            }
        }
    }

    /// Goes on, after an error, at the next comma or closing bracket of the array or object at hand. There is none
    /// at the end of the text, or when enough errors have been told.
    fn skip_to_separator(&mut self, close: u8) -> Parsed<()> {
        if self.diagnostics.len() >= MAX_ERRORS {
            return Err(Lost);
        }
        let mut open = 0_u32;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'"' => {
                    self.skip_string();
                    continue;
                }
                b'{' | b'[' => open += 1,
                b',' if open == 0 => return Ok(()),
                b'}' | b']' if open == 0 => return if *byte == close { Ok(()) } else { Err(Lost) },
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.at += 1;
        }
        Err(Lost)
    }

    /// Passes over a string: to behind its closing quote, or the end of its line.
    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'\\' => self.at += 1,
                b'"' => {
                    self.at += 1;
                    break;
                }
                b'\n' => break,
                _ => {}
            }
            self.at += 1;
        }
        self.at = self.at.min(self.text.len());
    }

    fn number(&mut self) -> Parsed<JsonValue> {
        let start = self.at;
        while matches!(
            self.text.get(self.at),
            Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')
        ) {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default();
        match is_json_number(text).then(|| Number::parse(text)).flatten() {
            Some(number) => Ok(JsonValue::Number(
                Value::number(number),
                self.span(start, self.at),
            )),
            None => {
                let detail = "There is a syntax error in the given JSON number.";
                self.report(
                    "invalid-number",
                    "Invalid JSON number",
                    detail,
                    start,
                    self.at,
                );
                Err(Lost)
            }
        }
    }

    fn keyword(&mut self) -> Parsed<JsonValue> {
        let start = self.at;
        while matches!(
            self.text.get(self.at),
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_')
        ) {
            self.at += 1;
        }
        let span = self.span(start, self.at);
        let word = std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default();
        let detail = match word {
            "true" => return Ok(JsonValue::Bool(true, span)),
            "false" => return Ok(JsonValue::Bool(false, span)),
            "null" => return Ok(JsonValue::Null(span)),
            "undefined" | "NaN" | "Infinity" => {
                format!("The JavaScript identifier \"{word}\" cannot be used in JSON.")
            }
            _ => {
                let hint = suggestion(word, ["true", "false", "null"])
                    .map_or_else(String::new, |known| format!(" Did you mean \"{known}\"?"));
                format!("\"{word}\" is not a valid JSON keyword.{hint}")
            }
        };
        self.report(
            "invalid-json-keyword",
            "Invalid JSON keyword",
            detail,
            start,
            self.at,
        );
        Err(Lost)
    }

    fn string(&mut self) -> Parsed<JsonString> {
        let start = self.at;
        let Some(raw) = self.raw_string() else {
            let detail = "There is a syntax error in the given JSON string.";
            self.report(
                "invalid-json-string",
                "Invalid JSON string",
                detail,
                self.at,
                self.at + 1,
            );
            // What follows is not looked at as if it stood outside of the string.
            self.at = start;
            self.skip_string();
            return Err(Lost);
        };
        let verbatim = !raw.contains('\\');
        let text: Text = if verbatim {
            raw.into()
        } else {
            unescape(raw).into()
        };
        Ok(JsonString {
            text,
            span: self.span(start, self.at),
            verbatim,
        })
    }

    /// The text between quotes, escapes checked but as written; the place is behind it, or where it is wrong.
    fn raw_string(&mut self) -> Option<&str> {
        let start = self.at + 1;
        self.at = start;
        loop {
            match self.text.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return std::str::from_utf8(&self.text[start..self.at - 1]).ok();
                }
                b'\\' => match self.text.get(self.at + 1)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
                    b'u' if self
                        .text
                        .get(self.at + 2..self.at + 6)?
                        .iter()
                        .all(u8::is_ascii_hexdigit) =>
                    {
                        self.at += 6;
                    }
                    _ => return None,
                },
                0..0x20 => return None,
                _ => self.at += 1,
            }
        }
    }
}

/// Resolves the escapes of a string in which they are known to be right. Half a surrogate pair becomes U+FFFD.
fn unescape(raw: &str) -> String {
    let unit =
        |text: &str| u16::from_str_radix(text.get(2..6).unwrap_or_default(), 16).unwrap_or(0);
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(index) = rest.find('\\') {
        text.push_str(&rest[..index]);
        rest = &rest[index..];
        let mut length = 2;
        text.push(match rest.as_bytes().get(1) {
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                length = 6;
                let pair = [
                    unit(rest),
                    unit(
                        rest.get(6..)
                            .filter(|next| next.starts_with("\\u"))
                            .unwrap_or_default(),
                    ),
                ];
                let mut decoded = char::decode_utf16(pair);
                let first = decoded.next().and_then(Result::ok);
                if first.is_some_and(|first| first.len_utf16() == 2) {
                    length = 12;
                }
                first.unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            Some(other) => char::from(*other),
            None => char::REPLACEMENT_CHARACTER,
        });
        rest = rest.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// Whether JSON's grammar has it as a number.
fn is_json_number(text: &str) -> bool {
    fn digits(text: &str) -> &str {
        text.trim_start_matches(|letter: char| letter.is_ascii_digit())
    }
    let text = text.strip_prefix('-').unwrap_or(text);
    let rest = digits(text);
    let whole = &text[..text.len() - rest.len()];
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
        return false;
    }
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let rest = digits(fraction);
            if rest.len() == fraction.len() {
                return false;
            }
            rest
        }
        None => rest,
    };
    match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent).is_empty()
        }
        None => rest.is_empty(),
    }
}

//! Reads YAML.

use std::collections::{BTreeMap, HashMap};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use terrace_value::convert::convert;
use terrace_value::{Text, Type, Value};

use super::flow;
use super::resolve::{Scalar, resolve};
use crate::go_text::quoted;
use crate::support::elements_of;

/// Reads the only document of `text` into a value of objects, tuples and primitives, or says what is wrong as the
/// reference does.
pub(super) fn decode(text: &str) -> Result<Value, String> {
    let text = if text.is_empty() { "\n" } else { text };
    match document(text) {
        // The reference does not mind how lines within brackets are indented.
        Err(message) if message.contains(FLOW_INDENTATION) => document(&flow::indented(text)),
        result => result,
    }
}

const FLOW_INDENTATION: &str = "invalid indentation in flow construct";

fn document(text: &str) -> Result<Value, String> {
    let ends_without_break = !text.ends_with(['\n', '\r']);
    let unfinished_end = ends_without_break.then(|| text.chars().count());
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        text,
        anchors: HashMap::new(),
        depth: 0,
        unfinished_end,
    };
    reader.next()?;
    let (event, span) = reader.next()?;
    if !matches!(event, Event::DocumentStart(_)) {
        return Err(located(span.start, "missing start of document"));
    }
    let value = reader.value()?;
    let (event, span) = reader.next()?;
    if !matches!(event, Event::DocumentEnd) {
        return Err(located(span.start, "unexpected extra content after value"));
    }
    let (event, span) = reader.next()?;
    if !matches!(event, Event::StreamEnd) {
        return Err(located(span.start, "unexpected extra content after value"));
    }
    Ok(value)
}

const DEEPEST_NESTING: usize = 1000;

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    text: &'t str,
    /// What anchors stand for; nothing while their own value is being read.
    anchors: HashMap<usize, Option<Value>>,
    depth: usize,
    /// How many characters there are, if the last line is not ended.
    unfinished_end: Option<usize>,
}

/// The reference counts lines from 0 and leaves out the place where that is the line.
fn located(marker: Marker, message: &str) -> String {
    match marker.line().saturating_sub(1) {
        0 => message.to_owned(),
        line => format!("on line {line}, column {}: {message}", marker.col() + 1),
    }
}

fn syntax_error(error: &ScanError, text: &str) -> String {
    let info = error.info();
    let message = match info.split_once(", ") {
        Some((context, message)) if context.starts_with("while ") => message,
        _ => info,
    };
    let message = match message {
        "found unknown anchor" => undefined_anchor(text, error.marker().index()),
        "misplaced bracket" => "did not find expected node content".to_owned(),
        "simple key expected" => "could not find expected ':'".to_owned(),
        "expected ',' or ']'" => "did not find expected ',' or ']'".to_owned(),
        _ if message.starts_with("unexpected character")
            || message.starts_with("tabs disallowed") =>
        {
            "found character that cannot start any token".to_owned()
        }
        _ => message.to_owned(),
    };
    match error.marker().line() {
        0 | 1 => message,
        line => format!("on line {line}, column 1: {message}"),
    }
}

/// The alias stands at a place in `text`, counted in characters.
fn undefined_anchor(text: &str, position: usize) -> String {
    let is_name = |character: &char| character.is_alphanumeric() || matches!(character, '_' | '-');
    let name: String = text
        .chars()
        .skip(position)
        .skip_while(|character| *character == '*')
        .take_while(is_name)
        .collect();
    format!("reference to undefined anchor {}", quoted(&name))
}

fn tag_text(tag: Option<&Tag>) -> String {
    tag.map(|tag| format!("{}{}", tag.handle, tag.suffix))
        .unwrap_or_default()
}

fn is_merge_key(text: &str, tag: &str) -> bool {
    (tag.is_empty() && text == "<<") || tag == "tag:yaml.org,2002:merge"
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), String> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(syntax_error(&error, self.text)),
            None => Err("expecting value but found end of stream".to_owned()),
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        let (event, span) = self.next()?;
        self.value_of(event, span)
    }

    fn value_of(&mut self, event: Event<'t>, span: Span) -> Result<Value, String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text = self.without_missing_break(&text, style, span);
                let value = scalar(text, style, tag.as_deref())
                    .map_err(|message| located(span.start, &message))?;
                self.complete(anchor, &value);
                Ok(value)
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(Some(value)) => Ok(value.clone()),
                known => {
                    let name = quoted(&self.alias_name(span));
                    let message = if known.is_some() {
                        format!("cannot refer to anchor {name} from inside its own definition")
                    } else {
                        format!("reference to undefined anchor {name}")
                    };
                    Err(located(span.start, &message))
                }
            },
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), "seq", "sequence", span)?;
                let items = self.nested(anchor, Self::sequence)?;
                let value = Value::tuple(items);
                self.complete(anchor, &value);
                Ok(value)
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), "map", "mapping", span)?;
                let entries = self.nested(anchor, Self::mapping)?;
                let value = Value::object(entries);
                self.complete(anchor, &value);
                Ok(value)
            }
            Event::StreamEnd => Err(located(
                span.start,
                "expecting value but found end of stream",
            )),
            Event::DocumentStart(_) => {
                Err(located(span.start, "only a single document is allowed"))
            }
            Event::MappingEnd => Err(located(
                span.start,
                "expecting value but found end of mapping",
            )),
            Event::SequenceEnd => Err(located(
                span.start,
                "expecting value but found end of sequence",
            )),
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {
                Err(located(span.start, "unexpected parser event"))
            }
        }
    }

    /// A block whose last line is not ended does not end with a line break.
    fn without_missing_break<'s>(&self, text: &'s str, style: ScalarStyle, span: Span) -> &'s str {
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let is_last = self
            .unfinished_end
            .is_some_and(|end| span.end.index() >= end);
        if is_block && is_last {
            text.strip_suffix('\n').unwrap_or(text)
        } else {
            text
        }
    }

    /// Reads what an anchor stands for, which must not refer to it.
    fn nested<T>(
        &mut self,
        anchor: usize,
        read: fn(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        if self.depth >= DEEPEST_NESTING {
            return Err("exceeded max depth".to_owned());
        }
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn complete(&mut self, anchor: usize, value: &Value) {
        if anchor > 0 {
            self.anchors.insert(anchor, Some(value.clone()));
        }
    }

    fn alias_name(&self, span: Span) -> String {
        let length = span.end.index().saturating_sub(span.start.index());
        let written: String = self
            .text
            .chars()
            .skip(span.start.index())
            .take(length)
            .collect();
        written.trim().trim_start_matches('*').to_owned()
    }

    fn sequence(&mut self) -> Result<Vec<Value>, String> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(items);
            }
            items.push(self.value_of(event, span)?);
        }
    }

    fn mapping(&mut self) -> Result<BTreeMap<Text, Value>, String> {
        let mut entries = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(text, _, _, tag)
                    if is_merge_key(&text, &tag_text(tag.as_deref())) =>
                {
                    let merged = self.value()?;
                    merge(&mut entries, &merged)
                        .map_err(|message| located(span.start, &message))?;
                }
                Event::Scalar(text, style, _, tag) => {
                    let key = mapping_key(&text, style, tag.as_deref(), span)?;
                    let value = self.value()?;
                    entries.insert(key, value);
                }
                _ => {
                    return Err(located(
                        span.start,
                        "only strings are allowed as mapping keys",
                    ));
                }
            }
        }
    }
}

fn check_tag(tag: Option<&Tag>, name: &str, what: &str, span: Span) -> Result<(), String> {
    let tag = tag_text(tag);
    if tag.is_empty() || tag == format!("tag:yaml.org,2002:{name}") {
        return Ok(());
    }
    Err(located(
        span.start,
        &format!("can't interpret {what} as {tag}"),
    ))
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let tag = tag_text(tag);
    let is_quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
    let value = resolve(&Scalar {
        text,
        tag: &tag,
        is_quoted,
    })?;
    // Blocks are strings, but the reference resolves them first, so that `yes` in a block is the string `true`.
    if tag.is_empty() && style != ScalarStyle::Plain {
        return convert(&value, &Type::String).map_err(|error| error.message);
    }
    Ok(value)
}

fn mapping_key(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    span: Span,
) -> Result<Text, String> {
    let is_quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
    let value = resolve(&Scalar {
        text,
        tag: &tag_text(tag),
        is_quoted,
    })?;
    let key = convert(&value, &Type::String)
        .map_err(|_| located(span.start, "only strings are allowed as mapping keys"))?;
    key.as_str()
        .map(Text::from)
        .ok_or_else(|| located(span.start, "mapping key cannot be null"))
}

fn merge(entries: &mut BTreeMap<Text, Value>, merged: &Value) -> Result<(), String> {
    if let Some(items) = merged.as_entries() {
        entries.extend(items.iter().map(|(key, item)| (key.clone(), item.clone())));
        return Ok(());
    }
    if !matches!(merged.ty(), Type::Tuple(_)) {
        return Err(format!(
            "cannot merge {} into mapping",
            merged.ty().friendly_name()
        ));
    }
    for item in elements_of(merged) {
        let items = item.as_entries().ok_or_else(|| {
            format!(
                "cannot merge {} (from sequence) into mapping",
                item.ty().friendly_name()
            )
        })?;
        entries.extend(items.iter().map(|(key, item)| (key.clone(), item.clone())));
    }
    Ok(())
}

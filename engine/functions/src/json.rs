//! JSON text.

use std::collections::BTreeMap;
use std::fmt::Write;

use terrace_value::{Kind, Number, Refinements, Text, Type, Value};

use crate::go_text::{quoted, quoted_character};
use crate::spec::{any, gives_string, text};
use crate::support::text_of;
use crate::{CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "jsondecode",
            "Reads JSON text: objects and arrays become objects and tuples.",
            [text("str", "")],
            jsondecode_type,
            |arguments, _, _| decode(text_of(&arguments[0])).map_err(CallError::call),
        )
        .with_nullable_result(),
        Function::new(
            "jsonencode",
            "A value as JSON text, keys in order.",
            [any("val", "").unknown().dynamic().nullable()],
            gives_string,
            jsonencode,
        ),
    ]
}

/// What text that is not known can become, from how it is known to begin.
fn jsondecode_type(arguments: &[Value]) -> Result<Type, CallError> {
    let Some(refinements) = arguments[0].refinements() else {
        return Ok(Type::Dynamic);
    };
    let prefix = refinements
        .prefix
        .as_deref()
        .unwrap_or_default()
        .trim_start();
    match prefix.chars().next() {
        None | Some('{' | '[' | 'n') => Ok(Type::Dynamic),
        Some('"') => Ok(Type::String),
        Some('t' | 'f') => Ok(Type::Bool),
        Some('-' | '.' | '0'..='9') => Ok(Type::Number),
        Some(other) => {
            let message = format!(
                "a JSON document cannot begin with the character {}",
                quoted_character(other)
            );
            Err(CallError::argument(0, message))
        }
    }
}

fn jsonencode(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let value = &arguments[0];
    if value.is_wholly_known() {
        return encode(value).map(Value::string).map_err(CallError::call);
    }
    if !value.is_definitely_not_null() {
        return Ok(Value::unknown(Type::String));
    }
    let prefix = match value.ty() {
        Type::String => Some("\""),
        Type::Object(_) | Type::Map(_) => Some("{"),
        Type::Tuple(_) | Type::List(_) | Type::Set(_) => Some("["),
        _ => None,
    };
    let refinements = Refinements {
        prefix: prefix.map(Text::from),
        ..Refinements::not_null()
    };
    Ok(Value::unknown_refined(Type::String, refinements))
}

/// A wholly known, unmarked value as JSON text; what is not known is written as null. There is no text for infinity.
pub(crate) fn encode(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    write_value(&mut out, value)?;
    Ok(out)
}

fn write_value(out: &mut String, value: &Value) -> Result<(), String> {
    match value.kind() {
        Kind::Number(number) if number.is_infinite() => {
            return Err("cannot serialize infinity as JSON".to_owned());
        }
        Kind::Unknown(_) | Kind::Null(_) => out.push_str("null"),
        Kind::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Kind::Number(number) => write!(out, "{number}").unwrap_or_default(),
        Kind::String(text) => write_string(out, text),
        Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, item)?;
            }
            out.push(']');
        }
        Kind::Map(_, entries) | Kind::Object(entries) => write_entries(out, entries)?,
    }
    Ok(())
}

fn write_entries(out: &mut String, entries: &BTreeMap<Text, Value>) -> Result<(), String> {
    out.push('{');
    for (index, (key, item)) in entries.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(out, key);
        out.push(':');
        write_value(out, item)?;
    }
    out.push('}');
    Ok(())
}

/// With the escapes that make the text safe inside HTML too.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                write!(out, "\\u{:04x}", u32::from(character)).unwrap_or_default();
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// Reads JSON text into a value of objects, tuples and primitives, or says what is wrong as the reference does.
pub(crate) fn decode(text: &str) -> Result<Value, String> {
    let mut reader = Reader { text, position: 0 };
    let value = reader.value(State::Value, 0)?;
    reader.skip_space();
    match reader.peek() {
        None | Some(b']' | b'}') => Ok(value),
        Some(_) => Err("extraneous data after JSON object".to_owned()),
    }
}

const DEEPEST_NESTING: usize = 1000;

/// What may come next, for messages.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Value,
    ArrayComma,
    ObjectStart,
    ObjectKey,
    ObjectColon,
    ObjectComma,
}

impl State {
    const fn context(self) -> &'static str {
        match self {
            Self::Value => " looking for beginning of value",
            Self::ArrayComma => " after array element",
            Self::ObjectStart => "",
            Self::ObjectKey => " looking for beginning of object key string",
            Self::ObjectColon => " after object key",
            Self::ObjectComma => " after object key:value pair",
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    position: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
    }

    /// The next byte that is no white space, which is not taken.
    fn token(&mut self) -> Result<u8, String> {
        self.skip_space();
        self.peek().ok_or_else(|| "EOF".to_owned())
    }

    fn value(&mut self, state: State, depth: usize) -> Result<Value, String> {
        if depth > DEEPEST_NESTING {
            return Err("exceeded max depth".to_owned());
        }
        match self.token()? {
            b'[' => self.array(depth),
            b'{' => self.object(depth),
            b'"' => self.string().map(Value::from),
            b't' => self.keyword("true", Value::TRUE),
            b'f' => self.keyword("false", Value::FALSE),
            b'n' => self.keyword("null", Value::NULL),
            b'-' | b'0'..=b'9' => self.number(),
            other => Err(invalid(other, state.context())),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        self.position += 1;
        let mut items = Vec::new();
        loop {
            match (self.token()?, items.is_empty()) {
                (b']', _) => break,
                (b',', false) => {
                    self.position += 1;
                    self.token()?;
                }
                (other, false) => return Err(invalid(other, State::ArrayComma.context())),
                (_, true) => {}
            }
            items.push(self.value(State::Value, depth + 1)?);
        }
        self.position += 1;
        Ok(Value::tuple(items))
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        self.position += 1;
        let mut entries = BTreeMap::new();
        let mut state = State::ObjectStart;
        loop {
            match (self.token()?, state) {
                (b'}', State::ObjectStart | State::ObjectComma) => break,
                (b',', State::ObjectComma) => {
                    self.position += 1;
                    state = State::ObjectKey;
                }
                (b'"', State::ObjectStart | State::ObjectKey) => {
                    let key = self.string()?;
                    match self.token()? {
                        b':' => self.position += 1,
                        other => return Err(invalid(other, State::ObjectColon.context())),
                    }
                    let value = self.value(State::Value, depth + 1)?;
                    entries.insert(Text::from(text_of(&Value::from(key))), value);
                    state = State::ObjectComma;
                }
                (other, _) => return Err(invalid(other, state.context())),
            }
        }
        self.position += 1;
        Ok(Value::object(entries))
    }

    fn keyword(&mut self, word: &str, value: Value) -> Result<Value, String> {
        for (index, expected) in word.bytes().enumerate() {
            match self.peek() {
                Some(byte) if byte == expected => self.position += 1,
                Some(byte) => {
                    let expected = quoted_character(char::from(expected));
                    debug_assert!(index > 0, "the first letter has been seen");
                    return Err(invalid(
                        byte,
                        &format!(" in literal {word} (expecting {expected})"),
                    ));
                }
                None => return Err("unexpected EOF".to_owned()),
            }
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.position;
        if self.peek() == Some(b'-') {
            self.position += 1;
        }
        if self.peek() == Some(b'0') {
            self.position += 1;
        } else {
            self.digits(" in numeric literal")?;
        }
        if self.peek() == Some(b'.') {
            self.position += 1;
            self.digits(" after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.position += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.position += 1;
            }
            self.digits(" in exponent of numeric literal")?;
        }
        let digits = &self.text[start..self.position];
        Number::parse(digits)
            .map(Value::number)
            .ok_or_else(|| format!("cannot parse {} as a number", quoted(digits)))
    }

    fn digits(&mut self, context: &str) -> Result<(), String> {
        match self.peek() {
            Some(b'0'..=b'9') => {}
            Some(other) => return Err(invalid(other, context)),
            None => return Err("unexpected EOF".to_owned()),
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.position += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, String> {
        self.position += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.position..];
            let plain =
                rest.find(|character: char| matches!(character, '"' | '\\') || character < ' ');
            let end = plain.ok_or("unexpected EOF")?;
            out.push_str(&rest[..end]);
            self.position += end + 1;
            match rest.as_bytes()[end] {
                b'"' => return Ok(out),
                b'\\' => self.escape(&mut out)?,
                control => return Err(invalid(control, " in string literal")),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), String> {
        let letter = self.peek().ok_or("unexpected EOF")?;
        self.position += 1;
        out.push(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.code_unit()?;
                self.code_point(unit)?
            }
            other => return Err(invalid(other, " in string escape code")),
        });
        Ok(())
    }

    fn code_unit(&mut self) -> Result<u32, String> {
        let mut unit = 0;
        for _ in 0..4 {
            let byte = self.peek().ok_or("unexpected EOF")?;
            let digit = char::from(byte)
                .to_digit(16)
                .ok_or_else(|| invalid(byte, " in \\u hexadecimal character escape"))?;
            unit = unit * 16 + digit;
            self.position += 1;
        }
        Ok(unit)
    }

    /// Half a surrogate pair without the other half stands for the replacement character.
    fn code_point(&mut self, unit: u32) -> Result<char, String> {
        if let Some(character) = char::from_u32(unit) {
            return Ok(character);
        }
        let before = self.position;
        if unit < 0xdc00 && self.text[self.position..].starts_with("\\u") {
            self.position += 2;
            let low = self.code_unit()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        self.position = before;
        Ok(char::REPLACEMENT_CHARACTER)
    }
}

fn invalid(byte: u8, context: &str) -> String {
    format!(
        "invalid character {}{context}",
        quoted_character(char::from(byte))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    fn refused(text: &str) -> String {
        decode(text).err().unwrap_or_default()
    }

    #[test]
    fn encoding() {
        check(&[
            (
                "jsonencode",
                r#"[{"b": [true, null, "x"], "a": 1.50}]"#,
                r#""{\"a\":1.5,\"b\":[true,null,\"x\"]}""#,
            ),
            (
                "jsonencode",
                r#"["a<b>&c"]"#,
                r#""\"a\\u003cb\\u003e\\u0026c\"""#,
            ),
            ("jsonencode", "[null]", r#""null""#),
        ]);
        let text = encode(&Value::from("\u{1}\u{8}\u{2028}é\u{7f}"));
        assert_eq!(text, Ok("\"\\u0001\\b\\u2028é\u{7f}\"".into()));
        let infinity = Value::number(Number::INFINITY);
        assert_eq!(
            call("jsonencode", &[infinity]),
            Err(CallError::call("cannot serialize infinity as JSON"))
        );
    }

    #[test]
    fn decoding() {
        check(&[
            (
                "jsondecode",
                r#"["[1, 2.5, true, null, \"x\", {\"a\": []}]"]"#,
                r#"[1,2.5,true,null,"x",{"a":[]}]"#,
            ),
            ("jsondecode", r#"["1e2"]"#, "100"),
            (
                "jsondecode",
                r#"["12345678901234567890"]"#,
                "12345678901234567890",
            ),
            ("jsondecode", r#"["{\"a\":1,\"a\":2}"]"#, r#"{"a":2}"#),
        ]);
        assert_eq!(
            decode(r#""\ud83d\ude00\ud800x\u00e9""#),
            Ok(Value::from("😀\u{fffd}xé"))
        );
    }

    #[test]
    fn what_is_wrong() {
        assert_eq!(refused(""), "EOF");
        assert_eq!(refused("{"), "EOF");
        assert_eq!(refused("[1"), "EOF");
        assert_eq!(
            refused("[1 2]"),
            "invalid character '2' after array element"
        );
        assert_eq!(refused("{1}"), "invalid character '1'");
        assert_eq!(
            refused("{\"a\":1,}"),
            "invalid character '}' looking for beginning of object key string"
        );
        assert_eq!(
            refused("{\"a\" 1}"),
            "invalid character '1' after object key"
        );
        assert_eq!(
            refused("{\"a\":1 2}"),
            "invalid character '2' after object key:value pair"
        );
        assert_eq!(refused("nul"), "unexpected EOF");
        assert_eq!(
            refused("nux"),
            "invalid character 'x' in literal null (expecting 'l')"
        );
        assert_eq!(
            refused("x"),
            "invalid character 'x' looking for beginning of value"
        );
        assert_eq!(
            refused("\"a\nb\""),
            "invalid character '\\n' in string literal"
        );
        assert_eq!(refused("1 2"), "extraneous data after JSON object");
        assert_eq!(refused(&"[".repeat(2000)), "exceeded max depth");
    }

    #[test]
    fn unknown_content_still_shows_its_shape() {
        let result = call(
            "jsonencode",
            &[Value::tuple([Value::unknown(Type::String)])],
        )
        .unwrap();
        assert_eq!(
            result
                .refinements()
                .and_then(|refinements| refinements.prefix.clone()),
            Some("[".into())
        );
        assert!(result.is_definitely_not_null());
    }
}

//! Encodings of bytes and text.

pub(crate) mod base64;
mod charset;
mod code_pages;
mod csv;
mod deflate;
mod gzip;

use terrace_value::{Type, Value};

use crate::go_text::quoted;
use crate::spec::{gives_dynamic, gives_string, text};
use crate::support::{BlameArgument, redacted, text_of};
use crate::{CallError, Context, Function};
use charset::Charset;

pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "base64decode",
            "The text that Base64 stands for; it must be UTF-8.",
            [text("str", "").marked().unknown()],
            gives_string,
            base64decode,
        ),
        Function::new(
            "base64encode",
            "The text in Base64.",
            [text("str", "")],
            gives_string,
            |arguments, _, _| {
                Ok(Value::from(base64::encode(
                    text_of(&arguments[0]).as_bytes(),
                )))
            },
        ),
        Function::new(
            "base64gunzip",
            "The text that was compressed with gzip and written in Base64.",
            [text("str", "")],
            gives_string,
            base64gunzip,
        ),
        Function::new(
            "base64gzip",
            "The text compressed with gzip, in Base64.",
            [text("str", "")],
            gives_string,
            base64gzip,
        ),
        Function::new(
            "csvdecode",
            "The rows of comma-separated values as objects with the names of the first row.",
            [text("str", "")],
            gives_dynamic,
            |arguments, _, _| csv::decode(text_of(&arguments[0])).blame_call(),
        ),
        Function::new(
            "textdecodebase64",
            "The text that Base64 stands for in a character encoding.",
            [text("source", ""), text("encoding", "")],
            gives_string,
            textdecodebase64,
        ),
        Function::new(
            "textencodebase64",
            "The text in a character encoding, in Base64.",
            [text("string", ""), text("encoding", "")],
            gives_string,
            textencodebase64,
        ),
        Function::new(
            "urldecode",
            "The text that part of the query of a URL stands for.",
            [text("str", "")],
            gives_string,
            |arguments, _, _| urldecode(text_of(&arguments[0])).map(Value::from).blame(0),
        ),
        Function::new(
            "urlencode",
            "The text as part of the query of a URL.",
            [text("str", "")],
            gives_string,
            |arguments, _, _| Ok(Value::from(urlencode(text_of(&arguments[0])))),
        ),
    ]
}

fn base64decode(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let marks = arguments[0].marks();
    if !arguments[0].is_known() {
        return Ok(Value::unknown(Type::String).with_marks(marks));
    }
    let encoded = text_of(&arguments[0]);
    let bytes = base64::decode(encoded).map_err(|_| {
        CallError::call(format!(
            "failed to decode base64 data {}",
            redacted(encoded, marks)
        ))
    })?;
    let text = String::from_utf8(bytes).map_err(|_| {
        CallError::call("the result of decoding the provided string is not valid UTF-8")
    })?;
    Ok(Value::from(text).with_marks(marks))
}

fn base64gzip(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let bytes = gzip::compress(text_of(&arguments[0]).as_bytes());
    Ok(Value::from(base64::encode(&bytes)))
}

fn base64gunzip(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let encoded = text_of(&arguments[0]);
    let bytes = base64::decode(encoded)
        .map_err(|offset| {
            format!("the given value has an invalid base64 symbol at offset {offset}")
        })
        .blame(0)?;
    let plain = gzip::decompress(&bytes)
        .map_err(|problem| format!("failed to gunzip the decoded bytes: {problem}"))
        .blame(0)?;
    let text = String::from_utf8(plain)
        .map_err(|_| "the result of decoding the provided string is not valid UTF-8".to_owned())
        .blame(0)?;
    Ok(Value::from(text))
}

fn charset(argument: &Value) -> Result<Charset, CallError> {
    let name = text_of(argument);
    Charset::named(name).ok_or_else(|| {
        let message = format!(
            "{} is not a supported IANA encoding name or alias in this Terrace version",
            quoted(name)
        );
        CallError::argument(1, message)
    })
}

fn textencodebase64(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let charset = charset(&arguments[1])?;
    let bytes = charset.encode(text_of(&arguments[0])).ok_or_else(|| {
        let message = format!(
            "the given string contains characters that cannot be represented in {}",
            charset.name()
        );
        CallError::argument(0, message)
    })?;
    Ok(Value::from(base64::encode(&bytes)))
}

fn textdecodebase64(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let charset = charset(&arguments[1])?;
    let bytes = base64::decode(text_of(&arguments[0]))
        .map_err(|offset| {
            format!("the given value has an invalid base64 symbol at offset {offset}")
        })
        .blame(0)?;
    charset.decode(&bytes).map(Value::from).ok_or_else(|| {
        let message = format!(
            "the given string contains symbols that are not defined for {}",
            charset.name()
        );
        CallError::argument(0, message)
    })
}

fn urlencode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    out
}

fn urldecode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        rest = more;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |place: usize| {
                    more.get(place)
                        .and_then(|byte| char::from(*byte).to_digit(16))
                };
                let (Some(high), Some(low)) = (digit(0), digit(1)) else {
                    let shown = String::from_utf8_lossy(&more[..more.len().min(2)]).into_owned();
                    return Err(format!(
                        "invalid URL escape {}",
                        quoted(&format!("%{shown}"))
                    ));
                };
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = &more[2..];
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).map_err(|_| "the decoded text is not valid UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    #[test]
    fn urls_and_compressed_text_are_read_back() {
        check(&[
            ("urldecode", r#"["a+b%20%E2%82%AC"]"#, r#""a b €""#),
            ("urldecode", r#"["%zz"]"#, r#"!0 invalid URL escape "%zz""#),
            ("urldecode", r#"["%4"]"#, r#"!0 invalid URL escape "%4""#),
            (
                "urldecode",
                r#"["%ff"]"#,
                "!0 the decoded text is not valid UTF-8",
            ),
            (
                "base64gunzip",
                r#"["H4sIAAAAAAAA/0rECwAAAAD//wEAAP//wdPBax4AAAA="]"#,
                r#""aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa""#,
            ),
            (
                "base64gunzip",
                r#"["!"]"#,
                "!0 the given value has an invalid base64 symbol at offset 0",
            ),
        ]);
        let text = "The quick brown fox. ".repeat(300);
        let packed = call("base64gzip", &[Value::from(text.as_str())]).unwrap();
        assert_eq!(call("base64gunzip", &[packed]), Ok(Value::from(text)));
        let broken = call("base64gunzip", &[Value::from("YWJj")]).unwrap_err();
        assert_eq!(broken.argument, Some(0));
    }

    #[test]
    fn base64_of_text() {
        check(&[
            ("base64encode", r#"["日本語"]"#, r#""5pel5pys6Kqe""#),
            (
                "base64decode",
                r#"["SGVsbG8g\nV29ybGQ="]"#,
                r#""Hello World""#,
            ),
            (
                "base64decode",
                r#"["not base64!"]"#,
                r#"! failed to decode base64 data "not base64!""#,
            ),
            (
                "base64decode",
                r#"["/w=="]"#,
                "! the result of decoding the provided string is not valid UTF-8",
            ),
        ]);
        let secret = call("base64decode", &[Value::from("!").sensitive()]);
        assert_eq!(
            secret,
            Err(CallError::call(
                "failed to decode base64 data (sensitive value)"
            ))
        );
    }

    #[test]
    fn urls() {
        check(&[("urlencode", r#"["a b&c=☃~"]"#, r#""a+b%26c%3D%E2%98%83~""#)]);
    }

    #[test]
    fn character_encodings() {
        check(&[
            (
                "textencodebase64",
                r#"["Hello", "UTF-16LE"]"#,
                r#""SABlAGwAbABvAA==""#,
            ),
            (
                "textdecodebase64",
                r#"["SABlAGwAbABvAA==", "utf-16le"]"#,
                r#""Hello""#,
            ),
            ("textencodebase64", r#"["é", "latin1"]"#, r#""6Q==""#),
            ("textdecodebase64", r#"["6Q==", "windows-1252"]"#, r#""é""#),
            (
                "textencodebase64",
                r#"["日", "ISO-8859-1"]"#,
                "!0 the given string contains characters that cannot be represented in ISO_8859-1:1987",
            ),
            (
                "textencodebase64",
                r#"["x", "nope"]"#,
                r#"!1 "nope" is not a supported IANA encoding name or alias in this Terrace version"#,
            ),
            (
                "textdecodebase64",
                r#"["a!", "UTF-8"]"#,
                "!0 the given value has an invalid base64 symbol at offset 1",
            ),
        ]);
    }

    #[test]
    fn gzip_can_be_read_back() {
        use std::io::Read;
        let text = "Terrace ".repeat(100);
        let encoded = call("base64gzip", &[Value::from(text.clone())]).unwrap();
        let bytes = base64::decode(text_of(&encoded)).unwrap();
        let mut back = String::new();
        flate2::read::GzDecoder::new(bytes.as_slice())
            .read_to_string(&mut back)
            .unwrap();
        assert_eq!(back, text);
    }
}

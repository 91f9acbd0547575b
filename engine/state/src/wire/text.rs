//! JSON text: white space, and the escapes that the reference writes.

/// JSON text without white space between tokens and without escapes of characters that JSON allows and that the
/// reference escapes when it writes (`<`, `>`, `&`, U+2028, U+2029), so that equal content is equal text.
///
/// `text` must be valid JSON.
pub fn compact(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            b' ' | b'\t' | b'\r' | b'\n' => index += 1,
            b'"' => index = compact_string(bytes, index, &mut out),
            byte => {
                out.push(byte);
                index += 1;
            }
        }
    }
    out
}

/// Copies the string that begins at `start`; returns the index behind it.
fn compact_string(bytes: &[u8], start: usize, out: &mut Vec<u8>) -> usize {
    let mut copied = start;
    let mut index = start + 1;
    while index < bytes.len() {
        match bytes[index] {
            b'"' => {
                index += 1;
                break;
            }
            b'\\' => {
                if let Some(plain) = bytes.get(index + 1..index + 6).and_then(plain_character) {
                    out.extend_from_slice(&bytes[copied..index]);
                    out.extend_from_slice(plain.as_bytes());
                    index += 6;
                    copied = index;
                } else {
                    index += 2;
                }
            }
            _ => index += 1,
        }
    }
    let end = index.min(bytes.len());
    out.extend_from_slice(&bytes[copied.min(end)..end]);
    end
}

/// The character that an escape (without its backslash) stands for, if it is one that the reference escapes needlessly.
fn plain_character(escape: &[u8]) -> Option<&'static str> {
    if escape[0] != b'u' {
        return None;
    }
    match &escape[1..].to_ascii_lowercase()[..] {
        b"003c" => Some("<"),
        b"003e" => Some(">"),
        b"0026" => Some("&"),
        b"2028" => Some("\u{2028}"),
        b"2029" => Some("\u{2029}"),
        _ => None,
    }
}

/// Appends compact JSON as the reference lays it out: two blanks a level, nothing inside empty brackets, `<`, `>`,
/// `&`, U+2028 and U+2029 escaped.
pub(super) fn indent(compact: &[u8], out: &mut Vec<u8>) {
    let mut depth = 0_usize;
    let mut index = 0;
    while index < compact.len() {
        let byte = compact[index];
        index += 1;
        match byte {
            b'"' => {
                index = indent_string(compact, index - 1, out);
            }
            b'{' | b'[' => {
                out.push(byte);
                if compact.get(index) == Some(&(byte + 2)) {
                    out.push(byte + 2);
                    index += 1;
                } else {
                    depth += 1;
                    new_line(depth, out);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                new_line(depth, out);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                new_line(depth, out);
            }
            b':' => out.extend_from_slice(b": "),
            byte => out.push(byte),
        }
    }
}

fn new_line(depth: usize, out: &mut Vec<u8>) {
    out.push(b'\n');
    out.resize(out.len() + 2 * depth, b' ');
}

/// Copies the string that begins at `start` with the reference's escapes; returns the index behind it.
fn indent_string(bytes: &[u8], start: usize, out: &mut Vec<u8>) -> usize {
    let mut copied = start;
    let mut index = start + 1;
    while index < bytes.len() {
        let (escape, length): (&[u8], usize) = match bytes[index] {
            b'"' => {
                index += 1;
                break;
            }
            b'\\' => {
                index += 2;
                continue;
            }
            b'<' => (b"\\u003c", 1),
            b'>' => (b"\\u003e", 1),
            b'&' => (b"\\u0026", 1),
            0xE2 if bytes[index..].starts_with(&[0xE2, 0x80, 0xA8]) => (b"\\u2028", 3),
            0xE2 if bytes[index..].starts_with(&[0xE2, 0x80, 0xA9]) => (b"\\u2029", 3),
            _ => {
                index += 1;
                continue;
            }
        };
        out.extend_from_slice(&bytes[copied..index]);
        out.extend_from_slice(escape);
        index += length;
        copied = index;
    }
    let end = index.min(bytes.len());
    out.extend_from_slice(&bytes[copied.min(end)..end]);
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indented(text: &str) -> String {
        let mut out = Vec::new();
        indent(&compact(text), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_compacted_and_laid_out_like_the_reference() {
        assert_eq!(
            indented(r#"{"a":[ ],"b": { },"c":[1,{"d":null}]}"#),
            "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n      \"d\": null\n    }\n  ]\n}"
        );
        assert_eq!(
            indented("\"<\\u003C&\\\"\\u00e9\u{2028}\\/\""),
            "\"\\u003c\\u003c\\u0026\\\"\\u00e9\\u2028\\/\""
        );
        assert_eq!(compact("\"a\\\\u003c\""), b"\"a\\\\u003c\"");
    }
}

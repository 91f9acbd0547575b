//! Tokens of GraphQL.

/// A token with its text; of strings what they stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Sign(&'static str),
    Name(String),
    Integer(String),
    Float(String),
    Text(String),
    Block(String),
    End,
}

const SIGNS: [&str; 14] = [
    "...", "!", "$", "&", "(", ")", ":", "=", "@", "[", "]", "{", "|", "}",
];

/// All tokens of a document, with the end as the last one.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_whitespace() || matches!(first, ',' | '\u{feff}') {
            rest = &rest[first.len_utf8()..];
        } else if first == '#' {
            rest = rest.find(['\n', '\r']).map_or("", |end| &rest[end..]);
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else if first == '_' || first.is_ascii_alphabetic() {
            let (name, behind) = split(rest, |byte| byte == b'_' || byte.is_ascii_alphanumeric());
            tokens.push(Token::Name(name.to_owned()));
            rest = behind;
        } else if first == '-' || first.is_ascii_digit() {
            let (number, behind) = split(rest, |byte| {
                byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')
            });
            if number.parse::<f64>().is_err() {
                return Err(format!("{number} is no number"));
            }
            let is_float = number.contains(['.', 'e', 'E']);
            tokens.push(if is_float {
                Token::Float(number.to_owned())
            } else {
                Token::Integer(number.to_owned())
            });
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("\"\"\"") {
            let end = block_end(behind).ok_or("Unterminated string.")?;
            let raw = behind[..end].replace("\\\"\"\"", "\"\"\"");
            tokens.push(Token::Block(block_text(&raw)));
            rest = &behind[end + 3..];
        } else if first == '"' {
            let end = string_end(rest).ok_or("Unterminated string.")?;
            let text = serde_json::from_str(&rest[..end]).map_err(|error| error.to_string())?;
            tokens.push(Token::Text(text));
            rest = &rest[end..];
        } else {
            return Err(format!("Cannot parse the unexpected character {first:?}."));
        }
    }
    tokens.push(Token::End);
    Ok(tokens)
}

fn split(text: &str, keeps: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !keeps(byte));
    text.split_at(end.unwrap_or(text.len()))
}

/// Where three quotes are that no backslash is before.
fn block_end(text: &str) -> Option<usize> {
    text.match_indices("\"\"\"")
        .map(|(at, _)| at)
        .find(|at| !text[..*at].ends_with('\\'))
}

/// Where a string ends, behind its closing quote.
fn string_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            b'\n' | b'\r' => return None,
            _ => at += 1,
        }
    }
}

/// A block without the indentation that its lines share, and without empty lines around it.
fn block_text(raw: &str) -> String {
    let lines: Vec<&str> = raw.lines().collect();
    let indentation = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let shared = lines
        .iter()
        .skip(1)
        .filter(|line| !line.trim().is_empty())
        .map(|line| indentation(line))
        .min()
        .unwrap_or(0);
    let lines: Vec<&str> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            if index == 0 {
                line
            } else {
                line.get(shared..).unwrap_or("")
            }
        })
        .collect();
    let is_text = |line: &&str| !line.trim().is_empty();
    let start = lines.iter().position(is_text).unwrap_or(lines.len());
    let end = lines
        .iter()
        .rposition(is_text)
        .map_or(start, |last| last + 1);
    lines[start..end].join("\n")
}

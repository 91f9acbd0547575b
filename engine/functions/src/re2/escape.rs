//! Escapes, in classes and outside.

use super::PatternError;

/// What follows a backslash that stands for one character, at the beginning of `text` (the backslash included): the
/// character and what remains.
pub(super) fn character(text: &str) -> Result<(char, &str), PatternError> {
    let after = &text[1..];
    let mut characters = after.chars();
    let Some(letter) = characters.next() else {
        return Err(PatternError::new(
            "trailing backslash at end of expression",
            "",
        ));
    };
    let rest = characters.as_str();
    let simple = match letter {
        '0'..='7' => return octal(text, letter, rest),
        'x' => return hexadecimal(text, rest),
        'a' => '\u{7}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        other if other.is_ascii() && !other.is_ascii_alphanumeric() => other,
        _ => return Err(invalid(text, rest)),
    };
    Ok((simple, rest))
}

fn invalid(text: &str, rest: &str) -> PatternError {
    PatternError::new("invalid escape sequence", &text[..text.len() - rest.len()])
}

/// A single digit other than 0 would be a reference back, which there is not.
fn octal<'t>(text: &'t str, first: char, rest: &'t str) -> Result<(char, &'t str), PatternError> {
    let more = rest
        .bytes()
        .take(2)
        .take_while(|byte| (b'0'..=b'7').contains(byte))
        .count();
    if first != '0' && more == 0 {
        return Err(invalid(text, rest));
    }
    let start = text.len() - rest.len() - 1;
    let digits = &text[start..start + 1 + more];
    let code = u32::from_str_radix(digits, 8).ok().and_then(char::from_u32);
    code.map(|code| (code, &rest[more..]))
        .ok_or_else(|| invalid(text, rest))
}

fn hexadecimal<'t>(text: &'t str, rest: &'t str) -> Result<(char, &'t str), PatternError> {
    if let Some(inside) = rest.strip_prefix('{') {
        return braced(text, inside);
    }
    let first_two = rest
        .get(..2)
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let code = first_two.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    code.map(|code| (char::from(code), &rest[2..]))
        .ok_or_else(|| invalid(text, skip_one(skip_one(rest))))
}

/// Any number of digits up to the closing brace, or to where they are more than there are characters.
fn braced<'t>(text: &'t str, inside: &'t str) -> Result<(char, &'t str), PatternError> {
    let mut code = None;
    for (index, character) in inside.char_indices() {
        let after = &inside[index + character.len_utf8()..];
        if character == '}' {
            let character = code.and_then(char::from_u32);
            return character
                .map(|character| (character, after))
                .ok_or_else(|| invalid(text, after));
        }
        let digit = character.to_digit(16).ok_or_else(|| invalid(text, after))?;
        let next = code.unwrap_or(0) * 16 + digit;
        if next > u32::from(char::MAX) {
            return Err(invalid(text, after));
        }
        code = Some(next);
    }
    Err(invalid(text, ""))
}

fn skip_one(text: &str) -> &str {
    let mut characters = text.chars();
    characters.next();
    characters.as_str()
}

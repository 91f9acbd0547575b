//! Escapes, in classes and outside.

use super::PatternError;

/// What follows a backslash that stands for one character, at the beginning of `text` (the backslash included): the
/// character and what remains.
pub(super) fn character(text: &str) -> Result<(char, &str), PatternError> {
    let after = &text[1..];
    let mut characters = after.chars();
    let Some(letter) = characters.next() else {
        return Err(PatternError::new("trailing backslash at end of expression", ""));
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
    let more = rest.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    if first != '0' && more == 0 {
        return Err(invalid(text, rest));
    }
    let start = text.len() - rest.len() - 1;
    let digits = &text[start..start + 1 + more];
    let code = u32::from_str_radix(digits, 8).ok().and_then(char::from_u32);
    code.map(|code| (code, &rest[more..])).ok_or_else(|| invalid(text, rest))
}

fn hexadecimal<'t>(text: &'t str, rest: &'t str) -> Result<(char, &'t str), PatternError> {
    let (digits, remaining) = match rest.strip_prefix('{') {
        Some(inside) => {
            let end = inside.find(|character: char| !character.is_ascii_hexdigit()).unwrap_or(inside.len());
            let after = &inside[end..];
            let remaining = after.strip_prefix('}').ok_or_else(|| invalid(text, skip_one(after)))?;
            (&inside[..end], remaining)
        }
        None => {
            let n_digits = rest.bytes().take(2).take_while(u8::is_ascii_hexdigit).count();
            if n_digits < 2 {
                return Err(invalid(text, skip_one(&rest[n_digits..])));
            }
            rest.split_at(2)
        }
    };
    let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
    code.map(|code| (code, remaining)).ok_or_else(|| invalid(text, remaining))
}

fn skip_one(text: &str) -> &str {
    let mut characters = text.chars();
    characters.next();
    characters.as_str()
}

//! Character classes.

use std::fmt::Write;

use super::{PatternError, escape};

const POSIX_NAMES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// The class `\d`, `\D`, `\s`, `\S`, `\w` or `\W` at the beginning of `text`, written out, and what remains.
pub(super) fn perl(text: &str) -> Option<(&'static str, &str)> {
    let class = match text.as_bytes() {
        [b'\\', b'd', ..] => "[0-9]",
        [b'\\', b'D', ..] => "[^0-9]",
        [b'\\', b's', ..] => r"[\t\n\x0C\r ]",
        [b'\\', b'S', ..] => r"[^\t\n\x0C\r ]",
        [b'\\', b'w', ..] => "[0-9A-Za-z_]",
        [b'\\', b'W', ..] => "[^0-9A-Za-z_]",
        _ => return None,
    };
    Some((class, &text[2..]))
}

/// A class by Unicode property (`\pL`, `\p{Greek}`, `\P{^Greek}`) at the beginning of `text`, and what remains.
pub(super) fn unicode(text: &str) -> Result<Option<(String, &str)>, PatternError> {
    let mut negated = match text.as_bytes() {
        [b'\\', b'p', ..] => false,
        [b'\\', b'P', ..] => true,
        _ => return Ok(None),
    };
    let after = &text[2..];
    let (mut name, rest) = match after.strip_prefix('{') {
        Some(inside) => {
            let end = inside
                .find('}')
                .ok_or_else(|| PatternError::new("invalid character class range", text))?;
            (&inside[..end], &inside[end + 1..])
        }
        None => match after.chars().next() {
            Some(letter) => after.split_at(letter.len_utf8()),
            None => return Err(PatternError::new("invalid character class range", text)),
        },
    };
    let written = &text[..text.len() - rest.len()];
    if let Some(rest) = name.strip_prefix('^') {
        negated = !negated;
        name = rest;
    }
    let class = match name {
        "Any" if negated => r"[^\x{0}-\x{10FFFF}]".to_owned(),
        "Any" => r"[\x{0}-\x{10FFFF}]".to_owned(),
        _ => format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' }),
    };
    if !is_known_name(name) || regex_syntax::parse(&class).is_err() {
        return Err(PatternError::new("invalid character class range", written));
    }
    Ok(Some((class, rest)))
}

/// Whether it is the name of a general category of one or two letters, or may be that of a script: no other properties,
/// no long names of categories, no short names of scripts.
fn is_known_name(name: &str) -> bool {
    const LONG_CATEGORIES: [&str; 11] = [
        "Letter",
        "Mark",
        "Number",
        "Punctuation",
        "Symbol",
        "Separator",
        "Other",
        "Control",
        "Format",
        "Surrogate",
        "Unassigned",
    ];
    const FOUR_LETTER_SCRIPTS: [&str; 5] = ["Cham", "Lisu", "Modi", "Thai", "Toto"];
    let is_word = name.starts_with(|first: char| first.is_ascii_uppercase())
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_');
    match name.len() {
        0 => false,
        1 | 2 => is_word,
        4 => FOUR_LETTER_SCRIPTS.contains(&name),
        _ => {
            let as_script = format!(r"\p{{Script={name}}}");
            is_word
                && !LONG_CATEGORIES.contains(&name)
                && (name == "Any" || regex_syntax::parse(&as_script).is_ok())
        }
    }
}

/// A class between brackets at the beginning of `text`, and what remains.
pub(super) fn bracketed(text: &str) -> Result<(String, &str), PatternError> {
    let mut out = String::from("[");
    let mut rest = &text[1..];
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut first = true;
    while first || !rest.starts_with(']') {
        first = false;
        if let Some((class, after)) = posix(rest)? {
            out.push_str(class);
            rest = after;
        } else if let Some((class, after)) = unicode(rest)? {
            out.push_str(&class);
            rest = after;
        } else if let Some((class, after)) = perl(rest) {
            out.push_str(class);
            rest = after;
        } else {
            rest = range(text, rest, &mut out)?;
        }
    }
    out.push(']');
    Ok((out, &rest[1..]))
}

fn posix(text: &str) -> Result<Option<(&str, &str)>, PatternError> {
    let Some(inside) = text.strip_prefix("[:") else {
        return Ok(None);
    };
    let Some(end) = inside.find(":]") else {
        return Ok(None);
    };
    let name = &inside[..end];
    let (written, rest) = text.split_at(end + 4);
    if POSIX_NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
        Ok(Some((written, rest)))
    } else {
        Err(PatternError::new("invalid character class range", written))
    }
}

/// One character, or a range of characters.
fn range<'t>(class: &str, text: &'t str, out: &mut String) -> Result<&'t str, PatternError> {
    let (low, mut rest) = class_character(class, text)?;
    let mut high = low;
    if rest.len() >= 2 && rest.starts_with('-') && !rest[1..].starts_with(']') {
        (high, rest) = class_character(class, &rest[1..])?;
        if high < low {
            let written = &text[..text.len() - rest.len()];
            return Err(PatternError::new("invalid character class range", written));
        }
    }
    for (introduction, character) in [("\\x{", low), ("-\\x{", high)] {
        out.push_str(introduction);
        write!(out, "{:X}}}", u32::from(character)).unwrap_or_default();
    }
    Ok(rest)
}

fn class_character<'t>(class: &str, text: &'t str) -> Result<(char, &'t str), PatternError> {
    if text.starts_with('\\') {
        return escape::character(text);
    }
    let mut characters = text.chars();
    match characters.next() {
        Some(character) => Ok((character, characters.as_str())),
        None => Err(PatternError::new("missing closing ]", class)),
    }
}

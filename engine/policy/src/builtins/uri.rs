//! `uri.parse` and `uri.is_valid`.

use std::collections::BTreeMap;

use regorus::Value;

use super::{Entry, text};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("uri.parse", 1, |values| {
        let parts = parse(text(values, 0)?)?;
        let members: BTreeMap<Value, Value> = parts
            .into_iter()
            .filter(|(_, part)| !part.is_empty())
            .map(|(name, part)| (name.into(), part.into()))
            .collect();
        Ok(members.into())
    }),
    ("uri.is_valid", 1, |values| {
        let is_valid = text(values, 0).is_ok_and(|text| !text.is_empty() && parse(text).is_ok());
        Ok(is_valid.into())
    }),
];

fn parse(text: &str) -> Result<Vec<(&'static str, String)>, String> {
    let wrong = |what: &str| format!("parse {}: {what}", Value::from(text));
    if text.chars().any(char::is_control) {
        return Err(wrong("net/url: invalid control character in URL"));
    }
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    let mut parts = vec![(
        "fragment",
        decoded(fragment).map_err(|escape| wrong(&escape))?,
    )];
    let (scheme, rest) = split_scheme(rest).map_err(|what| wrong(&what))?;
    parts.push(("scheme", scheme.to_ascii_lowercase()));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    parts.push(("raw_query", query.to_owned()));
    if !scheme.is_empty() && !rest.starts_with('/') {
        return Ok(parts);
    }
    let mut path = rest;
    if let Some(behind) = rest.strip_prefix("//") {
        let end = behind.find('/').unwrap_or(behind.len());
        path = &behind[end..];
        let (host, port) = authority(&behind[..end]).map_err(|what| wrong(&what))?;
        parts.push(("hostname", host));
        parts.push(("port", port));
    } else if scheme.is_empty()
        && path
            .split('/')
            .next()
            .is_some_and(|first| first.contains(':'))
    {
        return Err(wrong("first path segment in URL cannot contain colon"));
    }
    let plain = decoded(path).map_err(|escape| wrong(&escape))?;
    // The text as it was says something only where the usual way of escaping would not lead to it.
    let raw = if path == escaped(&plain) {
        plain.clone()
    } else {
        path.to_owned()
    };
    parts.push(("path", plain));
    parts.push(("raw_path", raw));
    Ok(parts)
}

fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    let is_scheme =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.');
    let end = text.find(|character| !is_scheme(character));
    match end {
        Some(0) if text.starts_with(':') => Err("missing protocol scheme".to_owned()),
        Some(end)
            if text[end..].starts_with(':')
                && text.starts_with(|first: char| first.is_ascii_alphabetic()) =>
        {
            Ok((&text[..end], &text[end + 1..]))
        }
        _ => Ok(("", text)),
    }
}

/// The host and the port behind what names a user.
fn authority(text: &str) -> Result<(String, String), String> {
    let host = match text.rsplit_once('@') {
        Some((user, host)) => {
            let is_allowed = |character: char| {
                character.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(character)
            };
            if !user.chars().all(is_allowed) {
                return Err("net/url: invalid userinfo".to_owned());
            }
            decoded(user)?;
            host
        }
        None => text,
    };
    let (name, port) = if let Some(literal) = host.strip_prefix('[') {
        literal.rsplit_once(']').ok_or("missing ']' in host")?
    } else {
        match host.find(':') {
            Some(colon) => host.split_at(host.rfind(':').unwrap_or(colon)),
            None => (host, ""),
        }
    };
    let digits = port.strip_prefix(':').unwrap_or_default();
    if !port.is_empty() && !port.starts_with(':')
        || !digits.bytes().all(|digit| digit.is_ascii_digit())
    {
        return Err(format!("invalid port {} after host", Value::from(port)));
    }
    Ok((host_name(name)?, digits.to_owned()))
}

/// A host's name: only what is not ASCII may be escaped, and the percent sign before a zone.
fn host_name(text: &str) -> Result<String, String> {
    for (at, _) in text.match_indices('%') {
        let escape = text.get(at..at + 3).unwrap_or(&text[at..]);
        let is_ascii = !matches!(
            escape.as_bytes().get(1),
            Some(b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
        );
        if is_ascii && escape != "%25" {
            return Err(format!("invalid URL escape {}", Value::from(escape)));
        }
    }
    let wrong = text.chars().find(|character| {
        matches!(
            character,
            ' ' | '<' | '>' | '"' | '\\' | '^' | '`' | '{' | '|' | '}'
        )
    });
    match wrong {
        Some(wrong) => Err(format!(
            "invalid character {} in host name",
            Value::from(wrong.to_string())
        )),
        None => decoded(text),
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = behind
            .get(..2)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        let Some(byte) = digits else {
            let shown = String::from_utf8_lossy(&behind[..behind.len().min(2)]);
            return Err(format!("invalid URL escape \"%{shown}\""));
        };
        bytes.push(byte);
        rest = &behind[2..];
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a byte of a path stands for itself in the usual way of escaping.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte)
}

/// A path in the usual way of escaping.
fn escaped(path: &str) -> String {
    path.bytes()
        .map(|byte| {
            if is_plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

//! Text: characters are grapheme clusters wherever they are counted.

use terrace_value::{Refinements, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use crate::re2;
use crate::spec::{gives_bool, gives_string, gives_strings, number, parameter, text};
use crate::support::{BlameArgument, elements_of, integer_of, length_bounds, text_of};
use crate::{CallError, Context, Function};

pub(crate) fn functions() -> Vec<Function> {
    let mut functions = transformations();
    functions.extend(trimming());
    functions.extend(tests_of_content());
    functions.extend(splitting());
    functions
}

fn transformations() -> Vec<Function> {
    vec![
        Function::new(
            "indent",
            "Puts spaces at the beginning of every line but the first.",
            [
                number("spaces", "How many spaces."),
                text("str", "The lines."),
            ],
            gives_string,
            indent,
        ),
        Function::new(
            "lower",
            "All letters as small letters.",
            [text("str", "").dynamic()],
            gives_string,
            |arguments, _, _| Ok(Value::string(lower(text_of(&arguments[0])))),
        ),
        Function::new(
            "replace",
            "Replaces every occurrence of a substring, or every match of a pattern that is written between slashes.",
            [text("str", ""), text("substr", ""), text("replace", "")],
            gives_string,
            replace,
        ),
        Function::new(
            "strrev",
            "The characters in reverse order.",
            [text("str", "").dynamic()],
            gives_string,
            |arguments, _, _| {
                Ok(Value::string(
                    text_of(&arguments[0])
                        .graphemes(true)
                        .rev()
                        .collect::<String>(),
                ))
            },
        ),
        Function::new(
            "substr",
            "A part of the text, from an offset (from the end if negative) and of a length (-1 for the rest).",
            [
                text("str", "The text.").dynamic(),
                number("offset", "The first character, from 0.").dynamic(),
                number("length", "How many characters at most.").dynamic(),
            ],
            gives_string,
            substr,
        ),
        Function::new(
            "title",
            "The first letter of each word as a capital.",
            [text("str", "")],
            gives_string,
            |arguments, _, _| Ok(Value::string(title(text_of(&arguments[0])))),
        ),
        Function::new(
            "upper",
            "All letters as capitals.",
            [text("str", "").dynamic()],
            gives_string,
            |arguments, _, _| Ok(Value::string(upper(text_of(&arguments[0])))),
        ),
    ]
}

fn trimming() -> Vec<Function> {
    vec![
        Function::new(
            "chomp",
            "Without the newlines at its end.",
            [text("str", "")],
            gives_string,
            |arguments, _, _| {
                Ok(Value::string(
                    text_of(&arguments[0]).trim_end_matches(['\r', '\n']),
                ))
            },
        ),
        Function::new(
            "trim",
            "Without any of the given characters at its beginning and end.",
            [
                text("str", "The text."),
                text("cutset", "The characters to take off, in any order."),
            ],
            gives_string,
            |arguments, _, _| {
                let cutset: Vec<char> = text_of(&arguments[1]).chars().collect();
                Ok(Value::string(
                    text_of(&arguments[0]).trim_matches(cutset.as_slice()),
                ))
            },
        ),
        Function::new(
            "trimprefix",
            "Without a prefix, if it is there.",
            [
                text("str", "The text."),
                text("prefix", "What to take off."),
            ],
            gives_string,
            |arguments, _, _| {
                let whole = text_of(&arguments[0]);
                Ok(Value::string(
                    whole.strip_prefix(text_of(&arguments[1])).unwrap_or(whole),
                ))
            },
        ),
        Function::new(
            "trimspace",
            "Without white space at its beginning and end.",
            [text("str", "")],
            gives_string,
            |arguments, _, _| Ok(Value::string(text_of(&arguments[0]).trim())),
        ),
        Function::new(
            "trimsuffix",
            "Without a suffix, if it is there.",
            [
                text("str", "The text."),
                text("suffix", "What to take off."),
            ],
            gives_string,
            |arguments, _, _| {
                let whole = text_of(&arguments[0]);
                Ok(Value::string(
                    whole.strip_suffix(text_of(&arguments[1])).unwrap_or(whole),
                ))
            },
        ),
    ]
}

fn tests_of_content() -> Vec<Function> {
    vec![
        Function::new(
            "endswith",
            "Whether the text ends with a suffix.",
            [text("str", ""), text("suffix", "")],
            gives_bool,
            |arguments, _, _| {
                Ok(Value::bool(
                    text_of(&arguments[0]).ends_with(text_of(&arguments[1])),
                ))
            },
        ),
        Function::new(
            "startswith",
            "Whether the text begins with a prefix.",
            [text("str", "").unknown(), text("prefix", "")],
            gives_bool,
            startswith,
        ),
        Function::new(
            "strcontains",
            "Whether a substring is anywhere in the text.",
            [text("str", ""), text("substr", "")],
            gives_bool,
            |arguments, _, _| {
                Ok(Value::bool(
                    text_of(&arguments[0]).contains(text_of(&arguments[1])),
                ))
            },
        )
        .with_nullable_result(),
    ]
}

fn splitting() -> Vec<Function> {
    vec![
        Function::new(
            "join",
            "Joins the strings of all lists, with a separator between them.",
            [text("separator", "What stands between two strings.")],
            gives_string,
            join,
        )
        .with_variadic(parameter(
            "lists",
            "One or more lists of strings.",
            Type::list(Type::String),
        )),
        Function::new(
            "sort",
            "The strings in the order of their code points.",
            [parameter("list", "", Type::list(Type::String)).unknown()],
            gives_strings,
            sort,
        ),
        Function::new(
            "split",
            "The parts between the occurrences of a separator.",
            [
                text("separator", "What stands between two parts."),
                text("str", "The text."),
            ],
            gives_strings,
            split,
        ),
    ]
}

/// As the reference does: each code point by itself, none becoming several.
fn lower(text: &str) -> String {
    text.chars()
        .map(|character| single(character, character.to_lowercase()))
        .collect()
}

fn upper(text: &str) -> String {
    text.chars()
        .map(|character| single(character, character.to_uppercase()))
        .collect()
}

fn single(original: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(only), None) => only,
        // A small dotless i is what the first code point of "i̇" is after folding; other expansions have no single form.
        (Some('i'), Some('\u{307}')) => 'i',
        _ => original,
    }
}

fn title(text: &str) -> String {
    let mut previous = ' ';
    text.chars()
        .map(|character| {
            let begins_word = separates_words(previous);
            previous = character;
            if begins_word {
                title_case(character)
            } else {
                character
            }
        })
        .collect()
}

/// The digraphs with a capital form for the beginning of words.
fn title_case(character: char) -> char {
    match character {
        'Ǆ'..='ǆ' => 'ǅ',
        'Ǉ'..='ǉ' => 'ǈ',
        'Ǌ'..='ǌ' => 'ǋ',
        'Ǳ'..='ǳ' => 'ǲ',
        _ => single(character, character.to_uppercase()),
    }
}

fn separates_words(character: char) -> bool {
    if character.is_ascii() {
        return !(character.is_ascii_alphanumeric() || character == '_');
    }
    !character.is_alphanumeric() && character.is_whitespace()
}

fn indent(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let spaces = integer_of(&arguments[0]).blame_call()?;
    let spaces = usize::try_from(spaces)
        .ok()
        .filter(|spaces| *spaces <= MOST_SPACES)
        .ok_or_else(|| CallError::argument(0, format!("must be between 0 and {MOST_SPACES}")))?;
    let pad = format!("\n{}", " ".repeat(spaces));
    Ok(Value::string(text_of(&arguments[1]).replace('\n', &pad)))
}

const MOST_SPACES: usize = 1 << 20;

fn replace(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let [whole, wanted, replacement] = [0, 1, 2].map(|index| text_of(&arguments[index]));
    let pattern = wanted
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    let Some(pattern) = pattern else {
        return Ok(Value::string(replace_text(whole, wanted, replacement)));
    };
    let pattern =
        re2::Pattern::new(pattern).map_err(|error| CallError::call(error.with_frame()))?;
    Ok(Value::string(pattern.replace_all(whole, replacement)))
}

/// An empty `wanted` matches before every code point and at the end.
fn replace_text(whole: &str, wanted: &str, replacement: &str) -> String {
    whole.replace(wanted, replacement)
}

fn substr(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let characters: Vec<&str> = text_of(&arguments[0]).graphemes(true).collect();
    let offset = integer_of(&arguments[1]).blame_call()?;
    let length = integer_of(&arguments[2]).blame_call()?;
    let total = i64::try_from(characters.len()).unwrap_or(i64::MAX);
    let from_end = offset < 0;
    if length == 0 && !from_end {
        return Ok(Value::string(""));
    }
    let start = if from_end {
        offset.saturating_add(total)
    } else {
        offset
    };
    let start = usize::try_from(start.max(0))
        .unwrap_or(usize::MAX)
        .min(characters.len());
    let rest = &characters[start..];
    // A length of 0 behind a negative offset never stops the count: the reference gives the rest there too.
    let length = match usize::try_from(length) {
        Ok(0) | Err(_) => rest.len(),
        Ok(length) => length.min(rest.len()),
    };
    Ok(Value::string(rest[..length].concat()))
}

fn startswith(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let prefix = text_of(&arguments[1]);
    let Some(refinements) = arguments[0].refinements() else {
        return Ok(Value::bool(text_of(&arguments[0]).starts_with(prefix)));
    };
    if prefix.is_empty() {
        return Ok(Value::TRUE);
    }
    let known = refinements.prefix.as_deref().unwrap_or_default();
    if known.starts_with(prefix) {
        return Ok(Value::TRUE);
    }
    if !known.is_empty() && known.len() >= prefix.len() {
        return Ok(Value::FALSE);
    }
    Ok(Value::unknown(Type::Bool))
}

fn join(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let separator = text_of(&arguments[0]);
    let lists = &arguments[1..];
    if lists.is_empty() {
        return Err(CallError::call("at least one list is required"));
    }
    if lists.iter().any(|list| !list.is_wholly_known()) {
        return Ok(Value::unknown(Type::String));
    }
    let mut strings = Vec::new();
    for (position, list) in (1..).zip(lists) {
        for (index, item) in elements_of(list).iter().enumerate() {
            let Some(text) = item.as_str() else {
                let of_list = if lists.len() > 1 {
                    format!(" of list {position}")
                } else {
                    String::new()
                };
                let message =
                    format!("element {index}{of_list} is null; cannot concatenate null values");
                return Err(CallError::argument(position, message));
            };
            strings.push(text.to_owned());
        }
    }
    Ok(Value::string(strings.join(separator)))
}

fn sort(arguments: &[Value], result: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let list = &arguments[0];
    if !list.is_wholly_known() {
        // The order is not known, but the length stays.
        let (least, greatest) = length_bounds(list);
        if let (Some(_), Some(length)) = (list.as_sequence(), greatest) {
            let unknown = std::iter::repeat_n(
                Value::unknown(Type::String),
                usize::try_from(length).unwrap_or(0),
            );
            return Ok(Value::list(Type::String, unknown));
        }
        let refinements = Refinements {
            not_null: true,
            min_length: (least > 0).then_some(least),
            max_length: greatest,
            ..Refinements::default()
        };
        return Ok(Value::unknown_refined(result.clone(), refinements));
    }
    let mut strings = Vec::new();
    for (index, item) in elements_of(list).iter().enumerate() {
        let text = item.as_str().ok_or_else(|| {
            CallError::call(format!(
                "given list element {index} is null; a null string cannot be sorted"
            ))
        })?;
        strings.push(text.to_owned());
    }
    strings.sort_unstable();
    Ok(Value::list(
        Type::String,
        strings.into_iter().map(Value::from),
    ))
}

fn split(arguments: &[Value], _: &Type, _: &dyn Context) -> Result<Value, CallError> {
    let separator = text_of(&arguments[0]);
    let whole = text_of(&arguments[1]);
    let parts: Vec<Value> = if separator.is_empty() {
        whole
            .chars()
            .map(|character| Value::string(character.to_string()))
            .collect()
    } else {
        whole.split(separator).map(Value::from).collect()
    };
    Ok(Value::list(Type::String, parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::tests::{call, check};

    #[test]
    fn letters() {
        check(&[
            ("lower", r#"["ÀÉİ"]"#, r#""àéi""#),
            ("upper", r#"["straße ŉ"]"#, r#""STRAßE ŉ""#),
            (
                "title",
                r#"["hello wOrld foo-bar o'neil a_b ǆx"]"#,
                r#""Hello WOrld Foo-Bar O'Neil A_b ǅx""#,
            ),
            (
                "strrev",
                "[\"\u{1f468}\u{200d}\u{1f469}ab\"]",
                "\"ba\u{1f468}\u{200d}\u{1f469}\"",
            ),
        ]);
    }

    #[test]
    fn parts() {
        check(&[
            ("substr", r#"["hello world", 1, 4]"#, r#""ello""#),
            ("substr", r#"["hello world", -5, -1]"#, r#""world""#),
            ("substr", r#"["hello", 10, 1]"#, r#""""#),
            ("substr", r#"["hello", -10, 3]"#, r#""hel""#),
            ("substr", r#"["hello", 1, 0]"#, r#""""#),
            ("split", r#"["", "abc"]"#, r#"["a","b","c"]"#),
            ("split", r#"[",", ""]"#, r#"[""]"#),
            ("split", r#"["", ""]"#, "[]"),
            ("join", r#"["-", ["a"], ["b", 1]]"#, r#""a-b-1""#),
            ("join", r#"[","]"#, "! at least one list is required"),
            (
                "join",
                r#"[",", ["a", null]]"#,
                "!1 element 1 is null; cannot concatenate null values",
            ),
            (
                "join",
                r#"[",", ["a"], [null]]"#,
                "!2 element 0 of list 2 is null; cannot concatenate null values",
            ),
            ("sort", r#"[["B", "a", "C"]]"#, r#"["B","C","a"]"#),
            (
                "sort",
                r#"[["a", null]]"#,
                "! given list element 1 is null; a null string cannot be sorted",
            ),
        ]);
    }

    #[test]
    fn trims() {
        check(&[
            ("chomp", r#"["a\r\n\n\r"]"#, r#""a""#),
            ("trim", r#"["?!hello?!", "!?"]"#, r#""hello""#),
            ("trimprefix", r#"["hellohello", "hello"]"#, r#""hello""#),
            ("trimsuffix", r#"["hellohello", "hello"]"#, r#""hello""#),
            ("trimspace", r#"["\t hi \n"]"#, r#""hi""#),
            ("indent", r#"[2, "a\nb\nc"]"#, r#""a\n  b\n  c""#),
            ("indent", r#"[-1, "a"]"#, "!0 must be between 0 and 1048576"),
        ]);
    }

    #[test]
    fn replacements() {
        check(&[
            ("replace", r#"["hello", "l", "L"]"#, r#""heLLo""#),
            ("replace", r#"["abc", "", "-"]"#, r#""-a-b-c-""#),
            (
                "replace",
                r#"["hello world", "/o(.)/", "0$1"]"#,
                r#""hell0 w0rld""#,
            ),
            (
                "replace",
                r#"["hello", "/(?P<x>l)/", "[$x]"]"#,
                r#""he[l][l]o""#,
            ),
            ("replace", r#"["a/b", "/", "-"]"#, r#""a-b""#),
        ]);
    }

    #[test]
    fn a_known_prefix_can_answer() {
        let prefixed = |prefix: &str| {
            let refinements = Refinements {
                prefix: Some(prefix.into()),
                ..Refinements::not_null()
            };
            Value::unknown_refined(Type::String, refinements)
        };
        let asked = |prefix: &str| {
            call("startswith", &[prefixed("https://"), Value::from(prefix)]).unwrap()
        };
        assert_eq!(asked("http"), Value::TRUE);
        assert_eq!(asked("ftp"), Value::FALSE);
        assert!(!asked("https://example").is_known());
    }

    #[test]
    fn sorting_keeps_the_length() {
        let list = Value::list(
            Type::String,
            [Value::unknown(Type::String), Value::from("a")],
        );
        let unknown = Value::unknown(Type::String);
        let sorted = call("sort", &[list]);
        assert_eq!(
            sorted,
            Ok(Value::list(Type::String, [unknown.clone(), unknown]))
        );
    }
}

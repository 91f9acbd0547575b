//! Patterns for paths.

/// A pattern: `*` and `?` stay within a part of a path, `**` as a whole part stands for any parts, `[a-z]` and `[^a-z]`
/// for one character, `{a,b}` for one of several patterns, and a backslash takes the meaning from what follows it.
#[derive(Debug)]
pub(crate) struct Glob {
    alternatives: Vec<Vec<Part>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// Any number of parts.
    Any,
    /// One part.
    Tokens(Vec<Token>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Literal(char),
    One,
    Many,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

const BAD_PATTERN: &str = "syntax error in pattern";
const MOST_ALTERNATIVES: usize = 4096;

impl Glob {
    /// Reads a pattern.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let alternatives = expand(pattern)?
            .iter()
            .map(|pattern| parts(pattern))
            .collect::<Result<_, _>>()?;
        Ok(Self { alternatives })
    }

    /// Whether a path matches as a whole.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').collect();
        self.alternatives
            .iter()
            .any(|parts| matches_parts(parts, &names))
    }
}

/// The patterns that one with braces stands for.
fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let Some((before, choices, after)) = braces(pattern)? else {
        return Ok(vec![pattern.to_owned()]);
    };
    let mut expanded = Vec::new();
    for choice in choices {
        for rest in expand(&format!("{choice}{after}"))? {
            expanded.push(format!("{before}{rest}"));
            if expanded.len() > MOST_ALTERNATIVES {
                return Err(BAD_PATTERN.to_owned());
            }
        }
    }
    Ok(expanded)
}

/// What stands before braces, the choices between them, and what stands behind.
type Braces<'p> = (&'p str, Vec<&'p str>, &'p str);

/// The first braces of a pattern.
fn braces(pattern: &str) -> Result<Option<Braces<'_>>, String> {
    let mut depth = 0_usize;
    let mut opening = None;
    let mut choices = Vec::new();
    let mut choice_start = 0;
    let mut in_class = false;
    let mut characters = pattern.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '[' if !in_class => in_class = true,
            ']' => in_class = false,
            _ if in_class => {}
            '{' => {
                depth += 1;
                if depth == 1 {
                    opening = Some(index);
                    choice_start = index + 1;
                }
            }
            ',' if depth == 1 => {
                choices.push(&pattern[choice_start..index]);
                choice_start = index + 1;
            }
            '}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    choices.push(&pattern[choice_start..index]);
                    let before = &pattern[..opening.unwrap_or(0)];
                    return Ok(Some((before, choices, &pattern[index + 1..])));
                }
            }
            _ => {}
        }
    }
    if depth > 0 {
        Err(BAD_PATTERN.to_owned())
    } else {
        Ok(None)
    }
}

fn parts(pattern: &str) -> Result<Vec<Part>, String> {
    pattern
        .split('/')
        .map(|part| {
            if part == "**" {
                Ok(Part::Any)
            } else {
                tokens(part).map(Part::Tokens)
            }
        })
        .collect()
}

fn tokens(part: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut characters = part.chars();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => Token::Many,
            '?' => Token::One,
            '[' => class(&mut characters)?,
            '\\' => Token::Literal(characters.next().ok_or(BAD_PATTERN)?),
            literal => Token::Literal(literal),
        });
    }
    Ok(tokens)
}

fn class(characters: &mut std::str::Chars<'_>) -> Result<Token, String> {
    let negated = characters.as_str().starts_with('^');
    if negated {
        characters.next();
    }
    let mut ranges = Vec::new();
    loop {
        let low = match characters.next().ok_or(BAD_PATTERN)? {
            ']' if !ranges.is_empty() => return Ok(Token::Class { negated, ranges }),
            ']' | '-' => return Err(BAD_PATTERN.to_owned()),
            '\\' => characters.next().ok_or(BAD_PATTERN)?,
            low => low,
        };
        let mut high = low;
        if characters.as_str().starts_with('-') {
            characters.next();
            high = match characters.next().ok_or(BAD_PATTERN)? {
                ']' | '-' => return Err(BAD_PATTERN.to_owned()),
                '\\' => characters.next().ok_or(BAD_PATTERN)?,
                high => high,
            };
        }
        ranges.push((low, high));
    }
}

fn matches_parts(parts: &[Part], names: &[&str]) -> bool {
    match parts.split_first() {
        None => names.is_empty(),
        Some((Part::Any, rest)) => {
            (0..=names.len()).any(|skipped| matches_parts(rest, &names[skipped..]))
        }
        Some((Part::Tokens(tokens), rest)) => names.split_first().is_some_and(|(name, others)| {
            let name: Vec<char> = name.chars().collect();
            matches_name(tokens, &name) && matches_parts(rest, others)
        }),
    }
}

/// With one place to come back to: the last `*`.
fn matches_name(tokens: &[Token], name: &[char]) -> bool {
    let (mut token, mut position) = (0, 0);
    let mut last_many: Option<(usize, usize)> = None;
    while position < name.len() {
        match tokens.get(token) {
            Some(Token::Many) => {
                last_many = Some((token, position));
                token += 1;
            }
            Some(one) if matches_one(one, name[position]) => {
                token += 1;
                position += 1;
            }
            _ => match last_many {
                Some((many, start)) => {
                    last_many = Some((many, start + 1));
                    token = many + 1;
                    position = start + 1;
                }
                None => return false,
            },
        }
    }
    tokens[token..].iter().all(|token| *token == Token::Many)
}

fn matches_one(token: &Token, character: char) -> bool {
    match token {
        Token::Literal(literal) => *literal == character,
        Token::One => true,
        Token::Many => false,
        Token::Class { negated, ranges } => {
            ranges
                .iter()
                .any(|(low, high)| (*low..=*high).contains(&character))
                != *negated
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Glob::new(pattern).unwrap().matches(path)
    }

    #[test]
    fn within_a_part() {
        assert!(matches("*.tf", "main.tf"));
        assert!(matches("*.tf", ".tf"));
        assert!(!matches("*.tf", "a/main.tf"));
        assert!(matches("a*b*c", "aXbYbZc"));
        assert!(!matches("a*b*c", "aXbYbZ"));
        assert!(matches("?[a-c][^x].txt", "zby.txt"));
        assert!(!matches("[^a]", "a"));
        assert!(matches("\\*", "*"));
    }

    #[test]
    fn across_parts() {
        assert!(matches("**", "a/b"));
        assert!(matches("**/x", "x"));
        assert!(matches("a/**/x", "a/b/c/x"));
        assert!(!matches("a/**/x", "b/x"));
        assert!(matches("a/**", "a/b/c"));
        assert!(!matches("a**b", "a/b"));
    }

    #[test]
    fn choices() {
        assert!(matches("{a,b/{c,d}}.txt", "b/d.txt"));
        assert!(matches("*.{yml,yaml}", "x.yaml"));
        assert!(!matches("*.{yml,yaml}", "x.json"));
        assert!(Glob::new("{a").is_err());
        assert!(Glob::new("[a").is_err());
    }
}

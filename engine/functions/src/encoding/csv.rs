//! Comma-separated values.

use std::collections::BTreeSet;

use terrace_value::{Type, Value};

use crate::go_text::quoted;

/// A list of one object a row, the first row naming the attributes.
pub(super) fn decode(text: &str) -> Result<Value, String> {
    let mut reader = Reader {
        rest: text,
        line: 0,
    };
    let (_, names) = reader.record()?.ok_or("missing header line")?;
    let mut known = BTreeSet::new();
    for name in &names {
        if !known.insert(name.as_str()) {
            return Err(format!("duplicate column name {}", quoted(name)));
        }
    }
    let element = Type::object(names.iter().map(|name| (name.as_str(), Type::String)));
    let mut rows = Vec::new();
    while let Some((line, fields)) = reader.record()? {
        if fields.len() != names.len() {
            return Err(at_line(line, "wrong number of fields"));
        }
        rows.push(Value::object(
            names
                .iter()
                .map(String::as_str)
                .zip(fields.into_iter().map(Value::from)),
        ));
    }
    Ok(Value::list(element, rows))
}

fn at_line(line: usize, problem: &str) -> String {
    format!("CSV parse error on line {line}: {problem}")
}

const STRAY_QUOTE: &str = "extraneous or missing \" in quoted-field";

struct Reader<'t> {
    rest: &'t str,
    /// The line that was read last, from 1.
    line: usize,
}

impl<'t> Reader<'t> {
    /// The next line without its end, and whether it had one.
    fn next_line(&mut self) -> Option<(&'t str, bool)> {
        if self.rest.is_empty() {
            return None;
        }
        self.line += 1;
        let (line, rest, ended) = match self.rest.split_once('\n') {
            Some((line, rest)) => (line, rest, true),
            None => (self.rest, "", false),
        };
        self.rest = rest;
        Some((line.strip_suffix('\r').unwrap_or(line), ended))
    }

    /// The fields of the next row and the line it begins on; empty lines are skipped.
    fn record(&mut self) -> Result<Option<(usize, Vec<String>)>, String> {
        let (mut line, mut ended) = loop {
            match self.next_line() {
                None => return Ok(None),
                Some(("", _)) => {}
                Some(line) => break line,
            }
        };
        let first_line = self.line;
        let mut fields = Vec::new();
        loop {
            let Some(inside) = line.strip_prefix('"') else {
                let (field, rest) = match line.split_once(',') {
                    Some((field, rest)) => (field, Some(rest)),
                    None => (line, None),
                };
                if field.contains('"') {
                    return Err(at_line(self.line, "bare \" in non-quoted-field"));
                }
                fields.push(field.to_owned());
                match rest {
                    Some(rest) => line = rest,
                    None => return Ok(Some((first_line, fields))),
                }
                continue;
            };
            let (field, rest) = self.quoted_field(inside, &mut ended)?;
            fields.push(field);
            match rest.strip_prefix(',') {
                Some(rest) => line = rest,
                None if rest.is_empty() => return Ok(Some((first_line, fields))),
                None => return Err(at_line(self.line, STRAY_QUOTE)),
            }
        }
    }

    /// A field whose opening quote has been read, over as many lines as it takes, and what follows its closing quote.
    fn quoted_field(
        &mut self,
        mut line: &'t str,
        ended: &mut bool,
    ) -> Result<(String, &'t str), String> {
        let mut field = String::new();
        loop {
            if let Some((part, rest)) = line.split_once('"') {
                field.push_str(part);
                match rest.strip_prefix('"') {
                    Some(rest) => {
                        field.push('"');
                        line = rest;
                    }
                    None => return Ok((field, rest)),
                }
                continue;
            }
            field.push_str(line);
            if *ended {
                field.push('\n');
            }
            match self.next_line() {
                Some((next, next_ended)) => (line, *ended) = (next, next_ended),
                None => return Err(at_line(self.line, STRAY_QUOTE)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::support::tests::check;

    #[test]
    fn rows() {
        check(&[
            (
                "csvdecode",
                r#"["a,b\n1,2\r\n\n3,4"]"#,
                r#"[{"a":"1","b":"2"},{"a":"3","b":"4"}]"#,
            ),
            (
                "csvdecode",
                r#"["a,b\n\"x,\ny\",\"q\"\"z\"\n"]"#,
                r#"[{"a":"x,\ny","b":"q\"z"}]"#,
            ),
            ("csvdecode", r#"["a"]"#, "[]"),
            (
                "csvdecode",
                r#"["a,a\n1,2"]"#,
                r#"! duplicate column name "a""#,
            ),
            (
                "csvdecode",
                r#"["a,b\n1"]"#,
                "! CSV parse error on line 2: wrong number of fields",
            ),
            (
                "csvdecode",
                r#"["a\nx\"y"]"#,
                "! CSV parse error on line 2: bare \" in non-quoted-field",
            ),
            (
                "csvdecode",
                r#"["a\n\"x\"y"]"#,
                "! CSV parse error on line 2: extraneous or missing \" in quoted-field",
            ),
            ("csvdecode", r#"[""]"#, "! missing header line"),
        ]);
    }
}

//! The command lines that pages know.

use serde_json::Value as Json;

/// A command line of a page, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// Variables of the environment that stand before it.
    pub set: Vec<(String, String)>,
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What stands after `| jq`: a path into the JSON that is printed.
    pub filter: Option<String>,
    /// What stands after `>`: the file that takes what is printed.
    pub file: Option<String>,
}

impl CommandLine {
    /// Takes a line apart as a shell would, as far as pages need it.
    pub fn parse(line: &str) -> Self {
        let mut words = split(line);
        let mut parsed = Self::default();
        while let Some(assigned) = words.first().and_then(|word| assignment(word)) {
            parsed.set.push(assigned);
            words.remove(0);
        }
        if let Some(at) = words.iter().position(|word| word == "|") {
            let tail = words.split_off(at);
            parsed.filter = tail.get(2).cloned();
        }
        if let Some(at) = words.iter().position(|word| word == ">") {
            let tail = words.split_off(at);
            parsed.file = tail.get(1).cloned();
        }
        let mut words = words.into_iter();
        parsed.program = words.next().unwrap_or_default();
        parsed.arguments = words.collect();
        parsed
    }
}

/// Words as a shell divides them, with quotes.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn assignment(word: &str) -> Option<(String, String)> {
    let (name, value) = word.split_once('=')?;
    let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    named.then(|| (name.to_owned(), value.to_owned()))
}

/// A part of a JSON document: `.a.b[0]`, and `.a[].b` for one text each.
pub fn pick(document: &Json, path: &str) -> String {
    let steps = path.replace('[', ".[");
    let mut found = vec![document.clone()];
    for step in steps.split('.').filter(|step| !step.is_empty()) {
        found = found
            .iter()
            .flat_map(|value| one_step(value, step))
            .collect();
    }
    let texts: Vec<String> = found.iter().map(|value| format!("{value:#}")).collect();
    texts.join("\n")
}

fn one_step(value: &Json, step: &str) -> Vec<Json> {
    if step == "[]" {
        return value.as_array().cloned().unwrap_or_default();
    }
    let index = step
        .strip_prefix('[')
        .and_then(|step| step.strip_suffix(']')?.parse::<usize>().ok());
    vec![match index {
        Some(index) => value[index].clone(),
        None => value[step].clone(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let line = CommandLine::parse("TF_VAR_a=1 terrace plan -var='b=x y' | jq .a[0]");
        assert_eq!(line.set, [("TF_VAR_a".to_owned(), "1".to_owned())]);
        assert_eq!(line.program, "terrace");
        assert_eq!(line.arguments, ["plan", "-var=b=x y"]);
        assert_eq!(line.filter.as_deref(), Some(".a[0]"));
        assert_eq!(
            CommandLine::parse("terrace state pull > old")
                .file
                .as_deref(),
            Some("old")
        );
    }

    #[test]
    fn parts_of_documents() {
        let document = serde_json::json!({"a": [{"b": 1}, {"b": 2}]});
        assert_eq!(pick(&document, ".a[].b"), "1\n2");
        assert_eq!(pick(&document, ".a[1].b"), "2");
        assert_eq!(pick(&document, ".none"), "null");
    }
}

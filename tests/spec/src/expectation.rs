//! What a block expects, entry by entry.

/// An expression and the text that its value is shown as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleEntry {
    /// The expression; further lines of it begin with `. ` in the block.
    pub expression: String,
    /// The lines that follow it.
    pub expected: String,
}

/// A command line and what it prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandEntry {
    /// What stands after `$ `.
    pub line: String,
    /// The lines that follow it, the exit code as `[exit N]` at the end unless it is 0.
    pub expected: String,
}

/// The entries of a ```` ```console ```` block.
pub fn console_entries(content: &str) -> Vec<ConsoleEntry> {
    let mut entries: Vec<ConsoleEntry> = Vec::new();
    for line in content.lines() {
        if let Some(expression) = line.strip_prefix("> ") {
            entries.push(ConsoleEntry {
                expression: expression.to_owned(),
                expected: String::new(),
            });
        } else if let Some(entry) = entries.last_mut() {
            match line.strip_prefix(". ") {
                Some(more) if entry.expected.is_empty() => {
                    entry.expression = format!("{}\n{more}", entry.expression);
                }
                _ => entry.expected = format!("{}{line}\n", entry.expected),
            }
        }
    }
    for entry in &mut entries {
        trim(&mut entry.expected);
    }
    entries
}

/// The entries of a ```` ```terrace ```` block.
pub fn command_entries(content: &str) -> Vec<CommandEntry> {
    let mut entries: Vec<CommandEntry> = Vec::new();
    for line in content.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            entries.push(CommandEntry {
                line: command.to_owned(),
                expected: String::new(),
            });
        } else if let Some(entry) = entries.last_mut() {
            entry.expected = format!("{}{line}\n", entry.expected);
        }
    }
    for entry in &mut entries {
        trim(&mut entry.expected);
    }
    entries
}

fn trim(text: &mut String) {
    let length = text.trim_end().len();
    text.truncate(length);
}

/// Whether a text is what is expected; a line `...` of the expectation stands for any lines but an exit code.
pub fn matches(expected: &str, given: &str) -> bool {
    let clean = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    };
    let (expected, given) = (clean(expected.trim_end()), clean(given.trim_end()));
    lines_match(&expected, &given)
}

fn lines_match(expected: &[String], given: &[String]) -> bool {
    match expected.split_first() {
        None => given.is_empty(),
        Some((line, rest)) if line.trim() == "..." => {
            let most = given
                .iter()
                .position(|line| line.starts_with("[exit "))
                .unwrap_or(given.len());
            (0..=most).any(|skipped| lines_match(rest, &given[skipped..]))
        }
        Some((line, rest)) => given
            .split_first()
            .is_some_and(|(first, others)| first == line && lines_match(rest, others)),
    }
}

/// A problem as a ```` ```diagnostics ```` block, or an answer in a ```` ```console ```` block, tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// `Error` or `Warning`.
    pub severity: String,
    /// The heading.
    pub summary: String,
    /// Its id, which stands in brackets behind the heading; not a part of what is compared with the reference.
    pub id: Option<String>,
    /// File and line, as `main.tf:3`, where the block tells a place.
    pub place: Option<String>,
    /// What is said, with single spaces.
    pub detail: String,
}

/// The problems that a block tells.
pub fn told(content: &str) -> Vec<Said> {
    let mut list: Vec<Said> = Vec::new();
    for line in content.lines() {
        let heading = ["Error", "Warning"]
            .into_iter()
            .find_map(|severity| Some((severity, line.strip_prefix(&format!("{severity}: "))?)));
        if let Some((severity, heading)) = heading {
            let (summary, id) = heading_and_id(heading);
            list.push(Said {
                severity: severity.to_owned(),
                summary: summary.to_owned(),
                id: id.map(str::to_owned),
                ..Said::default()
            });
            continue;
        }
        let Some(said) = list.last_mut() else {
            continue;
        };
        let text = line.trim();
        if let Some(place) = text.strip_prefix("at ")
            && said.detail.is_empty()
            && said.place.is_none()
        {
            let mut parts = place.splitn(3, ':');
            let (file, line) = (parts.next(), parts.next());
            said.place = file.zip(line).map(|(file, line)| format!("{file}:{line}"));
        } else if !(said.detail.is_empty() && text.starts_with("with "))
            && ["where ", "while calling ", "hint: "]
                .iter()
                .all(|lead| !line.starts_with(&format!("  {lead}")))
        {
            let words = text.split_whitespace();
            let all: Vec<&str> = said.detail.split_whitespace().chain(words).collect();
            said.detail = all.join(" ");
        }
    }
    list
}

/// A heading without the id behind it, and that.
fn heading_and_id(heading: &str) -> (&str, Option<&str>) {
    let is_id = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    heading
        .strip_suffix(']')
        .and_then(|rest| rest.rsplit_once(" ["))
        .filter(|(_, id)| is_id(id))
        .map_or((heading, None), |(summary, id)| (summary, Some(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_may_have_several_lines() {
        let entries = console_entries("> [\n.   1,\n. ]\n[\n  1,\n]\n\n> 2\n2\n");
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].expression, "[\n  1,\n]");
        assert_eq!(entries[0].expected, "[\n  1,\n]");
        assert_eq!(entries[1].expected, "2");
    }

    #[test]
    fn dots_stand_for_any_lines() {
        assert!(matches("a\n...\nd", "a\nb\nc\nd\n"));
        assert!(matches("a\n...\nd", "a\nd"));
        assert!(!matches("a\n...\nd", "a\nb\n"));
        assert!(!matches("a", "a\nb"));
        assert!(!matches("...", "a\n[exit 1]"));
        assert!(matches("...\n[exit 1]", "a\n[exit 1]"));
        assert!(matches("", "\n"));
    }

    #[test]
    fn problems_are_read_back() {
        let said = told(
            "Error: Bad [bad-thing]\n  at main.tf:2:3: var.x\n  with a.b\n  Two\n  lines.\n  where var.x is 1\n  hint: do\n\nWarning: Odd\n",
        );
        assert_eq!(said.len(), 2);
        assert_eq!(said[0].summary, "Bad");
        assert_eq!(said[0].id.as_deref(), Some("bad-thing"));
        assert_eq!(said[0].place.as_deref(), Some("main.tf:2"));
        assert_eq!(said[0].detail, "Two lines.");
        assert_eq!(said[1].summary, "Odd");
    }
}

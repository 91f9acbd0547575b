//! Lines that someone types: editing, history and completion.

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, Editor as LineEditor, Helper};

/// Asks for lines at a terminal.
pub(crate) struct Editor {
    inner: LineEditor<Names, FileHistory>,
    history: String,
}

/// What someone did at the prompt.
pub(crate) enum Line {
    /// Typed a line.
    Text(String),
    /// Gave up this line.
    Interrupted,
    /// Is done.
    End,
}

impl Editor {
    /// An editor that completes `names` and keeps its history in the file `history`; `None` where there is no terminal
    /// to edit at.
    pub(crate) fn open(names: Vec<String>, history: String) -> Option<Self> {
        let config = Config::builder()
            .auto_add_history(false)
            .history_ignore_space(true)
            .build();
        let mut inner = LineEditor::with_config(config).ok()?;
        inner.set_helper(Some(Names { names }));
        // The first time there is no history yet.
        inner.load_history(&history).ok();
        Some(Self { inner, history })
    }

    /// Asks for a line.
    pub(crate) fn line(&mut self, prompt: &str) -> Line {
        match self.inner.readline(prompt) {
            Ok(text) => Line::Text(text),
            Err(ReadlineError::Interrupted) => Line::Interrupted,
            Err(_) => Line::End,
        }
    }

    /// Remembers what was typed.
    pub(crate) fn remember(&mut self, text: &str) {
        // A history that cannot be kept is no reason to stop.
        self.inner.add_history_entry(text).ok();
        self.inner.save_history(&self.history).ok();
    }
}

/// The names that can be completed, sorted.
struct Names {
    names: Vec<String>,
}

/// Where the name begins that ends at `end`, and those of `names` that begin so.
fn completions<'n>(names: &'n [String], line: &str, end: usize) -> (usize, Vec<&'n str>) {
    let part_of_name = |letter: char| letter.is_alphanumeric() || "_-.:".contains(letter);
    let before = &line[..end];
    let start = before
        .rfind(|letter| !part_of_name(letter))
        .map_or(0, |place| {
            place + before[place..].chars().next().map_or(1, char::len_utf8)
        });
    let begun = &before[start..];
    if begun.is_empty() {
        return (start, Vec::new());
    }
    let from = names.partition_point(|name| name.as_str() < begun);
    let found = names[from..]
        .iter()
        .map(String::as_str)
        .take_while(|name| name.starts_with(begun))
        .collect();
    (start, found)
}

impl Completer for Names {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        end: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = completions(&self.names, line, end);
        let pair = |name: &str| Pair {
            display: name.to_owned(),
            replacement: name.to_owned(),
        };
        Ok((start, found.into_iter().map(pair).collect()))
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}
impl Validator for Names {}
impl Helper for Names {}

#[cfg(test)]
mod tests {
    use super::completions;

    #[test]
    fn the_name_before_the_cursor_is_completed() {
        let names = ["length(", "local.a", "local.b", "var.region"].map(str::to_owned);
        assert_eq!(
            completions(&names, "[é, loc", 8),
            (5, vec!["local.a", "local.b"])
        );
        assert_eq!(
            completions(&names, "var.region", 3),
            (0, vec!["var.region"])
        );
        assert_eq!(completions(&names, "1 + ", 4).1, Vec::<&str>::new());
        assert_eq!(completions(&names, "zz", 2).1, Vec::<&str>::new());
    }
}

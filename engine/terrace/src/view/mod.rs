//! Everything that is printed. Nothing else prints.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the one place that prints"
)]

pub(crate) mod diagnostics;
pub(crate) mod downloads;
pub(crate) mod drawing;
pub(crate) mod editor;
pub(crate) mod functions;
pub(crate) mod gate;
pub(crate) mod log;
pub(crate) mod module;
pub(crate) mod modules;
mod object;
pub(crate) mod plan;
pub(crate) mod policy;
pub(crate) mod progress;
pub(crate) mod repl;
pub(crate) mod requirements;
pub(crate) mod schemas;
mod snippet;
pub(crate) mod stacks;
pub(crate) mod state;
pub(crate) mod steps;
pub(crate) mod stream;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod test;

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use terrace_diag::{Diagnostics, SourceMap};

pub(crate) use object::value_text;
use style::Style;

/// How to speak to whoever started the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// Whether to print JSON lines instead of text.
    pub(crate) json: bool,
    /// Colours.
    pub(crate) style: Style,
    /// Whether standard output is a terminal.
    pub(crate) terminal: bool,
    /// Width of the terminal in columns.
    pub(crate) width: usize,
    /// Whether warnings are shortened.
    pub(crate) compact_warnings: bool,
}

#[expect(
    clippy::unused_self,
    reason = "commands speak through the view, whether or not it must look at itself"
)]
impl View {
    /// Plain text, for when nothing is known yet.
    pub(crate) fn plain() -> Self {
        Self {
            json: false,
            style: Style::Plain,
            terminal: false,
            width: 80,
            compact_warnings: false,
        }
    }

    /// What the flags and the environment ask for.
    pub(crate) fn new(
        json: bool,
        no_color: bool,
        environment: &crate::outside::Environment,
    ) -> Self {
        // A dumb terminal can neither be coloured nor drawn on.
        let dumb = environment.get("TERM") == Some("dumb");
        let terminal = std::io::stdout().is_terminal() && !dumb;
        let forced = environment.get("CLICOLOR_FORCE").is_some();
        let colour =
            !json && !no_color && environment.get("NO_COLOR").is_none() && (terminal || forced);
        let columns = environment
            .get("COLUMNS")
            .and_then(|columns| columns.parse().ok());
        let width = columns
            .or_else(|| terminal.then(|| usize::from(console::Term::stdout().size().1)))
            .unwrap_or(80);
        let style = if colour { Style::Ansi } else { Style::Plain };
        Self {
            json,
            style,
            terminal,
            width: width.clamp(40, 160),
            compact_warnings: false,
        }
    }

    /// A line of text for people; nothing where JSON is asked for.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        if !self.json {
            self.output(text);
        }
    }

    /// Sentences for people, folded at the width of the terminal; nothing where JSON is asked for.
    pub(crate) fn paragraph(&self, text: &str) {
        self.line(diagnostics::wrap(text, self.width).join("\n"));
    }

    /// What was asked for, as it is.
    pub(crate) fn output(&self, text: impl AsRef<str>) {
        let mut out = std::io::stdout().lock();
        // Whoever reads may have gone; there is nobody to tell.
        writeln!(out, "{}", text.as_ref()).ok();
    }

    /// What was asked for, without a line end.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        std::io::stdout().lock().write_all(bytes).ok();
    }

    /// Diagnostics: errors to standard error, warnings to standard output; as JSON lines where JSON is asked for.
    pub(crate) fn diagnostics(&self, diagnostics: Diagnostics, sources: &SourceMap) {
        if diagnostics.is_empty() {
            return;
        }
        for diagnostic in diagnostics.sorted() {
            if self.json {
                self.output(stream::diagnostic_line(&diagnostic, sources));
                continue;
            }
            let text = diagnostics::render(&diagnostic, sources, self);
            if diagnostic.is_error() {
                eprintln!("{text}");
            } else {
                println!("{text}");
            }
        }
    }

    /// What is said of the surroundings of a command, and no part of its answer: to standard error, as text always.
    pub(crate) fn beside(&self, diagnostics: Diagnostics, sources: &SourceMap) {
        for diagnostic in diagnostics.sorted() {
            eprintln!("{}", diagnostics::render(&diagnostic, sources, self));
        }
    }

    /// Whether the answer to a question is `yes`. Without a terminal to ask at, it is not.
    pub(crate) fn confirm(&self, question: &str) -> bool {
        println!("{question}");
        print!("  Enter a value: ");
        std::io::stdout().flush().ok();
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer).unwrap_or(0);
        println!();
        read > 0 && answer.trim() == "yes"
    }

    /// A secret that is typed and not shown; `None` where nobody sits at a terminal.
    pub(crate) fn secret(&self, question: &str) -> Option<String> {
        if !self.asks() {
            return None;
        }
        let terminal = console::Term::stderr();
        terminal.write_str(question).ok()?;
        terminal.read_secure_line().ok()
    }

    /// Whether someone sits at a terminal and can be asked.
    pub(crate) fn asks(&self) -> bool {
        self.terminal && std::io::stdin().is_terminal()
    }

    /// The lines of standard input, without their ends.
    pub(crate) fn typed_lines(&self) -> impl Iterator<Item = String> {
        std::io::stdin().lines().map_while(Result::ok)
    }

    /// Something that has no place in the output: progress, warnings of the process itself.
    pub(crate) fn aside(&self, text: impl AsRef<str>) {
        eprintln!("{}", text.as_ref());
    }
}

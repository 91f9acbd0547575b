//! The table.

use std::fmt::Write as _;
use std::path::Path;

use crate::Failure;
use crate::configuration::Kind;
use crate::engine::Step;
use crate::measure::Measured;

/// One command over one configuration.
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) size: usize,
    pub(crate) step: Step,
    /// What Terrace took.
    pub(crate) terrace: Option<Measured>,
    /// What Terraform took, where it was asked.
    pub(crate) terraform: Option<Measured>,
}

impl Row {
    /// The row as a line of the table.
    pub(crate) fn line(&self) -> String {
        let (time, memory) = cells(self.terrace.as_ref());
        let (other_time, other_memory) = cells(self.terraform.as_ref());
        format!(
            "| {:9} | {:>6} | {:10} | {time:>9} | {memory:>8} | {other_time:>9} | {other_memory:>8} |",
            self.kind.name(),
            self.size,
            self.step.name(),
        )
    }
}

fn cells(measured: Option<&Measured>) -> (String, String) {
    match measured {
        Some(Measured::Done { time, memory }) => (
            format!("{:.2} s", time.as_secs_f64()),
            format!("{} MB", memory / 1_000_000),
        ),
        Some(Measured::GivenUp { after }) => (format!("> {} s", after.as_secs()), String::new()),
        Some(Measured::Failed { .. }) => ("failed".to_owned(), String::new()),
        None => (String::new(), String::new()),
    }
}

/// All rows, and what they depend on.
pub(crate) struct Report {
    facts: Vec<String>,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) const fn new(facts: Vec<String>) -> Self {
        Self {
            facts,
            rows: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// What the numbers depend on, and the head of the table.
    pub(crate) fn head(&self) -> String {
        let mut text = String::new();
        for fact in &self.facts {
            writeln!(text, "- {fact}").expect("a String takes any text");
        }
        text.push_str("\n| kind      |   size | command    |   terrace |   memory | terraform |   memory |\n| --------- | -----: | ---------- | --------: | -------: | --------: | -------: |");
        text
    }

    /// Writes the table as a page.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let lines: Vec<String> = self.rows.iter().map(Row::line).collect();
        let text = format!(
            "# What commands take\n\nWritten by `cargo dev bench`, which asserts nothing. Time is from start to end of the process, memory the most that it held at a time.\n\n{}\n{}\n\n`flat`: blocks in chains of ten, each reading the one before it; `for_each`: one block with that many keys; `modules`: a module called for a tenth as many keys, ten resources each; `plugin`: objects of a plugin; `providers`: configurations of a plugin, each a process of its own with five objects; `files`: files in folders of a hundred; `literal`: one object of that many keys; `heredoc`: one text of that many lines. `no-op plan`: nothing is to be done. An empty cell was not measured: Terraform is asked for what it does in minutes.\n",
            self.head(),
            lines.join("\n")
        );
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
        Ok(())
    }
}

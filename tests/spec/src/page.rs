//! Markdown to cases.

use std::ops::Range;

/// A page of the reference.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its file name without `.md`.
    pub name: String,
    /// What its first heading says.
    pub title: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// Its examples: what stands under one heading.
    pub cases: Vec<Case>,
}

/// What stands under one heading: files and what is to come of them, in order.
#[derive(Clone, Debug)]
pub struct Case {
    /// The heading.
    pub title: String,
    /// How deep the heading is: 2 for `##`.
    pub level: usize,
    /// The heading's line, from 1.
    pub line: usize,
    /// The fenced blocks that mean something.
    pub steps: Vec<Step>,
}

/// A fenced block.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is.
    pub kind: StepKind,
    /// The lines between the fences, as indices into the page's lines.
    pub lines: Range<usize>,
    /// Why the reference implementation does not answer the same, where a note says so.
    pub differs: Option<String>,
}

/// What a fenced block means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// ```` ```hcl main.tf ````: a file of this path.
    File(String),
    /// ```` ```console ````: expressions after `> `, each followed by its value.
    Console,
    /// ```` ```diagnostics ````: what validation and planning of the files say.
    Diagnostics,
    /// ```` ```plan ````: what a plan without a state would do, and the outputs.
    Plan,
    /// ```` ```terrace ````: command lines after `$ `, each followed by what it prints.
    Commands,
}

/// A note that begins so says why the blocks below it, up to the next heading, are not what the reference answers.
/// Above the first `##` it speaks of the whole page.
const NOTES: [&str; 2] = ["> **Differs from Terraform:** ", "> **Only in Terrace:** "];

impl Page {
    /// Reads a page.
    pub fn parse(name: &str, text: &str) -> Self {
        let mut page = Self {
            name: name.to_owned(),
            title: name.to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
            cases: Vec::new(),
        };
        let mut reader = Reader::default();
        for (index, line) in text.lines().enumerate() {
            reader.line(index, line, &mut page);
        }
        page
    }

    /// The text of a block.
    pub fn content(&self, step: &Step) -> String {
        self.lines[step.lines.clone()]
            .iter()
            .fold(String::new(), |text, line| text + line + "\n")
    }
}

#[derive(Default)]
struct Reader {
    of_page: Option<String>,
    of_case: Option<String>,
    /// The fence that is open, where its content begins, and what it means.
    open: Option<(String, usize, Option<StepKind>)>,
}

impl Reader {
    fn line(&mut self, index: usize, line: &str, page: &mut Page) {
        if let Some((fence, first, kind)) = &self.open {
            if line.trim_end() == fence {
                if let (Some(kind), Some(case)) = (kind.clone(), page.cases.last_mut()) {
                    let differs = self.of_case.clone().or_else(|| self.of_page.clone());
                    case.steps.push(Step {
                        kind,
                        lines: *first..index,
                        differs,
                    });
                }
                self.open = None;
            }
            return;
        }
        if line.starts_with("```") {
            let (fence, info) = line.split_at(line.len() - line.trim_start_matches('`').len());
            self.open = Some((fence.to_owned(), index + 1, meaning(info)));
        } else if let Some(title) = line.strip_prefix("# ") {
            title.trim().clone_into(&mut page.title);
        } else if line.starts_with("##") {
            let title = line.trim_start_matches('#');
            self.of_case = None;
            page.cases.push(Case {
                title: title.trim().to_owned(),
                level: line.len() - title.len(),
                line: index + 1,
                steps: Vec::new(),
            });
        } else if let Some(why) = NOTES.iter().find_map(|note| line.strip_prefix(note)) {
            let of = if page.cases.is_empty() {
                &mut self.of_page
            } else {
                &mut self.of_case
            };
            *of = Some(why.to_owned());
        }
    }
}

fn meaning(info: &str) -> Option<StepKind> {
    let (language, path) = info.trim().split_once(' ').unwrap_or((info.trim(), ""));
    match language {
        "console" => Some(StepKind::Console),
        "diagnostics" => Some(StepKind::Diagnostics),
        "plan" => Some(StepKind::Plan),
        "terrace" => Some(StepKind::Commands),
        _ if !path.is_empty() => Some(StepKind::File(path.trim().to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Things\n\nWords.\n\n## One\n\n```hcl main.tf\na = 1\n```\n\n> **Only in Terrace:** it is new.\n\n```console\n> 1\n1\n```\n\n### Two\n\n````text\n```hcl\n```\n````\n\n```diagnostics\n```\n";

    #[test]
    fn a_page_is_cases_of_steps() {
        let page = Page::parse("things", TEXT);
        assert_eq!(page.title, "Things");
        let titles: Vec<(&str, usize)> = page
            .cases
            .iter()
            .map(|case| (case.title.as_str(), case.steps.len()))
            .collect();
        assert_eq!(titles, [("One", 2), ("Two", 1)]);
        let one = &page.cases[0];
        assert_eq!(one.steps[0].kind, StepKind::File("main.tf".into()));
        assert_eq!(page.content(&one.steps[0]), "a = 1\n");
        assert_eq!(one.steps[0].differs, None);
        assert_eq!(one.steps[1].differs.as_deref(), Some("it is new."));
        assert_eq!(page.cases[1].steps[0].kind, StepKind::Diagnostics);
        assert!(page.cases[1].steps[0].differs.is_none());
    }

    #[test]
    fn a_note_in_the_head_speaks_of_all() {
        let page = Page::parse(
            "x",
            "# X\n\n> **Differs from Terraform:** all of it.\n\n## A\n\n```plan\n```\n",
        );
        assert_eq!(
            page.cases[0].steps[0].differs.as_deref(),
            Some("all of it.")
        );
    }
}

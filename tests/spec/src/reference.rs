//! The pages as the reference that people read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::{Page, StepKind};

/// Where the reference stands in the repository.
pub const DIRECTORY: &str = "docs/language";

/// The documents of the reference by file name, the index (`README.md`) included.
pub fn documents(pages: &[Page]) -> BTreeMap<String, String> {
    let mut documents: BTreeMap<String, String> = pages
        .iter()
        .enumerate()
        .map(|(at, page)| {
            let previous = at.checked_sub(1).and_then(|at| pages.get(at));
            let text = document(page, previous, pages.get(at + 1));
            (file_name(page), text)
        })
        .collect();
    documents.insert("README.md".to_owned(), index(pages));
    documents
}

/// The file of a page in [`DIRECTORY`]: its name without the number that gives pages their order.
pub fn file_name(page: &Page) -> String {
    let name = page
        .name
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start_matches('-');
    format!("{name}.md")
}

fn link(page: &Page) -> String {
    format!("[{}]({})", page.title, file_name(page))
}

fn document(page: &Page, previous: Option<&Page>, next: Option<&Page>) -> String {
    let mut text = format!(
        "<!-- Written by `cargo dev generate` from tests/spec/pages/{}.md, whose examples are tests. -->\n\n",
        page.name
    );
    let fences: BTreeMap<usize, &StepKind> = page
        .cases
        .iter()
        .flat_map(|case| &case.steps)
        .map(|step| (step.lines.start - 1, &step.kind))
        .collect();
    for (at, line) in page.lines.iter().enumerate() {
        match fences.get(&at) {
            Some(StepKind::File(path)) => {
                let language = line.split(' ').next().unwrap_or("```");
                text = format!("{text}`{path}`\n\n{language}\n");
            }
            Some(StepKind::Diagnostics | StepKind::Plan) => text.push_str("```text\n"),
            Some(StepKind::Commands) => text.push_str("```console\n"),
            Some(StepKind::Console) => text.push_str("```terraform\n"),
            None => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    let mut ways = vec!["[All pages](README.md)".to_owned()];
    ways.extend(previous.map(|page| format!("before: {}", link(page))));
    ways.extend(next.map(|page| format!("next: {}", link(page))));
    format!("{}\n\n---\n\n{}\n", text.trim_end(), ways.join(" · "))
}

fn index(pages: &[Page]) -> String {
    let mut text = String::from(
        "<!-- Written by `cargo dev generate` from tests/spec/pages, whose examples are tests. -->\n\n\
         # The language\n\n\
         What can be written, what it means, and what Terrace says when it is wrong. Every example of these pages is run by\n\
         the tests: values, plans and messages stand here as the program gives them. Where something is not as Terraform\n\
         1.11 does it, a note says so; all other examples that Terraform has too are held to it by `cargo dev spec`.\n\n\
         In the examples `> ` is an expression as `terrace console` takes it, and `$ ` a command; `...` stands for lines\n\
         that were left out, `[UUID]` and the like for what differs from run to run.\n",
    );
    for page in pages {
        let headings: Vec<&str> = page
            .cases
            .iter()
            .filter(|case| case.level == 2)
            .map(|case| case.title.as_str())
            .collect();
        let _infallible = write!(text, "\n- {}", link(page));
        if !headings.is_empty() {
            let _infallible = write!(text, ": {}", headings.join("; "));
        }
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_become_documents() {
        let one = Page::parse(
            "10-one",
            "# One\n\n## Part\n\n```hcl main.tf\na = 1\n```\n\n```diagnostics\nValid.\n```\n",
        );
        let two = Page::parse("20-two", "# Two\n");
        let documents = documents(&[one, two]);
        let names: Vec<&str> = documents.keys().map(String::as_str).collect();
        assert_eq!(names, ["README.md", "one.md", "two.md"]);
        assert!(documents["one.md"].contains("`main.tf`\n\n```hcl\na = 1\n```\n\n```text\nValid."));
        assert!(documents["one.md"].ends_with("next: [Two](two.md)\n"));
        assert!(documents["README.md"].contains("[One](one.md): Part"));
    }
}

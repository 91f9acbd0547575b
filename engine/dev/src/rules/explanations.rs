//! Every id of a diagnostic is explained in `engine/diag/explanations`, from which `cargo dev generate` makes a page for
//! each (`docs/diagnostics`) and the list of all (`docs/diagnostics.md`). The examples are those of the language's pages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use terrace_spec::{Page, Step, StepKind, command_entries, console_entries, reference, told};

use super::Violation;
use super::diagnostics::{Entry, entries};
use crate::facts::Facts;
use crate::{Failure, workspace};

/// The list of all ids.
const INDEX: &str = "docs/diagnostics.md";
/// The directory with a page for each.
pub(crate) const DIRECTORY: &str = "docs/diagnostics";
const SOURCES: &str = "engine/diag/explanations/";
const LANGUAGE_PAGES: &str = "tests/spec/pages/";
/// How the paragraph begins that leads out of the problem.
const WAY_OUT: &str = "**To fix it:** ";
/// Fewer words explain nothing.
const LEAST_WORDS: usize = 11;

/// Diagnostics that belong together: one file of explanations.
struct Family {
    path: String,
    title: String,
    about: String,
    explanations: Vec<Explanation>,
}

struct Explanation {
    line: usize,
    id: String,
    text: String,
}

impl Family {
    fn parse(path: &str, text: &str) -> Self {
        let mut family = Self {
            path: path.to_owned(),
            title: String::new(),
            about: String::new(),
            explanations: Vec::new(),
        };
        for (at, line) in text.lines().enumerate() {
            if let Some(title) = line.strip_prefix("# ") {
                title.trim().clone_into(&mut family.title);
            } else if let Some(id) = line.strip_prefix("## ") {
                family.explanations.push(Explanation {
                    line: at + 1,
                    id: id.trim().to_owned(),
                    text: String::new(),
                });
            } else {
                let text = match family.explanations.last_mut() {
                    Some(explanation) => &mut explanation.text,
                    None => &mut family.about,
                };
                text.push_str(line);
                text.push('\n');
            }
        }
        family
    }
}

impl Explanation {
    /// What is wanting in it.
    fn lacks(&self) -> Option<String> {
        let words = self.text.split_whitespace().count();
        if words < LEAST_WORDS {
            return Some(format!("explains `{}` in {words} words only", self.id));
        }
        if !self.text.contains(WAY_OUT) {
            return Some(format!(
                "explains `{}` without a paragraph that begins with {WAY_OUT:?}",
                self.id
            ));
        }
        None
    }
}

fn families(facts: &Facts) -> Vec<Family> {
    facts
        .texts
        .iter()
        .filter(|(path, _)| path.starts_with(SOURCES))
        .map(|(path, text)| Family::parse(path, text))
        .collect()
}

pub(crate) fn check(facts: &Facts) -> Vec<Violation> {
    let known = entries(facts);
    let families = families(facts);
    let mut missing: BTreeSet<&String> = known.keys().collect();
    let mut violations = Vec::new();
    for family in &families {
        for explanation in &family.explanations {
            let place = |what: String| Violation::at(&family.path, explanation.line, what);
            if !missing.remove(&explanation.id) {
                let why = if known.contains_key(&explanation.id) {
                    "is explained twice"
                } else {
                    "is no id of a diagnostic"
                };
                violations.push(place(format!("`{}` {why}", explanation.id)));
            }
            violations.extend(explanation.lacks().map(place));
        }
    }
    violations.extend(missing.into_iter().map(|id| {
        Violation::new(
            SOURCES,
            format!(
                "nothing explains `{id}`: add a heading of that name to the file of its family"
            ),
        )
    }));
    violations.extend(stale(facts, &families));
    violations
}

/// Pages that are not what they should be.
fn stale(facts: &Facts, families: &[Family]) -> Vec<Violation> {
    let mut wanted = documents(facts, families);
    let mut violations = Vec::new();
    let generated = |path: &str| path == INDEX || path.starts_with(&format!("{DIRECTORY}/"));
    for (path, text) in facts.texts.iter().filter(|(path, _)| generated(path)) {
        match wanted.remove(path) {
            Some(wanted) if wanted == *text => {}
            Some(_) => violations.push(Violation::new(
                path,
                "is not what the code and its explanation say; run `cargo dev generate`",
            )),
            None => violations.push(Violation::new(path, "has no explanation; remove it")),
        }
    }
    violations.extend(
        wanted
            .into_keys()
            .map(|path| Violation::new(path, "is missing; run `cargo dev generate`")),
    );
    violations
}

/// Writes all pages, and takes away those that nothing explains any more.
pub(crate) fn write(facts: &Facts) -> Result<(), Failure> {
    let documents = documents(facts, &families(facts));
    let directory = workspace::root().join(DIRECTORY);
    std::fs::create_dir_all(&directory)?;
    for entry in std::fs::read_dir(&directory)? {
        let entry = entry?;
        let path = format!("{DIRECTORY}/{}", entry.file_name().to_string_lossy());
        if !documents.contains_key(&path) {
            std::fs::remove_file(entry.path())?;
        }
    }
    for (path, text) in documents {
        std::fs::write(workspace::root().join(path), text)?;
    }
    Ok(())
}

/// All pages by path.
fn documents(facts: &Facts, families: &[Family]) -> BTreeMap<String, String> {
    let known = entries(facts);
    let examples = examples(facts, &Summaries::of(&known));
    let mut documents = BTreeMap::from([(INDEX.to_owned(), index(families, &known))]);
    for family in families {
        for explanation in &family.explanations {
            let Some(entry) = known.get(&explanation.id) else {
                continue;
            };
            let example = examples.get(&explanation.id);
            let text = page(family, explanation, entry, example);
            documents.insert(format!("{DIRECTORY}/{}.md", explanation.id), text);
        }
    }
    documents
}

fn index(families: &[Family], known: &BTreeMap<String, Entry>) -> String {
    let mut text = format!(
        "<!-- Written by `cargo dev generate` from {SOURCES} and the code. -->\n\n# Diagnostics\n\n\
         Every problem that Terrace tells has an id that stays the same whatever its words are: `-json` prints it, and\n\
         scripts may rely on it. Each has a page that says what is meant, why it is refused, and the way out.\n"
    );
    for family in families {
        let _infallible = write!(text, "\n## {}\n\n", family.title);
        let about = family.about.trim();
        if !about.is_empty() {
            let _infallible = write!(text, "{about}\n\n");
        }
        text.push_str("| id | summary |\n| --- | --- |\n");
        for explanation in &family.explanations {
            let Some(entry) = known.get(&explanation.id) else {
                continue;
            };
            let id = &explanation.id;
            let summaries: Vec<String> = entry
                .summaries
                .iter()
                .map(|summary| summary.replace('|', "\\|").replace('\n', " "))
                .collect();
            let summaries = if summaries.is_empty() {
                "*varies*".to_owned()
            } else {
                summaries.join("<br>")
            };
            let _infallible = writeln!(text, "| [`{id}`](diagnostics/{id}.md) | {summaries} |");
        }
    }
    text
}

fn page(
    family: &Family,
    explanation: &Explanation,
    entry: &Entry,
    example: Option<&Example>,
) -> String {
    let mut text = format!(
        "<!-- Written by `cargo dev generate` from {} and the code. -->\n\n# {}\n\n",
        family.path, explanation.id
    );
    let severities: Vec<&str> = entry.severities.iter().copied().collect();
    let severity = if severities.is_empty() {
        "Error".to_owned()
    } else {
        severities.join(" or ").replace("or W", "or w")
    };
    for summary in &entry.summaries {
        let _infallible = writeln!(text, "> **{severity}:** {}\n", summary.replace('\n', " "));
    }
    if entry.summaries.is_empty() {
        let _infallible = writeln!(
            text,
            "> **{severity}**, with a summary that says what it is about\n"
        );
    }
    let _infallible = writeln!(text, "{}", explanation.text.trim());
    if let Some(example) = example {
        let _infallible = write!(text, "\n## Example\n\n{}", example.text);
    }
    let folders: Vec<String> = entry
        .folders
        .iter()
        .map(|folder| format!("`{folder}`"))
        .collect();
    let _infallible = write!(
        text,
        "\n---\n\n[All diagnostics](../diagnostics.md) · {} · told by {}\n",
        family.title,
        folders.join(", ")
    );
    text
}

/// A text that a page of the language shows together with what is said of it.
struct Example {
    /// How long it is: the shorter the better.
    n_lines: usize,
    text: String,
}

/// For each id the shortest example of the language's pages that tells it alone, else the shortest that tells it.
fn examples(facts: &Facts, summaries: &Summaries<'_>) -> BTreeMap<String, Example> {
    let mut examples: BTreeMap<String, Example> = BTreeMap::new();
    for (path, text) in &facts.texts {
        let Some(name) = path
            .strip_prefix(LANGUAGE_PAGES)
            .and_then(|name| name.strip_suffix(".md"))
        else {
            continue;
        };
        let page = Page::parse(name, text);
        for (id, example) in examples_of(&page, summaries) {
            match examples.get(&id) {
                Some(known) if known.n_lines <= example.n_lines => {}
                _ => {
                    examples.insert(id, example);
                }
            }
        }
    }
    examples
}

/// Which id a summary belongs to. What commands print tells summaries alone.
struct Summaries<'a>(BTreeMap<&'a str, Vec<&'a str>>);

impl<'a> Summaries<'a> {
    fn of(known: &'a BTreeMap<String, Entry>) -> Self {
        let mut ids: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (id, entry) in known {
            for summary in &entry.summaries {
                ids.entry(summary).or_default().push(id);
            }
        }
        Self(ids)
    }

    /// The id of a summary that is of no other.
    fn id(&self, summary: &str) -> Option<&'a str> {
        match self.0.get(summary)?.as_slice() {
            [id] => Some(id),
            _ => None,
        }
    }
}

fn examples_of(page: &Page, summaries: &Summaries<'_>) -> Vec<(String, Example)> {
    let mut found = Vec::new();
    for case in &page.cases {
        let mut files: BTreeMap<&str, String> = BTreeMap::new();
        for step in &case.steps {
            match &step.kind {
                StepKind::File(path) => {
                    files.insert(path, page.content(step));
                }
                StepKind::Diagnostics => found.extend(of_configuration(page, step, &files)),
                StepKind::Console => found.extend(of_console(page, step)),
                StepKind::Commands => found.extend(of_commands(page, step, summaries)),
                StepKind::Plan => {}
            }
        }
    }
    let link = format!(
        "From [{}](../language/{}), where it is a test.\n",
        page.title,
        reference::file_name(page)
    );
    for (_, example) in &mut found {
        example.text.push_str(&link);
    }
    found
}

fn of_configuration(
    page: &Page,
    step: &Step,
    files: &BTreeMap<&str, String>,
) -> Vec<(String, Example)> {
    let content = page.content(step);
    let all = told(&content);
    let mut shown = String::new();
    for (path, text) in files {
        let language = path.rsplit('.').next().unwrap_or_default();
        let language = if language == "json" { "json" } else { "hcl" };
        let _infallible = write!(shown, "`{path}`\n\n```{language}\n{text}```\n\n");
    }
    let _infallible = write!(shown, "```text\n{content}```\n\n");
    // What is told among others comes after all that is told alone.
    let n_lines = shown.lines().count() + if all.len() > 1 { 1000 } else { 0 };
    let ids = all.into_iter().filter_map(|said| said.id);
    ids.map(|id| {
        let text = shown.clone();
        (id, Example { n_lines, text })
    })
    .collect()
}

fn of_console(page: &Page, step: &Step) -> Vec<(String, Example)> {
    let mut found = Vec::new();
    for entry in console_entries(&page.content(step)) {
        let shown = format!(
            "```terraform\n> {}\n{}\n```\n\n",
            entry.expression.replace('\n', "\n. "),
            entry.expected
        );
        for said in told(&entry.expected) {
            if let Some(id) = said.id {
                let example = Example {
                    n_lines: shown.lines().count(),
                    text: shown.clone(),
                };
                found.push((id, example));
            }
        }
    }
    found
}

fn of_commands(page: &Page, step: &Step, summaries: &Summaries<'_>) -> Vec<(String, Example)> {
    let mut found = Vec::new();
    for entry in command_entries(&page.content(step)) {
        let shown = format!("```console\n$ {}\n{}\n```\n\n", entry.line, entry.expected);
        // What the configuration around it is tells more, so that this is the last choice.
        let n_lines = shown.lines().count() + 2000;
        for said in told(&entry.expected) {
            if let Some(id) = summaries.id(&said.summary) {
                let text = shown.clone();
                found.push((id.to_owned(), Example { n_lines, text }));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::file;

    const CODE: &str = r#"fn f() { Diagnostic::error("unknown-thing", "No such thing", detail); }"#;
    const PROSE: &str = "# Things\n\nAbout them.\n\n## unknown-thing\n\nThe configuration names a thing that nothing declares, so it cannot be known what is meant.\n\n**To fix it:** declare it.\n";
    const PAGE: &str = "# Talk\n\n## Bad\n\n```hcl main.tf\na = thing.x\n```\n\n```diagnostics\nError: No such thing [unknown-thing]\n  at main.tf:1:5: thing.x\n  There is none.\n```\n";

    fn facts(prose: &str) -> Facts {
        let mut facts = file("engine/gate/src/lib.rs", CODE);
        facts
            .texts
            .push((format!("{SOURCES}things.md"), prose.to_owned()));
        facts
            .texts
            .push((format!("{LANGUAGE_PAGES}10-talk.md"), PAGE.to_owned()));
        let documents = documents(&facts, &families(&facts));
        facts.texts.extend(documents);
        facts
    }

    #[test]
    fn what_a_command_says_is_an_example_of_the_only_id_with_its_summary() {
        let page =
            "# Talk\n\n## Bad\n\n```terrace\n$ terrace plan\nError: No such thing\n[exit 1]\n```\n";
        let known = entries(&file("engine/gate/src/lib.rs", CODE));
        let found = examples_of(&Page::parse("10-talk", page), &Summaries::of(&known));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "unknown-thing");
        assert!(found[0].1.text.starts_with("```console\n$ terrace plan\n"));
    }

    fn said(prose: &str) -> String {
        let violations = check(&facts(prose));
        violations.iter().fold(String::new(), |text, violation| {
            format!("{text}{violation}\n")
        })
    }

    #[test]
    fn an_id_is_explained_once_and_with_a_way_out() {
        assert_eq!(said(PROSE), "");
        assert!(said("# Things\n").contains("nothing explains `unknown-thing`"));
        assert!(said(&format!("{PROSE}{PROSE}")).contains("explained twice"));
        assert!(said(&PROSE.replace("unknown-thing", "other-thing")).contains("is no id"));
        assert!(said(&PROSE.replace("**To fix it:** ", "")).contains("without a paragraph"));
        assert!(said("# A\n\n## unknown-thing\n\nIt is.\n").contains("words only"));
    }

    #[test]
    fn a_page_shows_the_example_of_the_language_and_must_not_be_stale() {
        let mut facts = facts(PROSE);
        let page = facts
            .texts
            .iter_mut()
            .find(|(path, _)| path == "docs/diagnostics/unknown-thing.md")
            .unwrap();
        assert!(
            page.1.contains("> **Error:** No such thing\n"),
            "{}",
            page.1
        );
        assert!(page.1.contains("`main.tf`\n\n```hcl\na = thing.x\n```"));
        assert!(page.1.contains("From [Talk](../language/talk.md)"));
        page.1.push('x');
        assert!(check(&facts)[0].what.contains("cargo dev generate"));
        facts.texts.pop();
        assert!(!check(&facts).is_empty());
    }
}

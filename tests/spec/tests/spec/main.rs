//! Runs every example of every page. `TERRACE_SPEC=words` runs those whose page or heading holds the words;
//! `TERRACE_SPEC_UPDATE=1` writes what came out into the pages.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test reads the pages and tells what it counted"
)]

mod commands;
mod place;
mod speech;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use similar::TextDiff;
use terrace_spec::{Case, Page, Step, StepKind, command_entries, console_entries, matches};

use commands::Shell;
use world::World;

/// How many expectations the pages hold. Only ever raised.
const FLOOR: usize = 820;

/// What came of a case.
#[derive(Default)]
struct Outcome {
    /// How many expectations it has.
    checks: usize,
    /// What differed.
    failures: Vec<String>,
    /// The content of its blocks as it should stand, where it differs.
    rewritten: Vec<(std::ops::Range<usize>, String)>,
}

#[test]
fn every_example_of_every_page_holds() {
    let pages = terrace_spec::pages().expect("the pages are there");
    let filter = std::env::var("TERRACE_SPEC").unwrap_or_default();
    let wanted = |page: &Page, case: &Case| {
        format!("{} {}", page.name, case.title)
            .to_lowercase()
            .contains(&filter.to_lowercase())
    };
    let work: Vec<(usize, usize)> = pages
        .iter()
        .enumerate()
        .flat_map(|(at, page)| {
            let cases = page.cases.iter().enumerate();
            cases
                .filter(move |(_, case)| wanted(page, case))
                .map(move |(index, _)| (at, index))
        })
        .collect();
    let outcomes = run_all(&pages, &work);
    if std::env::var_os("TERRACE_SPEC_UPDATE").is_some() {
        rewrite(&pages, &outcomes);
    }
    let checks: usize = outcomes.values().map(|outcome| outcome.checks).sum();
    let failures: Vec<&String> = outcomes
        .values()
        .flat_map(|outcome| &outcome.failures)
        .collect();
    println!(
        "spec: {} of {checks}",
        checks.saturating_sub(failures.len())
    );
    println!("spec pages: {}, examples: {}", pages.len(), work.len());
    assert!(
        failures.is_empty(),
        "{} expectations are not met:\n\n{}",
        failures.len(),
        failures
            .iter()
            .map(|text| text.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    );
    assert!(
        checks >= FLOOR || !filter.is_empty(),
        "the pages hold only {checks} expectations, the floor is {FLOOR}"
    );
}

/// All cases, each alone, on as many threads as there are processors.
fn run_all(pages: &[Page], work: &[(usize, usize)]) -> BTreeMap<(usize, usize), Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(&(at, index)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run(&pages[at], &pages[at].cases[index]);
                    outcomes
                        .lock()
                        .expect("no thread panics while it holds the lock")
                        .insert((at, index), outcome);
                }
            });
        }
    });
    outcomes
        .into_inner()
        .expect("no thread panics while it holds the lock")
}

/// A case with its files as they are so far.
struct Running<'a> {
    page: &'a Page,
    case: &'a Case,
    files: BTreeMap<String, String>,
    shell: Option<Shell>,
    outcome: Outcome,
}

fn run(page: &Page, case: &Case) -> Outcome {
    let mut running = Running {
        page,
        case,
        files: BTreeMap::new(),
        shell: None,
        outcome: Outcome::default(),
    };
    for step in &case.steps {
        running.step(step);
    }
    running.outcome
}

impl Running<'_> {
    fn step(&mut self, step: &Step) {
        let content = self.page.content(step);
        match &step.kind {
            StepKind::File(path) => {
                if let Some(shell) = &self.shell {
                    shell.write(path, &content);
                }
                self.files.insert(path.clone(), content);
            }
            StepKind::Console => self.console(step, &content),
            StepKind::Diagnostics => {
                let given = World::new(&self.files).diagnostics();
                self.whole(step, &content, given);
            }
            StepKind::Plan => {
                let given = World::new(&self.files).plan();
                self.whole(step, &content, given);
            }
            StepKind::Commands => self.commands(step, &content),
        }
    }

    fn console(&mut self, step: &Step, content: &str) {
        let world = World::new(&self.files);
        let mut text = String::new();
        for entry in console_entries(content) {
            let given = world.answer(&entry.expression);
            let shown = entry.expression.replace('\n', "\n. ");
            let held = self.check(step, &shown, &entry.expected, &given);
            let kept = if held { &entry.expected } else { &given };
            writeln!(text, "> {shown}\n{}\n", kept.trim_end()).expect("strings take all");
        }
        self.rewrite(step, text.trim_end());
    }

    fn commands(&mut self, step: &Step, content: &str) {
        let mut text = String::new();
        let files = &self.files;
        let shell = self.shell.get_or_insert_with(|| Shell::new(files));
        let entries = command_entries(content);
        let given: Vec<String> = entries.iter().map(|entry| shell.run(&entry.line)).collect();
        for (entry, given) in entries.iter().zip(&given) {
            let held = self.check(step, &entry.line, &entry.expected, given);
            let kept = if held { &entry.expected } else { given };
            writeln!(text, "$ {}", entry.line).expect("strings take all");
            if !kept.is_empty() {
                writeln!(text, "{}", kept.trim_end()).expect("strings take all");
            }
            text.push('\n');
        }
        self.rewrite(step, text.trim_end());
    }

    fn whole(&mut self, step: &Step, content: &str, given: String) {
        let held = self.check(step, "", content, &given);
        let kept = if held { content.to_owned() } else { given };
        self.rewrite(step, kept.trim_end());
    }

    /// Whether an expectation holds; what differs is told.
    fn check(&mut self, step: &Step, what: &str, expected: &str, given: &str) -> bool {
        self.outcome.checks += 1;
        if matches(expected, given) {
            return true;
        }
        let diff = TextDiff::from_lines(expected, given)
            .unified_diff()
            .header("expected", "given")
            .missing_newline_hint(false)
            .to_string();
        self.outcome.failures.push(format!(
            "{}.md:{} {}\n{what}\n{diff}",
            self.page.name,
            step.lines.start + 1,
            self.case.title
        ));
        false
    }

    fn rewrite(&mut self, step: &Step, text: &str) {
        self.outcome
            .rewritten
            .push((step.lines.clone(), text.to_owned()));
    }
}

fn rewrite(pages: &[Page], outcomes: &BTreeMap<(usize, usize), Outcome>) {
    for (at, page) in pages.iter().enumerate() {
        let mut blocks: Vec<_> = outcomes
            .range((at, 0)..(at + 1, 0))
            .flat_map(|(_, outcome)| &outcome.rewritten)
            .collect();
        blocks.sort_by_key(|(lines, _)| std::cmp::Reverse(lines.start));
        let mut lines = page.lines.clone();
        for (range, text) in blocks {
            lines.splice(range.clone(), text.lines().map(str::to_owned));
        }
        let path = terrace_spec::pages_directory().join(format!("{}.md", page.name));
        std::fs::write(path, lines.join("\n") + "\n").expect("the pages can be written");
    }
}

//! `cargo dev spec`: the reference's examples held to an installed `terraform`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use terrace_spec::oracle::{self, Verdict};
use terrace_spec::{Case, Page};

use crate::{Failure, evidence, program};

/// Asks for everything in the pages whose name or headings hold `filter`; whether all that is not noted to differ is
/// answered alike.
pub(crate) fn run(filter: &[String]) -> Result<bool, Failure> {
    let Some(version) = program::first_line("terraform", &["version"]) else {
        println!("SKIPPED: there is no terraform on this machine");
        return Ok(true);
    };
    let pages = terrace_spec::pages()?;
    let wanted = |page: &Page, case: &Case| {
        let name = format!("{} {}", page.name, case.title).to_lowercase();
        filter
            .iter()
            .all(|word| name.contains(&word.to_lowercase()))
    };
    let work: Vec<(&Page, &Case)> = pages
        .iter()
        .flat_map(|page| page.cases.iter().map(move |case| (page, case)))
        .filter(|(page, case)| wanted(page, case))
        .collect();
    let verdict = ask_all(&work)?;
    for difference in &verdict.differing {
        println!("{difference}\n");
    }
    let asked = verdict.alike + verdict.differing.len();
    let facts = format!(
        "- terraform: {version}\n- asked and alike: {} of {asked}\n- noted in the pages to differ, or to be Terrace's alone: {}\n",
        verdict.alike, verdict.noted
    );
    println!("{facts}");
    if filter.is_empty() {
        let about = "Every example of the language reference (`tests/spec/pages`) is given to Terraform too: values of expressions,\n\
                     diagnostics with their lines, planned actions, exit codes. Where the two differ, the page says so and why.";
        evidence::write(
            "spec",
            "The language reference held to Terraform",
            about,
            &facts,
        )?;
    }
    Ok(verdict.differing.is_empty())
}

/// All cases, on as many threads as there are processors.
fn ask_all(work: &[(&Page, &Case)]) -> Result<Verdict, Failure> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((page, case)) = work.get(at) else {
                        break;
                    };
                    let answer = oracle::ask(page, case);
                    if let Ok(mut answers) = answers.lock() {
                        answers.push((at, answer));
                    }
                }
            });
        }
    });
    let mut answers = answers.into_inner().map_err(|_| "a thread panicked")?;
    answers.sort_by_key(|(at, _)| *at);
    let mut verdict = Verdict::default();
    for (_, answer) in answers {
        verdict = verdict.and(answer?);
    }
    Ok(verdict)
}

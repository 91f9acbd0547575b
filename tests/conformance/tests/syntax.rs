//! The reference's reading of 200 inputs: the tree that it builds, or the first error that it reports.

#![expect(
    clippy::disallowed_methods,
    reason = "the corpus is read from the repository's own files"
)]

mod dump;

use std::collections::BTreeMap;
use std::path::PathBuf;

use terrace_diag::{SourceFile, SourceId};
use terrace_syntax::parse;

const CASES: usize = 200;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("syntax")
}

/// What the reference answers to each file.
fn expected() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(folder().join("EXPECTED.txt"))
        .expect("the corpus lacks EXPECTED.txt");
    let text = text
        .strip_prefix("=== ")
        .expect("EXPECTED.txt begins with a case");
    text.split("\n=== ")
        .map(|case| {
            let (name, answer) = case.split_once('\n').expect("a case has a name line");
            (name.to_owned(), answer.trim_end_matches('\n').to_owned())
        })
        .collect()
}

/// The first error of an answer: its line, and its text.
fn first_error(answer: &str) -> Option<(u32, String)> {
    let errors = answer.strip_prefix("ERR | L:")?;
    let first = errors.split(" | L:").next()?;
    let (place, text) = first.split_once(' ')?;
    Some((place.split_once(',')?.0.parse().ok()?, text.to_owned()))
}

/// What Terrace answers, in the same form.
fn answer(bytes: &[u8]) -> String {
    let (tree, diagnostics) = parse(SourceId(0), bytes);
    if !diagnostics.has_errors() {
        let mut lines = Vec::new();
        dump::body(&tree, "", &mut lines);
        return lines.join("\n");
    }
    let file = SourceFile::new("main.tf", String::from_utf8_lossy(bytes).into_owned());
    let told = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .map(|diagnostic| {
            let start = file.position(
                diagnostic
                    .subject
                    .expect("a syntax error has a place")
                    .start,
            );
            let said = format!("{}; {}", diagnostic.summary, diagnostic.detail).replace('\n', " ");
            format!("L:{},{} {said}", start.line, start.column)
        });
    std::iter::once("ERR".to_owned())
        .chain(told)
        .collect::<Vec<_>>()
        .join(" | ")
}

#[test]
fn reads_the_corpus_as_the_reference_does() {
    let expected = expected();
    let mut failures = Vec::new();
    let (mut alike, mut exact_errors, mut errors) = (0, 0, 0);
    for (name, wanted) in &expected {
        let bytes =
            std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let given = answer(&bytes);
        let agrees = match (first_error(wanted), first_error(&given)) {
            (Some(wanted), Some(given)) => {
                errors += 1;
                exact_errors += usize::from(wanted == given);
                if wanted != given {
                    println!("{name}: other text\n  reference: {wanted:?}\n  terrace:   {given:?}");
                }
                wanted.0 == given.0
            }
            (None, None) => *wanted == given,
            _ => false,
        };
        alike += usize::from(agrees);
        if !agrees {
            failures.push(format!(
                "{name}\n  reference: {wanted}\n  terrace:   {given}"
            ));
        }
    }
    println!(
        "syntax corpus: {alike} of {CASES} ({exact_errors} of {errors} first errors with the very text)"
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(expected.len(), CASES);
    assert_eq!(alike, CASES);
    // The two others name a place in the file, which the reference gives with the file's name.
    assert!(exact_errors + 2 >= errors, "{exact_errors} of {errors}");
}

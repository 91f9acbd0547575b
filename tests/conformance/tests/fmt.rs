//! What the reference's `fmt` makes of 122 texts; `null` where it refuses a text.

#![expect(
    clippy::disallowed_methods,
    reason = "the corpus is read from the repository's own files"
)]

use terrace_diag::SourceId;
use terrace_syntax::{format, parse};

const CASES: usize = 122;

#[test]
fn formats_the_corpus_as_the_reference_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fmt.jsonl");
    let corpus = std::fs::read_to_string(path).expect("the corpus is missing");
    let mut failures = Vec::new();
    let (mut cases, mut alike) = (0, 0);
    for (index, line) in corpus.lines().enumerate() {
        let case: serde_json::Value = serde_json::from_str(line).expect("a case is JSON");
        let input = case["in"].as_str().expect("a case has an input");
        let refused = parse(SourceId(0), input.as_bytes()).1.has_errors();
        let given = (!refused).then(|| format(input));
        let wanted = case["out"].as_str();
        cases += 1;
        if given.as_deref() == wanted {
            alike += 1;
        } else {
            failures.push(format!(
                "case {index}\nreference: {wanted:?}\nterrace:   {given:?}"
            ));
        }
    }
    println!("format corpus: {alike} of {CASES}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!((cases, alike), (CASES, CASES));
}

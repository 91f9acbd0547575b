//! The reference's answers to expressions.

#![expect(
    clippy::disallowed_methods,
    reason = "the corpora are read from the repository's own files"
)]

mod evaluation;
mod known;
mod unknown;

/// The cases of a corpus.
fn corpus(name: &str) -> Vec<serde_json::Value> {
    let path = format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the corpus is missing");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a case is JSON"))
        .collect()
}

/// The different summaries of the errors of an answer in the corpus's form, sorted; none for a value.
fn summaries(answer: &serde_json::Value) -> Vec<String> {
    let mut summaries: Vec<String> = answer["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| error["summary"].as_str().map(str::to_owned))
        .collect();
    summaries.sort();
    summaries.dedup();
    summaries
}

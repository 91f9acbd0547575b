//! The ids of diagnostics, as the code has them.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Facts, is_test_support};
use crate::source::{Argument, Call, Kind, Source, is_kebab};

/// What is known of an id.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// The crates that tell it.
    pub(crate) folders: BTreeSet<String>,
    /// Its summaries, where the code writes them out.
    pub(crate) summaries: BTreeSet<String>,
    /// Whether it is told as an error, as a warning, or both.
    pub(crate) severities: BTreeSet<&'static str>,
}

/// All ids, with where they are told and their summaries.
pub(crate) fn entries(facts: &Facts) -> BTreeMap<String, Entry> {
    let sources: Vec<&Source> = facts
        .sources
        .iter()
        .filter(|source| !is_test_support(&source.path) && !source.is_test)
        .collect();
    let tellers = tellers(&sources);
    let mut entries = BTreeMap::new();
    for source in sources {
        let folder = folder(&source.path);
        let tells = source
            .seen_in_use()
            .any(|seen| matches!(&seen.kind, Kind::Call(call) if call.receiver == "Diagnostic"));
        for seen in source.seen_in_use() {
            if let Kind::Pair(id, summary) = &seen.kind
                && tells
            {
                let entry: &mut Entry = entries.entry(id.clone()).or_default();
                entry.folders.insert(folder.to_owned());
                entry.summaries.insert(summary.clone());
                continue;
            }
            let Kind::Call(call) = &seen.kind else {
                continue;
            };
            let Some(at) = id_argument(&tellers, folder, call) else {
                continue;
            };
            let Some(argument) = call.arguments.get(at) else {
                continue;
            };
            let summary = match call.arguments.get(at + 1) {
                Some(Argument::Text(text)) if !is_kebab(text) => Some(text.clone()),
                _ => None,
            };
            for id in ids(source, seen.function, argument) {
                let entry: &mut Entry = entries.entry(id).or_default();
                entry.folders.insert(folder.to_owned());
                entry.summaries.extend(summary.clone());
                if call.receiver == "Diagnostic" {
                    entry.severities.insert(match call.name.as_str() {
                        "warning" => "Warning",
                        _ => "Error",
                    });
                }
            }
        }
    }
    entries
}

/// Functions that take an id: the folder of their crate and their name, with the place of the id among their arguments.
fn tellers<'a>(sources: &[&'a Source]) -> BTreeMap<(&'a str, &'a str), usize> {
    let mut tellers = BTreeMap::new();
    for source in sources {
        for seen in source.seen_in_use() {
            if let Kind::Function(function) = &seen.kind
                && let Some(at) = function.id_argument
            {
                tellers.insert((folder(&source.path), function.name.as_str()), at);
            }
        }
    }
    tellers
}

/// The folder of the crate that a file belongs to.
fn folder(path: &str) -> &str {
    path.split("/src/").next().unwrap_or_default()
}

/// Which argument of a call is an id, if one is.
fn id_argument(
    tellers: &BTreeMap<(&str, &str), usize>,
    folder: &str,
    call: &Call,
) -> Option<usize> {
    if call.receiver == "Diagnostic" && ["error", "warning"].contains(&call.name.as_str()) {
        return Some(0);
    }
    // The one of the crate, and not one of the same name that something else has.
    let is_own = call.is_method || call.receiver != "ProviderDiagnostic";
    tellers
        .get(&(folder, call.name.as_str()))
        .copied()
        .filter(|_| is_own)
}

/// The ids that an argument may stand for.
fn ids(source: &Source, function: Option<usize>, argument: &Argument) -> Vec<String> {
    let words_around = || {
        let words = source
            .seen_in_use()
            .filter(|seen| seen.function == function && function.is_some());
        words
            .filter_map(|seen| {
                if let Kind::Word(word) = &seen.kind {
                    Some(word.clone())
                } else {
                    None
                }
            })
            .collect()
    };
    match argument {
        Argument::Text(text) if is_kebab(text) => vec![text.clone()],
        Argument::Text(_) => Vec::new(),
        Argument::Name(name) => {
            let constants = source.seen_in_use().filter_map(|seen| match &seen.kind {
                Kind::Constant(constant, text) if constant == name && is_kebab(text) => {
                    Some(text.clone())
                }
                _ => None,
            });
            let constants: Vec<String> = constants.collect();
            if constants.is_empty() {
                words_around()
            } else {
                constants
            }
        }
        Argument::Other => words_around(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::file;

    const CODE: &str = r#"
        const ATTRIBUTE: &str = "attribute-in-address";
        fn problem(&mut self, span: Span, id: &'static str, summary: &str) { self.push(Diagnostic::error(id, summary, "")) }
        fn f(&mut self) {
            Diagnostic::error("unknown-run", "No such run", detail).at(span);
            Diagnostic::warning(ATTRIBUTE, "Invalid address", detail);
            self.problem(span, "duplicate-key", "Key of two people");
        }
        fn g() { let id = if a { "unclosed-brace" } else { "unclosed-quote" }; Diagnostic::error(id, "Unclosed", ""); }
    "#;

    #[test]
    fn ids_are_found_however_they_are_given() {
        let entries = entries(&file("engine/gate/src/lib.rs", CODE));
        let ids: Vec<&str> = entries.keys().map(String::as_str).collect();
        assert_eq!(
            ids,
            [
                "attribute-in-address",
                "duplicate-key",
                "unclosed-brace",
                "unclosed-quote",
                "unknown-run"
            ]
        );
        assert_eq!(
            entries["duplicate-key"].summaries,
            BTreeSet::from(["Key of two people".to_owned()])
        );
    }

    #[test]
    fn an_id_that_stands_beside_its_summary_is_found() {
        let code = "fn f() { const A: [(&str, &str); 1] = [(\"invalid-index\", \"Invalid index\")]; let _ = (\"a-b\", \"c\"); Diagnostic::error(\"a-c\", \"C\", \"\"); }";
        let other = "fn f() { let _ = (\"data-sources\", \"Data sources\"); }";
        assert!(entries(&file("engine/gate/src/lib.rs", other)).is_empty());
        let entries = entries(&file("engine/gate/src/lib.rs", code));
        let ids: Vec<&str> = entries.keys().map(String::as_str).collect();
        assert_eq!(ids, ["a-c", "invalid-index"]);
    }
}

//! What must never be shown, even after it has passed through a provider that knows nothing of marks.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use terrace_plan::Plan;
use terrace_value::{Kind, Value};

/// The shortest secret that is also looked for inside longer texts.
const SHORTEST_INSIDE: usize = 4;
/// The shortest number that counts as a secret: hiding every 1 would hide nothing.
const SHORTEST_NUMBER: usize = 4;

/// Texts that are secret.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    exact: BTreeSet<String>,
    inside: Option<AhoCorasick>,
}

impl Secrets {
    /// All secrets that a plan holds: in variables, in objects before and after, and in outputs.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        let mut exact = BTreeSet::new();
        for variable in plan
            .inputs
            .variables
            .values()
            .filter_map(|variable| variable.value.as_ref())
        {
            collect(variable, variable.is_sensitive(), &mut exact);
        }
        for change in plan.changes.iter().chain(&plan.drift) {
            collect(&change.before, false, &mut exact);
            collect(&change.after, false, &mut exact);
        }
        for output in plan.outputs.values() {
            collect(&output.before, output.sensitive, &mut exact);
            collect(&output.after, output.sensitive, &mut exact);
        }
        Self::new(exact)
    }

    /// All secrets of some values, which are sensitive where they are marked.
    pub(crate) fn of_values<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut exact = BTreeSet::new();
        for value in values {
            collect(value, false, &mut exact);
        }
        Self::new(exact)
    }

    fn new(exact: BTreeSet<String>) -> Self {
        let long: Vec<&String> = exact
            .iter()
            .filter(|text| text.len() >= SHORTEST_INSIDE)
            .collect();
        let inside = if long.is_empty() {
            None
        } else {
            AhoCorasick::new(long).ok()
        };
        Self { exact, inside }
    }

    /// Whether showing `text` would show a secret.
    pub(crate) fn hides(&self, text: &str) -> bool {
        self.exact.contains(text)
            || self
                .inside
                .as_ref()
                .is_some_and(|inside| inside.is_match(text))
    }

    /// `text` with every secret in it replaced.
    pub(crate) fn redact(&self, text: &str) -> String {
        match &self.inside {
            Some(inside) => inside.replace_all_with_bytes_of(text),
            None => text.to_owned(),
        }
    }
}

trait ReplaceAll {
    fn replace_all_with_bytes_of(&self, text: &str) -> String;
}

impl ReplaceAll for AhoCorasick {
    fn replace_all_with_bytes_of(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        self.replace_all_with(text, &mut out, |_, _, out| {
            out.push_str("(sensitive value)");
            true
        });
        out
    }
}

fn collect(value: &Value, sensitive: bool, out: &mut BTreeSet<String>) {
    let sensitive = sensitive || value.is_sensitive();
    match value.kind() {
        Kind::String(text) if sensitive && !text.is_empty() => {
            out.insert(text.to_string());
        }
        Kind::Number(number) if sensitive => {
            let text = number.to_string();
            if text.len() >= SHORTEST_NUMBER {
                out.insert(text);
            }
        }
        Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
            items.iter().for_each(|item| collect(item, sensitive, out));
        }
        Kind::Map(_, entries) | Kind::Object(entries) => {
            entries
                .values()
                .for_each(|item| collect(item, sensitive, out));
        }
        _ => {}
    }
}

//! What must never be shown, even after it has passed through a provider that knows nothing of marks.
//!
//! A value that is marked is hidden where it stands, whatever it is. Beside that, the texts of marked values are looked
//! for everywhere else: a provider may hand one back unmarked, or within a longer text. Only texts that are long enough
//! to be secrets are looked for: a marked `1` or `eu` would hide half of a plan and protect nothing.

use std::collections::BTreeSet;
use std::fmt;

use aho_corasick::AhoCorasick;
use serde_json::Value as Json;
use terrace_value::{Kind, Value};

use crate::Plan;

/// The shortest text that is looked for, in characters.
const SHORTEST: usize = 6;
/// Where JSON has objects, and where it marks what of them is sensitive.
const MARKED: [(&str, &str); 3] = [
    ("before", "before_sensitive"),
    ("after", "after_sensitive"),
    ("values", "sensitive_values"),
];

/// Texts that are secret. Its `Debug` form tells none of them.
#[derive(Default)]
pub struct Secrets {
    texts: Option<AhoCorasick>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// All secrets that a plan holds: in variables, in objects before and after, and in outputs.
    pub fn of_plan(plan: &Plan) -> Self {
        let mut texts = BTreeSet::new();
        for variable in plan
            .inputs
            .variables
            .values()
            .filter_map(|variable| variable.value.as_ref())
        {
            collect(variable, variable.is_sensitive(), &mut texts);
        }
        for output in plan.outputs.values() {
            collect(&output.before, output.sensitive, &mut texts);
            collect(&output.after, output.sensitive, &mut texts);
        }
        let mut public = BTreeSet::new();
        for change in plan.changes.iter().chain(&plan.drift) {
            let mut own = BTreeSet::new();
            collect(&change.before, false, &mut own);
            collect(&change.after, false, &mut own);
            public.extend(public_id(&change.before, &own));
            public.extend(public_id(&change.after, &own));
            texts.append(&mut own);
        }
        texts.retain(|text| !public.contains(text));
        Self::new(&texts)
    }

    /// All secrets of some values, which are sensitive where they are marked.
    pub fn of_values<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut texts = BTreeSet::new();
        for value in values {
            collect(value, false, &mut texts);
        }
        Self::new(&texts)
    }

    /// All secrets that the JSON of a plan tells of, as `show -json` prints it: by its variables, its outputs, and what it
    /// marks beside the objects before and after.
    pub fn of_plan_json(document: &Json) -> Self {
        let mut texts = BTreeSet::new();
        let mut public = BTreeSet::new();
        let declared = &document["configuration"]["root_module"]["variables"];
        for (name, variable) in declared.as_object().into_iter().flatten() {
            if variable["sensitive"] == true {
                collect_json(&document["variables"][name], &Json::Bool(true), &mut texts);
            }
        }
        walk_json(document, &mut texts, &mut public);
        texts.retain(|text| !public.contains(text));
        Self::new(&texts)
    }

    fn new(texts: &BTreeSet<String>) -> Self {
        let texts = if texts.is_empty() {
            None
        } else {
            AhoCorasick::new(texts).ok()
        };
        Self { texts }
    }

    /// Whether showing `text` would show a secret.
    pub fn hides(&self, text: &str) -> bool {
        self.texts
            .as_ref()
            .is_some_and(|texts| texts.is_match(text))
    }

    /// Whether showing `value` itself would show a secret: it is marked, or its text holds one. What is within it counts for
    /// itself.
    pub fn hides_value(&self, value: &Value) -> bool {
        if value.is_sensitive() {
            return true;
        }
        match value.kind() {
            Kind::String(text) => self.hides(text),
            Kind::Number(number) => self.hides(&number.to_string()),
            _ => false,
        }
    }

    /// `text` with every secret in it replaced.
    pub fn redact(&self, text: &str) -> String {
        let Some(texts) = &self.texts else {
            return text.to_owned();
        };
        let mut out = String::with_capacity(text.len());
        texts.replace_all_with(text, &mut out, |_, _, out| {
            out.push_str("(sensitive value)");
            true
        });
        out
    }
}

/// The id of an object that keeps it from nobody: neither is it marked, nor does the object hold it as a secret. It names
/// the object, and goes on to do so where someone else has marked it.
fn public_id(object: &Value, own_secrets: &BTreeSet<String>) -> Option<String> {
    let id = object.as_entries()?.get("id")?;
    let text = id.as_str().filter(|_| !id.is_sensitive())?;
    let is_own = own_secrets.iter().any(|secret| text.contains(secret));
    (!object.is_sensitive() && !is_own).then(|| text.to_owned())
}

fn collect(value: &Value, sensitive: bool, out: &mut BTreeSet<String>) {
    let sensitive = sensitive || value.is_sensitive();
    let mut take = |text: String| {
        if sensitive && text.chars().count() >= SHORTEST {
            out.insert(text);
        }
    };
    match value.kind() {
        Kind::String(text) => take(text.to_string()),
        Kind::Number(number) => take(number.to_string()),
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

/// Collects what some JSON marks as sensitive at any depth, and the ids that are public as [`public_id`] has it.
fn walk_json(json: &Json, texts: &mut BTreeSet<String>, public: &mut BTreeSet<String>) {
    if let Json::Array(items) = json {
        for item in items {
            walk_json(item, texts, public);
        }
    }
    let Json::Object(members) = json else {
        return;
    };
    let mut own = BTreeSet::new();
    for (values, marks) in MARKED {
        collect_json(&json[values], &json[marks], &mut own);
    }
    for (values, marks) in MARKED {
        if let (Some(id), false) = (json[values]["id"].as_str(), is_marked(&json[marks]["id"]))
            && !is_marked(&json[marks])
            && !own.iter().any(|secret| id.contains(secret))
        {
            public.insert(id.to_owned());
        }
    }
    texts.append(&mut own);
    if is_marked(&json["sensitive"]) {
        collect_json(&json["value"], &Json::Bool(true), texts);
    }
    for (name, member) in members {
        // What a provider's objects call themselves says nothing about the plan.
        if MARKED
            .iter()
            .all(|(values, marks)| name != values && name != marks)
        {
            walk_json(member, texts, public);
        }
    }
}

fn is_marked(marks: &Json) -> bool {
    *marks == Json::Bool(true)
}

/// Collects what `marks` says is sensitive: all of it where they are `true`, else of each part what they say there.
fn collect_json(json: &Json, marks: &Json, out: &mut BTreeSet<String>) {
    let within = |mark: &Json| {
        if is_marked(marks) {
            marks.clone()
        } else {
            mark.clone()
        }
    };
    let mut take = |text: &str| {
        if is_marked(marks) && text.chars().count() >= SHORTEST {
            out.insert(text.to_owned());
        }
    };
    match json {
        Json::String(text) => take(text),
        Json::Number(number) => take(&number.to_string()),
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_json(item, &within(&marks[index]), out);
            }
        }
        Json::Object(members) => {
            for (name, member) in members {
                collect_json(member, &within(&marks[name.as_str()]), out);
            }
        }
        Json::Bool(_) | Json::Null => {}
    }
}

#[cfg(test)]
mod tests {
    use terrace_value::Marks;

    use super::*;

    fn secret(text: &str) -> Value {
        Value::string(text).with_marks(Marks::SENSITIVE)
    }

    #[test]
    fn long_secrets_are_found_anywhere() {
        let secrets = Secrets::of_values([&secret("hunter2")]);
        assert!(secrets.hides("hunter2") && secrets.hides("ann:hunter2@host"));
        assert_eq!(secrets.redact("pw=hunter2."), "pw=(sensitive value).");
    }

    #[test]
    fn short_ones_hide_only_themselves() {
        let secrets = Secrets::of_values([&secret("1"), &secret("eu")]);
        assert!(!secrets.hides("1") && !secrets.hides("eu-west") && !secrets.hides("eu"));
    }

    #[test]
    fn an_id_that_is_a_secret_of_its_object_is_not_public() {
        let own = BTreeSet::from(["hunter2".to_owned()]);
        let object = |id: &str| Value::object([("id", Value::string(id))]);
        assert_eq!(public_id(&object("hunter2"), &own), None);
        assert_eq!(public_id(&object("i-1"), &own).as_deref(), Some("i-1"));
        let marked = Value::object([("id", secret("i-1"))]);
        assert_eq!(public_id(&marked, &BTreeSet::new()), None);
    }
}

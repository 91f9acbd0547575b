//! The block of JSON that the page's script reads.

use serde::ser::{SerializeSeq as _, SerializeTuple as _};
use serde::{Serialize, Serializer};
use terrace_gate::Run;
use terrace_plan::{PlanMode, Secrets};

use crate::changes::{Teller, Told, ToldOutput};
use crate::document::{GateState, PolicyOutcome, PolicyVerdict, RunPage};
use crate::graph::Graph;
use crate::rows::{Cell, Mark, Row};

#[derive(Serialize)]
struct Document {
    version: String,
    digest: String,
    title: String,
    facts: Vec<[String; 2]>,
    status: String,
    message: String,
    statements: Vec<[String; 2]>,
    gate: Option<Gate>,
    policies: Vec<[String; 4]>,
    errored: bool,
    changes: Vec<Change>,
    drift: Vec<Change>,
    outputs: Vec<Output>,
    nodes: Vec<[String; 2]>,
    edges: Vec<u32>,
}

#[derive(Serialize)]
struct Gate {
    environment: String,
    kind: String,
    over: bool,
    asks: Vec<String>,
    missing: Vec<(String, Option<String>)>,
    approvals: Vec<Approval>,
    risks: Vec<String>,
}

#[derive(Serialize)]
struct Approval {
    person: String,
    key: String,
    signed: String,
    expires: Option<String>,
    comment: String,
    counts: bool,
}

#[derive(Serialize)]
struct Change {
    module: String,
    name: String,
    #[serde(rename = "type")]
    type_name: String,
    action: &'static str,
    title: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<[String; 3]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    risks: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<u32>,
    rows: Table,
}

#[derive(Serialize)]
struct Output {
    name: String,
    action: &'static str,
    rows: Table,
}

struct Table(Vec<Row>);

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.0.len()))?;
        for row in &self.0 {
            seq.serialize_element(&WireRow(row))?;
        }
        seq.end()
    }
}

/// `[depth, mark, name, before, after, flags]`
struct WireRow<'a>(&'a Row);

impl Serialize for WireRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.0;
        let flags = u8::from(row.forces) | u8::from(row.line) << 1;
        let mut tuple = serializer.serialize_tuple(6)?;
        tuple.serialize_element(&row.depth)?;
        tuple.serialize_element(mark(row.mark))?;
        tuple.serialize_element(&row.name)?;
        tuple.serialize_element(&WireCell(&row.before))?;
        tuple.serialize_element(&WireCell(&row.after))?;
        tuple.serialize_element(&flags)?;
        tuple.end()
    }
}

/// A text, or 0 for nothing, 1 for what is known after apply, 2 for what is sensitive.
struct WireCell<'a>(&'a Cell);

impl Serialize for WireCell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Cell::Empty => serializer.serialize_u8(0),
            Cell::Unknown => serializer.serialize_u8(1),
            Cell::Sensitive => serializer.serialize_u8(2),
            Cell::Text(text) => serializer.serialize_str(text),
        }
    }
}

const fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::Same => "=",
        Mark::Add => "+",
        Mark::Remove => "-",
        Mark::Change => "~",
        Mark::Hidden => ".",
    }
}

/// What the page is called: the run and its environment.
pub(crate) fn title(page: &RunPage<'_>) -> String {
    let what = match page.run {
        Some(run) => format!("Run {}", run.id),
        None => format!("Plan {}", page.digest.short()),
    };
    match &page.plan.inputs.environment {
        Some(environment) => format!("{what} for {environment}"),
        None => what,
    }
}

/// The JSON of a page, in which nothing can end a `script` element or begin a comment.
pub(crate) fn encode(page: &RunPage<'_>) -> Vec<u8> {
    let secrets = Secrets::of_plan(page.plan);
    let graph = Graph::of(page.plan);
    let teller = Teller::new(page.plan, &graph, &secrets, page.gate.as_ref());
    let redact = |text: &str| secrets.redact(text);
    let request = &page.plan.inputs.request;
    let document = Document {
        version: page.version.to_owned(),
        digest: page.digest.to_string(),
        title: title(page),
        facts: facts(page)
            .into_iter()
            .map(|(name, value)| [name.to_owned(), redact(&value)])
            .collect(),
        status: page
            .run
            .map_or_else(String::new, |run| run.status.name().to_owned()),
        message: page
            .run
            .and_then(|run| run.message.as_deref())
            .map(redact)
            .unwrap_or_default(),
        statements: request
            .reason
            .iter()
            .map(|reason| ["reason".to_owned(), redact(reason)])
            .chain(
                request
                    .statements
                    .iter()
                    .map(|(name, text)| [redact(name), redact(text)]),
            )
            .collect(),
        gate: page.gate.as_ref().map(|gate| Gate::of(gate, &secrets)),
        policies: page
            .policies
            .iter()
            .map(|outcome| policy(outcome, &secrets))
            .collect(),
        errored: page.plan.errored,
        changes: teller.changes().into_iter().map(Change::from).collect(),
        drift: teller.drift().into_iter().map(Change::from).collect(),
        outputs: teller.outputs().into_iter().map(Output::from).collect(),
        nodes: graph
            .nodes
            .iter()
            .map(|node| [node.module.to_string(), node.resource.to_string()])
            .map(|[module, name]| [redact(&module), redact(&name)])
            .collect(),
        edges: graph
            .edges
            .iter()
            .flat_map(|(from, to)| [*from, *to])
            .collect(),
    };
    let text = serde_json::to_string(&document).expect("it holds nothing that JSON cannot");
    harmless(&text)
}

/// The header's names and values.
fn facts(page: &RunPage<'_>) -> Vec<(&'static str, String)> {
    let plan = page.plan;
    let request = &plan.inputs.request;
    let run = page.run;
    let mut facts = Vec::new();
    let mut fact = |name, value: Option<String>| {
        facts.extend(
            value
                .filter(|value| !value.is_empty())
                .map(|value| (name, value)),
        );
    };
    fact("Environment", plan.inputs.environment.clone());
    fact("Stack", page.stack.clone());
    fact(
        "Workspace",
        Some(plan.inputs.workspace.clone()).filter(|name| name != "default"),
    );
    let kind = match request.kind.as_str() {
        "" if plan.inputs.environment.is_none() => "",
        "" => "normal",
        kind => kind,
    };
    fact("Change type", Some(kind.to_owned()));
    let mode = match plan.mode {
        PlanMode::Normal => "",
        PlanMode::Destroy => "destroy",
        PlanMode::RefreshOnly => "refresh only",
    };
    fact("Mode", Some(mode.to_owned()));
    let authors = page.gate.as_ref().map_or(&[][..], |gate| &gate.authors);
    match authors {
        [] => fact("Author", run.map(|run| run.actor.clone())),
        [author] => fact("Author", Some(author.clone())),
        authors => fact("Authors", Some(authors.join(", "))),
    }
    let commit = run.and_then(|run| run.commit.clone());
    fact("Commit", commit.or_else(|| request.commit.clone()));
    let created = run.map(|run: &Run| run.created.clone());
    fact(
        "Planned",
        created.or_else(|| Some(plan.inputs.timestamp.clone())),
    );
    fact("Finished", run.and_then(|run| run.finished.clone()));
    fact("Plan digest", Some(page.digest.to_string()));
    facts
}

impl Gate {
    fn of(gate: &GateState, secrets: &Secrets) -> Self {
        let redact = |text: &String| secrets.redact(text);
        Self {
            environment: gate.environment.clone(),
            kind: gate.kind.clone(),
            over: gate.is_over,
            asks: gate.asks.iter().map(redact).collect(),
            missing: gate
                .missing
                .iter()
                .map(|missing| (redact(&missing.reason), missing.remedy.as_ref().map(redact)))
                .collect(),
            approvals: gate
                .approvals
                .iter()
                .map(|approval| Approval {
                    person: approval.person.clone(),
                    key: approval.fingerprint.clone(),
                    signed: approval.signed.clone(),
                    expires: approval.expires.clone(),
                    comment: redact(&approval.comment),
                    counts: approval.counts,
                })
                .collect(),
            risks: gate.risks.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

fn policy(outcome: &PolicyOutcome, secrets: &Secrets) -> [String; 4] {
    let verdict = match outcome.verdict {
        PolicyVerdict::Passed => "passed",
        PolicyVerdict::Warned => "warned",
        PolicyVerdict::Denied => "denied",
        PolicyVerdict::Overridden => "overridden",
    };
    [
        verdict.to_owned(),
        secrets.redact(&outcome.policy),
        outcome.level.clone(),
        secrets.redact(&outcome.message),
    ]
}

impl From<Told> for Change {
    fn from(told: Told) -> Self {
        Self {
            module: told.module,
            name: told.name,
            type_name: told.type_name,
            action: told.action,
            title: told.title,
            remarks: told.remarks,
            reasons: told.reasons,
            risks: told.risks,
            node: told.node,
            rows: Table(told.rows),
        }
    }
}

impl From<ToldOutput> for Output {
    fn from(told: ToldOutput) -> Self {
        Self {
            name: told.name,
            action: told.action,
            rows: Table(told.rows),
        }
    }
}

/// JSON as it may stand in a `script` element: `<`, `>` and `&` only ever stand in its strings, and are escaped there, so
/// that neither `</script` nor `<!--` can come about; likewise what would end a line of a script.
fn harmless(json: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() + json.len() / 32);
    let mut rest = json;
    while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        let (plain, found) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let mut chars = found.chars();
        if let Some(c) = chars.next() {
            // Four digits are enough for these five.
            out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes());
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_string_ends_the_element() {
        let text = serde_json::to_string(&["</script><!-- & \u{2028}", "a<b"]).expect("strings");
        let escaped = String::from_utf8(harmless(&text)).expect("it is text");
        assert!(!escaped.contains(['<', '>', '&', '\u{2028}']), "{escaped}");
        let back: Vec<String> = serde_json::from_str(&escaped).expect("it is JSON");
        assert_eq!(back, ["</script><!-- & \u{2028}", "a<b"]);
    }
}

//! A plan's changes as the page tells them.

use std::collections::BTreeMap;

use terrace_addr::ResourceMode;
use terrace_gate::ShapeAction;
use terrace_plan::{Action, OutputChange, Plan, ResourceChange, Secrets};
use terrace_schema::Block;
use terrace_value::Value;

use crate::document::GateState;
use crate::graph::Graph;
use crate::rows::{self, Row};

/// One change.
#[derive(Debug)]
pub(crate) struct Told {
    /// The module's address; empty for the root module.
    pub(crate) module: String,
    /// The rest of the address.
    pub(crate) name: String,
    pub(crate) type_name: String,
    /// The name of the action: `create`, `update`, `replace`, `delete`, `read`, `forget`, `move`, `import`.
    pub(crate) action: &'static str,
    pub(crate) title: String,
    /// Remarks: why, where it was moved from, what it is imported from.
    pub(crate) remarks: Vec<String>,
    /// Attribute, place and cause of each reason.
    pub(crate) reasons: Vec<[String; 3]>,
    /// Places in the list of risks.
    pub(crate) risks: Vec<u32>,
    /// Its place in the graph.
    pub(crate) node: Option<u32>,
    pub(crate) rows: Vec<Row>,
}

/// One output.
#[derive(Debug)]
pub(crate) struct ToldOutput {
    pub(crate) name: String,
    pub(crate) action: &'static str,
    pub(crate) rows: Vec<Row>,
}

/// What every change is told with.
pub(crate) struct Teller<'a> {
    plan: &'a Plan,
    graph: &'a Graph,
    secrets: &'a Secrets,
    /// For each risky line, the places of its risks.
    risks: BTreeMap<&'a str, Vec<u32>>,
}

impl<'a> Teller<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        graph: &'a Graph,
        secrets: &'a Secrets,
        gate: Option<&'a GateState>,
    ) -> Self {
        let mut risks: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        let found = gate.into_iter().flat_map(|gate| (0_u32..).zip(&gate.risks));
        for (index, (_, lines)) in found {
            for line in lines {
                risks.entry(line).or_default().push(index);
            }
        }
        Self {
            plan,
            graph,
            secrets,
            risks,
        }
    }

    /// The changes that do something, in the plan's order.
    pub(crate) fn changes(&self) -> Vec<Told> {
        let shown = self.plan.changes.iter().filter(|change| is_shown(change));
        shown.map(|change| self.change(change)).collect()
    }

    /// What changed outside.
    pub(crate) fn drift(&self) -> Vec<Told> {
        let drifted = self.plan.drift.iter();
        drifted
            .filter(|change| change.action != Action::NoOp)
            .map(|change| {
                let mut told = self.change(change);
                let gone = change.after.is_null();
                told.action = if gone { "delete" } else { "update" };
                let what = if gone {
                    "has been deleted"
                } else {
                    "has changed"
                };
                told.title = format!("{} {what} outside of Terrace", change.address);
                told.reasons.clear();
                told
            })
            .collect()
    }

    /// The outputs that change.
    pub(crate) fn outputs(&self) -> Vec<ToldOutput> {
        let changed = self.plan.outputs.iter();
        changed
            .filter(|(_, output)| output.action != Action::NoOp)
            .map(|(name, output)| self.output(name, output))
            .collect()
    }

    fn output(&self, name: &str, output: &OutputChange) -> ToldOutput {
        let sides = (&output.before, &output.after);
        ToldOutput {
            name: name.to_owned(),
            action: action_name(output.action),
            rows: rows::output(self.secrets, name, output.sensitive, sides),
        }
    }

    fn change(&self, change: &ResourceChange) -> Told {
        let address = &change.address;
        let full = address.to_string();
        let module = address.module().to_string();
        let mut name = match full.strip_prefix(&format!("{module}.")) {
            Some(name) if !address.module().is_root() => name.to_owned(),
            _ => full,
        };
        if let Some(deposed) = &change.deposed {
            name = format!("{name} (deposed object {deposed})");
        }
        let is_kept = matches!(change.action, Action::NoOp | Action::Forget);
        let null = Value::NULL;
        let after = match change.action {
            _ if is_kept => &change.before,
            Action::Delete => &null,
            _ => &change.after,
        };
        let block = self.block(change);
        Told {
            module: if address.module().is_root() {
                String::new()
            } else {
                self.secrets.redact(&module)
            },
            name: self.secrets.redact(&name),
            type_name: match address.mode() {
                ResourceMode::Data => format!("data.{}", address.type_name()),
                _ => address.type_name().to_string(),
            },
            action: told_action(change),
            title: self.secrets.redact(&change.title()),
            remarks: self.remarks(change),
            reasons: self.reasons(change),
            risks: self.risks_of(change),
            node: self.graph.node(&address.resource.config()),
            rows: rows::object(
                self.secrets,
                &change.replace_paths,
                block,
                (&change.before, after),
            ),
        }
    }

    fn block(&self, change: &ResourceChange) -> Option<&'a Block> {
        let schema = self.plan.schemas.get(&change.provider.provider)?;
        let table = match change.address.mode() {
            ResourceMode::Managed => &schema.resources,
            ResourceMode::Data => &schema.data_sources,
            ResourceMode::Ephemeral => &schema.ephemeral_resources,
        };
        let found = table.get(change.address.type_name());
        found.map(|schema| &schema.block)
    }

    fn remarks(&self, change: &ResourceChange) -> Vec<String> {
        let mut remarks = Vec::new();
        remarks.extend(change.why());
        if let (Some(previous), true) = (&change.previous_address, change.action != Action::NoOp) {
            remarks.push(format!("moved from {previous}"));
        }
        if let Some(importing) = &change.importing {
            let id = match &importing.id {
                Some(id) => format!("{id:?}"),
                None => "an id known after apply".to_owned(),
            };
            remarks.push(format!("imported from {id}"));
        }
        match change.action {
            Action::CreateThenDelete => {
                remarks.push(
                    "the replacement is created before the present object is destroyed".into(),
                );
            }
            Action::DeleteThenCreate => {
                remarks.push(
                    "the present object is destroyed before its replacement is created".into(),
                );
            }
            _ => {}
        }
        let redacted = remarks.iter().map(|remark| self.secrets.redact(remark));
        redacted.collect()
    }

    fn reasons(&self, change: &ResourceChange) -> Vec<[String; 3]> {
        let said = change
            .reasons
            .iter()
            .filter(|reason| !reason.cause.is_empty());
        said.map(|reason| {
            [&reason.attribute, &reason.place, &reason.cause].map(|text| self.secrets.redact(text))
        })
        .collect()
    }

    fn risks_of(&self, change: &ResourceChange) -> Vec<u32> {
        if self.risks.is_empty() {
            return Vec::new();
        }
        let address = match &change.deposed {
            Some(key) => format!("{} (deposed object {key})", change.address),
            None => change.address.to_string(),
        };
        let actions: Vec<&str> = ShapeAction::of(change)
            .into_iter()
            .map(ShapeAction::name)
            .collect();
        let told = format!("{address} ({})", actions.join(", "));
        let found = self.risks.get(&*told).or_else(|| self.risks.get(&*address));
        found.cloned().unwrap_or_default()
    }
}

fn is_shown(change: &ResourceChange) -> bool {
    change.action != Action::NoOp || change.importing.is_some() || change.previous_address.is_some()
}

fn told_action(change: &ResourceChange) -> &'static str {
    match change.action {
        Action::NoOp if change.importing.is_some() => "import",
        Action::NoOp => "move",
        action => action_name(action),
    }
}

const fn action_name(action: Action) -> &'static str {
    match action {
        Action::NoOp => "none",
        Action::Create => "create",
        Action::Update => "update",
        Action::DeleteThenCreate | Action::CreateThenDelete | Action::ForgetThenCreate => "replace",
        Action::Delete => "delete",
        Action::Read => "read",
        Action::Forget => "forget",
    }
}

//! A plan as people read it.

mod diff;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use terrace_plan::{Action, OutputChange, Plan, PlanMode, ResourceChange};
use terrace_schema::{AttributeType, Block};
use terrace_value::literal::quoted;
use terrace_value::{Kind, Path, Text, Type, Value};

use super::diagnostics::wrap;
use super::style::{Role, Style};
use diff::widest;
pub(crate) use diff::{Symbol, Writer};
pub(crate) use terrace_plan::Secrets;

/// The whole text of a plan.
pub(crate) fn render(plan: &Plan, terminal: &super::View) -> String {
    let secrets = Secrets::of_plan(plan);
    let mut view = View {
        plan,
        style: terminal.style,
        width: terminal.width,
        secrets: &secrets,
        out: String::new(),
    };
    view.drift();
    view.changes();
    view.outputs();
    view.ending();
    view.out
}

/// The changes of outputs alone.
struct View<'a> {
    plan: &'a Plan,
    style: Style,
    width: usize,
    secrets: &'a Secrets,
    out: String,
}

fn is_shown(change: &ResourceChange) -> bool {
    change.action != Action::NoOp || change.importing.is_some() || change.previous_address.is_some()
}

const fn symbol_text(action: Action) -> &'static str {
    match action {
        Action::NoOp => "   ",
        Action::Create => "  +",
        Action::Update => "  ~",
        Action::Delete => "  -",
        Action::DeleteThenCreate => "-/+",
        Action::CreateThenDelete => "+/-",
        Action::Read => " <=",
        Action::Forget => "  .",
        Action::ForgetThenCreate => "./+",
    }
}

const LEGEND: [(Action, &str); 8] = [
    (Action::Create, "create"),
    (Action::Update, "update in-place"),
    (Action::Delete, "destroy"),
    (
        Action::DeleteThenCreate,
        "destroy and then create replacement",
    ),
    (
        Action::CreateThenDelete,
        "create replacement and then destroy",
    ),
    (
        Action::ForgetThenCreate,
        "forget (not destroyed) and then create replacement",
    ),
    (Action::Read, "read (data resources)"),
    (Action::Forget, "forget (not destroyed, no longer managed)"),
];

impl<'a> View<'a> {
    fn push(&mut self, text: impl AsRef<str>) {
        self.out.push_str(text.as_ref());
        self.out.push('\n');
    }

    fn symbol(&self, action: Action) -> String {
        let text = symbol_text(action);
        match action {
            Action::NoOp | Action::Forget => text.to_owned(),
            Action::Create => self.style.paint(Role::Add, text),
            Action::Update => self.style.paint(Role::Change, text),
            Action::Delete => self.style.paint(Role::Remove, text),
            Action::Read => self.style.paint(Role::Read, text),
            Action::DeleteThenCreate => {
                format!(
                    "{}/{}",
                    self.style.paint(Role::Remove, "-"),
                    self.style.paint(Role::Add, "+")
                )
            }
            Action::ForgetThenCreate => format!("./{}", self.style.paint(Role::Add, "+")),
            Action::CreateThenDelete => {
                format!(
                    "{}/{}",
                    self.style.paint(Role::Add, "+"),
                    self.style.paint(Role::Remove, "-")
                )
            }
        }
    }

    fn drift(&mut self) {
        let plan = self.plan;
        let drifted: Vec<&ResourceChange> = plan
            .drift
            .iter()
            .filter(|change| change.action != Action::NoOp)
            .collect();
        if drifted.is_empty()
            || !(plan.mode == PlanMode::RefreshOnly || any_matters(plan, &drifted))
        {
            return;
        }
        self.push(self.style.paint(
            Role::Strong,
            "Note: Objects have changed outside of Terrace",
        ));
        self.push("");
        self.push("Terrace found the following changes since the last run:");
        self.push("");
        for change in drifted {
            let address = &change.address;
            let what = if change.action == Action::Delete {
                "has been deleted"
            } else {
                "has changed"
            };
            let title = self
                .style
                .paint(Role::Strong, format!("  # {address} {what}"));
            self.push(title);
            self.resource(change);
            self.push("");
        }
    }

    fn changes(&mut self) {
        let plan = self.plan;
        let shown: Vec<&ResourceChange> = plan
            .changes
            .iter()
            .filter(|change| is_shown(change))
            .collect();
        if shown.is_empty() {
            return;
        }
        let actions: BTreeSet<Action> = shown.iter().map(|change| change.action).collect();
        if actions.iter().any(|action| *action != Action::NoOp) {
            self.push("Terrace used the selected providers to generate the following execution");
            self.push("plan. Resource actions are indicated with the following symbols:");
            for (action, text) in LEGEND {
                if actions.contains(&action) {
                    let symbol = self.symbol(action);
                    self.push(format!("{symbol} {text}"));
                }
            }
            self.push("");
        }
        self.push("Terrace will perform the following actions:");
        self.push("");
        for change in shown {
            self.change(change);
        }
        self.summary();
    }

    fn change(&mut self, change: &ResourceChange) {
        let title = self
            .style
            .paint(Role::Strong, format!("  # {}", change.title()));
        self.push(title);
        if let Some(why) = change.why() {
            self.push(format!("  # ({why})"));
        }
        if let (Some(previous), true) = (&change.previous_address, change.action != Action::NoOp) {
            self.push(format!("  # (moved from {previous})"));
        }
        if let Some(importing) = &change.importing {
            let id = importing
                .id
                .as_ref()
                .map_or_else(|| "an id known after apply".to_owned(), |id| quoted(id));
            self.push(format!("  # (imported from {id})"));
        }
        if change.action.is_replace() || change.action == Action::Update {
            for reason in change
                .reasons
                .iter()
                .filter(|reason| !reason.cause.is_empty())
            {
                let attribute = reason.attribute.trim_start_matches('.');
                let place = if reason.place.is_empty() {
                    String::new()
                } else {
                    format!(" at {}", reason.place)
                };
                let subject = format!("{attribute}{place}");
                let text = match subject.trim_start() {
                    "" => reason.cause.clone(),
                    subject => format!("{subject}: {}", reason.cause),
                };
                self.reason(&text);
            }
        }
        self.resource(change);
        self.push("");
    }

    /// A reason, folded where it is longer than a line.
    fn reason(&mut self, text: &str) {
        const LEAD: &str = "  # <- ";
        let lines = wrap(text, self.width.saturating_sub(LEAD.len()));
        for (index, line) in lines.iter().enumerate() {
            let lead = if index == 0 { LEAD } else { "  #      " };
            self.push(self.style.paint(Role::Faint, format!("{lead}{line}")));
        }
    }

    fn resource(&mut self, change: &ResourceChange) {
        let keyword = match change.address.mode() {
            terrace_addr::ResourceMode::Managed => "resource",
            terrace_addr::ResourceMode::Data => "data",
            terrace_addr::ResourceMode::Ephemeral => "ephemeral",
        };
        let resource = &change.address.resource.resource;
        let symbol = self.symbol(change.action);
        self.push(format!(
            "{symbol} {keyword} \"{}\" \"{}\" {{",
            resource.type_name, resource.name
        ));
        let block = Self::block_schema(self.plan, change);
        let mut writer = Writer::new(self.style, self.secrets, &change.replace_paths);
        let kept = matches!(change.action, Action::NoOp | Action::Forget);
        let after = if kept { &change.before } else { &change.after };
        body(
            &mut writer,
            1,
            block,
            (&change.before, after),
            &Path::root(),
        );
        let lines = writer.lines.join("\n");
        if !lines.is_empty() {
            self.push(lines);
        }
        self.push("    }");
    }

    fn block_schema(plan: &'a Plan, change: &ResourceChange) -> Option<&'a Block> {
        let schema = plan.schemas.get(&change.provider.provider)?;
        let table = match change.address.mode() {
            terrace_addr::ResourceMode::Managed => &schema.resources,
            terrace_addr::ResourceMode::Data => &schema.data_sources,
            terrace_addr::ResourceMode::Ephemeral => &schema.ephemeral_resources,
        };
        table
            .get(change.address.type_name())
            .map(|schema| &schema.block)
    }

    fn summary(&mut self) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for change in &self.plan.changes {
            let names: &[&str] = match change.action {
                Action::Create => &["add"],
                Action::Update => &["change"],
                Action::Delete => &["destroy"],
                Action::DeleteThenCreate | Action::CreateThenDelete => &["add", "destroy"],
                Action::Forget => &["forget"],
                Action::ForgetThenCreate => &["add", "forget"],
                Action::NoOp | Action::Read => &[],
            };
            for name in names {
                *counts.entry(name).or_default() += 1;
            }
            if change.importing.is_some() {
                *counts.entry("import").or_default() += 1;
            }
        }
        let count = |name: &str| counts.get(name).copied().unwrap_or(0);
        let mut text = String::new();
        if count("import") > 0 {
            write!(text, "{} to import, ", count("import"))
                .expect("writing to a string does not fail");
        }
        let (add, change, destroy) = (count("add"), count("change"), count("destroy"));
        write!(
            text,
            "{add} to add, {change} to change, {destroy} to destroy"
        )
        .expect("writing to a string does not fail");
        if count("forget") > 0 {
            write!(text, ", {} to forget", count("forget"))
                .expect("writing to a string does not fail");
        }
        let label = self.style.paint(Role::Strong, "Plan:");
        self.push(format!("{label} {text}."));
    }

    fn outputs(&mut self) {
        let plan = self.plan;
        let changed: BTreeMap<_, &OutputChange> = plan
            .outputs
            .iter()
            .filter(|(_, output)| output.action != Action::NoOp)
            .map(|(name, output)| (name.to_string(), output))
            .collect();
        if changed.is_empty() {
            return;
        }
        if !self.out.is_empty() {
            self.push("");
        }
        self.push(self.style.paint(Role::Strong, "Changes to Outputs:"));
        let names: Vec<String> = changed.keys().cloned().collect();
        let width = widest(&names);
        let mut writer = Writer::new(self.style, self.secrets, &[]);
        writer.implied = true;
        for (name, output) in changed {
            let head = format!("{name:width$} = ");
            if output.sensitive {
                let symbol = match output.action {
                    Action::Create => Symbol::Add,
                    Action::Delete => Symbol::Remove,
                    _ => Symbol::Change,
                };
                writer.line(0, symbol, format!("{head}(sensitive value)"));
            } else if output.action == Action::Create {
                writer.whole(0, Symbol::Add, &head, &output.after, "");
            } else {
                writer.diff(0, &head, &output.before, &output.after, &Path::root(), "");
            }
        }
        self.push(writer.lines.join("\n"));
    }

    fn ending(&mut self) {
        let plan = self.plan;
        let resources = plan.changes.iter().any(is_shown);
        if plan.mode == PlanMode::RefreshOnly && !plan.drift.is_empty() {
            if !self.out.ends_with("\n\n") {
                self.push("");
            }
            self.push("This is a refresh-only plan, so Terrace will not take any actions to undo");
            self.push("these. If you apply it, the state will take over what has changed.");
        } else if !resources
            && plan
                .outputs
                .values()
                .any(|output| output.action != Action::NoOp)
        {
            self.push("");
            self.push("You can apply this plan to save these new output values to the Terrace");
            self.push("state, without changing any real infrastructure.");
        }
        if !plan.has_changes() {
            self.no_changes();
        }
    }

    fn no_changes(&mut self) {
        let (title, detail) = match self.plan.mode {
            PlanMode::Normal => (
                "Your infrastructure matches the configuration.",
                "Terrace has compared your real infrastructure against your configuration\nand found no differences, so no changes are needed.",
            ),
            PlanMode::RefreshOnly => (
                "Your infrastructure still matches the state.",
                "Terrace has checked that the real remote objects still match the result of\nyour most recent changes, and found no differences.",
            ),
            PlanMode::Destroy => (
                "No objects need to be destroyed.",
                "Either you have not created any objects yet or the existing objects were\nalready deleted outside of Terrace.",
            ),
        };
        let label = self.style.paint(Role::Add, "No changes.");
        self.push(format!("{label} {title}"));
        self.push("");
        self.push(detail);
    }
}

/// Whether any drift has to do with a change of this plan.
fn any_matters(plan: &Plan, drifted: &[&ResourceChange]) -> bool {
    let relevant: BTreeSet<&str> = plan
        .relevant_attributes
        .iter()
        .map(|relevant| relevant.resource.as_str())
        .collect();
    drifted.iter().any(|drift| {
        relevant.contains(&*drift.address.to_string())
            || relevant.contains(&*drift.address.resource.to_string())
    })
}

/// An object's attributes as the lines of a block, without those that are null.
pub(crate) fn attributes(value: &Value, block: Option<&Block>) -> Vec<String> {
    let secrets = Secrets::of_values([value]);
    let mut writer = Writer::new(Style::Plain, &secrets, &[]);
    let entries = value.as_entries();
    let shown: Vec<(&Text, &Value)> = entries
        .into_iter()
        .flatten()
        .filter(|(_, item)| !item.is_null())
        .collect();
    let names: Vec<String> = shown.iter().map(|(name, _)| name.to_string()).collect();
    let width = widest(&names);
    for (name, item) in shown {
        writer.implied = is_implied(block, name);
        let head = format!("{name:width$} = ");
        writer.whole(0, Symbol::None, &head, item, "");
    }
    writer.lines
}

/// Whether no schema tells the type of an attribute.
fn is_implied(block: Option<&Block>, name: &Text) -> bool {
    block
        .and_then(|block| block.attributes.get(name))
        .is_none_or(|attribute| attribute.ty == AttributeType::Plain(Type::Dynamic))
}

/// Attributes that tell which object it is, shown even where they stay.
const IDENTIFYING: [&str; 3] = ["id", "name", "tags"];

/// The attributes and blocks of an object.
pub(crate) fn body(
    writer: &mut Writer<'_>,
    level: usize,
    block: Option<&Block>,
    (before, after): (&Value, &Value),
    path: &Path,
) {
    let empty = BTreeMap::new();
    let old = before.as_entries().unwrap_or(&empty);
    let new = after.as_entries().unwrap_or(&empty);
    let null = Value::NULL;
    let is_block = |name: &Text| block.is_some_and(|block| block.blocks.contains_key(name));
    let names: BTreeSet<&Text> = old.keys().chain(new.keys()).collect();
    let pair = |name: &Text| {
        (
            old.get(name).unwrap_or(&null),
            new.get(name).unwrap_or(&null),
        )
    };
    let mut shown = Vec::new();
    let mut unchanged = 0;
    for name in names.iter().copied().filter(|name| !is_block(name)) {
        let (old, new) = pair(name);
        if old.is_null() && new.is_null() {
            continue;
        }
        if old != new || (level == 1 && IDENTIFYING.contains(&&**name)) {
            shown.push(name);
        } else {
            unchanged += 1;
        }
    }
    let labels: Vec<String> = shown.iter().map(ToString::to_string).collect();
    let width = widest(&labels);
    for name in shown {
        let (old, new) = pair(name);
        let head = format!("{name:width$} = ");
        writer.implied = is_implied(block, name);
        if old == new {
            writer.whole(level, Symbol::None, &head, old, "");
        } else {
            writer.diff(level, &head, old, new, &path.attribute(name.clone()), "");
        }
    }
    writer.unchanged(level, unchanged, "attribute");
    let Some(block) = block else { return };
    let mut hidden = 0;
    for (name, nested) in &block.blocks {
        let (old, new) = pair(name);
        hidden += blocks(
            writer,
            level,
            (name, &nested.block),
            (old, new),
            &path.attribute(name.clone()),
        );
    }
    if hidden > 0 {
        writer.lines.push(String::new());
    }
    writer.unchanged(level, hidden, "block");
}

/// The blocks of one type; returns how many stay as they are.
fn blocks(
    writer: &mut Writer<'_>,
    level: usize,
    (name, block): (&str, &Block),
    (old, new): (&Value, &Value),
    path: &Path,
) -> usize {
    let old = members(old);
    let new = members(new);
    let mut hidden = 0;
    for (index, label, before, after) in paired(old, new) {
        if before == after {
            hidden += 1;
            continue;
        }
        let path = match index {
            Some(index) => path.index(index),
            None => path.clone(),
        };
        let symbol = match (before.is_null(), after.is_null()) {
            (true, _) => Symbol::Add,
            (_, true) => Symbol::Remove,
            _ => Symbol::Change,
        };
        writer.lines.push(String::new());
        let label = label
            .map(|label| format!(" {}", quoted(&label)))
            .unwrap_or_default();
        writer.line(level, symbol, format!("{name}{label} {{"));
        body(writer, level + 1, Some(block), (&before, &after), &path);
        writer.line(level, Symbol::None, "}");
    }
    hidden
}

enum Members {
    Sequence(Vec<Value>),
    Set(Vec<Value>),
    Map(BTreeMap<Text, Value>),
}

fn members(value: &Value) -> Members {
    match value.kind() {
        Kind::List(_, items) | Kind::Tuple(items) => Members::Sequence(items.to_vec()),
        Kind::Set(_, items) => Members::Set(items.to_vec()),
        Kind::Map(_, entries) => Members::Map((**entries).clone()),
        Kind::Null(_) => Members::Sequence(Vec::new()),
        _ => Members::Sequence(vec![value.clone()]),
    }
}

type Pair = (Option<Value>, Option<Text>, Value, Value);

/// Blocks that belong together: by key, by place, or (in a set) those that are the same.
fn paired(old: Members, new: Members) -> Vec<Pair> {
    match (old, new) {
        (Members::Map(old), Members::Map(new)) => {
            let keys: BTreeSet<Text> = old.keys().chain(new.keys()).cloned().collect();
            let get = |table: &BTreeMap<Text, Value>, key: &Text| {
                table.get(key).cloned().unwrap_or(Value::NULL)
            };
            keys.into_iter()
                .map(|key| {
                    (
                        Some(Value::string(key.clone())),
                        Some(key.clone()),
                        get(&old, &key),
                        get(&new, &key),
                    )
                })
                .collect()
        }
        (Members::Set(old), Members::Set(new)) => {
            let gone = old
                .iter()
                .filter(|item| !new.contains(item))
                .map(|item| (None, None, item.clone(), Value::NULL));
            let come = new
                .iter()
                .filter(|item| !old.contains(item))
                .map(|item| (None, None, Value::NULL, item.clone()));
            let same = old
                .iter()
                .filter(|item| new.contains(item))
                .map(|item| (None, None, item.clone(), item.clone()));
            gone.chain(come).chain(same).collect()
        }
        (old, new) => {
            let list = |members| match members {
                Members::Sequence(items) | Members::Set(items) => items,
                Members::Map(entries) => entries.into_values().collect(),
            };
            let (old, new) = (list(old), list(new));
            let at =
                |items: &[Value], index: usize| items.get(index).cloned().unwrap_or(Value::NULL);
            (0..old.len().max(new.len()))
                .map(|index| {
                    let place = i64::try_from(index).ok().map(Value::int);
                    (place, None, at(&old, index), at(&new, index))
                })
                .collect()
        }
    }
}

#[cfg(test)]
mod tests;

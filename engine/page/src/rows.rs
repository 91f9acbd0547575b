//! Differences of objects and values, as rows of a table.

use std::collections::{BTreeMap, BTreeSet};

use similar::{Algorithm, DiffOp, capture_diff_slices};
use terrace_plan::Secrets;
use terrace_schema::Block;
use terrace_value::literal::quoted;
use terrace_value::{Kind, Path, Text, Value};

/// What a row says of its attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It stays, and tells which object it is.
    Same,
    /// It comes.
    Add,
    /// It goes.
    Remove,
    /// It changes.
    Change,
    /// Some that stay are not shown; the name says how many.
    Hidden,
}

/// One side of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Nothing: the attribute is not there, or rows below hold what is in it.
    Empty,
    /// Known after apply.
    Unknown,
    /// A sensitive value.
    Sensitive,
    /// A value, as the language writes it.
    Text(String),
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// How deep it lies within its object.
    pub(crate) depth: u8,
    pub(crate) mark: Mark,
    pub(crate) name: String,
    pub(crate) before: Cell,
    pub(crate) after: Cell,
    /// Whether it asks for a replacement.
    pub(crate) forces: bool,
    /// Whether it is a line of a longer text.
    pub(crate) line: bool,
}

/// Attributes that tell which object it is, shown even where they stay.
const IDENTIFYING: [&str; 3] = ["id", "name", "tags"];

/// Lines that are shown around those that change in a longer text.
const CONTEXT: usize = 3;

/// How deep values are followed; what lies deeper is told as one text.
const DEEPEST: u8 = 24;

/// Writes the rows of one object.
struct Writer<'a> {
    rows: Vec<Row>,
    secrets: &'a Secrets,
    forces: &'a [Path],
}

/// The rows of an object's change.
pub(crate) fn object(
    secrets: &Secrets,
    forces: &[Path],
    block: Option<&Block>,
    sides: (&Value, &Value),
) -> Vec<Row> {
    let mut writer = Writer {
        rows: Vec::new(),
        secrets,
        forces,
    };
    writer.body(0, block, sides, &Path::root());
    writer.rows
}

/// The rows of an output's change.
pub(crate) fn output(
    secrets: &Secrets,
    name: &str,
    sensitive: bool,
    (before, after): (&Value, &Value),
) -> Vec<Row> {
    let mut writer = Writer {
        rows: Vec::new(),
        secrets,
        forces: &[],
    };
    if sensitive {
        writer.secret(0, name, (before, after), &Path::root());
    } else {
        writer.diff(0, name, before, after, &Path::root());
    }
    writer.rows
}

impl Writer<'_> {
    fn push(&mut self, depth: u8, mark: Mark, name: &str, before: Cell, after: Cell) {
        self.rows.push(Row {
            depth,
            mark,
            name: self.secrets.redact(name),
            before,
            after,
            forces: false,
            line: false,
        });
    }

    fn line(&mut self, depth: u8, mark: Mark, text: &str) {
        let text = Cell::Text(self.secrets.redact(text));
        let (before, after) = match mark {
            Mark::Remove => (text, Cell::Empty),
            _ => (Cell::Empty, text),
        };
        self.push(depth, mark, "", before, after);
        if let Some(row) = self.rows.last_mut() {
            row.line = true;
        }
    }

    fn unchanged(&mut self, depth: u8, count: usize, what: &str) {
        let name = match count {
            0 => return,
            1 => format!("1 unchanged {what}"),
            count => format!("{count} unchanged {what}s"),
        };
        self.push(depth, Mark::Hidden, &name, Cell::Empty, Cell::Empty);
    }

    /// Notes that the row at `index` asks for a replacement, where it does.
    fn mark_forcing(&mut self, index: usize, path: &Path) {
        if self.forces.contains(path)
            && let Some(row) = self.rows.get_mut(index)
        {
            row.forces = true;
        }
    }

    /// The attributes and blocks of an object.
    fn body(&mut self, depth: u8, block: Option<&Block>, sides: (&Value, &Value), path: &Path) {
        let (before, after) = sides;
        let empty = BTreeMap::new();
        let old = before.as_entries().unwrap_or(&empty);
        let new = after.as_entries().unwrap_or(&empty);
        let is_block = |name: &Text| block.is_some_and(|block| block.blocks.contains_key(name));
        let names: BTreeSet<&Text> = old.keys().chain(new.keys()).collect();
        let null = Value::NULL;
        let mut unchanged = 0;
        for name in names.into_iter().filter(|name| !is_block(name)) {
            let old = old.get(name).unwrap_or(&null);
            let new = new.get(name).unwrap_or(&null);
            if old.is_null() && new.is_null() {
                continue;
            }
            if old != new {
                self.diff(depth, name, old, new, &path.attribute(name.clone()));
            } else if depth == 0 && IDENTIFYING.contains(&&**name) {
                self.whole(depth, Mark::Same, name, old);
            } else {
                unchanged += 1;
            }
        }
        self.unchanged(depth, unchanged, "attribute");
        let mut hidden = 0;
        for (name, nested) in block.iter().flat_map(|block| &block.blocks) {
            let old = old.get(name).unwrap_or(&null);
            let new = new.get(name).unwrap_or(&null);
            let path = path.attribute(name.clone());
            hidden += self.blocks(depth, (name, &nested.block), (old, new), &path);
        }
        self.unchanged(depth, hidden, "block");
    }

    /// The blocks of one type; returns how many stay as they are.
    fn blocks(
        &mut self,
        depth: u8,
        (name, block): (&str, &Block),
        (old, new): (&Value, &Value),
        path: &Path,
    ) -> usize {
        let mut hidden = 0;
        for pair in paired(old, new) {
            if pair.before == pair.after {
                hidden += 1;
                continue;
            }
            let path = match &pair.index {
                Some(index) => path.index(index.clone()),
                None => path.clone(),
            };
            let label = match &pair.label {
                Some(label) => format!("{name} {}", quoted(label)),
                None => name.to_owned(),
            };
            let sides = (&pair.before, &pair.after);
            if self.secrets.hides_value(sides.0) || self.secrets.hides_value(sides.1) {
                self.secret(depth, &label, sides, &path);
            } else if !pair.after.is_known() {
                self.diff(depth, &label, sides.0, sides.1, &path);
            } else {
                let head = self.rows.len();
                self.push(depth, mark_of(sides), &label, Cell::Empty, Cell::Empty);
                self.mark_forcing(head, &path);
                self.body(depth.saturating_add(1), Some(block), sides, &path);
            }
        }
        hidden
    }

    fn secret(&mut self, depth: u8, name: &str, sides: (&Value, &Value), path: &Path) {
        let cell = |value: &Value| {
            if value.is_null() {
                Cell::Empty
            } else {
                Cell::Sensitive
            }
        };
        let head = self.rows.len();
        self.push(depth, mark_of(sides), name, cell(sides.0), cell(sides.1));
        self.mark_forcing(head, path);
    }

    /// A value that comes, goes or stays as a whole.
    fn whole(&mut self, depth: u8, mark: Mark, name: &str, value: &Value) {
        let at = |cell: Cell| match mark {
            Mark::Remove => (cell, Cell::Empty),
            _ => (Cell::Empty, cell),
        };
        let (before, after) = at(Cell::Empty);
        let deeper = depth.saturating_add(1);
        if self.secrets.hides_value(value) {
            let (before, after) = at(Cell::Sensitive);
            return self.push(depth, mark, name, before, after);
        }
        if let Some(cell) = self.inline(value, depth) {
            let (before, after) = at(cell);
            return self.push(depth, mark, name, before, after);
        }
        self.push(depth, mark, name, before, after);
        match value.kind() {
            Kind::String(text) => match parse_json(text) {
                Some(json) => self.inside(deeper, mark, &json),
                None => {
                    for line in lines(text) {
                        self.line(deeper, mark, line);
                    }
                }
            },
            _ => self.inside(deeper, mark, value),
        }
    }

    /// What is in a collection or an object.
    fn inside(&mut self, depth: u8, mark: Mark, value: &Value) {
        match value.kind() {
            Kind::List(_, items) | Kind::Tuple(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.whole(depth, mark, &format!("[{index}]"), item);
                }
            }
            Kind::Set(_, items) => {
                for item in items.iter() {
                    self.whole(depth, mark, "", item);
                }
            }
            Kind::Map(_, entries) | Kind::Object(entries) => {
                let is_map = matches!(value.kind(), Kind::Map(..));
                let shown = entries.iter().filter(|(_, item)| is_map || !item.is_null());
                for (name, item) in shown {
                    self.whole(depth, mark, name, item);
                }
            }
            _ => self.whole(depth, mark, "", value),
        }
    }

    /// A value that fits in a cell.
    fn inline(&self, value: &Value, depth: u8) -> Option<Cell> {
        Some(Cell::Text(match value.kind() {
            Kind::Unknown(_) => return Some(Cell::Unknown),
            Kind::Null(_) => "null".to_owned(),
            Kind::Bool(value) => value.to_string(),
            Kind::Number(number) => number.to_string(),
            Kind::String(text) if text.contains('\n') || parse_json(text).is_some() => {
                return None;
            }
            Kind::String(text) => quoted(text),
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) if items.is_empty() => {
                "[]".to_owned()
            }
            Kind::Map(_, entries) | Kind::Object(entries) if entries.is_empty() => "{}".to_owned(),
            _ if depth >= DEEPEST && !value.has_marks_deep(terrace_value::Marks::SENSITIVE) => self
                .secrets
                .redact(&terrace_value::literal::shown(value, 0)),
            _ if depth >= DEEPEST => return Some(Cell::Sensitive),
            _ => return None,
        }))
    }

    /// The difference of two values; nothing is written when there is none.
    fn diff(&mut self, depth: u8, name: &str, before: &Value, after: &Value, path: &Path) {
        if before == after {
            return;
        }
        let head = self.rows.len();
        if self.secrets.hides_value(before) || self.secrets.hides_value(after) {
            return self.secret(depth, name, (before, after), path);
        }
        if before.is_null() {
            self.whole(depth, Mark::Add, name, after);
        } else if after.is_null() {
            self.whole(depth, Mark::Remove, name, before);
        } else {
            match (self.inline(before, depth), self.inline(after, depth)) {
                (Some(old), Some(new)) => self.push(depth, Mark::Change, name, old, new),
                (old, new) => self.diff_inside(depth, name, (before, old), (after, new), path),
            }
        }
        self.mark_forcing(head, path);
    }

    /// The difference of two values of which at least one takes several rows.
    fn diff_inside(
        &mut self,
        depth: u8,
        name: &str,
        (before, old_cell): (&Value, Option<Cell>),
        (after, new_cell): (&Value, Option<Cell>),
        path: &Path,
    ) {
        let deeper = depth.saturating_add(1);
        let one_side = old_cell.is_some() || new_cell.is_some();
        self.push(
            depth,
            Mark::Change,
            name,
            old_cell.clone().unwrap_or(Cell::Empty),
            new_cell.clone().unwrap_or(Cell::Empty),
        );
        match (before.kind(), after.kind()) {
            // What fits in a cell has its place in the row above already.
            _ if one_side => {
                if old_cell.is_none() {
                    self.spread(deeper, Mark::Remove, before);
                }
                if new_cell.is_none() {
                    self.spread(deeper, Mark::Add, after);
                }
            }
            (Kind::String(old), Kind::String(new)) => self.diff_string(deeper, old, new),
            _ => self.same_kind(deeper, before, after, path),
        }
    }

    /// The difference of two strings: of the documents that both hold, or of their lines.
    fn diff_string(&mut self, depth: u8, old: &str, new: &str) {
        let first = self.rows.len();
        match (parse_json(old), parse_json(new)) {
            (Some(old), Some(new)) => {
                let nowhere = Path::root().attribute("\u{0}");
                if old != new {
                    self.same_kind(depth, &old, &new, &nowhere);
                }
            }
            _ => self.diff_text(depth, old, new),
        }
        let is_said = |row: &Row| matches!(row.mark, Mark::Add | Mark::Remove | Mark::Change);
        if !self.rows[first..].iter().any(is_said) {
            self.rows.truncate(first);
            let same = "the same, but for white space";
            self.push(depth, Mark::Hidden, same, Cell::Empty, Cell::Empty);
        }
    }

    /// Everything in a value, a text by its lines.
    fn spread(&mut self, depth: u8, mark: Mark, value: &Value) {
        match value.kind() {
            Kind::String(text) => match parse_json(text) {
                Some(json) => self.inside(depth, mark, &json),
                None => {
                    for line in lines(text) {
                        self.line(depth, mark, line);
                    }
                }
            },
            _ => self.inside(depth, mark, value),
        }
    }

    /// The difference of what is in two collections or objects.
    fn same_kind(&mut self, depth: u8, before: &Value, after: &Value, path: &Path) {
        match (before.kind(), after.kind()) {
            (Kind::Map(_, old) | Kind::Object(old), Kind::Map(_, new) | Kind::Object(new)) => {
                let is_map = matches!(
                    (before.kind(), after.kind()),
                    (Kind::Map(..), Kind::Map(..))
                );
                self.diff_entries(depth, (old, new), path, is_map);
            }
            (Kind::Set(_, old), Kind::Set(_, new)) => self.diff_set(depth, old, new),
            (Kind::List(_, old) | Kind::Tuple(old), Kind::List(_, new) | Kind::Tuple(new)) => {
                self.diff_list(depth, (old, new), path);
            }
            _ => {
                self.spread(depth, Mark::Remove, before);
                self.spread(depth, Mark::Add, after);
            }
        }
    }

    fn diff_entries(
        &mut self,
        depth: u8,
        (old, new): (&BTreeMap<Text, Value>, &BTreeMap<Text, Value>),
        path: &Path,
        is_map: bool,
    ) {
        let names: BTreeSet<&Text> = old.keys().chain(new.keys()).collect();
        let mut unchanged = 0;
        for name in names {
            let path = if is_map {
                path.index(Value::string(name.clone()))
            } else {
                path.attribute(name.clone())
            };
            match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) if old == new => unchanged += 1,
                (Some(old), Some(new)) => self.diff(depth, name, old, new, &path),
                (Some(old), None) => self.whole(depth, Mark::Remove, name, old),
                (None, Some(new)) => self.whole(depth, Mark::Add, name, new),
                (None, None) => {}
            }
        }
        let what = if is_map { "element" } else { "attribute" };
        self.unchanged(depth, unchanged, what);
    }

    fn diff_set(&mut self, depth: u8, old: &[Value], new: &[Value]) {
        let (before, after): (BTreeSet<&Value>, BTreeSet<&Value>) =
            (old.iter().collect(), new.iter().collect());
        for item in old.iter().filter(|item| !after.contains(item)) {
            self.whole(depth, Mark::Remove, "", item);
        }
        for item in new.iter().filter(|item| !before.contains(item)) {
            self.whole(depth, Mark::Add, "", item);
        }
        let unchanged = old.iter().filter(|item| after.contains(item)).count();
        self.unchanged(depth, unchanged, "element");
    }

    fn diff_list(&mut self, depth: u8, (old, new): (&[Value], &[Value]), path: &Path) {
        let mut unchanged = 0;
        for op in capture_diff_slices(Algorithm::Myers, old, new) {
            if let DiffOp::Equal { len, .. } = op {
                unchanged += len;
                continue;
            }
            let (gone, come) = (op.old_range(), op.new_range());
            let pairs = gone.len().min(come.len());
            for offset in 0..pairs {
                let index = come.start + offset;
                let path = path.index(Value::int(i64::try_from(index).unwrap_or(i64::MAX)));
                let (old, new) = (&old[gone.start + offset], &new[index]);
                self.diff(depth, &format!("[{index}]"), old, new, &path);
            }
            for (index, item) in old
                .iter()
                .enumerate()
                .take(gone.end)
                .skip(gone.start + pairs)
            {
                self.whole(depth, Mark::Remove, &format!("[{index}]"), item);
            }
            for (index, item) in new
                .iter()
                .enumerate()
                .take(come.end)
                .skip(come.start + pairs)
            {
                self.whole(depth, Mark::Add, &format!("[{index}]"), item);
            }
        }
        self.unchanged(depth, unchanged, "element");
    }

    fn diff_text(&mut self, depth: u8, old: &str, new: &str) {
        let (old, new): (Vec<&str>, Vec<&str>) = (lines(old).collect(), lines(new).collect());
        let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
        for (place, op) in ops.iter().enumerate() {
            let DiffOp::Equal { old_index, len, .. } = *op else {
                for line in &old[op.old_range()] {
                    self.line(depth, Mark::Remove, line);
                }
                for line in &new[op.new_range()] {
                    self.line(depth, Mark::Add, line);
                }
                continue;
            };
            let same = &old[old_index..old_index + len];
            let lead = if place == 0 { 0 } else { CONTEXT };
            let follow = if place + 1 == ops.len() { 0 } else { CONTEXT };
            if same.len() <= lead + follow + 1 {
                for line in same {
                    self.line(depth, Mark::Same, line);
                }
                continue;
            }
            for line in &same[..lead] {
                self.line(depth, Mark::Same, line);
            }
            self.unchanged(depth, same.len() - lead - follow, "line");
            for line in &same[same.len() - follow..] {
                self.line(depth, Mark::Same, line);
            }
        }
    }
}

fn mark_of((before, after): (&Value, &Value)) -> Mark {
    match (before.is_null(), after.is_null()) {
        (true, _) => Mark::Add,
        (_, true) => Mark::Remove,
        _ => Mark::Change,
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.strip_suffix('\n').unwrap_or(text).split('\n')
}

/// The document that a string holds, where it is a JSON object or array.
fn parse_json(text: &str) -> Option<Value> {
    let trimmed = text.trim();
    let shaped = (trimmed.starts_with('{') && trimmed.ends_with('}'))
        || (trimmed.starts_with('[') && trimmed.ends_with(']'));
    if !shaped {
        return None;
    }
    let value = terrace_value::json::decode_implied(trimmed).ok()?;
    let is_empty = value.as_sequence().is_some_and(<[Value]>::is_empty)
        || value.as_entries().is_some_and(BTreeMap::is_empty);
    (!is_empty).then_some(value)
}

/// Two blocks that belong together.
struct Pair {
    index: Option<Value>,
    label: Option<Text>,
    before: Value,
    after: Value,
}

/// Blocks that belong together: by key, by place, or (in a set) those that are the same.
fn paired(old: &Value, new: &Value) -> Vec<Pair> {
    let null = Value::NULL;
    if let (Kind::Map(_, old), Kind::Map(_, new)) = (old.kind(), new.kind()) {
        let keys: BTreeSet<&Text> = old.keys().chain(new.keys()).collect();
        let pair = |key: &Text| Pair {
            index: Some(Value::string(key.clone())),
            label: Some(key.clone()),
            before: old.get(key).unwrap_or(&null).clone(),
            after: new.get(key).unwrap_or(&null).clone(),
        };
        return keys.into_iter().map(pair).collect();
    }
    if let (Kind::Set(_, old), Kind::Set(_, new)) = (old.kind(), new.kind()) {
        let pair = |before: &Value, after: &Value| Pair {
            index: None,
            label: None,
            before: before.clone(),
            after: after.clone(),
        };
        let gone = old.iter().filter(|item| !new.contains(item));
        let come = new.iter().filter(|item| !old.contains(item));
        let same = old.iter().filter(|item| new.contains(item));
        return gone
            .map(|item| pair(item, &null))
            .chain(come.map(|item| pair(&null, item)))
            .chain(same.map(|item| pair(item, item)))
            .collect();
    }
    let (old, new) = (members(old), members(new));
    let at = |items: &[Value], index: usize| items.get(index).cloned().unwrap_or(Value::NULL);
    (0..old.len().max(new.len()))
        .map(|index| Pair {
            index: i64::try_from(index).ok().map(Value::int),
            label: None,
            before: at(&old, index),
            after: at(&new, index),
        })
        .collect()
}

fn members(value: &Value) -> Vec<Value> {
    match value.kind() {
        Kind::List(_, items) | Kind::Tuple(items) | Kind::Set(_, items) => items.to_vec(),
        Kind::Map(_, entries) => entries.values().cloned().collect(),
        Kind::Null(_) => Vec::new(),
        _ => vec![value.clone()],
    }
}

//! Differences of values, as indented lines with symbols.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use similar::{Algorithm, DiffOp, capture_diff_slices};
use terrace_value::literal::quoted;
use terrace_value::{Kind, Path, Text, Value};

use super::super::style::{Role, Style};
use super::Secrets;

/// What stands before a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symbol {
    None,
    Add,
    Remove,
    Change,
}

impl Symbol {
    pub(crate) fn paint(self, style: Style) -> String {
        match self {
            Self::None => " ".to_owned(),
            Self::Add => style.paint(Role::Add, "+"),
            Self::Remove => style.paint(Role::Remove, "-"),
            Self::Change => style.paint(Role::Change, "~"),
        }
    }
}

/// Writes differences. Lines are collected, so that a caller can see whether there were any.
pub(crate) struct Writer<'a> {
    pub(crate) lines: Vec<String>,
    pub(crate) style: Style,
    pub(crate) secrets: &'a Secrets,
    /// Paths whose change asks for a replacement.
    pub(crate) forces: &'a [Path],
    /// Whether no schema tells the type of what is written: then maps read like objects, and nulls are shown.
    pub(crate) implied: bool,
}

const UNKNOWN: &str = "(known after apply)";
const SENSITIVE: &str = "(sensitive value)";

impl<'a> Writer<'a> {
    pub(crate) fn new(style: Style, secrets: &'a Secrets, forces: &'a [Path]) -> Self {
        Self {
            lines: Vec::new(),
            style,
            secrets,
            forces,
            implied: false,
        }
    }

    /// One line: `level` steps of four columns, the symbol, the text.
    pub(crate) fn line(&mut self, level: usize, symbol: Symbol, text: impl AsRef<str>) {
        let pad = level * 4 + 2;
        let line = format!("{:pad$}{} {}", "", symbol.paint(self.style), text.as_ref());
        self.lines.push(line.trim_end().to_owned());
    }

    /// A faint note on a line of its own.
    pub(crate) fn note(&mut self, level: usize, text: &str) {
        let text = self.style.paint(Role::Faint, text);
        self.line(level, Symbol::None, text);
    }

    fn suffix(&self, path: &Path) -> String {
        if self.forces.contains(path) {
            format!(
                " {}",
                self.style.paint(Role::Remove, "# forces replacement")
            )
        } else {
            String::new()
        }
    }

    /// A whole value behind `head` (`name = `), with `tail` after its last line (`,`, ` -> null`).
    pub(crate) fn whole(
        &mut self,
        level: usize,
        symbol: Symbol,
        head: &str,
        value: &Value,
        tail: &str,
    ) {
        if self.secrets.hides_value(value) {
            return self.line(level, symbol, format!("{head}{SENSITIVE}{tail}"));
        }
        match value.kind() {
            Kind::Unknown(_) => self.line(level, symbol, format!("{head}{UNKNOWN}{tail}")),
            Kind::Null(_) => self.line(level, symbol, format!("{head}null{tail}")),
            Kind::Bool(value) => self.line(level, symbol, format!("{head}{value}{tail}")),
            Kind::Number(number) => self.line(level, symbol, format!("{head}{number}{tail}")),
            Kind::String(text) => self.whole_string(level, symbol, head, text, tail),
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
                if items.is_empty() {
                    return self.line(level, symbol, format!("{head}[]{tail}"));
                }
                self.line(level, symbol, format!("{head}["));
                for item in items.iter() {
                    self.whole(level + 1, symbol, "", item, ",");
                }
                self.line(level, Symbol::None, format!("]{tail}"));
            }
            Kind::Map(_, entries) | Kind::Object(entries) => {
                let is_map = matches!(value.kind(), Kind::Map(..));
                let shown: Vec<(&Text, &Value)> = entries
                    .iter()
                    .filter(|(_, item)| is_map || self.implied || !item.is_null())
                    .collect();
                if shown.is_empty() {
                    return self.line(level, symbol, format!("{head}{{}}{tail}"));
                }
                self.line(level, symbol, format!("{head}{{"));
                let names: Vec<String> = shown
                    .iter()
                    .map(|(name, _)| key_text(name, is_map && !self.implied))
                    .collect();
                let width = widest(&names);
                for ((_, item), name) in shown.iter().zip(&names) {
                    self.whole(level + 1, symbol, &format!("{name:width$} = "), item, "");
                }
                self.line(level, Symbol::None, format!("}}{tail}"));
            }
        }
    }

    fn whole_string(&mut self, level: usize, symbol: Symbol, head: &str, text: &str, tail: &str) {
        if let Some(json) = parse_json(text) {
            self.line(level, symbol, format!("{head}jsonencode("));
            let inner = if symbol == Symbol::Add || symbol == Symbol::Remove {
                symbol
            } else {
                Symbol::None
            };
            self.json_value(level + 1, inner, &json);
            return self.line(level, Symbol::None, format!("){tail}"));
        }
        if text.contains('\n') {
            self.line(level, symbol, format!("{head}<<-EOT"));
            for line in text.trim_end_matches('\n').split('\n') {
                self.line(level + 1, Symbol::None, harmless(line));
            }
            return self.line(level, Symbol::None, format!("EOT{tail}"));
        }
        self.line(level, symbol, format!("{head}{}{tail}", quoted(text)));
    }

    /// A JSON document's outer brackets stand without a symbol, its content with one.
    fn json_value(&mut self, level: usize, symbol: Symbol, value: &Value) {
        let first = self.lines.len();
        let implied = std::mem::replace(&mut self.implied, true);
        self.whole(level, symbol, "", value, "");
        self.implied = implied;
        let several = self.lines.len() > first + 1;
        if symbol != Symbol::None && several {
            self.replace_symbol(first, level, Symbol::None);
        }
    }

    /// Gives a line that was written another symbol.
    fn replace_symbol(&mut self, index: usize, level: usize, symbol: Symbol) {
        let pad = level * 4 + 2;
        if let Some(line) = self.lines.get_mut(index) {
            let text = line
                .trim_start()
                .split_once(' ')
                .map_or("", |(_, text)| text)
                .to_owned();
            *line = format!("{:pad$}{} {text}", "", symbol.paint(self.style));
        }
    }

    /// The difference of two values behind `head`; nothing is written when there is none.
    pub(crate) fn diff(
        &mut self,
        level: usize,
        head: &str,
        before: &Value,
        after: &Value,
        path: &Path,
        tail: &str,
    ) {
        if before == after {
            return;
        }
        let suffix = format!("{tail}{}", self.suffix(path));
        if self.secrets.hides_value(before) || self.secrets.hides_value(after) {
            let symbol = symbol_of(before, after);
            return self.line(level, symbol, format!("{head}{SENSITIVE}{suffix}"));
        }
        if before.is_null() {
            return self.whole(level, Symbol::Add, head, after, &suffix);
        }
        if after.is_null() {
            return self.whole(
                level,
                Symbol::Remove,
                head,
                before,
                &format!(" -> null{suffix}"),
            );
        }
        if !after.is_known() {
            return self.becomes_unknown(level, head, before, &suffix);
        }
        match (before.kind(), after.kind()) {
            (Kind::String(old), Kind::String(new)) => {
                self.diff_string(level, head, old, new, &suffix);
            }
            (Kind::Map(_, old), Kind::Map(_, new)) => {
                self.diff_entries(level, head, (old, new), path, (&suffix, true));
            }
            (Kind::Object(old) | Kind::Map(_, old), Kind::Object(new) | Kind::Map(_, new)) => {
                self.diff_entries(level, head, (old, new), path, (&suffix, false));
            }
            (Kind::Set(_, old), Kind::Set(_, new)) => self.diff_set(level, head, old, new, &suffix),
            (Kind::List(_, old) | Kind::Tuple(old), Kind::List(_, new) | Kind::Tuple(new)) => {
                self.diff_list(level, head, (old, new), path, &suffix);
            }
            _ => self.diff_other(level, head, before, after, &suffix),
        }
    }

    fn diff_other(
        &mut self,
        level: usize,
        head: &str,
        before: &Value,
        after: &Value,
        suffix: &str,
    ) {
        match (inline(before), inline(after)) {
            (Some(old), Some(new)) => self.line(
                level,
                Symbol::Change,
                format!("{head}{old} -> {new}{suffix}"),
            ),
            (Some(old), None) => {
                let first = self.lines.len();
                let head = format!("{head}{old} -> ");
                self.whole(level, Symbol::Add, &head, after, suffix);
                // The attribute changes; what is in it comes.
                self.replace_symbol(first, level, Symbol::Change);
            }
            (None, Some(new)) => {
                let first = self.lines.len();
                self.whole(
                    level,
                    Symbol::Remove,
                    head,
                    before,
                    &format!(" -> {new}{suffix}"),
                );
                self.replace_symbol(first, level, Symbol::Change);
            }
            (None, None) => {
                self.whole(level, Symbol::Remove, head, before, "");
                self.whole(level, Symbol::Add, head, after, suffix);
            }
        }
    }

    fn becomes_unknown(&mut self, level: usize, head: &str, before: &Value, suffix: &str) {
        let tail = format!(" -> {UNKNOWN}{suffix}");
        if let Some(text) = inline(before) {
            return self.line(level, Symbol::Change, format!("{head}{text}{tail}"));
        }
        let first = self.lines.len();
        self.whole(level, Symbol::Remove, head, before, &tail);
        // The attribute changes; what was in it goes.
        self.replace_symbol(first, level, Symbol::Change);
    }

    fn diff_string(&mut self, level: usize, head: &str, old: &str, new: &str, suffix: &str) {
        if let (Some(old), Some(new)) = (parse_json(old), parse_json(new)) {
            if old == new {
                return self.line(
                    level,
                    Symbol::Change,
                    format!("{head}(the same JSON, written otherwise){suffix}"),
                );
            }
            self.line(level, Symbol::Change, format!("{head}jsonencode("));
            let implied = std::mem::replace(&mut self.implied, true);
            let nowhere = Path::root().attribute("\u{0}");
            self.diff(level + 1, "", &old, &new, &nowhere, "");
            self.implied = implied;
            return self.line(level, Symbol::None, format!("){suffix}"));
        }
        let same_lines = old.trim_end_matches('\n') == new.trim_end_matches('\n');
        if same_lines || (!old.contains('\n') && !new.contains('\n')) {
            return self.line(
                level,
                Symbol::Change,
                format!("{head}{} -> {}{suffix}", quoted(old), quoted(new)),
            );
        }
        self.line(level, Symbol::Change, format!("{head}<<-EOT"));
        let old: Vec<&str> = old.trim_end_matches('\n').split('\n').collect();
        let new: Vec<&str> = new.trim_end_matches('\n').split('\n').collect();
        let ops = capture_diff_slices(Algorithm::Myers, &old, &new);
        for (index, op) in ops.iter().enumerate() {
            match *op {
                DiffOp::Equal { old_index, len, .. } => {
                    let edges = (index == 0, index + 1 == ops.len());
                    self.unchanged_lines(level + 1, &old[old_index..old_index + len], edges);
                }
                _ => {
                    for line in &old[op.old_range()] {
                        self.line(level + 1, Symbol::Remove, harmless(line));
                    }
                    for line in &new[op.new_range()] {
                        self.line(level + 1, Symbol::Add, harmless(line));
                    }
                }
            }
        }
        self.line(level, Symbol::None, format!("EOT{suffix}"));
    }

    /// Lines that stay: all of a few, otherwise those next to a change.
    fn unchanged_lines(&mut self, level: usize, lines: &[&str], (first, last): (bool, bool)) {
        const CONTEXT: usize = 3;
        let before = if first { 0 } else { CONTEXT };
        let after = if last { 0 } else { CONTEXT };
        if lines.len() <= before + after + 1 {
            for line in lines {
                self.line(level, Symbol::None, harmless(line));
            }
            return;
        }
        for line in &lines[..before] {
            self.line(level, Symbol::None, harmless(line));
        }
        self.note(
            level,
            &format!(
                "# ({} unchanged lines hidden)",
                lines.len() - before - after
            ),
        );
        for line in &lines[lines.len() - after..] {
            self.line(level, Symbol::None, harmless(line));
        }
    }

    fn diff_entries(
        &mut self,
        level: usize,
        head: &str,
        (old, new): (&BTreeMap<Text, Value>, &BTreeMap<Text, Value>),
        path: &Path,
        (suffix, is_map): (&str, bool),
    ) {
        self.line(level, Symbol::Change, format!("{head}{{"));
        let names: BTreeSet<&Text> = old.keys().chain(new.keys()).collect();
        let changed: Vec<&Text> = names
            .iter()
            .copied()
            .filter(|name| old.get(*name) != new.get(*name))
            .collect();
        let keys: Vec<String> = changed
            .iter()
            .map(|name| key_text(name, is_map && !self.implied))
            .collect();
        let width = widest(&keys);
        for (name, key) in changed.iter().zip(&keys) {
            let head = format!("{key:width$} = ");
            let path = if is_map {
                path.index(Value::string((*name).clone()))
            } else {
                path.attribute((*name).clone())
            };
            match (old.get(*name), new.get(*name)) {
                (None, Some(new)) => self.whole(level + 1, Symbol::Add, &head, new, ""),
                (Some(old), None) => {
                    let tail = if is_map { " -> null" } else { "" };
                    self.whole(level + 1, Symbol::Remove, &head, old, tail);
                }
                (Some(old), Some(new)) => self.diff(level + 1, &head, old, new, &path, ""),
                (None, None) => {}
            }
        }
        let unchanged = names.len() - changed.len();
        self.unchanged(
            level + 1,
            unchanged,
            if is_map { "element" } else { "attribute" },
        );
        self.line(level, Symbol::None, format!("}}{suffix}"));
    }

    /// How many are not shown.
    pub(crate) fn unchanged(&mut self, level: usize, count: usize, what: &str) {
        match count {
            0 => {}
            1 => self.note(level, &format!("# (1 unchanged {what} hidden)")),
            count => self.note(level, &format!("# ({count} unchanged {what}s hidden)")),
        }
    }

    fn diff_set(&mut self, level: usize, head: &str, old: &[Value], new: &[Value], suffix: &str) {
        self.line(level, Symbol::Change, format!("{head}["));
        let (before, after): (BTreeSet<&Value>, BTreeSet<&Value>) =
            (old.iter().collect(), new.iter().collect());
        for item in old.iter().filter(|item| !after.contains(item)) {
            self.whole(level + 1, Symbol::Remove, "", item, ",");
        }
        for item in new.iter().filter(|item| !before.contains(item)) {
            self.whole(level + 1, Symbol::Add, "", item, ",");
        }
        let unchanged = old.iter().filter(|item| after.contains(item)).count();
        self.unchanged(level + 1, unchanged, "element");
        self.line(level, Symbol::None, format!("]{suffix}"));
    }

    fn diff_list(
        &mut self,
        level: usize,
        head: &str,
        (old, new): (&[Value], &[Value]),
        path: &Path,
        suffix: &str,
    ) {
        self.line(level, Symbol::Change, format!("{head}["));
        let ops = capture_diff_slices(Algorithm::Myers, old, new);
        for (place, op) in ops.iter().enumerate() {
            match *op {
                DiffOp::Equal { old_index, len, .. } => {
                    let items = &old[old_index..old_index + len];
                    // One element on each side is enough to see where one is.
                    let lead = usize::from(place > 0);
                    let follow = usize::from(place + 1 < ops.len());
                    let hidden = len.saturating_sub(lead + follow);
                    if lead == 1 {
                        self.whole(level + 1, Symbol::None, "", &items[0], ",");
                    }
                    self.unchanged(level + 1, hidden, "element");
                    if follow == 1 && len > lead {
                        self.whole(level + 1, Symbol::None, "", &items[len - 1], ",");
                    }
                }
                _ => self.replaced_elements(level + 1, op, old, new, path),
            }
        }
        self.line(level, Symbol::None, format!("]{suffix}"));
    }

    fn replaced_elements(
        &mut self,
        level: usize,
        op: &DiffOp,
        old: &[Value],
        new: &[Value],
        path: &Path,
    ) {
        let (gone, come) = (op.old_range(), op.new_range());
        let pairs = gone.len().min(come.len());
        for offset in 0..pairs {
            let index = i64::try_from(come.start + offset).unwrap_or(i64::MAX);
            let path = path.index(Value::int(index));
            self.diff(
                level,
                "",
                &old[gone.start + offset],
                &new[come.start + offset],
                &path,
                ",",
            );
        }
        for item in &old[gone.start + pairs..gone.end] {
            self.whole(level, Symbol::Remove, "", item, ",");
        }
        for item in &new[come.start + pairs..come.end] {
            self.whole(level, Symbol::Add, "", item, ",");
        }
    }
}

fn symbol_of(before: &Value, after: &Value) -> Symbol {
    if before.is_null() {
        Symbol::Add
    } else if after.is_null() {
        Symbol::Remove
    } else {
        Symbol::Change
    }
}

/// A value that fits in a line.
fn inline(value: &Value) -> Option<String> {
    match value.kind() {
        Kind::Null(_) => Some("null".to_owned()),
        Kind::Unknown(_) => Some(UNKNOWN.to_owned()),
        Kind::Bool(value) => Some(value.to_string()),
        Kind::Number(number) => Some(number.to_string()),
        Kind::String(text) if !text.contains('\n') && parse_json(text).is_none() => {
            Some(quoted(text))
        }
        Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) if items.is_empty() => {
            Some("[]".to_owned())
        }
        Kind::Map(_, entries) | Kind::Object(entries) if entries.is_empty() => {
            Some("{}".to_owned())
        }
        _ => None,
    }
}

/// The document that a string holds, where it is a JSON object or array.
fn parse_json(text: &str) -> Option<Value> {
    let trimmed = text.trim();
    let shaped = (trimmed.starts_with('{') && trimmed.ends_with('}'))
        || (trimmed.starts_with('[') && trimmed.ends_with(']'));
    if !shaped {
        return None;
    }
    terrace_value::json::decode_implied(trimmed).ok()
}

/// A line of a text, in which nothing can steer a terminal.
pub(crate) fn harmless(line: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && c != '\t';
    if !line.contains(steers) {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len() + 8);
    for c in line.chars() {
        if steers(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn key_text(name: &str, is_map: bool) -> String {
    let mut chars = name.chars();
    let plain = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if plain && !is_map {
        name.to_owned()
    } else {
        quoted(name)
    }
}

pub(crate) fn widest(names: &[String]) -> usize {
    names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
}

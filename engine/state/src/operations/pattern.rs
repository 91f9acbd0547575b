//! Addresses with wildcards: what `state mv`, `rm`, `list` and `replace-provider` take where one address is not enough.
//!
//! - `*` in a name stands for any characters of that name: `aws_*.web`, `module.eu_*.aws_vpc.main`.
//! - `[*]` stands for any instance key.
//! - `**` stands for any number of modules, none included; at the end it stands for everything below.
//! - A lone `*` at the end stands for any resource of that module: `module.a.*`.
//! - A resource without brackets stands for all its instances, which keep their keys; so does a module.
//!
//! What wildcards stood for fills those of the destination, kind by kind, in order. `{1}` in the destination stands for
//! what the first wildcard of the source stood for, wherever it is written, so that a part of a name becomes a key.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use terrace_addr::{
    AbsResource, AbsResourceInstance, InstanceKey, ModuleInstance, ModuleStep, Name, Resource,
    ResourceMode, Target,
};

use super::{OperationError, refuse};

/// What a command names: one address as other commands have them, or many by a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// An address, with what it contains.
    Target(Target),
    /// An address with wildcards.
    Pattern(Pattern),
}

/// An address with wildcards. See the module for what they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    steps: Vec<Step>,
    end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// `**`
    Any,
    Module(Glob, Key),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// Everything below: `**`, or a module's address.
    All,
    /// A lone `*`, of one mode where that is named.
    Any(Option<ResourceMode>),
    Resource {
        mode: ResourceMode,
        type_name: Glob,
        name: Glob,
        key: Key,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    /// No brackets: whatever key there is stays.
    Open,
    /// `[*]`
    Any,
    Is(InstanceKey),
    /// `[{1}]`: the key that a wildcard stood for.
    Taken(usize),
    /// `["a-{1}"]`
    Filled(Glob),
}

/// A name with wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Glob(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Star,
    /// `{1}`
    Taken(usize),
}

/// What a wildcard stood for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Capture {
    Name(String),
    Key(Option<InstanceKey>),
    Modules(Vec<ModuleStep>),
    /// The end: modules, the resource, its key.
    Rest(Below),
    Resource(Arc<Resource>, Option<InstanceKey>),
}

/// What lies below a module: modules, the resource, its key.
type Below = (Vec<ModuleStep>, Arc<Resource>, Option<InstanceKey>);

/// How an instance fits a pattern.
#[derive(Clone, Debug, Default)]
pub(super) struct Captures {
    /// What the wildcards stood for, as they are written.
    written: Vec<Capture>,
    /// Keys of modules that are written without brackets.
    modules: Vec<Option<InstanceKey>>,
    /// The key of a resource that is written without brackets.
    key: Option<InstanceKey>,
    /// What lies below a module whose address is the whole pattern.
    below: Option<Below>,
}

impl Selector {
    /// Whether an instance is meant.
    pub fn contains(&self, address: &AbsResourceInstance) -> bool {
        match self {
            Self::Target(target) => target.contains(address),
            Self::Pattern(pattern) => pattern.captures(address).is_some(),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(target) => write!(f, "{target}"),
            Self::Pattern(pattern) => f.write_str(&pattern.text),
        }
    }
}

impl FromStr for Selector {
    type Err = OperationError;

    fn from_str(text: &str) -> Result<Self, OperationError> {
        if is_pattern(text) {
            return text.parse().map(Self::Pattern);
        }
        text.parse()
            .map(Self::Target)
            .map_err(|error: terrace_addr::ParseError| refuse("Invalid address", error.to_string()))
    }
}

/// Whether a text has a wildcard or what a wildcard stood for: outside of quotes, or `{1}` within.
fn is_pattern(text: &str) -> bool {
    let mut quoted = false;
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '*' if !quoted => return true,
            '{' if taken(&text[index..]).is_some() && !doubled(&text[..index]) => return true,
            _ => {}
        }
    }
    false
}

/// Whether what follows is a `{` that an address would write after `$` or `%`.
fn doubled(before: &str) -> bool {
    before.ends_with(['$', '%'])
}

/// Reads `{3}` at the beginning of a text: the number and how long it is.
fn taken(text: &str) -> Option<(usize, usize)> {
    let digits = text.strip_prefix('{')?.split_once('}')?.0;
    let number = digits.parse().ok().filter(|number| *number > 0)?;
    Some((number, digits.len() + 2))
}

impl Glob {
    fn parse(text: &str, is_name: bool) -> Option<Self> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let part = match c {
                '*' if is_name => Some((Part::Star, 1)),
                '{' => taken(rest).map(|(number, length)| (Part::Taken(number), length)),
                _ => None,
            };
            if matches!(
                (&part, parts.last()),
                (Some((Part::Star, _)), Some(Part::Star))
            ) && plain.is_empty()
            {
                return None;
            }
            let Some((part, length)) = part else {
                if is_name && !(c.is_alphanumeric() || c == '_' || c == '-') {
                    return None;
                }
                plain.push(c);
                rest = &rest[c.len_utf8()..];
                continue;
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(part);
            rest = &rest[length..];
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// What the stars stand for where `name` fits. The first star takes as little as it can.
    fn captures(&self, name: &str) -> Option<Vec<Capture>> {
        fn fits(parts: &[Part], name: &str, found: &mut Vec<Capture>) -> bool {
            match parts.split_first() {
                None => name.is_empty(),
                Some((Part::Text(text), rest)) => name
                    .strip_prefix(text.as_str())
                    .is_some_and(|name| fits(rest, name, found)),
                Some((Part::Taken(_), _)) => false,
                Some((Part::Star, rest)) => {
                    let ends = name.char_indices().map(|(index, _)| index);
                    for end in ends.chain([name.len()]) {
                        found.push(Capture::Name(name[..end].to_owned()));
                        let kept = found.len();
                        if fits(rest, &name[end..], found) {
                            return true;
                        }
                        found.truncate(kept - 1);
                    }
                    false
                }
            }
        }
        let mut found = Vec::new();
        fits(&self.0, name, &mut found).then_some(found)
    }
}

impl Key {
    /// Reads what is within brackets; `None` where there are none.
    fn parse(text: Option<&str>) -> Option<Self> {
        let Some(text) = text else {
            return Some(Self::Open);
        };
        if text == "*" {
            return Some(Self::Any);
        }
        if let Some((number, length)) = taken(text)
            && length == text.len()
        {
            return Some(Self::Taken(number));
        }
        let key = format!("t.n[{text}]")
            .parse::<AbsResourceInstance>()
            .ok()?
            .key?;
        let InstanceKey::String(plain) = &key else {
            return Some(Self::Is(key));
        };
        let glob = Glob::parse(plain, false);
        let fills = glob.filter(|glob| glob.0.iter().any(|part| matches!(part, Part::Taken(_))));
        Some(fills.map_or_else(|| Self::Is(key.clone()), Self::Filled))
    }
}

/// A text cut at its dots, each piece with what its brackets hold.
fn segments(text: &str) -> Option<Vec<(&str, Option<&str>)>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let name = &rest[..end];
        rest = &rest[end..];
        let mut key = None;
        if let Some(inner) = rest.strip_prefix('[') {
            let mut quoted = false;
            let mut escaped = false;
            let close = inner.char_indices().find_map(|(index, c)| {
                match c {
                    _ if escaped => escaped = false,
                    '\\' if quoted => escaped = true,
                    '"' => quoted = !quoted,
                    ']' if !quoted => return Some(index),
                    _ => {}
                }
                None
            })?;
            key = Some(&inner[..close]);
            rest = &inner[close + 1..];
        }
        pieces.push((name, key));
        if rest.is_empty() {
            return Some(pieces);
        }
        rest = rest.strip_prefix('.')?;
    }
}

impl FromStr for Pattern {
    type Err = OperationError;

    fn from_str(text: &str) -> Result<Self, OperationError> {
        Self::parse(text).ok_or_else(|| {
            refuse(
                "Invalid address pattern",
                format!(
                    "{text:?} is no address with wildcards. `*` stands for a part of a name or, in brackets, for a key; `**` for any modules; a lone `*` at the end for any resource, as in \"module.a.*\", \"aws_instance.web[*]\" or \"**.aws_s3_bucket.logs\"."
                ),
            )
        })
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let pieces = segments(text)?;
        let mut pieces: VecDeque<(&str, Option<&str>)> = pieces.into();
        let mut steps = Vec::new();
        let end = loop {
            let (name, key) = pieces.pop_front()?;
            let is_last = pieces.is_empty();
            match (name, key) {
                ("**", None) if is_last => break End::All,
                ("**", None) => steps.push(Step::Any),
                ("module", None) => {
                    let (name, key) = pieces.pop_front()?;
                    steps.push(Step::Module(Glob::parse(name, true)?, Key::parse(key)?));
                    if pieces.is_empty() {
                        break End::All;
                    }
                }
                ("*", None) if is_last => break End::Any(None),
                ("data", None) => break Self::resource(ResourceMode::Data, &mut pieces)?,
                _ => {
                    pieces.push_front((name, key));
                    break Self::resource(ResourceMode::Managed, &mut pieces)?;
                }
            }
        };
        pieces.is_empty().then(|| Self {
            text: text.to_owned(),
            steps,
            end,
        })
    }

    fn resource(mode: ResourceMode, pieces: &mut VecDeque<(&str, Option<&str>)>) -> Option<End> {
        let (type_name, none) = pieces.pop_front()?;
        if none.is_some() {
            return None;
        }
        if type_name == "*" && pieces.is_empty() {
            return Some(End::Any(Some(mode)));
        }
        let (name, key) = pieces.pop_front()?;
        Some(End::Resource {
            mode,
            type_name: Glob::parse(type_name, true)?,
            name: Glob::parse(name, true)?,
            key: Key::parse(key)?,
        })
    }

    /// The numbers of the wildcards that are written by their number.
    fn numbered(&self) -> BTreeSet<usize> {
        let mut numbers = BTreeSet::new();
        let mut of_glob = |glob: &Glob| {
            numbers.extend(glob.0.iter().filter_map(|part| match part {
                Part::Taken(number) => Some(*number),
                _ => None,
            }));
        };
        let mut keys = Vec::new();
        for step in &self.steps {
            if let Step::Module(name, key) = step {
                of_glob(name);
                keys.push(key);
            }
        }
        if let End::Resource {
            type_name,
            name,
            key,
            ..
        } = &self.end
        {
            of_glob(type_name);
            of_glob(name);
            keys.push(key);
        }
        for key in &keys {
            if let Key::Filled(glob) = key {
                of_glob(glob);
            }
        }
        numbers.extend(keys.into_iter().filter_map(|key| match key {
            Key::Taken(number) => Some(*number),
            _ => None,
        }));
        numbers
    }

    /// How an instance fits; `None` where it does not.
    pub(super) fn captures(&self, address: &AbsResourceInstance) -> Option<Captures> {
        let mut captures = Captures::default();
        self.fits(
            &self.steps,
            address.module().steps(),
            address,
            &mut captures,
        )
        .then_some(captures)
    }

    fn fits(
        &self,
        steps: &[Step],
        modules: &[ModuleStep],
        address: &AbsResourceInstance,
        captures: &mut Captures,
    ) -> bool {
        match steps.split_first() {
            None => self.fits_end(modules, address, captures),
            Some((Step::Any, rest)) => (0..=modules.len()).any(|count| {
                let before = captures.clone();
                captures
                    .written
                    .push(Capture::Modules(modules[..count].to_vec()));
                let fits = self.fits(rest, &modules[count..], address, captures);
                if !fits {
                    *captures = before;
                }
                fits
            }),
            Some((Step::Module(name, key), rest)) => {
                let Some((module, modules)) = modules.split_first() else {
                    return false;
                };
                let Some(found) = name.captures(&module.name) else {
                    return false;
                };
                captures.written.extend(found);
                match key {
                    Key::Open => captures.modules.push(module.key.clone()),
                    Key::Any if module.key.is_some() => {
                        captures.written.push(Capture::Key(module.key.clone()));
                    }
                    Key::Is(key) if module.key.as_ref() == Some(key) => {}
                    _ => return false,
                }
                self.fits(rest, modules, address, captures)
            }
        }
    }

    fn fits_end(
        &self,
        modules: &[ModuleStep],
        address: &AbsResourceInstance,
        captures: &mut Captures,
    ) -> bool {
        let resource = &address.resource.resource;
        match &self.end {
            End::All => {
                let rest = (modules.to_vec(), resource.clone(), address.key.clone());
                if matches!(self.steps.last(), Some(Step::Module(..))) && !self.text.ends_with("**")
                {
                    captures.below = Some(rest);
                } else {
                    captures.written.push(Capture::Rest(rest));
                }
                true
            }
            End::Any(mode) => {
                let fits = modules.is_empty() && mode.is_none_or(|mode| mode == resource.mode);
                if fits {
                    let key = address.key.clone();
                    captures
                        .written
                        .push(Capture::Resource(resource.clone(), key));
                }
                fits
            }
            End::Resource {
                mode,
                type_name,
                name,
                key,
            } => {
                if !modules.is_empty() || *mode != resource.mode {
                    return false;
                }
                let (Some(types), Some(names)) = (
                    type_name.captures(&resource.type_name),
                    name.captures(&resource.name),
                ) else {
                    return false;
                };
                captures.written.extend(types);
                captures.written.extend(names);
                match key {
                    Key::Open => captures.key.clone_from(&address.key),
                    Key::Any if address.key.is_some() => {
                        captures.written.push(Capture::Key(address.key.clone()));
                    }
                    Key::Is(key) if address.key.as_ref() == Some(key) => {}
                    _ => return false,
                }
                true
            }
        }
    }
}

/// A destination that is being filled with what a source's wildcards stood for.
struct Filling<'a> {
    all: &'a [Capture],
    names: VecDeque<&'a str>,
    keys: VecDeque<Option<InstanceKey>>,
    modules: VecDeque<&'a [ModuleStep]>,
    ends: VecDeque<&'a Capture>,
    open_modules: VecDeque<Option<InstanceKey>>,
}

impl<'a> Filling<'a> {
    /// What is taken by its number stands for nothing else.
    fn new(captures: &'a Captures, numbered: &BTreeSet<usize>) -> Self {
        let mut filling = Self {
            all: &captures.written,
            names: VecDeque::new(),
            keys: VecDeque::new(),
            modules: VecDeque::new(),
            ends: VecDeque::new(),
            open_modules: captures.modules.iter().cloned().collect(),
        };
        for (index, capture) in captures.written.iter().enumerate() {
            if numbered.contains(&(index + 1)) {
                continue;
            }
            match capture {
                Capture::Name(name) => filling.names.push_back(name),
                Capture::Key(key) => filling.keys.push_back(key.clone()),
                Capture::Modules(steps) => filling.modules.push_back(steps),
                end => filling.ends.push_back(end),
            }
        }
        filling
    }

    fn numbered(&self, number: usize) -> Result<&'a Capture, String> {
        self.all
            .get(number - 1)
            .ok_or_else(|| format!("the source has no wildcard number {number}"))
    }

    fn text(&mut self, glob: &Glob) -> Result<String, String> {
        let mut text = String::new();
        for part in &glob.0 {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Star => {
                    text.push_str(self.names.pop_front().ok_or(
                        "the destination has a `*` in a name for which the source has none",
                    )?);
                }
                Part::Taken(number) => match self.numbered(*number)? {
                    Capture::Name(name) => text.push_str(name),
                    Capture::Key(Some(InstanceKey::String(key))) => text.push_str(key),
                    Capture::Key(Some(InstanceKey::Int(index))) => {
                        text.push_str(&index.to_string());
                    }
                    _ => return Err(format!("{{{number}}} stands for more than a name or a key")),
                },
            }
        }
        Ok(text)
    }

    fn name(&mut self, glob: &Glob) -> Result<Name, String> {
        let text = self.text(glob)?;
        let mut chars = text.chars();
        let begins = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
        if begins && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            Ok(text.into())
        } else {
            Err(format!("{text:?} would be no valid name"))
        }
    }

    fn key(&mut self, key: &Key, open: Option<InstanceKey>) -> Result<Option<InstanceKey>, String> {
        match (key, open) {
            (Key::Open, kept) => Ok(kept),
            (_, Some(kept)) => Err(format!(
                "it has the key {kept}, and the destination has another; write [*] where keys are meant"
            )),
            (Key::Is(key), _) => Ok(Some(key.clone())),
            (Key::Any, _) => self
                .keys
                .pop_front()
                .ok_or_else(|| "the destination has a `[*]` for which the source has none".into()),
            (Key::Taken(number), _) => match self.numbered(*number)? {
                Capture::Key(key) => Ok(key.clone()),
                Capture::Name(name) => Ok(Some(InstanceKey::String(name.as_str().into()))),
                _ => Err(format!("{{{number}}} stands for more than a name or a key")),
            },
            (Key::Filled(glob), _) => {
                let text = self.text(glob)?;
                Ok(Some(InstanceKey::String(text.into())))
            }
        }
    }
}

impl Pattern {
    /// The address that takes the place of the one that `captures` were found in. As a destination, this pattern's
    /// wildcards stand for what the source's did.
    pub(super) fn filled(&self, captures: &Captures) -> Result<AbsResourceInstance, String> {
        let mut filling = Filling::new(captures, &self.numbered());
        let mut modules: Vec<ModuleStep> = Vec::new();
        let written_open = self
            .steps
            .iter()
            .filter(|step| matches!(step, Step::Module(_, Key::Open)))
            .count();
        let keeps_modules = written_open == filling.open_modules.len();
        if !keeps_modules && filling.open_modules.iter().any(Option::is_some) {
            return Err("it lies in a module with a key, for which the destination has no place; write [*] where keys are meant".into());
        }
        for step in &self.steps {
            match step {
                Step::Any => {
                    let steps = filling
                        .modules
                        .pop_front()
                        .ok_or("the destination has a `**` for which the source has none")?;
                    modules.extend_from_slice(steps);
                }
                Step::Module(name, key) => {
                    let open = match key {
                        Key::Open if keeps_modules => filling.open_modules.pop_front().flatten(),
                        _ => None,
                    };
                    let name = filling.name(name)?;
                    let key = filling.key(key, open)?;
                    modules.push(ModuleStep { name, key });
                }
            }
        }
        let (below, resource, key) = self.filled_end(captures, &mut filling)?;
        modules.extend(below);
        let module: ModuleInstance = modules.into_iter().collect();
        Ok(AbsResource { module, resource }.instance(key))
    }

    fn filled_end(&self, captures: &Captures, filling: &mut Filling<'_>) -> Result<Below, String> {
        match &self.end {
            End::All => match (&captures.below, filling.ends.pop_front()) {
                (Some(below), _) | (None, Some(Capture::Rest(below))) => Ok(below.clone()),
                (None, Some(Capture::Resource(resource, key))) => {
                    Ok((Vec::new(), resource.clone(), key.clone()))
                }
                _ => Err("the source is a resource, so the target must also be a resource".into()),
            },
            End::Any(mode) => match filling.ends.pop_front() {
                Some(Capture::Resource(resource, key))
                    if mode.is_none_or(|mode| mode == resource.mode) =>
                {
                    Ok((Vec::new(), resource.clone(), key.clone()))
                }
                _ => Err("the destination ends with `*`, and the source does not".into()),
            },
            End::Resource {
                mode,
                type_name,
                name,
                key,
            } => {
                if captures.below.is_some() {
                    return Err("the target must also be a module".into());
                }
                let resource = Resource {
                    mode: *mode,
                    type_name: filling.name(type_name)?,
                    name: filling.name(name)?,
                };
                let key = filling.key(key, captures.key.clone())?;
                Ok((Vec::new(), Arc::new(resource), key))
            }
        }
    }

    /// The same for a destination without wildcards.
    pub(super) fn of_target(target: &Target) -> Self {
        let text = target.to_string();
        Self::parse(&text).unwrap_or_else(|| {
            let step = |step: &ModuleStep| {
                Step::Module(
                    Glob(vec![Part::Text(step.name.to_string())]),
                    step.key.clone().map_or(Key::Open, Key::Is),
                )
            };
            let (module, end) = match target {
                Target::Module(module) => (module, End::All),
                Target::Resource(resource) => {
                    (&resource.module, exactly(&resource.resource, Key::Open))
                }
                Target::Instance(instance) => (
                    instance.module(),
                    exactly(
                        &instance.resource.resource,
                        instance.key.clone().map_or(Key::Open, Key::Is),
                    ),
                ),
            };
            Self {
                text,
                steps: module.steps().iter().map(step).collect(),
                end,
            }
        })
    }
}

fn exactly(resource: &Resource, key: Key) -> End {
    let glob = |name: &Name| Glob(vec![Part::Text(name.to_string())]);
    End::Resource {
        mode: resource.mode,
        type_name: glob(&resource.type_name),
        name: glob(&resource.name),
        key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(from: &str, to: &str, address: &str) -> Result<String, String> {
        let from: Pattern = from.parse().unwrap();
        let to: Pattern = to.parse().unwrap();
        let captures = from
            .captures(&address.parse().unwrap())
            .ok_or("does not fit")?;
        to.filled(&captures).map(|address| address.to_string())
    }

    #[test]
    fn what_wildcards_stand_for_fills_the_destination() {
        for (from, to, address, expected) in [
            (
                "t.web[*]",
                "module.web.t.this[*]",
                "t.web[2]",
                "module.web.t.this[2]",
            ),
            (
                "t.web[*]",
                "module.web[*].t.this",
                "t.web[\"x\"]",
                "module.web[\"x\"].t.this",
            ),
            (
                "module.a.*",
                "module.b.*",
                "module.a.t.x[0]",
                "module.b.t.x[0]",
            ),
            ("module.a.*", "*", "module.a.data.t.x", "data.t.x"),
            (
                "module.a.**",
                "module.b.module.c.**",
                "module.a.module.q[1].t.x",
                "module.b.module.c.module.q[1].t.x",
            ),
            (
                "**",
                "module.all.**",
                "module.a.t.x[\"k\"]",
                "module.all.module.a.t.x[\"k\"]",
            ),
            (
                "**.t.old",
                "**.t.new",
                "module.a[0].module.b.t.old[3]",
                "module.a[0].module.b.t.new[3]",
            ),
            ("t.web_*", "t.web[\"{1}\"]", "t.web_blue", "t.web[\"blue\"]"),
            ("t.web_*", "t.web[{1}]", "t.web_blue", "t.web[\"blue\"]"),
            ("t.web[*]", "t.web_{1}", "t.web[4]", "t.web_4"),
            (
                "module.eu_*.t.*",
                "module.eu[\"{1}\"].t.*",
                "module.eu_west.t.x",
                "module.eu[\"west\"].t.x",
            ),
            (
                "module.a_*",
                "module.b_*",
                "module.a_1[0].t.x[2]",
                "module.b_1[0].t.x[2]",
            ),
            ("aws_*.main", "aws_*.other", "aws_vpc.main", "aws_vpc.other"),
            (
                "module.m[*].t.x",
                "module.m[*].t.y",
                "module.m[\"a.b[*]\"].t.x",
                "module.m[\"a.b[*]\"].t.y",
            ),
            ("data.*", "module.m.data.*", "data.t.x", "module.m.data.t.x"),
        ] {
            assert_eq!(
                moved(from, to, address).as_deref(),
                Ok(expected),
                "{from} -> {to}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_left_alone() {
        for (pattern, address) in [
            ("t.web[*]", "t.web"),
            ("t.web[*]", "module.a.t.web[0]"),
            ("module.a.*", "module.a.module.b.t.x"),
            ("module.a.*", "module.b.t.x"),
            ("t.*", "data.t.x"),
            ("data.*", "t.x"),
            ("t.web_*", "t.db_1"),
            ("module.a[*].**", "module.a.t.x"),
        ] {
            let pattern: Pattern = pattern.parse().unwrap();
            assert!(
                pattern.captures(&address.parse().unwrap()).is_none(),
                "{address}"
            );
        }
    }

    #[test]
    fn destinations_that_cannot_be_filled_are_refused() {
        for (from, to, address) in [
            ("t.web", "t.web[*]", "t.web"),
            ("t.*", "t.*_*", "t.a"),
            ("t.web[*]", "t.{1}", "t.web[4]"),
            ("t.web[*]", "t.x[{2}]", "t.web[4]"),
            ("module.*", "t.x", "module.a.t.y"),
            ("module.a.*.x", "*.x", "module.a[0].t.x"),
            ("t.*", "t.x[0]", "t.y[1]"),
        ] {
            let from_pattern: Selector = from.parse().unwrap();
            let from_pattern = match from_pattern {
                Selector::Pattern(pattern) => pattern,
                Selector::Target(target) => Pattern::of_target(&target),
            };
            let to_pattern: Selector = to.parse().unwrap();
            let to_pattern = match to_pattern {
                Selector::Pattern(pattern) => pattern,
                Selector::Target(target) => Pattern::of_target(&target),
            };
            let captures = from_pattern.captures(&address.parse().unwrap()).unwrap();
            let filled = to_pattern.filled(&captures);
            assert!(filled.is_err(), "{from} -> {to}: {filled:?}");
        }
    }

    #[test]
    fn addresses_without_wildcards_are_targets() {
        for text in ["t.a[\"*\"]", "module.m", "t.a[\"$${1}\"]"] {
            assert!(matches!(text.parse(), Ok(Selector::Target(_))), "{text}");
        }
        for text in ["t.*", "t.a[*]", "**", "t.a[\"{1}\"]"] {
            assert!(matches!(text.parse(), Ok(Selector::Pattern(_))), "{text}");
        }
        for text in [
            "t.*.x.y",
            "module.*.",
            "t.a*[",
            "*[0]",
            "t.a[*]x",
            ".*",
            "module.**",
        ] {
            assert!(text.parse::<Selector>().is_err(), "{text}");
        }
    }
}

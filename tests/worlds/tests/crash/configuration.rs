//! Random configurations, and what becomes of them from one generation to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rand::Rng as _;
use rand::rngs::StdRng;

/// How many instances a block or a call makes.
#[derive(Clone, Debug)]
enum Expansion {
    Single,
    Count(usize),
    Each(Vec<String>),
}

/// A block `resource "test_object"`.
#[derive(Clone, Debug)]
struct Block {
    name: String,
    expansion: Expansion,
    /// Changing it is an update.
    number: u32,
    /// Changing it is a replacement.
    immutable: u32,
    create_before_destroy: bool,
}

/// A block of the root module, or the call of a module with a few blocks.
#[derive(Clone, Debug)]
enum Body {
    Block(Block),
    Call {
        expansion: Expansion,
        blocks: Vec<Block>,
    },
}

/// What stands in the root module under a name, and which items before it it reads.
#[derive(Clone, Debug)]
struct Item {
    name: String,
    body: Body,
    reads: Vec<String>,
    /// Reads single instances rather than whole blocks, where that can be.
    precise: bool,
}

/// A configuration. The `string` of each object is its address.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    items: Vec<Item>,
    names: usize,
}

const KEYS: [&str; 8] = ["a", "b", "c", "d", "e", "north", "south", "x-1"];

impl Expansion {
    fn random(random: &mut StdRng, most: usize) -> Self {
        match random.random_range(0..10) {
            0..3 => Self::Single,
            3..7 => Self::Count(random.random_range(1..=most)),
            _ => {
                let n = random.random_range(1..=most);
                let first = random.random_range(0..KEYS.len());
                let keys = (0..n).map(|at| KEYS[(first + at) % KEYS.len()].to_owned());
                Self::Each(keys.collect::<BTreeSet<_>>().into_iter().collect())
            }
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Single => 1,
            Self::Count(n) => *n,
            Self::Each(keys) => keys.len(),
        }
    }

    /// The keys of its instances as they stand in addresses.
    fn keys(&self) -> Vec<String> {
        match self {
            Self::Single => vec![String::new()],
            Self::Count(n) => (0..*n).map(|index| format!("[{index}]")).collect(),
            Self::Each(keys) => keys.iter().map(|key| format!("[{key:?}]")).collect(),
        }
    }

    fn change(&mut self, random: &mut StdRng) {
        match self {
            Self::Single => {}
            Self::Count(n) => {
                *n = if random.random_bool(0.1) {
                    0
                } else {
                    (*n + random.random_range(0..3))
                        .saturating_sub(1)
                        .clamp(1, 8)
                };
            }
            Self::Each(keys) => {
                if random.random_bool(0.6) && !keys.is_empty() {
                    keys.remove(random.random_range(0..keys.len()));
                }
                let new = KEYS[random.random_range(0..KEYS.len())].to_owned();
                if !keys.contains(&new) {
                    keys.push(new);
                    keys.sort();
                }
            }
        }
    }

    /// The meta-argument, and what stands for an instance's key within a template.
    fn text(&self) -> (String, &'static str) {
        match self {
            Self::Single => (String::new(), ""),
            Self::Count(n) => (format!("  count = {n}\n"), "[${count.index}]"),
            Self::Each(keys) => (
                format!("  for_each = toset({keys:?})\n"),
                "[\\\"${each.key}\\\"]",
            ),
        }
    }

    /// The list of what all instances of `subject` have as `attribute`.
    fn all(&self, subject: &str, attribute: &str) -> String {
        match self {
            Self::Single => format!("{subject}[*].{attribute}"),
            Self::Count(_) => format!("{subject}[*].{attribute}"),
            Self::Each(_) => format!("values({subject})[*].{attribute}"),
        }
    }
}

impl Block {
    fn random(random: &mut StdRng, name: String, most: usize) -> Self {
        Self {
            name,
            expansion: Expansion::random(random, most),
            number: 1,
            immutable: 1,
            create_before_destroy: random.random_bool(0.25),
        }
    }

    fn change(&mut self, random: &mut StdRng) {
        match random.random_range(0..10) {
            0..3 => self.number += 1,
            3..6 => self.immutable += 1,
            6..8 => self.expansion.change(random),
            8 => {
                self.number += 1;
                self.expansion.change(random);
            }
            _ => {}
        }
    }

    fn text(&self, path: &str, list: Option<&str>) -> String {
        let (meta, key) = self.expansion.text();
        let name = &self.name;
        let mut text = format!(
            "resource \"test_object\" \"{name}\" {{\n{meta}  string = \"{path}test_object.{name}{key}\"\n  number = {}\n  immutable = \"v{}\"\n",
            self.number, self.immutable
        );
        if let Some(list) = list {
            writeln!(text, "  list = {list}").unwrap();
        }
        if self.create_before_destroy {
            text.push_str("  lifecycle {\n    create_before_destroy = true\n  }\n");
        }
        text.push_str("}\n\n");
        text
    }
}

impl Item {
    fn len(&self) -> usize {
        match &self.body {
            Body::Block(block) => block.expansion.len(),
            Body::Call { expansion, blocks } => {
                let each: usize = blocks.iter().map(|block| block.expansion.len()).sum();
                expansion.len() * each
            }
        }
    }

    fn has_create_before_destroy(&self) -> bool {
        match &self.body {
            Body::Block(block) => block.create_before_destroy,
            Body::Call { blocks, .. } => blocks.iter().any(|block| block.create_before_destroy),
        }
    }

    fn addresses(&self) -> Vec<String> {
        let of = |path: &str, block: &Block| -> Vec<String> {
            let keys = block.expansion.keys().into_iter();
            keys.map(|key| format!("{path}test_object.{}{key}", block.name))
                .collect()
        };
        match &self.body {
            Body::Block(block) => of("", block),
            Body::Call { expansion, blocks } => {
                let keys = expansion.keys().into_iter();
                let paths = keys.map(|key| format!("module.{}{key}.", self.name));
                paths
                    .flat_map(|path| {
                        let of_path = blocks.iter().flat_map(|block| of(&path, block));
                        of_path.collect::<Vec<_>>()
                    })
                    .collect()
            }
        }
    }

    /// The ids of its objects, as an expression of the root module.
    fn ids(&self) -> String {
        match &self.body {
            Body::Block(block) => block
                .expansion
                .all(&format!("test_object.{}", self.name), "id"),
            Body::Call { expansion, .. } => format!(
                "flatten({})",
                expansion.all(&format!("module.{}", self.name), "ids")
            ),
        }
    }

    /// One id of its objects for each instance of a reader with a count, where both have one.
    fn one_id(&self, reader: &Expansion) -> Option<String> {
        match (&self.body, reader) {
            (Body::Block(block), Expansion::Count(_)) => match block.expansion {
                Expansion::Count(n) if n > 0 => {
                    Some(format!("[test_object.{}[count.index % {n}].id]", self.name))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

impl Configuration {
    /// One of 5 to 40 instances.
    pub(crate) fn random(random: &mut StdRng) -> Self {
        let mut configuration = Self {
            items: Vec::new(),
            names: 0,
        };
        let wanted = random.random_range(5..=34);
        while configuration.len() < wanted {
            configuration.add(random);
        }
        configuration
    }

    /// How many instances there are.
    pub(crate) fn len(&self) -> usize {
        self.items.iter().map(Item::len).sum()
    }

    fn add(&mut self, random: &mut StdRng) {
        self.names += 1;
        let name = format!("n{}", self.names);
        let body = if random.random_bool(0.2) {
            let n_blocks = random.random_range(1..=2);
            Body::Call {
                expansion: Expansion::random(random, 2),
                blocks: (0..n_blocks)
                    .map(|at| Block::random(random, format!("inner{at}"), 2))
                    .collect(),
            }
        } else {
            Body::Block(Block::random(random, name.clone(), 6))
        };
        let n_reads = random.random_range(0..=2).min(self.items.len());
        let reads: BTreeSet<String> = (0..n_reads)
            .map(|_| {
                self.items[random.random_range(0..self.items.len())]
                    .name
                    .clone()
            })
            .collect();
        self.items.push(Item {
            name,
            body,
            reads: reads.into_iter().collect(),
            precise: random.random_bool(0.5),
        });
    }

    /// The next generation: updates, replacements, more and fewer instances, blocks that go and come.
    pub(crate) fn next(&self, random: &mut StdRng) -> Self {
        let mut next = self.clone();
        if next.items.len() > 2 && random.random_bool(0.5) {
            let gone = next.items.remove(random.random_range(0..next.items.len()));
            for item in &mut next.items {
                item.reads.retain(|name| *name != gone.name);
            }
        }
        for item in &mut next.items {
            match &mut item.body {
                Body::Block(block) => block.change(random),
                Body::Call { expansion, blocks } => {
                    if random.random_bool(0.2) {
                        expansion.change(random);
                    }
                    for block in blocks {
                        block.change(random);
                    }
                }
            }
        }
        if random.random_bool(0.5) {
            next.add(random);
        }
        next
    }

    /// All addresses.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.items.iter().flat_map(Item::addresses).collect()
    }

    /// Addresses whose replacements may be created before the old object is gone: also those that such ones read.
    pub(crate) fn created_before_destroyed(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        let mut found = BTreeSet::new();
        for item in self.items.iter().rev() {
            if item.has_create_before_destroy() || names.contains(item.name.as_str()) {
                names.extend(item.reads.iter().map(String::as_str));
                found.extend(item.addresses());
            }
        }
        found
    }

    fn item(&self, name: &str) -> &Item {
        self.items.iter().find(|item| item.name == name).unwrap()
    }

    /// What an item reads, as a list of ids.
    fn list_of(&self, item: &Item) -> Option<String> {
        let ids: Vec<String> = item
            .reads
            .iter()
            .map(|name| {
                let read = self.item(name);
                let precise = match &item.body {
                    Body::Block(block) if item.precise => read.one_id(&block.expansion),
                    _ => None,
                };
                precise.unwrap_or_else(|| read.ids())
            })
            .collect();
        match ids.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            several => Some(format!("concat({})", several.join(", "))),
        }
    }

    /// The files: path by content. `backend` is the backend block, or nothing.
    pub(crate) fn files(&self, backend: &str) -> BTreeMap<String, String> {
        const PROVIDER: &str =
            "  required_providers {\n    test = {\n      source = \"terrace/test\"\n    }\n  }\n";
        let mut files = BTreeMap::new();
        let mut root = format!("terraform {{\n{PROVIDER}{backend}}}\n\n");
        for item in &self.items {
            let list = self.list_of(item);
            let name = &item.name;
            match &item.body {
                Body::Block(block) => root += &block.text("", list.as_deref()),
                Body::Call { expansion, blocks } => {
                    let (meta, key) = expansion.text();
                    let upstream = list.unwrap_or_else(|| "[]".to_owned());
                    write!(
                        root,
                        "module \"{name}\" {{\n  source = \"./{name}\"\n{meta}  path = \"module.{name}{key}.\"\n  upstream = {upstream}\n}}\n\n"
                    )
                    .unwrap();
                    let mut text = format!("terraform {{\n{PROVIDER}}}\n\n");
                    text += "variable \"path\" {\n  type = string\n}\n\nvariable \"upstream\" {\n  type = list(string)\n}\n\n";
                    let mut ids = Vec::new();
                    for block in blocks {
                        // A chain through the module.
                        let before = ids.last().cloned();
                        let list = before.unwrap_or_else(|| "var.upstream".to_owned());
                        text += &block.text("${var.path}", Some(&list));
                        let subject = format!("test_object.{}", block.name);
                        ids.push(block.expansion.all(&subject, "id"));
                    }
                    writeln!(
                        text,
                        "output \"ids\" {{\n  value = concat({})\n}}",
                        ids.join(", ")
                    )
                    .unwrap();
                    files.insert(format!("{name}/main.tf"), text);
                }
            }
        }
        let outputs = self.items.iter().filter(|item| item.precise).take(3);
        for item in outputs {
            write!(
                root,
                "output \"{}\" {{\n  value = {}\n}}\n\n",
                item.name,
                item.ids()
            )
            .unwrap();
        }
        files.insert("main.tf".to_owned(), root);
        files
    }
}

//! The stacks of a project: the folders that globs and `stack` blocks name, in the order of their references.

use std::collections::{BTreeMap, BTreeSet};

use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_graph::Dag;
use terrace_port::Files;

use crate::project::tidy;
use crate::{Pattern, Project, StackDeclaration};

/// One stack of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Its name: that of its block, else of its folder, else the way to it where two folders have the same name.
    pub name: String,
    /// Its folder, relative to the project file.
    pub path: String,
    /// The folders of the stacks that come before it, those that it takes something from included.
    pub after: BTreeSet<String>,
    /// What it takes from others.
    pub inputs: Vec<TakenInput>,
}

/// What a stack takes from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenInput {
    /// The variable of the root module that has the value.
    pub variable: String,
    /// The name of the stack that has the output.
    pub stack: String,
    /// The folder of that stack.
    pub path: String,
    /// The output.
    pub output: String,
    /// Whether it may be a sensitive one.
    pub sensitive: bool,
}

/// All stacks of a project, each after those that it depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stacks {
    list: Vec<Stack>,
}

impl Stacks {
    /// The stacks in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Stack> {
        self.list.iter()
    }

    /// The stack of a folder, relative to the project file.
    pub fn at(&self, path: &str) -> Option<&Stack> {
        let path = tidy(path);
        self.list.iter().find(|stack| stack.path == path)
    }

    /// Those whose name or folder one of the patterns stands for; all of them where there is no pattern.
    pub fn select(&self, patterns: &[Pattern]) -> Vec<&Stack> {
        let is_chosen = |stack: &&Stack| {
            patterns.is_empty()
                || patterns
                    .iter()
                    .any(|pattern| pattern.matches(&stack.name) || pattern.matches(&stack.path))
        };
        self.list.iter().filter(is_chosen).collect()
    }

    /// The outputs of a stack that others may take although they are sensitive.
    pub fn wanted_secrets(&self, path: &str) -> BTreeSet<&str> {
        let path = tidy(path);
        self.list
            .iter()
            .flat_map(|stack| &stack.inputs)
            .filter(|input| input.sensitive && input.path == path)
            .map(|input| input.output.as_str())
            .collect()
    }
}

impl<'a> IntoIterator for &'a Stacks {
    type Item = &'a Stack;
    type IntoIter = std::slice::Iter<'a, Stack>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Project {
    /// Whether the project says which stacks it has.
    pub fn names_stacks(&self) -> bool {
        !self.stacks.is_empty() || !self.stack_blocks.is_empty()
    }

    /// Finds the stacks in the folders below `directory`, which holds the project file. Wrong where a name stands for nothing or for
    /// two stacks, where a folder that is named holds no configuration, and where stacks wait for each other.
    pub fn find_stacks(&self, directory: &str, files: &dyn Files) -> Result<Stacks, Diagnostics> {
        let mut search = Search {
            project: self,
            directory,
            files,
            diagnostics: Diagnostics::new(),
        };
        let paths = search.paths();
        let names = search.names(&paths);
        let stacks = search.connect(&names);
        let ordered = search.order(stacks);
        if search.diagnostics.has_errors() {
            return Err(search.diagnostics);
        }
        Ok(Stacks { list: ordered })
    }
}

struct Search<'a> {
    project: &'a Project,
    directory: &'a str,
    files: &'a dyn Files,
    diagnostics: Diagnostics,
}

impl<'a> Search<'a> {
    fn problem(&mut self, detail: String, span: Option<Span>) {
        self.diagnostics.push(
            Diagnostic::error("invalid-project", "Invalid project file", detail).at_opt(span),
        );
    }

    /// The folders of all stacks: those of the globs in their order, then those of blocks.
    fn paths(&mut self) -> Vec<String> {
        let mut paths: Vec<String> = Vec::new();
        let mut add = |path: String| {
            if !paths.contains(&path) {
                paths.push(path);
            }
        };
        let mut missing = Vec::new();
        for glob in &self.project.stacks {
            let found = self.matching(glob);
            if found.is_empty() && !glob.contains('*') {
                missing.push((
                    format!("The project lists the stack {glob:?}, and that folder holds no configuration."),
                    None,
                ));
            }
            found.into_iter().for_each(&mut add);
        }
        for block in &self.project.stack_blocks {
            let Some(path) = &block.path else { continue };
            if self.holds_configuration(path) {
                add(path.clone());
            } else {
                let detail = format!(
                    "The folder {path:?} of stack {:?} holds no configuration.",
                    block.name
                );
                missing.push((detail, Some(block.span)));
            }
        }
        for (detail, span) in missing {
            self.problem(detail, span);
        }
        paths
    }

    /// The folders with a configuration that a glob stands for, by name.
    fn matching(&self, glob: &str) -> Vec<String> {
        let glob = tidy(glob);
        let mut found = BTreeSet::new();
        let parts: Vec<&str> = glob.split('/').filter(|part| *part != ".").collect();
        self.walk("", &parts, &mut found);
        found.into_iter().collect()
    }

    fn walk(&self, path: &str, parts: &[&str], found: &mut BTreeSet<String>) {
        let Some((part, rest)) = parts.split_first() else {
            let path = tidy(path);
            if self.holds_configuration(&path) {
                found.insert(path);
            }
            return;
        };
        if !part.contains('*') {
            return self.walk(&join(path, part), rest, found);
        }
        if *part == "**" {
            self.walk(path, rest, found);
        }
        let pattern = Pattern::new((*part).to_owned());
        let rest = if *part == "**" { parts } else { rest };
        for name in self.folders(path) {
            if pattern.matches(&name) {
                self.walk(&join(path, &name), rest, found);
            }
        }
    }

    /// The folders in a folder, but for hidden ones.
    fn folders(&self, path: &str) -> Vec<String> {
        let entries = self.files.list(&self.full(path)).unwrap_or_default();
        entries
            .into_iter()
            .filter(|entry| entry.is_directory && !entry.name.starts_with('.'))
            .map(|entry| entry.name)
            .collect()
    }

    fn holds_configuration(&self, path: &str) -> bool {
        let entries = self.files.list(&self.full(path)).unwrap_or_default();
        entries.iter().any(|entry| {
            let is_configuration = [".tf", ".tf.json", ".tofu", ".tofu.json"]
                .iter()
                .any(|ending| entry.name.ends_with(ending));
            is_configuration && !entry.is_directory
        })
    }

    fn full(&self, path: &str) -> String {
        join(self.directory, path)
    }

    /// Each stack's name, folder and block.
    fn names(&mut self, paths: &[String]) -> Vec<Named<'a>> {
        let project = self.project;
        let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let mut problems = Vec::new();
        let mut blocks: BTreeMap<String, &StackDeclaration> = BTreeMap::new();
        for block in &project.stack_blocks {
            let path = match &block.path {
                Some(path) => Some(path.clone()),
                None => {
                    let mut own = paths.iter().filter(|path| last(path) == block.name);
                    match (own.next(), own.next()) {
                        (Some(path), None) => Some(path.clone()),
                        _ => None,
                    }
                }
            };
            let Some(path) = path else {
                let detail = format!(
                    "Not exactly one folder of the project's stacks is named {:?}. Say which it is with `path`.",
                    block.name
                );
                problems.push((detail, Some(block.span)));
                continue;
            };
            if let Some(other) = blocks.insert(path.clone(), block) {
                let detail = format!(
                    "The stacks {:?} and {:?} have the same folder {path:?}.",
                    other.name, block.name
                );
                problems.push((detail, Some(block.span)));
            }
        }
        let named: Vec<Named<'_>> = paths
            .iter()
            .map(|path| {
                let block = blocks.get(path).copied();
                let is_shared = paths
                    .iter()
                    .filter(|other| last(other) == last(path))
                    .count()
                    > 1;
                let name = match block {
                    Some(block) => block.name.clone(),
                    None if is_shared => path.clone(),
                    None => last(path),
                };
                Named {
                    name,
                    path: path.clone(),
                    block,
                }
            })
            .collect();
        for (index, stack) in named.iter().enumerate() {
            if let Some(other) = named[..index].iter().find(|other| other.name == stack.name) {
                let detail = format!(
                    "The stacks in {:?} and {:?} have the same name {:?}.",
                    other.path, stack.path, stack.name
                );
                problems.push((detail, stack.block.map(|block| block.span)));
            }
        }
        for (detail, span) in problems {
            self.problem(detail, span);
        }
        named
    }

    /// The stacks with what they take from each other.
    fn connect(&mut self, named: &[Named<'_>]) -> Vec<(Stack, Option<Span>)> {
        let find = |reference: &str| {
            let path = tidy(reference);
            named
                .iter()
                .find(|stack| stack.name == reference)
                .or_else(|| named.iter().find(|stack| stack.path == path))
        };
        let mut problems = Vec::new();
        let mut stacks = Vec::new();
        for own in named {
            let mut stack = Stack {
                name: own.name.clone(),
                path: own.path.clone(),
                after: BTreeSet::new(),
                inputs: Vec::new(),
            };
            for name in own.block.iter().flat_map(|block| &block.after) {
                match find(name) {
                    Some(before) => {
                        stack.after.insert(before.path.clone());
                    }
                    None => problems.push((
                        format!(
                            "The stack {:?} comes after {name:?}, and the project has no stack of that name.",
                            own.name
                        ),
                        own.block.map(|block| block.span),
                    )),
                }
            }
            for input in own.block.iter().flat_map(|block| &block.inputs) {
                let Some(before) = find(&input.stack) else {
                    let detail = format!(
                        "The stack {:?} takes {:?} from {:?}, and the project has no stack of that name.",
                        own.name, input.variable, input.stack
                    );
                    problems.push((detail, Some(input.span)));
                    continue;
                };
                stack.after.insert(before.path.clone());
                stack.inputs.push(TakenInput {
                    variable: input.variable.clone(),
                    stack: before.name.clone(),
                    path: before.path.clone(),
                    output: input.output.clone(),
                    sensitive: input.sensitive,
                });
            }
            stacks.push((stack, own.block.map(|block| block.span)));
        }
        for (detail, span) in problems {
            self.problem(detail, span);
        }
        stacks
    }

    /// The stacks, each after those that it depends on.
    fn order(&mut self, stacks: Vec<(Stack, Option<Span>)>) -> Vec<Stack> {
        let mut dag = Dag::new();
        let ids: BTreeMap<String, _> = stacks
            .iter()
            .map(|(stack, _)| (stack.path.clone(), dag.add_node(stack.path.clone())))
            .collect();
        for (stack, _) in &stacks {
            for before in &stack.after {
                dag.add_edge(ids[&stack.path], ids[before]);
            }
        }
        let mut by_path: BTreeMap<String, (Stack, Option<Span>)> = stacks
            .into_iter()
            .map(|(stack, span)| (stack.path.clone(), (stack, span)))
            .collect();
        match dag.topological_order() {
            Ok(order) => order
                .into_iter()
                .filter_map(|id| dag.get(id).and_then(|path| by_path.remove(path)))
                .map(|(stack, _)| stack)
                .collect(),
            Err(cycles) => {
                for cycle in cycles {
                    let way: Vec<&(Stack, Option<Span>)> = cycle
                        .path()
                        .iter()
                        .filter_map(|id| dag.get(*id).and_then(|path| by_path.get(path)))
                        .collect();
                    let span = way.iter().find_map(|(_, span)| *span);
                    let mut names: Vec<String> = way
                        .iter()
                        .map(|(stack, _)| format!("{:?}", stack.name))
                        .collect();
                    names.extend(names.first().cloned());
                    let detail = format!(
                        "Each of these stacks waits for the next, so that none can be first: {}.",
                        names.join(" after ")
                    );
                    self.diagnostics.push(
                        Diagnostic::error("stack-cycle", "Cycle of stacks", detail)
                            .hint("take one of the references away: move what both need into a stack of its own")
                            .at_opt(span),
                    );
                }
                Vec::new()
            }
        }
    }
}

/// A stack that has its name.
struct Named<'a> {
    name: String,
    path: String,
    block: Option<&'a StackDeclaration>,
}

fn join(path: &str, name: &str) -> String {
    match (path, name) {
        ("", name) => name.to_owned(),
        (path, "" | ".") => path.to_owned(),
        (path, name) => format!("{path}/{name}"),
    }
}

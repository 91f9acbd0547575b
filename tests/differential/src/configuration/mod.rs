//! Random configurations, and what the engines make of them step by step.

mod change;
mod compare;
mod follow;
pub(crate) mod known;
mod make;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::Failure;

pub(crate) use compare::{Found, run};

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Variable,
    Local,
    Resource,
    Call,
    Output,
    Check,
    Moved,
    Removed,
}

/// A block with its name and the lines in it, any of which can be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) sort: Sort,
    pub(crate) name: String,
    pub(crate) lines: Vec<String>,
}

/// The blocks of a module.
pub(crate) type Module = Vec<Block>;

/// A root module with the modules that it calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Configuration {
    pub(crate) root: Module,
    /// By the directories that they are in.
    pub(crate) children: BTreeMap<&'static str, Module>,
    /// What is given for variables of the root module.
    pub(crate) given: Vec<(String, &'static str)>,
    /// Options of the plan.
    pub(crate) options: Vec<String>,
}

/// Configurations that are planned and applied one after another, on the same state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) steps: Vec<Configuration>,
}

impl Scenario {
    /// Whether a step is planned with an option.
    pub(crate) fn has_option(&self, option: &str) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| step.options.iter().any(|given| given == option))
    }

    /// Whether any file holds a text.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        let mut files = self.steps.iter().flat_map(Configuration::files);
        files.any(|(_, file)| file.contains(text))
    }
}

impl Block {
    fn new(sort: Sort, name: impl Into<String>, lines: Vec<String>) -> Self {
        Self {
            sort,
            name: name.into(),
            lines,
        }
    }

    fn text(&self) -> String {
        let name = &self.name;
        let head = match self.sort {
            Sort::Variable => format!("variable \"{name}\""),
            Sort::Local => "locals".to_owned(),
            Sort::Resource => format!("resource \"terraform_data\" \"{name}\""),
            Sort::Call => format!("module \"{name}\""),
            Sort::Output => format!("output \"{name}\""),
            Sort::Check => format!("check \"{name}\""),
            Sort::Moved => "moved".to_owned(),
            Sort::Removed => "removed".to_owned(),
        };
        let mut text = format!("{head} {{\n");
        for line in &self.lines {
            let _infallible = writeln!(text, "  {}", line.replace('\n', "\n  "));
        }
        text.push_str("}\n");
        text
    }
}

impl Configuration {
    /// Its files with their texts.
    pub(crate) fn files(&self) -> Vec<(String, String)> {
        let module = |blocks: &[Block]| {
            blocks
                .iter()
                .map(Block::text)
                .collect::<Vec<_>>()
                .join("\n")
        };
        let mut files = vec![("main.tf".to_owned(), module(&self.root))];
        for (directory, blocks) in &self.children {
            files.push((format!("{directory}/main.tf"), module(blocks)));
        }
        let given = self
            .given
            .iter()
            .fold(String::new(), |mut text, (name, value)| {
                let _infallible = writeln!(text, "{name} = {value}");
                text
            });
        files.push(("terraform.tfvars".to_owned(), given));
        files
    }

    fn write(&self, directory: &Path) -> Result<(), Failure> {
        for (path, text) in self.files() {
            let path = directory.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, text)?;
        }
        Ok(())
    }

    fn modules(&self) -> impl Iterator<Item = &Module> {
        std::iter::once(&self.root).chain(self.children.values())
    }

    fn modules_mut(&mut self) -> impl Iterator<Item = &mut Module> {
        std::iter::once(&mut self.root).chain(self.children.values_mut())
    }

    fn calls(&self) -> Vec<&str> {
        self.root
            .iter()
            .filter(|block| block.sort == Sort::Call)
            .map(|block| block.name.as_str())
            .collect()
    }
}

impl Scenario {
    /// How much there is of it.
    #[cfg(test)]
    fn size(&self) -> usize {
        self.steps
            .iter()
            .flat_map(|step| step.modules().flatten())
            .map(|block| 2 + block.lines.len())
            .sum::<usize>()
            + self
                .steps
                .iter()
                .map(|step| step.options.len() + step.given.len())
                .sum::<usize>()
    }

    /// All scenarios that are a step smaller: without a step, a block or a line.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut found = Vec::new();
        for step in 0..self.steps.len() {
            if self.steps.len() > 1 {
                found.push(self.changed(|scenario| drop(scenario.steps.remove(step))));
            }
        }
        let blocks: std::collections::BTreeSet<(usize, String)> = self
            .blocks()
            .map(|(module, block)| (module, block.text()))
            .collect();
        for (module, text) in &blocks {
            found.push(self.changed(|scenario| {
                scenario.each_module(*module, |blocks| {
                    blocks.retain(|block| block.text() != *text);
                });
            }));
        }
        for (module, text) in &blocks {
            let n_lines = self
                .blocks()
                .find(|(of, block)| of == module && block.text() == *text)
                .map_or(0, |(_, block)| block.lines.len());
            for line in 0..n_lines {
                found.push(self.changed(|scenario| {
                    scenario.each_module(*module, |blocks| {
                        for block in blocks.iter_mut().filter(|block| block.text() == *text) {
                            drop(block.lines.remove(line));
                        }
                    });
                }));
            }
        }
        found
    }

    fn blocks(&self) -> impl Iterator<Item = (usize, &Block)> {
        self.steps.iter().flat_map(|step| {
            step.modules()
                .enumerate()
                .flat_map(|(module, blocks)| blocks.iter().map(move |block| (module, block)))
        })
    }

    fn each_module(&mut self, index: usize, mut change: impl FnMut(&mut Module)) {
        for step in &mut self.steps {
            if let Some(module) = step.modules_mut().nth(index) {
                change(module);
            }
        }
    }

    fn changed(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = self.clone();
        change(&mut changed);
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_scenario() {
        for index in 0..20 {
            assert_eq!(make::scenario(3, index), make::scenario(3, index));
        }
    }

    #[test]
    fn smaller_scenarios_are_smaller() {
        let scenario = make::scenario(1, 1);
        let smaller = scenario.smaller();
        assert!(!smaller.is_empty());
        assert!(smaller.iter().all(|other| other.size() < scenario.size()));
    }
}

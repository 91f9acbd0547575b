//! The pages that say what to do.

use std::fs;
use std::path::{Path, PathBuf};

use crate::home;

/// A page of `cases`.
#[derive(Clone, Debug)]
pub struct Case {
    /// The page's name without its ending.
    pub name: String,
    /// The features that an implementation must have.
    pub needs: Vec<String>,
    /// Why `terraform` 1.11 cannot answer it, where it cannot.
    pub without_oracle: Option<String>,
    /// Parts of an answer that are not compared: those that are not the engine's to say.
    pub leaves: Vec<String>,
    /// What happens, in this order.
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Files to write before it: in the root module, or in the provider's directory where they begin with `world/`.
    pub files: Vec<(String, String)>,
    /// Files to remove before it.
    pub removed: Vec<String>,
    /// What must be said among all that is printed.
    pub says: Vec<String>,
}

/// What a tool is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `validate -json`.
    Validate,
    /// `plan`, with further arguments, and nothing else.
    Plan(Vec<String>),
    /// `plan`, with further arguments, and its application.
    Apply(Vec<String>),
    /// Another command, which changes the state.
    Command(Vec<String>),
}

/// All pages, in the order of their names.
///
/// # Panics
/// Where a page cannot be read.
pub fn cases() -> Vec<Case> {
    let directory = home().join("cases");
    let entries = fs::read_dir(&directory).expect("the directory of cases is there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the directory can be listed").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a page can be read");
        let name = path.file_stem().expect("a page has a name");
        Self::parse(&name.to_string_lossy(), &text)
    }

    /// Reads a page.
    ///
    /// # Panics
    /// Where it does not have the form that the README gives.
    pub fn parse(name: &str, text: &str) -> Self {
        let mut case = Self {
            name: name.to_owned(),
            needs: Vec::new(),
            without_oracle: None,
            leaves: Vec::new(),
            steps: Vec::new(),
        };
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(file) = line.strip_prefix("```") {
                let (_, path) = file.split_once(' ').expect("a fenced block names its file");
                let content: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                let content = format!("{}\n", content.join("\n"));
                case.last(name).files.push((path.to_owned(), content));
            } else if let Some(command) = line.strip_prefix("## ") {
                case.steps.push(Step::of(command));
            } else if let Some(names) = line.strip_prefix("Needs: ") {
                case.needs.extend(list(names));
            } else if let Some(why) = line.strip_prefix("Without oracle: ") {
                case.without_oracle = Some(why.to_owned());
            } else if let Some(names) = line.strip_prefix("Leaves: ") {
                case.leaves.extend(list(names));
            } else if let Some(path) = line.strip_prefix("Removes: ") {
                case.last(name).removed.push(path.to_owned());
            } else if let Some(said) = line.strip_prefix("Says: ") {
                case.last(name).says.push(said.to_owned());
            }
        }
        assert!(!case.steps.is_empty(), "{name} has no steps");
        assert!(!case.needs.is_empty(), "{name} needs no feature");
        case
    }

    fn last(&mut self, name: &str) -> &mut Step {
        let last = self.steps.last_mut();
        last.unwrap_or_else(|| panic!("{name}: this comes before the first step"))
    }
}

impl Step {
    fn of(command: &str) -> Self {
        let mut words = command.split(' ').map(str::to_owned);
        let action = match words.next().as_deref() {
            Some("validate") => Action::Validate,
            Some("plan") => Action::Plan(words.collect()),
            Some("apply") => Action::Apply(words.collect()),
            _ => Action::Command(command.split(' ').map(str::to_owned).collect()),
        };
        Self {
            action,
            files: Vec::new(),
            removed: Vec::new(),
            says: Vec::new(),
        }
    }
}

fn list(names: &str) -> impl Iterator<Item = String> {
    names.split(", ").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_list_of_steps_with_their_files() {
        let page = "# Title\n\nNeeds: plan, data\n\n## plan -destroy\nWords.\n\n```hcl main.tf\na = 1\n```\n\n## import a.b c\nRemoves: world/x\nSays: y z\n";
        let case = Case::parse("name", page);
        assert_eq!(case.needs, ["plan", "data"]);
        assert_eq!(case.steps[0].action, Action::Plan(vec!["-destroy".into()]));
        assert_eq!(
            case.steps[0].files,
            [("main.tf".to_owned(), "a = 1\n".to_owned())]
        );
        assert_eq!(case.steps[1].removed, ["world/x"]);
        assert_eq!(case.steps[1].says, ["y z"]);
        let words = ["import", "a.b", "c"].map(str::to_owned).into();
        assert_eq!(case.steps[1].action, Action::Command(words));
    }
}

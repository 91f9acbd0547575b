//! What a plan's changes look like: what templates of standard changes and risks are judged on.

use std::collections::BTreeSet;

use terrace_addr::ResourceMode;
use terrace_plan::{Action, Plan, ResourceChange};

use crate::Pattern;

/// What happens to an object, as rules name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShapeAction {
    /// It comes into being.
    Create,
    /// It changes in place.
    Update,
    /// It is destroyed.
    Delete,
    /// It is destroyed or forgotten, and created anew.
    Replace,
    /// It is taken over.
    Import,
    /// It is no longer managed, and stays.
    Forget,
}

impl ShapeAction {
    const ALL: [Self; 6] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Replace,
        Self::Import,
        Self::Forget,
    ];

    /// Its name in a project file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::Import => "import",
            Self::Forget => "forget",
        }
    }

    /// All names.
    pub fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|action| action.name()).collect()
    }

    /// The action of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Everything that a change does; nothing for one that leaves its object as it is.
    pub fn of(change: &ResourceChange) -> Vec<Self> {
        let mut found: Vec<Self> = match change.action {
            Action::NoOp | Action::Read => None,
            Action::Create => Some(Self::Create),
            Action::Update => Some(Self::Update),
            Action::Delete => Some(Self::Delete),
            Action::DeleteThenCreate | Action::CreateThenDelete | Action::ForgetThenCreate => {
                Some(Self::Replace)
            }
            Action::Forget => Some(Self::Forget),
        }
        .into_iter()
        .collect();
        if change.importing.is_some() {
            found.push(Self::Import);
        }
        found
    }
}

/// Which changes are meant: those that meet everything that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Types of resources; any where there are none.
    pub types: Vec<Pattern>,
    /// What happens; anything where there is none.
    pub actions: BTreeSet<ShapeAction>,
    /// Addresses of instances; any where there are none.
    pub addresses: Vec<Pattern>,
    /// Module instances, `module.a` or the empty text for the root; any where there are none.
    pub modules: Vec<Pattern>,
    /// Environments; any where there are none.
    pub environments: BTreeSet<String>,
    /// Of a template: how many changes at most. Of a risk: how many at least.
    pub limit: Option<u32>,
}

/// One of the plan's lines: an instance with what happens to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The instance; of an object that is not the present one, with its key.
    pub address: String,
    /// The type of its resource.
    pub type_name: String,
    /// Its module instance; empty for the root.
    pub module: String,
    /// What happens.
    pub actions: Vec<ShapeAction>,
}

impl Line {
    /// The lines of a plan in which something happens to an object.
    pub fn of(plan: &Plan) -> Vec<Self> {
        plan.changes
            .iter()
            .filter(|change| change.address.mode() == ResourceMode::Managed)
            .filter_map(|change| {
                let actions = ShapeAction::of(change);
                (!actions.is_empty()).then(|| Self {
                    address: match &change.deposed {
                        None => change.address.to_string(),
                        Some(key) => format!("{} (deposed object {key})", change.address),
                    },
                    type_name: change.address.resource.resource.type_name.to_string(),
                    module: change.address.module().to_string(),
                    actions,
                })
            })
            .collect()
    }

    fn told(&self) -> String {
        let actions: Vec<&str> = self.actions.iter().map(|action| action.name()).collect();
        format!("{} ({})", self.address, actions.join(", "))
    }
}

fn any(patterns: &[Pattern], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(text))
}

fn list(patterns: &[Pattern]) -> String {
    let texts: Vec<&str> = patterns.iter().map(Pattern::as_str).collect();
    texts.join(", ")
}

impl Shape {
    /// Why this template does not allow the plan of these lines: every line that does not fit, or nothing.
    pub fn misfits(&self, environment: &str, lines: &[Line]) -> Vec<String> {
        let mut found = Vec::new();
        if !self.environments.is_empty() && !self.environments.contains(environment) {
            found.push(format!(
                "environment {environment:?} is not one that it allows"
            ));
        }
        for line in lines {
            let why = self.misfit(line);
            found.extend(why.map(|why| format!("{}: {why}", line.told())));
        }
        if let Some(most) = self.limit
            && lines.len() > most as usize
        {
            found.push(format!(
                "it has {} changes, and {most} at most are allowed",
                lines.len()
            ));
        }
        found
    }

    fn misfit(&self, line: &Line) -> Option<String> {
        if !any(&self.types, &line.type_name) {
            return Some(format!(
                "type {} is not allowed, only {}",
                line.type_name,
                list(&self.types)
            ));
        }
        let refused = line
            .actions
            .iter()
            .find(|action| !self.actions.is_empty() && !self.actions.contains(action));
        if let Some(action) = refused {
            let allowed: Vec<&str> = self.actions.iter().map(|action| action.name()).collect();
            return Some(format!(
                "{} is not allowed, only {}",
                action.name(),
                allowed.join(", ")
            ));
        }
        if !any(&self.addresses, &line.address) {
            return Some(format!("only {} is allowed", list(&self.addresses)));
        }
        (!any(&self.modules, &line.module))
            .then(|| format!("only modules {} are allowed", list(&self.modules)))
    }

    /// The lines that this risk is about; none where there are fewer than it takes.
    pub fn matching(&self, environment: &str, lines: &[Line]) -> Vec<String> {
        if !self.environments.is_empty() && !self.environments.contains(environment) {
            return Vec::new();
        }
        let found: Vec<String> = lines
            .iter()
            .filter(|line| {
                any(&self.types, &line.type_name)
                    && any(&self.addresses, &line.address)
                    && any(&self.modules, &line.module)
                    && (self.actions.is_empty()
                        || line
                            .actions
                            .iter()
                            .any(|action| self.actions.contains(action)))
            })
            .map(Line::told)
            .collect();
        if found.len() < self.limit.unwrap_or(1) as usize {
            return Vec::new();
        }
        found
    }
}

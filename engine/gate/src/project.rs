//! The project file, `terrace.hcl`.

use std::collections::{BTreeMap, BTreeSet};

use terrace_config::evaluate_constant;
use terrace_diag::{Diagnostic, Diagnostics, SourceId, Span};
use terrace_syntax::{
    AttributeSchema, Block, BlockSchema, Body, BodySchema, Content, Expr, ExprKind,
};
use terrace_value::Value;

use crate::{Gate, Person, Rules};

/// A project: stacks, people, roles and environments.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Globs of the folders that are stacks; empty when the project has one, beside the file.
    pub stacks: Vec<String>,
    /// The people, by name.
    pub people: BTreeMap<String, Person>,
    /// Members of each role.
    pub roles: BTreeMap<String, BTreeSet<String>>,
    /// The environments, in the order of the file.
    pub environments: Vec<Environment>,
}

/// One environment.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Variables files, relative to the project file.
    pub variables: Vec<String>,
    /// Where its state is kept; `None` for the configuration's own backend.
    pub backend: Option<EnvironmentBackend>,
    /// A workspace in a shared backend.
    pub workspace: Option<String>,
    /// Environments that come before.
    pub after: Vec<String>,
    /// What it asks for.
    pub gate: Option<Gate>,
    /// The block's header.
    pub span: Span,
}

/// A `backend` block of an environment.
#[derive(Clone, Debug)]
pub struct EnvironmentBackend {
    /// Its type.
    pub type_name: String,
    /// Its arguments; `${stack}` and `${environment}` may stand in them.
    arguments: BTreeMap<String, Expr>,
    /// The block's header.
    pub span: Span,
}

impl EnvironmentBackend {
    /// The arguments for one stack of one environment.
    pub fn arguments(
        &self,
        environment: &str,
        stack: &str,
    ) -> (BTreeMap<String, Value>, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let names = [("environment", environment), ("stack", stack)];
        let values = self.arguments.iter().map(|(name, expression)| {
            let expression = substitute(expression, &names);
            (
                name.clone(),
                evaluate_constant(&expression, &mut diagnostics),
            )
        });
        (values.collect(), diagnostics)
    }
}

impl Project {
    /// The environment of this name.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments
            .iter()
            .find(|environment| environment.name == name)
    }

    /// The rules that this file states for an environment.
    pub fn rules(&self, environment: &Environment) -> Rules {
        Rules {
            environment: environment.name.clone(),
            after: environment.after.clone(),
            gate: environment.gate.clone(),
            people: self.people.clone(),
            roles: self.roles.clone(),
        }
    }
}

/// Blocks with a name that this version does not carry out.
const LATER_BLOCKS: [&str; 3] = ["change", "risk", "policy"];

/// Stands for a number of approvals that could not be read: nobody can give so many.
const UNREADABLE: u32 = u32::MAX;

/// Reads a project file.
pub fn parse(source: SourceId, text: &[u8]) -> (Project, Diagnostics) {
    let (body, diagnostics) = terrace_syntax::parse(source, text);
    let mut reader = Reader {
        project: Project::default(),
        role_spans: BTreeMap::new(),
        diagnostics,
    };
    reader.file(&body);
    reader.check_references();
    (reader.project, reader.diagnostics)
}

struct Reader {
    project: Project,
    role_spans: BTreeMap<String, Span>,
    diagnostics: Diagnostics,
}

fn labelled(type_name: &str) -> BlockSchema {
    BlockSchema {
        type_name: type_name.into(),
        labels: vec!["name".into()],
    }
}

fn schema(attributes: &[&str], blocks: Vec<BlockSchema>) -> BodySchema {
    let attributes = attributes.iter().map(|name| AttributeSchema {
        name: (*name).into(),
        required: false,
    });
    BodySchema {
        attributes: attributes.collect(),
        blocks,
    }
}

impl Reader {
    fn content(&mut self, body: &Body, schema: &BodySchema) -> Content {
        let (content, diagnostics) = body.content(schema);
        self.diagnostics.append(diagnostics);
        content
    }

    fn file(&mut self, body: &Body) {
        let names = ["project", "person", "role", "environment"]
            .into_iter()
            .chain(LATER_BLOCKS);
        let content = self.content(
            body,
            &schema(
                &[],
                names
                    .map(labelled)
                    .chain([BlockSchema {
                        type_name: "run".into(),
                        labels: Vec::new(),
                    }])
                    .collect(),
            ),
        );
        let mut projects = 0;
        for block in &content.blocks {
            let name = block
                .labels
                .first()
                .map(|label| label.text.to_string())
                .unwrap_or_default();
            match &*block.type_name.name {
                "project" => {
                    projects += 1;
                    if projects > 1 {
                        self.problem(
                            "duplicate-project",
                            "Duplicate project block",
                            "A project file holds one project block.",
                            block.header_span,
                        );
                    }
                    self.read_project(name, block);
                }
                "person" => self.read_person(&name, block),
                "role" => self.read_role(&name, block),
                "environment" => self.read_environment(name, block),
                other => self.later(other, block.header_span),
            }
        }
        if projects == 0 {
            self.problem(
                "missing-project",
                "Missing project block",
                "A project file begins with a project block, such as: project \"storefront\" {}.",
                content.missing_span,
            );
        }
    }

    fn problem(&mut self, id: &'static str, summary: &str, detail: impl Into<String>, span: Span) {
        self.diagnostics
            .push(Diagnostic::error(id, summary, detail).at(span));
    }

    fn later(&mut self, what: &str, span: Span) {
        self.problem(
            "not-supported-yet",
            "Not supported yet",
            format!("This version of Terrace does not carry out {what:?} in a project file. Remove it, so that nobody relies on it."),
            span,
        );
    }

    fn read_project(&mut self, name: String, block: &Block) {
        let content = self.content(&block.body, &schema(&["stacks"], Vec::new()));
        self.project.name = name;
        self.project.stacks = self.texts(&content, "stacks");
    }

    fn read_person(&mut self, name: &str, block: &Block) {
        let content = self.content(&block.body, &schema(&["ssh", "github"], Vec::new()));
        let keys: BTreeSet<String> = self.texts(&content, "ssh").into_iter().collect();
        for key in &keys {
            let digits = key.strip_prefix("SHA256:").unwrap_or_default();
            if digits.len() != 43 {
                let detail = format!(
                    "{key:?} is not the fingerprint of an SSH key. `ssh-keygen -l -f KEY.pub` shows it, as SHA256: and 43 characters."
                );
                self.problem(
                    "invalid-fingerprint",
                    "Invalid key fingerprint",
                    detail,
                    block.header_span,
                );
            }
            if let Some(other) = self
                .project
                .people
                .iter()
                .find(|(_, person)| person.keys.contains(key))
            {
                let detail = format!(
                    "The key {key} is listed for {:?} already. A key belongs to one person.",
                    other.0
                );
                self.problem(
                    "duplicate-key",
                    "Key of two people",
                    detail,
                    block.header_span,
                );
            }
        }
        let github = self.text(&content, "github");
        if self
            .project
            .people
            .insert(name.to_owned(), Person { keys, github })
            .is_some()
        {
            self.problem(
                "duplicate-person",
                "Duplicate person",
                format!("The person {name:?} is listed twice."),
                block.header_span,
            );
        }
    }

    fn read_role(&mut self, name: &str, block: &Block) {
        let content = self.content(&block.body, &schema(&["members"], Vec::new()));
        self.role_spans.insert(name.to_owned(), block.header_span);
        let members = self.texts(&content, "members").into_iter().collect();
        if self
            .project
            .roles
            .insert(name.to_owned(), members)
            .is_some()
        {
            self.problem(
                "duplicate-role",
                "Duplicate role",
                format!("The role {name:?} is defined twice."),
                block.header_span,
            );
        }
    }

    fn read_environment(&mut self, name: String, block: &Block) {
        let plain = |type_name: &str| BlockSchema {
            type_name: type_name.into(),
            labels: Vec::new(),
        };
        let blocks = vec![
            BlockSchema {
                type_name: "backend".into(),
                labels: vec!["type".into()],
            },
            plain("gate"),
        ];
        let content = self.content(
            &block.body,
            &schema(&["variables", "workspace", "after", "branch"], blocks),
        );
        if let Some(branch) = content.attributes.get("branch") {
            self.later("branch", branch.name.span);
        }
        let mut environment = Environment {
            variables: self.texts(&content, "variables"),
            backend: None,
            workspace: self.text(&content, "workspace"),
            after: self.texts(&content, "after"),
            gate: None,
            span: block.header_span,
            name,
        };
        for nested in &content.blocks {
            let is_gate = &*nested.type_name.name == "gate";
            // The last of several would silently count: a gate could be opened by adding a second.
            if (is_gate && environment.gate.is_some())
                || (!is_gate && environment.backend.is_some())
            {
                let kind = &nested.type_name.name;
                let detail = format!("An environment holds one {kind} block.");
                self.problem(
                    "duplicate-block",
                    &format!("Duplicate {kind} block"),
                    detail,
                    nested.header_span,
                );
                continue;
            }
            if is_gate {
                environment.gate = Some(self.read_gate(nested));
                continue;
            }
            let (arguments, diagnostics) = nested.body.just_attributes();
            self.diagnostics.append(diagnostics);
            environment.backend = Some(EnvironmentBackend {
                type_name: nested
                    .labels
                    .first()
                    .map(|label| label.text.to_string())
                    .unwrap_or_default(),
                arguments: arguments
                    .into_iter()
                    .map(|(name, attribute)| (name.to_string(), attribute.value))
                    .collect(),
                span: nested.header_span,
            });
        }
        if self.project.environment(&environment.name).is_some() {
            let detail = format!("The environment {:?} is defined twice.", environment.name);
            self.problem(
                "duplicate-environment",
                "Duplicate environment",
                detail,
                block.header_span,
            );
        }
        self.project.environments.push(environment);
    }

    fn read_gate(&mut self, block: &Block) -> Gate {
        let window = BlockSchema {
            type_name: "window".into(),
            labels: Vec::new(),
        };
        let content = self.content(
            &block.body,
            &schema(&["approvals", "roles", "soak"], vec![window]),
        );
        if let Some(soak) = content.attributes.get("soak") {
            self.later("soak", soak.name.span);
        }
        for window in &content.blocks {
            self.later("window", window.header_span);
        }
        let roles = self.texts(&content, "roles");
        let approvals = match content.attributes.get("approvals") {
            None => u32::from(!roles.is_empty()),
            Some(attribute) => {
                let value = evaluate_constant(&attribute.value, &mut self.diagnostics);
                let count = value
                    .as_number()
                    .and_then(terrace_value::Number::to_usize)
                    .and_then(|count| u32::try_from(count).ok());
                count.unwrap_or_else(|| {
                    self.problem(
                        "invalid-argument",
                        "Invalid number of approvals",
                        "The number of approvals is a whole number from 0.",
                        attribute.value.span,
                    );
                    UNREADABLE
                })
            }
        };
        Gate { approvals, roles }
    }

    fn text(&mut self, content: &Content, name: &str) -> Option<String> {
        let attribute = content.attributes.get(name)?;
        let value = evaluate_constant(&attribute.value, &mut self.diagnostics);
        let text = value.as_str().map(str::to_owned);
        if text.is_none() && value.is_known() {
            self.problem(
                "invalid-argument",
                "Invalid argument",
                format!("The argument {name:?} is a string."),
                attribute.value.span,
            );
        }
        text
    }

    fn texts(&mut self, content: &Content, name: &str) -> Vec<String> {
        let Some(attribute) = content.attributes.get(name) else {
            return Vec::new();
        };
        let value = evaluate_constant(&attribute.value, &mut self.diagnostics);
        let texts = value.as_sequence().and_then(|items| {
            items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        });
        texts.unwrap_or_else(|| {
            if value.is_known() {
                self.problem(
                    "invalid-argument",
                    "Invalid argument",
                    format!("The argument {name:?} is a list of strings."),
                    attribute.value.span,
                );
            }
            Vec::new()
        })
    }

    /// Names that stand for nothing would silently weaken a gate: they are errors.
    fn check_references(&mut self) {
        let mut problems = Vec::new();
        for (role, members) in &self.project.roles {
            for member in members
                .iter()
                .filter(|member| !self.project.people.contains_key(*member))
            {
                problems.push((format!("The role {role:?} has a member {member:?}, and no person block has that name."), self.role_spans.get(role).copied()));
            }
        }
        for (index, environment) in self.project.environments.iter().enumerate() {
            for before in &environment.after {
                let place = self
                    .project
                    .environments
                    .iter()
                    .position(|other| other.name == *before);
                if place.is_none_or(|place| place >= index) {
                    let detail = format!(
                        "Environment {:?} comes after {before:?}, which is not defined before it.",
                        environment.name
                    );
                    problems.push((detail, Some(environment.span)));
                }
            }
            let Some(gate) = &environment.gate else {
                continue;
            };
            for role in gate
                .roles
                .iter()
                .filter(|role| !self.project.roles.contains_key(*role))
            {
                problems.push((
                    format!(
                        "The gate of {:?} asks for role {role:?}, which is not defined.",
                        environment.name
                    ),
                    Some(environment.span),
                ));
            }
            let people = self.project.people.len();
            // A number that could not be read has been told already.
            if gate.approvals != UNREADABLE && gate.approvals as usize >= people.max(1) {
                let detail = format!(
                    "The gate of {:?} asks for {} approval{} by people other than the author, and the project lists {}.",
                    environment.name,
                    gate.approvals,
                    if gate.approvals == 1 { "" } else { "s" },
                    match people {
                        0 => "nobody".to_owned(),
                        1 => "one person".to_owned(),
                        people => format!("{people} people"),
                    }
                );
                problems.push((detail, Some(environment.span)));
            }
        }
        for (detail, span) in problems {
            self.diagnostics.push(
                Diagnostic::error("invalid-project", "Invalid project file", detail).at_opt(span),
            );
        }
    }
}

/// The expression with bare names replaced by strings.
fn substitute(expression: &Expr, names: &[(&str, &str)]) -> Expr {
    let kind = match &expression.kind {
        ExprKind::Traversal(traversal) if traversal.steps.is_empty() => {
            match names
                .iter()
                .find(|(name, _)| *name == &*traversal.root.name)
            {
                Some((_, text)) => ExprKind::Literal(Value::string(*text)),
                None => expression.kind.clone(),
            }
        }
        ExprKind::Template(parts) => {
            ExprKind::Template(parts.iter().map(|part| substitute(part, names)).collect())
        }
        ExprKind::TemplateWrap(inner) => ExprKind::TemplateWrap(Box::new(substitute(inner, names))),
        ExprKind::Parens(inner) => ExprKind::Parens(Box::new(substitute(inner, names))),
        other => other.clone(),
    };
    Expr {
        kind,
        span: expression.span,
    }
}

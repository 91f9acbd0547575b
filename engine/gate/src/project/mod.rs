//! The project file, `terrace.hcl`.

mod change;
mod credentials;
mod environment;
mod gate;
mod identity;
mod people;
mod policies;
mod reader;
mod references;
mod retention;
mod stack;

use std::collections::{BTreeMap, BTreeSet};

use terrace_config::evaluate_constant;
use terrace_diag::{Diagnostics, SourceId, Span};
use terrace_syntax::{Expr, ExprKind};
use terrace_value::Value;

use crate::{ChangeKind, ChangeRule, Freeze, Gate, GitHub, Person, Retention, Risk, Rules};
pub use identity::IdentityBlock;
pub use policies::PolicyBlock;
use reader::Reader;

pub use credentials::{CredentialSet, CredentialSource, Credentials};
pub(crate) use stack::tidy;
pub use stack::{StackDeclaration, StackInput};

/// A project: stacks, people, roles and environments.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Globs of the folders that are stacks; empty when the project has one, beside the file.
    pub stacks: Vec<String>,
    /// The `stack` blocks, in the order of the file.
    pub stack_blocks: Vec<StackDeclaration>,
    /// Where its reviews are, which may count as approvals.
    pub github: Option<GitHub>,
    /// The `identity` blocks, in the order of the file.
    pub identities: Vec<IdentityBlock>,
    /// The people, by name.
    pub people: BTreeMap<String, Person>,
    /// Members of each role.
    pub roles: BTreeMap<String, BTreeSet<String>>,
    /// The environments, in the order of the file.
    pub environments: Vec<Environment>,
    /// The change types other than the normal one.
    pub changes: BTreeMap<ChangeKind, ChangeRule>,
    /// What asks for more, in the order of the file.
    pub risks: Vec<Risk>,
    /// When nothing is changed, in the order of the file.
    pub freezes: Vec<Freeze>,
    /// What a run must state before it can be approved.
    pub required_statements: BTreeSet<String>,
    /// How long runs are kept; for ever without it.
    pub retention: Option<Retention>,
    /// The policies, in the order of the file.
    pub policies: Vec<PolicyBlock>,
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
    /// The branch whose commits alone are applied.
    pub branch: Option<String>,
    /// What it asks for.
    pub gate: Option<Gate>,
    /// What providers and programs are given in it, where that is said.
    pub credentials: Option<Credentials>,
    /// When nothing is changed in it.
    pub freezes: Vec<Freeze>,
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

    /// The rules that this file states for an environment; its policies are those that [`Project::load_policies`] has read.
    pub fn rules(&self, environment: &Environment) -> Rules {
        let concerns =
            |names: &BTreeSet<String>| names.is_empty() || names.contains(&environment.name);
        let freezes = self.freezes.iter().chain(&environment.freezes);
        let policies = self.policies.iter();
        Rules {
            environment: environment.name.clone(),
            after: environment.after.clone(),
            branch: environment.branch.clone(),
            gate: environment.gate.clone(),
            people: self.people.clone(),
            roles: self.roles.clone(),
            github: self.github.clone(),
            identities: self
                .identities
                .iter()
                .filter(|block| concerns(&block.environments))
                .map(|block| block.identity.clone())
                .collect(),
            changes: self.changes.clone(),
            risks: self.risks.clone(),
            freezes: freezes
                .filter(|freeze| concerns(&freeze.environments))
                .cloned()
                .collect(),
            required_statements: self.required_statements.clone(),
            policies: policies
                .filter(|block| concerns(&block.environments))
                .map(|block| block.policy.clone())
                .collect(),
            credentials: environment.credentials.as_ref().map(Credentials::digest),
        }
    }
}

/// Reads a project file.
pub fn parse(source: SourceId, text: &[u8]) -> (Project, Diagnostics) {
    let (body, diagnostics) = terrace_syntax::parse(source, text);
    let mut reader = Reader::new(diagnostics);
    reader.file(&body);
    reader.check_references();
    (reader.project, reader.diagnostics)
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

//! Names that stand for nothing, and gates that nobody can pass.

use terrace_diag::{Diagnostic, Span};

use super::gate::UNREADABLE;
use super::reader::Reader;
use crate::Gate;

impl Reader {
    /// Names that stand for nothing would silently weaken a gate: they are errors.
    pub(super) fn check_references(&mut self) {
        let mut problems = self.role_problems();
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
            if let Some(gate) = &environment.gate {
                let of = format!("The gate of {:?}", environment.name);
                self.gate_problems(&of, gate, environment.span, &mut problems);
            }
        }
        for (of, gate, span) in &self.gate_spans {
            let of = format!("The gate of {of}");
            self.gate_problems(&of, gate, *span, &mut problems);
        }
        self.environment_problems(&mut problems);
        self.policy_problems(&mut problems);
        self.identity_problems(&mut problems);
        for (detail, span) in problems {
            self.diagnostics.push(
                Diagnostic::error("invalid-project", "Invalid project file", detail).at_opt(span),
            );
        }
    }

    fn role_problems(&self) -> Vec<(String, Option<Span>)> {
        let mut problems = Vec::new();
        for (role, members) in &self.project.roles {
            for member in members
                .iter()
                .filter(|member| !self.project.people.contains_key(*member))
            {
                let detail = format!(
                    "The role {role:?} has a member {member:?}, and no person block has that name."
                );
                problems.push((detail, self.role_spans.get(role).copied()));
            }
        }
        problems
    }

    fn gate_problems(
        &self,
        of: &str,
        gate: &Gate,
        span: Span,
        problems: &mut Vec<(String, Option<Span>)>,
    ) {
        for (role, least) in &gate.roles {
            let Some(members) = self.project.roles.get(role) else {
                let detail = format!("{of} asks for role {role:?}, which is not defined.");
                problems.push((detail, Some(span)));
                continue;
            };
            if *least != UNREADABLE && *least as usize > members.len() && *least > 1 {
                let detail = format!(
                    "{of} asks for {least} approvals by role {role:?}, which has {} member{}.",
                    members.len(),
                    if members.len() == 1 { "" } else { "s" }
                );
                problems.push((detail, Some(span)));
            }
        }
        let people = self.project.people.len();
        // A number that could not be read has been told already.
        if gate.approvals != UNREADABLE
            && gate.approvals > 0
            && gate.approvals as usize >= people.max(1)
        {
            let detail = format!(
                "{of} asks for {} approval{} by people other than the author, and the project lists {}.",
                gate.approvals,
                if gate.approvals == 1 { "" } else { "s" },
                match people {
                    0 => "nobody".to_owned(),
                    1 => "one person".to_owned(),
                    people => format!("{people} people"),
                }
            );
            problems.push((detail, Some(span)));
        }
    }

    /// Environments that risks, templates and freezes name.
    fn environment_problems(&self, problems: &mut Vec<(String, Option<Span>)>) {
        let project = &self.project;
        let shapes = project
            .risks
            .iter()
            .flat_map(|risk| {
                risk.when
                    .iter()
                    .map(move |shape| (format!("The risk {:?}", risk.name), shape))
            })
            .chain(project.changes.iter().flat_map(|(kind, rule)| {
                rule.allow
                    .iter()
                    .map(move |shape| (format!("The change type {:?}", kind.name()), shape))
            }))
            .map(|(of, shape)| (of, &shape.environments));
        let freezes = project.freezes.iter().map(|freeze| {
            (
                format!("The freeze {:?}", freeze.reason),
                &freeze.environments,
            )
        });
        for (of, names) in shapes.chain(freezes) {
            for name in names
                .iter()
                .filter(|name| project.environment(name).is_none())
            {
                problems.push((
                    format!("{of} names environment {name:?}, which is not defined."),
                    None,
                ));
            }
        }
    }

    /// Environments and change types that policies name.
    fn policy_problems(&self, problems: &mut Vec<(String, Option<Span>)>) {
        let project = &self.project;
        for block in &project.policies {
            let name = &block.policy.name;
            let environments = block.environments.iter();
            for missing in environments.filter(|name| project.environment(name).is_none()) {
                let detail = format!(
                    "The policy {name:?} names environment {missing:?}, which is not defined."
                );
                problems.push((detail, Some(block.span)));
            }
            let excepted = block.policy.except.iter();
            for kind in excepted.filter(|kind| !project.changes.contains_key(kind)) {
                let detail = format!(
                    "The policy {name:?} excepts the change type {:?}, which is not defined: nobody could say who lets such a change through.",
                    kind.name()
                );
                problems.push((detail, Some(block.span)));
            }
        }
    }
}

//! `change`, `risk` and `run` blocks.

use std::collections::BTreeSet;

use terrace_syntax::Block;

use super::reader::{Reader, plain, schema, span_of};
use crate::{ChangeKind, ChangeRule, Gate, Review, Risk, Shape, ShapeAction};

impl Reader {
    pub(super) fn read_change(&mut self, name: &str, block: &Block) {
        let kind = match ChangeKind::parse(name) {
            Some(ChangeKind::Normal) | None => {
                self.problem(
                    "invalid-project",
                    "Invalid project file",
                    format!("There is no change type {name:?} to define. Change types are \"standard\" and \"emergency\"; every other change is normal, and the environment's own gate is its."),
                    block.header_span,
                );
                return;
            }
            Some(kind) => kind,
        };
        let blocks = vec![plain("allow"), plain("gate"), plain("review")];
        let content = self.content(&block.body, &schema(&[], blocks));
        let mut rule = ChangeRule::default();
        let mut gates = 0;
        for nested in &content.blocks {
            match &*nested.type_name.name {
                "allow" => {
                    let shape = self.read_shape(nested, "at_most");
                    rule.allow.push(shape);
                }
                "gate" => {
                    gates += 1;
                    if gates > 1 {
                        self.duplicate("gate", "A change type holds one gate block.", nested);
                    }
                    rule.gate = self.read_gate(nested, true);
                    let gate = (format!("change {name:?}"), rule.gate.clone());
                    self.gate_spans.push((gate.0, gate.1, nested.header_span));
                }
                _ => {
                    if rule.review.is_some() {
                        self.duplicate("review", "A change type holds one review block.", nested);
                    }
                    rule.review = self.read_review(nested);
                }
            }
        }
        self.check_change(kind, &rule, gates, block);
        if self.project.changes.insert(kind, rule).is_some() {
            let detail = format!("The change type {name:?} is defined twice.");
            self.duplicate("change", &detail, block);
        }
    }

    fn check_change(&mut self, kind: ChangeKind, rule: &ChangeRule, gates: usize, block: &Block) {
        let mut wrong = |detail: &str| {
            self.problem(
                "invalid-project",
                "Invalid project file",
                detail,
                block.header_span,
            );
        };
        if gates == 0 {
            wrong(
                "A change type needs a gate block: without one it would be let through by nobody knows what.",
            );
        }
        match kind {
            ChangeKind::Standard if rule.allow.is_empty() => wrong(
                "The change type \"standard\" needs an allow block: it holds for plans of a shape that was agreed on.",
            ),
            ChangeKind::Standard if rule.review.is_some() => {
                wrong("Only the change type \"emergency\" owes a review afterwards.");
            }
            ChangeKind::Emergency if !rule.allow.is_empty() => {
                wrong(
                    "Only the change type \"standard\" has a shape. An emergency is judged by its gate.",
                );
            }
            _ => {}
        }
    }

    fn read_review(&mut self, block: &Block) -> Option<Review> {
        let content = self.content(
            &block.body,
            &schema(&["within", "approvals", "roles"], Vec::new()),
        );
        let roles = self
            .texts(&content, "roles")
            .into_iter()
            .map(|role| (role, 1))
            .collect();
        let approvals = match self.count(&content, "approvals") {
            None => 1,
            Some(Ok(count)) if count > 0 => count,
            _ => {
                self.problem(
                    "invalid-argument",
                    "Invalid number of approvals",
                    "A review is by at least one person.",
                    span_of(content.attributes.get("approvals"), &content),
                );
                1
            }
        };
        let Some(within) = self.duration(&content, "within") else {
            self.invalid(
                "The argument \"within\" is required, such as 48h: how long a review may be owed.",
                content.missing_span,
            );
            return None;
        };
        let review = Review {
            within,
            approvals,
            roles,
        };
        let gate = Gate {
            approvals,
            roles: review.roles.clone(),
            ..Gate::default()
        };
        self.gate_spans
            .push(("a review".to_owned(), gate, block.header_span));
        Some(review)
    }

    /// What changes may look like: `limit` is `at_most` or `at_least`.
    fn read_shape(&mut self, block: &Block, limit: &str) -> Shape {
        let content = self.content(
            &block.body,
            &schema(
                &[
                    "types",
                    "actions",
                    "addresses",
                    "modules",
                    "environments",
                    limit,
                ],
                Vec::new(),
            ),
        );
        let mut actions = BTreeSet::new();
        for name in self.texts(&content, "actions") {
            match ShapeAction::parse(&name) {
                Some(action) => {
                    actions.insert(action);
                }
                None => self.invalid(
                    format!(
                        "{name:?} is not an action of a plan. Actions are: {}.",
                        ShapeAction::names().join(", ")
                    ),
                    span_of(content.attributes.get("actions"), &content),
                ),
            }
        }
        let limit = match self.count(&content, limit) {
            None => None,
            Some(Ok(count)) => Some(count),
            Some(Err(span)) => {
                self.invalid(
                    format!("The argument {limit:?} is a whole number from 0."),
                    span,
                );
                Some(0)
            }
        };
        Shape {
            types: self.patterns(&content, "types"),
            actions,
            addresses: self.patterns(&content, "addresses"),
            modules: self.patterns(&content, "modules"),
            environments: self.texts(&content, "environments").into_iter().collect(),
            limit,
        }
    }

    pub(super) fn read_risk(&mut self, name: String, block: &Block) {
        let blocks = vec![plain("when"), plain("gate")];
        let content = self.content(&block.body, &schema(&[], blocks));
        let mut risk = Risk {
            name,
            ..Risk::default()
        };
        let mut gates = 0;
        for nested in &content.blocks {
            if &*nested.type_name.name == "when" {
                let shape = self.read_shape(nested, "at_least");
                risk.when.push(shape);
                continue;
            }
            gates += 1;
            if gates > 1 {
                self.duplicate("gate", "A risk holds one gate block.", nested);
            }
            risk.gate = self.read_gate(nested, false);
            self.gate_spans.push((
                format!("risk {:?}", risk.name),
                risk.gate.clone(),
                nested.header_span,
            ));
        }
        if gates == 0 || risk.when.is_empty() {
            self.problem(
                "invalid-project",
                "Invalid project file",
                "A risk needs a when block, which says what is risky, and a gate block, which says what that asks for.",
                block.header_span,
            );
        }
        if self
            .project
            .risks
            .iter()
            .any(|other| other.name == risk.name)
        {
            let detail = format!("The risk {:?} is defined twice.", risk.name);
            self.duplicate("risk", &detail, block);
        }
        self.project.risks.push(risk);
    }

    pub(super) fn read_run(&mut self, block: &Block) {
        let content = self.content(&block.body, &schema(&["require"], Vec::new()));
        self.project.required_statements = self.texts(&content, "require").into_iter().collect();
    }
}

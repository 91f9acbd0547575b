//! Conditions with their messages: `validation`, `precondition`, `postcondition`, `assert`; and `check` blocks.

use std::sync::LazyLock;

use terrace_addr::Name;
use terrace_syntax::{Block, BodySchema, Step};

use super::{Decoder, block, schema, schema_with_required};
use crate::CheckRule;
use crate::parts::CheckPart;
use crate::references::references;

static RULE: LazyLock<BodySchema> =
    LazyLock::new(|| schema_with_required(&["condition", "error_message"], &[], &[]));

static CHECK: LazyLock<BodySchema> = LazyLock::new(|| {
    schema(
        &[],
        vec![block("data", &["type", "name"]), block("assert", &[])],
    )
});

impl Decoder<'_> {
    /// A rule of the kind `kind`. One whose condition refers to nothing is reported and left out.
    pub(super) fn rule(&mut self, block: &Block, kind: &str) -> Option<CheckRule> {
        let rule = self.any_rule(block, kind)?;
        (!references(&rule.condition).is_empty()).then_some(rule)
    }

    /// As [`Self::rule`], without leaving out.
    fn any_rule(&mut self, block: &Block, kind: &str) -> Option<CheckRule> {
        let content = self.content(&block.body, &RULE);
        let condition = content
            .attributes
            .get("condition")
            .map(|attribute| attribute.value.clone());
        let error_message = content
            .attributes
            .get("error_message")
            .map(|attribute| attribute.value.clone());
        if let Some(condition) = &condition
            && references(condition).is_empty()
        {
            self.problem(
                "constant-condition",
                format!("Invalid {kind} expression"),
                "The condition expression must refer to at least one object from elsewhere in the configuration, or else its result would not be checking anything.",
                condition.span,
            );
        }
        Some(CheckRule {
            condition: condition?,
            error_message: error_message?,
            span: block.header_span,
        })
    }

    /// A `validation` of the variable `name`; its condition must refer to the variable.
    pub(super) fn validation(&mut self, block: &Block, name: &Name) -> Option<CheckRule> {
        let rule = self.any_rule(block, "validation")?;
        let refers = references(&rule.condition).into_iter().any(|reference| {
            &*reference.root.name == "var"
                && matches!(reference.steps.first(), Some(Step::Attribute(ident)) if ident.name == *name)
        });
        if !refers {
            self.problem(
                "validation-without-variable",
                "Invalid variable validation condition",
                format!("The condition for variable \"{name}\" must refer to var.{name} in order to test incoming values."),
                rule.condition.span,
            );
        }
        Some(rule)
    }

    pub(super) fn check(&mut self, block: &Block) {
        if self.is_override {
            self.problem(
                "override-not-allowed",
                "Can't override check blocks",
                "Override files cannot override check blocks.",
                block.header_span,
            );
        }
        let content = self.content(&block.body, &CHECK);
        let Some(name) = self.name(block, 0, "check block name") else {
            return;
        };
        let mut asserts = Vec::new();
        let mut data: Option<(terrace_addr::Resource, terrace_diag::Span)> = None;
        for inner in &content.blocks {
            if &*inner.type_name.name == "assert" {
                asserts.extend(self.rule(inner, "assert"));
            } else if let Some((_, first)) = &data {
                let detail = format!(
                    "This check block already has a data resource defined at {}.",
                    self.place(*first)
                );
                self.problem(
                    "several-scoped-data",
                    "Multiple data resource blocks",
                    detail,
                    inner.header_span,
                );
            } else if let Some(resource) = self.scoped_data(inner, &name) {
                data = Some((resource, inner.header_span));
            }
        }
        if asserts.is_empty() {
            let detail = "Check blocks must have at least one assert block.";
            self.problem(
                "check-without-assert",
                "Zero assert blocks",
                detail,
                block.header_span,
            );
        }
        let data = data.map(|(resource, _)| resource);
        self.parts.checks.push(CheckPart {
            name,
            data,
            asserts,
            span: block.header_span,
        });
    }
}

//! `variable`, `locals`, `output`.

use std::sync::LazyLock;

use terrace_diag::Diagnostic;
use terrace_syntax::{Attribute, Block, BodySchema};
use terrace_value::Text;

use super::{Decoder, schema_with_required};
use crate::parts::{OutputPart, VariablePart};
use crate::type_expr::variable_type;
use crate::{Local, names};

static VARIABLE: LazyLock<BodySchema> = LazyLock::new(|| {
    BodySchema::of(
        &[
            "description",
            "default",
            "type",
            "sensitive",
            "ephemeral",
            "nullable",
            "deprecated",
            "const",
        ],
        &["validation"],
    )
});

static OUTPUT: LazyLock<BodySchema> = LazyLock::new(|| {
    schema_with_required(
        &["value"],
        &[
            "description",
            "depends_on",
            "sensitive",
            "ephemeral",
            "deprecated",
        ],
        &["precondition", "postcondition"],
    )
});

static OUTPUT_OVERRIDE: LazyLock<BodySchema> = LazyLock::new(|| {
    BodySchema::of(
        &[
            "value",
            "description",
            "depends_on",
            "sensitive",
            "ephemeral",
            "deprecated",
        ],
        &["precondition", "postcondition"],
    )
});

impl Decoder<'_> {
    pub(super) fn variable(&mut self, block: &Block) {
        let content = self.content(&block.body, &VARIABLE);
        let Some(name) = self.name(block, 0, "variable name") else {
            return;
        };
        if names::RESERVED_VARIABLES.contains(&&*name) {
            let detail = format!(
                "The variable name \"{name}\" is reserved due to its special meaning inside module blocks."
            );
            self.problem(
                "reserved-variable-name",
                "Invalid variable name",
                detail,
                block.labels[0].span,
            );
        }
        let ty = content.attributes.get("type").map(|attribute| {
            let (ty, defaults) = variable_type(&attribute.value, &mut self.diagnostics);
            (ty, defaults, attribute.value.span)
        });
        let default = content.attributes.get("default").and_then(|attribute| {
            let value = self.constant(&attribute.value)?;
            Some((value, attribute.value.span))
        });
        let description = self.string(content.attributes.get("description"));
        let sensitive = self.bool(content.attributes.get("sensitive"));
        let ephemeral = self.bool(content.attributes.get("ephemeral"));
        let nullable = self.bool(content.attributes.get("nullable"));
        let deprecated = self.deprecated(content.attributes.get("deprecated"), "variable", &name);
        let constant = self.bool(content.attributes.get("const"));
        let mut validations = Vec::new();
        for block in &content.blocks {
            if self.is_override {
                self.not_in_override(block);
            }
            validations.extend(self.validation(block, &name));
        }
        self.parts.variables.push(VariablePart {
            name,
            description,
            ty,
            default,
            sensitive,
            ephemeral,
            nullable,
            deprecated,
            constant,
            validations,
            span: block.header_span,
        });
    }

    /// What users of something are told that is to be used no longer.
    fn deprecated(
        &mut self,
        attribute: Option<&Attribute>,
        kind: &str,
        name: &str,
    ) -> Option<Text> {
        let text = self.string(attribute)?;
        if text.trim().is_empty() {
            let detail = format!(
                "The \"deprecated\" argument of the {kind} \"{name}\" must not be empty: it tells the users of the module what to use instead."
            );
            let span = attribute?.value.span;
            self.problem(
                "empty-deprecation",
                "Invalid `deprecated` value",
                detail,
                span,
            );
            return None;
        }
        Some(text)
    }

    /// Complains about a check rule in an override file.
    pub(super) fn not_in_override(&mut self, block: &Block) {
        let name = &block.type_name.name;
        self.diagnostics.push(
            Diagnostic::error(
                "override-not-allowed",
                format!("Can't override {name} blocks"),
                format!("Override files cannot override \"{name}\" blocks."),
            )
            .at(block.header_span),
        );
    }

    pub(super) fn locals(&mut self, block: &Block) {
        let (attributes, diagnostics) = block.body.just_attributes();
        self.diagnostics.append(diagnostics);
        let mut locals: Vec<Local> = Vec::new();
        for (name, attribute) in attributes {
            if !names::is_valid(&name) {
                self.problem(
                    "invalid-name",
                    "Invalid local value name",
                    names::NAME_RULE,
                    attribute.name.span,
                );
            }
            locals.push(Local {
                name,
                value: attribute.value,
                span: attribute.span,
            });
        }
        locals.sort_by_key(|local| local.span.start);
        self.parts.locals.extend(locals);
    }

    pub(super) fn output(&mut self, block: &Block) {
        let schema = if self.is_override {
            &OUTPUT_OVERRIDE
        } else {
            &OUTPUT
        };
        let content = self.content(&block.body, schema);
        let Some(name) = self.name(block, 0, "output name") else {
            return;
        };
        let description = self.string(content.attributes.get("description"));
        let sensitive = self.bool(content.attributes.get("sensitive"));
        let ephemeral = self.bool(content.attributes.get("ephemeral"));
        let deprecated = self.deprecated(content.attributes.get("deprecated"), "output", &name);
        let depends_on = self.depends_on(content.attributes.get("depends_on"));
        let mut preconditions = Vec::new();
        for block in &content.blocks {
            if &*block.type_name.name == "postcondition" {
                self.problem(
                    "postcondition-on-output",
                    "Postconditions are not allowed",
                    "Output values can only have preconditions, not postconditions.",
                    block.type_name.span,
                );
                continue;
            }
            if self.is_override {
                self.not_in_override(block);
            }
            preconditions.extend(self.rule(block, "precondition"));
        }
        self.parts.outputs.push(OutputPart {
            name,
            description,
            value: content
                .attributes
                .get("value")
                .map(|attribute| attribute.value.clone()),
            sensitive,
            ephemeral,
            deprecated,
            depends_on,
            preconditions,
            span: block.header_span,
        });
    }
}

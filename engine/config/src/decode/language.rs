//! `language` blocks: which programs a module is written for, and in which edition of the language.

use std::sync::LazyLock;

use terrace_syntax::{Attribute, Block, BodySchema};

use super::{Decoder, block, schema};
use crate::parts::RequiredVersion;
use crate::statics;

static LANGUAGE: LazyLock<BodySchema> = LazyLock::new(|| {
    schema(
        &["edition", "experiments"],
        vec![block("compatible_with", &[])],
    )
});

/// The only edition that there is.
const EDITION: &str = "tofu2024";

impl Decoder<'_> {
    pub(super) fn language(&mut self, block: &Block) {
        let content = self.content(&block.body, &LANGUAGE);
        if let Some(edition) = content.attributes.get("edition")
            && edition.value.as_keyword().as_deref() != Some(EDITION)
        {
            self.problem(
                "unknown-edition",
                "Unsupported language edition",
                format!("The only edition of the language is {EDITION}, which is also meant where none is named. Remove the argument."),
                edition.value.span,
            );
        }
        if let Some(experiments) = content.attributes.get("experiments") {
            self.language_experiments(experiments);
        }
        for inner in &content.blocks {
            self.compatible_with(inner);
        }
    }

    fn language_experiments(&mut self, attribute: &Attribute) {
        match statics::list(&attribute.value) {
            Ok([]) => {}
            Ok(_) => self.experiments(attribute),
            Err(problem) => self.diagnostics.push(problem),
        }
    }

    /// Of what stands here, only what concerns the language that Terrace reads matters.
    fn compatible_with(&mut self, block: &Block) {
        let (attributes, diagnostics) = block.body.just_attributes();
        self.diagnostics.append(diagnostics);
        let Some(attribute) = attributes.get("opentofu") else {
            return;
        };
        let Some(text) = self.string(Some(attribute)) else {
            return;
        };
        if let Some(constraints) = self.version_constraints(&text, attribute.value.span) {
            self.parts.required_versions.push(RequiredVersion {
                text: text.to_string(),
                constraints,
                span: attribute.span,
                is_tofu: true,
            });
        }
    }
}

//! `provider` blocks and references to provider configurations.

use std::sync::LazyLock;

use terrace_addr::LocalProviderConfig;
use terrace_diag::{Diagnostic, Span};
use terrace_syntax::{Block, BodySchema, Expr, Step, Traversal};

use super::{Decoder, block, schema};
use crate::parts::ProviderPart;
use crate::{names, statics};

static PROVIDER: LazyLock<BodySchema> = LazyLock::new(|| {
    schema(
        &[
            "alias",
            "version",
            "count",
            "depends_on",
            "for_each",
            "source",
        ],
        vec![
            block("lifecycle", &[]),
            block("locals", &[]),
            block("_", &[]),
        ],
    )
});

impl Decoder<'_> {
    pub(super) fn provider(&mut self, block: &Block) {
        let (content, body) = self.partial_content(&block.body, &PROVIDER);
        let Some(label) = block.labels.first() else {
            return;
        };
        self.local_provider_name(&label.text, label.span);
        let alias = self.string(content.attributes.get("alias"));
        if let Some(attribute) = content.attributes.get("alias")
            && alias.as_ref().is_some_and(|alias| !names::is_valid(alias))
        {
            let detail = format!("An alias must be a valid name. {}", names::NAME_RULE);
            self.problem(
                "invalid-alias",
                "Invalid provider configuration alias",
                detail,
                attribute.value.span,
            );
        }
        let version = self.legacy_version(content.attributes.get("version"));
        for name in ["count", "depends_on", "for_each", "source"] {
            let Some(attribute) = content.attributes.get(name) else {
                continue;
            };
            if name == "for_each" {
                self.not_supported_yet(
                    "\"for_each\" arguments of \"provider\" blocks",
                    attribute.name.span,
                );
                continue;
            }
            self.problem(
                "reserved-argument",
                "Reserved argument name in provider block",
                format!("The provider argument name \"{name}\" is reserved for use by Terrace in a future version."),
                attribute.name.span,
            );
        }
        self.reserved_blocks(&content, &["lifecycle", "locals"], "provider");
        let body = self.unescaped(body, &content);
        self.parts.provider_configs.push(ProviderPart {
            local: LocalProviderConfig {
                local_name: label.text.clone(),
                alias,
            },
            version,
            body,
            span: block.header_span,
        });
    }

    fn legacy_version(
        &mut self,
        attribute: Option<&terrace_syntax::Attribute>,
    ) -> Option<(String, Span)> {
        let attribute = attribute?;
        let span = attribute.value.span;
        self.diagnostics.push(
            Diagnostic::warning(
                "version-in-provider-block",
                "Version constraints inside provider configuration blocks are deprecated",
                "Terraform 0.13 and earlier allowed provider version constraints inside the provider configuration block, but that is now deprecated and will be removed in a future version of Terrace. To silence this warning, move the provider version constraint into the required_providers block.",
            )
            .at(span),
        );
        let text = self.string(Some(attribute))?;
        self.version_constraints(&text, span)?;
        Some((text.to_string(), span))
    }

    /// The provider configuration that the argument `argument` names, `aws` or `aws.west`, and where its name stands.
    pub(super) fn provider_argument(
        &mut self,
        value: &Expr,
        argument: &str,
    ) -> Option<(LocalProviderConfig, Span)> {
        let traversal = if statics::literal_text(value).is_some() {
            statics::traversal_or_quoted(value, &mut self.diagnostics)
        } else {
            statics::traversal(value).ok()
        };
        let Some(traversal) = traversal else {
            self.invalid_provider_reference(argument, value.span);
            return None;
        };
        let local = self.provider_reference(&traversal, value.span, argument)?;
        Some((local, traversal.root.span))
    }

    pub(super) fn invalid_provider_reference(&mut self, argument: &str, span: Span) {
        let detail = format!(
            "The {argument} argument requires a provider type name, optionally followed by a period and then a configuration alias."
        );
        self.problem(
            "invalid-provider-reference",
            "Invalid provider configuration reference",
            detail,
            span,
        );
    }

    /// The provider configuration that a reference names.
    pub(super) fn provider_reference(
        &mut self,
        traversal: &Traversal,
        span: Span,
        argument: &str,
    ) -> Option<LocalProviderConfig> {
        let local_name = traversal.root.name.clone();
        match traversal.steps.as_slice() {
            [] => Some(LocalProviderConfig {
                local_name,
                alias: None,
            }),
            [Step::Attribute(alias)] => Some(LocalProviderConfig {
                local_name,
                alias: Some(alias.name.clone()),
            }),
            [step] => {
                let detail = "Provider name must either stand alone or be followed by a period and then a configuration alias.";
                self.problem(
                    "invalid-provider-reference",
                    "Invalid provider configuration reference",
                    detail,
                    step.span(),
                );
                None
            }
            _ => {
                self.invalid_provider_reference(argument, span);
                None
            }
        }
    }
}

//! `provider` blocks and references to provider configurations.

use std::sync::LazyLock;

use terrace_addr::LocalProviderConfig;
use terrace_diag::{Diagnostic, Span};
use terrace_syntax::{Block, BodySchema, Expr, ExprKind, Step, Traversal};

use super::{Decoder, block, schema};
use crate::parts::{ProviderPart, ProviderReference};
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
        let for_each = content.attributes.get("for_each");
        if let (Some(attribute), None) = (for_each, content.attributes.get("alias")) {
            self.problem(
                "for-each-without-alias",
                "Alias required when using \"for_each\"",
                "Only an alternative provider configuration, one with the \"alias\" argument, can have \"for_each\": a default configuration has exactly one instance, which is chosen where nothing else is said.",
                attribute.name.span,
            );
        }
        for name in ["count", "depends_on", "source"] {
            let Some(attribute) = content.attributes.get(name) else {
                continue;
            };
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
            for_each: for_each.map(|attribute| attribute.value.clone()),
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

    /// As [`Self::provider_argument`]; also `aws.by_region[KEY]`, which chooses one instance of a configuration.
    pub(super) fn provider_instance_argument(
        &mut self,
        value: &Expr,
        argument: &str,
    ) -> Option<ProviderReference> {
        let parsed = self.json_reference(value);
        let value = parsed.as_ref().unwrap_or(value);
        match instance_of(value) {
            Some((configuration, key)) => {
                let mut reference = self.provider_argument(&configuration, argument)?;
                reference.key = Some(key);
                Some(reference)
            }
            None => self.provider_argument(value, argument),
        }
    }

    /// The expression in a text of a JSON file that chooses an instance.
    fn json_reference(&self, value: &Expr) -> Option<Expr> {
        let text =
            statics::literal_text(value).filter(|text| self.is_json && text.contains('['))?;
        // What is parsed stands where the text does, after its quote.
        let start = usize::try_from(value.span.start).ok()? + 1;
        let padded = format!("{:start$}{text}", "");
        let (parsed, problems) = terrace_syntax::parse_expression(value.span.source, &padded);
        (!problems.has_errors()).then_some(parsed)
    }

    /// The provider configuration that the argument `argument` names, `aws` or `aws.west`.
    pub(super) fn provider_argument(
        &mut self,
        value: &Expr,
        argument: &str,
    ) -> Option<ProviderReference> {
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
        Some(ProviderReference {
            local,
            span: traversal.root.span,
            key: None,
        })
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

/// `aws.by_region` and the key of `aws.by_region[KEY]`.
fn instance_of(value: &Expr) -> Option<(Expr, Expr)> {
    match &value.kind {
        ExprKind::Index {
            collection, key, ..
        } if collection.as_traversal()?.steps.len() == 1 => {
            Some(((**collection).clone(), (**key).clone()))
        }
        ExprKind::Traversal(traversal) => match traversal.steps.as_slice() {
            [alias @ Step::Attribute(_), Step::Index { key, span }] => {
                let configuration = Traversal {
                    root: traversal.root.clone(),
                    steps: vec![alias.clone()],
                };
                let key = Expr {
                    kind: ExprKind::Literal(key.clone()),
                    span: *span,
                };
                let span = statics::traversal_span(&configuration);
                let kind = ExprKind::Traversal(configuration);
                Some((Expr { kind, span }, key))
            }
            _ => None,
        },
        _ => None,
    }
}

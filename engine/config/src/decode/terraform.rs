//! `terraform` blocks.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use terrace_addr::version::Constraints;
use terrace_addr::{LocalProviderConfig, Name};
use terrace_diag::Span;
use terrace_syntax::{Attribute, Block, BodySchema, Expr, ExprKind};

use super::{Decoder, block, schema};
use crate::parts::{ProviderMetaPart, RequiredProvider, RequiredProviders, RequiredVersion};
use crate::provider_source::provider_source;
use crate::{Backend, Encryption, names, statics};

static TERRAFORM: LazyLock<BodySchema> = LazyLock::new(|| {
    schema(
        &["required_version", "experiments", "language"],
        vec![
            block("backend", &["type"]),
            block("cloud", &[]),
            block("required_providers", &[]),
            block("provider_meta", &["provider"]),
            block("encryption", &[]),
        ],
    )
});

const NOT_A_CONSTRAINT: &str = "This string does not use correct version constraint syntax.";

impl Decoder<'_> {
    pub(super) fn terraform(&mut self, block: &Block) {
        let content = self.content(&block.body, &TERRAFORM);
        if let Some(attribute) = content.attributes.get("required_version") {
            self.required_version(attribute);
        }
        if let Some(attribute) = content.attributes.get("experiments") {
            self.experiments(attribute);
        }
        if let Some(attribute) = content.attributes.get("language") {
            self.language_edition(attribute);
        }
        for inner in &content.blocks {
            match &*inner.type_name.name {
                "backend" => {
                    if let Some(type_name) = self.name(inner, 0, "backend type") {
                        let body = inner.body.clone();
                        self.parts.backends.push(Backend {
                            type_name,
                            body,
                            span: inner.header_span,
                        });
                    }
                }
                "cloud" => {
                    let body = inner.body.clone();
                    self.parts.clouds.push(Backend {
                        type_name: "cloud".into(),
                        body,
                        span: inner.header_span,
                    });
                }
                "encryption" => {
                    let body = inner.body.clone();
                    self.parts.encryptions.push(Encryption {
                        body,
                        span: inner.header_span,
                    });
                }
                "required_providers" => self.required_providers(inner),
                "provider_meta" => {
                    if let Some(provider) = self.name(inner, 0, "provider name") {
                        let body = inner.body.clone();
                        self.parts.provider_metas.push(ProviderMetaPart {
                            provider,
                            body,
                            span: inner.header_span,
                        });
                    }
                }
                _ => {}
            }
        }
    }

    /// There are no experiments.
    pub(super) fn experiments(&mut self, attribute: &Attribute) {
        self.problem(
            "experiments",
            "Module uses experimental features",
            "Experimental features are intended only for gathering early feedback on new language designs, and so are available only in alpha releases of Terrace.",
            attribute.name.span,
        );
    }

    /// `language`: the one edition of the `terraform` block.
    fn language_edition(&mut self, attribute: &Attribute) {
        let (summary, detail) = match attribute.value.as_keyword().as_deref() {
            Some("TF2021") => return,
            Some(_) => (
                "Unsupported language edition",
                "Terrace only supports language edition TF2021. This module requires another program to read it.",
            ),
            None => (
                "Invalid language edition",
                "The language argument expects a bare language edition keyword. Terrace supports only language edition TF2021, which is the default.",
            ),
        };
        self.problem("unknown-edition", summary, detail, attribute.value.span);
    }

    fn required_version(&mut self, attribute: &Attribute) {
        let Some(value) = self.constant(&attribute.value) else {
            return;
        };
        if value.is_null() {
            return;
        }
        let text = terrace_value::convert::convert(&value, &terrace_value::Type::String);
        let Some(text) = text
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
        else {
            let detail = "A string value is required for the version constraint.";
            self.problem(
                "invalid-version-constraint",
                "Invalid version constraint",
                detail,
                attribute.value.span,
            );
            return;
        };
        if let Some(constraints) = self.version_constraints(&text, attribute.value.span) {
            self.parts.required_versions.push(RequiredVersion {
                text,
                constraints,
                span: attribute.span,
                is_tofu: self.is_tofu,
            });
        }
    }

    /// Reads constraints; a text that holds none is reported.
    pub(super) fn version_constraints(&mut self, text: &str, span: Span) -> Option<Constraints> {
        match text.parse() {
            Ok(constraints) => Some(constraints),
            Err(_) => {
                self.problem(
                    "invalid-version-constraint",
                    "Invalid version constraint",
                    NOT_A_CONSTRAINT,
                    span,
                );
                None
            }
        }
    }

    fn required_providers(&mut self, block: &Block) {
        let (attributes, diagnostics) = block.body.just_attributes();
        self.diagnostics.append(diagnostics);
        let mut entries: BTreeMap<Name, RequiredProvider> = BTreeMap::new();
        for (name, attribute) in attributes {
            self.local_provider_name(&name, attribute.value.span);
            let entry = match &attribute.value.kind {
                ExprKind::Object(_) => self.required_provider(&name, &attribute),
                _ => self.legacy_required_provider(&attribute),
            };
            if let Some(entry) = entry {
                entries.insert(name, entry);
            }
        }
        self.parts.required_providers.push(RequiredProviders {
            entries,
            span: block.header_span,
        });
    }

    /// Complains about a name that is none, or is not in lower case.
    pub(super) fn local_provider_name(&mut self, name: &str, span: Span) {
        let lower = name.to_lowercase();
        if !names::is_valid(name) {
            let detail = format!(
                "{name:?} is an invalid provider local name: must contain only letters, digits, and dashes, and may not use leading or trailing dashes"
            );
            self.problem(
                "invalid-provider-name",
                "Invalid provider local name",
                detail,
                span,
            );
        } else if lower != name {
            let detail = format!(
                "Provider names must be normalized. Replace \"{name}\" with \"{lower}\" to fix this error."
            );
            self.problem(
                "invalid-provider-name",
                "Invalid provider local name",
                detail,
                span,
            );
        }
    }

    /// `name = "constraint"`, as old configurations have it.
    fn legacy_required_provider(&mut self, attribute: &Attribute) -> Option<RequiredProvider> {
        let span = attribute.value.span;
        let Some(text) = statics::literal_text(&attribute.value) else {
            self.problem(
                "invalid-required-provider",
                "Invalid required_providers object",
                "required_providers entries must be strings or objects.",
                span,
            );
            return None;
        };
        self.version_constraints(&text, span)?;
        let version = Some((text.to_string(), span));
        Some(RequiredProvider {
            provider: None,
            version,
            aliases: Vec::new(),
            span: attribute.value.span,
        })
    }

    fn required_provider(
        &mut self,
        name: &Name,
        attribute: &Attribute,
    ) -> Option<RequiredProvider> {
        let mut entry = RequiredProvider {
            provider: None,
            version: None,
            aliases: Vec::new(),
            span: attribute.value.span,
        };
        let items = statics::map(&attribute.value).ok()?;
        for item in items {
            let span = item.value.span;
            match statics::key_text(&item.key).as_deref() {
                Some("version") => match statics::literal_text(&item.value) {
                    Some(text) => {
                        if self.version_constraints(&text, span).is_some() {
                            entry.version = Some((text.to_string(), span));
                        }
                    }
                    None => {
                        let detail = "Version must be specified as a string.";
                        self.problem("invalid-version-constraint", "Invalid version constraint", detail, span);
                    }
                },
                Some("source") => match statics::literal_text(&item.value) {
                    Some(text) => match provider_source(&text) {
                        Ok(provider) => entry.provider = Some(provider),
                        Err((summary, detail)) => self.problem("invalid-provider-source", summary, detail, span),
                    },
                    None => {
                        let detail = "Source must be specified as a string.";
                        self.problem("invalid-provider-source", "Invalid source", detail, span);
                    }
                },
                Some("configuration_aliases") => entry.aliases = self.configuration_aliases(name, &item.value),
                _ => self.problem(
                    "invalid-required-provider",
                    "Invalid required_providers object",
                    "required_providers objects can only contain \"version\", \"source\" and \"configuration_aliases\" attributes. To configure a provider, use a \"provider\" block.",
                    statics::key_span(&item.key),
                ),
            }
        }
        Some(entry)
    }

    fn configuration_aliases(&mut self, name: &Name, value: &Expr) -> Vec<LocalProviderConfig> {
        let items = match statics::list(value) {
            Ok(items) => items,
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                return Vec::new();
            }
        };
        let mut aliases = Vec::new();
        for item in items {
            let traversal = match statics::traversal(item) {
                Ok(traversal) => traversal,
                Err(diagnostic) => {
                    self.diagnostics.push(diagnostic);
                    continue;
                }
            };
            let Some(local) =
                self.provider_reference(&traversal, item.span, "configuration_aliases")
            else {
                continue;
            };
            if local.local_name != *name {
                let detail = format!(
                    "Configuration aliases must be prefixed with the provider name. Expected \"{name}\", but found \"{}\".",
                    local.local_name
                );
                self.problem(
                    "invalid-configuration-alias",
                    "Invalid configuration_aliases value",
                    detail,
                    value.span,
                );
                continue;
            }
            if local.alias.is_some() && !aliases.contains(&local) {
                aliases.push(local);
            }
        }
        aliases
    }
}

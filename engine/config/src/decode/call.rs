//! `module` blocks.

use std::sync::LazyLock;

use terrace_addr::LocalProviderConfig;
use terrace_diag::{Diagnostic, Span};
use terrace_syntax::{Attribute, Block, BodySchema, Content, Expr, ExprKind, ObjectKey};
use terrace_value::convert::convert;
use terrace_value::{Text, Type, Value};

use super::resource::{first_lifecycle, is_evaluated};
use super::{Decoder, block, schema};
use crate::early::source_problem;
use crate::parts::{CallPart, Early, ProviderReference};
use crate::{ProviderPassed, statics};

static CALL: LazyLock<BodySchema> = LazyLock::new(|| {
    let blocks = || {
        vec![
            block("lifecycle", &[]),
            block("locals", &[]),
            block("provider", &["type"]),
            block("_", &[]),
        ]
    };
    let mut schema = schema(
        &[
            "source",
            "version",
            "count",
            "for_each",
            "depends_on",
            "providers",
        ],
        blocks(),
    );
    schema.attributes[0].required = true;
    schema
});

static CALL_OVERRIDE: LazyLock<BodySchema> = LazyLock::new(|| {
    let mut schema = CALL.clone();
    schema.attributes[0].required = false;
    schema
});

static CALL_LIFECYCLE: LazyLock<BodySchema> = LazyLock::new(|| BodySchema::of(&["enabled"], &[]));

impl Decoder<'_> {
    pub(super) fn call(&mut self, block: &Block) {
        let schema = if self.is_override {
            &*CALL_OVERRIDE
        } else {
            &*CALL
        };
        let (content, rest) = self.partial_content(&block.body, schema);
        let Some(name) = self.name(block, 0, "module instance name") else {
            return;
        };
        let version = content
            .attributes
            .get("version")
            .and_then(|attribute| self.call_version(attribute));
        let has_version = content.attributes.contains_key("version");
        let source = content
            .attributes
            .get("source")
            .and_then(|attribute| self.source(attribute, has_version));
        let enabled = self.call_lifecycle(&content);
        let repetition = self.repetition(&content, enabled.as_ref());
        let depends_on = self.depends_on(content.attributes.get("depends_on"));
        let providers = content
            .attributes
            .get("providers")
            .map(|attribute| self.providers(&attribute.value));
        self.reserved_blocks(&content, &["locals", "provider"], "module");
        let rest = self.unescaped(rest, &content);
        // Whatever is left is an input; that the module has such a variable is checked when it is known.
        let (attributes, _) = rest.just_attributes();
        let (_, diagnostics) = rest.content(&BodySchema {
            attributes: attributes
                .keys()
                .map(|name| terrace_syntax::AttributeSchema {
                    name: name.clone(),
                    required: false,
                })
                .collect(),
            blocks: Vec::new(),
        });
        self.diagnostics.append(diagnostics);
        self.parts.calls.push(CallPart {
            name,
            source,
            version,
            inputs: attributes
                .into_iter()
                .map(|(name, attribute)| (name, (attribute.value, attribute.name.span)))
                .collect(),
            repetition,
            depends_on,
            providers,
            overridden: false,
            span: block.header_span,
            missing_span: content.missing_span,
        });
    }

    /// `enabled` of the call's `lifecycle` block, which holds nothing else.
    fn call_lifecycle(&mut self, content: &Content) -> Option<(Expr, Span)> {
        let lifecycle =
            first_lifecycle(content).map(|block| self.content(&block.body, &CALL_LIFECYCLE));
        self.refuse_further_lifecycles(content, "module call");
        let enabled = lifecycle.as_ref()?.attributes.get("enabled")?;
        Some((enabled.value.clone(), enabled.name.span))
    }

    fn call_version(&mut self, attribute: &Attribute) -> Option<(Early<String>, Span)> {
        let span = attribute.value.span;
        if is_evaluated(&attribute.value) {
            return Some((Early::Expression(attribute.value.clone()), span));
        }
        let value = self.constant(&attribute.value)?;
        let text = convert(&value, &Type::String).ok().filter(Value::is_known);
        let Some(text) = text.as_ref().and_then(Value::as_str) else {
            let detail = "A string value is required for the version constraint.";
            self.problem(
                "invalid-version-constraint",
                "Invalid version constraint",
                detail,
                span,
            );
            return None;
        };
        self.version_constraints(text, span)?;
        Some((Early::Constant(text.to_owned()), span))
    }

    fn source(&mut self, attribute: &Attribute, has_version: bool) -> Option<(Early<Text>, Span)> {
        if is_evaluated(&attribute.value) {
            let span = attribute.value.span;
            return Some((Early::Expression(attribute.value.clone()), span));
        }
        let text = self.string(Some(attribute))?;
        let span = attribute.value.span;
        if let Some(problem) = source_problem(&text, has_version, span) {
            self.diagnostics.push(problem);
            return None;
        }
        Some((Early::Constant(text), span))
    }

    fn providers(&mut self, value: &Expr) -> Vec<ProviderPassed> {
        let items = match statics::map(value) {
            Ok(items) => items,
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                return Vec::new();
            }
        };
        let mut passed: Vec<ProviderPassed> = Vec::new();
        for item in items {
            let in_child = match &item.key {
                ObjectKey::Name(ident) => {
                    let local = LocalProviderConfig {
                        local_name: ident.name.clone(),
                        alias: None,
                    };
                    Some(ProviderReference {
                        local,
                        span: ident.span,
                        key: None,
                    })
                }
                ObjectKey::Expr(Expr {
                    kind: ExprKind::Parens(_),
                    span,
                    ..
                }) => {
                    self.invalid_provider_reference("providers", *span);
                    None
                }
                ObjectKey::Expr(key) => self.provider_argument(key, "providers"),
            };
            let in_parent = self.provider_instance_argument(&item.value, "providers");
            let (Some(child), Some(parent)) = (in_child, in_parent) else {
                continue;
            };
            let in_child = child.local;
            let span = statics::key_span(&item.key).to(item.value.span);
            if let Some(first) = passed.iter().find(|passed| passed.in_child == in_child) {
                let detail = format!(
                    "A provider configuration was already passed to {in_child} at {}. Each child provider configuration can be assigned only once.",
                    self.place(first.span)
                );
                self.diagnostics.push(
                    Diagnostic::error(
                        "provider-passed-twice",
                        "Duplicate provider address",
                        detail,
                    )
                    .at(item.value.span),
                );
                continue;
            }
            passed.push(ProviderPassed {
                in_child,
                in_parent: parent.local,
                parent_key: parent.key,
                span,
                child_span: child.span,
                parent_span: parent.span,
            });
        }
        passed
    }
}

/// Whether a source is a path relative to the calling module.
pub(crate) fn is_local_source(source: &str) -> bool {
    source == "." || source == ".." || source.starts_with("./") || source.starts_with("../")
}

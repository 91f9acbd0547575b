//! `provisioner` and `connection` blocks.

use std::sync::LazyLock;

use terrace_diag::Span;
use terrace_syntax::{Attribute, Block, Body, BodySchema, Step, Traversal};
use terrace_value::Text;

use super::{Decoder, block, schema};
use crate::references::references;
use crate::{Provisioner, ProvisionerFailure, ProvisionerWhen, statics};

static PROVISIONER: LazyLock<BodySchema> = LazyLock::new(|| {
    schema(
        &["when", "on_failure"],
        vec![block("connection", &[]), block("lifecycle", &[])],
    )
});

/// Provisioners that the language once had.
const REMOVED: [&str; 4] = ["chef", "habitat", "puppet", "salt-masterless"];

impl Decoder<'_> {
    pub(super) fn provisioner(&mut self, block: &Block) -> Option<Provisioner> {
        let type_name = block.labels.first()?.text.clone();
        let label_span = block.labels.first()?.span;
        let (content, body) = self.partial_content(&block.body, &PROVISIONER);
        if REMOVED.contains(&&*type_name) {
            self.problem(
                "provisioner-removed",
                format!("The \"{type_name}\" provisioner has been removed"),
                format!(
                    "The \"{type_name}\" provisioner was deprecated in Terraform 0.13.4 has been removed from Terrace. Visit https://learn.hashicorp.com/collections/terraform/provision for alternatives to using provisioners that are a better fit for the Terrace workflow."
                ),
                label_span,
            );
            return None;
        }
        let when = self.when(content.attributes.get("when"));
        let on_failure = self.on_failure(content.attributes.get("on_failure"));
        self.reserved_blocks(&content, &["lifecycle"], "provisioner");
        let mut connection: Option<(Body, Span)> = None;
        for inner in content
            .blocks
            .iter()
            .filter(|inner| &*inner.type_name.name == "connection")
        {
            if let Some((_, first)) = &connection {
                let detail = format!(
                    "This provisioner already has a connection block at {}.",
                    self.place(*first)
                );
                self.problem(
                    "duplicate-connection",
                    "Duplicate connection block",
                    detail,
                    inner.header_span,
                );
                continue;
            }
            if when == ProvisionerWhen::Destroy {
                self.destroy_references(&inner.body);
            }
            connection = Some((inner.body.clone(), inner.header_span));
        }
        if when == ProvisionerWhen::Destroy {
            self.destroy_references(&body);
        }
        Some(Provisioner {
            type_name,
            body,
            when,
            on_failure,
            connection: connection.map(|(body, _)| body),
            span: block.header_span,
        })
    }

    /// A keyword, which old configurations quote.
    fn keyword(&mut self, attribute: &Attribute) -> Option<Text> {
        if let Some(keyword) = attribute.value.as_keyword() {
            return Some(keyword);
        }
        let text = statics::literal_text(&attribute.value)?;
        self.diagnostics
            .push(statics::quoted_deprecated(attribute.value.span, "keyword"));
        Some(text)
    }

    fn when(&mut self, attribute: Option<&Attribute>) -> ProvisionerWhen {
        let Some(attribute) = attribute else {
            return ProvisionerWhen::Create;
        };
        match self.keyword(attribute).as_deref() {
            Some("create") => ProvisionerWhen::Create,
            Some("destroy") => ProvisionerWhen::Destroy,
            _ => {
                self.problem(
                    "invalid-when",
                    "Invalid \"when\" keyword",
                    "The \"when\" argument requires one of the following keywords: create or destroy.",
                    attribute.value.span,
                );
                ProvisionerWhen::Create
            }
        }
    }

    fn on_failure(&mut self, attribute: Option<&Attribute>) -> ProvisionerFailure {
        let Some(attribute) = attribute else {
            return ProvisionerFailure::Fail;
        };
        match self.keyword(attribute).as_deref() {
            Some("continue") => ProvisionerFailure::Continue,
            Some("fail") => ProvisionerFailure::Fail,
            _ => {
                self.problem(
                    "invalid-on-failure",
                    "Invalid \"on_failure\" keyword",
                    "The \"on_failure\" argument requires one of the following keywords: continue or fail.",
                    attribute.value.span,
                );
                ProvisionerFailure::Fail
            }
        }
    }

    /// When an object is destroyed, nothing else may be referred to.
    pub(super) fn destroy_references(&mut self, body: &Body) {
        let (attributes, _) = body.just_attributes();
        for attribute in attributes.values() {
            for _ in references(&attribute.value)
                .iter()
                .filter(|reference| !is_allowed_on_destroy(reference))
            {
                self.problem(
                    "destroy-reference",
                    "Invalid reference from destroy provisioner",
                    "Destroy-time provisioners and their connection configurations may only reference attributes of the related resource, via 'self', 'count.index', or 'each.key'.\n\nReferences to other resources during the destroy phase can cause dependency cycles and interact poorly with create_before_destroy.",
                    attribute.value.span,
                );
            }
        }
    }
}

fn is_allowed_on_destroy(reference: &Traversal) -> bool {
    let second = match reference.steps.first() {
        Some(Step::Attribute(ident)) => Some(&*ident.name),
        _ => None,
    };
    match &*reference.root.name {
        "self" | "path" | "terraform" | "tofu" => true,
        "count" => second == Some("index"),
        "each" => second == Some("key"),
        _ => false,
    }
}

//! `moved`, `removed` and `import`.

use std::sync::LazyLock;

use terrace_addr::{ResourceMode, Target};
use terrace_diag::{Diagnostic, Span};
use terrace_syntax::{Attribute, Block, BodySchema};

use super::address::{ATTRIBUTE_IN_ADDRESS, Address, dynamic_address, static_address};
use super::{Decoder, block, schema, schema_with_required};
use crate::parts::ImportPart;
use crate::{ImportBlock, Moved, MovedEndpoint, ProvisionerWhen, Removed, RemovedFrom};

static MOVED: LazyLock<BodySchema> =
    LazyLock::new(|| schema_with_required(&["from", "to"], &[], &[]));

static REMOVED: LazyLock<BodySchema> = LazyLock::new(|| {
    let mut schema = schema(
        &["from"],
        vec![
            block("lifecycle", &[]),
            block("provisioner", &["type"]),
            block("connection", &[]),
        ],
    );
    schema.attributes[0].required = true;
    schema
});

static REMOVED_LIFECYCLE: LazyLock<BodySchema> =
    LazyLock::new(|| BodySchema::of(&["destroy"], &[]));

static IMPORT: LazyLock<BodySchema> = LazyLock::new(|| {
    schema_with_required(&["to"], &["id", "identity", "for_each", "provider"], &[])
});

impl Decoder<'_> {
    pub(super) fn moved(&mut self, block: &Block) {
        if self.is_override {
            self.problem(
                "override-not-allowed",
                "Cannot override 'moved' blocks",
                "Records of moved objects can appear only in normal files, not in override files.",
                block.header_span,
            );
            return;
        }
        let content = self.content(&block.body, &MOVED);
        let from = content
            .attributes
            .get("from")
            .and_then(|attribute| self.endpoint(attribute));
        let to = content
            .attributes
            .get("to")
            .and_then(|attribute| self.endpoint(attribute));
        let (Some(from), Some(to)) = (from, to) else {
            return;
        };
        let is_module = |endpoint: &MovedEndpoint| matches!(endpoint.0, Target::Module(_));
        if is_module(&from) != is_module(&to) {
            self.problem(
                "moved-mismatch",
                "Invalid \"moved\" addresses",
                "The \"from\" and \"to\" addresses must either both refer to resources or both refer to modules.",
                block.header_span,
            );
            return;
        }
        self.parts.moved.push(Moved {
            from,
            to,
            span: block.header_span,
        });
    }

    fn endpoint(&mut self, attribute: &Attribute) -> Option<MovedEndpoint> {
        match static_address(&attribute.value) {
            Ok(address) => Some((address.target(), attribute.value.span)),
            Err(problem) => {
                self.diagnostics.push(problem);
                None
            }
        }
    }

    pub(super) fn removed(&mut self, block: &Block) {
        let content = self.content(&block.body, &REMOVED);
        let from = content
            .attributes
            .get("from")
            .and_then(|attribute| self.removed_from(attribute));
        let mut destroy = true;
        let mut provisioners = Vec::new();
        let mut connection: Option<(terrace_syntax::Body, Span)> = None;
        for inner in &content.blocks {
            match &*inner.type_name.name {
                "lifecycle" => {
                    let lifecycle = self.content(&inner.body, &REMOVED_LIFECYCLE);
                    if let Some(value) = self.bool(lifecycle.attributes.get("destroy")) {
                        destroy = value;
                    }
                }
                "connection" => match &connection {
                    Some((_, first)) => {
                        let detail = format!(
                            "This \"removed\" block already has a connection block at {}.",
                            self.place(*first)
                        );
                        self.problem(
                            "duplicate-connection",
                            "Duplicate connection block",
                            detail,
                            inner.header_span,
                        );
                    }
                    None => connection = Some((inner.body.clone(), inner.header_span)),
                },
                _ => {
                    if matches!(from, Some(RemovedFrom::Module(_))) {
                        self.problem(
                            "provisioner-on-removed-module",
                            "Invalid provisioner block",
                            "Provisioners are valid only when a removed block targets a managed resource.",
                            inner.header_span,
                        );
                    } else if let Some(provisioner) = self.provisioner(inner) {
                        if provisioner.when != ProvisionerWhen::Destroy {
                            self.problem(
                                "creation-provisioner-on-removed",
                                "Invalid provisioner block",
                                "Only destroy-time provisioners are valid in \"removed\" blocks. To declare a destroy-time provisioner, use:\n    when = destroy",
                                inner.header_span,
                            );
                        }
                        provisioners.push(provisioner);
                    }
                }
            }
        }
        if let Some(from) = from {
            self.parts.removed.push(Removed {
                from,
                destroy,
                provisioners,
                connection: connection.map(|(body, _)| body),
                span: block.header_span,
            });
        }
    }

    fn removed_from(&mut self, attribute: &Attribute) -> Option<RemovedFrom> {
        match static_address(&attribute.value).and_then(|address| without_keys(&address, attribute))
        {
            Ok(from) => Some(from),
            Err(problem) if problem.id == ATTRIBUTE_IN_ADDRESS => {
                self.diagnostics.extend(problem.subject.map(resource_key));
                None
            }
            Err(problem) => {
                self.diagnostics.push(problem);
                None
            }
        }
    }

    pub(super) fn import(&mut self, block: &Block) {
        if self.is_override {
            self.problem(
                "override-not-allowed",
                "Cannot override 'import' blocks",
                "Import blocks can appear only in normal files, not in override files.",
                block.header_span,
            );
            return;
        }
        let content = self.content(&block.body, &IMPORT);
        let id = content.attributes.get("id");
        let identity = content.attributes.get("identity");
        if identity.is_none() && id.is_none() {
            let detail = "The argument \"id\" is required, but no definition was found.";
            self.problem(
                "missing-argument",
                "Missing required argument",
                detail,
                content.missing_span,
            );
        }
        let provider_config = content
            .attributes
            .get("provider")
            .and_then(|attribute| self.provider_argument(&attribute.value, "provider"));
        let Some(to) = content.attributes.get("to") else {
            return;
        };
        let found = match dynamic_address(&to.value) {
            Ok(address) => match &address.resource {
                Some((resource, _)) => Some((resource.clone(), address)),
                None => {
                    let detail = "A resource instance address is required here. The module path must be followed by a resource instance specification.";
                    self.problem("invalid-address", "Invalid address", detail, to.value.span);
                    None
                }
            },
            Err(problem) => {
                self.diagnostics.push(problem);
                None
            }
        };
        let Some((resource, address)) =
            found.filter(|(resource, _)| resource.mode == ResourceMode::Managed)
        else {
            let detail = "Only managed resources can be imported.";
            self.problem(
                "invalid-import-address",
                "Invalid import address",
                detail,
                to.span,
            );
            return;
        };
        if id.is_none() && identity.is_none() {
            return;
        }
        self.parts.imports.push(ImportPart {
            block: ImportBlock {
                to: to.value.clone(),
                resource: (address.module.clone(), resource),
                id: id.map(|attribute| attribute.value.clone()),
                identity: identity.map(|attribute| attribute.value.clone()),
                for_each: content
                    .attributes
                    .get("for_each")
                    .map(|attribute| attribute.value.clone()),
                provider_config: provider_config.map(|reference| reference.local),
                span: block.header_span,
            },
            static_target: address.is_static().then(|| address.target()),
            provider_span: content
                .attributes
                .get("provider")
                .map(|attribute| attribute.span),
        });
    }
}

/// What a `removed` block names: no instance of anything.
fn without_keys(address: &Address, attribute: &Attribute) -> Result<RemovedFrom, Diagnostic> {
    if let Some(span) = address.module_key_span {
        return Err(Diagnostic::error(
            "removed-instance",
            "Module instance keys not allowed",
            "Module address must be a module (e.g. \"module.foo\"), not a module instance (e.g. \"module.foo[1]\").",
        )
        .at(span));
    }
    let path = address.module.path();
    match &address.resource {
        None => Ok(RemovedFrom::Module(path)),
        Some((_, Some(key))) => Err(resource_key(key.span)),
        Some((resource, None)) if resource.mode == ResourceMode::Data => Err(Diagnostic::error(
            "removed-data",
            "Data source address not allowed",
            "Data sources are never destroyed, so they are not valid targets of removed blocks. To remove the data source from state, remove the data source block from configuration.",
        )
        .at(attribute.value.span)),
        Some((resource, None)) if resource.mode == ResourceMode::Ephemeral => Err(Diagnostic::error(
            "removed-ephemeral",
            "Ephemeral resource address not allowed",
            "Ephemeral resources are never in the state, so they are not valid targets of removed blocks. Remove the block.",
        )
        .at(attribute.value.span)),
        Some((resource, None)) => Ok(RemovedFrom::Resource(path, resource.clone())),
    }
}

fn resource_key(span: Span) -> Diagnostic {
    Diagnostic::error(
        "removed-instance",
        "Resource instance keys not allowed",
        "Resource address must be a resource (e.g. \"test_instance.foo\"), not a resource instance (e.g. \"test_instance.foo[1]\").",
    )
    .at(span)
}

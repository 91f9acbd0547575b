//! `resource`, `data` and `ephemeral` blocks.

use std::sync::LazyLock;

use terrace_addr::{Name, Resource, ResourceMode};
use terrace_diag::{Diagnostic, Span};
use terrace_syntax::{Attribute, Block, Body, BodySchema, Content, Expr, ExprKind, Traversal};

use super::{Decoder, block, schema};
use crate::merge_body::join_bodies;
use crate::parts::{Early, LifecyclePart, ResourcePart};
use crate::references::references;
use crate::{IgnoreChanges, ProvisionerWhen, statics};

const ARGUMENTS: [&str; 4] = ["count", "for_each", "provider", "depends_on"];

static MANAGED: LazyLock<BodySchema> = LazyLock::new(|| {
    schema(
        &ARGUMENTS,
        vec![
            block("lifecycle", &[]),
            block("connection", &[]),
            block("provisioner", &["type"]),
            block("locals", &[]),
            block("_", &[]),
        ],
    )
});

static DATA: LazyLock<BodySchema> = LazyLock::new(|| {
    schema(
        &ARGUMENTS,
        vec![
            block("lifecycle", &[]),
            block("locals", &[]),
            block("_", &[]),
        ],
    )
});

static LIFECYCLE: LazyLock<BodySchema> = LazyLock::new(|| {
    BodySchema::of(
        &[
            "create_before_destroy",
            "prevent_destroy",
            "ignore_changes",
            "replace_triggered_by",
            "enabled",
            "destroy",
        ],
        &["precondition", "postcondition"],
    )
});

fn lifecycles(content: &Content) -> impl Iterator<Item = &Block> {
    content
        .blocks
        .iter()
        .filter(|inner| &*inner.type_name.name == "lifecycle")
}

/// The `lifecycle` block that counts.
pub(super) fn first_lifecycle(content: &Content) -> Option<&Block> {
    lifecycles(content).next()
}

impl Decoder<'_> {
    pub(super) fn managed_resource(&mut self, block: &Block) {
        let (content, rest) = self.partial_content(&block.body, &MANAGED);
        let type_name = self.name(block, 0, "resource type name");
        let name = self.name(block, 1, "resource name");
        let (Some(type_name), Some(name)) = (type_name, name) else {
            return;
        };
        let resource = Resource {
            mode: ResourceMode::Managed,
            type_name,
            name,
        };
        let mut part = self.common(block, resource, rest, &content, "resource");
        part.repetition = self.repetition(&content, part.lifecycle.enabled.as_ref());
        let mut connection: Option<(Body, Span)> = None;
        for inner in &content.blocks {
            match &*inner.type_name.name {
                "connection" => match &connection {
                    Some((_, first)) => {
                        let detail = format!(
                            "This resource already has a connection block at {}.",
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
                "provisioner" => part.provisioners.extend(self.provisioner(inner)),
                _ => {}
            }
        }
        part.connection = connection.map(|(body, _)| body);
        if let Some(connection) = &part.connection
            && part
                .provisioners
                .iter()
                .any(|provisioner| provisioner.when == ProvisionerWhen::Destroy)
        {
            self.destroy_references(connection);
        }
        self.parts.resources.push(part);
    }

    /// A data resource, which may stand in a `check` block.
    pub(super) fn data_resource(&mut self, block: &Block, in_check: Option<&Name>) {
        let (content, rest) = self.partial_content(&block.body, &DATA);
        let type_name = self.name(block, 0, "data source name");
        let name = self.name(block, 1, "data source name");
        let (Some(type_name), Some(name)) = (type_name, name) else {
            return;
        };
        let resource = Resource {
            mode: ResourceMode::Data,
            type_name,
            name,
        };
        let mut part = self.common(block, resource, rest, &content, "data");
        if in_check.is_some() {
            self.not_in_scoped_data(&content);
        } else {
            part.repetition = self.repetition(&content, part.lifecycle.enabled.as_ref());
        }
        part.in_check = in_check.cloned();
        self.parts.resources.push(part);
    }

    /// The data resource of a `check` block.
    pub(super) fn scoped_data(&mut self, block: &Block, check: &Name) -> Option<Resource> {
        let before = self.parts.resources.len();
        self.data_resource(block, Some(check));
        self.parts
            .resources
            .get(before)
            .map(|part| part.resource.clone())
    }

    fn not_in_scoped_data(&mut self, content: &Content) {
        for name in ["count", "for_each"] {
            if let Some(attribute) = content.attributes.get(name) {
                self.problem(
                    "repeated-scoped-data",
                    format!("Invalid \"{name}\" attribute"),
                    "The \"count\" and \"for_each\" meta-arguments are not supported within nested data blocks.",
                    attribute.name.span,
                );
            }
        }
        for inner in content
            .blocks
            .iter()
            .filter(|inner| &*inner.type_name.name == "lifecycle")
        {
            self.problem(
                "lifecycle-of-scoped-data",
                "Invalid lifecycle block",
                "Nested data blocks do not support \"lifecycle\" blocks as the lifecycle is managed by the containing block.",
                inner.header_span,
            );
        }
    }

    pub(super) fn ephemeral_resource(&mut self, block: &Block) {
        let (content, rest) = self.partial_content(&block.body, &DATA);
        let type_name = self.name(block, 0, "ephemeral resource type");
        let name = self.name(block, 1, "ephemeral resource name");
        let (Some(type_name), Some(name)) = (type_name, name) else {
            return;
        };
        let resource = Resource {
            mode: ResourceMode::Ephemeral,
            type_name,
            name,
        };
        let mut part = self.common(block, resource, rest, &content, "ephemeral");
        part.repetition = self.repetition(&content, part.lifecycle.enabled.as_ref());
        self.parts.resources.push(part);
    }

    /// What the three kinds have in common.
    fn common(
        &mut self,
        block: &Block,
        resource: Resource,
        rest: Body,
        content: &Content,
        kind: &str,
    ) -> ResourcePart {
        self.reserved_blocks(content, &["locals"], kind);
        let provider = content
            .attributes
            .get("provider")
            .and_then(|attribute| self.provider_instance_argument(&attribute.value, "provider"));
        let mode = resource.mode;
        ResourcePart {
            resource,
            body: self.unescaped(rest, content),
            repetition: None,
            provider,
            depends_on: self.depends_on(content.attributes.get("depends_on")),
            lifecycle: self.lifecycle(content, mode),
            connection: None,
            provisioners: Vec::new(),
            in_check: None,
            span: block.header_span,
        }
    }

    /// A body with the content of its `_` block, where names stand that the language would take for its own.
    pub(super) fn unescaped(&mut self, body: Body, content: &Content) -> Body {
        let mut result = body;
        let mut first: Option<Span> = None;
        for inner in content
            .blocks
            .iter()
            .filter(|inner| &*inner.type_name.name == "_")
        {
            if let Some(first) = first {
                let detail = format!(
                    "The special block type \"_\" can be used to force particular arguments to be interpreted as resource-type-specific rather than as meta-arguments, but each resource block can have only one such block. The first escaping block was at {}.",
                    self.place(first)
                );
                self.problem(
                    "duplicate-escape-block",
                    "Duplicate escaping block",
                    detail,
                    inner.header_span,
                );
                continue;
            }
            first = Some(inner.header_span);
            result = join_bodies(&result, &inner.body);
        }
        result
    }

    fn lifecycle(&mut self, content: &Content, mode: ResourceMode) -> LifecyclePart {
        let part = first_lifecycle(content)
            .map(|block| self.lifecycle_block(block, mode))
            .unwrap_or_default();
        self.refuse_further_lifecycles(content, "resource");
        part
    }

    /// An error for each `lifecycle` block of `what` behind the first.
    pub(super) fn refuse_further_lifecycles(&mut self, content: &Content, what: &str) {
        let mut blocks = lifecycles(content);
        let Some(first) = blocks.next() else {
            return;
        };
        for again in blocks {
            let detail = format!(
                "This {what} already has a lifecycle block at {}.",
                self.place(first.header_span)
            );
            self.problem(
                "duplicate-lifecycle",
                "Duplicate lifecycle block",
                detail,
                again.header_span,
            );
        }
    }

    fn lifecycle_block(&mut self, block: &Block, mode: ResourceMode) -> LifecyclePart {
        let content = self.content(&block.body, &LIFECYCLE);
        let enabled = content.attributes.get("enabled");
        let mut part = LifecyclePart {
            enabled: enabled.map(|attribute| (attribute.value.clone(), attribute.name.span)),
            ..LifecyclePart::default()
        };
        if mode == ResourceMode::Managed {
            part.create_before_destroy = self.bool(content.attributes.get("create_before_destroy"));
            part.prevent_destroy = content
                .attributes
                .get("prevent_destroy")
                .and_then(|attribute| Some((self.early_bool(attribute)?, attribute.span)));
            part.destroy = self.bool(content.attributes.get("destroy"));
            part.ignore_changes = content
                .attributes
                .get("ignore_changes")
                .and_then(|attribute| self.ignore_changes(attribute));
            part.replace_triggered_by = content
                .attributes
                .get("replace_triggered_by")
                .and_then(|attribute| self.replace_triggered_by(attribute));
        } else {
            self.only_for_managed(&content, mode);
        }
        for inner in &content.blocks {
            if self.is_override {
                self.not_in_override(inner);
            }
            match &*inner.type_name.name {
                "precondition" => part.preconditions.extend(self.rule(inner, "precondition")),
                _ => part
                    .postconditions
                    .extend(self.rule(inner, "postcondition")),
            }
        }
        part
    }

    /// A truth that may depend on what is known when it is planned.
    fn early_bool(&mut self, attribute: &Attribute) -> Option<Early<bool>> {
        if is_evaluated(&attribute.value) {
            return Some(Early::Expression(attribute.value.clone()));
        }
        self.bool(Some(attribute)).map(Early::Constant)
    }

    fn only_for_managed(&mut self, content: &Content, mode: ResourceMode) {
        let kind = if mode == ResourceMode::Data {
            "data"
        } else {
            "ephemeral"
        };
        for name in [
            "ignore_changes",
            "replace_triggered_by",
            "create_before_destroy",
            "prevent_destroy",
            "destroy",
        ] {
            let Some(attribute) = content.attributes.get(name) else {
                continue;
            };
            self.problem(
                "lifecycle-of-unmanaged",
                format!("Invalid {kind} resource lifecycle argument"),
                format!(
                    "The lifecycle argument \"{name}\" is defined only for managed resources (\"resource\" blocks), and is not valid for {kind} resources."
                ),
                attribute.name.span,
            );
        }
    }

    fn ignore_changes(&mut self, attribute: &Attribute) -> Option<IgnoreChanges> {
        if attribute.value.as_keyword().as_deref() == Some("all") {
            return Some(IgnoreChanges::All);
        }
        let items = match statics::list(&attribute.value) {
            Ok(items) => items,
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                return None;
            }
        };
        let mut wildcard: Option<Span> = None;
        let mut these: Vec<Traversal> = Vec::new();
        for item in items {
            if statics::literal_text(item).as_deref() == Some("*") {
                wildcard = Some(item.span);
                self.problem(
                    "ignore-changes-wildcard",
                    "Invalid ignore_changes wildcard",
                    "The [\"*\"] form of ignore_changes wildcard is was deprecated and is now invalid. Use \"ignore_changes = all\" to ignore changes to all attributes.",
                    attribute.value.span,
                );
                continue;
            }
            these.extend(statics::traversal_or_quoted(item, &mut self.diagnostics));
        }
        if let Some(span) = wildcard
            && !these.is_empty()
        {
            let detail = "Cannot mix wildcard string \"*\" with non-wildcard references.";
            self.problem(
                "ignore-changes-wildcard",
                "Invalid ignore_changes ruleset",
                detail,
                span,
            );
        }
        Some(IgnoreChanges::These(these))
    }

    fn replace_triggered_by(&mut self, attribute: &Attribute) -> Option<Vec<Expr>> {
        let items = match statics::list(&attribute.value) {
            Ok(items) => items,
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                return None;
            }
        };
        let mut expressions = Vec::new();
        for item in items {
            let expression = match (&item.kind, item.as_traversal()) {
                (ExprKind::Literal(_), Some(traversal)) => Expr {
                    kind: ExprKind::Traversal(traversal),
                    span: item.span,
                },
                _ => item.clone(),
            };
            let problems = trigger_problems(&expression);
            let failed = !problems.is_empty();
            self.diagnostics.extend(problems);
            if failed {
                break;
            }
            expressions.push(expression);
        }
        Some(expressions)
    }
}

/// Whether an expression is more than a constant: it refers to something, or calls a function.
pub(super) fn is_evaluated(expression: &Expr) -> bool {
    !references(expression).is_empty() || !expression.calls().is_empty()
}

/// What is wrong with an element of `replace_triggered_by`: it must name one resource.
fn trigger_problems(expression: &Expr) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut resources = 0;
    for reference in references(expression) {
        let second = match reference.steps.first() {
            Some(terrace_syntax::Step::Attribute(ident)) => Some(&*ident.name),
            _ => None,
        };
        match (&*reference.root.name, second) {
            ("count", Some("index")) | ("each", Some("key")) => {}
            ("var" | "local" | "module" | "path" | "terraform" | "self" | "count" | "each", _) => problems.push(
                Diagnostic::error(
                    "invalid-trigger",
                    "Invalid reference in replace_triggered_by expression",
                    "Only resources, count.index, and each.key may be used in replace_triggered_by.",
                )
                .at(expression.span),
            ),
            (_, None) => problems.push(
                Diagnostic::error(
                    "invalid-reference",
                    "Invalid reference",
                    "A reference to a resource type must be followed by at least one attribute access, specifying the resource name.",
                )
                .at(statics::traversal_span(reference)),
            ),
            _ => resources += 1,
        }
    }
    let text = match resources {
        1 => return problems,
        0 => "Missing resource reference in replace_triggered_by expression.",
        _ => "Multiple resource references in replace_triggered_by expression.",
    };
    if resources > 1
        || problems
            .iter()
            .all(|problem| problem.id != "invalid-reference")
    {
        problems.push(
            Diagnostic::error(
                "invalid-trigger",
                "Invalid replace_triggered_by expression",
                text,
            )
            .at(expression.span),
        );
    }
    problems
}

//! Whether what an expression refers to is there.

use terrace_addr::{Resource, ResourceMode};
use terrace_config::{ForEachOrCount, ModuleNode, ResourceConfig};
use terrace_diag::{Diagnostic, Span, nearest};
use terrace_schema::{Block, BlockNesting};
use terrace_syntax::{Expr, Ident, Step, Traversal};
use terrace_value::{Text, Value};

use super::suggest::did_you_mean;
use super::{Reference, Subject};
use crate::expression::{Frame, Run, traversal_span};
use crate::visit;

impl Run<'_> {
    /// Complains about every reference in `expression` that leads nowhere, whether or not it will be evaluated.
    pub(crate) fn check_references(&mut self, expression: &Expr, frame: Option<&Frame<'_>>) {
        visit::traversals(expression, &mut |traversal| {
            let name = &*traversal.root.name;
            if frame.is_some_and(|frame| frame.get(name).is_some())
                || self.scope.variables.contains_key(name)
            {
                return;
            }
            self.check_reference(traversal);
        });
    }

    /// Complains if the reference leads nowhere.
    pub(crate) fn check_reference(&mut self, traversal: &Traversal) {
        let problem = match Reference::of(traversal) {
            Ok(reference) => self.problem(traversal, &reference),
            Err(diagnostic) => Some(diagnostic),
        };
        if let Some(diagnostic) = problem {
            self.error(|| diagnostic);
        }
    }

    fn problem(&self, traversal: &Traversal, reference: &Reference<'_>) -> Option<Diagnostic> {
        let node = self.node?;
        let span = reference.span(traversal);
        if self.scope.only_self
            && !matches!(&reference.subject, Subject::SelfObject | Subject::Count(_))
            && !matches!(&reference.subject, Subject::Each(ident) if &*ident.name == "key")
        {
            return Some(from_destroy_provisioner(span));
        }
        match &reference.subject {
            Subject::Variable(ident) => (!node.module.variables.contains_key(&ident.name)
                && !self.scope.inputs.contains_key(&ident.name))
            .then(|| undeclared_variable(node, ident, span)),
            Subject::Local(ident) => (!node.module.locals.contains_key(&ident.name))
                .then(|| undeclared_local(node, ident, span)),
            Subject::Count(ident) => self.count_problem(ident, span),
            Subject::Each(ident) => self.each_problem(ident, span),
            Subject::Path(ident) => path_problem(ident, span),
            Subject::Terraform(ident) => terraform_problem(ident, span),
            Subject::SelfObject => self.scope.self_value.is_none().then(|| no_self(span)),
            Subject::Module { call, .. } => (!node.module.calls.contains_key(&call.name))
                .then(|| undeclared_module(node, call, span_of_call(traversal))),
            Subject::Resource {
                mode,
                type_name,
                name,
                key,
            } => self.resource_problem(node, traversal, reference, (*mode, type_name, name, *key)),
        }
    }

    fn count_problem(&self, ident: &Ident, span: Span) -> Option<Diagnostic> {
        if &*ident.name != "index" {
            return Some(Diagnostic::error(
                "invalid-count-attribute",
                "Invalid \"count\" attribute",
                format!("The \"count\" object does not have an attribute named {:?}. The only supported attribute is count.index, which is the index of each instance of a resource block that has the \"count\" argument set.", ident.name),
            )
            .at(span));
        }
        self.scope.repetition.count_index.is_none().then(|| {
            Diagnostic::error(
                "count-outside",
                "Reference to \"count\" in non-counted context",
                "The \"count\" object can only be used in \"module\", \"resource\", and \"data\" blocks, and only when the \"count\" argument is set.",
            )
            .at(span)
        })
    }

    fn each_problem(&self, ident: &Ident, span: Span) -> Option<Diagnostic> {
        let repetition = &self.scope.repetition;
        let missing = match &*ident.name {
            "key" => repetition.each_key.is_none(),
            "value" => repetition.each_value.is_none(),
            _ => {
                return Some(Diagnostic::error(
                    "invalid-each-attribute",
                    "Invalid \"each\" attribute",
                    format!("The \"each\" object does not have an attribute named {:?}. The supported attributes are each.key and each.value, the current key and value pair of the \"for_each\" attribute set.", ident.name),
                )
                .at(span));
            }
        };
        missing.then(|| each_outside(ident, span))
    }

    fn resource_problem(
        &self,
        node: &ModuleNode,
        traversal: &Traversal,
        reference: &Reference<'_>,
        (mode, type_name, name, key): (ResourceMode, &Text, &Ident, Option<&Value>),
    ) -> Option<Diagnostic> {
        let Some((config, _)) = self.evaluator.resource(node, mode, type_name, &name.name) else {
            return Some(undeclared_resource(
                node,
                (mode, type_name, &name.name),
                reference.span(traversal),
            ));
        };
        let rest = traversal
            .steps
            .get(reference.consumed..)
            .unwrap_or_default();
        if let Some(problem) = key_problem(config, traversal, reference, key, rest) {
            return Some(problem);
        }
        let schema = self.evaluator.resource_schema(config)?;
        schema_problem(&schema.block, rest)
    }
}

fn span_of_call(traversal: &Traversal) -> Span {
    let reference = Reference::of(traversal);
    reference.map_or(traversal.root.span, |reference| {
        traversal_span(traversal, reference.consumed)
    })
}

fn from_destroy_provisioner(span: Span) -> Diagnostic {
    Diagnostic::error(
        "destroy-provisioner-reference",
        "Invalid reference from destroy provisioner",
        "Destroy-time provisioners and their connection configurations may only reference attributes of the related resource, via 'self', 'count.index', or 'each.key'.\n\nReferences to other resources during the destroy phase can cause dependency cycles and interact poorly with create_before_destroy.",
    )
    .at(span)
}

fn undeclared_variable(node: &ModuleNode, ident: &Ident, span: Span) -> Diagnostic {
    let name = &ident.name;
    let hint = did_you_mean(name, node.module.variables.keys().map(|key| &**key));
    let hint = if hint.is_empty() {
        format!(" This variable can be declared with a variable {name:?} {{}} block.")
    } else {
        hint
    };
    Diagnostic::error(
        "undeclared-variable",
        "Reference to undeclared input variable",
        format!("An input variable with the name {name:?} has not been declared.{hint}"),
    )
    .at(span)
}

fn undeclared_local(node: &ModuleNode, ident: &Ident, span: Span) -> Diagnostic {
    let name = &ident.name;
    let hint = did_you_mean(name, node.module.locals.keys().map(|key| &**key));
    Diagnostic::error(
        "undeclared-local",
        "Reference to undeclared local value",
        format!("A local value with the name {name:?} has not been declared.{hint}"),
    )
    .at(span)
}

fn undeclared_module(node: &ModuleNode, ident: &Ident, span: Span) -> Diagnostic {
    let name = &ident.name;
    let hint = did_you_mean(name, node.module.calls.keys().map(|key| &**key));
    Diagnostic::error(
        "undeclared-module",
        "Reference to undeclared module",
        format!(
            "No module call named {name:?} is declared in {}.{hint}",
            module_words(node)
        ),
    )
    .at(span)
}

fn undeclared_resource(
    node: &ModuleNode,
    (mode, type_name, name): (ResourceMode, &Text, &Text),
    span: Span,
) -> Diagnostic {
    let words = match mode {
        ResourceMode::Managed => "A managed",
        ResourceMode::Data => "A data",
        ResourceMode::Ephemeral => "An ephemeral",
    };
    let mut detail = format!(
        "{words} resource {type_name:?} {name:?} has not been declared in {}.",
        module_words(node)
    );
    if mode == ResourceMode::Managed {
        let data = Resource {
            mode: ResourceMode::Data,
            type_name: type_name.clone(),
            name: name.clone(),
        };
        if node.module.resources.contains_key(&data) {
            detail = format!("{detail}\n\nDid you mean the data resource {data}?");
        }
    }
    let problem = Diagnostic::error(
        "undeclared-resource",
        "Reference to undeclared resource",
        detail,
    )
    .at(span);
    match near_resource(node, mode, type_name, name) {
        Some(near) => problem.hint(format!("did you mean {near}?")),
        None => problem,
    }
}

/// The resource of the same type with a name that is near, or of the same name with a type that is.
fn near_resource(
    node: &ModuleNode,
    mode: ResourceMode,
    type_name: &Text,
    name: &Text,
) -> Option<Resource> {
    let declared = || {
        node.module
            .resources
            .keys()
            .filter(|resource| resource.mode == mode)
    };
    let same_type = declared().filter(|resource| resource.type_name == *type_name);
    let near = nearest(name, same_type.map(|resource| &*resource.name));
    let near = near.map(|near| (&**type_name, near)).or_else(|| {
        let same_name = declared().filter(|resource| resource.name == *name);
        nearest(type_name, same_name.map(|resource| &*resource.type_name))
            .map(|near| (near, &**name))
    });
    near.map(|(type_name, name)| Resource {
        mode,
        type_name: type_name.into(),
        name: name.into(),
    })
}

/// As messages name a module.
pub(crate) fn module_words(node: &ModuleNode) -> String {
    if node.path.is_root() {
        "the root module".into()
    } else {
        node.path.to_string()
    }
}

fn no_self(span: Span) -> Diagnostic {
    Diagnostic::error(
        "self-outside",
        "Invalid \"self\" reference",
        "The \"self\" object is not available in this context. This object can be used only in resource provisioner, connection, and postcondition blocks.",
    )
    .at(Span { end: span.start + 4, ..span })
}

fn each_outside(ident: &Ident, span: Span) -> Diagnostic {
    if &*ident.name == "value" {
        return Diagnostic::error(
            "each-value-outside",
            "each.value cannot be used in this context",
            "A reference to \"each.value\" has been used in a context in which it is unavailable, such as when the configuration no longer contains the value in its \"for_each\" expression. Remove this reference to each.value in your configuration to work around this error.",
        )
        .at(span);
    }
    Diagnostic::error(
        "each-outside",
        "Reference to \"each\" in context without for_each",
        "The \"each\" object can be used only in \"module\" or \"resource\" blocks, and only when the \"for_each\" argument is set.",
    )
    .at(span)
}

fn path_problem(ident: &Ident, span: Span) -> Option<Diagnostic> {
    let names = ["cwd", "module", "root"];
    (!names.contains(&&*ident.name)).then(|| {
        let hint = did_you_mean(&ident.name, names);
        Diagnostic::error(
            "invalid-path-attribute",
            "Invalid \"path\" attribute",
            format!(
                "The \"path\" object does not have an attribute named {:?}.{hint}",
                ident.name
            ),
        )
        .at(span)
    })
}

fn terraform_problem(ident: &Ident, span: Span) -> Option<Diagnostic> {
    let detail = match &*ident.name {
        "workspace" | "applying" => return None,
        "env" => "The terraform.env attribute was deprecated in v0.10 and removed in v0.12. The \"state environment\" concept was renamed to \"workspace\" in v0.12, and so the workspace name can now be accessed using the terraform.workspace attribute.".to_owned(),
        name => format!("The \"terraform\" object does not have an attribute named {name:?}. The only supported attributes are terraform.workspace, the name of the currently-selected workspace, and terraform.applying, a boolean which is true only during apply."),
    };
    Some(
        Diagnostic::error(
            "invalid-terraform-attribute",
            "Invalid \"terraform\" attribute",
            detail,
        )
        .at(span),
    )
}

/// A missing or superfluous instance key.
fn key_problem(
    config: &ResourceConfig,
    traversal: &Traversal,
    reference: &Reference<'_>,
    key: Option<&Value>,
    rest: &[Step],
) -> Option<Diagnostic> {
    let resource = &config.resource;
    let (argument, example) = match (&config.repetition, key) {
        (ForEachOrCount::Single | ForEachOrCount::Enabled(_), Some(_)) => {
            return Some(
                Diagnostic::error(
                    "unexpected-instance-key",
                    "Unexpected resource instance key",
                    format!("Because {resource} does not have \"count\" or \"for_each\" set, references to it must not include an index key. Remove the bracketed index to refer to the single instance of this resource."),
                )
                .at(traversal_span(traversal, reference.consumed)),
            );
        }
        (ForEachOrCount::Single | ForEachOrCount::Enabled(_), None) | (_, Some(_)) => return None,
        (ForEachOrCount::Count(_), None) => ("count", "count.index"),
        (ForEachOrCount::ForEach(_), None) => ("for_each", "each.key"),
    };
    matches!(rest.first(), Some(Step::Attribute(_))).then(|| {
        Diagnostic::error(
            "missing-instance-key",
            "Missing resource instance key",
            format!("Because {resource} has {argument:?} set, its attributes must be accessed on specific instances.\n\nFor example, to correlate with indices of a referring resource, use:\n    {resource}[{example}]"),
        )
        .at(reference.span(traversal))
    })
}

/// A step to what a schema does not have.
pub(crate) fn schema_problem(block: &Block, steps: &[Step]) -> Option<Diagnostic> {
    let (step, rest) = steps.split_first()?;
    let ident = match step {
        Step::Attribute(ident) => ident,
        Step::Splat { .. } => return None,
        Step::Index { key, span } => {
            let detail = match key.as_str() {
                Some(name)
                    if block.attributes.contains_key(name) || block.blocks.contains_key(name) =>
                {
                    format!(
                        "Only attribute access is allowed here. Did you mean to access attribute {name:?} using the dot operator?"
                    )
                }
                _ => "Only attribute access is allowed here, using the dot operator.".to_owned(),
            };
            return Some(
                Diagnostic::error("invalid-index-operation", "Invalid index operation", detail)
                    .at(*span),
            );
        }
    };
    if block.attributes.contains_key(&ident.name) {
        return None;
    }
    if let Some(nested) = block.blocks.get(&ident.name) {
        return match nested.nesting {
            BlockNesting::Single | BlockNesting::Group => schema_problem(&nested.block, rest),
            BlockNesting::List | BlockNesting::Set | BlockNesting::Map => None,
        };
    }
    let names = block
        .attributes
        .keys()
        .chain(block.blocks.keys())
        .map(|name| &**name);
    let hint = did_you_mean(&ident.name, names);
    Some(
        Diagnostic::error(
            "unsupported-attribute",
            "Unsupported attribute",
            format!("This object has no argument, nested block, or exported attribute named {:?}.{hint}", ident.name),
        )
        .at(step.span()),
    )
}

//! Outputs that are to be used no longer, and who still reads them.

use terrace_diag::{Diagnostic, Diagnostics};
use terrace_syntax::{Body, BodyKind, Expr, Item, Step, Traversal};

use crate::{CheckRule, ForEachOrCount, Module, ModuleNode, statics};

/// Warnings about reading outputs that are to be used no longer.
pub(crate) fn deprecated_outputs(node: &ModuleNode, diagnostics: &mut Diagnostics) {
    let is_deprecated = |child: &ModuleNode| {
        child
            .module
            .outputs
            .values()
            .any(|output| output.deprecated.is_some())
    };
    if !node.children.values().any(is_deprecated) {
        return;
    }
    for_each_expression(&node.module, &mut |expression| {
        for traversal in expression.traversals() {
            diagnostics.extend(deprecated_output(node, traversal));
        }
    });
}

fn deprecated_output(node: &ModuleNode, traversal: &Traversal) -> Option<Diagnostic> {
    let mut names = traversal.steps.iter().filter_map(|step| match step {
        Step::Attribute(ident) => Some(&ident.name),
        Step::Index { .. } | Step::Splat { .. } => None,
    });
    if &*traversal.root.name != "module" {
        return None;
    }
    let (call, output) = (names.next()?, names.next()?);
    let message = node
        .children
        .get(call)?
        .module
        .outputs
        .get(output)?
        .deprecated
        .as_ref()?;
    let detail = format!(
        "This value is derived from module.{call}.{output}, which is deprecated with the following message:\n\n{message}"
    );
    let summary = "Value derived from a deprecated source";
    Some(
        Diagnostic::warning("deprecated-output", summary, detail)
            .at(statics::traversal_span(traversal)),
    )
}

/// Visits all expressions of a module that may read outputs.
fn for_each_expression(module: &Module, visit: &mut dyn FnMut(&Expr)) {
    module.locals.values().for_each(|local| visit(&local.value));
    for output in module.outputs.values() {
        visit(&output.value);
        rules(&output.preconditions, visit);
    }
    for call in module.calls.values() {
        call.inputs.values().for_each(&mut *visit);
        repetition(&call.repetition, visit);
    }
    for resource in module.resources.values() {
        body(&resource.body, visit);
        repetition(&resource.repetition, visit);
        rules(&resource.lifecycle.preconditions, visit);
        rules(&resource.lifecycle.postconditions, visit);
    }
    for block in module.provider_configs.values() {
        body(&block.body, visit);
    }
    for check in module.checks.values() {
        rules(&check.asserts, visit);
    }
}

fn rules(rules: &[CheckRule], visit: &mut dyn FnMut(&Expr)) {
    for rule in rules {
        visit(&rule.condition);
        visit(&rule.error_message);
    }
}

fn repetition(repetition: &ForEachOrCount, visit: &mut dyn FnMut(&Expr)) {
    match repetition {
        ForEachOrCount::Single => {}
        ForEachOrCount::Count(expression)
        | ForEachOrCount::ForEach(expression)
        | ForEachOrCount::Enabled(expression) => visit(expression),
    }
}

fn body(of: &Body, visit: &mut dyn FnMut(&Expr)) {
    match &of.kind {
        BodyKind::Native(items) => {
            for item in items.iter() {
                match item {
                    Item::Attribute(attribute) => visit(&attribute.value),
                    Item::Block(block) => body(&block.body, visit),
                }
            }
        }
        BodyKind::Json(_) => {
            let (attributes, _) = of.just_attributes();
            for attribute in attributes.values() {
                visit(&attribute.value);
            }
        }
        BodyKind::Merged(parts) => parts.iter().for_each(|part| body(part, visit)),
    }
}

//! Outputs that are to be used no longer, and who still reads them.

use terrace_addr::Name;
use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_syntax::{Body, BodyKind, Expr, ExprKind, Item, Step, Traversal, with_stack};

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
            if let Some((call, Some(output))) = named(traversal) {
                let span = statics::traversal_span(traversal);
                diagnostics.extend(deprecated_output(node, (call, output), span));
            }
        }
        by_elements(node, expression, diagnostics);
    });
}

/// What is read of several instances, or of one whose key is computed: `module.a[*].old`, `module.a[each.key].old`.
fn by_elements(node: &ModuleNode, expression: &Expr, diagnostics: &mut Diagnostics) {
    let read = match &expression.kind {
        ExprKind::Splat { source, each, .. } => call_of(source).zip(first_name(each)),
        ExprKind::RelativeTraversal { source, .. } => match &source.kind {
            ExprKind::Index { collection, .. } => call_of(collection).zip(first_name(expression)),
            _ => None,
        },
        _ => None,
    };
    if let Some(names) = read {
        diagnostics.extend(deprecated_output(node, names, expression.span));
    }
    expression.for_each_child(|child| {
        with_stack(|| by_elements(node, child, diagnostics));
    });
}

/// The call that an expression is the whole of.
fn call_of(expression: &Expr) -> Option<&Name> {
    match &expression.kind {
        ExprKind::Traversal(traversal) => match named(traversal)? {
            (call, None) => Some(call),
            (_, Some(_)) => None,
        },
        _ => None,
    }
}

/// The attribute that is read first of what an expression starts from.
fn first_name(expression: &Expr) -> Option<&Name> {
    match &expression.kind {
        ExprKind::RelativeTraversal { source, steps } => match (&source.kind, steps.first()?) {
            (ExprKind::SplatItem | ExprKind::Index { .. }, Step::Attribute(ident)) => {
                Some(&ident.name)
            }
            _ => first_name(source),
        },
        _ => None,
    }
}

/// The call that a reference names, and its output.
fn named(traversal: &Traversal) -> Option<(&Name, Option<&Name>)> {
    let mut names = traversal.steps.iter().filter_map(|step| match step {
        Step::Attribute(ident) => Some(&ident.name),
        Step::Index { .. } | Step::Splat { .. } => None,
    });
    if &*traversal.root.name != "module" {
        return None;
    }
    Some((names.next()?, names.next()))
}

fn deprecated_output(
    node: &ModuleNode,
    (call, output): (&Name, &Name),
    span: Span,
) -> Option<Diagnostic> {
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
    Some(Diagnostic::warning("deprecated-output", summary, detail).at(span))
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

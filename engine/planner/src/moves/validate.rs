//! What is wrong with `moved` blocks.

use std::collections::BTreeMap;

use terrace_addr::{AbsResource, InstanceKey, ModuleInstance, ModulePath, Name};
use terrace_config::{Config, ForEachOrCount};
use terrace_diag::{Diagnostic, Diagnostics, Span};

use super::{Statement, Subject, module_at};
use crate::place::place;

/// What the configuration declares, expanded.
pub(crate) trait Declared {
    /// Instances of a module, as far as they are known.
    fn module_instances(&self, path: &ModulePath) -> Vec<ModuleInstance>;
    /// Keys of a resource's instances; `None` where that is not known.
    fn resource_keys(&self, resource: &AbsResource) -> Option<Vec<Option<InstanceKey>>>;
    /// Keys of a call's instances; `None` where that is not known.
    fn call_keys(&self, module: &ModuleInstance, call: &Name) -> Option<Vec<Option<InstanceKey>>>;
}

/// The order in which statements apply: one that leads to an address before one that starts there.
/// `Err` holds the statements of a cycle.
pub(super) fn order(statements: &[Statement]) -> Result<Vec<usize>, Vec<usize>> {
    let from: Vec<_> = statements
        .iter()
        .map(|statement| statement.from.pattern(&statement.module))
        .collect();
    let to: Vec<_> = statements
        .iter()
        .map(|statement| statement.to.pattern(&statement.module))
        .collect();
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); statements.len()];
    for (first, reached) in to.iter().enumerate() {
        for (second, start) in from.iter().enumerate() {
            if first != second && reached.meets(start) {
                before[second].push(first);
            }
        }
    }
    let mut done = vec![false; statements.len()];
    let mut order = Vec::with_capacity(statements.len());
    while order.len() < statements.len() {
        let next = (0..statements.len())
            .find(|index| !done[*index] && before[*index].iter().all(|other| done[*other]));
        let Some(next) = next else {
            return Err(cycle(&before, &done));
        };
        done[next] = true;
        order.push(next);
    }
    Ok(order)
}

/// The statements that remain and lie on a cycle: those that can still be reached backwards from themselves.
fn cycle(before: &[Vec<usize>], done: &[bool]) -> Vec<usize> {
    let on_cycle = |start: usize| {
        let mut seen = vec![false; before.len()];
        let mut stack = before[start].clone();
        while let Some(node) = stack.pop() {
            if node == start {
                return true;
            }
            if !done[node] && !std::mem::replace(&mut seen[node], true) {
                stack.extend(&before[node]);
            }
        }
        false
    };
    (0..before.len())
        .filter(|index| !done[*index] && on_cycle(*index))
        .collect()
}

/// Checks statements against each other and against what the configuration still declares.
pub(crate) fn validate(
    statements: &[Statement],
    config: &Config,
    declared: &dyn Declared,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    if let Err(cycle) = order(statements) {
        diagnostics.push(cycle_error(statements, &cycle, config));
    }
    let mut sources: BTreeMap<(&ModulePath, &Subject), &Statement> = BTreeMap::new();
    let mut destinations: BTreeMap<(&ModulePath, &Subject), &Statement> = BTreeMap::new();
    for statement in statements {
        if statement.from == statement.to {
            diagnostics.push(
                Diagnostic::error(
                    "redundant-move",
                    "Redundant move statement",
                    format!(
                        "This statement declares a move from {} to the same address, which is the same as not declaring this move at all.",
                        statement.from
                    ),
                )
                .at(statement.span),
            );
            continue;
        }
        diagnostics.extend(still_declared(statement, config, declared));
        let first = *sources
            .entry((&statement.module, &statement.from))
            .or_insert(statement);
        if first.to != statement.to {
            let kind = statement.from.kind();
            diagnostics.push(ambiguous(
                statement,
                format!(
                    "A statement at {} declared that {} moved to {}, but this statement instead declares that it moved to {}.\n\nEach {kind} can move to only one destination {kind}.",
                    place(&config.sources, first.span), first.from, first.to, statement.to,
                ),
            ));
        }
        let first = *destinations
            .entry((&statement.module, &statement.to))
            .or_insert(statement);
        if first.from != statement.from {
            let kind = statement.from.kind();
            diagnostics.push(ambiguous(
                statement,
                format!(
                    "A statement at {} declared that {} moved to {}, but this statement instead declares that {} moved there.\n\nEach {kind} can have moved from only one source {kind}.",
                    place(&config.sources, first.span), first.from, first.to, statement.from,
                ),
            ));
        }
    }
    diagnostics
}

fn ambiguous(statement: &Statement, detail: String) -> Diagnostic {
    Diagnostic::error("ambiguous-moves", "Ambiguous move statements", detail).at(statement.span)
}

fn cycle_error(statements: &[Statement], cycle: &[usize], config: &Config) -> Diagnostic {
    let mut lines: Vec<String> = cycle
        .iter()
        .map(|index| {
            let statement = &statements[*index];
            format!(
                "\n  - {}: {} → {}",
                place(&config.sources, statement.span),
                statement.from.starred(&statement.module),
                statement.to.starred(&statement.module)
            )
        })
        .collect();
    lines.sort();
    Diagnostic::error(
        "cyclic-moves",
        "Cyclic dependency in move statements",
        format!(
            "The following chained move statements form a cycle, and so there is no final location to move objects to:{}\n\nA chain of move statements must end with an address that doesn't appear in any other statements, and which typically also refers to an object still declared in the configuration.",
            lines.concat()
        ),
    )
}

fn still_declared(
    statement: &Statement,
    config: &Config,
    declared: &dyn Declared,
) -> Option<Diagnostic> {
    let (module, span) = declared
        .module_instances(&statement.module)
        .into_iter()
        .find_map(|module| {
            Some((
                module.clone(),
                declaration(&statement.from, &module, config, declared)?,
            ))
        })?;
    let absolute = |subject: &Subject| {
        if module.is_root() {
            subject.to_string()
        } else {
            format!("{module}.{subject}")
        }
    };
    Some(
        Diagnostic::error(
            "moved-object-still-exists",
            "Moved object still exists",
            format!(
                "This statement declares a move from {}, but that {} is still declared at {}.\n\nChange your configuration so that this {} will be declared as {} instead.",
                absolute(&statement.from),
                statement.from.kind(),
                place(&config.sources, span),
                statement.from.short_kind(),
                absolute(&statement.to),
            ),
        )
        .at(statement.span),
    )
}

/// Where `subject`, relative to `base`, is declared, if it is.
fn declaration(
    subject: &Subject,
    base: &ModuleInstance,
    config: &Config,
    declared: &dyn Declared,
) -> Option<Span> {
    let absolute: ModuleInstance = base
        .steps()
        .iter()
        .chain(subject.module().steps())
        .cloned()
        .collect();
    match subject {
        Subject::Call { .. } | Subject::Module(_) => {
            let (parent, step) = absolute.parent()?;
            let call = module_at(config, &parent.path())?.calls.get(&step.name)?;
            if matches!(subject, Subject::Call { .. }) {
                return exists(&parent, declared).then_some(call.span);
            }
            let keys = declared.call_keys(&parent, &step.name)?;
            keys.contains(&step.key)
                .then(|| repetition_span(&call.repetition, call.span))
        }
        Subject::Resource(_, resource) | Subject::Instance(_, resource, _) => {
            let found = module_at(config, &absolute.path())?
                .resources
                .get(resource)?;
            let Subject::Instance(_, _, key) = subject else {
                return exists(&absolute, declared).then_some(found.span);
            };
            let keys = declared.resource_keys(&resource.in_module(absolute))?;
            keys.contains(key)
                .then(|| repetition_span(&found.repetition, found.span))
        }
    }
}

fn exists(module: &ModuleInstance, declared: &dyn Declared) -> bool {
    declared.module_instances(&module.path()).contains(module)
}

fn repetition_span(repetition: &ForEachOrCount, otherwise: Span) -> Span {
    match repetition {
        ForEachOrCount::Single => otherwise,
        ForEachOrCount::Count(expression)
        | ForEachOrCount::ForEach(expression)
        | ForEachOrCount::Enabled(expression) => expression.span,
    }
}

//! What of a module the runs of its tests have exercised.

use std::collections::BTreeMap;

use terrace_addr::ModuleInstance;
use terrace_config::{Config, ForEachOrCount, ModuleNode, references};
use terrace_diag::{SourceMap, Span};
use terrace_eval::{Evaluator, Expansion, Scope, Unknowns};
use terrace_planner::KnownValues;
use terrace_syntax::{Body, BodyKind, Expr, ExprKind, Item, Step};

use crate::execute::Prepared;

/// How much of one kind has been exercised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// What has been.
    pub hit: usize,
    /// How much there is.
    pub total: usize,
    /// What has not, by place.
    pub missed: Vec<Missed>,
}

/// Something that no run has exercised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missed {
    /// Where it stands.
    pub place: String,
    /// What it is.
    pub what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Variable,
    Output,
    Resource,
    Branch,
}

/// Which variables were given a value, which outputs were looked at by an assertion or a later run, which resources had an
/// instance, and which branches of conditionals were taken.
///
/// Conditionals within `for` expressions, splats and `dynamic` blocks are not counted.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    items: BTreeMap<(Kind, String, String), bool>,
}

impl Coverage {
    /// Of a module of which nothing has been exercised yet.
    pub fn new(config: &Config) -> Self {
        let mut coverage = Self::default();
        let sources = &config.sources;
        let root = &config.root.module;
        for (name, variable) in &root.variables {
            coverage.declare(
                Kind::Variable,
                format!("var.{name}"),
                variable.span,
                sources,
            );
        }
        for (name, output) in &root.outputs {
            coverage.declare(Kind::Output, format!("output.{name}"), output.span, sources);
        }
        for node in config.root.walk() {
            for (resource, block) in &node.module.resources {
                let name = within(node, resource);
                coverage.declare(Kind::Resource, name, block.span, sources);
            }
            for (_, expression) in expressions(node) {
                coverage.declare_branches(expression, sources);
            }
        }
        coverage
    }

    /// Variables that no run gave a value.
    pub fn variables(&self) -> Covered {
        self.covered(Kind::Variable)
    }

    /// Outputs that nothing looked at.
    pub fn outputs(&self) -> Covered {
        self.covered(Kind::Output)
    }

    /// Resources that never had an instance.
    pub fn resources(&self) -> Covered {
        self.covered(Kind::Resource)
    }

    /// Branches that were never taken.
    pub fn branches(&self) -> Covered {
        self.covered(Kind::Branch)
    }

    fn covered(&self, kind: Kind) -> Covered {
        let mut covered = Covered::default();
        for ((_, what, place), is_hit) in self.items.iter().filter(|(key, _)| key.0 == kind) {
            covered.total += 1;
            if *is_hit {
                covered.hit += 1;
            } else {
                covered.missed.push(Missed {
                    place: place.clone(),
                    what: what.clone(),
                });
            }
        }
        covered.missed.sort();
        covered
    }

    fn declare(&mut self, kind: Kind, what: String, span: Span, sources: &SourceMap) {
        self.items
            .entry((kind, what, sources.place(span)))
            .or_default();
    }

    fn hit(&mut self, kind: Kind, what: &str, place: Option<&str>) {
        for (_, is_hit) in self.items.iter_mut().filter(|((found, name, at), _)| {
            *found == kind && name == what && place.is_none_or(|place| place == at)
        }) {
            *is_hit = true;
        }
    }

    fn declare_branches(&mut self, expression: &Expr, sources: &SourceMap) {
        if let ExprKind::Conditional { condition, .. } = &expression.kind {
            for branch in [true, false] {
                self.declare(Kind::Branch, branch_name(branch), condition.span, sources);
            }
        }
        for_each_followed(expression, &mut |child| {
            self.declare_branches(child, sources);
        });
    }

    /// Takes note of what a run has exercised.
    pub(crate) fn note(&mut self, prepared: &Prepared, evaluator: &Evaluator, known: &KnownValues) {
        for (name, _) in prepared.variables.iter().filter(|(_, (_, set))| *set) {
            self.hit(Kind::Variable, &format!("var.{name}"), None);
        }
        let run = &prepared.run;
        let rules = run
            .assertions
            .iter()
            .flat_map(|rule| [&rule.condition, &rule.error_message]);
        let variables = run.variables.iter().map(|assigned| &assigned.value);
        for traversal in rules.chain(variables).flat_map(references) {
            let step = match &*traversal.root.name {
                "output" => traversal.steps.first(),
                "run" => traversal.steps.get(1),
                _ => None,
            };
            if let Some(Step::Attribute(name)) = step {
                self.hit(Kind::Output, &format!("output.{}", name.name), None);
            }
        }
        for expected in run
            .expected
            .iter()
            .filter(|expected| expected.kind == "output")
        {
            self.hit(Kind::Output, &expected.address, None);
        }
        for resource in known.present() {
            let name = if resource.module.is_root() {
                resource.resource.to_string()
            } else {
                format!("{}.{}", resource.module, resource.resource)
            };
            self.hit(Kind::Resource, &name, None);
        }
        let config = evaluator.config();
        for node in config.root.walk() {
            let instances = evaluator.module_instances(&node.path, known);
            for module in instances.unwrap_or_default() {
                for (place, expression) in expressions(node) {
                    for scope in scopes(&module, &place, node, evaluator, known) {
                        self.follow(expression, &scope, evaluator, known);
                    }
                }
            }
        }
    }

    /// Follows an expression the way that its evaluation took.
    fn follow(
        &mut self,
        expression: &Expr,
        scope: &Scope,
        evaluator: &Evaluator,
        known: &KnownValues,
    ) {
        let ExprKind::Conditional {
            condition,
            if_true,
            if_false,
        } = &expression.kind
        else {
            for_each_followed(expression, &mut |child| {
                self.follow(child, scope, evaluator, known);
            });
            return;
        };
        self.follow(condition, scope, evaluator, known);
        let (value, _) = evaluator.expression(condition, scope, known).value.unmark();
        let taken = value
            .as_bool()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        let Some(taken) = taken else { return };
        let place = evaluator.config().sources.place(condition.span);
        self.hit(Kind::Branch, &branch_name(taken), Some(&place));
        let branch = if taken { if_true } else { if_false };
        self.follow(branch, scope, evaluator, known);
    }
}

fn branch_name(branch: bool) -> String {
    format!("the branch for {branch}")
}

fn within(node: &ModuleNode, what: impl std::fmt::Display) -> String {
    if node.path.is_root() {
        what.to_string()
    } else {
        format!("{}.{what}", node.path)
    }
}

/// Where an expression stands in a module.
enum Place {
    Module,
    Resource(terrace_addr::Resource),
    Call(terrace_addr::Name),
}

/// The expressions of a module with where they stand.
fn expressions(node: &ModuleNode) -> Vec<(Place, &Expr)> {
    let module = &node.module;
    let mut found: Vec<(Place, &Expr)> = Vec::new();
    found.extend(
        module
            .locals
            .values()
            .map(|local| (Place::Module, &local.value)),
    );
    found.extend(
        module
            .outputs
            .values()
            .map(|output| (Place::Module, &output.value)),
    );
    for (name, call) in &module.calls {
        found.extend(repeated_by(&call.repetition).map(|expression| (Place::Module, expression)));
        let inputs = call.inputs.values();
        found.extend(inputs.map(|input| (Place::Call(name.clone()), input)));
    }
    for (resource, block) in &module.resources {
        found.extend(repeated_by(&block.repetition).map(|expression| (Place::Module, expression)));
        in_body(&block.body, &mut |expression| {
            found.push((Place::Resource(resource.clone()), expression));
        });
    }
    found
}

fn repeated_by(repetition: &ForEachOrCount) -> Option<&Expr> {
    match repetition {
        ForEachOrCount::Single => None,
        ForEachOrCount::Count(expression)
        | ForEachOrCount::ForEach(expression)
        | ForEachOrCount::Enabled(expression) => Some(expression),
    }
}

fn in_body<'a>(body: &'a Body, visit: &mut impl FnMut(&'a Expr)) {
    let BodyKind::Native(items) = &body.kind else {
        return;
    };
    for item in items.iter() {
        match item {
            Item::Attribute(attribute) => visit(&attribute.value),
            // What is within stands for an element that only evaluation knows.
            Item::Block(block) if &*block.type_name.name == "dynamic" => {}
            Item::Block(block) => in_body(&block.body, visit),
        }
    }
}

/// What names mean where an expression stands, for each instance of what it stands in.
fn scopes(
    module: &ModuleInstance,
    place: &Place,
    node: &ModuleNode,
    evaluator: &Evaluator,
    known: &KnownValues,
) -> Vec<Scope> {
    let expansion = match place {
        Place::Module => return vec![Scope::module(module.clone())],
        Place::Resource(resource) => node.module.resources.get(resource).and_then(|block| {
            evaluator
                .expand_resource(module, block, Unknowns::Allow, known)
                .value
        }),
        Place::Call(name) => {
            evaluator
                .expand_call(module, name, Unknowns::Allow, known)
                .value
        }
    };
    let Some(expansion) = expansion.filter(|expansion| *expansion != Expansion::Unknown) else {
        return Vec::new();
    };
    expansion
        .keys()
        .into_iter()
        .map(|key| Scope::instance(module.clone(), expansion.repetition(key.as_ref())))
        .collect()
}

/// Calls `visit` with what is evaluated directly within an expression, as far as its names mean the same there.
fn for_each_followed<'a>(expression: &'a Expr, visit: &mut impl FnMut(&'a Expr)) {
    match &expression.kind {
        ExprKind::For(each) => visit(&each.collection),
        ExprKind::Splat { source, .. } => visit(source),
        ExprKind::TemplateJoin(_) => {}
        _ => expression.for_each_child(visit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrace_diag::{SourceFile, SourceId};

    #[test]
    fn conditionals_within_conditionals_are_counted() {
        let mut sources = SourceMap::new();
        let text = "var.a ? (var.b ? 1 : 2) : [for x in var.c : x ? 1 : 2]";
        let id: SourceId = sources.add(SourceFile::new("main.tf", text));
        let (expression, problems) = terrace_syntax::parse_expression(id, text);
        assert!(problems.is_empty());
        let mut coverage = Coverage::default();
        coverage.declare_branches(&expression, &sources);
        let branches = coverage.branches();
        assert_eq!((branches.hit, branches.total), (0, 4));
        assert_eq!(branches.missed.len(), 4);
    }
}

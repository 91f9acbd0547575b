//! Why things change: from the configuration's line, over what it reads, to what set it off.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};

use terrace_addr::{AbsResource, AbsResourceInstance, InstanceKey, ModuleInstance};
use terrace_config::references;
use terrace_eval::{Dependency, Scope};
use terrace_plan::{Action, ActionReason, Reason, ResourceChange};
use terrace_syntax::Expr;
use terrace_value::{Path, Text, Value};

use crate::arguments::{self, Argument, Written};
use crate::walk::{Context, Walk};
use crate::{place, traversal};

/// Why a configured object changes.
pub(crate) fn of(
    walk: &Walk<'_>,
    context: &Context,
    key: Option<&InstanceKey>,
    change: &ResourceChange,
    drifted: bool,
) -> Vec<Reason> {
    let mut reasons = whole(walk, context, change);
    if change.before.is_null() || change.after.is_null() {
        return reasons;
    }
    let written = written(context);
    for (name, after) in change.after.as_entries().into_iter().flatten() {
        let before = change.before.get(name);
        if before == Some(after) {
            continue;
        }
        let Some(argument) = written.get(name) else {
            if after.is_wholly_known() && drifted {
                reasons.push(Reason {
                    attribute: name.to_string(),
                    place: String::new(),
                    cause: "changed outside".into(),
                });
            }
            continue;
        };
        let scope = Scope::instance(
            context.abs.module.clone(),
            context.expansion.repetition(key),
        );
        let causes = upstream(walk, &argument.expressions, &scope);
        let line = place::line(&walk.config.sources, argument.span);
        if causes.is_empty() {
            let cause = if drifted {
                "changed outside"
            } else {
                "changed in the configuration"
            };
            reasons.push(Reason {
                attribute: name.to_string(),
                place: line,
                cause: cause.into(),
            });
            continue;
        }
        for cause in causes {
            reasons.push(Reason {
                attribute: name.to_string(),
                place: line.clone(),
                cause,
            });
        }
    }
    reasons
}

/// Why an object that is not configured goes.
pub(crate) fn of_removal(change: &ResourceChange) -> Vec<Reason> {
    let cause = match change.action_reason {
        ActionReason::DeleteBecauseNoResourceConfig => {
            "no resource block of this name is in the configuration"
        }
        ActionReason::DeleteBecauseWrongRepetition => "the resource repeats in another way now",
        ActionReason::DeleteBecauseCountIndex => "its index is outside of count",
        ActionReason::DeleteBecauseEachKey => "its key is not in for_each",
        ActionReason::DeleteBecauseEnabledFalse => "it is not enabled",
        ActionReason::DeleteBecauseNoModule => "its module instance is no longer called for",
        ActionReason::DeleteBecauseNoMoveTarget => {
            "it was moved to an address that is not configured"
        }
        _ if change.deposed.is_some() => "left over from a replacement that did not finish",
        _ => return Vec::new(),
    };
    vec![Reason {
        attribute: String::new(),
        place: String::new(),
        cause: cause.into(),
    }]
}

/// Reasons that concern the object as a whole.
fn whole(walk: &Walk<'_>, context: &Context, change: &ResourceChange) -> Vec<Reason> {
    let (place, cause) = match change.action_reason {
        ActionReason::ReplaceBecauseTainted => (
            String::new(),
            "its creation did not finish, or it was marked as tainted".to_owned(),
        ),
        ActionReason::ReplaceByRequest => (String::new(), "-replace asks for it".to_owned()),
        ActionReason::ReplaceByTriggers => {
            let expressions = &context.config.lifecycle.replace_triggered_by;
            let place = expressions.first().map_or_else(String::new, |expression| {
                place::line(&walk.config.sources, expression.span)
            });
            let named: Vec<&str> = expressions
                .iter()
                .map(|expression| walk.config.sources.text(expression.span))
                .collect();
            (place, format!("replace_triggered_by {}", named.join(", ")))
        }
        ActionReason::ReplaceBecauseCannotUpdate => return unchangeable(walk, context, change),
        _ => return Vec::new(),
    };
    vec![Reason {
        attribute: String::new(),
        place,
        cause,
    }]
}

/// The attributes that ask for the replacement.
fn unchangeable(walk: &Walk<'_>, context: &Context, change: &ResourceChange) -> Vec<Reason> {
    let body = &context.config.body;
    let reason = |path: &Path| {
        let span = walk.evaluator.span_of(body, &context.schema.block, path);
        Reason {
            // The object as a whole has no attribute to name.
            attribute: path.to_string().trim_start_matches('.').to_owned(),
            place: place::line(&walk.config.sources, span),
            cause: "cannot be changed in place".to_owned(),
        }
    };
    change.replace_paths.iter().map(reason).collect()
}

/// The arguments and blocks of the resource by name.
fn written(context: &Context) -> BTreeMap<Text, Argument<'_>> {
    let mut written: BTreeMap<Text, Argument<'_>> = BTreeMap::new();
    for argument in arguments::of(&context.config.body) {
        match written.entry(argument.name.clone().into_owned()) {
            Entry::Vacant(entry) => {
                entry.insert(argument);
            }
            Entry::Occupied(mut entry) => entry.get_mut().expressions.extend(argument.expressions),
        }
    }
    written
}

/// So many causes of one attribute are named each; what there is more is counted.
const MOST_NAMED: usize = 8;

/// So many instances of one resource to which the same happens are named each.
const MOST_INSTANCES: usize = 3;

/// What changes among that which expressions read, in words.
fn upstream(walk: &Walk<'_>, expressions: &[Written<'_>], scope: &Scope) -> Vec<String> {
    let mut reads = Reads::default();
    let mut stack: Vec<Dependency> = Vec::new();
    for written in expressions {
        let expression = &written.expression;
        reads.mention(expression, &scope.module);
        let evaluated = walk.evaluator.expression(expression, scope, &*walk.table);
        stack.extend(evaluated.dependencies);
    }
    while let Some(dependency) = stack.pop() {
        if !reads.seen.insert(dependency.clone()) {
            continue;
        }
        if let Some((expression, module)) = defining(walk, &dependency) {
            reads.mention(expression, &module);
            stack.extend(walk.evaluator.dependencies_of(&dependency));
        }
    }
    let mut causes: BTreeSet<Arc<str>> = BTreeSet::new();
    for dependency in &reads.seen {
        match dependency {
            Dependency::Instance(address) => {
                let mentioned = reads.of(&address.resource);
                let effect = effect(walk, address, &mentioned);
                causes.extend(effect.map(|effect| effect.of_one(address).into()));
            }
            Dependency::Resource(resource) => {
                let mentioned = reads.of(resource);
                causes.extend(resource_causes(walk, resource, &mentioned).iter().cloned());
            }
            Dependency::Call(_)
            | Dependency::Variable(_)
            | Dependency::Local(_)
            | Dependency::Output(_) => {}
        }
    }
    let n_more = causes.len().saturating_sub(MOST_NAMED);
    let mut named: Vec<String> = causes
        .iter()
        .take(if n_more > 1 { MOST_NAMED } else { causes.len() })
        .map(ToString::to_string)
        .collect();
    if n_more > 1 {
        named.push(format!("{n_more} more things that it reads change"));
    }
    named
}

/// What happens to the instances of a resource, found out once for all that read the same of it.
fn resource_causes(
    walk: &Walk<'_>,
    resource: &AbsResource,
    mentioned: &BTreeSet<&Text>,
) -> Arc<[Arc<str>]> {
    let names: Vec<Text> = mentioned.iter().map(|name| (*name).clone()).collect();
    let key = (resource.clone(), names);
    let known = |causes: &CauseCache| causes.get(&key).cloned();
    let mut cache = walk.causes.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known(&cache) {
        return found;
    }
    let mut groups: BTreeMap<Effect<'_>, Vec<&AbsResourceInstance>> = BTreeMap::new();
    for change in walk.changes_of(resource) {
        if let Some(effect) = effect(walk, &change.address, mentioned) {
            groups.entry(effect).or_default().push(&change.address);
        }
    }
    let mut causes: Vec<Arc<str>> = Vec::new();
    for (effect, instances) in groups {
        if instances.len() > MOST_INSTANCES {
            causes.push(effect.of_many(resource, instances.len()).into());
        } else {
            let each = instances.into_iter();
            causes.extend(each.map(|address| Arc::from(effect.of_one(address))));
        }
    }
    let causes: Arc<[Arc<str>]> = causes.into();
    cache.insert(key, Arc::clone(&causes));
    causes
}

/// What happens to the instances of resources, by resource and by the attributes that an expression mentions.
pub(crate) type CauseCache = HashMap<(AbsResource, Vec<Text>), Arc<[Arc<str>]>>;

/// What is read, directly or by way of named values.
#[derive(Default)]
struct Reads {
    seen: BTreeSet<Dependency>,
    /// Attributes that references name, by resource.
    attributes: BTreeMap<AbsResource, BTreeSet<Text>>,
}

impl Reads {
    /// Notes the attributes of resources that an expression in `module` names.
    fn mention(&mut self, expression: &Expr, module: &ModuleInstance) {
        for reference in references(expression) {
            if let Some((resource, steps)) = traversal::resource(reference) {
                if let Some(name) = traversal::attribute(steps) {
                    let resource = resource.in_module(module.clone());
                    let names = self.attributes.entry(resource).or_default();
                    names.insert(name.clone());
                }
            }
        }
    }

    fn of(&self, resource: &AbsResource) -> BTreeSet<&Text> {
        self.attributes
            .get(resource)
            .into_iter()
            .flatten()
            .collect()
    }
}

/// The expression that gives a named value, with the module that it stands in.
fn defining<'a>(walk: &'a Walk<'_>, value: &Dependency) -> Option<(&'a Expr, ModuleInstance)> {
    let module = |instance: &ModuleInstance| Some(&walk.config.module(&instance.path())?.module);
    match value {
        Dependency::Local(named) => {
            let local = module(&named.module)?.locals.get(&named.name)?;
            Some((&local.value, named.module.clone()))
        }
        Dependency::Output(named) => {
            let output = module(&named.module)?.outputs.get(&named.name)?;
            Some((&output.value, named.module.clone()))
        }
        Dependency::Variable(named) => {
            let (parent, step) = named.module.parent()?;
            let call = module(&parent)?.calls.get(&step.name)?;
            Some((call.inputs.get(&named.name)?, parent))
        }
        Dependency::Instance(_) | Dependency::Resource(_) | Dependency::Call(_) => None,
    }
}

/// What happens to an instance, as far as others read it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Effect<'a> {
    what: What,
    /// Attributes that are read and are not known any more.
    unknown: Vec<&'a Text>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Is(&'static str),
    ChangedOutside,
}

fn effect<'a>(
    walk: &'a Walk<'_>,
    address: &AbsResourceInstance,
    mentioned: &BTreeSet<&Text>,
) -> Option<Effect<'a>> {
    let change = walk.gathered.changes.get(&(address.clone(), None))?;
    let what = match change.action {
        Action::NoOp => {
            let drifted = walk.gathered.drifted.contains(address);
            return drifted.then(|| Effect {
                what: What::ChangedOutside,
                unknown: Vec::new(),
            });
        }
        Action::Create => "created",
        Action::Read => "read during apply",
        Action::Update => "updated",
        Action::DeleteThenCreate | Action::CreateThenDelete | Action::ForgetThenCreate => {
            "replaced"
        }
        Action::Delete => "destroyed",
        Action::Forget => "no longer managed",
    };
    let unknown = newly_unknown(&change.before, &change.after);
    Some(Effect {
        what: What::Is(what),
        unknown: unknown
            .into_iter()
            .filter(|name| mentioned.contains(name))
            .collect(),
    })
}

impl Effect<'_> {
    /// In words, of one instance.
    fn of_one(&self, address: &AbsResourceInstance) -> String {
        let What::Is(what) = self.what else {
            return format!("{address} changed outside");
        };
        let unknown: Vec<String> = self
            .unknown
            .iter()
            .map(|name| format!("{address}.{name}"))
            .collect();
        match unknown.len() {
            0 => format!("{address} is {what}"),
            1 => format!("{address} is {what}, and {} becomes unknown", unknown[0]),
            _ => format!(
                "{address} is {what}, and {} become unknown",
                unknown.join(", ")
            ),
        }
    }

    /// In words, of many instances.
    fn of_many(&self, resource: &AbsResource, count: usize) -> String {
        let What::Is(what) = self.what else {
            return format!("{count} instances of {resource} changed outside");
        };
        let unknown: Vec<&str> = self.unknown.iter().map(|name| &***name).collect();
        match unknown.len() {
            0 => format!("{count} instances of {resource} are {what}"),
            1 => format!(
                "{count} instances of {resource} are {what}, and their {} becomes unknown",
                unknown[0]
            ),
            _ => format!(
                "{count} instances of {resource} are {what}, and their {} become unknown",
                unknown.join(", ")
            ),
        }
    }
}

fn newly_unknown<'a>(before: &'a Value, after: &'a Value) -> Vec<&'a Text> {
    let known_before = |name: &str| before.get(name).is_none_or(Value::is_wholly_known);
    after
        .as_entries()
        .into_iter()
        .flatten()
        .filter(|(name, value)| !value.is_wholly_known() && known_before(name))
        .map(|(name, _)| name)
        .collect()
}

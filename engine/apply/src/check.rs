//! Conditions: judged while applying where planning could not, and what came of all of them.

use terrace_addr::{AbsNamed, AbsResourceInstance, ModuleInstance, ModulePath, Resource, Target};
use terrace_config::CheckRule;
use terrace_diag::Diagnostics;
use terrace_eval::{CheckOutcome, Evaluator, RuleKind, Scope, Values};
use terrace_state::{CheckResult, CheckStatus, ObjectCheckResult};

/// Results of conditions, as planned and then as judged again.
#[derive(Default)]
pub(crate) struct Checks {
    results: Vec<CheckResult>,
}

impl Checks {
    pub(crate) const fn new(planned: Vec<CheckResult>) -> Self {
        Self { results: planned }
    }

    /// Puts what came of the conditions of one object in place of what was known of it.
    pub(crate) fn record(
        &mut self,
        kind: &str,
        config_address: String,
        address: String,
        outcomes: &[CheckOutcome],
    ) {
        if outcomes.is_empty() {
            return;
        }
        let mut object = ObjectCheckResult {
            address,
            status: CheckStatus::Pass,
            failures: Vec::new(),
        };
        for outcome in outcomes {
            let status = match outcome {
                CheckOutcome::Pass => CheckStatus::Pass,
                CheckOutcome::Unknown => CheckStatus::Unknown,
                CheckOutcome::Error => CheckStatus::Error,
                CheckOutcome::Fail(message) => {
                    object.failures.push(message.clone());
                    CheckStatus::Fail
                }
            };
            object.status = worse(object.status, status);
        }
        let found = self
            .results
            .iter_mut()
            .find(|result| &*result.kind == kind && result.config_address == config_address);
        let result = match found {
            Some(result) => result,
            None => {
                let status = CheckStatus::Unknown;
                self.results.push(CheckResult {
                    kind: kind.into(),
                    config_address,
                    status,
                    objects: Vec::new(),
                });
                let last = self.results.len() - 1;
                &mut self.results[last]
            }
        };
        match result
            .objects
            .iter_mut()
            .find(|known| known.address == object.address)
        {
            Some(known) => *known = object,
            None => result.objects.push(object),
        }
        let statuses = result.objects.iter().map(|object| object.status);
        result.status = statuses.reduce(worse).unwrap_or(CheckStatus::Unknown);
    }

    /// All of them; `None` when the configuration has no conditions.
    pub(crate) fn results(&self) -> Option<Vec<CheckResult>> {
        (!self.results.is_empty()).then(|| self.results.clone())
    }
}

/// Errors outweigh failures, failures what is not known, and that what holds.
fn worse(a: CheckStatus, b: CheckStatus) -> CheckStatus {
    let weight = |status| match status {
        CheckStatus::Pass => 0,
        CheckStatus::Unknown => 1,
        CheckStatus::Fail => 2,
        CheckStatus::Error => 3,
    };
    if weight(b) > weight(a) { b } else { a }
}

/// An object of the configuration with conditions, by its address.
pub(crate) enum Checked {
    Resource(ModulePath, Resource),
    Output(ModulePath, terrace_addr::Name),
    Variable(ModulePath, terrace_addr::Name),
    Check(ModulePath, terrace_addr::Name),
}

impl Checked {
    /// Reads `module.a.output.x`, `check.y`, `module.b.aws_vpc.main`.
    pub(crate) fn parse(address: &str) -> Option<Self> {
        let mut rest = address;
        let mut module = ModulePath::root();
        while let Some(inner) = rest.strip_prefix("module.") {
            let (name, behind) = inner.split_once('.')?;
            module = module.child(name);
            rest = behind;
        }
        let named = |prefix: &str| rest.strip_prefix(prefix).filter(|name| !name.contains('.'));
        if let Some(name) = named("output.") {
            return Some(Self::Output(module, name.into()));
        }
        if let Some(name) = named("var.") {
            return Some(Self::Variable(module, name.into()));
        }
        if let Some(name) = named("check.") {
            return Some(Self::Check(module, name.into()));
        }
        match rest.parse() {
            Ok(Target::Resource(resource)) => {
                Some(Self::Resource(module, (*resource.resource).clone()))
            }
            _ => None,
        }
    }
}

/// Judges rules that stand in one scope.
pub(crate) fn judge(
    rules: &[CheckRule],
    kind: &RuleKind,
    scope: &Scope,
    evaluator: &Evaluator,
    values: &dyn Values,
) -> (Vec<CheckOutcome>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let outcomes = rules
        .iter()
        .map(|rule| {
            let evaluated = evaluator.check_rule(rule, kind, scope, values);
            diagnostics.append(evaluated.diagnostics);
            evaluated.value
        })
        .collect();
    (outcomes, diagnostics)
}

/// An address in a module, as displayed.
pub(crate) fn within(module: &ModulePath, what: impl std::fmt::Display) -> String {
    if module.is_root() {
        what.to_string()
    } else {
        format!("{module}.{what}")
    }
}

/// An address in a module instance, as displayed.
pub(crate) fn within_instance(module: &ModuleInstance, what: impl std::fmt::Display) -> String {
    if module.is_root() {
        what.to_string()
    } else {
        format!("{module}.{what}")
    }
}

/// Judges the assertions of a check block in one module instance.
pub(crate) fn judge_check(
    address: &AbsNamed,
    evaluator: &Evaluator,
    values: &dyn Values,
) -> Option<(Vec<CheckOutcome>, Diagnostics)> {
    let check = evaluator
        .node(&address.module)?
        .module
        .checks
        .get(&address.name)?;
    let scope = Scope::module(address.module.clone());
    Some(judge(
        &check.asserts,
        &RuleKind::CheckAssertion,
        &scope,
        evaluator,
        values,
    ))
}

/// Where the conditions of an instance stand.
pub(crate) fn config_address(address: &AbsResourceInstance) -> String {
    address.resource.config().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_conditions_are_read() {
        assert!(
            matches!(Checked::parse("check.x"), Some(Checked::Check(module, _)) if module.is_root())
        );
        assert!(
            matches!(Checked::parse("module.a.output.x"), Some(Checked::Output(module, _)) if !module.is_root())
        );
        assert!(
            matches!(Checked::parse("module.a.module.b.data.t.x"), Some(Checked::Resource(module, _)) if module.steps().len() == 2)
        );
        assert!(matches!(
            Checked::parse("var.x"),
            Some(Checked::Variable(..))
        ));
        assert!(Checked::parse("x").is_none());
    }

    #[test]
    fn what_is_judged_again_takes_the_place_of_what_was_planned() {
        let mut checks = Checks::default();
        assert!(checks.results().is_none());
        checks.record(
            "check",
            "check.x".into(),
            "check.x".into(),
            &[CheckOutcome::Unknown],
        );
        checks.record(
            "check",
            "check.x".into(),
            "check.x".into(),
            &[CheckOutcome::Pass, CheckOutcome::Fail("no".into())],
        );
        let results = checks.results().unwrap();
        assert_eq!((results.len(), results[0].objects.len()), (1, 1));
        assert_eq!(results[0].status, CheckStatus::Fail);
        assert_eq!(results[0].objects[0].failures, ["no"]);
    }
}

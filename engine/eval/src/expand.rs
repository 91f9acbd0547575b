//! `count` and `for_each`.

use std::sync::Arc;

use terrace_addr::{AbsProviderConfig, ModuleInstance, ModulePath, Name};
use terrace_config::{ForEachOrCount, ResourceConfig};
use terrace_diag::Diagnostic;
use terrace_syntax::Expr;
use terrace_value::convert::convert;
use terrace_value::{Kind, Marks, Type, Value};

use crate::expression::Run;
use crate::{Evaluated, Evaluator, Expansion, NoValues, RepetitionData, Scope, Values};

/// What an unknown `count` or `for_each` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknowns {
    /// An error.
    Refuse,
    /// [`Expansion::Unknown`].
    Allow,
}

impl Evaluator {
    /// How a resource is expanded in a module instance; `None` where errors kept that from being found out.
    pub fn expand_resource(
        &self,
        module: &ModuleInstance,
        config: &ResourceConfig,
        unknowns: Unknowns,
        values: &dyn Values,
    ) -> Evaluated<Option<Expansion>> {
        self.expand(
            &config.repetition,
            unknowns,
            &Scope::module(module.clone()),
            values,
        )
    }

    /// The instances of a provider configuration with `for_each`; [`Expansion::Single`] for one without, `None` where
    /// errors kept that from being found out. What it reads is known before state and providers.
    pub fn expand_provider(
        &self,
        address: &AbsProviderConfig,
        unknowns: Unknowns,
    ) -> Evaluated<Option<Expansion>> {
        let for_each = self
            .provider_block(address)
            .and_then(|block| block.for_each.clone());
        let Some(for_each) = for_each else {
            return Evaluated::of(Some(Expansion::Single));
        };
        let module = address
            .module
            .steps()
            .iter()
            .fold(ModuleInstance::root(), |module, step| {
                module.child(step.clone(), None)
            });
        let repetition = ForEachOrCount::ForEach(for_each);
        self.expand(&repetition, unknowns, &Scope::module(module), &NoValues)
    }

    /// How the call `name` made from a module instance is expanded; `None` where errors kept that from being found out.
    pub fn expand_call(
        &self,
        module: &ModuleInstance,
        name: &Name,
        unknowns: Unknowns,
        values: &dyn Values,
    ) -> Evaluated<Option<Expansion>> {
        let call = self
            .node(module)
            .and_then(|node| node.module.calls.get(name));
        match call {
            Some(call) => self.expand(
                &call.repetition,
                unknowns,
                &Scope::module(module.clone()),
                values,
            ),
            None => Evaluated::of(None),
        }
    }

    /// `each` for each element of an import block's `for_each`, which may be a collection of any kind: what is
    /// imported has no key of its own. Null and what is not known, where that is allowed, give none.
    pub(crate) fn import_repetition(
        &self,
        for_each: &Expr,
        unknowns: Unknowns,
        values: &dyn Values,
    ) -> Evaluated<Vec<RepetitionData>> {
        let scope = Scope::default();
        let mut run = Run::new(self, &scope, values);
        let repetitions = run.import_repetition(for_each, unknowns);
        run.finish(repetitions)
    }

    /// How anything is expanded that stands in `scope`.
    pub fn expand(
        &self,
        repetition: &ForEachOrCount,
        unknowns: Unknowns,
        scope: &Scope,
        values: &dyn Values,
    ) -> Evaluated<Option<Expansion>> {
        let mut run = Run::new(self, scope, values);
        let expansion = match repetition {
            ForEachOrCount::Single => Some(Expansion::Single),
            ForEachOrCount::Count(expression) => run.count(expression, unknowns),
            ForEachOrCount::ForEach(expression) => run.for_each(expression, unknowns),
            ForEachOrCount::Enabled(expression) => run.enabled(expression, unknowns),
        };
        run.finish(expansion)
    }

    /// The instances of a module that exist by what is known, in order; `None` where a call's expansion is not known.
    pub fn module_instances(
        &self,
        path: &ModulePath,
        values: &dyn Values,
    ) -> Option<Vec<ModuleInstance>> {
        let mut instances = vec![ModuleInstance::root()];
        for step in path.steps() {
            let mut next = Vec::new();
            for module in &instances {
                let expansion = values.call_expansion(module, step)?;
                if expansion == Expansion::Unknown {
                    return None;
                }
                next.extend(
                    expansion
                        .keys()
                        .into_iter()
                        .map(|key| module.child(step.clone(), key)),
                );
            }
            instances = next;
        }
        Some(instances)
    }
}

impl Run<'_> {
    fn import_repetition(&mut self, for_each: &Expr, unknowns: Unknowns) -> Vec<RepetitionData> {
        let before = self.errors();
        let value = self.whole(for_each);
        if self.errors() > before {
            return Vec::new();
        }
        let (value, marks) = value.unmark();
        let of = |key: Value, value: &Value| RepetitionData {
            each_key: Some(key.with_marks(marks)),
            each_value: Some(value.clone().with_marks(marks)),
            ..RepetitionData::default()
        };
        let is_set = matches!(value.kind(), Kind::Set(..));
        let repetitions: Vec<RepetitionData> = match (value.as_sequence(), value.as_entries()) {
            (Some(items), _) if is_set => items.iter().map(|item| of(item.clone(), item)).collect(),
            (Some(items), _) => (0_i64..)
                .zip(items)
                .map(|(index, item)| of(Value::int(index), item))
                .collect(),
            (_, Some(entries)) => entries
                .iter()
                .map(|(key, item)| of(Value::string(key.clone()), item))
                .collect(),
            _ if value.is_null() || !value.is_known() => Vec::new(),
            _ => {
                let detail = "The \"for_each\" expression must be a collection.";
                let _: Option<()> = self.refuse(for_each, invalid_for_each(detail));
                return Vec::new();
            }
        };
        let is_known = |repetition: &RepetitionData| {
            repetition.each_value.as_ref().is_none_or(Value::is_known)
        };
        if unknowns == Unknowns::Refuse && (!value.is_known() || !repetitions.iter().all(is_known))
        {
            let detail = "The \"for_each\" expression includes values derived from other resource attributes that cannot be determined until apply, and so Terrace cannot determine the full set of values that might be used to import this resource.";
            let _: Option<()> = self.refuse(for_each, invalid_for_each(detail));
            return Vec::new();
        }
        repetitions
    }

    fn count(&mut self, expression: &Expr, unknowns: Unknowns) -> Option<Expansion> {
        let before = self.errors();
        let value = self.whole(expression);
        if self.errors() > before {
            return None;
        }
        let (value, marks) = value.unmark();
        if marks.contains(Marks::EPHEMERAL) {
            return self.refuse(expression, invalid_count("The given \"count\" is derived from an ephemeral value, which means that Terrace cannot persist it between plan/apply rounds. Use only non-ephemeral values to specify the number of resource instances."));
        }
        let value = self.converted(expression, &value, &Type::Number)?;
        if value.is_null() {
            return self.refuse(
                expression,
                invalid_count(
                    "The given \"count\" argument value is null. An integer is required.",
                ),
            );
        }
        let Some(number) = value.as_number() else {
            if unknowns == Unknowns::Allow {
                return Some(Expansion::Unknown);
            }
            return self.refuse(expression, invalid_count("The \"count\" value depends on resource attributes that cannot be determined until apply, so Terrace cannot predict how many instances will be created. To work around this, use the -target argument to first apply only the resources that the count depends on."));
        };
        if let Some(count) = number
            .to_usize()
            .and_then(|count| u64::try_from(count).ok())
        {
            return Some(Expansion::Count(count));
        }
        let why = if number.is_integer() && number.is_negative() {
            "must be greater than or equal to zero"
        } else {
            "value must be a whole number, between -9223372036854775808 and 9223372036854775807"
        };
        self.refuse(
            expression,
            invalid_count(&format!(
                "The given \"count\" argument value is unsuitable: {why}."
            )),
        )
    }

    fn enabled(&mut self, expression: &Expr, unknowns: Unknowns) -> Option<Expansion> {
        let before = self.errors();
        let value = self.whole(expression);
        if self.errors() > before {
            return None;
        }
        let (value, marks) = value.unmark();
        if marks.contains(Marks::EPHEMERAL) {
            return self.refuse(expression, invalid_enabled("The given \"enabled\" is derived from an ephemeral value, which means that Terrace cannot persist it between plan/apply rounds. Use only non-ephemeral values to say whether an object is there."));
        }
        if marks.contains(Marks::SENSITIVE) {
            return self.refuse(expression, invalid_enabled("Sensitive values, or values derived from sensitive values, cannot be used as \"enabled\" arguments. If used, the sensitive value could be exposed by whether the object is there."));
        }
        let value = self.converted(expression, &value, &Type::Bool)?;
        if value.is_null() {
            return self.refuse(
                expression,
                invalid_enabled(
                    "The given \"enabled\" argument value is null. A boolean is required.",
                ),
            );
        }
        match value.as_bool() {
            Some(true) => Some(Expansion::Single),
            Some(false) => Some(Expansion::Disabled),
            None if unknowns == Unknowns::Allow => Some(Expansion::Unknown),
            None => self.refuse(expression, invalid_enabled("The \"enabled\" value depends on resource attributes that cannot be determined until apply, so Terrace cannot predict whether the object will be there. To work around this, use the -target argument to first apply only the resources that it depends on.")),
        }
    }

    /// The value as one of the type that the argument takes.
    fn converted(&mut self, expression: &Expr, value: &Value, ty: &Type) -> Option<Value> {
        convert(value, ty).map_or_else(
            |error| {
                let detail = format!("Invalid expression value: {error}.");
                self.refuse(
                    expression,
                    Diagnostic::error("incorrect-type", "Incorrect value type", detail),
                )
            },
            Some,
        )
    }

    fn refuse<T>(&mut self, expression: &Expr, diagnostic: Diagnostic) -> Option<T> {
        self.error_about(expression, None, || diagnostic.at(expression.span));
        None
    }

    fn for_each(&mut self, expression: &Expr, unknowns: Unknowns) -> Option<Expansion> {
        let before = self.errors();
        let value = self.whole(expression);
        if self.errors() > before {
            return None;
        }
        let (value, marks) = value.unmark();
        if marks.contains(Marks::EPHEMERAL) {
            return self.refuse(expression, invalid_for_each("The given \"for_each\" value is derived from an ephemeral value, which means that Terrace cannot persist it between plan/apply rounds. Use only non-ephemeral values to specify a resource's instance keys."));
        }
        if marks.contains(Marks::SENSITIVE) {
            return self.refuse(expression, invalid_for_each("Sensitive values, or values derived from sensitive values, cannot be used as for_each arguments. If used, the sensitive value could be exposed as a resource instance key."));
        }
        if value.is_null() {
            return self.refuse(expression, unsuitable("the given \"for_each\" argument value is null. A map, or set of strings is allowed"));
        }
        match value.kind() {
            Kind::Unknown(unknown)
                if *ty_of(unknown) == Type::Dynamic || is_for_each_type(ty_of(unknown)) =>
            {
                if unknowns == Unknowns::Allow {
                    return Some(Expansion::Unknown);
                }
                let is_set = matches!(ty_of(unknown), Type::Set(_));
                self.refuse(
                    expression,
                    invalid_for_each(if is_set { UNKNOWN_SET } else { UNKNOWN_MAP }),
                )
            }
            Kind::Map(_, entries) | Kind::Object(entries) => Some(Expansion::ForEach(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect::<Arc<[(Name, Value)]>>(),
            )),
            Kind::Set(element, items) => self.for_each_set(expression, element, items, unknowns),
            _ => {
                let ty = value.ty().friendly_name();
                self.refuse(expression, unsuitable(&format!("the \"for_each\" argument must be a map, or set of strings, and you have provided a value of type {ty}")))
            }
        }
    }

    fn for_each_set(
        &mut self,
        expression: &Expr,
        element: &Type,
        items: &[Value],
        unknowns: Unknowns,
    ) -> Option<Expansion> {
        if items.is_empty() {
            return Some(Expansion::ForEach([].into()));
        }
        if !items.iter().all(Value::is_known) {
            if unknowns == Unknowns::Allow {
                return Some(Expansion::Unknown);
            }
            return self.refuse(expression, invalid_for_each(UNKNOWN_SET));
        }
        if *element != Type::String {
            let detail = format!(
                "The given \"for_each\" argument value is unsuitable: \"for_each\" supports maps and sets of strings, but you have provided a set containing type {}.",
                element.friendly_name()
            );
            return self.refuse(
                expression,
                Diagnostic::error("invalid-for-each", "Invalid for_each set argument", detail),
            );
        }
        if items.iter().any(Value::is_null) {
            let detail = "The given \"for_each\" argument value is unsuitable: \"for_each\" sets must not contain null values.";
            return self.refuse(
                expression,
                Diagnostic::error("invalid-for-each", "Invalid for_each set argument", detail),
            );
        }
        let mut entries: Vec<(Name, Value)> = items
            .iter()
            .filter_map(|item| Some((Name::from(item.as_str()?), item.clone())))
            .collect();
        entries.sort_by(|left, right| left.0.cmp(&right.0));
        Some(Expansion::ForEach(entries.into()))
    }
}

const UNKNOWN_MAP: &str = "The \"for_each\" map includes keys derived from resource attributes that cannot be determined until apply, and so Terrace cannot determine the full set of keys that will identify the instances of this resource.\n\nWhen working with unknown values in for_each, it's better to define the map keys statically in your configuration and place apply-time results only in the map values.\n\nAlternatively, you could use the -target planning option to first apply only the resources that the for_each value depends on, and then apply a second time to fully converge.";
const UNKNOWN_SET: &str = "The \"for_each\" set includes values derived from resource attributes that cannot be determined until apply, and so Terrace cannot determine the full set of keys that will identify the instances of this resource.\n\nWhen working with unknown values in for_each, it's better to use a map value where the keys are defined statically in your configuration and where only the values contain apply-time results.\n\nAlternatively, you could use the -target planning option to first apply only the resources that the for_each value depends on, and then apply a second time to fully converge.";

fn ty_of(unknown: &(Type, terrace_value::Refinements)) -> &Type {
    &unknown.0
}

const fn is_for_each_type(ty: &Type) -> bool {
    matches!(ty, Type::Map(_) | Type::Object(_) | Type::Set(_))
}

fn invalid_count(detail: &str) -> Diagnostic {
    Diagnostic::error("invalid-count", "Invalid count argument", detail)
}

fn invalid_enabled(detail: &str) -> Diagnostic {
    Diagnostic::error("invalid-enabled", "Invalid enabled argument", detail)
}

fn invalid_for_each(detail: &str) -> Diagnostic {
    Diagnostic::error("invalid-for-each", "Invalid for_each argument", detail)
}

fn unsuitable(why: &str) -> Diagnostic {
    invalid_for_each(&format!(
        "The given \"for_each\" argument value is unsuitable: {why}."
    ))
}

//! Which instance of a provider configuration with `for_each` a resource instance uses.

use terrace_addr::{AbsProviderConfig, AbsResourceInstance, InstanceKey, ModulePath};
use terrace_config::{ProviderBinding, ResourceConfig};
use terrace_diag::Diagnostic;
use terrace_syntax::Expr;
use terrace_value::convert::convert;
use terrace_value::{Marks, Type, Value};

use crate::{Evaluated, Evaluator, Expansion, RepetitionData, Scope, Unknowns, Values};

impl Evaluator {
    /// The provider configuration of a resource, and the key by which its instances choose one of it.
    pub fn provider_binding(
        &self,
        module: &ModulePath,
        config: &ResourceConfig,
    ) -> ProviderBinding {
        self.inputs.config.resolve_provider_instance(
            module,
            &config.provider_config,
            config.provider_key.as_ref(),
        )
    }

    /// The provider configuration that a resource instance uses: that of `binding`, with the key that holds for the
    /// instance. `None` where errors kept that from being found out.
    pub fn provider_instance(
        &self,
        address: &AbsResourceInstance,
        repetition: RepetitionData,
        binding: &ProviderBinding,
        values: &dyn Values,
    ) -> Evaluated<Option<AbsProviderConfig>> {
        let Some((module, expression)) = &binding.key else {
            return Evaluated::of(Some(binding.config.clone()));
        };
        let scope = scope_of_key(address, repetition, module, values);
        let Evaluated {
            value,
            dependencies,
            mut diagnostics,
        } = self.expression(expression, &scope, values);
        let mut config = None;
        if !diagnostics.has_errors() {
            match self.instance_key(address, binding, expression, &value) {
                Ok(key) => {
                    config = Some(AbsProviderConfig {
                        key: Some(key),
                        ..binding.config.clone()
                    });
                }
                Err(problem) => diagnostics.push(*problem),
            }
        }
        Evaluated {
            value: config,
            dependencies,
            diagnostics,
        }
    }

    fn instance_key(
        &self,
        address: &AbsResourceInstance,
        binding: &ProviderBinding,
        expression: &Expr,
        value: &Value,
    ) -> Result<InstanceKey, Box<Diagnostic>> {
        let refused = |detail: String| {
            Box::new(
                Diagnostic::error(
                    "invalid-provider-key",
                    "Invalid provider instance key",
                    detail,
                )
                .at(expression.span)
                .address(address),
            )
        };
        if value.has_marks_deep(Marks::SENSITIVE) {
            return Err(refused(
                "A provider instance key must not be derived from a sensitive value.".to_owned(),
            ));
        }
        if value.has_marks_deep(Marks::EPHEMERAL) {
            return Err(refused(
                "A provider instance key must not be derived from an ephemeral value.".to_owned(),
            ));
        }
        let value = value.unmark_deep().0;
        if !value.is_known() {
            return Err(refused(format!(
                "The provider instance key for {address} depends on values that cannot be determined until apply, and so Terrace cannot select a provider instance to create a plan for this resource instance."
            )));
        }
        if value.is_null() {
            return Err(refused(
                "A provider instance key must not be null.".to_owned(),
            ));
        }
        let text = convert(&value, &Type::String)
            .map_err(|error| refused(format!("The given instance key is unsuitable: {error}.")))?;
        let key = InstanceKey::String(text.as_str().unwrap_or_default().into());
        match self.expand_provider(&binding.config, Unknowns::Allow).value {
            Some(expansion)
                if expansion != Expansion::Unknown && !expansion.contains(Some(&key)) =>
            {
                let there: Vec<String> = expansion
                    .keys()
                    .into_iter()
                    .flatten()
                    .map(|key| key.to_string())
                    .collect();
                let there = match there.len() {
                    0 => "it has no instances".to_owned(),
                    _ => format!("its instances are {}", there.join(", ")),
                };
                Err(refused(format!(
                    "The provider configuration {} has no instance {key}: {there}. Choose one of these, or add the key to the \"for_each\" of the provider configuration.",
                    binding.config
                )))
            }
            _ => Ok(key),
        }
    }
}

/// Where the key stands: beside the resource, or beside the call of a module above it, which repeats in its own way.
fn scope_of_key(
    address: &AbsResourceInstance,
    repetition: RepetitionData,
    module: &ModulePath,
    values: &dyn Values,
) -> Scope {
    let steps = address.module().steps();
    let depth = module.steps().len();
    let Some(step) = steps.get(depth) else {
        return Scope::instance(address.module().clone(), repetition);
    };
    let above = steps[..depth]
        .iter()
        .fold(terrace_addr::ModuleInstance::root(), |module, step| {
            module.child(step.name.clone(), step.key.clone())
        });
    let repetition = values
        .call_expansion(&above, &step.name)
        .map(|expansion| expansion.repetition(step.key.as_ref()))
        .unwrap_or_default();
    Scope::instance(above, repetition)
}

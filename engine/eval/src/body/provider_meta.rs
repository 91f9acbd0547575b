//! What modules say to providers beside their resources: `provider_meta` blocks.

use terrace_addr::{ModuleInstance, ProviderAddr};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_syntax::Body;
use terrace_value::Value;

use crate::{Evaluator, NoValues, Scope};

impl Evaluator {
    /// What the `provider_meta` block of a module says to a provider, by the provider's schema and without marks; `None`
    /// where there is no such block, or the provider takes none.
    ///
    /// It is evaluated before anything is read: what resources give is unknown to it.
    pub fn provider_meta(&self, module: &ModuleInstance, provider: &ProviderAddr) -> Option<Value> {
        let body = self.provider_meta_block(module, provider)?;
        let schema = self.inputs.schemas.get(provider)?.provider_meta.as_ref()?;
        let scope = Scope::module(module.clone());
        let evaluated = self.body(body, &schema.block, &scope, &NoValues);
        (!evaluated.diagnostics.has_errors()).then(|| evaluated.value.unmark_deep().0)
    }

    /// What is wrong with `provider_meta` blocks: that a provider takes none, or other arguments.
    pub fn provider_meta_problems(&self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for node in self.inputs.config.root.walk() {
            let module = node
                .path
                .steps()
                .iter()
                .fold(ModuleInstance::root(), |module, step| {
                    module.child(step.clone(), None)
                });
            for (name, body) in &node.module.provider_metas {
                let Some(known) = node.module.providers.get(name) else {
                    continue;
                };
                let Some(schema) = self.inputs.schemas.get(&known.provider) else {
                    continue;
                };
                let user = node
                    .module
                    .resources
                    .values()
                    .find(|resource| resource.provider == known.provider);
                // What nobody is sent may be anything.
                let Some(user) = user else { continue };
                if let Some(schema) = &schema.provider_meta {
                    let scope = Scope::module(module.clone());
                    let evaluated = self.body(body, &schema.block, &scope, &NoValues);
                    diagnostics.append(evaluated.diagnostics);
                    continue;
                }
                let detail = format!(
                    "The resource {} belongs to a provider that doesn't support provider_meta blocks. Remove the block, or use a version of the provider that has them.",
                    user.resource
                );
                let summary = format!("Provider {} doesn't support provider_meta", known.provider);
                diagnostics.push(
                    Diagnostic::error("provider-meta-unsupported", summary, detail)
                        .at(body.missing_span),
                );
            }
        }
        diagnostics
    }

    fn provider_meta_block(
        &self,
        module: &ModuleInstance,
        provider: &ProviderAddr,
    ) -> Option<&Body> {
        let module = &self.node(module)?.module;
        let (_, body) = module.provider_metas.iter().find(|(name, _)| {
            module
                .providers
                .get(*name)
                .is_some_and(|known| known.provider == *provider)
        })?;
        Some(body)
    }
}

//! Started and configured providers.

use std::sync::Arc;

use terrace_addr::AbsProviderConfig;
use terrace_config::ProviderConfigBlock;
use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_eval::Evaluator;
use terrace_port::{Provider, ProviderDiagnostic, ProviderError, ProviderSource};
use terrace_syntax::Body;
use terrace_value::Value;

use crate::instance::remark_diagnostic;

/// What is needed to open a provider.
pub(crate) struct Opening<'a> {
    pub(crate) source: &'a dyn ProviderSource,
    pub(crate) evaluator: Arc<Evaluator>,
    pub(crate) address: AbsProviderConfig,
    /// Its evaluated configuration, without marks.
    pub(crate) config: Value,
}

/// The block of a provider configuration, if it is written.
fn block(evaluator: &Evaluator, address: &AbsProviderConfig) -> Option<(Body, Span)> {
    let node = evaluator.config().module(&address.module)?;
    let found = |block: &&ProviderConfigBlock| {
        block.provider == address.provider && block.local.alias == address.alias
    };
    node.module
        .provider_configs
        .values()
        .find(found)
        .map(|block| (block.body.clone(), block.span))
}

impl Opening<'_> {
    /// Starts and configures the provider; `None` when that failed, and what there is to say.
    pub(crate) async fn open(self) -> (Option<Arc<dyn Provider>>, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let provider = match self.source.open_for(&self.address).await {
            Ok(provider) => provider,
            Err(error) => {
                diagnostics.push(self.failed("started", &error));
                return (None, diagnostics);
            }
        };
        let validated = provider.validate_provider_config(self.config.clone()).await;
        let Some(config) = self.keep(validated, &mut diagnostics) else {
            provider.close().await;
            return (None, diagnostics);
        };
        let configured = provider.configure(config).await;
        if self.keep(configured, &mut diagnostics).is_none() {
            provider.close().await;
            return (None, diagnostics);
        }
        (Some(provider), diagnostics)
    }

    fn keep<T>(
        &self,
        attempt: terrace_port::Attempt<T>,
        diagnostics: &mut Diagnostics,
    ) -> Option<T> {
        match attempt {
            Ok(reply) => {
                let failed = reply.failed();
                for remark in reply.diagnostics {
                    diagnostics.push(self.remark(remark));
                }
                (!failed).then_some(reply.value)
            }
            Err(error) => {
                diagnostics.push(self.failed("configured", &error));
                None
            }
        }
    }

    fn remark(&self, remark: ProviderDiagnostic) -> Diagnostic {
        let block = block(&self.evaluator, &self.address);
        let schema = self.evaluator.schemas().get(&self.address.provider);
        let span = match (&remark.attribute, &block, schema) {
            (Some(path), Some((body, _)), Some(schema)) => {
                Some(self.evaluator.span_of(body, &schema.provider.block, path))
            }
            (_, Some((_, span)), _) => Some(*span),
            _ => None,
        };
        remark_diagnostic(&self.address, span, remark)
    }

    fn failed(&self, doing: &str, error: &ProviderError) -> Diagnostic {
        let provider = self.address.provider.for_display();
        Diagnostic::error(
            "provider-call-failed",
            "Provider call failed",
            format!(
                "The provider {provider} could not be {doing}: {}",
                error.message
            ),
        )
        .at_opt(block(&self.evaluator, &self.address).map(|block| block.1))
        .address(&self.address)
    }
}

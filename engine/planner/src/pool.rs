//! Started and configured providers, one for each provider configuration that is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use terrace_addr::AbsProviderConfig;
use terrace_config::ProviderConfigBlock;
use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_eval::{Dependency, Evaluator, Values};
use terrace_port::{Provider, ProviderError};
use terrace_syntax::Body;
use terrace_value::Value;

use crate::ProviderSource;
use crate::instance::verify::{Written, remark_of};

/// A provider that is being opened; `None` when that failed, which has been reported once.
pub(crate) type Opening<'a> = Shared<BoxFuture<'a, Option<Arc<dyn Provider>>>>;

/// The providers of one run.
pub(crate) struct Pool<'a> {
    source: &'a dyn ProviderSource,
    evaluator: Arc<Evaluator>,
    slots: BTreeMap<AbsProviderConfig, Opening<'a>>,
    reads: BTreeMap<AbsProviderConfig, BTreeSet<Dependency>>,
    diagnostics: Arc<Mutex<Diagnostics>>,
}

impl<'a> Pool<'a> {
    pub(crate) fn new(source: &'a dyn ProviderSource, evaluator: Arc<Evaluator>) -> Self {
        Self {
            source,
            evaluator,
            slots: BTreeMap::new(),
            reads: BTreeMap::new(),
            diagnostics: Arc::default(),
        }
    }

    /// The provider of a configuration, opened when it is first asked for. Its configuration is evaluated at once.
    pub(crate) fn provider(
        &mut self,
        address: &AbsProviderConfig,
        values: &dyn Values,
    ) -> Opening<'a> {
        if let Some(slot) = self.slots.get(address) {
            return slot.clone();
        }
        let evaluated = self.evaluator.provider_body(address, values);
        let failed = evaluated.diagnostics.has_errors();
        self.reads.insert(address.clone(), evaluated.dependencies);
        append(&self.diagnostics, evaluated.diagnostics);
        let slot: Opening<'a> = if failed {
            futures::future::ready(None).boxed().shared()
        } else {
            let (config, _) = evaluated.value.unmark_deep();
            let (source, diagnostics) = (self.source, Arc::clone(&self.diagnostics));
            let block = self.block(address);
            let evaluator = Arc::clone(&self.evaluator);
            let address = address.clone();
            async move {
                let opened = open(source, &address, &evaluator, block.as_ref(), config).await;
                match opened {
                    Ok((provider, remarks)) => {
                        append(&diagnostics, remarks);
                        Some(provider)
                    }
                    Err(problems) => {
                        append(&diagnostics, problems);
                        None
                    }
                }
            }
            .boxed()
            .shared()
        };
        self.slots.insert(address.clone(), slot.clone());
        slot
    }

    fn block(&self, address: &AbsProviderConfig) -> Option<(Body, Span)> {
        let node = self.evaluator.config().module(&address.module)?;
        let found = |block: &&ProviderConfigBlock| {
            block.provider == address.provider && block.local.alias == address.alias
        };
        node.module
            .provider_configs
            .values()
            .find(found)
            .map(|block| (block.body.clone(), block.span))
    }

    /// What each configuration that was asked for reads directly.
    pub(crate) const fn reads(&self) -> &BTreeMap<AbsProviderConfig, BTreeSet<Dependency>> {
        &self.reads
    }

    /// Ends all providers; what opening them had to say.
    pub(crate) async fn close(self) -> Diagnostics {
        let opened = self.slots.values().filter_map(|slot| slot.peek()?.clone());
        let closing = opened.map(|provider| async move { provider.close().await });
        futures::future::join_all(closing).await;
        std::mem::take(
            &mut *self
                .diagnostics
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

fn append(to: &Mutex<Diagnostics>, diagnostics: Diagnostics) {
    to.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .append(diagnostics);
}

/// Starts a provider and configures it.
async fn open(
    source: &dyn ProviderSource,
    address: &AbsProviderConfig,
    evaluator: &Evaluator,
    block: Option<&(Body, Span)>,
    config: Value,
) -> Result<(Arc<dyn Provider>, Diagnostics), Diagnostics> {
    let failed = |doing: &str, error: &ProviderError| {
        Diagnostics::from(
            Diagnostic::error(
                "provider-call-failed",
                "Provider call failed",
                format!(
                    "The provider {} could not be {doing}: {}",
                    address.provider.for_display(),
                    error.message
                ),
            )
            .at_opt(block.map(|block| block.1))
            .address(address),
        )
    };
    let provider = source
        .open_for(address)
        .await
        .map_err(|error| failed("started", &error))?;
    let Some(schema) = evaluator.schemas().get(&address.provider).cloned() else {
        let error = ProviderError {
            message: "its schema is not known".to_owned(),
        };
        return Err(failed("configured", &error));
    };
    let schema = &schema.provider.block;
    let mut diagnostics = Diagnostics::new();
    let mut note = |remarks: Vec<terrace_port::ProviderDiagnostic>| {
        for remark in remarks {
            let written = block.map(|block| Written {
                evaluator,
                body: &block.0,
                schema,
            });
            diagnostics.push(remark_of(
                &address.to_string(),
                written.as_ref(),
                block.map(|block| block.1),
                remark,
            ));
        }
        diagnostics.has_errors()
    };
    let validated = match provider.validate_provider_config(config).await {
        Ok(reply) => reply,
        Err(error) => {
            provider.close().await;
            return Err(failed("configured", &error));
        }
    };
    if note(validated.diagnostics) {
        provider.close().await;
        return Err(diagnostics);
    }
    match provider.configure(validated.value).await {
        Ok(reply) => {
            if note(reply.diagnostics) {
                provider.close().await;
                return Err(diagnostics);
            }
        }
        Err(error) => {
            provider.close().await;
            return Err(failed("configured", &error));
        }
    }
    Ok((provider, diagnostics))
}

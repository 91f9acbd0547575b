//! What is asked of the planner.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_addr::{AbsResourceInstance, ProviderAddr, Target};
use terrace_eval::Evaluator;
use terrace_plan::{PlanInputs, PlanMode};
use terrace_port::{Observer, Provider, ProviderError};
use terrace_state::State;
use terrace_value::Value;

/// Where providers come from.
#[async_trait]
pub trait ProviderSource: Send + Sync {
    /// Starts a provider. The planner calls this once for each provider configuration that it needs, configures what
    /// it is given, and closes it at the end.
    async fn open(&self, provider: &ProviderAddr) -> Result<Arc<dyn Provider>, ProviderError>;

    /// Calls a function of a provider, which need not be configured. The error names the argument (from 0) that is to
    /// blame, if one is.
    fn call_function(
        &self,
        provider: &ProviderAddr,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, (Option<usize>, String)>;
}

/// How to plan.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// What for.
    pub mode: PlanMode,
    /// `-target`: only these and what they depend on. Empty for everything.
    pub targets: Vec<Target>,
    /// `-replace`
    pub replace: Vec<AbsResourceInstance>,
    /// Whether existing objects are read first.
    pub refresh: bool,
    /// How many provider calls run at once; at least 1.
    pub parallelism: usize,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            mode: PlanMode::Normal,
            targets: Vec::new(),
            replace: Vec::new(),
            refresh: true,
            parallelism: 10,
        }
    }
}

/// A plan to make.
#[derive(Clone)]
pub struct PlanRequest<'a> {
    /// The configuration with its variables; it must know the schemas of all providers that configuration and state use.
    pub evaluator: Arc<Evaluator>,
    /// The state as stored.
    pub state: Arc<State>,
    /// Where providers come from.
    pub providers: &'a dyn ProviderSource,
    /// How to plan.
    pub options: PlanOptions,
    /// What the plan records of its inputs; `targets` and `replace` are filled in from the options.
    pub inputs: PlanInputs,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
}

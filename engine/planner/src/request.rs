//! What is asked of the planner.

use std::sync::Arc;

use terrace_addr::{AbsResourceInstance, Target};
use terrace_eval::Evaluator;
use terrace_plan::{PlanInputs, PlanMode};
pub use terrace_port::ProviderSource;
use terrace_port::{Clock, Observer};
use terrace_state::State;

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
    /// `-generate-config-out`: the file for which configuration of imports without one is generated. It is not written.
    pub generate_config: Option<String>,
    /// Objects to take over, with the ids by which their provider finds them. They ask for [`PlanMode::RefreshOnly`], in which
    /// import blocks are left alone; nothing else about the state changes then but what data sources and outputs say.
    pub imports: Vec<(AbsResourceInstance, String)>,
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
            generate_config: None,
            imports: Vec::new(),
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
    /// The time, by which ephemeral resources are renewed.
    pub clock: Arc<dyn Clock>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
}

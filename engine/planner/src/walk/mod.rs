//! The walk over the configuration: one owner decides what may go next, provider calls run beside it.

mod ephemeral;
mod finish;
mod imports;
mod named;
mod orphans;
mod prevent;
mod resources;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use futures::channel::oneshot;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use terrace_addr::{
    AbsNamed, AbsResource, AbsResourceInstance, ConfigResource, DeposedKey, InstanceKey,
    ModuleInstance, Name, Resource,
};
use terrace_config::{Config, ResourceConfig};
use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_eval::{ConfigGraph, ConfigNode, Dependency, Evaluator, Expansion, Scope};
use terrace_graph::{NodeId, ReadyQueue};
use terrace_plan::{Action, OutputChange, PlanMode, ResourceChange};
use terrace_schema::ResourceSchema;
use terrace_state::{Object, State};
use terrace_value::Value;

use crate::PlanRequest;
use crate::checks::Checks;
use crate::closure::Closure;
use crate::instance::data::DataOutcome;
use crate::instance::ephemeral::EphemeralOutcome;
use crate::instance::{Import, ImportBy, ManagedOutcome, Subject, Wish};
use crate::moves::{self, MoveResults};
use crate::pool::Pool;
use crate::reasons::CauseCache;
use crate::table::Table;
use crate::targets::Included;

/// A key by which changes are found: the instance, and which object of it.
pub(crate) type ChangeKey = (AbsResourceInstance, Option<DeposedKey>);

/// What a walk has brought together.
pub(crate) struct Gathered {
    /// Changes by object.
    pub(crate) changes: BTreeMap<ChangeKey, ResourceChange>,
    /// What changed outside.
    pub(crate) drift: Vec<ResourceChange>,
    /// Of which instances.
    pub(crate) drifted: BTreeSet<AbsResourceInstance>,
    /// The state after moves and reads.
    pub(crate) prior: Arc<State>,
    /// Changes of root outputs.
    pub(crate) outputs: BTreeMap<Name, OutputChange>,
    /// Results of conditions.
    pub(crate) checks: Checks,
    /// What each instance that is configured reads directly.
    pub(crate) reads: BTreeMap<AbsResourceInstance, BTreeSet<Dependency>>,
    /// The provider configuration of each ephemeral instance.
    pub(crate) ephemerals: BTreeMap<AbsResourceInstance, terrace_addr::AbsProviderConfig>,
    /// What conditions read that are judged again by apply, by address in the configuration.
    pub(crate) check_reads: BTreeMap<String, BTreeSet<Dependency>>,
    /// What there is to say.
    pub(crate) diagnostics: Diagnostics,
}

/// A resource in one module instance, as all its instances share it.
pub(crate) struct Context {
    pub(crate) node: NodeId,
    pub(crate) abs: AbsResource,
    pub(crate) config: Arc<ResourceConfig>,
    /// The provider configuration, and the key by which instances choose one of it.
    pub(crate) provider: terrace_config::ProviderBinding,
    pub(crate) schema: Arc<ResourceSchema>,
    /// Null of the schema's type.
    pub(crate) null: Value,
    pub(crate) expansion: Expansion,
    /// What all instances read: the expansion's and the explicit dependencies.
    pub(crate) shared_reads: BTreeSet<Dependency>,
    /// Resources that it depends on, directly or not.
    pub(crate) dependencies: Arc<[ConfigResource]>,
    pub(crate) create_before_destroy: bool,
    /// Whether an explicit dependency is about to change.
    pub(crate) pending: bool,
    pub(crate) ignore_changes: Arc<terrace_config::IgnoreChanges>,
}

impl Context {
    /// Where the expressions of an instance stand.
    fn scope_of(&self, key: Option<&InstanceKey>) -> Scope {
        Scope::instance(self.abs.module.clone(), self.expansion.repetition(key))
    }

    /// Whether objects are only forgotten when they are to go.
    fn skips_destroy(&self) -> bool {
        self.config.lifecycle.destroy == Some(false)
    }
}

/// Something to start when there is room.
enum Task {
    /// A configured instance.
    Configured(Arc<Context>, Option<InstanceKey>),
    /// An object without configuration.
    Orphan(Box<Orphan>),
}

/// An object of the state that no configuration stands behind, or that is to go.
struct Orphan {
    node: Option<NodeId>,
    address: AbsResourceInstance,
    deposed: Option<DeposedKey>,
    object: Arc<Object>,
    provider: terrace_addr::AbsProviderConfig,
    wish: Wish,
    prevent_destroy: Option<Span>,
}

/// What a finished call says, and of what.
struct Event {
    node: Option<NodeId>,
    about: About,
    outcome: Outcome,
}

enum About {
    Configured(Arc<Context>, Option<InstanceKey>),
    Orphan(
        AbsResourceInstance,
        Option<DeposedKey>,
        terrace_addr::AbsProviderConfig,
    ),
}

enum Outcome {
    Managed(Box<ManagedOutcome>),
    Data(Box<DataOutcome>),
    Ephemeral(Box<(Subject, EphemeralOutcome)>),
    /// Its provider could not be opened, which is reported elsewhere.
    NoProvider,
}

#[derive(Default)]
struct Pending {
    left: usize,
    failed: bool,
}

/// The walk.
pub(crate) struct Walk<'a> {
    pub(crate) request: &'a PlanRequest<'a>,
    pub(crate) evaluator: Arc<Evaluator>,
    pub(crate) config: Arc<Config>,
    pub(crate) graph: ConfigGraph,
    pub(crate) closure: Closure,
    pub(crate) included: Included,
    pub(crate) table: Arc<Table<'a>>,
    pub(crate) statements: Vec<moves::Statement>,
    pub(crate) moved: MoveResults,
    /// The state after moves, before reads.
    pub(crate) base: Arc<State>,
    pub(crate) pool: Pool<'a>,
    pub(crate) gathered: Gathered,
    queue: ReadyQueue,
    tasks: VecDeque<Task>,
    /// Tasks queued since the last one was started. They go before older ones: what the dependents of a finished task
    /// read is still at hand then, and less of the plan is half done at a time.
    fresh: Vec<Task>,
    running: FuturesUnordered<BoxFuture<'a, Event>>,
    /// Ephemeral resources that are open; each ends once its end below has been dropped.
    lifetimes: FuturesUnordered<BoxFuture<'a, Diagnostics>>,
    /// By the place of their block in an order that puts dependencies first.
    ends: BTreeMap<usize, Vec<(AbsResourceInstance, oneshot::Sender<()>)>>,
    read_by_providers: BTreeSet<NodeId>,
    /// What happens to resources, as reasons tell it.
    pub(crate) causes: Mutex<CauseCache>,
    pending: HashMap<NodeId, Pending>,
    /// Instances of provider configurations that instances of resources have chosen by key.
    chosen: HashMap<AbsResourceInstance, terrace_addr::AbsProviderConfig>,
    /// Managed resources to whose objects anything happens.
    changing: HashSet<NodeId>,
    /// Resources that have been expanded.
    expanded: HashSet<AbsResource>,
    /// Resources whose node was left out because something before it failed.
    skipped: BTreeSet<ConfigResource>,
    imports: BTreeMap<AbsResourceInstance, Import>,
    /// Resources whose configuration is to be generated.
    generates: BTreeSet<AbsResource>,
    /// Checks whose data could not be read, and why.
    failed_checks: BTreeMap<AbsNamed, Vec<String>>,
    /// Instances with conditions that cannot be decided yet, and what those read.
    undecided: BTreeMap<AbsResourceInstance, BTreeSet<Dependency>>,
}

/// The imports that the options ask for.
fn asked_imports(options: &crate::PlanOptions) -> BTreeMap<AbsResourceInstance, Import> {
    let asked = options.imports.iter().map(|(address, id)| {
        let by = ImportBy::Id(id.clone());
        (address.clone(), Import { by, span: None })
    });
    asked.collect()
}

impl<'a> Walk<'a> {
    /// Prepares a walk; `Err` when the configuration has no order.
    pub(crate) fn new(request: &'a PlanRequest<'a>) -> Result<Self, Diagnostics> {
        let evaluator = Arc::clone(&request.evaluator);
        let config = Arc::clone(evaluator.config());
        let (graph, mut diagnostics) = evaluator.config_graph();
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        let Ok(order) = graph.dag().topological_order() else {
            diagnostics.push(Diagnostic::error(
                "cycle",
                "Cycle",
                "The configuration refers to itself in a circle, so that there is no order to evaluate it in.",
            ));
            return Err(diagnostics);
        };
        let closure = Closure::new(&graph, &config, &order);
        let read_by_providers = ephemeral::read_by_providers(&graph, &closure);
        let mut base = Arc::clone(&request.state);
        let options = &request.options;
        let imports = asked_imports(options);
        // Taking over objects by name leaves all others where they are.
        let statements = if imports.is_empty() {
            moves::statements(&config)
        } else {
            Vec::new()
        };
        let moved = moves::apply(&statements, &config, &mut base);
        let included = Included::new(&options.targets, options.mode, &graph, &closure, &base);
        let queue = ReadyQueue::new(graph.dag());
        let checks = Checks::new(&config);
        Ok(Self {
            gathered: Gathered {
                changes: BTreeMap::new(),
                drift: Vec::new(),
                drifted: BTreeSet::new(),
                prior: Arc::clone(&base),
                outputs: BTreeMap::new(),
                checks,
                reads: BTreeMap::new(),
                ephemerals: BTreeMap::new(),
                check_reads: BTreeMap::new(),
                diagnostics,
            },
            table: Arc::new(Table::new(request.providers)),
            pool: Pool::new(request.providers, Arc::clone(&evaluator)),
            request,
            evaluator,
            config,
            graph,
            closure,
            included,
            statements,
            moved,
            base,
            queue,
            tasks: VecDeque::new(),
            fresh: Vec::new(),
            running: FuturesUnordered::new(),
            lifetimes: FuturesUnordered::new(),
            ends: BTreeMap::new(),
            read_by_providers,
            causes: Mutex::default(),
            pending: HashMap::new(),
            chosen: HashMap::new(),
            changing: HashSet::new(),
            expanded: HashSet::new(),
            skipped: BTreeSet::new(),
            imports,
            generates: BTreeSet::new(),
            failed_checks: BTreeMap::new(),
            undecided: BTreeMap::new(),
        })
    }

    /// Walks to the end.
    pub(crate) async fn run(&mut self) {
        if self.mode() == PlanMode::Normal {
            self.collect_imports_without_configuration();
        }
        self.drain().await;
        self.queue_generated();
        self.queue_orphans();
        self.drain().await;
    }

    /// Configured instances, each after those that it depends on, whatever the order in which they were planned.
    pub(crate) fn ordered_instances(&self) -> Vec<AbsResourceInstance> {
        let mut instances: Vec<AbsResourceInstance> = self.gathered.reads.keys().cloned().collect();
        instances.sort_by_cached_key(|address| {
            let node = ConfigNode::Resource(address.resource.config());
            self.graph.id(&node).map(|id| self.closure.rank(id))
        });
        instances
    }

    pub(crate) fn mode(&self) -> PlanMode {
        self.request.options.mode
    }

    async fn drain(&mut self) {
        let limit = self.request.options.parallelism.max(1);
        loop {
            if let Some(node) = self.queue.pop() {
                self.enter(node);
                continue;
            }
            for task in self.fresh.drain(..).rev() {
                self.tasks.push_front(task);
            }
            if self.running.len() < limit {
                if let Some(task) = self.tasks.pop_front() {
                    self.start(task);
                    continue;
                }
            }
            match self.next_event().await {
                Some(event) => self.finish(event),
                None if self.tasks.is_empty() => return,
                None => {}
            }
        }
    }

    /// Does what a node asks for, or queues it.
    fn enter(&mut self, node: NodeId) {
        let Some(what) = self.graph.dag().get(node).cloned() else {
            return;
        };
        if !self.included.node(node) {
            self.queue.complete(node);
            return;
        }
        self.pending.insert(
            node,
            Pending {
                left: 1,
                failed: false,
            },
        );
        let ok = match &what {
            ConfigNode::Variable(module, name) => self.variable(module, name),
            ConfigNode::Local(module, name) => self.local(module, name),
            ConfigNode::Output(module, name) => self.output(module, name),
            ConfigNode::Call(module, name) => self.call(module, name),
            ConfigNode::CallOutputs(..) | ConfigNode::CallDone(..) | ConfigNode::Provider(_) => {
                true
            }
            ConfigNode::Resource(resource) => self.resource(node, resource),
            ConfigNode::Check(module, name) => self.check(module, name),
            ConfigNode::Import(index) => self.import(*index),
        };
        self.settle(node, ok);
    }

    /// One of the things that a node waits for is over.
    fn settle(&mut self, node: NodeId, ok: bool) {
        let Some(pending) = self.pending.get_mut(&node) else {
            return;
        };
        pending.left -= 1;
        pending.failed |= !ok;
        if pending.left > 0 {
            return;
        }
        let failed = pending.failed;
        self.pending.remove(&node);
        if !failed {
            self.queue.complete(node);
            return;
        }
        for skipped in self.queue.fail(node) {
            if let Some(ConfigNode::Resource(resource)) = self.graph.dag().get(skipped) {
                self.skipped.insert(resource.clone());
            }
        }
    }

    /// Queues a task that `node` waits for.
    fn queue_task(&mut self, node: Option<NodeId>, task: Task) {
        if let Some(pending) = node.and_then(|node| self.pending.get_mut(&node)) {
            pending.left += 1;
        }
        self.fresh.push(task);
    }

    fn start(&mut self, task: Task) {
        match task {
            Task::Configured(context, key) => self.start_configured(context, key),
            Task::Orphan(orphan) => self.start_orphan(*orphan),
        }
    }

    /// Leaves conditions that cannot be decided yet to apply, where nothing else there would judge them: those of
    /// instances to which nothing happens.
    pub(crate) fn leave_undecided(&mut self) {
        for (address, reads) in std::mem::take(&mut self.undecided) {
            let resource = address.resource.config().to_string();
            let change = self.gathered.changes.get(&(address, None));
            if change.is_none_or(|change| change.action == Action::NoOp) {
                self.gathered
                    .check_reads
                    .entry(resource)
                    .or_default()
                    .extend(reads);
            }
        }
    }

    /// Takes over what an evaluation had to say; whether it went well.
    pub(crate) fn take(&mut self, diagnostics: Diagnostics) -> bool {
        let ok = !diagnostics.has_errors();
        self.gathered.diagnostics.append(diagnostics);
        ok
    }

    /// Changes of the objects of a resource.
    pub(crate) fn changes_of<'b>(
        &'b self,
        resource: &'b AbsResource,
    ) -> impl Iterator<Item = &'b ResourceChange> {
        let start: ChangeKey = (resource.instance(None), None);
        self.gathered
            .changes
            .range(start..)
            .take_while(move |((address, _), _)| address.resource == *resource)
            .map(|(_, change)| change)
    }

    /// Changes of what is in the modules that a call calls.
    pub(crate) fn changes_below(&self, call: &AbsNamed) -> impl Iterator<Item = &ResourceChange> {
        let first = call.module.child(call.name.clone(), None);
        let start: ChangeKey = (
            Resource::managed("", "").in_module(first).instance(None),
            None,
        );
        let below = move |module: &ModuleInstance| {
            let (outer, inner) = (call.module.steps(), module.steps());
            inner.starts_with(outer)
                && inner
                    .get(outer.len())
                    .is_some_and(|step| step.name == call.name)
        };
        self.gathered
            .changes
            .range(start..)
            .take_while(move |((address, _), _)| below(address.module()))
            .map(|(_, change)| change)
    }
}

//! `terrace graph`: what depends on what, as a drawing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrace_addr::{ConfigResource, ResourceMode};
use terrace_config::Config;
use terrace_diag::SourceMap;
use terrace_eval::{ConfigGraph, ConfigNode, Evaluator, Inputs, Paths, Schemas};
use terrace_functions::FunctionTable;
use terrace_plan::{OpKind, Plan, read_plan_file};
use terrace_port::Files as _;
use terrace_state::State;

use crate::args::{GraphArgs, GraphFormat};
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::encryption::read_saved;
use crate::outside::{Disk, PlanningContext};
use crate::session::Session;
use crate::view::drawing::{self, Drawing, Node, Shape, Summary};
use crate::wiring::load_sound_config;

/// An edge from what depends to what it depends on.
type Edges = BTreeMap<String, BTreeSet<String>>;

/// A module with its resources: their addresses within it, and whole.
type ModuleResources = (String, Vec<(String, String)>);

/// What is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Plan,
    Destroy,
}

pub(crate) async fn run(session: &Session, args: &GraphArgs) -> Outcome {
    let operation = operation(args.operation.as_deref())?;
    let text = match (&args.plan, operation) {
        (Some(path), _) => draw(&plan_drawing(&plan_file(session, path).await?), args.format),
        (None, operation) => {
            let graph = Configured::load(session)?;
            match operation {
                None => {
                    let summary = graph.summary();
                    match args.format {
                        GraphFormat::Dot => drawing::summary_dot(&summary),
                        GraphFormat::Mermaid => drawing::summary_mermaid(&summary),
                    }
                }
                Some(Operation::Plan) => draw(&graph.drawing(args.draw_cycles), args.format),
                Some(Operation::Destroy) => {
                    let place = session.place(None, Some(&graph.config))?;
                    let state = terrace_state::load(&*place.store, &place.workspace).await?;
                    draw(&graph.destruction(&state), args.format)
                }
            }
        }
    };
    session.view.output(text);
    Ok(SUCCESS)
}

fn draw(drawn: &Drawing, format: GraphFormat) -> String {
    match format {
        GraphFormat::Dot => drawing::dot(drawn),
        GraphFormat::Mermaid => drawing::mermaid(drawn),
    }
}

fn operation(name: Option<&str>) -> Result<Option<Operation>, CommandError> {
    match name {
        None | Some("") => Ok(None),
        Some("plan" | "plan-refresh-only" | "apply") => Ok(Some(Operation::Plan)),
        Some("plan-destroy") => Ok(Some(Operation::Destroy)),
        Some(old @ ("validate" | "eval")) => Err(CommandError::one(
            "graph-type",
            "Graph type no longer available",
            format!(
                "The graph type {old:?} is no longer available. Use -type=plan instead to get a similar result."
            ),
        )),
        Some(_) => Err(CommandError::one(
            "graph-type",
            "Unsupported graph type",
            "The -type=... argument must be either \"plan\", \"plan-refresh-only\", \"plan-destroy\", or \"apply\".",
        )),
    }
}

async fn plan_file(session: &Session, path: &str) -> Result<Plan, CommandError> {
    let bytes = read_saved(session, path).await?;
    let (plan, _) = read_plan_file(&bytes).map_err(|error| {
        CommandError::one(
            "invalid-plan",
            "Plan file cannot be used",
            error.to_string(),
        )
    })?;
    Ok(plan)
}

/// A configuration with the order of what is in it.
struct Configured {
    config: Arc<Config>,
    graph: ConfigGraph,
}

impl Configured {
    fn load(session: &Session) -> Result<Self, CommandError> {
        let (config, mut diagnostics) = load_sound_config(session)?;
        let evaluator = Evaluator::new(Inputs {
            config: Arc::clone(&config),
            functions: Arc::new(FunctionTable::standard()),
            context: Arc::new(PlanningContext::new(session.now(), None)),
            // Without schemas nothing is checked, and every reference is followed.
            schemas: Arc::new(Schemas::new()),
            variables: BTreeMap::new(),
            workspace: session.workspace(),
            paths: Paths {
                cwd: Disk.absolute("."),
                root: ".".to_owned(),
            },
            applying: false,
        });
        let (graph, found) = evaluator.config_graph();
        let cyclic = graph.dag().topological_order().is_err();
        if !cyclic {
            diagnostics.append(found);
        }
        if diagnostics.has_errors() {
            return Err(CommandError::new(diagnostics, config.sources.clone()));
        }
        session.view.diagnostics(diagnostics, &SourceMap::new());
        Ok(Self { config, graph })
    }

    /// Resources, by module, and which of them depend on which, however many other things lie between.
    fn summary(&self) -> Summary {
        let mut modules: BTreeMap<Vec<String>, ModuleResources> = BTreeMap::new();
        let resources = self.resources();
        for resource in &resources {
            let steps = resource.module.steps().iter().map(ToString::to_string);
            let (_, list) = modules
                .entry(steps.collect())
                .or_insert_with(|| (resource.module.to_string(), Vec::new()));
            list.push((resource.resource.to_string(), resource.to_string()));
        }
        let reduced = reduced(&self.edges(), |name| name.ends_with(EXPAND_RESOURCE));
        let mut edges = Vec::new();
        for resource in &resources {
            let below = reduced.get(&resource_name(resource));
            let mut below: Vec<&str> = below
                .into_iter()
                .flatten()
                .filter_map(|name| name.strip_suffix(EXPAND_RESOURCE))
                .collect();
            below.sort_unstable();
            edges.extend(
                below
                    .iter()
                    .map(|to| (resource.to_string(), (*to).to_owned())),
            );
        }
        Summary {
            modules: modules.into_values().collect(),
            edges,
        }
    }

    /// The resources that have effects, by module and address.
    fn resources(&self) -> Vec<ConfigResource> {
        let mut resources: Vec<ConfigResource> = self
            .graph
            .dag()
            .nodes()
            .filter_map(|(_, node)| match node {
                ConfigNode::Resource(resource) => Some(resource.clone()),
                _ => None,
            })
            .collect();
        resources.sort_by_cached_key(|resource| {
            let steps: Vec<String> = resource
                .module
                .steps()
                .iter()
                .map(ToString::to_string)
                .collect();
            (steps, resource.resource.to_string())
        });
        resources
    }

    /// All that the configuration graph holds, under the names of drawings.
    fn edges(&self) -> Edges {
        let dag = self.graph.dag();
        let mut edges = Edges::new();
        for (id, node) in dag.nodes() {
            let from = name_of(node);
            let below = dag.dependencies(id).filter_map(|below| dag.get(below));
            let below: Vec<String> = below.map(name_of).filter(|to| *to != from).collect();
            edges.entry(from).or_default().extend(below);
        }
        edges
    }

    fn drawing(&self, mark_cycles: bool) -> Drawing {
        let mut edges = self.edges();
        let mut nodes = BTreeMap::new();
        for (_, node) in self.graph.dag().nodes() {
            let (label, shape) = match node {
                ConfigNode::Resource(resource) => (resource.to_string(), Shape::Box),
                ConfigNode::Provider(provider) => {
                    let name = provider.to_string();
                    let close = edges.entry(format!("{name} (close)")).or_default();
                    close.insert(name.clone());
                    (name, Shape::Diamond)
                }
                ConfigNode::Variable(path, _) if path.is_root() => (name_of(node), Shape::Note),
                ConfigNode::Check(..) => {
                    let name = name_of(node);
                    let report = name.replace("(expand)", "(report)");
                    edges.entry(name).or_default().insert(report);
                    continue;
                }
                _ => continue,
            };
            nodes.insert(name_of(node), Node { label, shape });
        }
        // A provider is closed when all that use it are done.
        let users: Vec<(String, String)> = edges
            .iter()
            .filter(|(name, _)| name.ends_with(EXPAND_RESOURCE))
            .flat_map(|(user, below)| {
                let providers = below.iter().filter(|name| is_provider(name));
                providers.map(move |provider| (format!("{provider} (close)"), user.clone()))
            })
            .collect();
        for (close, user) in users {
            edges.entry(close).or_default().insert(user);
        }
        finished(nodes, edges, mark_cycles)
    }

    /// What is destroyed before what.
    fn destruction(&self, state: &State) -> Drawing {
        let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
        let mut edges = Edges::new();
        let managed: BTreeMap<ConfigResource, String> = state
            .resources
            .iter()
            .filter(|(address, _)| address.resource.mode == ResourceMode::Managed)
            .map(|(address, resource)| {
                let address = ConfigResource {
                    module: address.module.path(),
                    resource: (*address.resource).clone(),
                };
                (address, resource.provider.to_string())
            })
            .collect();
        let name = |resource: &ConfigResource| format!("{resource} (destroy)");
        let reduced = reduced(&self.edges(), |name| name.ends_with(EXPAND_RESOURCE));
        for (resource, provider) in &managed {
            let label = resource.to_string();
            nodes.insert(
                name(resource),
                Node {
                    label,
                    shape: Shape::Box,
                },
            );
            nodes.insert(
                provider.clone(),
                Node {
                    label: provider.clone(),
                    shape: Shape::Diamond,
                },
            );
            let close = edges.entry(format!("{provider} (close)")).or_default();
            close.insert(name(resource));
            edges
                .entry(name(resource))
                .or_default()
                .insert(provider.clone());
            let below = reduced.get(&resource_name(resource)).into_iter().flatten();
            for used in below.filter_map(|name| name.strip_suffix(EXPAND_RESOURCE)) {
                if managed.keys().any(|other| other.to_string() == used) {
                    let used = format!("{used} (destroy)");
                    edges.entry(used).or_default().insert(name(resource));
                }
            }
        }
        for output in self.config.root.module.outputs.keys() {
            edges
                .entry(format!("output.{output} (expand)"))
                .or_default();
        }
        finished(nodes, edges, false)
    }
}

/// What ends the name of a resource.
const EXPAND_RESOURCE: &str = " (expand)\u{0}";

fn resource_name(resource: &ConfigResource) -> String {
    format!("{resource}{EXPAND_RESOURCE}")
}

fn is_provider(name: &str) -> bool {
    let last = name.rsplit_once("].").map_or(name, |(_, last)| last);
    (last.starts_with("provider[") || name.contains(".provider[")) && !name.ends_with(" (close)")
}

/// The name of a node as drawings have it, by which whole modules are one node; resources are marked, because a module
/// may be called like a type.
fn name_of(node: &ConfigNode) -> String {
    match node {
        ConfigNode::Variable(path, name) if path.is_root() => format!("var.{name}"),
        ConfigNode::CallOutputs(path, name) | ConfigNode::CallDone(path, name) => {
            ConfigNode::CallDone(path.clone(), name.clone()).to_string()
        }
        ConfigNode::Check(..) => format!("{node} (expand)"),
        ConfigNode::Resource(resource) => resource_name(resource),
        node => node.to_string(),
    }
}

/// A drawing of edges, without those that follow from others, under one root.
fn finished(nodes: BTreeMap<String, Node>, mut edges: Edges, mark_cycles: bool) -> Drawing {
    let used: BTreeSet<String> = edges.values().flatten().cloned().collect();
    let tops: BTreeSet<String> = edges
        .keys()
        .filter(|name| !used.contains(*name))
        .cloned()
        .collect();
    edges.insert("root".to_owned(), tops);
    let cyclic = cycle_edges(&edges);
    let edges = if cyclic.is_empty() {
        reduced(&edges, |_| true)
    } else {
        edges
    };
    let shown = |name: &str| name.replace('\u{0}', "");
    let mut list: Vec<(String, String)> = edges
        .iter()
        .flat_map(|(from, below)| below.iter().map(|to| (shown(from), shown(to))))
        .collect();
    list.sort_unstable();
    let cycles = if mark_cycles { cyclic } else { BTreeSet::new() };
    Drawing {
        nodes: nodes
            .into_iter()
            .map(|(name, node)| (shown(&name), node))
            .collect(),
        edges: list,
        cycles: cycles
            .iter()
            .map(|(from, to)| (shown(from), shown(to)))
            .collect(),
    }
}

/// The edges among the nodes to keep: those that lead there over nodes that are not kept, without those that follow
/// from others.
fn reduced(edges: &Edges, keep: impl Fn(&str) -> bool) -> Edges {
    let mut direct: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for from in edges.keys().filter(|name| keep(name)) {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<&str> = edges[from].iter().map(String::as_str).collect();
        while let Some(name) = waiting.pop() {
            if name == from || !seen.insert(name) {
                continue;
            }
            if keep(name) {
                found.insert(name);
            } else {
                waiting.extend(edges.get(name).into_iter().flatten().map(String::as_str));
            }
        }
        direct.insert(from, found);
    }
    let mut out = Edges::new();
    for (from, below) in &direct {
        let mut follows = BTreeSet::new();
        let mut waiting: Vec<&str> = below
            .iter()
            .filter_map(|name| direct.get(name))
            .flatten()
            .copied()
            .collect();
        while let Some(name) = waiting.pop() {
            if follows.insert(name) {
                waiting.extend(direct.get(name).into_iter().flatten());
            }
        }
        let rest = below.difference(&follows).map(|name| (*name).to_owned());
        out.insert((*from).to_owned(), rest.collect());
    }
    out
}

/// The edges that are part of a cycle.
fn cycle_edges(edges: &Edges) -> BTreeSet<(String, String)> {
    let mut dag = terrace_graph::Dag::new();
    let ids: BTreeMap<&String, _> = edges
        .keys()
        .map(|name| (name, dag.add_node(name.clone())))
        .collect();
    for (from, below) in edges {
        for to in below.iter().filter_map(|to| ids.get(to)) {
            dag.add_edge(ids[from], *to);
        }
    }
    let mut found = BTreeSet::new();
    for cycle in dag.cycles() {
        let path = cycle.path();
        let next = path.iter().cycle().skip(1);
        for (from, to) in path.iter().zip(next) {
            for (from, to) in [(from, to), (to, from)] {
                if let (Some(from), Some(to)) = (dag.get(*from), dag.get(*to))
                    && edges[from].contains(to)
                {
                    found.insert((from.clone(), to.clone()));
                }
            }
        }
    }
    found
}

/// What a plan does, and in which order.
fn plan_drawing(plan: &Plan) -> Drawing {
    let mut nodes = BTreeMap::new();
    let mut edges = Edges::new();
    let names: Vec<String> = plan
        .exec
        .ops
        .iter()
        .enumerate()
        .map(|(place, op)| op_name(plan, place, &op.kind))
        .collect();
    for (op, name) in plan.exec.ops.iter().zip(&names) {
        let below = edges.entry(name.clone()).or_default();
        below.extend(
            op.after
                .iter()
                .filter_map(|index| names.get(*index as usize).cloned()),
        );
        below.remove(name);
        let shape = match &op.kind {
            OpKind::OpenProvider(_) => Shape::Diamond,
            OpKind::Read { .. }
            | OpKind::Create { .. }
            | OpKind::Update { .. }
            | OpKind::Delete { .. }
            | OpKind::Forget { .. }
            | OpKind::Record { .. } => Shape::Box,
            _ => continue,
        };
        let label = name.clone();
        nodes.insert(name.clone(), Node { label, shape });
    }
    // What only gathers others is not drawn.
    let edges = reduced(&edges, |name| !name.starts_with(JOIN));
    finished(nodes, edges, false)
}

/// What begins the name of an operation that only gathers others.
const JOIN: &str = "\u{0}join ";

fn op_name(plan: &Plan, place: usize, kind: &OpKind) -> String {
    let object = |index: &u32, what: &str| {
        let change = plan.changes.get(*index as usize);
        change.map_or_else(String::new, |change| match &change.deposed {
            Some(key) => format!("{} (deposed {key}) ({what})", change.address),
            None => format!("{} ({what})", change.address),
        })
    };
    match kind {
        OpKind::OpenProvider(provider) => provider.to_string(),
        OpKind::CloseProvider(provider) => format!("{provider} (close)"),
        OpKind::OpenEphemeral { address, .. } => address.to_string(),
        OpKind::CloseEphemeral { address } => format!("{address} (close)"),
        OpKind::Read { change } => object(change, "read"),
        OpKind::Create { change } => object(change, "create"),
        OpKind::Update { change } => object(change, "update"),
        OpKind::Delete { change } => object(change, "destroy"),
        OpKind::Forget { change } => object(change, "forget"),
        OpKind::Record { change } => object(change, "record"),
        OpKind::Check { address } => format!("{address} (check)"),
        OpKind::Outputs => "outputs".to_owned(),
        OpKind::Join => format!("{JOIN}{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(list: &[(&str, &str)]) -> Edges {
        let mut edges = Edges::new();
        for (from, to) in list {
            edges
                .entry((*from).to_owned())
                .or_default()
                .insert((*to).to_owned());
            edges.entry((*to).to_owned()).or_default();
        }
        edges
    }

    #[test]
    fn what_follows_is_left_out_and_what_is_not_kept_is_passed_through() {
        let all = edges(&[("a", "x"), ("x", "b"), ("b", "c"), ("a", "c")]);
        let kept = reduced(&all, |name| name != "x");
        assert_eq!(kept, {
            let mut expected = edges(&[("a", "b"), ("b", "c")]);
            expected.entry("c".to_owned()).or_default();
            expected
        });
    }

    #[test]
    fn edges_of_cycles_are_found() {
        let all = edges(&[("a", "b"), ("b", "a"), ("b", "c")]);
        let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(
            cycle_edges(&all),
            BTreeSet::from([edge("a", "b"), edge("b", "a")])
        );
    }
}

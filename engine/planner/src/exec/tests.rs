use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use terrace_addr::{AbsResourceInstance, ConfigResource};
use terrace_eval::Dependency;
use terrace_plan::{Action, ActionReason, ExecGraph, OpKind, ResourceChange};
use terrace_state::{Object, State};
use terrace_value::Value;

use super::{Sources, build};
use crate::testing::{configured, evaluator, provider_config, stored};

/// A small world: changes, what the configuration reads, what the state says.
#[derive(Default)]
struct World {
    changes: Vec<ResourceChange>,
    reads: BTreeMap<AbsResourceInstance, BTreeSet<Dependency>>,
    order: Vec<AbsResourceInstance>,
    prior: State,
}

fn instance(address: &str) -> AbsResourceInstance {
    AbsResourceInstance::from_str(address).expect("a test's address parses")
}

fn resources(addresses: &[&str]) -> Arc<[ConfigResource]> {
    addresses
        .iter()
        .map(|address| instance(address).resource.config())
        .collect()
}

impl World {
    /// An instance that reads others, and whose stored object depended on `stored_on`.
    fn add(
        mut self,
        address: &str,
        action: Action,
        reads: &[&str],
        stored_on: Option<&[&str]>,
    ) -> Self {
        let address = instance(address);
        let deletes_only = matches!(action, Action::Delete | Action::Forget);
        if !deletes_only {
            let reads = reads
                .iter()
                .map(|read| Dependency::Instance(instance(read)))
                .collect();
            self.reads.insert(address.clone(), reads);
            self.order.push(address.clone());
        }
        if let Some(stored_on) = stored_on {
            let object = Object {
                dependencies: resources(stored_on),
                ..(*stored(&configured("a", 1))).clone()
            };
            self.prior
                .set_object(&address, None, &provider_config(), Some(Arc::new(object)));
        }
        self.changes.push(ResourceChange {
            address,
            previous_address: None,
            deposed: None,
            provider: provider_config(),
            action,
            action_reason: ActionReason::None,
            before: Value::NULL,
            after: Value::NULL,
            replace_paths: Vec::new(),
            private: [].into(),
            identity: None,
            importing: None,
            generated_config: None,
            schema_version: 0,
            create_before_destroy: action == Action::CreateThenDelete,
            dependencies: resources(reads),
            reasons: Vec::new(),
        });
        self
    }

    fn build(&self) -> Built<'_> {
        let graph = build(&Sources {
            changes: &self.changes,
            prior: &self.prior,
            reads: &self.reads,
            ephemerals: &BTreeMap::new(),
            order: &self.order,
            provider_reads: &BTreeMap::new(),
            checks: &BTreeMap::new(),
            outputs: &[],
            outputs_change: false,
            evaluator: &evaluator(),
        });
        Built { world: self, graph }
    }
}

struct Built<'a> {
    world: &'a World,
    graph: ExecGraph,
}

impl Built<'_> {
    /// Index of the op that does `what` (`create`, `delete`, …) with an address.
    fn op(&self, what: &str, address: &str) -> usize {
        let address = instance(address);
        let is = |change: u32| self.world.changes[change as usize].address == address;
        self.graph
            .ops
            .iter()
            .position(|op| match op.kind {
                OpKind::Create { change } => what == "create" && is(change),
                OpKind::Update { change } => what == "update" && is(change),
                OpKind::Delete { change } => what == "delete" && is(change),
                _ => false,
            })
            .unwrap_or_else(|| panic!("no op does {what} {address}: {:?}", self.graph))
    }

    /// Whether `first` must have ended before `second` begins.
    fn before(&self, first: (&str, &str), second: (&str, &str)) -> bool {
        let (first, second) = (self.op(first.0, first.1), self.op(second.0, second.1));
        let mut stack = vec![second];
        let mut seen = BTreeSet::new();
        while let Some(op) = stack.pop() {
            if op == first {
                return true;
            }
            if seen.insert(op) {
                stack.extend(self.graph.ops[op].after.iter().map(|after| *after as usize));
            }
        }
        false
    }
}

#[test]
fn what_reads_waits_for_what_is_read() {
    let world = World::default().add("t.a", Action::Create, &[], None).add(
        "t.b",
        Action::Create,
        &["t.a"],
        None,
    );
    let built = world.build();
    assert!(built.before(("create", "t.a"), ("create", "t.b")));
    assert!(!built.before(("create", "t.b"), ("create", "t.a")));
}

#[test]
fn one_instance_does_not_wait_for_its_neighbours() {
    let world = World::default()
        .add("t.a[0]", Action::Create, &[], None)
        .add("t.a[1]", Action::Create, &[], None)
        .add("t.b", Action::Create, &["t.a[1]"], None);
    let built = world.build();
    assert!(built.before(("create", "t.a[1]"), ("create", "t.b")));
    assert!(!built.before(("create", "t.a[0]"), ("create", "t.b")));
}

#[test]
fn waiting_goes_through_what_does_not_change() {
    let world = World::default()
        .add("t.a", Action::Update, &[], Some(&[]))
        .add("t.b", Action::NoOp, &["t.a"], Some(&["t.a"]))
        .add("t.c", Action::Create, &["t.b"], None);
    assert!(world.build().before(("update", "t.a"), ("create", "t.c")));
}

#[test]
fn objects_go_before_what_they_depend_on() {
    let world = World::default()
        .add("t.a", Action::Delete, &[], Some(&[]))
        .add("t.b", Action::Delete, &[], Some(&["t.a"]));
    let built = world.build();
    assert!(built.before(("delete", "t.b"), ("delete", "t.a")));
}

#[test]
fn a_replacement_goes_through_its_dependents() {
    let world = World::default()
        .add("t.a", Action::DeleteThenCreate, &[], Some(&[]))
        .add("t.b", Action::DeleteThenCreate, &["t.a"], Some(&["t.a"]));
    let built = world.build();
    assert!(built.before(("delete", "t.b"), ("delete", "t.a")));
    assert!(built.before(("delete", "t.a"), ("create", "t.a")));
    assert!(built.before(("create", "t.a"), ("create", "t.b")));
}

#[test]
fn what_is_created_first_goes_last() {
    let world = World::default()
        .add("t.a", Action::CreateThenDelete, &[], Some(&[]))
        .add("t.b", Action::Update, &["t.a"], Some(&["t.a"]));
    let built = world.build();
    assert!(built.before(("create", "t.a"), ("update", "t.b")));
    assert!(built.before(("update", "t.b"), ("delete", "t.a")));
}

#[test]
fn stale_dependencies_of_the_state_never_close_a_circle() {
    let world = World::default()
        .add("t.a", Action::Delete, &[], Some(&["t.b"]))
        .add("t.b", Action::Delete, &[], Some(&["t.a"]));
    let built = world.build();
    let (a, b) = (("delete", "t.a"), ("delete", "t.b"));
    assert!(!(built.before(a, b) && built.before(b, a)));
}

#[test]
fn edges_stay_linear() {
    let mut world = World::default();
    for index in 0..200 {
        world = world.add(&format!("t.a[{index}]"), Action::Delete, &[], Some(&[]));
        world = world.add(
            &format!("t.b[{index}]"),
            Action::Delete,
            &[],
            Some(&["t.a"]),
        );
    }
    let built = world.build();
    let edges: usize = built.graph.ops.iter().map(|op| op.after.len()).sum();
    assert!(edges < 2500, "{edges} edges");
    assert!(built.before(("delete", "t.b[7]"), ("delete", "t.a[11]")));
}

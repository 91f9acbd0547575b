use std::collections::BTreeMap;
use std::str::FromStr;

use terrace_addr::{AbsResourceInstance, ModulePath, Target};
use terrace_diag::{SourceId, Span};
use terrace_state::{InstanceState, ResourceInState, State};

use super::{MoveResults, Statement, apply_statement, blocked_warning, endpoint, validate};
use crate::testing::{configured, provider_config, stored};

fn statement_in(module: &[&str], from: &str, to: &str) -> Statement {
    let target = |text| Target::from_str(text).expect("a test's address parses");
    let (from, to) =
        endpoint::unify(&target(from), &target(to)).expect("both ends are of one kind");
    Statement {
        module: module.iter().copied().collect::<ModulePath>(),
        from,
        to,
        span: Span::new(SourceId(0), 0, 0),
    }
}

fn statement(from: &str, to: &str) -> Statement {
    statement_in(&[], from, to)
}

fn state(addresses: &[&str]) -> State {
    let mut state = State::default();
    for address in addresses {
        let address = AbsResourceInstance::from_str(address).expect("a test's address parses");
        let resource = state
            .resources
            .entry(address.resource)
            .or_insert_with(|| ResourceInState {
                provider: provider_config(),
                instances: BTreeMap::new(),
            });
        let object = InstanceState {
            current: Some(stored(&configured("a", 1))),
            ..InstanceState::default()
        };
        resource.instances.insert(address.key, object);
    }
    state
}

fn moved(statements: &[Statement], addresses: &[&str]) -> (Vec<String>, MoveResults) {
    let mut state = state(addresses);
    let mut results = MoveResults::default();
    for index in validate::order(statements).expect("there is no circle") {
        apply_statement(&statements[index], &mut state, &mut results);
    }
    (
        state
            .instances()
            .map(|(address, ..)| address.to_string())
            .collect(),
        results,
    )
}

#[test]
fn a_resource_moves_with_its_keys() {
    let (now, results) = moved(&[statement("t.a", "t.b")], &["t.a[0]", "t.a[1]", "t.c"]);
    assert_eq!(now, ["t.b[0]", "t.b[1]", "t.c"]);
    assert_eq!(results.previous.len(), 2);
}

#[test]
fn an_instance_moves_alone() {
    let (now, _) = moved(&[statement("t.a[0]", "t.a[\"x\"]")], &["t.a[0]", "t.a[1]"]);
    assert_eq!(now, ["t.a[1]", "t.a[\"x\"]"]);
}

#[test]
fn chains_lead_to_their_end_in_any_order() {
    let (now, results) = moved(
        &[statement("t.b", "t.c"), statement("t.a", "t.b")],
        &["t.a"],
    );
    assert_eq!(now, ["t.c"]);
    let previous: Vec<String> = results.previous.values().map(ToString::to_string).collect();
    assert_eq!(previous, ["t.a"]);
}

#[test]
fn a_call_moves_with_all_in_it() {
    let (now, _) = moved(
        &[statement("module.a", "module.b")],
        &["module.a[0].t.x", "module.a[1].module.in.t.y", "t.z"],
    );
    assert_eq!(now, ["t.z", "module.b[0].t.x", "module.b[1].module.in.t.y"]);
}

#[test]
fn an_instance_of_a_call_moves_alone() {
    let (now, _) = moved(
        &[statement("module.a", "module.a[0]")],
        &["module.a.t.x", "module.a.t.y"],
    );
    assert_eq!(now, ["module.a[0].t.x", "module.a[0].t.y"]);
}

#[test]
fn into_and_out_of_modules() {
    let (now, _) = moved(
        &[
            statement("t.a", "module.m.t.b"),
            statement("module.n.t.c", "t.c"),
        ],
        &["t.a", "module.n.t.c"],
    );
    assert_eq!(now, ["t.c", "module.m.t.b"]);
}

#[test]
fn a_statement_in_a_module_holds_for_all_its_instances() {
    let inner = statement_in(&["m"], "t.a", "t.b");
    let (now, _) = moved(&[inner], &["module.m[0].t.a", "module.m[1].t.a", "t.a"]);
    assert_eq!(now, ["t.a", "module.m[0].t.b", "module.m[1].t.b"]);
}

#[test]
fn what_is_in_the_way_blocks_a_move() {
    let (now, results) = moved(&[statement("t.a", "t.b")], &["t.a", "t.b"]);
    assert_eq!(now, ["t.a", "t.b"]);
    let warning = blocked_warning(&results).expect("the move was blocked");
    assert!(
        warning.detail.contains("\n  - t.a could not move to t.b"),
        "{}",
        warning.detail
    );
}

#[test]
fn circles_are_found() {
    let circle = [
        statement("t.a", "t.b"),
        statement("t.b", "t.a"),
        statement("t.c", "t.a"),
    ];
    assert_eq!(validate::order(&circle), Err(vec![0, 1]));
}

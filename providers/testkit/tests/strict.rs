//! What the strict provider does, and what it refuses.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::sync::Arc;

use futures::executor::block_on;
use terrace_port::{
    ApplyRequest, ApplyResponse, PlanRequest, PlanResponse, Provider, ProviderDiagnostic,
    ReadRequest, Reply, ResourceState,
};
use terrace_provider_testkit::{MemoryWorld, Operation, Outcome, StrictProvider};
use terrace_value::{Path, Type, Value};

fn null(provider: &StrictProvider) -> Value {
    Value::null(provider.object([]).ty())
}

fn configured(provider: StrictProvider) -> StrictProvider {
    let config = Value::null(provider.provider_schema().provider.block.implied_type());
    assert!(!block_on(provider.configure(config)).unwrap().failed());
    provider
}

fn plan(provider: &StrictProvider, prior: &Value, config: &Value) -> Reply<PlanResponse> {
    // The proposed state of these tests: the configuration with the prior values of what is computed.
    let mut proposed = config.as_entries().cloned().unwrap_or_default();
    for name in ["id", "revision", "computed"] {
        if let Some(value) = prior.get(name).filter(|_| proposed[name].is_null()) {
            proposed.insert(name.into(), value.clone());
        }
    }
    proposed.insert("write_only".into(), Value::null(Type::String));
    block_on(provider.plan(PlanRequest {
        type_name: "test_object".into(),
        prior: prior.clone(),
        proposed: Value::object(proposed),
        config: config.clone(),
        prior_private: [].into(),
        identity: None,
    }))
    .unwrap()
}

fn apply(
    provider: &StrictProvider,
    prior: &Value,
    plan: &PlanResponse,
    config: &Value,
) -> Reply<ApplyResponse> {
    block_on(provider.apply(ApplyRequest {
        type_name: "test_object".into(),
        prior: prior.clone(),
        planned: plan.planned.clone(),
        config: config.clone(),
        planned_private: Arc::clone(&plan.private),
        identity: None,
    }))
    .unwrap()
}

fn create(provider: &StrictProvider, config: &Value) -> ApplyResponse {
    let planned = plan(provider, &null(provider), config);
    assert!(!planned.failed(), "{:?}", planned.diagnostics);
    let applied = apply(provider, &null(provider), &planned.value, config);
    assert!(!applied.failed(), "{:?}", applied.diagnostics);
    applied.value
}

fn refusal<T>(reply: &Reply<T>) -> &str {
    assert!(reply.failed());
    &reply.diagnostics[0].detail
}

#[test]
fn an_object_lives_and_dies() {
    let provider = configured(StrictProvider::new());
    let config = provider.object([
        ("string", "a".into()),
        ("write_only", "never stored".into()),
    ]);
    let created = create(&provider, &config);
    assert_eq!(created.state.get("id"), Some(&"object-1".into()));
    assert_eq!(created.state.get("revision"), Some(&Value::int(1)));
    assert_eq!(
        created.state.get("computed"),
        Some(&"computed-object-1".into())
    );
    assert!(created.state.get("write_only").unwrap().is_null());

    let read = ReadRequest {
        type_name: "test_object".into(),
        current: created.state.clone(),
        private: created.private,
        identity: None,
    };
    assert_eq!(
        block_on(provider.read(read.clone())).unwrap().value.state,
        created.state
    );

    let config = provider.object([("string", "b".into())]);
    let planned = plan(&provider, &created.state, &config);
    assert!(!planned.value.planned.get("revision").unwrap().is_known());
    let updated = apply(&provider, &created.state, &planned.value, &config).value;
    assert_eq!(updated.state.get("revision"), Some(&Value::int(2)));
    assert_eq!(updated.state.get("id"), Some(&"object-1".into()));

    let again = plan(&provider, &updated.state, &config);
    assert_eq!(
        again.value.planned, updated.state,
        "nothing is left to change"
    );

    let gone = PlanRequest {
        type_name: "test_object".into(),
        prior: updated.state.clone(),
        proposed: null(&provider),
        config: null(&provider),
        prior_private: updated.private,
        identity: None,
    };
    let planned = block_on(provider.plan(gone)).unwrap().value;
    assert!(
        apply(&provider, &updated.state, &planned, &null(&provider))
            .value
            .state
            .is_null()
    );
    assert!(provider.world().objects().unwrap().is_empty());
    assert!(block_on(provider.read(read)).unwrap().value.state.is_null());
}

#[test]
fn a_change_of_the_immutable_asks_for_a_replacement() {
    let provider = configured(StrictProvider::new());
    let created = create(&provider, &provider.object([("immutable", "a".into())]));
    let planned = plan(
        &provider,
        &created.state,
        &provider.object([("immutable", "b".into())]),
    )
    .value;
    assert_eq!(
        planned.requires_replace,
        [Path::root().attribute("immutable")]
    );
    let config = provider.object([("immutable", "b".into())]);
    let applied = apply(&provider, &created.state, &planned, &config);
    assert!(refusal(&applied).contains("requires a replacement"));
}

#[test]
fn broken_rules_are_refused() {
    let provider = StrictProvider::new();
    let config = provider.object([("string", "a".into())]);
    assert!(
        refusal(&plan(&provider, &null(&provider), &config)).contains("before it was configured")
    );

    let provider = configured(provider);
    let marked = provider.object([("string", Value::string("a").sensitive())]);
    assert!(refusal(&plan(&provider, &null(&provider), &marked)).contains("marks"));

    let wrong = provider.object([("string", Value::int(1))]);
    assert!(refusal(&plan(&provider, &null(&provider), &wrong)).contains("is of type"));

    let unknown = provider.object([("string", Value::unknown(Type::String))]);
    let planned = plan(&provider, &null(&provider), &unknown);
    assert!(!planned.failed());
    let applied = apply(&provider, &null(&provider), &planned.value, &unknown);
    assert!(refusal(&applied).contains("configuration is unknown at .string"));
    let applied = apply(&provider, &null(&provider), &planned.value, &config);
    assert!(refusal(&applied).contains("not what the configuration says"));

    let mut planned = plan(&provider, &null(&provider), &config).value;
    planned.planned = provider.object([("string", "z".into())]);
    assert!(
        refusal(&apply(&provider, &null(&provider), &planned, &config))
            .contains("was not given by the provider")
    );
    assert!(provider.world().objects().unwrap().is_empty());

    let stranger = provider.object([("id", "object-77".into())]);
    let read = ReadRequest {
        type_name: "test_object".into(),
        current: stranger,
        private: [].into(),
        identity: None,
    };
    assert!(refusal(&block_on(provider.read(read)).unwrap()).contains("never been an object"));

    let created = create(&provider, &config);
    let read = ReadRequest {
        type_name: "test_object".into(),
        current: created.state,
        private: [].into(),
        identity: None,
    };
    assert!(refusal(&block_on(provider.read(read)).unwrap()).contains("private bytes"));
}

#[test]
fn a_script_makes_calls_fail() {
    let world = Arc::new(MemoryWorld::default());
    let provider = configured(StrictProvider::in_world(world).with_script(|call| {
        match (call.operation, &*call.key) {
            (Operation::Create, "tainted") => {
                Outcome::FailAfter(ProviderDiagnostic::error("Half made", ""))
            }
            (Operation::Create, "lost") => Outcome::LostAfter,
            (Operation::Create, "refused") => Outcome::Fail(ProviderDiagnostic::error("No", "")),
            _ => Outcome::Proceed,
        }
    }));
    let attempt = |name: &str| {
        let config = provider.object([("string", name.into())]);
        let planned = plan(&provider, &null(&provider), &config).value;
        block_on(provider.apply(ApplyRequest {
            type_name: "test_object".into(),
            prior: null(&provider),
            planned: planned.planned,
            config,
            planned_private: planned.private,
            identity: None,
        }))
    };
    let tainted = attempt("tainted").unwrap();
    assert!(tainted.failed());
    assert_eq!(tainted.value.state.get("id"), Some(&"object-1".into()));
    assert!(attempt("refused").unwrap().value.state.is_null());
    assert!(attempt("lost").is_err());
    assert_eq!(
        provider.world().objects().unwrap().len(),
        2,
        "the lost one was made"
    );
    assert_eq!(provider.count(Operation::Create), 3);
    assert_eq!(provider.calls().last().unwrap().key, "lost");
}

#[test]
fn stored_states_are_upgraded_and_imports_completed_by_a_read() {
    let provider = configured(StrictProvider::new());
    let created = create(&provider, &provider.object([("string", "a".into())]));
    let json = br#"{"id":"object-1","string":"a","list":["x"],"any":{"type":"string","value":"y"},"dropped":1}"#;
    let state = ResourceState {
        type_name: "test_object".into(),
        schema_version: 0,
        json: json.as_slice().into(),
    };
    let upgraded = block_on(provider.upgrade_state(state)).unwrap();
    assert!(!upgraded.failed(), "{:?}", upgraded.diagnostics);
    assert_eq!(
        upgraded.value.get("list"),
        Some(&Value::list(Type::String, ["x".into()]))
    );
    assert_eq!(upgraded.value.get("any"), Some(&"y".into()));

    let imported = block_on(provider.import("test_object", "object-1"))
        .unwrap()
        .value
        .remove(0);
    assert!(imported.state.get("string").unwrap().is_null());
    let read = ReadRequest {
        type_name: "test_object".into(),
        current: imported.state,
        private: imported.private,
        identity: None,
    };
    assert_eq!(
        block_on(provider.read(read)).unwrap().value.state,
        created.state
    );
    assert!(
        block_on(provider.import("test_object", "object-9"))
            .unwrap()
            .failed()
    );
}

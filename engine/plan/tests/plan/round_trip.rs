//! A plan survives its bytes.

use terrace_plan::{
    Action, ActionReason, PlanMode, ResourceChange, is_plan_file, read_plan_file, write_plan_file,
};

use crate::sample;

fn through(plan: &terrace_plan::Plan) -> terrace_plan::Plan {
    let (bytes, digest) = write_plan_file(plan);
    assert!(is_plan_file(&bytes));
    let (read, found) = read_plan_file(&bytes).expect("it was just written");
    assert_eq!(found, digest);
    assert_eq!(
        read.digest(),
        digest,
        "what was read means what was written"
    );
    read
}

fn assert_same(found: &ResourceChange, expected: &ResourceChange) {
    assert_eq!(found.address, expected.address);
    assert_eq!(found.previous_address, expected.previous_address);
    assert_eq!(found.deposed, expected.deposed);
    assert_eq!(found.provider, expected.provider);
    assert_eq!(found.action, expected.action);
    assert_eq!(found.action_reason, expected.action_reason);
    assert_eq!(found.before, expected.before);
    assert_eq!(found.after, expected.after);
    assert_eq!(
        found.after.unmark_deep_with_paths().1,
        expected.after.unmark_deep_with_paths().1
    );
    assert_eq!(found.after.ty(), expected.after.ty());
    assert_eq!(found.replace_paths, expected.replace_paths);
    assert_eq!(found.private, expected.private);
    assert_eq!(found.importing, expected.importing);
    assert_eq!(found.generated_config, expected.generated_config);
    assert_eq!(found.schema_version, expected.schema_version);
    assert_eq!(found.create_before_destroy, expected.create_before_destroy);
    assert_eq!(found.dependencies, expected.dependencies);
    assert_eq!(found.reasons, expected.reasons);
}

#[test]
fn everything_in_a_plan_comes_back() {
    let plan = sample::plan();
    let read = through(&plan);
    assert_eq!(read.changes.len(), plan.changes.len());
    for (found, expected) in read.changes.iter().zip(&plan.changes) {
        assert_same(found, expected);
    }
    assert_same(&read.drift[0], &plan.drift[0]);
    assert_eq!(read.inputs.configuration, plan.inputs.configuration);
    assert_eq!(read.inputs.files, plan.inputs.files);
    assert_eq!(read.inputs.providers, plan.inputs.providers);
    assert_eq!(read.inputs.targets, plan.inputs.targets);
    assert_eq!(read.inputs.replace, plan.inputs.replace);
    assert_eq!(read.inputs.environment, plan.inputs.environment);
    let name = |plan: &terrace_plan::Plan| plan.inputs.variables["name"].value.clone();
    assert_eq!(name(&read), name(&plan));
    assert!(name(&read).is_some_and(|value| value.is_sensitive()));
    assert!(read.inputs.variables["session"].value.is_none());
    assert_eq!(read.previous_state, plan.previous_state);
    assert_eq!(read.prior_state, plan.prior_state);
    assert_eq!(read.exec, plan.exec);
    assert_eq!(read.checks, plan.checks);
    assert_eq!(read.relevant_attributes, plan.relevant_attributes);
    let output = &read.outputs["url"];
    assert!(output.sensitive && output.after.is_sensitive() && !output.after.is_known());
}

#[test]
fn schemas_in_use_come_back_and_others_stay_out() {
    let plan = sample::plan();
    let read = through(&plan);
    let (provider, schema) = plan.schemas.iter().next().expect("one");
    let found = &read.schemas[provider];
    assert_eq!(found.resources, schema.resources);
    assert_eq!(found.data_sources, schema.data_sources);
    let mut unused = plan.clone();
    unused.changes.clear();
    unused.drift.clear();
    unused.exec.ops.clear();
    unused.prior_state = std::sync::Arc::default();
    assert!(through(&unused).schemas.is_empty());
}

#[test]
fn every_mode_action_and_reason_comes_back() {
    let mut plan = sample::plan();
    for mode in [PlanMode::Normal, PlanMode::Destroy, PlanMode::RefreshOnly] {
        plan.mode = mode;
        assert_eq!(through(&plan).mode, mode);
    }
    for action in [
        Action::NoOp,
        Action::Create,
        Action::Read,
        Action::Update,
        Action::DeleteThenCreate,
        Action::CreateThenDelete,
        Action::ForgetThenCreate,
        Action::Delete,
        Action::Forget,
    ] {
        plan.changes[0].action = action;
        assert_eq!(through(&plan).changes[0].action, action);
    }
    for reason in [
        ActionReason::None,
        ActionReason::ReplaceBecauseTainted,
        ActionReason::ReplaceByRequest,
        ActionReason::ReplaceByTriggers,
        ActionReason::DeleteBecauseNoResourceConfig,
        ActionReason::DeleteBecauseWrongRepetition,
        ActionReason::DeleteBecauseCountIndex,
        ActionReason::DeleteBecauseEachKey,
        ActionReason::DeleteBecauseNoModule,
        ActionReason::DeleteBecauseNoMoveTarget,
        ActionReason::ReadBecauseDependencyPending,
        ActionReason::ReadBecauseCheckNested,
    ] {
        plan.changes[0].action_reason = reason;
        assert_eq!(through(&plan).changes[0].action_reason, reason);
    }
}

#[test]
fn a_state_that_refresh_left_alone_is_written_once() {
    let mut plan = sample::plan();
    let twice = plan.canonical_bytes().len();
    plan.prior_state = plan.previous_state.clone();
    assert!(plan.canonical_bytes().len() + 100 < twice);
    assert_eq!(through(&plan).prior_state, plan.previous_state);
}

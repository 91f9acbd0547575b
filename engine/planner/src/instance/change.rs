//! What happens to a managed object.

use std::sync::Arc;

use terrace_diag::{Diagnostic, Diagnostics};
use terrace_instances::{lasting_marks, write_only_answers};
use terrace_plan::{Action, ActionReason, Importing, ResourceChange};
use terrace_port::{PlanRequest, PlanResponse};
use terrace_schema::Block;
use terrace_state::{Object, ObjectStatus};
use terrace_value::{Marks, Path, Value};

use super::verify::{self, broken_contract, call_failed, remark_value, remarks, taken};
use super::{Desired, ImportBy, ManagedInput, ManagedOutcome, Subject, Wish};

/// Decides the change and puts it into the outcome.
pub(super) async fn plan(input: &ManagedInput, outcome: &mut ManagedOutcome) {
    match &input.wish {
        Wish::Known(_) => outcome.change = taken_over(input, outcome),
        Wish::Gone(reason) => {
            if outcome.prior.is_some() {
                delete(input, *reason, outcome).await;
            }
        }
        Wish::Forgotten(reason) => {
            if outcome.prior.is_some() {
                outcome.change = Some(removal(input, Action::Forget, *reason, outcome));
            }
        }
        Wish::Configured(desired) => configured(input, desired, outcome).await,
    }
    let destroys = outcome
        .change
        .as_ref()
        .is_some_and(|change| change.action.destroys());
    if let (true, Some(span)) = (
        destroys && input.subject.deposed.is_none(),
        input.prevent_destroy,
    ) {
        outcome.diagnostics.push(
            Diagnostic::error(
                "prevent-destroy",
                "Instance cannot be destroyed",
                format!(
                    "Resource {} has lifecycle.prevent_destroy set, but the plan calls for this resource to be destroyed. To avoid this error and continue with the plan, either disable lifecycle.prevent_destroy or reduce the scope of the plan using the -target option.",
                    input.subject.address
                ),
            )
            .at(span)
            .address(&input.subject.address),
        );
    }
}

fn empty_change(subject: &Subject) -> ResourceChange {
    ResourceChange {
        address: subject.address.clone(),
        previous_address: subject.previous_address.clone(),
        deposed: subject.deposed.clone(),
        provider: subject.provider_config.clone(),
        schema_version: subject.schema.version,
        action: Action::NoOp,
        action_reason: ActionReason::None,
        before: subject.null.clone(),
        after: subject.null.clone(),
        replace_paths: Vec::new(),
        private: [].into(),
        identity: None,
        importing: None,
        generated_config: None,
        create_before_destroy: false,
        dependencies: [].into(),
        reasons: Vec::new(),
    }
}

fn removal(
    input: &ManagedInput,
    action: Action,
    reason: ActionReason,
    outcome: &ManagedOutcome,
) -> ResourceChange {
    let mut change = empty_change(&input.subject);
    change.action = action;
    change.action_reason = reason;
    if let Some(prior) = &outcome.prior {
        change.before = prior.value.clone();
        change.identity.clone_from(&prior.identity);
        change.private = prior.object.private.clone();
        change.dependencies = prior.object.dependencies.clone();
        change.create_before_destroy = prior.object.create_before_destroy;
    }
    change
}

/// Plans the destruction. Providers that can plan one are asked, so that they may refuse it.
async fn delete(input: &ManagedInput, reason: ActionReason, outcome: &mut ManagedOutcome) {
    let subject = &input.subject;
    let mut change = removal(input, Action::Delete, reason, outcome);
    let null = subject.null.clone();
    let request = PlanRequest {
        type_name: subject.address.type_name().clone(),
        prior: change.before.unmark_deep().0,
        proposed: null.clone(),
        config: null,
        prior_private: change.private.clone(),
        identity: change.identity.clone(),
    };
    let Some(response) = ask(subject, request, &mut outcome.diagnostics).await else {
        return;
    };
    if !response.planned.is_null() {
        outcome.diagnostics.push(broken_contract(
            subject,
            "Provider produced invalid plan",
            &format!("planned a non-null destroy value for {}", subject.address),
        ));
        return;
    }
    change.private = response.private;
    outcome.change = Some(change);
}

async fn ask(
    subject: &Subject,
    request: PlanRequest,
    diagnostics: &mut Diagnostics,
) -> Option<PlanResponse> {
    match subject.provider.plan(request).await {
        Ok(reply) => {
            let mut response = taken(subject, reply, diagnostics)?;
            response.identity =
                verify::identity(subject, response.identity, true, diagnostics).ok()?;
            Some(response)
        }
        Err(error) => {
            diagnostics.push(call_failed(subject, "planning", &error));
            None
        }
    }
}

/// What goes into a question to the provider, and what is needed to judge its answer. All without marks.
struct Question<'a> {
    prior: &'a Value,
    config: &'a Value,
    private: Arc<[u8]>,
    identity: Option<Value>,
}

async fn validate(subject: &Subject, config: &Value, diagnostics: &mut Diagnostics) -> Option<()> {
    match subject
        .provider
        .validate_resource_config(subject.address.type_name(), config.clone())
        .await
    {
        Ok(reply) => {
            let failed = reply.failed();
            diagnostics.append(remarks(subject, reply.diagnostics));
            (!failed).then_some(())
        }
        Err(error) => {
            diagnostics.push(call_failed(
                subject,
                "checking the configuration of",
                &error,
            ));
            None
        }
    }
}

async fn configured(input: &ManagedInput, desired: &Desired, outcome: &mut ManagedOutcome) {
    let subject = &input.subject;
    let block = &subject.schema.block;
    let null = subject.null.clone();
    let tainted = outcome
        .prior
        .as_ref()
        .filter(|prior| prior.object.status == ObjectStatus::Tainted)
        .cloned();
    let prior = outcome
        .prior
        .as_ref()
        .filter(|prior| prior.object.status == ObjectStatus::Ready)
        .cloned();
    let prior_marked = prior
        .as_ref()
        .map_or_else(|| null.clone(), |prior| prior.value.clone());
    let original = desired.config.unmark_deep().0;
    if validate(subject, &original, &mut outcome.diagnostics)
        .await
        .is_none()
    {
        return;
    }
    let config_marked = terrace_plan::ignore_changes(
        &desired.ignore_changes,
        block,
        &prior_marked,
        &desired.config,
    );
    let (config, config_marks) = config_marked.unmark_deep_with_paths();
    let mut config_marks = lasting_marks(block, &config, config_marks);
    let (prior_value, prior_marks) = prior_marked.unmark_deep_with_paths();
    let private = prior
        .as_ref()
        .map_or_else(|| [].into(), |prior| prior.object.private.clone());
    let question = Question {
        prior: &prior_value,
        config: &config,
        private,
        identity: prior.as_ref().and_then(|prior| prior.identity.clone()),
    };
    let Some(mut response) = plan_once(input, desired, &question, &mut outcome.diagnostics).await
    else {
        return;
    };
    let replace_paths =
        requires_replace(subject, &prior_value, &response, &mut outcome.diagnostics);
    if outcome.diagnostics.has_errors() {
        return;
    }
    let (mut action, mut reason) = decide(desired, &prior_value, &response.planned, &replace_paths);
    if action.is_replace() {
        // A new object has nothing whose changes could be ignored.
        let whole_marks = desired.config.unmark_deep_with_paths().1;
        config_marks = lasting_marks(block, &original, whole_marks);
        let anew = Question {
            prior: &null,
            config: &original,
            private: [].into(),
            identity: None,
        };
        match plan_once(input, desired, &anew, &mut outcome.diagnostics).await {
            Some(second) => response = second,
            None => return,
        }
    }
    let mut before = prior_marked;
    if let (Action::Create, Some(tainted)) = (action, tainted) {
        (action, reason) = (replacement(desired), ActionReason::ReplaceBecauseTainted);
        before = tainted.value;
    }
    let after = remark_value(&response.planned, block, &config_marks);
    if action == Action::NoOp && !same_marks(&prior_marks, &after) {
        action = Action::Update;
    }
    let known_identity = match action {
        Action::NoOp | Action::Update => question.identity.clone(),
        _ => None,
    };
    if action == Action::NoOp {
        depends_as_configured(desired, outcome);
    }
    outcome.change = Some(ResourceChange {
        action,
        action_reason: reason,
        before,
        after,
        replace_paths,
        private: response.private,
        identity: response.identity.or(known_identity),
        importing: importing(input),
        create_before_destroy: desired.create_before_destroy,
        dependencies: desired.dependencies.clone(),
        ..empty_change(subject)
    });
}

/// Nothing of what an object that does not change once depended on can matter any more.
fn depends_as_configured(desired: &Desired, outcome: &mut ManagedOutcome) {
    if let Some(prior) = &mut outcome.prior
        && prior.object.dependencies != desired.dependencies
    {
        prior.object = Arc::new(Object {
            dependencies: desired.dependencies.clone(),
            ..(*prior.object).clone()
        });
    }
}

/// What the change begins with, where it is an import.
fn importing(input: &ManagedInput) -> Option<Importing> {
    let import = input.import.as_ref()?;
    input.stored.is_none().then(|| match &import.by {
        ImportBy::Id(id) => Importing {
            id: Some(id.clone()),
            identity: None,
        },
        ImportBy::Identity(identity) => Importing {
            id: None,
            identity: Some(identity.clone()),
        },
    })
}

/// What is told of an object that is imported and otherwise left as it is.
fn taken_over(input: &ManagedInput, outcome: &ManagedOutcome) -> Option<ResourceChange> {
    let importing = importing(input)?;
    let prior = outcome.prior.as_ref()?;
    Some(ResourceChange {
        before: prior.value.clone(),
        after: prior.value.clone(),
        private: prior.object.private.clone(),
        identity: prior.identity.clone(),
        importing: Some(importing),
        dependencies: prior.object.dependencies.clone(),
        ..empty_change(&input.subject)
    })
}

/// An import of which nothing more is known.
pub(super) fn import_alone(input: &ManagedInput) -> ResourceChange {
    ResourceChange {
        importing: importing(input),
        ..empty_change(&input.subject)
    }
}

fn replacement(desired: &Desired) -> Action {
    if desired.skip_destroy {
        Action::ForgetThenCreate
    } else if desired.create_before_destroy {
        Action::CreateThenDelete
    } else {
        Action::DeleteThenCreate
    }
}

/// What happens to an object, and why.
fn decide(
    desired: &Desired,
    prior: &Value,
    planned: &Value,
    replace_paths: &[Path],
) -> (Action, ActionReason) {
    if prior.is_null() {
        // What triggers a replacement is told of an object that there is none of, too.
        let reason = if desired.replace_triggered {
            ActionReason::ReplaceByTriggers
        } else {
            ActionReason::None
        };
        (Action::Create, reason)
    } else if desired.replace_triggered {
        (replacement(desired), ActionReason::ReplaceByTriggers)
    } else if desired.replace_requested {
        (replacement(desired), ActionReason::ReplaceByRequest)
    } else if prior == planned {
        (Action::NoOp, ActionReason::None)
    } else if !replace_paths.is_empty() {
        (
            replacement(desired),
            ActionReason::ReplaceBecauseCannotUpdate,
        )
    } else {
        (Action::Update, ActionReason::None)
    }
}

fn same_marks(before: &[(Path, Marks)], after: &Value) -> bool {
    let after = after.unmark_deep_with_paths().1;
    before.len() == after.len() && before.iter().all(|entry| after.contains(entry))
}

/// Asks the provider once and judges its answer.
async fn plan_once(
    input: &ManagedInput,
    desired: &Desired,
    question: &Question<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<PlanResponse> {
    let subject = &input.subject;
    let block = &subject.schema.block;
    let proposed = terrace_schema::proposed_new(block, question.prior, question.config);
    let request = PlanRequest {
        type_name: subject.address.type_name().clone(),
        prior: question.prior.clone(),
        proposed: proposed.clone(),
        config: question.config.clone(),
        prior_private: question.private.clone(),
        identity: question.identity.clone(),
    };
    let mut response = ask(subject, request, diagnostics).await?;
    if response.planned.is_null() {
        diagnostics.push(broken_contract(
            subject,
            "Provider produced invalid plan",
            &format!(
                "planned for {} not to exist, although its configuration asks for it",
                subject.address
            ),
        ));
        return None;
    }
    if let Err(problem) = terrace_schema::assert_conforms(block, &response.planned) {
        let what = format!(
            "planned an invalid value for {}: {problem}",
            subject.address
        );
        diagnostics.push(broken_contract(
            subject,
            "Provider produced invalid plan",
            &what,
        ));
        return None;
    }
    let leaks = write_only_answers(
        &subject.address,
        block,
        &response.planned,
        "during planning",
    );
    if !leaks.is_empty() {
        for leak in leaks {
            diagnostics.push(broken_contract(
                subject,
                "Provider produced invalid plan",
                &leak,
            ));
        }
        return None;
    }
    if response.legacy_type_system {
        response.planned = terrace_plan::ignore_changes(
            &desired.ignore_changes,
            block,
            question.prior,
            &response.planned,
        );
    } else {
        let problems = terrace_schema::assert_plan_valid(
            block,
            question.prior,
            question.config,
            &response.planned,
        );
        for problem in &problems {
            let what = format!(
                "planned an invalid value for {}: {problem}",
                subject.address
            );
            diagnostics.push(broken_contract(
                subject,
                "Provider produced invalid plan",
                &what,
            ));
        }
        if !problems.is_empty() {
            return None;
        }
    }
    Some(response)
}

/// Those of the paths that ask for a replacement whose value does change.
fn requires_replace(
    subject: &Subject,
    prior: &Value,
    response: &PlanResponse,
    diagnostics: &mut Diagnostics,
) -> Vec<Path> {
    if prior.is_null() {
        return Vec::new();
    }
    let mut paths = Vec::new();
    for path in &response.requires_replace {
        let (before, after) = (prior.at_path(path), response.planned.at_path(path));
        if before.is_none() && after.is_none() && !reaches(&subject.schema.block, path) {
            diagnostics.push(broken_contract(
                subject,
                "Provider produced invalid plan",
                &format!(
                    "has indicated \"requires replacement\" on {} for a non-existent attribute path {path}",
                    subject.address
                ),
            ));
        } else if before != after || after.is_some_and(|after| !after.is_wholly_known()) {
            if !paths.contains(path) {
                paths.push(path.clone());
            }
        }
    }
    paths
}

fn reaches(schema: &Block, path: &Path) -> bool {
    match path.0.first() {
        Some(terrace_value::PathStep::Attribute(name)) => {
            schema.attributes.contains_key(name) || schema.blocks.contains_key(name)
        }
        _ => path.is_root(),
    }
}

//! `terrace approve` and `terrace gate explain`

use std::collections::BTreeSet;

use terrace_config::Config;
use terrace_gate::{
    APPROVAL_NAMESPACE, Authorship, Demand, ForgeReference, REVOCATION_NAMESPACE, Rules, Run,
    Statement, fingerprint_of, save_approval, save_forge_reference, save_revocation,
    sign_statement,
};
use terrace_plan::{Plan, PlanDigest};
use terrace_port::Clock as _;

use crate::args::{ApproveArgs, GateCommand};
use crate::command_error::{CommandError, Outcome, REFUSED, SUCCESS};
use crate::outside::SystemClock;
use crate::session::{Place, Session, parse_duration};
use crate::signing::unusable;
use crate::view::gate as gate_view;
use crate::view::plan as plan_view;
use crate::view::policy as policy_view;

/// Approvals are for environments.
pub(crate) fn no_environment() -> CommandError {
    terrace_diag::Diagnostic::error(
        "no-environment",
        "No environment chosen",
        "An approval is for an environment of the project file.",
    )
    .hint("choose one with -env=NAME")
    .into()
}

/// What is to be approved.
struct Subject<'a> {
    place: &'a Place,
    rules: &'a Rules,
    run: Run,
    plan: Plan,
    digest: PlanDigest,
}

pub(crate) async fn run(session: &Session, args: &ApproveArgs, config: Option<&Config>) -> Outcome {
    let place = session.place(args.place.env.as_deref(), config)?;
    let Some(rules) = &place.rules else {
        return Err(no_environment());
    };
    session.sign_with(args.key.as_deref());
    let run = super::runs::named(&place, &args.run).await?;
    super::gate::tell_owed(session, &place).await?;
    let (plan, digest) = super::gate::plan_of(&place, &run.id).await?;
    if digest != run.plan {
        let detail = format!(
            "The plan that is stored for run {} has the digest {digest}, not {}. It was changed; it is not approved.",
            run.id, run.plan
        );
        return Err(CommandError::one(
            "plan-changed",
            "Plan was changed",
            detail,
        ));
    }
    let subject = Subject {
        place: &place,
        rules,
        run,
        plan,
        digest,
    };
    let references = [
        args.pull_request.map(ForgeReference::PullRequest),
        args.workflow_run.map(ForgeReference::WorkflowRun),
    ];
    if references.iter().any(Option::is_some) {
        for reference in references.into_iter().flatten() {
            refer(session, &subject, reference).await?;
        }
        return end(session, &subject).await;
    }
    sign(session, args, subject).await
}

/// Lets reviews at the forge count.
async fn refer(
    session: &Session,
    subject: &Subject<'_>,
    reference: ForgeReference,
) -> Result<(), CommandError> {
    let store = subject.place.store.runs(&subject.place.workspace);
    let id = &subject.run.id;
    save_forge_reference(&*store, id, reference).await?;
    let what = match reference {
        ForgeReference::PullRequest(number) => format!("pull request {number}"),
        ForgeReference::WorkflowRun(run) => format!("workflow run {run}"),
    };
    let details = [("reviews", what.clone())];
    session
        .audit(subject.place, "evidence", Some(id), &details)
        .await?;
    session.view.line(format!(
        "Reviews of {what} are looked for when run {id} is judged."
    ));
    Ok(())
}

async fn sign(session: &Session, args: &ApproveArgs, subject: Subject<'_>) -> Outcome {
    let signer = session.signer(args.key.as_deref())?;
    let fingerprint = fingerprint_of(&signer.public_key()).map_err(unusable)?;
    let (place, rules) = (subject.place, subject.rules);
    let store = place.store.runs(&place.workspace);
    let id = subject.run.id.clone();
    let authors = authors_of(session, &subject).await?;
    let who = match rules.person_of(&fingerprint) {
        Some(person) if authors.contains(person) => {
            let why = format!(
                "{person} is the author of the plan, and nobody approves what they made themselves."
            );
            return refuse_to_sign(session, place, &id, &fingerprint, why).await;
        }
        Some(person) => person,
        None => {
            let why =
                format!("The key {fingerprint} belongs to nobody that the project file lists.");
            return refuse_to_sign(session, place, &id, &fingerprint, why).await;
        }
    };
    // What is judged is judged by the rules in force, and so is what an approval says.
    let in_force = super::gate::rules(place).await?;
    let in_force = in_force.as_ref().unwrap_or(rules);
    let demand = Demand::of(in_force, &subject.plan);
    let now = SystemClock.now().0;
    let mut statement = Statement {
        plan: subject.digest,
        environment: rules.environment.clone(),
        change: demand.kind.name().to_owned(),
        signed_at: now,
        expires_at: None,
        comment: args.comment.clone(),
    };
    let mut details = vec![
        ("key", fingerprint.clone()),
        ("person", who.to_owned()),
        ("plan", subject.digest.to_string()),
        ("change", statement.change.clone()),
    ];
    if args.revoke {
        let envelope =
            sign_statement(&*signer, REVOCATION_NAMESPACE, &statement).map_err(unusable)?;
        save_revocation(&*store, &id, &envelope).await?;
        session.audit(place, "revoke", Some(&id), &details).await?;
        session.view.line(format!(
            "{who} takes back what {fingerprint} and {who}'s other keys approved of run {id} until now."
        ));
        return Ok(SUCCESS);
    }
    if let Some(why) = unstated(in_force, &demand, &subject.plan) {
        return refuse_to_sign(session, place, &id, &fingerprint, why).await;
    }
    let answer = super::gate::answer(session, place, &id).await?;
    if let Some(why) = super::judging::denied(&answer.policies) {
        return refuse_to_sign(session, place, &id, &fingerprint, why).await;
    }
    if !args.style.json {
        session
            .view
            .output(plan_view::render(&subject.plan, &session.view));
        let stated = gate_view::request(&subject.plan.inputs.request);
        if !stated.is_empty() {
            session.view.line(stated);
        }
    }
    super::judging::tell(session, &rules.environment, &answer.policies);
    super::gate::tell_rules(session, &answer);
    super::gate::tell_demand(session, in_force, &demand, &subject.plan);
    let expiry = parse_duration(&args.expires)?;
    statement.expires_at =
        Some(now.saturating_add(i64::try_from(expiry.as_secs()).unwrap_or(i64::MAX)));
    let envelope = sign_statement(&*signer, APPROVAL_NAMESPACE, &statement).map_err(unusable)?;
    save_approval(&*store, &id, &envelope).await?;
    details.push((
        "expires",
        statement
            .expires_at
            .map(crate::outside::rfc3339)
            .unwrap_or_default(),
    ));
    session.audit(place, "approve", Some(&id), &details).await?;
    let as_what = match statement.change.as_str() {
        "normal" => String::new(),
        kind => format!(" as a change of type {kind}"),
    };
    session.view.line(format!(
        "\nApproved plan {} for {:?}{as_what} as {who} ({fingerprint}).",
        subject.digest.short(),
        rules.environment
    ));
    end(session, &subject).await
}

/// Says whether the gate is satisfied now, and what is missing where it is not.
async fn end(session: &Session, subject: &Subject<'_>) -> Outcome {
    let id = &subject.run.id;
    match super::gate::answer(session, subject.place, id)
        .await?
        .refusal
    {
        None => session.view.line(format!(
            "The gate is satisfied: `terrace apply -env={} {id}` applies it.",
            subject.rules.environment
        )),
        Some(missing) => session.view.line(super::gate::told_missing(&missing, id)),
    }
    Ok(SUCCESS)
}

/// Why a plan cannot be approved by anybody: what its author has to say of it is missing.
fn unstated(rules: &Rules, demand: &Demand, plan: &Plan) -> Option<String> {
    let request = &plan.inputs.request;
    let is_stated = |name: &String| {
        request
            .statements
            .get(name)
            .is_some_and(|text| !text.trim().is_empty())
    };
    let missing: Vec<&str> = rules
        .required_statements
        .iter()
        .filter(|name| demand.asks && !is_stated(name))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return None;
    }
    Some(format!(
        "Runs must state their {}, and this one does not.",
        missing.join(", ")
    ))
}

/// Everybody who counts as an author: by the project file's people who signed the plan, and by the identity of the
/// workflow that made it.
async fn authors_of(
    session: &Session,
    subject: &Subject<'_>,
) -> Result<BTreeSet<String>, CommandError> {
    let store = subject.place.store.runs(&subject.place.workspace);
    let id = &subject.run.id;
    let envelope = store.get(&format!("runs/{id}/author")).await?;
    let signed = envelope.and_then(|envelope| Authorship::open(&envelope).ok());
    let signer = signed.and_then(|author| {
        let person = subject.rules.person_of(&author.fingerprint);
        person.map(str::to_owned)
    });
    let mut authors: BTreeSet<String> = signer.into_iter().collect();
    if store.get(&format!("runs/{id}/identity")).await?.is_some() {
        let (plan, digest) = (&subject.plan, subject.digest);
        let evidence = super::gate::evidence(session, subject.place, plan, digest).await?;
        authors.extend(evidence.authors().into_iter().map(str::to_owned));
    }
    Ok(authors)
}

/// An approval that could not count is not made.
async fn refuse_to_sign(
    session: &Session,
    place: &Place,
    id: &str,
    fingerprint: &str,
    why: String,
) -> Outcome {
    session
        .audit(
            place,
            "refuse",
            Some(id),
            &[
                ("operation", "approve".to_owned()),
                ("key", fingerprint.to_owned()),
                ("reason", why.clone()),
            ],
        )
        .await?;
    let mut error = CommandError::one(
        "approval-refused",
        "Approval would not count",
        format!("{why} Nothing was signed."),
    );
    error.code = REFUSED;
    Err(error)
}

pub(crate) async fn gate(
    session: &Session,
    command: &GateCommand,
    config: Option<&Config>,
) -> Outcome {
    let GateCommand::Explain { style, place, run } = command;
    let place = session.place(place.env.as_deref(), config)?;
    let run = super::runs::named(&place, run).await?;
    let answer = super::gate::answer(session, &place, &run.id).await?;
    let is_refused = answer.refusal.is_some();
    let code = if is_refused { REFUSED } else { SUCCESS };
    if style.json {
        let told = super::gate::answer_json(&answer, &run.id);
        session.view.output(format!("{told:#}"));
        return Ok(code);
    }
    super::gate::tell_owed(session, &place).await?;
    let (plan, _) = super::gate::plan_of(&place, &run.id).await?;
    if let Some(demand) = super::gate::demand(&place, &plan).await? {
        session.view.output(gate_view::demand(&demand));
    }
    if !answer.authors.is_empty() {
        session.view.output(format!(
            "Authors of run {}, by the identity of the workflow that made it: {}.",
            run.id,
            answer.authors.join(", ")
        ));
    }
    super::gate::tell_rules(session, &answer);
    if !answer.policies.is_empty() {
        let environment = place.environment.as_deref().unwrap_or_default();
        let told = policy_view::results(&answer.policies, environment, &session.view);
        session.view.output(told);
    }
    session.view.output(match &answer.refusal {
        None => format!("The gate lets run {} through.", run.id),
        Some(missing) => super::gate::told_missing(missing, &run.id),
    });
    Ok(code)
}

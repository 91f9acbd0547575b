//! What the gate and the policies of a project say of plans: asked, told, kept with the run and recorded in the audit log.
//! It quotes no secrets of theirs.

use terrace_gate::{
    ApprovedPlan, Asker, Evidence, PolicyEffect, PolicyResults, PolicyStage, Refusal,
    RefusalReason, Rules, Run, approve, fingerprint_of, judge_policies, save_run_policies,
};
use terrace_plan::Plan;
use terrace_port::Clock as _;

use super::plan::Made;
use crate::command_error::CommandError;
use crate::outside::SystemClock;
use crate::session::{Place, Session};
use crate::view::plan::Secrets;
use crate::view::{policy as policy_view, stream};

/// How many results the audit log names; it counts them all.
const NAMED: usize = 20;

/// The stack's folder, as policies are told it.
pub(crate) fn stack(place: &Place) -> Option<String> {
    place.project.as_ref().map(|found| found.stack.clone())
}

/// A plan that the gate has let through.
pub(crate) struct Judged {
    pub(crate) approved: ApprovedPlan,
    /// What policies say of it, without what is secret in it.
    pub(crate) policies: PolicyResults,
}

/// Asks the policies of the rules in force what they say of a plan that was just made, and tells it. Where the plan is kept as
/// `run`, the results are part of it.
pub(crate) async fn judge_made(
    session: &Session,
    place: &Place,
    made: &Made,
    rules: Option<&Rules>,
    run: Option<&Run>,
) -> Result<PolicyResults, CommandError> {
    let Some(rules) = rules else {
        return Ok(PolicyResults::default());
    };
    if let Some(proposed) = &place.rules {
        tell_differences(session, rules, proposed);
    }
    let asker = Asker {
        stack: stack(place),
        actor: author(session, rules, run),
        now: SystemClock.now().0,
    };
    let results = judge_policies(rules, &made.plan, &asker);
    if results.is_empty() {
        return Ok(results);
    }
    let results = without_secrets(results, &made.plan);
    tell(session, &rules.environment, &results);
    if let Some(run) = run {
        keep(session, place, &run.id, PolicyStage::Plan, &results).await?;
    }
    Ok(results)
}

/// Who makes a plan, as the policies in force know them: the listed person whose key signs it, else whom its run names.
fn author(session: &Session, rules: &Rules, run: Option<&Run>) -> String {
    let signer = session.known_signer();
    let fingerprint = signer.and_then(|signer| fingerprint_of(&signer.public_key()).ok());
    let person = fingerprint
        .as_deref()
        .and_then(|fingerprint| rules.person_of(fingerprint));
    match (person, run) {
        (Some(person), _) => person.to_owned(),
        (None, Some(run)) => run.actor.clone(),
        (None, None) => session.actor(),
    }
}

/// A run that changes the rules is judged by the old ones: said wherever a plan is made.
fn tell_differences(session: &Session, in_force: &Rules, proposed: &Rules) {
    let differences = in_force.differences(proposed);
    if differences.is_empty() {
        return;
    }
    let lines: Vec<String> = differences
        .iter()
        .map(|line| format!("  - {line}"))
        .collect();
    let detail = format!(
        "The project file's rules for environment {:?} are not those in force:\n{}\n\nThis plan is judged by those in force, which are those of the last applied run. The project file's hold once a run of it is applied.",
        in_force.environment,
        lines.join("\n")
    );
    let told = terrace_diag::Diagnostic::warning("rules-changed", "Rules have changed", detail);
    session
        .view
        .diagnostics(told.into(), &terrace_diag::SourceMap::new());
}

/// Policies quote what a plan says; what is secret in it is neither shown nor kept.
fn without_secrets(results: PolicyResults, plan: &Plan) -> PolicyResults {
    let secrets = Secrets::of_plan(plan);
    results.with_texts(|message| secrets.redact(message))
}

/// Asks the gate about a plan. Neither what it refuses for nor what policies say quotes a secret of the plan.
pub(crate) fn ask(plan: Plan, evidence: Evidence) -> Result<Judged, Box<Refusal>> {
    let secrets = secrets(evidence.rules(), &plan);
    match approve(plan, evidence) {
        Ok(approved) => {
            let policies = approved.policies().clone();
            Ok(Judged {
                policies: policies.with_texts(|message| secrets.redact(message)),
                approved,
            })
        }
        Err(refusal) => Err(refusal_without_secrets(refusal, &secrets)),
    }
}

/// Why the gate does not let a plan through; nothing where it does.
pub(crate) fn reasons(plan: &Plan, evidence: Evidence) -> Vec<RefusalReason> {
    ask(plan.clone(), evidence)
        .err()
        .map(|refusal| refusal.reasons)
        .unwrap_or_default()
}

/// The secrets of a plan, where policies may quote it.
fn secrets(rules: Option<&Rules>, plan: &Plan) -> Secrets {
    if rules.is_some_and(|rules| !rules.policies.is_empty()) {
        Secrets::of_plan(plan)
    } else {
        Secrets::default()
    }
}

/// As [`without_secrets`], for a refusal.
fn refusal_without_secrets(mut refusal: Box<Refusal>, secrets: &Secrets) -> Box<Refusal> {
    for reason in &mut refusal.reasons {
        if let RefusalReason::Policy { message, .. } = reason {
            *message = secrets.redact(message);
        }
    }
    let policies = std::mem::take(&mut refusal.policies);
    refusal.policies = policies.with_texts(|message| secrets.redact(message));
    refusal
}

/// Shows what policies say of a plan that the gate has let through.
pub(crate) fn tell_judged(session: &Session, place: &Place, judged: &Judged) {
    let environment = place.environment.as_deref().unwrap_or_default();
    tell(session, environment, &judged.policies);
}

/// Keeps and records what policies say of a plan that the gate has let through.
pub(crate) async fn keep_judged(
    session: &Session,
    place: &Place,
    judged: &Judged,
) -> Result<(), CommandError> {
    let id = judged.approved.digest().short();
    keep(session, place, &id, PolicyStage::Apply, &judged.policies).await
}

/// Shows what policies say.
pub(crate) fn tell(session: &Session, environment: &str, results: &PolicyResults) {
    if results.is_empty() {
        return;
    }
    if session.view.json {
        let message = policy_view::result_counts(results);
        session.view.output(stream::policies_line(
            &message,
            policy_view::results_json(results),
        ));
    } else {
        session.view.line(format!(
            "\n{}",
            policy_view::results(results, environment, &session.view)
        ));
    }
}

/// Keeps results with a run, and records them. What a change type overrides is an entry of its own.
pub(crate) async fn keep(
    session: &Session,
    place: &Place,
    run: &str,
    stage: PolicyStage,
    results: &PolicyResults,
) -> Result<(), CommandError> {
    if results.is_empty() {
        return Ok(());
    }
    let store = place.store.runs(&place.workspace);
    let digest = save_run_policies(&*store, run, stage, results).await?;
    let warned = results.count(PolicyEffect::Warned) + results.count(PolicyEffect::Advised);
    let denials: Vec<String> = results
        .of(PolicyEffect::Denied)
        .take(NAMED)
        .map(|(policy, found)| format!("{}: {}", policy.name, found.message))
        .collect();
    let mut details = vec![
        ("stage", stage.name().to_owned()),
        ("results", digest),
        ("denied", results.count(PolicyEffect::Denied).to_string()),
        (
            "overridden",
            results.count(PolicyEffect::Overridden).to_string(),
        ),
        ("warned", warned.to_string()),
    ];
    if !denials.is_empty() {
        details.push(("denials", denials.join("; ")));
    }
    session.audit(place, "policy", Some(run), &details).await?;
    if stage == PolicyStage::Apply {
        record_overrides(session, place, run, results).await?;
    }
    Ok(())
}

async fn record_overrides(
    session: &Session,
    place: &Place,
    run: &str,
    results: &PolicyResults,
) -> Result<(), CommandError> {
    for (policy, found) in results.of(PolicyEffect::Overridden) {
        let details = [
            ("policy", policy.name.clone()),
            ("rule", found.rule.clone().unwrap_or_default()),
            ("change", results.change.name().to_owned()),
            ("reason", format!("{}: {}", policy.name, found.message)),
        ];
        session
            .audit(place, "policy-override", Some(run), &details)
            .await?;
    }
    Ok(())
}

/// Why a plan that mandatory policies deny is approved by nobody.
pub(crate) fn denied(results: &PolicyResults) -> Option<String> {
    let lines: Vec<String> = results
        .of(PolicyEffect::Denied)
        .map(|(policy, found)| format!("  - {}", policy_view::found(policy, found)))
        .collect();
    if lines.is_empty() {
        return None;
    }
    Some(format!(
        "Mandatory policies deny this plan, and no approval changes that:\n{}\n\n",
        lines.join("\n")
    ))
}

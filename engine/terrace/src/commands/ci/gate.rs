//! What the gate says of a run, for people who read it elsewhere.

use terrace_ci::{GateReport, MissingPiece, PolicyReport, Verdict};
use terrace_gate::{
    Demand, PolicyEffect, PolicyResults, RefusalReason, Rules, approve, approvers_counted,
    load_run_policies,
};
use terrace_plan::{Plan, PlanDigest};

use crate::command_error::CommandError;
use crate::commands::gate;
use crate::session::{Place, Session};
use crate::view::gate as gate_view;

/// Asks the gate about a run; `None` where there is no gate. `overlooks` says which reasons are not told: what only a later step
/// can bring.
pub(super) async fn ask(
    session: &Session,
    place: &Place,
    (plan, digest): (&Plan, PlanDigest),
    overlooks: fn(&RefusalReason) -> bool,
) -> Result<Option<GateReport>, CommandError> {
    let Some(rules) = gate::rules(place).await?.filter(Rules::is_gated) else {
        return Ok(None);
    };
    let demand = Demand::of(&rules, plan);
    let evidence = gate::evidence(session, place, plan, digest).await?;
    let approved_by = approvers_counted(plan, &evidence);
    let secrets = crate::commands::judging::secrets(evidence.rules(), plan);
    let refusal = approve(plan.clone(), evidence).err();
    let refusal =
        refusal.map(|refusal| crate::commands::judging::refusal_without_secrets(refusal, &secrets));
    let reasons: Vec<RefusalReason> = refusal
        .map(|refusal| refusal.reasons)
        .unwrap_or_default()
        .into_iter()
        .filter(|reason| !overlooks(reason))
        .collect();
    let missing = reasons.iter().map(|reason| MissingPiece {
        reason: reason.to_string(),
        remedy: reason.remedy(&rules.environment, &digest.short()),
    });
    Ok(Some(GateReport {
        kind: demand.kind.name().to_owned(),
        asks: gate_view::demand_lines(&demand),
        approved_by,
        missing: missing.collect(),
    }))
}

/// What policies said of a run when they were asked last.
pub(super) async fn policies(place: &Place, run: &str) -> Result<Vec<PolicyReport>, CommandError> {
    let store = place.store.runs(&place.workspace);
    let results = load_run_policies(&*store, run).await?;
    Ok(results.map_or_else(Vec::new, |(_, results)| policy_reports(&results)))
}

fn policy_reports(results: &PolicyResults) -> Vec<PolicyReport> {
    let told = [
        (PolicyEffect::Denied, Verdict::Denied),
        (PolicyEffect::Overridden, Verdict::Overridden),
        (PolicyEffect::Advised, Verdict::Warned),
        (PolicyEffect::Warned, Verdict::Warned),
    ];
    let found = told.into_iter().flat_map(|(effect, verdict)| {
        results
            .of(effect)
            .map(move |(policy, finding)| PolicyReport {
                policy: match &finding.rule {
                    Some(rule) => format!("{}: {rule}", policy.name),
                    None => policy.name.clone(),
                },
                verdict,
                message: finding.message.clone(),
            })
    });
    let passed = results
        .policies
        .iter()
        .filter(|policy| policy.findings.is_empty())
        .map(|policy| PolicyReport {
            policy: policy.name.clone(),
            verdict: Verdict::Passed,
            message: String::new(),
        });
    found.chain(passed).collect()
}

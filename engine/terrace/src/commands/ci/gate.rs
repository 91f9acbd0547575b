//! What the gate says of a run, for people who read it elsewhere.

use terrace_ci::{GateReport, MissingPiece, PolicyReport, Verdict};
use terrace_gate::{Demand, RefusalReason, Rules, approvers_counted};
use terrace_page::{PolicyOutcome, PolicyVerdict};
use terrace_plan::{Plan, PlanDigest};

use crate::command_error::CommandError;
use crate::commands::view::policies_of;
use crate::commands::{gate, judging};
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
    let reasons: Vec<RefusalReason> = judging::reasons(plan, evidence)
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

/// Overlooks nothing: every reason is told.
pub(super) const fn nothing(_: &RefusalReason) -> bool {
    false
}

/// What policies said of a run when they were asked last.
pub(super) async fn policies(place: &Place, run: &str) -> Result<Vec<PolicyReport>, CommandError> {
    let outcomes = policies_of(place, run).await?.into_iter();
    let report = |outcome: PolicyOutcome| PolicyReport {
        policy: outcome.policy,
        verdict: match outcome.verdict {
            PolicyVerdict::Denied => Verdict::Denied,
            PolicyVerdict::Overridden => Verdict::Overridden,
            PolicyVerdict::Warned => Verdict::Warned,
            PolicyVerdict::Passed => Verdict::Passed,
        },
        message: outcome.message,
    };
    Ok(outcomes.map(report).collect())
}

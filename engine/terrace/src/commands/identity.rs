//! The identity of the workflow that makes a plan, where one does and the rules in force let it stand for the author.

use terrace_diag::{Diagnostic, SourceMap};
use terrace_gate::{
    AUTHORS_DETAIL, ApprovedPlan, IDENTITY_DETAIL, IDENTITY_KEY_DETAIL, IdentityProof,
    obtain_identity, save_identity,
};
use terrace_plan::{Plan, PlanDigest};
use terrace_port::Clock as _;

use crate::command_error::CommandError;
use crate::outside::SystemClock;
use crate::session::{Place, Session};

/// What a job is told that runs in GitHub Actions and is not given what to ask for tokens by.
const NO_RIGHT: &str =
    "its job may not ask for tokens, which `permissions: id-token: write` allows";

/// A workflow's identity that is kept with a run.
pub(crate) struct Kept {
    /// The listed person who has started the workflow, else the login as `LOGIN@github`.
    pub(crate) actor: String,
    proof: IdentityProof,
}

impl Kept {
    /// What the audit log is told of it.
    pub(crate) fn details(&self) -> [(&'static str, String); 3] {
        [
            (IDENTITY_DETAIL, self.proof.digest.clone()),
            (IDENTITY_KEY_DETAIL, self.proof.key.clone()),
            ("login", self.proof.actor.clone()),
        ]
    }
}

/// Asks for an identity, where this is a workflow that may ask and the rules in force name some, and keeps it with the
/// plan's run. One that would not count is told and not kept: the gate then knows no author.
pub(crate) async fn keep(
    session: &Session,
    place: &Place,
    plan: &Plan,
    digest: PlanDigest,
) -> Result<Option<Kept>, CommandError> {
    let Some(rules) = super::gate::rules(place).await? else {
        return Ok(None);
    };
    if rules.identities.is_empty() {
        return Ok(None);
    }
    let issuer = crate::installation::issuer(session);
    let now = SystemClock.now().0;
    let proof = match obtain_identity(&*issuer, &rules, plan, digest, now).await {
        Ok(Some(proof)) => proof,
        Ok(None) => {
            if session.environment.get("GITHUB_ACTIONS") == Some("true") {
                tell(session, NO_RIGHT);
            }
            return Ok(None);
        }
        Err(why) => {
            tell(session, &why);
            return Ok(None);
        }
    };
    let store = place.store.runs(&place.workspace);
    save_identity(&*store, &digest.short(), &proof).await?;
    let person = rules.person_of_login(&proof.actor);
    // A login may well be the name of a listed person who has another.
    let actor = person.map_or_else(|| format!("{}@github", proof.actor), str::to_owned);
    Ok(Some(Kept { actor, proof }))
}

fn tell(session: &Session, why: &str) {
    let detail =
        format!("The workflow that makes this plan does not stand for the plan's author: {why}.");
    let told = Diagnostic::warning("identity-not-counted", "Identity does not count", detail)
        .hint("an identity block of the project file names the workflows that do; or plan with -key=FILE or TERRACE_SSH_KEY");
    session.view.diagnostics(told.into(), &SourceMap::new());
}

/// What the audit log is told of the identity by which a plan was let through.
pub(crate) fn relied_on(approved: &ApprovedPlan) -> Vec<(&'static str, String)> {
    let Some(identity) = approved.identity() else {
        return Vec::new();
    };
    vec![
        (IDENTITY_DETAIL, identity.digest.clone()),
        (IDENTITY_KEY_DETAIL, identity.key.clone()),
        (AUTHORS_DETAIL, approved.authors().join(",")),
    ]
}

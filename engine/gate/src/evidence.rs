//! Gathering what an apply is judged by, from the run stores.

use terrace_plan::{Plan, PlanDigest};
use terrace_port::{RunStore, StoreError};

use crate::approve::{Refusal, RefusalReason};
use crate::runs;
use crate::{Approval, Authorship, Rules, configuration_digest};

/// Everything that [`crate::approve`] judges a plan by. Only [`gather`] builds it.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The rules in force: of the last applied run, or of the project file when nothing was applied yet.
    pub(crate) rules: Option<Rules>,
    /// Whether the rules come from the project file because nothing was applied yet.
    pub(crate) bootstrap: bool,
    pub(crate) authorship: Option<Authorship>,
    pub(crate) approvals: Vec<Approval>,
    /// Statements that were found and do not hold, with the reason.
    pub(crate) rejected: Vec<String>,
    /// Environments of `after` whose last applied run has another configuration, or none.
    pub(crate) missing_upstream: Vec<String>,
    pub(crate) digest: PlanDigest,
    /// Now, in seconds since 1970 UTC.
    pub(crate) now: i64,
}

impl Evidence {
    /// The rules in force.
    pub const fn rules(&self) -> Option<&Rules> {
        self.rules.as_ref()
    }

    /// Whether nothing was applied yet, so that the project file's own rules hold.
    pub const fn is_bootstrap(&self) -> bool {
        self.bootstrap
    }
}

/// Where another environment keeps its runs.
pub struct Upstream<'a> {
    /// The environment's name.
    pub environment: &'a str,
    /// Its run store.
    pub store: &'a dyn RunStore,
}

/// The rules in force beside a state: recorded ones come before `proposed`, those of the project file.
async fn rules_in_force(
    store: &dyn RunStore,
    proposed: Option<&Rules>,
) -> Result<(Option<Rules>, bool), StoreError> {
    match store.get("gate/rules").await? {
        Some(bytes) => {
            let rules = Rules::from_bytes(&bytes)
                .map_err(|why| StoreError::Corrupt(format!("the gate's rules: {why}")))?;
            Ok((Some(rules), false))
        }
        None => Ok((proposed.cloned(), proposed.is_some())),
    }
}

/// Gathers the evidence for applying `plan` beside `store`. `proposed` are the rules of the project file, if an
/// environment was chosen; `upstream` the environments that it names in `after`, as far as they could be opened.
pub async fn gather(
    store: &dyn RunStore,
    plan: &Plan,
    digest: PlanDigest,
    proposed: Option<&Rules>,
    upstream: &[Upstream<'_>],
    now: i64,
) -> Result<Evidence, StoreError> {
    let (rules, bootstrap) = rules_in_force(store, proposed).await?;
    let id = digest.short();
    let mut rejected = Vec::new();
    let authorship = match store.get(&format!("runs/{id}/author")).await? {
        None => None,
        Some(bytes) => match Authorship::open(&bytes) {
            Ok(found) => Some(found),
            Err(error) => {
                rejected.push(format!("the author's statement: {error}"));
                None
            }
        },
    };
    let mut approvals = Vec::new();
    for name in store.list(&format!("runs/{id}/approvals/")).await? {
        let Some(bytes) = store.get(&name).await? else {
            continue;
        };
        match Approval::open(&bytes) {
            Ok(found) => approvals.push(found),
            Err(error) => rejected.push(format!("an approval: {error}")),
        }
    }
    let mut missing_upstream = Vec::new();
    let configuration = configuration_digest(&plan.inputs.configuration);
    for environment in rules.iter().flat_map(|rules| &rules.after) {
        let found = upstream
            .iter()
            .find(|candidate| candidate.environment == environment);
        let applied = match found {
            Some(found) => runs::last_applied(found.store).await?,
            None => None,
        };
        if applied.is_none_or(|run| run.configuration != configuration) {
            missing_upstream.push(environment.clone());
        }
    }
    Ok(Evidence {
        rules,
        bootstrap,
        authorship,
        approvals,
        rejected,
        missing_upstream,
        digest,
        now,
    })
}

/// Whether the state beside `store` may be written other than by applying an approved plan (`state rm`, `mv`, `push`,
/// import …): never where a gate stands.
pub async fn guard_manual_write(
    store: &dyn RunStore,
    proposed: Option<&Rules>,
) -> Result<Result<(), Box<Refusal>>, StoreError> {
    let (rules, _) = rules_in_force(store, proposed).await?;
    Ok(match rules {
        Some(rules) if rules.is_gated() => Err(Box::new(Refusal {
            environment: rules.environment.clone(),
            digest: None,
            reasons: vec![RefusalReason::ManualWrite],
        })),
        _ => Ok(()),
    })
}

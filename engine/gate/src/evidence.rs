//! Gathering what an apply is judged by, from the run stores.

use std::collections::BTreeSet;

use terrace_plan::{Plan, PlanDigest};
use terrace_port::{RunStore, StoreError};

use crate::approve::judge_soak;
use crate::calendar::second_of;
use crate::{
    Approval, Asker, Authorship, DriftCheck, ForgeReview, Identified, OpenReview, PolicyResults,
    Refusal, RefusalReason, Revocation, Rules, SourceFound, audit, configuration_digest, digest,
    drift, judge_policies, owed, runs,
};

/// Everything that [`crate::approve`] judges a plan by. Only [`gather`] builds it.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The rules in force: of the last applied run, or of the project file when nothing was applied yet.
    pub(crate) rules: Option<Rules>,
    /// Whether the project file's rules are neither those in force nor those that the plan was made with.
    pub(crate) other_rules: bool,
    /// Whether the rules come from the project file because nothing was applied yet.
    pub(crate) bootstrap: bool,
    pub(crate) authorship: Option<Authorship>,
    pub(crate) approvals: Vec<Approval>,
    pub(crate) revocations: Vec<Revocation>,
    /// Reviews at the forge, as it told them just now.
    pub(crate) forge: Vec<ForgeReview>,
    /// The identity of the workflow that made the plan, as issuer and forge told it just now.
    pub(crate) identity: Option<Identified>,
    /// Statements that were found and do not hold, with the reason.
    pub(crate) rejected: Vec<String>,
    /// The environments of `after`.
    pub(crate) upstream: Vec<UpstreamFound>,
    /// What the repository says of the plan's commit.
    pub(crate) source: Option<SourceFound>,
    /// Reviews of emergencies that are owed still.
    pub(crate) open_reviews: Vec<OpenReview>,
    /// The time of the audit log's last entry.
    pub(crate) recorded: Option<i64>,
    pub(crate) digest: PlanDigest,
    /// Now, in seconds since 1970 UTC.
    pub(crate) now: i64,
    /// What policies are told of the stack, and of who made the plan where nobody has signed it.
    pub(crate) asker: Asker,
}

/// An environment that comes before.
#[derive(Clone, Debug)]
pub(crate) struct UpstreamFound {
    pub(crate) environment: String,
    /// Whether its last applied run has the plan's configuration.
    pub(crate) has_applied: bool,
    /// When that was done, in seconds since 1970 UTC.
    pub(crate) applied_at: Option<i64>,
    /// The commit of its last applied run.
    pub(crate) commit: Option<String>,
    /// Its last drift check, if that was made since.
    pub(crate) drift: Option<DriftCheck>,
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

    /// The listed person who signed the plan as its author, or else whom the workflow's identity names so.
    pub fn author(&self) -> Option<&str> {
        self.signer()
            .or_else(|| self.identified().map(|found| found.author.as_str()))
    }

    /// Everybody who counts as an author.
    pub fn authors(&self) -> BTreeSet<&str> {
        let identified = self.identified().into_iter();
        let identified = identified.flat_map(|found| &found.authors);
        self.signer()
            .into_iter()
            .chain(identified.map(String::as_str))
            .collect()
    }

    /// Everybody who counts as an author, each with what says so.
    pub fn authors_told(&self) -> Vec<String> {
        let signed = self.signer().zip(self.authorship.as_ref());
        let signed = signed.map(|(person, by)| format!("{person} (key {})", by.fingerprint));
        let identified = self.identified().into_iter().flat_map(|found| {
            let people = found.authors.iter();
            people.map(|person| format!("{person} (workflow {})", found.workflow))
        });
        signed.into_iter().chain(identified).collect()
    }

    /// The workflow's identity, if it is of this plan.
    pub fn identified(&self) -> Option<&Identified> {
        let found = self.identity.as_ref();
        found.filter(|found| found.plan == self.digest)
    }

    /// The listed person who signed the plan as its author.
    fn signer(&self) -> Option<&str> {
        let rules = self.rules.as_ref()?;
        let signed = self.authorship.as_ref()?;
        (signed.statement.plan == self.digest && signed.statement.environment == rules.environment)
            .then(|| rules.person_of(&signed.fingerprint))?
    }

    /// Reviews of emergencies that are owed still.
    pub fn open_reviews(&self) -> &[OpenReview] {
        &self.open_reviews
    }

    /// Commits that the environments before have applied last, which this plan's must contain.
    pub fn upstream_commits(&self) -> Vec<(String, Option<String>)> {
        self.upstream
            .iter()
            .filter(|found| found.applied_at.is_some())
            .map(|found| (found.environment.clone(), found.commit.clone()))
            .collect()
    }

    /// With what policies are told: the stack's folder, and who asks, which is said of a plan that no listed person has signed.
    #[must_use]
    pub fn asked_by(mut self, stack: Option<String>, actor: String) -> Self {
        self.asker = Asker {
            stack,
            actor,
            now: self.now,
        };
        self
    }

    /// What the policies in force say of `plan` at a time.
    pub(crate) fn judge_policies(&self, plan: &Plan, now: i64) -> PolicyResults {
        let Some(rules) = &self.rules else {
            return PolicyResults::default();
        };
        let mut asker = self.asker.clone();
        asker.now = now;
        if let Some(author) = self.author() {
            author.clone_into(&mut asker.actor);
        }
        judge_policies(rules, plan, &asker)
    }

    /// With what the repository says of the plan's commit.
    #[must_use]
    pub fn with_source(mut self, found: SourceFound) -> Self {
        self.source = Some(found);
        self
    }

    /// With the identity of the workflow that made the plan, and with what kept it from counting.
    #[must_use]
    pub fn with_identity(mut self, found: Option<Identified>, problems: Vec<String>) -> Self {
        self.identity = found;
        self.rejected.extend(problems);
        self
    }

    /// With reviews that the forge has told of just now, and with what kept some from being told.
    #[must_use]
    pub fn with_forge(mut self, reviews: Vec<ForgeReview>, problems: Vec<String>) -> Self {
        self.forge.extend(reviews);
        self.rejected.extend(problems);
        self
    }
}

/// Where another environment keeps its runs.
pub struct Upstream<'a> {
    /// The environment's name.
    pub environment: &'a str,
    /// Its run store.
    pub store: &'a dyn RunStore,
}

/// The rules in force beside a state: recorded ones come before `proposed`, those of the project file. Also whether
/// they are the project file's, since nothing was applied yet.
pub async fn rules_in_force(
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

/// How rules in force are about to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesChange {
    /// The digest of those that are in force; `None` where there are none yet.
    pub before: Option<String>,
    /// How the new ones differ.
    pub differences: Vec<String>,
}

/// What changes when `proposed` come into force beside `store`; `None` where they are in force already.
pub async fn rules_change(
    store: &dyn RunStore,
    proposed: &Rules,
) -> Result<Option<RulesChange>, StoreError> {
    let before = store.get("gate/rules").await?;
    let before = before.map(|bytes| digest::hash(&bytes));
    if before == Some(proposed.digest().to_string()) {
        return Ok(None);
    }
    let (in_force, _) = rules_in_force(store, None).await?;
    let differences = in_force.map_or_else(Vec::new, |rules| rules.differences(proposed));
    Ok(Some(RulesChange {
        before,
        differences,
    }))
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
    let is_known = proposed == rules.as_ref() && !bootstrap;
    let planned = plan.inputs.request.rules.as_ref();
    let other_rules = proposed.filter(|_| !is_known).is_some_and(|proposed| {
        planned.map_or(!bootstrap, |planned| {
            *planned != proposed.digest().to_string()
        })
    });
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
    for bytes in runs::approvals(store, &id).await? {
        match Approval::open(&bytes) {
            Ok(found) => approvals.push(found),
            Err(error) => rejected.push(format!("an approval: {error}")),
        }
    }
    let mut revocations = Vec::new();
    for bytes in runs::revocations(store, &id).await? {
        match Revocation::open(&bytes) {
            Ok(found) => revocations.push(found),
            Err(error) => rejected.push(format!("a revocation: {error}")),
        }
    }
    let mut found = Vec::new();
    let configuration = configuration_digest(&plan.inputs.configuration);
    for environment in rules.iter().flat_map(|rules| &rules.after) {
        let known = upstream
            .iter()
            .find(|candidate| candidate.environment == environment);
        found.push(look_upstream(environment, known, &configuration).await?);
    }
    let open_reviews = match &rules {
        Some(rules) => owed::open_reviews(store, rules, now).await?,
        None => Vec::new(),
    };
    Ok(Evidence {
        rules,
        bootstrap,
        authorship,
        approvals,
        revocations,
        forge: Vec::new(),
        other_rules,
        identity: None,
        rejected,
        upstream: found,
        source: None,
        open_reviews,
        recorded: audit::last_time(store).await?,
        digest,
        now,
        asker: Asker::default(),
    })
}

async fn look_upstream(
    environment: &str,
    known: Option<&Upstream<'_>>,
    configuration: &str,
) -> Result<UpstreamFound, StoreError> {
    let mut found = UpstreamFound {
        environment: environment.to_owned(),
        has_applied: false,
        applied_at: None,
        commit: None,
        drift: None,
    };
    let Some(known) = known else { return Ok(found) };
    let Some(applied) = runs::last_applied(known.store).await? else {
        return Ok(found);
    };
    found.has_applied = applied.configuration == configuration;
    found.applied_at = applied.finished.as_deref().and_then(second_of);
    found.commit.clone_from(&applied.commit);
    // A check of what was there before says nothing of what is there now.
    found.drift = drift::last_drift(known.store)
        .await?
        .filter(|check| check.run.as_ref() == Some(&applied.id));
    Ok(found)
}

/// What keeps an environment from being followed by the next with this configuration, which must run it for `soak` seconds
/// without drift.
pub async fn unready(
    before: &Upstream<'_>,
    configuration: &str,
    soak: Option<u64>,
    now: i64,
) -> Result<Option<RefusalReason>, StoreError> {
    let found = look_upstream(before.environment, Some(before), configuration).await?;
    if !found.has_applied {
        return Ok(Some(RefusalReason::Upstream {
            environment: found.environment,
        }));
    }
    let soak = soak.unwrap_or_default();
    Ok(judge_soak(&found, soak, now).filter(|reason| {
        // Without a soak, only what is known to have drifted counts.
        soak > 0 || matches!(reason, RefusalReason::Drifted { .. })
    }))
}

/// Whether the state beside `store` may be written other than by applying an approved plan (`state rm`, `mv`, `push` …):
/// never where a gate stands. Where none does, the mandatory policies that judge plans and are not asked, by name.
pub async fn guard_manual_write(
    store: &dyn RunStore,
    proposed: Option<&Rules>,
) -> Result<Result<Vec<String>, Box<Refusal>>, StoreError> {
    let (rules, _) = rules_in_force(store, proposed).await?;
    let Some(rules) = rules else {
        return Ok(Ok(Vec::new()));
    };
    if !rules.is_gated() {
        return Ok(Ok(rules.mandatory_policies().map(str::to_owned).collect()));
    }
    Ok(Err(Box::new(Refusal {
        environment: rules.environment,
        digest: None,
        kind: crate::ChangeKind::Normal,
        reasons: vec![RefusalReason::ManualWrite],
        policies: PolicyResults::default(),
    })))
}

//! Runs: one bundle for each plan, kept beside the state.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_config::Snapshot;
use terrace_plan::{Action, Plan, PlanDigest, PlanReadError};
use terrace_port::{RunStore, StoreError};

use crate::digest::{Parts, hash, short_hash};
use crate::rules::Rules;
use crate::{PolicyResults, wire};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// Planned, perhaps waiting for approvals.
    Planned,
    /// Being applied, or the process that applied it vanished.
    Applying,
    /// Applied without errors.
    Applied,
    /// Applied in part.
    Failed,
}

impl RunStatus {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Failed => "failed",
        }
    }

    /// The status of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Planned, Self::Applying, Self::Applied, Self::Failed]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// How many objects a plan touches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Created, replacements included.
    pub add: u64,
    /// Changed in place.
    pub change: u64,
    /// Destroyed, replacements included.
    pub remove: u64,
    /// Taken over.
    pub import: u64,
}

impl RunCounts {
    /// The counts of a plan.
    pub fn of(plan: &Plan) -> Self {
        let mut counts = Self::default();
        for change in &plan.changes {
            if change.importing.is_some() {
                counts.import += 1;
            }
            match change.action {
                Action::Create => counts.add += 1,
                Action::Update => counts.change += 1,
                Action::Delete => counts.remove += 1,
                Action::DeleteThenCreate | Action::CreateThenDelete => {
                    counts.add += 1;
                    counts.remove += 1;
                }
                Action::ForgetThenCreate => counts.add += 1,
                Action::NoOp | Action::Read | Action::Forget => {}
            }
        }
        counts
    }
}

/// A run's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id: the first twelve digits of the plan's digest.
    pub id: String,
    /// The plan.
    pub plan: PlanDigest,
    /// Digest of the configuration.
    pub configuration: String,
    /// The environment, if one was chosen.
    pub environment: Option<String>,
    /// The workspace.
    pub workspace: String,
    /// `normal`, `destroy`, `refresh-only`.
    pub mode: String,
    /// Where it stands.
    pub status: RunStatus,
    /// Who made the plan: the listed person who signed it, else whom the machine calls so.
    pub actor: String,
    /// The commit it was made from.
    pub commit: Option<String>,
    /// Terrace's version.
    pub version: String,
    /// RFC 3339 time at which the run was made, with fractions of a second: runs of one second have an order.
    pub created: String,
    /// RFC 3339 time of the end.
    pub finished: Option<String>,
    /// What it touches.
    pub counts: RunCounts,
    /// How it failed.
    pub message: Option<String>,
    /// The type of change that was asked for; empty for a normal one.
    pub change: String,
    /// Why it is one of that type.
    pub reason: Option<String>,
    /// What its author states.
    pub statements: BTreeMap<String, String>,
}

impl Run {
    /// The order in which runs were made: by their times, to the fraction of a second that is recorded.
    pub fn by_creation(&self, other: &Self) -> Ordering {
        let at = |run: &Self| run.created.parse::<jiff::Timestamp>().ok();
        (at(self), &self.created, &self.id).cmp(&(at(other), &other.created, &other.id))
    }
}

/// Digest of a configuration: of its files and of where each module of the tree lies.
pub fn configuration_digest(snapshot: &Snapshot) -> String {
    let mut parts = Parts::default();
    for (path, directory) in &snapshot.modules {
        parts.add(path.as_bytes());
        parts.add(directory.as_bytes());
    }
    for file in &snapshot.files {
        parts.add(file.path.as_bytes());
        parts.add(&file.bytes);
    }
    parts.hash()
}

fn corrupt(what: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("{what}: {why}"))
}

/// Writes a run's record.
pub async fn save(store: &dyn RunStore, run: &Run) -> Result<(), StoreError> {
    store
        .put(&format!("runs/{}/run", run.id), &wire::encode_run(run))
        .await
}

/// Writes a run's plan file.
pub async fn save_plan(store: &dyn RunStore, id: &str, plan_file: &[u8]) -> Result<(), StoreError> {
    store.put(&format!("runs/{id}/plan"), plan_file).await
}

/// Writes the author's signed statement.
pub async fn save_authorship(
    store: &dyn RunStore,
    id: &str,
    envelope: &[u8],
) -> Result<(), StoreError> {
    store.put(&format!("runs/{id}/author"), envelope).await
}

/// Writes one approval; the same approval is kept once.
pub async fn save_approval(
    store: &dyn RunStore,
    id: &str,
    envelope: &[u8],
) -> Result<(), StoreError> {
    save_envelope(store, id, "approvals", envelope).await
}

/// Writes that someone takes an approval back.
pub async fn save_revocation(
    store: &dyn RunStore,
    id: &str,
    envelope: &[u8],
) -> Result<(), StoreError> {
    save_envelope(store, id, "revocations", envelope).await
}

/// Writes a signed statement under the beginning of its hash.
async fn save_envelope(
    store: &dyn RunStore,
    id: &str,
    kind: &str,
    envelope: &[u8],
) -> Result<(), StoreError> {
    let name = short_hash(envelope);
    store
        .put(&format!("runs/{id}/{kind}/{name}"), envelope)
        .await
}

/// Writes the rules that a run was judged by.
pub async fn save_rules(store: &dyn RunStore, id: &str, rules: &Rules) -> Result<(), StoreError> {
    store
        .put(&format!("runs/{id}/rules"), &rules.to_bytes())
        .await
}

/// The rules that a run was judged by when it was applied.
pub async fn load_rules(store: &dyn RunStore, id: &str) -> Result<Option<Rules>, StoreError> {
    match store.get(&format!("runs/{id}/rules")).await? {
        Some(bytes) => Rules::from_bytes(&bytes)
            .map(Some)
            .map_err(|why| corrupt(&format!("the rules of run {id}"), why)),
        None => Ok(None),
    }
}

/// When policies were asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyStage {
    /// When the plan was made.
    Plan,
    /// When it was let through, by the rules in force then.
    Apply,
}

impl PolicyStage {
    /// Its name, in the run's bundle and in the audit log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
        }
    }
}

/// Writes what policies say of a run. Gives the digest of what was written, for the audit log.
pub async fn save_policies(
    store: &dyn RunStore,
    id: &str,
    stage: PolicyStage,
    results: &PolicyResults,
) -> Result<String, StoreError> {
    let bytes = wire::encode_results(results);
    store.put(&policies_name(id, stage), &bytes).await?;
    Ok(hash(&bytes))
}

pub(crate) fn policies_name(id: &str, stage: PolicyStage) -> String {
    format!("runs/{id}/policies/{}", stage.name())
}

/// What policies said of a run when it was let through, or else when it was planned; `None` where none were asked. What is
/// stored proves nothing: [`crate::approve`] asks them again.
pub async fn load_policies(
    store: &dyn RunStore,
    id: &str,
) -> Result<Option<(PolicyStage, PolicyResults)>, StoreError> {
    for stage in [PolicyStage::Apply, PolicyStage::Plan] {
        if let Some(bytes) = store.get(&policies_name(id, stage)).await? {
            let results = wire::decode_results(&bytes)
                .map_err(|why| corrupt(&format!("what policies said of run {id}"), why))?;
            return Ok(Some((stage, results)));
        }
    }
    Ok(None)
}

/// The envelopes of a run's approvals, as they are stored; whether they hold and count is not judged.
pub async fn approvals(store: &dyn RunStore, id: &str) -> Result<Vec<Arc<[u8]>>, StoreError> {
    envelopes(store, &format!("runs/{id}/approvals/")).await
}

/// The envelopes of those who took their approval back.
pub(crate) async fn revocations(
    store: &dyn RunStore,
    id: &str,
) -> Result<Vec<Arc<[u8]>>, StoreError> {
    envelopes(store, &format!("runs/{id}/revocations/")).await
}

async fn envelopes(store: &dyn RunStore, prefix: &str) -> Result<Vec<Arc<[u8]>>, StoreError> {
    let mut envelopes = Vec::new();
    for name in store.list(prefix).await? {
        envelopes.extend(store.get(&name).await?);
    }
    Ok(envelopes)
}

/// Records that a run begins to change the state. Where no rules are in force yet, those that let it through are from
/// now on: an apply that fails or dies must not leave its state without a gate.
pub async fn record_applying(
    store: &dyn RunStore,
    run: &Run,
    rules: Option<&Rules>,
) -> Result<(), StoreError> {
    save(store, run).await?;
    let Some(rules) = rules else { return Ok(()) };
    match store
        .compare_and_put("gate/rules", None, &rules.to_bytes())
        .await
    {
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Records that a run has been applied and that its rules are in force from now on.
pub async fn record_applied(
    store: &dyn RunStore,
    run: &Run,
    rules: Option<&Rules>,
) -> Result<(), StoreError> {
    save(store, run).await?;
    store.put("applied", &wire::encode_run(run)).await?;
    match rules {
        Some(rules) => store.put("gate/rules", &rules.to_bytes()).await,
        None => Ok(()),
    }
}

/// The record of a run.
pub async fn load(store: &dyn RunStore, id: &str) -> Result<Option<Run>, StoreError> {
    match store.get(&format!("runs/{id}/run")).await? {
        Some(bytes) => wire::decode_run(&bytes)
            .map(Some)
            .map_err(|why| corrupt(&format!("run {id}"), why)),
        None => Ok(None),
    }
}

/// The plan of a run.
pub async fn load_plan(
    store: &dyn RunStore,
    id: &str,
) -> Result<Option<(Arc<[u8]>, Plan, PlanDigest)>, StoreError> {
    let Some(bytes) = store.get(&format!("runs/{id}/plan")).await? else {
        return Ok(None);
    };
    let (plan, digest) = terrace_plan::read_plan_file(&bytes)
        .map_err(|error: PlanReadError| corrupt(&format!("the plan of run {id}"), error))?;
    Ok(Some((bytes, plan, digest)))
}

/// The one run whose id begins with `prefix`; the error says that there is none, or names those that there are.
pub async fn find(store: &dyn RunStore, prefix: &str) -> Result<Result<Run, String>, StoreError> {
    let runs = list(store).await?;
    let mut found: Vec<Run> = runs
        .into_iter()
        .filter(|run| run.plan.to_string().starts_with(prefix))
        .collect();
    Ok(match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(format!(
            "There is no run {prefix:?} here. `terrace runs` lists them."
        )),
        _ => {
            let ids: Vec<String> = found.into_iter().map(|run| run.id).collect();
            Err(format!(
                "{prefix:?} stands for several runs: {}.",
                ids.join(", ")
            ))
        }
    })
}

/// All runs, oldest first.
pub async fn list(store: &dyn RunStore) -> Result<Vec<Run>, StoreError> {
    let mut runs = Vec::new();
    for name in store.list("runs/").await? {
        if let Some(id) = name
            .strip_prefix("runs/")
            .and_then(|rest| rest.strip_suffix("/run"))
            && let Some(run) = load(store, id).await?
        {
            runs.push(run);
        }
    }
    runs.sort_by(Run::by_creation);
    Ok(runs)
}

/// The last run that was applied without errors.
pub async fn last_applied(store: &dyn RunStore) -> Result<Option<Run>, StoreError> {
    match store.get("applied").await? {
        Some(bytes) => wire::decode_run(&bytes)
            .map(Some)
            .map_err(|why| corrupt("the last applied run", why)),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, created: &str) -> Run {
        Run {
            id: id.to_owned(),
            plan: PlanDigest::parse(&"0".repeat(64)).expect("it is a digest"),
            configuration: String::new(),
            environment: None,
            workspace: "default".to_owned(),
            mode: "normal".to_owned(),
            status: RunStatus::Planned,
            actor: String::new(),
            commit: None,
            version: String::new(),
            created: created.to_owned(),
            finished: None,
            counts: RunCounts::default(),
            message: None,
            change: String::new(),
            reason: None,
            statements: BTreeMap::new(),
        }
    }

    #[test]
    fn runs_of_one_second_have_the_order_in_which_they_were_made() {
        let mut runs = [
            run("a", "2026-11-21T12:00:01.5Z"),
            run("b", "2026-11-21T12:00:01.25Z"),
            run("c", "2026-11-21T12:00:01Z"),
            run("d", "2026-11-21T12:00:00.999999Z"),
        ];
        runs.sort_by(Run::by_creation);
        assert_eq!(runs.map(|run| run.id), ["d", "c", "b", "a"]);
    }
}

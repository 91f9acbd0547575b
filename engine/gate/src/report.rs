//! What a team asks of its history: how long approvals took, which reviews are owed, what was overridden.

use std::collections::BTreeMap;

use terrace_port::{RunStore, StoreError};

use crate::calendar::second_of;
use crate::{AuditEntry, OpenReview, Rules, audit, owed};

/// How long a run waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The run.
    pub run: String,
    /// When it was planned, in seconds since 1970 UTC.
    pub planned: i64,
    /// When the last approval came before it was applied.
    pub approved: Option<i64>,
    /// Who approved it, in the order in which they did.
    pub approvers: Vec<String>,
    /// When it began to be applied.
    pub applied: Option<i64>,
    /// How often it was refused.
    pub refusals: u64,
}

/// Something that went past what the gate asks of a normal change, or past a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// RFC 3339 time.
    pub time: String,
    /// Who.
    pub actor: String,
    /// What, by the name of the audit log's event.
    pub event: String,
    /// The run.
    pub run: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What policies said of a run, when they were asked last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The run.
    pub run: String,
    /// RFC 3339 time.
    pub time: String,
    /// How many results deny it.
    pub denied: u64,
    /// How many would, were they not overridden by the change type.
    pub overridden: u64,
    /// How many warn: of rules that warn, and of advisory policies.
    pub warned: u64,
}

/// The history of one environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The runs, by when they were planned.
    pub waiting: Vec<Waiting>,
    /// Reviews that are owed.
    pub owed: Vec<OpenReview>,
    /// What was overridden, by time.
    pub overrides: Vec<Override>,
    /// What policies said of runs, by time.
    pub judged: Vec<Judged>,
}

/// Events that are overrides.
const OVERRIDES: [&str; 5] = [
    "bootstrap",
    "emergency",
    "force-unlock",
    "policy-override",
    "state-write",
];

/// Reads the history beside a state, from a moment on.
pub async fn report(
    store: &dyn RunStore,
    rules: Option<&Rules>,
    since: i64,
    now: i64,
) -> Result<Report, StoreError> {
    let entries = audit::entries(store).await?;
    let mut runs: BTreeMap<String, Waiting> = BTreeMap::new();
    let mut overrides = Vec::new();
    let mut judged: BTreeMap<&str, Judged> = BTreeMap::new();
    for entry in &entries {
        let Some(time) = second_of(&entry.event.time).filter(|time| *time >= since) else {
            continue;
        };
        if OVERRIDES.contains(&entry.event.event.as_str()) {
            overrides.push(Override {
                time: entry.event.time.clone(),
                actor: entry.event.actor.clone(),
                event: entry.event.event.clone(),
                run: entry.event.run.clone(),
                reason: ["reason", "operation"]
                    .into_iter()
                    .find_map(|name| entry.event.details.get(name).cloned()),
            });
        }
        if let Some(run) = &entry.event.run {
            note(&mut runs, run, entry, time);
            if entry.event.event == "policy" {
                judged.insert(run, judgement(run, entry));
            }
        }
    }
    let mut waiting: Vec<Waiting> = runs.into_values().collect();
    waiting.sort_by_key(|run| (run.planned, run.run.clone()));
    let owed = match rules {
        Some(rules) => owed::open_reviews(store, rules, now).await?,
        None => Vec::new(),
    };
    let mut judged: Vec<Judged> = judged.into_values().collect();
    judged.sort_by(|a, b| (&a.time, &a.run).cmp(&(&b.time, &b.run)));
    Ok(Report {
        waiting,
        owed,
        overrides,
        judged,
    })
}

fn judgement(run: &str, entry: &AuditEntry) -> Judged {
    let count = |name: &str| {
        let count = entry.event.details.get(name);
        count.and_then(|count| count.parse().ok()).unwrap_or(0)
    };
    Judged {
        run: run.to_owned(),
        time: entry.event.time.clone(),
        denied: count("denied"),
        overridden: count("overridden"),
        warned: count("warned"),
    }
}

fn note(runs: &mut BTreeMap<String, Waiting>, run: &str, entry: &AuditEntry, time: i64) {
    if entry.event.event == "plan" {
        runs.entry(run.to_owned()).or_insert_with(|| Waiting {
            run: run.to_owned(),
            planned: time,
            approved: None,
            approvers: Vec::new(),
            applied: None,
            refusals: 0,
        });
    }
    let Some(known) = runs.get_mut(run) else {
        return;
    };
    match entry.event.event.as_str() {
        "approve" if known.applied.is_none() => {
            known.approved = Some(time);
            known
                .approvers
                .extend(entry.event.details.get("person").cloned());
        }
        "apply-start" => {
            known.applied.get_or_insert(time);
        }
        "refuse" => known.refusals += 1,
        _ => {}
    }
}

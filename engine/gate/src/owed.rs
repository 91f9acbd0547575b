//! Reviews that are owed after emergencies.

use std::collections::{BTreeMap, BTreeSet};

use terrace_plan::PlanDigest;
use terrace_port::{RunStore, StoreError};

use crate::digest::short_hash;
use crate::{ReviewSigned, Rules, wire};

/// A review that somebody owes for a run that was let through by fewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedReview {
    /// The run.
    pub run: String,
    /// Its plan.
    pub plan: PlanDigest,
    /// The environment.
    pub environment: String,
    /// Who made the plan: the listed person.
    pub author: String,
    /// Other listed people who count as authors, and whose reviews do not.
    pub other_authors: BTreeSet<String>,
    /// Why it was an emergency.
    pub reason: String,
    /// When it was applied, in seconds since 1970 UTC.
    pub applied: i64,
    /// By when it is to be reviewed.
    pub due: i64,
    /// By how many people other than the author.
    pub approvals: u32,
    /// Of each of these roles so many at least.
    pub roles: BTreeMap<String, u32>,
}

/// An owed review with who has given it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenReview {
    /// What is owed.
    pub owed: OwedReview,
    /// Who has reviewed the run.
    pub reviewers: Vec<String>,
    /// Whether it is overdue.
    pub overdue: bool,
}

impl OwedReview {
    /// Whether this person counts as an author of what is to be reviewed.
    pub fn is_author(&self, person: &str) -> bool {
        person == self.author || self.other_authors.contains(person)
    }
}

fn name_of(run: &str) -> String {
    format!("reviews-owed/{run}")
}

/// Records that a review is owed.
pub async fn record_owed(store: &dyn RunStore, owed: &OwedReview) -> Result<(), StoreError> {
    store
        .put(&name_of(&owed.run), &wire::encode_owed(owed))
        .await
}

/// What is owed for a run, given or not.
pub async fn load_owed(store: &dyn RunStore, run: &str) -> Result<Option<OwedReview>, StoreError> {
    match store.get(&name_of(run)).await? {
        Some(bytes) => read(run, &bytes).map(Some),
        None => Ok(None),
    }
}

fn read(run: &str, bytes: &[u8]) -> Result<OwedReview, StoreError> {
    wire::decode_owed(bytes)
        .map_err(|why| StoreError::Corrupt(format!("the review that is owed for {run}: {why}")))
}

/// Keeps a signed review of a run; the same is kept once.
pub async fn save_review(
    store: &dyn RunStore,
    run: &str,
    envelope: &[u8],
) -> Result<(), StoreError> {
    let name = short_hash(envelope);
    store
        .put(&format!("runs/{run}/reviews/{name}"), envelope)
        .await
}

/// Who has reviewed what is owed: listed people other than its author, each once.
async fn reviewers(
    store: &dyn RunStore,
    owed: &OwedReview,
    rules: &Rules,
) -> Result<BTreeSet<String>, StoreError> {
    let mut found = BTreeSet::new();
    for name in store.list(&format!("runs/{}/reviews/", owed.run)).await? {
        let Some(bytes) = store.get(&name).await? else {
            continue;
        };
        let Ok(review) = ReviewSigned::open(&bytes) else {
            continue;
        };
        let counts = review.statement.plan == owed.plan
            && review.statement.environment == owed.environment
            && review.statement.signed_at >= owed.applied;
        if let Some(person) = rules.person_of(&review.fingerprint)
            && counts
            && !owed.is_author(person)
        {
            found.insert(person.to_owned());
        }
    }
    Ok(found)
}

/// Whether as many have reviewed as is owed.
fn is_settled(owed: &OwedReview, reviewers: &BTreeSet<String>, rules: &Rules) -> bool {
    let of_role = |role: &String| {
        let members = rules.roles.get(role);
        reviewers
            .iter()
            .filter(|person| members.is_some_and(|members| members.contains(*person)))
            .count()
    };
    reviewers.len() >= owed.approvals as usize
        && owed
            .roles
            .iter()
            .all(|(role, least)| of_role(role) >= *least as usize)
}

/// The reviews that are owed still, the oldest first.
pub async fn open_reviews(
    store: &dyn RunStore,
    rules: &Rules,
    now: i64,
) -> Result<Vec<OpenReview>, StoreError> {
    let mut open = Vec::new();
    for name in store.list("reviews-owed/").await? {
        let Some(bytes) = store.get(&name).await? else {
            continue;
        };
        let owed = read(&name, &bytes)?;
        let reviewers = reviewers(store, &owed, rules).await?;
        if !is_settled(&owed, &reviewers, rules) {
            open.push(OpenReview {
                overdue: owed.due <= now,
                reviewers: reviewers.into_iter().collect(),
                owed,
            });
        }
    }
    open.sort_by_key(|review| (review.owed.applied, review.owed.run.clone()));
    Ok(open)
}

//! Reviews at GitHub as evidence.
//!
//! What is stored with a run says only where to look. What counts is what the forge tells when the plan is judged: a
//! copy in a store could be made up by whoever can write there.

use std::collections::BTreeMap;

use terrace_port::{Forge, PullRequest, RunStore, StoreError, WorkflowRun};

use crate::calendar::second_of;
use crate::{Rules, wire};

/// Where a review of a run's commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeReference {
    /// A pull request, by its number.
    PullRequest(u64),
    /// A workflow's run that waits for an environment, by its id.
    WorkflowRun(u64),
}

/// A review that the forge told of just now. Only [`read_forge`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForgeReview {
    /// Who reviewed.
    pub login: String,
    /// The commit that was reviewed.
    pub commit: String,
    /// When, in seconds since 1970 UTC; 0 where the forge does not say.
    pub at: i64,
    /// The environment that it approves a deployment to.
    pub environment: Option<String>,
    /// Whether it is by who made the change.
    pub is_own: bool,
}

impl ForgeReference {
    fn name(self) -> String {
        match self {
            Self::PullRequest(number) => format!("pull-request-{number}"),
            Self::WorkflowRun(id) => format!("workflow-run-{id}"),
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let number = |prefix: &str| name.strip_prefix(prefix)?.parse().ok();
        number("pull-request-")
            .map(Self::PullRequest)
            .or_else(|| number("workflow-run-").map(Self::WorkflowRun))
    }
}

/// Stores where a review of a run is to be looked for.
pub async fn save_forge_reference(
    store: &dyn RunStore,
    run: &str,
    reference: ForgeReference,
) -> Result<(), StoreError> {
    let name = format!("runs/{run}/forge/{}", reference.name());
    store.put(&name, b"").await
}

/// Asks the forge for the reviews that a run refers to. Gives those that approve, and what kept others from being
/// read; what was told is stored with the run.
pub async fn read_forge(
    store: &dyn RunStore,
    forge: &dyn Forge,
    rules: &Rules,
    run: &str,
) -> Result<(Vec<ForgeReview>, Vec<String>), StoreError> {
    let prefix = format!("runs/{run}/forge/");
    let mut reviews = Vec::new();
    let mut problems = Vec::new();
    for name in store.list(&prefix).await? {
        let Some(reference) = name.strip_prefix(&prefix).and_then(ForgeReference::parse) else {
            continue;
        };
        let Some(github) = &rules.github else {
            problems
                .push("a review at GitHub: the rules in force name no repository there".to_owned());
            continue;
        };
        let told = match reference {
            ForgeReference::PullRequest(number) => forge
                .pull_request(&github.api, &github.repository, number)
                .await
                .map(|found| approvals_of(&found)),
            ForgeReference::WorkflowRun(id) => forge
                .workflow_run(&github.api, &github.repository, id)
                .await
                .map(|found| deployments_of(&found)),
        };
        match told {
            Ok(found) => {
                store
                    .put(&name, &wire::encode_reviews(&github.repository, &found))
                    .await?;
                reviews.extend(found);
            }
            Err(why) => problems.push(format!("a review at GitHub: {why}")),
        }
    }
    Ok((reviews, problems))
}

/// The approvals of a pull request: each reviewer's last word, where that is one. A comment takes nothing back.
fn approvals_of(request: &PullRequest) -> Vec<ForgeReview> {
    let mut last = BTreeMap::new();
    for review in &request.reviews {
        if review.state != "COMMENTED" && review.state != "PENDING" {
            last.insert(review.login.to_ascii_lowercase(), review);
        }
    }
    last.into_values()
        .filter(|review| review.state == "APPROVED")
        .map(|review| ForgeReview {
            login: review.login.clone(),
            commit: review.commit.clone(),
            at: second_of(&review.submitted).unwrap_or_default(),
            environment: None,
            is_own: review.login.eq_ignore_ascii_case(&request.author),
        })
        .collect()
}

/// The approvals of a workflow run's deployments: each reviewer's last word for each environment.
fn deployments_of(run: &WorkflowRun) -> Vec<ForgeReview> {
    let mut last = BTreeMap::new();
    for review in &run.reviews {
        for environment in &review.environments {
            let key = (review.login.to_ascii_lowercase(), environment.clone());
            last.insert(key, review);
        }
    }
    last.into_iter()
        .filter(|(_, review)| review.state == "approved")
        .map(|((_, environment), review)| ForgeReview {
            login: review.login.clone(),
            commit: run.commit.clone(),
            at: 0,
            environment: Some(environment),
            is_own: review.login.eq_ignore_ascii_case(&run.actor),
        })
        .collect()
}

//! What the forge told, kept with the run for those who read it later.

use serde::Serialize;

use crate::ForgeReview;

#[derive(Serialize)]
struct ReviewsWire<'a> {
    format: u32,
    repository: &'a str,
    approvals: Vec<ReviewWire<'a>>,
}

#[derive(Serialize)]
struct ReviewWire<'a> {
    login: &'a str,
    commit: &'a str,
    at: i64,
    environment: Option<&'a str>,
}

pub(crate) fn encode_reviews(repository: &str, reviews: &[ForgeReview]) -> Vec<u8> {
    let wire = ReviewsWire {
        format: 1,
        repository,
        approvals: reviews
            .iter()
            .map(|review| ReviewWire {
                login: &review.login,
                commit: &review.commit,
                at: review.at,
                environment: review.environment.as_deref(),
            })
            .collect(),
    };
    serde_json::to_vec(&wire).expect("reviews have string keys only")
}

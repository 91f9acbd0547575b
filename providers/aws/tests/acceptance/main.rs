//! Every type lives its life on moto: it is made, plans clean, is changed in each argument that can be changed, is replaced for each
//! that cannot, is imported and goes. The cases are tables (one file a service); [`world`] carries them out.
//!
//! `TERRACE_ACCEPTANCE=sqs` runs the cases whose types hold that word.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what a test sets up must succeed, or the test fails"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the clock is that of the machine, and a variable chooses cases"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "tables read better with configurations written where they are used"
)]

mod case;
mod cover;
mod facts;
mod tagged;
mod values;
mod vanished;
mod world;

mod cloudcontrol;
mod cloudfront;
mod cloudwatch;
mod dynamodb;
mod ecr;
mod events;
mod iam;
mod kms;
mod lambda;
mod logs;
mod s3;
mod sqs;
mod ssm;

use std::sync::Arc;

use case::{Case, Fact};
use world::World;

/// How many cases run at the same time.
const AT_ONCE: usize = 4;

fn cases() -> Vec<Case> {
    [
        cloudcontrol::cases(),
        cloudfront::cases(),
        cloudwatch::cases(),
        dynamodb::cases(),
        ecr::cases(),
        events::cases(),
        iam::cases(),
        kms::cases(),
        lambda::cases(),
        logs::cases(),
        s3::cases(),
        sqs::cases(),
        ssm::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_lives_its_life_on_moto() {
    let world = Arc::new(World::start().await);
    let wanted = std::env::var("TERRACE_ACCEPTANCE").unwrap_or_default();
    let cases: Vec<Case> = cases()
        .into_iter()
        .filter(|case| case.title().contains(&wanted))
        .collect();
    let mut failed = Vec::new();
    let mut tables = Vec::new();
    let mut waiting = cases.into_iter().enumerate();
    let mut running = tokio::task::JoinSet::new();
    let mut titles = std::collections::BTreeMap::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((place, case)) = waiting.next()
        {
            let world = world.clone();
            let title = case.title();
            let task = running.spawn(async move { world.live(place, &case).await });
            titles.insert(task.id(), title);
        }
        match running.join_next_with_id().await {
            None => break,
            Some(Ok((_, table))) => tables.push(table),
            Some(Err(error)) => {
                let title = titles.remove(&error.id()).unwrap_or_default();
                failed.push(format!("{title}: {}", world::panic_text(error)));
            }
        }
    }
    tables.sort_by(|a, b| a.title.cmp(&b.title));
    for table in &tables {
        println!("{table}");
    }
    let facts: Vec<Fact> = facts::all()
        .into_iter()
        .filter(|fact| fact.type_name.contains(&wanted))
        .collect();
    for fact in &facts {
        world.tells(fact).await;
    }
    let missing = cover::missing(&world, &tables, &facts);
    println!("{}", cover::totals(&tables, &facts));
    assert!(
        failed.is_empty(),
        "{} cases failed:\n{}",
        failed.len(),
        failed.join("\n\n")
    );
    if wanted.is_empty() {
        assert!(
            missing.is_empty(),
            "not tried, and no reason given:\n{}",
            missing.join("\n")
        );
    } else {
        let of_them = missing.iter().filter(|line| line.contains(&wanted));
        of_them.for_each(|line| println!("not tried: {line}"));
    }
}

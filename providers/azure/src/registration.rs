//! Resource providers, which a subscription registers before it can have their objects.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use azure_mgmt_resources::package_resources_2021_04::models::Provider as Registered;
use serde_json::Value as Json;
use terrace_provider_sdk::{Object, Outcome};

use crate::arm::{Arm, During as _, Failure, Session, Target};

/// The version of the interface.
const VERSION: &str = "2021-04-01";
/// What the types of this provider need.
const NEEDED: [&str; 1] = ["Microsoft.Storage"];
/// The sets that there are, without `none`. All hold what is needed here.
pub(crate) const SETS: [&str; 5] = ["core", "extended", "all", "none", "legacy"];
/// How long registering may take.
const LIMIT: Duration = Duration::from_mins(30);

/// What is to be registered: what is named, and what is needed here if a set is asked for.
pub(crate) fn wanted(config: &Object, set: Option<&str>) -> BTreeSet<String> {
    let named = config.texts("resource_providers_to_register");
    let needed: &[&str] = match set {
        None | Some("none") => &[],
        Some(_) => &NEEDED,
    };
    named
        .into_iter()
        .chain(needed.iter().copied())
        .map(str::to_owned)
        .collect()
}

/// Registers what is not registered yet.
pub(crate) async fn register(arm: &Arc<Arm>, wanted: BTreeSet<String>) -> Outcome<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let session = Session::unhindered(arm.clone(), LIMIT);
    let path = format!("/subscriptions/{}/providers", arm.subscription);
    let all = session.all::<Json>(&Target::new(&*path, VERSION)).await;
    let all = all.during("listing", &"the resource providers of the subscription")?;
    let registered: BTreeSet<String> = all
        .iter()
        .filter(|found| found["registrationState"] == "Registered")
        .filter_map(|found| Some(found["namespace"].as_str()?.to_lowercase()))
        .collect();
    for name in wanted {
        if !registered.contains(&name.to_lowercase()) {
            let what = format!("the resource provider {name}");
            one(&session, &format!("{path}/{name}"))
                .await
                .during("registering", &what)?;
        }
    }
    Ok(())
}

async fn one(session: &Session, path: &str) -> Result<(), Failure> {
    let state = |found: &Registered| found.registration_state.as_deref() == Some("Registered");
    let asked = Target::new(format!("{path}/register"), VERSION);
    let mut found: Registered = session.post(&asked).await?;
    let target = Target::new(path, VERSION);
    while !state(&found) {
        session.look_again().await?;
        found = session.appeared(&target).await?;
    }
    Ok(())
}

//! Replicas of DynamoDB's tables. moto makes none when it is asked for them; but it has regions, and so a replica is a table of the
//! same name there. What one has of the other's items is nobody's matter here.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value as Json, json};

use super::corrections::Memory;
use super::{Answer, Asked};

/// Tables with replicas, by their names.
pub(super) type Replicas = Mutex<BTreeMap<String, Group>>;

/// A table in several regions.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// The table itself and its replicas by their regions, with the key of each.
    members: BTreeMap<String, Member>,
    witness: Option<String>,
    strong: bool,
}

#[derive(Debug, Default)]
struct Member {
    key: Json,
    /// Whether it was told of yet; it is coming until then.
    told: bool,
}

const TARGET: &str = "DynamoDB_20120810.";

fn lock(replicas: &Replicas) -> MutexGuard<'_, BTreeMap<String, Group>> {
    replicas.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes and ends the replicas that a change of a table says, before the change itself.
pub(super) fn carry_out(
    asked: &Asked,
    memory: &Memory,
    ask: impl Fn(&Asked) -> io::Result<Option<Answer>>,
) -> io::Result<()> {
    if asked.header("x-amz-target") != Some("DynamoDB_20120810.UpdateTable") {
        return Ok(());
    }
    let sent = asked.json();
    let name = sent["TableName"].as_str().unwrap_or_default().to_owned();
    let about = json!({"TableName": name});
    for update in sent["ReplicaUpdates"].as_array().into_iter().flatten() {
        if let Some(region) = update["Create"]["RegionName"].as_str() {
            let describe =
                asked.elsewhere(asked.region(), &format!("{TARGET}DescribeTable"), &about);
            let Some(found) = ask(&describe)? else {
                continue;
            };
            let table = &found.json()["Table"];
            let create = as_made(&name, table);
            ask(&asked.elsewhere(region, &format!("{TARGET}CreateTable"), &create))?;
            let mut groups = lock(&memory.replicas);
            let members = &mut groups.entry(name.clone()).or_default().members;
            members.entry(asked.region().to_owned()).or_default().told = true;
            let member = Member {
                key: update["Create"]["KMSMasterKeyId"].clone(),
                told: false,
            };
            members.insert(region.to_owned(), member);
        }
        if let Some(region) = update["Delete"]["RegionName"].as_str() {
            ask(&asked.elsewhere(region, &format!("{TARGET}DeleteTable"), &about))?;
            if let Some(group) = lock(&memory.replicas).get_mut(&name) {
                group.members.remove(region);
            }
        }
    }
    let mut groups = lock(&memory.replicas);
    if let Some(group) = groups.get_mut(&name) {
        group.strong |= sent["MultiRegionConsistency"] == "STRONG";
        for update in sent["GlobalTableWitnessUpdates"]
            .as_array()
            .into_iter()
            .flatten()
        {
            group.witness = update["Create"]["RegionName"].as_str().map(str::to_owned);
        }
        if group.members.len() < 2 {
            groups.remove(&name);
        }
    }
    Ok(())
}

/// What another table is made with to be as this one.
fn as_made(name: &str, table: &Json) -> Json {
    let mut create = json!({
        "TableName": name, "KeySchema": table["KeySchema"], "AttributeDefinitions": table["AttributeDefinitions"],
        "BillingMode": table["BillingModeSummary"]["BillingMode"], "StreamSpecification": table["StreamSpecification"],
    });
    if create["BillingMode"] != "PAY_PER_REQUEST" {
        let units = &table["ProvisionedThroughput"];
        create["ProvisionedThroughput"] = json!({
            "ReadCapacityUnits": units["ReadCapacityUnits"], "WriteCapacityUnits": units["WriteCapacityUnits"],
        });
    }
    if create["StreamSpecification"].is_null() {
        create["StreamSpecification"] = json!({"StreamEnabled": false});
    }
    create
}

/// Tells of a table's replicas: of each that it comes, at first.
pub(super) fn correct(asked: &Asked, answer: &mut Answer, replicas: &Replicas) {
    if asked.header("x-amz-target") != Some("DynamoDB_20120810.DescribeTable") {
        return;
    }
    let name = asked.json()["TableName"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let mut groups = lock(replicas);
    let Some(group) = groups.get_mut(&name) else {
        return;
    };
    let own = asked.region();
    let others = group
        .members
        .iter_mut()
        .filter(|(region, _)| *region != own);
    let told: Vec<Json> = others
        .map(|(region, member)| {
            let status = if member.told { "ACTIVE" } else { "CREATING" };
            member.told = true;
            json!({"RegionName": region, "ReplicaStatus": status, "KMSMasterKeyId": member.key})
        })
        .collect();
    answer.change_json(|answer| {
        let table = &mut answer["Table"];
        table["Replicas"] = json!(told);
        table["MultiRegionConsistency"] = json!(if group.strong { "STRONG" } else { "EVENTUAL" });
        if let Some(region) = &group.witness {
            table["GlobalTableWitnesses"] =
                json!([{"RegionName": region, "WitnessStatus": "ACTIVE"}]);
        }
    });
}

//! What moto forgets of DynamoDB's tables: it is remembered here, and told as DynamoDB tells it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::{Answer, Asked};

/// What tables have, by region and name.
pub(super) type Tables = Mutex<BTreeMap<(String, String), Map<String, Json>>>;

type Key = (String, String);

fn lock(tables: &Tables) -> MutexGuard<'_, BTreeMap<Key, Map<String, Json>>> {
    tables.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is called of DynamoDB.
fn called(asked: &Asked) -> Option<&str> {
    asked
        .header("x-amz-target")?
        .strip_prefix("DynamoDB_20120810.")
}

fn key(asked: &Asked, name: &Json) -> Key {
    let name = name.as_str().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    (asked.region().to_owned(), name.to_owned())
}

/// What moto is asked in place of what it does not understand: it restores tables by their names alone, and reads no CSV. The
/// files are not read then.
pub(super) fn simpler(asked: &Asked) -> Option<Asked> {
    let mut sent = asked.json();
    match called(asked)? {
        "RestoreTableToPointInTime" => {
            let arn = sent["SourceTableArn"].as_str()?.to_owned();
            sent["SourceTableName"] = json!(arn.rsplit('/').next());
        }
        "ImportTable" if sent["InputFormat"] == "CSV" => {
            sent["InputFormat"] = json!("DYNAMODB_JSON");
            sent["S3BucketSource"]["S3KeyPrefix"] = json!("no such files/");
        }
        _ => return None,
    }
    Some(asked.with_body(sent.to_string().into_bytes()))
}

/// What DynamoDB refuses and moto does not: a table is restored as it is now, or as it was at a time.
pub(super) fn answered(asked: &Asked) -> Option<Answer> {
    let call = called(asked)?;
    let sent = asked.json();
    let latest = sent["UseLatestRestorableTime"] == true;
    let wrong = call == "RestoreTableToPointInTime" && latest != sent["RestoreDateTime"].is_null();
    let refusal = json!({"__type": "ValidationException", "message": "Exactly one of RestoreDateTime and UseLatestRestorableTime is wanted"});
    wrong.then(|| Answer::of_json(400, &refusal))
}

/// Remembers what tables are made and changed with, and tells it.
pub(super) fn correct(asked: &Asked, answer: &mut Answer, tables: &Tables) {
    let Some(call) = called(asked) else {
        return;
    };
    let sent = asked.json();
    match call {
        "CreateTable" => remember(tables, key(asked, &sent["TableName"]), &sent),
        "UpdateTable" => {
            let key = key(asked, &sent["TableName"]);
            remember(tables, key.clone(), &sent);
            // moto changes no encryption.
            if let Some(encryption) = sent.get("SSESpecification") {
                let mut tables = lock(tables);
                let known = tables.entry(key).or_default();
                known.insert("SSESpecification".to_owned(), encryption.clone());
            }
        }
        "ImportTable" => {
            let sent = &sent["TableCreationParameters"];
            remember(tables, key(asked, &sent["TableName"]), sent);
        }
        "RestoreTableToPointInTime" | "RestoreTableFromBackup" => {
            let as_made = json!({
                "BillingMode": sent["BillingModeOverride"],
                "ProvisionedThroughput": sent["ProvisionedThroughputOverride"],
                "SSESpecification": sent["SSESpecificationOverride"],
            });
            let key = key(asked, &sent["TargetTableName"]);
            remember(tables, key.clone(), &as_made);
            // moto restores the throughput only, and forgets how it is paid for.
            for (name, value) in as_made.as_object().into_iter().flatten() {
                let mut tables = lock(tables);
                let known = tables.entry(key.clone()).or_default();
                known.insert(format!("Restored{name}"), value.clone());
            }
        }
        "DeleteTable" => {
            lock(tables).remove(&key(asked, &sent["TableName"]));
        }
        "DescribeTable" => {
            let known = lock(tables).get(&key(asked, &sent["TableName"])).cloned();
            answer.change_json(|told| {
                tell(&known.unwrap_or_default(), &mut told["Table"]);
                by_request(&mut told["Table"]);
            });
        }
        _ => {}
    }
}

/// moto forgets the class of a table, how much it and its indices take on demand at most, and how warm indices are.
fn remember(tables: &Tables, key: Key, sent: &Json) {
    let mut tables = lock(tables);
    let known = tables.entry(key).or_default();
    for name in ["TableClass", "OnDemandThroughput"] {
        if let Some(value) = sent.get(name).filter(|value| !value.is_null()) {
            known.insert(name.to_owned(), value.clone());
        }
    }
    let made = sent["GlobalSecondaryIndexes"].as_array();
    let changed = sent["GlobalSecondaryIndexUpdates"].as_array();
    let changed = changed.into_iter().flatten().filter_map(|update| {
        let parts = update.as_object()?;
        parts.values().next()
    });
    for index in made.into_iter().flatten().chain(changed) {
        for name in ["OnDemandThroughput", "WarmThroughput"] {
            if let (Some(value), Some(index)) = (index.get(name), index["IndexName"].as_str()) {
                known.insert(format!("{index}/{name}"), value.clone());
            }
        }
    }
    // What is billed otherwise has had its throughput set anew.
    if sent.get("BillingMode").is_some() {
        known.retain(|name, _| !name.starts_with("Restored"));
    }
}

/// moto keeps what was provisioned when a table is paid for by request from then on.
fn by_request(table: &mut Json) {
    if table["BillingModeSummary"]["BillingMode"] != "PAY_PER_REQUEST" {
        return;
    }
    let nothing = json!({"ReadCapacityUnits": 0, "WriteCapacityUnits": 0});
    for index in table["GlobalSecondaryIndexes"]
        .as_array_mut()
        .into_iter()
        .flatten()
    {
        index["ProvisionedThroughput"] = nothing.clone();
    }
    table["ProvisionedThroughput"] = nothing;
}

fn tell(known: &Map<String, Json>, told: &mut Json) {
    for (name, value) in known {
        match name.as_str() {
            "TableClass" => told["TableClassSummary"] = json!({"TableClass": value}),
            "OnDemandThroughput" => told[name] = value.clone(),
            "RestoredBillingMode" if !value.is_null() => {
                told["BillingModeSummary"] = json!({"BillingMode": value});
            }
            "RestoredProvisionedThroughput" => {
                let none = json!({"ReadCapacityUnits": 0, "WriteCapacityUnits": 0});
                told["ProvisionedThroughput"] = if value.is_null() { none } else { value.clone() };
            }
            "SSESpecification" if value["Enabled"] == false => {
                told["SSEDescription"] = Json::Null;
            }
            "SSESpecification" | "RestoredSSESpecification" if value["Enabled"] == true => {
                told["SSEDescription"] = json!({
                    "Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": value["KMSMasterKeyId"],
                });
            }
            name => {
                let Some((wanted, part)) = name.split_once('/') else {
                    continue;
                };
                let indices = told["GlobalSecondaryIndexes"].as_array_mut();
                for index in indices.into_iter().flatten() {
                    if index["IndexName"] == wanted {
                        index[part] = value.clone();
                    }
                }
            }
        }
    }
}

//! Replicas of a table in other regions, and the witness of what is agreed on strongly.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    CreateGlobalTableWitnessGroupMemberAction, CreateReplicationGroupMemberAction,
    DeleteGlobalTableWitnessGroupMemberAction, DeleteReplicationGroupMemberAction,
    GlobalTableWitnessGroupUpdate, MultiRegionConsistency, ReplicaStatus, ReplicationGroupUpdate,
    TableDescription, WitnessStatus,
};
use aws_smithy_types::error::operation::BuildError;
use terrace_provider_sdk::{Diagnostic, Diagnostics, Object, Outcome, Type, Value};

use super::BUSY;
use super::settings::{fetch, fetch_in, keep_history, recovery, tag};
use super::spec::{block, blocks, text};
use super::table::subject;
use crate::failure::{Answered as _, is_one_of};
use crate::kind::{Change, Context};
use crate::tags::{self, TagChange};

/// The blocks that say them.
pub(super) const REPLICAS: &str = "replica";
/// The block of the region that only agrees.
pub(super) const WITNESS: &str = "global_table_witness";

/// Replicas that all agree before an item is written.
const STRONG: &str = "STRONG";
const EVENTUAL: &str = "EVENTUAL";

fn region(replica: &Object) -> &str {
    replica.text("region_name").unwrap_or_default()
}

/// The replica in the same region.
fn beside<'r>(replicas: &'r [Object], replica: &Object) -> Option<&'r Object> {
    replicas
        .iter()
        .find(|other| region(other) == region(replica))
}

/// The replica that goes on as this one; none where it is made, or made anew.
fn continued<'r>(before: &'r [Object], replica: &Object) -> Option<&'r Object> {
    beside(before, replica).filter(|known| !anew(known, replica))
}

/// What replicas will be: as configured, with what is known of them already. Nothing where configuration says nothing.
pub(super) fn planned(
    prior: Option<&Object>,
    config: &Object,
    streams_change: bool,
) -> Option<Value> {
    let configured = blocks(config, REPLICAS);
    if configured.is_empty() || !config.is_known(REPLICAS) {
        return None;
    }
    let before = prior
        .map(|prior| blocks(prior, REPLICAS))
        .unwrap_or_default();
    let replicas: Vec<Object> = configured
        .into_iter()
        .map(|replica| {
            let known = continued(&before, &replica);
            completed(replica, known, streams_change)
        })
        .collect();
    let same = replicas.len() == before.len()
        && replicas
            .iter()
            .all(|replica| beside(&before, replica) == Some(replica));
    if let Some(prior) = prior.filter(|_| same) {
        return Some(prior.value(REPLICAS).clone());
    }
    let ty = config.items(REPLICAS).first()?.ty();
    let items = replicas
        .into_iter()
        .map(|replica| Value::object(replica.entries().clone()));
    Some(Value::set(ty, items.collect::<Vec<_>>()))
}

/// A witness goes with the replicas that agree.
pub(super) fn without_witness(config: &Object, planned: &mut Object) {
    let ty = planned.value(WITNESS).ty();
    let known = config.is_known(REPLICAS) && config.is_known(WITNESS);
    if !known || witness(config).is_some() || is_strong(&blocks(planned, REPLICAS)) {
        return;
    }
    if witness(planned).is_some()
        && let Some(element) = ty.element()
    {
        planned.set(WITNESS, Value::list(element.clone(), []));
    }
}

/// A configured replica with what it will have besides.
fn completed(mut replica: Object, known: Option<&Object>, streams_change: bool) -> Object {
    let told = [
        ("arn", Type::String),
        ("kms_key_arn", Type::String),
        ("deletion_protection_enabled", Type::Bool),
        ("stream_arn", Type::String),
        ("stream_label", Type::String),
    ];
    for (name, ty) in told {
        if replica.is_set(name) || !replica.is_known(name) {
            continue;
        }
        match known.filter(|_| !(streams_change && name.starts_with("stream"))) {
            Some(known) => replica.set(name, known.value(name).clone()),
            None => replica.forget(name, ty),
        }
    }
    let defaults = [
        ("consistency_mode", Value::string(EVENTUAL)),
        ("point_in_time_recovery", Value::bool(false)),
        ("propagate_tags", Value::bool(false)),
    ];
    for (name, usual) in defaults {
        if replica.value(name).is_null() {
            replica.set(name, usual);
        }
    }
    replica
}

/// Whether a replica has to be made anew to be another.
fn anew(before: &Object, after: &Object) -> bool {
    let mode = |replica: &Object| {
        text(replica, "consistency_mode")
            .unwrap_or(EVENTUAL)
            .to_owned()
    };
    let key = text(after, "kms_key_arn");
    mode(before) != mode(after) || (key.is_some() && key != text(before, "kms_key_arn"))
}

/// What DynamoDB says of the replicas of a table, and of its witness.
pub(super) async fn told(
    context: &Context,
    told: &TableDescription,
    state: &Object,
) -> Outcome<Object> {
    let name = told.table_name().unwrap_or_default();
    let known = blocks(state, REPLICAS);
    let mode = told
        .multi_region_consistency
        .as_ref()
        .map_or(EVENTUAL, MultiRegionConsistency::as_str);
    let mut replicas = Vec::new();
    for told in told.replicas() {
        let place = told.region_name().unwrap_or_default();
        if place == context.region {
            continue;
        }
        let mut replica = Object::new();
        replica.set("region_name", place);
        replica.set("consistency_mode", mode);
        let key = own_key(context, place, told.kms_master_key_id.clone()).await;
        replica.set("kms_key_arn", key);
        let there = fetch_in(context, place, name, &subject(name)).await?;
        let table = there.as_ref();
        let or_empty = |text: Option<&str>| text.unwrap_or_default().to_owned();
        replica.set("arn", or_empty(table.and_then(|table| table.table_arn())));
        replica.set(
            "stream_arn",
            or_empty(table.and_then(|table| table.latest_stream_arn())),
        );
        replica.set(
            "stream_label",
            or_empty(table.and_then(|table| table.latest_stream_label())),
        );
        replica.set(
            "deletion_protection_enabled",
            table.and_then(|table| table.deletion_protection_enabled) == Some(true),
        );
        let history = recovery(context, place, name).await?;
        let keeps = history.flag("enabled").unwrap_or(false);
        replica.set("point_in_time_recovery", keeps);
        let before = beside(&known, &replica);
        let propagates = before.and_then(|before| before.flag("propagate_tags"));
        replica.set("propagate_tags", propagates.unwrap_or(false));
        replicas.push(replica);
    }
    let witnesses = told.global_table_witnesses().iter().map(|told| {
        let mut witness = Object::new();
        witness.set("region_name", told.region_name.clone());
        witness
    });
    let mut object = Object::new();
    object.set(WITNESS, witnesses.collect::<Vec<_>>());
    object.set(REPLICAS, replicas);
    Ok(object)
}

/// The key of a replica; nothing where it is that of AWS for DynamoDB.
async fn own_key(context: &Context, region: &str, key: Option<String>) -> String {
    let Some(key) = key else {
        return String::new();
    };
    let own = super::table::key_of_aws(context, region).await;
    if own.as_ref() == Some(&key) {
        return String::new();
    }
    key
}

/// Makes the replicas of a new table.
pub(super) async fn create(
    context: &Context,
    name: &str,
    planned: &Object,
    longest: Duration,
) -> Outcome<()> {
    let nothing = Object::new();
    let change = Change {
        prior: &nothing,
        planned,
    };
    bring(context, name, change, longest).await
}

/// Makes the replicas that are new, or made anew, and sets what each has of its own.
pub(super) async fn bring(
    context: &Context,
    name: &str,
    change: Change<'_>,
    longest: Duration,
) -> Outcome<()> {
    add(context, name, change, longest).await?;
    settle(context, name, change, longest).await
}

/// Ends the replicas that go, or are to be made anew. A witness goes with the last of them.
pub(super) async fn end(
    context: &Context,
    name: &str,
    change: Change<'_>,
    longest: Duration,
) -> Outcome<()> {
    let before = blocks(change.prior, REPLICAS);
    let after = blocks(change.planned, REPLICAS);
    let going: Vec<&Object> = before
        .iter()
        .filter(|replica| beside(&after, replica).is_none_or(|after| anew(replica, after)))
        .collect();
    let mut updates = Vec::new();
    for replica in &going {
        let delete = DeleteReplicationGroupMemberAction::builder()
            .region_name(region(replica))
            .build()
            .map_err(|error| incomplete(&error))?;
        updates.push(ReplicationGroupUpdate::builder().delete(delete).build());
    }
    let witness = witness_beyond(change.prior, change.planned).map(|place| {
        let delete = DeleteGlobalTableWitnessGroupMemberAction::builder()
            .region_name(place)
            .build();
        delete.map(|delete| {
            GlobalTableWitnessGroupUpdate::builder()
                .delete(delete)
                .build()
        })
    });
    let witness = witness.transpose().map_err(|error| incomplete(&error))?;
    let strong = is_strong(&before);
    carry_out(context, name, strong, updates, witness, longest).await
}

/// Makes the replicas that are new, or made anew.
async fn add(context: &Context, name: &str, change: Change<'_>, longest: Duration) -> Outcome<()> {
    let before = blocks(change.prior, REPLICAS);
    let after = blocks(change.planned, REPLICAS);
    let mut updates = Vec::new();
    for replica in &after {
        if continued(&before, replica).is_some() {
            continue;
        }
        let create = CreateReplicationGroupMemberAction::builder()
            .region_name(region(replica))
            .set_kms_master_key_id(text(replica, "kms_key_arn").map(str::to_owned))
            .build()
            .map_err(|error| incomplete(&error))?;
        updates.push(ReplicationGroupUpdate::builder().create(create).build());
    }
    let witness = witness_beyond(change.planned, change.prior).map(|place| {
        let create = CreateGlobalTableWitnessGroupMemberAction::builder()
            .region_name(place)
            .build();
        create.map(|create| {
            GlobalTableWitnessGroupUpdate::builder()
                .create(create)
                .build()
        })
    });
    let witness = witness.transpose().map_err(|error| incomplete(&error))?;
    let strong = is_strong(&after);
    carry_out(context, name, strong, updates, witness, longest).await
}

/// Sets what each replica has of its own: its history, its protection and its tags.
async fn settle(
    context: &Context,
    name: &str,
    change: Change<'_>,
    longest: Duration,
) -> Outcome<()> {
    let before = blocks(change.prior, REPLICAS);
    for replica in blocks(change.planned, REPLICAS) {
        let known = continued(&before, &replica);
        let was = |setting: &str| known.and_then(|known| known.flag(setting)).unwrap_or(false);
        let place = region(&replica);
        let is = |setting: &str| replica.flag(setting).unwrap_or(false);
        let history = "point_in_time_recovery";
        if is(history) != was(history) {
            keep_history(context, place, name, is(history), None, longest).await?;
        }
        let protection = "deletion_protection_enabled";
        if replica.flag(protection).is_some() && is(protection) != was(protection) {
            protect(context, place, name, is(protection), longest).await?;
        }
        if is("propagate_tags") {
            let set = tags::planned(change.planned);
            let gone = change.tags().map(|tags| tags.gone).unwrap_or_default();
            let there = fetch_in(context, place, name, &subject(name)).await?;
            let arn = there.and_then(|there| there.table_arn).unwrap_or_default();
            tag(
                context,
                place,
                &arn,
                &TagChange { set, gone },
                &subject(name),
            )
            .await?;
        }
    }
    Ok(())
}

async fn protect(
    context: &Context,
    place: &str,
    name: &str,
    protected: bool,
    longest: Duration,
) -> Outcome<()> {
    let dynamodb = context.client.dynamodb(place);
    let look = || async {
        let call = dynamodb
            .update_table()
            .table_name(name)
            .deletion_protection_enabled(protected);
        match call.send().await {
            Err(error) if is_one_of(&error, &["ResourceInUseException"]) => Ok(None),
            answer => answer
                .when(
                    "protecting a replica of",
                    &subject(name),
                    "dynamodb:UpdateTable",
                )
                .map(Some),
        }
    };
    context
        .patience(longest)
        .until(&subject(name), "free to be changed in another region", look)
        .await?;
    Ok(())
}

/// Whether a table has replicas, or a witness.
pub(super) fn has_any(table: &Object) -> bool {
    !blocks(table, REPLICAS).is_empty() || witness(table).is_some()
}

fn is_strong(replicas: &[Object]) -> bool {
    replicas
        .iter()
        .any(|replica| text(replica, "consistency_mode") == Some(STRONG))
}

/// The region that only agrees.
fn witness(table: &Object) -> Option<String> {
    block(table, WITNESS).and_then(|witness| text(&witness, "region_name").map(str::to_owned))
}

/// The region of the one table that only agrees, where it is not that of the other.
fn witness_beyond(table: &Object, other: &Object) -> Option<String> {
    witness(table).filter(|place| witness(other).as_ref() != Some(place))
}

fn incomplete(error: &BuildError) -> Diagnostics {
    Diagnostic::error(
        "Incomplete replica",
        format!("DynamoDB wants more to be said: {error}."),
    )
    .into()
}

/// Carries out changes of replicas: those that agree strongly at once, as DynamoDB wants it, and others one after another.
async fn carry_out(
    context: &Context,
    name: &str,
    strong: bool,
    updates: Vec<ReplicationGroupUpdate>,
    witness: Option<GlobalTableWitnessGroupUpdate>,
    longest: Duration,
) -> Outcome<()> {
    if updates.is_empty() && witness.is_none() {
        return Ok(());
    }
    if strong {
        return one(context, name, true, updates, witness, longest).await;
    }
    for update in updates {
        one(context, name, false, vec![update], None, longest).await?;
    }
    Ok(())
}

async fn one(
    context: &Context,
    name: &str,
    strong: bool,
    updates: Vec<ReplicationGroupUpdate>,
    witness: Option<GlobalTableWitnessGroupUpdate>,
    longest: Duration,
) -> Outcome<()> {
    let subject = subject(name);
    let makes = updates.iter().any(|update| update.create.is_some());
    let dynamodb = context.client.dynamodb(&context.region);
    let patience = context.patience(longest);
    let look = || async {
        let call = dynamodb
            .update_table()
            .table_name(name)
            .set_replica_updates(Some(updates.clone()))
            .set_global_table_witness_updates(witness.clone().map(|witness| vec![witness]))
            .set_multi_region_consistency(
                (strong && makes).then_some(MultiRegionConsistency::Strong),
            );
        match call.send().await {
            Err(error) if is_one_of(&error, &BUSY) => Ok(None),
            answer => answer
                .when("changing the replicas of", &subject, "dynamodb:UpdateTable")
                .map(Some),
        }
    };
    patience
        .until(&subject, "free to have its replicas changed", look)
        .await?;
    let look = || async {
        let table = fetch(context, name, &subject).await?;
        Ok(table.filter(is_settled).map(|_| ()))
    };
    patience
        .until(&subject, "carried to its replicas", look)
        .await
}

/// Whether nothing of a table's replicas comes or goes.
fn is_settled(table: &TableDescription) -> bool {
    let replicas = table.replicas().iter();
    let witnesses = table.global_table_witnesses().iter();
    super::settings::is_active(table)
        && replicas
            .map(|replica| &replica.replica_status)
            .all(|status| *status == Some(ReplicaStatus::Active))
        && witnesses
            .map(|witness| &witness.witness_status)
            .all(|status| *status == Some(WitnessStatus::Active))
}

/// Checks what replicas and witnesses go together.
pub(super) fn validate(config: &Object, diagnostics: &mut Diagnostics) {
    let replicas = blocks(config, REPLICAS);
    let own = text(config, "region");
    for replica in &replicas {
        if own.is_some() && own == text(replica, "region_name") {
            diagnostics.error_at(
                terrace_provider_sdk::attribute(REPLICAS),
                "Replica in the region of its table",
                format!(
                    "The table is in {} itself. A replica block names another region.",
                    region(replica)
                ),
            );
        }
    }
    if witness(config).is_some() && config.is_known(REPLICAS) && !is_strong(&replicas) {
        diagnostics.error_at(
            terrace_provider_sdk::attribute(WITNESS),
            "Witness without replicas that agree",
            "A witness is for a table with one replica whose consistency_mode is \"STRONG\".",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(parts: &[(&str, Value)]) -> Value {
        let nothing = [
            ("arn", Value::null(Type::String)),
            ("consistency_mode", Value::null(Type::String)),
            ("deletion_protection_enabled", Value::null(Type::Bool)),
            ("kms_key_arn", Value::null(Type::String)),
            ("point_in_time_recovery", Value::null(Type::Bool)),
            ("propagate_tags", Value::null(Type::Bool)),
            ("region_name", Value::null(Type::String)),
            ("stream_arn", Value::null(Type::String)),
            ("stream_label", Value::null(Type::String)),
        ];
        let mut replica = Object::new();
        for (name, value) in nothing.iter().chain(parts) {
            replica.set(name, value.clone());
        }
        Value::object(replica.entries().clone())
    }

    fn table(replicas: Vec<Value>) -> Object {
        let mut table = Object::new();
        table.set("region", "us-east-1");
        table.set(REPLICAS, replicas);
        table
    }

    /// A replica as its state has it.
    fn there(place: &str) -> Value {
        replica(&[
            ("region_name", Value::string(place)),
            ("arn", Value::string(place)),
            ("consistency_mode", Value::string(EVENTUAL)),
            ("deletion_protection_enabled", Value::bool(false)),
            ("kms_key_arn", Value::string("")),
            ("point_in_time_recovery", Value::bool(false)),
            ("propagate_tags", Value::bool(false)),
            ("stream_arn", Value::string("stream")),
            ("stream_label", Value::string("label")),
        ])
    }

    fn plan(prior: &Object, config: &Object, streams_change: bool) -> Vec<Object> {
        let mut table = Object::new();
        let planned = planned(Some(prior), config, streams_change).unwrap();
        table.set(REPLICAS, planned);
        blocks(&table, REPLICAS)
    }

    #[test]
    fn a_replica_that_stays_is_as_it_was_and_a_new_one_is_not_known_yet() {
        let west = replica(&[("region_name", Value::string("eu-west-1"))]);
        let prior = table(vec![there("eu-west-1")]);
        let same = plan(&prior, &table(vec![west.clone()]), false);
        assert_eq!(same, blocks(&prior, REPLICAS));
        let south = replica(&[("region_name", Value::string("ap-south-1"))]);
        let both = plan(&prior, &table(vec![west.clone(), south]), false);
        let known = |place: &str| {
            let replica = both.iter().find(|replica| region(replica) == place);
            replica.unwrap().is_known("arn")
        };
        assert!(known("eu-west-1") && !known("ap-south-1"));
        let streamed = plan(&prior, &table(vec![west]), true);
        assert!(streamed[0].is_known("arn") && !streamed[0].is_known("stream_arn"));
    }

    #[test]
    fn a_replica_with_another_key_or_another_consistency_is_made_anew() {
        let before = Object::of(&there("eu-west-1")).unwrap();
        let with = |name: &str, text: &str| {
            let place = ("region_name", Value::string("eu-west-1"));
            Object::of(&replica(&[place, (name, Value::string(text))])).unwrap()
        };
        assert!(anew(&before, &with("kms_key_arn", "key")));
        assert!(anew(&before, &with("consistency_mode", STRONG)));
        assert!(!anew(&before, &with("consistency_mode", EVENTUAL)));
    }

    #[test]
    fn mistakes_are_told() {
        let told = |config: &Object| {
            let mut diagnostics = Diagnostics::new();
            validate(config, &mut diagnostics);
            let told: Vec<String> = diagnostics
                .iter()
                .map(|problem| problem.summary.clone())
                .collect();
            told
        };
        let here = replica(&[("region_name", Value::string("us-east-1"))]);
        assert_eq!(
            told(&table(vec![here])),
            ["Replica in the region of its table"]
        );
        let mut witnessed = table(vec![replica(&[(
            "region_name",
            Value::string("eu-west-1"),
        )])]);
        let place = Value::object([("region_name", Value::string("eu-west-2"))]);
        witnessed.set(WITNESS, vec![place]);
        assert_eq!(told(&witnessed), ["Witness without replicas that agree"]);
    }
}

//! `aws_dynamodb_table`.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{BillingMode, TableClass};
use terrace_provider_sdk::{Diagnostics, Object, Outcome, Plan, Schema, validate};

use super::indices::{INDICES, IndexChanges};
use super::settings::{active, expire, fetch, recover, recovery, tag, tags_of, time_to_live};
use super::spec::{self, block, text};
use super::{BUSY, GONE, plan, replicas, source, told};
use crate::client::Client;
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::shape::Behaviour as _;
use crate::tags::{self, TagChange};
use crate::timeouts;

/// How long a table may take to come, to change and to go.
const UNTIL_MADE: Duration = Duration::from_mins(30);
const UNTIL_CHANGED: Duration = Duration::from_hours(1);
const UNTIL_GONE: Duration = Duration::from_mins(10);

#[derive(Default)]
pub(crate) struct Table;

/// A table in words.
pub(super) fn subject(name: &str) -> Subject {
    Table::subject(name)
}

#[async_trait]
impl Kind for Table {
    const NAME: &'static str = "aws_dynamodb_table";
    const WHAT: &'static str = "DynamoDB Table";
    const ID_OF: Option<(&'static [&'static str], &'static str)> = Some((&["name"], ""));

    fn behave(&self, shape: Schema) -> Schema {
        let projections = || validate::one_of(["ALL", "INCLUDE", "KEYS_ONLY"]);
        shape
            .replaces(&[
                "name",
                "hash_key",
                "range_key",
                "local_secondary_index",
                "restore_date_time",
                "restore_to_latest_time",
            ])
            .defaults_to_text(&[("billing_mode", "PROVISIONED"), ("table_class", "STANDARD")])
            .fills_in(&[
                "attribute",
                INDICES,
                "global_table_witness",
                "point_in_time_recovery",
                "server_side_encryption",
                "ttl",
                "warm_throughput",
            ])
            .within("ttl", |ttl| ttl.defaults_to_bool(&[("enabled", false)]))
            .within("import_table", |import| {
                import.replaces(&["s3_bucket_source"])
            })
            .within(replicas::REPLICAS, |replica| {
                replica
                    .defaults_to_text(&[("consistency_mode", "EVENTUAL")])
                    .defaults_to_bool(&[
                        ("point_in_time_recovery", false),
                        ("propagate_tags", false),
                    ])
                    .change("consistency_mode", |mode| {
                        mode.validate(validate::one_of(["EVENTUAL", "STRONG"]))
                    })
            })
            .within("point_in_time_recovery", |recovery| {
                recovery.change("recovery_period_in_days", |days| {
                    days.validate(validate::between(1..=35))
                })
            })
            .within("attribute", |attribute| {
                attribute.change("type", |ty| ty.validate(validate::one_of(["S", "N", "B"])))
            })
            .within(INDICES, |index| {
                index.change("projection_type", |ty| ty.validate(projections()))
            })
            .within("local_secondary_index", |index| {
                index.change("projection_type", |ty| ty.validate(projections()))
            })
            .change("billing_mode", |mode| {
                mode.validate(validate::one_of([spec::BY_REQUEST, "PROVISIONED"]))
            })
            .change("table_class", |class| {
                class.validate(validate::one_of(["STANDARD", "STANDARD_INFREQUENT_ACCESS"]))
            })
            .change("stream_view_type", |view| {
                view.validate(validate::one_of([
                    "",
                    "NEW_IMAGE",
                    "OLD_IMAGE",
                    "NEW_AND_OLD_IMAGES",
                    "KEYS_ONLY",
                ]))
            })
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        plan::validate(config, diagnostics);
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        plan::complete(plan);
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let name = planned.text("name").unwrap_or_default();
        let longest = timeouts::of(planned, "create", UNTIL_MADE);
        let left = source::make(context, planned, name, longest).await?;
        context.made(name);
        let told = active(context, name, longest).await?;
        if left.settings {
            set_up(context, name, planned, longest).await?;
        }
        let enabled = |name: &str| {
            block(planned, name).is_some_and(|block| block.flag("enabled") == Some(true))
        };
        if enabled("ttl") {
            expire(context, name, planned, longest).await?;
        }
        if enabled("point_in_time_recovery") {
            recover(context, name, planned, longest).await?;
        }
        let set = tags::planned(planned);
        if left.tags && !set.is_empty() {
            let change = TagChange {
                set,
                gone: Vec::new(),
            };
            tag(
                context,
                &context.region,
                &told.table_arn.unwrap_or_default(),
                &change,
                &subject(name),
            )
            .await?;
        }
        replicas::create(context, name, planned, longest).await?;
        Ok(name.to_owned())
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let name = id(state);
        let subject = Self::subject(name);
        let Some(told) = fetch(context, name, &subject).await? else {
            return Ok(None);
        };
        let mut object = told::facts(&told);
        if !object.is_set("stream_view_type") {
            object.set(
                "stream_view_type",
                state.text("stream_view_type").unwrap_or_default(),
            );
        }
        without_own_key(context, &mut object).await;
        object.set(
            "point_in_time_recovery",
            vec![recovery(context, &context.region, name).await?],
        );
        object.set("ttl", vec![time_to_live(context, name).await?]);
        object.extend(replicas::told(context, &told, state).await?);
        let arn = told.table_arn.unwrap_or_default();
        object.set("tags_all", tags_of(context, &arn, &subject).await?);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let (name, planned) = (change.id(), change.planned);
        let longest = timeouts::of(planned, "update", UNTIL_CHANGED);
        replicas::end(context, name, change, longest).await?;
        let indices = if change.of(&[INDICES, "billing_mode"]) {
            IndexChanges::between(change)
        } else {
            IndexChanges::default()
        };
        indices.delete(context, name, longest).await?;
        if change.of(&["table_class"]) {
            let class = text(planned, "table_class").map(TableClass::from);
            changed(context, name, longest, |update| {
                update.set_table_class(class)
            })
            .await?;
        }
        let restreams = change.prior.flag("stream_enabled") == Some(true)
            && planned.flag("stream_enabled") == Some(true)
            && change.of(&["stream_view_type"]);
        if restreams {
            // A stream cannot be changed: it ends, and another begins.
            let end = spec::stream(&Object::new());
            changed(context, name, longest, |update| {
                update.stream_specification(end)
            })
            .await?;
        }
        whole(context, change, &indices, restreams, longest).await?;
        indices.create(context, name, planned, longest).await?;
        if change.of(&["server_side_encryption"]) {
            let encryption = spec::encryption(planned);
            changed(context, name, longest, |update| {
                update.sse_specification(encryption)
            })
            .await?;
        }
        if change.of(&["ttl"]) {
            expire(context, name, planned, longest).await?;
        }
        if change.of(&["point_in_time_recovery"]) {
            recover(context, name, planned, longest).await?;
        }
        if change.of(&["warm_throughput"])
            && let Some(warm) = spec::warm(planned)
        {
            changed(context, name, longest, |update| {
                update.warm_throughput(warm)
            })
            .await?;
        }
        replicas::bring(context, name, change, longest).await?;
        match change.tags() {
            Some(tags) => {
                tag(
                    context,
                    &context.region,
                    change.prior.text("arn").unwrap_or_default(),
                    &tags,
                    &subject(name),
                )
                .await
            }
            None => Ok(()),
        }
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let name = id(state);
        let subject = Self::subject(name);
        if replicas::has_any(state) {
            if fetch(context, name, &subject).await?.is_none() {
                return Ok(());
            }
            let nothing = Object::new();
            let change = Change {
                prior: state,
                planned: &nothing,
            };
            replicas::end(context, name, change, UNTIL_CHANGED).await?;
        }
        let patience = context.patience(timeouts::of(state, "delete", UNTIL_GONE));
        let look = || async {
            let answer = context
                .client
                .dynamodb(&context.region)
                .delete_table()
                .table_name(name)
                .send()
                .await;
            match answer {
                Err(error) if is_one_of(&error, &BUSY) => Ok(None),
                answer => answer
                    .unless_gone(&GONE, "deleting", &subject, "dynamodb:DeleteTable")
                    .map(Some),
            }
        };
        if patience
            .until(&subject, "free to be deleted", look)
            .await?
            .is_none()
        {
            return Ok(());
        }
        let look = || async {
            let found = fetch(context, name, &subject).await?;
            Ok(found.is_none().then_some(()))
        };
        patience.until(&subject, "deleted", look).await
    }
}

/// The settings that can be changed together, with the capacity of indices.
async fn whole(
    context: &Context,
    change: Change<'_>,
    indices: &IndexChanges,
    restreams: bool,
    longest: Duration,
) -> Outcome<()> {
    let planned = change.planned;
    let capacity = change.of(&["billing_mode", "read_capacity", "write_capacity"]);
    let protection = change.of(&["deletion_protection_enabled"]);
    let most = change.of(&["on_demand_throughput"]);
    let streams = restreams || change.of(&["stream_enabled"]);
    if !(capacity || protection || most || streams || !indices.capacity.is_empty()) {
        return Ok(());
    }
    changed(context, change.id(), longest, |mut update| {
        if capacity {
            update = update
                .billing_mode(BillingMode::from(
                    planned.text("billing_mode").unwrap_or("PROVISIONED"),
                ))
                .set_provisioned_throughput(spec::throughput(planned, spec::by_request(planned)));
        }
        if protection {
            update = update.deletion_protection_enabled(
                planned.flag("deletion_protection_enabled").unwrap_or(false),
            );
        }
        if most {
            update = update.set_on_demand_throughput(spec::on_demand(planned));
        }
        if streams {
            update = update.stream_specification(spec::stream(planned));
        }
        let indices = indices.capacity.clone();
        update.set_global_secondary_index_updates((!indices.is_empty()).then_some(indices))
    })
    .await
}

/// What a table that was restored or imported is told afterwards.
async fn set_up(context: &Context, name: &str, planned: &Object, longest: Duration) -> Outcome<()> {
    if planned.flag("deletion_protection_enabled") == Some(true)
        || planned.flag("stream_enabled") == Some(true)
    {
        changed(context, name, longest, |mut update| {
            if planned.flag("deletion_protection_enabled") == Some(true) {
                update = update.deletion_protection_enabled(true);
            }
            if planned.flag("stream_enabled") == Some(true) {
                update = update.stream_specification(spec::stream(planned));
            }
            update
        })
        .await?;
    }
    if let Some(class) = text(planned, "table_class").filter(|class| *class != "STANDARD") {
        changed(context, name, longest, |update| {
            update.table_class(TableClass::from(class))
        })
        .await?;
    }
    Ok(())
}

/// One change of a table, until it is done.
async fn changed(
    context: &Context,
    name: &str,
    longest: Duration,
    say: impl FnOnce(
        aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder,
    )
        -> aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder,
) -> Outcome<()> {
    let update = context
        .client
        .dynamodb(&context.region)
        .update_table()
        .table_name(name);
    say(update)
        .send()
        .await
        .when("updating", &subject(name), "dynamodb:UpdateTable")?;
    active(context, name, longest).await.map(|_| ())
}

/// Leaves the key of AWS for DynamoDB out of what is told: a table with it has no key of its own.
async fn without_own_key(context: &Context, object: &mut Object) {
    let Some(mut encryption) = block(object, "server_side_encryption") else {
        return;
    };
    let Some(key) = text(&encryption, "kms_key_arn").map(str::to_owned) else {
        return;
    };
    if key_of_aws(context, &context.region).await == Some(key) {
        encryption.set("kms_key_arn", "");
        object.set("server_side_encryption", vec![encryption]);
    }
}

/// The key of AWS for DynamoDB in a region. Who may not look at keys sees the key of a table, as the service tells it.
pub(super) async fn key_of_aws(context: &Context, region: &str) -> Option<String> {
    let answer = context
        .client
        .kms(region)
        .describe_key()
        .key_id("alias/aws/dynamodb")
        .send()
        .await;
    answer.ok().and_then(|answer| answer.key_metadata?.arn)
}

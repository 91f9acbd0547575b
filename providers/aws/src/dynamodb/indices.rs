//! Indices over a whole table: what a change makes of them, and one change of them after another.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    CreateGlobalSecondaryIndexAction, DeleteGlobalSecondaryIndexAction, GlobalSecondaryIndexUpdate,
    UpdateGlobalSecondaryIndexAction,
};
use terrace_provider_sdk::{Object, Outcome, Text, Type, Value};

use super::settings::active;
use super::spec::{attributes, blocks, by_request, global, on_demand, throughput, warm};
use crate::failure::Answered as _;
use crate::kind::{Change, Context};

/// The blocks that say them.
pub(super) const INDICES: &str = "global_secondary_index";

/// What of an index can be changed without making it anew.
const CHANGEABLE: [&str; 4] = [
    "read_capacity",
    "write_capacity",
    "on_demand_throughput",
    "warm_throughput",
];

/// An index by its name.
fn named<'i>(indices: &'i [Object], name: Option<&str>) -> Option<&'i Object> {
    indices
        .iter()
        .find(|index| name.is_some() && index.text("name") == name)
}

/// What indices will be: as configured, with what is known of them already. Nothing where configuration says nothing.
pub(super) fn planned(
    prior: Option<&Object>,
    config: &Object,
    billed_by_request: bool,
) -> Option<Value> {
    let configured = blocks(config, INDICES);
    if configured.is_empty() || !config.is_known(INDICES) {
        return None;
    }
    let before = prior
        .map(|prior| blocks(prior, INDICES))
        .unwrap_or_default();
    let indices: Vec<Object> = configured
        .into_iter()
        .map(|index| {
            let known = named(&before, index.text("name"));
            completed(index, known, billed_by_request)
        })
        .collect();
    let same = indices.len() == before.len()
        && indices
            .iter()
            .all(|index| named(&before, index.text("name")) == Some(index));
    match prior {
        Some(prior) if same => Some(prior.value(INDICES).clone()),
        _ => {
            let ty = config
                .items(INDICES)
                .first()
                .map_or(Type::Dynamic, Value::ty);
            let items = indices
                .into_iter()
                .map(|index| Value::object(index.entries().clone()));
            Some(Value::set(ty, items.collect::<Vec<_>>()))
        }
    }
}

/// A configured index with what it will have besides.
fn completed(mut index: Object, before: Option<&Object>, billed_by_request: bool) -> Object {
    for units in ["read_capacity", "write_capacity"] {
        if index.is_set(units) {
            continue;
        }
        let known = before.and_then(|before| before.whole(units));
        // None is provisioned where each request is paid for, and no less than one otherwise.
        let units_then = if billed_by_request {
            Some(0)
        } else {
            known.map(|units| units.max(1))
        };
        match units_then {
            Some(number) => index.set(units, number),
            None => index.forget(units, Type::Number),
        }
    }
    complete_keys(&mut index);
    if let Some(before) = before {
        if index.items("warm_throughput").is_empty() {
            index.set("warm_throughput", before.value("warm_throughput").clone());
        }
        let entries: Vec<(Text, Value)> = before
            .entries()
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for (name, value) in entries {
            if says_nothing(&value) && says_nothing(index.value(&name)) {
                index.set(&name, value);
            }
        }
    }
    index
}

/// Its key in both ways of saying it.
fn complete_keys(index: &mut Object) {
    let schema = blocks(index, "key_schema");
    if schema.is_empty() {
        if !index.is_known("hash_key") || !index.is_known("range_key") {
            return;
        }
        let keys = [("hash_key", "HASH"), ("range_key", "RANGE")];
        let ty = index.value("key_schema").ty();
        let element = ty.element().cloned().unwrap_or(Type::Dynamic);
        let keys = keys.into_iter().filter_map(|(name, role)| {
            let name = index.text(name).filter(|name| !name.is_empty())?;
            Some(Value::object([
                ("attribute_name", Value::string(name)),
                ("key_type", Value::string(role)),
            ]))
        });
        let keys = Value::list(element, keys.collect::<Vec<_>>());
        index.set("key_schema", keys);
        return;
    }
    for (name, role) in [("hash_key", "HASH"), ("range_key", "RANGE")] {
        let mut of_role = schema
            .iter()
            .filter(|key| key.text("key_type") == Some(role));
        let only = match (of_role.next(), of_role.next()) {
            (Some(key), None) => key.value("attribute_name").clone(),
            _ => Value::string(""),
        };
        index.set(name, only);
    }
}

/// Whether a value is nothing, or what states have for nothing.
fn says_nothing(value: &Value) -> bool {
    value.is_null()
        || value.as_str() == Some("")
        || value.as_sequence().is_some_and(<[Value]>::is_empty)
        || value
            .as_number()
            .and_then(terrace_provider_sdk::Number::to_i64)
            == Some(0)
}

/// What becomes of the indices of a table.
#[derive(Default)]
pub(super) struct IndexChanges {
    delete: Vec<String>,
    /// Those whose capacity changes, with the table's own.
    pub(super) capacity: Vec<GlobalSecondaryIndexUpdate>,
    warm: Vec<GlobalSecondaryIndexUpdate>,
    create: Vec<GlobalSecondaryIndexUpdate>,
}

impl IndexChanges {
    /// From what was to what shall be. An index whose key or projection changes is made anew.
    pub(super) fn between(change: Change<'_>) -> Self {
        let before = blocks(change.prior, INDICES);
        let after = blocks(change.planned, INDICES);
        let on_request = by_request(change.planned);
        let was_on_request = by_request(change.prior);
        let mut changes = Self::default();
        for index in &before {
            let name = index.text("name").unwrap_or_default();
            let stays = named(&after, Some(name)).is_some_and(|after| !anew(index, after));
            if !stays {
                changes.delete.push(name.to_owned());
            }
        }
        for index in &after {
            let known = named(&before, index.text("name")).filter(|before| !anew(before, index));
            let Some(known) = known else {
                changes.create.extend(creation(index, on_request));
                continue;
            };
            let differs = |name: &str| known.value(name) != index.value(name);
            let units = !on_request
                && (was_on_request || differs("read_capacity") || differs("write_capacity"));
            let most = on_request && differs("on_demand_throughput");
            if units || most {
                changes.capacity.extend(update(index, |update| {
                    update
                        .set_provisioned_throughput(throughput(index, on_request))
                        .set_on_demand_throughput(on_demand(index).filter(|_| on_request))
                }));
            }
            if differs("warm_throughput") && warm(index).is_some() {
                changes.warm.extend(update(index, |update| {
                    update.set_warm_throughput(warm(index))
                }));
            }
        }
        changes
    }

    /// Deletes those that go, one after another: DynamoDB takes no more at once.
    pub(super) async fn delete(
        &self,
        context: &Context,
        table: &str,
        longest: Duration,
    ) -> Outcome<()> {
        for name in &self.delete {
            let delete = DeleteGlobalSecondaryIndexAction::builder()
                .index_name(name)
                .build();
            let update =
                delete.map(|delete| GlobalSecondaryIndexUpdate::builder().delete(delete).build());
            if let Ok(update) = update {
                one(context, table, update, None, longest).await?;
            }
        }
        Ok(())
    }

    /// Warms those up that are to take more at once, and makes the new ones, one after another.
    pub(super) async fn create(
        self,
        context: &Context,
        table: &str,
        planned: &Object,
        longest: Duration,
    ) -> Outcome<()> {
        for update in self.warm {
            one(context, table, update, None, longest).await?;
        }
        for update in self.create {
            one(context, table, update, Some(planned), longest).await?;
        }
        Ok(())
    }
}

/// Whether an index has to be made anew to be another.
fn anew(before: &Object, after: &Object) -> bool {
    after.entries().iter().any(|(name, value)| {
        let before = before.value(name);
        !CHANGEABLE.contains(&&**name)
            && before != value
            && !(says_nothing(before) && says_nothing(value))
    })
}

fn creation(index: &Object, on_request: bool) -> Option<GlobalSecondaryIndexUpdate> {
    let whole = global(index, on_request)?;
    let create = CreateGlobalSecondaryIndexAction::builder()
        .index_name(whole.index_name)
        .set_key_schema(Some(whole.key_schema))
        .set_projection(whole.projection)
        .set_provisioned_throughput(whole.provisioned_throughput)
        .set_on_demand_throughput(whole.on_demand_throughput)
        .set_warm_throughput(whole.warm_throughput)
        .build()
        .ok()?;
    Some(GlobalSecondaryIndexUpdate::builder().create(create).build())
}

fn update(
    index: &Object,
    say: impl FnOnce(
        aws_sdk_dynamodb::types::builders::UpdateGlobalSecondaryIndexActionBuilder,
    ) -> aws_sdk_dynamodb::types::builders::UpdateGlobalSecondaryIndexActionBuilder,
) -> Option<GlobalSecondaryIndexUpdate> {
    let builder = UpdateGlobalSecondaryIndexAction::builder().index_name(index.text("name")?);
    let update = say(builder).build().ok()?;
    Some(GlobalSecondaryIndexUpdate::builder().update(update).build())
}

/// One change of one index. A new one needs the table's attributes beside it.
async fn one(
    context: &Context,
    table: &str,
    update: GlobalSecondaryIndexUpdate,
    planned: Option<&Object>,
    longest: Duration,
) -> Outcome<()> {
    context
        .client
        .dynamodb(&context.region)
        .update_table()
        .table_name(table)
        .set_attribute_definitions(planned.map(attributes))
        .global_secondary_index_updates(update)
        .send()
        .await
        .when(
            "changing an index of",
            &super::table::subject(table),
            "dynamodb:UpdateTable",
        )?;
    // What goes is told of as DELETING until it is gone, which is not active.
    active(context, table, longest).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(parts: &[(&str, Value)]) -> Value {
        let nothing = [
            ("hash_key", Value::null(Type::String)),
            ("range_key", Value::null(Type::String)),
            ("read_capacity", Value::null(Type::Number)),
            ("write_capacity", Value::null(Type::Number)),
            ("non_key_attributes", Value::null(Type::set(Type::String))),
            ("key_schema", Value::list(Type::Dynamic, [])),
            ("warm_throughput", Value::list(Type::Dynamic, [])),
        ];
        let mut index = Object::new();
        for (name, value) in nothing.iter().chain(parts) {
            index.set(name, value.clone());
        }
        Value::object(index.entries().clone())
    }

    fn table(mode: &str, indices: Vec<Value>) -> Object {
        let mut table = Object::new();
        table.set("billing_mode", mode);
        table.set(
            INDICES,
            Value::tuple(indices).as_sequence().unwrap().to_vec(),
        );
        table
    }

    fn by_owner(more: &[(&str, Value)]) -> Value {
        let mut parts = vec![
            ("name", Value::string("by-owner")),
            ("hash_key", Value::string("owner")),
            ("projection_type", Value::string("ALL")),
        ];
        parts.extend(more.iter().cloned());
        index(&parts)
    }

    fn plan(prior: Option<&Object>, config: &Object) -> Vec<Object> {
        let mut table = Object::new();
        table.set(INDICES, planned(prior, config, true).unwrap());
        blocks(&table, INDICES)
    }

    #[test]
    fn an_index_has_its_key_in_both_ways_of_saying_it_and_plans_clean_afterwards() {
        let config = table("PAY_PER_REQUEST", vec![by_owner(&[])]);
        let first = plan(None, &config);
        let keys = blocks(&first[0], "key_schema");
        assert_eq!(keys[0].text("attribute_name"), Some("owner"));
        assert_eq!(keys[0].text("key_type"), Some("HASH"));
        assert_eq!(first[0].whole("read_capacity"), Some(0));
        let mut prior = Object::new();
        prior.set("billing_mode", "PAY_PER_REQUEST");
        prior.set(INDICES, planned(None, &config, true).unwrap());
        assert_eq!(plan(Some(&prior), &config), first);
    }

    #[test]
    fn what_can_be_changed_of_an_index_is_and_what_cannot_makes_it_anew() {
        let before = table(
            "PROVISIONED",
            vec![by_owner(&[
                ("read_capacity", Value::int(1)),
                ("write_capacity", Value::int(1)),
            ])],
        );
        let more = table(
            "PROVISIONED",
            vec![by_owner(&[
                ("read_capacity", Value::int(2)),
                ("write_capacity", Value::int(1)),
            ])],
        );
        let changes = IndexChanges::between(Change {
            prior: &before,
            planned: &more,
        });
        assert_eq!(
            (
                changes.delete.len(),
                changes.capacity.len(),
                changes.create.len()
            ),
            (0, 1, 0)
        );
        let other = table(
            "PROVISIONED",
            vec![by_owner(&[("projection_type", Value::string("KEYS_ONLY"))])],
        );
        let changes = IndexChanges::between(Change {
            prior: &before,
            planned: &other,
        });
        assert_eq!(
            (
                changes.delete.len(),
                changes.capacity.len(),
                changes.create.len()
            ),
            (1, 0, 1)
        );
        let none = table("PROVISIONED", Vec::new());
        let changes = IndexChanges::between(Change {
            prior: &before,
            planned: &none,
        });
        assert_eq!((changes.delete.len(), changes.create.len()), (1, 0));
    }
}

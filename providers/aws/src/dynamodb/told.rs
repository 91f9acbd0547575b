//! What DynamoDB says of tables, in the words of states.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{
    GlobalSecondaryIndexDescription, KeySchemaElement, KeyType, LocalSecondaryIndexDescription,
    OnDemandThroughput, Projection, SseStatus, TableDescription,
};
use terrace_provider_sdk::Object;

/// What resource and data source both say of a table.
pub(super) fn facts(told: &TableDescription) -> Object {
    let mut object = Object::new();
    object.set("arn", told.table_arn.clone());
    object.set("name", told.table_name.clone());
    let billing = told
        .billing_mode_summary
        .as_ref()
        .and_then(|summary| summary.billing_mode.as_ref());
    object.set(
        "billing_mode",
        billing.map_or("PROVISIONED", |mode| mode.as_str()),
    );
    object.set(
        "deletion_protection_enabled",
        told.deletion_protection_enabled.unwrap_or(false),
    );
    let units = told.provisioned_throughput.as_ref();
    object.set(
        "read_capacity",
        units
            .and_then(|units| units.read_capacity_units)
            .unwrap_or(0),
    );
    object.set(
        "write_capacity",
        units
            .and_then(|units| units.write_capacity_units)
            .unwrap_or(0),
    );
    let attributes = told.attribute_definitions().iter().map(|told| {
        let mut attribute = Object::new();
        attribute.set("name", told.attribute_name.clone());
        attribute.set("type", told.attribute_type.as_str());
        attribute
    });
    object.set("attribute", attributes.collect::<Vec<_>>());
    object.set("hash_key", only(told.key_schema(), &KeyType::Hash));
    object.set("range_key", only(told.key_schema(), &KeyType::Range));
    object.set(
        "local_secondary_index",
        told.local_secondary_indexes()
            .iter()
            .map(local)
            .collect::<Vec<_>>(),
    );
    object.set(
        "global_secondary_index",
        told.global_secondary_indexes()
            .iter()
            .map(global)
            .collect::<Vec<_>>(),
    );
    object.set(
        "on_demand_throughput",
        on_demand(told.on_demand_throughput.as_ref()),
    );
    let warm = told.warm_throughput.as_ref();
    object.set(
        "warm_throughput",
        warm_throughput(
            warm.and_then(|warm| warm.read_units_per_second),
            warm.and_then(|warm| warm.write_units_per_second),
        ),
    );
    let stream = told.stream_specification.as_ref();
    object.set(
        "stream_enabled",
        stream.is_some_and(|stream| stream.stream_enabled),
    );
    if let Some(view) = stream.and_then(|stream| stream.stream_view_type.as_ref()) {
        object.set("stream_view_type", view.as_str());
    }
    object.set(
        "stream_arn",
        told.latest_stream_arn.clone().unwrap_or_default(),
    );
    object.set(
        "stream_label",
        told.latest_stream_label.clone().unwrap_or_default(),
    );
    let encryption = told.sse_description.iter().map(|told| {
        let mut encryption = Object::new();
        encryption.set("enabled", told.status == Some(SseStatus::Enabled));
        encryption.set(
            "kms_key_arn",
            told.kms_master_key_arn.clone().unwrap_or_default(),
        );
        encryption
    });
    object.set("server_side_encryption", encryption.collect::<Vec<_>>());
    let class = told
        .table_class_summary
        .as_ref()
        .and_then(|summary| summary.table_class.as_ref());
    object.set(
        "table_class",
        class.map_or("STANDARD", |class| class.as_str()),
    );
    object
}

/// The only attribute of a key that has this role.
fn only(keys: &[KeySchemaElement], role: &KeyType) -> Option<String> {
    let mut found = keys.iter().filter(|key| key.key_type == *role);
    match (found.next(), found.next()) {
        (Some(key), None) => Some(key.attribute_name.clone()),
        _ => None,
    }
}

fn projection(index: &mut Object, told: Option<&Projection>) {
    let ty = told.and_then(|told| told.projection_type.as_ref());
    index.set("projection_type", ty.map(|ty| ty.as_str().to_owned()));
    index.set(
        "non_key_attributes",
        told.map(|told| told.non_key_attributes().to_vec())
            .unwrap_or_default(),
    );
}

fn local(told: &LocalSecondaryIndexDescription) -> Object {
    let mut index = Object::new();
    index.set("name", told.index_name.clone());
    index.set("range_key", only(told.key_schema(), &KeyType::Range));
    projection(&mut index, told.projection.as_ref());
    index
}

fn global(told: &GlobalSecondaryIndexDescription) -> Object {
    let mut index = Object::new();
    index.set("name", told.index_name.clone());
    let units = told.provisioned_throughput.as_ref();
    index.set(
        "read_capacity",
        units
            .and_then(|units| units.read_capacity_units)
            .unwrap_or(0),
    );
    index.set(
        "write_capacity",
        units
            .and_then(|units| units.write_capacity_units)
            .unwrap_or(0),
    );
    let keys = told.key_schema().iter().map(|told| {
        let mut key = Object::new();
        key.set("attribute_name", told.attribute_name.clone());
        key.set("key_type", told.key_type.as_str());
        key
    });
    index.set("key_schema", keys.collect::<Vec<_>>());
    index.set(
        "hash_key",
        only(told.key_schema(), &KeyType::Hash).unwrap_or_default(),
    );
    index.set(
        "range_key",
        only(told.key_schema(), &KeyType::Range).unwrap_or_default(),
    );
    projection(&mut index, told.projection.as_ref());
    let others: BTreeSet<String> = told
        .projection
        .iter()
        .flat_map(|told| told.non_key_attributes().to_vec())
        .collect();
    index.set("non_key_attributes", others);
    index.set(
        "on_demand_throughput",
        on_demand(told.on_demand_throughput.as_ref()),
    );
    let warm = told.warm_throughput.as_ref();
    index.set(
        "warm_throughput",
        warm_throughput(
            warm.and_then(|warm| warm.read_units_per_second),
            warm.and_then(|warm| warm.write_units_per_second),
        ),
    );
    index
}

fn on_demand(told: Option<&OnDemandThroughput>) -> Vec<Object> {
    let most = told.map(|told| {
        let mut most = Object::new();
        most.set(
            "max_read_request_units",
            told.max_read_request_units.unwrap_or(0),
        );
        most.set(
            "max_write_request_units",
            told.max_write_request_units.unwrap_or(0),
        );
        most
    });
    most.into_iter().collect()
}

/// What was asked for; DynamoDB tells of what tables have anyway, too.
fn warm_throughput(reads: Option<i64>, writes: Option<i64>) -> Vec<Object> {
    let (reads, writes) = (reads.unwrap_or(0), writes.unwrap_or(0));
    if (reads < 12_000 && writes < 4000) || (reads == 12_000 && writes == 4000) {
        return Vec::new();
    }
    let mut warm = Object::new();
    warm.set("read_units_per_second", reads);
    warm.set("write_units_per_second", writes);
    vec![warm]
}

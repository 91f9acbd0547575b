//! What configurations say of tables, in the words of DynamoDB.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement, KeyType, LocalSecondaryIndex,
    OnDemandThroughput, Projection, ProjectionType, ProvisionedThroughput, ScalarAttributeType,
    SseSpecification, SseType, StreamSpecification, StreamViewType, Tag, WarmThroughput,
};
use terrace_provider_sdk::Object;

use crate::tags::Tags;

/// Tables whose capacity is paid for by request.
pub(super) const BY_REQUEST: &str = "PAY_PER_REQUEST";

/// The only block of this name.
pub(super) fn block(object: &Object, name: &str) -> Option<Object> {
    object.items(name).first().and_then(Object::of)
}

/// All blocks of this name.
pub(super) fn blocks(object: &Object, name: &str) -> Vec<Object> {
    object.items(name).iter().filter_map(Object::of).collect()
}

/// A text that says something.
pub(super) fn text<'o>(object: &'o Object, name: &str) -> Option<&'o str> {
    object.text(name).filter(|text| !text.is_empty())
}

/// A number that says something.
pub(super) fn number(object: &Object, name: &str) -> Option<i64> {
    object.whole(name).filter(|number| *number != 0)
}

/// Whether a table or an index is paid for by request.
pub(super) fn by_request(table: &Object) -> bool {
    table.text("billing_mode") == Some(BY_REQUEST)
}

/// The attributes that keys are made of.
pub(super) fn attributes(table: &Object) -> Vec<AttributeDefinition> {
    blocks(table, "attribute")
        .iter()
        .filter_map(|attribute| {
            AttributeDefinition::builder()
                .attribute_name(attribute.text("name")?)
                .attribute_type(ScalarAttributeType::from(attribute.text("type")?))
                .build()
                .ok()
        })
        .collect()
}

fn key(name: &str, ty: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(ty)
        .build()
        .expect("an element with a name and a type is complete")
}

/// The key that `hash_key` and `range_key` say.
pub(super) fn keys(hash: Option<&str>, range: Option<&str>) -> Vec<KeySchemaElement> {
    let hash = hash.map(|name| key(name, KeyType::Hash));
    let range = range.map(|name| key(name, KeyType::Range));
    hash.into_iter().chain(range).collect()
}

/// The key of a table.
pub(super) fn table_keys(table: &Object) -> Vec<KeySchemaElement> {
    keys(text(table, "hash_key"), text(table, "range_key"))
}

fn index_keys(index: &Object) -> Vec<KeySchemaElement> {
    let schema = blocks(index, "key_schema");
    if schema.is_empty() {
        return table_keys(index);
    }
    schema
        .iter()
        .filter_map(|element| {
            Some(key(
                element.text("attribute_name")?,
                KeyType::from(element.text("key_type")?),
            ))
        })
        .collect()
}

fn projection(index: &Object) -> Projection {
    let others: Vec<String> = index
        .texts("non_key_attributes")
        .into_iter()
        .map(str::to_owned)
        .collect();
    Projection::builder()
        .projection_type(ProjectionType::from(
            index.text("projection_type").unwrap_or("ALL"),
        ))
        .set_non_key_attributes((!others.is_empty()).then_some(others))
        .build()
}

/// What is provisioned for a table or an index; nothing where it is paid for by request. DynamoDB takes no less than one.
pub(super) fn throughput(of: &Object, by_request: bool) -> Option<ProvisionedThroughput> {
    let units = |name: &str| of.whole(name).unwrap_or(0).max(1);
    if by_request {
        return None;
    }
    ProvisionedThroughput::builder()
        .read_capacity_units(units("read_capacity"))
        .write_capacity_units(units("write_capacity"))
        .build()
        .ok()
}

/// How much a table or an index takes on demand at most.
pub(super) fn on_demand(of: &Object) -> Option<OnDemandThroughput> {
    let most = block(of, "on_demand_throughput")?;
    let most = OnDemandThroughput::builder()
        .set_max_read_request_units(number(&most, "max_read_request_units"))
        .set_max_write_request_units(number(&most, "max_write_request_units"))
        .build();
    Some(most)
}

/// How much a table or an index takes at once.
pub(super) fn warm(of: &Object) -> Option<WarmThroughput> {
    let warm = block(of, "warm_throughput")?;
    let (reads, writes) = (
        number(&warm, "read_units_per_second"),
        number(&warm, "write_units_per_second"),
    );
    let warm = WarmThroughput::builder()
        .set_read_units_per_second(reads)
        .set_write_units_per_second(writes)
        .build();
    (reads.is_some() || writes.is_some()).then_some(warm)
}

/// An index over the whole table.
pub(super) fn global(index: &Object, by_request: bool) -> Option<GlobalSecondaryIndex> {
    GlobalSecondaryIndex::builder()
        .index_name(index.text("name")?)
        .set_key_schema(Some(index_keys(index)))
        .projection(projection(index))
        .set_provisioned_throughput(throughput(index, by_request))
        .set_on_demand_throughput(on_demand(index).filter(|_| by_request))
        .set_warm_throughput(warm(index))
        .build()
        .ok()
}

/// The indices over the whole table; nothing where there are none.
pub(super) fn globals(table: &Object) -> Option<Vec<GlobalSecondaryIndex>> {
    let by_request = by_request(table);
    let indices = blocks(table, "global_secondary_index");
    let indices: Vec<_> = indices
        .iter()
        .filter_map(|index| global(index, by_request))
        .collect();
    (!indices.is_empty()).then_some(indices)
}

/// The indices within what has one hash key; nothing where there are none.
pub(super) fn locals(table: &Object) -> Option<Vec<LocalSecondaryIndex>> {
    let indices: Vec<_> = blocks(table, "local_secondary_index")
        .iter()
        .filter_map(|index| {
            LocalSecondaryIndex::builder()
                .index_name(index.text("name")?)
                .set_key_schema(Some(keys(
                    text(table, "hash_key"),
                    text(index, "range_key"),
                )))
                .projection(projection(index))
                .build()
                .ok()
        })
        .collect();
    (!indices.is_empty()).then_some(indices)
}

/// How a table is encrypted: with a key of the account where that is enabled.
pub(super) fn encryption(table: &Object) -> SseSpecification {
    let block = block(table, "server_side_encryption").unwrap_or_default();
    let enabled = block.flag("enabled").unwrap_or(false);
    let key = text(&block, "kms_key_arn").filter(|_| enabled);
    SseSpecification::builder()
        .enabled(enabled)
        .set_kms_master_key_id(key.map(str::to_owned))
        .set_sse_type(key.map(|_| SseType::Kms))
        .build()
}

/// What the stream of a table tells.
pub(super) fn stream(table: &Object) -> StreamSpecification {
    let enabled = table.flag("stream_enabled").unwrap_or(false);
    let view = text(table, "stream_view_type").filter(|_| enabled);
    StreamSpecification::builder()
        .stream_enabled(enabled)
        .set_stream_view_type(view.map(|view| StreamViewType::from(view.to_uppercase().as_str())))
        .build()
        .expect("a stream that is enabled or not is complete")
}

/// Tags as DynamoDB takes them.
pub(super) fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .expect("a tag with key and value is complete")
        })
        .collect()
}

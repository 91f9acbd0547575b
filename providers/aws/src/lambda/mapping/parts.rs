//! The blocks of a mapping, as Lambda wants and tells them.

use std::collections::HashMap;

use aws_sdk_lambda::operation::get_event_source_mapping::GetEventSourceMappingOutput as Told;
use aws_sdk_lambda::types::{
    AmazonManagedKafkaEventSourceConfig, DestinationConfig, DocumentDbEventSourceConfig,
    EndPointType, EventSourceMappingMetric, EventSourceMappingMetricsConfig, Filter,
    FilterCriteria, FullDocument, KafkaSchemaRegistryAccessConfig, KafkaSchemaRegistryAuthType,
    KafkaSchemaRegistryConfig, KafkaSchemaValidationAttribute, KafkaSchemaValidationConfig,
    OnFailure, ProvisionedPollerConfig, ScalingConfig, SchemaRegistryEventRecordFormat,
    SelfManagedEventSource, SelfManagedKafkaEventSourceConfig, SourceAccessConfiguration,
    SourceAccessType,
};
use terrace_provider_sdk::{Data as _, Object, Value};

use crate::blocks::{all, block, blocks, count, given, list, number, one, owned, text};
use crate::tags;

pub(super) fn managed_kafka(object: &Object) -> Option<AmazonManagedKafkaEventSourceConfig> {
    let block = one(object, "amazon_managed_kafka_event_source_config")?;
    let config = AmazonManagedKafkaEventSourceConfig::builder()
        .set_consumer_group_id(given(&block, "consumer_group_id"))
        .set_schema_registry_config(registry(&block))
        .build();
    Some(config)
}

pub(super) fn own_kafka(object: &Object) -> Option<SelfManagedKafkaEventSourceConfig> {
    let block = one(object, "self_managed_kafka_event_source_config")?;
    let config = SelfManagedKafkaEventSourceConfig::builder()
        .set_consumer_group_id(given(&block, "consumer_group_id"))
        .set_schema_registry_config(registry(&block))
        .build();
    Some(config)
}

fn registry(object: &Object) -> Option<KafkaSchemaRegistryConfig> {
    let block = one(object, "schema_registry_config")?;
    let access = all(&block, "access_config").into_iter().map(|access| {
        let ty = given(&access, "type");
        KafkaSchemaRegistryAccessConfig::builder()
            .set_type(ty.map(|ty| KafkaSchemaRegistryAuthType::from(ty.as_str())))
            .set_uri(given(&access, "uri"))
            .build()
    });
    let validation = all(&block, "schema_validation_config")
        .into_iter()
        .map(|validation| {
            let attribute = given(&validation, "attribute");
            KafkaSchemaValidationConfig::builder()
                .set_attribute(
                    attribute.map(|name| KafkaSchemaValidationAttribute::from(name.as_str())),
                )
                .build()
        });
    let format = given(&block, "event_record_format");
    let config = KafkaSchemaRegistryConfig::builder()
        .set_schema_registry_uri(given(&block, "schema_registry_uri"))
        .set_event_record_format(
            format.map(|format| SchemaRegistryEventRecordFormat::from(format.as_str())),
        )
        .set_access_configs(Some(access.collect()))
        .set_schema_validation_configs(Some(validation.collect()))
        .build();
    Some(config)
}

pub(super) fn own_source(object: &Object) -> Option<SelfManagedEventSource> {
    let block = one(object, "self_managed_event_source")?;
    let endpoints: HashMap<EndPointType, Vec<String>> = tags::of(block.value("endpoints"))
        .into_iter()
        .map(|(kind, brokers)| {
            let brokers = brokers.split(',').map(str::to_owned).collect();
            (EndPointType::from(kind.as_str()), brokers)
        })
        .collect();
    Some(
        SelfManagedEventSource::builder()
            .set_endpoints(Some(endpoints))
            .build(),
    )
}

pub(super) fn access(object: &Object) -> Option<Vec<SourceAccessConfiguration>> {
    let found: Vec<_> = all(object, "source_access_configuration")
        .iter()
        .map(|access| {
            let ty = given(access, "type");
            SourceAccessConfiguration::builder()
                .set_type(ty.map(|ty| SourceAccessType::from(ty.as_str())))
                .set_uri(given(access, "uri"))
                .build()
        })
        .collect();
    (!found.is_empty()).then_some(found)
}

pub(super) fn document_db(object: &Object) -> Option<DocumentDbEventSourceConfig> {
    let block = one(object, "document_db_event_source_config")?;
    let full = given(&block, "full_document");
    let config = DocumentDbEventSourceConfig::builder()
        .set_database_name(given(&block, "database_name"))
        .set_collection_name(given(&block, "collection_name"))
        .set_full_document(full.map(|full| FullDocument::from(full.as_str())))
        .build();
    Some(config)
}

pub(super) fn destination(object: &Object) -> Option<DestinationConfig> {
    let block = one(object, "destination_config")?;
    let failure = one(&block, "on_failure").map(|failure| {
        OnFailure::builder()
            .set_destination(given(&failure, "destination_arn"))
            .build()
    });
    Some(DestinationConfig::builder().set_on_failure(failure).build())
}

pub(super) fn filters(object: &Object) -> Option<FilterCriteria> {
    let block = one(object, "filter_criteria")?;
    let filters: Vec<Filter> = all(&block, "filter")
        .iter()
        .map(|filter| {
            Filter::builder()
                .set_pattern(given(filter, "pattern"))
                .build()
        })
        .collect();
    let filters = (!filters.is_empty()).then_some(filters);
    Some(FilterCriteria::builder().set_filters(filters).build())
}

pub(super) fn scaling(object: &Object) -> Option<ScalingConfig> {
    let most = one(object, "scaling_config").map(|block| count(&block, "maximum_concurrency"))?;
    Some(
        ScalingConfig::builder()
            .set_maximum_concurrency(most)
            .build(),
    )
}

pub(super) fn metrics(object: &Object) -> Option<EventSourceMappingMetricsConfig> {
    let block = one(object, "metrics_config")?;
    let metrics = owned(&block, "metrics");
    let metrics = metrics
        .iter()
        .map(|metric| EventSourceMappingMetric::from(metric.as_str()));
    let config = EventSourceMappingMetricsConfig::builder()
        .set_metrics(Some(metrics.collect()))
        .build();
    Some(config)
}

/// No metrics.
pub(super) fn no_metrics() -> EventSourceMappingMetricsConfig {
    EventSourceMappingMetricsConfig::builder()
        .set_metrics(Some(Vec::new()))
        .build()
}

pub(super) fn pollers(object: &Object) -> Option<ProvisionedPollerConfig> {
    let block = one(object, "provisioned_poller_config")?;
    let config = ProvisionedPollerConfig::builder()
        .set_minimum_pollers(count(&block, "minimum_pollers"))
        .set_maximum_pollers(count(&block, "maximum_pollers"))
        .set_poller_group_name(given(&block, "poller_group_name"))
        .build();
    Some(config)
}

/// No pollers of its own.
pub(super) fn no_pollers() -> ProvisionedPollerConfig {
    ProvisionedPollerConfig::builder().build()
}

/// What Lambda tells of the blocks.
pub(super) fn told(object: &mut Object, told: &Told) {
    let managed = told
        .amazon_managed_kafka_event_source_config
        .as_ref()
        .map(|config| {
            kafka(
                config.consumer_group_id.as_deref(),
                config.schema_registry_config.as_ref(),
            )
        });
    object.set("amazon_managed_kafka_event_source_config", blocks(managed));
    let own = told
        .self_managed_kafka_event_source_config
        .as_ref()
        .map(|config| {
            kafka(
                config.consumer_group_id.as_deref(),
                config.schema_registry_config.as_ref(),
            )
        });
    object.set("self_managed_kafka_event_source_config", blocks(own));
    let source = told.self_managed_event_source.as_ref().map(|source| {
        let endpoints = source.endpoints.iter().flatten();
        let endpoints: tags::Tags = endpoints
            .map(|(kind, brokers)| (kind.as_str().to_owned(), brokers.join(",")))
            .collect();
        block([("endpoints", endpoints.into_value())])
    });
    object.set("self_managed_event_source", blocks(source));
    let access = told.source_access_configurations().iter().map(|access| {
        block([
            (
                "type",
                text(access.r#type.as_ref().map(SourceAccessType::as_str)),
            ),
            ("uri", text(access.uri.as_deref())),
        ])
    });
    object.set("source_access_configuration", blocks(access));
    let documents = told.document_db_event_source_config.as_ref().map(|config| {
        block([
            ("collection_name", text(config.collection_name.as_deref())),
            ("database_name", text(config.database_name.as_deref())),
            (
                "full_document",
                text(config.full_document.as_ref().map(FullDocument::as_str)),
            ),
        ])
    });
    object.set("document_db_event_source_config", blocks(documents));
    told_more(object, told);
}

fn told_more(object: &mut Object, told: &Told) {
    let failure = told
        .destination_config
        .as_ref()
        .and_then(|config| config.on_failure.as_ref());
    let destination = failure.map(|failure| {
        let arn = block([("destination_arn", text(failure.destination.as_deref()))]);
        block([("on_failure", blocks([arn]))])
    });
    object.set("destination_config", blocks(destination));
    let filters = told
        .filter_criteria
        .as_ref()
        .filter(|criteria| !criteria.filters().is_empty());
    let filters = filters.map(|criteria| {
        let patterns = criteria
            .filters()
            .iter()
            .map(|filter| block([("pattern", text(filter.pattern.as_deref()))]));
        block([("filter", blocks(patterns))])
    });
    object.set("filter_criteria", blocks(filters));
    let scaling = told
        .scaling_config
        .as_ref()
        .and_then(|scaling| scaling.maximum_concurrency);
    let scaling = scaling.map(|most| block([("maximum_concurrency", Value::int(most.into()))]));
    object.set("scaling_config", blocks(scaling));
    let metrics = told
        .metrics_config
        .as_ref()
        .map(EventSourceMappingMetricsConfig::metrics);
    let metrics = metrics
        .filter(|metrics| !metrics.is_empty())
        .map(|metrics| {
            let names: Vec<&str> = metrics
                .iter()
                .map(EventSourceMappingMetric::as_str)
                .collect();
            block([("metrics", list(&names))])
        });
    object.set("metrics_config", blocks(metrics));
    let pollers = told.provisioned_poller_config.as_ref().map(|pollers| {
        block([
            ("maximum_pollers", number(pollers.maximum_pollers)),
            ("minimum_pollers", number(pollers.minimum_pollers)),
            (
                "poller_group_name",
                text(pollers.poller_group_name.as_deref()),
            ),
        ])
    });
    object.set("provisioned_poller_config", blocks(pollers));
}

fn kafka(group: Option<&str>, registry: Option<&KafkaSchemaRegistryConfig>) -> Value {
    let registry = registry.map(|registry| {
        let access = registry.access_configs().iter().map(|access| {
            block([
                (
                    "type",
                    text(
                        access
                            .r#type
                            .as_ref()
                            .map(KafkaSchemaRegistryAuthType::as_str),
                    ),
                ),
                ("uri", text(access.uri.as_deref())),
            ])
        });
        let validation = registry
            .schema_validation_configs()
            .iter()
            .map(|validation| {
                let attribute = validation.attribute.as_ref();
                block([(
                    "attribute",
                    text(attribute.map(KafkaSchemaValidationAttribute::as_str)),
                )])
            });
        let format = registry.event_record_format.as_ref();
        block([
            (
                "event_record_format",
                text(format.map(SchemaRegistryEventRecordFormat::as_str)),
            ),
            (
                "schema_registry_uri",
                text(registry.schema_registry_uri.as_deref()),
            ),
            ("access_config", blocks(access)),
            ("schema_validation_config", blocks(validation)),
        ])
    });
    block([
        ("consumer_group_id", text(group)),
        ("schema_registry_config", blocks(registry)),
    ])
}

//! `aws_lambda_event_source_mapping`.

mod parts;

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::operation::get_event_source_mapping::GetEventSourceMappingOutput as Told;
use aws_sdk_lambda::types::{
    EventSourcePosition, FilterCriteria, FunctionResponseType, ScalingConfig,
};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use terrace_provider_sdk::{
    Change as Planned, Diagnostics, Object, Outcome, Schema, Value, attribute, validate,
};

use super::{GONE, PROPAGATION, by_name_or_arn};
use crate::blocks::{count, given, list, or_empty, owned, small};
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::retry::says;
use crate::shape::Behaviour as _;
use crate::tags::{self, Tags};

/// How long a mapping may take to be made or changed, and to go.
const CHANGE: Duration = Duration::from_mins(10);
const END: Duration = Duration::from_mins(5);

#[derive(Default)]
pub(crate) struct EventSourceMapping;

#[async_trait]
impl Kind for EventSourceMapping {
    const NAME: &'static str = "aws_lambda_event_source_mapping";
    const WHAT: &'static str = "Lambda Event Source Mapping";

    fn behave(&self, shape: Schema) -> Schema {
        let group = |config: Schema| config.replaces(&["consumer_group_id"]);
        shape
            .replaces(&[
                "event_source_arn",
                "queues",
                "starting_position",
                "starting_position_timestamp",
                "topics",
            ])
            .defaults_to_bool(&[("enabled", true)])
            .fills_in(&[
                "amazon_managed_kafka_event_source_config",
                "self_managed_kafka_event_source_config",
            ])
            .change("function_name", by_name_or_arn)
            .change("batch_size", |size| size.modify(usual_size))
            .change("maximum_retry_attempts", |count| {
                count.validate(validate::between(-1..=10_000))
            })
            .change("parallelization_factor", |factor| {
                factor.validate(validate::between(1..=10))
            })
            .change("tumbling_window_in_seconds", |window| {
                window.validate(validate::between(0..=900))
            })
            .within("amazon_managed_kafka_event_source_config", group)
            .within("self_managed_kafka_event_source_config", group)
            .within("self_managed_event_source", |source| {
                source
                    .replaces(&["endpoints"])
                    .change("endpoints", |endpoints| endpoints.modify(same_brokers))
            })
            .within("document_db_event_source_config", |source| {
                source.defaults_to_text(&[("full_document", "Default")])
            })
            .within("scaling_config", |scaling| {
                scaling.change("maximum_concurrency", |most| {
                    most.validate(validate::at_least(2))
                })
            })
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        let sources = ["event_source_arn", "self_managed_event_source"];
        if !sources.iter().all(|name| config.is_known(name)) {
            return;
        }
        let own = !config.items("self_managed_event_source").is_empty();
        if config.is_set("event_source_arn") == own {
            diagnostics.error_at(
                attribute("event_source_arn"),
                "Invalid combination of arguments",
                "A mapping has one source: set event_source_arn for one of AWS, or self_managed_event_source for a cluster of one's own, and not both.",
            );
        }
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let text = |name: &str| given(planned, name);
        let start = text("starting_position_timestamp")
            .and_then(|time| DateTime::from_str(&time, Format::DateTimeWithOffset).ok());
        let types = response_types(planned);
        let request = context
            .client
            .lambda(&context.region)
            .create_event_source_mapping()
            .function_name(text("function_name").unwrap_or_default())
            .enabled(planned.flag("enabled").unwrap_or(true))
            .set_event_source_arn(text("event_source_arn"))
            .set_amazon_managed_kafka_event_source_config(parts::managed_kafka(planned))
            .set_self_managed_kafka_event_source_config(parts::own_kafka(planned))
            .set_self_managed_event_source(parts::own_source(planned))
            .set_source_access_configurations(parts::access(planned))
            .set_document_db_event_source_config(parts::document_db(planned))
            .set_destination_config(parts::destination(planned))
            .set_filter_criteria(parts::filters(planned))
            .set_scaling_config(parts::scaling(planned))
            .set_metrics_config(parts::metrics(planned))
            .set_provisioned_poller_config(parts::pollers(planned))
            .set_batch_size(count(planned, "batch_size"))
            .set_bisect_batch_on_function_error(
                planned
                    .flag("bisect_batch_on_function_error")
                    .filter(|bisect| *bisect),
            )
            .set_function_response_types((!types.is_empty()).then_some(types))
            .set_kms_key_arn(text("kms_key_arn"))
            .set_maximum_batching_window_in_seconds(count(
                planned,
                "maximum_batching_window_in_seconds",
            ))
            .set_maximum_record_age_in_seconds(count(planned, "maximum_record_age_in_seconds"))
            .set_maximum_retry_attempts(small(planned, "maximum_retry_attempts"))
            .set_parallelization_factor(count(planned, "parallelization_factor"))
            .set_tumbling_window_in_seconds(count(planned, "tumbling_window_in_seconds"))
            .set_queues(Some(owned(planned, "queues")).filter(|queues| !queues.is_empty()))
            .set_topics(Some(owned(planned, "topics")).filter(|topics| !topics.is_empty()))
            .set_starting_position(
                text("starting_position").map(|at| EventSourcePosition::from(at.as_str())),
            )
            .set_starting_position_timestamp(start)
            .set_tags(Some(tags::planned(planned).into_iter().collect()));
        let source = text("event_source_arn").unwrap_or_else(|| "Self-Managed Apache Kafka".into());
        let answer = context
            .patience(PROPAGATION)
            .again(passes, || request.clone().send())
            .await
            .when(
                "creating",
                &Self::subject(source),
                "lambda:CreateEventSourceMapping",
            )?;
        let id = or_empty(answer.uuid);
        context.made(&id);
        settled(context, &id).await?;
        Ok(id)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let uuid = id(state);
        let subject = Self::subject(uuid);
        let Some(told) = fetch(context, uuid).await? else {
            return Ok(None);
        };
        let mut object = Object::new();
        facts(&mut object, &told);
        parts::told(&mut object, &told);
        let arn = or_empty(told.event_source_mapping_arn);
        let answer = context
            .client
            .lambda(&context.region)
            .list_tags()
            .resource(&arn)
            .send()
            .await
            .unless_gone(&GONE, "reading the tags of", &subject, "lambda:ListTags")?;
        let tags = answer.and_then(|answer| answer.tags).unwrap_or_default();
        object.set("tags_all", tags.into_iter().collect::<Tags>());
        object.set("arn", arn);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let subject = Self::subject(change.id());
        let unchanged = ["tags", "tags_all"];
        let entries = change.planned.entries().keys();
        let names: Vec<&str> = entries
            .map(|name| &**name)
            .filter(|name| !unchanged.contains(name))
            .collect();
        if change.of(&names) {
            edit(context, change, &subject).await?;
        }
        match change.tags() {
            Some(tags) => {
                let arn = or_empty(change.prior.text("arn"));
                super::tag(context, &arn, tags, &subject).await
            }
            None => Ok(()),
        }
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let uuid = id(state);
        let subject = Self::subject(uuid);
        let request = context
            .client
            .lambda(&context.region)
            .delete_event_source_mapping()
            .uuid(uuid);
        context
            .patience(END)
            .again(
                |error| is_one_of(error, &["ResourceInUseException"]),
                || request.clone().send(),
            )
            .await
            .unless_gone(
                &GONE,
                "deleting",
                &subject,
                "lambda:DeleteEventSourceMapping",
            )?;
        let gone = async || match fetch(context, uuid).await? {
            Some(_) => Ok(None),
            None => Ok(Some(())),
        };
        context.patience(END).until(&subject, "deleted", gone).await
    }
}

/// Whether Lambda refused since the role of the function is young.
fn passes<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    [
        "cannot be assumed by Lambda",
        "execution role does not have permissions",
        "ensure the role can perform",
    ]
    .iter()
    .any(|message| says(error, "InvalidParameterValueException", message))
}

/// How many records come at once where nobody says so depends on the source, and is no change.
fn usual_size(change: &mut Planned<'_>) {
    let says_nothing = change.planned.is_null()
        || change
            .planned
            .as_number()
            .and_then(terrace_provider_sdk::Number::to_i64)
            == Some(0);
    let before = change
        .prior
        .as_number()
        .and_then(terrace_provider_sdk::Number::to_i64);
    if !says_nothing || before.is_none() {
        return;
    }
    let arn = change
        .config_object
        .text("event_source_arn")
        .unwrap_or_default();
    let usual = match arn.split(':').nth(2) {
        Some("sqs") => Some(10),
        Some("dynamodb" | "kinesis" | "kafka" | "mq" | "rds") => Some(100),
        Some(_) => None,
        None => Some(100),
    };
    if before == usual {
        change.planned = Value::clone(change.prior);
    }
}

/// Lambda tells brokers in an order of its own.
fn same_brokers(change: &mut Planned<'_>) {
    let sorted = |endpoints: &Value| -> Option<Vec<(String, Vec<String>)>> {
        let entries = endpoints.as_entries()?;
        let mut found = Vec::new();
        for (kind, brokers) in entries {
            let mut brokers: Vec<String> =
                brokers.as_str()?.split(',').map(str::to_owned).collect();
            brokers.sort();
            found.push((kind.to_string(), brokers));
        }
        Some(found)
    };
    if sorted(change.prior).is_some() && sorted(change.prior) == sorted(&change.planned) {
        change.planned = Value::clone(change.prior);
    }
}

fn response_types(planned: &Object) -> Vec<FunctionResponseType> {
    let names = planned.texts("function_response_types");
    names.into_iter().map(FunctionResponseType::from).collect()
}

/// Changes what changes.
async fn edit(context: &Context, change: Change<'_>, subject: &Subject) -> Outcome<()> {
    let planned = change.planned;
    let changed = |name: &str| change.of(&[name]);
    let number = |name: &str| changed(name).then(|| small(planned, name).unwrap_or_default());
    let text = |name: &str| changed(name).then(|| or_empty(planned.text(name)));
    let no_filters = || FilterCriteria::builder().build();
    let no_scaling = || ScalingConfig::builder().build();
    let request = context
        .client
        .lambda(&context.region)
        .update_event_source_mapping()
        .uuid(change.id())
        .set_function_name(text("function_name"))
        .set_kms_key_arn(text("kms_key_arn"))
        .set_enabled(planned.flag("enabled").filter(|_| changed("enabled")))
        .set_batch_size(number("batch_size"))
        .set_bisect_batch_on_function_error(changed("bisect_batch_on_function_error").then(|| {
            planned
                .flag("bisect_batch_on_function_error")
                .unwrap_or(false)
        }))
        .set_maximum_batching_window_in_seconds(number("maximum_batching_window_in_seconds"))
        .set_maximum_record_age_in_seconds(number("maximum_record_age_in_seconds"))
        .set_maximum_retry_attempts(number("maximum_retry_attempts"))
        .set_parallelization_factor(number("parallelization_factor"))
        .set_tumbling_window_in_seconds(number("tumbling_window_in_seconds"))
        .set_function_response_types(
            changed("function_response_types").then(|| response_types(planned)),
        )
        .set_filter_criteria(
            changed("filter_criteria").then(|| parts::filters(planned).unwrap_or_else(no_filters)),
        )
        .set_scaling_config(
            changed("scaling_config").then(|| parts::scaling(planned).unwrap_or_else(no_scaling)),
        )
        .set_destination_config(
            parts::destination(planned).filter(|_| changed("destination_config")),
        )
        .set_document_db_event_source_config(
            parts::document_db(planned).filter(|_| changed("document_db_event_source_config")),
        )
        .set_metrics_config(
            changed("metrics_config")
                .then(|| parts::metrics(planned).unwrap_or_else(parts::no_metrics)),
        )
        .set_provisioned_poller_config(
            changed("provisioned_poller_config")
                .then(|| parts::pollers(planned).unwrap_or_else(parts::no_pollers)),
        )
        .set_amazon_managed_kafka_event_source_config(
            parts::managed_kafka(planned)
                .filter(|_| changed("amazon_managed_kafka_event_source_config")),
        )
        .set_self_managed_kafka_event_source_config(
            parts::own_kafka(planned).filter(|_| changed("self_managed_kafka_event_source_config")),
        )
        .set_source_access_configurations(
            changed("source_access_configuration")
                .then(|| parts::access(planned).unwrap_or_default()),
        );
    context
        .patience(PROPAGATION)
        .again(
            |error| passes(error) || is_one_of(error, &["ResourceInUseException"]),
            || request.clone().send(),
        )
        .await
        .when("updating", subject, "lambda:UpdateEventSourceMapping")?;
    settled(context, change.id()).await
}

async fn fetch(context: &Context, uuid: &str) -> Outcome<Option<Told>> {
    context
        .client
        .lambda(&context.region)
        .get_event_source_mapping()
        .uuid(uuid)
        .send()
        .await
        .unless_gone(
            &GONE,
            "reading",
            &EventSourceMapping::subject(uuid),
            "lambda:GetEventSourceMapping",
        )
}

/// Waits until a mapping does what it is to do.
async fn settled(context: &Context, uuid: &str) -> Outcome<()> {
    let look = async || {
        let told = fetch(context, uuid).await?;
        let state = told.and_then(|told| told.state);
        Ok(matches!(state.as_deref(), Some("Enabled" | "Disabled")).then_some(()))
    };
    let subject = EventSourceMapping::subject(uuid);
    context
        .patience(CHANGE)
        .until(&subject, "enabled or disabled", look)
        .await
}

fn date(told: Option<&DateTime>) -> String {
    let time = told.and_then(|told| DateTime::from_secs(told.secs()).fmt(Format::DateTime).ok());
    time.unwrap_or_default()
}

/// What Lambda tells, but for blocks.
fn facts(object: &mut Object, told: &Told) {
    object.set("batch_size", told.batch_size);
    object.set(
        "bisect_batch_on_function_error",
        told.bisect_batch_on_function_error.unwrap_or(false),
    );
    object.set(
        "event_source_arn",
        or_empty(told.event_source_arn.as_deref()),
    );
    object.set("function_arn", told.function_arn.clone());
    object.set("function_name", told.function_arn.clone());
    let types: Vec<&str> = told
        .function_response_types()
        .iter()
        .map(FunctionResponseType::as_str)
        .collect();
    object.set("function_response_types", list(&types));
    object.set("kms_key_arn", or_empty(told.kms_key_arn.as_deref()));
    object.set("last_modified", date(told.last_modified.as_ref()));
    object.set(
        "last_processing_result",
        or_empty(told.last_processing_result.as_deref()),
    );
    for (name, number) in [
        (
            "maximum_batching_window_in_seconds",
            told.maximum_batching_window_in_seconds,
        ),
        (
            "maximum_record_age_in_seconds",
            told.maximum_record_age_in_seconds,
        ),
        ("maximum_retry_attempts", told.maximum_retry_attempts),
        ("parallelization_factor", told.parallelization_factor),
        (
            "tumbling_window_in_seconds",
            told.tumbling_window_in_seconds,
        ),
    ] {
        object.set(name, number.unwrap_or_default());
    }
    object.set("queues", list(told.queues()));
    object.set("topics", list(told.topics()));
    object.set(
        "starting_position",
        or_empty(
            told.starting_position
                .as_ref()
                .map(EventSourcePosition::as_str),
        ),
    );
    object.set(
        "starting_position_timestamp",
        date(told.starting_position_timestamp.as_ref()),
    );
    object.set("state", told.state.clone());
    object.set(
        "state_transition_reason",
        or_empty(told.state_transition_reason.as_deref()),
    );
    object.set("uuid", told.uuid.clone());
    match told.state.as_deref() {
        Some("Enabled" | "Enabling") => object.set("enabled", true),
        Some("Disabled" | "Disabling") => object.set("enabled", false),
        _ => {}
    }
}

//! `aws_cloudwatch_metric_alarm`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, Dimension, Metric, MetricAlarm as Told, MetricDataQuery,
    MetricStat, StandardUnit, Statistic, Tag,
};
use terrace_provider_sdk::{
    Attribute, Diagnostics, Number, Object, Outcome, Schema, attribute, validate,
};

use crate::blocks;
use crate::failure::{Answered as _, Subject};
use crate::kind::{Change, Context, Kind, id};
use crate::shape::Behaviour as _;
use crate::tags::{self, TagChange, Tags};

/// What CloudWatch says of an alarm that is not there.
const GONE: [&str; 3] = [
    "ResourceNotFound",
    "ResourceNotFoundException",
    "NoSuchAlarm",
];

/// The metrics that an alarm is reckoned from.
const QUERIES: &str = "metric_query";

/// What CloudWatch does with an alarm when data is missing, unless somebody says.
const MISSING: &str = "missing";

/// The arguments that are not the alarm's tags.
const SETTINGS: [&str; 20] = [
    "actions_enabled",
    "alarm_actions",
    "alarm_description",
    "comparison_operator",
    "datapoints_to_alarm",
    "dimensions",
    "evaluate_low_sample_count_percentiles",
    "evaluation_periods",
    "extended_statistic",
    "insufficient_data_actions",
    "metric_name",
    QUERIES,
    "namespace",
    "ok_actions",
    "period",
    "statistic",
    "threshold",
    "threshold_metric_id",
    "treat_missing_data",
    "unit",
];

#[derive(Default)]
pub(crate) struct MetricAlarm;

#[async_trait]
impl Kind for MetricAlarm {
    const NAME: &'static str = "aws_cloudwatch_metric_alarm";
    const WHAT: &'static str = "CloudWatch Metric Alarm";
    const ID_OF: Option<(&'static [&'static str], &'static str)> = Some((&["alarm_name"], ""));

    fn behave(&self, shape: Schema) -> Schema {
        let at_least_one = |number: Attribute| number.validate(validate::at_least(1));
        shape
            .replaces(&["alarm_name"])
            .defaults_to_bool(&[("actions_enabled", true)])
            .defaults_to_text(&[("treat_missing_data", MISSING)])
            .within(QUERIES, |query| {
                query.defaults_to_bool(&[("return_data", false)])
            })
            .change("alarm_name", |name| {
                name.validate(validate::length(1..=255))
            })
            .change("alarm_description", |text| {
                text.validate(validate::length(0..=1024))
            })
            .change("comparison_operator", |operator| {
                operator.validate(validate::one_of([
                    "GreaterThanOrEqualToThreshold",
                    "GreaterThanThreshold",
                    "LessThanThreshold",
                    "LessThanOrEqualToThreshold",
                    "LessThanLowerOrGreaterThanUpperThreshold",
                    "LessThanLowerThreshold",
                    "GreaterThanUpperThreshold",
                ]))
            })
            .change("datapoints_to_alarm", at_least_one)
            .change("evaluation_periods", at_least_one)
            .change("statistic", |statistic| {
                statistic
                    .validate(validate::conflicts_with(["extended_statistic"]))
                    .validate(validate::one_of([
                        "SampleCount",
                        "Average",
                        "Sum",
                        "Minimum",
                        "Maximum",
                    ]))
            })
            .change("threshold", |threshold| {
                threshold.validate(validate::conflicts_with(["threshold_metric_id"]))
            })
            .change("treat_missing_data", |treat| {
                treat.validate(validate::one_of([
                    "breaching",
                    "ignore",
                    MISSING,
                    "notBreaching",
                ]))
            })
            .change("evaluate_low_sample_count_percentiles", |evaluate| {
                evaluate.validate(validate::one_of(["evaluate", "ignore"]))
            })
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        let statistic = config.is_set("statistic") || config.is_set("extended_statistic");
        if config.is_set("metric_name") && !statistic {
            diagnostics.error_at(
                attribute("metric_name"),
                "Missing required argument",
                "An alarm of one metric needs statistic or extended_statistic: what is made of its values in each period.",
            );
        }
        let queries = blocks::all(config, QUERIES);
        let of_one = [
            "metric_name",
            "namespace",
            "period",
            "statistic",
            "extended_statistic",
            "dimensions",
        ];
        if !queries.is_empty()
            && let Some(name) = of_one.into_iter().find(|name| config.is_set(name))
        {
            diagnostics.error_at(
                attribute(name),
                "Invalid combination of arguments",
                format!("{name} is for alarms of one metric, and this one has metric_query blocks: say it within their metric blocks."),
            );
        }
        for query in queries {
            if query.is_set("expression") && !query.items("metric").is_empty() {
                diagnostics.error_at(
                    attribute(QUERIES),
                    "Invalid combination of arguments",
                    format!(
                        "The metric_query {} is either a metric or an expression over others.",
                        query.text("id").unwrap_or_default()
                    ),
                );
            }
        }
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let name = planned.text("alarm_name").unwrap_or_default();
        let tags = tags::planned(planned);
        request(context, planned)
            .set_tags((!tags.is_empty()).then(|| sdk_tags(&tags)))
            .send()
            .await
            .when(
                "creating",
                &Self::subject(name),
                "cloudwatch:PutMetricAlarm",
            )?;
        Ok(name.to_owned())
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let name = id(state);
        let subject = Self::subject(name);
        let Some(told) = find(context, name, &subject).await? else {
            return Ok(None);
        };
        let mut object = facts(&told);
        let arn = told.alarm_arn.unwrap_or_default();
        let Some(tags) = tags_of(context, &arn, &subject).await? else {
            return Ok(None);
        };
        object.set("arn", arn);
        object.set("tags_all", tags);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let subject = Self::subject(change.id());
        if change.of(&SETTINGS) {
            request(context, change.planned).send().await.when(
                "updating",
                &subject,
                "cloudwatch:PutMetricAlarm",
            )?;
        }
        match change.tags() {
            Some(tags) => {
                let arn = change.prior.text("arn").unwrap_or_default();
                tag(context, arn, &tags, &subject).await
            }
            None => Ok(()),
        }
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let name = id(state);
        context
            .client
            .cloudwatch(&context.region)
            .delete_alarms()
            .alarm_names(name)
            .send()
            .await
            .unless_gone(
                &GONE,
                "deleting",
                &Self::subject(name),
                "cloudwatch:DeleteAlarms",
            )?;
        Ok(())
    }
}

/// An alarm by its name; `None` when there is none.
async fn find(context: &Context, name: &str, subject: &Subject) -> Outcome<Option<Told>> {
    let answer = context
        .client
        .cloudwatch(&context.region)
        .describe_alarms()
        .alarm_names(name)
        .alarm_types(AlarmType::MetricAlarm)
        .send()
        .await
        .unless_gone(&GONE, "reading", subject, "cloudwatch:DescribeAlarms")?;
    let alarms = answer
        .and_then(|answer| answer.metric_alarms)
        .unwrap_or_default();
    Ok(alarms
        .into_iter()
        .find(|alarm| alarm.alarm_name.as_deref() == Some(name)))
}

/// All that an alarm is, but its tags.
fn request(context: &Context, planned: &Object) -> PutMetricAlarmFluentBuilder {
    let text = |name: &str| blocks::given(planned, name);
    let actions = |name: &str| blocks::texts(planned, name);
    let queries: Vec<MetricDataQuery> = blocks::all(planned, QUERIES).iter().map(query).collect();
    let reckoned = text("threshold_metric_id");
    let threshold = planned.value("threshold").as_number().map(Number::to_f64);
    context
        .client
        .cloudwatch(&context.region)
        .put_metric_alarm()
        .alarm_name(planned.text("alarm_name").unwrap_or_default())
        .actions_enabled(planned.flag("actions_enabled").unwrap_or(true))
        .set_alarm_actions(actions("alarm_actions"))
        .set_ok_actions(actions("ok_actions"))
        .set_insufficient_data_actions(actions("insufficient_data_actions"))
        .set_alarm_description(text("alarm_description"))
        .set_comparison_operator(
            text("comparison_operator").map(|text| ComparisonOperator::from(text.as_str())),
        )
        .set_datapoints_to_alarm(blocks::count(planned, "datapoints_to_alarm"))
        .set_evaluation_periods(blocks::count(planned, "evaluation_periods"))
        .set_evaluate_low_sample_count_percentile(text("evaluate_low_sample_count_percentiles"))
        .set_extended_statistic(text("extended_statistic"))
        .set_metric_name(text("metric_name"))
        .set_namespace(text("namespace"))
        .set_period(blocks::count(planned, "period"))
        .set_statistic(text("statistic").map(|text| Statistic::from(text.as_str())))
        .set_unit(text("unit").map(|text| StandardUnit::from(text.as_str())))
        .set_dimensions(dimensions(planned))
        .set_metrics((!queries.is_empty()).then_some(queries))
        .set_threshold(if reckoned.is_some() {
            None
        } else {
            Some(threshold.unwrap_or(0.0))
        })
        .set_threshold_metric_id(reckoned)
        .set_treat_missing_data(text("treat_missing_data"))
}

fn dimensions(of: &Object) -> Option<Vec<Dimension>> {
    let dimensions: Vec<Dimension> = tags::of(of.value("dimensions"))
        .into_iter()
        .map(|(name, value)| Dimension::builder().name(name).value(value).build())
        .collect();
    (!dimensions.is_empty()).then_some(dimensions)
}

fn query(query: &Object) -> MetricDataQuery {
    let metric = blocks::one(query, "metric").map(|metric| {
        let of = Metric::builder()
            .set_metric_name(blocks::given(&metric, "metric_name"))
            .set_namespace(blocks::given(&metric, "namespace"))
            .set_dimensions(dimensions(&metric))
            .build();
        MetricStat::builder()
            .metric(of)
            .set_period(blocks::count(&metric, "period"))
            .set_stat(blocks::given(&metric, "stat"))
            .set_unit(blocks::given(&metric, "unit").map(|unit| StandardUnit::from(unit.as_str())))
            .build()
    });
    MetricDataQuery::builder()
        .set_id(blocks::given(query, "id"))
        .set_expression(blocks::given(query, "expression"))
        .set_label(blocks::given(query, "label"))
        .return_data(query.flag("return_data").unwrap_or(false))
        .set_metric_stat(metric)
        .build()
}

fn facts(told: &Told) -> Object {
    let mut object = Object::new();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let actions = |told: &[String]| told.iter().cloned().collect::<BTreeSet<String>>();
    object.set("alarm_name", told.alarm_name.clone());
    object.set("actions_enabled", told.actions_enabled.unwrap_or(true));
    object.set("alarm_actions", actions(told.alarm_actions()));
    object.set("ok_actions", actions(told.ok_actions()));
    object.set(
        "insufficient_data_actions",
        actions(told.insufficient_data_actions()),
    );
    object.set("alarm_description", text(&told.alarm_description));
    object.set(
        "comparison_operator",
        told.comparison_operator
            .as_ref()
            .map(|operator| operator.as_str().to_owned()),
    );
    object.set("datapoints_to_alarm", told.datapoints_to_alarm.unwrap_or(0));
    object.set("dimensions", by_name(told.dimensions()));
    object.set(
        "evaluate_low_sample_count_percentiles",
        text(&told.evaluate_low_sample_count_percentile),
    );
    object.set("evaluation_periods", told.evaluation_periods);
    object.set("extended_statistic", text(&told.extended_statistic));
    object.set("metric_name", text(&told.metric_name));
    object.set("namespace", text(&told.namespace));
    object.set("period", told.period.unwrap_or(0));
    object.set(
        "statistic",
        told.statistic
            .as_ref()
            .map_or("", |statistic| statistic.as_str()),
    );
    object.set("threshold", told.threshold.unwrap_or(0.0));
    object.set("threshold_metric_id", text(&told.threshold_metric_id));
    object.set(
        "treat_missing_data",
        told.treat_missing_data.as_deref().unwrap_or(MISSING),
    );
    object.set("unit", told.unit.as_ref().map_or("", |unit| unit.as_str()));
    let queries = told.metrics().iter().map(|told| {
        let mut query = Object::new();
        query.set("id", text(&told.id));
        query.set("expression", text(&told.expression));
        query.set("label", text(&told.label));
        query.set("return_data", told.return_data.unwrap_or(false));
        let metric = told.metric_stat.iter().map(|told| {
            let mut metric = Object::new();
            let of = told.metric.as_ref();
            metric.set("metric_name", of.map(|of| text(&of.metric_name)));
            metric.set("namespace", of.map(|of| text(&of.namespace)));
            metric.set(
                "dimensions",
                by_name(of.map(Metric::dimensions).unwrap_or_default()),
            );
            metric.set("period", told.period);
            metric.set("stat", text(&told.stat));
            metric.set("unit", told.unit.as_ref().map_or("", |unit| unit.as_str()));
            metric
        });
        query.set("metric", metric.collect::<Vec<_>>());
        query
    });
    object.set(QUERIES, queries.collect::<Vec<_>>());
    object
}

fn by_name(dimensions: &[Dimension]) -> Tags {
    let dimensions = dimensions.iter();
    dimensions
        .map(|told| {
            (
                told.name.clone().unwrap_or_default(),
                told.value.clone().unwrap_or_default(),
            )
        })
        .collect()
}

/// The tags of an alarm; `None` when it is gone.
async fn tags_of(context: &Context, arn: &str, subject: &Subject) -> Outcome<Option<Tags>> {
    let answer = context
        .client
        .cloudwatch(&context.region)
        .list_tags_for_resource()
        .resource_arn(arn)
        .send()
        .await
        .unless_gone(
            &GONE,
            "reading the tags of",
            subject,
            "cloudwatch:ListTagsForResource",
        )?;
    Ok(answer.map(|answer| {
        let tags = answer.tags.unwrap_or_default().into_iter();
        tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
            .collect()
    }))
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    let tags = tags.iter();
    tags.map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}

async fn tag(context: &Context, arn: &str, change: &TagChange, subject: &Subject) -> Outcome<()> {
    let cloudwatch = context.client.cloudwatch(&context.region);
    if !change.gone.is_empty() {
        cloudwatch
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(change.gone.clone()))
            .send()
            .await
            .when("untagging", subject, "cloudwatch:UntagResource")?;
    }
    if !change.set.is_empty() {
        cloudwatch
            .tag_resource()
            .resource_arn(arn)
            .set_tags(Some(sdk_tags(&change.set)))
            .send()
            .await
            .when("tagging", subject, "cloudwatch:TagResource")?;
    }
    Ok(())
}

//! `aws_s3_bucket_lifecycle_configuration`, which hashicorp/aws has on the newer plugin framework: what it computes, it says in
//! the plan.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus,
    LifecycleExpiration, LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter,
    NoncurrentVersionExpiration, NoncurrentVersionTransition, Tag, Transition,
    TransitionDefaultMinimumObjectSize, TransitionStorageClass,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use terrace_provider_sdk::{
    Attribute, Data as _, Diagnostics, Object, Outcome, Plan, Schema, Type, Value, attribute,
    validate,
};

use super::legacy::rule_prefix;
use super::place::Bucket;
use super::setting::Setting;
use crate::blocks::{all, block, blocks, given, number, number_or_null, one, text};
use crate::client::Client;
use crate::shape::Behaviour as _;
use crate::tags;
use crate::timeouts;

const GONE: &str = "NoSuchLifecycleConfiguration";

/// From which size on objects move by themselves, where nobody says.
const USUAL_SIZE: &str = "all_storage_classes_128K";

/// How long S3 may take to tell of rules as they were written.
const UNTIL_TOLD: Duration = Duration::from_mins(3);

#[derive(Default)]
pub(crate) struct Lifecycle;

/// What is not configured is this, as states have it.
fn where_silent(value: Value) -> impl FnOnce(Attribute) -> Attribute {
    move |attribute| {
        attribute.modify(move |change| {
            if change.config.is_null() {
                change.planned = value.clone();
            }
        })
    }
}

#[async_trait]
impl Setting for Lifecycle {
    const NAME: &'static str = "aws_s3_bucket_lifecycle_configuration";
    const WHAT: &'static str = "S3 Bucket Lifecycle Configuration";
    const LEGACY: bool = false;

    fn behave(shape: Schema) -> Schema {
        let sizes = [USUAL_SIZE, "varies_by_storage_class"];
        shape
            .change("id", Attribute::keep)
            .change("expected_bucket_owner", where_silent(Value::string("")))
            .change("transition_default_minimum_object_size", |size| {
                where_silent(Value::string(USUAL_SIZE))(size.validate(validate::one_of(sizes)))
            })
            .change_block("rule", |rule| {
                rule.validate(validate::size(1..=1000))
                    .within(rule_behaviour)
            })
    }

    fn validate(config: &Object, diagnostics: &mut Diagnostics) {
        for rule in all(config, "rule") {
            let id = rule.text("id").unwrap_or_default();
            for transition in all(&rule, "transition") {
                if transition.is_set("days") && transition.is_set("date") {
                    diagnostics.error_at(
                        attribute("rule"),
                        "Invalid combination of arguments",
                        format!("A transition of the rule {id:?} has both days and date: leave one of them out."),
                    );
                }
            }
        }
    }

    fn plan(plan: &mut Plan<Client>) {
        let (Some(planned), Some(config)) = (&mut plan.planned, &plan.config) else {
            return;
        };
        let rules = planned.items("rule").iter().zip(config.items("rule"));
        let rules: Vec<Value> = rules
            .map(|(planned, config)| planned_rule(planned, config))
            .collect();
        if !planned.value("rule").is_known() || rules.len() != planned.items("rule").len() {
            return;
        }
        planned.set("rule", blocks(rules));
        if let (Some(bucket), true) = (
            planned.text("bucket"),
            planned.is_known("expected_bucket_owner"),
        ) {
            let id = match given(planned, "expected_bucket_owner") {
                Some(owner) => format!("{bucket},{owner}"),
                None => bucket.to_owned(),
            };
            planned.set("id", id);
        }
    }

    async fn put(bucket: &Bucket<'_>, planned: &Object, doing: &'static str) -> Outcome<()> {
        let rules: Vec<LifecycleRule> = all(planned, "rule").iter().map(rule).collect();
        let settings = BucketLifecycleConfiguration::builder()
            .set_rules(Some(rules.clone()))
            .build()
            .expect("a configuration with rules is complete");
        let size = given(planned, "transition_default_minimum_object_size");
        let size = size.map(|size| TransitionDefaultMinimumObjectSize::from(size.as_str()));
        bucket
            .change(doing, "s3:PutLifecycleConfiguration", || {
                bucket
                    .s3
                    .put_bucket_lifecycle_configuration()
                    .bucket(&bucket.name)
                    .set_expected_bucket_owner(bucket.owner.clone())
                    .set_transition_default_minimum_object_size(size.clone())
                    .lifecycle_configuration(settings.clone())
                    .send()
            })
            .await?;
        let operation = if doing == "creating" {
            "create"
        } else {
            "update"
        };
        let wanted: Vec<Value> = rules.iter().map(told_rule).collect();
        bucket
            .context
            .patience(timeouts::of(planned, operation, UNTIL_TOLD))
            .until(&bucket.subject, "told by S3 as it was written", || async {
                let told = fetch(bucket).await?.unwrap_or_default();
                let told: Vec<Value> = told.iter().map(told_rule).collect();
                let same =
                    told.len() == wanted.len() && wanted.iter().all(|rule| told.contains(rule));
                Ok(same.then_some(()))
            })
            .await
    }

    async fn get(bucket: &Bucket<'_>, state: &Object) -> Outcome<Option<Object>> {
        let call = bucket
            .s3
            .get_bucket_lifecycle_configuration()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .send();
        let told = bucket
            .look("s3:GetLifecycleConfiguration", &[GONE], call)
            .await?;
        let Some(told) = told.filter(|told| !told.rules().is_empty()) else {
            return Ok(None);
        };
        let mut object = Object::new();
        // S3 tells rules in an order of its own; states have them as they were written.
        let before: Vec<Object> = all(state, "rule");
        let place = |rule: &LifecycleRule| {
            let id = rule.id.as_deref();
            before
                .iter()
                .position(|known| known.text("id") == id)
                .unwrap_or(before.len())
        };
        let mut rules: Vec<&LifecycleRule> = told.rules().iter().collect();
        rules.sort_by_key(|rule| place(rule));
        object.set("rule", blocks(rules.into_iter().map(told_rule)));
        let size = told.transition_default_minimum_object_size.as_ref();
        if let Some(size) = size {
            object.set("transition_default_minimum_object_size", size.as_str());
        } else if !state.is_set("transition_default_minimum_object_size") {
            object.set("transition_default_minimum_object_size", USUAL_SIZE);
        }
        Ok(Some(object))
    }

    async fn delete(bucket: &Bucket<'_>, _state: &Object) -> Outcome<()> {
        let call = bucket
            .s3
            .delete_bucket_lifecycle()
            .bucket(&bucket.name)
            .set_expected_bucket_owner(bucket.owner.clone())
            .send();
        bucket
            .end("s3:PutLifecycleConfiguration", &[GONE], call)
            .await
    }
}

fn rule_behaviour(rule: Schema) -> Schema {
    let zero = || Value::int(0);
    let most_one = |rule: Schema, block: &str| {
        rule.change_block(block, |block| block.validate(validate::size(0..=1)))
    };
    let classes = [
        "GLACIER",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "DEEP_ARCHIVE",
        "GLACIER_IR",
    ];
    let class = |block: Schema| {
        block.change("storage_class", |class| {
            class.validate(validate::one_of(classes))
        })
    };
    let single = [
        "abort_incomplete_multipart_upload",
        "expiration",
        "filter",
        "noncurrent_version_expiration",
    ];
    single
        .into_iter()
        .fold(rule, most_one)
        .change("id", |id| id.validate(validate::length(1..=255)))
        .change("status", |status| {
            status.validate(validate::one_of(["Disabled", "Enabled"]))
        })
        .change("prefix", where_silent(Value::string("")))
        .within("expiration", |expiration| {
            expiration
                .change("days", where_silent(zero()))
                .change("expired_object_delete_marker", where_silent(Value::FALSE))
        })
        .within("noncurrent_version_expiration", |expiration| {
            expiration.change("noncurrent_days", |days| {
                days.validate(validate::at_least(1))
            })
        })
        .within("noncurrent_version_transition", class)
        .within("transition", class)
}

/// What becomes known of a rule only when one looks at several of its parts.
fn planned_rule(planned: &Value, config: &Value) -> Value {
    let (Some(mut rule), Some(config)) = (Object::of(planned), Object::of(config)) else {
        return planned.clone();
    };
    let filters = rule.items("filter").iter().zip(config.items("filter"));
    let filters: Vec<Value> = filters
        .map(|(planned, config)| planned_filter(planned, config))
        .collect();
    if !filters.is_empty() {
        rule.set("filter", blocks(filters));
    }
    let moves: Vec<Value> = rule
        .items("transition")
        .iter()
        .map(planned_transition)
        .collect();
    if !moves.is_empty() {
        rule.set("transition", blocks(moves));
    }
    rule.into_value()
}

/// A filter is by one thing; one that says nothing is by an empty prefix.
fn planned_filter(planned: &Value, config: &Value) -> Value {
    let (Some(mut filter), Some(config)) = (Object::of(planned), Object::of(config)) else {
        return planned.clone();
    };
    for name in ["object_size_greater_than", "object_size_less_than"] {
        if !config.is_set(name) {
            filter.set(name, Value::null(Type::Number));
        }
    }
    let sizes = config.is_set("object_size_greater_than") || config.is_set("object_size_less_than");
    let other = sizes || !config.items("and").is_empty() || !config.items("tag").is_empty();
    if !config.is_set("prefix") {
        filter.set(
            "prefix",
            if other {
                Value::null(Type::String)
            } else {
                Value::string("")
            },
        );
    }
    let and = filter.items("and").iter().map(|and| {
        let Some(mut and) = Object::of(and) else {
            return and.clone();
        };
        let written = one(&config, "and").unwrap_or_default();
        for name in ["object_size_greater_than", "object_size_less_than"] {
            if !written.is_set(name) {
                and.set(name, 0);
            }
        }
        if !written.is_set("prefix") {
            and.set("prefix", "");
        }
        and.into_value()
    });
    let and: Vec<Value> = and.collect();
    if !and.is_empty() {
        filter.set("and", blocks(and));
    }
    filter.into_value()
}

/// A move that has no date is after some days, if only none.
fn planned_transition(planned: &Value) -> Value {
    let Some(mut transition) = Object::of(planned) else {
        return planned.clone();
    };
    if !transition.is_known("days") {
        let dated = transition.is_set("date");
        let days = if dated {
            Value::null(Type::Number)
        } else {
            Value::int(0)
        };
        transition.set("days", days);
    }
    transition.into_value()
}

async fn fetch(bucket: &Bucket<'_>) -> Outcome<Option<Vec<LifecycleRule>>> {
    let call = bucket
        .s3
        .get_bucket_lifecycle_configuration()
        .bucket(&bucket.name)
        .set_expected_bucket_owner(bucket.owner.clone())
        .send();
    let told = bucket
        .look("s3:GetLifecycleConfiguration", &[GONE], call)
        .await?;
    Ok(told.and_then(|told| told.rules))
}

fn small(object: &Object, name: &str) -> Option<i32> {
    object
        .whole(name)
        .and_then(|number| i32::try_from(number).ok())
}

fn date(object: &Object) -> Option<DateTime> {
    let text = given(object, "date")?;
    DateTime::from_str(&text, Format::DateTimeWithOffset).ok()
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder()
        .key(key)
        .value(value)
        .build()
        .expect("a tag with key and value is complete")
}

fn class(object: &Object) -> Option<TransitionStorageClass> {
    given(object, "storage_class").map(|class| TransitionStorageClass::from(class.as_str()))
}

fn rule(rule: &Object) -> LifecycleRule {
    let prefix = given(rule, "prefix");
    let filter = match one(rule, "filter") {
        Some(found) => Some(filter(&found)),
        // S3 wants one, unless there is a prefix as there was before filters.
        None => prefix
            .is_none()
            .then(|| LifecycleRuleFilter::builder().build()),
    };
    let abort = one(rule, "abort_incomplete_multipart_upload").map(|abort| {
        AbortIncompleteMultipartUpload::builder()
            .set_days_after_initiation(small(&abort, "days_after_initiation"))
            .build()
    });
    let old = one(rule, "noncurrent_version_expiration").map(|old| {
        NoncurrentVersionExpiration::builder()
            .set_noncurrent_days(small(&old, "noncurrent_days"))
            .set_newer_noncurrent_versions(small(&old, "newer_noncurrent_versions"))
            .build()
    });
    let old_moves: Vec<_> = all(rule, "noncurrent_version_transition")
        .iter()
        .map(|old| {
            NoncurrentVersionTransition::builder()
                .set_noncurrent_days(small(old, "noncurrent_days"))
                .set_newer_noncurrent_versions(small(old, "newer_noncurrent_versions"))
                .set_storage_class(class(old))
                .build()
        })
        .collect();
    let moves: Vec<_> = all(rule, "transition")
        .iter()
        .map(|transition| {
            Transition::builder()
                .set_date(date(transition))
                .set_days(small(transition, "days"))
                .set_storage_class(class(transition))
                .build()
        })
        .collect();
    let status = given(rule, "status").unwrap_or_default();
    #[expect(deprecated, reason = "configurations still have it")]
    let builder = LifecycleRule::builder().set_prefix(prefix);
    builder
        .set_id(given(rule, "id"))
        .status(ExpirationStatus::from(status.as_str()))
        .set_filter(filter)
        .set_abort_incomplete_multipart_upload(abort)
        .set_expiration(one(rule, "expiration").as_ref().map(expiration))
        .set_noncurrent_version_expiration(old)
        .set_noncurrent_version_transitions((!old_moves.is_empty()).then_some(old_moves))
        .set_transitions((!moves.is_empty()).then_some(moves))
        .build()
        .expect("a rule with a status is complete")
}

fn expiration(expiration: &Object) -> LifecycleExpiration {
    let (date, days) = (
        date(expiration),
        small(expiration, "days").filter(|days| *days != 0),
    );
    // A marker has its use alone.
    let marker = (date.is_none() && days.is_none()).then(|| {
        expiration
            .flag("expired_object_delete_marker")
            .unwrap_or(false)
    });
    LifecycleExpiration::builder()
        .set_date(date)
        .set_days(days)
        .set_expired_object_delete_marker(marker)
        .build()
}

fn filter(filter: &Object) -> LifecycleRuleFilter {
    let and = one(filter, "and").map(|and| {
        let tags = tags::of(and.value("tags"));
        let tags: Vec<Tag> = tags.iter().map(|(key, value)| tag(key, value)).collect();
        LifecycleRuleAndOperator::builder()
            .set_object_size_greater_than(
                and.whole("object_size_greater_than")
                    .filter(|size| *size != 0),
            )
            .set_object_size_less_than(and.whole("object_size_less_than").filter(|size| *size != 0))
            .set_prefix(given(&and, "prefix"))
            .set_tags((!tags.is_empty()).then_some(tags))
            .build()
    });
    let one_tag = one(filter, "tag").map(|found| {
        tag(
            found.text("key").unwrap_or_default(),
            found.text("value").unwrap_or_default(),
        )
    });
    LifecycleRuleFilter::builder()
        .set_and(and)
        .set_tag(one_tag)
        .set_object_size_greater_than(filter.whole("object_size_greater_than"))
        .set_object_size_less_than(filter.whole("object_size_less_than"))
        .set_prefix(filter.text("prefix").map(str::to_owned))
        .build()
}

fn told_date(date: Option<&DateTime>) -> Value {
    date.and_then(|date| date.fmt(Format::DateTime).ok())
        .into_value()
}

fn told_rule(rule: &LifecycleRule) -> Value {
    let class =
        |class: Option<&TransitionStorageClass>| text(class.map(TransitionStorageClass::as_str));
    let abort = rule.abort_incomplete_multipart_upload.as_ref();
    let abort = abort.map(|abort| {
        block([(
            "days_after_initiation",
            number_or_null(abort.days_after_initiation),
        )])
    });
    let expiration = rule.expiration.as_ref().map(|expiration| {
        let marker = expiration.expired_object_delete_marker.unwrap_or(false);
        block([
            ("date", told_date(expiration.date.as_ref())),
            ("days", number(expiration.days)),
            ("expired_object_delete_marker", marker.into_value()),
        ])
    });
    let old = rule.noncurrent_version_expiration.as_ref().map(|old| {
        block([
            ("noncurrent_days", number_or_null(old.noncurrent_days)),
            (
                "newer_noncurrent_versions",
                number_or_null(old.newer_noncurrent_versions),
            ),
        ])
    });
    let old_moves = rule.noncurrent_version_transitions().iter().map(|old| {
        block([
            ("noncurrent_days", number_or_null(old.noncurrent_days)),
            (
                "newer_noncurrent_versions",
                number_or_null(old.newer_noncurrent_versions),
            ),
            ("storage_class", class(old.storage_class.as_ref())),
        ])
    });
    let moves = rule.transitions().iter().map(|transition| {
        block([
            ("date", told_date(transition.date.as_ref())),
            ("days", number_or_null(transition.days)),
            ("storage_class", class(transition.storage_class.as_ref())),
        ])
    });
    block([
        ("id", text(rule.id.as_deref())),
        ("prefix", text(rule_prefix(rule))),
        ("status", text(Some(rule.status.as_str()))),
        ("abort_incomplete_multipart_upload", blocks(abort)),
        ("expiration", blocks(expiration)),
        ("filter", blocks(rule.filter.as_ref().and_then(told_filter))),
        ("noncurrent_version_expiration", blocks(old)),
        ("noncurrent_version_transition", blocks(old_moves)),
        ("transition", blocks(moves)),
    ])
}

/// A filter; none where it says nothing, which is how no filter is written.
fn told_filter(filter: &LifecycleRuleFilter) -> Option<Value> {
    let says_nothing = filter.and.is_none()
        && filter.tag.is_none()
        && filter.prefix.is_none()
        && filter.object_size_greater_than.is_none()
        && filter.object_size_less_than.is_none();
    if says_nothing {
        return None;
    }
    let and = filter.and.as_ref().map(|and| {
        let tags: BTreeMap<String, String> = and
            .tags()
            .iter()
            .map(|tag| (tag.key.clone(), tag.value.clone()))
            .collect();
        let tags = if tags.is_empty() {
            Value::null(tags::ty())
        } else {
            tags.into_value()
        };
        block([
            (
                "object_size_greater_than",
                number(and.object_size_greater_than),
            ),
            ("object_size_less_than", number(and.object_size_less_than)),
            ("prefix", text(and.prefix.as_deref())),
            ("tags", tags),
        ])
    });
    let tag = filter.tag.as_ref().map(|tag| {
        block([
            ("key", text(Some(&tag.key))),
            ("value", text(Some(&tag.value))),
        ])
    });
    Some(block([
        (
            "object_size_greater_than",
            number_or_null(filter.object_size_greater_than),
        ),
        (
            "object_size_less_than",
            number_or_null(filter.object_size_less_than),
        ),
        ("prefix", filter.prefix.clone().into_value()),
        ("and", blocks(and)),
        ("tag", blocks(tag)),
    ]))
}

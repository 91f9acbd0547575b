//! `aws_cloudwatch_event_rule`.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_eventbridge::types::{RuleState, Tag};
use terrace_provider_sdk::{
    Attribute, Change as Planned, Object, Outcome, Plan, Schema, Value, validate,
};

use super::{DEFAULT_BUS, GONE, PROPAGATION, split};
use crate::blocks::{given, or_empty};
use crate::client::Client;
use crate::document;
use crate::failure::{Answered as _, Subject};
use crate::kind::{Change, Context, Kind, id};
use crate::names;
use crate::retry::says;
use crate::shape::Behaviour as _;
use crate::tags::{self, TagChange, Tags};

/// How long targets that go may keep a rule.
const TARGETS: Duration = Duration::from_mins(5);

const ENABLED: &str = "ENABLED";
const DISABLED: &str = "DISABLED";

#[derive(Default)]
pub(crate) struct Rule;

#[async_trait]
impl Kind for Rule {
    const NAME: &'static str = "aws_cloudwatch_event_rule";
    const WHAT: &'static str = "EventBridge Rule";

    fn behave(&self, shape: Schema) -> Schema {
        let named = |attribute: Attribute, longest, other: &'static str| {
            attribute
                .replace()
                .validate(validate::length(1..=longest))
                .validate(validate::matches(
                    "^[0-9A-Za-z_.-]+$",
                    "may only have letters and digits without accents, and the characters .-_",
                ))
                .validate(validate::conflicts_with([other]))
        };
        shape
            .replaces(&["event_bus_name"])
            .change("name", |name| named(name, 64, "name_prefix"))
            .change("name_prefix", |prefix| {
                named(prefix, 64 - names::SUFFIX, "name")
            })
            .defaults_to_text(&[("event_bus_name", DEFAULT_BUS)])
            .defaults_to_bool(&[("force_destroy", false)])
            .change("description", |text| {
                text.validate(validate::length(0..=512))
            })
            .change("schedule_expression", |text| {
                text.validate(validate::length(0..=256))
            })
            .change("event_pattern", |pattern| {
                document::compared(pattern, document::same_json)
                    .validate(validate::length(0..=4096))
                    .validate(validate::at_least_one_of(["schedule_expression"]))
            })
            .change("is_enabled", |enabled| {
                enabled
                    .modify(keep)
                    .validate(validate::conflicts_with(["state"]))
            })
            .change("state", |state| {
                state.modify(keep).validate(validate::one_of([
                    ENABLED,
                    DISABLED,
                    "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
                ]))
            })
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let (state, enabled) = (plan.changes("state"), plan.changes("is_enabled"));
        let (Some(_), Some(config), Some(planned)) = (&plan.prior, &plan.config, &mut plan.planned)
        else {
            return Ok(());
        };
        // Each says what the other does.
        if config.is_set("state") && state {
            if let Some(state) = planned.text("state").map(str::to_owned) {
                planned.set("is_enabled", state != DISABLED);
            }
        } else if config.is_set("is_enabled") && enabled {
            if let Some(enabled) = planned.flag("is_enabled") {
                planned.set("state", if enabled { ENABLED } else { DISABLED });
            }
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let name = names::of(context, planned, "name", "name_prefix");
        put(context, &name, planned, "creating").await?;
        let bus = planned.text("event_bus_name").unwrap_or(DEFAULT_BUS);
        Ok(if bus == DEFAULT_BUS {
            name
        } else {
            format!("{bus}/{name}")
        })
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let (bus, name) = split(id(state), "bus/rule")?;
        let subject = Self::subject(id(state));
        let events = context.client.events(&context.region);
        let answer = events
            .describe_rule()
            .name(name)
            .event_bus_name(bus)
            .send()
            .await
            .unless_gone(&GONE, "reading", &subject, "events:DescribeRule")?;
        let Some(told) = answer else {
            return Ok(None);
        };
        let mut object = Object::new();
        let arn = or_empty(told.arn);
        object.set("description", or_empty(told.description));
        // AWS tells of a bus that is named by its ARN by its name.
        object.set("event_bus_name", bus);
        let configured = state.text("event_pattern").unwrap_or_default();
        let pattern = told.event_pattern.filter(|pattern| !pattern.is_empty());
        object.set(
            "event_pattern",
            pattern.map(|pattern| {
                if document::same_json(configured, &pattern) {
                    configured.to_owned()
                } else {
                    document::plain(&pattern)
                }
            }),
        );
        object.set(
            "force_destroy",
            state.flag("force_destroy").unwrap_or(false),
        );
        let is = told.state.as_ref().map_or(ENABLED, RuleState::as_str);
        object.set("is_enabled", is != DISABLED);
        object.set("state", is);
        object.set("name", name);
        object.set("name_prefix", names::prefix_of(name));
        object.set("role_arn", or_empty(told.role_arn));
        object.set("schedule_expression", or_empty(told.schedule_expression));
        let answer = events
            .list_tags_for_resource()
            .resource_arn(&arn)
            .send()
            .await
            .unless_gone(
                &GONE,
                "reading the tags of",
                &subject,
                "events:ListTagsForResource",
            )?;
        let tags = answer.and_then(|answer| answer.tags).unwrap_or_default();
        let tags: Tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        object.set("tags_all", tags);
        object.set("arn", arn);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let (_, name) = split(change.id(), "bus/rule")?;
        let settings = [
            "description",
            "event_pattern",
            "is_enabled",
            "role_arn",
            "schedule_expression",
            "state",
        ];
        if change.of(&settings) {
            put(context, name, change.planned, "updating").await?;
        }
        match change.tags() {
            Some(tags) => {
                let arn = change.prior.text("arn").unwrap_or_default();
                tag(context, arn, tags, &Self::subject(change.id())).await
            }
            None => Ok(()),
        }
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let (bus, name) = split(id(state), "bus/rule")?;
        let request = context
            .client
            .events(&context.region)
            .delete_rule()
            .name(name)
            .event_bus_name(bus)
            .force(state.flag("force_destroy").unwrap_or(false));
        context
            .patience(TARGETS)
            .again(
                |error| {
                    says(
                        error,
                        "ValidationException",
                        "Rule can't be deleted since it has targets",
                    )
                },
                || request.clone().send(),
            )
            .await
            .unless_gone(
                &GONE,
                "deleting",
                &Self::subject(id(state)),
                "events:DeleteRule",
            )?;
        Ok(())
    }

    fn import(&self, id: &str) -> Outcome<Object> {
        split(id, "bus/rule")?;
        let mut object = Object::new();
        object.set("id", id);
        Ok(object)
    }
}

/// What nobody configures stays as it is.
fn keep(change: &mut Planned<'_>) {
    let says_nothing = change.config.is_null() || change.config.as_str() == Some("");
    if says_nothing && !change.prior.is_null() {
        change.planned = Value::clone(change.prior);
    }
}

async fn put(context: &Context, name: &str, planned: &Object, doing: &str) -> Outcome<()> {
    let text = |name: &str| given(planned, name);
    let by_flag = || {
        Some(
            if planned.flag("is_enabled")? {
                ENABLED
            } else {
                DISABLED
            }
            .to_owned(),
        )
    };
    let state = text("state").or_else(by_flag);
    let tags = sdk_tags(&tags::planned(planned));
    let request = context
        .client
        .events(&context.region)
        .put_rule()
        .name(name)
        .set_event_bus_name(text("event_bus_name"))
        .set_description(text("description"))
        .set_event_pattern(text("event_pattern").map(|pattern| document::plain(&pattern)))
        .set_role_arn(text("role_arn"))
        .set_schedule_expression(text("schedule_expression"))
        .set_state(state.map(|state| RuleState::from(state.as_str())))
        .set_tags((!tags.is_empty()).then_some(tags));
    context
        .patience(PROPAGATION)
        .again(
            |error| {
                says(
                    error,
                    "ValidationException",
                    "cannot be assumed by principal",
                )
            },
            || request.clone().send(),
        )
        .await
        .when(doing, &Rule::subject(name), "events:PutRule")?;
    Ok(())
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
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

async fn tag(context: &Context, arn: &str, change: TagChange, subject: &Subject) -> Outcome<()> {
    let events = context.client.events(&context.region);
    if !change.gone.is_empty() {
        events
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(change.gone))
            .send()
            .await
            .when("untagging", subject, "events:UntagResource")?;
    }
    if !change.set.is_empty() {
        events
            .tag_resource()
            .resource_arn(arn)
            .set_tags(Some(sdk_tags(&change.set)))
            .send()
            .await
            .when("tagging", subject, "events:TagResource")?;
    }
    Ok(())
}

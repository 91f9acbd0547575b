//! `aws_cloudwatch_event_target`.

use async_trait::async_trait;
use aws_sdk_eventbridge::types::Target as Told;
use terrace_provider_sdk::{Diagnostic, Object, Outcome, Schema, validate};

use super::{DEFAULT_BUS, GONE, PROPAGATION, split, target_parts as parts};
use crate::blocks::{given, or_empty};
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::names;
use crate::shape::Behaviour as _;

/// What is changed at the same time as something else.
const BUSY: [&str; 1] = ["ConcurrentModificationException"];

#[derive(Default)]
pub(crate) struct Target;

#[async_trait]
impl Kind for Target {
    const NAME: &'static str = "aws_cloudwatch_event_target";
    const WHAT: &'static str = "EventBridge Target";
    const ID_OF: Option<(&'static [&'static str], &'static str)> =
        Some((&["event_bus_name", "rule", "target_id"], "/"));

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&["event_bus_name", "rule", "target_id"])
            .defaults_to_text(&[("event_bus_name", DEFAULT_BUS)])
            .defaults_to_bool(&[("force_destroy", false)])
            .change("target_id", |id| {
                id.validate(validate::length(1..=64))
                    .validate(validate::matches(
                        "^[0-9A-Za-z_.-]+$",
                        "may only have letters and digits without accents, and the characters .-_",
                    ))
            })
            .change("input", |input| {
                input
                    .validate(validate::length(0..=8192))
                    .validate(validate::conflicts_with(["input_path"]))
            })
            .change("input_path", |path| {
                path.validate(validate::length(0..=256))
            })
            .within("input_transformer", |transformer| {
                transformer.change("input_template", |template| {
                    template.validate(validate::length(1..=8192))
                })
            })
            .within("retry_policy", |retry| {
                retry
                    .change("maximum_event_age_in_seconds", |age| {
                        age.validate(validate::between(0..=86_400))
                    })
                    .change("maximum_retry_attempts", |count| {
                        count.validate(validate::between(0..=185))
                    })
            })
            .within("ecs_target", |ecs| {
                ecs.defaults_to_bool(&[
                    ("enable_ecs_managed_tags", false),
                    ("enable_execute_command", false),
                ])
                .defaults_to_number(&[("task_count", 1)])
                .within("network_configuration", |network| {
                    network.defaults_to_bool(&[("assign_public_ip", false)])
                })
            })
    }

    fn validate(&self, config: &Object, diagnostics: &mut terrace_provider_sdk::Diagnostics) {
        let transforms = !config.items("input_transformer").is_empty();
        let other = ["input", "input_path"]
            .into_iter()
            .find(|name| config.is_set(name));
        if let (true, Some(other)) = (transforms, other) {
            diagnostics.error_at(
                terrace_provider_sdk::attribute(other),
                "Invalid combination of arguments",
                format!("{other} and input_transformer both say what the target gets. Only one of input, input_path and input_transformer may be set."),
            );
        }
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let target = given(planned, "target_id").unwrap_or_else(|| names::unique(context));
        let rule = planned.text("rule").unwrap_or_default();
        let bus = planned.text("event_bus_name").unwrap_or(DEFAULT_BUS);
        let id = format!("{}{target}", front(bus, rule));
        put(context, &target, planned, "creating", &Self::subject(&id)).await?;
        Ok(id)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let text = |name: &str| state.text(name).unwrap_or_default();
        let rule = text("rule");
        let bus = state.text("event_bus_name").unwrap_or(DEFAULT_BUS);
        let subject = Self::subject(id(state));
        // A target that was just made has its name in its id alone.
        let front = front(bus, rule);
        let target = match text("target_id") {
            "" => id(state).strip_prefix(front.as_str()).unwrap_or_default(),
            target => target,
        };
        let Some(told) = find(context, bus, rule, target, &subject).await? else {
            return Ok(None);
        };
        let mut object = Object::new();
        object.set("arn", told.arn.as_str());
        object.set("event_bus_name", bus);
        object.set(
            "force_destroy",
            state.flag("force_destroy").unwrap_or(false),
        );
        object.set("input", or_empty(told.input.as_deref()));
        object.set("input_path", or_empty(told.input_path.as_deref()));
        object.set("role_arn", or_empty(told.role_arn.as_deref()));
        object.set("rule", rule);
        object.set("target_id", told.id.as_str());
        parts::told(&mut object, &told);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let unsent = ["force_destroy", "id"];
        let names = change.planned.entries().keys();
        let names: Vec<&str> = names
            .map(|name| &**name)
            .filter(|name| !unsent.contains(name))
            .collect();
        if !change.of(&names) {
            return Ok(());
        }
        let target = change.prior.text("target_id").unwrap_or_default();
        put(
            context,
            target,
            change.planned,
            "updating",
            &Self::subject(change.id()),
        )
        .await
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let text = |name: &str| state.text(name).unwrap_or_default();
        let subject = Self::subject(id(state));
        let request = context
            .client
            .events(&context.region)
            .remove_targets()
            .rule(text("rule"))
            .event_bus_name(state.text("event_bus_name").unwrap_or(DEFAULT_BUS))
            .ids(text("target_id"))
            .force(state.flag("force_destroy").unwrap_or(false));
        let answer = context
            .patience(PROPAGATION)
            .again(|error| is_one_of(error, &BUSY), || request.clone().send())
            .await
            .unless_gone(&GONE, "removing", &subject, "events:RemoveTargets")?;
        let failed = answer
            .and_then(|answer| answer.failed_entries)
            .unwrap_or_default();
        match failed.first() {
            Some(entry) => Err(refused(
                "removing",
                &subject,
                entry.error_code.as_deref(),
                entry.error_message.as_deref(),
            )
            .into()),
            None => Ok(()),
        }
    }

    fn import(&self, id: &str) -> Outcome<Object> {
        let form = "bus/rule/target";
        let Some((before, target)) = id.rsplit_once('/').filter(|(_, target)| !target.is_empty())
        else {
            return Err(Diagnostic::error(
                "Invalid import id",
                format!("{id:?} does not name a target of a rule. It must be {form}; the bus may be left out where it is the default one."),
            )
            .into());
        };
        let (bus, rule) = split(before, form)?;
        let mut object = Object::new();
        object.set("id", format!("{}{target}", front(bus, rule)));
        object.set("event_bus_name", bus);
        object.set("rule", rule);
        object.set("target_id", target);
        Ok(object)
    }
}

/// What the id of a target begins with.
fn front(bus: &str, rule: &str) -> String {
    if bus == DEFAULT_BUS {
        format!("{rule}-")
    } else {
        format!("{bus}-{rule}-")
    }
}

/// A target of a rule; `None` when there is none.
async fn find(
    context: &Context,
    bus: &str,
    rule: &str,
    target: &str,
    subject: &Subject,
) -> Outcome<Option<Told>> {
    let mut next = None;
    loop {
        let answer = context
            .client
            .events(&context.region)
            .list_targets_by_rule()
            .rule(rule)
            .event_bus_name(bus)
            .limit(100)
            .set_next_token(next)
            .send()
            .await
            .unless_gone(&GONE, "reading", subject, "events:ListTargetsByRule")?;
        let Some(answer) = answer else {
            return Ok(None);
        };
        let found = answer
            .targets
            .unwrap_or_default()
            .into_iter()
            .find(|told| told.id == target);
        if found.is_some() || answer.next_token.is_none() {
            return Ok(found);
        }
        next = answer.next_token;
    }
}

async fn put(
    context: &Context,
    target: &str,
    planned: &Object,
    doing: &str,
    subject: &Subject,
) -> Outcome<()> {
    let request = context
        .client
        .events(&context.region)
        .put_targets()
        .rule(planned.text("rule").unwrap_or_default())
        .set_event_bus_name(given(planned, "event_bus_name"))
        .targets(parts::target(target, planned));
    let answer = context
        .patience(PROPAGATION)
        .again(|error| is_one_of(error, &BUSY), || request.clone().send())
        .await
        .when(doing, subject, "events:PutTargets")?;
    match answer.failed_entries().first() {
        Some(entry) => Err(refused(
            doing,
            subject,
            entry.error_code.as_deref(),
            entry.error_message.as_deref(),
        )
        .into()),
        None => Ok(()),
    }
}

/// What `EventBridge` says within an answer that is none.
fn refused(
    doing: &str,
    subject: &Subject,
    code: Option<&str>,
    message: Option<&str>,
) -> Diagnostic {
    Diagnostic::error(
        format!("EventBridge refused {doing} a target"),
        format!(
            "{subject}: {}: {}",
            code.unwrap_or("an error without a code"),
            message.unwrap_or("no reason given")
        ),
    )
}

//! `aws_cloudcontrolapi_resource`.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudcontrol::types::{HandlerErrorCode, OperationStatus, ProgressEvent};
use serde_json::Value as Json;
use terrace_provider_sdk::{
    Diagnostic, Diagnostics, Object, Outcome, Plan, Schema, Type, attribute, validate,
};

use super::patch;
use crate::blocks::given;
use crate::client::Client;
use crate::document::{compared, same_json};
use crate::failure::{Answered as _, Subject};
use crate::kind::{Change, Context, Kind, Source, id};
use crate::names;
use crate::shape::Behaviour as _;
use crate::timeouts;

const GONE: [&str; 1] = ["ResourceNotFoundException"];

/// How long an operation may take, where configuration does not say.
const OPERATION: Duration = Duration::from_hours(2);

#[derive(Default)]
pub(crate) struct Resource;

#[async_trait]
impl Kind for Resource {
    const NAME: &'static str = "aws_cloudcontrolapi_resource";
    const WHAT: &'static str = "Cloud Control Resource";

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&["type_name"])
            .change("desired_state", |state| compared(state, same_json))
            .change("type_name", |name| {
                name.validate(validate::matches(
                    "^[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}(::MODULE)?$",
                    "must be three alphanumeric words separated by two colons, such as AWS::Logs::LogGroup",
                ))
            })
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        for name in ["desired_state", "schema"] {
            let Some(text) = config.text(name) else {
                continue;
            };
            let wrong = match serde_json::from_str::<Json>(text) {
                Ok(json) if json.is_object() => continue,
                Ok(_) => "it is no object".to_owned(),
                Err(error) => error.to_string(),
            };
            diagnostics.error_at(
                attribute(name),
                "Invalid JSON",
                format!("{name} must be an object in JSON, as jsonencode writes it: {wrong}."),
            );
        }
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let text = |object: &Option<Object>, name: &str| {
            object.as_ref().and_then(|object| given(object, name))
        };
        let (before, after) = (
            text(&plan.prior, "desired_state"),
            text(&plan.planned, "desired_state"),
        );
        let changed = match (&before, &after) {
            (Some(before), Some(after)) => !same_json(before, after),
            (Some(_), None) => true,
            (None, _) => false,
        };
        if !changed {
            return Ok(());
        }
        if let Some(planned) = &mut plan.planned {
            planned.forget("properties", Type::String);
        }
        let schema = text(&plan.planned, "schema").unwrap_or_default();
        if let (Some(before), Some(after)) = (before, after)
            && made_once(&schema, &before, &after)
        {
            plan.replace_for("desired_state");
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let type_name = given(planned, "type_name").unwrap_or_default();
        let subject = Self::subject(type_name.clone());
        let answer = context
            .client
            .cloudcontrol(&context.region)
            .create_resource()
            .type_name(type_name)
            .desired_state(given(planned, "desired_state").unwrap_or_default())
            .client_token(names::unique(context))
            .set_role_arn(given(planned, "role_arn"))
            .set_type_version_id(given(planned, "type_version_id"))
            .send()
            .await
            .when("creating", &subject, "cloudformation:CreateResource")?;
        let event = started(answer.progress_event, &subject)?;
        if let Some(id) = &event.identifier {
            context.made(id.clone());
        }
        let longest = timeouts::of(planned, "create", OPERATION);
        let done = finished(context, event, longest, &subject, "creating").await?;
        done.identifier.ok_or_else(|| {
            Diagnostic::error(
                "Cloud Control names no resource",
                format!("{subject}: it says that it made it, and not under which identifier. Look in the account what there is, and import it."),
            )
            .into()
        })
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let Some(properties) = fetch(context, state, id(state)).await? else {
            return Ok(None);
        };
        let mut object = Object::new();
        object.set("properties", properties);
        object.set("schema", state.text("schema").unwrap_or_default());
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let state = |object: &Object| {
            let text = object.text("desired_state").unwrap_or("{}");
            serde_json::from_str(text).unwrap_or(Json::Null)
        };
        let operations = patch::between(&state(change.prior), &state(change.planned));
        if operations.is_empty() {
            return Ok(());
        }
        let subject = Self::subject(change.id());
        let answer = context
            .client
            .cloudcontrol(&context.region)
            .update_resource()
            .type_name(given(change.planned, "type_name").unwrap_or_default())
            .identifier(change.id())
            .patch_document(Json::Array(operations).to_string())
            .client_token(names::unique(context))
            .set_role_arn(given(change.planned, "role_arn"))
            .set_type_version_id(given(change.planned, "type_version_id"))
            .send()
            .await
            .when("updating", &subject, "cloudformation:UpdateResource")?;
        let event = started(answer.progress_event, &subject)?;
        let longest = timeouts::of(change.planned, "update", OPERATION);
        finished(context, event, longest, &subject, "updating").await?;
        Ok(())
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let subject = Self::subject(id(state));
        let answer = context
            .client
            .cloudcontrol(&context.region)
            .delete_resource()
            .type_name(given(state, "type_name").unwrap_or_default())
            .identifier(id(state))
            .client_token(names::unique(context))
            .set_role_arn(given(state, "role_arn"))
            .set_type_version_id(given(state, "type_version_id"))
            .send()
            .await
            .unless_gone(&GONE, "deleting", &subject, "cloudformation:DeleteResource")?;
        let Some(answer) = answer else {
            return Ok(());
        };
        let event = started(answer.progress_event, &subject)?;
        let longest = timeouts::of(state, "delete", OPERATION);
        finished(context, event, longest, &subject, "deleting").await?;
        Ok(())
    }
}

/// Whether a property changes that the type's schema lets nobody change once it is made.
fn made_once(schema: &str, before: &str, after: &str) -> bool {
    let parsed = |text: &str| serde_json::from_str::<Json>(text).unwrap_or(Json::Null);
    let (schema, before, after) = (parsed(schema), parsed(before), parsed(after));
    let fixed = schema.get("createOnlyProperties").and_then(Json::as_array);
    fixed
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .any(|path| {
            let path = path.strip_prefix("/properties").unwrap_or(path);
            before.pointer(path) != after.pointer(path)
        })
}

/// What is there, in JSON; `None` when it is gone.
async fn fetch(context: &Context, object: &Object, identifier: &str) -> Outcome<Option<String>> {
    let answer = context
        .client
        .cloudcontrol(&context.region)
        .get_resource()
        .type_name(given(object, "type_name").unwrap_or_default())
        .identifier(identifier)
        .set_role_arn(given(object, "role_arn"))
        .set_type_version_id(given(object, "type_version_id"))
        .send()
        .await
        .unless_gone(
            &GONE,
            "reading",
            &Resource::subject(identifier),
            "cloudformation:GetResource",
        )?;
    Ok(answer.and_then(|answer| answer.resource_description?.properties))
}

fn started(event: Option<ProgressEvent>, subject: &Subject) -> Outcome<ProgressEvent> {
    event.ok_or_else(|| {
        Diagnostic::error(
            "Cloud Control says nothing of the request",
            format!("{subject}: its answer has no progress event. Run plan again to see what became of it."),
        )
        .into()
    })
}

/// The last event of a request.
async fn finished(
    context: &Context,
    event: ProgressEvent,
    longest: Duration,
    subject: &Subject,
    doing: &str,
) -> Outcome<ProgressEvent> {
    let token = event.request_token.clone().unwrap_or_default();
    let done = |event: &ProgressEvent| match &event.operation_status {
        Some(
            OperationStatus::Pending
            | OperationStatus::InProgress
            | OperationStatus::CancelInProgress,
        )
        | None => false,
        Some(_) => true,
    };
    let last = if done(&event) {
        event
    } else {
        let cloudcontrol = context.client.cloudcontrol(&context.region);
        context
            .patience(longest)
            .until(subject, "done", || async {
                let answer = cloudcontrol
                    .get_resource_request_status()
                    .request_token(&token)
                    .send()
                    .await
                    .when(doing, subject, "cloudformation:GetResourceRequestStatus")?;
                Ok(answer.progress_event.filter(|event| done(event)))
            })
            .await?
    };
    if last.operation_status == Some(OperationStatus::Success) {
        return Ok(last);
    }
    let code = last
        .error_code
        .as_ref()
        .map_or("", HandlerErrorCode::as_str);
    if doing == "deleting" && code == "NotFound" {
        return Ok(last);
    }
    let advice = match code {
        "NotUpdatable" => {
            "\n\nThis property cannot be changed once the resource is made. Set the argument schema to the type's schema, which tells such properties, so that a change of them replaces the resource; or use terrace apply -replace."
        }
        "AlreadyExists" => "\n\nThere is one already: choose another name in desired_state.",
        "AccessDenied" => {
            "\n\nThe handler of the type lacks permissions of the service itself, of the role in role_arn or, without one, of the credentials of this run."
        }
        "InvalidRequest" => {
            "\n\nLook at desired_state: its properties are those of the CloudFormation type."
        }
        _ => "",
    };
    let status = last
        .operation_status
        .as_ref()
        .map_or("", OperationStatus::as_str);
    let message = last
        .status_message
        .as_deref()
        .unwrap_or("no reason is given");
    Err(Diagnostic::error(
        format!("Cloud Control failed while {doing} a resource"),
        format!("{subject}: {status} {code}: {message}{advice}"),
    )
    .into())
}

#[derive(Default)]
pub(crate) struct ResourceData;

#[async_trait]
impl Source for ResourceData {
    const NAME: &'static str = "aws_cloudcontrolapi_resource";
    const WHAT: &'static str = "Cloud Control Resource";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let identifier = config.text("identifier").unwrap_or_default();
        let properties = fetch(context, config, identifier).await?.ok_or_else(|| {
            Diagnostic::error(
                "Cloud Control Resource not found",
                format!(
                    "{} is not in {}. Look at its identifier, its type and the region.",
                    Self::subject(identifier),
                    context.region
                ),
            )
        })?;
        let mut object = Object::new();
        object.set("id", identifier);
        object.set("properties", properties);
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_tells_what_is_made_once() {
        let schema = r#"{"createOnlyProperties": ["/properties/Name", "/properties/In/Id"]}"#;
        let before = r#"{"Name": "a", "In": {"Id": 1}, "Days": 1}"#;
        assert!(!made_once(
            schema,
            before,
            r#"{"Name": "a", "In": {"Id": 1}, "Days": 2}"#
        ));
        assert!(made_once(
            schema,
            before,
            r#"{"Name": "b", "In": {"Id": 1}, "Days": 1}"#
        ));
        assert!(made_once(
            schema,
            before,
            r#"{"Name": "a", "In": {"Id": 2}, "Days": 1}"#
        ));
        assert!(!made_once("", before, "{}"));
    }
}

//! `aws_lambda_permission`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_lambda::types::FunctionUrlAuthType;
use serde_json::Value as Json;
use terrace_provider_sdk::{Attribute, Diagnostic, Object, Outcome, Schema, validate};
use tokio::sync::Mutex as Turn;

use super::{GONE, PROPAGATION, named};
use crate::blocks::given;
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::names;
use crate::retry::says;
use crate::shape::Behaviour as _;

/// Functions whose policies are being changed. Lambda loses permissions that are added to one function at the same time.
static TURNS: Mutex<BTreeMap<String, Arc<Turn<()>>>> = Mutex::new(BTreeMap::new());

/// The one at a time who changes a function's policy.
fn turn(function: &str) -> Arc<Turn<()>> {
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    turns.entry(function.to_owned()).or_default().clone()
}

#[derive(Default)]
pub(crate) struct Permission;

#[async_trait]
impl Kind for Permission {
    const NAME: &'static str = "aws_lambda_permission";
    const WHAT: &'static str = "Lambda Permission";

    fn behave(&self, shape: Schema) -> Schema {
        let statement = |attribute: Attribute, other: &'static str| {
            attribute
                .validate(validate::length(1..=100))
                .validate(validate::matches(
                    "^[0-9A-Za-z_-]+$",
                    "may only have letters and digits without accents, hyphens and underscores",
                ))
                .validate(validate::conflicts_with([other]))
        };
        shape
            .replaces(&[
                "action",
                "event_source_token",
                "function_name",
                "function_url_auth_type",
                "invoked_via_function_url",
                "principal",
                "principal_org_id",
                "qualifier",
                "source_account",
                "source_arn",
                "statement_id",
                "statement_id_prefix",
            ])
            .change("statement_id", |name| {
                statement(name, "statement_id_prefix")
            })
            .change("statement_id_prefix", |prefix| {
                statement(prefix, "statement_id")
            })
            .change("action", |action| {
                action.validate(validate::matches(
                    r"^(lambda:[*]|lambda:[A-Za-z]+|[*])$",
                    "must be an action of Lambda, such as lambda:InvokeFunction",
                ))
            })
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let function = planned.text("function_name").unwrap_or_default();
        let statement = names::of(context, planned, "statement_id", "statement_id_prefix");
        let text = |name: &str| given(planned, name);
        let request = context
            .client
            .lambda(&context.region)
            .add_permission()
            .function_name(function)
            .statement_id(&statement)
            .action(text("action").unwrap_or_default())
            .principal(text("principal").unwrap_or_default())
            .set_event_source_token(text("event_source_token"))
            .set_function_url_auth_type(
                text("function_url_auth_type").map(|ty| FunctionUrlAuthType::from(ty.as_str())),
            )
            .set_invoked_via_function_url(
                planned.flag("invoked_via_function_url").filter(|via| *via),
            )
            .set_principal_org_id(text("principal_org_id"))
            .set_qualifier(text("qualifier"))
            .set_source_account(text("source_account"))
            .set_source_arn(text("source_arn"));
        let turn = turn(named(function).0);
        let _held = turn.lock().await;
        context
            .patience(PROPAGATION)
            .again(
                |error| {
                    let passes = is_one_of(
                        error,
                        &["ResourceConflictException", "ResourceNotFoundException"],
                    );
                    passes && !says(error, "ResourceConflictException", "already exists")
                },
                || request.clone().send(),
            )
            .await
            .when(
                "adding",
                &Self::subject(format!("{function}/{statement}")),
                "lambda:AddPermission",
            )?;
        Ok(statement)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let function = state.text("function_name").unwrap_or_default();
        let Some(found) = find(context, state).await? else {
            return Ok(None);
        };
        let told = |name: &str| found.get(name).and_then(Json::as_str).map(str::to_owned);
        let arn = told("Resource").unwrap_or_default();
        let (name, qualifier) = named(&arn);
        let mut object = Object::new();
        // The function is named as it is configured.
        let by_arn = function.starts_with("arn:");
        object.set(
            "function_name",
            if by_arn {
                let end = qualifier
                    .map(|qualifier| format!(":{qualifier}"))
                    .unwrap_or_default();
                arn.strip_suffix(&end).unwrap_or(&arn).to_owned()
            } else {
                name.to_owned()
            },
        );
        object.set("qualifier", qualifier.unwrap_or_default());
        object.set("action", told("Action"));
        object.set("principal", principal(found.get("Principal")));
        let condition = |test: &str, key: &str| {
            let value = found.get("Condition")?.get(test)?.get(key)?;
            Some(value.as_str()?.to_owned())
        };
        object.set(
            "event_source_token",
            condition("StringEquals", "lambda:EventSourceToken"),
        );
        object.set(
            "function_url_auth_type",
            condition("StringEquals", "lambda:FunctionUrlAuthType"),
        );
        object.set(
            "principal_org_id",
            condition("StringEquals", "aws:PrincipalOrgID"),
        );
        object.set(
            "source_account",
            condition("StringEquals", "AWS:SourceAccount"),
        );
        object.set("source_arn", condition("ArnLike", "AWS:SourceArn"));
        let via = condition("Bool", "lambda:InvokedViaFunctionUrl");
        object.set(
            "invoked_via_function_url",
            via.map(|via| via.eq_ignore_ascii_case("true")),
        );
        let statement = told("Sid").unwrap_or_default();
        object.set("statement_id_prefix", names::prefix_of(&statement));
        object.set("statement_id", statement);
        Ok(Some(object))
    }

    async fn update(&self, _context: &Context, _change: Change<'_>) -> Outcome<()> {
        Ok(())
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let function = state.text("function_name").unwrap_or_default();
        let subject = subject(state);
        {
            let turn = turn(named(function).0);
            let _held = turn.lock().await;
            context
                .client
                .lambda(&context.region)
                .remove_permission()
                .function_name(function)
                .statement_id(id(state))
                .set_qualifier(given(state, "qualifier"))
                .send()
                .await
                .unless_gone(&GONE, "removing", &subject, "lambda:RemovePermission")?;
        }
        let gone = async || match find(context, state).await? {
            Some(_) => Ok(None),
            None => Ok(Some(())),
        };
        context
            .patience(PROPAGATION)
            .until(&subject, "removed", gone)
            .await
    }

    fn import(&self, id: &str) -> Outcome<Object> {
        let parts = id.rsplit_once('/');
        let Some((function, statement)) =
            parts.filter(|(function, statement)| !function.is_empty() && !statement.is_empty())
        else {
            return Err(Diagnostic::error(
                "Invalid import id",
                format!("{id:?} does not name a permission of a function. The id is the name of the function, perhaps a colon and what qualifies it, a slash and the id of the statement: function/statement or function:alias/statement."),
            )
            .into());
        };
        let mut object = Object::new();
        object.set("id", statement);
        object.set("statement_id", statement);
        match function
            .split_once(':')
            .filter(|_| !function.starts_with("arn:"))
        {
            Some((name, qualifier)) => {
                object.set("function_name", name);
                object.set("qualifier", qualifier);
            }
            None => object.set("function_name", function),
        }
        Ok(object)
    }
}

fn subject(state: &Object) -> Subject {
    let function = state.text("function_name").unwrap_or_default();
    Permission::subject(format!("{function}/{}", id(state)))
}

/// The account, service or everybody that may call.
fn principal(told: Option<&Json>) -> Option<String> {
    match told? {
        Json::String(text) => Some(text.clone()),
        kinds => {
            let one = kinds.get("AWS").or_else(|| kinds.get("Service"))?;
            Some(one.as_str()?.to_owned())
        }
    }
}

/// The statement of a permission in the policy of its function.
async fn find(context: &Context, state: &Object) -> Outcome<Option<Json>> {
    let answer = context
        .client
        .lambda(&context.region)
        .get_policy()
        .function_name(state.text("function_name").unwrap_or_default())
        .set_qualifier(given(state, "qualifier"))
        .send()
        .await
        .unless_gone(&GONE, "reading", &subject(state), "lambda:GetPolicy")?;
    let policy = answer.and_then(|answer| answer.policy).unwrap_or_default();
    let policy: Json = serde_json::from_str(&policy).unwrap_or_default();
    let statements = policy.get("Statement").and_then(Json::as_array);
    let found = statements
        .into_iter()
        .flatten()
        .find(|statement| statement.get("Sid").and_then(Json::as_str) == Some(id(state)));
    Ok(found.cloned())
}

//! `aws_lambda_function_url`.

use async_trait::async_trait;
use aws_sdk_lambda::operation::get_function_url_config::GetFunctionUrlConfigOutput as Told;
use aws_sdk_lambda::types::{Cors, FunctionUrlAuthType, InvokeMode};
use terrace_provider_sdk::{Diagnostic, Object, Outcome, Schema, Value, validate};

use super::{GONE, PROPAGATION, by_name_or_arn};
use crate::blocks::{block, blocks, given, list, number, one, owned, small};
use crate::failure::{Answered as _, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::retry::says;
use crate::shape::Behaviour as _;

/// The permission by which everybody may call a function whose address asks for no sign-in.
const PUBLIC: &str = "FunctionURLAllowPublicAccess";

#[derive(Default)]
pub(crate) struct FunctionUrl;

#[async_trait]
impl Kind for FunctionUrl {
    const NAME: &'static str = "aws_lambda_function_url";
    const WHAT: &'static str = "Lambda Function URL";

    fn behave(&self, shape: Schema) -> Schema {
        shape
            .replaces(&["function_name", "qualifier"])
            .change("function_name", by_name_or_arn)
            .change("authorization_type", |ty| {
                ty.validate(validate::one_of(["AWS_IAM", "NONE"]))
            })
            .change("invoke_mode", |mode| {
                mode.validate(validate::one_of(["BUFFERED", "RESPONSE_STREAM"]))
            })
            .defaults_to_text(&[("invoke_mode", "BUFFERED")])
            .within("cors", |cors| {
                cors.change("max_age", |age| age.validate(validate::at_most(86_400)))
            })
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let lambda = context.client.lambda(&context.region);
        let name = planned.text("function_name").unwrap_or_default().to_owned();
        let qualifier = given(planned, "qualifier");
        let id = match &qualifier {
            Some(qualifier) => format!("{name}/{qualifier}"),
            None => name.clone(),
        };
        let subject = Self::subject(&id);
        let auth =
            FunctionUrlAuthType::from(planned.text("authorization_type").unwrap_or_default());
        let mode = planned.text("invoke_mode").unwrap_or("BUFFERED");
        lambda
            .create_function_url_config()
            .function_name(&name)
            .set_qualifier(qualifier.clone())
            .auth_type(auth.clone())
            .invoke_mode(InvokeMode::from(mode))
            .set_cors(cors(planned))
            .send()
            .await
            .when("creating", &subject, "lambda:CreateFunctionUrlConfig")?;
        context.made(&id);
        if auth == FunctionUrlAuthType::None {
            let added = lambda
                .add_permission()
                .function_name(&name)
                .set_qualifier(qualifier)
                .statement_id(PUBLIC)
                .action("lambda:InvokeFunctionUrl")
                .principal("*")
                .function_url_auth_type(auth)
                .send()
                .await;
            // Another address that the function had before has left it.
            if !matches!(&added, Err(error) if says(error, "ResourceConflictException", "already exists"))
            {
                added.when("letting everybody call", &subject, "lambda:AddPermission")?;
            }
        }
        Ok(id)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let (name, qualifier) = split(id(state))?;
        let answer = context
            .client
            .lambda(&context.region)
            .get_function_url_config()
            .function_name(name)
            .set_qualifier(qualifier.map(str::to_owned))
            .send()
            .await
            .unless_gone(
                &GONE,
                "reading",
                &Self::subject(id(state)),
                "lambda:GetFunctionUrlConfig",
            )?;
        let Some(told) = answer else {
            return Ok(None);
        };
        let mut object = Object::new();
        object.set("function_name", name);
        object.set("qualifier", qualifier.unwrap_or_default());
        object.set("authorization_type", told.auth_type.as_str());
        object.set("cors", blocks(told_cors(&told)));
        object.set("function_arn", told.function_arn.as_str());
        object.set(
            "invoke_mode",
            told.invoke_mode
                .as_ref()
                .map_or("BUFFERED", InvokeMode::as_str),
        );
        object.set("url_id", url_id(&told.function_url));
        object.set("function_url", told.function_url);
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let (name, qualifier) = split(change.id())?;
        let planned = change.planned;
        let text = |name: &str| planned.text(name).filter(|_| change.of(&[name]));
        let emptied = || Cors::builder().build();
        let cors = change
            .of(&["cors"])
            .then(|| cors(planned).unwrap_or_else(emptied));
        let request = context
            .client
            .lambda(&context.region)
            .update_function_url_config()
            .function_name(name)
            .set_qualifier(qualifier.map(str::to_owned))
            .set_auth_type(text("authorization_type").map(FunctionUrlAuthType::from))
            .set_invoke_mode(text("invoke_mode").map(InvokeMode::from))
            .set_cors(cors);
        context
            .patience(PROPAGATION)
            .again(
                |error| is_one_of(error, &["ResourceConflictException"]),
                || request.clone().send(),
            )
            .await
            .when(
                "updating",
                &Self::subject(change.id()),
                "lambda:UpdateFunctionUrlConfig",
            )?;
        Ok(())
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let (name, qualifier) = split(id(state))?;
        context
            .client
            .lambda(&context.region)
            .delete_function_url_config()
            .function_name(name)
            .set_qualifier(qualifier.map(str::to_owned))
            .send()
            .await
            .unless_gone(
                &GONE,
                "deleting",
                &Self::subject(id(state)),
                "lambda:DeleteFunctionUrlConfig",
            )?;
        Ok(())
    }
}

/// The function, and what qualifies it.
fn split(id: &str) -> Outcome<(&str, Option<&str>)> {
    let parts: Vec<&str> = id.split('/').collect();
    match parts.as_slice() {
        [name] if !name.is_empty() => Ok((name, None)),
        [name, qualifier] if !name.is_empty() && !qualifier.is_empty() => Ok((name, Some(qualifier))),
        _ => Err(Diagnostic::error(
            "Invalid id of a function's address",
            format!("{id:?} does not name the address of a function. Its id is the name of the function, perhaps with a slash and an alias: function or function/alias."),
        )
        .into()),
    }
}

/// What tells the address from others: `abc` in `https://abc.lambda-url.us-east-1.on.aws/`.
fn url_id(url: &str) -> String {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    host.split('.').next().unwrap_or_default().to_owned()
}

fn cors(planned: &Object) -> Option<Cors> {
    let block = one(planned, "cors")?;
    let texts = |name| Some(owned(&block, name)).filter(|texts| !texts.is_empty());
    let cors = Cors::builder()
        .allow_credentials(block.flag("allow_credentials").unwrap_or(false))
        .set_allow_headers(texts("allow_headers"))
        .set_allow_methods(texts("allow_methods"))
        .set_allow_origins(texts("allow_origins"))
        .set_expose_headers(texts("expose_headers"))
        .set_max_age(small(&block, "max_age").filter(|age| *age > 0))
        .build();
    Some(cors)
}

fn told_cors(told: &Told) -> Option<Value> {
    let cors = told.cors.as_ref()?;
    let says_something = cors.allow_credentials.is_some()
        || cors.max_age.is_some()
        || ![
            cors.allow_headers(),
            cors.allow_methods(),
            cors.allow_origins(),
            cors.expose_headers(),
        ]
        .iter()
        .all(|texts| texts.is_empty());
    says_something.then(|| {
        block([
            (
                "allow_credentials",
                Value::bool(cors.allow_credentials.unwrap_or(false)),
            ),
            ("allow_headers", list(cors.allow_headers())),
            ("allow_methods", list(cors.allow_methods())),
            ("allow_origins", list(cors.allow_origins())),
            ("expose_headers", list(cors.expose_headers())),
            ("max_age", number(cors.max_age)),
        ])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_an_id() {
        assert_eq!(url_id("https://abc.lambda-url.us-east-1.on.aws/"), "abc");
        assert_eq!(split("f").unwrap(), ("f", None));
        assert_eq!(split("f/live").unwrap(), ("f", Some("live")));
        assert!(split("f/").is_err());
        assert!(split("a/b/c").is_err());
    }
}

//! `aws_sqs_queue_policy`, `aws_sqs_queue_redrive_policy` and `aws_sqs_queue_redrive_allow_policy`: one attribute of a queue each.

use async_trait::async_trait;
use terrace_provider_sdk::{Object, Outcome, Schema};

use super::attributes::{Attributes, fetch, set};
use crate::document::{self, Same};
use crate::kind::{Change, Context, Kind, id};
use crate::policy;
use crate::shape::Behaviour as _;

/// One attribute of a queue as an object of its own.
trait Part: Kind {
    /// The argument.
    const ARGUMENT: &'static str;
    /// The attribute, as SQS calls it.
    const ATTRIBUTE: &'static str;
    /// When two of them mean the same.
    const SAME: Same;
}

fn behave<P: Part>(shape: Schema) -> Schema {
    shape
        .replaces(&["queue_url"])
        .change(P::ARGUMENT, |text| document::by_meaning(text, P::SAME))
}

async fn put<P: Part>(context: &Context, url: &str, value: &str) -> Outcome<Option<()>> {
    let attributes = Attributes::from([(P::ATTRIBUTE.to_owned(), value.to_owned())]);
    set(context, url, &attributes, &P::subject(url)).await
}

async fn write<P: Part>(context: &Context, planned: &Object) -> Outcome<String> {
    let url = planned.text("queue_url").unwrap_or_default();
    let value = planned.text(P::ARGUMENT).unwrap_or_default();
    match put::<P>(context, url, value).await? {
        Some(()) => Ok(url.to_owned()),
        None => Err(terrace_provider_sdk::Diagnostic::error(
            "SQS Queue not found",
            format!("{}: there is no queue {url} in {}. Look at queue_url, the region and the account that this run signs in to.", P::subject(url), context.region),
        )
        .into()),
    }
}

async fn read<P: Part>(context: &Context, state: &Object) -> Outcome<Option<Object>> {
    let url = id(state);
    let found = fetch(context, url, &P::subject(url)).await?;
    let Some(value) = found
        .and_then(|found| found.get(P::ATTRIBUTE).cloned())
        .filter(|value| !value.is_empty())
    else {
        return Ok(None);
    };
    let mut object = Object::new();
    object.set("queue_url", url);
    object.set(
        P::ARGUMENT,
        document::kept(state.text(P::ARGUMENT), &value, P::SAME),
    );
    Ok(Some(object))
}

macro_rules! parts {
    ($($kind:ident $name:literal $what:literal $argument:literal $attribute:literal $same:path;)*) => {
        $(
            #[derive(Default)]
            pub(crate) struct $kind;

            impl Part for $kind {
                const ARGUMENT: &'static str = $argument;
                const ATTRIBUTE: &'static str = $attribute;
                const SAME: Same = $same;
            }

            #[async_trait]
            impl Kind for $kind {
                const NAME: &'static str = $name;
                const WHAT: &'static str = $what;

                fn behave(&self, shape: Schema) -> Schema {
                    behave::<Self>(shape)
                }

                async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
                    write::<Self>(context, planned).await
                }

                async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
                    read::<Self>(context, state).await
                }

                async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
                    write::<Self>(context, change.planned).await.map(|_| ())
                }

                async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
                    put::<Self>(context, id(state), "").await.map(|_| ())
                }
            }
        )*
    };
}
parts! {
    QueuePolicy "aws_sqs_queue_policy" "SQS Queue Policy" "policy" "Policy" policy::equivalent;
    RedrivePolicy "aws_sqs_queue_redrive_policy" "SQS Queue Redrive Policy" "redrive_policy" "RedrivePolicy" document::same;
    RedriveAllowPolicy "aws_sqs_queue_redrive_allow_policy" "SQS Queue Redrive Allow Policy" "redrive_allow_policy" "RedriveAllowPolicy" document::same;
}

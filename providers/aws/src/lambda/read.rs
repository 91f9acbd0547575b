//! Functions that are only read.

use async_trait::async_trait;
use terrace_provider_sdk::{Diagnostic, Object, Outcome};

use super::{LATEST, function, invoke_arn, streaming_arn};
use crate::blocks::{given, or_empty};
use crate::kind::{Context, Source};
use crate::tags::Tags;

#[derive(Default)]
pub(crate) struct FunctionData;

#[async_trait]
impl Source for FunctionData {
    const NAME: &'static str = "aws_lambda_function";
    const WHAT: &'static str = "Lambda Function";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let name = config.text("function_name").unwrap_or_default();
        let subject = Self::subject(name);
        // Where nobody says which version, it is the one that was published last.
        let qualifier = match given(config, "qualifier") {
            Some(qualifier) => Some(qualifier),
            None => Some(function::latest(context, name, &subject).await?.0)
                .filter(|version| version != LATEST),
        };
        let told = function::fetch(context, name, qualifier.clone(), &subject).await?;
        let Some((told, configuration)) = told.and_then(|told| {
            let configuration = told.configuration.clone()?;
            Some((told, configuration))
        }) else {
            return Err(Diagnostic::error(
                "Lambda Function not found",
                format!("{subject} is not in {}. Look at its name, its qualifier, the region and the account that this run signs in to.", context.region),
            )
            .into());
        };
        let mut object = Object::new();
        function::facts(context, &mut object, &told);
        let arn = or_empty(configuration.function_arn.as_deref());
        let version = or_empty(configuration.version.as_deref());
        let behind = |end: &str| format!(":{end}");
        let qualified_by = qualifier.as_deref().unwrap_or_default();
        let bare = match qualified_by {
            "" => arn.as_str(),
            end => arn.strip_suffix(&behind(end)).unwrap_or(&arn),
        };
        let qualified = if bare != arn || arn.ends_with(&behind(&version)) {
            arn.clone()
        } else {
            format!("{arn}:{version}")
        };
        object.set("id", name);
        object.set("arn", bare);
        object.set("invoke_arn", invoke_arn(context, bare));
        object.set(
            "response_streaming_invoke_arn",
            streaming_arn(context, bare),
        );
        object.set("qualified_invoke_arn", invoke_arn(context, &qualified));
        object.set("qualified_arn", qualified);
        object.set(
            "source_code_hash",
            or_empty(configuration.code_sha256.as_deref()),
        );
        object.set("version", version);
        object.set(
            "code_signing_config_arn",
            function::signing(context, name, &configuration, &subject).await?,
        );
        let tags = told.tags.unwrap_or_default();
        object.set("tags", tags.into_iter().collect::<Tags>());
        Ok(object)
    }
}
